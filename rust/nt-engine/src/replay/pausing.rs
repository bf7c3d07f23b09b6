//! Where a replay stops to be saved, and how one that was saved takes the place of one that has not begun.

use nt_core::{Error, Nanos, Result};

use super::Replay;
use crate::snapshot::{decode, encode};
use crate::source::Source;

/// Up to where a replay may go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    pub time_ns: Nanos,
    pub turns: u64,
}

impl Default for Pause {
    fn default() -> Self {
        Pause { time_ns: Nanos::MAX, turns: u64::MAX }
    }
}

impl Replay {
    /// Lets it go on up to a time, all that happens at it included, or to so many turns of the strategy since the beginning,
    /// whichever comes first.
    pub fn pause_at(&mut self, time_ns: Option<Nanos>, turns: Option<u64>) {
        let never = Pause::default();
        self.pause = Pause { time_ns: time_ns.unwrap_or(never.time_ns), turns: turns.unwrap_or(never.turns) };
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
        let of_run = |replay: &Replay| encode(&(&replay.settings, &replay.engine.config));
        if of_run(&saved)? != of_run(self)? || !saved.engine.instruments().eq(self.engine.instruments()) {
            return Err(Error::Misuse("the snapshot is of a run with other settings or instruments".into()));
        }
        if !saved.is_sound(sources) {
            return Err(Error::Misuse("a state in the snapshot contradicts itself".into()));
        }
        *self = Replay { notes: self.notes.take(), pause: self.pause, ..saved };
        Ok(())
    }

    /// Whether nothing points beyond what there is.
    fn is_sound(&self, sources: &[Source<'_>]) -> bool {
        let count = self.engine.markets.len();
        let (orders, fills) = (&self.engine.orders, &self.engine.fills);
        let cursors = [&self.at_venue, &self.wanted, &self.seen];
        let fits = |cursors: &&Vec<_>| {
            let within = |(cursor, source): (&crate::source::Cursor, &Source<'_>)| cursor.at <= source.len();
            cursors.len() == sources.len() && cursors.iter().zip(sources).all(within)
        };
        let per_instrument = [self.venues.len(), self.lines.len(), self.views.len(), self.known_positions.len()];
        cursors.iter().all(fits)
            && per_instrument.iter().all(|&length| length == count)
            && self.placed.len() == orders.len()
            && self.orders_seen <= orders.len()
            && orders.iter().enumerate().all(|(at, order)| {
                order.id as usize == at + 1 && (order.instrument as usize) < count && order.parent < order.id
            })
            && fills.iter().all(|fill| (fill.instrument as usize) < count && fill.order as usize <= orders.len())
    }
}
