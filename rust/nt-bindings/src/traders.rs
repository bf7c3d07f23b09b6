//! Replays of strategies that are written in Rust.

use nt_engine::snapshot::{decode, encode};
use nt_engine::traders::{AvellanedaStoikov, Grid, Ladder, Quoting, Trader, run_for};
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::raise;
use crate::replay::Replay;

const TURNS_PER_REPORT: usize = 65_536;
/// What is noted for a journal waits in memory for so many turns.
const TURNS_PER_NOTE: usize = 1_024;

/// Plays a replay to the Avellaneda-Stoikov maker of the library; the first timer has been set.
#[pyfunction]
#[pyo3(signature = (replay, every_ns, seconds, stake, size, gamma, horizon, decay, enough, flow_spread, fee, limit,
    tolerance, state=None, progress=None))]
#[allow(clippy::too_many_arguments, reason = "one argument per term")]
fn run_avellaneda_stoikov(
    replay: &Bound<'_, Replay>,
    every_ns: i64,
    seconds: f64,
    stake: f64,
    size: f64,
    gamma: f64,
    horizon: f64,
    decay: f64,
    enough: f64,
    flow_spread: f64,
    fee: f64,
    limit: i64,
    tolerance: f64,
    state: Option<Vec<u8>>,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Option<Vec<u8>>> {
    let terms =
        Quoting { every_ns, seconds, stake, size, gamma, horizon, decay, enough, flow_spread, fee, limit, tolerance };
    let trader = AvellanedaStoikov::new(&replay.try_borrow()?.core, terms);
    run(replay, trader, state, progress.as_ref())
}

/// Plays a replay to the grid of the library; the first timer has been set.
#[pyfunction]
#[pyo3(signature = (replay, every_ns, stake, size, step, rungs, weight, limit, state=None, progress=None))]
#[allow(clippy::too_many_arguments, reason = "one argument per term")]
fn run_grid(
    replay: &Bound<'_, Replay>,
    every_ns: i64,
    stake: f64,
    size: f64,
    step: f64,
    rungs: i64,
    weight: f64,
    limit: i64,
    state: Option<Vec<u8>>,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Option<Vec<u8>>> {
    let trader = Grid::new(&replay.try_borrow()?.core, Ladder { every_ns, stake, size, step, rungs, weight, limit });
    run(replay, trader, state, progress.as_ref())
}

/// Plays on to the end, or to where it is to pause, and returns the trader's state then; a `state` is one that was returned.
/// Between two stretches Python can interrupt, and hears how many records have been played.
fn run<T: Trader + Serialize + DeserializeOwned>(
    slf: &Bound<'_, Replay>,
    trader: T,
    state: Option<Vec<u8>>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<Vec<u8>>> {
    let py = slf.py();
    let mut trader = match state {
        Some(state) => decode(&state).map_err(|error| raise(py, &error))?,
        None => trader,
    };
    loop {
        let (goes_on, played, is_over) = {
            let replay = &mut *slf.try_borrow_mut()?;
            replay.write_down(py)?;
            let turns = if replay.journal.is_some() { TURNS_PER_NOTE } else { TURNS_PER_REPORT };
            replay.core.set_horizon(replay.sources.horizon_ns());
            let Replay { core, sources, .. } = replay;
            let lent = sources.lend(py);
            let sources = lent.sources()?;
            let goes_on = run_for(core, &sources, &mut trader, turns).map_err(|error| raise(py, &error))?;
            (goes_on, core.played(), core.is_over())
        };
        if is_over {
            return Ok(None);
        }
        if !goes_on {
            return encode(&trader).map(Some).map_err(|error| raise(py, &error));
        }
        py.check_signals()?;
        if let Some(progress) = progress {
            progress.call1((played,))?;
        }
    }
}

/// Adds this room to the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(run_avellaneda_stoikov, module)?)?;
    module.add_function(wrap_pyfunction!(run_grid, module)?)
}
