//! What a message says about one instrument, before it is joined with what came earlier.

use crate::counting::Shape;
use crate::event::{Event, EventKind};

/// How the records of a section are to be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// They stand alone: quotes, bars, tickers.
    Free,
    /// Trades with ids that rise.
    Trades,
    /// Changes of a book.
    Diff,
    /// A whole book.
    Snapshot,
    /// The best levels of a book that is otherwise followed by its changes.
    Partial,
}

/// A run of records with the numbers by which the venue joins it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// How to join it.
    pub part: Part,
    /// The instrument.
    pub instrument: u16,
    /// The first record.
    pub start: usize,
    /// Behind the last record.
    pub end: usize,
    /// The venue's first update id in the section, or the only one.
    pub first_id: u64,
    /// The venue's last update id in the section.
    pub last_id: u64,
    /// The last update id of the message before, where the venue repeats it.
    pub previous_id: Option<u64>,
    /// The checksum of the book behind the section.
    pub checksum: Option<u32>,
    /// The venue's time; 0 where it says none.
    pub ts_event_ns: i64,
}

/// One decoded message. Its vectors are reused, so that messages stop allocating once the largest has been seen.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// All records.
    pub events: Vec<Event>,
    /// What they belong to.
    pub sections: Vec<Section>,
    /// The number of the message on its connection, where the venue counts messages.
    pub sequence_number: Option<u64>,
    /// Whether the message is known not to be about books, so that losing it leaves them whole.
    pub beside_books: bool,
    /// Whether the venue refused something.
    pub refused: bool,
    /// The depth of books that the venue acknowledged.
    pub depth: Option<usize>,
    /// How the latest level was written, which most levels share; kept from message to message.
    pub shapes: Option<[Shape; 2]>,
}

impl Decoded {
    /// Forgets the message and keeps the memory.
    pub fn clear(&mut self) {
        self.events.clear();
        self.sections.clear();
        self.sequence_number = None;
        self.beside_books = false;
        self.refused = false;
        self.depth = None;
    }

    /// Adds a section of the records from `start` to the end, with the venue's time and last id on those that have none.
    pub fn close(&mut self, section: Section) {
        let end = self.events.len();
        for event in &mut self.events[section.start..end] {
            event.instrument = section.instrument;
            event.id = if event.id == 0 { section.last_id } else { event.id };
            event.ts_event_ns = if event.ts_event_ns == 0 { section.ts_event_ns } else { event.ts_event_ns };
            if section.part == Part::Snapshot || section.part == Part::Partial {
                event.kind = EventKind::SnapshotLevel;
            }
        }
        self.sections.push(Section { end, ..section });
    }

    /// A section of records that stand alone.
    pub fn close_free(&mut self, part: Part, instrument: u16, start: usize, ts_event_ns: i64, id: u64) {
        let section = Section {
            part,
            instrument,
            start,
            end: start,
            first_id: id,
            last_id: id,
            previous_id: None,
            checksum: None,
            ts_event_ns,
        };
        self.close(section);
    }

    /// Adds a trade: to the section of the one before it, if that is of the same instrument.
    pub fn push_trade(&mut self, trade: Event) {
        let start = self.events.len();
        self.events.push(trade);
        match self.sections.last_mut() {
            Some(latest) if latest.part == Part::Trades && latest.instrument == trade.instrument => {
                latest.end = start + 1;
            }
            _ => self.close_free(Part::Trades, trade.instrument, start, trade.ts_event_ns, trade.id),
        }
    }
}
