//! Market records in the order of their receipt, and the two clocks that run along them (docs/book-rules.md, section 1).

use nt_core::record::WORDS;
use nt_core::{Bars, Nanos, Record};
use serde::{Deserialize, Serialize};

/// Whom the records of a source are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// They happen at the venue, and arrive here.
    #[default]
    Both,
    /// They happen at the venue alone.
    Venue,
    /// They arrive here alone.
    Here,
}

/// Records of one connection; its instruments are numbered, and each has a rank in the run or none. Or bars of one instrument.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    words: &'a [[i64; WORDS]],
    /// Empty on the side that the records are not for.
    at_venue: &'a [i16],
    here: &'a [i16],
    role: Role,
    /// No record knows the venue's time, so that of receipt stands for it.
    by_receipt: bool,
    bars: Option<(usize, Bars<'a>)>,
}

impl<'a> Source<'a> {
    /// Records as words of memory, in order of receipt, and the rank in the run of each numbered instrument, negative for
    /// those that are not part of it.
    pub fn new(words: &'a [[i64; WORDS]], ranks: &'a [i16]) -> Self {
        // Nearly always the first record knows.
        Self::timed(words, ranks, words.iter().all(|words| Record::of_words(words).ts_event_ns <= 0))
    }

    /// The same where it is known whether the time of receipt stands for that of the venue, as of records that are not all
    /// there yet.
    pub fn timed(words: &'a [[i64; WORDS]], ranks: &'a [i16], by_receipt: bool) -> Self {
        Source { words, at_venue: ranks, here: ranks, role: Role::Both, by_receipt, bars: None }
    }

    /// The same records, for one side alone or for both.
    pub fn with_role(mut self, role: Role) -> Self {
        self.role = role;
        match role {
            Role::Both => {}
            Role::Venue => self.here = &[],
            Role::Here => self.at_venue = &[],
        }
        self
    }

    /// Whom the records are for.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The venue's clock after so many records that are there, if there are any from `from` on, and it was `clock_ns` before.
    pub fn clock_after(&self, clock_ns: Nanos, from: usize) -> Nanos {
        (from..self.len())
            .filter_map(|at| self.get(at))
            .fold(clock_ns, |clock_ns, record| clock_ns.max(record.ts_event_ns))
    }

    /// The bars of an instrument, by its rank in the run.
    pub fn of_bars(rank: usize, bars: Bars<'a>) -> Self {
        Source { bars: Some((rank, bars)), ..Self::timed(&[], &[], false) }
    }

    /// The rank of its instrument, and its bars, if it has bars.
    pub fn bars(&self) -> Option<(usize, Bars<'a>)> {
        self.bars
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The records as words of memory.
    pub fn words(&self) -> &'a [[i64; WORDS]] {
        self.words
    }

    /// Rank in the run of each numbered instrument.
    pub fn ranks(&self) -> &'a [i16] {
        if self.role == Role::Venue { self.at_venue } else { self.here }
    }

    /// The record at a position, if there is one.
    #[inline]
    pub fn get(&self, at: usize) -> Option<Record> {
        let mut record = Record::of_words(self.words.get(at)?);
        if self.by_receipt {
            record.ts_event_ns = record.ts_recv_ns;
        }
        Some(record)
    }

    /// The record at a position as it was written, whatever its time stands for.
    #[inline]
    pub fn written(&self, at: usize) -> Option<Record> {
        self.words.get(at).map(Record::of_words)
    }

    /// The rank at a venue of the instrument of a record, if it is part of the run there.
    #[inline]
    pub fn rank_at_venue(&self, record: &Record) -> Option<usize> {
        rank_in(self.at_venue, record)
    }

    /// The rank here of the instrument of a record, if it is part of the run for us.
    #[inline]
    pub fn rank_here(&self, record: &Record) -> Option<usize> {
        rank_in(self.here, record)
    }
}

#[inline]
fn rank_in(ranks: &[i16], record: &Record) -> Option<usize> {
    ranks.get(usize::from(record.instrument)).and_then(|&rank| usize::try_from(rank).ok())
}

/// A place among the records of a source, with the clocks as they stood before it.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
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
            // As long as the venue has said no time, there is nothing that a latency could be added to.
            Some(feed_ns) if venue_ns > 0 => self.our_ns.max(venue_ns.saturating_add(feed_ns)),
            _ => self.our_ns.max(venue_ns).max(record.ts_recv_ns),
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
