//! The venues of a replay, by whose rules they are: each instrument's is asked, and answers, in the same way.

use nt_core::{Nanos, Price, Quantity, Record, Result, Side};
use serde::{Deserialize, Serialize};

use super::ReplaySettings;
use crate::engine::{Engine, Notice};
use crate::like_hftbacktest;
use crate::venue::{self, Depth, OrdersOfAll, Resting};

/// One instrument at its venue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Venue {
    /// Our own rules.
    House(venue::Venue),
    /// The same in books of single orders.
    Orders(venue::Venue<OrdersOfAll>),
    /// Those of hftbacktest.
    LikeHftbacktest(like_hftbacktest::Venue),
    /// None: its orders meet bars, in the engine.
    Bars,
}

impl Venue {
    pub fn new(instrument: usize, settings: &ReplaySettings) -> Self {
        let rules = settings.rules_of(instrument);
        if rules.depth == Depth::Bars {
            Self::Bars
        } else if settings.like_hftbacktest {
            Self::LikeHftbacktest(like_hftbacktest::Venue::new(instrument, rules))
        } else if rules.depth == Depth::Orders {
            Self::Orders(venue::Venue::new(instrument, rules))
        } else {
            Self::House(venue::Venue::new(instrument, rules))
        }
    }

    /// One record of the instrument.
    #[inline]
    pub fn play(&mut self, engine: &mut Engine, record: &Record) -> Result<()> {
        if engine.account.is_some() {
            return self.play_for_account(engine, record);
        }
        self.meet(engine, record)
    }

    #[inline]
    fn meet(&mut self, engine: &mut Engine, record: &Record) -> Result<()> {
        match self {
            Self::House(venue) => venue.play(engine, record),
            Self::Orders(venue) => venue.play(engine, record),
            Self::LikeHftbacktest(venue) => venue.play(engine, record),
            Self::Bars => Ok(()),
        }
    }

    /// A mark that says what a currency is worth follows the book.
    #[cold]
    fn play_for_account(&mut self, engine: &mut Engine, record: &Record) -> Result<()> {
        self.meet(engine, record)?;
        let instrument = match self {
            Self::House(venue) => venue.instrument(),
            Self::Orders(venue) => venue.instrument(),
            Self::LikeHftbacktest(venue) => venue.instrument(),
            Self::Bars => return Ok(()),
        };
        if engine.is_rate(instrument) { self.read_mark(engine) } else { Ok(()) }
    }

    /// A new order arrives.
    pub fn arrive(&mut self, engine: &mut Engine, id: u32, terms: Resting) -> Result<()> {
        match self {
            Self::House(venue) => venue.arrive(engine, id, terms),
            Self::Orders(venue) => venue.arrive(engine, id, terms),
            Self::LikeHftbacktest(venue) => venue.arrive(engine, id, terms),
            Self::Bars => {
                engine.accept(id);
                Ok(())
            }
        }
    }

    /// A cancellation arrives.
    pub fn cancel(&mut self, engine: &mut Engine, id: u32) {
        match self {
            Self::House(venue) => venue.cancel(engine, id),
            Self::Orders(venue) => venue.cancel(engine, id),
            Self::LikeHftbacktest(venue) => venue.cancel(engine, id),
            Self::Bars => cancel_among_bars(engine, id),
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
        match self {
            Self::House(venue) => venue.amend(engine, id, limit, quantity, terms),
            Self::Orders(venue) => venue.amend(engine, id, limit, quantity, terms),
            // Where books are those of hftbacktest none is ever sent.
            Self::LikeHftbacktest(_) | Self::Bars => {
                engine.notices.push(Notice::Refused(id));
                Ok(())
            }
        }
    }

    /// When the next order expires.
    #[inline]
    pub fn next_expiry(&self) -> Option<(Nanos, u32)> {
        match self {
            Self::House(venue) => venue.next_expiry(),
            Self::Orders(venue) => venue.next_expiry(),
            Self::LikeHftbacktest(_) | Self::Bars => None,
        }
    }

    /// An order's time is over.
    pub fn expire(&mut self, engine: &mut Engine) {
        match self {
            Self::House(venue) => venue.expire(engine),
            Self::Orders(venue) => venue.expire(engine),
            Self::LikeHftbacktest(_) | Self::Bars => {}
        }
    }

    /// The best price of a side.
    pub fn best(&self, side: Side) -> Option<Price> {
        match self {
            Self::House(venue) => venue.best(side).map(|level| level.price),
            Self::Orders(venue) => venue.best(side).map(|level| level.price),
            Self::LikeHftbacktest(venue) => venue.best(side),
            Self::Bars => None,
        }
    }

    /// Marks the position at the price at which it could be closed.
    pub fn read_mark(&self, engine: &mut Engine) -> Result<()> {
        match self {
            Self::House(venue) => venue.read_mark(engine, 0),
            Self::Orders(venue) => venue.read_mark(engine, 0),
            Self::LikeHftbacktest(venue) => venue.read_mark(engine, 0),
            Self::Bars => Ok(()),
        }
    }

    /// Forgets orders that ended elsewhere, as in ruin.
    pub fn forget_ended(&mut self, engine: &Engine) {
        match self {
            Self::House(venue) => venue.forget_ended(engine),
            Self::Orders(venue) => venue.forget_ended(engine),
            Self::LikeHftbacktest(venue) => venue.sweep(engine),
            Self::Bars => {}
        }
    }

    /// What is estimated to stand before an order at rest, in lots; nothing where nobody knows.
    pub fn queue_ahead(&self, side: Side, id: u32) -> Option<f64> {
        match self {
            Self::House(venue) => venue.queue_ahead(side, id),
            Self::Orders(venue) => venue.queue_ahead(side, id),
            Self::LikeHftbacktest(venue) => venue.queue_ahead(side, id),
            Self::Bars => None,
        }
    }
}

fn cancel_among_bars(engine: &mut Engine, id: u32) {
    if !engine.cancel(id) {
        engine.notices.push(Notice::Refused(id));
    }
}
