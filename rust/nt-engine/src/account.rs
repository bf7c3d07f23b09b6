//! What an account is beyond one currency of cash and spot instruments (docs/fill-rules.md, section 11).

use std::collections::VecDeque;

use nt_core::money::add;
use nt_core::{ContractTerms, DAY_NS, Error, Instrument, Money, Nanos, PPB, Ppb, Price, Result, Settlement};
use serde::{Deserialize, Serialize};

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum AccountKind {
    /// It borrows and goes short, as far as its margin allows.
    #[default]
    Margin,
    /// It spends what it has and sells what it holds.
    Cash,
}

/// What a currency is worth in that of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Worth {
    /// Always the same.
    Constant(Ppb),
    /// The mark of an instrument of the run.
    Mark(usize),
}

/// A currency beside that of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Currency {
    /// Its name.
    pub code: String,
    /// What of it is there when the run begins.
    pub deposit: Money,
    /// What it is worth.
    pub worth: Worth,
}

/// Fee rates from a traded notional on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// What was traded in thirty days.
    pub volume: Money,
    /// Fee rate of orders that rested.
    pub maker: Ppb,
    /// Fee rate of orders that took.
    pub taker: Ppb,
}

/// A rate that longs pay to shorts at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funding {
    /// When.
    pub time_ns: Nanos,
    /// Of which instrument, by the rank of its symbol.
    pub instrument: usize,
    /// What share of the notional.
    pub rate: Ppb,
    /// At which mark; 0 for the one that is known then.
    pub mark: Price,
}

/// All of it; the default is the account of section 8.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountTerms {
    /// What it may do.
    pub kind: AccountKind,
    /// One for each instrument in order of their symbols; or none, where all are spot in the account currency.
    pub contracts: Vec<ContractTerms>,
    /// In ascending order of their codes.
    pub currencies: Vec<Currency>,
    /// In ascending order of their volumes.
    pub tiers: Vec<Tier>,
    /// The tier that the run begins with.
    pub start_tier: usize,
    /// In order of time, then of instruments.
    pub funding: Vec<Funding>,
    /// On cash that is owed, a year.
    pub interest: Ppb,
    /// On spot that is owed, a year.
    pub borrow: Ppb,
}

/// A rate between two currencies, as numerator and denominator.
pub(crate) type Rate = (i64, i64);

/// The terms of a run's account, with what of them changes while it is played.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    pub terms: AccountTerms,
    pub has_maintenance: bool,
    /// Instruments whose marks say what currencies are worth.
    pub is_rate: Vec<bool>,
    /// What was traded on each day, the last ones only.
    traded: VecDeque<(i64, Money)>,
    /// The next row of funding.
    pub funded: usize,
    /// When interest is due next; nothing before the first fill.
    pub midnight_ns: Option<Nanos>,
    /// Something other than a fill has changed cash since the last sample.
    pub cash_moved: bool,
    /// What the currency of each fill was worth then, where there are several.
    pub fill_rates: Vec<Rate>,
    /// Fills by which positions were liquidated.
    pub liquidations: Vec<u32>,
}

/// Days that count towards a tier.
const TIER_DAYS: i64 = 30;

impl Account {
    pub fn new(terms: AccountTerms, instruments: &[Instrument]) -> Self {
        let marks = |k| terms.currencies.iter().any(|currency| currency.worth == Worth::Mark(k));
        Account {
            has_maintenance: instruments.iter().any(|instrument| instrument.contract.maintenance != 0),
            is_rate: (0..instruments.len()).map(marks).collect(),
            terms,
            traded: VecDeque::new(),
            funded: 0,
            midnight_ns: None,
            cash_moved: false,
            fill_rates: Vec::new(),
            liquidations: Vec::new(),
        }
    }

    /// Whether an account that was saved has the same terms, and nothing in it points beyond so many fills.
    pub fn continues(&self, saved: &Account, fills: usize) -> bool {
        saved.terms == self.terms
            && (saved.has_maintenance, &saved.is_rate) == (self.has_maintenance, &self.is_rate)
            && saved.fill_rates.len() == if saved.terms.currencies.is_empty() { 0 } else { fills }
            && saved.fill_rates.iter().all(|&(_, denominator)| denominator > 0)
            && saved.liquidations.iter().all(|&at| (at as usize) < fills)
    }

    /// The tier of a day: by the days before it, and never below the one that the run begins with.
    pub fn tier(&self, time_ns: Nanos) -> Result<Option<Tier>> {
        let tiers = &self.terms.tiers;
        if tiers.is_empty() {
            return Ok(None);
        }
        let day = time_ns.div_euclid(DAY_NS);
        let mut volume = 0;
        for &(_, traded) in self.traded.iter().filter(|(of, _)| (day - TIER_DAYS..day).contains(of)) {
            volume = add(volume, traded)?;
        }
        let reached = tiers.iter().rposition(|tier| tier.volume <= volume).unwrap_or(0);
        Ok(Some(tiers[reached.max(self.terms.start_tier)]))
    }

    /// Counts a fill towards the tier of later days.
    pub fn count(&mut self, time_ns: Nanos, notional: Money) -> Result<()> {
        let day = time_ns.div_euclid(DAY_NS);
        match self.traded.back_mut() {
            Some((last, traded)) if *last == day => *traded = add(*traded, notional)?,
            _ => self.traded.push_back((day, notional)),
        }
        while self.traded.front().is_some_and(|(first, _)| *first < day - TIER_DAYS) {
            self.traded.pop_front();
        }
        Ok(())
    }
}

impl AccountTerms {
    /// The terms of one instrument.
    pub fn contract(&self, instrument: usize) -> ContractTerms {
        self.contracts.get(instrument).copied().unwrap_or_default()
    }

    /// The terms, or an error that names what makes no sense.
    pub fn checked(self, instruments: &[Instrument], leverage: Ppb) -> Result<Self> {
        let wrong = |what: String| Err(Error::Misuse(what));
        if !self.contracts.is_empty() && self.contracts.len() != instruments.len() {
            let (terms, count) = (self.contracts.len(), instruments.len());
            return wrong(format!("there are terms of {terms} contracts for {count} instruments"));
        }
        if self.kind == AccountKind::Cash && (leverage != PPB || self.interest != 0 || self.borrow != 0) {
            return wrong("a cash account borrows nothing: it has leverage 1 and no interest".into());
        }
        if self.interest < 0 || self.borrow < 0 {
            return wrong("interest must not be negative".into());
        }
        self.check_currencies(instruments)?;
        for (k, instrument) in instruments.iter().enumerate() {
            self.check_contract(&self.contract(k), &instrument.symbol, leverage)?;
        }
        if !self.tiers.is_sorted_by(|a, b| a.volume < b.volume) {
            return wrong("fee tiers must be in ascending order of their volumes".into());
        }
        if self.tiers.first().is_some_and(|tier| tier.volume != 0) {
            return wrong("the first fee tier begins at volume 0".into());
        }
        if self.start_tier >= self.tiers.len().max(1) {
            let (tier, count) = (self.start_tier, self.tiers.len());
            return wrong(format!("there is no fee tier {tier}: there are {count}, numbered from 0"));
        }
        self.check_funding(instruments)?;
        Ok(self)
    }

    fn check_currencies(&self, instruments: &[Instrument]) -> Result<()> {
        let wrong = |what: String| Err(Error::Misuse(what));
        if !self.currencies.is_sorted_by(|a, b| a.code < b.code) {
            return wrong("currencies must be in ascending order of their codes, each code once".into());
        }
        for (own, currency) in (1..).zip(&self.currencies) {
            let code = &currency.code;
            if currency.deposit < 0 {
                return wrong(format!("the deposit of {code} must not be negative"));
            }
            match currency.worth {
                Worth::Constant(rate) if rate > 0 => {}
                Worth::Mark(k) if k < instruments.len() => {
                    let source = self.contract(k);
                    let expected = if source.settlement == Settlement::Inverse { own } else { 0 };
                    if source.currency != expected {
                        return wrong(format!("the rate of {code} must be in the account currency"));
                    }
                }
                _ => {
                    return wrong(format!("{code} needs a rate: a positive constant, or an instrument of the run"));
                }
            }
        }
        Ok(())
    }

    fn check_contract(&self, contract: &ContractTerms, symbol: &str, leverage: Ppb) -> Result<()> {
        let wrong = |what: &str| Err(Error::Misuse(format!("{symbol}: {what}")));
        if contract.currency as usize > self.currencies.len() {
            return wrong("settled in an unknown currency");
        }
        let is_margined = contract.settlement != Settlement::Spot || contract.maintenance != 0;
        if self.kind == AccountKind::Cash && is_margined {
            return wrong("a cash account holds spot instruments without margin; use a margin account");
        }
        if contract.maintenance < 0 || !(0..PPB).contains(&contract.liquidation) {
            return wrong("maintenance and liquidation rates are from 0 to below 1");
        }
        if i128::from(contract.maintenance) * i128::from(leverage) >= i128::from(PPB) * i128::from(PPB) {
            return wrong("the maintenance rate must be below the initial one, which is 1 / leverage");
        }
        Ok(())
    }

    fn check_funding(&self, instruments: &[Instrument]) -> Result<()> {
        let wrong = |what: String| Err(Error::Misuse(what));
        if !self.funding.is_sorted_by(|a, b| (a.time_ns, a.instrument) < (b.time_ns, b.instrument)) {
            return wrong("funding must be in order of time, one rate for each instrument and time".into());
        }
        for row in &self.funding {
            let Some(instrument) = instruments.get(row.instrument) else {
                return wrong("funding names an unknown instrument".into());
            };
            if self.contract(row.instrument).settlement == Settlement::Spot {
                return wrong(format!("{}: a spot instrument has no funding", instrument.symbol));
            }
            if row.mark < 0 {
                return wrong(format!("{}: a mark of funding must not be negative", instrument.symbol));
            }
        }
        Ok(())
    }
}
