//! Orders that wait for the market to reach their stop (docs/book-rules.md, section 6).

use nt_core::{Kind, Price, Result};

use super::{Book, Resting, Venue};
use crate::engine::{Engine, Notice, trail_level};

impl<B: Book> Venue<B> {
    pub(super) fn is_reached_by_best(&self, engine: &Engine, id: u32) -> bool {
        let order = engine.order(id);
        let (side, stop) = (order.side, order.stop);
        if order.kind == Kind::MarketIfTouched {
            self.best(side.opposite()).is_some_and(|level| side.accepts(level.price, stop, false))
        } else {
            self.best(side).is_some_and(|level| side.triggers(level.price, stop))
        }
    }

    #[inline(never)]
    pub(super) fn trigger_by_best(&mut self, engine: &mut Engine) -> Result<()> {
        let reached: Vec<u32> =
            self.waiting.iter().copied().filter(|&id| self.is_reached_by_best(engine, id)).collect();
        self.trigger_all(engine, &reached)
    }

    #[inline(never)]
    pub(super) fn trigger_by_trade(&mut self, engine: &mut Engine, price: Price) -> Result<()> {
        let is_reached = |id: &u32| {
            let order = engine.order(*id);
            match order.kind {
                Kind::MarketIfTouched => order.side.accepts(price, order.stop, false),
                _ => order.side.triggers(price, order.stop),
            }
        };
        let reached: Vec<u32> = self.waiting.iter().copied().filter(is_reached).collect();
        self.trigger_all(engine, &reached)?;
        for &id in &self.waiting {
            let order = engine.order_mut(id);
            if let Some(trail) = order.trail {
                order.water = order.side.opposite().worse(order.water, price);
                order.stop = trail_level(order.side, order.water, trail)?;
            }
        }
        Ok(())
    }

    pub(super) fn trigger_all(&mut self, engine: &mut Engine, reached: &[u32]) -> Result<()> {
        for &id in reached {
            // An earlier one of them may have ended it.
            if engine.order(id).is_working() {
                self.waiting.retain(|&other| other != id);
                self.trigger(engine, id)?;
            }
        }
        Ok(())
    }

    pub(super) fn trigger(&mut self, engine: &mut Engine, id: u32) -> Result<()> {
        engine.order_mut(id).triggered = true;
        engine.notices.push(Notice::Triggered(id));
        self.enter(engine, id, Resting::default())
    }
}
