//! Bindings of nt-feed's bars: trades, quotes and finer bars become bars.

use nt_feed::bars::{self, Imbalance, Intervals, Measure, Rule, Series, Ticks};
use nt_feed::fault::Fault;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

type Ints<'py> = PyReadonlyArray1<'py, i64>;
type Sides<'py> = PyReadonlyArray1<'py, i8>;
type Columns<'py> = Vec<Bound<'py, PyArray1<i64>>>;

/// Adds the functions to the extension module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(time_bars, module)?)?;
    module.add_function(wrap_pyfunction!(sum_bars, module)?)?;
    module.add_function(wrap_pyfunction!(imbalance_bars, module)?)?;
    module.add_function(wrap_pyfunction!(resampled_bars, module)?)?;
    Ok(())
}

fn raised(fault: Fault) -> PyErr {
    PyValueError::new_err((fault.kind.code(), fault.column, fault.row))
}

fn measure_of(name: &str) -> PyResult<Measure> {
    match name {
        "trades" => Ok(Measure::Trades),
        "volume" => Ok(Measure::Volume),
        "notional" => Ok(Measure::Notional),
        _ => Err(PyValueError::new_err(format!("measure {name:?} is not trades, volume or notional"))),
    }
}

fn intervals_of(interval_ns: i64, origin_ns: i64) -> PyResult<Intervals> {
    if interval_ns < 1 {
        return Err(PyValueError::new_err("an interval needs to be positive"));
    }
    Ok(Intervals { interval_ns, origin_ns })
}

fn in_python(py: Python<'_>, made: bars::Columns) -> Columns<'_> {
    [made.open_ns, made.close_ns, made.open, made.high, made.low, made.close, made.volume, made.first]
        .into_iter()
        .map(|column| column.into_pyarray(py))
        .collect()
}

/// Bars of equal intervals: opens and closes, open, high, low, close, volume, and the row of each bar's first trade.
#[pyfunction]
fn time_bars<'py>(
    py: Python<'py>,
    ts_ns: Ints<'py>,
    price: Ints<'py>,
    quantity: Option<Ints<'py>>,
    interval_ns: i64,
    origin_ns: i64,
) -> PyResult<Columns<'py>> {
    let quantity = quantity.as_ref().map(|column| column.as_slice()).transpose()?.unwrap_or(&[]);
    let ticks = Ticks { ts_ns: ts_ns.as_slice()?, price: price.as_slice()?, quantity, side: &[] };
    let rule = Rule::Time(intervals_of(interval_ns, origin_ns)?);
    Ok(in_python(py, py.detach(|| bars::build(ticks, rule, true)).map_err(raised)?))
}

/// Bars that are complete when their trades, lots, or ticks times lots come to a size; columns as of `time_bars`.
#[pyfunction]
fn sum_bars<'py>(
    py: Python<'py>,
    ts_ns: Ints<'py>,
    price: Ints<'py>,
    quantity: Ints<'py>,
    measure: &str,
    size: i128,
    partial: bool,
) -> PyResult<Columns<'py>> {
    if size < 1 {
        return Err(PyValueError::new_err("the size of a bar needs to be positive"));
    }
    let ticks = Ticks { ts_ns: ts_ns.as_slice()?, price: price.as_slice()?, quantity: quantity.as_slice()?, side: &[] };
    let rule = Rule::Sum(measure_of(measure)?, size);
    Ok(in_python(py, py.detach(|| bars::build(ticks, rule, partial)).map_err(raised)?))
}

/// Imbalance bars; columns as of `time_bars`. `ticks` are times, prices and quantities; `shape` is the expected number of
/// trades of a bar, the spans of the two averages, and the fewest and the most trades of a bar.
#[pyfunction]
fn imbalance_bars<'py>(
    py: Python<'py>,
    ticks: (Ints<'py>, Ints<'py>, Ints<'py>),
    side: Option<Sides<'py>>,
    measure: &str,
    shape: (u64, u64, u64, u64, u64),
    partial: bool,
) -> PyResult<Columns<'py>> {
    let (ts_ns, price, quantity) = &ticks;
    let (expected_trades, span_bars, span_trades, shortest, longest) = shape;
    if expected_trades == 0 {
        return Err(PyValueError::new_err("a bar is expected to have at least one trade"));
    }
    let side = side.as_ref().map(|column| column.as_slice()).transpose()?.unwrap_or(&[]);
    let ticks = Ticks { ts_ns: ts_ns.as_slice()?, price: price.as_slice()?, quantity: quantity.as_slice()?, side };
    let weight = measure_of(measure)?;
    let rule = Rule::Imbalance(Imbalance { weight, expected_trades, span_bars, span_trades, shortest, longest });
    Ok(in_python(py, py.detach(|| bars::build(ticks, rule, partial)).map_err(raised)?))
}

/// Bars joined into those of a longer interval; columns as of `time_bars`. `times` are opens and closes, `prices` open,
/// high, low and close.
#[pyfunction]
fn resampled_bars<'py>(
    py: Python<'py>,
    times: (Ints<'py>, Ints<'py>),
    prices: (Ints<'py>, Ints<'py>, Ints<'py>, Ints<'py>),
    volume: Option<Ints<'py>>,
    interval_ns: i64,
    origin_ns: i64,
    partial: bool,
) -> PyResult<Columns<'py>> {
    let volume = volume.as_ref().map(|column| column.as_slice()).transpose()?.unwrap_or(&[]);
    let series = Series {
        open_ns: times.0.as_slice()?,
        close_ns: times.1.as_slice()?,
        open: prices.0.as_slice()?,
        high: prices.1.as_slice()?,
        low: prices.2.as_slice()?,
        close: prices.3.as_slice()?,
        volume,
    };
    let intervals = intervals_of(interval_ns, origin_ns)?;
    Ok(in_python(py, py.detach(|| bars::resample(series, intervals, partial)).map_err(raised)?))
}
