//! Records that nobody will ask for again: lists that many runs fill in turn, so that a run by itself keeps next to nothing.

use nt_core::{Fill, Order};

use crate::engine::Engine;
use crate::ledger::FillAmounts;
use crate::samples::Stretch;

/// The lists of a run that grow with its orders.
#[derive(Debug, Default)]
pub(crate) struct Records {
    orders: Vec<Order>,
    fills: Vec<Fill>,
    posted: Vec<FillAmounts>,
    stretches: Vec<Stretch>,
}

impl Engine {
    /// Takes lists to write to, unless it has records that it still needs.
    pub(crate) fn borrow_records(&mut self, records: &mut Records) {
        if self.orders.is_empty() && self.fills.is_empty() {
            self.swap_records(records);
        }
    }

    /// Forgets its records and gives the lists back, unless an order still works; says whether it did.
    pub(crate) fn return_records(&mut self, records: &mut Records) -> bool {
        self.samples.stretches_mut().clear();
        if self.markets.iter().any(|market| !market.working.is_empty()) {
            // It keeps what it has, and no room for more: there may be very many engines.
            self.orders.shrink_to_fit();
            self.fills.shrink_to_fit();
            self.ledger.fills_mut().shrink_to_fit();
            self.samples.stretches_mut().shrink_to_fit();
            return false;
        }
        give_back(&mut self.orders, &mut records.orders);
        give_back(&mut self.fills, &mut records.fills);
        give_back(self.ledger.fills_mut(), &mut records.posted);
        give_back(self.samples.stretches_mut(), &mut records.stretches);
        self.notices.clear();
        true
    }

    fn swap_records(&mut self, records: &mut Records) {
        std::mem::swap(&mut self.orders, &mut records.orders);
        std::mem::swap(&mut self.fills, &mut records.fills);
        std::mem::swap(self.ledger.fills_mut(), &mut records.posted);
        std::mem::swap(self.samples.stretches_mut(), &mut records.stretches);
    }
}

/// Empties a list and leaves no room in it; the roomier of the two is what the next engine gets.
fn give_back<T>(list: &mut Vec<T>, lent: &mut Vec<T>) {
    list.clear();
    if list.capacity() > lent.capacity() {
        std::mem::swap(list, lent);
    }
    *list = Vec::new();
}
