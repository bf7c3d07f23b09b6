//! What an account is worth as far as is known here, in floats, for strategies to look at.

use nt_core::{Price, Settlement};
use nt_engine::Worth;
use pyo3::prelude::*;

use super::Replay;
use crate::columns;
use crate::error::raise;

/// Cash, what contracts were entered at and positions at the prices at which they could be closed, in the account currency;
/// NaN where a price that it takes is not known.
pub fn known_equity(replay: &mut Replay, py: Python<'_>) -> PyResult<f64> {
    let mut worth: Vec<f64> = replay.core.balances().iter().map(|&cash| columns::currency(cash)).collect();
    let count = replay.core.engine().instruments().len();
    for instrument in 0..count {
        let lots = replay.core.position(instrument);
        if lots == 0 {
            continue;
        }
        let price = known_price(replay, py, instrument, lots.signum())?;
        let grid = replay.core.engine().instrument(instrument);
        worth[grid.contract.currency as usize] += match (grid.contract.settlement, price) {
            (_, None) => f64::NAN,
            (Settlement::Spot, Some(price)) => grid.tick.value_of(price as f64) * grid.lot.value_of(lots as f64),
            (_, Some(price)) => {
                let value = grid.contract.value(lots, price).map_err(|error| raise(py, &error))?;
                columns::currency(value) + columns::currency(replay.core.entry(instrument))
            }
        };
    }
    let mut equity = worth[0];
    for (at, amount) in worth[1..].iter().enumerate().filter(|(_, amount)| **amount != 0.0) {
        equity += amount * rate(replay, py, at)?;
    }
    Ok(equity)
}

/// What a currency beside that of the account is worth, as far as is known here.
fn rate(replay: &mut Replay, py: Python<'_>, currency: usize) -> PyResult<f64> {
    Ok(match replay.core.engine().account_terms().map(|terms| terms.currencies[currency].worth) {
        Some(Worth::Constant(rate)) => rate as f64 / 1e9,
        Some(Worth::Mark(k)) => {
            let bid = known_price(replay, py, k, 1)?.map_or(f64::NAN, |ticks| ticks as f64);
            replay.core.engine().instrument(k).tick.value_of(bid)
        }
        None => f64::NAN,
    })
}

/// The price at which a position of this sign could be closed, as far as is known here; of bars the last one.
fn known_price(replay: &mut Replay, py: Python<'_>, instrument: usize, sign: i64) -> PyResult<Option<Price>> {
    if replay.core.is_of_bars(instrument) {
        return Ok(Some(replay.core.mark(instrument)).filter(|&mark| mark != 0));
    }
    Ok(replay.best(py, instrument, sign)?.map(|level| level.0))
}

/// The middle between the prices at which a position could be opened and closed, NaN where a side is empty.
pub fn middle(replay: &mut Replay, py: Python<'_>, instrument: usize) -> PyResult<f64> {
    let (bid, ask) = (known_price(replay, py, instrument, 1)?, known_price(replay, py, instrument, -1)?);
    let tick = replay.core.engine().instrument(instrument).tick;
    Ok(bid.zip(ask).map_or(f64::NAN, |(bid, ask)| tick.value_of((bid + ask) as f64 / 2.0)))
}
