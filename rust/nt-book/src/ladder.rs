//! The L2 ladder: the quantity at each price.

use nt_core::{Price, Quantity, Side};

use crate::level::{check_price, check_resting, place};
use crate::window::{CELLS_MAX, Window};
use crate::{BookError, Depth, Level};

/// Levels of both sides, for updates that say what rests at a price from now on.
///
/// An update and the best price after it take constant time near the market; [`crate::PlainLadder`] defines the answers.
#[derive(Clone, Debug)]
pub struct Ladder {
    sides: [Window<Quantity>; 2],
}

impl Default for Ladder {
    fn default() -> Self {
        Self::new()
    }
}

impl Ladder {
    /// An empty ladder that is fastest within 262,144 ticks of the market; pages of memory that it does not touch cost
    /// nothing.
    pub fn new() -> Self {
        Self::with_window(CELLS_MAX)
    }

    /// An empty ladder that is fastest within about so many ticks of the market, from 4,096 to 262,144.
    pub fn with_window(ticks: usize) -> Self {
        Self { sides: [Window::new(Side::Buy, ticks), Window::new(Side::Sell, ticks)] }
    }

    /// Says what rests at a price from now on, zero for nothing, and returns what did before.
    ///
    /// # Errors
    /// [`BookError::Price`] and [`BookError::Quantity`]; the ladder is then as it was.
    #[inline]
    pub fn set(&mut self, side: Side, price: Price, quantity: Quantity) -> Result<Quantity, BookError> {
        check_price(price)?;
        if quantity < 0 {
            return Err(BookError::Quantity { quantity });
        }
        Ok(self.sides[place(side)].replace(price, quantity))
    }

    /// Replaces everything by a snapshot, whose levels may come in any order.
    ///
    /// # Errors
    /// A price out of range or named twice, a quantity that is not positive; the ladder is then empty, because half a
    /// snapshot is worse than none.
    pub fn load(&mut self, bids: &[Level], asks: &[Level]) -> Result<(), BookError> {
        self.clear();
        let loaded = self.load_side(Side::Buy, bids).and_then(|()| self.load_side(Side::Sell, asks));
        if loaded.is_err() {
            self.clear();
        }
        loaded
    }

    fn load_side(&mut self, side: Side, levels: &[Level]) -> Result<(), BookError> {
        for level in levels {
            check_resting(level.quantity)?;
            if self.set(side, level.price, level.quantity)? != 0 {
                return Err(BookError::Twice { price: level.price });
            }
        }
        Ok(())
    }

    /// Keeps the best `depth` levels of each side and returns how many went: some venues send no deletion for a level
    /// that falls out of the subscribed depth.
    #[inline]
    pub fn truncate(&mut self, depth: usize) -> usize {
        self.sides.iter_mut().map(|side| side.truncate(depth)).sum()
    }

    /// Forgets every level.
    pub fn clear(&mut self) {
        self.sides.iter_mut().for_each(Window::clear);
    }

    /// Within how many ticks of the market it is fastest.
    pub(crate) fn window(&self) -> usize {
        self.sides[0].reach()
    }

    /// The levels of a side that are worse than a price, or all of them, best first.
    #[inline]
    pub(crate) fn levels_behind(&self, side: Side, price: Option<Price>) -> impl Iterator<Item = Level> + '_ {
        let window = &self.sides[place(side)];
        let levels = price.map_or_else(|| window.iter(), |price| window.iter_behind(price));
        levels.map(|(price, quantity)| Level { price, quantity })
    }

    /// Compares the ladder with itself; used after each step of a property test.
    ///
    /// # Errors
    /// [`BookError::Inconsistent`] says what contradicts.
    pub fn check_invariants(&self) -> Result<(), BookError> {
        match self.sides.iter().find_map(Window::contradiction) {
            Some(what) => Err(BookError::Inconsistent(what)),
            None if self.sides.iter().any(|side| side.iter().any(|(_, quantity)| quantity <= 0)) => {
                Err(BookError::Inconsistent("a level has no quantity".to_owned()))
            }
            None => Ok(()),
        }
    }
}

impl Depth for Ladder {
    #[inline]
    fn best(&self, side: Side) -> Option<Level> {
        self.sides[place(side)].best().map(|(price, quantity)| Level { price, quantity })
    }

    #[inline]
    fn quantity_at(&self, side: Side, price: Price) -> Quantity {
        match check_price(price) {
            Ok(()) => self.sides[place(side)].get(price),
            Err(_) => 0,
        }
    }

    #[inline]
    fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        self.sides[place(side)].iter().map(|(price, quantity)| Level { price, quantity })
    }

    #[inline]
    fn count(&self, side: Side) -> usize {
        self.sides[place(side)].count()
    }
}
