//! Returns of a series.

use serde::{Deserialize, Serialize};

use nt_core::elementary::logarithm;

use crate::feature::Stream;
use crate::kind::{Kind, RATIO, SERIES, made, window};
use crate::window::Delay;

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "log_return",
        SERIES,
        &[window("n", 1, 1)],
        RATIO,
        |given| made(LogReturn::new, given),
        "Logarithm of the ratio to the value n rows ago.",
        "NaN where either is not positive.",
    ),
    Kind::new(
        "simple_return",
        SERIES,
        &[window("n", 1, 1)],
        RATIO,
        |given| made(SimpleReturn::new, given),
        "Ratio to the value n rows ago, less 1.",
        "TA-Lib's ROCP. NaN from a value that is not positive.",
    ),
];

/// `ln(now / before)`, where both are positive.
#[inline]
pub(crate) fn log_ratio(now: f64, before: f64) -> Option<f64> {
    let ratio = now / before;
    // Beyond the normal numbers there is no logarithm of ours, and of two negative numbers none at all.
    (before > 0.0 && (f64::MIN_POSITIVE..=f64::MAX).contains(&ratio)).then(|| logarithm(ratio))
}

/// `ln(x[t] / x[t-n])`.
#[derive(Serialize, Deserialize)]
struct LogReturn(Delay);

impl LogReturn {
    fn new(n: usize) -> Self {
        Self(Delay::new(n))
    }
}

impl Stream<1, 1> for LogReturn {
    fn warmup(&self) -> usize {
        self.0.len()
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        [self.0.push(value).and_then(|before| log_ratio(value, before)).unwrap_or(f64::NAN)]
    }
}

/// `x[t] / x[t-n] - 1`.
#[derive(Serialize, Deserialize)]
struct SimpleReturn(Delay);

impl SimpleReturn {
    fn new(n: usize) -> Self {
        Self(Delay::new(n))
    }
}

impl Stream<1, 1> for SimpleReturn {
    fn warmup(&self) -> usize {
        self.0.len()
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        match self.0.push(value) {
            Some(before) if before > 0.0 => [value / before - 1.0],
            _ => [f64::NAN],
        }
    }
}

/// The log return of each value of a series to the one before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LogReturns(f64);

impl LogReturns {
    pub(crate) fn new() -> Self {
        Self(f64::NAN)
    }

    pub(crate) fn restart(&mut self) {
        self.0 = f64::NAN;
    }

    /// Takes the next value; None at the first one and where there is no return.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        let before = std::mem::replace(&mut self.0, value);
        log_ratio(value, before)
    }
}
