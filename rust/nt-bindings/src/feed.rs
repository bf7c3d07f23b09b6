//! Bindings of nt-feed: columns of text and numbers on their way into bars.
//!
//! A fault in the data is raised as `ValueError(code, column, row)`; the package words it for the reader of the message.

use nt_core::Step;
use nt_feed::consistency::{self, Prices};
use nt_feed::fault::Fault;
use nt_feed::grid::{self, Fit};
use nt_feed::step::{self, OffStep};
use nt_feed::synthetic::{self, Shape};
use nt_feed::{decimal, instant, timeline};
use numpy::{IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

type Column<'py> = Bound<'py, PyArray1<i64>>;
type Ints<'py> = PyReadonlyArray1<'py, i64>;
type Floats<'py> = PyReadonlyArray1<'py, f64>;
type Pieces<'py> = Vec<Floats<'py>>;
type Columns<'py> = Vec<Column<'py>>;

/// Adds the functions to the extension module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(decimals_from_text, module)?)?;
    module.add_function(wrap_pyfunction!(floats_from_text, module)?)?;
    module.add_function(wrap_pyfunction!(instants_from_text, module)?)?;
    module.add_function(wrap_pyfunction!(prices_on_grid, module)?)?;
    module.add_function(wrap_pyfunction!(volume_on_grid, module)?)?;
    module.add_function(wrap_pyfunction!(floats_on_step, module)?)?;
    module.add_function(wrap_pyfunction!(decimals_on_step, module)?)?;
    module.add_function(wrap_pyfunction!(in_nanoseconds, module)?)?;
    module.add_function(wrap_pyfunction!(spacing, module)?)?;
    module.add_function(wrap_pyfunction!(closes, module)?)?;
    module.add_function(wrap_pyfunction!(check_prices, module)?)?;
    module.add_function(wrap_pyfunction!(check_not_negative, module)?)?;
    module.add_function(wrap_pyfunction!(synthetic_market, module)?)?;
    module.add("SYNTHETIC_VERSION", synthetic::VERSION)?;
    module.add("SYNTHETIC_TICK_DECIMALS", synthetic::TICK_DECIMALS)?;
    Ok(())
}

/// A column for results. numpy's own memory rather than Rust's: it asks for huge pages, which makes a long column several
/// times cheaper to fill for the first time.
fn blank(py: Python<'_>, rows: usize) -> Column<'_> {
    PyArray1::zeros(py, rows, false)
}

fn raised(fault: Fault) -> PyErr {
    PyValueError::new_err((fault.kind.code(), fault.column, fault.row))
}

fn decimal_step(mantissa: i64, decimals: u8) -> PyResult<Step> {
    Step::new(mantissa, decimals).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn off_step(floor: bool) -> OffStep {
    if floor { OffStep::Floor } else { OffStep::Refuse }
}

fn fit_name(fit: Fit) -> (&'static str, f64) {
    match fit {
        Fit::Exact => ("exact", 0.0),
        Fit::Single => ("single", 0.0),
        Fit::Rounded(worst) => ("rounded", worst),
    }
}

/// Mantissas and their common number of decimals, from cells joined by newlines.
#[pyfunction]
fn decimals_from_text<'py>(py: Python<'py>, text: &[u8], rows: usize, decimals_max: u8) -> PyResult<(Column<'py>, u8)> {
    let parsed = py.detach(|| decimal::parse_column(text, rows, decimals_max)).map_err(raised)?;
    Ok((parsed.mantissas.into_pyarray(py), parsed.decimals))
}

/// The floats nearest to the cells, which are joined by newlines.
#[pyfunction]
fn floats_from_text<'py>(py: Python<'py>, text: &[u8], rows: usize) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let parsed = py.detach(|| decimal::parse_floats(text, rows)).map_err(raised)?;
    Ok(parsed.into_pyarray(py))
}

/// Nanoseconds since the epoch; whether the cells name a zone, an offset other than zero, a time of day.
#[pyfunction]
fn instants_from_text<'py>(py: Python<'py>, text: &[u8], rows: usize) -> PyResult<(Column<'py>, bool, bool, bool)> {
    let parsed = py.detach(|| instant::parse_instants(text, rows)).map_err(raised)?;
    Ok((parsed.ns.into_pyarray(py), parsed.zoned, parsed.shifted, parsed.timed))
}

fn slices<'a>(pieces: &'a Pieces<'_>) -> PyResult<grid::Pieces<'a>> {
    Ok(pieces.iter().map(|piece| piece.as_slice()).collect::<Result<_, _>>()?)
}

fn rows_of(pieces: &grid::Pieces) -> usize {
    pieces.iter().map(|piece| piece.len()).sum()
}

/// Counts of the coarsest decimal grid that represents all columns, each in pieces; its decimals; how the floats fit; the
/// largest change.
#[pyfunction]
fn prices_on_grid<'py>(
    py: Python<'py>,
    columns: Vec<Pieces<'py>>,
    decimals_max: u8,
) -> PyResult<(Columns<'py>, u8, &'static str, f64)> {
    let floats = columns.iter().map(slices).collect::<PyResult<Vec<_>>>()?;
    let counts: Columns = floats.iter().map(|pieces| blank(py, rows_of(pieces))).collect();
    let found = {
        let mut writers: Vec<_> = counts.iter().map(|column| column.readwrite()).collect();
        let mut targets = writers.iter_mut().map(|writer| writer.as_slice_mut()).collect::<Result<Vec<_>, _>>()?;
        py.detach(|| grid::prices_on_grid(&floats, decimals_max, &mut targets)).map_err(raised)?
    };
    let (fit, worst) = fit_name(found.fit);
    Ok((counts, found.decimals, fit, worst))
}

/// Lots of the coarsest decimal grid that represents the volumes; its decimals; how they fit; how many were floored.
#[pyfunction]
fn volume_on_grid<'py>(
    py: Python<'py>,
    pieces: Pieces<'py>,
    decimals_max: u8,
) -> PyResult<(Column<'py>, u8, &'static str, usize)> {
    let volumes = slices(&pieces)?;
    let lots = blank(py, rows_of(&volumes));
    let (found, floored) = {
        let mut writer = lots.readwrite();
        let target = writer.as_slice_mut()?;
        py.detach(|| grid::volume_on_grid(volumes, decimals_max, target)).map_err(raised)?
    };
    Ok((lots, found.decimals, fit_name(found.fit).0, floored))
}

/// Floats as counts of a step, and how many were floored to it.
#[pyfunction]
fn floats_on_step<'py>(
    py: Python<'py>,
    values: Floats<'py>,
    mantissa: i64,
    decimals: u8,
    floor: bool,
) -> PyResult<(Column<'py>, usize)> {
    let (values, to) = (values.as_slice()?, decimal_step(mantissa, decimals)?);
    let (counts, floored) = py.detach(|| step::floats_on_step(values, to, off_step(floor))).map_err(raised)?;
    Ok((counts.into_pyarray(py), floored))
}

/// Exact decimals, `mantissas / 10**own`, as counts of a step, and how many were floored to it.
#[pyfunction]
fn decimals_on_step<'py>(
    py: Python<'py>,
    mantissas: Ints<'py>,
    own: u8,
    mantissa: i64,
    decimals: u8,
    floor: bool,
) -> PyResult<(Column<'py>, usize)> {
    if usize::from(own) >= nt_feed::POWERS_OF_TEN.len() {
        return Err(PyValueError::new_err("decimals have at most 18 digits after the point"));
    }
    let (values, to) = (mantissas.as_slice()?, decimal_step(mantissa, decimals)?);
    let counted = py.detach(|| step::decimals_on_step(values, own, to, off_step(floor)));
    let (counts, floored) = counted.map_err(raised)?;
    Ok((counts.into_pyarray(py), floored))
}

/// Times in a unit of `unit_ns` nanoseconds as nanoseconds.
#[pyfunction]
fn in_nanoseconds<'py>(py: Python<'py>, times: Ints<'py>, unit_ns: i64) -> PyResult<Column<'py>> {
    if unit_ns < 1 {
        return Err(PyValueError::new_err("a unit of time needs to be positive"));
    }
    let times = times.as_slice()?;
    let ns = blank(py, times.len());
    {
        let mut writer = ns.readwrite();
        let target = writer.as_slice_mut()?;
        py.detach(|| timeline::in_nanoseconds(times, unit_ns, target)).map_err(raised)?;
    }
    Ok(ns)
}

/// The usual distance between rising times, how many distances are wider, and the widest.
#[pyfunction]
fn spacing(py: Python<'_>, open_ns: Ints<'_>) -> PyResult<(i64, usize, i64)> {
    let open_ns = open_ns.as_slice()?;
    let found = py.detach(|| timeline::spacing(open_ns)).map_err(raised)?;
    Ok((found.interval_ns, found.gaps, found.widest_ns))
}

/// The closes of bars: an interval after their open, but not later than the next open.
#[pyfunction]
fn closes<'py>(py: Python<'py>, open_ns: Ints<'py>, interval_ns: i64) -> PyResult<Column<'py>> {
    let open_ns = open_ns.as_slice()?;
    let close_ns = blank(py, open_ns.len());
    {
        let mut writer = close_ns.readwrite();
        let target = writer.as_slice_mut()?;
        py.detach(|| timeline::closes(open_ns, interval_ns, target));
    }
    Ok(close_ns)
}

/// Raises for the first bar whose prices are not positive or contradict one another.
#[pyfunction]
fn check_prices(py: Python<'_>, open: Ints<'_>, high: Ints<'_>, low: Ints<'_>, close: Ints<'_>) -> PyResult<()> {
    let prices =
        Prices { open: open.as_slice()?, high: high.as_slice()?, low: low.as_slice()?, close: close.as_slice()? };
    py.detach(|| consistency::check_prices(prices)).map_err(raised)
}

/// Raises for the first negative number, and says whether any is above zero.
#[pyfunction]
fn check_not_negative(py: Python<'_>, values: Ints<'_>) -> PyResult<bool> {
    let values = values.as_slice()?;
    py.detach(|| consistency::check_not_negative(values)).map_err(raised)
}

/// Open, high, low, close in hundredths and volume in units, for each symbol in the order given.
#[pyfunction]
fn synthetic_market<'py>(
    py: Python<'py>,
    seed: u64,
    symbols: Vec<String>,
    bars: usize,
    start_ns: i64,
    interval_ns: i64,
) -> Vec<Columns<'py>> {
    let made = py.detach(|| {
        let names: Vec<&str> = symbols.iter().map(String::as_str).collect();
        synthetic::market(seed, &names, Shape { bars, start_ns, interval_ns })
    });
    let columns = |bars: synthetic::SyntheticBars| [bars.open, bars.high, bars.low, bars.close, bars.volume];
    made.into_iter().map(|bars| columns(bars).into_iter().map(|column| column.into_pyarray(py)).collect()).collect()
}
