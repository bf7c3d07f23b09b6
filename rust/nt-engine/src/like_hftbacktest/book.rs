//! Levels of both sides, and the best prices as a state of their own: a level that crosses them pushes the other side's best
//! price away, although what it goes through is still set.

use nt_book::{Depth as _, Ladder, Level};
use nt_core::record::EventKind;
use nt_core::{Error, Price, Quantity, Record, Result, Side};
use serde::{Deserialize, Serialize};

use crate::venue::{level_of, place, rank};

/// A book as the package keeps it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Book {
    levels: Ladder,
    best: [Option<Price>; 2],
    /// The worst price that was set since the side had none; a new best price is not looked for beyond it.
    worst: [Option<Price>; 2],
}

/// A level that was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub side: Side,
    pub price: Price,
    pub before: Quantity,
    pub now: Quantity,
    /// The best price of its side got better, or there was none.
    pub improves: bool,
}

impl Book {
    /// Applies a record, and says which level it set, if any.
    pub(super) fn read(&mut self, record: &Record) -> Result<Option<Change>> {
        if record.is(EventKind::Level) || record.is(EventKind::SnapshotLevel) {
            let level = level_of(record)?;
            return level.map(|(side, price, quantity)| self.set(side, price, quantity)).transpose();
        }
        if record.is(EventKind::SnapshotBegin) || record.is(EventKind::Resync) {
            self.levels.clear();
            (self.best, self.worst) = Default::default();
        }
        Ok(None)
    }

    /// Applies a record to a view, where nothing follows from it.
    pub fn see(&mut self, record: &Record) -> Result<()> {
        self.read(record).map(drop)
    }

    fn set(&mut self, side: Side, price: Price, now: Quantity) -> Result<Change> {
        let set = self.levels.set(side, price, now);
        let before = set.map_err(|error| Error::Misuse(error.to_string()))?;
        let (own, other) = (place(side), place(side.opposite()));
        let improves = now != 0 && self.best[own].is_none_or(|best| rank(side, price) < rank(side, best));
        if now == 0 {
            if self.best[own] == Some(price) {
                self.best[own] = self.next_beyond(side, price);
                self.worst[own] = self.worst[own].filter(|_| self.best[own].is_some());
            }
            return Ok(Change { side, price, before, now, improves });
        }
        if improves {
            self.best[own] = Some(price);
            if self.best[other].is_some_and(|best| rank(side, price) <= rank(side, best)) {
                self.best[other] = self.next_beyond(side.opposite(), price);
            }
        }
        let is_within = |worst: &Price| rank(side, price) <= rank(side, *worst);
        self.worst[own] = self.worst[own].filter(is_within).or(Some(price));
        Ok(Change { side, price, before, now, improves })
    }

    /// The best level of a side beyond a price, up to the worst that was set.
    fn next_beyond(&self, side: Side, price: Price) -> Option<Price> {
        let worst = self.worst[place(side)]?;
        let mut prices = self.levels.levels(side).map(|level| level.price);
        let next = prices.find(|&next| rank(side, next) > rank(side, price))?;
        (rank(side, next) <= rank(side, worst)).then_some(next)
    }

    /// The best price of a side.
    pub fn best(&self, side: Side) -> Option<Price> {
        self.best[place(side)]
    }

    /// What is set at a price.
    pub fn quantity_at(&self, side: Side, price: Price) -> Quantity {
        self.levels.quantity_at(side, price)
    }

    /// The levels of a side from its best price on.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        let best = self.best(side);
        let counts = move |level: &Level| best.is_some_and(|best| rank(side, level.price) >= rank(side, best));
        self.levels.levels(side).filter(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Side::{Buy, Sell};

    fn book(levels: &[(Side, Price, Quantity)]) -> Book {
        let mut book = Book::default();
        for &(side, price, quantity) in levels {
            book.set(side, price, quantity).expect("a level");
        }
        book
    }

    #[test]
    fn a_crossing_level_pushes_the_other_best_away_but_not_its_levels() {
        let mut book = book(&[(Buy, 99, 1), (Sell, 101, 2), (Sell, 103, 3), (Buy, 102, 1)]);
        assert_eq!((book.best(Buy), book.best(Sell)), (Some(102), Some(103)));
        assert_eq!(book.quantity_at(Sell, 101), 2);
        assert_eq!(book.levels(Sell).map(|level| level.price).collect::<Vec<_>>(), [103]);
        // What lies before the best price counts again when that is the best price.
        let change = book.set(Sell, 101, 2).expect("a level");
        assert!(change.improves && change.before == 2);
        assert_eq!((book.best(Buy), book.best(Sell)), (Some(99), Some(101)));
    }

    #[test]
    fn a_best_price_is_looked_for_up_to_the_worst_that_was_set() {
        // All asks are crossed; the one at 105 is still there, and so is how far asks had gone.
        let mut book = book(&[(Sell, 101, 1), (Sell, 105, 1), (Buy, 105, 1)]);
        assert_eq!(book.best(Sell), None);
        book.set(Buy, 105, 0).expect("a level");
        book.set(Sell, 103, 1).expect("a level");
        book.set(Sell, 103, 0).expect("a level");
        assert_eq!(book.best(Sell), Some(105));
        // Without any best price how far they had gone is forgotten, and the level at 101 counts for nobody.
        book.set(Sell, 105, 0).expect("a level");
        assert_eq!((book.best(Sell), book.worst[place(Sell)]), (None, None));
        book.set(Sell, 100, 1).expect("a level");
        book.set(Sell, 100, 0).expect("a level");
        assert_eq!((book.best(Sell), book.quantity_at(Sell, 101)), (None, 1));
    }

    #[test]
    fn a_level_set_anew_or_behind_does_not_improve() {
        let mut book = book(&[(Buy, 99, 5)]);
        for (price, quantity, improves) in [(99, 5, false), (98, 1, false), (99, 0, false), (99, 5, true)] {
            assert_eq!(book.set(Buy, price, quantity).expect("a level").improves, improves, "{price} {quantity}");
        }
    }
}
