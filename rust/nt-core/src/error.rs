//! What can go wrong inside the engine.

use std::fmt;

/// The result of an exact computation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the engine stopped. Orders that cannot be accepted are not errors: they are recorded as rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// An exact value left its range of 64 bits (price, quantity) or 128 bits (money).
    Overflow(&'static str),
    /// The engine was called in a way that no order program needs, such as with an unknown instrument.
    Misuse(String),
    /// A strategy answers its own notifications with orders without end.
    OrderLoop {
        /// The time at which the loop was cut.
        time_ns: i64,
    },
    /// A strategy of a replay answers answers or timers at one time without end.
    TurnLoop {
        /// The time at which the loop was cut.
        time_ns: i64,
    },
    /// The books do not balance; this is a defect of the engine.
    Unbalanced(String),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Overflow(what) => {
                write!(formatter, "{what} left the range of exact integers; use a coarser tick or lot, or less cash")
            }
            Error::Misuse(what) => formatter.write_str(what),
            Error::OrderLoop { time_ns } => write!(
                formatter,
                "orders sent from on_order or on_fill never came to an end at time_ns {time_ns}; send them from on_bar"
            ),
            Error::TurnLoop { time_ns } => write!(
                formatter,
                "answers to orders and timers never came to an end at time_ns {time_ns}; let time pass before on_order, \
                 on_fill or on_timer asks for the next one"
            ),
            Error::Unbalanced(what) => write!(formatter, "the ledger does not balance: {what}"),
        }
    }
}

impl std::error::Error for Error {}
