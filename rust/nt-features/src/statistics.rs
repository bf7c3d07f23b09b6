//! The distribution of the last values of a series, and how it follows itself.

use serde::{Deserialize, Serialize};

use nt_core::elementary::logarithm;

use crate::feature::{Stream, boxed};
use crate::kind::{Kind, RATIO, SERIES, made, ratio, real, same, whole, window};
use crate::order::Order;
use crate::pair::Cross;
use crate::returns::log_ratio;
use crate::window::{Delay, Fold, Spread, Sum, Window};
use crate::{Output, Parameter};

const N: &[Parameter] = &[window("n", 1, 20)];
const SQUARE: &[Output] = &[Output { name: "value", powers: &[2] }];

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "autocorrelation",
        SERIES,
        &[window("n", 2, 50), window("lag", 1, 1)],
        RATIO,
        |given| boxed(Autocorrelation::new(whole(given[0]), whole(given[1]))),
        "Correlation of n values with those lag rows before them.",
        "Pearson's, of the n pairs. NaN where either side is constant.",
    ),
    Kind::new(
        "entropy",
        SERIES,
        &[window("n", 2, 100), Parameter { most: 5.0, ..window("order", 2, 3) }],
        RATIO,
        |given| boxed(Entropy::new(whole(given[0]), whole(given[1]))),
        "Permutation entropy of n patterns of order values, 0 to 1.",
        "Bandt and Pompe, 2002, over ln(order!). Of equal values the earlier is the smaller.",
    ),
    Kind::new(
        "hurst",
        SERIES,
        &[window("n", 2, 100)],
        RATIO,
        |given| made(Hurst::new, given),
        "Hurst exponent: 0 for noise, 1/2 for a random walk, 1 for a trend.",
        "Generalised, of order 2 (Di Matteo, 2007): n differences of lags 1, 2, 4, 8, 16. NaN where one of them is constant.",
    ),
    Kind::new(
        "kurtosis",
        SERIES,
        &[window("n", 4, 20)],
        RATIO,
        |given| made(Kurtosis::new, given),
        "Excess kurtosis of the last n values, of a sample.",
        "As pandas' rolling kurt. NaN where the window is constant.",
    ),
    Kind::new(
        "quantile",
        SERIES,
        &[window("n", 1, 20), real("q", 0.0, 1.0, 0.5)],
        &[same("value")],
        |given| boxed(Quantile::new(whole(given[0]), given[1])),
        "Value below which a share q of the last n values lies.",
        "Linear between ranks, as pandas, numpy and polars have it by default. q = 0.5 is the median.",
    ),
    Kind::new(
        "rank",
        SERIES,
        N,
        RATIO,
        |given| made(Rank::new, given),
        "Rank of the value among the last n, as a share of n.",
        "As pandas' rolling rank(pct=True): equal values share the mean of their ranks.",
    ),
    Kind::new(
        "regression",
        SERIES,
        &[window("n", 2, 20)],
        &[same("slope"), same("value"), ratio("r2")],
        |given| made(Regression::new, given),
        "Straight line through n values: slope per row, value now, R^2.",
        "Least squares; TA-Lib's LINEARREG_SLOPE and LINEARREG. R^2 is NaN where the window is constant.",
    ),
    Kind::new(
        "skew",
        SERIES,
        &[window("n", 3, 20)],
        RATIO,
        |given| made(Skew::new, given),
        "Skewness of the last n values, of a sample.",
        "As pandas' rolling skew. NaN where the window is constant.",
    ),
    Kind::new(
        "variance",
        SERIES,
        &[window("n", 2, 20)],
        SQUARE,
        |given| made(Variance::new, given),
        "Sample variance of the last n values, divisor n - 1.",
        "As pandas' and polars' rolling var.",
    ),
    Kind::new(
        "zscore",
        SERIES,
        &[window("n", 2, 20)],
        RATIO,
        |given| made(ZScore::new, given),
        "Deviations by which the value is above the mean of the last n.",
        "Population deviation. NaN where the window is constant.",
    ),
];

/// `sum((x - mean)^2) / (n - 1)`.
#[derive(Serialize, Deserialize)]
struct Variance {
    window: Window<Spread>,
    count: f64,
}

impl Variance {
    fn new(n: usize) -> Self {
        Self { window: Window::new(n), count: n as f64 }
    }
}

impl Stream<1, 1> for Variance {
    fn warmup(&self) -> usize {
        self.window.len() - 1
    }

    fn restart(&mut self) {
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        [self.window.push(value).map_or(f64::NAN, |fold| fold.sample_variance(self.count))]
    }
}

/// `(x - mean) / deviation`, of the population.
#[derive(Serialize, Deserialize)]
struct ZScore {
    window: Window<Spread>,
    count: f64,
}

impl ZScore {
    fn new(n: usize) -> Self {
        Self { window: Window::new(n), count: n as f64 }
    }
}

impl Stream<1, 1> for ZScore {
    fn warmup(&self) -> usize {
        self.window.len() - 1
    }

    fn restart(&mut self) {
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let Some(fold) = self.window.push(value) else { return [f64::NAN] };
        let spread = fold.of(self.count);
        let above = self.count * (value - self.window.pivot()) - fold.sum;
        [if spread > 0.0 { above / spread.sqrt() } else { f64::NAN }]
    }
}

/// Sums of the first four powers of distances from the pivot.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Powers([f64; 4]);

impl Fold for Powers {
    type Item = f64;
    const EMPTY: Self = Self([0.0; 4]);

    #[inline]
    fn append(self, item: f64, pivot: f64) -> Self {
        let distance = item - pivot;
        let square = distance * distance;
        let Self([a, b, c, d]) = self;
        Self([a + distance, b + square, c + square * distance, d + square * square])
    }

    #[inline]
    fn joined(self, newer: Self) -> Self {
        Self(std::array::from_fn(|power| self.0[power] + newer.0[power]))
    }
}

impl Powers {
    /// Sums of the second, third and fourth powers of distances from the mean.
    #[inline]
    fn central(self, count: f64) -> [f64; 3] {
        let Self([sum, squares, cubes, fourths]) = self;
        let mean = sum / count;
        let square = mean * mean;
        [
            squares - count * square,
            cubes - 3.0 * mean * squares + 2.0 * count * square * mean,
            fourths - 4.0 * mean * cubes + 6.0 * square * squares - 3.0 * count * square * square,
        ]
    }
}

/// `n sqrt(n - 1) / (n - 2) * c3 / c2^1.5`, where `c2` and `c3` are central sums.
#[derive(Serialize, Deserialize)]
struct Skew {
    window: Window<Powers>,
    count: f64,
}

impl Skew {
    fn new(n: usize) -> Self {
        Self { window: Window::new(n), count: n as f64 }
    }
}

impl Stream<1, 1> for Skew {
    fn warmup(&self) -> usize {
        self.window.len() - 1
    }

    fn restart(&mut self) {
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let Some(powers) = self.window.push(value) else { return [f64::NAN] };
        let n = self.count;
        let [second, third, _] = powers.central(n);
        let factor = n * (n - 1.0).sqrt() / (n - 2.0);
        [if second > 0.0 { factor * (third / (second * second.sqrt())) } else { f64::NAN }]
    }
}

/// `(n - 1) / ((n - 2) (n - 3)) * (n (n + 1) c4 / c2^2 - 3 (n - 1))`, where `c2` and `c4` are central sums.
#[derive(Serialize, Deserialize)]
struct Kurtosis {
    window: Window<Powers>,
    count: f64,
}

impl Kurtosis {
    fn new(n: usize) -> Self {
        Self { window: Window::new(n), count: n as f64 }
    }
}

impl Stream<1, 1> for Kurtosis {
    fn warmup(&self) -> usize {
        self.window.len() - 1
    }

    fn restart(&mut self) {
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let Some(powers) = self.window.push(value) else { return [f64::NAN] };
        let n = self.count;
        let [second, _, fourth] = powers.central(n);
        let factor = (n - 1.0) / ((n - 2.0) * (n - 3.0));
        let ratio = fourth / (second * second);
        [if second > 0.0 { factor * (n * (n + 1.0) * ratio - 3.0 * (n - 1.0)) } else { f64::NAN }]
    }
}

/// `(below + (equal + 1) / 2) / n`.
#[derive(Serialize, Deserialize)]
struct Rank(Order);

impl Rank {
    fn new(n: usize) -> Self {
        Self(Order::new(n))
    }
}

impl Stream<1, 1> for Rank {
    fn warmup(&self) -> usize {
        self.0.len() - 1
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        if !self.0.push(value) {
            return [f64::NAN];
        }
        let (below, equal) = self.0.below_and_equal(value);
        [(below as f64 + (equal as f64 + 1.0) / 2.0) / self.0.len() as f64]
    }
}

/// The value at rank `q (n - 1)`, linear between the two whole ranks around it.
#[derive(Serialize, Deserialize)]
struct Quantile {
    order: Order,
    rank: usize,
    part: f64,
}

impl Quantile {
    fn new(n: usize, q: f64) -> Self {
        let place = q * (n - 1) as f64;
        let rank = place as usize;
        Self { order: Order::new(n), rank, part: place - rank as f64 }
    }
}

impl Stream<1, 1> for Quantile {
    fn warmup(&self) -> usize {
        self.order.len() - 1
    }

    fn restart(&mut self) {
        self.order.restart();
    }

    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        if !self.order.push(value) {
            return [f64::NAN];
        }
        let lower = self.order.select(self.rank);
        if self.part == 0.0 {
            return [lower];
        }
        [lower + self.part * (self.order.select(self.rank + 1) - lower)]
    }
}

/// Sums of distances from the pivot, of their squares, and of them times their place, counted from 1 at the oldest.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Trend {
    count: f64,
    sum: f64,
    squares: f64,
    weighted: f64,
}

impl Fold for Trend {
    type Item = f64;
    const EMPTY: Self = Self { count: 0.0, sum: 0.0, squares: 0.0, weighted: 0.0 };

    #[inline]
    fn append(self, item: f64, pivot: f64) -> Self {
        let (distance, count) = (item - pivot, self.count + 1.0);
        Self {
            count,
            sum: self.sum + distance,
            squares: self.squares + distance * distance,
            weighted: self.weighted + count * distance,
        }
    }

    #[inline]
    fn prepend(self, item: f64, pivot: f64) -> Self {
        let distance = item - pivot;
        let sum = self.sum + distance;
        let squares = self.squares + distance * distance;
        Self { count: self.count + 1.0, sum, squares, weighted: self.weighted + sum }
    }

    #[inline]
    fn joined(self, newer: Self) -> Self {
        Self {
            count: self.count + newer.count,
            sum: self.sum + newer.sum,
            squares: self.squares + newer.squares,
            weighted: self.weighted + (newer.weighted + self.count * newer.sum),
        }
    }
}

/// The line of least squares through the last `n` values.
///
/// With places `i` from 1 to `n`, `cross = n sum(i d) - sum(i) sum(d)` and `width = n^2 (n^2 - 1) / 12`, the slope is
/// `cross / width`, and R^2 is `cross^2 / (width (n sum(d^2) - sum(d)^2))`.
#[derive(Serialize, Deserialize)]
struct Regression {
    window: Window<Trend>,
    count: f64,
}

impl Regression {
    fn new(n: usize) -> Self {
        Self { window: Window::new(n), count: n as f64 }
    }
}

impl Stream<1, 3> for Regression {
    fn warmup(&self) -> usize {
        self.window.len() - 1
    }

    fn restart(&mut self) {
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 3] {
        let Some(fold) = self.window.push(value) else { return [f64::NAN; 3] };
        let n = self.count;
        let cross = n * fold.weighted - n * (n + 1.0) / 2.0 * fold.sum;
        let width = n * n * (n * n - 1.0) / 12.0;
        let slope = cross / width;
        let now = self.window.pivot() + (fold.sum / n + slope * ((n - 1.0) / 2.0));
        let spread = Spread { sum: fold.sum, squares: fold.squares }.of(n);
        let r2 = if spread > 0.0 { cross / width * (cross / spread) } else { f64::NAN };
        [slope, now, r2]
    }
}

/// The correlation of `x[t]` with `x[t-lag]`, over `n` such pairs.
#[derive(Serialize, Deserialize)]
struct Autocorrelation {
    ago: Delay,
    window: Window<Cross>,
    count: f64,
}

impl Autocorrelation {
    fn new(n: usize, lag: usize) -> Self {
        Self { ago: Delay::new(lag), window: Window::new(n), count: n as f64 }
    }
}

impl Stream<1, 1> for Autocorrelation {
    fn warmup(&self) -> usize {
        self.ago.len() + self.window.len() - 1
    }

    fn restart(&mut self) {
        self.ago.restart();
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let Some(ago) = self.ago.push(value) else { return [f64::NAN] };
        [self.window.push((value, ago)).map_or(f64::NAN, |fold| fold.correlation(self.count))]
    }
}

/// Half the slope of `ln(mean squared difference)` on `ln(lag)`, over lags 1, 2, 4, 8 and 16.
#[derive(Serialize, Deserialize)]
struct Hurst {
    lags: [(Delay, Window<Sum>); 5],
}

impl Hurst {
    fn new(n: usize) -> Self {
        Self { lags: std::array::from_fn(|power| (Delay::new(1 << power), Window::new(n))) }
    }
}

impl Stream<1, 1> for Hurst {
    fn warmup(&self) -> usize {
        let (delay, window) = &self.lags[4];
        delay.len() + window.len() - 1
    }

    fn restart(&mut self) {
        for (delay, window) in &mut self.lags {
            delay.restart();
            window.restart();
        }
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        // With logarithms of lags 0, 1, 2, 3 and 4 times ln 2, the slope is sum((j - 2) y[j]) / (10 ln 2). Sums are taken
        // against that of the first lag, so that the unit of the values has no part in it.
        let mut slope = Some(0.0);
        let mut first = f64::NAN;
        for (power, (delay, window)) in self.lags.iter_mut().enumerate() {
            let difference = delay.push(value).map(|ago| value - ago);
            let squares = difference.and_then(|difference| window.push(difference * difference));
            slope = match (slope, squares) {
                (Some(slope), Some(Sum(sum))) => {
                    first = if power == 0 { sum } else { first };
                    log_ratio(sum, first).map(|height| slope + (power as f64 - 2.0) * height)
                }
                _ => None,
            };
        }
        [slope.map_or(f64::NAN, |slope| slope / (20.0 * std::f64::consts::LN_2))]
    }
}

/// `-sum(p ln p) / ln(order!)` of the shares `p` of the orders in which `order` values in a row can stand.
#[derive(Serialize, Deserialize)]
struct Entropy {
    last: Box<[f64]>,
    seen: usize,
    patterns: Box<[usize]>,
    at: usize,
    full: bool,
    counts: Box<[usize]>,
    /// `c ln c` of every count.
    terms: Box<[f64]>,
    log_n: f64,
    log_patterns: f64,
}

impl Entropy {
    fn new(n: usize, order: usize) -> Self {
        let possible: usize = (1..=order).product();
        let term = |count: usize| if count == 0 { 0.0 } else { count as f64 * logarithm(count as f64) };
        Self {
            last: vec![0.0; order].into(),
            seen: 0,
            patterns: vec![0; n].into(),
            at: 0,
            full: false,
            counts: vec![0; possible].into(),
            terms: (0..=n).map(term).collect(),
            log_n: logarithm(n as f64),
            log_patterns: logarithm(possible as f64),
        }
    }

    /// The number of the order in which the last values stand: for each, how many later ones are below it, in mixed radix.
    fn pattern(&self) -> usize {
        let order = self.last.len();
        (0..order).fold(0, |number, i| {
            let below = self.last[i + 1..].iter().filter(|later| **later < self.last[i]).count();
            number * (order - i) + below
        })
    }
}

impl Stream<1, 1> for Entropy {
    fn warmup(&self) -> usize {
        self.last.len() + self.patterns.len() - 2
    }

    fn restart(&mut self) {
        self.seen = 0;
        self.at = 0;
        self.full = false;
        self.counts.fill(0);
    }

    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        self.last.rotate_left(1);
        self.last[self.last.len() - 1] = value;
        self.seen += 1;
        if self.seen < self.last.len() {
            return [f64::NAN];
        }
        self.seen = self.last.len();
        if self.full {
            self.counts[self.patterns[self.at]] -= 1;
        }
        let pattern = self.pattern();
        self.counts[pattern] += 1;
        self.patterns[self.at] = pattern;
        self.at += 1;
        if self.at == self.patterns.len() {
            self.at = 0;
            self.full = true;
        }
        if !self.full {
            return [f64::NAN];
        }
        let sum: f64 = self.counts.iter().fold(0.0, |sum, count| sum + self.terms[*count]);
        [(self.log_n - sum / self.patterns.len() as f64) / self.log_patterns]
    }
}
