//! Orders that arrive: they take as far as they reach, or they rest.

use nt_book::Level;
use nt_core::{Kind, Price, Quantity, Reason, Result, Side, State, TimeInForce};

use super::{Queued, Venue};
use crate::engine::Engine;
use crate::venue::{Resting, place, rank};

/// How far from the best price a market order reaches: less far up than down.
const REACH_UP: Price = 99;
const REACH_DOWN: Price = 100;

impl Venue {
    /// A new order arrives.
    pub fn arrive(&mut self, engine: &mut Engine, id: u32, terms: Resting) -> Result<()> {
        if engine.halted {
            engine.end_order(id, State::Rejected, Reason::Halted);
            return Ok(());
        }
        engine.accept(id);
        let order = engine.order(id);
        let (side, time_in_force) = (order.side, order.time_in_force);
        let limit = (order.kind == Kind::Limit).then_some(order.limit);
        let met = |best: &Price| limit.is_none_or(|limit| side.accepts(*best, limit, false));
        match (self.best(side.opposite()).filter(met), limit) {
            (Some(_), _) if terms.post_only => engine.end_order(id, State::Expired, Reason::WouldTake),
            (Some(best), _) if self.rules.whole => self.fill(engine, id, Quantity::MAX, best, true)?,
            (Some(_), Some(limit)) => self.take_to_limit(engine, id, limit)?,
            (Some(best), None) => self.take_at_market(engine, id, best)?,
            (None, None) if self.rules.whole => engine.end_order(id, State::Cancelled, Reason::NoLiquidity),
            (None, Some(limit)) if time_in_force == TimeInForce::GoodTillCancelled => self.rest(id, side, limit),
            (None, _) => engine.end_order(id, State::Expired, Reason::Time),
        }
        Ok(())
    }

    /// A market order takes what is near the best price.
    fn take_at_market(&self, engine: &mut Engine, id: u32, best: Price) -> Result<()> {
        let reach = match engine.order(id).side {
            Side::Buy => best.saturating_add(REACH_UP),
            Side::Sell => best.saturating_sub(REACH_DOWN),
        };
        self.take(engine, id, &self.levels_up_to(engine.order(id).side, reach))?;
        expire(engine, id);
        Ok(())
    }

    /// A limit order that is marketable takes up to its limit; if it is good till cancelled, what is left fills there.
    fn take_to_limit(&self, engine: &mut Engine, id: u32, limit: Price) -> Result<()> {
        let order = engine.order(id);
        let (side, time_in_force) = (order.side, order.time_in_force);
        let mut levels = self.levels_up_to(side, limit);
        let displayed = || levels.iter().map(|level| i128::from(level.quantity)).sum::<i128>();
        if time_in_force == TimeInForce::FillOrKill && displayed() < i128::from(order.leaves()) {
            expire(engine, id);
            return Ok(());
        }
        let stays = time_in_force == TimeInForce::GoodTillCancelled;
        if stays && side == Side::Buy {
            levels.retain(|level| level.price != limit);
        }
        self.take(engine, id, &levels)?;
        if stays {
            return self.fill(engine, id, Quantity::MAX, limit, true);
        }
        expire(engine, id);
        Ok(())
    }

    fn levels_up_to(&self, side: Side, limit: Price) -> Vec<Level> {
        self.book.levels(side.opposite()).take_while(|level| side.accepts(level.price, limit, false)).collect()
    }

    fn take(&self, engine: &mut Engine, id: u32, levels: &[Level]) -> Result<()> {
        levels.iter().try_for_each(|level| self.fill(engine, id, level.quantity, level.price, true))
    }

    /// Puts an order behind what is displayed at its price.
    fn rest(&mut self, id: u32, side: Side, price: Price) {
        let front = self.book.quantity_at(side, price) as f64;
        let list = &mut self.queued[place(side)];
        let at = list.partition_point(|other| rank(side, other.price) <= rank(side, price));
        list.insert(at, Queued { id, price, front, traded: 0 });
    }
}

/// Ends what is left of an order that does not rest.
fn expire(engine: &mut Engine, id: u32) {
    if engine.order(id).is_working() {
        engine.end_order(id, State::Expired, Reason::Time);
    }
}
