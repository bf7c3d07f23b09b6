//! Measures of a whole stream of updates, a column for each.

use nt_core::{Price, Quantity, Side};

use crate::measure::touch;
use crate::{BookError, Ladder, Measure, OrderFlow};

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

    /// Applies the update in a row.
    #[inline]
    pub(crate) fn apply(&self, ladder: &mut Ladder, row: usize) -> Result<(), BookError> {
        let at = |error| BookError::Row { row, error: Box::new(error) };
        let side = match self.side[row] {
            1 => Side::Buy,
            -1 => Side::Sell,
            given => return Err(at(BookError::Side { given: given.into() })),
        };
        ladder.set(side, self.price[row], self.quantity[row]).map(drop).map_err(at)
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
    let mut flow = OrderFlow::default();
    let before = touch(ladder);
    flow.update(before.0, before.1);
    let mut row = 0;
    for event in 0..events {
        while row < updates.end(event) {
            updates.apply(ladder, row)?;
            row += 1;
        }
        if let Some(depth) = depth {
            ladder.truncate(depth);
        }
        if measures.is_empty() {
            continue;
        }
        let now = touch(ladder);
        let change = flow.update(now.0, now.1).unwrap_or(f64::NAN);
        for (measure, column) in measures.iter().zip(out.iter_mut()) {
            column[event] = if *measure == Measure::OrderFlow { change } else { measure.at(ladder, now) };
        }
    }
    Ok(())
}
