//! The double-entry ledger: balances exist only as sums of postings.
//!
//! | law | |
//! |---|---|
//! | the postings of one transaction sum to zero | per currency and per instrument |
//! | a balance is the sum of its postings | `audit` recomputes every one |
//! | equity = cash + entries + positions at their marks | computed from balances, never kept beside them |

use nt_core::money::{add, subtract};
use nt_core::{Contract, Error, Instrument, Money, Price, Quantity, Result, Settlement};
use serde::{Deserialize, Serialize};

/// The kind of an account; trading, position, entry and funding accounts exist once per instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Account {
    /// What can be spent.
    Cash = 0,
    /// What the owner put in.
    Capital = 1,
    /// The other side of every exchange of money for an instrument.
    Trading = 2,
    /// What was paid beyond the market's price.
    Slippage = 3,
    /// What was paid to the venue.
    Fees = 4,
    /// What is held of an instrument.
    Position = 5,
    /// What an open position of a contract was entered at.
    Entry = 6,
    /// What was paid to hold a contract.
    Funding = 7,
    /// What was paid for cash, or for spot of an instrument, that is owed.
    Interest = 8,
}

/// What an amount counts: the account currency, or lots of an instrument.
pub const CURRENCY: u32 = 0;
/// Beyond it are the units of other currencies.
pub const CURRENCIES: u32 = 1 << 31;

/// The unit of the account currency (0), or of the n-th of the others.
fn unit_of(currency: u32) -> u32 {
    if currency == 0 { CURRENCY } else { CURRENCIES + currency }
}

/// One line of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The transaction, from 0 for the deposit.
    pub transaction: u32,
    /// The account.
    pub account: Account,
    /// Rank of the account's instrument plus one, or 0.
    pub instrument: u32,
    /// `CURRENCY`, the rank of an instrument plus one, or `CURRENCIES` plus n for the n-th of the other currencies.
    pub unit: u32,
    /// What is added to the account; the postings of a transaction sum to zero per unit.
    pub amount: i128,
}

/// How an instrument's fills are booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Booked {
    currency: u32,
    is_contract: bool,
}

/// The transactions of a run, with the balances that their postings add up to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ledger {
    deposits: Vec<Money>,
    booked: Vec<Booked>,
    fills: Vec<FillAmounts>,
    expenses: Vec<Expense>,
    /// In the account currency.
    cash: Money,
    /// In the others.
    cash_elsewhere: Vec<Money>,
    fees: Money,
    slippage: Money,
    positions: Vec<Quantity>,
    entries: Vec<Money>,
}

/// The transaction of one fill as its few independent amounts; its postings follow from them.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct FillAmounts {
    pub instrument: u32,
    /// Signed quantity.
    pub quantity: Quantity,
    /// What the quantity is worth at the reference price, with its sign.
    pub value: Money,
    pub slippage: Money,
    pub fee: Money,
    /// What the part of a contract that it closed has gained; 0 for spot.
    pub settled: Money,
}

/// A transaction beside the fills: what was paid, or received if it is negative.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Expense {
    /// How many fills were booked before it.
    after: usize,
    pub account: Account,
    pub currency: u32,
    pub instrument: u32,
    pub amount: Money,
}

impl FillAmounts {
    /// What the quantity cost: its value at the reference, and what was paid beyond it.
    fn paid(&self) -> Result<Money> {
        add(self.value, self.slippage)
    }

    /// What comes to cash: spot is paid for, a contract settles what it has gained.
    fn to_cash(self, is_contract: bool) -> Result<Money> {
        let settled = if is_contract { self.settled } else { self.paid()?.checked_neg().ok_or(OUT_OF_RANGE)? };
        subtract(settled, self.fee)
    }

    fn postings(&self, transaction: u32, booked: Booked) -> impl Iterator<Item = Posting> {
        let rank = self.instrument + 1;
        let paid = self.value + self.slippage;
        let (settled, entry) = if booked.is_contract { (self.settled, -(paid + self.settled)) } else { (-paid, 0) };
        let lots = i128::from(self.quantity);
        let unit = unit_of(booked.currency);
        [
            (Account::Cash, 0, unit, settled - self.fee),
            (Account::Entry, rank, unit, entry),
            (Account::Trading, rank, unit, self.value),
            (Account::Slippage, 0, unit, self.slippage),
            (Account::Fees, 0, unit, self.fee),
            (Account::Position, rank, rank, lots),
            (Account::Trading, rank, rank, -lots),
        ]
        .into_iter()
        .filter(|&(.., amount)| amount != 0)
        .map(move |(account, instrument, unit, amount)| Posting {
            transaction,
            account,
            instrument,
            unit,
            amount,
        })
    }
}

impl Expense {
    fn postings(&self, transaction: u32) -> impl Iterator<Item = Posting> {
        let unit = unit_of(self.currency);
        [(Account::Cash, 0, -self.amount), (self.account, self.instrument, self.amount)]
            .into_iter()
            .map(move |(account, instrument, amount)| Posting { transaction, account, instrument, unit, amount })
    }
}

const OUT_OF_RANGE: Error = Error::Overflow("an amount of money");

impl Ledger {
    /// A ledger for these instruments whose first transaction deposits so much of the account currency and of the others.
    pub fn new(instruments: &[Instrument], deposits: Vec<Money>) -> Result<Self> {
        for &deposit in &deposits {
            subtract(0, deposit)?;
        }
        let booked = |instrument: &Instrument| Booked {
            currency: instrument.contract.currency,
            is_contract: instrument.contract.settlement != Settlement::Spot,
        };
        Ok(Ledger {
            cash: deposits[0],
            cash_elsewhere: deposits[1..].to_vec(),
            deposits,
            booked: instruments.iter().map(booked).collect(),
            fills: Vec::new(),
            expenses: Vec::new(),
            fees: 0,
            slippage: 0,
            positions: vec![0; instruments.len()],
            entries: vec![0; instruments.len()],
        })
    }

    /// Cash in the account currency: the balance of its account.
    #[inline]
    pub fn cash(&self) -> Money {
        self.cash
    }

    /// Cash by currency, that of the account first.
    pub fn balances(&self) -> Vec<Money> {
        [&[self.cash], self.cash_elsewhere.as_slice()].concat()
    }

    /// Cash in one currency.
    pub(crate) fn balance(&self, currency: u32) -> Money {
        if currency == 0 { self.cash } else { self.cash_elsewhere[currency as usize - 1] }
    }

    /// Whether a ledger that was saved has the same accounts, and nothing in it points beyond what there is.
    pub(crate) fn continues(&self, saved: &Ledger) -> bool {
        let has_accounts = |fill: &FillAmounts| (fill.instrument as usize) < saved.booked.len();
        saved.deposits == self.deposits
            && saved.booked == self.booked
            && saved.cash_elsewhere.len() == self.cash_elsewhere.len()
            && saved.positions.len() == self.positions.len()
            && saved.entries.len() == self.entries.len()
            && saved.fills.iter().all(has_accounts)
            && saved.expenses.iter().all(|expense| (expense.currency as usize) < saved.deposits.len())
    }

    /// Fees and slippage paid so far: the balances of their accounts.
    pub fn costs(&self) -> (Money, Money) {
        (self.fees, self.slippage)
    }

    /// The transactions of fills, to be forgotten where nobody will ask for them; balances stay.
    pub(crate) fn fills_mut(&mut self) -> &mut Vec<FillAmounts> {
        &mut self.fills
    }

    /// The same of what was paid beside fills.
    pub(crate) fn forget_expenses(&mut self) {
        self.expenses.clear();
    }

    #[inline]
    fn balance_mut(&mut self, currency: u32) -> &mut Money {
        if currency == 0 { &mut self.cash } else { &mut self.cash_elsewhere[currency as usize - 1] }
    }

    /// Lots held of an instrument, negative if short: the balance of its position account.
    #[inline]
    pub fn position(&self, instrument: usize) -> Quantity {
        self.positions[instrument]
    }

    /// What the open position of a contract was entered at, with the sign of money: negative where it was bought.
    #[inline]
    pub fn entry(&self, instrument: usize) -> Money {
        self.entries[instrument]
    }

    /// All postings, in order: the deposit, then fills and expenses.
    pub fn postings(&self) -> impl Iterator<Item = Posting> {
        let deposit = (0_u32..).zip(&self.deposits).flat_map(|(currency, &amount)| {
            [(Account::Cash, amount), (Account::Capital, -amount)].map(|(account, amount)| Posting {
                transaction: 0,
                account,
                instrument: 0,
                unit: unit_of(currency),
                amount,
            })
        });
        let rest = (0..=self.fills.len()).flat_map(|at| {
            let first = self.expenses.partition_point(|expense| expense.after < at);
            let end = first + self.expenses[first..].partition_point(|expense| expense.after == at);
            let transaction = move |before: usize| (at + before + 1) as u32;
            let expenses = (first..).zip(&self.expenses[first..end]);
            let fill =
                self.fills.get(at).map(|fill| fill.postings(transaction(end), self.booked[fill.instrument as usize]));
            expenses
                .flat_map(move |(before, expense)| expense.postings(transaction(before)))
                .chain(fill.into_iter().flatten())
        });
        deposit.filter(|posting| posting.amount != 0).chain(rest)
    }

    /// Makes room for so many more fills.
    pub(crate) fn expect_fills(&mut self, count: usize) {
        self.fills.reserve(count);
    }

    /// What a fill of a contract settles: what the part of the position that it closes has gained, rounded down.
    pub(crate) fn settled(&self, k: usize, contract: &Contract, quantity: Quantity, price: Price) -> Result<Money> {
        let (held, before) = (self.positions[k], self.entries[k]);
        let left = held.checked_add(quantity).ok_or(Error::Overflow("a position"))?;
        let opens = held == 0 || held.signum() == quantity.signum();
        if opens {
            return Ok(0);
        }
        let after = if left.signum() == held.signum() {
            share_up(before, left, held)?
        } else {
            contract.cost(left, price)?.checked_neg().ok_or(OUT_OF_RANGE)?
        };
        subtract(subtract(before, contract.cost(quantity, price)?)?, after)
    }

    /// Posts one fill: cash against the instrument, with slippage and fee as expenses of their own.
    pub(crate) fn post_fill(&mut self, fill: FillAmounts) -> Result<()> {
        let k = fill.instrument as usize;
        let Booked { currency, is_contract } = self.booked[k];
        let lots = self.positions[k].checked_add(fill.quantity).ok_or(Error::Overflow("a position"))?;
        let cash = self.balance_mut(currency);
        *cash = add(*cash, fill.to_cash(is_contract)?)?;
        if is_contract {
            self.entries[k] = subtract(self.entries[k], add(fill.paid()?, fill.settled)?)?;
        }
        self.fees = add(self.fees, fill.fee)?;
        self.slippage = add(self.slippage, fill.slippage)?;
        self.positions[k] = lots;
        self.fills.push(fill);
        Ok(())
    }

    /// What a fill brought to cash, and in which currency.
    pub(crate) fn cash_of_fill(&self, at: usize) -> Result<(usize, Money)> {
        let fill = self.fills[at];
        let Booked { currency, is_contract } = self.booked[fill.instrument as usize];
        Ok((currency as usize, fill.to_cash(is_contract)?))
    }

    /// What a fill changed of what its contract was entered at; 0 for spot.
    pub(crate) fn entry_of_fill(&self, at: usize) -> Result<Money> {
        let fill = self.fills[at];
        if !self.booked[fill.instrument as usize].is_contract {
            return Ok(0);
        }
        add(fill.paid()?, fill.settled)?.checked_neg().ok_or(OUT_OF_RANGE)
    }

    /// Posts what is paid, or received if it is negative, beside fills.
    pub(crate) fn post_expense(
        &mut self,
        account: Account,
        currency: u32,
        instrument: u32,
        amount: Money,
    ) -> Result<()> {
        let cash = self.balance_mut(currency);
        *cash = subtract(*cash, amount)?;
        self.expenses.push(Expense { after: self.fills.len(), account, currency, instrument, amount });
        Ok(())
    }

    /// What was paid beside fills, in order.
    pub(crate) fn expenses(&self) -> &[Expense] {
        &self.expenses
    }

    /// Recomputes every balance from the postings and checks that each transaction sums to zero per unit.
    pub fn audit(&self) -> Result<()> {
        let mut cash = vec![0; self.deposits.len()];
        let (mut fees, mut slippage) = (0, 0);
        let mut positions = vec![0_i128; self.positions.len()];
        let mut entries = vec![0_i128; self.positions.len()];
        let postings: Vec<Posting> = self.postings().collect();
        for transaction in postings.chunk_by(|a, b| a.transaction == b.transaction) {
            let mut sums: Vec<(u32, i128)> = Vec::new();
            for posting in transaction {
                match sums.iter_mut().find(|(unit, _)| *unit == posting.unit) {
                    Some((_, sum)) => *sum = add(*sum, posting.amount)?,
                    None => sums.push((posting.unit, posting.amount)),
                }
                let at = posting.instrument as usize;
                match posting.account {
                    Account::Cash => {
                        let of_currency = &mut cash[posting.unit.saturating_sub(CURRENCIES) as usize];
                        *of_currency = add(*of_currency, posting.amount)?;
                    }
                    Account::Fees => fees = add(fees, posting.amount)?,
                    Account::Slippage => slippage = add(slippage, posting.amount)?,
                    Account::Position => positions[at - 1] += posting.amount,
                    Account::Entry => entries[at - 1] = add(entries[at - 1], posting.amount)?,
                    Account::Capital | Account::Trading | Account::Funding | Account::Interest => {}
                }
            }
            if sums.iter().any(|&(_, sum)| sum != 0) {
                return Err(Error::Unbalanced(format!("transaction {}", transaction[0].transaction)));
            }
        }
        if (cash, fees, slippage) != (self.balances(), self.fees, self.slippage) {
            return Err(Error::Unbalanced("cash, fees or slippage differ from their postings".into()));
        }
        if entries != self.entries || !positions.into_iter().eq(self.positions.iter().map(|&lots| i128::from(lots))) {
            return Err(Error::Unbalanced("a position differs from its postings".into()));
        }
        Ok(())
    }
}

/// `amount * part / whole` rounded up, for a part of the whole with its sign.
fn share_up(amount: Money, part: Quantity, whole: Quantity) -> Result<Money> {
    let (part, whole) = (i128::from(part).abs(), i128::from(whole).abs());
    let negated = amount.checked_neg().ok_or(OUT_OF_RANGE)?;
    let rest = (negated.rem_euclid(whole) * part).div_euclid(whole);
    Ok(-add(negated.div_euclid(whole) * part, rest)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt_core::Step;

    fn ledger_of(count: usize) -> Ledger {
        let step = Step::new(1, 0).expect("a step");
        let instrument = Instrument::new("A".into(), step, step).expect("an instrument");
        Ledger::new(&vec![instrument; count], vec![1_000]).expect("a deposit")
    }

    #[test]
    fn a_fill_is_one_balanced_transaction() {
        let mut ledger = ledger_of(2);
        let fill = FillAmounts { instrument: 1, quantity: -3, value: -300, slippage: 6, fee: 1, settled: 0 };
        ledger.post_fill(fill).expect("a fill");
        assert_eq!(ledger.cash(), 1_293);
        assert_eq!(ledger.position(1), -3);
        assert_eq!(ledger.postings().count(), 8);
        ledger.audit().expect("books that balance");
    }

    #[test]
    fn the_audit_finds_a_balance_that_its_postings_do_not_give() {
        let mut ledger = ledger_of(1);
        ledger.cash -= 1;
        assert!(ledger.audit().is_err());
    }
}
