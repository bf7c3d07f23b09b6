//! The L3 book: every order by its number, in queues of first in, first out.

use nt_core::{Price, Quantity, Side};

use crate::level::{check_price, check_resting, place};
use crate::orders::{Orders, RestingOrder};
use crate::queue::{Ahead, Queue};
use crate::window::Window;
use crate::{BookError, Depth, Level};

/// Prices near the market for which a queue is found by index.
const WINDOW_TICKS: usize = 1 << 16;

/// Orders of both sides, for feeds that tell every order.
///
/// Our own orders can rest among them, marked as such: they then have an exact place in the queue. It is a record of
/// what rests, not a matching engine; [`crate::PlainBook`] defines its answers.
#[derive(Clone, Debug)]
pub struct OrderBook {
    sides: [Window<Queue>; 2],
    orders: Orders,
}

impl Default for OrderBook {
    fn default() -> Self {
        Self::new()
    }
}

impl OrderBook {
    /// An empty book that is fastest within 65,536 ticks of the market.
    pub fn new() -> Self {
        Self::with_window(WINDOW_TICKS)
    }

    /// An empty book that is fastest within about so many ticks of the market, from 4,096 to 262,144.
    pub fn with_window(ticks: usize) -> Self {
        Self { sides: [Window::new(Side::Buy, ticks), Window::new(Side::Sell, ticks)], orders: Orders::new() }
    }

    /// Puts an order behind all others at its price and returns the quantity ahead of it.
    ///
    /// # Errors
    /// A price or quantity out of range, a number that rests already, a level beyond 64 bits.
    pub fn add(&mut self, order: RestingOrder) -> Result<Quantity, BookError> {
        check_price(order.price)?;
        check_resting(order.quantity)?;
        if self.orders.find(order.id).is_some() {
            return Err(BookError::DuplicateOrder { id: order.id });
        }
        let window = &mut self.sides[place(order.side)];
        let mut queue = window.get(order.price);
        let ahead = queue.quantity;
        if ahead.checked_add(order.quantity).is_none() {
            return Err(BookError::LevelOverflow { price: order.price });
        }
        let at = self.orders.insert(order);
        queue.push(&mut self.orders, at);
        window.replace(order.price, queue);
        Ok(ahead)
    }

    /// Takes an order out and returns what was left of it.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`].
    pub fn cancel(&mut self, id: u64) -> Result<RestingOrder, BookError> {
        let at = self.find(id)?;
        let order = self.orders.slot(at).order;
        self.leave(at);
        self.orders.remove(at);
        Ok(order)
    }

    /// Fills an order, which goes when nothing is left of it, and returns what is left.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], a quantity that is not positive, [`BookError::Overfill`].
    pub fn fill(&mut self, id: u64, quantity: Quantity) -> Result<Quantity, BookError> {
        let at = self.find(id)?;
        check_resting(quantity)?;
        let order = self.orders.slot(at).order;
        if quantity > order.quantity {
            return Err(BookError::Overfill { id, left: order.quantity, filled: quantity });
        }
        if quantity == order.quantity {
            self.leave(at);
            self.orders.remove(at);
        } else {
            self.reduce(at, quantity);
        }
        Ok(order.quantity - quantity)
    }

    /// Gives an order another price or quantity, and says whether it kept its place: a smaller or equal quantity at the
    /// same price keeps it, everything else goes behind all others.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], a price or quantity out of range, a level beyond 64 bits.
    pub fn amend(&mut self, id: u64, price: Price, quantity: Quantity) -> Result<bool, BookError> {
        let at = self.find(id)?;
        check_price(price)?;
        check_resting(quantity)?;
        let order = self.orders.slot(at).order;
        if price == order.price && quantity <= order.quantity {
            self.reduce(at, order.quantity - quantity);
            return Ok(true);
        }
        let there = self.sides[place(order.side)].get(price).quantity;
        let others = if price == order.price { there - order.quantity } else { there };
        if others.checked_add(quantity).is_none() {
            return Err(BookError::LevelOverflow { price });
        }
        self.leave(at);
        self.orders.slot_mut(at).order = RestingOrder { price, quantity, ..order };
        let window = &mut self.sides[place(order.side)];
        let mut queue = window.get(price);
        queue.push(&mut self.orders, at);
        window.replace(price, queue);
        Ok(false)
    }

    /// An order that rests.
    pub fn order(&self, id: u64) -> Option<RestingOrder> {
        self.orders.find(id).map(|at| self.orders.slot(at).order)
    }

    /// What stands before an order in its queue.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`].
    pub fn queue_ahead(&self, id: u64) -> Result<Ahead, BookError> {
        let order = self.orders.slot(self.find(id)?).order;
        Ok(self.sides[place(order.side)].get(order.price).ahead(&self.orders, id))
    }

    /// The orders at a price, in the order of their priority.
    pub fn orders_at(&self, side: Side, price: Price) -> impl Iterator<Item = RestingOrder> + '_ {
        let queue = match check_price(price) {
            Ok(()) => self.sides[place(side)].get(price),
            Err(_) => Queue::default(),
        };
        queue.iter(&self.orders)
    }

    /// What rests at a price and is our own: a level without it is what the market shows of others.
    pub fn own_quantity_at(&self, side: Side, price: Price) -> Quantity {
        self.orders_at(side, price).filter(|order| order.own).map(|order| order.quantity).sum()
    }

    /// How many orders rest.
    pub fn orders(&self) -> usize {
        self.orders.count()
    }

    /// Forgets every order.
    pub fn clear(&mut self) {
        self.sides.iter_mut().for_each(Window::clear);
        self.orders.clear();
    }

    /// Within how many ticks of the market it is fastest.
    pub(crate) fn window(&self) -> usize {
        self.sides[0].reach()
    }

    #[inline]
    fn find(&self, id: u64) -> Result<u32, BookError> {
        self.orders.find(id).ok_or(BookError::UnknownOrder { id })
    }

    /// Takes an order out of its queue; its slot stays.
    #[inline]
    fn leave(&mut self, at: u32) {
        let order = self.orders.slot(at).order;
        let window = &mut self.sides[place(order.side)];
        let mut queue = window.get(order.price);
        queue.remove(&mut self.orders, at);
        window.replace(order.price, queue);
    }

    /// Takes quantity from an order that keeps some, in its place.
    #[inline]
    fn reduce(&mut self, at: u32, quantity: Quantity) {
        let order = &mut self.orders.slot_mut(at).order;
        order.quantity -= quantity;
        let window = &mut self.sides[place(order.side)];
        let queue = window.get(order.price);
        window.replace(order.price, Queue { quantity: queue.quantity - quantity, ..queue });
    }

    /// Compares the book with itself; used after each step of a property test.
    ///
    /// # Errors
    /// [`BookError::Inconsistent`] says what contradicts.
    pub fn check_invariants(&self) -> Result<(), BookError> {
        let refused = |what: String| Err(BookError::Inconsistent(what));
        let mut queued = 0;
        for side in [Side::Buy, Side::Sell] {
            let window = &self.sides[place(side)];
            if let Some(what) = window.contradiction() {
                return refused(what);
            }
            for (price, queue) in window.iter() {
                let (mut total, mut last) = (0, 0);
                let mut at = queue.first;
                while at != 0 {
                    let slot = self.orders.slot(at);
                    if slot.ahead != last || slot.order.price != price || slot.order.side != side {
                        return refused(format!("order {} stands in a queue that is not its own", slot.order.id));
                    }
                    if slot.order.quantity <= 0 || self.orders.find(slot.order.id) != Some(at) {
                        return refused(format!("order {} should have gone", slot.order.id));
                    }
                    total += slot.order.quantity;
                    queued += 1;
                    last = at;
                    at = slot.behind;
                }
                if total != queue.quantity || last != queue.last {
                    return refused(format!("the queue at {price} is not the sum of its orders"));
                }
            }
        }
        if queued != self.orders.count() || !self.orders.is_consistent() {
            return refused("orders and queues do not hold the same".to_owned());
        }
        Ok(())
    }
}

impl Depth for OrderBook {
    #[inline]
    fn best(&self, side: Side) -> Option<Level> {
        self.sides[place(side)].best().map(|(price, queue)| Level { price, quantity: queue.quantity })
    }

    #[inline]
    fn quantity_at(&self, side: Side, price: Price) -> Quantity {
        match check_price(price) {
            Ok(()) => self.sides[place(side)].get(price).quantity,
            Err(_) => 0,
        }
    }

    #[inline]
    fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        self.sides[place(side)].iter().map(|(price, queue)| Level { price, quantity: queue.quantity })
    }

    #[inline]
    fn count(&self, side: Side) -> usize {
        self.sides[place(side)].count()
    }
}
