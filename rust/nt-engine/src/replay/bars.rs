//! Instruments of bars in a replay: openings and closes on its time line, and orders for them (docs/book-rules.md, section 12).
//!
//! Orders meet bars in the engine itself, as they do where there are bars alone; what is here says when.

use std::collections::BTreeMap;

use nt_core::{BarClose, BarOpen, Bars, Error, Nanos, Price, Reason, Result, State};
use serde::{Deserialize, Serialize};

use super::known::Standing;
use super::{Command, Next, Placed, Replay, Turn};
use crate::engine::trail_level;
use crate::latency::Latency;
use crate::request::{Request, Size};
use crate::source::Source;
use crate::venue::{Depth, Resting};

/// Where the bars of the run stand.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct OfBars {
    /// The instruments, ascending.
    ranks: Vec<usize>,
    /// Which source has the bars of each, once that is known.
    #[serde(skip)]
    sources: Vec<usize>,
    /// Of each the next bar at the venue, and whether it has opened.
    cursors: Vec<(usize, bool)>,
    /// Of each the next bar whose close arrives here.
    here: Vec<usize>,
    known_marks: Vec<Price>,
    /// When the moment is told of whose closes have arrived.
    moment_due: Option<Nanos>,
    /// The close moment that has not ended.
    open_moment_ns: Option<Nanos>,
    is_wanted: bool,
    /// Commands are obeyed when they are given, and what they do is known here then.
    at_once: bool,
    /// What was asked for by orders on their way: what they come to is found where they arrive.
    requests: BTreeMap<u32, Request>,
    #[serde(skip)]
    openings: Vec<BarOpen>,
    /// Of the close moment that has not ended.
    closes: Vec<BarClose>,
}

impl OfBars {
    /// At the beginning of the bars of those instruments that have them.
    pub fn new(settings: &super::ReplaySettings, instruments: usize) -> Self {
        let ranks: Vec<usize> = (0..instruments).filter(|&rank| settings.rules_of(rank).depth == Depth::Bars).collect();
        let count = ranks.len();
        let answers_at_once = matches!(settings.latency, Latency::Constant { entry_ns: 0, response_ns: 0 });
        OfBars {
            ranks,
            cursors: vec![(0, false); count],
            here: vec![0; count],
            known_marks: vec![0; count],
            at_once: answers_at_once && settings.feed_ns.unwrap_or(0) == 0,
            ..OfBars::default()
        }
    }

    pub fn is_empty(&self) -> bool {
        self.ranks.is_empty()
    }

    /// Whether an order is on its way to be looked at when it arrives.
    pub fn expects(&self, id: u32) -> bool {
        self.requests.contains_key(&id)
    }

    fn place(&self, rank: usize) -> Option<usize> {
        self.ranks.binary_search(&rank).ok()
    }

    fn bars<'a>(&self, sources: &[Source<'a>], at: usize) -> Option<Bars<'a>> {
        sources.get(*self.sources.get(at)?)?.bars().map(|(_, bars)| bars)
    }

    /// Whether this may be the state of another one of the same settings, of bars in these sources and so many orders.
    pub fn continues(&self, of: &Self, sources: &[Source<'_>], instruments: usize, orders: usize) -> bool {
        let own: Vec<_> = of
            .ranks
            .iter()
            .filter_map(|rank| sources.iter().filter_map(Source::bars).find(|(k, _)| k == rank))
            .collect();
        let within =
            |(&at, (_, bars)): (&usize, &(usize, Bars<'_>))| at >= bars.first && at - bars.first <= bars.close_ns.len();
        let at_venue: Vec<_> = self.cursors.iter().map(|&(at, _)| at).collect();
        self.ranks == of.ranks
            && self.at_once == of.at_once
            && own.len() == of.ranks.len()
            && [at_venue.len(), self.here.len(), self.known_marks.len()].iter().all(|&length| length == of.ranks.len())
            && at_venue.iter().zip(&own).all(within)
            && self.here.iter().zip(&own).all(within)
            && self.closes.iter().all(|close| close.instrument < instruments)
            && self
                .requests
                .iter()
                .all(|(&id, request)| (1..=orders).contains(&(id as usize)) && request.instrument < instruments)
    }

    /// Looks up which source has whose bars.
    fn find(&mut self, sources: &[Source<'_>]) {
        if self.sources.len() != self.ranks.len() {
            let of = |&rank: &usize| sources.iter().position(|source| source.bars().is_some_and(|(k, _)| k == rank));
            self.sources = self.ranks.iter().filter_map(of).collect();
        }
    }
}

impl Replay {
    /// Asks for bars, and for the moments at which they close.
    pub fn want_bars(&mut self) {
        self.bars.is_wanted = true;
    }

    /// The last price of an instrument of bars that is known here, 0 before there is any.
    pub fn mark(&self, instrument: usize) -> Price {
        match self.bars.place(instrument) {
            Some(at) if !self.bars.at_once => self.bars.known_marks[at],
            _ => self.engine.mark(instrument),
        }
    }

    /// How many bars of an instrument have closed as far as is known here.
    pub fn bars_known(&self, instrument: usize) -> usize {
        self.bars.place(instrument).map_or(0, |at| self.bars.here[at])
    }

    /// Whether an instrument comes as bars.
    pub fn is_of_bars(&self, instrument: usize) -> bool {
        self.bars.place(instrument).is_some()
    }

    /// Whether what fills of an instrument is known here as it does.
    pub(super) fn knows_at_once(&self, instrument: usize) -> bool {
        self.bars.at_once && self.is_of_bars(instrument)
    }

    /// Whose commands and answers keep an order among themselves: all instruments of bars are one.
    pub(super) fn line_of(&self, instrument: usize) -> usize {
        if self.is_of_bars(instrument) { self.bars.ranks[0] } else { instrument }
    }

    /// What happens next of bars: when, and what.
    pub(super) fn next_of_bars(&mut self, sources: &[Source<'_>]) -> Option<(Nanos, Next, usize)> {
        self.bars.find(sources);
        let (of_bars, feed_ns) = (&self.bars, self.settings.feed_ns.unwrap_or(0));
        let at_venue = (0..of_bars.sources.len()).filter_map(|at| {
            let (bars, (index, is_open)) = (of_bars.bars(sources, at)?, of_bars.cursors[at]);
            let (column, next) = if is_open { (bars.close_ns, Next::Close) } else { (bars.open_ns, Next::Opening) };
            column.get(index - bars.first).map(|&time_ns| (time_ns, next, 0))
        });
        let here = (0..of_bars.sources.len()).filter_map(|at| {
            let bars = of_bars.bars(sources, at)?;
            let close_ns = *bars.close_ns.get(of_bars.here[at] - bars.first)?;
            Some((close_ns.saturating_add(feed_ns), Next::Bar, at))
        });
        let due = of_bars.moment_due.map(|time_ns| (time_ns, Next::Moment, 0));
        let end = of_bars.open_moment_ns.map(|time_ns| (time_ns, Next::EndOfMoment, 0));
        at_venue.min().into_iter().chain(here.min()).chain(due).chain(end).min()
    }

    /// All closes of one time at the venue.
    pub(super) fn close_bars(&mut self, sources: &[Source<'_>], time_ns: Nanos) -> Result<()> {
        let of_bars = &mut self.bars;
        of_bars.closes.clear();
        for at in 0..of_bars.sources.len() {
            let (Some(bars), (index, true)) = (of_bars.bars(sources, at), of_bars.cursors[at]) else { continue };
            if bars.close_ns.get(index - bars.first) == Some(&time_ns) {
                of_bars.closes.push(bars.closing(of_bars.ranks[at], index));
                of_bars.cursors[at] = (index + 1, false);
            }
        }
        of_bars.open_moment_ns = Some(time_ns);
        self.engine.close_moment(time_ns, &self.bars.closes)?;
        self.begin_interval(time_ns);
        self.after_bars(time_ns)
    }

    /// All openings of one time at the venue.
    pub(super) fn open_bars(&mut self, sources: &[Source<'_>], time_ns: Nanos) -> Result<()> {
        let of_bars = &mut self.bars;
        of_bars.openings.clear();
        for at in 0..of_bars.sources.len() {
            let (Some(bars), (index, false)) = (of_bars.bars(sources, at), of_bars.cursors[at]) else { continue };
            if bars.open_ns.get(index - bars.first) == Some(&time_ns) {
                of_bars.openings.push(bars.opening(of_bars.ranks[at], index));
                of_bars.cursors[at].1 = true;
            }
        }
        self.engine.open_moment(time_ns, &self.bars.openings)?;
        self.after_bars(time_ns)
    }

    /// What follows on the turns at a close moment: the closing match, and a sample where they are taken at closes.
    pub(super) fn end_moment(&mut self, time_ns: Nanos) -> Result<()> {
        self.bars.open_moment_ns = None;
        self.engine.now_ns = time_ns;
        if self.engine.config.fill_at_close {
            self.engine.closing_match(time_ns, &self.bars.closes)?;
            self.after_bars(time_ns)?;
        }
        if self.settings.sample_at_closes { self.sample(time_ns) } else { Ok(()) }
    }

    fn after_bars(&mut self, time_ns: Nanos) -> Result<()> {
        // Ruin and liquidation end orders without the venues.
        if self.engine.halted || !self.engine.liquidations().is_empty() {
            for venue in &mut self.venues {
                venue.forget_ended(&self.engine);
            }
        }
        self.settle(time_ns).map(drop)
    }

    /// A close arrives here.
    pub(super) fn bar_here(&mut self, sources: &[Source<'_>], time_ns: Nanos, at: usize) -> Option<Turn> {
        let of_bars = &mut self.bars;
        let (bars, instrument, index) = (of_bars.bars(sources, at)?, of_bars.ranks[at], of_bars.here[at]);
        of_bars.here[at] += 1;
        of_bars.known_marks[at] = bars.close[index - bars.first];
        of_bars.moment_due = Some(time_ns);
        let is_wanted = of_bars.is_wanted;
        self.set_now(time_ns);
        is_wanted.then_some(Turn::Bar { instrument, index })
    }

    /// All closes of a time have arrived here.
    pub(super) fn moment_here(&mut self, time_ns: Nanos) -> Option<Turn> {
        self.bars.moment_due = None;
        self.set_now(time_ns);
        self.bars.is_wanted.then_some(Turn::Moment(time_ns))
    }

    /// When the last close arrives here.
    pub(super) fn last_close_here_ns(&self, sources: &[Source<'_>]) -> Nanos {
        let closes = sources.iter().filter_map(|source| source.bars()?.1.close_ns.last());
        closes.max().map_or(0, |&time_ns| time_ns.saturating_add(self.settings.feed_ns.unwrap_or(0)))
    }

    /// Sends an order for an instrument of bars, or enters it at once where nothing takes time.
    pub(super) fn submit_to_bars(&mut self, request: &Request, terms: Resting, reduce_only: bool) -> Result<u32> {
        self.engine.check_bar_request(request)?;
        if terms != Resting::default() || reduce_only {
            return Err(Error::Misuse(
                "post-only, reduce-only and a displayed part are for books; bars have none".into(),
            ));
        }
        if self.bars.at_once {
            self.engine.now_ns = self.now_ns;
            let id = self.engine.submit(request)?;
            if id != 0 {
                self.placed.push(Placed::with(terms));
                if self.engine.order(id).is_working() {
                    self.engine.accept(id);
                }
            }
            self.settle(self.now_ns)?;
            return Ok(if id == 0 { 0 } else { self.known.order(id, Standing::of(&self.engine, id)) });
        }
        let id = self.engine.next_id()?;
        let lots = if let Size::Quantity(lots) = request.size { lots.max(0) } else { 0 };
        let mut order = self.engine.order_of(id, request, request.side, lots);
        order.submit_ns = self.now_ns;
        order.state = State::Sent;
        self.engine.orders.push(order);
        self.placed.push(Placed::with(terms));
        self.bars.requests.insert(id, *request);
        let number = self.known.order(id, Standing::of(&self.engine, id));
        self.send(request.instrument, Command::New(id));
        Ok(number)
    }

    /// Cancels an order of bars where that takes no time; says whether it did.
    pub(super) fn cancel_at_once(&mut self, instrument: usize, id: u32) -> Result<bool> {
        if !self.knows_at_once(instrument) {
            return Ok(false);
        }
        self.engine.now_ns = self.now_ns;
        self.venues[instrument].cancel(&mut self.engine, id);
        self.settle(self.now_ns)?;
        Ok(true)
    }

    /// An order for bars arrives: it becomes what its request comes to now.
    pub(super) fn arrive_at_bars(&mut self, id: u32) -> Result<()> {
        let Some(request) = self.bars.requests.remove(&id) else { return Ok(()) };
        let judged = self.engine.judge(&request)?;
        let k = request.instrument;
        let (position, live_bar, mark) = (self.engine.position(k), self.engine.markets[k].opened, self.engine.mark(k));
        let order = self.engine.order_mut(id);
        let (side, quantity, refusal) = judged.unwrap_or((request.side, 0, Some(Reason::Reached)));
        (order.side, order.quantity) = (side, quantity);
        if let Some(reason) = refusal {
            let state = if reason == Reason::Reached { State::Cancelled } else { State::Rejected };
            self.engine.end_order(id, state, reason);
            return Ok(());
        }
        order.target = request.size.is_target().then(|| position + side.sign() * quantity);
        order.live_bar = live_bar;
        if let Some(trail) = order.trail {
            order.water = mark;
            order.stop = trail_level(side, mark, trail)?;
        }
        self.engine.accept(id);
        Ok(())
    }
}
