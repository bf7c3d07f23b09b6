//! Measures of a whole stream of updates, a column for each.

use std::cell::Cell;

use nt_core::{Price, Quantity, Side};

use crate::level::{clamp_price, place};
use crate::measure::{Touch, touch};
use crate::{BookError, Depth, Ladder, Level, Measure};

/// Level updates as columns of one length.
#[derive(Clone, Copy, Debug)]
pub struct Updates<'a> {
    /// 1 for a bid, -1 for an ask.
    pub side: &'a [i8],
    /// Prices in ticks.
    pub price: &'a [Price],
    /// What rests at the price from then on, in lots.
    pub quantity: &'a [Quantity],
    /// Where each event of the venue ends, as the number of updates up to there: a book may be crossed inside an event,
    /// so nothing is measured there. `None` if each update is an event of its own.
    pub ends: Option<&'a [i64]>,
}

impl Updates<'_> {
    /// How many events there are, each a row of the columns.
    pub fn events(&self) -> usize {
        self.ends.map_or(self.price.len(), <[i64]>::len)
    }

    /// Where an event ends.
    #[inline]
    fn end(&self, event: usize) -> usize {
        self.ends.map_or(event + 1, |ends| ends[event] as usize)
    }

    fn check(&self) -> Result<(), BookError> {
        let expected = self.price.len();
        for (column, given) in [("side", self.side.len()), ("quantity", self.quantity.len())] {
            if given != expected {
                return Err(BookError::Length { column, given, expected });
            }
        }
        let Some(ends) = self.ends else { return Ok(()) };
        let mut before = 0;
        for (event, &end) in ends.iter().enumerate() {
            if end < before || end > expected as i64 {
                return Err(BookError::Ends { event });
            }
            before = end;
        }
        if before == expected as i64 { Ok(()) } else { Err(BookError::Ends { event: ends.len() }) }
    }

    /// Applies the update in a row and returns its side.
    #[inline]
    fn apply(&self, ladder: &mut Ladder, row: usize) -> Result<Side, BookError> {
        let at = |error| BookError::Row { row, error: Box::new(error) };
        let given = self.side[row];
        // Checked apart from the choice, which then is no branch: nobody can predict the side of an update.
        if given.unsigned_abs() != 1 {
            return Err(at(BookError::Side { given: given.into() }));
        }
        let side = if given > 0 { Side::Buy } else { Side::Sell };
        ladder.set(side, self.price[row], self.quantity[row]).map(|_| side).map_err(at)
    }
}

impl Ladder {
    /// Applies a stream of updates, and keeps the best `depth` levels after each event if the venue means it so.
    ///
    /// # Errors
    /// Columns of different length, ends that do not rise; [`BookError::Row`] for the first update that is refused, those
    /// before it being applied.
    pub fn apply(&mut self, updates: &Updates<'_>, depth: Option<usize>) -> Result<(), BookError> {
        columns(self, updates, depth, &[], &mut [])
    }
}

/// Plays a stream of updates and writes what each measure is after every event into its column.
///
/// # Errors
/// As [`Ladder::apply`]; a column whose length is not the number of events.
pub fn columns(
    ladder: &mut Ladder,
    updates: &Updates<'_>,
    depth: Option<usize>,
    measures: &[Measure],
    out: &mut [&mut [f64]],
) -> Result<(), BookError> {
    updates.check()?;
    let events = updates.events();
    if out.len() != measures.len() {
        return Err(BookError::Length { column: "out", given: out.len(), expected: measures.len() });
    }
    if let Some(column) = out.iter().find(|column| column.len() != events) {
        return Err(BookError::Length { column: "out", given: column.len(), expected: events });
    }
    let (mut shallow, mut deep) = (vec![], vec![]);
    for (measure, column) in measures.iter().zip(out.iter_mut()) {
        match measure.needs_only_the_touch() {
            true => shallow.push((*measure, &mut **column)),
            false => deep.push(Deep::new(*measure, column)),
        }
    }
    let mut touches = Vec::with_capacity(BLOCK.min(events));
    let mut flow_before = touch(ladder);
    let mut row = 0;
    for block in (0..events).step_by(BLOCK) {
        touches.clear();
        for event in block..events.min(block + BLOCK) {
            let mut changed = [NOWHERE; 2];
            while row < updates.end(event) {
                let side = updates.apply(ladder, row)?;
                let near = &mut changed[place(side)];
                *near = rank(side, updates.price[row]).min(*near);
                row += 1;
            }
            if let Some(depth) = depth {
                ladder.truncate(depth);
            }
            let now = touch(ladder);
            for deep in &mut deep {
                deep.update(ladder, now, changed, event);
            }
            touches.push(now);
        }
        for (measure, column) in &mut shallow {
            measure.fill(flow_before, &touches, &mut column[block..]);
        }
        flow_before = touches.last().copied().unwrap_or(flow_before);
    }
    Ok(())
}

/// Events whose touches are kept until the measures that need nothing else are computed, one measure after the other.
const BLOCK: usize = 256;

/// The rank of no price.
const NOWHERE: i64 = i64::MAX;

/// How bad a price is for its side; the best one has the least rank.
#[inline]
fn rank(side: Side, price: Price) -> i64 {
    -side.sign() * price
}

/// A ladder that notes how far into each side one looked.
struct Watched<'a> {
    ladder: &'a Ladder,
    horizon: [Cell<i64>; 2],
}

impl Depth for Watched<'_> {
    fn best(&self, side: Side) -> Option<Level> {
        self.levels(side).next()
    }

    fn quantity_at(&self, side: Side, price: Price) -> Quantity {
        let seen = &self.horizon[place(side)];
        seen.set(seen.get().max(rank(side, clamp_price(price))));
        self.ladder.quantity_at(side, price)
    }

    #[inline]
    fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        let seen = &self.horizon[place(side)];
        let mut levels = self.ladder.levels(side);
        std::iter::from_fn(move || {
            let level = levels.next();
            // Who came to the end has seen that there is nothing behind it.
            seen.set(level.map_or(NOWHERE, |level| rank(side, level.price).max(seen.get())));
            level
        })
    }

    fn quantity_up_to(&self, side: Side, price: Price) -> i128 {
        let seen = &self.horizon[place(side)];
        seen.set(seen.get().max(rank(side, clamp_price(price))));
        self.ladder.quantity_up_to(side, price)
    }

    fn count(&self, side: Side) -> usize {
        self.horizon[place(side)].set(NOWHERE);
        self.ladder.count(side)
    }
}

/// A measure that looks into the book, and its last value, which stands until something changes where it looked.
struct Deep<'a> {
    measure: Measure,
    column: &'a mut [f64],
    value: f64,
    horizon: [i64; 2],
    prices: [Option<Price>; 2],
}

impl<'a> Deep<'a> {
    fn new(measure: Measure, column: &'a mut [f64]) -> Self {
        Self { measure, column, value: f64::NAN, horizon: [NOWHERE; 2], prices: [None; 2] }
    }

    #[inline]
    fn update(&mut self, ladder: &Ladder, now: Touch, changed: [i64; 2], event: usize) {
        // What is measured from the mid depends on both best prices, whichever side it looks into.
        let from_mid = matches!(self.measure, Measure::DepthWithin(..) | Measure::Slope(..));
        let price_of = |level: Option<Level>| level.filter(|_| from_mid).map(|level| level.price);
        let prices = [price_of(now.0), price_of(now.1)];
        let is_seen = changed[0] <= self.horizon[0] || changed[1] <= self.horizon[1];
        if is_seen || prices != self.prices {
            let watched = Watched { ladder, horizon: [Cell::new(i64::MIN), Cell::new(i64::MIN)] };
            self.value = self.measure.at(&watched, now);
            self.horizon = watched.horizon.map(Cell::into_inner);
            self.prices = prices;
        }
        self.column[event] = self.value;
    }
}
