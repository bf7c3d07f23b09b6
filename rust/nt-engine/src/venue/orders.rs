//! A book of single orders: ours stand among those of others, and fill as the records of others' fills reach them
//! (docs/book-rules.md, sections 3 and 5.4).

use nt_book::{BookError, Depth, Level, OrderBook, RestingOrder};
use nt_core::record::{ASK, BID, EventKind};
use nt_core::{Error, Nanos, Price, Quantity, Record, Result, Side};
use serde::{Deserialize, Serialize};

use super::{Book, Venue, check_range, place, rank, trade_of};
use crate::engine::Engine;

/// From this number on, orders of a book are ours.
const OURS: u64 = u64::MAX - u32::MAX as u64;

/// Whether a record is about an order.
#[inline]
pub(crate) fn is_of_order(record: &Record) -> bool {
    (EventKind::OrderAdd as u8..=EventKind::OrderFill as u8).contains(&record.kind)
}

/// Does to a book what a record says of an order. In an unknown book, what it says of an order that does not rest there
/// is nothing.
#[inline]
pub(crate) fn play_order(book: &mut OrderBook, known: bool, record: &Record) -> Result<()> {
    let &Record { id, price, quantity, .. } = record;
    let done = if id >= OURS && !record.is(EventKind::OrderAdd) {
        Err(BookError::UnknownOrder { id })
    } else if record.is(EventKind::OrderAdd) {
        if id >= OURS {
            return Err(Error::Misuse(format!("the number of order {id} is not below 2^64 - 2^32")));
        }
        if !matches!(record.flags & (BID | ASK), BID | ASK) {
            return Err(Error::Misuse(format!("order {id} is not of one side")));
        }
        check_order(price, quantity)?;
        let side = if record.flags & BID != 0 { Side::Buy } else { Side::Sell };
        book.add(RestingOrder { id, side, price, quantity, own: false }).map(drop)
    } else if record.is(EventKind::OrderDelete) {
        book.cancel(id).map(drop)
    } else if record.is(EventKind::OrderFill) {
        book.fill(id, quantity).map(drop)
    } else {
        match check_order(price, quantity) {
            Ok(()) => book.amend(id, price, quantity).map(drop),
            Err(error) if book.order(id).is_some() => return Err(error),
            Err(_) => Err(BookError::UnknownOrder { id }),
        }
    };
    match done {
        Ok(()) => Ok(()),
        Err(BookError::UnknownOrder { .. }) if !known => Ok(()),
        Err(error) => Err(Error::Misuse(error.to_string())),
    }
}

#[inline]
fn check_order(price: Price, quantity: Quantity) -> Result<()> {
    if price <= 0 || quantity <= 0 {
        return Err(Error::Misuse(format!("{quantity} lots at {price} ticks are no order of a book")));
    }
    check_range(price, quantity)
}

/// Where an order of ours stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Stand {
    /// In its queue.
    Queue,
    /// At a price beyond those of books, where nobody else can be.
    Alone,
    /// Nowhere, since the book is not known; behind the last of these orders once it is.
    Behind(Vec<u64>),
    /// Nowhere; behind all others once the book is known.
    Last,
}

/// Whoever fills orders of others now, record after record.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Aggressor {
    side: Side,
    time_ns: Nanos,
    /// What it filled of ours.
    taken: Quantity,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Own {
    id: u32,
    side: Side,
    price: Price,
    stand: Stand,
}

impl Own {
    fn number(&self) -> u64 {
        number_of(self.id)
    }
}

fn number_of(id: u32) -> u64 {
    u64::MAX - u64::from(id)
}

/// The orders of all: those of others by their numbers, and ours, each of which stands there as a single lot, because how
/// much of it is left is for the engine to know. As a [`Depth`], it shows what is of others.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct OrdersOfAll {
    book: OrderBook,
    /// Our orders, in the order in which they came to their queues.
    own: Vec<Own>,
    aggressor: Option<Aggressor>,
}

impl OrdersOfAll {
    /// How many orders of ours stand at a price, which is how many lots of its level are not of others.
    #[inline]
    fn own_at(&self, side: Side, price: Price) -> Quantity {
        let here = |own: &&Own| own.price == price && own.side == side && matches!(own.stand, Stand::Queue);
        self.own.iter().filter(here).count() as Quantity
    }

    /// Our orders that stand before another one in its queue.
    fn own_before(&self, order: &RestingOrder) -> Vec<u32> {
        if self.own_at(order.side, order.price) == 0 {
            return Vec::new();
        }
        let before = self.book.orders_at(order.side, order.price).take_while(|other| other.id != order.id);
        before.filter(|other| other.own).map(|own| (u64::MAX - own.id) as u32).collect()
    }

    /// Forgets others; ours remember who stood before them.
    fn clear(&mut self) {
        for own in &mut self.own {
            match own.stand {
                Stand::Queue => {
                    let queue = self.book.orders_at(own.side, own.price).map(|order| order.id);
                    own.stand = Stand::Behind(queue.take_while(|&id| id != own.number()).collect());
                }
                Stand::Alone => own.stand = Stand::Last,
                Stand::Behind(_) | Stand::Last => {}
            }
        }
        self.book.clear();
    }

    /// Puts our orders to where they belong in a book that has become known.
    fn place_own(&mut self) {
        for own in &mut self.own {
            let after = match &own.stand {
                Stand::Queue | Stand::Alone => continue,
                Stand::Last => 0,
                Stand::Behind(before) => {
                    let queue = self.book.orders_at(own.side, own.price);
                    let is_behind = queue.map(|order| !before.contains(&order.id)).collect::<Vec<_>>();
                    is_behind.iter().rev().take_while(|&&behind| behind).count()
                }
            };
            let count = self.book.orders_at(own.side, own.price).count();
            let behind: Vec<_> = self.book.orders_at(own.side, own.price).skip(count - after).collect();
            own.stand = stand_at_end(&mut self.book, own.id, own.side, own.price);
            for order in behind {
                // Whoever goes and comes back is behind all others; both are possible, since it was there.
                if self.book.cancel(order.id).is_ok() {
                    let _ = self.book.add(order);
                }
            }
        }
    }
}

/// Puts an order of ours behind all others.
fn stand_at_end(book: &mut OrderBook, id: u32, side: Side, price: Price) -> Stand {
    let order = RestingOrder { id: number_of(id), side, price, quantity: 1, own: true };
    if book.add(order).is_ok() { Stand::Queue } else { Stand::Alone }
}

impl Book for OrdersOfAll {
    fn join(&mut self, id: u32, side: Side, price: Price, known: bool) {
        self.keep(|other| other != id);
        let stand = if known { stand_at_end(&mut self.book, id, side, price) } else { Stand::Last };
        self.own.push(Own { id, side, price, stand });
    }

    fn keep(&mut self, rests: impl Fn(u32) -> bool) {
        let book = &mut self.book;
        self.own.retain(|own| {
            let stays = rests(own.id);
            if !stays && matches!(own.stand, Stand::Queue) {
                // It stands there, so it can go.
                let _ = book.cancel(own.number());
            }
            stays
        });
    }

    fn ahead(&self, id: u32, _: f64) -> Option<f64> {
        match self.own.iter().find(|own| own.id == id)?.stand {
            Stand::Queue => {
                let ahead = self.book.queue_ahead(number_of(id)).ok()?;
                Some((ahead.quantity - ahead.own) as f64)
            }
            Stand::Alone => Some(0.0),
            Stand::Behind(_) | Stand::Last => None,
        }
    }
}

impl Depth for OrdersOfAll {
    #[inline]
    fn best(&self, side: Side) -> Option<Level> {
        if self.own.is_empty() { self.book.best(side) } else { self.levels(side).next() }
    }

    fn quantity_at(&self, side: Side, price: Price) -> Quantity {
        self.book.quantity_at(side, price) - self.own_at(side, price)
    }

    fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        let of_others = move |level: Level| Level::new(level.price, level.quantity - self.own_at(side, level.price));
        self.book.levels(side).map(of_others).filter(|level| level.quantity > 0)
    }

    fn count(&self, side: Side) -> usize {
        self.levels(side).count()
    }
}

impl Venue<OrdersOfAll> {
    /// One record of the instrument. It is a call of its own, so that it does not swell the loop that plays levels.
    #[inline(never)]
    pub fn play(&mut self, engine: &mut Engine, record: &Record) -> Result<()> {
        if is_of_order(record) {
            if self.idle { play_order(&mut self.book.book, self.known, record) } else { self.order(engine, record) }
        } else if record.is(self.rules.trades) {
            self.print(engine, record)
        } else {
            self.snapshot_of_orders(engine, record)
        }
    }

    /// A record of an order, where there are orders of ours.
    fn order(&mut self, engine: &mut Engine, record: &Record) -> Result<()> {
        let before = self.book.book.order(record.id).filter(|_| record.id < OURS);
        if self.known
            && record.is(EventKind::OrderFill)
            && let Some(maker) = &before
            && (1..=maker.quantity).contains(&record.quantity)
        {
            self.fill_before(engine, maker, record.quantity)?;
        }
        if !record.is(EventKind::OrderFill) {
            self.book.aggressor = None;
        }
        play_order(&mut self.book.book, self.known, record)?;
        if !self.known {
            return Ok(());
        }
        if let Some(before) = before {
            self.cut_taken_here(before.side, before.price);
        }
        if let Some(after) = self.book.book.order(record.id)
            && !record.is(EventKind::OrderFill)
        {
            self.cut_taken_here(after.side, after.price);
            if self.crosses_own(after.side, after.price) {
                self.cross(engine, after.side, after.price)?;
            }
        }
        if self.waiting.is_empty() { Ok(()) } else { self.trigger_by_best(engine) }
    }

    fn cut_taken_here(&mut self, side: Side, price: Price) {
        if !self.taken[place(side)].is_empty() {
            let displayed = self.book.quantity_at(side, price);
            self.cut_taken(side, price, displayed);
        }
    }

    /// An aggressor fills an order of others; whoever of ours stands before it would have been filled first. What an
    /// order of ours finds is what the aggressor filled behind it, less what it filled of ours already: so much less would
    /// have come to those behind.
    fn fill_before(&mut self, engine: &mut Engine, maker: &RestingOrder, quantity: Quantity) -> Result<()> {
        let (side, time_ns, mut rest) = (maker.side, engine.now_ns, quantity);
        let mut aggressor = match self.book.aggressor {
            Some(aggressor) if (aggressor.side, aggressor.time_ns) == (side, time_ns) => aggressor,
            _ => {
                self.queued[place(side)].iter_mut().for_each(|own| own.traded = 0);
                Aggressor { side, time_ns, taken: 0 }
            }
        };
        let before = self.book.own_before(maker);
        let mut at = 0;
        while let Some(own) = self.queued[place(side)].get_mut(at) {
            at += 1;
            let is_better = rank(side, own.price) < rank(side, maker.price);
            if !(is_better || before.contains(&own.id)) {
                break;
            }
            own.traded = own.traded.saturating_add(quantity);
            let (id, price, shown, left) = (own.id, own.price, own.shown, rest.min(own.traded - aggressor.taken));
            let most = if is_better || own.display == 0 { left } else { left.min(shown) };
            if most > 0 && engine.order(id).is_working() {
                let filled = self.fill_at_rest(engine, id, most, price)?;
                (aggressor.taken, rest) = (aggressor.taken + filled, rest - filled);
            }
        }
        self.book.aggressor = Some(aggressor);
        self.show_next_parts(engine);
        self.sweep(engine);
        Ok(())
    }

    /// A trade was printed: whom it filled, the records of orders say.
    fn print(&mut self, engine: &mut Engine, record: &Record) -> Result<()> {
        let Some((price, _)) = trade_of(record)? else { return Ok(()) };
        self.last_trade = price;
        if self.waiting.is_empty() { Ok(()) } else { self.trigger_by_trade(engine, price) }
    }

    #[cold]
    fn snapshot_of_orders(&mut self, engine: &mut Engine, record: &Record) -> Result<()> {
        if record.is(EventKind::SnapshotBegin) || record.is(EventKind::Resync) {
            self.book.aggressor = None;
            self.book.clear();
            self.known = false;
        } else if record.is(EventKind::SnapshotEnd) {
            self.book.aggressor = None;
            self.known = true;
            self.book.place_own();
            self.after_snapshot(engine)?;
        }
        Ok(())
    }
}
