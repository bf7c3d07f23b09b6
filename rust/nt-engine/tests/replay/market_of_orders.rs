//! Markets in which each order is known: who comes, goes, changes, and whom aggressors fill.

use nt_core::record::{EventKind, LAST};
use nt_core::{Price, Quantity, Side};

use super::draw::Draw;
use super::market::{Tape, flag};

/// An order of somebody else.
#[derive(Debug, Clone, Copy)]
pub struct Other {
    pub number: u64,
    pub side: Side,
    pub price: Price,
    pub quantity: Quantity,
}

impl Tape {
    pub fn step_of_orders(&mut self, k: usize, mut draw: Draw) {
        match draw.below(12) {
            0..=4 => self.enter(k, &mut draw),
            5..=7 => {
                let (side, quantity) = (draw.pick(&[Side::Buy, Side::Sell]), draw.between(1, 2 * self.lots));
                self.take(k, side, quantity, None, &mut draw);
            }
            8 => self.leave(k, &mut draw),
            9 => self.change(k, &mut draw),
            10 if !self.shape.faithful => {
                self.books[k].middle += draw.around(4);
                self.lone_print(k, &mut draw);
            }
            11 if !self.shape.plain => self.fault_of_orders(k, &mut draw),
            _ => self.enter(k, &mut draw),
        }
    }

    fn say(&mut self, k: usize, kind: EventKind, order: Other, quantity: Quantity) {
        let last = if order.number.is_multiple_of(2) { LAST } else { 0 };
        self.write(k, kind, order.price, quantity, flag(order.side) | last, order.number);
    }

    /// A limit order takes what it crosses, unless the feed is not as it should be, and rests with what is left.
    fn enter(&mut self, k: usize, draw: &mut Draw) {
        let side = draw.pick(&[Side::Buy, Side::Sell]);
        let price = self.near(k, side, draw);
        let mut quantity = draw.between(1, self.lots);
        if self.shape.plain || !draw.one_in(8) {
            quantity -= self.take(k, side.opposite(), quantity, Some(price), draw);
        }
        if quantity > 0 {
            self.numbers += 1;
            let order = Other { number: self.numbers, side, price, quantity };
            self.books[k].orders.push(order);
            self.say(k, EventKind::OrderAdd, order, quantity);
        }
    }

    fn leave(&mut self, k: usize, draw: &mut Draw) {
        let count = self.books[k].orders.len() as u64;
        if count > 0 {
            let order = self.books[k].orders.remove(draw.below(count) as usize);
            self.say(k, EventKind::OrderDelete, order, order.quantity);
        }
    }

    fn change(&mut self, k: usize, draw: &mut Draw) {
        let count = self.books[k].orders.len() as u64;
        if count == 0 {
            return;
        }
        let at = draw.below(count) as usize;
        let before = self.books[k].orders[at];
        let price = if draw.one_in(3) { self.near(k, before.side, draw) } else { before.price };
        let quantity = (before.quantity + draw.around(2)).max(1);
        let after = Other { price, quantity, ..before };
        if price == before.price && quantity <= before.quantity {
            self.books[k].orders[at] = after;
        } else {
            self.books[k].orders.remove(at);
            self.books[k].orders.push(after);
        }
        self.say(k, EventKind::OrderChange, after, quantity);
    }

    /// An aggressor fills orders of a side, those that came first before others at their price; returns how much.
    fn take(&mut self, k: usize, side: Side, most: Quantity, limit: Option<Price>, draw: &mut Draw) -> Quantity {
        let mut wanted = most;
        let is_hit = |order: &Other| {
            order.side == side && limit.is_none_or(|limit| side.opposite().accepts(order.price, limit, false))
        };
        while wanted > 0 {
            let prices = self.books[k].orders.iter().filter(|order| is_hit(order)).map(|order| order.price);
            let Some(price) = prices.reduce(|a, b| side.opposite().better(a, b)) else { break };
            let at_price = |order: &&Other| order.side == side && order.price == price;
            let mut queue: Vec<Other> = self.books[k].orders.iter().filter(at_price).copied().collect();
            if !self.shape.faithful && draw.one_in(10) {
                queue.reverse();
            }
            for order in &mut queue {
                order.quantity = order.quantity.min(wanted);
                wanted -= order.quantity;
            }
            queue.retain(|order| order.quantity > 0);
            if self.shape.faithful || !draw.one_in(8) {
                let sum = queue.iter().map(|order| order.quantity).sum();
                self.print(k, price, sum, flag(side.opposite()), draw);
            }
            for filled in queue {
                self.say(k, EventKind::OrderFill, filled, filled.quantity);
                let orders = &mut self.books[k].orders;
                if let Some(order) = orders.iter_mut().find(|order| order.number == filled.number) {
                    order.quantity -= filled.quantity;
                }
                orders.retain(|order| order.quantity > 0);
            }
        }
        most - wanted
    }

    fn fault_of_orders(&mut self, k: usize, draw: &mut Draw) {
        match draw.below(3) {
            0 => {
                self.write(k, EventKind::Resync, 0, 0, 0, 0);
                self.enter(k, draw);
                self.take(k, Side::Buy, 2, None, draw);
            }
            1 => {
                let kind = draw.pick(&[EventKind::Gap, EventKind::Level, EventKind::Quote, EventKind::SnapshotEnd]);
                return self.write(k, kind, 3, 9, 1, 0);
            }
            _ => {}
        }
        self.write(k, EventKind::SnapshotBegin, 0, 0, 0, 0);
        // Somebody has left and come back, somebody has only left.
        let count = self.books[k].orders.len() as u64;
        if count > 1 && draw.one_in(3) {
            let order = self.books[k].orders.remove(draw.below(count) as usize);
            self.books[k].orders.push(order);
            self.books[k].orders.remove(0);
        }
        for order in self.books[k].orders.clone() {
            self.say(k, EventKind::OrderAdd, order, order.quantity);
        }
        self.write(k, EventKind::SnapshotEnd, 0, 0, 0, 0);
    }
}
