//! Records of a run as dictionaries of columns: exact integers for those who verify, numpy arrays for those who read.

use nt_core::{Error, Fill, Instrument, Money, Order, TimeInForce, Trail};
use nt_engine::Engine;
use nt_engine::ledger::{CURRENCIES, CURRENCY, Posting};
use nt_engine::trades::Trade;
use numpy::{Element, IntoPyArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Adds a column as a list of exact Python integers.
fn exact<'py, T, V>(dict: &Bound<'py, PyDict>, name: &str, records: &[T], field: impl Fn(&T) -> V) -> PyResult<()>
where
    V: IntoPyObject<'py>,
{
    dict.set_item(name, records.iter().map(field).collect::<Vec<_>>())
}

/// Adds a column as a numpy array.
fn array<T, V: Element>(dict: &Bound<'_, PyDict>, name: &str, records: &[T], field: impl Fn(&T) -> V) -> PyResult<()> {
    dict.set_item(name, records.iter().map(field).collect::<Vec<_>>().into_pyarray(dict.py()))
}

/// Money in units of the account currency.
#[inline]
pub fn currency(money: Money) -> f64 {
    money as f64 / 1e18
}

/// Cash of one currency.
pub fn balance(balances: &[Money], currency: usize) -> Result<Money, Error> {
    let unknown = || Error::Misuse(format!("there is no currency {currency}: they are numbered from 0"));
    balances.get(currency).copied().ok_or_else(unknown)
}

fn trail_of(order: &Order) -> (i64, i64) {
    match order.trail {
        None => (0, 0),
        Some(Trail::Ticks(ticks)) => (ticks, 0),
        Some(Trail::Share(share)) => (0, share),
    }
}

fn time_in_force_of(order: &Order) -> (u8, i64) {
    match order.time_in_force {
        TimeInForce::GoodTillCancelled => (0, 0),
        TimeInForce::GoodTillDate(expire_ns) => (1, expire_ns),
        TimeInForce::Day => (2, 0),
        TimeInForce::ImmediateOrCancel => (3, 0),
        TimeInForce::FillOrKill => (4, 0),
    }
}

/// Orders with the fields of the run hash.
pub fn exact_orders<'py>(py: Python<'py>, orders: &[Order]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    exact(&dict, "id", orders, |order| order.id)?;
    exact(&dict, "parent", orders, |order| order.parent)?;
    exact(&dict, "instrument", orders, |order| order.instrument)?;
    exact(&dict, "side", orders, |order| order.side.sign())?;
    exact(&dict, "kind", orders, |order| order.kind as u16)?;
    exact(&dict, "time_in_force", orders, |order| u16::from(time_in_force_of(order).0))?;
    exact(&dict, "expire_ns", orders, |order| time_in_force_of(order).1)?;
    exact(&dict, "quantity", orders, |order| order.quantity)?;
    exact(&dict, "limit", orders, |order| order.limit)?;
    exact(&dict, "stop", orders, |order| order.stop)?;
    exact(&dict, "trail_ticks", orders, |order| trail_of(order).0)?;
    exact(&dict, "trail_ppb", orders, |order| trail_of(order).1)?;
    exact(&dict, "filled", orders, |order| order.filled)?;
    exact(&dict, "cancelled", orders, |order| order.cancelled)?;
    exact(&dict, "state", orders, |order| order.state as u16)?;
    exact(&dict, "reason", orders, |order| order.reason as u16)?;
    exact(&dict, "submit_ns", orders, |order| order.submit_ns)?;
    Ok(dict)
}

/// Fills with the fields of the run hash.
pub fn exact_fills<'py>(py: Python<'py>, fills: &[Fill]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    exact(&dict, "order", fills, |fill| fill.order)?;
    exact(&dict, "instrument", fills, |fill| fill.instrument)?;
    exact(&dict, "side", fills, |fill| fill.side.sign())?;
    exact(&dict, "quantity", fills, |fill| fill.quantity)?;
    exact(&dict, "price", fills, |fill| fill.price)?;
    exact(&dict, "reference", fills, |fill| fill.reference)?;
    exact(&dict, "fee", fills, |fill| fill.fee)?;
    exact(&dict, "slippage", fills, |fill| fill.slippage)?;
    exact(&dict, "maker", fills, |fill| u16::from(fill.maker))?;
    exact(&dict, "time_ns", fills, |fill| fill.time_ns)?;
    Ok(dict)
}

/// Postings with the fields of the run hash.
pub fn exact_postings<'py>(py: Python<'py>, postings: &[Posting]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    exact(&dict, "transaction", postings, |posting| posting.transaction)?;
    exact(&dict, "account", postings, |posting| posting.account as u16)?;
    exact(&dict, "instrument", postings, |posting| posting.instrument)?;
    exact(&dict, "unit", postings, |posting| posting.unit)?;
    exact(&dict, "amount", postings, |posting| posting.amount)?;
    Ok(dict)
}

/// Trades as positions in the list of fills.
pub fn exact_trades<'py>(py: Python<'py>, trades: &[Trade]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    exact(&dict, "instrument", trades, |trade| trade.instrument)?;
    exact(&dict, "direction", trades, |trade| i64::from(trade.direction))?;
    exact(&dict, "quantity", trades, |trade| trade.quantity)?;
    exact(&dict, "entry_fill", trades, |trade| i64::from(trade.entry))?;
    exact(&dict, "exit_fill", trades, |trade| trade.exit.map_or(-1, i64::from))?;
    exact(&dict, "fees", trades, |trade| trade.fees)?;
    exact(&dict, "pnl", trades, |trade| trade.pnl)?;
    Ok(dict)
}

/// One fill: order, instrument, side, quantity, price, fee, maker, time_ns; decimal units.
pub fn fill_record(engine: &Engine, fill: &Fill) -> (u32, u32, i8, f64, f64, f64, bool, i64) {
    let grid = engine.instrument(fill.instrument as usize);
    let (quantity, price) = (grid.lot.value_of(fill.quantity as f64), grid.tick.value_of(fill.price as f64));
    (fill.order, fill.instrument, fill.side as i8, quantity, price, currency(fill.fee), fill.maker, fill.time_ns)
}

/// One order: instrument, side, kind, quantity, filled, state, reason; decimal units and codes.
pub fn order_record(engine: &Engine, id: u32) -> (u32, i8, u8, f64, f64, u8, u8) {
    let order = &engine.orders()[id as usize - 1];
    let lot = engine.instrument(order.instrument as usize).lot;
    let (quantity, filled) = (lot.value_of(order.quantity as f64), lot.value_of(order.filled as f64));
    (order.instrument, order.side as i8, order.kind as u8, quantity, filled, order.state as u8, order.reason as u8)
}

/// Orders for frames, prices and quantities in decimal units.
pub fn order_arrays<'py>(
    py: Python<'py>,
    orders: &[Order],
    instruments: &[&Instrument],
) -> PyResult<Bound<'py, PyDict>> {
    let price = |order: &Order, ticks: i64| instruments[order.instrument as usize].tick.value_of(ticks as f64);
    let units = |order: &Order, lots: i64| instruments[order.instrument as usize].lot.value_of(lots as f64);
    let dict = PyDict::new(py);
    array(&dict, "id", orders, |order| order.id)?;
    array(&dict, "parent", orders, |order| order.parent)?;
    array(&dict, "time_ns", orders, |order| order.submit_ns)?;
    array(&dict, "instrument", orders, |order| order.instrument)?;
    array(&dict, "side", orders, |order| order.side as i8)?;
    array(&dict, "kind", orders, |order| order.kind as u8)?;
    array(&dict, "time_in_force", orders, |order| time_in_force_of(order).0)?;
    array(&dict, "expire_ns", orders, |order| time_in_force_of(order).1)?;
    array(&dict, "quantity", orders, |order| units(order, order.quantity))?;
    array(&dict, "limit", orders, |order| price(order, order.limit))?;
    array(&dict, "stop", orders, |order| price(order, order.stop))?;
    array(&dict, "trail", orders, |order| match order.trail {
        None => 0.0,
        Some(Trail::Ticks(ticks)) => price(order, ticks),
        Some(Trail::Share(share)) => price(order, order.water) * share as f64 / 1e9,
    })?;
    array(&dict, "filled", orders, |order| units(order, order.filled))?;
    array(&dict, "cancelled", orders, |order| units(order, order.cancelled))?;
    array(&dict, "state", orders, |order| order.state as u8)?;
    array(&dict, "reason", orders, |order| order.reason as u8)?;
    Ok(dict)
}

/// Fills for frames, prices and quantities in decimal units, money in the account currency. Where the account is not the
/// usual one, their notional is told too.
pub fn fill_arrays<'py>(py: Python<'py>, engine: &Engine) -> PyResult<Bound<'py, PyDict>> {
    let (fills, instruments) = (engine.fills(), engine.instruments().collect::<Vec<_>>());
    let worth: Vec<_> = (0..fills.len()).map_while(|at| engine.fill_worth(at)).collect();
    let rate = |at: usize| worth.get(at).map_or(1.0, |&(_, rate)| rate);
    let price = |fill: &Fill, ticks: i64| instruments[fill.instrument as usize].tick.value_of(ticks as f64);
    let dict = PyDict::new(py);
    array(&dict, "order", fills, |fill| fill.order)?;
    array(&dict, "instrument", fills, |fill| fill.instrument)?;
    array(&dict, "side", fills, |fill| fill.side as i8)?;
    array(&dict, "quantity", fills, |fill| instruments[fill.instrument as usize].lot.value_of(fill.quantity as f64))?;
    array(&dict, "price", fills, |fill| price(fill, fill.price))?;
    array(&dict, "reference", fills, |fill| price(fill, fill.reference))?;
    let fees: Vec<_> = fills.iter().enumerate().map(|(at, fill)| currency(fill.fee) * rate(at)).collect();
    let slippage: Vec<_> = fills.iter().enumerate().map(|(at, fill)| currency(fill.slippage) * rate(at)).collect();
    dict.set_item("fee", fees.into_pyarray(py))?;
    dict.set_item("slippage", slippage.into_pyarray(py))?;
    if engine.account_terms().is_some() {
        array(&dict, "notional", &worth, |&(notional, _)| notional)?;
    }
    array(&dict, "maker", fills, |fill| fill.maker)?;
    array(&dict, "time_ns", fills, |fill| fill.time_ns)?;
    Ok(dict)
}

/// Trades for frames; absent exits are position -1.
pub fn trade_arrays<'py>(
    py: Python<'py>,
    trades: &[Trade],
    instruments: &[&Instrument],
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    array(&dict, "instrument", trades, |trade| trade.instrument)?;
    array(&dict, "direction", trades, |trade| trade.direction)?;
    array(&dict, "quantity", trades, |trade| {
        instruments[trade.instrument as usize].lot.value_of(trade.quantity as f64)
    })?;
    array(&dict, "entry_fill", trades, |trade| i64::from(trade.entry))?;
    array(&dict, "exit_fill", trades, |trade| trade.exit.map_or(-1, i64::from))?;
    array(&dict, "fees", trades, |trade| currency(trade.fees))?;
    array(&dict, "pnl", trades, |trade| currency(trade.pnl))?;
    Ok(dict)
}

/// Postings for frames; `amount` in the account currency, or in units of the instrument.
pub fn posting_arrays<'py>(
    py: Python<'py>,
    postings: &[Posting],
    instruments: &[&Instrument],
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    array(&dict, "transaction", postings, |posting| posting.transaction)?;
    array(&dict, "account", postings, |posting| posting.account as u8)?;
    array(&dict, "instrument", postings, |posting| posting.instrument)?;
    array(&dict, "unit", postings, |posting| posting.unit)?;
    array(&dict, "amount", postings, |posting| match posting.unit {
        unit if unit == CURRENCY || unit > CURRENCIES => currency(posting.amount),
        rank => instruments[rank as usize - 1].lot.value_of(posting.amount as f64),
    })?;
    Ok(dict)
}
