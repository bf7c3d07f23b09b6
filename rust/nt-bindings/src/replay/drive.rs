//! The loop that hands each turn of a replay to Python.

use nt_core::Step;
use nt_engine::{Notice, Source, Turn};
use nt_feed::event::EventKind;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::Replay;
use super::batches::tell_batch;
use crate::bars::Bar;
use crate::error::raise;
use crate::indicator::scale;

const TURNS_PER_SIGNAL_CHECK: u32 = 65_536;

/// What a venue says, and of what.
pub(crate) fn named(notice: Notice) -> (&'static str, usize) {
    match notice {
        Notice::Fill(at) => ("fill", at),
        Notice::OrderEnded(id) => ("ended", id as usize),
        Notice::Accepted(id) => ("accepted", id as usize),
        Notice::Amended(id) => ("amended", id as usize),
        Notice::Refused(id) => ("refused", id as usize),
        Notice::Triggered(id) => ("triggered", id as usize),
    }
}

/// A bar of an instrument as a strategy is handed it.
pub(crate) fn bar_of(
    sources: &[Source<'_>],
    instrument: usize,
    index: usize,
    symbol: Py<PyString>,
    (tick, lot): (Step, Step),
) -> Option<Bar> {
    let (_, bars) = sources.iter().filter_map(Source::bars).find(|&(rank, _)| rank == instrument)?;
    Some(Bar::new(&bars, instrument, index, symbol, (scale(tick), scale(lot))))
}

impl Replay {
    /// Asks for records of kinds by their names.
    pub(crate) fn want(&mut self, kinds: &[String]) -> PyResult<()> {
        for name in kinds {
            let kind = EventKind::NAMES.iter().find(|(_, known)| known == name);
            let &(kind, _) =
                kind.ok_or_else(|| PyValueError::new_err(format!("there are no records of kind {name:?}")))?;
            self.core.want(kind);
        }
        Ok(())
    }
}

/// Plays to the end, handing each turn on; the replay is not borrowed meanwhile, so the strategy can use it.
pub(crate) fn drive(
    slf: &Bound<'_, Replay>,
    mut take: impl FnMut(Python<'_>, Turn, &[Source<'_>]) -> PyResult<()>,
) -> PyResult<()> {
    let py = slf.py();
    let lent = {
        let replay = &mut *slf.try_borrow_mut()?;
        replay.core.set_horizon(replay.sources.horizon_ns());
        replay.sources.lend(py)
    };
    let sources = lent.sources()?;
    let mut turns: u32 = 0;
    loop {
        let turn = {
            let replay = &mut *slf.try_borrow_mut()?;
            replay.write_down(py)?;
            replay.core.advance(&sources).map_err(|error| raise(py, &error))?
        };
        let Some(turn) = turn else { return Ok(()) };
        turns = turns.wrapping_add(1);
        if turns.is_multiple_of(TURNS_PER_SIGNAL_CHECK) {
            py.check_signals()?;
        }
        if let Turn::Batch(_) = turn {
            tell_batch(slf, &sources)?;
        }
        take(py, turn, &sources)?;
    }
}
