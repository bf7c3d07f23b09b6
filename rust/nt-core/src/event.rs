//! Market events as the engine takes them. More kinds (trades, quotes, book levels) join the two of bars here.

use serde::{Deserialize, Serialize};

use crate::{Nanos, Price, Quantity};

/// The opening of a bar: its first price is known, and how much it will trade.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct BarOpen {
    /// The instrument, by rank of its symbol.
    pub instrument: usize,
    /// The opening price.
    pub price: Price,
    /// Volume that the bar will have, in lots; it bounds fills under a volume cap.
    pub volume: Quantity,
    /// Ask minus bid over the bar, in ticks.
    pub spread: Price,
}

/// A bar that is complete.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct BarClose {
    /// The instrument, by rank of its symbol.
    pub instrument: usize,
    /// Zero-based position of the bar among those of its instrument.
    pub index: usize,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Ask minus bid over the bar, in ticks.
    pub spread: Price,
}

/// Bars of one instrument as borrowed columns of one length: all of them, or a piece. Whatever names one of them by its
/// position counts from the first bar of the instrument.
#[derive(Debug, Clone, Copy)]
pub struct Bars<'a> {
    /// Position of the first bar of these.
    pub first: usize,
    /// When each bar opens.
    pub open_ns: &'a [Nanos],
    /// When each bar closes; not after the next one opens.
    pub close_ns: &'a [Nanos],
    /// Opening prices.
    pub open: &'a [Price],
    /// Highest prices.
    pub high: &'a [Price],
    /// Lowest prices.
    pub low: &'a [Price],
    /// Closing prices.
    pub close: &'a [Price],
    /// Volumes, empty where unknown.
    pub volume: &'a [Quantity],
    /// Spreads, empty where unknown.
    pub spread: &'a [Price],
}

impl<'a> Bars<'a> {
    /// The number of bars.
    pub fn len(&self) -> usize {
        self.open_ns.len()
    }

    /// The position after the last bar of these.
    pub fn end(&self) -> usize {
        self.first + self.len()
    }

    /// The columns in the order in which they are digested.
    pub fn columns(&self) -> [&'a [i64]; 8] {
        [self.open_ns, self.close_ns, self.open, self.high, self.low, self.close, self.volume, self.spread]
    }

    /// Whether there is no bar.
    pub fn is_empty(&self) -> bool {
        self.open_ns.is_empty()
    }

    /// The first `rows` bars of these, and the rest.
    pub fn split_at(&self, rows: usize) -> (Bars<'a>, Bars<'a>) {
        let parts = self.columns().map(|column| column.split_at(rows.min(column.len())));
        let of = |first, [open_ns, close_ns, open, high, low, close, volume, spread]: [&'a [i64]; 8]| Bars {
            first,
            open_ns,
            close_ns,
            open,
            high,
            low,
            close,
            volume,
            spread,
        };
        (of(self.first, parts.map(|part| part.0)), of(self.first + rows.min(self.len()), parts.map(|part| part.1)))
    }

    /// Those that close up to a time.
    pub fn until(&self, time_ns: Nanos) -> Bars<'a> {
        self.split_at(self.close_ns.partition_point(|close_ns| *close_ns <= time_ns)).0
    }

    /// The opening event of bar `index`.
    #[inline]
    pub fn opening(&self, instrument: usize, index: usize) -> BarOpen {
        let row = index - self.first;
        BarOpen {
            instrument,
            price: self.open[row],
            volume: self.volume.get(row).copied().unwrap_or(0),
            spread: self.spread.get(row).copied().unwrap_or(0),
        }
    }

    /// The closing event of bar `index`.
    #[inline]
    pub fn closing(&self, instrument: usize, index: usize) -> BarClose {
        let row = index - self.first;
        BarClose {
            instrument,
            index,
            open: self.open[row],
            high: self.high[row],
            low: self.low[row],
            close: self.close[row],
            spread: self.spread.get(row).copied().unwrap_or(0),
        }
    }
}
