//! The numbers by which orders and fills are known here, and how orders stood when we last heard of them (docs/book-rules.md,
//! section 2): nothing in them tells of what is still on its way.

use nt_core::{Error, Fill, Order, Quantity, Reason, Result, Side, State};
use serde::{Deserialize, Serialize};

use super::Replay;
use crate::engine::{Engine, Notice};

/// How an order stands, as an answer says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The side, which of a target for bars is found where it arrives.
    pub side: Side,
    /// The quantity ordered.
    pub quantity: Quantity,
    /// What has filled.
    pub filled: Quantity,
    /// What has been cut.
    pub cancelled: Quantity,
    /// Its state.
    pub state: State,
    /// Why it was cut or ended.
    pub reason: Reason,
}

impl Standing {
    pub(super) fn of(engine: &Engine, id: u32) -> Self {
        let order = engine.order(id);
        let (quantity, filled, cancelled) = (order.quantity, order.filled, order.cancelled);
        Standing { side: order.side, quantity, filled, cancelled, state: order.state, reason: order.reason }
    }
}

/// What a venue says, by its own numbers, and how the order then stood; nothing where nobody looked at it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Answer {
    pub notice: Notice,
    pub order: u32,
    pub standing: Option<Standing>,
}

impl Answer {
    /// An answer that is given now.
    pub fn of(engine: &Engine, notice: Notice) -> Self {
        let order = match notice {
            Notice::Fill(at) => engine.fills[at].order,
            Notice::OrderEnded(id)
            | Notice::Accepted(id)
            | Notice::Amended(id)
            | Notice::Refused(id)
            | Notice::Triggered(id) => id,
        };
        Answer { notice, order, standing: (order != 0).then(|| Standing::of(engine, order)) }
    }
}

/// Orders and fills by their numbers here.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Known {
    /// The venue's id of each order, and how it stood.
    orders: Vec<(u32, Standing)>,
    /// The number here of each order of the venue, 0 for none yet.
    numbers: Vec<u32>,
    fills: Vec<usize>,
}

impl Known {
    /// Gives an order its number here if it has none, and notes how it stands.
    pub fn order(&mut self, id: u32, standing: Standing) -> u32 {
        let at = id as usize - 1;
        if self.numbers.len() <= at {
            self.numbers.resize(at + 1, 0);
        }
        if self.numbers[at] == 0 {
            self.orders.push((id, standing));
            self.numbers[at] = self.orders.len() as u32;
        } else {
            self.orders[self.numbers[at] as usize - 1].1 = standing;
        }
        self.numbers[at]
    }

    /// An answer has arrived; returns it with the numbers known here.
    pub fn hear(&mut self, answer: &Answer) -> Notice {
        let number = match answer.standing {
            Some(standing) => self.order(answer.order, standing),
            None => self.number(answer.order).unwrap_or(0),
        };
        match answer.notice {
            Notice::Fill(at) => {
                self.fills.push(at);
                Notice::Fill(self.fills.len() - 1)
            }
            Notice::OrderEnded(_) => Notice::OrderEnded(number),
            Notice::Accepted(_) => Notice::Accepted(number),
            Notice::Amended(_) => Notice::Amended(number),
            Notice::Refused(_) => Notice::Refused(number),
            Notice::Triggered(_) => Notice::Triggered(number),
        }
    }

    /// Whether it names nothing beyond so many orders and fills.
    pub fn is_sound(&self, orders: usize, fills: usize) -> bool {
        self.orders.iter().all(|&(id, _)| (1..=orders).contains(&(id as usize)))
            && self.numbers.len() <= orders
            && self.numbers.iter().all(|&number| number as usize <= self.orders.len())
            && self.fills.iter().all(|&at| at < fills)
    }

    /// The venue's id of an order.
    pub fn id(&self, number: u32) -> Result<u32> {
        Ok(self.get(number)?.0)
    }

    fn get(&self, number: u32) -> Result<(u32, Standing)> {
        let order = (number as usize).checked_sub(1).and_then(|at| self.orders.get(at)).copied();
        order.ok_or_else(|| Error::Misuse(format!("there is no order {number}")))
    }

    /// The number here of an order of the venue, if it has one.
    pub fn number(&self, id: u32) -> Option<u32> {
        (id as usize).checked_sub(1).and_then(|at| self.numbers.get(at)).copied().filter(|&number| number != 0)
    }
}

impl Replay {
    /// The venue's id of each order that is known here, by their numbers here from 1.
    pub fn known_orders(&self) -> impl Iterator<Item = u32> {
        self.known.orders.iter().map(|order| order.0)
    }

    /// The venue's number of each fill that has been told here.
    pub fn known_fills(&self) -> &[usize] {
        &self.known.fills
    }

    /// The number here of an order of the venue, if it has one.
    pub fn number_of(&self, id: u32) -> Option<u32> {
        self.known.number(id)
    }

    /// The order with a number here, as it stands at its venue: what of it changes is not for the eyes of a strategy.
    pub fn known_order(&self, number: u32) -> Result<&Order> {
        Ok(self.engine.order(self.known.id(number)?))
    }

    /// How an order stood with the last answer about it that has arrived here.
    pub fn standing(&self, number: u32) -> Result<Standing> {
        Ok(self.known.get(number)?.1)
    }

    /// A fill that has been told here, by its number here; its order is one of the venue.
    pub fn known_fill(&self, number: usize) -> Result<&Fill> {
        let fill = self.known.fills.get(number).map(|&at| &self.engine.fills[at]);
        fill.ok_or_else(|| Error::Misuse(format!("there is no fill {number}")))
    }
}
