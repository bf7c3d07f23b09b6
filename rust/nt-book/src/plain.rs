//! The definition: both books out of sorted maps and lists, with nothing in them that is clever.

use std::collections::BTreeMap;

use nt_core::{Price, Quantity, Side};

use crate::level::{check_price, check_resting, place};
use crate::{Ahead, BookError, Depth, Level, RestingOrder};

/// What [`crate::Ladder`] has to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainLadder {
    sides: [BTreeMap<Price, Quantity>; 2],
}

impl PlainLadder {
    /// An empty ladder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what rests at a price from now on, zero for nothing, and returns what did before.
    ///
    /// # Errors
    /// [`BookError::Price`] and [`BookError::Quantity`]; the ladder is then as it was.
    pub fn set(&mut self, side: Side, price: Price, quantity: Quantity) -> Result<Quantity, BookError> {
        check_price(price)?;
        if quantity < 0 {
            return Err(BookError::Quantity { quantity });
        }
        let levels = &mut self.sides[place(side)];
        let before = if quantity == 0 { levels.remove(&price) } else { levels.insert(price, quantity) };
        Ok(before.unwrap_or(0))
    }

    /// Replaces everything by a snapshot, whose levels may come in any order.
    ///
    /// # Errors
    /// A price out of range or named twice, a quantity that is not positive; the ladder is then empty.
    pub fn load(&mut self, bids: &[Level], asks: &[Level]) -> Result<(), BookError> {
        let mut loaded = Self::new();
        self.clear();
        for (side, levels) in [(Side::Buy, bids), (Side::Sell, asks)] {
            for level in levels {
                check_resting(level.quantity)?;
                if loaded.set(side, level.price, level.quantity)? != 0 {
                    return Err(BookError::Twice { price: level.price });
                }
            }
        }
        *self = loaded;
        Ok(())
    }

    /// Keeps the best `depth` levels of each side and returns how many went.
    pub fn truncate(&mut self, depth: usize) -> usize {
        let mut gone = 0;
        for side in [Side::Buy, Side::Sell] {
            let beyond: Vec<Level> = self.levels(side).skip(depth).collect();
            for level in &beyond {
                self.sides[place(side)].remove(&level.price);
            }
            gone += beyond.len();
        }
        gone
    }

    /// Forgets every level.
    pub fn clear(&mut self) {
        self.sides.iter_mut().for_each(BTreeMap::clear);
    }
}

impl Depth for PlainLadder {
    fn best(&self, side: Side) -> Option<Level> {
        self.levels(side).next()
    }

    fn quantity_at(&self, side: Side, price: Price) -> Quantity {
        self.sides[place(side)].get(&price).copied().unwrap_or(0)
    }

    fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        best_first(side, &self.sides[place(side)]).map(|(price, &quantity)| Level { price, quantity })
    }

    fn count(&self, side: Side) -> usize {
        self.sides[place(side)].len()
    }
}

/// What [`crate::OrderBook`] has to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainBook {
    sides: [BTreeMap<Price, Vec<RestingOrder>>; 2],
}

impl PlainBook {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an order behind all others at its price and returns the quantity ahead of it.
    ///
    /// # Errors
    /// A price or quantity out of range, a number that rests already, a level beyond 64 bits.
    pub fn add(&mut self, order: RestingOrder) -> Result<Quantity, BookError> {
        check_price(order.price)?;
        check_resting(order.quantity)?;
        if self.order(order.id).is_some() {
            return Err(BookError::DuplicateOrder { id: order.id });
        }
        let ahead = self.quantity_at(order.side, order.price);
        if ahead.checked_add(order.quantity).is_none() {
            return Err(BookError::LevelOverflow { price: order.price });
        }
        self.sides[place(order.side)].entry(order.price).or_default().push(order);
        Ok(ahead)
    }

    /// Takes an order out and returns what was left of it.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`].
    pub fn cancel(&mut self, id: u64) -> Result<RestingOrder, BookError> {
        let order = self.find(id)?;
        let queues = &mut self.sides[place(order.side)];
        let queue = queues.entry(order.price).or_default();
        queue.retain(|other| other.id != id);
        if queue.is_empty() {
            queues.remove(&order.price);
        }
        Ok(order)
    }

    /// Fills an order, which goes when nothing is left of it, and returns what is left.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], a quantity that is not positive, [`BookError::Overfill`].
    pub fn fill(&mut self, id: u64, quantity: Quantity) -> Result<Quantity, BookError> {
        let order = self.find(id)?;
        check_resting(quantity)?;
        if quantity > order.quantity {
            return Err(BookError::Overfill { id, left: order.quantity, filled: quantity });
        }
        let left = order.quantity - quantity;
        if left == 0 {
            self.cancel(id)?;
        } else {
            self.keep_place(&order, left);
        }
        Ok(left)
    }

    /// Gives an order another price or quantity, and says whether it kept its place.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], a price or quantity out of range, a level beyond 64 bits.
    pub fn amend(&mut self, id: u64, price: Price, quantity: Quantity) -> Result<bool, BookError> {
        let order = self.find(id)?;
        check_price(price)?;
        check_resting(quantity)?;
        if price == order.price && quantity <= order.quantity {
            self.keep_place(&order, quantity);
            return Ok(true);
        }
        let mut after = self.clone();
        after.cancel(id)?;
        after.add(RestingOrder { price, quantity, ..order })?;
        *self = after;
        Ok(false)
    }

    fn keep_place(&mut self, order: &RestingOrder, quantity: Quantity) {
        let queue = self.sides[place(order.side)].entry(order.price).or_default();
        for other in queue.iter_mut().filter(|other| other.id == order.id) {
            other.quantity = quantity;
        }
    }

    fn find(&self, id: u64) -> Result<RestingOrder, BookError> {
        self.order(id).ok_or(BookError::UnknownOrder { id })
    }

    /// An order that rests.
    pub fn order(&self, id: u64) -> Option<RestingOrder> {
        self.sides.iter().flat_map(BTreeMap::values).flatten().find(|order| order.id == id).copied()
    }

    /// What stands before an order in its queue.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`].
    pub fn queue_ahead(&self, id: u64) -> Result<Ahead, BookError> {
        let order = self.find(id)?;
        let mut ahead = Ahead::default();
        for other in self.orders_at(order.side, order.price).take_while(|other| other.id != id) {
            ahead.count(&other);
        }
        Ok(ahead)
    }

    /// The orders at a price, in the order of their priority.
    pub fn orders_at(&self, side: Side, price: Price) -> impl Iterator<Item = RestingOrder> + '_ {
        self.sides[place(side)].get(&price).into_iter().flatten().copied()
    }

    /// How many orders rest.
    pub fn orders(&self) -> usize {
        self.sides.iter().flat_map(BTreeMap::values).map(Vec::len).sum()
    }

    /// Forgets every order.
    pub fn clear(&mut self) {
        self.sides.iter_mut().for_each(BTreeMap::clear);
    }
}

impl Depth for PlainBook {
    fn best(&self, side: Side) -> Option<Level> {
        self.levels(side).next()
    }

    fn quantity_at(&self, side: Side, price: Price) -> Quantity {
        self.orders_at(side, price).map(|order| order.quantity).sum()
    }

    fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        best_first(side, &self.sides[place(side)])
            .map(|(price, queue)| Level { price, quantity: queue.iter().map(|order| order.quantity).sum() })
    }

    fn count(&self, side: Side) -> usize {
        self.sides[place(side)].len()
    }
}

fn best_first<V>(side: Side, levels: &BTreeMap<Price, V>) -> Box<dyn Iterator<Item = (Price, &V)> + '_> {
    let rising = levels.iter().map(|(&price, value)| (price, value));
    match side {
        Side::Buy => Box::new(rising.rev()),
        Side::Sell => Box::new(rising),
    }
}
