//! What changes nothing, and what changes all in a way that is known.

use std::collections::BTreeMap;

use nt_core::record::{ASK, BID, EventKind};
use nt_core::{Bracket, Fill, Instrument, Kind, Price, Quantity, Record, Side, TimeInForce, Trail};
use nt_engine::{Latency, Request, Resting, SelfTrade, Size, Turn};
use proptest::{prop_assert, prop_assert_eq};

use super::draw::Draw;
use super::plan::Call;
use super::session::{Orders, Played, Session, Shape, holds};

/// Law 8: an instrument of which nothing is traded changes nothing, whatever happens in it.
#[test]
fn an_instrument_that_is_not_traded_changes_nothing() {
    holds(Shape::default(), |session| {
        let mut crowd = session.clone();
        let number = session.instruments.len();
        crowd.instruments.push(Instrument { symbol: "Z".into(), ..session.instruments[0].clone() });
        for (records, ranks) in &mut crowd.sources {
            ranks.push(number as i16);
            // What happens in the first instrument happens in the new one as well, at other prices.
            let both = |record: &Record| {
                let price = record.price + if record.price > 0 { 5 } else { 0 };
                let copy = Record { instrument: number as u16, price, ..*record };
                [Some(*record), (record.instrument == 0).then_some(copy)]
            };
            *records = records.iter().flat_map(both).flatten().collect();
        }
        let (alone, accompanied) = (session.play().unbroken()?, crowd.play().unbroken()?);
        prop_assert_eq!(accompanied.outcome(), alone.outcome());
        Ok(alone.fills().len())
    });
}

/// Law 9: which of two symbols comes first changes no fill of either, where money is ample.
#[test]
fn the_order_of_instruments_changes_nothing() {
    holds(Shape { ample: true, ..Shape::default() }, |session| {
        let last = session.instruments.len() - 1;
        let mut turned = session.clone();
        for (_, ranks) in &mut turned.sources {
            ranks.iter_mut().for_each(|rank| *rank = last as i16 - *rank);
        }
        change_requests(&mut turned, |request, _| request.instrument = last - request.instrument);
        let (here, there) = (session.play().unbroken()?, turned.play().unbroken()?);
        for rank in 0..=last {
            prop_assert_eq!(fills_by_action(&here, rank), fills_by_action(&there, last - rank));
        }
        prop_assert_eq!(here.samples(), there.samples());
        Ok(here.fills().len())
    });
}

/// The fills of an instrument, each with the action that it is of in place of its order.
fn fills_by_action(played: &Played, instrument: usize) -> Vec<(Option<usize>, Fill)> {
    let here = played.fills().iter().filter(|fill| fill.instrument as usize == instrument);
    here.map(|fill| (played.action_of(fill.order), Fill { order: 0, instrument: 0, ..*fill })).collect()
}

/// Law 10: a shift of all times shifts the outcome; by whole days, since a day order knows the calendar, and by whole steps
/// of sampling.
#[test]
fn a_shift_of_all_times_shifts_the_outcome() {
    const SHIFT_NS: i64 = 7_000 * nt_core::DAY_NS;
    holds(Shape::default(), |mut session| {
        if let Latency::Recorded(_) = session.settings.latency {
            session.settings.latency = Latency::Constant { entry_ns: 20, response_ns: 30 };
        }
        let shift = |time_ns: &mut i64| *time_ns += if *time_ns == 0 { 0 } else { SHIFT_NS };
        let mut later = session.clone().with_records(|record| {
            shift(&mut record.ts_event_ns);
            shift(&mut record.ts_recv_ns);
        });
        later.plan.iter_mut().for_each(|action| action.time_ns += SHIFT_NS);
        change_requests(&mut later, |request, _| {
            if let TimeInForce::GoodTillDate(expire_ns) = &mut request.time_in_force {
                *expire_ns += SHIFT_NS;
            }
        });
        session.settings.sample_ns =
            session.settings.sample_ns / 10 * 10 + 10 * i64::from(session.settings.sample_ns == 7);
        later.settings.sample_ns = session.settings.sample_ns;
        let (before, after) = (session.play().unbroken()?, later.play().unbroken()?);
        let mut expected = before.outcome();
        for (turn, now_ns) in &mut expected.told {
            *now_ns += SHIFT_NS;
            if let Turn::Timer(time_ns) = turn {
                *time_ns += SHIFT_NS;
            }
        }
        for order in &mut expected.orders {
            order.submit_ns += SHIFT_NS;
            order.accept_ns = order.accept_ns.map(|time_ns| time_ns + SHIFT_NS);
            order.end_ns = order.end_ns.map(|time_ns| time_ns + SHIFT_NS);
        }
        expected.fills.iter_mut().for_each(|fill| fill.time_ns += SHIFT_NS);
        expected.samples.iter_mut().for_each(|sample| sample.0 += SHIFT_NS);
        prop_assert_eq!(after.outcome(), expected);
        Ok(before.fills().len())
    });
}

/// Law 11: prices times an integer multiply all money, with little of it too. Without fee rates, which are rounded, and
/// without trails that are shares of a price.
#[test]
fn prices_times_an_integer_multiply_all_money() {
    const FACTOR: i64 = 7;
    holds(Shape { free: true, ..Shape::default() }, |mut session| {
        session.config.fixed_fee = i128::from(session.spare % 3);
        session = in_ticks(session);
        let mut large = session.clone().with_records(|record| record.price *= FACTOR);
        large.config.cash *= i128::from(FACTOR);
        large.config.fixed_fee *= i128::from(FACTOR);
        change_prices(&mut large, |price| price * FACTOR);
        change_requests(&mut large, |request, _| {
            for trail in [&mut request.trail, &mut request.bracket.stop_loss_trail] {
                if let Some(Trail::Ticks(ticks)) = trail {
                    *ticks *= FACTOR;
                }
            }
        });
        let (small, large) = (session.play().unbroken()?, large.play().unbroken()?);
        let mut expected = small.outcome();
        for order in &mut expected.orders {
            order.limit *= FACTOR;
            order.stop *= FACTOR;
        }
        for fill in &mut expected.fills {
            fill.price *= FACTOR;
            fill.reference *= FACTOR;
            fill.fee *= i128::from(FACTOR);
        }
        let money = expected.postings.iter_mut().filter(|posting| posting.unit == nt_engine::ledger::CURRENCY);
        money.for_each(|posting| posting.amount *= i128::from(FACTOR));
        expected.samples.iter_mut().for_each(|sample| sample.1 *= i128::from(FACTOR));
        prop_assert_eq!(large.outcome(), expected);
        Ok(small.fills().len())
    });
}

/// Law 12: buying and selling swapped, with prices mirrored, mirrors the outcome. Without fees, which would be charged on
/// other values, and without snapshots and unknown aggressors, of which bids are looked at first.
#[test]
fn a_mirrored_market_mirrors_the_outcome() {
    const CENTRE: Price = 4_000;
    holds(Shape { plain: true, free: true, ample: true, ..Shape::default() }, |session| {
        let session = in_ticks(session);
        let mirrored = |price: Price| if price > 0 { CENTRE - price } else { 0 };
        let mut other = session.clone().with_records(|record| {
            record.price = mirrored(record.price);
            record.flags = record.flags & !(BID | ASK) | (record.flags & BID) << 1 | (record.flags & ASK) >> 1;
        });
        change_prices(&mut other, mirrored);
        change_requests(&mut other, |request, _| {
            request.side = request.side.opposite();
            if let Size::TargetQuantity(lots) = &mut request.size {
                *lots = -*lots;
            }
        });
        let (here, there) = (session.play().unbroken()?, other.play().unbroken()?);
        let (mut expected, mut found) = (here.outcome(), there.outcome());
        for order in &mut expected.orders {
            order.side = order.side.opposite();
            (order.limit, order.stop) = (mirrored(order.limit), mirrored(order.stop));
        }
        for fill in &mut expected.fills {
            fill.side = fill.side.opposite();
            (fill.price, fill.reference) = (mirrored(fill.price), mirrored(fill.reference));
        }
        // Postings say the same as fills, whose values are others.
        expected.postings.clear();
        found.postings.clear();
        prop_assert_eq!(found, expected);
        Ok(here.fills().len())
    });
}

/// Law 13: an order that takes and does not rest, in two parts sent at the same instant, fills as much at the same prices,
/// and so does everything else. (Marks may differ where a side of the book is empty: they are read with each fill.) Not so
/// where a meeting with an order of ours ends both, is limited by a position that stays what it was, or between the parts
/// brings exits or the next part of an iceberg.
#[test]
fn an_aggressive_order_in_two_parts_fills_the_same() {
    let shape = Shape { free: true, ample: true, orders: Orders::Unchanging, ..Shape::default() };
    holds(shape, |mut session| {
        match session.settings.venue.self_trade {
            SelfTrade::CancelBoth => session.settings.venue.self_trade = SelfTrade::CancelOldest,
            SelfTrade::Off => never_reduce_only(&mut session),
            SelfTrade::CancelNewest | SelfTrade::CancelOldest => {}
        }
        if let Latency::Recorded(_) = session.settings.latency {
            session.settings.latency = Latency::Constant { entry_ns: 20, response_ns: 30 };
        }
        let mut draw = Draw(session.spare);
        change_requests(&mut session, |_, terms| terms.display = None);
        let at = draw.below(session.plan.len().max(1) as u64) as usize;
        let Some(Call::Submit { request, terms, .. }) = session.plan.get_mut(at).map(|action| &mut action.call) else {
            return Ok(0);
        };
        let (first, second) = (draw.between(1, 6), draw.between(1, 6));
        request.kind = if draw.one_in(2) { Kind::Market } else { Kind::Limit };
        request.limit = (request.kind == Kind::Limit).then_some(request.limit.unwrap_or(super::market::BASE));
        (request.stop, request.trail) = (None, None);
        request.size = Size::Quantity(first + second);
        request.time_in_force = TimeInForce::ImmediateOrCancel;
        *terms = Resting::default();
        let mut parted = session.clone();
        let mut part = parted.plan[at].clone();
        resize(&mut parted.plan[at].call, first);
        resize(&mut part.call, second);
        parted.plan.insert(at + 1, part);
        let (whole, parts) = (session.play().unbroken()?, parted.play().unbroken()?);
        let of_whole = sums(&whole, |action| action);
        prop_assert_eq!(&sums(&parts, |action| if action > at { action - 1 } else { action }), &of_whole);
        prop_assert_eq!(whole.replay.engine().cash(), parts.replay.engine().cash());
        Ok(of_whole.keys().filter(|key| key.1 == Some(at)).count() * 2)
    });
}

fn never_reduce_only(session: &mut Session) {
    for action in &mut session.plan {
        if let Call::Submit { reduce_only, .. } = &mut action.call {
            *reduce_only = false;
        }
    }
}

fn resize(call: &mut Call, quantity: Quantity) {
    if let Call::Submit { request, .. } = call {
        request.size = Size::Quantity(quantity);
    }
}

/// What filled at a time, of an action, at a price, as a maker or not.
fn sums(played: &Played, action: impl Fn(usize) -> usize) -> BTreeMap<(i64, Option<usize>, Price, bool), Quantity> {
    let mut sums = BTreeMap::new();
    for fill in played.fills() {
        let key = (fill.time_ns, played.action_of(fill.order).map(&action), fill.price, fill.maker);
        *sums.entry(key).or_insert(0) += fill.quantity;
    }
    sums
}

/// Law 14: what one wants to be told, and how often one looks, changes nothing else.
#[test]
fn being_told_more_changes_nothing() {
    const KINDS: [EventKind; 8] = [
        EventKind::Trade,
        EventKind::AggregateTrade,
        EventKind::Level,
        EventKind::Quote,
        EventKind::OrderAdd,
        EventKind::OrderFill,
        EventKind::SnapshotEnd,
        EventKind::Gap,
    ];
    holds(Shape::default(), |session| {
        let mut draw = Draw(session.spare);
        let mut curious = session.clone();
        curious.wants = KINDS.into_iter().filter(|_| !draw.one_in(4)).collect();
        curious.look_ns = Some(super::market::START_NS + draw.between(0, 400) * 10 + 3);
        let deaf = session.play().unbroken()?;
        let told = curious.watch(|replay, sources, _| {
            for side in [Side::Buy, Side::Sell] {
                replay.best_levels(sources, 0, side, 3).expect("a book in range");
            }
        });
        let told = told.unbroken()?;
        let mut heard = told.outcome();
        heard.told.retain(|(turn, _)| {
            !matches!(turn, Turn::Record { .. }) && Some(*turn) != curious.look_ns.map(Turn::Timer)
        });
        prop_assert_eq!(heard, deaf.outcome());
        prop_assert!(told.replay.cash() == deaf.replay.cash());
        Ok(deaf.fills().len())
    });
}

fn change_requests(session: &mut Session, change: impl Fn(&mut Request, &mut Resting)) {
    for action in &mut session.plan {
        if let Call::Submit { request, terms, .. } = &mut action.call {
            change(request, terms);
        }
    }
}

/// Changes all prices of a plan.
fn change_prices(session: &mut Session, change: impl Fn(Price) -> Price) {
    change_requests(session, |request, _| {
        let Bracket { stop_loss, take_profit, .. } = &mut request.bracket;
        for price in [&mut request.limit, &mut request.stop, stop_loss, take_profit] {
            *price = price.map(&change);
        }
    });
    for action in &mut session.plan {
        if let Call::Amend { limit, .. } = &mut action.call {
            *limit = change(*limit);
        }
    }
}

/// The session with trails of ticks in place of those that are shares of a price.
fn in_ticks(mut session: Session) -> Session {
    change_requests(&mut session, |request, _| {
        for trail in [&mut request.trail, &mut request.bracket.stop_loss_trail] {
            *trail = trail.map(|_| Trail::Ticks(2));
        }
    });
    session
}
