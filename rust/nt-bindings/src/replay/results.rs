//! Orders and fills of a replay as columns, with what only a replay knows of them.

use nt_engine::{Placed, Replay};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::columns;

/// Orders in decimal units.
pub fn order_arrays<'py>(py: Python<'py>, core: &Replay) -> PyResult<Bound<'py, PyDict>> {
    let engine = core.engine();
    let instruments: Vec<_> = engine.instruments().collect();
    let dict = columns::order_arrays(py, engine.orders(), &instruments)?;
    dict.set_item("number", numbers(core, engine.orders().iter().map(|order| order.id)).into_pyarray(py))?;
    let placed = core.placed();
    let times = |field: fn(&Placed) -> Option<i64>| {
        placed.iter().map(|placed| field(placed).unwrap_or(0)).collect::<Vec<_>>().into_pyarray(py)
    };
    let post_only = placed.iter().map(|placed| placed.terms.post_only).collect::<Vec<_>>();
    dict.set_item("post_only", post_only.into_pyarray(py))?;
    let reduce_only = engine.orders().iter().map(|order| order.reduce_only).collect::<Vec<_>>();
    dict.set_item("reduce_only", reduce_only.into_pyarray(py))?;
    let shown = engine.orders().iter().zip(placed).map(|(order, placed)| {
        instruments[order.instrument as usize].lot.value_of(placed.terms.display.unwrap_or(0) as f64)
    });
    dict.set_item("display", shown.collect::<Vec<_>>().into_pyarray(py))?;
    dict.set_item("accept_ns", times(|placed| placed.accept_ns))?;
    dict.set_item("end_ns", times(|placed| placed.end_ns))?;
    let ahead = engine.orders().iter().zip(placed).map(|(order, placed)| {
        placed.queue_ahead.map_or(f64::NAN, |lots| instruments[order.instrument as usize].lot.value_of(lots))
    });
    dict.set_item("queue_ahead", ahead.collect::<Vec<_>>().into_pyarray(py))?;
    Ok(dict)
}

/// Fills in decimal units.
pub fn fill_arrays<'py>(py: Python<'py>, core: &Replay) -> PyResult<Bound<'py, PyDict>> {
    let engine = core.engine();
    let instruments: Vec<_> = engine.instruments().collect();
    let dict = columns::fill_arrays(py, engine)?;
    dict.set_item("order_number", numbers(core, engine.fills().iter().map(|fill| fill.order)).into_pyarray(py))?;
    for (name, at) in [("bid", 0), ("ask", 1)] {
        let price = engine.fills().iter().zip(core.fill_touches()).map(|(fill, touch)| match touch[at] {
            0 => f64::NAN,
            ticks => instruments[fill.instrument as usize].tick.value_of(ticks as f64),
        });
        dict.set_item(name, price.collect::<Vec<_>>().into_pyarray(py))?;
    }
    Ok(dict)
}

/// Orders as exact integers.
pub fn exact_orders<'py>(py: Python<'py>, core: &Replay) -> PyResult<Bound<'py, PyDict>> {
    let orders = core.engine().orders();
    let dict = columns::exact_orders(py, orders)?;
    let placed = core.placed();
    dict.set_item("post_only", placed.iter().map(|placed| placed.terms.post_only).collect::<Vec<_>>())?;
    dict.set_item("reduce_only", orders.iter().map(|order| order.reduce_only).collect::<Vec<_>>())?;
    dict.set_item("display", placed.iter().map(|placed| placed.terms.display.unwrap_or(0)).collect::<Vec<_>>())?;
    dict.set_item("queue_ahead", placed.iter().map(|placed| placed.queue_ahead).collect::<Vec<_>>())?;
    dict.set_item("end_ns", placed.iter().map(|placed| placed.end_ns).collect::<Vec<_>>())?;
    dict.set_item("accept_ns", placed.iter().map(|placed| placed.accept_ns).collect::<Vec<_>>())?;
    Ok(dict)
}

/// Best bids and asks in ticks at each sample.
pub fn touch_arrays<'py>(
    py: Python<'py>,
    core: &Replay,
    instrument: usize,
) -> (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>) {
    let count = core.engine().instruments().len();
    let own = core.touches().iter().skip(instrument).step_by(count.max(1));
    let (bids, asks): (Vec<i64>, Vec<i64>) = own.map(|&[bid, ask]| (bid, ask)).unzip();
    (bids.into_pyarray(py), asks.into_pyarray(py))
}

/// The numbers here of orders of the venue, 0 for those that are not known here.
fn numbers(core: &Replay, ids: impl Iterator<Item = u32>) -> Vec<u32> {
    ids.map(|id| core.number_of(id).unwrap_or(0)).collect()
}
