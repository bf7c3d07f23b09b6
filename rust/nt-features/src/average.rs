//! Moving averages of a series.

use serde::{Deserialize, Serialize};

use crate::feature::{Lane, Stream, boxed};
use crate::kind::{Kind, SAME, SERIES, made, on, window};
use crate::window::{Delay, Fold, Sum, Window};
use crate::{Field, Input, Parameter};

const N: &[Parameter] = &[window("n", 1, 20)];
const WITH_VOLUME: &[Input] = &[on("series", Field::Close), on("volume", Field::Volume)];

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "dema",
        SERIES,
        N,
        SAME,
        |given| made(Dema::new, given),
        "Double exponential moving average.",
        "Patrick Mulloy, 1994. As TA-Lib's DEMA.",
    ),
    Kind::new(
        "ema",
        SERIES,
        N,
        SAME,
        |given| made(Ema::new, given),
        "Exponential moving average, weight 2 / (n + 1).",
        "Seeded with the mean of the first n values, as TA-Lib's EMA.",
    ),
    Kind::new(
        "hull",
        SERIES,
        &[window("n", 2, 20)],
        SAME,
        |given| made(Hull::new, given),
        "Hull's moving average: wma(2 wma(n/2) - wma(n), sqrt(n)).",
        "Alan Hull, 2005. Half and root are rounded down.",
    ),
    Kind::new(
        "kama",
        SERIES,
        &[window("n", 1, 10), window("fast", 1, 2), window("slow", 2, 30)],
        SAME,
        |given| boxed(Kama::new(given[0] as usize, given[1], given[2])),
        "Kaufman's adaptive average: fast in trends, slow in noise.",
        "Perry Kaufman, 1995. Seeded with the nth value, as TA-Lib's KAMA.",
    )
    .ordered(&[(1, 2)]),
    Kind::new(
        "sma",
        SERIES,
        N,
        SAME,
        |given| made(Sma::new, given),
        "Mean of the last n values.",
        "TA-Lib's SMA, to the last bit on whole numbers.",
    ),
    Kind::new(
        "tema",
        SERIES,
        N,
        SAME,
        |given| made(Tema::new, given),
        "Triple exponential moving average.",
        "Patrick Mulloy, 1994. As TA-Lib's TEMA.",
    ),
    Kind::new(
        "vwma",
        WITH_VOLUME,
        N,
        SAME,
        |given| made(Vwma::new, given),
        "Mean of the last n values, weighted by volume.",
        "NaN where nothing traded in the window.",
    ),
    Kind::new(
        "wilder",
        SERIES,
        N,
        SAME,
        |given| made(Ema::wilder, given),
        "Wilder's smoothing: exponential, weight 1 / n.",
        "J. Welles Wilder, 1978. Seeded with the mean of the first n values.",
    ),
    Kind::new(
        "wma",
        SERIES,
        N,
        SAME,
        |given| made(Wma::new, given),
        "Weighted moving average, weights 1 to n.",
        "TA-Lib's WMA.",
    ),
];

/// Simple moving average: `(x[t] + ... + x[t-n+1]) / n`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sma {
    window: Window<Sum>,
    count: f64,
}

impl Sma {
    pub(crate) fn new(n: usize) -> Self {
        Self { window: Window::new(n), count: n as f64 }
    }

    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        self.window.push(value).map(|sum| sum.0 / self.count)
    }

    /// Pushes values, and returns how many of them come before the first mean.
    #[inline]
    pub(crate) fn slide(&mut self, values: &[f64], means: &mut [f64]) -> usize {
        let before = self.window.slide(values, means, |place, sum, _| *place = sum.0);
        let (none, sums) = means.split_at_mut(before);
        none.fill(f64::NAN);
        sums.iter_mut().for_each(|sum| *sum /= self.count);
        before
    }
}

impl Stream<1, 1> for Sma {
    fn warmup(&self) -> usize {
        self.window.len() - 1
    }

    fn restart(&mut self) {
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        [self.push(value).unwrap_or(f64::NAN)]
    }

    fn rows(&mut self, [values]: [&[f64]; 1], [means]: [&mut [f64]; 1]) {
        self.slide(values, means);
    }
}

/// Exponential moving average: `e[t] = (x[t] - e[t-1]) * weight + e[t-1]`, from the mean of `n` values after the first `skip`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ema {
    skip: usize,
    n: usize,
    seen: usize,
    value: f64,
    weight: f64,
}

impl Ema {
    pub(crate) fn new(n: usize) -> Self {
        Self::after(n, 0)
    }

    /// Wilder's smoothing.
    pub(crate) fn wilder(n: usize) -> Self {
        Self { weight: 1.0 / n as f64, ..Self::after(n, 0) }
    }

    /// An average that is blind to the first `skip` values.
    pub(crate) fn after(n: usize, skip: usize) -> Self {
        assert!(n > 0, "a window holds at least one value");
        Self { skip, n, seen: 0, value: 0.0, weight: 2.0 / (n as f64 + 1.0) }
    }

    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        if self.seen >= self.skip + self.n {
            self.value = (value - self.value) * self.weight + self.value;
            return Some(self.value);
        }
        self.seed(value)
    }

    /// Pushes values to an average that is seeded.
    pub(crate) fn smooth(&mut self, values: &[f64], averages: &mut [f64]) {
        let (mut now, weight) = (self.value, self.weight);
        for (value, average) in values.iter().zip(averages) {
            now = (value - now) * weight + now;
            *average = now;
        }
        self.value = now;
    }

    /// Whether its seed is complete, so that it can run in a lane.
    pub(crate) fn is_seeded(&self) -> bool {
        self.seen >= self.skip + self.n
    }

    /// Gives the lane what it needs to go on for this average.
    pub(crate) fn lend(&self, lane: &mut Lane) {
        (lane.value, lane.weight) = (self.value, self.weight);
    }

    /// Takes over the value of its lane.
    pub(crate) fn reclaim(&mut self, lane: &Lane) {
        self.value = lane.value;
    }

    /// Until the seed is complete, `value` is the sum of what it is made of.
    fn seed(&mut self, value: f64) -> Option<f64> {
        self.seen += 1;
        if self.seen > self.skip {
            self.value += value;
        }
        if self.seen < self.skip + self.n {
            return None;
        }
        self.value /= self.n as f64;
        Some(self.value)
    }
}

impl Stream<1, 1> for Ema {
    fn warmup(&self) -> usize {
        self.skip + self.n - 1
    }

    fn restart(&mut self) {
        self.seen = 0;
        self.value = 0.0;
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        [self.push(value).unwrap_or(f64::NAN)]
    }

    fn lanes(&self) -> usize {
        usize::from(self.is_seeded())
    }

    fn before(&mut self, [values]: [&[f64]; 1], lanes: &mut [Lane]) {
        self.lend(&mut lanes[0]);
        lanes[0].rows[..values.len()].copy_from_slice(values);
    }

    fn after(&mut self, [values]: [&[f64]; 1], lanes: &[Lane], [averages]: [&mut [f64]; 1]) {
        self.reclaim(&lanes[0]);
        averages.copy_from_slice(&lanes[0].rows[..values.len()]);
    }
}

/// `2 e1 - e2`, where `e2` is the average of the average `e1`.
#[derive(Serialize, Deserialize)]
struct Dema {
    once: Ema,
    twice: Ema,
}

impl Dema {
    fn new(n: usize) -> Self {
        Self { once: Ema::new(n), twice: Ema::new(n) }
    }
}

impl Stream<1, 1> for Dema {
    fn warmup(&self) -> usize {
        self.once.warmup() + self.twice.warmup()
    }

    fn restart(&mut self) {
        self.once.restart();
        self.twice.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let Some(once) = self.once.push(value) else { return [f64::NAN] };
        [self.twice.push(once).map_or(f64::NAN, |twice| 2.0 * once - twice)]
    }
}

/// `3 e1 - 3 e2 + e3`, each the average of the one before.
#[derive(Serialize, Deserialize)]
struct Tema {
    once: Ema,
    twice: Ema,
    thrice: Ema,
}

impl Tema {
    fn new(n: usize) -> Self {
        Self { once: Ema::new(n), twice: Ema::new(n), thrice: Ema::new(n) }
    }
}

impl Stream<1, 1> for Tema {
    fn warmup(&self) -> usize {
        self.once.warmup() + self.twice.warmup() + self.thrice.warmup()
    }

    fn restart(&mut self) {
        self.once.restart();
        self.twice.restart();
        self.thrice.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let Some(once) = self.once.push(value) else { return [f64::NAN] };
        let Some(twice) = self.twice.push(once) else { return [f64::NAN] };
        [self.thrice.push(twice).map_or(f64::NAN, |thrice| 3.0 * once - 3.0 * twice + thrice)]
    }
}

/// The sum of values, and that of values times their place, counted from 1 at the oldest.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Weighted {
    count: f64,
    sum: f64,
    weighted: f64,
}

impl Fold for Weighted {
    type Item = f64;
    const EMPTY: Self = Self { count: 0.0, sum: 0.0, weighted: 0.0 };

    #[inline]
    fn append(self, item: f64, _pivot: f64) -> Self {
        let count = self.count + 1.0;
        Self { count, sum: self.sum + item, weighted: self.weighted + count * item }
    }

    /// An older value takes the first place, and all others move on by one.
    #[inline]
    fn prepend(self, item: f64, _pivot: f64) -> Self {
        let sum = self.sum + item;
        Self { count: self.count + 1.0, sum, weighted: self.weighted + sum }
    }

    #[inline]
    fn joined(self, newer: Self) -> Self {
        Self {
            count: self.count + newer.count,
            sum: self.sum + newer.sum,
            weighted: self.weighted + (newer.weighted + self.count * newer.sum),
        }
    }
}

/// Weighted moving average: `(1 x[t-n+1] + ... + n x[t]) / (1 + ... + n)`.
#[derive(Serialize, Deserialize)]
struct Wma {
    window: Window<Weighted>,
    weights: f64,
}

impl Wma {
    fn new(n: usize) -> Self {
        let count = n as f64;
        Self { window: Window::new(n), weights: count * (count + 1.0) / 2.0 }
    }

    #[inline]
    fn push(&mut self, value: f64) -> Option<f64> {
        self.window.push(value).map(|fold| fold.weighted / self.weights)
    }
}

impl Stream<1, 1> for Wma {
    fn warmup(&self) -> usize {
        self.window.len() - 1
    }

    fn restart(&mut self) {
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        [self.push(value).unwrap_or(f64::NAN)]
    }

    fn rows(&mut self, [values]: [&[f64]; 1], [means]: [&mut [f64]; 1]) {
        let before = self.window.slide(values, means, |place, fold, _| *place = fold.weighted);
        let (none, sums) = means.split_at_mut(before);
        none.fill(f64::NAN);
        sums.iter_mut().for_each(|sum| *sum /= self.weights);
    }
}

/// `wma(2 wma(x, n/2) - wma(x, n), sqrt(n))`.
#[derive(Serialize, Deserialize)]
struct Hull {
    half: Wma,
    whole: Wma,
    smooth: Wma,
}

impl Hull {
    fn new(n: usize) -> Self {
        Self { half: Wma::new(n / 2), whole: Wma::new(n), smooth: Wma::new(n.isqrt()) }
    }
}

impl Stream<1, 1> for Hull {
    fn warmup(&self) -> usize {
        self.whole.warmup() + self.smooth.warmup()
    }

    fn restart(&mut self) {
        self.half.restart();
        self.whole.restart();
        self.smooth.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let half = self.half.push(value);
        let (Some(half), Some(whole)) = (half, self.whole.push(value)) else { return [f64::NAN] };
        [self.smooth.push(2.0 * half - whole).unwrap_or(f64::NAN)]
    }
}

/// Kaufman's adaptive average: `k[t] = (x[t] - k[t-1]) * s^2 + k[t-1]`.
///
/// `s` lies between `2 / (slow + 1)` and `2 / (fast + 1)` as the way from `x[t-n]` to `x[t]` is crooked or straight, by the
/// ratio of the distance to the path. A path of no length is straight.
#[derive(Serialize, Deserialize)]
struct Kama {
    ago: Delay,
    path: Window<Sum>,
    last: f64,
    value: f64,
    slow: f64,
    range: f64,
}

impl Kama {
    fn new(n: usize, fast: f64, slow: f64) -> Self {
        let (fast, slow) = (2.0 / (fast + 1.0), 2.0 / (slow + 1.0));
        let (ago, path) = (Delay::new(n), Window::new(n));
        Self { ago, path, last: f64::NAN, value: f64::NAN, slow, range: fast - slow }
    }
}

impl Stream<1, 1> for Kama {
    fn warmup(&self) -> usize {
        self.ago.len()
    }

    fn restart(&mut self) {
        self.ago.restart();
        self.path.restart();
        self.last = f64::NAN;
        self.value = f64::NAN;
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let before = std::mem::replace(&mut self.last, value);
        let ago = self.ago.push(value);
        if before.is_nan() {
            return [f64::NAN];
        }
        let path = self.path.push((value - before).abs());
        let (Some(ago), Some(Sum(path))) = (ago, path) else { return [f64::NAN] };
        let start = if self.value.is_nan() { before } else { self.value };
        let straight = if path > 0.0 { (value - ago).abs() / path } else { 1.0 };
        let root = straight * self.range + self.slow;
        self.value = (value - start) * (root * root) + start;
        [self.value]
    }
}

/// Sums of products and of their second factors.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Shares {
    pub(crate) products: f64,
    pub(crate) weights: f64,
}

impl Fold for Shares {
    type Item = (f64, f64);
    const EMPTY: Self = Self { products: 0.0, weights: 0.0 };

    #[inline]
    fn append(self, (value, weight): (f64, f64), _pivot: (f64, f64)) -> Self {
        Self { products: self.products + value * weight, weights: self.weights + weight }
    }

    #[inline]
    fn joined(self, newer: Self) -> Self {
        Self { products: self.products + newer.products, weights: self.weights + newer.weights }
    }
}

impl Shares {
    /// The mean of the first factors by their weights; NaN without any weight.
    #[inline]
    pub(crate) fn mean(self) -> f64 {
        if self.weights == 0.0 { f64::NAN } else { self.products / self.weights }
    }
}

/// Mean weighted by volume: `sum(x v) / sum(v)`.
#[derive(Serialize, Deserialize)]
struct Vwma(Window<Shares>);

impl Vwma {
    fn new(n: usize) -> Self {
        Self(Window::new(n))
    }
}

impl Stream<2, 1> for Vwma {
    fn warmup(&self) -> usize {
        self.0.len() - 1
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    #[inline]
    fn update(&mut self, [value, volume]: [f64; 2]) -> [f64; 1] {
        [self.0.push((value, volume)).map_or(f64::NAN, Shares::mean)]
    }
}
