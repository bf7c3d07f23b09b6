//! Which records make a turn of the strategy.

use nt_core::record::{EventKind, LAST};
use nt_core::{Nanos, Record};

use super::Replay;
use crate::source::Source;
use crate::venue::Depth;

impl Replay {
    /// Asks for records of a kind; those of other kinds make no turn.
    pub fn want(&mut self, kind: EventKind) {
        self.wants |= 1 << (kind as u8);
    }

    /// Asks for books: for the last record of each message that changes one, and the end of a snapshot.
    pub fn want_books(&mut self) {
        let kinds: &[EventKind] = match self.settings.view.unwrap_or(self.settings.venue.depth) {
            Depth::Orders => {
                &[EventKind::OrderAdd, EventKind::OrderChange, EventKind::OrderDelete, EventKind::OrderFill]
            }
            Depth::Levels | Depth::Quotes => &[EventKind::Level],
        };
        self.wants_books = kinds.iter().map(|&kind| 1 << (kind as u8)).sum();
    }

    /// When the next record that is wanted arrives here.
    #[inline]
    pub(super) fn next_wanted(&mut self, at: usize, source: &Source<'_>) -> Option<Nanos> {
        let cursor = &mut self.wanted[at];
        loop {
            let record = source.get(cursor.at)?;
            let time_ns = cursor.our_ns(&record, self.settings.feed_ns);
            if is_wanted(self.wants, self.wants_books, &record) && source.rank_here(&record).is_some() {
                return Some(time_ns);
            }
            cursor.pass_here(&record, time_ns);
        }
    }
}

/// Whether a record makes a turn of the strategy.
#[inline]
fn is_wanted(kinds: u64, books: u64, record: &Record) -> bool {
    let is_one_of = |kinds: u64| record.kind < 64 && kinds >> record.kind & 1 == 1;
    is_one_of(kinds)
        || (books != 0 && ((record.flags & LAST != 0 && is_one_of(books)) || record.is(EventKind::SnapshotEnd)))
}
