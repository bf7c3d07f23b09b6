//! Recorded books and trades against a strategy's orders, on one time line with two clocks (docs/book-rules.md).
//!
//! A replay is pulled, as the player of bars is: `advance` runs it to the strategy's next turn. Nothing reads ahead of
//! that turn: our view of a book is made of the records that have arrived by then, when it is first looked at.

mod bars;
mod batches;
mod known;
mod noting;
mod saving;
mod sending;
mod settings;
mod tape;
mod timeline;
mod turn;
mod venues;
mod view;
mod wants;

use std::collections::VecDeque;

use nt_core::money::{add, subtract};
use nt_core::{Error, Fill, Instrument, Money, Nanos, Price, Quantity, Result, Side, State};
use serde::{Deserialize, Serialize};

use crate::account::AccountTerms;
use crate::config::Config;
use crate::engine::{Engine, Notice};
use crate::journal::{Frame, Kind as FrameKind};
use crate::like_hftbacktest;
use crate::pause::Pause;
use crate::source::{Cursor, Source};
use crate::venue::Resting;
use bars::OfBars;
use batches::Batches;
pub use known::Standing;
use known::{Answer, Known};
use noting::Notes;
use saving::Reached;
pub use settings::ReplaySettings;
use tape::Tape;
pub use tape::{MEASURES, SeenRange};
pub use turn::Turn;
use venues::Venue;
use view::View;
use wants::Wants;

/// What a strategy sends to a venue.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Command {
    New(u32),
    Cancel(u32),
    Amend { id: u32, limit: Price, quantity: Quantity },
}

/// The connection to one instrument's venue: both directions keep their order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Line {
    commands: VecDeque<(Nanos, Command)>,
    /// By bars, those that wait until their venue listens.
    unheard: VecDeque<(Nanos, Command)>,
    answers: VecDeque<(Nanos, Answer)>,
    last_command_ns: Nanos,
    last_answer_ns: Nanos,
}

/// What is kept of an order beside what the engine keeps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// What a limit order asked for.
    pub terms: Resting,
    /// When the venue took it, if it did.
    pub accept_ns: Option<Nanos>,
    /// When the venue had done with it, if it has.
    pub end_ns: Option<Nanos>,
    /// What stood before it when it came to rest, an estimate in lots; nothing where nobody knew.
    pub queue_ahead: Option<f64>,
}

impl Placed {
    fn with(terms: Resting) -> Self {
        Placed { terms, accept_ns: None, end_ns: None, queue_ahead: None }
    }
}

/// What happens next, in the order of section 2; records at their venue come before all of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Close,
    Expiry,
    Command,
    Sample,
    Answer,
    Record,
    Bar,
    Moment,
    Timer,
    EndOfMoment,
    Accrual,
    Opening,
}

/// More answers and timers than this at one time mean that a strategy answers itself without end.
const TURNS_PER_MOMENT_MAX: u32 = 10_000;
const NEVER: Nanos = Nanos::MAX;

/// Up to where the records have arrived here: those before a time, and those of that time up to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Arrived {
    time_ns: Nanos,
    source: usize,
    index: usize,
}

/// A replay: the account, the venues, and what is on its way between them and us.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Replay {
    engine: Engine,
    settings: ReplaySettings,
    venues: Vec<Venue>,
    lines: Vec<Line>,
    placed: Vec<Placed>,
    /// Orders up to here have been looked at for exits that came to exist.
    orders_seen: usize,
    timers: VecDeque<(Nanos, u64)>,
    timers_set: u64,
    at_venue: Vec<Cursor>,
    /// Where the next record that is wanted is looked for.
    wanted: Vec<Cursor>,
    wants: Wants,
    seen: Vec<Cursor>,
    arrived: Arrived,
    views: Vec<View>,
    now_ns: Nanos,
    turns_now: u32,
    /// Turns that the strategy has had.
    turns: u64,
    /// Where it stops next; whoever resumes a run says so again.
    #[serde(skip)]
    pause: Pause,
    /// When what comes next happens, where it paused before that.
    #[serde(skip)]
    next_ns: Nanos,
    next_sample_ns: Nanos,
    last_sample_ns: Option<Nanos>,
    touches: Vec<[Price; 2]>,
    fill_touches: Vec<[Price; 2]>,
    known: Known,
    known_positions: Vec<Quantity>,
    /// Cash by currency.
    known_cash: Vec<Money>,
    /// What contracts were entered at.
    known_entries: Vec<Money>,
    /// Expenses beside fills that are known here.
    known_expenses: usize,
    finished: bool,
    end_ns: Nanos,
    bars: OfBars,
    batches: Option<Box<Batches>>,
    /// What happens at this time or later waits; whoever resumes a run says so again.
    #[serde(skip)]
    horizon_ns: Nanos,
    /// What a journal shall say, where one is kept; it has been said before a snapshot is taken.
    #[serde(skip)]
    notes: Option<Box<Notes>>,
    /// What memories compare moments by, where one is kept: by instrument, and otherwise empty. Such a run is not saved.
    #[serde(skip)]
    tapes: Vec<Tape>,
}

impl Replay {
    /// A replay over instruments in ascending order of their symbols, at the beginning of so many sources.
    pub fn new(config: Config, instruments: Vec<Instrument>, sources: usize, settings: ReplaySettings) -> Result<Self> {
        Self::with_account(config, instruments, sources, settings, None)
    }

    /// The same with an account that is more than one currency and spot instruments.
    pub fn with_account(
        config: Config,
        instruments: Vec<Instrument>,
        sources: usize,
        mut settings: ReplaySettings,
        account: Option<AccountTerms>,
    ) -> Result<Self> {
        let slips = config.slippage_ticks != 0 || config.slippage_rate != 0 || config.slippage_spread != 0;
        let bars = OfBars::new(&settings, instruments.len());
        let is_for_bars = slips || config.volume_cap.is_some() || config.fill_at_close || config.limit_through;
        if is_for_bars && bars.is_empty() {
            return Err(Error::Misuse(
                "slippage, a volume cap and fill rules are for bars; a replay has the book".into(),
            ));
        }
        if settings.sample_ns <= 0 || settings.feed_ns.is_some_and(|feed_ns| feed_ns < 0) {
            return Err(Error::Misuse("the sampling interval must be positive, and a latency not negative".into()));
        }
        if settings.like_hftbacktest {
            if account.is_some() || settings.by_bars || !settings.views.is_empty() {
                return Err(Error::Misuse(
                    "like hftbacktest knows one book, one currency and spot, and no bars".into(),
                ));
            }
            for rank in 0..instruments.len() {
                like_hftbacktest::check_rules(&settings.rules_of(rank))?;
            }
            settings.latency = settings.latency.like_hftbacktest();
        }
        let count = instruments.len();
        let is_one_each = |length: usize| length == 0 || length == count;
        if !is_one_each(settings.records.len()) || !is_one_each(settings.views.len()) {
            return Err(Error::Misuse("depth and trades are one for all instruments, or one for each".into()));
        }
        let engine = Engine::with_account(config, instruments, account)?;
        Ok(Replay {
            known_cash: engine.ledger.balances(),
            known_expenses: 0,
            known_entries: vec![0; count],
            engine,
            venues: (0..count).map(|rank| Venue::new(rank, &settings)).collect(),
            lines: vec![Line::default(); count],
            placed: Vec::new(),
            orders_seen: 0,
            timers: VecDeque::new(),
            timers_set: 0,
            at_venue: vec![Cursor::default(); sources],
            wanted: vec![Cursor::default(); sources],
            wants: Wants::new(count),
            seen: vec![Cursor::default(); sources],
            arrived: Arrived { time_ns: Nanos::MIN, source: 0, index: 0 },
            views: (0..count).map(|rank| View::new(rank, &settings)).collect(),
            settings,
            now_ns: 0,
            turns_now: 0,
            turns: 0,
            pause: Pause::default(),
            next_ns: 0,
            next_sample_ns: NEVER,
            last_sample_ns: None,
            touches: Vec::new(),
            fill_touches: Vec::new(),
            known: Known::default(),
            known_positions: vec![0; count],
            finished: false,
            end_ns: NEVER - 1,
            bars,
            batches: None,
            horizon_ns: NEVER,
            notes: None,
            tapes: Vec::new(),
        })
    }

    /// How many records have been played at their venues.
    pub fn played(&self) -> usize {
        self.at_venue.iter().map(|cursor| cursor.at).sum()
    }

    /// How many turns the strategy has had.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// Sets our time to the arrival of the first record, for what is done before it.
    pub fn begin(&mut self, sources: &[Source<'_>]) {
        let first = |source: &Source<'_>| match source.bars() {
            Some((_, bars)) => bars.open_ns.first().copied(),
            None => Some(Cursor::default().our_ns(&source.get(0)?, self.settings.feed_ns)),
        };
        self.now_ns = self.now_ns.max(sources.iter().filter_map(first).min().unwrap_or(0));
    }

    /// The account and its records, as they are at the venue: not for the eyes of a strategy.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What is kept of orders beside what the engine keeps; that of order `id` is at `id - 1`.
    pub fn placed(&self) -> &[Placed] {
        &self.placed
    }

    /// Best bid and ask at each sample, instrument by instrument, 0 where there was none.
    pub fn touches(&self) -> &[[Price; 2]] {
        &self.touches
    }

    /// Best bid and ask at the venue with each fill, once what brought it had been dealt with, 0 where there was none.
    pub fn fill_touches(&self) -> &[[Price; 2]] {
        &self.fill_touches
    }

    /// Our time.
    pub fn now_ns(&self) -> Nanos {
        self.now_ns
    }

    /// Lots held, as far as we have been told.
    pub fn position(&self, instrument: usize) -> Quantity {
        self.known_positions[instrument]
    }

    /// Cash, as far as we have been told.
    pub fn cash(&self) -> Money {
        self.known_cash[0]
    }

    /// Cash by currency, that of the account first, as far as we have been told.
    pub fn balances(&self) -> &[Money] {
        &self.known_cash
    }

    /// What the position of a contract was entered at, as far as we have been told.
    pub fn entry(&self, instrument: usize) -> Money {
        self.known_entries[instrument]
    }

    /// What stands before an order at its venue, in lots: an estimate, except in a book of single orders. Nothing where the
    /// order does not rest or nobody knows. It is news that has not arrived here yet.
    pub fn queue_ahead(&self, number: u32) -> Result<Option<f64>> {
        let id = self.known.id(number)?;
        let venue = &self.venues[self.engine.order(id).instrument as usize];
        Ok(venue.queue_ahead(self.engine.order(id).side, id))
    }

    /// Rings at a time, at once if that is past.
    pub fn set_timer(&mut self, time_ns: Nanos) {
        self.note_decision(|now_ns| Frame::of(FrameKind::SetTimer, [now_ns.into(), time_ns.into()]));
        self.add_timer(time_ns);
    }

    /// Makes what happens at a time or later wait, so that records can arrive in pieces: up to that time every record must
    /// be there. A run ends only once its horizon is `Nanos::MAX` again, as it is at first.
    pub fn set_horizon(&mut self, horizon_ns: Nanos) {
        self.horizon_ns = horizon_ns;
    }

    /// Runs to the strategy's next turn; `None` at the horizon, at the end, or where it is to pause.
    pub fn advance(&mut self, sources: &[Source<'_>]) -> Result<Option<Turn>> {
        self.forget_turn();
        if self.turns >= self.pause.turns {
            return Ok(None);
        }
        loop {
            let (time_ns, next, at) = self.next(sources);
            if time_ns > self.pause.time_ns && self.pause.time_ns < self.horizon_ns {
                match self.reach_pause(sources, time_ns)? {
                    Reached::Something => continue,
                    Reached::Pause => return Ok(None),
                    Reached::End => {}
                }
            }
            if self.play_records(sources, time_ns.min(self.horizon_ns.saturating_sub(1)))? {
                continue;
            }
            if self.horizon_ns != NEVER && time_ns >= self.horizon_ns {
                return Ok(None);
            }
            // What falls due at the very end is not part of the run.
            let end_ns = self.last_arrival_ns(sources);
            if (time_ns, next) >= (end_ns, Next::Accrual) {
                self.finish(sources)?;
                return Ok(None);
            }
            match next {
                Next::Expiry => self.expire(time_ns, at)?,
                Next::Command => self.arrive(time_ns, at)?,
                Next::Sample => self.sample(time_ns)?,
                Next::Answer => {
                    self.arrived = Arrived { time_ns, source: 0, index: 0 };
                    if let Some((_, answer)) = self.lines[at].answers.pop_front() {
                        return self.deliver(time_ns, answer).map(Some);
                    }
                }
                Next::Record if self.begin_batch(time_ns) => {}
                Next::Record => {
                    let cursor = &mut self.wanted[at];
                    let index = cursor.at;
                    if let Some(record) = sources[at].get(index) {
                        cursor.pass_here(&record, time_ns);
                    }
                    self.arrived = Arrived { time_ns, source: at, index: index + 1 };
                    self.set_now(time_ns);
                    self.turns += 1;
                    self.note_record(time_ns, at, index);
                    return Ok(Some(Turn::Record { source: at, index }));
                }
                Next::Timer => {
                    let timer = self.timers.pop_front();
                    self.arrived = Arrived { time_ns, source: usize::MAX, index: 0 };
                    self.count_turn(time_ns)?;
                    if let Some(turn) = timer.and_then(|(_, timer)| self.end_batch(sources, time_ns, timer)) {
                        return Ok(Some(turn));
                    }
                    self.note_timer(time_ns);
                    return Ok(Some(Turn::Timer(time_ns)));
                }
                Next::Close => self.close_bars(sources, time_ns)?,
                Next::EndOfMoment => self.end_moment(time_ns)?,
                Next::Accrual => self.accrue(time_ns)?,
                Next::Opening => self.open_bars(sources, time_ns)?,
                Next::Bar => {
                    self.arrived = Arrived { time_ns, source: usize::MAX, index: 0 };
                    if let Some(turn) = self.bar_here(sources, time_ns, at) {
                        self.turns += 1;
                        return Ok(Some(turn));
                    }
                }
                Next::Moment => {
                    if let Some(turn) = self.moment_here(time_ns) {
                        self.turns += 1;
                        return Ok(Some(turn));
                    }
                }
            }
        }
    }

    /// What falls due by a public timetable is known here at once.
    fn accrue(&mut self, time_ns: Nanos) -> Result<()> {
        self.engine.accrue(time_ns)?;
        for expense in &self.engine.ledger.expenses()[self.known_expenses..] {
            let cash = &mut self.known_cash[expense.currency as usize];
            *cash = subtract(*cash, expense.amount)?;
        }
        self.known_expenses = self.engine.ledger.expenses().len();
        Ok(())
    }

    fn expire(&mut self, time_ns: Nanos, k: usize) -> Result<()> {
        self.engine.now_ns = time_ns;
        self.venues[k].expire(&mut self.engine);
        self.settle(time_ns).map(drop)
    }

    fn arrive(&mut self, time_ns: Nanos, k: usize) -> Result<()> {
        let Some((_, command)) = self.lines[k].commands.pop_front() else { return Ok(()) };
        let (placed, by_bars) = (&self.placed, self.settings.by_bars);
        // At the one price of a bar nobody makes or takes.
        let terms_of = |id: u32| match placed[id as usize - 1].terms {
            terms if by_bars => Resting { post_only: false, ..terms },
            terms => terms,
        };
        self.engine.now_ns = time_ns;
        match command {
            Command::New(id) if self.bars.expects(id) => self.arrive_at_bars(id)?,
            Command::New(id) => self.venues[k].arrive(&mut self.engine, id, terms_of(id))?,
            Command::Cancel(id) => self.venues[k].cancel(&mut self.engine, id),
            Command::Amend { id, limit, quantity } => {
                self.venues[k].amend(&mut self.engine, id, limit, quantity, terms_of(id))?;
            }
        }
        self.settle(time_ns).map(drop)
    }

    /// Lets exits that came to exist arrive at their venue, and sends the answers to all that happened there on their way.
    fn settle(&mut self, time_ns: Nanos) -> Result<bool> {
        if self.engine.notices.is_empty() {
            return Ok(false);
        }
        while self.orders_seen < self.engine.orders.len() {
            self.orders_seen += 1;
            let id = self.orders_seen as u32;
            let order = self.engine.order(id);
            if order.parent == 0 {
                continue;
            }
            let k = order.instrument as usize;
            self.placed.push(Placed::with(Resting::default()));
            if order.is_working() {
                self.venues[k].arrive(&mut self.engine, id, Resting::default())?;
            }
            if self.knows_at_once(k) {
                self.known.order(id, Standing::of(&self.engine, id));
            }
        }
        let arrival_ns = time_ns.saturating_add(self.settings.latency.response_ns(time_ns));
        let notices = std::mem::take(&mut self.engine.notices);
        for &notice in &notices {
            let instrument = match notice {
                Notice::Fill(at) => {
                    let fill = &self.engine.fills[at];
                    if fill.order != 0 && self.engine.order(fill.order).state == State::Filled {
                        self.placed[fill.order as usize - 1].end_ns.get_or_insert(time_ns);
                    }
                    let instrument = fill.instrument;
                    let venue = &self.venues[instrument as usize];
                    self.fill_touches.push([Side::Buy, Side::Sell].map(|side| venue.best(side).unwrap_or(0)));
                    if self.knows_at_once(instrument as usize) {
                        self.know(at)?;
                    }
                    instrument
                }
                Notice::Accepted(id) => {
                    let order = self.engine.order(id);
                    let placed = &mut self.placed[id as usize - 1];
                    placed.accept_ns = Some(time_ns);
                    placed.queue_ahead = self.venues[order.instrument as usize].queue_ahead(order.side, id);
                    order.instrument
                }
                Notice::OrderEnded(id) => {
                    self.placed[id as usize - 1].end_ns = Some(time_ns);
                    self.engine.order(id).instrument
                }
                Notice::Amended(id) | Notice::Refused(id) | Notice::Triggered(id) => self.engine.order(id).instrument,
            };
            self.answer(instrument as usize, arrival_ns, Answer::of(&self.engine, notice));
        }
        self.engine.notices = notices;
        self.engine.notices.clear();
        Ok(true)
    }

    fn sample(&mut self, time_ns: Nanos) -> Result<()> {
        self.next_sample_ns = NEVER;
        self.last_sample_ns = Some(time_ns);
        self.engine.now_ns = time_ns;
        for venue in &self.venues {
            venue.read_mark(&mut self.engine)?;
            let price = |side| venue.best(side).unwrap_or(0);
            self.touches.push([price(Side::Buy), price(Side::Sell)]);
        }
        self.engine.ruin_check()?;
        // Ruin and liquidation end orders without the venues.
        if !self.engine.notices.is_empty() {
            for venue in &mut self.venues {
                venue.forget_ended(&self.engine);
            }
        }
        let equity = self.engine.equity()?;
        self.engine.samples.push(time_ns, equity);
        self.note_sample(time_ns, equity);
        self.engine.exposed_samples += u64::from(self.engine.held != 0);
        self.settle(time_ns).map(drop)
    }

    fn set_now(&mut self, time_ns: Nanos) {
        if time_ns != self.now_ns {
            self.now_ns = time_ns;
            self.turns_now = 0;
        }
    }

    /// Counts an answer or a timer: both may make a strategy ask for the next one.
    fn count_turn(&mut self, time_ns: Nanos) -> Result<()> {
        self.set_now(time_ns);
        self.turns += 1;
        self.turns_now += 1;
        if self.turns_now > TURNS_PER_MOMENT_MAX {
            return Err(Error::TurnLoop { time_ns });
        }
        Ok(())
    }

    fn deliver(&mut self, time_ns: Nanos, answer: Answer) -> Result<Turn> {
        self.count_turn(time_ns)?;
        if let Notice::Fill(at) = answer.notice
            && !self.knows_at_once(self.engine.fills[at].instrument as usize)
        {
            self.know(at)?;
        }
        let notice = self.known.hear(&answer);
        self.note_answer(time_ns, &answer);
        Ok(Turn::Answer(notice))
    }

    /// Takes a fill into what is known here.
    fn know(&mut self, at: usize) -> Result<()> {
        let Fill { instrument, side, quantity, .. } = self.engine.fills[at];
        let signed = side.sign() * quantity;
        let known = &mut self.known_positions[instrument as usize];
        *known = known.checked_add(signed).ok_or(Error::Overflow("a position"))?;
        let (currency, amount) = self.engine.ledger.cash_of_fill(at)?;
        self.known_cash[currency] = add(self.known_cash[currency], amount)?;
        let entry = &mut self.known_entries[instrument as usize];
        *entry = add(*entry, self.engine.ledger.entry_of_fill(at)?)?;
        Ok(())
    }

    fn finish(&mut self, sources: &[Source<'_>]) -> Result<()> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        let end_ns = self.last_arrival_ns(sources);
        if self.last_sample_ns.is_none_or(|last_ns| last_ns < end_ns) && end_ns > 0 {
            self.sample(end_ns)?;
        }
        self.engine.now_ns = end_ns;
        self.engine.finish()
    }
}
