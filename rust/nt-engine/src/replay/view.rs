//! What we know of the books: those made of the records that have arrived here.

use nt_book::{BookError, Depth as _, Level};
use nt_core::record::{BID, EventKind, UNSIZED};
use nt_core::{Error, Record, Result, Side};

use super::{Arrived, Replay, at_record};
use crate::source::Source;
use crate::venue::{Depth, UNSIZED_LOTS};

impl Replay {
    /// The best level of a side as far as we know.
    pub fn best(&mut self, sources: &[Source<'_>], instrument: usize, side: Side) -> Result<Option<Level>> {
        self.look(sources)?;
        Ok(self.views[instrument].best(side).filter(|_| self.views_known[instrument]))
    }

    /// The best levels of a side as far as we know, best first; none while the book cannot be trusted.
    pub fn best_levels(
        &mut self,
        sources: &[Source<'_>],
        instrument: usize,
        side: Side,
        count: usize,
    ) -> Result<Vec<Level>> {
        self.look(sources)?;
        let count = if self.views_known[instrument] { count } else { 0 };
        Ok(self.views[instrument].levels(side).take(count).collect())
    }

    /// Brings our views up to the records that have arrived.
    pub(super) fn look(&mut self, sources: &[Source<'_>]) -> Result<()> {
        loop {
            let next = |(at, source): (usize, &Source<'_>)| {
                let cursor = &self.seen[at];
                let time_ns = cursor.our_ns(&source.get(cursor.at)?, self.settings.feed_ns);
                Some(Arrived { time_ns, source: at, index: cursor.at }).filter(|place| *place < self.arrived)
            };
            let Some(place) = sources.iter().enumerate().filter_map(next).min() else { return Ok(()) };
            let source = &sources[place.source];
            let Some(record) = source.get(place.index) else { return Ok(()) };
            self.seen[place.source].pass_here(&record, place.time_ns);
            if let Some(rank) = source.rank_of(&record) {
                self.see(rank, &record).map_err(|error| at_record(error, place.source, place.index))?;
            }
        }
    }

    pub(super) fn see(&mut self, rank: usize, record: &Record) -> Result<()> {
        let view = &mut self.views[rank];
        let side = if record.flags & BID != 0 { Side::Buy } else { Side::Sell };
        let wrong = |error: BookError| Error::Misuse(error.to_string());
        match self.settings.venue.depth {
            Depth::Levels if record.is(EventKind::Level) || record.is(EventKind::SnapshotLevel) => {
                view.set(side, record.price, record.quantity).map_err(wrong)?;
            }
            Depth::Levels if record.is(EventKind::SnapshotBegin) || record.is(EventKind::Resync) => {
                view.clear();
                self.views_known[rank] = false;
            }
            Depth::Levels if record.is(EventKind::SnapshotEnd) => self.views_known[rank] = true,
            Depth::Quotes if record.is(EventKind::Quote) => {
                if let Some(before) = view.best(side) {
                    view.set(side, before.price, 0).map_err(wrong)?;
                }
                let quantity = if record.flags & UNSIZED != 0 { UNSIZED_LOTS } else { record.quantity };
                view.set(side, record.price, quantity).map_err(wrong)?;
            }
            Depth::Levels | Depth::Quotes => {}
        }
        Ok(())
    }
}
