//! Why a book refuses a command.

use std::fmt;

use nt_core::{Price, Quantity};

/// A command that a book cannot obey, or a request that it cannot answer. Its text is one line that says what is wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum BookError {
    /// The price is further from zero than [`crate::PRICE_MAX`].
    Price {
        /// The price in ticks.
        price: Price,
    },
    /// The quantity is negative, or zero where something has to rest.
    Quantity {
        /// The quantity in lots.
        quantity: Quantity,
    },
    /// A snapshot names a price twice.
    Twice {
        /// The price in ticks.
        price: Price,
    },
    /// The quantities of one level together exceed 64 bits.
    LevelOverflow {
        /// The price of the level in ticks.
        price: Price,
    },
    /// An order with this number rests already.
    DuplicateOrder {
        /// The order.
        id: u64,
    },
    /// No order with this number rests.
    UnknownOrder {
        /// The order.
        id: u64,
    },
    /// More was filled than was left of the order.
    Overfill {
        /// The order.
        id: u64,
        /// What was left of it.
        left: Quantity,
        /// What was to be filled.
        filled: Quantity,
    },
    /// A row of a stream cannot be applied; the rows before it were.
    Row {
        /// The row, from zero.
        row: usize,
        /// What is wrong with it.
        error: Box<BookError>,
    },
    /// A column of a stream has the wrong length.
    Length {
        /// The column.
        column: &'static str,
        /// Its length.
        given: usize,
        /// The length it needs.
        expected: usize,
    },
    /// The ends of a stream's events do not rise from zero to the number of its updates.
    Ends {
        /// The first event whose end is out of place.
        event: usize,
    },
    /// No measure has this name and number of parameters.
    UnknownMeasure {
        /// What was asked for.
        name: String,
    },
    /// A parameter of a measure is out of its range.
    Parameter {
        /// The measure.
        name: &'static str,
        /// What the parameter has to be.
        needs: &'static str,
        /// What was given.
        given: f64,
    },
    /// A side is neither 1 (bid) nor -1 (ask).
    Side {
        /// What was given.
        given: i64,
    },
    /// A checksum needs positive scales and counts whose digits fit 64 bits.
    Scale,
    /// A drawing cannot be read.
    Drawing {
        /// Its line, from one.
        line: usize,
        /// What is written there.
        text: String,
    },
    /// A book contradicts itself; this is a defect of this crate.
    Inconsistent(String),
}

impl fmt::Display for BookError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Price { price } => write!(out, "a price of {price} ticks is beyond 2^53; use a coarser tick"),
            Self::Quantity { quantity } => write!(out, "a quantity of {quantity} lots cannot rest in a book"),
            Self::Twice { price } => write!(out, "the snapshot names the price {price} twice"),
            Self::LevelOverflow { price } => {
                write!(out, "the quantities at price {price} left the range of 64 bits; use a coarser lot")
            }
            Self::DuplicateOrder { id } => write!(out, "an order {id} rests in the book already"),
            Self::UnknownOrder { id } => write!(out, "no order {id} rests in the book"),
            Self::Overfill { id, left, filled } => {
                write!(out, "order {id} has {left} left and cannot be filled with {filled}")
            }
            Self::Row { row, error } => write!(out, "row {row}: {error}"),
            Self::Length { column, given, expected } => {
                write!(out, "column {column} has {given} rows and needs {expected}")
            }
            Self::Ends { event } => {
                write!(out, "the end of event {event} is out of place; ends rise to the number of updates")
            }
            Self::UnknownMeasure { name } => {
                write!(out, "no measure is written {name:?}; there are {}", crate::measure::NAMES.join(", "))
            }
            Self::Parameter { name, needs, given } => write!(out, "{name} needs {needs}, not {given}"),
            Self::Side { given } => write!(out, "a side is 1 (bid) or -1 (ask), not {given}"),
            Self::Scale => out.write_str("a checksum needs positive scales and digits that fit 64 bits"),
            Self::Drawing { line, text } => {
                write!(out, "line {line} of the drawing is no row of bid | price | ask: {text:?}")
            }
            Self::Inconsistent(what) => write!(out, "the book contradicts itself: {what}"),
        }
    }
}

impl std::error::Error for BookError {}
