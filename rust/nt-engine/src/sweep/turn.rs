//! One set over a block of moments: calm ones are passed in one step, the others are played as in any run.

use nt_core::{Instrument, Result};
use nt_features::graph::column::Column;

use super::figures::UNITS;
use super::moments::CHUNK;
use super::signals::next_bit;
use super::universe::{Block, State};
use super::wants::Wants;
use crate::formula::Roles;

/// A set at a block.
pub(super) struct Turn<'a> {
    pub block: &'a Block<'a>,
    /// The columns of each role, by instrument.
    pub roles: Roles<Option<&'a [Column]>>,
    pub has: Roles<bool>,
    pub wants: &'a [Wants],
    /// Per instrument the next moment at which it wants something.
    pub next: &'a mut Vec<usize>,
    /// Equity at each close, where that is measured.
    pub curve: &'a mut Vec<f64>,
    pub state: &'a mut State,
}

impl Turn<'_> {
    /// Plays the block.
    pub fn play(&mut self) -> Result<()> {
        let moments = self.block.moments;
        let (mut at, mut is_known) = (0, false);
        while at < moments.len() {
            if self.state.engine.is_calm(moments.extremes(at)) {
                if !is_known {
                    self.look(at);
                    is_known = true;
                }
                let wanted = self.next.iter().copied().min().unwrap_or(usize::MAX);
                let end = wanted.min((at / CHUNK + 1) * CHUNK).min(moments.len());
                if end > at {
                    self.pass(at, end)?;
                    at = end;
                    continue;
                }
            }
            self.play_moment(at)?;
            (at, is_known) = (at + 1, false);
        }
        if self.block.is_last { self.finish() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<()> {
        let State { engine, periods, .. } = &mut *self.state;
        engine.finish()?;
        if let Some(last) = engine.samples().last().map(|last| last as f64 / UNITS) {
            if let Some(slot) = self.curve.last_mut() {
                *slot = last;
            }
            if self.block.plan.ends.get(periods.len().wrapping_sub(1)) == Some(&(engine.samples().len() - 1))
                && let Some(slot) = periods.last_mut()
            {
                *slot = last;
            }
        }
        Ok(())
    }

    /// Finds what each instrument wants next, from a moment on.
    fn look(&mut self, from: usize) {
        let Turn { block, wants, next, state, .. } = self;
        next.clear();
        next.extend(wants.iter().enumerate().map(|(k, wants)| {
            let bits = wants.of(state.engine.position(k));
            let row = next_bit(bits, block.moments.rows_before(k, from));
            row.map_or(usize::MAX, |row| block.moments.closings(k)[row] as usize)
        }));
    }

    fn pass(&mut self, from: usize, end: usize) -> Result<()> {
        let Block { moments, bars, plan, .. } = *self.block;
        let State { engine, periods, .. } = &mut *self.state;
        let value_per_tick = |(k, instrument): (usize, &Instrument)| {
            let position = engine.position(k);
            (position != 0).then(|| (k, i128::from(position) * instrument.contract.unit))
        };
        let held: Vec<_> = engine.instruments().enumerate().filter_map(value_per_tick).collect();
        // It is calm, so no product leaves its range.
        let equity = |moment: u32| {
            let marks = moments.marks(moment as usize);
            let values = held.iter().map(|&(k, value_per_tick)| value_per_tick * i128::from(marks[k]));
            (engine.cash() + values.sum::<i128>()) as f64 / UNITS
        };
        let (sampled, before) = (moments.sampled(from..end), engine.samples().len());
        if plan.curve {
            self.curve.extend(sampled.iter().map(|&moment| equity(moment)));
        }
        for at in plan.ends[periods.len()..].iter().map_while(|&end| sampled.get(end - before)) {
            periods.push(equity(*at));
        }
        let last = end - 1;
        engine.pass(moments.at(last).time_ns, moments.marks(last), moments.reached(last), bars, sampled.len())
    }

    /// What happens at a moment, in the order of `player`.
    fn play_moment(&mut self, at: usize) -> Result<()> {
        let Turn { block, roles, has, wants, curve, state, .. } = self;
        let (moments, engine) = (block.moments, &mut state.engine);
        let moment = moments.at(at);
        if moment.is_opening {
            engine.open_moment(moment.time_ns, moments.openings(moment))?;
            engine.drop_notices();
            return Ok(());
        }
        let closes = moments.closes(moment);
        engine.close_moment(moment.time_ns, closes)?;
        for bar in closes {
            let (k, row) = (bar.instrument, moments.row(bar));
            if wants[k].any(row) {
                let values = roles.map(|columns| columns.map_or(f64::NAN, |columns| columns[k].at(row)));
                state.desks[k].act(engine, k, bar.close, &values, has)?;
            }
        }
        if engine.config().fill_at_close {
            engine.closing_match(moment.time_ns, closes)?;
        }
        let equity = engine.equity()? as f64 / UNITS;
        if block.plan.curve {
            curve.push(equity);
        }
        while block.plan.ends.get(state.periods.len()) == Some(&engine.samples().len()) {
            state.periods.push(equity);
        }
        engine.count_samples(1);
        engine.drop_notices();
        Ok(())
    }
}
