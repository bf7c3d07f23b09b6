//! How orders at rest fill: in the queue of their price, or because the market crosses them (docs/book-rules.md, section 5).

use nt_core::{Price, Quantity, Result, Side};

use super::{Queued, Venue, place, rank};
use crate::engine::Engine;
use crate::queue_model::UNKNOWN;

impl Venue {
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
            let filled = self.fill_at_rest(engine, id, found, own)?;
            let queued = &mut self.queued[place(side)][at];
            if before < UNKNOWN {
                queued.front = (before - (rest - used) as f64).max(0.0);
            }
            queued.traded = queued.traded.saturating_add(quantity);
            queued.shown -= if display == 0 { 0 } else { filled };
            used += filled;
            at += 1;
        }
        self.sweep(engine);
        self.show_next_parts(engine, side, price);
        Ok(())
    }

    /// Orders of which the part that is shown is used up show the next one, at the end of their queue.
    pub(super) fn show_next_parts(&mut self, engine: &Engine, side: Side, price: Price) {
        let used_up = |queued: &Queued| queued.price == price && queued.display != 0 && queued.shown == 0;
        let list = &mut self.queued[place(side)];
        if !list.iter().any(used_up) {
            return;
        }
        let again: Vec<Queued> = list.iter().copied().filter(used_up).collect();
        list.retain(|queued| !used_up(queued));
        for queued in again {
            self.join_queue(engine, queued.id, side, price, queued.display);
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
        self.fill(engine, id, found, price, false)
    }
}
