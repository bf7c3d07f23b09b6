//! What can be wrong with a request for a feature.

use std::fmt;

use crate::{Kind, Parameter};

/// A feature that cannot be built, or columns that cannot be read. Its text is one line that says what to change.
#[derive(Clone, Debug)]
pub enum FeatureError {
    /// No feature has this name.
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// More parameters than the feature has.
    Count {
        /// The feature.
        kind: &'static Kind,
        /// How many were given.
        given: usize,
    },
    /// A parameter is not a number of its range.
    Range {
        /// The feature.
        kind: &'static Kind,
        /// The parameter.
        parameter: &'static Parameter,
        /// What was given.
        given: f64,
    },
    /// A number of bars of a formula is not a whole number of its range.
    Bars {
        /// The operation.
        operation: &'static str,
        /// The smallest.
        least: usize,
        /// What was given.
        given: f64,
    },
    /// The number of a comparison of instruments is none of its range.
    Across {
        /// What it takes.
        range: &'static str,
        /// What was given.
        given: f64,
    },
    /// Two parameters stand in the wrong order.
    Order {
        /// The feature.
        kind: &'static Kind,
        /// The parameter that must be below the other, and its value.
        lower: (&'static Parameter, f64),
        /// The parameter that must be above, and its value.
        upper: (&'static Parameter, f64),
    },
    /// The number of columns is not that of the inputs.
    Inputs {
        /// The feature.
        kind: &'static Kind,
        /// How many were given.
        given: usize,
    },
    /// Columns of one call differ in length.
    Length {
        /// The feature.
        kind: &'static Kind,
        /// The input that differs from the first.
        input: &'static str,
        /// Its length.
        given: usize,
        /// The length of the first.
        expected: usize,
    },
    /// Columns that are set beside each other do not fit their times, or the comparison.
    Times,
    /// A saved state is none of this feature.
    State,
    /// Bars do not have what the feature reads.
    NotOfBars {
        /// The feature.
        kind: &'static Kind,
        /// The input.
        input: &'static str,
    },
}

impl fmt::Display for FeatureError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => {
                write!(out, "no feature is called {name:?}")?;
                if let Some(near) = nearest(name) {
                    write!(out, "; is it {near}?")?;
                }
                write!(out, "; `neural-trader features` lists all")
            }
            Self::Count { kind, given } => {
                let list: Vec<&str> = kind.parameters.iter().map(|parameter| parameter.name).collect();
                write!(out, "{}({}) takes at most {} parameters, not {given}", kind.name, list.join(", "), list.len())
            }
            Self::Range { kind, parameter: Parameter { name, whole, least, most, .. }, given } => {
                let number = if *whole { "whole number" } else { "number" };
                write!(out, "{}: {name} must be a {number} from {least} to {most}, not {given}", kind.name)
            }
            Self::Bars { operation, least, given } => {
                write!(
                    out,
                    "{operation} takes a whole number of bars from {least} to {}, not {given}",
                    crate::MAX_WINDOW
                )
            }
            Self::Across { range, given } => write!(out, "{range}, not {given}"),
            Self::Order { kind, lower, upper } => {
                let (Parameter { name: lower, .. }, lower_value) = lower;
                let (Parameter { name: upper, .. }, upper_value) = upper;
                write!(out, "{}: {lower} ({lower_value}) must be below {upper} ({upper_value})", kind.name)
            }
            Self::Inputs { kind, given } => {
                let list: Vec<&str> = kind.inputs.iter().map(|input| input.name).collect();
                write!(out, "{} reads {} ({}), not {given} columns", kind.name, list.len(), list.join(", "))
            }
            Self::Length { kind, input, given, expected } => {
                write!(out, "{}: {input} has {given} values and {} has {expected}", kind.name, kind.inputs[0].name)
            }
            Self::Times => write!(out, "columns set beside each other do not fit their times"),
            Self::State => write!(out, "the state of a feature in the snapshot makes no sense"),
            Self::NotOfBars { kind, input } => write!(out, "{} reads {input}, which bars do not have", kind.name),
        }
    }
}

/// The known name that most resembles one that is not: the one with the longest common beginning, of two letters at least.
fn nearest(name: &str) -> Option<&'static str> {
    let common = |kind: &str| kind.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
    let best = crate::kinds().max_by_key(|kind| (common(kind.name), usize::MAX - kind.name.len()))?;
    (common(best.name) > 1).then_some(best.name)
}

impl std::error::Error for FeatureError {}
