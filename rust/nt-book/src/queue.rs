//! The queue at one price: first in, first out, linked through the slots of its orders.

use nt_core::Quantity;

use crate::orders::{Orders, RestingOrder};

/// Orders of one price in the order of their priority. The default is an empty queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Queue {
    pub first: u32,
    pub last: u32,
    /// What all of them together have left.
    pub quantity: Quantity,
}

/// What stands before an order in its queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// How many orders.
    pub orders: usize,
    /// What they have left, in lots; has to trade or go before the order fills.
    pub quantity: Quantity,
    /// The part of that quantity that is our own.
    pub own: Quantity,
}

impl Ahead {
    /// Counts one more order before the one in question.
    pub(crate) fn count(&mut self, order: &RestingOrder) {
        self.orders += 1;
        self.quantity += order.quantity;
        self.own += if order.own { order.quantity } else { 0 };
    }
}

impl Queue {
    /// Puts an order behind all others; its quantity has to fit.
    #[inline]
    pub fn push(&mut self, orders: &mut Orders, at: u32) {
        let last = self.last;
        let slot = orders.slot_mut(at);
        slot.ahead = last;
        slot.behind = 0;
        self.quantity += slot.order.quantity;
        if last == 0 {
            self.first = at;
        } else {
            orders.slot_mut(last).behind = at;
        }
        self.last = at;
    }

    /// Takes an order out from wherever it stands.
    #[inline]
    pub fn remove(&mut self, orders: &mut Orders, at: u32) {
        let slot = *orders.slot(at);
        match slot.ahead {
            0 => self.first = slot.behind,
            ahead => orders.slot_mut(ahead).behind = slot.behind,
        }
        match slot.behind {
            0 => self.last = slot.ahead,
            behind => orders.slot_mut(behind).ahead = slot.ahead,
        }
        self.quantity -= slot.order.quantity;
    }

    /// Its orders, the first first.
    pub fn iter(self, orders: &Orders) -> impl Iterator<Item = RestingOrder> + '_ {
        let mut at = self.first;
        std::iter::from_fn(move || {
            if at == 0 {
                return None;
            }
            let slot = orders.slot(at);
            at = slot.behind;
            Some(slot.order)
        })
    }

    /// What stands before the order in a slot. It is counted from the front, because orders come and go there.
    pub fn ahead(self, orders: &Orders, id: u64) -> Ahead {
        let mut ahead = Ahead::default();
        for order in self.iter(orders).take_while(|order| order.id != id) {
            ahead.count(&order);
        }
        ahead
    }
}
