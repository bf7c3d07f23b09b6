//! Bands that a series moves between.

use crate::Field;
use crate::feature::Stream;
use crate::kind::{Kind, SAME, made, on, window};
use crate::window::{Largest, Window};

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "highest",
        &[on("series", Field::High)],
        &[window("n", 1, 20)],
        SAME,
        |given| made(Highest::new, given),
        "Largest of the last n values, this one included.",
        "Richard Donchian, 1960s. TA-Lib's MAX. A breakout is above the previous value.",
    ),
    Kind::new(
        "lowest",
        &[on("series", Field::Low)],
        &[window("n", 1, 20)],
        SAME,
        |given| made(Lowest::new, given),
        "Smallest of the last n values, this one included.",
        "Richard Donchian, 1960s. TA-Lib's MIN.",
    ),
];

/// The largest of the last `n` values.
pub(crate) struct Highest(Window<Largest>);

impl Highest {
    pub(crate) fn new(n: usize) -> Self {
        Self(Window::new(n))
    }

    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        self.0.push(value).map(|largest| largest.0)
    }
}

impl Stream<1, 1> for Highest {
    fn warmup(&self) -> usize {
        self.0.len() - 1
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        [self.push(value).unwrap_or(f64::NAN)]
    }
}

/// The smallest of the last `n` values.
pub(crate) struct Lowest(Window<Largest>);

impl Lowest {
    pub(crate) fn new(n: usize) -> Self {
        Self(Window::new(n))
    }

    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        // The smallest is the negative of the largest negative; a change of sign is exact.
        self.0.push(-value).map(|largest| -largest.0)
    }
}

impl Stream<1, 1> for Lowest {
    fn warmup(&self) -> usize {
        self.0.len() - 1
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        [self.push(value).unwrap_or(f64::NAN)]
    }
}
