//! What we know of the books: those made of the records that have arrived here.

use nt_book::{BookError, Depth as _, Ladder, Level, OrderBook};
use nt_core::record::EventKind;
use nt_core::{Error, Record, Result, Side};

use super::{Arrived, Replay, ReplaySettings, at_record};
use crate::like_hftbacktest::Book;
use crate::source::Source;
use crate::venue::{Depth, is_of_order, level_of, play_order};

impl Replay {
    /// The best level of a side as far as we know.
    pub fn best(&mut self, sources: &[Source<'_>], instrument: usize, side: Side) -> Result<Option<Level>> {
        self.look(sources)?;
        Ok(self.views[instrument].best(side))
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
        Ok(self.views[instrument].levels(side, count))
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
                self.views[rank].see(&record).map_err(|error| at_record(error, place.source, place.index))?;
            }
        }
    }
}

/// The book of one instrument as far as we know.
#[derive(Debug, Clone)]
pub(super) enum View {
    /// By our own rules.
    House { book: Ladder, depth: Depth, known: bool },
    /// The same, made of single orders.
    Orders { book: OrderBook, known: bool },
    /// By those of hftbacktest, of which no book is unknown.
    LikeHftbacktest(Book),
}

impl View {
    pub fn new(settings: &ReplaySettings) -> Self {
        if settings.like_hftbacktest {
            Self::LikeHftbacktest(Book::default())
        } else if settings.venue.depth == Depth::Orders {
            Self::Orders { book: OrderBook::default(), known: true }
        } else {
            Self::House { book: Ladder::default(), depth: settings.venue.depth, known: true }
        }
    }

    fn best(&self, side: Side) -> Option<Level> {
        match self {
            Self::House { book, known, .. } => book.best(side).filter(|_| *known),
            Self::Orders { book, known } => book.best(side).filter(|_| *known),
            Self::LikeHftbacktest(book) => book.levels(side).next(),
        }
    }

    fn levels(&self, side: Side, count: usize) -> Vec<Level> {
        match self {
            Self::House { known: false, .. } | Self::Orders { known: false, .. } => Vec::new(),
            Self::House { book, .. } => book.levels(side).take(count).collect(),
            Self::Orders { book, .. } => book.levels(side).take(count).collect(),
            Self::LikeHftbacktest(book) => book.levels(side).take(count).collect(),
        }
    }

    #[inline]
    fn see(&mut self, record: &Record) -> Result<()> {
        match self {
            Self::House { book, depth, known } => see(book, *depth, known, record),
            Self::Orders { book, known } => see_order(book, known, record),
            Self::LikeHftbacktest(book) => book.see(record),
        }
    }
}

#[inline]
fn see(book: &mut Ladder, depth: Depth, known: &mut bool, record: &Record) -> Result<()> {
    let wrong = |error: BookError| Error::Misuse(error.to_string());
    match depth {
        Depth::Levels if record.is(EventKind::Level) || record.is(EventKind::SnapshotLevel) => {
            if let Some((side, price, quantity)) = level_of(record)? {
                book.set(side, price, quantity).map_err(wrong)?;
            }
        }
        Depth::Levels if record.is(EventKind::SnapshotBegin) || record.is(EventKind::Resync) => {
            book.clear();
            *known = false;
        }
        Depth::Levels if record.is(EventKind::SnapshotEnd) => *known = true,
        Depth::Quotes if record.is(EventKind::Quote) => {
            if let Some((side, price, quantity)) = level_of(record)? {
                if let Some(before) = book.best(side) {
                    book.set(side, before.price, 0).map_err(wrong)?;
                }
                book.set(side, price, quantity).map_err(wrong)?;
            }
        }
        Depth::Levels | Depth::Quotes | Depth::Orders => {}
    }
    Ok(())
}

#[inline]
fn see_order(book: &mut OrderBook, known: &mut bool, record: &Record) -> Result<()> {
    if is_of_order(record) {
        return play_order(book, *known, record);
    }
    if record.is(EventKind::SnapshotBegin) || record.is(EventKind::Resync) {
        book.clear();
        *known = false;
    } else if record.is(EventKind::SnapshotEnd) {
        *known = true;
    }
    Ok(())
}
