//! Measures of a whole stream of updates, a column for each.

use nt_core::{Price, Quantity, Side};

use crate::deep::Deep;
use crate::measure::touch;
use crate::{BookError, Ladder, Measure};

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

    /// Applies the update in a row and returns its side and what rested at its price before.
    #[inline]
    fn apply(&self, ladder: &mut Ladder, row: usize) -> Result<(Side, Quantity), BookError> {
        let at = |error| BookError::Row { row, error: Box::new(error) };
        let given = self.side[row];
        // Checked apart from the choice, which then is no branch: nobody can predict the side of an update.
        if given.unsigned_abs() != 1 {
            return Err(at(BookError::Side { given: given.into() }));
        }
        let side = if given > 0 { Side::Buy } else { Side::Sell };
        ladder.set(side, self.price[row], self.quantity[row]).map(|before| (side, before)).map_err(at)
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
    let (mut shallow, mut deep) = (vec![], Deep::new());
    for (measure, column) in measures.iter().zip(out.iter_mut()) {
        match measure.needs_only_the_touch() {
            true => shallow.push((*measure, &mut **column)),
            false => deep.push(*measure, column),
        }
    }
    let mut touches = Vec::with_capacity(BLOCK.min(events));
    let mut flow_before = touch(ladder);
    let mut row = 0;
    for block in (0..events).step_by(BLOCK) {
        touches.clear();
        for event in block..events.min(block + BLOCK) {
            while row < updates.end(event) {
                let (side, before) = updates.apply(ladder, row)?;
                deep.note(side, updates.price[row], before, updates.quantity[row]);
                row += 1;
            }
            if let Some(depth) = depth
                && ladder.truncate(depth) > 0
            {
                deep.cut(depth);
            }
            let now = touch(ladder);
            deep.update(ladder, now, event);
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
