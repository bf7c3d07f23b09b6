//! What can be wrong with a request for a feature.

use std::fmt;

/// A feature that cannot be built, or columns that cannot be read. Its text is one line that says what to change.
#[derive(Clone, Debug, PartialEq)]
pub enum FeatureError {
    /// No feature has this name.
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// The number of parameters does not fit the feature.
    Count {
        /// The feature.
        name: &'static str,
        /// The parameters it takes, in order.
        expected: Vec<&'static str>,
        /// How many were given.
        given: usize,
    },
    /// A parameter is not a whole number in its range.
    Range {
        /// The feature.
        name: &'static str,
        /// The parameter.
        parameter: &'static str,
        /// The smallest value that makes sense.
        least: usize,
        /// The largest value.
        most: usize,
        /// What was given.
        given: f64,
    },
    /// Two parameters stand in the wrong order.
    Order {
        /// The feature.
        name: &'static str,
        /// The parameter that must be below the other.
        lower: &'static str,
        /// Its value.
        lower_value: usize,
        /// The parameter that must be above.
        upper: &'static str,
        /// Its value.
        upper_value: usize,
    },
    /// Columns of one call differ in length.
    Length {
        /// The column that differs from `close`.
        column: &'static str,
        /// Its length.
        given: usize,
        /// The length of `close`.
        expected: usize,
    },
    /// The feature reads volume and the bars have none.
    NoVolume {
        /// The feature.
        name: &'static str,
    },
}

impl fmt::Display for FeatureError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => {
                write!(out, "no feature is called {name:?}; there are ")?;
                for (i, kind) in crate::KINDS.iter().enumerate() {
                    write!(out, "{}{}", if i == 0 { "" } else { ", " }, kind.name)?;
                }
                Ok(())
            }
            Self::Count { name, expected, given } => {
                let list = expected.join(", ");
                write!(out, "{name}({list}) takes {} parameters, not {given}", expected.len())
            }
            Self::Range { name, parameter, least, most, given } => {
                write!(out, "{name}: {parameter} must be a whole number from {least} to {most}, not {given}")
            }
            Self::Order { name, lower, lower_value, upper, upper_value } => {
                write!(out, "{name}: {lower} ({lower_value}) must be below {upper} ({upper_value})")
            }
            Self::Length { column, given, expected } => {
                write!(out, "column {column} has {given} values and close has {expected}")
            }
            Self::NoVolume { name } => write!(out, "{name} needs volume, and these bars have none"),
        }
    }
}

impl std::error::Error for FeatureError {}
