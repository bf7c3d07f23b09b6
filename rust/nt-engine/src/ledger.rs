//! The double-entry ledger: balances exist only as sums of postings.
//!
//! | law | |
//! |---|---|
//! | the postings of one transaction sum to zero | per currency and per instrument |
//! | a balance is the sum of its postings | `audit` recomputes every one |
//! | equity = cash + sum of position * mark * unit | computed from balances, never kept beside them |

use nt_core::money::{add, subtract};
use nt_core::{Error, Money, Quantity, Result};
use serde::{Deserialize, Serialize};

/// The kind of an account; trading and position accounts exist once per instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

/// What an amount counts: the account currency, or lots of an instrument.
pub const CURRENCY: u32 = 0;

/// One line of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The transaction, from 0 for the deposit.
    pub transaction: u32,
    /// The account.
    pub account: Account,
    /// Rank of the account's instrument plus one, or 0.
    pub instrument: u32,
    /// `CURRENCY`, or the rank of an instrument plus one.
    pub unit: u32,
    /// What is added to the account; the postings of a transaction sum to zero per unit.
    pub amount: i128,
}

/// The transactions of a run, with the balances that their postings add up to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ledger {
    deposit: Money,
    fills: Vec<FillAmounts>,
    cash: Money,
    fees: Money,
    slippage: Money,
    positions: Vec<Quantity>,
}

/// The transaction of one fill as its few independent amounts; its postings follow from them.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct FillAmounts {
    pub instrument: u32,
    /// Signed quantity.
    pub quantity: Quantity,
    /// Signed value at the reference price.
    pub value: Money,
    pub slippage: Money,
    pub fee: Money,
}

impl FillAmounts {
    /// What leaves cash: the reference value goes to the market; what is paid beyond it is slippage and fee.
    fn paid(&self) -> Result<Money> {
        add(add(self.value, self.slippage)?, self.fee)
    }

    fn postings(&self, transaction: u32) -> impl Iterator<Item = Posting> {
        let rank = self.instrument + 1;
        let paid = self.value + self.slippage + self.fee;
        let lots = i128::from(self.quantity);
        [
            (Account::Cash, 0, CURRENCY, -paid),
            (Account::Trading, rank, CURRENCY, self.value),
            (Account::Slippage, 0, CURRENCY, self.slippage),
            (Account::Fees, 0, CURRENCY, self.fee),
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

impl Ledger {
    /// A ledger for `instruments` instruments whose first transaction deposits `cash`.
    pub fn new(instruments: usize, cash: Money) -> Result<Self> {
        subtract(0, cash)?;
        Ok(Ledger { deposit: cash, fills: Vec::new(), cash, fees: 0, slippage: 0, positions: vec![0; instruments] })
    }

    /// Cash: the balance of its account.
    #[inline]
    pub fn cash(&self) -> Money {
        self.cash
    }

    /// How many instruments have accounts.
    pub(crate) fn instruments(&self) -> usize {
        self.positions.len()
    }

    /// Fees and slippage paid so far: the balances of their accounts.
    pub fn costs(&self) -> (Money, Money) {
        (self.fees, self.slippage)
    }

    /// The transactions of fills, to be forgotten where nobody will ask for them; balances stay.
    pub(crate) fn fills_mut(&mut self) -> &mut Vec<FillAmounts> {
        &mut self.fills
    }

    /// Lots held of an instrument, negative if short: the balance of its position account.
    #[inline]
    pub fn position(&self, instrument: usize) -> Quantity {
        self.positions[instrument]
    }

    /// All postings, in order: the deposit, then the fills.
    pub fn postings(&self) -> impl Iterator<Item = Posting> {
        let posting = |account, amount| Posting { transaction: 0, account, instrument: 0, unit: CURRENCY, amount };
        let deposit = [posting(Account::Cash, self.deposit), posting(Account::Capital, -self.deposit)];
        deposit.into_iter().chain((1..).zip(&self.fills).flat_map(|(transaction, fill)| fill.postings(transaction)))
    }

    /// Makes room for so many more fills.
    pub(crate) fn expect_fills(&mut self, count: usize) {
        self.fills.reserve(count);
    }

    /// Posts one fill: cash against the instrument, with slippage and fee as expenses of their own.
    pub(crate) fn post_fill(&mut self, fill: FillAmounts) -> Result<()> {
        let position = &mut self.positions[fill.instrument as usize];
        let lots = position.checked_add(fill.quantity).ok_or(Error::Overflow("a position"))?;
        self.cash = subtract(self.cash, fill.paid()?)?;
        self.fees = add(self.fees, fill.fee)?;
        self.slippage = add(self.slippage, fill.slippage)?;
        *position = lots;
        self.fills.push(fill);
        Ok(())
    }

    /// Recomputes every balance from the postings and checks that each transaction sums to zero per unit.
    pub fn audit(&self) -> Result<()> {
        let mut cash = 0;
        let mut fees = 0;
        let mut slippage = 0;
        let mut positions = vec![0_i128; self.positions.len()];
        let postings: Vec<Posting> = self.postings().collect();
        for transaction in postings.chunk_by(|a, b| a.transaction == b.transaction) {
            let mut money = 0;
            let mut lots = 0;
            for posting in transaction {
                match posting.unit {
                    CURRENCY => money = add(money, posting.amount)?,
                    _ => lots += posting.amount,
                }
                match posting.account {
                    Account::Cash => cash = add(cash, posting.amount)?,
                    Account::Fees => fees = add(fees, posting.amount)?,
                    Account::Slippage => slippage = add(slippage, posting.amount)?,
                    Account::Position => positions[posting.instrument as usize - 1] += posting.amount,
                    Account::Capital | Account::Trading => {}
                }
            }
            if money != 0 || lots != 0 {
                return Err(Error::Unbalanced(format!("transaction {}", transaction[0].transaction)));
            }
        }
        if (cash, fees, slippage) != (self.cash, self.fees, self.slippage) {
            return Err(Error::Unbalanced("cash, fees or slippage differ from their postings".into()));
        }
        if !positions.into_iter().eq(self.positions.iter().map(|&lots| i128::from(lots))) {
            return Err(Error::Unbalanced("a position differs from its postings".into()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fill_is_one_balanced_transaction() {
        let mut ledger = Ledger::new(2, 1_000).expect("a deposit");
        let fill = FillAmounts { instrument: 1, quantity: -3, value: -300, slippage: 6, fee: 1 };
        ledger.post_fill(fill).expect("a fill");
        assert_eq!(ledger.cash(), 1_293);
        assert_eq!(ledger.position(1), -3);
        assert_eq!(ledger.postings().count(), 8);
        ledger.audit().expect("books that balance");
    }

    #[test]
    fn the_audit_finds_a_balance_that_its_postings_do_not_give() {
        let mut ledger = Ledger::new(1, 1_000).expect("a deposit");
        ledger.cash -= 1;
        assert!(ledger.audit().is_err());
    }
}
