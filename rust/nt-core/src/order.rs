//! Orders and fills. The numbers behind the names are those of the run hash (docs/fill-rules.md, section 10).

use serde::{Deserialize, Serialize};

use crate::{Error, Money, Nanos, Ppb, Price, Quantity, Result};

/// The direction of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(i8)]
pub enum Side {
    /// Buys.
    Buy = 1,
    /// Sells.
    Sell = -1,
}

impl Side {
    /// `1` for a buy, `-1` for a sell.
    #[inline]
    pub fn sign(self) -> i64 {
        self as i64
    }

    /// The other side.
    pub fn opposite(self) -> Side {
        match self {
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        }
    }

    /// The price `ticks` worse for this side than `price`, never below one tick.
    #[inline]
    pub fn worsen(self, price: Price, ticks: Price) -> Result<Price> {
        match self {
            Side::Buy => price.checked_add(ticks).ok_or(Error::Overflow("a price")),
            Side::Sell => Ok(price.saturating_sub(ticks).max(1)),
        }
    }

    /// Whether `price` is at least as good for this side as `limit`; strictly better if `strict`.
    #[inline]
    pub fn accepts(self, price: Price, limit: Price, strict: bool) -> bool {
        match (self, strict) {
            (Side::Buy, false) => price <= limit,
            (Side::Buy, true) => price < limit,
            (Side::Sell, false) => price >= limit,
            (Side::Sell, true) => price > limit,
        }
    }

    /// Whether the market at `price` has reached a stop of this side.
    #[inline]
    pub fn triggers(self, price: Price, stop: Price) -> bool {
        match self {
            Side::Buy => price >= stop,
            Side::Sell => price <= stop,
        }
    }

    /// The worse of two prices for this side.
    #[inline]
    pub fn worse(self, a: Price, b: Price) -> Price {
        match self {
            Side::Buy => a.max(b),
            Side::Sell => a.min(b),
        }
    }

    /// The better of two prices for this side.
    #[inline]
    pub fn better(self, a: Price, b: Price) -> Price {
        self.opposite().worse(a, b)
    }
}

/// The kind of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Kind {
    /// Fills at the next price.
    Market = 0,
    /// Fills at its limit or better.
    Limit = 1,
    /// Becomes a market order when the market reaches its stop.
    Stop = 2,
    /// Becomes a limit order when the market reaches its stop.
    StopLimit = 3,
    /// A stop that follows the market at a distance.
    TrailingStop = 4,
    /// Becomes a market order when the market comes to its price from the worse side; replays only.
    MarketIfTouched = 5,
}

/// How long an order works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeInForce {
    /// Until it is filled or cancelled.
    GoodTillCancelled,
    /// Until the first opening at or after this time.
    GoodTillDate(Nanos),
    /// For the UTC day of the first opening at which it is live, or of its acceptance by a venue.
    Day,
    /// What cannot fill at once goes; replays only.
    ImmediateOrCancel,
    /// It fills at once and wholly, or not at all; replays only.
    FillOrKill,
}

/// Where an order is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum State {
    /// May still fill.
    Working = 0,
    /// Nothing is left of it, and the last of it filled.
    Filled = 1,
    /// What was left of it was taken away.
    Cancelled = 2,
    /// Its time ran out.
    Expired = 3,
    /// It was never accepted.
    Rejected = 4,
    /// On its way to the venue.
    Sent = 5,
}

/// Why an order, or a part of it, was taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Reason {
    /// Nothing was.
    None = 0,
    /// The strategy cancelled it.
    User = 1,
    /// Equity could not carry the exposure.
    Margin = 2,
    /// A later target took its place.
    Replaced = 3,
    /// The other leg of its bracket filled.
    Sibling = 4,
    /// The position that it protects is gone.
    NothingToReduce = 5,
    /// Equity was used up.
    Ruin = 6,
    /// Its time in force ended.
    Time = 7,
    /// Its size is not positive, or below one lot.
    Size = 8,
    /// Its instrument has no price yet.
    NoPrice = 9,
    /// The run had ended in ruin before.
    Halted = 10,
    /// A price or a trail is not positive.
    Price = 11,
    /// The position came to its target, or nearer, in another way.
    Reached = 12,
    /// The venue did not take it.
    Refused = 13,
    /// Nothing was left that it could have taken.
    NoLiquidity = 14,
    /// It was to rest and would have taken.
    WouldTake = 15,
    /// It would have traded with an order of our own.
    SelfTrade = 16,
    /// Equity no longer sufficed for the positions.
    Liquidation = 17,
}

/// The distance that a trailing stop keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trail {
    /// A number of ticks.
    Ticks(Price),
    /// A share of the water mark.
    Share(Ppb),
}

/// The exits that come to exist when an entry fills; absent ones are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bracket {
    /// A stop at this price.
    pub stop_loss: Option<Price>,
    /// A trailing stop, instead of a stop at a price.
    pub stop_loss_trail: Option<Trail>,
    /// A limit at this price.
    pub take_profit: Option<Price>,
}

/// An order with everything that happened to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// Its number, from 1 in order of submission.
    pub id: u32,
    /// The entry that it protects, or 0.
    pub parent: u32,
    /// The other leg of its bracket, or 0.
    pub sibling: u32,
    /// The instrument, by rank of its symbol.
    pub instrument: u32,
    /// Index of the first bar that may fill it.
    pub live_bar: u32,
    /// Direction.
    pub side: Side,
    /// Kind.
    pub kind: Kind,
    /// Where it is in its life.
    pub state: State,
    /// Why it, or a part of it, was taken away.
    pub reason: Reason,
    /// Its stop was reached.
    pub triggered: bool,
    /// It may only bring the position nearer to zero; exits of a bracket are.
    pub reduce_only: bool,
    /// How long it works.
    pub time_in_force: TimeInForce,
    /// The UTC day in which a day order works, once it is live.
    pub day: Option<Nanos>,
    /// The position that it shall lead to, if it was sent as a target; a later target replaces it.
    pub target: Option<Quantity>,
    /// Size as resolved at submission; a bracket's child grows with its parent's fills.
    pub quantity: Quantity,
    /// Limit price, or 0.
    pub limit: Price,
    /// Stop price, or 0; the present level of a trailing stop.
    pub stop: Price,
    /// The distance that a trailing stop keeps.
    pub trail: Option<Trail>,
    /// The best price since a trailing stop began to follow.
    pub water: Price,
    /// How much of it filled.
    pub filled: Quantity,
    /// How much of it was taken away.
    pub cancelled: Quantity,
    /// When it was submitted.
    pub submit_ns: Nanos,
    /// The exits that come to exist when it fills.
    pub bracket: Option<Box<Bracket>>,
    /// Those exits once they exist: the stop and the target, 0 where absent.
    pub children: [u32; 2],
}

impl Order {
    /// What may still fill.
    #[inline]
    pub fn leaves(&self) -> Quantity {
        self.quantity - self.filled - self.cancelled
    }

    /// Whether it may still fill.
    #[inline]
    pub fn is_working(&self) -> bool {
        self.state == State::Working
    }
}

/// A fill of one of our orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The order, or 0 for a position closed by ruin or at the end of data.
    pub order: u32,
    /// The instrument, by rank of its symbol.
    pub instrument: u32,
    /// Direction.
    pub side: Side,
    /// The order had rested in the market.
    pub maker: bool,
    /// How much.
    pub quantity: Quantity,
    /// What was paid or received.
    pub price: Price,
    /// Where the market was.
    pub reference: Price,
    /// When.
    pub time_ns: Nanos,
    /// Fee charged.
    pub fee: Money,
    /// `|price - reference|` times the quantity, in money.
    pub slippage: Money,
}
