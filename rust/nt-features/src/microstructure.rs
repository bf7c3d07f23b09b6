//! What quotes and trades say: pressure, the price of trading, and who knows more.

use serde::{Deserialize, Serialize};

use nt_core::elementary::exponential;

use crate::feature::{LARGEST, Stream, boxed};
use crate::kind::{Kind, RATIO, SAME, SERIES, made, on, real, whole, window};
use crate::pair::Cross;
use crate::returns::log_ratio;
use crate::window::{Fold, Sum, Window, larger, not_negative};
use crate::{Field, Input, Output, Parameter};

const fn given(name: &'static str) -> Input {
    Input { name, field: None }
}

const QUOTES: &[Input] = &[given("bid"), given("ask"), given("bid_size"), given("ask_size")];
const TRADES: &[Input] = &[given("quantity"), given("side")];
const N: &[Parameter] = &[window("n", 1, 20)];

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "amihud",
        &[on("close", Field::Close), on("volume", Field::Volume)],
        N,
        &[Output { name: "value", powers: &[-1, -1] }],
        |given| made(Amihud::new, given),
        "Illiquidity: mean of |return| over turnover, n bars.",
        "Yakov Amihud, 2002. A bar without turnover begins the window anew.",
    ),
    Kind::new(
        "corwin_schultz",
        &[on("high", Field::High), on("low", Field::Low)],
        N,
        RATIO,
        |given| made(CorwinSchultz::new, given),
        "Spread as a share of the price, from highs and lows.",
        "Corwin and Schultz, 2012: mean of n pairs of bars, negative ones as 0; gaps between bars are not corrected for.",
    ),
    Kind::new(
        "imbalance",
        &[given("bid_size"), given("ask_size")],
        &[],
        RATIO,
        |_| boxed(Imbalance),
        "Bid size less ask size over their sum, -1 to 1.",
        "NaN without any size.",
    ),
    Kind::new(
        "kyle_lambda",
        &[given("price"), given("quantity"), given("side")],
        &[window("n", 2, 100)],
        &[Output { name: "value", powers: &[1, -1] }],
        |given| made(KyleLambda::new, given),
        "Price change per unit of signed volume: slope of n trades.",
        "Albert Kyle, 1985, by least squares. NaN where signed volume is constant.",
    ),
    Kind::new(
        "microprice",
        QUOTES,
        &[],
        SAME,
        |_| boxed(Microprice),
        "Mid price weighted by the sizes of the other side.",
        "Gatheral and Oomen, 2010. NaN without any size.",
    ),
    Kind::new(
        "order_flow_imbalance",
        QUOTES,
        N,
        &[Output { name: "value", powers: &[0, 0, 1] }],
        |given| made(OrderFlowImbalance::new, given),
        "What was added to bids less what was added to asks, n quotes.",
        "Cont, Kukanov and Stoikov, 2014.",
    ),
    Kind::new(
        "roll_spread",
        SERIES,
        &[window("n", 2, 50)],
        SAME,
        |given| made(RollSpread::new, given),
        "Spread from the bounce of prices: 2 sqrt(-cov) of n changes.",
        "Richard Roll, 1984: sample covariance of a change and the one before. 0 where it is positive.",
    ),
    Kind::new(
        "trade_imbalance",
        TRADES,
        N,
        RATIO,
        |given| made(TradeImbalance::new, given),
        "Bought less sold over all traded, n trades, -1 to 1.",
        "Side is 1 for a buyer who took, -1 for a seller. NaN where nothing traded.",
    ),
    Kind::new(
        "vpin",
        TRADES,
        &[real("bucket", 1e-9, LARGEST, 1000.0), window("n", 1, 50)],
        RATIO,
        |given| boxed(Vpin::new(given[0], whole(given[1]))),
        "Mean |bought - sold| of the last n buckets of volume, 0 to 1.",
        "Easley, Lopez de Prado and O'Hara, 2012, with sides as given. NaN until n buckets are full.",
    ),
];

/// `(bid ask_size + ask bid_size) / (bid_size + ask_size)`.
#[derive(Serialize, Deserialize)]
struct Microprice;

impl Stream<4, 1> for Microprice {
    fn warmup(&self) -> usize {
        0
    }

    fn restart(&mut self) {}

    #[inline]
    fn update(&mut self, [bid, ask, bid_size, ask_size]: [f64; 4]) -> [f64; 1] {
        let size = bid_size + ask_size;
        // From the bid, so that a locked market has exactly its price.
        [if size > 0.0 { bid + (ask - bid) * (bid_size / size) } else { f64::NAN }]
    }
}

/// `(bid_size - ask_size) / (bid_size + ask_size)`.
#[derive(Serialize, Deserialize)]
struct Imbalance;

impl Stream<2, 1> for Imbalance {
    fn warmup(&self) -> usize {
        0
    }

    fn restart(&mut self) {}

    #[inline]
    fn update(&mut self, [bid_size, ask_size]: [f64; 2]) -> [f64; 1] {
        let size = bid_size + ask_size;
        [if size > 0.0 { (bid_size - ask_size) / size } else { f64::NAN }]
    }
}

/// The sum of `n` flows: of a side whose price got better its size, of one that got worse less the size before, otherwise the
/// difference; bids less asks.
#[derive(Serialize, Deserialize)]
struct OrderFlowImbalance {
    last: Option<[f64; 4]>,
    window: Window<Sum>,
}

impl OrderFlowImbalance {
    fn new(n: usize) -> Self {
        Self { last: None, window: Window::new(n) }
    }
}

/// What was added to a side, where `better` is by how much its price went up for bids and down for asks.
#[inline]
fn added(better: f64, size: f64, before: f64) -> f64 {
    let now = if better >= 0.0 { size } else { 0.0 };
    now - if better <= 0.0 { before } else { 0.0 }
}

impl Stream<4, 1> for OrderFlowImbalance {
    fn warmup(&self) -> usize {
        self.window.len()
    }

    fn restart(&mut self) {
        self.last = None;
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, row: [f64; 4]) -> [f64; 1] {
        let [bid, ask, bid_size, ask_size] = row;
        let Some([bid_before, ask_before, bid_size_before, ask_size_before]) = self.last.replace(row) else {
            return [f64::NAN];
        };
        let bids = added(bid - bid_before, bid_size, bid_size_before);
        let asks = added(ask_before - ask, ask_size, ask_size_before);
        [self.window.push(bids - asks).map_or(f64::NAN, |sum| sum.0)]
    }
}

/// Sums of a signed number and of its size.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Signed {
    net: f64,
    gross: f64,
}

impl Fold for Signed {
    type Item = (f64, f64);
    const EMPTY: Self = Self { net: 0.0, gross: 0.0 };

    #[inline]
    fn append(self, (net, gross): (f64, f64), _pivot: (f64, f64)) -> Self {
        Self { net: self.net + net, gross: self.gross + gross }
    }

    #[inline]
    fn joined(self, newer: Self) -> Self {
        Self { net: self.net + newer.net, gross: self.gross + newer.gross }
    }
}

/// `sum(side quantity) / sum(quantity)` of the last `n` trades.
#[derive(Serialize, Deserialize)]
struct TradeImbalance(Window<Signed>);

impl TradeImbalance {
    fn new(n: usize) -> Self {
        Self(Window::new(n))
    }
}

impl Stream<2, 1> for TradeImbalance {
    fn warmup(&self) -> usize {
        self.0.len() - 1
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    #[inline]
    fn update(&mut self, [quantity, side]: [f64; 2]) -> [f64; 1] {
        match self.0.push((side * quantity, quantity)) {
            Some(fold) if fold.gross > 0.0 => [fold.net / fold.gross],
            _ => [f64::NAN],
        }
    }
}

/// The mean of `|bought - sold| / bucket` over the last `n` buckets; trades are cut at the borders of buckets.
#[derive(Serialize, Deserialize)]
struct Vpin {
    bucket: f64,
    /// Volume of the bucket that is filling, and bought less sold of it.
    filled: f64,
    net: f64,
    window: Window<Sum>,
    value: f64,
}

impl Vpin {
    fn new(bucket: f64, n: usize) -> Self {
        Self { bucket, filled: 0.0, net: 0.0, window: Window::new(n), value: f64::NAN }
    }

    fn close_bucket(&mut self, net: f64) {
        if let Some(Sum(sum)) = self.window.push(net.abs() / self.bucket) {
            self.value = sum / self.window.len() as f64;
        }
    }
}

impl Stream<2, 1> for Vpin {
    fn warmup(&self) -> usize {
        0
    }

    fn restart(&mut self) {
        self.filled = 0.0;
        self.net = 0.0;
        self.window.restart();
        self.value = f64::NAN;
    }

    fn update(&mut self, [quantity, side]: [f64; 2]) -> [f64; 1] {
        let room = self.bucket - self.filled;
        if quantity < room {
            self.filled += quantity;
            self.net += side * quantity;
            return [self.value];
        }
        self.close_bucket(self.net + side * room);
        // Of the buckets that one trade fills alone, no more than a window of them matters, and they are alike.
        let more = (quantity - room) / self.bucket;
        let whole = if more < self.window.len() as f64 { more as usize } else { self.window.len() };
        for _ in 0..whole {
            self.close_bucket(side * self.bucket);
        }
        let rest = quantity - room - (more as u64) as f64 * self.bucket;
        self.filled = if rest > 0.0 && rest < self.bucket { rest } else { 0.0 };
        self.net = side * self.filled;
        [self.value]
    }
}

/// The slope of price changes on signed volume `side quantity`, over the last `n` trades.
#[derive(Serialize, Deserialize)]
struct KyleLambda {
    price: f64,
    window: Window<Cross>,
    count: f64,
}

impl KyleLambda {
    fn new(n: usize) -> Self {
        Self { price: f64::NAN, window: Window::new(n), count: n as f64 }
    }
}

impl Stream<3, 1> for KyleLambda {
    fn warmup(&self) -> usize {
        self.window.len()
    }

    fn restart(&mut self) {
        self.price = f64::NAN;
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [price, quantity, side]: [f64; 3]) -> [f64; 1] {
        let before = std::mem::replace(&mut self.price, price);
        if before.is_nan() {
            return [f64::NAN];
        }
        [self.window.push((price - before, side * quantity)).map_or(f64::NAN, |fold| fold.slope(self.count))]
    }
}

/// `2 sqrt(-cov(d[t], d[t-1]))` of the last `n` such pairs of changes `d`.
#[derive(Serialize, Deserialize)]
struct RollSpread {
    value: f64,
    change: f64,
    window: Window<Cross>,
    count: f64,
}

impl RollSpread {
    fn new(n: usize) -> Self {
        Self { value: f64::NAN, change: f64::NAN, window: Window::new(n), count: n as f64 }
    }
}

impl Stream<1, 1> for RollSpread {
    fn warmup(&self) -> usize {
        self.window.len() + 1
    }

    fn restart(&mut self) {
        self.value = f64::NAN;
        self.change = f64::NAN;
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let change = value - std::mem::replace(&mut self.value, value);
        let before = std::mem::replace(&mut self.change, change);
        if before.is_nan() {
            return [f64::NAN];
        }
        let fold = self.window.push((change, before));
        [fold.map_or(f64::NAN, |fold| 2.0 * not_negative(-fold.covariance(self.count)).sqrt())]
    }
}

/// The mean of `2 (e^a - 1) / (1 + e^a)` over the last `n` pairs of bars, negative ones as 0.
///
/// With `b = ln(h1/l1)^2 + ln(h2/l2)^2` and `g = ln(max(h1, h2) / min(l1, l2))^2` of a pair,
/// `a = (sqrt(2 b) - sqrt(b)) / (3 - 2 sqrt(2)) - sqrt(g / (3 - 2 sqrt(2)))`.
#[derive(Serialize, Deserialize)]
struct CorwinSchultz {
    high: f64,
    low: f64,
    window: Window<Sum>,
    count: f64,
}

impl CorwinSchultz {
    fn new(n: usize) -> Self {
        Self { high: f64::NAN, low: f64::NAN, window: Window::new(n), count: n as f64 }
    }

    #[inline]
    fn of_pair(&self, high: f64, low: f64) -> Option<f64> {
        let (first, second) = (log_ratio(self.high, self.low)?, log_ratio(high, low)?);
        let both = log_ratio(larger(self.high, high), -larger(-self.low, -low))?;
        let squares = first * first + second * second;
        let divisor = 3.0 - 2.0 * 2.0_f64.sqrt();
        let a = ((2.0 * squares).sqrt() - squares.sqrt()) / divisor - (both * both / divisor).sqrt();
        let power = exponential(a);
        Some(not_negative(2.0 * (power - 1.0) / (1.0 + power)))
    }
}

impl Stream<2, 1> for CorwinSchultz {
    fn warmup(&self) -> usize {
        self.window.len()
    }

    fn restart(&mut self) {
        self.high = f64::NAN;
        self.low = f64::NAN;
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [high, low]: [f64; 2]) -> [f64; 1] {
        let spread = self.of_pair(high, low);
        (self.high, self.low) = (high, low);
        let Some(spread) = spread else {
            self.window.restart();
            return [f64::NAN];
        };
        [self.window.push(spread).map_or(f64::NAN, |Sum(sum)| sum / self.count)]
    }
}

/// The mean of `|x[t] / x[t-1] - 1| / (x[t] volume)` over the last `n` bars.
#[derive(Serialize, Deserialize)]
struct Amihud {
    close: f64,
    window: Window<Sum>,
    count: f64,
}

impl Amihud {
    fn new(n: usize) -> Self {
        Self { close: f64::NAN, window: Window::new(n), count: n as f64 }
    }
}

impl Stream<2, 1> for Amihud {
    fn warmup(&self) -> usize {
        self.window.len()
    }

    fn restart(&mut self) {
        self.close = f64::NAN;
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [close, volume]: [f64; 2]) -> [f64; 1] {
        let before = std::mem::replace(&mut self.close, close);
        let turnover = close * volume;
        if before > 0.0 && turnover > 0.0 {
            let cost = (close / before - 1.0).abs() / turnover;
            return [self.window.push(cost).map_or(f64::NAN, |Sum(sum)| sum / self.count)];
        }
        self.window.restart();
        [f64::NAN]
    }
}
