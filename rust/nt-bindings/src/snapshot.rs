//! Snapshots for Python: the bytes of their files, where a run stops to be saved, and its state.

use std::sync::atomic::Ordering;

use nt_core::{Error, Nanos};
use nt_engine::digest::{Inputs, Prefix};
use nt_engine::snapshot::{decode, encode};
use nt_engine::{Engine as Core, Pause, Player, Snapshot};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::bars::borrow_bars;
use crate::engine::Engine;
use crate::error::raise;
use crate::indicator::Running;
use crate::replay::Replay;

/// A run of either kind.
#[derive(FromPyObject)]
enum Run<'py> {
    Bars(Bound<'py, Engine>),
    Records(Bound<'py, Replay>),
}

/// A state: that of the engine, and those of features.
type Saved<'py> = (Bound<'py, PyBytes>, Vec<Bound<'py, PyBytes>>);

/// Says where a run stops next, to be saved: after all that happens at a time, or after so many turns of the strategy.
#[pyfunction]
#[pyo3(signature = (run, time_ns=None, turns=None))]
fn pause_run(run: Run<'_>, time_ns: Option<i64>, turns: Option<u64>) -> PyResult<()> {
    let never = Pause::default();
    let pause = Pause { time_ns: time_ns.unwrap_or(never.time_ns), turns: turns.unwrap_or(never.turns) };
    match run {
        Run::Bars(run) => run.try_borrow_mut()?.pause = pause,
        Run::Records(run) => run.try_borrow_mut()?.core.set_pause(pause),
    }
    Ok(())
}

/// Whether a run of a strategy in Python has come to its end; where it paused for a time, when what comes next happens, or
/// not before when; and how many turns the strategy has had.
#[pyfunction]
fn run_position(run: Run<'_>) -> PyResult<(bool, i64, u64)> {
    Ok(match run {
        Run::Bars(run) => {
            let run = run.try_borrow()?;
            (run.player.is_over(), run.next_ns, run.player.turns())
        }
        Run::Records(run) => {
            let core = &run.try_borrow()?.core;
            (core.is_over(), core.next_ns(), core.turns())
        }
    })
}

/// Everything that decides how a run goes on, beside the strategy: the engine, and each feature.
#[pyfunction]
fn save_run<'py>(py: Python<'py>, run: Run<'py>) -> PyResult<Saved<'py>> {
    match run {
        Run::Bars(run) => run.try_borrow_mut()?.save(py),
        Run::Records(run) => Ok((run.try_borrow_mut()?.save(py)?, Vec::new())),
    }
}

/// Makes a run go on where one of the same settings and data was saved.
#[pyfunction]
fn restore_run(py: Python<'_>, run: Run<'_>, state: &[u8], features: Vec<Vec<u8>>) -> PyResult<()> {
    match run {
        Run::Bars(run) => run.try_borrow_mut()?.restore(py, state, &features),
        Run::Records(run) => run.try_borrow_mut()?.restore(py, state),
    }
}

impl Replay {
    fn save<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.write_down(py)?;
        let state = self.core.save().and_then(|core| encode(&(self.current, core)));
        Ok(PyBytes::new(py, &state.map_err(|error| raise(py, &error))?))
    }

    fn restore(&mut self, py: Python<'_>, state: &[u8]) -> PyResult<()> {
        let (current, state): (usize, Vec<u8>) = decode(state).map_err(|error| raise(py, &error))?;
        let Replay { core, sources, .. } = self;
        let lent = sources.lend(py);
        core.restore(&state, &lent.sources()?).map_err(|error| raise(py, &error))?;
        self.current = current.min(self.core.engine().instruments().len().saturating_sub(1));
        Ok(())
    }
}

impl Engine {
    fn save<'py>(&mut self, py: Python<'py>) -> PyResult<Saved<'py>> {
        let seen = self.seen(py)?;
        let current = self.current.load(Ordering::Relaxed);
        let state = encode(&(&self.core, &self.player, current, seen)).map_err(|error| raise(py, &error))?;
        let features = self.features.iter().map(|feature| Ok(PyBytes::new(py, &feature.saved()?)));
        Ok((PyBytes::new(py, &state), features.collect::<PyResult<_>>()?))
    }

    fn restore(&mut self, py: Python<'_>, state: &[u8], features: &[Vec<u8>]) -> PyResult<()> {
        let wrong = |what: &str| raise(py, &Error::Misuse(what.into()));
        let (core, player, current, seen): (Core, Player, usize, Vec<Prefix>) =
            decode(state).map_err(|error| raise(py, &error))?;
        let count = self.columns.len();
        if !self.core.continues(&core) || player.instruments() != count || current >= count {
            return Err(wrong("the snapshot is of a run with other settings or instruments"));
        }
        if self.pieces.is_none() && self.seen(py)? != seen {
            return Err(wrong("the bars are not those that the snapshot was made of"));
        }
        if let Some(inputs) = self.pieces.as_mut().and_then(|pieces| pieces.inputs.as_mut()) {
            inputs.expect(seen).map_err(|error| raise(py, &error))?;
        }
        self.features = features
            .iter()
            .map(|state| Running::of_saved(py, state, core.instruments(), &self.current))
            .collect::<PyResult<_>>()?;
        self.current.store(current, Ordering::Relaxed);
        (self.core, self.player) = (core, player);
        Ok(())
    }

    /// Lets the player know where it stops.
    pub(crate) fn begin_stretch(&mut self) {
        self.player.set_pause(self.pause);
    }

    /// Whether it was for the pause that nothing more was played, with bars at hand up to a horizon.
    pub(crate) fn is_at_pause(&self, horizon_ns: Nanos) -> bool {
        let reached = self.player.turns() >= self.pause.turns || horizon_ns > self.pause.time_ns;
        reached && !self.player.is_over()
    }

    /// What bars a snapshot is of: those that have arrived, or all where they are in memory.
    fn seen(&mut self, py: Python<'_>) -> PyResult<Vec<Prefix>> {
        if let Some(inputs) = self.pieces.as_ref().and_then(|pieces| pieces.inputs.as_ref()) {
            return Ok(inputs.prefixes());
        }
        if let Some(seen) = &self.seen {
            return Ok(seen.clone());
        }
        let held: Vec<_> = self.columns.iter().map(|columns| columns.hold(py)).collect();
        let seen = Inputs::of(&borrow_bars(&held)?).prefixes();
        self.seen = Some(seen.clone());
        Ok(seen)
    }
}

/// The bytes of a snapshot: a JSON document that says of what it is, and named states.
#[pyfunction]
fn seal_snapshot<'py>(py: Python<'py>, header: String, parts: Vec<(String, Vec<u8>)>) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &Snapshot { header, parts }.seal())
}

/// The document and the states of a snapshot; ValueError says what is wrong with its bytes.
#[pyfunction]
#[allow(clippy::type_complexity, reason = "a document, and a list of named states")]
fn open_snapshot<'py>(py: Python<'py>, content: &[u8]) -> PyResult<(String, Vec<(String, Bound<'py, PyBytes>)>)> {
    let Snapshot { header, parts } = Snapshot::open(content).map_err(PyValueError::new_err)?;
    Ok((header, parts.into_iter().map(|(name, state)| (name, PyBytes::new(py, &state))).collect()))
}

/// Adds this room to the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(pause_run, module)?)?;
    module.add_function(wrap_pyfunction!(run_position, module)?)?;
    module.add_function(wrap_pyfunction!(save_run, module)?)?;
    module.add_function(wrap_pyfunction!(restore_run, module)?)?;
    module.add_function(wrap_pyfunction!(seal_snapshot, module)?)?;
    module.add_function(wrap_pyfunction!(open_snapshot, module)?)
}
