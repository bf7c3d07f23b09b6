//! What is measured on a book at one moment; prices in ticks, quantities in lots.
//!
//! Sums of counts are exact integers and become floats once, so a measure does not depend on how a book got there.
//! `b` and `a` are the best bid and ask prices, `B` and `A` the quantities there. A measure that a book cannot answer,
//! such as the mid of an empty side, is `None` here and NaN in a column. Nothing is assumed about `b < a`.

use nt_core::{Price, Quantity, Side};

use crate::{BookError, Depth, Level};

/// The best bid and ask.
pub(crate) type Touch = (Option<Level>, Option<Level>);

pub(crate) fn touch(book: &impl Depth) -> Touch {
    (book.best(Side::Buy), book.best(Side::Sell))
}

/// A whole number as the nearest float; the short way is one instruction.
#[inline]
pub(crate) fn float(number: i128) -> f64 {
    match i64::try_from(number) {
        Ok(short) => short as f64,
        Err(_) => float_of_long(number),
    }
}

/// It stays a call of its own: otherwise the compiler sees that both ways agree, and always takes this one.
#[cold]
#[inline(never)]
fn float_of_long(number: i128) -> f64 {
    number as f64
}

/// Mid price, `(b + a) / 2`.
pub fn mid(book: &impl Depth) -> Option<f64> {
    mid_of(touch(book))
}

#[inline]
pub(crate) fn mid_of(touch: Touch) -> Option<f64> {
    let (bid, ask) = (touch.0?, touch.1?);
    Some((bid.price + ask.price) as f64 / 2.0)
}

/// Quoted spread, `a - b`; negative in a crossed book.
pub fn spread(book: &impl Depth) -> Option<f64> {
    spread_of(touch(book))
}

#[inline]
fn spread_of(touch: Touch) -> Option<f64> {
    Some((touch.1?.price - touch.0?.price) as f64)
}

/// Weighted mid, `(b A + a B) / (A + B)`: each price by the quantity on the *other* side, so that a heavy bid pulls the
/// value towards the ask.
///
/// S. Stoikov, "The micro-price: a high-frequency estimator of future prices", Quantitative Finance 18 (2018), where it
/// is `I a + (1 - I) b` with `I = B / (A + B)`. Many call it microprice; Stoikov's own micro-price is an estimate from
/// data that starts from it.
pub fn weighted_mid(book: &impl Depth) -> Option<f64> {
    weighted_mid_of(touch(book))
}

#[inline]
fn weighted_mid_of(touch: Touch) -> Option<f64> {
    let (bid, ask) = (touch.0?, touch.1?);
    weigh(bid.price, ask.quantity, ask.price, bid.quantity)
}

/// Size-weighted touch, `(b B + a A) / (B + A)`: each price by its *own* quantity, the average price of what rests at the
/// touch. It leans the other way than [`weighted_mid`].
pub fn size_weighted_touch(book: &impl Depth) -> Option<f64> {
    size_weighted_touch_of(touch(book))
}

#[inline]
fn size_weighted_touch_of(touch: Touch) -> Option<f64> {
    let (bid, ask) = (touch.0?, touch.1?);
    weigh(bid.price, bid.quantity, ask.price, ask.quantity)
}

/// `(x v + y w) / (v + w)` with exact sums; prices below 2^53 and quantities below 2^63 cannot leave 128 bits.
#[inline]
fn weigh(x: Price, v: Quantity, y: Price, w: Quantity) -> Option<f64> {
    let worth = i128::from(x) * i128::from(v) + i128::from(y) * i128::from(w);
    Some(float(worth) / float(i128::from(v) + i128::from(w)))
}

/// Imbalance of the best `levels` levels, `(SB - SA) / (SB + SA)` with the sums of their quantities: 1 is all bids, -1
/// all asks.
///
/// With one level: M. Gould, J. Bonart, "Queue imbalance as a one-tick-ahead price predictor in a limit order book" (2016);
/// with several: Á. Cartea, S. Jaimungal, J. Penalva, "Algorithmic and High-Frequency Trading" (2015).
pub fn imbalance(book: &impl Depth, levels: usize) -> Option<f64> {
    let sum = |side| book.levels(side).take(levels).map(|level| i128::from(level.quantity)).sum::<i128>();
    balance(sum(Side::Buy), sum(Side::Sell))
}

#[inline]
fn imbalance_of(touch: Touch) -> Option<f64> {
    let quantity = |level: Option<Level>| level.map_or(0, |level| i128::from(level.quantity));
    balance(quantity(touch.0), quantity(touch.1))
}

#[inline]
fn balance(bids: i128, asks: i128) -> Option<f64> {
    (bids + asks > 0).then(|| float(bids - asks) / float(bids + asks))
}

/// Depth of a side within `basis_points` of the mid `m`: what is bid at prices `p >= m - |m| x / 10000`, or asked at
/// `p <= m + |m| x / 10000`.
///
/// H. Degryse, F. de Jong, V. van Kervel, "The impact of dark trading and visible fragmentation on market quality", Review
/// of Finance 19 (2015), where it is `Depth(X)`, there in money.
pub fn depth_within(book: &impl Depth, side: Side, basis_points: f64) -> Option<f64> {
    Some(depth_around(book, mid(book)?, side, basis_points))
}

fn depth_around(book: &impl Depth, mid: f64, side: Side, basis_points: f64) -> f64 {
    float(book.quantity_up_to(side, last_within(mid, side, basis_points)))
}

/// The last price of a side within a distance of the mid. Prices are exact as floats, so it says the same as comparing
/// each.
#[inline]
pub(crate) fn last_within(mid: f64, side: Side, basis_points: f64) -> Price {
    let reach = mid.abs() * basis_points / 10_000.0;
    match side {
        Side::Buy => (mid - reach).ceil() as Price,
        Side::Sell => (mid + reach).floor() as Price,
    }
}

/// What an order that takes from a book gets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How much of it the book can fill, in lots.
    pub filled: Quantity,
    /// Price times quantity of these fills, in ticks times lots.
    pub notional: i128,
    /// The price of the last of them, the worst, in ticks.
    pub last: Option<Price>,
}

impl Taken {
    /// The average price of the fills in ticks.
    pub fn average(&self) -> Option<f64> {
        (self.filled > 0).then(|| float(self.notional) / float(i128::from(self.filled)))
    }
}

/// Cost to fill: walks the book from the best price as a market order of `side` would, a buy through the asks.
///
/// The notional is `sum p min(q, rest)`. The distance between its averages of both sides is the cost of a round trip of
/// P. Irvine, G. Benston, E. Kandel, "Liquidity beyond the inside spread" (2000), which also is what the XLM of Xetra
/// measures.
pub fn to_fill(book: &impl Depth, side: Side, quantity: Quantity) -> Taken {
    let mut taken = Taken { filled: 0, notional: 0, last: None };
    for level in book.levels(side.opposite()) {
        let rest = quantity - taken.filled;
        if rest <= 0 {
            break;
        }
        let here = rest.min(level.quantity);
        taken.filled += here;
        taken.notional += i128::from(level.price) * i128::from(here);
        taken.last = Some(level.price);
    }
    taken
}

/// Slope of a side: how many lots more rest per tick of distance from the mid. With `Q_k` the quantity up to level `k`
/// and `d_k = |p_k - mid|`, it is `sum d_k Q_k / sum d_k^2` over the best `levels` levels, the least-squares line through
/// the mid.
///
/// It is the density of the block-shaped book of A. Obizhaeva, J. Wang, "Optimal trading strategy and supply/demand
/// dynamics", Journal of Financial Markets 16 (2013); its inverse is the price impact per lot (A. Kyle, Econometrica 53,
/// 1985).
pub fn slope(book: &impl Depth, side: Side, levels: usize) -> Option<f64> {
    slope_from(book, mid(book)?, side, levels)
}

fn slope_from(book: &impl Depth, mid: f64, side: Side, levels: usize) -> Option<f64> {
    let (mut up_to_here, mut across, mut squares) = (0_i128, 0.0, 0.0);
    for level in book.levels(side).take(levels) {
        up_to_here += i128::from(level.quantity);
        let distance = (level.price as f64 - mid).abs();
        across += distance * float(up_to_here);
        squares += distance * distance;
    }
    (squares > 0.0).then(|| across / squares)
}

/// Order flow imbalance, one contribution per state of the book:
/// `e = [b >= b'] B - [b <= b'] B' - [a <= a'] A + [a >= a'] A'`, where a prime is the state before. Its sum over an
/// interval is the measure of R. Cont, A. Kukanov, S. Stoikov, "The price impact of order book events", Journal of
/// Financial Econometrics 12 (2014), equation 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct OrderFlow {
    before: Option<(Level, Level)>,
}

impl OrderFlow {
    /// Takes the next state and returns its contribution in lots; `None` where one of the two states lacks a side.
    #[inline]
    pub fn update(&mut self, bid: Option<Level>, ask: Option<Level>) -> Option<f64> {
        let now = bid.zip(ask);
        let before = std::mem::replace(&mut self.before, now);
        let ((bid, ask), (bid_before, ask_before)) = (now?, before?);
        let when = |holds: bool, quantity: Quantity| if holds { i128::from(quantity) } else { 0 };
        Some(float(
            when(bid.price >= bid_before.price, bid.quantity)
                - when(bid.price <= bid_before.price, bid_before.quantity)
                - when(ask.price <= ask_before.price, ask.quantity)
                + when(ask.price >= ask_before.price, ask_before.quantity),
        ))
    }
}

/// How measures are written, with their parameters.
pub(crate) const NAMES: [&str; 17] = [
    "best_bid",
    "best_ask",
    "bid_quantity",
    "ask_quantity",
    "mid",
    "spread",
    "weighted_mid",
    "size_weighted_touch",
    "imbalance(levels)",
    "bid_depth_within(basis_points)",
    "ask_depth_within(basis_points)",
    "buy_average(quantity)",
    "sell_average(quantity)",
    "buy_last(quantity)",
    "sell_last(quantity)",
    "bid_slope(levels) ask_slope(levels)",
    "order_flow",
];

/// How far a measure looks into a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Not at all.
    Nothing,
    /// Over so many levels.
    Levels(usize),
    /// Until so much has been seen.
    Lots(Quantity),
}

/// A measure by name, for columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// The best price of a side.
    Best(Side),
    /// The quantity at the best price of a side.
    BestQuantity(Side),
    /// [`mid`].
    Mid,
    /// [`spread`].
    Spread,
    /// [`weighted_mid`].
    WeightedMid,
    /// [`size_weighted_touch`].
    SizeWeightedTouch,
    /// [`imbalance`] over so many levels.
    Imbalance(usize),
    /// [`depth_within`] so many basis points.
    DepthWithin(Side, f64),
    /// The average price of [`to_fill`], where the book can fill the whole quantity.
    FillAverage(Side, Quantity),
    /// The last price of [`to_fill`], where the book can fill the whole quantity.
    FillLast(Side, Quantity),
    /// [`slope`] over so many levels.
    Slope(Side, usize),
    /// [`OrderFlow`]; it compares two moments, so a single one has no value.
    OrderFlow,
}

impl Measure {
    /// The measure of this name with these parameters.
    ///
    /// # Errors
    /// [`BookError::UnknownMeasure`] and [`BookError::Parameter`].
    pub fn named(name: &str, parameters: &[f64]) -> Result<Self, BookError> {
        let measure = match (name, parameters) {
            ("best_bid", []) => Self::Best(Side::Buy),
            ("best_ask", []) => Self::Best(Side::Sell),
            ("bid_quantity", []) => Self::BestQuantity(Side::Buy),
            ("ask_quantity", []) => Self::BestQuantity(Side::Sell),
            ("mid", []) => Self::Mid,
            ("spread", []) => Self::Spread,
            ("weighted_mid", []) => Self::WeightedMid,
            ("size_weighted_touch", []) => Self::SizeWeightedTouch,
            ("imbalance", &[levels]) => Self::Imbalance(whole("imbalance", levels)? as usize),
            ("bid_depth_within", &[reach]) => Self::DepthWithin(Side::Buy, positive("bid_depth_within", reach)?),
            ("ask_depth_within", &[reach]) => Self::DepthWithin(Side::Sell, positive("ask_depth_within", reach)?),
            ("buy_average", &[lots]) => Self::FillAverage(Side::Buy, whole("buy_average", lots)?),
            ("sell_average", &[lots]) => Self::FillAverage(Side::Sell, whole("sell_average", lots)?),
            ("buy_last", &[lots]) => Self::FillLast(Side::Buy, whole("buy_last", lots)?),
            ("sell_last", &[lots]) => Self::FillLast(Side::Sell, whole("sell_last", lots)?),
            ("bid_slope", &[levels]) => Self::Slope(Side::Buy, whole("bid_slope", levels)? as usize),
            ("ask_slope", &[levels]) => Self::Slope(Side::Sell, whole("ask_slope", levels)? as usize),
            ("order_flow", []) => Self::OrderFlow,
            _ => {
                let given: Vec<String> = parameters.iter().map(f64::to_string).collect();
                let name = if given.is_empty() { name.to_owned() } else { format!("{name}({})", given.join(", ")) };
                return Err(BookError::UnknownMeasure { name });
            }
        };
        Ok(measure)
    }

    /// The measure on a book, NaN where it has none.
    pub fn of(self, book: &impl Depth) -> f64 {
        self.at(book, touch(book))
    }

    /// Whether it reads nothing but the best level of each side.
    pub(crate) fn needs_only_the_touch(self) -> bool {
        !matches!(
            self,
            Self::Imbalance(2..) | Self::DepthWithin(..) | Self::FillAverage(..) | Self::FillLast(..) | Self::Slope(..)
        )
    }

    /// How far into a side it looks; a depth within a distance looks at prices, not at levels.
    pub(crate) fn reach(self, side: Side) -> Reach {
        match self {
            Self::Imbalance(levels) => Reach::Levels(levels),
            Self::Slope(of, levels) if of == side => Reach::Levels(levels),
            Self::FillAverage(taker, lots) | Self::FillLast(taker, lots) if taker != side => Reach::Lots(lots),
            _ => Reach::Nothing,
        }
    }

    /// The measure on a book whose touch has been read already.
    pub(crate) fn at(self, book: &impl Depth, touch: Touch) -> f64 {
        let whole = |side, quantity| Some(to_fill(book, side, quantity)).filter(|taken| taken.filled == quantity);
        let value = match self {
            Self::Imbalance(levels @ 2..) => imbalance(book, levels),
            Self::DepthWithin(side, reach) => mid_of(touch).map(|mid| depth_around(book, mid, side, reach)),
            Self::FillAverage(side, quantity) => whole(side, quantity).and_then(|taken| taken.average()),
            Self::FillLast(side, quantity) => whole(side, quantity).and_then(|taken| taken.last).map(|p| p as f64),
            Self::Slope(side, levels) => mid_of(touch).and_then(|mid| slope_from(book, mid, side, levels)),
            shallow => shallow.of_touch(touch),
        };
        value.unwrap_or(f64::NAN)
    }

    /// The measure on a touch, if that is all it needs.
    #[inline]
    fn of_touch(self, touch: Touch) -> Option<f64> {
        let best = |side| if side == Side::Buy { touch.0 } else { touch.1 };
        match self {
            Self::Best(side) => best(side).map(|level| level.price as f64),
            Self::BestQuantity(side) => best(side).map(|level| level.quantity as f64),
            Self::Mid => mid_of(touch),
            Self::Spread => spread_of(touch),
            Self::WeightedMid => weighted_mid_of(touch),
            Self::SizeWeightedTouch => size_weighted_touch_of(touch),
            Self::Imbalance(1) => imbalance_of(touch),
            _ => None,
        }
    }

    /// Fills a column from touches; the choice of the measure stands outside the loop.
    pub(crate) fn fill(self, before: Touch, touches: &[Touch], column: &mut [f64]) {
        match self {
            Self::Mid => each(touches, column, mid_of),
            Self::Spread => each(touches, column, spread_of),
            Self::WeightedMid => each(touches, column, weighted_mid_of),
            Self::SizeWeightedTouch => each(touches, column, size_weighted_touch_of),
            Self::Imbalance(1) => each(touches, column, imbalance_of),
            Self::OrderFlow => {
                let mut flow = OrderFlow { before: before.0.zip(before.1) };
                each(touches, column, |(bid, ask)| flow.update(bid, ask));
            }
            other => each(touches, column, |touch| other.of_touch(touch)),
        }
    }
}

fn each(touches: &[Touch], column: &mut [f64], mut value: impl FnMut(Touch) -> Option<f64>) {
    for (cell, &touch) in column.iter_mut().zip(touches) {
        *cell = value(touch).unwrap_or(f64::NAN);
    }
}

/// A whole parameter from 1 to 2^53.
fn whole(name: &'static str, given: f64) -> Result<i64, BookError> {
    if given.fract() == 0.0 && (1.0..=9_007_199_254_740_992.0).contains(&given) {
        return Ok(given as i64);
    }
    Err(BookError::Parameter { name, needs: "a whole number above zero", given })
}

fn positive(name: &'static str, given: f64) -> Result<f64, BookError> {
    if given > 0.0 && given.is_finite() {
        return Ok(given);
    }
    Err(BookError::Parameter { name, needs: "a number above zero", given })
}
