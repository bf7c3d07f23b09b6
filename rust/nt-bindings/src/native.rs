//! Runs over bars of strategies that are written in Rust.

use nt_core::{Error, Nanos};
use nt_engine::run::{Run, Strategy};
use nt_engine::snapshot::{decode, encode};
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bars::borrow_bars;
use crate::engine::Engine;
use crate::error::raise;

impl Engine {
    /// Plays on to the end, or to where the run is to pause, and returns the state of the way and the strategy then; a `state`
    /// is one that was returned.
    pub(crate) fn run_native<S: Strategy + Send + Serialize + DeserializeOwned>(
        &mut self,
        py: Python<'_>,
        strategy: S,
        state: Option<Vec<u8>>,
    ) -> PyResult<Option<Vec<u8>>> {
        let fail = |error: Error| raise(py, &error);
        let (mut way, mut strategy) = match state {
            Some(state) => decode(&state).map_err(fail)?,
            None => (Run::new(self.columns.len()), strategy),
        };
        self.play_native(py, &mut way, &mut strategy)?;
        if way.is_over() { Ok(None) } else { encode(&(&way, &strategy)).map(Some).map_err(fail) }
    }

    /// The same from where it stands, of a strategy whose state nobody asks for.
    pub(crate) fn play_native<S: Strategy + Send>(
        &mut self,
        py: Python<'_>,
        way: &mut Run,
        strategy: &mut S,
    ) -> PyResult<()> {
        let fail = |error: Error| raise(py, &error);
        way.set_pause(self.pause.time_ns);
        let core = &mut self.core;
        if let Some(pieces) = &mut self.pieces {
            while !way.is_over() {
                let horizon_ns = if std::mem::take(&mut self.paused) {
                    pieces.horizon_ns()
                } else {
                    pieces.advance(py, |k| way.played(k).saturating_sub(strategy.lookback()))?
                };
                let bars = pieces.bars();
                py.detach(|| way.play(core, &bars, strategy, horizon_ns)).map_err(fail)?;
                self.paused = horizon_ns > self.pause.time_ns;
                if self.paused {
                    break;
                }
            }
        } else {
            let held: Vec<_> = self.columns.iter().map(|columns| columns.hold(py)).collect();
            let bars = borrow_bars(&held)?;
            py.detach(|| way.play(core, &bars, strategy, Nanos::MAX)).map_err(fail)?;
        }
        self.next_ns = way.next_ns();
        Ok(())
    }
}
