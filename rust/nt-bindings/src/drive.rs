//! The loop that plays bars to a strategy on the other side of the border.

use nt_core::{Bars, Nanos};
use nt_engine::{Call, Windows};
use pyo3::prelude::*;

use crate::bars::borrow_bars;
use crate::engine::Engine;
use crate::error::raise;

const CALLS_PER_SIGNAL_CHECK: u32 = 65_536;

/// What a driven strategy may look at during its turn.
pub struct Turn<'a> {
    pub bars: &'a [Bars<'a>],
    /// Instrument and index of every bar that closed at this moment.
    pub closed: &'a [(usize, usize)],
    /// The bar is the first that is delivered of its moment.
    pub first_of_moment: bool,
}

/// Plays all bars, handing each call to `turn`; the engine is not borrowed meanwhile, so the strategy can use it.
pub fn drive(
    slf: &Bound<'_, Engine>,
    mut turn: impl FnMut(Python<'_>, Call, &Turn<'_>) -> PyResult<()>,
) -> PyResult<()> {
    let py = slf.py();
    slf.try_borrow_mut()?.begin_stretch();
    if slf.try_borrow()?.pieces.is_none() {
        let held: Vec<_> = slf.try_borrow()?.columns.iter().map(|columns| columns.hold(py)).collect();
        return drive_over(slf, &borrow_bars(&held)?, &mut turn);
    }
    loop {
        let (windows, horizon_ns) = {
            let engine = &mut *slf.try_borrow_mut()?;
            let (player, pieces) = (&mut engine.player, engine.pieces.as_mut());
            let Some(pieces) = pieces else { return Ok(()) };
            // A bar that closed at this moment may still have to be delivered.
            let horizon_ns = if std::mem::take(&mut engine.paused) {
                pieces.horizon_ns()
            } else {
                pieces.advance(py, |k| player.closed(k).saturating_sub(1))?
            };
            player.set_horizon(horizon_ns);
            (pieces.windows.take(), horizon_ns)
        };
        let driven = drive_over(slf, &windows.as_ref().map(Windows::bars).unwrap_or_default(), &mut turn);
        if let Some(pieces) = slf.try_borrow_mut()?.pieces.as_mut() {
            pieces.windows = windows;
        }
        driven?;
        let engine = &mut *slf.try_borrow_mut()?;
        engine.paused = engine.is_at_pause(horizon_ns);
        if horizon_ns == Nanos::MAX || engine.paused {
            return Ok(());
        }
    }
}

/// Plays what there is of the bars, up to the player's horizon.
fn drive_over(
    slf: &Bound<'_, Engine>,
    bars: &[Bars<'_>],
    turn: &mut impl FnMut(Python<'_>, Call, &Turn<'_>) -> PyResult<()>,
) -> PyResult<()> {
    let py = slf.py();
    let mut closed: Vec<(usize, usize)> = Vec::with_capacity(bars.len());
    let mut calls: u32 = 0;
    loop {
        let (call, first_of_moment) = {
            let engine = &mut *slf.try_borrow_mut()?;
            let Some(call) = engine.player.advance(&mut engine.core, bars).map_err(|error| raise(py, &error))? else {
                engine.next_ns = engine.player.next_ns();
                return Ok(());
            };
            let closes = engine.player.closes();
            let first = matches!(call, Call::Bar { instrument, .. } if closes[0].instrument == instrument);
            if first {
                closed.clear();
                closed.extend(closes.iter().map(|close| (close.instrument, close.index)));
            }
            (call, first)
        };
        // Ctrl-C is looked for now and then: a strategy without Python callbacks would never let it through.
        calls = calls.wrapping_add(1);
        if calls.is_multiple_of(CALLS_PER_SIGNAL_CHECK) {
            py.check_signals()?;
        }
        turn(py, call, &Turn { bars, closed: &closed, first_of_moment })?;
    }
}
