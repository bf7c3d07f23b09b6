//! Markets as feeds record them: books that change, trades that take from them, snapshots, faults and odd clocks.

use std::collections::BTreeMap;

use nt_core::record::{ASK, BEFORE, BID, EventKind, UNSIZED};
use nt_core::{DAY_NS, Price, Quantity, Record, Side};
use nt_engine::Depth;

use super::draw::Draw;
use super::market_of_orders::Other;
use super::session::Shape;

/// Sessions begin shortly before a midnight, so that days end in them.
pub const START_NS: i64 = 19_000 * DAY_NS - 400;
/// Prices begin here, far above the longest trail.
pub const BASE: Price = 1_000;

/// What a feed writes of some instruments.
pub struct Tape {
    pub shape: Shape,
    pub depth: Depth,
    pub lots: Quantity,
    pub now_ns: i64,
    pub books: Vec<Market>,
    /// Numbers given to orders so far.
    pub numbers: u64,
    sources: Vec<Vec<Record>>,
    by_kind: bool,
    feed_ns: i64,
    odd_times: bool,
    timeless: bool,
}

/// The market of one instrument: what rests in it, and the price around which it does.
#[derive(Debug, Clone)]
pub struct Market {
    pub middle: Price,
    /// Bids and asks.
    pub levels: [BTreeMap<Price, Quantity>; 2],
    /// Orders of others where they are known, in the order of their arrival.
    pub orders: Vec<Other>,
}

pub fn place(side: Side) -> usize {
    usize::from(side == Side::Sell)
}

pub fn flag(side: Side) -> u8 {
    if side == Side::Buy { BID } else { ASK }
}

impl Market {
    /// The best price of a side, of those that a limit accepts.
    fn best(&self, side: Side) -> Option<Price> {
        let levels = &self.levels[place(side)];
        if side == Side::Buy { levels.keys().next_back() } else { levels.keys().next() }.copied()
    }
}

impl Tape {
    pub fn new(shape: Shape, depth: Depth, instruments: usize, draw: &mut Draw) -> Self {
        let market = Market { middle: BASE, levels: Default::default(), orders: Vec::new() };
        let sources = draw.pick(&[1, 1, 2]);
        let odd = if shape.apart || shape.plain { 0 } else { draw.below(8) };
        Tape {
            shape,
            depth,
            lots: draw.pick(&[3, 10, 40]),
            now_ns: START_NS,
            books: vec![market; instruments],
            numbers: 0,
            sources: vec![Vec::new(); sources],
            by_kind: draw.one_in(2),
            feed_ns: draw.pick(&[0, 0, 10, 70]),
            odd_times: odd == 6,
            timeless: odd == 7,
        }
    }

    pub fn into_sources(self) -> Vec<Vec<Record>> {
        self.sources
    }

    /// Something happens, and the feed says so.
    pub fn step(&mut self, mut draw: Draw) {
        self.now_ns += draw.pick(&[10, 10, 0, 20, 200]);
        let k = draw.below(self.books.len() as u64) as usize;
        if self.depth == Depth::Orders {
            return self.step_of_orders(k, draw);
        }
        match draw.below(12) {
            0..=4 => self.change_level(k, &mut draw),
            5..=8 => self.trade(k, &mut draw),
            9 if !self.shape.faithful => self.lone_print(k, &mut draw),
            10 if !self.shape.faithful => {
                self.books[k].middle += draw.around(4);
                self.change_level(k, &mut draw);
            }
            11 if !self.shape.plain => self.fault(k, &mut draw),
            _ => self.change_level(k, &mut draw),
        }
        if self.depth == Depth::Quotes || draw.one_in(8) {
            self.quote(k, &mut draw);
        }
    }

    /// A price of a side, near the middle and not beyond it.
    pub fn near(&self, k: usize, side: Side, draw: &mut Draw) -> Price {
        let distance = draw.between(0, 3);
        self.books[k].middle + if side == Side::Buy { -distance } else { 1 + distance }
    }

    fn change_level(&mut self, k: usize, draw: &mut Draw) {
        let side = draw.pick(&[Side::Buy, Side::Sell]);
        let price = self.near(k, side, draw);
        let before = self.books[k].levels[place(side)].get(&price).copied().unwrap_or(0);
        let drawn = draw.between(1, self.lots);
        let new = match draw.below(4) {
            _ if self.shape.faithful => before + drawn,
            3 => 0,
            _ => drawn,
        };
        self.set(k, side, price, new);
        // Now and then the feed is late in saying what crossed.
        if draw.below(6) < 5 {
            self.uncross(k, side);
        }
    }

    /// Takes away what crosses the best price of a side, as a venue would have matched it.
    fn uncross(&mut self, k: usize, side: Side) {
        let other = side.opposite();
        while let (Some(best), Some(met)) = (self.books[k].best(side), self.books[k].best(other)) {
            if !side.accepts(met, best, false) {
                break;
            }
            self.set(k, other, met, 0);
        }
    }

    fn set(&mut self, k: usize, side: Side, price: Price, quantity: Quantity) {
        let levels = &mut self.books[k].levels[place(side)];
        if quantity > 0 {
            levels.insert(price, quantity);
        } else {
            levels.remove(&price);
        }
        self.write(k, EventKind::Level, price, quantity, flag(side), 0);
    }

    /// An aggressor takes from the book; the feed says what is left after that, or before it, or never.
    fn trade(&mut self, k: usize, draw: &mut Draw) {
        let side = draw.pick(&[Side::Buy, Side::Sell]);
        let mut wanted = draw.between(1, 2 * self.lots);
        let mut hit = Vec::new();
        for (&price, &quantity) in &self.books[k].levels[place(side)] {
            hit.push((price, quantity));
        }
        if side == Side::Buy {
            hit.reverse();
        }
        for level in &mut hit {
            let here = wanted.min(level.1);
            wanted -= here;
            *level = (level.0, here);
        }
        hit.retain(|level| level.1 > 0);
        let left = |tape: &Self, price| tape.books[k].levels[place(side)].get(&price).copied().unwrap_or(0);
        let after: Vec<_> = hit.iter().map(|&(price, here)| (price, left(self, price) - here)).collect();
        let says = if self.shape.faithful { 0 } else { draw.below(5) };
        let aggressor = if self.shape.plain || !draw.one_in(6) { flag(side.opposite()) } else { 0 };
        if says == 3 {
            after.iter().for_each(|&(price, quantity)| self.set(k, side, price, quantity));
        }
        hit.iter().for_each(|&(price, here)| self.print(k, price, here, aggressor, draw));
        if says < 3 {
            after.iter().for_each(|&(price, quantity)| self.set(k, side, price, quantity));
        }
    }

    pub fn print(&mut self, k: usize, price: Price, quantity: Quantity, flags: u8, draw: &mut Draw) {
        self.write(k, EventKind::Trade, price, quantity, flags, 0);
        if draw.one_in(2) {
            self.write(k, EventKind::AggregateTrade, price, quantity, flags, 0);
        }
    }

    /// A trade of which the book knows nothing.
    pub fn lone_print(&mut self, k: usize, draw: &mut Draw) {
        let side = draw.pick(&[Side::Buy, Side::Sell]);
        let price = self.near(k, side, draw) + draw.around(1);
        let flags = match draw.below(6) {
            4 if !self.shape.plain => 0,
            5 => flag(side.opposite()) | BEFORE,
            _ => flag(side.opposite()),
        };
        let quantity = draw.between(0, self.lots);
        self.print(k, price, quantity, flags, draw);
    }

    fn fault(&mut self, k: usize, draw: &mut Draw) {
        match draw.below(4) {
            0 => self.snapshot(k, true, draw),
            1 => {
                self.write(k, EventKind::Resync, 0, 0, 0, 0);
                self.change_level(k, draw);
                self.trade(k, draw);
                self.snapshot(k, draw.one_in(2), draw);
            }
            2 => {
                let kind = draw.pick(&[EventKind::Gap, EventKind::Status, EventKind::SnapshotEnd, EventKind::OrderAdd]);
                self.write(k, kind, 3, 9, BID, 0);
            }
            // A bid that crosses, and stays.
            _ => {
                let price = self.books[k].middle + draw.between(1, 3);
                self.set(k, Side::Buy, price, 2);
            }
        }
    }

    /// The book as it is, once levels have come and gone unsaid.
    fn snapshot(&mut self, k: usize, begins: bool, draw: &mut Draw) {
        if begins {
            self.write(k, EventKind::SnapshotBegin, 0, 0, 0, 0);
        }
        let (side, lots) = (draw.pick(&[Side::Buy, Side::Sell]), self.lots);
        let price = self.near(k, side, draw);
        self.books[k].levels[place(side)].insert(price, draw.between(1, lots));
        for side in [Side::Buy, Side::Sell] {
            for (price, quantity) in self.books[k].levels[place(side)].clone() {
                self.write(k, EventKind::SnapshotLevel, price, quantity, flag(side), 0);
            }
        }
        self.write(k, EventKind::SnapshotEnd, 0, 0, 0, 0);
    }

    /// The best prices as they are, now and then without their sizes.
    fn quote(&mut self, k: usize, draw: &mut Draw) {
        let unsized_side = draw.below(24);
        for (at, side) in [Side::Buy, Side::Sell].into_iter().enumerate() {
            let best = self.books[k].best(side);
            let quantity = best.and_then(|price| self.books[k].levels[at].get(&price).copied()).unwrap_or(0);
            let more = if best.is_some() && unsized_side == 22 + at as u64 { UNSIZED } else { 0 };
            self.write(k, EventKind::Quote, best.unwrap_or(0), quantity, flag(side) | more, 0);
        }
    }

    pub fn write(&mut self, k: usize, kind: EventKind, price: Price, quantity: Quantity, flags: u8, id: u64) {
        if self.shape.apart {
            self.now_ns += 10;
        }
        let is_trade = matches!(kind, EventKind::Trade | EventKind::AggregateTrade);
        let second = if self.by_kind { is_trade } else { k % 2 == 1 };
        let count = self.sources.len();
        let source = &mut self.sources[usize::from(second) % count];
        let at = source.len();
        let (mut event_ns, mut recv_ns) = (self.now_ns, self.now_ns + self.feed_ns + (at % 3) as i64);
        if self.odd_times {
            event_ns = [event_ns, 0, event_ns - 25, event_ns, event_ns + 15][at % 5];
            recv_ns = [recv_ns, 0, recv_ns - 35, recv_ns + 90, recv_ns, recv_ns, recv_ns][at % 7];
        }
        if self.timeless {
            event_ns = 0;
        }
        source.push(Record {
            ts_event_ns: event_ns,
            ts_recv_ns: recv_ns,
            price,
            quantity,
            id,
            sequence: at as u32,
            instrument: k as u16,
            kind: kind as u8,
            flags,
        });
    }
}
