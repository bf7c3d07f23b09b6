//! How a replay that was saved takes the place of one that has not begun.

use nt_core::{Error, Nanos, Result};

use super::Replay;
use crate::pause::Pause;
use crate::snapshot::{decode, encode};
use crate::source::Source;

/// What came of the records before a pause.
pub(super) enum Reached {
    /// Something may come before the pause now.
    Something,
    Pause,
    /// The replay ends before it.
    End,
}

impl Replay {
    /// Says where it stops next.
    pub fn set_pause(&mut self, pause: Pause) {
        self.pause = pause;
    }

    /// When what comes next happens, where it paused for a time.
    pub fn next_ns(&self) -> Nanos {
        self.next_ns
    }

    /// Plays what is recorded up to the pause, before which nothing else happens; `time_ns` is when that does.
    #[cold]
    pub(super) fn reach_pause(&mut self, sources: &[Source<'_>], time_ns: Nanos) -> Result<Reached> {
        if self.play_records(sources, self.pause.time_ns)? {
            return Ok(Reached::Something);
        }
        if self.pause.time_ns > self.last_arrival_ns(sources) {
            return Ok(Reached::End);
        }
        self.next_ns = self.next_record_ns(sources).map_or(time_ns, |record_ns| record_ns.min(time_ns));
        Ok(Reached::Pause)
    }

    /// When the next record happens at its venue.
    fn next_record_ns(&self, sources: &[Source<'_>]) -> Option<Nanos> {
        let cursors = self.at_venue.iter().zip(sources);
        cursors.filter_map(|(cursor, source)| Some(cursor.venue_ns(&source.get(cursor.at)?))).min()
    }

    /// Whether it has come to its end.
    pub fn is_over(&self) -> bool {
        self.finished
    }

    /// Everything that decides how it goes on, as bytes; what a journal shall say has to be taken before.
    pub fn save(&self) -> Result<Vec<u8>> {
        encode(self)
    }

    /// Takes the state of a replay of the same settings, instruments and records that was saved, instead of its own.
    pub fn restore(&mut self, bytes: &[u8], sources: &[Source<'_>]) -> Result<()> {
        let saved: Replay = decode(bytes)?;
        if encode(&saved.settings)? != encode(&self.settings)? || !self.engine.continues(&saved.engine) {
            return Err(Error::Misuse("the snapshot is of a run with other settings or instruments".into()));
        }
        let (instruments, orders) = (saved.engine.markets.len(), saved.engine.orders.len());
        if !saved.is_sound(sources)
            || !saved.batches_alike(self)
            || !saved.bars.continues(&self.bars, sources, instruments, orders)
        {
            return Err(Error::Misuse("a state in the snapshot contradicts itself".into()));
        }
        let (notes, pause, next_ns, horizon_ns) = (self.notes.take(), self.pause, self.next_ns, self.horizon_ns);
        *self = Replay { notes, pause, next_ns, horizon_ns, ..saved };
        Ok(())
    }

    /// Whether nothing points beyond what there is.
    fn is_sound(&self, sources: &[Source<'_>]) -> bool {
        let count = self.engine.markets.len();
        let cursors = [&self.at_venue, &self.wanted, &self.seen];
        let fits = |cursors: &&Vec<_>| {
            let within = |(cursor, source): (&crate::source::Cursor, &Source<'_>)| cursor.at <= source.len();
            cursors.len() == sources.len() && cursors.iter().zip(sources).all(within)
        };
        let per_instrument = [
            self.venues.len(),
            self.lines.len(),
            self.views.len(),
            self.known_positions.len(),
            self.known_entries.len(),
            self.wants.instruments(),
        ];
        cursors.iter().all(fits)
            && self.known_cash.len() == self.engine.ledger.balances().len()
            && self.known_expenses <= self.engine.ledger.expenses().len()
            && per_instrument.iter().all(|&length| length == count)
            && self.placed.len() == self.engine.orders.len()
            && self.orders_seen <= self.engine.orders.len()
            && self.known.is_sound(self.engine.orders.len(), self.engine.fills.len())
    }
}
