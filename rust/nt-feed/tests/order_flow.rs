//! Random order flow against what its model says, and its L2 feed against its L3 feed.

use nt_book::{Depth, Ladder, Level, OrderBook, PlainBook, RestingOrder, Side};
use nt_feed::event::{Event, EventKind, LAST};
use nt_feed::order_collapse::OrderCollapse;
use nt_feed::order_flow::{OrderFlow, OrderStream};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000_000;
/// Five standard errors: by chance alone a check fails once in 1.7 million seeds, and these seeds are fixed.
const SIGMAS: f64 = 5.0;

const FLOW: OrderFlow = OrderFlow {
    limit_rate: 1.0,
    decay: 0.5,
    reach: 20,
    market_rate: 0.4,
    cancel_rate: 0.25,
    limit_size: 5.0,
    market_size: 5.0,
};

fn stream(flow: OrderFlow, seed: u64, seconds: i64) -> OrderStream {
    OrderStream::new(flow, seed, "ALPHA", 10_000, (0, seconds * SECOND)).expect("a market")
}

fn close(found: f64, expected: f64, error: f64) {
    assert!((found - expected).abs() < SIGMAS * error, "{found} is not {expected} within 5 * {error}");
}

fn side_of(event: &Event) -> Side {
    if event.is_bid() { Side::Buy } else { Side::Sell }
}

/// How many events of these times fall into each second.
fn by_second(times: impl Iterator<Item = i64>, seconds: i64) -> Vec<f64> {
    let mut counts = vec![0.0; seconds as usize];
    times.for_each(|time| counts[(time / SECOND) as usize] += 1.0);
    counts
}

/// The mean of Poisson counts has the variance of one over their number, their variance that of their fourth moment.
fn is_poisson(counts: &[f64], mean: f64) {
    let n = counts.len() as f64;
    let found = counts.iter().sum::<f64>() / n;
    let variance = counts.iter().map(|count| (count - found).powi(2)).sum::<f64>() / n;
    close(found, mean, (mean / n).sqrt());
    close(variance, mean, ((mean + 2.0 * mean * mean) / n).sqrt());
}

#[test]
fn limit_and_market_orders_are_poisson_at_their_rates() {
    let seconds = 20_000;
    let events: Vec<Event> =
        stream(FLOW, 1, seconds).skip_while(|event| event.kind != EventKind::SnapshotEnd).collect();
    let times = |kind, side| {
        let of_kind = events.iter().filter(move |event| event.kind == kind && side_of(event) == side);
        let mut times: Vec<i64> = of_kind.map(|event| event.ts_event_ns).collect();
        times.dedup();
        by_second(times.into_iter(), seconds)
    };
    let limits: f64 = (1..=FLOW.reach).map(|distance| 1.0 / f64::from(distance).sqrt()).sum();
    for side in [Side::Buy, Side::Sell] {
        is_poisson(&times(EventKind::OrderAdd, side), limits);
        is_poisson(&times(EventKind::Trade, side), FLOW.market_rate);
    }
}

#[test]
fn limit_orders_come_at_each_distance_at_its_rate_and_in_their_sizes() {
    let seconds = 20_000;
    let mut counts = vec![0.0; FLOW.reach as usize];
    let mut sizes = Vec::new();
    let mut book = OrderBook::new();
    let mut best = [None, None];
    for event in stream(FLOW, 2, seconds) {
        if event.kind == EventKind::OrderAdd && event.ts_event_ns > 0 {
            let other = usize::from(event.is_bid());
            let best: Level = best[other].expect("a book with two sides");
            counts[((best.price - event.price).unsigned_abs() - 1) as usize] += 1.0;
            sizes.push(event.quantity as f64);
        }
        apply(&mut book, &event);
        best = [book.best(Side::Buy), book.best(Side::Sell)];
    }
    for (distance, count) in (1..).zip(counts) {
        let expected = 2.0 * FLOW.limit_rate_at(distance) * seconds as f64;
        close(count, expected, expected.sqrt());
    }
    // A geometric number of mean m has the variance m (m - 1).
    let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
    close(mean, 5.0, (5.0 * 4.0 / sizes.len() as f64).sqrt());
    let ones = sizes.iter().filter(|size| **size == 1.0).count() as f64 / sizes.len() as f64;
    close(ones, 0.2, (0.2 * 0.8 / sizes.len() as f64).sqrt());
}

/// Far from the spread nothing is taken: orders come at a rate and each stays for one over the rate of cancellation, so
/// that their number is Poisson with the mean of the quotient, and the book as deep as that times the size.
#[test]
fn far_from_the_spread_the_book_is_as_deep_as_what_comes_over_what_goes() {
    let flow = OrderFlow { decay: 0.0, reach: 60, limit_rate: 0.5, market_rate: 0.3, ..FLOW };
    let (mean, size) = (flow.limit_rate / flow.cancel_rate, flow.limit_size);
    let mut running = stream(flow, 3, 100_000);
    let (mut counts, mut lots) = (Vec::new(), Vec::new());
    let mut next_ns = 0;
    while let Some(event) = running.next() {
        // Ten lifetimes apart the book has forgotten what it was.
        if event.ts_event_ns >= next_ns && event.flags & LAST != 0 {
            next_ns = event.ts_event_ns + (10.0 / flow.cancel_rate) as i64 * SECOND;
            let book = running.book();
            for side in [Side::Buy, Side::Sell] {
                let other = book.best(side.opposite()).expect("two sides").price;
                for price in (25..45).map(|distance| other - side.sign() * distance) {
                    counts.push(book.orders_at(side, price).count() as f64);
                    lots.push(book.quantity_at(side, price) as f64);
                }
            }
        }
    }
    let n = counts.len() as f64;
    assert!(n > 50_000.0);
    is_poisson(&counts, mean);
    // A sum of a Poisson number of sizes has the variance of their number times their second moment.
    let second_moment = size * (size - 1.0) + size * size;
    close(lots.iter().sum::<f64>() / n, mean * size, (mean * second_moment / n).sqrt());
}

/// Tells a book what a record says of an order.
fn apply(book: &mut OrderBook, event: &Event) {
    let Event { id, price, quantity, .. } = *event;
    match event.kind {
        EventKind::OrderAdd => {
            book.add(RestingOrder { id, side: side_of(event), price, quantity, own: false }).expect("a new order");
        }
        EventKind::OrderDelete => assert_eq!(book.cancel(id).expect("it rests").quantity, quantity),
        EventKind::OrderFill => assert!(book.fill(id, quantity).expect("it rests") >= 0),
        _ => {}
    }
}

fn orders_of(levels: Vec<Level>, orders_at: impl Fn(i64) -> Vec<RestingOrder>) -> Vec<RestingOrder> {
    levels.into_iter().flat_map(|level| orders_at(level.price)).collect()
}

#[test]
fn whoever_plays_the_orders_has_the_book_and_every_fill_is_the_first_at_the_best_price() {
    let mut running = stream(FLOW, 4, 800);
    let (mut book, mut plain) = (OrderBook::new(), PlainBook::new());
    let (mut trade_left, mut fills) = (0, 0);
    while let Some(event) = running.next() {
        if event.kind == EventKind::Trade {
            assert_eq!(trade_left, 0, "the fills of a trade come before the next one");
            trade_left = event.quantity;
            let best = plain.best(side_of(&event).opposite()).expect("what is traded with");
            assert!(best.price == event.price && best.quantity >= event.quantity);
        }
        if event.kind == EventKind::OrderFill {
            let best = plain.best(side_of(&event)).expect("what is filled").price;
            let first = plain.orders_at(side_of(&event), best).next().expect("what is filled");
            assert_eq!((event.price, event.id), (best, first.id));
            trade_left -= event.quantity;
            fills += 1;
            plain.fill(event.id, event.quantity).expect("it rests");
        }
        let Event { id, price, quantity, .. } = event;
        match event.kind {
            EventKind::OrderAdd => {
                plain.add(RestingOrder { id, side: side_of(&event), price, quantity, own: false }).map(|_| ())
            }
            EventKind::OrderDelete => plain.cancel(id).map(|_| ()),
            _ => Ok(()),
        }
        .expect("what a book obeys");
        apply(&mut book, &event);
        for side in [Side::Buy, Side::Sell] {
            let found = orders_of(book.levels(side).collect(), |price| book.orders_at(side, price).collect());
            let defined = orders_of(plain.levels(side).collect(), |price| plain.orders_at(side, price).collect());
            assert_eq!(found, defined);
            if event.flags & LAST != 0 {
                let own = running.book();
                assert_eq!(found, orders_of(own.levels(side).collect(), |price| own.orders_at(side, price).collect()));
                assert_eq!(trade_left, 0);
            }
        }
        if event.flags & LAST != 0 {
            assert!(!book.is_crossed());
        }
    }
    assert!(fills > 300, "{fills}");
    assert_eq!(book.check_invariants(), Ok(()));
}

#[test]
fn the_levels_of_the_collapsed_feed_are_those_of_the_orders() {
    let mut collapse = OrderCollapse::new();
    let (mut book, mut ladder, mut out) = (OrderBook::new(), Ladder::new(), Vec::new());
    let (mut sequence, mut trades) = (0, 0);
    for event in stream(FLOW, 5, 2_000) {
        apply(&mut book, &event);
        trades += i64::from(event.kind == EventKind::Trade) * event.quantity;
        collapse.push(&event, &mut out).expect("a feed");
        if event.flags & LAST == 0 {
            assert!(out.is_empty(), "nothing is told of half an action");
            continue;
        }
        for told in &out {
            assert_eq!((told.ts_event_ns, told.ts_recv_ns), (event.ts_event_ns, event.ts_recv_ns));
            assert_eq!(told.sequence, sequence);
            sequence += 1;
            match told.kind {
                EventKind::Level | EventKind::SnapshotLevel => {
                    ladder.set(side_of(told), told.price, told.quantity).expect("a level");
                }
                EventKind::Trade => trades -= told.quantity,
                kind => assert!(matches!(kind, EventKind::SnapshotBegin | EventKind::SnapshotEnd)),
            }
        }
        assert!(out.iter().rev().map(|told| told.flags & LAST != 0).eq((0..out.len()).map(|at| at == 0)));
        out.clear();
        for side in [Side::Buy, Side::Sell] {
            assert!(ladder.levels(side).eq(book.levels(side)));
        }
    }
    assert_eq!(trades, 0, "every trade is told in both feeds");
}

#[test]
fn changed_orders_change_the_levels_that_they_leave_and_reach() {
    let order = |kind, id, price, quantity| Event {
        id,
        price,
        quantity,
        flags: nt_feed::event::BID | LAST,
        ..Event::bare(kind, 3, 7)
    };
    let mut collapse = OrderCollapse::new();
    let mut out = Vec::new();
    collapse.push(&order(EventKind::OrderAdd, 1, 100, 5), &mut out).expect("a feed");
    collapse.push(&order(EventKind::OrderChange, 1, 99, 8), &mut out).expect("a feed");
    let told: Vec<_> = out.iter().map(|event| (event.price, event.quantity, event.id, event.instrument)).collect();
    assert_eq!(told, [(100, 5, 1, 3), (100, 0, 2, 3), (99, 8, 2, 3)]);
    out.clear();
    // Where a feed tells the trade behind its fills, the level is still the last.
    collapse.push(&Event { flags: 1, ..order(EventKind::OrderFill, 1, 99, 3) }, &mut out).expect("a feed");
    collapse.push(&order(EventKind::Trade, 1, 99, 3), &mut out).expect("a feed");
    let told: Vec<_> = out.iter().map(|event| (event.kind, event.quantity, event.flags & LAST != 0)).collect();
    assert_eq!(told, [(EventKind::Trade, 3, false), (EventKind::Level, 5, true)]);
    out.clear();
    let refused = collapse.push(&order(EventKind::OrderFill, 9, 99, 1), &mut out).expect_err("no such order");
    assert_eq!(refused.to_string(), "no order 9 rests in the book");
    assert_eq!(out, []);
}

#[test]
fn a_seed_gives_the_same_records_for_ever_and_a_longer_stream_extends_a_shorter_one() {
    let checksum = |events: &[Event]| {
        let bytes = events.iter().flat_map(Event::to_bytes);
        bytes.fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
    };
    let long: Vec<Event> = stream(FLOW, 7, 500).collect();
    assert_eq!(
        (long.len(), checksum(&long)),
        (15_992, 15_520_060_350_995_915_870),
        "a change here needs a new VERSION"
    );
    let short: Vec<Event> = stream(FLOW, 7, 200).collect();
    assert_eq!(short, long[..short.len()]);
    assert_ne!(stream(FLOW, 8, 200).collect::<Vec<_>>(), short);
    let named = OrderStream::new(FLOW, 7, "BRAVO", 10_000, (0, 200 * SECOND)).expect("a market");
    assert_ne!(named.collect::<Vec<_>>(), short);
}

#[test]
fn what_makes_no_market_is_refused_by_name() {
    let refused = |flow, start| OrderStream::new(flow, 7, "ALPHA", start, (0, SECOND)).expect_err("refused");
    for (flow, words) in [
        (OrderFlow { limit_rate: 0.0, ..FLOW }, "limit_rate 0 makes no market"),
        (OrderFlow { cancel_rate: f64::NAN, ..FLOW }, "cancel_rate NaN makes no market"),
        (OrderFlow { reach: 0, ..FLOW }, "reach 0 makes no market"),
        (OrderFlow { market_size: 0.5, ..FLOW }, "market_size 0.5 makes no market"),
        (OrderFlow { limit_rate: 1e6, ..FLOW }, "orders would rest at once"),
    ] {
        assert!(refused(flow, 100).contains(words));
    }
    assert!(refused(FLOW, 0).contains("a price of 0 ticks makes no market"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_market_crosses_or_falls_below_one_tick(
        seed in any::<u64>(), start in 1_i64..40, reach in 1_u32..200, limit_rate in 0.01_f64..5.0, decay in 0.0_f64..3.0,
        market_rate in 0.0_f64..50.0, cancel_rate in 0.05_f64..20.0, limit_size in 1.0_f64..50.0, market_size in 1.0_f64..500.0,
        start_ns in any::<i64>(),
    ) {
        let flow = OrderFlow { limit_rate, decay, reach, market_rate, cancel_rate, limit_size, market_size };
        let mut running = OrderStream::new(flow, seed, "X", start, (start_ns, i64::MAX)).expect("a market");
        let (mut collapse, mut out, mut latest) = (OrderCollapse::new(), Vec::new(), start_ns);
        for _ in 0..3_000 {
            let Some(event) = running.next() else { break };
            let priced = !matches!(event.kind, EventKind::SnapshotBegin | EventKind::SnapshotEnd);
            prop_assert!(!priced || (event.price >= 1 && event.quantity >= 1));
            prop_assert!(event.ts_event_ns >= latest);
            latest = event.ts_event_ns;
            prop_assert_eq!(collapse.push(&event, &mut out), Ok(()));
            prop_assert!(event.flags & LAST == 0 || !running.book().is_crossed());
        }
        prop_assert_eq!(running.book().check_invariants(), Ok(()));
    }
}
