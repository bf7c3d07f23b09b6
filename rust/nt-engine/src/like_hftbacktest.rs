//! The rules of hftbacktest 2.4.4 (docs/book-rules.md, section 10): one instrument at its venue, as that package plays it.
//!
//! | the package's rule | |
//! |---|---|
//! | the best prices are kept beside the levels | a level that crosses them pushes the other side's best away |
//! | orders do not see each other | each has a queue of its own, and nothing is taken from the book |
//! | places in queues are raw floats | below nothing, and not a number where a model has no answer |
//! | what a better best price reaches fills wholly | as does what a trade goes through |

mod arrival;
mod book;
mod latency;
mod queue;

use nt_core::record::{ASK, BEFORE, BID};
use nt_core::{Bracket, Error, Kind, Price, Quantity, Reason, Record, Result, Side, State, TimeInForce};
use serde::{Deserialize, Serialize};

pub(crate) use book::Book;
pub(crate) use latency::Recorded;

use crate::engine::{Engine, Notice};
use crate::queue_model::QueueModel;
use crate::request::{Request, Size};
use crate::venue::{Depth, Resting, SelfTrade, VenueRules, check_range, place, rank};
use book::Change;

/// An order of ours in its queue.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Queued {
    id: u32,
    price: Price,
    /// What stands before it, an estimate; less than nothing where more traded than stood there.
    front: f64,
    /// What traded at its price since the displayed quantity last changed.
    traded: Quantity,
}

/// One instrument at its venue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Venue {
    instrument: usize,
    rules: VenueRules,
    book: Book,
    /// Our orders at rest, per side: the best price first, then the first to arrive.
    queued: [Vec<Queued>; 2],
}

/// Refuses settings that the package does not have.
pub(crate) fn check_rules(rules: &VenueRules) -> Result<()> {
    if rules.depth != Depth::Levels || rules.self_trade != SelfTrade::default() {
        return wrong("books are made of levels, and nothing prevents trades with oneself");
    }
    if rules.impact.is_some() {
        return wrong("what our takes leave on the price is not played");
    }
    if rules.queue == QueueModel::Front {
        return wrong("there is no queue model called front");
    }
    Ok(())
}

/// Refuses orders that the package does not have.
pub(crate) fn check_order(request: &Request, terms: Resting, reduce_only: bool) -> Result<()> {
    if !matches!(request.kind, Kind::Market | Kind::Limit) {
        return wrong("there are market and limit orders only");
    }
    if matches!(request.time_in_force, TimeInForce::Day | TimeInForce::GoodTillDate(_)) {
        return wrong("no order ends at a time: use gtc, ioc or fok");
    }
    if request.bracket != Bracket::default() || reduce_only || terms.display.is_some() {
        return wrong("orders bring no exits, are not reduce-only and show all of their quantity");
    }
    if !matches!(request.size, Size::Quantity(_)) {
        return wrong("sizes are quantities");
    }
    Ok(())
}

/// Refuses changes of orders.
pub(crate) fn check_amend() -> Result<()> {
    wrong("orders are not changed: cancel and send another one")
}

fn wrong(what: &str) -> Result<()> {
    Err(Error::Misuse(format!("like hftbacktest, {what}")))
}

impl Venue {
    pub fn new(instrument: usize, rules: VenueRules) -> Self {
        Venue { instrument, rules, book: Book::default(), queued: Default::default() }
    }

    /// The best price of a side.
    pub fn best(&self, side: Side) -> Option<Price> {
        self.book.best(side)
    }

    /// One record of the instrument.
    pub fn play(&mut self, engine: &mut Engine, record: &Record) -> Result<()> {
        if record.is(self.rules.trades) {
            return self.trade(engine, record);
        }
        match self.book.read(record)? {
            Some(change) => self.level(engine, change),
            None => Ok(()),
        }
    }

    /// A trade meets each of our orders for itself.
    fn trade(&mut self, engine: &mut Engine, record: &Record) -> Result<()> {
        let (price, quantity) = (record.price, record.quantity);
        if price <= 0 || quantity <= 0 || record.flags & BEFORE != 0 {
            return Ok(());
        }
        check_range(price, quantity)?;
        let passive = match record.flags & (BID | ASK) {
            BID => Side::Sell,
            ASK => Side::Buy,
            _ => return Ok(()),
        };
        let mut at = 0;
        while let Some(queued) = self.queued[place(passive)].get_mut(at) {
            if rank(passive, queued.price) > rank(passive, price) {
                break;
            }
            at += 1;
            let found = if queued.price == price { queued.reached_by(quantity) } else { Quantity::MAX };
            let Queued { id, price: own, .. } = *queued;
            if found > 0 {
                let most = if self.rules.whole { Quantity::MAX } else { found };
                self.fill(engine, id, most, own, false)?;
            }
        }
        self.sweep(engine);
        Ok(())
    }

    /// What follows from a level that was set, also to what it was.
    fn level(&mut self, engine: &mut Engine, change: Change) -> Result<()> {
        let Change { side, price, before, now, improves } = change;
        for queued in self.queued[place(side)].iter_mut().filter(|queued| queued.price == price) {
            queued.front = queue::after_change(self.rules.queue, queued.front, before, now, queued.traded);
            queued.traded = 0;
        }
        if !improves {
            return Ok(());
        }
        let other = side.opposite();
        let mut at = 0;
        while let Some(&Queued { id, price: own, .. }) = self.queued[place(other)].get(at) {
            if !other.accepts(price, own, false) {
                break;
            }
            at += 1;
            self.fill(engine, id, Quantity::MAX, own, false)?;
        }
        self.sweep(engine);
        Ok(())
    }

    fn fill(&self, engine: &mut Engine, id: u32, most: Quantity, price: Price, taker: bool) -> Result<()> {
        if !engine.order(id).is_working() {
            return Ok(());
        }
        if engine.fill_up_to(id, most, price, taker)? != 0 {
            self.read_mark(engine, price)?;
        }
        Ok(())
    }

    /// Its rank in the run.
    pub fn instrument(&self) -> usize {
        self.instrument
    }

    /// Marks the position at the price at which it could be closed.
    pub fn read_mark(&self, engine: &mut Engine, otherwise: Price) -> Result<()> {
        engine.mark_to_close(self.instrument, |side| self.best(side), otherwise)
    }

    /// A cancellation arrives.
    pub fn cancel(&mut self, engine: &mut Engine, id: u32) {
        if engine.order(id).is_working() {
            engine.end_order(id, State::Cancelled, Reason::User);
            self.sweep(engine);
        } else {
            engine.notices.push(Notice::Refused(id));
        }
    }

    /// Forgets orders that have ended.
    pub fn sweep(&mut self, engine: &Engine) {
        for list in &mut self.queued {
            list.retain(|queued| engine.order(queued.id).is_working());
        }
    }

    /// What is estimated to stand before an order at rest, in lots.
    pub fn queue_ahead(&self, side: Side, id: u32) -> Option<f64> {
        self.queued[place(side)].iter().find(|queued| queued.id == id).map(|queued| queued.front)
    }
}

impl Queued {
    /// What a trade at its price leaves for it, in whole lots: half a lot counts as one.
    fn reached_by(&mut self, quantity: Quantity) -> Quantity {
        self.front -= quantity as f64;
        self.traded = self.traded.saturating_add(quantity);
        let found = (-self.front).round() as Quantity;
        if found > 0 {
            self.front = 0.0;
        }
        found
    }
}

#[cfg(test)]
mod tests;
