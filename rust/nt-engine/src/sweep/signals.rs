//! A formula whose signals over a block of bars are known: the engine is called only where one of them is on.

use nt_core::{Bars, Result};
use nt_features::graph::column::Column;

use crate::engine::Engine;
use crate::formula::{Desk, Roles, wish};
use crate::run::Strategy;

/// The bars at which something is wanted, given what is held.
#[derive(Debug, Default)]
pub(super) struct Bits {
    /// Where nothing is held.
    flat: Vec<u64>,
    /// Where a long position is.
    long: Vec<u64>,
    /// What a role that is absent says.
    never: Vec<u64>,
}

impl Bits {
    /// Those of a block: what `formula::wish` says, of 64 bars at a time.
    pub fn of<'a>(&'a mut self, roles: &Roles<Option<&'a Column>>, rows: usize) {
        let words = rows.div_ceil(64);
        self.never.resize(words, 0);
        let Bits { flat, long, never } = self;
        let words_of =
            |role: Option<&'a Column>| role.map(Column::bits).filter(|bits| bits.len() == words).unwrap_or(never);
        let (exits, short_exits) = (words_of(roles.exit), words_of(roles.short_exit));
        let entries = words_of(roles.entry).iter().zip(exits).map(|(entry, exit)| entry & !exit);
        let shorts = words_of(roles.short_entry).iter().zip(short_exits).map(|(entry, exit)| entry & !exit);
        // Of an entry and a short entry at the same bar nothing comes.
        flat.clear();
        flat.extend(entries.clone().zip(shorts.clone()).map(|(entry, short)| entry ^ short));
        long.clear();
        long.extend(entries.zip(shorts).zip(exits).map(|((entry, short), exit)| exit | short & !entry));
    }
}

/// The formula over a block.
pub(super) struct Signals<'a> {
    pub desk: &'a mut Desk,
    pub roles: Roles<Option<&'a Column>>,
    pub has: Roles<bool>,
    pub bits: &'a Bits,
}

impl Signals<'_> {
    #[inline(always)]
    fn values(&self, row: usize) -> Roles<f64> {
        self.roles.map(|column| column.map_or(f64::NAN, |column| column.at(row)))
    }
}

impl Strategy for Signals<'_> {
    /// A block of them has just been gone through.
    const BARS_ARE_NEAR: bool = true;

    fn on_bar(&mut self, engine: &mut Engine, instrument: usize, bars: &Bars<'_>, index: usize) -> Result<()> {
        let row = index - bars.first;
        let values = self.values(row);
        self.desk.act(engine, instrument, bars.close[row], &values, &self.has)
    }

    fn next_call(&mut self, engine: &Engine, instrument: usize, bars: &Bars<'_>, from: usize) -> usize {
        let held = engine.position(instrument).signum();
        if self.has.target {
            let wants = |row| wish(&self.values(row), &self.has, held, self.desk.target()).is_some();
            let rows = from - bars.first..bars.len();
            return rows.into_iter().find(|&row| wants(row)).map_or(bars.end(), |row| bars.first + row);
        }
        // A short position is never quiet, so nothing is asked here while there is one.
        let bits = if held > 0 { &self.bits.long } else { &self.bits.flat };
        match next_bit(bits, from - bars.first) {
            Some(row) => bars.first + row,
            None => bars.end(),
        }
    }
}

/// The first bit that is on at a position or after it.
#[inline]
fn next_bit(bits: &[u64], from: usize) -> Option<usize> {
    let (mut word, mut ahead) = (from / 64, !0 << (from % 64));
    while let Some(bits) = bits.get(word) {
        let left = bits & ahead;
        if left != 0 {
            return Some(64 * word + left.trailing_zeros() as usize);
        }
        (word, ahead) = (word + 1, !0);
    }
    None
}
