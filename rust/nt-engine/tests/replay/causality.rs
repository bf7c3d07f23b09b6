//! Nothing happens before its cause: commands, answers, and what is not known yet.

use nt_core::record::{ASK, BID, EventKind};
use nt_core::{Fill, Price, Quantity, Record, Side};
use nt_engine::{Latency, Notice, QueueModel, Replay, Source, Turn};
use proptest::{prop_assert, prop_assert_eq};

use super::conservation::record;
use super::draw::Draw;
use super::market::{BASE, START_NS};
use super::plan::{Action, Call};
use super::session::{OrderRow, Session, Shape, holds, rows_of};

/// Law 5: an order is accepted once it can have arrived, fills once it is accepted, and is heard of once news can be here.
#[test]
fn commands_and_answers_take_their_time() {
    holds(Shape { replies: true, ..Shape::default() }, |mut session| {
        let mut draw = Draw(session.spare);
        let (entry_ns, response_ns) = (draw.between(0, 90), draw.between(0, 90));
        session.settings.latency = Latency::Constant { entry_ns, response_ns };
        let played = session.play().unbroken()?;
        let placed = played.replay.placed();
        for (order, placed) in played.orders().iter().zip(placed) {
            let earliest_ns = order.submit_ns + if order.parent == 0 { entry_ns } else { 0 };
            prop_assert!(placed.accept_ns.is_none_or(|accept_ns| accept_ns >= earliest_ns), "{order:?} {placed:?}");
        }
        for fill in played.fills().iter().filter(|fill| fill.order != 0) {
            let accept_ns = placed[fill.order as usize - 1].accept_ns;
            prop_assert!(accept_ns.is_some_and(|accept_ns| accept_ns <= fill.time_ns), "{fill:?} {accept_ns:?}");
        }
        for &(turn, now_ns) in &played.told {
            let since_ns = match turn {
                Turn::Answer(Notice::Fill(at)) => played.fills()[at].time_ns,
                Turn::Answer(Notice::Accepted(id)) => placed[id as usize - 1].accept_ns.unwrap_or(i64::MAX),
                _ => continue,
            };
            prop_assert!(now_ns >= since_ns.saturating_add(response_ns), "{turn:?} at {now_ns}, of {since_ns}");
        }
        prop_assert!(played.told.is_sorted_by_key(|told| told.1));
        Ok(played.fills().len())
    });
}

/// What there is at a time, of what happened up to then.
#[derive(Debug, Clone, PartialEq, Default)]
struct Known {
    told: Vec<(Turn, i64)>,
    orders: Vec<OrderRow>,
    fills: Vec<Fill>,
    samples: Vec<(i64, i128)>,
    account: Vec<i128>,
    books: Vec<Vec<(Price, Quantity)>>,
    ahead: Vec<Option<f64>>,
}

/// Law 6: whatever the records say that happen after a time, and whenever they come, nothing is different up to then.
#[test]
fn the_future_changes_nothing() {
    holds(Shape { replies: true, ..Shape::default() }, |mut session| {
        let mut draw = Draw(session.spare);
        give_times(&mut session);
        let times: Vec<_> = session.sources.iter().flat_map(|(records, _)| records).map(|r| r.ts_event_ns).collect();
        let latest_ns = times.iter().copied().max().unwrap_or(START_NS);
        let until_ns = draw.pick(&times) + draw.around(1);
        let mut poisoned = session.clone();
        for (records, _) in &mut session.sources {
            records.push(end(latest_ns + 1_000));
        }
        for (records, _) in &mut poisoned.sources {
            poison(records, until_ns, &mut draw);
        }
        let known = known_at(session, until_ns)?;
        prop_assert_eq!(&known, &known_at(poisoned, until_ns)?);
        Ok(known.told.len() + known.fills.len())
    });
}

/// Gives the times of receipt to a source that knows no others, where they would stand for the venue's.
fn give_times(session: &mut Session) {
    for (records, _) in &mut session.sources {
        if records.iter().all(|record| record.ts_event_ns <= 0) {
            records.iter_mut().for_each(|record| record.ts_event_ns = record.ts_recv_ns);
        }
    }
}

fn end(time_ns: i64) -> Record {
    Record { ts_event_ns: time_ns, kind: EventKind::Status as u8, ..Record::default() }
}

/// Overwrites the records that happen after a time, and where they happen later; some of them are gone.
fn poison(records: &mut Vec<Record>, until_ns: i64, draw: &mut Draw) {
    let mut venue_ns = 0;
    let later = records.iter().position(|record| {
        venue_ns = record.ts_event_ns.max(venue_ns);
        venue_ns > until_ns
    });
    let first = later.unwrap_or(records.len());
    records.truncate(records.len() - draw.below((records.len() - first + 1) as u64) as usize);
    let kinds = [EventKind::Level, EventKind::Trade, EventKind::Quote, EventKind::Resync, EventKind::OrderAdd];
    for record in &mut records[first..] {
        let mut draw = Draw(draw.0 ^ (record.sequence as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        record.ts_event_ns = until_ns + draw.between(1, 100);
        record.ts_recv_ns = draw.pick(&[0, until_ns, until_ns + 500]);
        record.price += draw.around(3);
        record.quantity = draw.between(0, 60);
        record.id += draw.below(3);
        record.kind = draw.pick(&kinds) as u8;
        record.flags = draw.between(0, 7) as u8;
    }
    records.insert(first, end(until_ns + 1));
}

/// Plays a session up to its end, or to a record that makes no sense, and tells what there was at a time.
fn known_at(mut session: Session, until_ns: i64) -> Result<Known, proptest::test_runner::TestCaseError> {
    session.look_ns = Some(until_ns);
    let mut known = Known::default();
    let mut has_looked = false;
    let played = session.watch(|replay, sources, turn| {
        if turn == Turn::Timer(until_ns) {
            has_looked = true;
            known = look(replay, sources);
        }
    });
    // A time before the first record rings when that arrives.
    prop_assert!(has_looked || until_ns < START_NS + 500, "{:?}", played.error);
    known.told = played.told.into_iter().take_while(|told| told.1 <= until_ns).collect();
    Ok(known)
}

fn look(replay: &mut Replay, sources: &[Source<'_>]) -> Known {
    let engine = replay.engine();
    let mut known = Known {
        orders: rows_of(replay),
        fills: engine.fills().to_vec(),
        samples: engine.samples().times(&[]).iter().map(|&time_ns| (time_ns, 0)).collect(),
        account: vec![engine.cash(), replay.cash(), engine.equity().unwrap_or_default()],
        ..Known::default()
    };
    let amounts = engine.samples().amounts(&[], |amount| amount).expect("amounts in range");
    known.samples.iter_mut().zip(amounts).for_each(|(sample, amount)| sample.1 = amount);
    let numbers = 1..=replay.known_orders().count() as u32;
    known.ahead = numbers.map(|number| replay.queue_ahead(number).expect("an order")).collect();
    let count = replay.engine().instruments().len();
    for k in 0..count {
        for side in [Side::Buy, Side::Sell] {
            let levels = replay.best_levels(sources, k, side, 5).expect("a book in range");
            known.books.push(levels.iter().map(|level| (level.price, level.quantity)).collect());
        }
    }
    known
}

/// Law 7: a lone order that rests fills no earlier, and never more, if it arrives later. Whoever comes later stands behind
/// more, in a book of single orders and where only trades bring forward; so it is not said of shares of cancellations, which
/// may bring forward the one who stands further back by more than the difference.
#[test]
fn who_comes_later_fills_no_earlier() {
    holds(Shape { ample: true, ..Shape::default() }, |mut session| {
        let mut draw = Draw(session.spare);
        session.settings.venue.queue = draw.pick(&[QueueModel::RiskAverse, QueueModel::Front]);
        let side = draw.pick(&[Side::Buy, Side::Sell]);
        let limit = BASE - side.sign() * draw.between(-1, 3) + i64::from(side == Side::Sell);
        let call = Call::limit(side, limit, draw.pick(&[1, 3, 10, 30]));
        session.plan = vec![Action { time_ns: START_NS + draw.between(0, 300), call }];
        let sooner_ns = draw.between(0, 60);
        let later_ns = sooner_ns + draw.between(1, 200);
        let fills_after = |entry_ns: i64| {
            let latency = Latency::Constant { entry_ns, response_ns: 0 };
            let settings = nt_engine::ReplaySettings { latency, ..session.settings.clone() };
            let played = Session { settings, ..session.clone() }.play().unbroken()?;
            Ok::<_, proptest::test_runner::TestCaseError>(played.fills().to_vec())
        };
        let (sooner, later) = (fills_after(sooner_ns)?, fills_after(later_ns)?);
        if sooner.iter().chain(&later).any(|fill| !fill.maker) {
            return Ok(0);
        }
        let mut filled = 0;
        for fill in &later {
            filled += fill.quantity;
            let by_then = sooner.iter().filter(|other| other.time_ns <= fill.time_ns);
            let sooner_filled: Quantity = by_then.map(|other| other.quantity).sum();
            prop_assert!(filled <= sooner_filled, "{filled} at {fill:?}, and {sooner_filled} of the one before it");
        }
        Ok(sooner.len())
    });
}

/// Why law 7 is not said of shares: of eight lots that go, the fifth power gives the first order's front of eight less than
/// one, and the second order's front of ten four.
#[test]
fn by_shares_of_cancellations_who_comes_later_may_fill_earlier() {
    let level = |time_ns, quantity| record(time_ns, EventKind::Level, quantity, BID);
    let sale = record(70, EventKind::Trade, 7, ASK);
    let records = vec![level(10, 8), level(30, 10), level(50, 20), level(60, 12), sale];
    let filled = |time_ns| {
        let mut session = Session::of_records(records.clone());
        session.settings.venue.queue = QueueModel::Power(5);
        session.plan.push(Action { time_ns, call: Call::limit(Side::Buy, 1_000, 1) });
        session.play().fills().len()
    };
    assert_eq!([filled(20), filled(40)], [0, 1]);
}
