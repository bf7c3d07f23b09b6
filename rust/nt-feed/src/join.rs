//! The book of one instrument, joined from snapshots and diffs by the venue's rule.
//!
//! Law: whoever applies the records that come out, from a `SnapshotBegin` on, holds the same book as this one, until a
//! `Resync` says that it must not be trusted; then nothing of it comes out before the next snapshot has been joined.

use nt_book::{Depth, KrakenScale, Ladder, Side};

use crate::event::{BID, Event, EventKind, LAST};
use crate::section::{Part, Section};
use crate::sequence::{Follows, futures, spot};

/// Records of diffs that wait for their snapshot, at most: some minutes of the busiest stream.
const WAITING_MAX: usize = 1 << 18;

/// How a venue's books are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Binance spot and Binance.US: a requested snapshot, then diffs by `U` and `u`.
    Spot,
    /// Binance USD-M futures: a requested snapshot, then diffs by `pu`.
    Futures,
    /// Coinbase: the snapshot comes in the stream, and the connection's counter shows losses.
    InStream,
    /// Kraken: the snapshot comes in the stream, and each message carries the checksum of the book behind it, which is
    /// to be cut to the subscribed depth first.
    Checked {
        /// The subscribed depth.
        depth: usize,
    },
    /// OANDA: every price message is a whole book.
    Whole,
}

/// Where records go: they are numbered on the way.
#[derive(Debug)]
pub struct Outlet<'a> {
    /// The records so far.
    pub events: &'a mut Vec<Event>,
    /// The number of the next record.
    pub sequence: &'a mut u32,
}

impl Outlet<'_> {
    /// Adds a record.
    #[inline]
    pub fn push(&mut self, event: Event) {
        let sequence = *self.sequence;
        *self.sequence = sequence.wrapping_add(1);
        self.events.push(Event { sequence, ..event });
    }

    fn mark_last(&mut self) {
        if let Some(event) = self.events.last_mut() {
            event.flags |= LAST;
        }
    }
}

/// A diff that waits for a snapshot.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    section: Section,
    ts_recv_ns: i64,
}

/// The book and what is known about its trustworthiness.
#[derive(Debug)]
pub struct Book {
    ladder: Ladder,
    scale: KrakenScale,
    /// Whether the ladder is the venue's book.
    live: bool,
    /// Whether a diff has been applied since the snapshot.
    joined: bool,
    /// Whether a snapshot has been asked for.
    asked: bool,
    diffs_seen: bool,
    id: u64,
    waiting: Vec<Waiting>,
    waiting_events: Vec<Event>,
    /// The latest time that the venue named.
    ts_event_ns: i64,
    /// When the last message for this book was received.
    pub ts_recv_ns: i64,
    /// How many checksums agreed.
    pub checksums: u64,
}

impl Book {
    /// A book that waits for its first snapshot.
    pub fn new(scale: KrakenScale) -> Self {
        Self {
            ladder: Ladder::new(),
            scale,
            live: false,
            joined: false,
            asked: false,
            diffs_seen: false,
            id: 0,
            waiting: Vec::new(),
            waiting_events: Vec::new(),
            ts_event_ns: 0,
            ts_recv_ns: 0,
            checksums: 0,
        }
    }

    /// The levels, as long as they are those of the venue.
    pub fn ladder(&self) -> Option<&Ladder> {
        self.live.then_some(&self.ladder)
    }

    /// The venue's id of the last update that is in the book.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Takes a section in. What waited is empty afterwards or still waits.
    pub fn take(&mut self, rule: Rule, section: &Section, events: &[Event], ts_recv_ns: i64, out: &mut Outlet) {
        self.ts_recv_ns = ts_recv_ns;
        self.ts_event_ns = self.ts_event_ns.max(section.ts_event_ns);
        match section.part {
            Part::Diff => self.take_diff(rule, section, events, ts_recv_ns, out),
            Part::Snapshot => self.take_snapshot(rule, section, events, ts_recv_ns, out),
            Part::Partial if !self.diffs_seen => self.load(rule, section, events, ts_recv_ns, out),
            _ => {}
        }
    }

    fn follows(&self, rule: Rule, id: u64, joined: bool, section: &Section) -> Follows {
        match rule {
            Rule::Spot => spot(id, section.first_id, section.last_id),
            Rule::Futures => {
                let previous_id = section.previous_id.unwrap_or(0);
                futures(id, joined, section.first_id, section.last_id, previous_id)
            }
            Rule::InStream | Rule::Checked { .. } | Rule::Whole => Follows::Next,
        }
    }

    fn take_diff(&mut self, rule: Rule, section: &Section, events: &[Event], ts_recv_ns: i64, out: &mut Outlet) {
        self.diffs_seen = true;
        if !self.live {
            if matches!(rule, Rule::Spot | Rule::Futures) {
                self.keep(section, events, ts_recv_ns);
            }
            if !self.asked {
                self.ask(section.instrument, ts_recv_ns, out);
            }
            return;
        }
        match self.follows(rule, self.id, self.joined, section) {
            Follows::Old => {}
            Follows::Next => self.apply(rule, section, events, ts_recv_ns, out),
            Follows::Gap { expected } => {
                let found = if rule == Rule::Futures { section.previous_id.unwrap_or(0) } else { section.first_id };
                out.push(Event {
                    ts_event_ns: section.ts_event_ns,
                    price: expected as i64,
                    quantity: found as i64,
                    ..Event::bare(EventKind::Gap, section.instrument, ts_recv_ns)
                });
                self.distrust(section.instrument, ts_recv_ns, out);
                self.keep(section, events, ts_recv_ns);
            }
        }
    }

    fn keep(&mut self, section: &Section, events: &[Event], ts_recv_ns: i64) {
        if self.waiting_events.len() + events.len() > WAITING_MAX {
            // Whoever should have sent a snapshot did not: the diffs kept so far could only be joined with one older than
            // any that comes now.
            self.waiting.clear();
            self.waiting_events.clear();
        }
        let start = self.waiting_events.len();
        self.waiting_events.extend_from_slice(events);
        let section = Section { start, end: self.waiting_events.len(), ..*section };
        self.waiting.push(Waiting { section, ts_recv_ns });
    }

    fn ask(&mut self, instrument: u16, ts_recv_ns: i64, out: &mut Outlet) {
        self.asked = true;
        out.push(Event { ts_event_ns: self.ts_event_ns, ..Event::bare(EventKind::Resync, instrument, ts_recv_ns) });
    }

    /// Throws the book away and asks for a snapshot; nothing happens to a book that waits for one already.
    pub fn distrust(&mut self, instrument: u16, ts_recv_ns: i64, out: &mut Outlet) {
        if self.live {
            self.ladder.clear();
            self.live = false;
            self.ask(instrument, ts_recv_ns, out);
        }
    }

    fn take_snapshot(&mut self, rule: Rule, section: &Section, events: &[Event], ts_recv_ns: i64, out: &mut Outlet) {
        let requested = matches!(rule, Rule::Spot | Rule::Futures);
        if requested && self.live && section.last_id <= self.id {
            return;
        }
        if requested {
            let first_kept =
                self.waiting.iter().map(|waiting| self.follows(rule, section.last_id, false, &waiting.section));
            if let Some(Follows::Gap { .. }) = first_kept.into_iter().find(|follows| *follows != Follows::Old) {
                // The snapshot is older than the stream: another one is needed, the diffs stay.
                self.ask(section.instrument, ts_recv_ns, out);
                return;
            }
        }
        self.load(rule, section, events, ts_recv_ns, out);
        let (waiting, waiting_events) = (std::mem::take(&mut self.waiting), std::mem::take(&mut self.waiting_events));
        for Waiting { section, ts_recv_ns } in &waiting {
            self.take_diff(rule, section, &waiting_events[section.start..section.end], *ts_recv_ns, out);
        }
        if self.waiting.is_empty() {
            // The memory is kept for the next time.
            (self.waiting, self.waiting_events) = (waiting, waiting_events);
            self.waiting.clear();
            self.waiting_events.clear();
        }
    }

    fn load(&mut self, rule: Rule, section: &Section, events: &[Event], ts_recv_ns: i64, out: &mut Outlet) {
        self.ladder.clear();
        self.live = true;
        self.joined = false;
        self.asked = false;
        self.id = section.last_id;
        // A snapshot without a time was not known before the messages that came ahead of it.
        let ts_event_ns = if section.ts_event_ns == 0 { self.ts_event_ns } else { section.ts_event_ns };
        let frame = Event {
            ts_event_ns,
            id: section.last_id,
            ..Event::bare(EventKind::SnapshotBegin, section.instrument, ts_recv_ns)
        };
        out.push(frame);
        let first = out.events.len();
        self.set(events, out);
        for event in out.events[first..].iter_mut().filter(|event| event.ts_event_ns == 0) {
            event.ts_event_ns = ts_event_ns;
        }
        self.cut(rule, &frame, EventKind::SnapshotLevel, out);
        out.push(Event { kind: EventKind::SnapshotEnd, flags: LAST, ..frame });
        self.check(rule, section, ts_recv_ns, out);
    }

    fn apply(&mut self, rule: Rule, section: &Section, events: &[Event], ts_recv_ns: i64, out: &mut Outlet) {
        self.joined = true;
        self.id = section.last_id;
        self.set(events, out);
        let frame = Event {
            ts_event_ns: section.ts_event_ns,
            id: section.last_id,
            ..Event::bare(EventKind::Level, section.instrument, ts_recv_ns)
        };
        self.cut(rule, &frame, EventKind::Level, out);
        if !events.is_empty() {
            out.mark_last();
        }
        self.check(rule, section, ts_recv_ns, out);
    }

    #[inline]
    fn set(&mut self, events: &[Event], out: &mut Outlet) {
        let mut sequence = *out.sequence;
        out.events.extend(events.iter().map(|event| {
            let numbered = Event { sequence, ..*event };
            sequence = sequence.wrapping_add(1);
            numbered
        }));
        *out.sequence = sequence;
        for event in events {
            let side = if event.flags & BID != 0 { Side::Buy } else { Side::Sell };
            // Prices and quantities were checked when they were read, so a ladder refuses none.
            let _ = self.ladder.set(side, event.price, event.quantity);
        }
    }

    /// Takes away what fell out of the subscribed depth, of which the venue says nothing, and says it in its place.
    fn cut(&mut self, rule: Rule, frame: &Event, kind: EventKind, out: &mut Outlet) {
        let Rule::Checked { depth } = rule else { return };
        for (side, flags) in [(Side::Buy, BID), (Side::Sell, crate::event::ASK)] {
            if self.ladder.count(side) > depth {
                for level in self.ladder.levels(side).skip(depth) {
                    out.push(Event { kind, flags, price: level.price, quantity: 0, ..*frame });
                }
            }
        }
        self.ladder.truncate(depth);
    }

    fn check(&mut self, rule: Rule, section: &Section, ts_recv_ns: i64, out: &mut Outlet) {
        let fault = |kind, price, quantity| Event {
            ts_event_ns: section.ts_event_ns,
            id: section.last_id,
            price,
            quantity,
            ..Event::bare(kind, section.instrument, ts_recv_ns)
        };
        if let (Rule::Checked { .. }, Some(theirs)) = (rule, section.checksum) {
            // A book whose digits exceed 64 bits has no checksum, which is as good as a wrong one.
            let ours = self.scale.checksum(&self.ladder).unwrap_or(!theirs);
            if ours != theirs {
                out.push(fault(EventKind::BadChecksum, i64::from(ours), i64::from(theirs)));
                self.distrust(section.instrument, ts_recv_ns, out);
                return;
            }
            self.checksums += 1;
        }
        if self.ladder.is_crossed() {
            let best = |side| self.ladder.best(side).map_or(0, |level| level.price);
            out.push(fault(EventKind::Crossed, best(Side::Buy), best(Side::Sell)));
            self.distrust(section.instrument, ts_recv_ns, out);
        }
    }
}
