//! What we know of the books: those made of the records that have arrived here.

use nt_book::{Depth as _, Ladder, Level, OrderBook};
use nt_core::record::EventKind;
use nt_core::{Error, Price, Quantity, Record, Result, Side};
use serde::{Deserialize, Serialize};

use super::timeline::at_record;
use super::{Arrived, Replay, ReplaySettings};
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
            if let Some(rank) = source.rank_here(&record) {
                self.views[rank].see(&record).map_err(|error| at_record(error, place.source, place.index))?;
                if let Some(tape) = self.tapes.get_mut(rank) {
                    tape.note(place.time_ns, &record, self.settings.rules_of(rank).trades, &self.views[rank]);
                }
            }
        }
    }
}

/// The book of one instrument as far as we know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum View {
    /// Made of levels; unknown from where it is emptied to the end of the next snapshot.
    Levels { book: Ladder, known: bool },
    /// Made of the best level of each side.
    Quotes(Ladder),
    /// Made of single orders; unknown as that of levels is.
    Orders { book: OrderBook, known: bool },
    /// By the rules of hftbacktest.
    LikeHftbacktest(Book),
}

impl View {
    pub fn new(rank: usize, settings: &ReplaySettings) -> Self {
        match settings.view_of(rank) {
            _ if settings.like_hftbacktest => Self::LikeHftbacktest(Book::default()),
            Depth::Levels => Self::Levels { book: Ladder::default(), known: true },
            Depth::Quotes | Depth::Bars => Self::Quotes(Ladder::default()),
            Depth::Orders => Self::Orders { book: OrderBook::default(), known: true },
        }
    }

    pub fn best(&self, side: Side) -> Option<Level> {
        match self {
            Self::Levels { known: false, .. } | Self::Orders { known: false, .. } => None,
            Self::Levels { book, .. } | Self::Quotes(book) => book.best(side),
            Self::Orders { book, .. } => book.best(side),
            Self::LikeHftbacktest(book) => book.levels(side).next(),
        }
    }

    pub fn levels(&self, side: Side, count: usize) -> Vec<Level> {
        match self {
            Self::Levels { known: false, .. } | Self::Orders { known: false, .. } => Vec::new(),
            Self::Levels { book, .. } | Self::Quotes(book) => book.levels(side).take(count).collect(),
            Self::Orders { book, .. } => book.levels(side).take(count).collect(),
            Self::LikeHftbacktest(book) => book.levels(side).take(count).collect(),
        }
    }

    #[inline]
    fn see(&mut self, record: &Record) -> Result<()> {
        match self {
            Self::Levels { book, .. } if record.is(EventKind::Level) || record.is(EventKind::SnapshotLevel) => {
                if let Some((side, price, quantity)) = level_of(record)? {
                    set(book, side, price, quantity)?;
                }
            }
            Self::Levels { book, known } if record.is(EventKind::SnapshotBegin) || record.is(EventKind::Resync) => {
                book.clear();
                *known = false;
            }
            Self::Levels { known, .. } if record.is(EventKind::SnapshotEnd) => *known = true,
            Self::Quotes(book) if record.is(EventKind::Quote) => {
                if let Some((side, price, quantity)) = level_of(record)? {
                    if let Some(before) = book.best(side) {
                        set(book, side, before.price, 0)?;
                    }
                    set(book, side, price, quantity)?;
                }
            }
            Self::Orders { book, known } => see_order(book, known, record)?,
            Self::LikeHftbacktest(book) => book.see(record)?,
            Self::Levels { .. } | Self::Quotes(_) => {}
        }
        Ok(())
    }
}

#[inline]
fn set(book: &mut Ladder, side: Side, price: Price, quantity: Quantity) -> Result<()> {
    book.set(side, price, quantity).map(drop).map_err(|error| Error::Misuse(error.to_string()))
}

// A call of its own, so that it does not swell the loop that reads levels.
#[inline(never)]
fn see_order(book: &mut OrderBook, known: &mut bool, record: &Record) -> Result<()> {
    if is_of_order(record) {
        play_order(book, *known, record)?;
    } else if record.is(EventKind::SnapshotBegin) || record.is(EventKind::Resync) {
        book.clear();
        *known = false;
    } else if record.is(EventKind::SnapshotEnd) {
        *known = true;
    }
    Ok(())
}
