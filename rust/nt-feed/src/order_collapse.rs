//! An L3 feed as the L2 feed of the same market: quantities at prices in place of orders, after each whole action.
//!
//! Laws: times stay as they are; trades stay, before the levels that they changed; after every record with the flag
//! `LAST` a ladder that was told the levels equals a book that was told the orders.

use nt_book::{BookError, Depth, OrderBook, RestingOrder, Side};
use nt_core::Price;

use crate::event::{ASK, BID, Event, EventKind, LAST};

/// Records of orders in, records of levels out; for one instrument.
#[derive(Clone, Debug, Default)]
pub struct OrderCollapse {
    book: OrderBook,
    in_snapshot: bool,
    /// What the present action said that is no order: its trades.
    said: Vec<Event>,
    /// Levels that the present action touched, in that order.
    touched: Vec<(Side, Price)>,
    /// Whole actions so far; the `id` of levels.
    actions: u64,
    sequence: u32,
}

impl OrderCollapse {
    /// A collapse of a feed from its beginning; levels come from its first snapshot or order on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a record; with the last one of an action, what an L2 feed says of it is added to `out`.
    ///
    /// # Errors
    /// What the book refuses, such as the fill of an order that does not rest; the record has no effect then.
    pub fn push(&mut self, event: &Event, out: &mut Vec<Event>) -> Result<(), BookError> {
        match event.kind {
            EventKind::SnapshotBegin => {
                self.book.clear();
                self.touched.clear();
                self.in_snapshot = true;
            }
            EventKind::SnapshotEnd => self.in_snapshot = false,
            EventKind::OrderAdd => {
                let side = if event.is_bid() { Side::Buy } else { Side::Sell };
                let Event { id, price, quantity, .. } = *event;
                self.book.add(RestingOrder { id, side, price, quantity, own: false })?;
                self.touch(side, price);
            }
            EventKind::OrderChange => {
                let before = self.resting(event.id)?;
                self.book.amend(event.id, event.price, event.quantity)?;
                self.touch(before.side, before.price);
                self.touch(before.side, event.price);
            }
            EventKind::OrderDelete => {
                let order = self.book.cancel(event.id)?;
                self.touch(order.side, order.price);
            }
            EventKind::OrderFill => {
                let order = self.resting(event.id)?;
                self.book.fill(event.id, event.quantity)?;
                self.touch(order.side, order.price);
            }
            _ => self.said.push(*event),
        }
        if event.flags & LAST != 0 && !self.in_snapshot {
            self.end_action(event, out);
        }
        Ok(())
    }

    fn resting(&self, id: u64) -> Result<RestingOrder, BookError> {
        self.book.order(id).ok_or(BookError::UnknownOrder { id })
    }

    /// A snapshot tells all levels anyway.
    fn touch(&mut self, side: Side, price: Price) {
        if !self.in_snapshot && !self.touched.contains(&(side, price)) {
            self.touched.push((side, price));
        }
    }

    fn end_action(&mut self, last: &Event, out: &mut Vec<Event>) {
        let first = out.len();
        let mut said = std::mem::take(&mut self.said);
        out.append(&mut said);
        self.said = said;
        self.actions += 1;
        let id = self.actions;
        let bare =
            |kind| Event { ts_event_ns: last.ts_event_ns, id, ..Event::bare(kind, last.instrument, last.ts_recv_ns) };
        let level = |kind, side, price, quantity| Event {
            price,
            quantity,
            flags: if side == Side::Buy { BID } else { ASK },
            ..bare(kind)
        };
        if last.kind == EventKind::SnapshotEnd {
            out.push(bare(EventKind::SnapshotBegin));
            for side in [Side::Buy, Side::Sell] {
                let levels = self.book.levels(side);
                out.extend(levels.map(|each| level(EventKind::SnapshotLevel, side, each.price, each.quantity)));
            }
            out.push(bare(EventKind::SnapshotEnd));
        }
        for (side, price) in self.touched.drain(..) {
            out.push(level(EventKind::Level, side, price, self.book.quantity_at(side, price)));
        }
        for event in &mut out[first..] {
            event.flags &= !LAST;
            event.sequence = self.sequence;
            self.sequence = self.sequence.wrapping_add(1);
        }
        if let Some(event) = out[first..].last_mut() {
            event.flags |= LAST;
        }
    }
}
