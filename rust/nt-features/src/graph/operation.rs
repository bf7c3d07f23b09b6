//! The operations of formulas by name.

use std::sync::Arc;

use super::Across;
use crate::Kind;

/// What the values of a node are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yields {
    /// Numbers, NaN where not known.
    Numbers,
    /// 1 where it is on, anything else where it is not.
    Signal,
    /// -1, 0 or 1: how two numbers compare; NaN where one is not known.
    Order,
}

/// What a node does; `docs/expressions.md` has the table of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is named in the table of the document")]
pub enum Operation {
    Open,
    High,
    Low,
    Close,
    Volume,
    Time,
    Number,
    FromTicks,
    FromLots,
    Add,
    Subtract,
    Multiply,
    Divide,
    Negate,
    Absolute,
    Sqrt,
    Smaller,
    Larger,
    Choose,
    Order,
    Above,
    AtLeast,
    Below,
    AtMost,
    CrossesAbove,
    CrossesBelow,
    And,
    Or,
    Not,
    /// The value some bars ago, of numbers or of a signal.
    Lag {
        signal: bool,
    },
    Since,
    Hold,
    First,
    Every,
    /// A comparison of the instruments of a run.
    Across(Across),
    /// An output of a feature, by its name and by its position.
    Feature {
        name: Arc<str>,
        output: usize,
    },
}

impl Operation {
    /// The operation of a name; what is none is taken for a feature, an output of which is `name#1` or so.
    pub fn named(name: &str) -> Self {
        match name {
            "open" => Self::Open,
            "high" => Self::High,
            "low" => Self::Low,
            "close" => Self::Close,
            "volume" => Self::Volume,
            "time" => Self::Time,
            "number" => Self::Number,
            "from_ticks" => Self::FromTicks,
            "from_lots" => Self::FromLots,
            "add" => Self::Add,
            "subtract" => Self::Subtract,
            "multiply" => Self::Multiply,
            "divide" => Self::Divide,
            "negate" => Self::Negate,
            "absolute" => Self::Absolute,
            "sqrt" => Self::Sqrt,
            "smaller" => Self::Smaller,
            "larger" => Self::Larger,
            "choose" => Self::Choose,
            "order" => Self::Order,
            "above" => Self::Above,
            "at_least" => Self::AtLeast,
            "below" => Self::Below,
            "at_most" => Self::AtMost,
            "crosses_above" => Self::CrossesAbove,
            "crosses_below" => Self::CrossesBelow,
            "and" => Self::And,
            "or" => Self::Or,
            "not" => Self::Not,
            "lag" => Self::Lag { signal: false },
            "lag_signal" => Self::Lag { signal: true },
            "since" => Self::Since,
            "hold" => Self::Hold,
            "first" => Self::First,
            "every" => Self::Every,
            other => {
                if let Some(across) = Across::named(other) {
                    return Self::Across(across);
                }
                let (name, output) = other.split_once('#').unwrap_or((other, "0"));
                Self::Feature { name: name.into(), output: output.parse().unwrap_or(usize::MAX) }
            }
        }
    }

    /// What its values are.
    pub fn yields(&self) -> Yields {
        match self {
            Self::Order => Yields::Order,
            Self::Above | Self::AtLeast | Self::Below | Self::AtMost | Self::CrossesAbove | Self::CrossesBelow => {
                Yields::Signal
            }
            Self::And | Self::Or | Self::Not | Self::Lag { signal: true } | Self::Hold | Self::First | Self::Every => {
                Yields::Signal
            }
            Self::Across(across) if across.chooses() => Yields::Signal,
            _ => Yields::Numbers,
        }
    }

    /// How it sets the instruments of a run beside each other, if it does.
    pub fn across(&self) -> Option<Across> {
        if let Self::Across(across) = self { Some(*across) } else { None }
    }

    /// How many nodes it reads.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Open | Self::High | Self::Low | Self::Close | Self::Volume | Self::Time | Self::Number => 0,
            Self::Add | Self::Subtract | Self::Multiply | Self::Divide | Self::Smaller | Self::Larger => 2,
            Self::Order | Self::And | Self::Or => 2,
            Self::Choose => 3,
            Self::Across(across) => across.inputs(),
            Self::Feature { name, .. } => Kind::named(name).map_or(1, |kind| kind.inputs.len()),
            _ => 1,
        }
    }

    /// How many numbers it takes; a feature knows that itself.
    pub fn numbers(&self) -> Option<usize> {
        match self {
            Self::Number | Self::Lag { .. } | Self::Hold | Self::Every => Some(1),
            Self::Across(across) => Some(across.numbers()),
            Self::Feature { .. } => None,
            _ => Some(0),
        }
    }
}
