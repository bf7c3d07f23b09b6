//! Round trips: fills matched first in, first out, per instrument (docs/fill-rules.md, section 9).

use std::collections::VecDeque;

use nt_core::contract::{scaled_down, scaled_up};
use nt_core::money::{add, subtract};
use nt_core::{Fill, Instrument, Money, Price, Quantity, Result};
use serde::{Deserialize, Serialize};

use crate::account::Rate;

/// One lot of a position from its entry to its exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// Rank of the symbol.
    pub instrument: u32,
    /// `1` long, `-1` short.
    pub direction: i8,
    /// Lots.
    pub quantity: Quantity,
    /// Position of the entry in the list of fills.
    pub entry: u32,
    /// Position of the exit in the list of fills; `None` while open.
    pub exit: Option<u32>,
    /// Its share of both fills' fees.
    pub fees: Money,
    /// Result at fill prices, or at the mark while open, less fees.
    pub pnl: Money,
}

/// A lot that is still open: which fill opened it, and how much of that fill is left.
#[derive(Debug, Clone)]
struct Lot {
    at: u32,
    entry: Fill,
    left: Quantity,
}

/// The open lots of an instrument, matched with fills as they come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matcher(VecDeque<Lot>);

impl Matcher {
    /// Takes the fill at a position, and hands over each trade that it closes, told at a rate if there is one.
    pub fn take(
        &mut self,
        at: u32,
        fill: &Fill,
        instrument: &Instrument,
        rate: Option<Rate>,
        mut closed: impl FnMut(Trade),
    ) -> Result<()> {
        let mut left = fill.quantity;
        while left > 0
            && let Some(lot) = self.0.front_mut()
            && lot.entry.side != fill.side
        {
            let quantity = left.min(lot.left);
            let entry = &lot.entry;
            let fees = add(
                fee_share(entry, entry.quantity - lot.left, quantity)?,
                fee_share(fill, fill.quantity - left, quantity)?,
            )?;
            closed(lot.trade(instrument, quantity, fill.price, Some(at), fees, rate)?);
            left -= quantity;
            lot.left -= quantity;
            if lot.left == 0 {
                self.0.pop_front();
            }
        }
        if left > 0 {
            self.0.push_back(Lot { at, entry: *fill, left });
        }
        Ok(())
    }

    /// How many lots are open.
    pub fn open(&self) -> usize {
        self.0.len()
    }
}

impl Lot {
    fn trade(
        &self,
        of: &Instrument,
        quantity: Quantity,
        leave: Price,
        exit: Option<u32>,
        fees: Money,
        rate: Option<Rate>,
    ) -> Result<Trade> {
        let Fill { instrument, side, .. } = self.entry;
        let (gross, fees) = told(gain(of, &self.entry, quantity, leave)?, fees, rate)?;
        let (direction, entry, pnl) = (side as i8, self.at, subtract(gross, fees)?);
        Ok(Trade { instrument, direction, quantity, entry, exit, fees, pnl })
    }
}

/// The trades of a run in the order of their exits, then those still open in the order of their entries.
///
/// Where there are several currencies, `rates` has what that of each fill was worth then, and what those of the instruments are
/// worth now: a trade is told in the account currency, at the rate of its exit.
pub(crate) fn trades(
    fills: &[Fill],
    instruments: &[&Instrument],
    marks: &[i64],
    rates: Option<(&[Rate], &[Rate])>,
) -> Result<Vec<Trade>> {
    let mut open: Vec<Matcher> = instruments.iter().map(|_| Matcher::default()).collect();
    let mut trades = Vec::with_capacity(fills.len() / 2 + 1);
    for (at, fill) in (0..).zip(fills) {
        let k = fill.instrument as usize;
        let rate = rates.map(|(of_fills, _)| of_fills[at as usize]);
        open[k].take(at, fill, instruments[k], rate, |trade| trades.push(trade))?;
    }
    let mut still_open: Vec<&Lot> = open.iter().flat_map(|matcher| &matcher.0).collect();
    still_open.sort_unstable_by_key(|lot| lot.at);
    for lot in still_open {
        let k = lot.entry.instrument as usize;
        let fees = fee_share(&lot.entry, lot.entry.quantity - lot.left, lot.left)?;
        let rate = rates.map(|(_, last)| last[k]);
        trades.push(lot.trade(instruments[k], lot.left, marks[k], None, fees, rate)?);
    }
    Ok(trades)
}

/// One lot of a position that rules of their own have matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Matched {
    /// Position of the entry in the list of fills.
    pub entry: u32,
    /// Position of the exit in the list of fills.
    pub exit: u32,
    /// Lots.
    pub quantity: Quantity,
}

/// The trades of matches in their order, then what is still open: entries with what is left of them.
pub(crate) fn of_matches(
    fills: &[Fill],
    instruments: &[&Instrument],
    marks: &[i64],
    closed: &[Matched],
    open: impl Iterator<Item = (u32, Quantity)>,
) -> Result<Vec<Trade>> {
    let mut assigned = vec![0; fills.len()];
    let mut share = |at: u32, quantity: Quantity| -> Result<Money> {
        let before: Quantity = assigned[at as usize];
        assigned[at as usize] += quantity;
        fee_share(&fills[at as usize], before, quantity)
    };
    let matches = closed.iter().map(|each| (each.entry, Some(each.exit), each.quantity));
    matches
        .chain(open.map(|(entry, quantity)| (entry, None, quantity)))
        .map(|(entry, exit, quantity)| {
            let opening = &fills[entry as usize];
            let Fill { instrument, side, .. } = *opening;
            let k = instrument as usize;
            let leave = exit.map_or(marks[k], |exit| fills[exit as usize].price);
            let fees = add(share(entry, quantity)?, exit.map_or(Ok(0), |exit| share(exit, quantity))?)?;
            let gross = gain(instruments[k], opening, quantity, leave)?;
            Ok(Trade { instrument, direction: side as i8, quantity, entry, exit, fees, pnl: subtract(gross, fees)? })
        })
        .collect()
}

/// What a part of an entry gained up to a price, before fees.
fn gain(instrument: &Instrument, entry: &Fill, quantity: Quantity, exit: Price) -> Result<Money> {
    let lots = entry.side.sign() * quantity;
    subtract(instrument.contract.value(lots, exit)?, instrument.contract.cost(lots, entry.price)?)
}

/// Gain and fees in the account currency, both rounded against it.
fn told(gross: Money, fees: Money, rate: Option<Rate>) -> Result<(Money, Money)> {
    match rate {
        None => Ok((gross, fees)),
        Some((numerator, denominator)) => {
            Ok((scaled_down(gross, numerator, denominator)?, scaled_up(fees, numerator, denominator)?))
        }
    }
}

/// The share of a fill's fee that belongs to `quantity` of it, after `before` has been assigned; shares add up to the fee.
fn fee_share(fill: &Fill, before: Quantity, quantity: Quantity) -> Result<Money> {
    if quantity == fill.quantity {
        return Ok(fill.fee);
    }
    let total = i128::from(fill.quantity);
    let upto = |part: Quantity| -> Result<Money> {
        let whole = fill
            .fee
            .div_euclid(total)
            .checked_mul(i128::from(part))
            .ok_or(nt_core::Error::Overflow("a share of a fee"))?;
        add(whole, fill.fee.rem_euclid(total) * i128::from(part) / total)
    };
    subtract(upto(before + quantity)?, upto(before)?)
}
