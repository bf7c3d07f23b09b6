//! How much was traded, and at what price.

use serde::{Deserialize, Serialize};

use crate::average::Shares;
use crate::feature::{Stream, boxed};
use crate::kind::{Kind, SAME, made, on, window};
use crate::window::Window;
use crate::{Field, Input, Output};

const CLOSE_VOLUME: &[Input] = &[on("close", Field::Close), on("volume", Field::Volume)];
const BAR_VOLUME: &[Input] =
    &[on("high", Field::High), on("low", Field::Low), on("close", Field::Close), on("volume", Field::Volume)];
/// One output in the unit of the second input.
const OF_VOLUME: &[Output] = &[Output { name: "value", powers: &[0, 1] }];

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "accumulation",
        BAR_VOLUME,
        &[],
        &[Output { name: "value", powers: &[0, 0, 0, 1] }],
        |_| boxed(Accumulation(Total::new())),
        "Volume accumulated by where closes stand in their bars.",
        "Marc Chaikin, 1970s. TA-Lib's AD. A bar without a range adds nothing.",
    ),
    Kind::new(
        "anchored_vwap",
        &[on("series", Field::Close), on("volume", Field::Volume), Input { name: "anchor", field: None }],
        &[],
        SAME,
        |_| boxed(AnchoredVwap::new()),
        "Mean price by volume since the anchor was last other than 0.",
        "Brian Shannon, 2000s. Before the first anchor from the beginning; NaN until something trades.",
    ),
    Kind::new(
        "obv",
        CLOSE_VOLUME,
        &[],
        OF_VOLUME,
        |_| boxed(Obv::new()),
        "On-balance volume: that of rises less that of falls.",
        "Joseph Granville, 1963. TA-Lib's OBV: it begins with the first volume.",
    ),
    Kind::new(
        "vwap",
        BAR_VOLUME,
        &[window("n", 1, 20)],
        SAME,
        |given| made(Vwap::new, given),
        "Mean typical price of n bars by volume.",
        "NaN where nothing traded in the window.",
    ),
];

/// A sum that goes on for ever, with what rounding took off it: exact to the last bits for any number of values.
///
/// Arnold Neumaier, 1974.
#[derive(Serialize, Deserialize)]
pub(crate) struct Total {
    sum: f64,
    lost: f64,
}

impl Total {
    pub(crate) fn new() -> Self {
        Self { sum: 0.0, lost: 0.0 }
    }

    #[inline]
    pub(crate) fn add(&mut self, value: f64) -> f64 {
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
        sum + self.lost
    }
}

/// The sum of volumes, each with the sign of the change of the close; the first counts as a rise.
#[derive(Serialize, Deserialize)]
struct Obv {
    total: Total,
    close: f64,
}

impl Obv {
    fn new() -> Self {
        Self { total: Total::new(), close: f64::NEG_INFINITY }
    }
}

impl Stream<2, 1> for Obv {
    fn warmup(&self) -> usize {
        0
    }

    fn restart(&mut self) {
        *self = Self::new();
    }

    #[inline]
    fn update(&mut self, [close, volume]: [f64; 2]) -> [f64; 1] {
        let before = std::mem::replace(&mut self.close, close);
        [self.total.add(if close > before {
            volume
        } else if close < before {
            -volume
        } else {
            0.0
        })]
    }
}

/// The sum of `volume ((close - low) - (high - close)) / (high - low)`.
#[derive(Serialize, Deserialize)]
struct Accumulation(Total);

impl Stream<4, 1> for Accumulation {
    fn warmup(&self) -> usize {
        0
    }

    fn restart(&mut self) {
        self.0 = Total::new();
    }

    #[inline]
    fn update(&mut self, [high, low, close, volume]: [f64; 4]) -> [f64; 1] {
        let range = high - low;
        let share = if range > 0.0 { ((close - low) - (high - close)) / range } else { 0.0 };
        [self.0.add(share * volume)]
    }
}

/// `sum(p v) / sum(v)` of typical prices `p = (high + low + close) / 3`.
#[derive(Serialize, Deserialize)]
struct Vwap(Window<Shares>);

impl Vwap {
    fn new(n: usize) -> Self {
        Self(Window::new(n))
    }
}

impl Stream<4, 1> for Vwap {
    fn warmup(&self) -> usize {
        self.0.len() - 1
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    #[inline]
    fn update(&mut self, [high, low, close, volume]: [f64; 4]) -> [f64; 1] {
        [self.0.push(((high + low + close) / 3.0, volume)).map_or(f64::NAN, Shares::mean)]
    }
}

/// `sum(x v) / sum(v)` since the anchor, its own row included.
#[derive(Serialize, Deserialize)]
struct AnchoredVwap {
    products: Total,
    weights: Total,
}

impl AnchoredVwap {
    fn new() -> Self {
        Self { products: Total::new(), weights: Total::new() }
    }
}

impl Stream<3, 1> for AnchoredVwap {
    fn warmup(&self) -> usize {
        0
    }

    fn restart(&mut self) {
        *self = Self::new();
    }

    #[inline]
    fn update(&mut self, [value, volume, anchor]: [f64; 3]) -> [f64; 1] {
        if anchor != 0.0 {
            *self = Self::new();
        }
        let (products, weights) = (self.products.add(value * volume), self.weights.add(volume));
        [Shares { products, weights }.mean()]
    }
}
