//! What has been seen of a market here: where its middle went, how restless it is, and who traded. It is for memories, which
//! compare moments by it; nothing of a run follows from it.
//!
//! It is made of the records that have arrived, when the view of a book is brought up to them, so that it makes no turn, costs
//! nothing unless it is asked for, and knows no more than a strategy does.

use std::collections::VecDeque;

use nt_core::record::{ASK, BEFORE, BID, EventKind, LAST};
use nt_core::{Nanos, Record, Result, Side};

use super::Replay;
use super::view::View;
use crate::source::Source;

const SECOND_NS: Nanos = 1_000_000_000;
/// A market of which nothing was heard for so many seconds is a new one.
const HOLE_S: i64 = 300;
/// Seconds over which moves are measured.
const SPANS: [usize; 3] = [1, 5, 30];
/// Seconds of the volatility by which they are, and of that with which it is compared.
const FAST: f64 = 30.0;
const SLOW: f64 = 300.0;
/// Seconds over which trades count, most of the last ones.
const FLOWS: [f64; 2] = [5.0, 60.0];
/// In ticks: a market that has not moved at all is not infinitely calm.
const VOLATILITY_MIN: f64 = 0.125;
/// Levels of each side that lean.
const LEVELS: usize = 5;

/// What is measured, in the order of [`Replay::seen`].
pub const MEASURES: [&str; 9] =
    ["micro", "spread", "lean", "move_1s", "move_5s", "move_30s", "heat", "flow_5s", "flow_60s"];

/// Where the middle was since somebody last asked, in ticks; NaN where there was none.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenRange {
    /// The highest.
    pub high: f64,
    /// The lowest.
    pub low: f64,
    /// The last one of each full second.
    pub closes: Vec<f64>,
}

/// One market.
#[derive(Debug, Clone)]
pub(super) struct Tape {
    /// The second that is going on, since the epoch; none before the first record.
    second: Option<i64>,
    middle: f64,
    /// Since somebody last asked.
    range: SeenRange,
    /// The last one of each of the last seconds.
    closes: VecDeque<f64>,
    /// Changes from second to second that were seen.
    changes: f64,
    /// Mean squares of them, over short and long.
    squares: [f64; 2],
    /// What buyers took less what sellers did, and both together, fading.
    flows: [[f64; 2]; 2],
}

impl Tape {
    pub fn new() -> Self {
        Tape {
            second: None,
            middle: f64::NAN,
            range: SeenRange { high: f64::NAN, low: f64::NAN, closes: Vec::new() },
            closes: VecDeque::new(),
            changes: 0.0,
            squares: [0.0; 2],
            flows: [[0.0; 2]; 2],
        }
    }

    /// Takes note of a record that the view has seen.
    pub fn note(&mut self, time_ns: Nanos, record: &Record, trades: EventKind, view: &View) {
        if record.is(trades) {
            self.pass_to(time_ns);
            self.trade(record);
        }
        if record.flags & LAST != 0 || record.is(EventKind::SnapshotEnd) {
            self.pass_to(time_ns);
            if let Some(middle) = middle_of(view) {
                self.middle = middle;
                self.range.high = self.range.high.max(middle);
                self.range.low = self.range.low.min(middle);
            }
        }
    }

    fn trade(&mut self, record: &Record) {
        let side = match record.flags & (BID | ASK) {
            BID => 1.0,
            ASK => -1.0,
            _ => return,
        };
        if record.flags & BEFORE == 0 && record.quantity > 0 {
            for [net, gross] in &mut self.flows {
                *net += side * record.quantity as f64;
                *gross += record.quantity as f64;
            }
        }
    }

    /// Lets the seconds pass up to a time.
    fn pass_to(&mut self, time_ns: Nanos) {
        let second = time_ns.div_euclid(SECOND_NS);
        let passed = second.saturating_sub(*self.second.get_or_insert(second));
        if passed > HOLE_S {
            let range = std::mem::replace(self, Tape::new()).range;
            (self.range, self.second) = (range, Some(second));
            return;
        }
        for _ in 0..passed {
            self.close_second();
        }
        self.second = self.second.max(Some(second));
    }

    fn close_second(&mut self) {
        for (flow, seconds) in self.flows.iter_mut().zip(FLOWS) {
            *flow = flow.map(|sum| sum * (seconds / (seconds + 1.0)));
        }
        if self.middle.is_nan() {
            return;
        }
        if let Some(before) = self.closes.back() {
            let change = self.middle - before;
            self.changes += 1.0;
            for (square, seconds) in self.squares.iter_mut().zip([FAST, SLOW]) {
                // They begin as plain means, so that the first changes do not weigh more than others.
                let weight = (2.0 / (seconds + 1.0)).max(1.0 / self.changes);
                *square += weight * (change * change - *square);
            }
        }
        self.closes.push_back(self.middle);
        if self.closes.len() > SPANS[2] + 1 {
            self.closes.pop_front();
        }
        self.range.closes.push(self.middle);
    }

    /// In units of what so many seconds of the volatility would give.
    fn moved(&self, middle: f64, seconds: usize) -> f64 {
        let Some(at) = self.closes.len().checked_sub(seconds + 1) else { return f64::NAN };
        if self.changes < FAST {
            return f64::NAN;
        }
        (middle - self.closes[at]) / (self.volatility(0) * (seconds as f64).sqrt())
    }

    fn volatility(&self, at: usize) -> f64 {
        self.squares[at].sqrt().max(VOLATILITY_MIN)
    }

    fn measures(&self, view: &View) -> [f64; MEASURES.len()] {
        let both = |count| [Side::Buy, Side::Sell].map(|side| view.levels(side, count));
        let leaning = |[bids, asks]: [f64; 2]| (bids - asks) / (bids + asks);
        let (micro, spread) = match both(1) {
            [bids, asks] if !bids.is_empty() && !asks.is_empty() => {
                let spread = (asks[0].price - bids[0].price) as f64;
                (spread / 2.0 * leaning([bids[0].quantity as f64, asks[0].quantity as f64]), spread)
            }
            _ => (f64::NAN, f64::NAN),
        };
        let lean = leaning(both(LEVELS).map(|levels| levels.iter().map(|level| level.quantity as f64).sum()));
        let middle = middle_of(view).unwrap_or(self.middle);
        let [one, five, thirty] = SPANS.map(|seconds| self.moved(middle, seconds));
        let heat = if self.changes < FAST { f64::NAN } else { self.volatility(0) / self.volatility(1) };
        let [short, long] = self.flows.map(|[net, gross]| net / gross);
        [micro, spread, lean, one, five, thirty, heat, short, long]
    }
}

/// The middle of a book in ticks, where it has two sides that are not crossed.
fn middle_of(view: &View) -> Option<f64> {
    let (bid, ask) = (view.best(Side::Buy)?.price, view.best(Side::Sell)?.price);
    (bid < ask).then(|| (bid + ask) as f64 / 2.0)
}

impl Replay {
    /// Keeps a tape of each market from now on.
    pub fn keep_tapes(&mut self) {
        self.tapes = vec![Tape::new(); self.views.len()];
    }

    /// What an instrument looks like as far as is known here, by [`MEASURES`]; NaN for what is not, and without a tape.
    ///
    /// * `micro`: the middle weighted by what rests on the other side, less the plain one, in ticks;
    /// * `spread`: in ticks; `lean`: what rests on the five best bids less what rests on asks, by both;
    /// * `move_n`: move of the middle since the last close but n of a second, by what n seconds of its volatility give;
    /// * `heat`: volatility of 30 seconds by that of 300;
    /// * `flow_n`: what buyers took less what sellers did, by both, of the last n seconds or so.
    pub fn seen(&mut self, sources: &[Source<'_>], instrument: usize) -> Result<[f64; MEASURES.len()]> {
        self.look(sources)?;
        let Some(tape) = self.tapes.get_mut(instrument) else { return Ok([f64::NAN; MEASURES.len()]) };
        tape.pass_to(self.now_ns);
        Ok(tape.measures(&self.views[instrument]))
    }

    /// Where the middle of an instrument was since this was last asked, as far as is known here.
    pub fn take_range(&mut self, sources: &[Source<'_>], instrument: usize) -> Result<SeenRange> {
        self.look(sources)?;
        let Some(tape) = self.tapes.get_mut(instrument) else { return Ok(Tape::new().range) };
        tape.pass_to(self.now_ns);
        let now = SeenRange { high: tape.middle, low: tape.middle, closes: Vec::new() };
        Ok(std::mem::replace(&mut tape.range, now))
    }
}
