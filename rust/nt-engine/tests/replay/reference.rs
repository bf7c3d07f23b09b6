//! What is displayed at a venue by the records alone, with no regard to orders of ours: what laws about prices look at.

use std::collections::BTreeMap;

use nt_core::record::{BID, EventKind, UNSIZED};
use nt_core::{Price, Quantity, Record, Side};
use nt_engine::Depth;

use super::market::place;

/// The book of one instrument.
#[derive(Debug, Clone)]
pub struct Shown {
    depth: Depth,
    known: bool,
    /// Bids and asks, of others.
    pub levels: [BTreeMap<Price, Quantity>; 2],
    /// Side, price and what is left of single orders.
    orders: BTreeMap<u64, (Side, Price, Quantity)>,
}

pub fn side_of(record: &Record) -> Side {
    if record.flags & BID != 0 { Side::Buy } else { Side::Sell }
}

impl Shown {
    pub fn new(depth: Depth) -> Self {
        Shown { depth, known: true, levels: Default::default(), orders: BTreeMap::new() }
    }

    /// What is displayed at a price for orders that take from this side.
    pub fn at(&self, side: Side, price: Price) -> Quantity {
        if self.known { self.levels[place(side)].get(&price).copied().unwrap_or(0) } else { 0 }
    }

    pub fn is_known(&self) -> bool {
        self.known
    }

    pub fn see(&mut self, record: &Record) {
        let is = |kinds: &[EventKind]| kinds.iter().any(|&kind| record.is(kind));
        if self.depth == Depth::Quotes {
            if is(&[EventKind::Quote]) {
                let unsized_lots = (record.flags & UNSIZED != 0).then_some(1 << 52);
                self.levels[place(side_of(record))] =
                    BTreeMap::from([(record.price, unsized_lots.unwrap_or(record.quantity))]);
            }
        } else if is(&[EventKind::SnapshotBegin, EventKind::Resync]) {
            *self = Shown { known: false, ..Shown::new(self.depth) };
        } else if is(&[EventKind::SnapshotEnd]) {
            self.known = true;
        } else if self.depth == Depth::Levels {
            if is(&[EventKind::Level, EventKind::SnapshotLevel]) {
                self.levels[place(side_of(record))].insert(record.price, record.quantity);
            }
        } else if is(&[EventKind::OrderAdd, EventKind::OrderChange, EventKind::OrderDelete, EventKind::OrderFill]) {
            self.see_order(record);
        }
    }

    fn see_order(&mut self, record: &Record) {
        let before = self.orders.remove(&record.id);
        // In an unknown book, an order from before.
        if before.is_none() && !record.is(EventKind::OrderAdd) {
            return;
        }
        if let Some((side, price, quantity)) = before {
            *self.levels[place(side)].entry(price).or_insert(0) -= quantity;
        }
        let after = match before {
            _ if record.is(EventKind::OrderAdd) => Some((side_of(record), record.price, record.quantity)),
            Some((side, _, _)) if record.is(EventKind::OrderChange) => Some((side, record.price, record.quantity)),
            Some((side, price, left)) if record.is(EventKind::OrderFill) => Some((side, price, left - record.quantity)),
            _ => None,
        };
        if let Some((side, price, quantity)) = after.filter(|order| order.2 > 0) {
            *self.levels[place(side)].entry(price).or_insert(0) += quantity;
            self.orders.insert(record.id, (side, price, quantity));
        }
    }
}
