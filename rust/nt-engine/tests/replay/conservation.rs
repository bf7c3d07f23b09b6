//! Nothing comes from nowhere: quantities of trades and levels, money and positions, the life of an order, and ourselves.

use std::collections::BTreeMap;

use nt_core::record::{ASK, BID, EventKind};
use nt_core::{Fill, Kind, Price, Quantity, Record, Side, State, TimeInForce};
use nt_engine::{Depth, Notice, QueueModel, SelfTrade, Turn};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::plan::{Action, Call};
use super::reference::{Shown, side_of};
use super::session::{Orders, Played, Session, Shape, holds};

/// An order of ours at rest, with what others truly have before it.
struct Own {
    id: u32,
    side: Side,
    price: Price,
    ahead: Quantity,
}

/// When each of our orders came to rest, by instrument: a limit order that has not filled at its arrival.
fn comes_to_rest(played: &Played, instrument: usize) -> Vec<(i64, u32)> {
    let orders = played.orders().iter().zip(played.replay.placed());
    let here = orders.filter(|(order, _)| order.instrument as usize == instrument);
    here.filter_map(|(order, placed)| Some((placed.accept_ns?, order.id))).collect()
}

fn fills_at(played: &Played, instrument: usize, time_ns: i64) -> impl Iterator<Item = &Fill> {
    let here = move |fill: &&Fill| fill.time_ns == time_ns && fill.instrument as usize == instrument && fill.order != 0;
    played.fills().iter().filter(here)
}

/// Law 1, where nobody cancels, so that the trades at a price say who is left: of a trade of `q`, an order of ours fills no
/// more than `q` less what others have before it and less what our orders before it filled.
#[test]
fn a_trade_fills_us_only_with_what_is_left_behind_the_true_queue() {
    let shape = Shape {
        depth: Some(Depth::Levels),
        plain: true,
        apart: true,
        faithful: true,
        orders: Orders::Limits,
        ..Shape::default()
    };
    holds(shape, |mut session| {
        if session.settings.venue.queue == QueueModel::Front {
            // It says that there is no queue.
            session.settings.venue.queue = QueueModel::RiskAverse;
        }
        let played = session.play().unbroken()?;
        let mut said = 0;
        for instrument in 0..session.instruments.len() {
            said += follow_queues(&session, &played, instrument)?;
        }
        Ok(said)
    });
}

/// Says how many trades met our orders.
fn follow_queues(session: &Session, played: &Played, instrument: usize) -> Result<usize, TestCaseError> {
    let mut shown = Shown::new(Depth::Levels);
    let mut arrivals = comes_to_rest(played, instrument).into_iter().peekable();
    let (mut at_rest, mut said) = (Vec::<Own>::new(), 0);
    for record in session.in_order().iter().filter(|record| usize::from(record.instrument) == instrument) {
        while let Some((_, id)) = arrivals.next_if(|arrival| arrival.0 < record.ts_event_ns) {
            let order = &played.orders()[id as usize - 1];
            let ahead = shown.at(order.side, order.limit);
            at_rest.push(Own { id, side: order.side, price: order.limit, ahead });
        }
        if !record.is(EventKind::Trade) {
            shown.see(record);
            continue;
        }
        // What trades is gone at once, whenever the feed says what is left.
        let hit = side_of(record).opposite();
        if let Some(left) = shown.levels[super::market::place(hit)].get_mut(&record.price) {
            *left -= record.quantity;
        }
        let mut ours = 0;
        for fill in fills_at(played, instrument, record.ts_event_ns) {
            ours += fill.quantity;
            let own = at_rest.iter().find(|own| own.id == fill.order);
            let ahead = own.filter(|own| own.price == record.price).map_or(0, |own| own.ahead);
            prop_assert!(
                fill.maker && ahead + ours <= record.quantity,
                "{fill:?} of a trade of {} behind {ahead}, in all {ours}",
                record.quantity
            );
        }
        for own in at_rest.iter_mut().filter(|own| own.side == hit && own.price == record.price) {
            said += 1;
            own.ahead = (own.ahead - record.quantity).max(0);
        }
    }
    Ok(said)
}

/// The famous case: ten lots stand before us, and two orders of ours share what is left of each trade.
#[test]
fn two_orders_of_ours_share_what_is_left_of_a_trade() {
    let sale = |time_ns, quantity| record(time_ns, EventKind::Trade, quantity, ASK);
    let records = vec![record(10, EventKind::Level, 10, BID), sale(30, 10), sale(40, 7), sale(50, 7)];
    let filled = |place: Quantity| {
        let mut session = Session::of_records(records.clone());
        for _ in 0..2 {
            session.plan.push(Action { time_ns: 20, call: Call::limit(Side::Buy, 1_000, place) });
        }
        let played = session.play();
        played.fills().iter().map(|fill| (fill.time_ns, fill.order, fill.quantity)).collect::<Vec<_>>()
    };
    assert_eq!(filled(5), [(40, 1, 5), (40, 2, 2), (50, 2, 3)]);
    assert_eq!(filled(100), [(40, 1, 7), (50, 1, 7)]);
}

/// A record at the price of the examples.
pub fn record(time_ns: i64, kind: EventKind, quantity: Quantity, flags: u8) -> Record {
    Record { ts_event_ns: time_ns, price: 1_000, quantity, kind: kind as u8, flags, ..Record::default() }
}

/// Law 1 in books of single orders, in which the queue is known whoever cancels: of the fills of one aggressor at a price,
/// our orders together get no more than what is left behind those before the first of ours.
#[test]
fn fills_of_others_fill_us_only_behind_those_who_came_before() {
    let shape = Shape {
        depth: Some(Depth::Orders),
        plain: true,
        apart: true,
        faithful: true,
        orders: Orders::Limits,
        ..Shape::default()
    };
    holds(shape, |session| {
        let played = session.play().unbroken()?;
        let mut said = 0;
        for instrument in 0..session.instruments.len() {
            said += follow_single_orders(&session, &played, instrument)?;
        }
        Ok(said)
    });
}

/// Who stands in the queue of a price, the first one first: others with what is left of them, and ours.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Standing {
    Other(u64, Quantity),
    Ours(u32),
}

fn follow_single_orders(session: &Session, played: &Played, instrument: usize) -> Result<usize, TestCaseError> {
    let mut queues = BTreeMap::<(i64, Price), Vec<Standing>>::new();
    let mut arrivals = comes_to_rest(played, instrument).into_iter().peekable();
    let (mut printed, mut said) = ((Vec::<Standing>::new(), 0, 0), 0);
    for record in session.in_order().iter().filter(|record| usize::from(record.instrument) == instrument) {
        while let Some((_, id)) = arrivals.next_if(|arrival| arrival.0 < record.ts_event_ns) {
            let order = &played.orders()[id as usize - 1];
            queues.entry((order.side.sign(), order.limit)).or_default().push(Standing::Ours(id));
        }
        let side = side_of(record);
        if record.is(EventKind::Trade) {
            let queue = queues.get(&(-side.sign(), record.price)).cloned().unwrap_or_default();
            printed = (queue, record.quantity, 0);
            continue;
        }
        if record.is(EventKind::OrderFill) {
            let mut ours = 0;
            for fill in fills_at(played, instrument, record.ts_event_ns) {
                said += 1;
                ours += fill.quantity;
                let order = &played.orders()[fill.order as usize - 1];
                printed.2 += if order.limit == record.price { fill.quantity } else { 0 };
                let (queue, quantity, so_far) = &printed;
                let first = queue.iter().position(|standing| *standing == Standing::Ours(fill.order));
                if let (Some(first), true) = (first, order.limit == record.price) {
                    let of_others = |standing: &Standing| matches!(standing, Standing::Other(..));
                    let first_of_ours = queue.iter().position(|standing| !of_others(standing)).unwrap_or(first);
                    let ahead: Quantity = queue[..first_of_ours].iter().map(lots_of_other).sum();
                    prop_assert!(ahead + so_far <= *quantity, "{fill:?} of {quantity}, behind {ahead}");
                }
                prop_assert!(fill.maker && ours <= record.quantity, "{fill:?} of {record:?}");
                let queue = &queues[&(side.sign(), record.price)];
                let behind = queue.iter().skip_while(|standing| **standing != Standing::Ours(fill.order));
                let is_before = behind.into_iter().any(|standing| is_number(standing, record.id));
                prop_assert!(is_before || order.limit != record.price, "{fill:?} stands behind {record:?}");
            }
        }
        change_queue(&mut queues, side, record);
    }
    Ok(said)
}

fn lots_of_other(standing: &Standing) -> Quantity {
    if let Standing::Other(_, lots) = standing { *lots } else { 0 }
}

fn is_number(standing: &Standing, number: u64) -> bool {
    matches!(standing, Standing::Other(other, _) if *other == number)
}

fn change_queue(queues: &mut BTreeMap<(i64, Price), Vec<Standing>>, side: Side, record: &Record) {
    let before = queues.iter().find_map(|(key, queue)| {
        let at = queue.iter().position(|standing| is_number(standing, record.id))?;
        Some((*key, at, lots_of_other(&queue[at])))
    });
    let after = match before {
        _ if record.is(EventKind::OrderAdd) || record.is(EventKind::OrderChange) => record.quantity,
        Some((.., lots)) if record.is(EventKind::OrderFill) => lots - record.quantity,
        _ => 0,
    };
    let here = (side.sign(), record.price);
    let standing = Standing::Other(record.id, after);
    match before {
        Some((key, at, lots)) if key == here && after > 0 && after <= lots => {
            queues.get_mut(&key).expect("a queue")[at] = standing;
        }
        _ => {
            if let Some((key, at, _)) = before {
                queues.get_mut(&key).expect("a queue").remove(at);
            }
            if after > 0 {
                queues.entry(here).or_default().push(standing);
            }
        }
    }
}

/// Law 1 for orders that take: between two records of a level, we take no more of it than it displays.
#[test]
fn we_take_no_more_of_a_level_than_it_displays() {
    holds(Shape { apart: true, replies: true, ..Shape::default() }, |session| {
        let played = session.play().unbroken()?;
        let depth = session.settings.venue.depth;
        let mut shown = vec![Shown::new(depth); session.instruments.len()];
        let mut taken = BTreeMap::<(u32, i64, Price), Quantity>::new();
        let records = session.in_order();
        let (mut next, mut said) = (records.iter().peekable(), 0);
        for (at, fill) in played.fills().iter().enumerate() {
            while let Some(record) = next.next_if(|record| record.ts_event_ns <= fill.time_ns) {
                shown[usize::from(record.instrument)].see(record);
                for ((instrument, side, price), taken) in &mut taken {
                    let shown = &shown[*instrument as usize];
                    let side = if *side > 0 { Side::Buy } else { Side::Sell };
                    // In an unknown book nothing is said of levels.
                    if shown.is_known() {
                        *taken = (*taken).min(shown.at(side, *price));
                    }
                }
            }
            if fill.maker || fill.order == 0 || is_with_ourselves(played.fills(), at) {
                continue;
            }
            said += 1;
            let side = fill.side.opposite();
            let taken = taken.entry((fill.instrument, side.sign(), fill.price)).or_insert(0);
            *taken += fill.quantity;
            prop_assert!(*taken <= shown[fill.instrument as usize].at(side, fill.price), "{taken} with {fill:?}");
        }
        Ok(said)
    });
}

/// Whether a fill is the second half of one between two orders of ours.
pub fn is_with_ourselves(fills: &[Fill], at: usize) -> bool {
    let fill = &fills[at];
    at.checked_sub(1).map(|before| &fills[before]).is_some_and(|before| {
        before.maker
            && before.instrument == fill.instrument
            && before.side != fill.side
            && (before.time_ns, before.price, before.quantity) == (fill.time_ns, fill.price, fill.quantity)
    })
}

/// Law 2: between any two turns, transactions sum to zero, balances are what fills say, and equity is cash and positions at
/// their marks.
#[test]
fn books_balance_at_every_turn() {
    holds(Shape { replies: true, ..Shape::default() }, |session| {
        let mut broken = None;
        let played = session.watch(|replay, _, _| {
            let engine = replay.engine();
            let mut cash = engine.config().cash;
            let mut held = vec![0; session.instruments.len()];
            for fill in engine.fills() {
                let signed = fill.side.sign() * fill.quantity;
                let unit = engine.instrument(fill.instrument as usize).contract.unit;
                cash -= i128::from(signed) * i128::from(fill.price) * unit + fill.fee;
                held[fill.instrument as usize] += signed;
            }
            let mut equity = cash;
            for (k, &lots) in held.iter().enumerate() {
                equity += i128::from(lots) * i128::from(engine.mark(k)) * engine.instrument(k).contract.unit;
                if engine.position(k) != lots {
                    broken = Some(format!("{} lots held of {lots} filled", engine.position(k)));
                }
            }
            if engine.cash() != cash || engine.equity() != Ok(equity) {
                broken = Some(format!("cash {} of {cash}, equity {:?} of {equity}", engine.cash(), engine.equity()));
            }
            if let Err(error) = engine.check_invariants() {
                broken = Some(error.to_string());
            }
        });
        let played = played.unbroken()?;
        prop_assert_eq!(broken, None);
        Ok(played.fills().len())
    });
}

/// Law 3: filled, left and cancelled make what was ordered; an order is accepted once, then fills, and ends once, for good.
#[test]
fn orders_end_once_and_nothing_of_them_is_lost() {
    holds(Shape { replies: true, ..Shape::default() }, |session| {
        let mut ended = BTreeMap::new();
        let mut woken = None;
        let played = session.watch(|replay, _, _| {
            for order in replay.engine().orders() {
                let now = (order.state, order.filled, order.cancelled, order.quantity);
                if !matches!(order.state, State::Sent | State::Working) && *ended.entry(order.id).or_insert(now) != now
                {
                    woken = Some(order.id);
                }
            }
        });
        let played = played.unbroken()?;
        prop_assert_eq!(woken, None);
        for (order, placed) in played.orders().iter().zip(played.replay.placed()) {
            let fills = || played.fills().iter().filter(|fill| fill.order == order.id);
            prop_assert_eq!(order.filled, fills().map(|fill| fill.quantity).sum::<i64>());
            prop_assert_eq!(order.filled + order.leaves() + order.cancelled, order.quantity);
            let is_open = matches!(order.state, State::Sent | State::Working);
            prop_assert_eq!(order.leaves() > 0, is_open, "{:?}", order);
            prop_assert_eq!(placed.end_ns.is_none(), is_open, "{:?}", order);
            prop_assert!(fills().all(|fill| placed.end_ns.is_none_or(|end_ns| fill.time_ns <= end_ns)));
        }
        check_lives(&played)?;
        Ok(played.fills().len())
    });
}

fn check_lives(played: &Played) -> Result<(), TestCaseError> {
    let mut lives = vec![String::new(); played.orders().len()];
    for (turn, _) in &played.told {
        let (id, letter) = match *turn {
            Turn::Answer(Notice::Fill(at)) => (played.fills()[at].order, 'f'),
            Turn::Answer(Notice::Accepted(id)) => (id, 'a'),
            Turn::Answer(Notice::Triggered(id)) => (id, 't'),
            Turn::Answer(Notice::OrderEnded(id)) => (id, 'e'),
            _ => continue,
        };
        if id > 0 {
            lives[id as usize - 1].push(letter);
        }
    }
    for (order, life) in played.orders().iter().zip(&lives) {
        let count = |letter| life.matches(letter).count();
        prop_assert!(count('a') <= 1 && count('t') <= 1 && count('e') <= 1, "{life} of {order:?}");
        prop_assert!(life.find('e').is_none_or(|at| at + 1 == life.len()), "{life} of {order:?}");
        prop_assert!(life.find(['f', 't']).is_none() || life.starts_with('a'), "{life} of {order:?}");
        if count('e') == 1 {
            prop_assert!(matches!(order.state, State::Cancelled | State::Expired | State::Rejected), "{order:?}");
        }
        // An exit that ends with what brought it was never accepted.
        prop_assert!(order.state != State::Rejected || matches!(life.as_str(), "e" | ""), "{life} of {order:?}");
    }
    Ok(())
}

/// Law 4: unless we may trade with ourselves, no order of ours takes at or beyond the limit of another one that stays at
/// rest, and none fills at rest but by a record.
#[test]
fn our_orders_do_not_trade_with_each_other() {
    holds(Shape { apart: true, replies: true, ..Shape::default() }, |mut session| {
        if session.settings.venue.self_trade == SelfTrade::Off {
            session.settings.venue.self_trade = SelfTrade::CancelOldest;
        }
        let played = session.play().unbroken()?;
        let records = session.in_order();
        let mut said = 0;
        for fill in played.fills() {
            if fill.maker {
                let is_of_record = records.binary_search_by_key(&fill.time_ns, |record| record.ts_event_ns).is_ok();
                prop_assert!(is_of_record, "{fill:?}");
                continue;
            }
            let resting = resting_at(&session, &played, fill.time_ns);
            for id in resting {
                let order = &played.orders()[id as usize - 1];
                if order.instrument == fill.instrument && order.side != fill.side {
                    said += 1;
                    prop_assert!(!fill.side.accepts(order.limit, fill.price, false), "{fill:?} beyond {order:?}");
                }
            }
        }
        Ok(said)
    });
}

/// Limit orders that were never changed and surely rest at a time and after it.
fn resting_at(session: &Session, played: &Played, time_ns: i64) -> Vec<u32> {
    let orders = played.orders().iter().zip(played.replay.placed());
    let rests = orders.filter(|(order, placed)| {
        let at_once = matches!(order.time_in_force, TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill);
        order.kind == Kind::Limit
            && !at_once
            && placed.accept_ns.is_some_and(|accept_ns| accept_ns < time_ns)
            && placed.end_ns.is_none_or(|end_ns| end_ns > time_ns)
            && !session.may_change(played, order.id)
    });
    rests.map(|(order, _)| order.id).collect()
}
