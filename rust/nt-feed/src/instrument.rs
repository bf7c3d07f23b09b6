//! The instruments of a feed: each symbol's number, grid and precision.

use std::collections::BTreeMap;

use nt_core::Step;

use crate::DECIMALS_MAX;
use crate::malformed::{Malformed, MalformedKind};

/// More instruments than any venue lists; the number of an instrument has sixteen bits.
const INSTRUMENTS_MAX: usize = 50_000;

/// More symbols than any capture has that nobody described: what is made up on the wire must not fill the memory.
const FALLBACK_MAX: usize = 4096;

/// What decoding needs to know of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The price step.
    pub tick: Step,
    /// The quantity step.
    pub lot: Step,
    /// Decimals of prices in the venue's texts, which its checksums are made of.
    pub price_decimals: u8,
    /// Decimals of quantities in the venue's texts.
    pub quantity_decimals: u8,
}

impl Grid {
    /// A grid whose texts have the decimals of its steps.
    pub fn new(tick: Step, lot: Step) -> Self {
        Self { tick, lot, price_decimals: tick.decimals, quantity_decimals: lot.decimals }
    }

    /// The grid on which market data is decoded: its quantities have all decimals that the venue writes. A book holds
    /// quantities between two lots wherever the lot was made coarser while orders rested.
    pub fn of_data(self) -> Self {
        Self { lot: Step { mantissa: 1, decimals: self.quantity_decimals.min(DECIMALS_MAX) }, ..self }
    }
}

/// Symbols and their grids, numbered in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Instruments {
    symbols: Vec<Box<[u8]>>,
    grids: Vec<Grid>,
    numbers: BTreeMap<Box<[u8]>, u16>,
    /// The grid of symbols that nobody described; without one they are refused.
    fallback: Option<Grid>,
    /// The instrument asked for last: streams of one instrument never search.
    latest: u16,
}

impl Instruments {
    /// No instruments yet; symbols that were not described go on the fallback's grid.
    pub fn new(fallback: Option<Grid>) -> Self {
        Self { fallback, ..Self::default() }
    }

    /// Adds an instrument, or leaves the one of that symbol as it is: a grid that changed under a book would make its
    /// counts meaningless. Returns its number, or nothing where there is no room.
    pub fn add(&mut self, symbol: &[u8], grid: Grid) -> Option<u16> {
        if let Some(number) = self.numbers.get(symbol) {
            return Some(*number);
        }
        let number = u16::try_from(self.grids.len()).ok().filter(|_| self.grids.len() < INSTRUMENTS_MAX)?;
        self.numbers.insert(symbol.into(), number);
        self.symbols.push(symbol.into());
        self.grids.push(grid);
        Some(number)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.grids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.grids.is_empty()
    }

    /// The symbol of an instrument.
    pub fn symbol(&self, number: u16) -> &[u8] {
        self.symbols.get(usize::from(number)).map_or(&[], |symbol| symbol)
    }

    /// The grid of an instrument; that of one which does not exist is the unit grid.
    #[inline]
    pub fn grid(&self, number: u16) -> Grid {
        const UNIT: Step = Step { mantissa: 1, decimals: 0 };
        let unit = Grid { tick: UNIT, lot: UNIT, price_decimals: 0, quantity_decimals: 0 };
        self.grids.get(usize::from(number)).copied().unwrap_or(unit)
    }

    /// The number of a symbol, if it is known.
    #[inline]
    pub fn find(&mut self, symbol: &[u8]) -> Option<u16> {
        if self.symbols.get(usize::from(self.latest)).is_some_and(|latest| **latest == *symbol) {
            return Some(self.latest);
        }
        let number = *self.numbers.get(symbol)?;
        self.latest = number;
        Some(number)
    }

    /// The number of a symbol at `offset` of a message. One that is new gets the fallback's grid, if there is one.
    #[inline]
    pub fn number(&mut self, symbol: &[u8], offset: usize) -> Result<u16, Malformed> {
        if let Some(number) = self.find(symbol) {
            return Ok(number);
        }
        let unknown = Malformed::at(MalformedKind::UnknownInstrument, offset);
        let plausible = (1..=32).contains(&symbol.len())
            && symbol.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.:".contains(byte));
        let fallback = self.fallback.filter(|_| plausible && self.grids.len() < FALLBACK_MAX).ok_or(unknown)?;
        self.add(symbol, fallback).ok_or(unknown)
    }

    /// The number of a symbol in any case, such as that of a Binance stream name.
    pub fn find_any_case(&mut self, symbol: &[u8]) -> Option<u16> {
        let mut upper = [0_u8; 32];
        let upper = upper.get_mut(..symbol.len())?;
        upper.copy_from_slice(symbol);
        upper.make_ascii_uppercase();
        self.find(upper)
    }

    /// The only instrument, where there is exactly one: what a message that names none is about.
    pub fn sole(&self) -> Option<u16> {
        (self.grids.len() == 1).then_some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid {
        tick: Step { mantissa: 1, decimals: 2 },
        lot: Step { mantissa: 1, decimals: 5 },
        price_decimals: 2,
        quantity_decimals: 5,
    };

    #[test]
    fn a_symbol_keeps_its_number_and_its_first_grid() {
        let mut known = Instruments::new(None);
        assert_eq!(known.add(b"BTCUSDT", GRID), Some(0));
        assert_eq!(known.sole(), Some(0));
        assert_eq!(known.add(b"ETHUSDT", GRID), Some(1));
        assert_eq!(known.add(b"BTCUSDT", Grid { price_decimals: 9, ..GRID }), Some(0));
        assert_eq!((known.grid(0).price_decimals, known.symbol(1), known.sole()), (2, b"ETHUSDT".as_slice(), None));
        assert_eq!(known.find_any_case(b"ethusdt"), Some(1));
        assert_eq!(known.number(b"DOGE", 7), Err(Malformed::at(MalformedKind::UnknownInstrument, 7)));
    }

    #[test]
    fn the_fallback_takes_plausible_names_only() {
        let mut known = Instruments::new(Some(GRID));
        assert_eq!(known.number(b"BTC/USD", 0), Ok(0));
        assert!(
            known.number(b"", 0).is_err()
                && known.number(b"\\u0000", 0).is_err()
                && known.number(&[b'A'; 33], 0).is_err()
        );
        assert_eq!(known.len(), 1);
    }
}
