//! What an account is worth, what its positions require, and what follows where that does not suffice.

use nt_core::contract::{scaled_down, scaled_up};
use nt_core::money::{add, share_up, subtract};
use nt_core::{BarClose, Error, Instrument, Money, PPB, Price, Reason, Result, Settlement, State};

use crate::account::{Account, AccountTerms, Rate, Worth};
use crate::engine::Engine;
use crate::trades::{self, Trade};

/// An instrument looked at as if it were marked at another price.
pub(crate) type Remarked = (usize, Price);

impl Engine {
    /// The account, where it has several currencies.
    #[inline]
    pub(crate) fn several_currencies(&self) -> Option<&Account> {
        self.account.as_deref().filter(|account| !account.terms.currencies.is_empty())
    }

    /// Equity where the account is not the usual one.
    #[cold]
    pub(crate) fn equity_of_account(&self) -> Result<Money> {
        match self.several_currencies() {
            Some(_) => self.equity_of_currencies(None),
            None => add(self.ledger.cash(), self.holdings),
        }
    }

    /// Cash and positions at their marks, but for one.
    pub(crate) fn equity_remarked(&self, (k, price): Remarked) -> Result<Money> {
        if self.several_currencies().is_some() {
            return self.equity_of_currencies(Some((k, price)));
        }
        let market = &self.markets[k];
        let value = market.instrument.contract.value(self.position(k), price)?;
        add(subtract(self.equity()?, market.value)?, value)
    }

    /// The same where several currencies are converted, each rounded down.
    #[cold]
    pub(crate) fn equity_of_currencies(&self, remarked: Option<Remarked>) -> Result<Money> {
        let mut equity = 0;
        for (currency, &cash) in (0_u32..).zip(&self.ledger.balances()) {
            let mut amount = cash;
            for (k, market) in self.markets.iter().enumerate() {
                let contract = &market.instrument.contract;
                if contract.currency == currency {
                    let value = match remarked {
                        Some((other, price)) if other == k => contract.value(self.position(k), price)?,
                        _ => market.value,
                    };
                    amount = add(amount, add(self.ledger.entry(k), value)?)?;
                }
            }
            equity = add(equity, self.converted_down(amount, currency, remarked)?)?;
        }
        Ok(equity)
    }

    /// Notional of all positions but one, in the account currency.
    pub(crate) fn exposure_beside(&self, (k, price): Remarked) -> Result<Money> {
        let mut exposure: Money = 0;
        for (other, market) in self.markets.iter().enumerate() {
            if other == k || market.value == 0 {
                continue;
            }
            let contract = &market.instrument.contract;
            exposure = if contract.settlement != Settlement::Inverse && contract.currency == 0 {
                add(exposure, market.value.abs())?
            } else {
                let notional = contract.notional(self.position(other), market.mark)?;
                add(exposure, self.converted_up(notional, contract.currency, Some((k, price)))?)?
            };
        }
        Ok(exposure)
    }

    /// What a currency is worth in that of the account.
    pub(crate) fn rate(&self, currency: u32, remarked: Option<Remarked>) -> Result<Rate> {
        let Some((account, at)) = self.account.as_deref().zip((currency as usize).checked_sub(1)) else {
            return Ok((1, 1));
        };
        let terms = &account.terms.currencies[at];
        let k = match terms.worth {
            Worth::Constant(rate) => return Ok((rate, PPB)),
            Worth::Mark(k) => k,
        };
        let market = &self.markets[k];
        let mark = remarked.filter(|&(other, _)| other == k).map_or(market.mark, |(_, price)| price);
        if mark == 0 {
            let (code, symbol) = (&terms.code, &market.instrument.symbol);
            let what = format!("nobody knows what {code} is worth yet: {symbol} has no price");
            return Err(Error::Misuse(what));
        }
        let tick = market.instrument.tick;
        let numerator = mark.checked_mul(tick.mantissa).ok_or(Error::Overflow("a rate"))?;
        Ok((numerator, i64::pow(10, u32::from(tick.decimals))))
    }

    pub(crate) fn converted_up(&self, amount: Money, currency: u32, remarked: Option<Remarked>) -> Result<Money> {
        if currency == 0 || amount == 0 {
            return Ok(amount);
        }
        let (numerator, denominator) = self.rate(currency, remarked)?;
        scaled_up(amount, numerator, denominator)
    }

    pub(crate) fn converted_down(&self, amount: Money, currency: u32, remarked: Option<Remarked>) -> Result<Money> {
        if currency == 0 || amount == 0 {
            return Ok(amount);
        }
        let (numerator, denominator) = self.rate(currency, remarked)?;
        scaled_down(amount, numerator, denominator)
    }

    /// What equity must not fall below.
    pub fn maintenance(&self) -> Result<Money> {
        let mut required: Money = 0;
        for (k, market) in self.markets.iter().enumerate() {
            let (contract, position) = (&market.instrument.contract, self.position(k));
            if contract.maintenance != 0 && position != 0 {
                let share = share_up(contract.notional(position, market.mark)?, contract.maintenance)?;
                required = add(required, self.converted_up(share, contract.currency, None)?)?;
            }
        }
        Ok(required)
    }

    /// Whether equity is below what the positions require.
    fn in_danger(&self) -> Result<bool> {
        let asks = self.account.as_ref().is_some_and(|account| account.has_maintenance);
        Ok(asks && self.equity()? < self.maintenance()?)
    }

    /// Marks an instrument at the worst price of its bar, or at the first one on the way there at which equity does not
    /// suffice for the positions.
    pub(crate) fn mark_where_in_danger(&mut self, bar: &BarClose) -> Result<()> {
        let k = bar.instrument;
        let (best, worst) = if self.position(k) > 0 { (bar.high, bar.low) } else { (bar.low, bar.high) };
        self.set_mark(k, worst)?;
        if !self.in_danger()? {
            return Ok(());
        }
        let (mut safe, mut danger) = (best, worst);
        while danger.abs_diff(safe) > 1 {
            // Both are prices, so their mean is rounded down as the definition rounds it.
            let middle = safe.min(danger) + (danger.abs_diff(safe) / 2) as Price;
            self.set_mark(k, middle)?;
            if self.in_danger()? { danger = middle } else { safe = middle }
        }
        self.set_mark(k, danger)
    }

    /// Liquidates where equity does not suffice for the positions, and ends the run where there is none.
    #[inline]
    pub(crate) fn ruin_check(&mut self) -> Result<()> {
        if self.account.is_some() {
            return self.solvency_check();
        }
        if self.equity()? > 0 || self.halted { Ok(()) } else { self.ruin() }
    }

    #[cold]
    fn solvency_check(&mut self) -> Result<()> {
        if self.halted {
            return Ok(());
        }
        if self.equity()? > 0 && self.in_danger()? {
            self.liquidate()?;
        }
        if self.equity()? > 0 { Ok(()) } else { self.ruin() }
    }

    /// Ends the run: no orders, no positions, nothing accepted any more.
    #[cold]
    fn ruin(&mut self) -> Result<()> {
        self.halted = true;
        self.cancel_all(Reason::Ruin);
        for k in 0..self.markets.len() {
            self.close_position(k, false)?;
        }
        Ok(())
    }

    /// Cancels every order, and closes at its mark every position that requires something.
    #[cold]
    fn liquidate(&mut self) -> Result<()> {
        self.cancel_all(Reason::Liquidation);
        for k in 0..self.markets.len() {
            if self.position(k) != 0 && self.markets[k].instrument.contract.maintenance != 0 {
                let at = self.fills.len() as u32;
                self.account_mut(|account| account.liquidations.push(at));
                self.liquidate_position(k)?;
            }
        }
        Ok(())
    }

    fn cancel_all(&mut self, reason: Reason) {
        let mut working: Vec<u32> = self.markets.iter().flat_map(|market| &market.working).copied().collect();
        working.sort_unstable();
        for id in working {
            self.end_order(id, State::Cancelled, reason);
        }
    }

    /// Does something to the account, where there is more than the usual one.
    #[inline]
    pub(crate) fn account_mut(&mut self, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.account.as_deref_mut() {
            change(account);
        }
    }

    /// What the account is beyond the usual, if anything.
    pub fn account_terms(&self) -> Option<&AccountTerms> {
        self.account.as_ref().map(|account| &account.terms)
    }

    /// Fills by which positions were liquidated.
    pub fn liquidations(&self) -> &[u32] {
        self.account.as_ref().map_or(&[], |account| &account.liquidations)
    }

    /// What a fill was worth in the account currency: its notional, and one unit of the currency in which it was settled.
    /// Nothing where the account is the usual one, in which price times quantity says it.
    pub fn fill_worth(&self, at: usize) -> Option<(f64, f64)> {
        let account = self.account.as_deref()?;
        let fill = &self.fills[at];
        let contract = &self.markets[fill.instrument as usize].instrument.contract;
        let (numerator, denominator) = account.fill_rates.get(at).copied().unwrap_or((1, 1));
        let rate = numerator as f64 / denominator as f64;
        let notional = contract.notional(fill.quantity, fill.price).unwrap_or_default();
        Some((notional as f64 / 1e18 * rate, rate))
    }

    /// What the currency of a fill was worth then, where there are several.
    pub(crate) fn fill_rate(&self, at: usize) -> Option<Rate> {
        self.several_currencies().and_then(|account| account.fill_rates.get(at).copied())
    }

    /// The trades of the run, by what currencies were worth where there are several.
    pub(crate) fn trades_by_rates(&self, instruments: &[&Instrument], marks: &[Price]) -> Result<Vec<Trade>> {
        let Some(account) = self.several_currencies() else {
            return trades::trades(&self.fills, instruments, marks, None);
        };
        // Without a fill nothing has to be worth anything.
        if self.fills.is_empty() {
            return Ok(Vec::new());
        }
        let last =
            instruments.iter().map(|each| self.rate(each.contract.currency, None)).collect::<Result<Vec<_>>>()?;
        trades::trades(&self.fills, instruments, marks, Some((&account.fill_rates, &last)))
    }
}
