//! Market records in the order of their receipt, and the two clocks that run along them (docs/book-rules.md, section 1).

use nt_core::record::WORDS;
use nt_core::{Nanos, Record};

/// Records of one connection; its instruments are numbered, and each has a rank in the run or none.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The records as words of memory, in order of receipt.
    pub words: &'a [[i64; WORDS]],
    /// Rank in the run of each numbered instrument; negative for those that are not part of it.
    pub ranks: &'a [i16],
}

impl Source<'_> {
    /// The record at a position, if there is one.
    #[inline]
    pub fn get(&self, at: usize) -> Option<Record> {
        self.words.get(at).map(Record::of_words)
    }

    /// The rank of the instrument of a record, if it is part of the run.
    #[inline]
    pub fn rank_of(&self, record: &Record) -> Option<usize> {
        self.ranks.get(usize::from(record.instrument)).and_then(|&rank| usize::try_from(rank).ok())
    }
}

/// A place among the records of a source, with the clocks as they stood before it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cursor {
    /// Position of the next record.
    pub at: usize,
    venue_ns: Nanos,
    our_ns: Nanos,
}

impl Cursor {
    /// The venue time of a record that comes next here.
    #[inline]
    pub fn venue_ns(&self, record: &Record) -> Nanos {
        self.venue_ns.max(record.ts_event_ns)
    }

    /// The time at which a record that comes next here reaches us.
    #[inline]
    pub fn our_ns(&self, record: &Record, feed_ns: Option<Nanos>) -> Nanos {
        let venue_ns = self.venue_ns(record);
        match feed_ns {
            Some(feed_ns) => self.our_ns.max(venue_ns.saturating_add(feed_ns)),
            None => self.our_ns.max(venue_ns).max(record.ts_recv_ns),
        }
    }

    /// Goes past a record at its venue.
    #[inline]
    pub fn pass_venue(&mut self, venue_ns: Nanos) {
        self.venue_ns = venue_ns;
        self.at += 1;
    }

    /// Goes past a record that has arrived here.
    #[inline]
    pub fn pass_here(&mut self, record: &Record, our_ns: Nanos) {
        self.venue_ns = self.venue_ns(record);
        self.our_ns = our_ns;
        self.at += 1;
    }
}
