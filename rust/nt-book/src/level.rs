//! A level of a book, and what can be read of every kind of book.

use nt_core::{Price, Quantity, Side};
use serde::{Deserialize, Serialize};

use crate::BookError;

/// The largest distance of a price from zero, in ticks: up to here every price is exact as an `f64`, and no product of a
/// price and a quantity leaves 128 bits.
pub const PRICE_MAX: Price = 1 << 53;

/// What rests at one price of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The price in ticks.
    pub price: Price,
    /// The quantity in lots; positive in a book.
    pub quantity: Quantity,
}

impl Level {
    /// A level of this price and quantity.
    pub fn new(price: Price, quantity: Quantity) -> Self {
        Self { price, quantity }
    }
}

/// Reading a book, whatever it holds inside. All measures and drawings stand on these answers.
pub trait Depth {
    /// The best level of a side: the highest bid, the lowest ask.
    fn best(&self, side: Side) -> Option<Level>;

    /// What rests at a price, zero if nothing does.
    fn quantity_at(&self, side: Side, price: Price) -> Quantity;

    /// The levels of a side, best first.
    fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_;

    /// What rests at all prices of a side that are not worse than this one.
    fn quantity_up_to(&self, side: Side, price: Price) -> i128 {
        let levels = self.levels(side).take_while(|level| side.opposite().accepts(level.price, price, false));
        levels.map(|level| i128::from(level.quantity)).sum()
    }

    /// How many levels a side has.
    fn count(&self, side: Side) -> usize;

    /// Whether the best bid is at or above the best ask, which no market that trades continuously can show at rest.
    #[inline]
    fn is_crossed(&self) -> bool {
        match (self.best(Side::Buy), self.best(Side::Sell)) {
            (Some(bid), Some(ask)) => bid.price >= ask.price,
            _ => false,
        }
    }
}

/// The place of a side's data in a pair.
#[inline]
pub(crate) fn place(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

/// Refuses prices that measures could not compute with.
#[inline]
pub(crate) fn check_price(price: Price) -> Result<(), BookError> {
    if price.unsigned_abs() > PRICE_MAX.unsigned_abs() { Err(BookError::Price { price }) } else { Ok(()) }
}

/// Brings a price that no book can hold near enough to compute with, still beyond all those that one can.
#[inline]
pub(crate) fn clamp_price(price: Price) -> Price {
    price.clamp(-2 * PRICE_MAX, 2 * PRICE_MAX)
}

/// Refuses quantities that cannot rest.
#[inline]
pub(crate) fn check_resting(quantity: Quantity) -> Result<(), BookError> {
    if quantity <= 0 { Err(BookError::Quantity { quantity }) } else { Ok(()) }
}
