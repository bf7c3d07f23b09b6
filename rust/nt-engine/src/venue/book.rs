//! What a venue asks of a book, be it one of levels or one of orders.

use nt_book::{Depth, Ladder};
use nt_core::{Price, Side};

use crate::queue_model::UNKNOWN;

/// A book that shows what others have at rest. Where it knows their orders, ours stand among them.
pub(crate) trait Book: Depth + Default {
    /// An order of ours comes to stand at the end of the queue at its price, wherever it stood before.
    fn join(&mut self, id: u32, side: Side, price: Price, known: bool);

    /// Keeps those of our orders that still rest.
    fn keep(&mut self, rests: impl Fn(u32) -> bool);

    /// What others have before an order of ours at rest, by an estimate where there is no more to go by; nothing where
    /// nobody knows.
    fn ahead(&self, id: u32, estimate: f64) -> Option<f64>;
}

impl Book for Ladder {
    fn join(&mut self, _: u32, _: Side, _: Price, _: bool) {}

    fn keep(&mut self, _: impl Fn(u32) -> bool) {}

    fn ahead(&self, _: u32, estimate: f64) -> Option<f64> {
        (estimate < UNKNOWN).then_some(estimate)
    }
}
