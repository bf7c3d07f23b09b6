//! One instrument at its venue: the book, our orders in it, and what records and orders do to each other
//! (docs/book-rules.md, sections 3 to 7).

mod arrival;
mod book;
mod impact;
mod orders;
mod passive;
mod stops;

use nt_book::{Depth as _, Ladder, Level};
use nt_core::record::{ASK, BEFORE, BID, EventKind, UNSIZED};
use nt_core::{Error, Nanos, Price, Quantity, Record, Result, Side};
use serde::{Deserialize, Serialize};

pub(crate) use book::Book;
pub use impact::Impact;
pub(crate) use orders::{OrdersOfAll, is_of_order, play_order};

use crate::engine::Engine;
use crate::queue_model::QueueModel;

/// Which records make the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Depth {
    /// Levels and snapshots.
    #[default]
    Levels,
    /// The best level of each side.
    Quotes,
    /// Every order by its number.
    Orders,
    /// No book: the instrument comes as bars.
    Bars,
}

/// What happens where an order that takes meets orders of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SelfTrade {
    /// What is left of the taker is cancelled.
    #[default]
    CancelNewest,
    /// Those at rest are cancelled.
    CancelOldest,
    /// All of them are cancelled.
    CancelBoth,
    /// They trade.
    Off,
}

/// How orders meet the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueRules {
    /// Which records make the book.
    pub depth: Depth,
    /// The kind of record that tells trades: all of them, or those of one aggressor in one.
    pub trades: EventKind,
    /// How places in queues are estimated.
    pub queue: QueueModel,
    /// Orders at rest fill wholly or not at all.
    pub whole: bool,
    /// What happens where we would trade with ourselves.
    pub self_trade: SelfTrade,
    /// What our takes leave on the price, if anything.
    pub impact: Option<Impact>,
}

impl Default for VenueRules {
    fn default() -> Self {
        VenueRules {
            depth: Depth::Levels,
            trades: EventKind::Trade,
            queue: QueueModel::default(),
            whole: false,
            self_trade: SelfTrade::default(),
            impact: None,
        }
    }
}

/// What only limit orders may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resting {
    /// It does not take: it is cancelled instead.
    pub post_only: bool,
    /// How much of it is shown at a time, if not all.
    pub display: Option<Quantity>,
}

/// An order of ours in the queue of its price.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Queued {
    id: u32,
    price: Price,
    /// What stands before it, an estimate.
    front: f64,
    /// What traded at its price since the displayed quantity last changed; in a book of orders, what the present aggressor
    /// filled of those behind it.
    traded: Quantity,
    /// How much of it is shown at a time, 0 for all.
    display: Quantity,
    /// What is left of the part that is shown.
    shown: Quantity,
}

/// What displays 2^52 lots: a quote that does not say how many.
pub(crate) const UNSIZED_LOTS: Quantity = 1 << 52;

/// The largest price and quantity of a record.
const MOST: i64 = 1 << 53;

/// One instrument at its venue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Venue<B = Ladder> {
    instrument: usize,
    rules: VenueRules,
    book: B,
    known: bool,
    /// What we took of displayed levels, per side.
    taken: [Vec<(Price, Quantity)>; 2],
    /// What our takes left on the price, per side that took.
    left: [impact::Left; 2],
    /// Our orders at rest, per side: the best price first, then the first to arrive.
    queued: [Vec<Queued>; 2],
    /// Orders that wait for their stop, by id.
    waiting: Vec<u32>,
    /// When orders expire, the first last.
    expiries: Vec<(Nanos, u32)>,
    last_trade: Price,
    /// Nothing of ours is here, so that a record is no more than a change of the book.
    idle: bool,
    /// Orders in these lists may have ended.
    stale: bool,
    /// Orders of which the part that was shown is used up.
    used_up: Vec<u32>,
    /// Scratch.
    #[serde(skip)]
    levels: Vec<Level>,
}

#[inline]
pub(crate) fn place(side: Side) -> usize {
    usize::from(side == Side::Sell)
}

/// Ascends from the best price of a side to the worst.
#[inline]
pub(crate) fn rank(side: Side, price: Price) -> Price {
    -side.sign() * price
}

/// The side, price and quantity that a level or a quote says; nothing where it is not of exactly one side.
#[inline]
pub(crate) fn level_of(record: &Record) -> Result<Option<(Side, Price, Quantity)>> {
    if !matches!(record.flags & (BID | ASK), BID | ASK) {
        return Ok(None);
    }
    // Sides come in no order that a processor could foresee, so this must not be a branch.
    let side = if record.flags & BID != 0 { Side::Buy } else { Side::Sell };
    let is_unsized = record.flags & UNSIZED != 0 && record.is(EventKind::Quote);
    let (price, quantity) = (record.price, if is_unsized { UNSIZED_LOTS } else { record.quantity });
    if !(1..=MOST).contains(&price) || !(0..=MOST).contains(&quantity) {
        check_level(price, quantity)?;
    }
    Ok(Some((side, price, quantity)))
}

#[cold]
fn check_level(price: Price, quantity: Quantity) -> Result<()> {
    if quantity < 0 || (quantity > 0 && price <= 0) {
        return Err(Error::Misuse(format!("{quantity} lots at {price} ticks are no level of a book")));
    }
    check_range(price, quantity)
}

/// The price and quantity of a trade; nothing where it is none.
#[inline]
fn trade_of(record: &Record) -> Result<Option<(Price, Quantity)>> {
    let (price, quantity) = (record.price, record.quantity);
    if record.flags & BEFORE != 0 || price <= 0 || quantity <= 0 {
        return Ok(None);
    }
    check_range(price, quantity)?;
    Ok(Some((price, quantity)))
}

/// Refuses what no book can count.
pub(crate) fn check_range(price: Price, quantity: Quantity) -> Result<()> {
    if price.unsigned_abs() > MOST.unsigned_abs() || quantity.unsigned_abs() > MOST.unsigned_abs() {
        return Err(Error::Misuse(format!("{quantity} lots at {price} ticks are more than a book can count (2^53)")));
    }
    Ok(())
}

impl<B: Book> Venue<B> {
    pub fn new(instrument: usize, rules: VenueRules) -> Self {
        Venue {
            instrument,
            rules,
            book: B::default(),
            known: true,
            taken: Default::default(),
            left: Default::default(),
            queued: Default::default(),
            waiting: Vec::new(),
            expiries: Vec::new(),
            last_trade: 0,
            idle: true,
            stale: false,
            used_up: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Its rank in the run.
    pub fn instrument(&self) -> usize {
        self.instrument
    }

    /// The best level that is displayed.
    pub fn best(&self, side: Side) -> Option<Level> {
        self.book.best(side).filter(|_| self.known)
    }

    /// When the next order expires.
    #[inline]
    pub fn next_expiry(&self) -> Option<(Nanos, u32)> {
        self.expiries.last().copied()
    }
}

impl Venue {
    /// One record of the instrument.
    #[inline]
    pub fn play(&mut self, engine: &mut Engine, record: &Record) -> Result<()> {
        match self.rules.depth {
            Depth::Levels if record.is(EventKind::Level) => {
                let Some((side, price, quantity)) = level_of(record)? else { return Ok(()) };
                let previous = self.set(side, price, quantity)?;
                if self.idle { Ok(()) } else { self.level(engine, side, price, previous, quantity) }
            }
            Depth::Quotes if record.is(EventKind::Quote) => self.quote(engine, record),
            _ if record.is(self.rules.trades) => self.trade(engine, record),
            Depth::Levels => self.snapshot(engine, record),
            Depth::Quotes | Depth::Orders | Depth::Bars => Ok(()),
        }
    }

    #[inline]
    fn set(&mut self, side: Side, price: Price, quantity: Quantity) -> Result<Quantity> {
        self.book.set(side, price, quantity).map_err(|error| Error::Misuse(error.to_string()))
    }

    #[cold]
    fn snapshot(&mut self, engine: &mut Engine, record: &Record) -> Result<()> {
        if record.is(EventKind::SnapshotLevel) {
            if let Some((side, price, quantity)) = level_of(record)? {
                self.set(side, price, quantity)?;
            }
        } else if record.is(EventKind::SnapshotBegin) || record.is(EventKind::Resync) {
            self.book.clear();
            self.known = false;
        } else if record.is(EventKind::SnapshotEnd) {
            self.known = true;
            self.after_snapshot(engine)?;
        }
        Ok(())
    }

    /// What follows from a change of a level, where there are orders of ours.
    #[inline(never)]
    fn level(
        &mut self,
        engine: &mut Engine,
        side: Side,
        price: Price,
        previous: Quantity,
        new: Quantity,
    ) -> Result<()> {
        if !self.known {
            return Ok(());
        }
        self.cut_taken(side, price, new);
        let model = self.rules.queue;
        for queued in self.at_price(side, price) {
            queued.front = model.after_change(queued.front, previous, new, queued.traded).max(0.0);
            queued.traded = 0;
        }
        if self.crosses_own(side, price) {
            self.cross(engine, side, price)?;
        }
        if self.waiting.is_empty() { Ok(()) } else { self.trigger_by_best(engine) }
    }

    fn quote(&mut self, engine: &mut Engine, record: &Record) -> Result<()> {
        let Some((side, price, new)) = level_of(record)? else { return Ok(()) };
        let before = self.book.best(side);
        if let Some(before) = before
            && before.price != price
        {
            self.set(side, before.price, 0)?;
        }
        let previous = self.set(side, price, new)?;
        if self.idle {
            return Ok(());
        }
        self.taken[place(side)].retain(|taken| taken.0 == price && new > 0);
        self.cut_taken(side, price, new);
        let model = self.rules.queue;
        let was_best = before.is_some_and(|before| before.price == price);
        if new > 0 {
            for queued in &mut self.queued[place(side)] {
                match rank(side, queued.price).cmp(&rank(side, price)) {
                    std::cmp::Ordering::Less => queued.front = 0.0,
                    std::cmp::Ordering::Equal if was_best => {
                        queued.front = model.after_change(queued.front, previous, new, queued.traded).max(0.0);
                        queued.traded = 0;
                    }
                    std::cmp::Ordering::Equal => {
                        queued.front = queued.front.min(new as f64);
                        queued.traded = 0;
                    }
                    std::cmp::Ordering::Greater => {}
                }
            }
        }
        if self.crosses_own(side, price) {
            self.cross(engine, side, price)?;
        }
        if self.waiting.is_empty() { Ok(()) } else { self.trigger_by_best(engine) }
    }

    fn trade(&mut self, engine: &mut Engine, record: &Record) -> Result<()> {
        let Some((price, quantity)) = trade_of(record)? else { return Ok(()) };
        self.last_trade = price;
        if self.idle {
            return Ok(());
        }
        let passive = match record.flags & (BID | ASK) {
            BID => Some(Side::Sell),
            ASK => Some(Side::Buy),
            _ if self.best(Side::Buy).is_some_and(|bid| price <= bid.price) => Some(Side::Buy),
            _ if self.best(Side::Sell).is_some_and(|ask| price >= ask.price) => Some(Side::Sell),
            _ => None,
        };
        if let Some(passive) = passive {
            self.trade_with_queue(engine, passive, price, quantity)?;
        }
        if self.waiting.is_empty() { Ok(()) } else { self.trigger_by_trade(engine, price) }
    }
}

impl<B: Book> Venue<B> {
    /// The book has become known: every level may cross orders of ours.
    fn after_snapshot(&mut self, engine: &mut Engine) -> Result<()> {
        for side in [Side::Buy, Side::Sell] {
            for queued in &mut self.queued[place(side)] {
                queued.front = queued.front.min(self.book.quantity_at(side, queued.price) as f64);
                queued.traded = 0;
            }
            let mut taken = std::mem::take(&mut self.taken[place(side)]);
            for (price, quantity) in &mut taken {
                *quantity = (*quantity).min(self.book.quantity_at(side, *price));
            }
            taken.retain(|&(_, quantity)| quantity > 0);
            self.taken[place(side)] = taken;
        }
        for side in [Side::Buy, Side::Sell] {
            let mut levels = std::mem::take(&mut self.levels);
            let crosses = |level: &Level| self.crosses_own(side, level.price);
            levels.extend(self.book.levels(side).take_while(crosses));
            for level in levels.drain(..) {
                self.cross(engine, side, level.price)?;
            }
            self.levels = levels;
        }
        self.trigger_by_best(engine)
    }

    fn fill(&mut self, engine: &mut Engine, id: u32, most: Quantity, price: Price, taker: bool) -> Result<Quantity> {
        let filled = engine.fill_up_to(id, most, price, taker)?;
        self.stale = true;
        if filled != 0 {
            self.read_mark(engine, price)?;
        }
        Ok(filled)
    }

    /// Marks the position at the price at which it could be closed.
    pub fn read_mark(&self, engine: &mut Engine, otherwise: Price) -> Result<()> {
        engine.mark_to_close(self.instrument, |side| self.best(side).map(|level| level.price), otherwise)
    }

    fn taken(&self, side: Side, price: Price) -> Quantity {
        self.taken[place(side)].iter().find(|taken| taken.0 == price).map_or(0, |taken| taken.1)
    }

    fn available(&self, side: Side, price: Price) -> Quantity {
        (self.book.quantity_at(side, price) - self.taken(side, price)).max(0)
    }

    fn take_from(&mut self, side: Side, price: Price, quantity: Quantity) {
        if quantity == 0 {
            return;
        }
        let taken = &mut self.taken[place(side)];
        match taken.iter_mut().find(|taken| taken.0 == price) {
            Some(taken) => taken.1 += quantity,
            None => taken.push((price, quantity)),
        }
        self.idle = false;
    }

    #[inline]
    fn cut_taken(&mut self, side: Side, price: Price, displayed: Quantity) {
        let taken = &mut self.taken[place(side)];
        if let Some(at) = taken.iter().position(|taken| taken.0 == price) {
            taken[at].1 = taken[at].1.min(displayed);
            if displayed == 0 {
                taken.swap_remove(at);
                self.stale = true;
            }
        }
    }

    /// Forgets orders that have ended.
    pub fn sweep(&mut self, engine: &Engine) {
        if !self.stale {
            return;
        }
        self.stale = false;
        let works = |id: u32| engine.order(id).is_working();
        for list in &mut self.queued {
            list.retain(|queued| works(queued.id));
        }
        self.waiting.retain(|&id| works(id));
        self.expiries.retain(|&(_, id)| works(id));
        self.book.keep(works);
        self.idle = self.queued.iter().all(Vec::is_empty)
            && self.waiting.is_empty()
            && self.expiries.is_empty()
            && self.taken.iter().all(Vec::is_empty);
    }

    /// Forgets orders that have ended elsewhere, as in ruin.
    pub fn forget_ended(&mut self, engine: &Engine) {
        self.stale = true;
        self.sweep(engine);
    }

    /// What is estimated to stand before an order at rest, in lots; nothing where nobody knows.
    pub fn queue_ahead(&self, side: Side, id: u32) -> Option<f64> {
        let queued = self.queued[place(side)].iter().find(|queued| queued.id == id)?;
        self.book.ahead(id, queued.front)
    }
}
