//! What happens to orders that arrive: they take, they rest, they are changed, cancelled or their time is over
//! (docs/book-rules.md, section 4).

use nt_book::Level;
use nt_core::{DAY_NS, Kind, Price, Quantity, Reason, Result, Side, State, TimeInForce};

use super::{Book, Depth, Queued, Resting, SelfTrade, Venue, place, rank};
use crate::engine::{Engine, Notice, trail_level};

impl<B: Book> Venue<B> {
    /// A new order arrives.
    pub fn arrive(&mut self, engine: &mut Engine, id: u32, terms: Resting) -> Result<()> {
        if engine.halted {
            engine.end_order(id, State::Rejected, Reason::Halted);
            return Ok(());
        }
        let now_ns = engine.now_ns;
        let order = engine.order(id);
        let (side, kind) = (order.side, order.kind);
        if kind == Kind::TrailingStop && order.parent == 0 {
            let best = self.best(side.opposite()).map_or(0, |level| level.price);
            let water = if self.last_trade != 0 { self.last_trade } else { best };
            if water == 0 {
                engine.end_order(id, State::Rejected, Reason::NoPrice);
                return Ok(());
            }
            let order = engine.order_mut(id);
            order.water = water;
            if let Some(trail) = order.trail {
                order.stop = trail_level(side, water, trail)?;
            }
        }
        engine.accept(id);
        let order = engine.order(id);
        let expires = match order.time_in_force {
            TimeInForce::GoodTillDate(expire_ns) => Some(expire_ns),
            TimeInForce::Day => Some((now_ns.div_euclid(DAY_NS) + 1).saturating_mul(DAY_NS)),
            _ => None,
        };
        if let Some(expire_ns) = expires {
            if expire_ns <= now_ns {
                engine.end_order(id, State::Expired, Reason::Time);
                return Ok(());
            }
            let at = self.expiries.partition_point(|&other| other > (expire_ns, id));
            self.expiries.insert(at, (expire_ns, id));
            self.idle = false;
        }
        match kind {
            Kind::Market | Kind::Limit => self.enter(engine, id, terms),
            Kind::Stop | Kind::StopLimit | Kind::TrailingStop | Kind::MarketIfTouched => {
                if self.is_reached_by_best(engine, id) {
                    self.trigger(engine, id)
                } else {
                    let at = self.waiting.partition_point(|&other| other < id);
                    self.waiting.insert(at, id);
                    self.idle = false;
                    Ok(())
                }
            }
        }
    }

    /// Takes what an order may take, and lets the rest of it rest.
    pub(super) fn enter(&mut self, engine: &mut Engine, id: u32, terms: Resting) -> Result<()> {
        let order = engine.order(id);
        let (side, time_in_force) = (order.side, order.time_in_force);
        let limit = matches!(order.kind, Kind::Limit | Kind::StopLimit).then_some(order.limit);
        let leaves = order.leaves();
        let levels = self.levels_for(side, limit, leaves);
        let meets_own = self.own_within(side, limit).next().is_some();
        if terms.post_only && (!levels.is_empty() || meets_own) {
            engine.end_order(id, State::Cancelled, Reason::WouldTake);
        } else if time_in_force == TimeInForce::FillOrKill
            && levels.iter().map(|level| i128::from(level.quantity)).sum::<i128>() < i128::from(leaves)
        {
            engine.end_order(id, State::Expired, Reason::Time);
        } else {
            self.take(engine, id, &levels, limit)?;
        }
        self.levels = levels;
        self.levels.clear();
        self.stale = true;
        if engine.order(id).is_working() {
            match (limit, time_in_force) {
                (None, _) => engine.end_order(id, State::Cancelled, Reason::NoLiquidity),
                (_, TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill) => {
                    engine.end_order(id, State::Expired, Reason::Time);
                }
                (Some(limit), _) => self.join_queue(engine, id, side, limit, terms.display.unwrap_or(0)),
            }
        }
        self.sweep(engine);
        Ok(())
    }

    /// The levels that an order of this side and size takes, with what is available of each.
    pub(super) fn levels_for(&mut self, side: Side, limit: Option<Price>, leaves: Quantity) -> Vec<Level> {
        let mut levels = std::mem::take(&mut self.levels);
        if !self.known {
            return levels;
        }
        let mut wanted = leaves;
        for level in self.book.levels(side.opposite()) {
            if wanted <= 0 || limit.is_some_and(|limit| !side.accepts(level.price, limit, false)) {
                break;
            }
            let quantity = self.available(side.opposite(), level.price);
            if quantity > 0 {
                levels.push(Level { price: level.price, quantity });
                wanted = wanted.saturating_sub(quantity);
            }
        }
        levels
    }

    /// Our orders at rest on the other side that an order of this side and limit accepts, in order.
    pub(super) fn own_within(&self, side: Side, limit: Option<Price>) -> impl Iterator<Item = Queued> {
        let accepted = move |own: &&Queued| limit.is_none_or(|limit| side.accepts(own.price, limit, false));
        self.queued[place(side.opposite())].iter().take_while(accepted).copied()
    }

    pub(super) fn take(&mut self, engine: &mut Engine, id: u32, levels: &[Level], limit: Option<Price>) -> Result<()> {
        let side = engine.order(id).side;
        for level in levels {
            // With prevention switched off, others come before our own at the same price.
            let own_first = match self.rules.self_trade {
                SelfTrade::Off => level.price - side.sign(),
                _ => level.price,
            };
            self.meet_own(engine, id, Some(own_first))?;
            if !engine.order(id).is_working() {
                return Ok(());
            }
            // What an order that has lost its purpose leaves of a level ends it.
            let mut left = level.quantity;
            while left > 0 && engine.order(id).is_working() {
                let filled = self.fill(engine, id, left, level.price, true)?;
                self.take_from(side.opposite(), level.price, filled);
                left -= filled;
            }
            if !engine.order(id).is_working() {
                return Ok(());
            }
        }
        self.meet_own(engine, id, limit)
    }

    /// An order that takes meets our own orders at rest up to a price.
    pub(super) fn meet_own(&mut self, engine: &mut Engine, id: u32, limit: Option<Price>) -> Result<()> {
        let side = engine.order(id).side;
        let met: Vec<Queued> = self.own_within(side, limit).filter(|own| engine.order(own.id).is_working()).collect();
        if met.is_empty() {
            return Ok(());
        }
        let policy = self.rules.self_trade;
        for own in &met {
            if policy == SelfTrade::CancelNewest {
                break;
            }
            if policy != SelfTrade::Off {
                engine.end_order(own.id, State::Cancelled, Reason::SelfTrade);
            } else if engine.order(id).is_working() && engine.order(own.id).is_working() {
                let before = engine.order(own.id).leaves();
                let quantity = engine.wanted_between(id, own.id);
                if quantity != 0 {
                    for (half, taker) in [(own.id, false), (id, true)] {
                        engine.execute_between(half, quantity, own.price, taker)?;
                        self.read_mark(engine, own.price)?;
                    }
                }
                self.hide(side.opposite(), own.id, before - engine.order(own.id).leaves());
                self.show_next_parts(engine);
            }
        }
        if matches!(policy, SelfTrade::CancelNewest | SelfTrade::CancelBoth) {
            engine.end_order(id, State::Cancelled, Reason::SelfTrade);
        }
        self.stale = true;
        Ok(())
    }

    /// Puts an order at the end of our queue at its price.
    pub(super) fn join_queue(&mut self, engine: &Engine, id: u32, side: Side, price: Price, display: Quantity) {
        let hidden = match self.rules.depth {
            Depth::Levels | Depth::Orders | Depth::Bars => false,
            Depth::Quotes => self.book.best(side).is_none_or(|best| rank(side, price) > rank(side, best.price)),
        };
        let displayed = (self.known && !hidden).then(|| self.book.quantity_at(side, price));
        let front = self.rules.queue.at_arrival(displayed);
        let shown = if display == 0 { 0 } else { display.min(engine.order(id).leaves()) };
        let list = &mut self.queued[place(side)];
        let at = list.partition_point(|other| rank(side, other.price) <= rank(side, price));
        list.insert(at, Queued { id, price, front, traded: 0, display, shown });
        self.book.join(id, side, price, self.known);
        self.idle = false;
    }

    /// A cancellation arrives.
    pub fn cancel(&mut self, engine: &mut Engine, id: u32) {
        if engine.order(id).is_working() {
            engine.end_order(id, State::Cancelled, Reason::User);
            self.stale = true;
            self.sweep(engine);
        } else {
            engine.notices.push(Notice::Refused(id));
        }
    }

    /// A change of an order at rest arrives.
    pub fn amend(
        &mut self,
        engine: &mut Engine,
        id: u32,
        limit: Price,
        quantity: Quantity,
        terms: Resting,
    ) -> Result<()> {
        let side = engine.order(id).side;
        let at = self.queued[place(side)].iter().position(|queued| queued.id == id);
        let (Some(at), true) = (at, engine.order(id).is_working()) else {
            engine.notices.push(Notice::Refused(id));
            return Ok(());
        };
        let order = engine.order_mut(id);
        // What had been cut from the order before stays cut.
        if quantity <= order.filled + order.cancelled {
            self.cancel(engine, id);
            return Ok(());
        }
        let keeps_place = limit == order.limit && quantity <= order.quantity;
        (order.limit, order.quantity) = (limit, quantity);
        let leaves = order.leaves();
        engine.notices.push(Notice::Amended(id));
        if keeps_place {
            let queued = &mut self.queued[place(side)][at];
            queued.shown = queued.shown.min(leaves);
            return Ok(());
        }
        self.queued[place(side)].remove(at);
        self.enter(engine, id, terms)
    }

    /// An order's time is over.
    pub fn expire(&mut self, engine: &mut Engine) {
        if let Some((_, id)) = self.expiries.pop() {
            engine.end_order(id, State::Expired, Reason::Time);
            self.stale = true;
            self.sweep(engine);
        }
    }
}
