//! Bars that arrive in pieces from Python while they are played, and the valuation of such a run.

use nt_core::{Bars, Nanos};
use nt_engine::{Valuation as Core, Windows, digest};
use numpy::{PyArray1, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::bars::{Columns, borrow_bars, instrument_of};
use crate::columns;
use crate::engine::Engine;
use crate::error::raise;

/// Iterators of Python `Bars`, one per instrument, and what of them a run needs at present.
pub struct Pieces {
    sources: Vec<Py<PyIterator>>,
    /// Taken out while a strategy runs that may reach the engine, and gone for good where a piece could not be had: a run
    /// must not go on as if the bars ended there.
    pub windows: Option<Windows>,
    /// What has arrived, where it is digested.
    pub inputs: Option<digest::Inputs>,
}

impl Pieces {
    /// What iterables of Python `Bars` will yield.
    pub fn of(sources: &[Bound<'_, PyAny>], digested: bool) -> PyResult<Self> {
        let windows = Some(Windows::new(sources.len()));
        let inputs = digested.then(|| digest::Inputs::new(sources.len()));
        let sources = sources.iter().map(|source| Ok(source.try_iter()?.unbind())).collect::<PyResult<_>>()?;
        Ok(Pieces { sources, windows, inputs })
    }

    /// The bars that are needed at present, by instrument.
    pub fn bars(&self) -> Vec<Bars<'_>> {
        self.windows.as_ref().map(Windows::bars).unwrap_or_default()
    }

    /// Up to when there is something to play.
    pub fn horizon_ns(&self) -> Nanos {
        self.windows.as_ref().map_or(Nanos::MIN, |windows| windows.horizon().1)
    }

    /// Whether all pieces have arrived.
    pub fn is_finished(&self) -> bool {
        self.windows.as_ref().is_some_and(|windows| windows.horizon().1 == Nanos::MAX)
    }

    /// Drops what is not needed, by the position of the first bar of each instrument that is; gets pieces until there is
    /// something to play, and says up to when.
    pub fn advance(&mut self, py: Python<'_>, needed: impl Fn(usize) -> usize) -> PyResult<Nanos> {
        let gone = "the bars of this run are being played already, or could not be read";
        let mut windows = self.windows.take().ok_or_else(|| pyo3::exceptions::PyRuntimeError::new_err(gone))?;
        for instrument in 0..self.sources.len() {
            windows.forget(instrument, needed(instrument));
        }
        let (_, before) = windows.horizon();
        loop {
            let (next, horizon) = windows.horizon();
            if horizon > before || horizon == Nanos::MAX {
                self.windows = Some(windows);
                return Ok(horizon);
            }
            let Some(piece) = self.sources[next].bind(py).clone().next() else {
                if let Some(inputs) = &mut self.inputs {
                    inputs.end(next).map_err(|error| raise(py, &error))?;
                }
                windows.end(next);
                continue;
            };
            let held = [Columns::of(&piece?)?.hold(py)];
            let bars = &borrow_bars(&held)?[0];
            if let Some(inputs) = &mut self.inputs {
                inputs.add(next, bars).map_err(|error| raise(py, &error))?;
            }
            windows.push(next, bars);
        }
    }
}

/// Bars played again to give the equity samples of streamed runs, which keep only what changed their accounts.
#[pyclass(module = "neural_trader._core")]
pub struct Valuation {
    core: Core,
    pieces: Pieces,
    runs: Vec<Py<Engine>>,
}

#[pymethods]
impl Valuation {
    /// A valuation of runs over the same instruments; `pieces` has an iterable of bars for each.
    #[new]
    fn new(
        py: Python<'_>,
        instruments: Vec<Bound<'_, PyAny>>,
        pieces: Vec<Bound<'_, PyAny>>,
        runs: Vec<Py<Engine>>,
    ) -> PyResult<Self> {
        let instruments = instruments.iter().map(instrument_of).collect::<PyResult<_>>()?;
        let deposits: Vec<_> = runs.iter().map(|run| run.borrow(py).core.config().cash).collect();
        let mut core = Core::new(instruments, &deposits).map_err(|error| raise(py, &error))?;
        core.set_horizon(Nanos::MIN);
        Ok(Valuation { core, pieces: Pieces::of(&pieces, false)?, runs })
    }

    /// The next samples, at most so many, none at the end: their times (int64), and the amounts (float64, account currency)
    /// of each run.
    #[allow(clippy::type_complexity, reason = "an array, and a list of arrays")]
    fn read<'py>(
        &mut self,
        py: Python<'py>,
        count: usize,
    ) -> PyResult<(Bound<'py, PyArray1<i64>>, Vec<Bound<'py, PyArray1<f64>>>)> {
        let runs: Vec<_> = self.runs.iter().map(|run| run.borrow(py)).collect();
        let samples: Vec<_> = runs.iter().map(|run| run.core.samples()).collect();
        let mut times = Vec::with_capacity(count);
        let mut curves = vec![Vec::with_capacity(count); runs.len()];
        let mut amounts = vec![0; runs.len()];
        let mut ended = false;
        while times.len() < count && !ended {
            let bars = self.pieces.bars();
            while times.len() < count
                && let Some(time_ns) =
                    self.core.advance(&bars, &samples, &mut amounts).map_err(|error| raise(py, &error))?
            {
                times.push(time_ns);
                for (curve, &amount) in curves.iter_mut().zip(&amounts) {
                    curve.push(columns::currency(amount));
                }
            }
            if times.len() < count {
                ended = self.pieces.is_finished();
                let core = &self.core;
                let horizon_ns = self.pieces.advance(py, |k| core.closed(k))?;
                self.core.set_horizon(horizon_ns);
            }
        }
        Ok((times.to_pyarray(py), curves.iter().map(|curve| curve.to_pyarray(py)).collect()))
    }
}
