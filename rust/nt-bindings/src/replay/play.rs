//! A strategy given by its callbacks: which records it is told of, and which turn calls what.

use nt_core::record::EventKind;
use nt_engine::{Notice, Turn};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::Replay;
use super::drive::{bar_of, drive, named};
use super::tick::Tick;

const TURNS_PER_REPORT: usize = 16_384;

/// What a strategy wants to be called with; each may be absent.
pub struct Callbacks<'py> {
    pub on_trade: Option<Bound<'py, PyAny>>,
    pub on_quote: Option<Bound<'py, PyAny>>,
    pub on_book: Option<Bound<'py, PyAny>>,
    pub on_bar: Option<Bound<'py, PyAny>>,
    pub on_moment: Option<Bound<'py, PyAny>>,
    pub on_timer: Option<Bound<'py, PyAny>>,
    pub on_fill: Option<Bound<'py, PyAny>>,
    pub on_order: Option<Bound<'py, PyAny>>,
    pub on_told: Option<Bound<'py, PyAny>>,
    pub progress: Option<Bound<'py, PyAny>>,
}

impl Callbacks<'_> {
    /// Plays to the end, calling what each turn is about.
    pub fn play(&self, slf: &Bound<'_, Replay>) -> PyResult<()> {
        let py = slf.py();
        let (symbols, scales) = {
            let core = &mut slf.try_borrow_mut()?.core;
            if self.on_trade.is_some() {
                core.want_trades();
            }
            if self.on_quote.is_some() {
                core.want(EventKind::Quote);
            }
            if self.on_book.is_some() {
                core.want_books();
            }
            if self.on_bar.is_some() || self.on_moment.is_some() {
                core.want_bars();
            }
            let instruments = core.engine().instruments();
            let symbols: Vec<_> = instruments.map(|i| PyString::intern(py, &i.symbol).unbind()).collect();
            let scales: Vec<_> = core.engine().instruments().map(|i| (i.tick, i.lot)).collect();
            (symbols, scales)
        };
        let mut turns: usize = 0;
        drive(slf, |py, turn, sources| {
            turns += 1;
            if turns.is_multiple_of(TURNS_PER_REPORT)
                && let Some(progress) = &self.progress
            {
                progress.call1((slf.try_borrow()?.core.played(),))?;
            }
            if let (Turn::Answer(notice), Some(on_told)) = (turn, &self.on_told) {
                let (event, number) = named(notice);
                on_told.call1((number, event))?;
            }
            match turn {
                Turn::Record { source, index } => {
                    let Some(record) = sources[source].get(index) else { return Ok(()) };
                    let Some(rank) = sources[source].rank_here(&record) else { return Ok(()) };
                    let time_ns = {
                        let replay = &mut *slf.try_borrow_mut()?;
                        replay.current = rank;
                        replay.core.now_ns()
                    };
                    let symbol = symbols[rank].clone_ref(py);
                    let callback = if record.is(EventKind::Quote) {
                        &self.on_quote
                    } else if record.is(EventKind::Trade) || record.is(EventKind::AggregateTrade) {
                        &self.on_trade
                    } else {
                        if let Some(on_book) = &self.on_book {
                            on_book.call1((symbol,))?;
                        }
                        return Ok(());
                    };
                    if let Some(callback) = callback {
                        callback.call1((Tick { record, time_ns, symbol, scales: scales[rank] },))?;
                    }
                }
                Turn::Bar { instrument, index } => {
                    slf.try_borrow_mut()?.current = instrument;
                    if let Some(on_bar) = &self.on_bar {
                        let symbol = symbols[instrument].clone_ref(py);
                        on_bar.call1((bar_of(sources, instrument, index, symbol, scales[instrument]),))?;
                    }
                }
                Turn::Moment(time_ns) => {
                    if let Some(on_moment) = &self.on_moment {
                        on_moment.call1((time_ns,))?;
                    }
                }
                // A batch is told by the callback that `batches` was given.
                Turn::Batch(_) => {}
                Turn::Timer(time_ns) => {
                    if let Some(on_timer) = &self.on_timer {
                        on_timer.call1((time_ns,))?;
                    }
                }
                Turn::Answer(Notice::Fill(at)) => {
                    if let Some(on_fill) = &self.on_fill {
                        slf.try_borrow_mut()?.about_fill(at);
                        on_fill.call1((at,))?;
                    }
                }
                Turn::Answer(notice) => {
                    if let Some(on_order) = &self.on_order {
                        let (event, id) = named(notice);
                        slf.try_borrow_mut()?.about_order(id as u32);
                        on_order.call1((id, event))?;
                    }
                }
            }
            Ok(())
        })
    }
}

impl Replay {
    fn about_fill(&mut self, number: usize) {
        if let Ok(fill) = self.core.known_fill(number) {
            self.current = fill.instrument as usize;
        }
    }

    fn about_order(&mut self, number: u32) {
        if let Ok(order) = self.core.known_order(number) {
            self.current = order.instrument as usize;
        }
    }
}
