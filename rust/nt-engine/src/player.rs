//! Plays bars to the engine in order of time and says when the strategy has its turn.
//!
//! The player is pulled: each `advance` runs the engine up to the next call that a strategy is owed. So a strategy in Rust and
//! one behind the Python border are driven by the same code, and the engine is never borrowed while a strategy runs.

use nt_core::{BarClose, BarOpen, Bars, Error, Nanos, Result};
use serde::{Deserialize, Serialize};

use crate::engine::{Engine, Notice};
use crate::pause::Pause;

/// A turn of the strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Something happened to its orders.
    Notice(Notice),
    /// A bar of an instrument is complete.
    Bar {
        /// Rank of the symbol.
        instrument: usize,
        /// Position of the bar.
        index: usize,
    },
    /// All bars of this time have been delivered.
    Moment(Nanos),
}

/// Where an instrument stands: its next bar, and whether that has opened.
pub(crate) type Cursor = (usize, bool);

/// A time, and whether bars open then, or else close. Closes sort before openings of the same time, so that a decision can
/// fill at an opening that coincides with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub Nanos, pub bool);

/// What comes next on the common time line of instruments that stand there.
#[inline]
pub(crate) fn next_moment(cursors: &[Cursor], bars: &[Bars<'_>]) -> Option<Moment> {
    cursors.iter().zip(bars).filter_map(|(&cursor, bars)| moment_of(cursor, bars)).min()
}

#[inline]
fn moment_of((index, opened): Cursor, bars: &Bars<'_>) -> Option<Moment> {
    let column = if opened { bars.close_ns } else { bars.open_ns };
    column.get(index - bars.first).map(|&time_ns| Moment(time_ns, !opened))
}

/// Adds the bars that open or close at a moment, and moves the instruments beyond it.
#[inline]
pub(crate) fn take_moment(
    cursors: &mut [Cursor],
    bars: &[Bars<'_>],
    moment: Moment,
    openings: &mut Vec<BarOpen>,
    closes: &mut Vec<BarClose>,
) {
    for (k, (cursor, bars)) in cursors.iter_mut().zip(bars).enumerate() {
        if moment_of(*cursor, bars) != Some(moment) {
            continue;
        }
        if cursor.1 {
            closes.push(bars.closing(k, cursor.0));
            *cursor = (cursor.0 + 1, false);
        } else {
            openings.push(bars.opening(k, cursor.0));
            cursor.1 = true;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    NextMoment,
    Bar(usize),
    Moment,
    EndOfMoment,
    Done,
}

/// More notifications than this at one time mean that a strategy answers itself without end.
const NOTICES_PER_MOMENT_MAX: u32 = 10_000;

/// Where each instrument stands on the common time line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Player {
    phase: Phase,
    now_ns: Nanos,
    cursors: Vec<Cursor>,
    openings: Vec<BarOpen>,
    closes: Vec<BarClose>,
    notices_read: usize,
    notices_now: u32,
    /// What happens at this time or later waits.
    horizon_ns: Nanos,
    /// The bars are at their end, and so is what the strategy was told of it.
    over: bool,
    /// Turns that the strategy has had.
    turns: u64,
    /// Where it stops next; whoever resumes a run says so again.
    #[serde(skip)]
    pause: Pause,
    /// When what comes next happens, or not before when, where it paused.
    #[serde(skip)]
    next_ns: Nanos,
}

impl Player {
    /// A player at the beginning of the bars of so many instruments.
    pub fn new(instruments: usize) -> Self {
        Player {
            phase: Phase::NextMoment,
            now_ns: Nanos::MIN,
            cursors: vec![(0, false); instruments],
            openings: Vec::with_capacity(instruments),
            closes: Vec::with_capacity(instruments),
            notices_read: 0,
            notices_now: 0,
            horizon_ns: Nanos::MAX,
            over: false,
            turns: 0,
            pause: Pause::default(),
            next_ns: 0,
        }
    }

    /// Makes what happens at a time or later wait, so that bars can arrive in pieces: up to that time every bar that has
    /// opened must be there. A run ends only once its horizon is `Nanos::MAX` again, as it is at first.
    pub fn set_horizon(&mut self, horizon_ns: Nanos) {
        self.horizon_ns = horizon_ns;
    }

    /// Says where it stops next.
    pub fn set_pause(&mut self, pause: Pause) {
        self.pause = pause;
    }

    /// When what comes next happens, or not before when, where it paused for a time.
    pub fn next_ns(&self) -> Nanos {
        self.next_ns
    }

    /// How many turns the strategy has had.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// How many instruments it plays.
    pub fn instruments(&self) -> usize {
        self.cursors.len()
    }

    /// Whether it has come to the end of the bars.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Runs the engine up to the strategy's next turn; `None` at the horizon, where it is to pause, or at the end of the bars.
    #[inline]
    pub fn advance(&mut self, engine: &mut Engine, bars: &[Bars<'_>]) -> Result<Option<Call>> {
        if self.turns >= self.pause.turns {
            return Ok(None);
        }
        loop {
            if let Some(notice) = self.next_notice(engine)? {
                return Ok(Some(Call::Notice(notice)));
            }
            match self.phase {
                Phase::NextMoment => {
                    if !self.play_moment(engine, bars)? {
                        return Ok(None);
                    }
                }
                Phase::Bar(at) => match self.closes.get(at) {
                    Some(close) => {
                        self.phase = Phase::Bar(at + 1);
                        self.turns += 1;
                        return Ok(Some(Call::Bar { instrument: close.instrument, index: close.index }));
                    }
                    None => {
                        self.phase = Phase::Moment;
                    }
                },
                Phase::Moment => {
                    self.phase = Phase::EndOfMoment;
                    self.turns += 1;
                    return Ok(Some(Call::Moment(self.now_ns)));
                }
                Phase::EndOfMoment => self.end_moment(engine)?,
                Phase::Done => {
                    self.over = true;
                    return Ok(None);
                }
            }
        }
    }

    /// How many bars of an instrument have closed.
    pub fn closed(&self, instrument: usize) -> usize {
        self.cursors[instrument].0
    }

    /// The bars that closed at the present moment.
    pub fn closes(&self) -> &[BarClose] {
        &self.closes
    }

    /// What follows the strategy's turns at a close: the closing match, and a sample of equity.
    fn end_moment(&mut self, engine: &mut Engine) -> Result<()> {
        if engine.config.fill_at_close {
            engine.closing_match(self.now_ns, &self.closes)?;
        }
        engine.sample(self.now_ns)?;
        self.phase = Phase::NextMoment;
        Ok(())
    }

    #[inline]
    fn next_notice(&mut self, engine: &mut Engine) -> Result<Option<Notice>> {
        let Some(&notice) = engine.notices.get(self.notices_read) else {
            if self.notices_read != 0 {
                engine.notices.clear();
                self.notices_read = 0;
            }
            return Ok(None);
        };
        self.notices_read += 1;
        self.notices_now += 1;
        self.turns += 1;
        if self.notices_now > NOTICES_PER_MOMENT_MAX {
            return Err(Error::OrderLoop { time_ns: self.now_ns });
        }
        Ok(Some(notice))
    }

    /// Hands the engine everything that happens at the next time: all closes, or else all openings. Says whether it did, or
    /// came to the end of the bars: only at the horizon or a pause is there nothing to do.
    fn play_moment(&mut self, engine: &mut Engine, bars: &[Bars<'_>]) -> Result<bool> {
        self.notices_now = 0;
        let moment = next_moment(&self.cursors, bars);
        let Some(moment) = moment.filter(|Moment(time_ns, _)| *time_ns < self.horizon_ns) else {
            let ends = self.horizon_ns == Nanos::MAX;
            self.next_ns = self.horizon_ns;
            if ends {
                engine.finish()?;
                self.phase = Phase::Done;
            }
            return Ok(ends);
        };
        let Moment(time_ns, is_opening) = moment;
        if time_ns > self.pause.time_ns {
            self.next_ns = time_ns;
            return Ok(false);
        }
        self.now_ns = time_ns;
        self.openings.clear();
        self.closes.clear();
        take_moment(&mut self.cursors, bars, moment, &mut self.openings, &mut self.closes);
        if is_opening {
            engine.open_moment(time_ns, &self.openings)?;
        } else {
            self.phase = Phase::Bar(0);
            engine.close_moment(time_ns, &self.closes)?;
        }
        Ok(true)
    }
}
