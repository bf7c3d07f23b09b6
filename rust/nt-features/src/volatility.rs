//! How widely a series is spread, and how far a bar reaches.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use crate::Field;
use crate::average::Ema;
use crate::feature::{LARGEST, Lane, PIECE, Stream, boxed};
use crate::kind::{BARS, HIGH_LOW_CLOSE, Kind, RATIO, SAME, SERIES, made, on, real, whole, window};
use crate::returns::{LogReturns, log_ratio};
use crate::window::{Fold, Spread, Sum, Window, larger, not_negative, with_before};

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "atr",
        HIGH_LOW_CLOSE,
        &[window("n", 1, 14)],
        SAME,
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
        "ewma_volatility",
        SERIES,
        &[real("decay", 0.0, 1.0, 0.94)],
        RATIO,
        |given| boxed(Ewma::new(given[0])),
        "Root of the exponentially weighted mean of squared log returns.",
        "RiskMetrics, 1996. Seeded with the first squared return. Per step.",
    ),
    Kind::new(
        "garch",
        SERIES,
        &[real("omega", 0.0, LARGEST, 1e-6), real("alpha", 0.0, 1.0, 0.1), real("beta", 0.0, 1.0, 0.85)],
        RATIO,
        |given| boxed(Garch::new(given[0], given[1], given[2])),
        "Volatility of the next step by a GARCH(1, 1) filter of log returns.",
        "Tim Bollerslev, 1986. Parameters are given, not fitted; the variance before the first return is its square.",
    ),
    Kind::new(
        "garman_klass",
        BARS,
        &[window("n", 1, 20)],
        RATIO,
        |given| boxed(Ranged::new(whole(given[0]), OfBar::GarmanKlass)),
        "Volatility of n bars from open, high, low and close.",
        "Garman and Klass, 1980. Per bar, not demeaned.",
    ),
    Kind::new(
        "parkinson",
        &[on("high", Field::High), on("low", Field::Low)],
        &[window("n", 1, 20)],
        RATIO,
        |given| made(Parkinson::new, given),
        "Volatility of n bars from high and low.",
        "Michael Parkinson, 1980. Per bar.",
    ),
    Kind::new(
        "realised",
        SERIES,
        &[window("n", 1, 20)],
        RATIO,
        |given| made(Realised::new, given),
        "Root mean square of the last n log returns.",
        "Andersen and Bollerslev, 1998. Per step: times the root of n it is that of the window.",
    ),
    Kind::new(
        "rogers_satchell",
        BARS,
        &[window("n", 1, 20)],
        RATIO,
        |given| boxed(Ranged::new(whole(given[0]), OfBar::RogersSatchell)),
        "Volatility of n bars from open, high, low and close, any drift.",
        "Rogers and Satchell, 1991. Per bar.",
    ),
    Kind::new(
        "true_range",
        HIGH_LOW_CLOSE,
        &[],
        SAME,
        |_| boxed(TrueRange::new()),
        "Reach of a bar, the close before it included.",
        "J. Welles Wilder, 1978. TA-Lib's TRANGE.",
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
    Kind::new(
        "yang_zhang",
        BARS,
        &[window("n", 2, 20)],
        RATIO,
        |given| made(YangZhang::new, given),
        "Volatility of n bars, any drift and jumps at the opening.",
        "Yang and Zhang, 2000, with k = 0.34 / (1.34 + (n + 1) / (n - 1)). Per bar.",
    ),
];

/// True range: `max(high - low, |high - c[t-1]|, |low - c[t-1]|)`, from the second bar on.
#[derive(Serialize, Deserialize)]
pub(crate) struct TrueRange {
    close: f64,
}

/// The range of a bar after a close.
#[inline]
fn reach(high: f64, low: f64, before: f64) -> f64 {
    larger(high - low, larger((high - before).abs(), (low - before).abs()))
}

impl TrueRange {
    pub(crate) fn new() -> Self {
        Self { close: f64::NAN }
    }

    #[inline]
    pub(crate) fn push(&mut self, high: f64, low: f64, close: f64) -> Option<f64> {
        let before = std::mem::replace(&mut self.close, close);
        if before.is_nan() {
            return None;
        }
        Some(reach(high, low, before))
    }

    /// Pushes bars, the first of which has no range where no close is before it.
    #[inline]
    fn slide(&mut self, [highs, lows, closes]: [&[f64]; 3], ranges: &mut [f64]) {
        let Some(last) = closes.last() else { return };
        // From no close, which is NaN, no number comes.
        ranges[0] = if self.close.is_nan() { f64::NAN } else { reach(highs[0], lows[0], self.close) };
        let bars = highs[1..].iter().zip(&lows[1..]).zip(closes);
        for (((high, low), before), range) in bars.zip(&mut ranges[1..]) {
            *range = reach(*high, *low, *before);
        }
        self.close = *last;
    }
}

impl Stream<3, 1> for TrueRange {
    fn warmup(&self) -> usize {
        1
    }

    fn restart(&mut self) {
        self.close = f64::NAN;
    }

    #[inline]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> [f64; 1] {
        [self.push(high, low, close).unwrap_or(f64::NAN)]
    }

    fn rows(&mut self, bars: [&[f64]; 3], [ranges]: [&mut [f64]; 1]) {
        self.slide(bars, ranges);
    }
}

/// Average true range: first the mean of `n` true ranges, then `a[t] = (range - a[t-1]) / n + a[t-1]`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Atr {
    range: TrueRange,
    average: Ema,
}

impl Atr {
    pub(crate) fn new(n: usize) -> Self {
        Self { range: TrueRange::new(), average: Ema::wilder(n) }
    }

    #[inline]
    pub(crate) fn push(&mut self, high: f64, low: f64, close: f64) -> Option<f64> {
        let range = self.range.push(high, low, close);
        range.and_then(|range| self.average.push(range))
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
        [self.push(high, low, close).unwrap_or(f64::NAN)]
    }

    fn lanes(&self) -> usize {
        usize::from(self.average.is_seeded())
    }

    fn before(&mut self, bars: [&[f64]; 3], lanes: &mut [Lane]) {
        self.average.lend(&mut lanes[0]);
        self.range.slide(bars, &mut lanes[0].rows[..bars[0].len()]);
    }

    fn after(&mut self, bars: [&[f64]; 3], lanes: &[Lane], [averages]: [&mut [f64]; 1]) {
        self.average.reclaim(&lanes[0]);
        averages.copy_from_slice(&lanes[0].rows[..bars[0].len()]);
    }
}

/// Population standard deviation: `sqrt(n * sum(d^2) - sum(d)^2) / n`, where `d` are distances from the window's pivot.
#[derive(Serialize, Deserialize)]
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

    fn rows(&mut self, [values]: [&[f64]; 1], [places]: [&mut [f64]; 1]) {
        let mut folds = [Spread::EMPTY; PIECE];
        let before = self.window.slide(values, &mut folds[..values.len()], |place, fold, _| *place = fold);
        for (place, fold) in places.iter_mut().zip(folds) {
            *place = fold.of(self.count).sqrt() / self.count;
        }
        places[..before].fill(f64::NAN);
    }
}

/// Sample standard deviation (divisor `n - 1`) of the last `n` simple returns `x[t] / x[t-1] - 1`.
///
/// A return from a value that is not positive is none, and so is every window with such a return in it.
#[derive(Serialize, Deserialize)]
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
            return [fold.map_or(f64::NAN, |fold| fold.sample_variance(self.count).sqrt())];
        }
        self.window.restart();
        [f64::NAN]
    }

    fn rows(&mut self, [values]: [&[f64]; 1], [places]: [&mut [f64]; 1]) {
        if !(self.last > 0.0 && values.iter().fold(true, |all, value| all & (*value > 0.0))) {
            return self.by_updates([values], [places]);
        }
        let mut folds = [Spread::EMPTY; PIECE];
        with_before(self.last, values, places, |place, before, value| *place = value / before - 1.0);
        let before = self.window.slide(places, &mut folds[..values.len()], |place, fold, _| *place = fold);
        for (place, fold) in places.iter_mut().zip(folds) {
            *place = fold.sample_variance(self.count).sqrt();
        }
        places[..before].fill(f64::NAN);
        self.last = values[values.len() - 1];
    }
}

/// `sqrt(sum(r^2) / n)` of the last `n` log returns; a return that does not exist begins the window anew.
#[derive(Serialize, Deserialize)]
struct Realised {
    returns: LogReturns,
    window: Window<Sum>,
    count: f64,
}

impl Realised {
    fn new(n: usize) -> Self {
        Self { returns: LogReturns::new(), window: Window::new(n), count: n as f64 }
    }
}

impl Stream<1, 1> for Realised {
    fn warmup(&self) -> usize {
        self.window.len()
    }

    fn restart(&mut self) {
        self.returns.restart();
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let Some(change) = self.returns.push(value) else {
            self.window.restart();
            return [f64::NAN];
        };
        [self.window.push(change * change).map_or(f64::NAN, |Sum(sum)| (sum / self.count).sqrt())]
    }
}

/// `v[t] = decay v[t-1] + (1 - decay) r[t]^2` of log returns, from the first squared return; its root.
#[derive(Serialize, Deserialize)]
struct Ewma {
    returns: LogReturns,
    variance: f64,
    decay: f64,
}

impl Ewma {
    fn new(decay: f64) -> Self {
        Self { returns: LogReturns::new(), variance: f64::NAN, decay }
    }
}

impl Stream<1, 1> for Ewma {
    fn warmup(&self) -> usize {
        1
    }

    fn restart(&mut self) {
        self.returns.restart();
        self.variance = f64::NAN;
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let Some(change) = self.returns.push(value) else {
            self.variance = f64::NAN;
            return [f64::NAN];
        };
        let square = change * change;
        let before = if self.variance.is_nan() { square } else { self.variance };
        self.variance = self.decay * before + (1.0 - self.decay) * square;
        [self.variance.sqrt()]
    }
}

/// `v[t+1] = omega + alpha r[t]^2 + beta v[t]` of log returns, from `v[1] = r[1]^2`; the root of `v[t+1]`.
#[derive(Serialize, Deserialize)]
struct Garch {
    returns: LogReturns,
    variance: f64,
    omega: f64,
    alpha: f64,
    beta: f64,
}

impl Garch {
    fn new(omega: f64, alpha: f64, beta: f64) -> Self {
        Self { returns: LogReturns::new(), variance: f64::NAN, omega, alpha, beta }
    }
}

impl Stream<1, 1> for Garch {
    fn warmup(&self) -> usize {
        1
    }

    fn restart(&mut self) {
        self.returns.restart();
        self.variance = f64::NAN;
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let Some(change) = self.returns.push(value) else {
            self.variance = f64::NAN;
            return [f64::NAN];
        };
        let square = change * change;
        let before = if self.variance.is_nan() { square } else { self.variance };
        self.variance = self.omega + self.alpha * square + self.beta * before;
        [self.variance.sqrt()]
    }
}

/// `sqrt(mean(ln(high / low)^2) / (4 ln 2))`.
#[derive(Serialize, Deserialize)]
struct Parkinson {
    window: Window<Sum>,
    divisor: f64,
}

impl Parkinson {
    fn new(n: usize) -> Self {
        Self { window: Window::new(n), divisor: 4.0 * LN_2 * n as f64 }
    }
}

impl Stream<2, 1> for Parkinson {
    fn warmup(&self) -> usize {
        self.window.len() - 1
    }

    fn restart(&mut self) {
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [high, low]: [f64; 2]) -> [f64; 1] {
        let Some(reach) = log_ratio(high, low) else {
            self.window.restart();
            return [f64::NAN];
        };
        [self.window.push(reach * reach).map_or(f64::NAN, |Sum(sum)| (sum / self.divisor).sqrt())]
    }
}

/// The variance that one bar shows, if its prices are positive.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum OfBar {
    GarmanKlass,
    RogersSatchell,
}

/// `ln(high / low)^2 / 2 - (2 ln 2 - 1) ln(close / open)^2`.
#[inline]
fn garman_klass(open: f64, high: f64, low: f64, close: f64) -> Option<f64> {
    let (reach, change) = (log_ratio(high, low)?, log_ratio(close, open)?);
    Some(0.5 * (reach * reach) - (2.0 * LN_2 - 1.0) * (change * change))
}

/// `ln(high / close) ln(high / open) + ln(low / close) ln(low / open)`.
#[inline]
fn rogers_satchell(open: f64, high: f64, low: f64, close: f64) -> Option<f64> {
    let above = log_ratio(high, close)? * log_ratio(high, open)?;
    Some(above + log_ratio(low, close)? * log_ratio(low, open)?)
}

/// The root of the mean of a variance of bars; rounding never makes it negative.
#[derive(Serialize, Deserialize)]
struct Ranged {
    window: Window<Sum>,
    of_bar: OfBar,
    count: f64,
}

impl Ranged {
    fn new(n: usize, of_bar: OfBar) -> Self {
        Self { window: Window::new(n), of_bar, count: n as f64 }
    }
}

impl Stream<4, 1> for Ranged {
    fn warmup(&self) -> usize {
        self.window.len() - 1
    }

    fn restart(&mut self) {
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [open, high, low, close]: [f64; 4]) -> [f64; 1] {
        let variance = match self.of_bar {
            OfBar::GarmanKlass => garman_klass(open, high, low, close),
            OfBar::RogersSatchell => rogers_satchell(open, high, low, close),
        };
        let Some(variance) = variance else {
            self.window.restart();
            return [f64::NAN];
        };
        [self.window.push(variance).map_or(f64::NAN, |Sum(sum)| not_negative(sum / self.count).sqrt())]
    }
}

/// `sqrt(variance of openings + k variance of closes + (1 - k) mean of Rogers and Satchell's)`.
///
/// An opening is `ln(open / close before)`, a close `ln(close / open)`; both variances are of samples.
#[derive(Serialize, Deserialize)]
struct YangZhang {
    before: f64,
    openings: Window<Spread>,
    closes: Window<Spread>,
    ranges: Window<Sum>,
    count: f64,
    k: f64,
}

impl YangZhang {
    fn new(n: usize) -> Self {
        let count = n as f64;
        let k = 0.34 / (1.34 + (count + 1.0) / (count - 1.0));
        let (openings, closes) = (Window::new(n), Window::new(n));
        Self { before: f64::NAN, openings, closes, ranges: Window::new(n), count, k }
    }

    fn forget_windows(&mut self) {
        self.openings.restart();
        self.closes.restart();
        self.ranges.restart();
    }
}

impl Stream<4, 1> for YangZhang {
    fn warmup(&self) -> usize {
        self.ranges.len()
    }

    fn restart(&mut self) {
        self.before = f64::NAN;
        self.forget_windows();
    }

    #[inline]
    fn update(&mut self, [open, high, low, close]: [f64; 4]) -> [f64; 1] {
        let before = std::mem::replace(&mut self.before, close);
        let logs = (log_ratio(open, before), log_ratio(close, open), rogers_satchell(open, high, low, close));
        let (Some(opening), Some(change), Some(range)) = logs else {
            self.forget_windows();
            return [f64::NAN];
        };
        let (openings, closes) = (self.openings.push(opening), self.closes.push(change));
        let (Some(openings), Some(closes), Some(Sum(ranges))) = (openings, closes, self.ranges.push(range)) else {
            return [f64::NAN];
        };
        let (openings, closes) = (openings.sample_variance(self.count), closes.sample_variance(self.count));
        let variance = openings + self.k * closes + (1.0 - self.k) * (ranges / self.count);
        [not_negative(variance).sqrt()]
    }
}
