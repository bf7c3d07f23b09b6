//! What falls due as time passes: funding of contracts and interest on what is owed (docs/fill-rules.md, section 11).

use nt_core::contract::share_of_year;
use nt_core::{DAY_NS, Money, Nanos, Ppb, Result, Settlement};

use crate::account::Funding;
use crate::engine::Engine;
use crate::ledger::Account;

impl Engine {
    /// When something is due next.
    #[inline]
    pub(crate) fn next_accrual_ns(&self) -> Option<Nanos> {
        let account = self.account.as_deref()?;
        let funding_ns = account.terms.funding.get(account.funded).map(|row| row.time_ns);
        [funding_ns, account.midnight_ns].into_iter().flatten().min()
    }

    /// Posts all that is due up to and including a time, in order.
    #[cold]
    pub(crate) fn accrue_until(&mut self, time_ns: Nanos) -> Result<()> {
        while let Some(due_ns) = self.next_accrual_ns().filter(|&due_ns| due_ns <= time_ns) {
            self.accrue(due_ns)?;
        }
        Ok(())
    }

    /// Posts all that is due at a time: funding by instrument, then interest. A halted account has neither.
    pub(crate) fn accrue(&mut self, due_ns: Nanos) -> Result<()> {
        while let Some(row) = self.next_funding(due_ns) {
            if !self.halted {
                self.fund(&row)?;
            }
        }
        let Some(account) = self.account.as_deref_mut() else { return Ok(()) };
        if account.midnight_ns == Some(due_ns) {
            account.midnight_ns = due_ns.checked_add(DAY_NS);
            if !self.halted {
                self.charge_interest()?;
            }
        }
        Ok(())
    }

    /// The first fill begins the days of interest: nothing can have been owed before it.
    pub(crate) fn begin_interest(&mut self) {
        let now_ns = self.now_ns;
        self.account_mut(|account| {
            if account.midnight_ns.is_none() && (account.terms.interest != 0 || account.terms.borrow != 0) {
                account.midnight_ns = (now_ns.div_euclid(DAY_NS) + 1).checked_mul(DAY_NS);
            }
        });
    }

    fn next_funding(&mut self, due_ns: Nanos) -> Option<Funding> {
        let account = self.account.as_deref_mut()?;
        let row = account.terms.funding.get(account.funded).filter(|row| row.time_ns == due_ns).copied()?;
        account.funded += 1;
        Some(row)
    }

    fn fund(&mut self, row: &Funding) -> Result<()> {
        let (position, market) = (self.position(row.instrument), &self.markets[row.instrument]);
        let mark = if row.mark == 0 { market.mark } else { row.mark };
        if position == 0 || mark == 0 {
            return Ok(());
        }
        let contract = market.instrument.contract;
        let amount = contract.charge(position, mark, position.signum() * row.rate)?;
        self.post(Account::Funding, contract.currency, row.instrument as u32 + 1, amount)
    }

    fn charge_interest(&mut self) -> Result<()> {
        let Some((interest, borrow)) =
            self.account.as_deref().map(|account| (account.terms.interest, account.terms.borrow))
        else {
            return Ok(());
        };
        for (currency, cash) in (0..).zip(self.ledger.balances()) {
            self.post_interest(0.max(-cash), interest, currency, 0)?;
        }
        for k in 0..self.markets.len() {
            let (contract, position) = (self.markets[k].instrument.contract, self.position(k));
            if contract.settlement == Settlement::Spot && position < 0 {
                let owed = contract.notional(position, self.markets[k].mark)?;
                self.post_interest(owed, borrow, contract.currency, k as u32 + 1)?;
            }
        }
        Ok(())
    }

    fn post_interest(&mut self, owed: Money, rate: Ppb, currency: u32, instrument: u32) -> Result<()> {
        self.post(Account::Interest, currency, instrument, share_of_year(owed, rate)?)
    }

    fn post(&mut self, account: Account, currency: u32, instrument: u32, amount: Money) -> Result<()> {
        if amount == 0 {
            return Ok(());
        }
        self.account_mut(|account| account.cash_moved = true);
        self.ledger.post_expense(account, currency, instrument, amount)
    }
}
