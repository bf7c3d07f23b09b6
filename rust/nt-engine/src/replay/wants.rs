//! Which records make a turn of the strategy.

use nt_core::record::{EventKind, LAST};
use nt_core::{Nanos, Record};
use serde::{Deserialize, Serialize};

use super::Replay;
use crate::source::Source;
use crate::venue::Depth;

/// Kinds of records as bits.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Kinds {
    /// Every record of these.
    each: u64,
    /// Of these the last one of each message.
    last: u64,
}

impl Kinds {
    #[inline]
    fn has(self, record: &Record) -> bool {
        let is_one_of = |kinds: u64| record.kind < 64 && kinds >> record.kind & 1 == 1;
        is_one_of(self.each)
            || (self.last != 0
                && ((record.flags & LAST != 0 && is_one_of(self.last)) || record.is(EventKind::SnapshotEnd)))
    }
}

/// What a strategy wants to be told of.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Wants {
    /// Of each instrument, by rank: which records change a book differs, and which tell trades.
    own: Vec<Kinds>,
    /// Of any of them, which is looked at first.
    any: Kinds,
}

impl Wants {
    pub fn new(instruments: usize) -> Self {
        Wants { own: vec![Kinds::default(); instruments], any: Kinds::default() }
    }

    /// How many instruments it is about.
    pub fn instruments(&self) -> usize {
        self.own.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.any.each == 0 && self.any.last == 0
    }

    fn add(&mut self, rank: usize, wanted: Kinds) {
        for kinds in [&mut self.own[rank], &mut self.any] {
            kinds.each |= wanted.each;
            kinds.last |= wanted.last;
        }
    }

    #[inline]
    pub fn has(&self, source: &Source<'_>, record: &Record) -> bool {
        self.any.has(record) && source.rank_here(record).is_some_and(|rank| self.own[rank].has(record))
    }
}

impl Replay {
    /// Asks for records of a kind; those of other kinds make no turn.
    pub fn want(&mut self, kind: EventKind) {
        for rank in 0..self.venues.len() {
            self.wants.add(rank, Kinds { each: 1 << (kind as u8), last: 0 });
        }
    }

    /// Asks for trades, of each instrument as its venue's rules say what tells them.
    pub fn want_trades(&mut self) {
        for rank in 0..self.venues.len() {
            let kind = self.settings.rules_of(rank).trades;
            self.wants.add(rank, Kinds { each: 1 << (kind as u8), last: 0 });
        }
    }

    /// Asks for books: for the last record of each message that changes one, and the end of a snapshot.
    pub fn want_books(&mut self) {
        for rank in 0..self.venues.len() {
            let kinds: &[EventKind] = match self.settings.view_of(rank) {
                Depth::Orders => {
                    &[EventKind::OrderAdd, EventKind::OrderChange, EventKind::OrderDelete, EventKind::OrderFill]
                }
                Depth::Levels | Depth::Quotes => &[EventKind::Level],
                Depth::Bars => continue,
            };
            self.wants.add(rank, Kinds { each: 0, last: kinds.iter().map(|&kind| 1 << (kind as u8)).sum() });
        }
    }

    /// When the next record that is wanted arrives here.
    #[inline]
    pub(super) fn next_wanted(&mut self, at: usize, source: &Source<'_>) -> Option<Nanos> {
        let cursor = &mut self.wanted[at];
        loop {
            let record = source.get(cursor.at)?;
            let time_ns = cursor.our_ns(&record, self.settings.feed_ns);
            if self.wants.has(source, &record) {
                return Some(time_ns);
            }
            cursor.pass_here(&record, time_ns);
        }
    }
}
