//! Books as a snapshot of a run keeps them: what they hold, not how memory holds it.
//!
//! Where an array stands and which slot an order has decide about speed alone. So a book is written as its levels or its
//! orders, and reading one goes through the same checks as any other news: bytes that make no book are refused.

use nt_core::Side;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{BookError, Depth, Ladder, Level, OrderBook, RestingOrder};

const SIDES: [Side; 2] = [Side::Buy, Side::Sell];

/// A ladder: the reach of its window, and the levels of each side, best first.
#[derive(Serialize, Deserialize)]
struct SavedLadder {
    window: usize,
    sides: [Vec<Level>; 2],
}

/// A book of orders: the reach of its window, and the orders of each side, best price and first of its queue first.
#[derive(Serialize, Deserialize)]
struct SavedOrders {
    window: usize,
    sides: [Vec<RestingOrder>; 2],
}

impl Serialize for Ladder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SavedLadder { window: self.window(), sides: SIDES.map(|side| self.levels(side).collect()) }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Ladder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedLadder { window, sides: [bids, asks] } = SavedLadder::deserialize(deserializer)?;
        let mut ladder = Ladder::with_window(window);
        ladder.load(&bids, &asks).map_err(D::Error::custom)?;
        Ok(ladder)
    }
}

impl Serialize for OrderBook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let orders = |side| self.levels(side).flat_map(|level| self.orders_at(side, level.price)).collect();
        SavedOrders { window: self.window(), sides: SIDES.map(orders) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OrderBook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = SavedOrders::deserialize(deserializer)?;
        let mut book = OrderBook::with_window(saved.window);
        for (side, orders) in SIDES.into_iter().zip(saved.sides) {
            for order in orders {
                if order.side != side {
                    return Err(D::Error::custom(BookError::Inconsistent("an order is of the other side".to_owned())));
                }
                book.add(order).map_err(D::Error::custom)?;
            }
        }
        Ok(book)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn again<T: Serialize + for<'a> Deserialize<'a>>(book: &T) -> T {
        postcard::from_bytes(&postcard::to_allocvec(book).expect("bytes")).expect("a book")
    }

    proptest! {
        #[test]
        fn a_ladder_read_again_holds_the_same(levels in prop::collection::vec((any::<bool>(), 1..600_000_i64, 0..9_i64), 0..200)) {
            let mut ladder = Ladder::with_window(4_096);
            for (is_bid, price, quantity) in levels {
                ladder.set(if is_bid { Side::Buy } else { Side::Sell }, price, quantity).expect("a level");
            }
            let same = again(&ladder);
            prop_assert_eq!(same.check_invariants(), Ok(()));
            prop_assert_eq!(same.window(), ladder.window());
            for side in SIDES {
                prop_assert!(same.levels(side).eq(ladder.levels(side)));
            }
        }

        #[test]
        fn a_book_read_again_keeps_every_place(orders in prop::collection::vec((any::<bool>(), 1..30_i64, 1..9_i64, any::<bool>()), 0..200), gone in prop::collection::vec(0..200_u64, 0..60)) {
            let mut book = OrderBook::with_window(4_096);
            for (id, (is_bid, price, quantity, own)) in orders.into_iter().enumerate() {
                let side = if is_bid { Side::Buy } else { Side::Sell };
                book.add(RestingOrder { id: id as u64, side, price, quantity, own }).expect("an order");
            }
            for id in gone {
                let _ = book.cancel(id);
            }
            let same = again(&book);
            prop_assert_eq!(same.check_invariants(), Ok(()));
            prop_assert_eq!(same.orders(), book.orders());
            for id in 0..200 {
                prop_assert_eq!(same.queue_ahead(id), book.queue_ahead(id));
            }
        }
    }

    #[test]
    fn bytes_that_make_no_book_are_refused() {
        let twice = SavedLadder { window: 0, sides: [vec![Level::new(5, 1), Level::new(5, 2)], vec![]] };
        let bytes = postcard::to_allocvec(&twice).expect("bytes");
        assert!(postcard::from_bytes::<Ladder>(&bytes).is_err());
        let order = RestingOrder { id: 1, side: Side::Sell, price: 3, quantity: 1, own: false };
        let bytes = postcard::to_allocvec(&SavedOrders { window: 0, sides: [vec![order], vec![]] }).expect("bytes");
        assert!(postcard::from_bytes::<OrderBook>(&bytes).is_err());
    }
}
