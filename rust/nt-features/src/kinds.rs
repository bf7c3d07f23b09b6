//! The table of features: names, parameters, dimensions, and one line about each.

use crate::FeatureError;

/// The largest window. With it, prices up to `2^53 / 10^6`, nine billion ticks, still have exact sums.
pub const MAX_WINDOW: usize = 1_000_000;

/// What a feature's value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Ticks; times the instrument's tick it is a price.
    Price,
    /// A pure number, whatever the tick.
    Ratio,
    /// Lots; times the instrument's lot it is a quantity.
    Volume,
}

impl Dimension {
    /// The lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Ratio => "ratio",
            Self::Volume => "volume",
        }
    }
}

/// One parameter of a feature: a whole number from `least` to [`MAX_WINDOW`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// The smallest value that makes sense.
    pub least: usize,
}

/// One row of the table of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The name by which [`crate::Feature::new`] knows it.
    pub name: &'static str,
    /// Its parameters, in order.
    pub parameters: &'static [Parameter],
    /// What its value counts.
    pub dimension: Dimension,
    /// What it is, in one line.
    pub line: &'static str,
}

const fn at_least(name: &'static str, least: usize) -> Parameter {
    Parameter { name, least }
}

const fn kind(name: &'static str, parameters: &'static [Parameter], dimension: Dimension, line: &'static str) -> Kind {
    Kind { name, parameters, dimension, line }
}

/// Every feature, by name.
pub const KINDS: &[Kind] = &[
    kind("atr", &[at_least("n", 1)], Dimension::Price, "Average true range, Wilder's smoothing over n bars."),
    kind("deviation", &[at_least("n", 2)], Dimension::Price, "Population standard deviation of the last n closes."),
    kind("ema", &[at_least("n", 1)], Dimension::Price, "Exponential moving average, weight 2 / (n + 1)."),
    kind("highest", &[at_least("n", 1)], Dimension::Price, "Highest high of the last n bars, this one included."),
    kind("lowest", &[at_least("n", 1)], Dimension::Price, "Lowest low of the last n bars, this one included."),
    kind(
        "macd",
        &[at_least("fast", 1), at_least("slow", 2)],
        Dimension::Price,
        "Fast minus slow exponential moving average.",
    ),
    kind(
        "macd_signal",
        &[at_least("fast", 1), at_least("slow", 2), at_least("signal", 1)],
        Dimension::Price,
        "Exponential moving average of the MACD line.",
    ),
    kind(
        "momentum",
        &[at_least("n", 1), at_least("skip", 0)],
        Dimension::Ratio,
        "Return from the close n bars ago to the close skip bars ago.",
    ),
    kind("rsi", &[at_least("n", 2)], Dimension::Ratio, "Relative strength index, 0 to 100, Wilder's smoothing."),
    kind("sma", &[at_least("n", 1)], Dimension::Price, "Mean of the last n closes."),
    kind("volatility", &[at_least("n", 2)], Dimension::Ratio, "Sample standard deviation of the last n bar returns."),
    kind("volume_mean", &[at_least("n", 1)], Dimension::Volume, "Mean of the last n volumes."),
];

impl Kind {
    /// The row of a name.
    pub fn named(name: &str) -> Result<&'static Self, FeatureError> {
        KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| FeatureError::Unknown { name: name.to_owned() })
    }

    /// The parameters as whole numbers, checked against the table. Missing places of the array are 0.
    pub(crate) fn checked(&self, given: &[f64]) -> Result<[usize; 3], FeatureError> {
        if given.len() != self.parameters.len() {
            return Err(FeatureError::Count {
                name: self.name,
                expected: self.parameters.iter().map(|parameter| parameter.name).collect(),
                given: given.len(),
            });
        }
        let mut whole = [0; 3];
        for ((parameter, &value), place) in self.parameters.iter().zip(given).zip(&mut whole) {
            // NaN and infinity fail the range test, so the cast below is exact.
            let within = value >= parameter.least as f64 && value <= MAX_WINDOW as f64;
            if !within || value.trunc() != value {
                return Err(FeatureError::Range {
                    name: self.name,
                    parameter: parameter.name,
                    least: parameter.least,
                    most: MAX_WINDOW,
                    given: value,
                });
            }
            *place = value as usize;
        }
        Ok(whole)
    }

    /// Refuses parameters `lower` and `upper` (places in the table) unless the first is below the second.
    pub(crate) fn ascending(&self, whole: &[usize; 3], lower: usize, upper: usize) -> Result<(), FeatureError> {
        if whole[lower] < whole[upper] {
            return Ok(());
        }
        Err(FeatureError::Order {
            name: self.name,
            lower: self.parameters[lower].name,
            lower_value: whole[lower],
            upper: self.parameters[upper].name,
            upper_value: whole[upper],
        })
    }
}
