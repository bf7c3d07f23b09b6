//! How widely a series is spread, and how far a bar reaches.

use crate::average::Ema;
use crate::feature::Stream;
use crate::kind::{HIGH_LOW_CLOSE, Kind, Output, RATIO, SAME, SERIES, made, window};
use crate::window::{Spread, Window, larger};

/// True range in the unit of the high.
const RANGE: &[Output] = SAME;

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "atr",
        HIGH_LOW_CLOSE,
        &[window("n", 1, 14)],
        RANGE,
        |given| made(Atr::new, given),
        "Average true range, Wilder's smoothing over n bars.",
        "J. Welles Wilder, 1978. As TA-Lib's ATR.",
    ),
    Kind::new(
        "deviation",
        SERIES,
        &[window("n", 2, 20)],
        SAME,
        |given| made(Deviation::new, given),
        "Population standard deviation of the last n values.",
        "TA-Lib's STDDEV, without its cancellation.",
    ),
    Kind::new(
        "volatility",
        SERIES,
        &[window("n", 2, 20)],
        RATIO,
        |given| made(Volatility::new, given),
        "Sample standard deviation of the last n simple returns.",
        "Per step: what a year is depends on the spacing of the data. NaN from a value that is not positive.",
    ),
];

/// True range: `max(high - low, |high - c[t-1]|, |low - c[t-1]|)`, from the second bar on.
pub(crate) struct TrueRange {
    close: f64,
}

impl TrueRange {
    pub(crate) fn new() -> Self {
        Self { close: f64::NAN }
    }

    pub(crate) fn restart(&mut self) {
        self.close = f64::NAN;
    }

    #[inline]
    pub(crate) fn push(&mut self, high: f64, low: f64, close: f64) -> Option<f64> {
        let before = std::mem::replace(&mut self.close, close);
        if before.is_nan() {
            return None;
        }
        Some(larger(high - low, larger((high - before).abs(), (low - before).abs())))
    }
}

/// Average true range: first the mean of `n` true ranges, then `a[t] = (range - a[t-1]) / n + a[t-1]`.
pub(crate) struct Atr {
    range: TrueRange,
    average: Ema,
}

impl Atr {
    pub(crate) fn new(n: usize) -> Self {
        Self { range: TrueRange::new(), average: Ema::wilder(n) }
    }
}

impl Stream<3, 1> for Atr {
    fn warmup(&self) -> usize {
        self.average.warmup() + 1
    }

    fn restart(&mut self) {
        self.range.restart();
        self.average.restart();
    }

    #[inline]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> [f64; 1] {
        let range = self.range.push(high, low, close);
        [range.and_then(|range| self.average.push(range)).unwrap_or(f64::NAN)]
    }
}

/// Population standard deviation: `sqrt(n * sum(d^2) - sum(d)^2) / n`, where `d` are distances from the window's pivot.
pub(crate) struct Deviation {
    window: Window<Spread>,
    count: f64,
}

impl Deviation {
    pub(crate) fn new(n: usize) -> Self {
        Self { window: Window::new(n), count: n as f64 }
    }
}

impl Stream<1, 1> for Deviation {
    fn warmup(&self) -> usize {
        self.window.len() - 1
    }

    fn restart(&mut self) {
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        [self.window.push(value).map_or(f64::NAN, |fold| fold.of(self.count).sqrt() / self.count)]
    }
}

/// Sample standard deviation (divisor `n - 1`) of the last `n` simple returns `x[t] / x[t-1] - 1`.
///
/// A return from a value that is not positive is none, and so is every window with such a return in it.
struct Volatility {
    window: Window<Spread>,
    last: f64,
    count: f64,
}

impl Volatility {
    fn new(n: usize) -> Self {
        Self { window: Window::new(n), last: f64::NAN, count: n as f64 }
    }
}

impl Stream<1, 1> for Volatility {
    fn warmup(&self) -> usize {
        self.window.len()
    }

    fn restart(&mut self) {
        self.window.restart();
        self.last = f64::NAN;
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let before = std::mem::replace(&mut self.last, value);
        if before > 0.0 {
            let fold = self.window.push(value / before - 1.0);
            return [fold.map_or(f64::NAN, |fold| (fold.of(self.count) / (self.count * (self.count - 1.0))).sqrt())];
        }
        self.window.restart();
        [f64::NAN]
    }
}
