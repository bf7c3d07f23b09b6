//! Order books of one instrument: the L2 ladder of levels and the L3 book of orders, and what can be measured on them.
//!
//! Laws of this crate:
//!
//! * Prices are counts of ticks and quantities counts of lots. Books hold integers only; measures are `f64`, made with
//!   `+ - * / sqrt` alone, so the same book gives the same bits on every machine.
//! * [`Side::Buy`] is the bid side and [`Side::Sell`] the ask side.
//! * A book holds what it was told. A crossed book can be seen ([`Depth::is_crossed`]) and is never repaired.
//! * A command that is refused leaves the book as it was.
//! * Nothing is allocated once a book has reached its usual size.
//! * It reads no clock, opens no file and draws no random number.
//!
//! [`PlainLadder`] and [`PlainBook`] define what [`Ladder`] and [`OrderBook`] do; random commands hold them equal.

mod book;
mod checksum;
mod column;
mod deep;
mod draw;
mod error;
mod far;
mod ladder;
mod level;
mod measure;
mod orders;
mod plain;
mod queue;
mod saved;
mod window;

pub use book::OrderBook;
pub use checksum::{KrakenScale, crc32};
pub use column::{Updates, columns};
pub use draw::{draw, draw_orders, levels_from_text, orders_from_text};
pub use error::BookError;
pub use ladder::Ladder;
pub use level::{Depth, Level, PRICE_MAX};
pub use measure::{Measure, OrderFlow, Taken};
pub use nt_core::Side;
pub use orders::RestingOrder;
pub use plain::{PlainBook, PlainLadder};
pub use queue::Ahead;

/// The measures one at a time; each is a formula with its source.
pub mod measures {
    pub use crate::measure::{depth_within, imbalance, mid, size_weighted_touch, slope, spread, to_fill, weighted_mid};
}
