//! A venue's bar on its way into four records.

use crate::event::{Event, EventKind};
use crate::instrument::Grid;
use crate::json::{Token, required};
use crate::malformed::Malformed;
use crate::section::Decoded;

/// A bar in ticks and lots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bar {
    /// Open, high, low and close in ticks.
    pub prices: [i64; 4],
    /// The volume in lots.
    pub volume: i64,
    /// The length of the bar.
    pub interval_ns: i64,
    /// When it opens.
    pub open_ns: i64,
    /// Flags of all its records.
    pub flags: u8,
}

/// Open, high, low and close as they stand in a message.
pub type Texts<'a> = [Option<Token<'a>>; 4];

impl Bar {
    /// Reads the prices.
    pub fn with_prices(self, texts: Texts, grid: Grid) -> Result<Self, Malformed> {
        let mut prices = [0; 4];
        for ((price, text), name) in prices.iter_mut().zip(texts).zip(["open", "high", "low", "close"]) {
            *price = required(text, name)?.price(grid.tick)?;
        }
        Ok(Self { prices, ..self })
    }

    /// Adds the records.
    pub fn push(&self, instrument: u16, ts_recv_ns: i64, out: &mut Decoded) {
        let kinds = [EventKind::BarOpen, EventKind::BarHigh, EventKind::BarLow, EventKind::BarClose];
        let quantities = [self.interval_ns, 0, 0, self.volume];
        let (id, flags) = (self.open_ns as u64, self.flags);
        for ((kind, price), quantity) in kinds.into_iter().zip(self.prices).zip(quantities) {
            out.events.push(Event { price, quantity, id, flags, ..Event::bare(kind, instrument, ts_recv_ns) });
        }
    }
}
