//! How two series move together.

use serde::{Deserialize, Serialize};

use crate::feature::Stream;
use crate::kind::{Kind, RATIO, made, window};
use crate::window::{Fold, Spread, Window};
use crate::{Input, Output, Parameter};

const XY: &[Input] = &[Input { name: "x", field: None }, Input { name: "y", field: None }];
const N: &[Parameter] = &[window("n", 2, 20)];

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "beta",
        XY,
        N,
        &[Output { name: "value", powers: &[1, -1] }],
        |given| made(Beta::new, given),
        "Slope of x on y: covariance over the variance of y.",
        "Of the values as they are; for a stock's beta give returns. NaN where y is constant.",
    ),
    Kind::new(
        "correlation",
        XY,
        N,
        RATIO,
        |given| made(Correlation::new, given),
        "Pearson's correlation of the last n pairs.",
        "TA-Lib's CORREL, without its cancellation. NaN where x or y is constant.",
    ),
    Kind::new(
        "covariance",
        XY,
        N,
        &[Output { name: "value", powers: &[1, 1] }],
        |given| made(Covariance::new, given),
        "Sample covariance of the last n pairs, divisor n - 1.",
        "As pandas' rolling cov.",
    ),
];

/// Sums of distances from the pivots of two series, of their squares, and of their products.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cross {
    x: Spread,
    y: Spread,
    products: f64,
}

impl Fold for Cross {
    type Item = (f64, f64);
    const EMPTY: Self = Self { x: Spread::EMPTY, y: Spread::EMPTY, products: 0.0 };

    #[inline]
    fn append(self, (x, y): (f64, f64), pivot: (f64, f64)) -> Self {
        Self {
            x: self.x.append(x, pivot.0),
            y: self.y.append(y, pivot.1),
            products: self.products + (x - pivot.0) * (y - pivot.1),
        }
    }

    #[inline]
    fn joined(self, newer: Self) -> Self {
        Self { x: self.x.joined(newer.x), y: self.y.joined(newer.y), products: self.products + newer.products }
    }
}

impl Cross {
    /// `n sum(x y) - sum(x) sum(y)`: n squared times the population covariance.
    #[inline]
    fn of(self, count: f64) -> f64 {
        count * self.products - self.x.sum * self.y.sum
    }

    /// Pearson's correlation, from -1 to 1; NaN where one side is constant.
    #[inline]
    pub(crate) fn correlation(self, count: f64) -> f64 {
        let (x, y) = (self.x.of(count), self.y.of(count));
        if x > 0.0 && y > 0.0 { (self.of(count) / (x.sqrt() * y.sqrt())).clamp(-1.0, 1.0) } else { f64::NAN }
    }

    /// The slope of the first on the second; NaN where the second is constant.
    #[inline]
    pub(crate) fn slope(self, count: f64) -> f64 {
        let spread = self.y.of(count);
        if spread > 0.0 { self.of(count) / spread } else { f64::NAN }
    }

    /// The covariance with divisor `n - 1`.
    #[inline]
    pub(crate) fn covariance(self, count: f64) -> f64 {
        self.of(count) / (count * (count - 1.0))
    }
}

/// A number that the sums over the last `n` pairs come to.
#[derive(Serialize, Deserialize)]
struct OfPairs {
    window: Window<Cross>,
    count: f64,
}

impl OfPairs {
    fn new(n: usize) -> Self {
        Self { window: Window::new(n), count: n as f64 }
    }
}

macro_rules! of_pairs {
    ($($(#[$doc:meta])* $name:ident => $number:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Serialize, Deserialize)]
        struct $name(OfPairs);

        impl $name {
            fn new(n: usize) -> Self {
                Self(OfPairs::new(n))
            }
        }

        impl Stream<2, 1> for $name {
            fn warmup(&self) -> usize {
                self.0.window.len() - 1
            }

            fn restart(&mut self) {
                self.0.window.restart();
            }

            #[inline]
            fn update(&mut self, [x, y]: [f64; 2]) -> [f64; 1] {
                [self.0.window.push((x, y)).map_or(f64::NAN, |fold| fold.$number(self.0.count))]
            }
        }
    )*};
}

of_pairs! {
    /// `cov(x, y) / var(y)`.
    Beta => slope;
    /// `cov(x, y) / sqrt(var(x) var(y))`.
    Correlation => correlation;
    /// `sum((x - mean(x)) (y - mean(y))) / (n - 1)`.
    Covariance => covariance;
}
