//! Sweeps for Python: sets of parameters in, columns of figures out.

use std::collections::HashMap;

use nt_core::Error;
use nt_engine::digest::Hash;
use nt_engine::sweep::figures::{Curve, Figures};
use nt_engine::sweep::{Plan, Sweep as Core};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::bars::{Columns, borrow_bars};
use crate::columns::currency;
use crate::engine::Engine;
use crate::error::raise;
use crate::formula::{Terms, roles_of, terms_of};

/// A formula with many sets of parameters over the bars of an engine, which itself is left as it is.
#[pyclass(module = "neural_trader._core")]
pub struct Sweep {
    core: Core,
    columns: Vec<Columns>,
    threads: rayon::ThreadPool,
}

#[pymethods]
impl Sweep {
    /// A sweep with a row of parameters for each set (float64); `curve` says whether curves of equity are measured,
    /// `records` whether they are kept for digests, and `threads` how many there are, 0 for one on each processor. `ends` are
    /// the samples, ascending, at which `periods` has equity.
    #[new]
    #[allow(clippy::too_many_arguments, reason = "one keyword per choice")]
    #[pyo3(signature = (engine, terms, roles, sets, *, curve=false, records=false, threads=0, ends=None))]
    fn new(
        py: Python<'_>,
        engine: &Bound<'_, Engine>,
        terms: Terms,
        roles: HashMap<String, usize>,
        sets: PyReadonlyArray2<'_, f64>,
        curve: bool,
        records: bool,
        threads: usize,
        ends: Option<PyReadonlyArray1<'_, i64>>,
    ) -> PyResult<Self> {
        let engine = engine.try_borrow()?;
        let columns: Vec<_> = engine.columns.iter().map(|columns| columns.clone_ref(py)).collect();
        let ends = ends.map(|ends| ends.as_array().iter().map(|&end| end as usize).collect()).unwrap_or_default();
        let sets: Vec<Vec<f64>> = sets.as_array().outer_iter().map(|row| row.to_vec()).collect();
        let core = || {
            if engine.pieces.is_some() {
                return Err(Error::Misuse("a sweep goes over bars in memory".into()));
            }
            if engine.core.account_terms().is_some() {
                return Err(Error::Misuse("a sweep plays one currency and spot instruments".into()));
            }
            let terms = terms_of(terms, sets.first().map_or(0, Vec::len))?;
            let roles = roles_of(&roles, terms.len())?;
            let (config, instruments) = (*engine.core.config(), engine.core.instruments().cloned().collect());
            Ok((Plan { config, instruments, terms, roles, curve, records, ends }, sets))
        };
        let (plan, sets) = core().map_err(|error| raise(py, &error))?;
        let held: Vec<_> = columns.iter().map(|columns| columns.hold(py)).collect();
        let ends = borrow_bars(&held)?.first().map_or(0, |bars| bars.len());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let threads = pool.map_err(|error| pyo3::exceptions::PyRuntimeError::new_err(error.to_string()))?;
        let core = py.detach(|| threads.install(|| Core::new(plan, &sets, ends))).map_err(|error| raise(py, &error))?;
        Ok(Sweep { core, columns, threads })
    }

    /// Plays on; returns the share of the work that is done, 1 at the end. Ctrl-C comes through between two calls.
    fn advance(&mut self, py: Python<'_>) -> PyResult<f64> {
        let held: Vec<_> = self.columns.iter().map(|columns| columns.hold(py)).collect();
        let bars = borrow_bars(&held)?;
        let (core, threads) = (&mut self.core, &self.threads);
        let ended = py.detach(|| threads.install(|| core.advance(&bars)));
        py.check_signals()?;
        Ok(if ended { 1.0 } else { core.progress().min(1.0 - f64::EPSILON) })
    }

    /// Digests, in hex, of the orders, fills and postings of each set, where records are kept; none where a set failed.
    fn digests(&self, py: Python<'_>) -> Vec<Option<(String, String, String)>> {
        let hex = |hash: Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let found: Vec<_> = py.detach(|| self.core.digests().collect());
        found.into_iter().map(|digests| digests.map(|all| all.map(hex).into())).collect()
    }

    /// Equity in the account currency, a row for each set and a column for each of its `ends`; NaN where a set failed.
    fn periods<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let width = self.core.ends().len();
        let absent = vec![f64::NAN; width];
        let kept = self.core.periods().flat_map(|found| found.filter(|row| row.len() == width).unwrap_or(&absent));
        let all: Vec<f64> = kept.copied().collect();
        array(py, &all).reshape([self.core.len(), width])
    }

    /// The figures of all sets as columns, NaN where a set failed, and what went wrong in each that did, by its position.
    fn figures<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyDict>, HashMap<usize, String>)> {
        let mut failed = HashMap::new();
        let figures: Vec<Option<Figures>> = (0..)
            .zip(self.core.figures())
            .map(|(at, found)| found.map_err(|error| failed.insert(at, error.to_string())).ok())
            .collect();
        let table = PyDict::new(py);
        for (name, of) in FIGURES {
            let column: Vec<f64> = figures.iter().map(|found| found.as_ref().map_or(f64::NAN, of)).collect();
            table.set_item(name, array(py, &column))?;
        }
        for (name, of) in OF_CURVES {
            let of = |found: &Figures| found.curve.as_ref().map_or(f64::NAN, of);
            let column: Vec<f64> = figures.iter().map(|found| found.as_ref().map_or(f64::NAN, of)).collect();
            table.set_item(name, array(py, &column))?;
        }
        Ok((table, failed))
    }
}

type Column<T> = (&'static str, fn(&T) -> f64);

/// Counts, and amounts in the account currency.
const FIGURES: [Column<Figures>; 11] = [
    ("equity", |found| currency(found.equity)),
    ("fees", |found| currency(found.fees)),
    ("slippage", |found| currency(found.slippage)),
    ("fills", |found| found.fills as f64),
    ("trades", |found| found.trades as f64),
    ("open_trades", |found| found.open_trades as f64),
    ("wins", |found| found.wins as f64),
    ("gained", |found| currency(found.gained)),
    ("lost", |found| currency(found.lost)),
    ("samples", |found| found.samples as f64),
    ("exposed", |found| found.exposed as f64),
];

const OF_CURVES: [Column<Curve>; 6] = [
    ("ruined", |curve| f64::from(u8::from(curve.is_ruined))),
    ("returns", |curve| curve.count),
    ("return_mean", |curve| curve.mean),
    ("return_squares", |curve| curve.squares),
    ("downside_squares", |curve| curve.downside),
    ("drawdown", |curve| curve.drawdown),
];

fn array<'py>(py: Python<'py>, column: &[f64]) -> Bound<'py, PyArray1<f64>> {
    column.to_pyarray(py)
}

/// Adds this room to the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Sweep>()
}
