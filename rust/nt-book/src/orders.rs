//! Resting orders by number: slots that are reused, found through a table of open addresses.

use nt_core::{Price, Quantity, Side};
use serde::{Deserialize, Serialize};

/// An order that rests in a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestingOrder {
    /// Its number at the venue.
    pub id: u64,
    /// Its side: a buy rests among the bids.
    pub side: Side,
    /// Its price in ticks.
    pub price: Price,
    /// What is left of it, in lots.
    pub quantity: Quantity,
    /// Whether it is one of our own.
    pub own: bool,
}

/// An order with its neighbours in the queue; slot 0 stands for nobody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub order: RestingOrder,
    pub ahead: u32,
    pub behind: u32,
}

const NOBODY: Slot =
    Slot { order: RestingOrder { id: 0, side: Side::Buy, price: 0, quantity: 0, own: false }, ahead: 0, behind: 0 };

/// Places of the smallest table.
const PLACES_MIN: usize = 64;

/// All resting orders. The table is at most half full; a removal closes the gap behind it, so that searches stay short
/// however many orders have come and gone.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Slots by the hash of their order's number, 0 where free.
    table: Vec<u32>,
    count: usize,
}

impl Orders {
    pub fn new() -> Self {
        Self { slots: vec![NOBODY], free: Vec::new(), table: vec![0; PLACES_MIN], count: 0 }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Where the search for an order begins: venues count upwards, and a product with the golden ratio spreads that.
    #[inline]
    fn home(&self, id: u64) -> usize {
        let bits = self.table.len().trailing_zeros();
        (id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - bits)) as usize
    }

    /// The place of an order in the table, or the free one where its search ends.
    #[inline]
    fn search(&self, id: u64) -> (usize, u32) {
        let mut place = self.home(id);
        loop {
            let at = self.table[place];
            if at == 0 || self.slots[at as usize].order.id == id {
                return (place, at);
            }
            place = (place + 1) & (self.table.len() - 1);
        }
    }

    /// The slot of an order.
    #[inline]
    pub fn find(&self, id: u64) -> Option<u32> {
        let (_, at) = self.search(id);
        (at != 0).then_some(at)
    }

    #[inline]
    pub fn slot(&self, at: u32) -> &Slot {
        &self.slots[at as usize]
    }

    #[inline]
    pub fn slot_mut(&mut self, at: u32) -> &mut Slot {
        &mut self.slots[at as usize]
    }

    /// Keeps an order whose number is not there yet and returns its slot.
    pub fn insert(&mut self, order: RestingOrder) -> u32 {
        if (self.count + 1) * 2 > self.table.len() {
            self.grow();
        }
        let slot = Slot { order, ..NOBODY };
        let at = match self.free.pop() {
            Some(at) => {
                self.slots[at as usize] = slot;
                at
            }
            None => {
                self.slots.push(slot);
                u32::try_from(self.slots.len() - 1).expect("a book of less than 2^32 orders")
            }
        };
        let (place, _) = self.search(order.id);
        self.table[place] = at;
        self.count += 1;
        at
    }

    fn grow(&mut self) {
        let places = self.table.len() * 2;
        let before = std::mem::replace(&mut self.table, vec![0; places]);
        for at in before.into_iter().filter(|&at| at != 0) {
            let (place, _) = self.search(self.slots[at as usize].order.id);
            self.table[place] = at;
        }
    }

    /// Forgets the order in this slot.
    pub fn remove(&mut self, at: u32) {
        let (mut gap, _) = self.search(self.slots[at as usize].order.id);
        let mask = self.table.len() - 1;
        let mut place = gap;
        loop {
            place = (place + 1) & mask;
            let next = self.table[place];
            if next == 0 {
                break;
            }
            // An order may move up to the gap unless its search begins behind it.
            let home = self.home(self.slots[next as usize].order.id);
            if (place.wrapping_sub(home) & mask) >= (place.wrapping_sub(gap) & mask) {
                self.table[gap] = next;
                gap = place;
            }
        }
        self.table[gap] = 0;
        self.free.push(at);
        self.count -= 1;
    }

    pub fn clear(&mut self) {
        self.slots.truncate(1);
        self.free.clear();
        self.table.fill(0);
        self.count = 0;
    }

    /// Whether every order that rests is found, and none else.
    pub fn is_consistent(&self) -> bool {
        let placed: Vec<u32> = self.table.iter().copied().filter(|&at| at != 0).collect();
        placed.len() == self.count
            && self.slots.len() == 1 + self.count + self.free.len()
            && placed.iter().all(|&at| self.find(self.slot(at).order.id) == Some(at) && !self.free.contains(&at))
    }
}
