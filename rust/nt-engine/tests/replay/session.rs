//! A session: recorded sources, settings and a plan; how it is played, what comes of it, and how a law is tried on many.

use std::cell::Cell;
use std::fmt;

use nt_core::record::EventKind;
use nt_core::{Error, Fill, Instrument, Money, Order, PPB, Price, Reason, Record, Side, State, Step};
use nt_engine::ledger::Posting;
use nt_engine::{
    Config, Depth, Latency, Notice, QueueModel, Replay, ReplaySettings, RoundTrip, SelfTrade, Source, Turn, VenueRules,
};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config as ProptestConfig, FileFailurePersistence, TestCaseError, TestRunner};

use super::draw::Draw;
use super::market::{BASE, START_NS, Tape};
use super::plan::{Action, Call, plan_of};

/// Sessions on which each law is tried, where `NT_LAW_CASES` does not say.
const CASES: u32 = 5_000;
const REGRESSIONS: &str = "tests/replay_laws.proptest-regressions";
/// More money than any order needs.
const AMPLE: Money = 10_i128.pow(30);
const SYMBOLS: [&str; 4] = ["A", "B", "C", "D"];

/// Which orders a plan has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Orders {
    #[default]
    All,
    /// Neither exits nor cancellations nor changes.
    Unchanging,
    /// Limit orders that are good till cancelled, and cancellations.
    Limits,
}

/// What sessions a law is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shape {
    /// Books of one kind only.
    pub depth: Option<Depth>,
    /// Neither snapshots nor faults, and the aggressor of every trade is told.
    pub plain: bool,
    /// Every record has a time of its own, and commands arrive between them.
    pub apart: bool,
    /// Aggressors fill whoever came first, which is printed and then said of the book, and all trades are. In books of
    /// levels nobody cancels.
    pub faithful: bool,
    /// Margin limits nothing.
    pub ample: bool,
    /// No fees.
    pub free: bool,
    pub orders: Orders,
    /// Replies to what it is told with orders at the prices that it sees.
    pub replies: bool,
}

#[derive(Clone)]
pub struct Session {
    pub instruments: Vec<Instrument>,
    /// Records and the rank of each numbered instrument.
    pub sources: Vec<(Vec<Record>, Vec<i16>)>,
    pub config: Config,
    pub settings: ReplaySettings,
    pub plan: Vec<Action>,
    /// After so many turns there is a reply, and then again.
    pub reply_after: Option<usize>,
    pub wants: Vec<EventKind>,
    /// A timer that looks, and does nothing.
    pub look_ns: Option<i64>,
    /// For what a law chooses itself.
    pub spare: u64,
}

/// What came of a session.
pub struct Played {
    pub replay: Replay,
    /// Turns, and when they were.
    pub told: Vec<(Turn, i64)>,
    /// The orders of the plan's actions, 0 where there is none.
    pub ids: Vec<u32>,
    pub error: Option<Error>,
}

/// An order and what the replay keeps of it, in a form that can be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRow {
    pub parent: u32,
    pub instrument: u32,
    pub side: Side,
    pub state: State,
    pub reason: Reason,
    pub triggered: bool,
    pub quantities: [i64; 3],
    pub limit: Price,
    pub stop: Price,
    pub submit_ns: i64,
    pub accept_ns: Option<i64>,
    pub end_ns: Option<i64>,
    pub queue_ahead: Option<f64>,
}

/// All that the law of a change compares.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub told: Vec<(Turn, i64)>,
    pub orders: Vec<OrderRow>,
    pub fills: Vec<Fill>,
    pub postings: Vec<Posting>,
    pub samples: Vec<(i64, Money)>,
}

/// Tries a law on many sessions. It returns how often it had something to say, which must not be seldom.
pub fn holds(shape: Shape, law: impl Fn(Session) -> Result<usize, TestCaseError>) {
    holds_of_every(1, shape, law);
}

/// The same for a law that costs more: on so many times fewer sessions.
pub fn holds_of_every(fewer: u32, shape: Shape, law: impl Fn(Session) -> Result<usize, TestCaseError>) {
    let cases = std::env::var("NT_LAW_CASES").map_or(CASES, |cases| cases.parse().expect("a number of cases"));
    let cases = cases.div_ceil(fewer);
    let failure_persistence = Some(Box::new(FileFailurePersistence::Direct(REGRESSIONS)) as Box<_>);
    let config = ProptestConfig { cases, failure_persistence, max_shrink_iters: 20_000, ..ProptestConfig::default() };
    // Books reserve megabytes. The allocator of Linux gives nothing back of up to twice as much as was freed at once.
    drop(std::hint::black_box(vec![0_u8; 24 << 20]));
    let said = Cell::new(0);
    let tried = TestRunner::new(config).run(&sessions(shape), |session| {
        said.set(said.get() + law(session)?);
        Ok(())
    });
    if let Err(broken) = tried {
        panic!("{broken}");
    }
    // Of few sessions, none may have it.
    assert!(
        cases < 1_000 || said.get() >= cases as usize / 5,
        "the law had something to say {} times only",
        said.get()
    );
}

fn sessions(shape: Shape) -> impl Strategy<Value = Session> {
    let numbers = [any::<u64>(), any::<u64>(), any::<u64>()];
    (numbers, vec(any::<u64>(), 12..30), vec(any::<u64>(), 5..16))
        .prop_map(move |(numbers, steps, orders)| session_of(shape, numbers, &steps, &orders))
}

fn session_of(shape: Shape, [market, rules, spare]: [u64; 3], steps: &[u64], orders: &[u64]) -> Session {
    let (mut market, mut rules) = (Draw(market), Draw(rules));
    let depth =
        shape.depth.unwrap_or_else(|| market.pick(&[Depth::Levels, Depth::Quotes, Depth::Levels, Depth::Orders]));
    let count = market.pick(&[1, 1, 1, 2, 3]);
    let (tick, lot) = market.pick(&[((1, 0), (1, 0)), ((5, 1), (25, 3)), ((1, 9), (1, 9))]);
    let step = |(mantissa, decimals)| Step::new(mantissa, decimals).expect("a step");
    let instrument = |k: usize| Instrument::new(SYMBOLS[k].into(), step(tick), step(lot)).expect("an instrument");
    let instruments: Vec<_> = (0..count).map(instrument).collect();
    let mut tape = Tape::new(shape, depth, count, &mut market);
    // A number that has shrunk to nothing stands for nothing.
    let is_something = |number: &&u64| **number > 0;
    steps.iter().filter(is_something).for_each(|&number| tape.step(Draw(number)));
    let orders: Vec<_> = orders.iter().filter(is_something).copied().collect();
    let span_ns = tape.now_ns - START_NS;
    let ranks: Vec<i16> = (0..count as i16).collect();
    let unit = instruments[0].contract.unit;
    Session {
        sources: tape.into_sources().into_iter().map(|records| (records, ranks.clone())).collect(),
        config: config(shape, unit, &mut rules),
        settings: settings(shape, depth, span_ns, &mut rules),
        plan: plan_of(&orders, shape, count, span_ns),
        reply_after: (shape.replies && rules.one_in(2)).then(|| 1 + rules.below(5) as usize),
        wants: if shape.replies && rules.one_in(2) { vec![EventKind::Trade, EventKind::Level] } else { Vec::new() },
        look_ns: None,
        spare,
        instruments,
    }
}

fn config(shape: Shape, unit: i128, draw: &mut Draw) -> Config {
    let cash = draw.pick(&[1_000_000, 100, 20, 3]) * i128::from(BASE) * unit;
    let leverage = draw.pick(&[PPB, 3 * PPB, PPB / 2]);
    let fees = draw.pick(&[(0, 0, 0), (200_000, 500_000, 0), (0, 33_333_333, unit), (12_345_678, 0, 7)]);
    let (maker_fee, taker_fee, fixed_fee) = if shape.free { (0, 0, 0) } else { fees };
    let (cash, leverage) = if shape.ample { (AMPLE, 1_000 * PPB) } else { (cash, leverage) };
    Config { cash, leverage, maker_fee, taker_fee, fixed_fee, ..Config::default() }
}

fn settings(shape: Shape, depth: Depth, span_ns: i64, draw: &mut Draw) -> ReplaySettings {
    use QueueModel::{Front, Log, Log2, Power, Power2, Power3, RiskAverse};
    let queues = [RiskAverse, Front, Power(1), Power(5), Power2(2), Power3(3), Log, Log2];
    let trades = draw.pick(&[EventKind::Trade, EventKind::Trade, EventKind::AggregateTrade]);
    let policies = [SelfTrade::CancelNewest, SelfTrade::CancelOldest, SelfTrade::CancelBoth, SelfTrade::Off];
    let (entry_ns, response_ns) = (draw.pick(&[0, 0, 10, 70]), draw.pick(&[0, 10, 1, 70]));
    let latency = match draw.below(4) {
        3 if !shape.apart => recorded(span_ns, draw),
        _ => Latency::constant(entry_ns, response_ns).expect("latencies"),
    };
    ReplaySettings {
        latency,
        feed_ns: draw.pick(&[None, None, Some(0), Some(50)]),
        records: Vec::new(),
        sample_at_closes: false,
        venue: VenueRules {
            depth,
            trades: if shape.faithful { EventKind::Trade } else { trades },
            queue: draw.pick(&queues),
            whole: draw.one_in(5),
            self_trade: draw.pick(&policies),
            impact: None,
        },
        views: Vec::new(),
        by_bars: false,
        sample_ns: draw.pick(&[100, 10, 7, 100_000]),
        like_hftbacktest: false,
    }
}

/// Round trips along the session, of which the venue refuses some.
fn recorded(span_ns: i64, draw: &mut Draw) -> Latency {
    let refused_every = draw.pick(&[100, 4]);
    let row = |at: i64| {
        let sent_ns = START_NS - 10 + at * (span_ns / 8 + 21);
        let venue_ns = if at % refused_every == 3 { 0 } else { sent_ns + at * 7 % 20 };
        RoundTrip { sent_ns, venue_ns, back_ns: sent_ns + 20 + at * 13 % 50 }
    };
    Latency::recorded((0..10).map(row).collect()).expect("rows in order")
}

/// A session as it is best read: a line per record and per action, with times since the beginning.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}\n{:?}", self.config, self.settings)?;
        for (at, (records, ranks)) in self.sources.iter().enumerate() {
            writeln!(f, "source {at} of {ranks:?}: venue, receipt, kind, instrument, price, quantity, flags, number")?;
            for record in records {
                let kind = EventKind::of_number(record.kind).map_or("?".into(), |kind| format!("{kind:?}"));
                let [venue_ns, our_ns] = [record.ts_event_ns, record.ts_recv_ns].map(|time_ns| time_ns - START_NS);
                let Record { instrument, price, quantity, flags, id, .. } = record;
                writeln!(f, "  {venue_ns} {our_ns} {kind} {instrument} {price} {quantity} {flags} {id}")?;
            }
        }
        for (at, action) in self.plan.iter().enumerate() {
            writeln!(f, "  {at}: at {} {:?}", action.time_ns - START_NS, action.call)?;
        }
        write!(f, "replies {:?}, wants {:?}, spare {}", self.reply_after, self.wants, self.spare)
    }
}

impl Session {
    /// A session of one instrument and one source, with nothing planned.
    pub fn of_records(records: Vec<Record>) -> Self {
        let step = Step::new(1, 0).expect("a step");
        Session {
            instruments: vec![Instrument::new("A".into(), step, step).expect("an instrument")],
            sources: vec![(records, vec![0])],
            config: Config { cash: AMPLE, ..Config::default() },
            settings: ReplaySettings::default(),
            plan: Vec::new(),
            reply_after: None,
            wants: Vec::new(),
            look_ns: None,
            spare: 0,
        }
    }

    pub fn play(&self) -> Played {
        self.watch(|_, _, _| {})
    }

    /// Plays the session to its end, and lets somebody look at each turn before it is taken.
    pub fn watch(&self, mut look: impl FnMut(&mut Replay, &[Source<'_>], Turn)) -> Played {
        let words: Vec<Vec<_>> =
            self.sources.iter().map(|(records, _)| records.iter().map(Record::to_words).collect()).collect();
        let sources: Vec<_> =
            words.iter().zip(&self.sources).map(|(words, (_, ranks))| Source::new(words, ranks)).collect();
        let replay = Replay::new(self.config, self.instruments.clone(), sources.len(), self.settings.clone());
        let replay = replay.expect("settings that make sense");
        let mut played = Played { replay, told: Vec::new(), ids: Vec::new(), error: None };
        self.wants.iter().for_each(|&kind| played.replay.want(kind));
        let mut times: Vec<_> = self.plan.iter().map(|action| action.time_ns).collect();
        times.dedup();
        times.extend(self.look_ns);
        times.iter().for_each(|&time_ns| played.replay.set_timer(time_ns));
        loop {
            let turn = match played.replay.advance(&sources) {
                Ok(Some(turn)) => turn,
                Ok(None) if played.replay.is_over() => return played,
                Ok(None) => {
                    // Somebody made it pause.
                    played.replay = self.resumed(&played.replay, &sources);
                    continue;
                }
                Err(error) => return Played { error: Some(error), ..played },
            };
            look(&mut played.replay, &sources, turn);
            played.told.push((at_venue(&played.replay, turn), played.replay.now_ns()));
            if let Err(error) = self.take_turn(&mut played, &sources, turn) {
                return Played { error: Some(error), ..played };
            }
        }
    }

    /// A new replay of the session that goes on where another one is.
    pub fn resumed(&self, replay: &Replay, sources: &[Source<'_>]) -> Replay {
        let saved = replay.save().expect("a state");
        let new = Replay::new(self.config, self.instruments.clone(), sources.len(), self.settings.clone());
        let mut new = new.expect("settings that make sense");
        new.restore(&saved, sources).expect("the state of this session");
        assert!(new.save().expect("a state") == saved, "what was read is not what was written");
        new
    }

    fn take_turn(&self, played: &mut Played, sources: &[Source<'_>], turn: Turn) -> nt_core::Result<()> {
        let replay = &mut played.replay;
        if self.reply_after.is_some_and(|turns| played.told.len().is_multiple_of(turns))
            && replay.engine().orders().len() < 30
        {
            let side = if played.told.len() % 4 < 2 { Side::Buy } else { Side::Sell };
            if let Some(best) = replay.best(sources, 0, side)? {
                replay.submit(&Replay::limit(0, side, best.price, 2), Default::default(), false)?;
            }
        }
        let Turn::Timer(time_ns) = turn else { return Ok(()) };
        while let Some(action) = self.plan.get(played.ids.len()).filter(|action| action.time_ns <= time_ns) {
            let id_of = |action: &usize| played.ids[*action];
            let id = match &action.call {
                Call::Submit { request, terms, reduce_only } => replay.submit(request, *terms, *reduce_only)?,
                Call::Cancel(action) | Call::Amend { action, .. } if id_of(action) == 0 => 0,
                Call::Cancel(action) => replay.cancel(id_of(action)).map(|()| 0)?,
                Call::Amend { action, limit, quantity } => {
                    replay.amend(id_of(action), *limit, *quantity).map(|()| 0)?
                }
            };
            played.ids.push(id);
        }
        Ok(())
    }

    /// The session with each record changed.
    pub fn with_records(mut self, change: impl Fn(&mut Record)) -> Self {
        self.sources.iter_mut().flat_map(|(records, _)| records).for_each(change);
        self
    }

    /// Whether the plan asks for a change of an order.
    pub fn may_change(&self, played: &Played, id: u32) -> bool {
        let Some(number) = played.replay.number_of(id) else { return false };
        let is_of_order = |action: &usize| played.ids.get(*action) == Some(&number);
        self.plan.iter().any(|action| matches!(&action.call, Call::Amend { action, .. } if is_of_order(action)))
    }

    /// All records of a session whose records have times of their own, as they happen.
    pub fn in_order(&self) -> Vec<Record> {
        let mut all: Vec<_> = self.sources.iter().flat_map(|(records, _)| records).copied().collect();
        all.sort_by_key(|record| record.ts_event_ns);
        all
    }
}

impl Played {
    /// A session that is no more than odd is played to its end.
    pub fn unbroken(self) -> Result<Self, TestCaseError> {
        match &self.error {
            None => Ok(self),
            Some(error) => Err(TestCaseError::fail(format!("the session ended with an error: {error}"))),
        }
    }

    pub fn orders(&self) -> &[Order] {
        self.replay.engine().orders()
    }

    pub fn fills(&self) -> &[Fill] {
        self.replay.engine().fills()
    }

    pub fn rows(&self) -> Vec<OrderRow> {
        rows_of(&self.replay)
    }

    pub fn samples(&self) -> Vec<(i64, Money)> {
        let samples = self.replay.engine().samples();
        let amounts = samples.amounts(&[], |amount| amount).expect("amounts in range");
        samples.times(&[]).iter().copied().zip(amounts).collect()
    }

    pub fn outcome(&self) -> Outcome {
        Outcome {
            told: self.told.clone(),
            orders: self.rows(),
            fills: self.fills().to_vec(),
            postings: self.replay.engine().ledger().postings().collect(),
            samples: self.samples(),
        }
    }

    /// The action of the plan that an order, or the entry that it protects, is of.
    pub fn action_of(&self, id: u32) -> Option<usize> {
        let order = self.orders().get((id as usize).checked_sub(1)?)?;
        let entry = if order.parent == 0 { id } else { order.parent };
        self.ids.iter().position(|&of_plan| of_plan == entry)
    }
}

pub fn rows_of(replay: &Replay) -> Vec<OrderRow> {
    let row = |(order, placed): (&Order, &nt_engine::Placed)| OrderRow {
        parent: order.parent,
        instrument: order.instrument,
        side: order.side,
        state: order.state,
        reason: order.reason,
        triggered: order.triggered,
        quantities: [order.quantity, order.filled, order.cancelled],
        limit: order.limit,
        stop: order.stop,
        submit_ns: order.submit_ns,
        accept_ns: placed.accept_ns,
        end_ns: placed.end_ns,
        queue_ahead: placed.queue_ahead,
    };
    replay.engine().orders().iter().zip(replay.placed()).map(row).collect()
}

/// A turn with the venue's numbers in place of those known here.
fn at_venue(replay: &Replay, turn: Turn) -> Turn {
    let Turn::Answer(notice) = turn else { return turn };
    let id = |number| replay.known_order(number).map_or(0, |order| order.id);
    Turn::Answer(match notice {
        Notice::Fill(number) => Notice::Fill(replay.known_fills()[number]),
        Notice::OrderEnded(number) => Notice::OrderEnded(id(number)),
        Notice::Accepted(number) => Notice::Accepted(id(number)),
        Notice::Amended(number) => Notice::Amended(id(number)),
        Notice::Refused(number) => Notice::Refused(id(number)),
        Notice::Triggered(number) => Notice::Triggered(id(number)),
    })
}
