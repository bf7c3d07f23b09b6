//! Measures that look into the book, kept up while it changes.
//!
//! The best levels of a side stand in a list beside the ladder, as far as any measure has looked: a level is looked up in
//! the ladder once, not by each measure after each update. A value stands until something changes where its measure
//! looked, and a depth within a distance only takes in what has changed.

use nt_core::{Price, Quantity, Side};

use crate::level::{clamp_price, place};
use crate::measure::{Reach, Touch, float, last_within, mid_of};
use crate::{Depth, Ladder, Level, Measure};

/// The rank of no price.
const NOWHERE: i64 = i64::MAX;

/// How bad a price is for its side; the best one has the least rank.
#[inline]
fn rank(side: Side, price: Price) -> i64 {
    -side.sign() * price
}

/// The best levels of a side, as many as have been asked for.
#[derive(Debug)]
struct Front {
    side: Side,
    levels: Vec<Level>,
}

impl Front {
    /// Takes in what rests at a price from now on; further away than the list reaches nothing is noted.
    #[inline]
    fn note(&mut self, price: Price, quantity: Quantity) {
        let rank_here = rank(self.side, price);
        if self.levels.last().is_none_or(|level| rank(self.side, level.price) < rank_here) {
            return;
        }
        let at = self.levels.iter().take_while(|level| rank(self.side, level.price) < rank_here).count();
        match (self.levels[at].price == price, quantity) {
            (true, 0) => drop(self.levels.remove(at)),
            (true, _) => self.levels[at].quantity = quantity,
            (false, 0) => {}
            (false, _) => {
                // The list becomes no longer, or it would grow with every new best price.
                self.levels.pop();
                self.levels.insert(at, Level { price, quantity });
            }
        }
    }

    /// Makes the list long enough for a measure, and returns the rank up to which a change would matter to it.
    #[inline]
    fn extend(&mut self, ladder: &Ladder, reach: Reach) -> i64 {
        let (mut levels, mut lots) = match reach {
            Reach::Nothing => return i64::MIN,
            Reach::Levels(levels) => (levels, i128::MAX),
            Reach::Lots(lots) => (usize::MAX, i128::from(lots)),
        };
        let mut horizon = i64::MIN;
        for level in &self.levels {
            if levels == 0 || lots <= 0 {
                return horizon;
            }
            (levels, lots) = (levels - 1, lots - i128::from(level.quantity));
            horizon = rank(self.side, level.price);
        }
        if levels == 0 || lots <= 0 {
            return horizon;
        }
        for level in ladder.levels_behind(self.side, self.levels.last().map(|level| level.price)) {
            self.levels.push(level);
            (levels, lots) = (levels - 1, lots - i128::from(level.quantity));
            if levels == 0 || lots <= 0 {
                return rank(self.side, level.price);
            }
        }
        // Who came to the end has seen that there is nothing behind it.
        NOWHERE
    }
}

/// The listed levels as a book.
struct Listed<'a>(&'a [Front; 2]);

impl Depth for Listed<'_> {
    fn best(&self, side: Side) -> Option<Level> {
        self.levels(side).next()
    }

    fn quantity_at(&self, side: Side, price: Price) -> Quantity {
        self.levels(side).find(|level| level.price == price).map_or(0, |level| level.quantity)
    }

    #[inline]
    fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        self.0[place(side)].levels.iter().copied()
    }

    fn count(&self, side: Side) -> usize {
        self.0[place(side)].levels.len()
    }
}

/// A measure over the first levels, and its last value.
struct Walk<'a> {
    measure: Measure,
    column: &'a mut [f64],
    value: f64,
    horizon: [i64; 2],
    prices: [Option<Price>; 2],
}

impl Walk<'_> {
    #[inline]
    fn update(&mut self, fronts: &mut [Front; 2], ladder: &Ladder, now: Touch, changed: [i64; 2], event: usize) {
        // What is measured from the mid depends on both best prices, whichever side it looks into.
        let from_mid = matches!(self.measure, Measure::Slope(..));
        let price_of = |level: Option<Level>| level.filter(|_| from_mid).map(|level| level.price);
        let prices = [price_of(now.0), price_of(now.1)];
        if changed[0] <= self.horizon[0] || changed[1] <= self.horizon[1] || prices != self.prices {
            self.horizon =
                [Side::Buy, Side::Sell].map(|side| fronts[place(side)].extend(ladder, self.measure.reach(side)));
            self.value = self.measure.at(&Listed(fronts), now);
            self.prices = prices;
        }
        self.column[event] = self.value;
    }
}

/// A depth within a distance of the mid: what rests up to the last price within it.
struct Within<'a> {
    side: Side,
    basis_points: f64,
    column: &'a mut [f64],
    last: Option<Price>,
    lots: i128,
}

impl Within<'_> {
    #[inline]
    fn note(&mut self, price: Price, before: Quantity, now: Quantity) {
        let is_within = self.last.is_some_and(|last| rank(self.side, price) <= rank(self.side, last));
        self.lots += if is_within { i128::from(now) - i128::from(before) } else { 0 };
    }

    #[inline]
    fn update(&mut self, ladder: &Ladder, now: Touch, event: usize) {
        let last = mid_of(now).map(|mid| clamp_price(last_within(mid, self.side, self.basis_points)));
        if last != self.last {
            self.lots = match (self.last, last) {
                (Some(before), Some(last)) => self.lots + self.moved(ladder, before, last),
                (None, Some(last)) => ladder.quantity_up_to(self.side, last),
                (_, None) => 0,
            };
            self.last = last;
        }
        self.column[event] = if last.is_some() { float(self.lots) } else { f64::NAN };
    }

    /// What a move of the last price adds.
    fn moved(&self, ladder: &Ladder, before: Price, last: Price) -> i128 {
        let (from, to) = (rank(self.side, before), rank(self.side, last));
        let (better, worst) = if from < to { (before, to) } else { (last, from) };
        let between = ladder.levels_behind(self.side, Some(better));
        let between = between.take_while(|level| rank(self.side, level.price) <= worst);
        let lots: i128 = between.map(|level| i128::from(level.quantity)).sum();
        if from < to { lots } else { -lots }
    }
}

/// All measures of a stream that look into the book.
pub(crate) struct Deep<'a> {
    fronts: [Front; 2],
    walks: Vec<Walk<'a>>,
    withins: Vec<Within<'a>>,
    /// The best rank of each side that has changed in this event.
    changed: [i64; 2],
}

impl<'a> Deep<'a> {
    /// No measures.
    pub fn new() -> Self {
        let fronts = [Side::Buy, Side::Sell].map(|side| Front { side, levels: Vec::new() });
        Self { fronts, walks: Vec::new(), withins: Vec::new(), changed: [NOWHERE; 2] }
    }

    /// Adds a measure and the column of its values.
    pub fn push(&mut self, measure: Measure, column: &'a mut [f64]) {
        match measure {
            Measure::DepthWithin(side, basis_points) => {
                self.withins.push(Within { side, basis_points, column, last: None, lots: 0 });
            }
            _ => {
                let (horizon, prices) = ([NOWHERE; 2], [None; 2]);
                self.walks.push(Walk { measure, column, value: f64::NAN, horizon, prices });
            }
        }
    }

    /// Takes in that there rests another quantity at a price.
    #[inline]
    pub fn note(&mut self, side: Side, price: Price, before: Quantity, now: Quantity) {
        if !self.walks.is_empty() {
            let changed = &mut self.changed[place(side)];
            *changed = rank(side, price).min(*changed);
            self.fronts[place(side)].note(price, now);
        }
        for within in self.withins.iter_mut().filter(|within| within.side == side) {
            within.note(price, before, now);
        }
    }

    /// Takes in that the ladder was cut to its best levels. Only what came this far in the same event can push others out,
    /// and that was noted.
    pub fn cut(&mut self, depth: usize) {
        self.fronts.iter_mut().for_each(|front| front.levels.truncate(depth));
        self.withins.iter_mut().for_each(|within| within.last = None);
    }

    /// Writes the values after an event.
    #[inline]
    pub fn update(&mut self, ladder: &Ladder, now: Touch, event: usize) {
        for walk in &mut self.walks {
            walk.update(&mut self.fronts, ladder, now, self.changed, event);
        }
        for within in &mut self.withins {
            within.update(ladder, now, event);
        }
        self.changed = [NOWHERE; 2];
    }
}
