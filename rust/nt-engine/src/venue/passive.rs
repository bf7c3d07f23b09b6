//! How orders at rest fill: in the queue of their price, or because the market crosses them (docs/book-rules.md, section 5).

use nt_core::{Price, Quantity, Result, Side};

use super::{Book, Queued, Venue, place, rank};
use crate::engine::Engine;
use crate::queue_model::UNKNOWN;

impl<B: Book> Venue<B> {
    /// Our orders in the queue of one price.
    #[inline]
    pub(super) fn at_price(&mut self, side: Side, price: Price) -> impl Iterator<Item = &mut Queued> {
        let list = &mut self.queued[place(side)];
        let first = list.partition_point(|queued| rank(side, queued.price) < rank(side, price));
        list[first..].iter_mut().take_while(move |queued| queued.price == price)
    }

    /// Whether a level of this side stands where our best order on the other side would trade with it.
    #[inline]
    pub(super) fn crosses_own(&self, side: Side, price: Price) -> bool {
        let other = side.opposite();
        self.queued[place(other)].first().is_some_and(|best| other.accepts(price, best.price, false))
    }

    /// A level crosses our orders on the other side, which fill against what is available of it.
    pub(super) fn cross(&mut self, engine: &mut Engine, side: Side, price: Price) -> Result<()> {
        let other = side.opposite();
        let mut at = 0;
        while let Some(&Queued { id, price: own, .. }) = self.queued[place(other)].get(at) {
            at += 1;
            let available = self.available(side, price);
            if available == 0 || !other.accepts(price, own, false) {
                break;
            }
            if engine.order(id).is_working() {
                let filled = self.fill_at_rest(engine, id, available, own)?;
                self.take_from(side, price, filled);
            }
        }
        self.show_next_parts(engine);
        self.sweep(engine);
        Ok(())
    }

    /// A trade against orders of a side: ours at better prices would have come first, those at its price share one queue.
    pub(super) fn trade_with_queue(
        &mut self,
        engine: &mut Engine,
        side: Side,
        price: Price,
        quantity: Quantity,
    ) -> Result<()> {
        let (mut rest, mut used, mut before) = (quantity, 0, 0.0_f64);
        let mut at = 0;
        while let Some(&Queued { id, price: own, front, display, shown, .. }) = self.queued[place(side)].get(at) {
            if rank(side, own) > rank(side, price) {
                break;
            }
            if !engine.order(id).is_working() {
                at += 1;
                continue;
            }
            if own != price {
                rest -= self.fill_at_rest(engine, id, rest, own)?;
                at += 1;
                continue;
            }
            before = before.max(front);
            let mut found = ((rest - used) as f64 - before).floor().max(0.0) as Quantity;
            if display != 0 {
                found = found.min(shown);
            }
            let queued = &mut self.queued[place(side)][at];
            queued.front = if before < UNKNOWN { (before - (rest - used) as f64).max(0.0) } else { UNKNOWN };
            queued.traded = queued.traded.saturating_add(quantity);
            used += self.fill_at_rest(engine, id, found, own)?;
            at += 1;
        }
        self.show_next_parts(engine);
        self.sweep(engine);
        Ok(())
    }

    /// Orders of which the part that was shown is used up show the next one, at the end of their queue.
    pub(super) fn show_next_parts(&mut self, engine: &Engine) {
        for at in 0..self.used_up.len() {
            let (order, id) = (engine.order(self.used_up[at]), self.used_up[at]);
            let list = &mut self.queued[place(order.side)];
            let found = list.iter().position(|queued| queued.id == id).filter(|_| order.is_working());
            if let Some(queued) = found.map(|at| list.remove(at)) {
                self.join_queue(engine, id, order.side, queued.price, queued.display);
            }
        }
        self.used_up.clear();
    }

    /// Takes from the part of an order that is shown.
    pub(super) fn hide(&mut self, side: Side, id: u32, filled: Quantity) {
        if let Some(queued) = self.queued[place(side)].iter_mut().find(|queued| queued.id == id)
            && queued.display != 0
        {
            queued.shown = (queued.shown - filled).max(0);
            if queued.shown == 0 {
                self.used_up.push(id);
            }
        }
    }

    /// Fills an order at rest with what it finds; returns what filled.
    pub(super) fn fill_at_rest(
        &mut self,
        engine: &mut Engine,
        id: u32,
        found: Quantity,
        price: Price,
    ) -> Result<Quantity> {
        if found == 0 || (self.rules.whole && found < engine.order(id).leaves()) {
            return Ok(0);
        }
        let filled = self.fill(engine, id, found, price, false)?;
        self.hide(engine.order(id).side, id, filled);
        Ok(filled)
    }
}
