//! The double-entry ledger: balances exist only as sums of postings.
//!
//! | law | |
//! |---|---|
//! | the postings of one transaction sum to zero | per currency and per instrument |
//! | a balance is the sum of its postings | `audit` recomputes every one |
//! | equity = cash + sum of position * mark * unit | computed from balances, never kept beside them |

use nt_core::money::{add, subtract};
use nt_core::{Error, Money, Quantity, Result};

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

/// The postings of a run, with the balances that they add up to.
#[derive(Debug, Clone)]
pub struct Ledger {
    postings: Vec<Posting>,
    transactions: u32,
    cash: Money,
    fees: Money,
    slippage: Money,
    positions: Vec<Quantity>,
}

/// The amounts of one fill, signed by its side where they change a position or cash.
pub(crate) struct FillAmounts {
    pub instrument: usize,
    /// Signed quantity.
    pub quantity: Quantity,
    /// Signed value at the reference price.
    pub value: Money,
    pub slippage: Money,
    pub fee: Money,
}

impl Ledger {
    /// A ledger for `instruments` instruments whose first transaction deposits `cash`.
    pub fn new(instruments: usize, cash: Money) -> Result<Self> {
        let mut ledger = Ledger {
            postings: Vec::new(),
            transactions: 0,
            cash: 0,
            fees: 0,
            slippage: 0,
            positions: vec![0; instruments],
        };
        ledger.cash = cash;
        ledger.push(Account::Cash, 0, CURRENCY, cash);
        ledger.push(Account::Capital, 0, CURRENCY, subtract(0, cash)?);
        ledger.transactions = 1;
        Ok(ledger)
    }

    /// Cash: the balance of its account.
    #[inline]
    pub fn cash(&self) -> Money {
        self.cash
    }

    /// Lots held of an instrument, negative if short: the balance of its position account.
    #[inline]
    pub fn position(&self, instrument: usize) -> Quantity {
        self.positions[instrument]
    }

    /// All postings, in order.
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// Posts one fill: cash against the instrument, with slippage and fee as expenses of their own.
    pub(crate) fn post_fill(&mut self, fill: &FillAmounts) -> Result<()> {
        // The reference value leaves towards the market; what was paid beyond it is slippage.
        let paid = add(add(fill.value, fill.slippage)?, fill.fee)?;
        let cash = subtract(self.cash, paid)?;
        let position = self.positions[fill.instrument]
            .checked_add(fill.quantity)
            .ok_or(Error::Overflow("a position"))?;
        let rank = fill.instrument as u32 + 1;
        self.push(Account::Cash, 0, CURRENCY, -paid);
        self.push(Account::Trading, rank, CURRENCY, fill.value);
        self.push(Account::Slippage, 0, CURRENCY, fill.slippage);
        self.push(Account::Fees, 0, CURRENCY, fill.fee);
        self.push(Account::Position, rank, rank, i128::from(fill.quantity));
        self.push(Account::Trading, rank, rank, -i128::from(fill.quantity));
        self.transactions += 1;
        self.cash = cash;
        self.positions[fill.instrument] = position;
        self.fees = add(self.fees, fill.fee)?;
        self.slippage = add(self.slippage, fill.slippage)?;
        Ok(())
    }

    #[inline]
    fn push(&mut self, account: Account, instrument: u32, unit: u32, amount: i128) {
        if amount != 0 {
            self.postings.push(Posting { transaction: self.transactions, account, instrument, unit, amount });
        }
    }

    /// Recomputes every balance from the postings and checks that each transaction sums to zero per unit.
    pub fn audit(&self) -> Result<()> {
        let mut cash = 0;
        let mut fees = 0;
        let mut slippage = 0;
        let mut positions = vec![0_i128; self.positions.len()];
        for transaction in self.postings.chunk_by(|a, b| a.transaction == b.transaction) {
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
        if !positions.iter().eq(self.positions.iter().map(|&lots| i128::from(lots)).collect::<Vec<_>>().iter()) {
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
        ledger.post_fill(&fill).expect("a fill");
        assert_eq!(ledger.cash(), 1_293);
        assert_eq!(ledger.position(1), -3);
        assert_eq!(ledger.postings().len(), 8);
        ledger.audit().expect("books that balance");
    }

    #[test]
    fn the_audit_finds_a_changed_posting() {
        let mut ledger = Ledger::new(1, 1_000).expect("a deposit");
        ledger.postings[1].amount -= 1;
        assert!(ledger.audit().is_err());
    }
}
