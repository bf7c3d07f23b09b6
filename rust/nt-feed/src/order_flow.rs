//! A market of random orders: every order, cancellation and trade of a limit order book, as an L3 feed would tell them.
//!
//! The model is that of R. Cont, S. Stoikov and R. Talreja, *A stochastic model for order book dynamics*, Operations
//! Research 58 (2010). All waits are exponential and independent: on each side, limit orders come at a distance of `i`
//! ticks from the best price of the other side at the rate `limit_rate / i^decay`; market orders come at `market_rate`;
//! and every resting order is cancelled at `cancel_rate`, near the market and far from it. With a `decay` of 0 this is,
//! on a band of prices, the model of M. G. Daniels, J. D. Farmer, L. Gillemot, G. Iori and E. Smith, *Quantitative model
//! of price diffusion and market impact based on trading as a mechanistic random process*, Physical Review Letters 90
//! (2003). Both papers have one size for all orders; here sizes are geometric, and a mean of one lot is theirs.
//!
//! Laws: a seed and a name give one stream, to the last bit on every machine, however it is read; its orders never cross
//! and no price falls below one tick; what one action causes has one time and ends with the flag `LAST`; memory holds the
//! resting orders and no history.

use nt_book::{Depth, OrderBook, RestingOrder, Side};
use nt_core::elementary::{exponential, logarithm};
use nt_core::{Price, Quantity};

use crate::event::{ASK, BID, Event, EventKind, LAST};
use crate::random::Random;

/// Changes with every change of what a seed gives.
pub const VERSION: u32 = 1;

/// The largest distance of a limit order, in ticks.
const REACH_MAX: u32 = 10_000;
/// Orders that may be expected to rest at once: what bounds the memory of a stream.
const RESTING_MAX: f64 = 1_000_000.0;
/// Prices from which a stream may begin.
const START_MAX: Price = 1 << 40;

/// The rates of the model, per second, and the sizes of its orders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrderFlow {
    /// Limit orders in a second, on each side, one tick from the best price of the other side.
    pub limit_rate: f64,
    /// How the rate falls with the distance: it is divided by the distance to this power.
    pub decay: f64,
    /// The largest distance at which limit orders come, in ticks.
    pub reach: u32,
    /// Market orders in a second, on each side.
    pub market_rate: f64,
    /// The share of resting orders that is cancelled in a second: an order is kept for one over this on average.
    pub cancel_rate: f64,
    /// Mean size of limit orders in lots; sizes are geometric, from one lot on.
    pub limit_size: f64,
    /// Mean size of market orders in lots.
    pub market_size: f64,
}

impl OrderFlow {
    /// The rate at which limit orders come at a distance of so many ticks, on each side.
    pub fn limit_rate_at(&self, distance: u32) -> f64 {
        self.limit_rate * exponential(-self.decay * logarithm(f64::from(distance)))
    }

    /// What keeps these numbers from being a market.
    fn refused(&self) -> Option<String> {
        let ranges = [
            ("limit_rate", self.limit_rate, 1e-6, 1e6),
            ("decay", self.decay, 0.0, 10.0),
            ("reach", f64::from(self.reach), 1.0, f64::from(REACH_MAX)),
            ("market_rate", self.market_rate, 0.0, 1e6),
            ("cancel_rate", self.cancel_rate, 1e-6, 1e6),
            ("limit_size", self.limit_size, 1.0, 1e6),
            ("market_size", self.market_size, 1.0, 1e6),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Some(format!("{name} {value} makes no market; it is a number from {least} to {most}"));
            }
        }
        let resting = 2.0 * self.rates().last()? / self.cancel_rate;
        (resting > RESTING_MAX).then(|| {
            format!("{resting:.0} orders would rest at once; ask for fewer limit orders or more cancellations")
        })
    }

    /// The rate of limit orders up to each distance, on each side.
    fn rates(&self) -> Vec<f64> {
        let mut sum = 0.0;
        (1..=self.reach)
            .map(|distance| {
                sum += self.limit_rate_at(distance);
                sum
            })
            .collect()
    }
}

/// A stream of records of one instrument, numbered 0: a snapshot of the book at the beginning, then what happens.
///
/// Orders and trades are numbered from 1. A market order is told, price by price, as its trade (the side is that of
/// who took) and the fills of the orders that it met (the side is theirs); what it does not find is lost. An order that
/// is filled to the last lot is gone without a further record.
#[derive(Clone, Debug)]
pub struct OrderStream {
    flow: OrderFlow,
    rates: Vec<f64>,
    random: Random,
    book: OrderBook,
    /// Orders whose time to be cancelled still runs. That of a filled order runs on and ends without effect, which
    /// leaves the rates as they are and spares the search for its place.
    clocks: Vec<u64>,
    /// The price that each side had last when it ran empty.
    last_best: [Price; 2],
    now_ns: i64,
    end_ns: i64,
    /// The part of a nanosecond that the clock does not show.
    part_ns: f64,
    orders: u64,
    trades: u64,
    sequence: u32,
    /// Records of the present action, and how many of them were handed out.
    action: Vec<Event>,
    taken: usize,
}

impl OrderStream {
    /// A stream around a price in ticks, from `start_ns` until before `end_ns`.
    ///
    /// # Errors
    /// One line about the parameter that makes no market.
    pub fn new(
        flow: OrderFlow,
        seed: u64,
        name: &str,
        start: Price,
        (start_ns, end_ns): (i64, i64),
    ) -> Result<Self, String> {
        if let Some(refused) = flow.refused() {
            return Err(refused);
        }
        if !(1..=START_MAX).contains(&start) {
            return Err(format!("a price of {start} ticks makes no market; it is a number from 1 to {START_MAX}"));
        }
        let mut stream = Self {
            flow,
            rates: flow.rates(),
            random: Random::keyed(seed, name),
            book: OrderBook::with_window(4 * flow.reach as usize),
            clocks: Vec::new(),
            last_best: [start, start + 1],
            now_ns: start_ns,
            end_ns,
            part_ns: 0.0,
            orders: 0,
            trades: 0,
            sequence: 0,
            action: Vec::new(),
            taken: 0,
        };
        stream.snapshot(start);
        Ok(stream)
    }

    /// The book after the records of all actions so far, the present one included.
    pub fn book(&self) -> &OrderBook {
        &self.book
    }

    /// Orders as they rest where trades are rare: as many at a price as a Poisson number with the mean of what comes in
    /// over what goes. The best bid is the price of the start.
    fn snapshot(&mut self, start: Price) {
        self.tell(EventKind::SnapshotBegin, 0, 0, 0, 0);
        for distance in 1..=self.flow.reach {
            let mean = self.flow.limit_rate_at(distance) / self.flow.cancel_rate;
            for (side, price) in
                [(Side::Buy, start + 1 - Price::from(distance)), (Side::Sell, start + Price::from(distance))]
            {
                let count = self.poisson(mean).max(u64::from(distance == 1));
                for _ in 0..count {
                    self.rest(side, price);
                }
            }
        }
        self.tell(EventKind::SnapshotEnd, 0, 0, 0, 0);
        self.end_action();
    }

    /// One action, unless the end comes before; it may have no effect.
    fn act(&mut self) {
        let limits = self.rates.last().copied().unwrap_or_default();
        let markets = self.flow.market_rate;
        let cancels = self.flow.cancel_rate * self.clocks.len() as f64;
        let total = 2.0 * (limits + markets) + cancels;
        self.wait(total);
        if self.now_ns >= self.end_ns {
            return;
        }
        let drawn = self.random.uniform() * total;
        match drawn {
            limit if limit < limits => self.limit(Side::Buy),
            limit if limit < 2.0 * limits => self.limit(Side::Sell),
            market if market < 2.0 * limits + markets => self.market(Side::Buy),
            market if market < 2.0 * (limits + markets) => self.market(Side::Sell),
            _ => self.cancel(),
        }
        self.end_action();
    }

    fn wait(&mut self, rate: f64) {
        let wait_ns = self.part_ns + self.exponential() / rate * 1e9;
        let whole_ns = wait_ns.floor();
        self.part_ns = wait_ns - whole_ns;
        self.now_ns = self.now_ns.saturating_add(whole_ns as i64);
    }

    /// A limit order comes.
    fn limit(&mut self, side: Side) {
        let other = side.opposite();
        let best = self.book.best(other).map_or(self.last_best[place(other)], |level| level.price);
        let all = self.rates.last().copied().unwrap_or_default();
        let drawn = self.random.uniform() * all;
        let nearer = self.rates.partition_point(|&rate| rate <= drawn).min(self.rates.len() - 1);
        self.rest(side, best - side.sign() * (nearer as Price + 1));
    }

    /// An order rests, unless its price is none.
    fn rest(&mut self, side: Side, price: Price) {
        let quantity = self.geometric(self.flow.limit_size);
        let order = RestingOrder { id: self.orders + 1, side, price, quantity, own: false };
        if price < 1 || self.book.add(order).is_err() {
            return;
        }
        self.orders += 1;
        self.clocks.push(order.id);
        self.tell(EventKind::OrderAdd, flag(side), price, quantity, order.id);
    }

    /// A market order comes, and takes what there is.
    fn market(&mut self, side: Side) {
        let mut wanted = self.geometric(self.flow.market_size);
        while wanted > 0 {
            let Some(level) = self.book.best(side.opposite()) else { return };
            let traded = wanted.min(level.quantity);
            wanted -= traded;
            self.trades += 1;
            self.tell(EventKind::Trade, flag(side), level.price, traded, self.trades);
            self.fill(side.opposite(), level.price, traded);
        }
    }

    /// Orders at the best price are filled, the first first.
    fn fill(&mut self, side: Side, price: Price, mut quantity: Quantity) {
        while quantity > 0 {
            let Some(first) = self.book.orders_at(side, price).next() else { return };
            let filled = quantity.min(first.quantity);
            if self.book.fill(first.id, filled).is_err() {
                return;
            }
            quantity -= filled;
            self.tell(EventKind::OrderFill, flag(side), price, filled, first.id);
        }
        self.left(side, price);
    }

    /// The time of an order has come.
    fn cancel(&mut self) {
        let drawn = (self.random.uniform() * self.clocks.len() as f64) as usize;
        if drawn >= self.clocks.len() {
            return;
        }
        let id = self.clocks.swap_remove(drawn);
        if let Ok(order) = self.book.cancel(id) {
            self.left(order.side, order.price);
            self.tell(EventKind::OrderDelete, flag(order.side), order.price, order.quantity, id);
        }
    }

    /// Remembers the price of a side that ran empty.
    fn left(&mut self, side: Side, price: Price) {
        if self.book.best(side).is_none() {
            self.last_best[place(side)] = price;
        }
    }

    fn tell(&mut self, kind: EventKind, flags: u8, price: Price, quantity: Quantity, id: u64) {
        let (now, sequence) = (self.now_ns, self.sequence);
        let event = Event { ts_event_ns: now, price, quantity, id, sequence, flags, ..Event::bare(kind, 0, now) };
        self.sequence = sequence.wrapping_add(1);
        self.action.push(event);
    }

    fn end_action(&mut self) {
        if let Some(last) = self.action.last_mut() {
            last.flags |= LAST;
        }
    }

    /// An exponential number with mean 1.
    fn exponential(&mut self) -> f64 {
        -logarithm(1.0 - self.random.uniform())
    }

    /// A number of 1, 2, ... with this mean, each as probable as one more failure: the whole part of an exponential.
    fn geometric(&mut self, mean: f64) -> Quantity {
        if mean <= 1.0 {
            return 1;
        }
        let rate = -logarithm(1.0 - 1.0 / mean);
        1 + (self.exponential() / rate) as Quantity
    }

    /// A Poisson number, by counting exponential waits.
    fn poisson(&mut self, mean: f64) -> u64 {
        let mut waited = self.exponential();
        let mut count = 0;
        while waited < mean {
            count += 1;
            waited += self.exponential();
        }
        count
    }
}

impl Iterator for OrderStream {
    type Item = Event;

    #[inline]
    fn next(&mut self) -> Option<Event> {
        if self.taken == self.action.len() {
            self.action.clear();
            self.taken = 0;
            while self.action.is_empty() {
                if self.now_ns >= self.end_ns {
                    return None;
                }
                self.act();
            }
        }
        self.taken += 1;
        self.action.get(self.taken - 1).copied()
    }
}

fn flag(side: Side) -> u8 {
    match side {
        Side::Buy => BID,
        Side::Sell => ASK,
    }
}

fn place(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}
