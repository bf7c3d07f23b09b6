//! Bytes as commands, played to the fast books and to the plain ones that define them: each has to answer alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nt_book::{
    Depth, Ladder, Level, Measure, OrderBook, PRICE_MAX, PlainBook, PlainLadder, RestingOrder, Side, Updates, columns,
};

/// Four bytes are a command: what, where, how much, and whose or how far.
type Command = [u8; 4];

const MEASURES: [Measure; 7] = [
    Measure::WeightedMid,
    Measure::Imbalance(1),
    Measure::Imbalance(3),
    Measure::DepthWithin(Side::Buy, 5.0),
    Measure::FillAverage(Side::Buy, 100),
    Measure::FillLast(Side::Sell, 50),
    Measure::Slope(Side::Sell, 2),
];

fn side_of(what: u8) -> Side {
    if what & 1 == 0 { Side::Buy } else { Side::Sell }
}

/// A price near the others of its kind: dense, further apart, beyond what an array covers, or out of range.
fn price_of(what: u8, place: u8) -> i64 {
    let place = i64::from(place);
    match what >> 1 & 7 {
        0..=3 => 100_000 + place,
        4 | 5 => 100_000 + place * 50,
        6 => place * 1_000_003 - 100_000_000,
        _ => PRICE_MAX - 200 + place,
    }
}

fn quantity_of(given: u8) -> i64 {
    match given {
        255 => i64::MAX,
        254 => -1,
        _ => i64::from(given),
    }
}

fn assert_equal(fast: &impl Depth, plain: &impl Depth, up_to: i64) {
    for side in [Side::Buy, Side::Sell] {
        assert!(fast.levels(side).eq(plain.levels(side)));
        assert_eq!((fast.best(side), fast.count(side)), (plain.best(side), plain.count(side)));
        assert_eq!(fast.quantity_at(side, up_to), plain.quantity_at(side, up_to));
        assert_eq!(fast.quantity_up_to(side, up_to), plain.quantity_up_to(side, up_to));
    }
}

fn play_levels(commands: &[Command]) {
    let (mut fast, mut plain) = (Ladder::with_window(1), PlainLadder::new());
    for &[what, place, quantity, reach] in commands {
        let (price, quantity) = (price_of(what, place), quantity_of(quantity));
        match what >> 4 {
            0 => assert_eq!(fast.truncate(usize::from(reach)), plain.truncate(usize::from(reach))),
            1 if reach == 0 => {
                fast.clear();
                plain.clear();
            }
            2 => {
                let levels = [Level::new(price, quantity), Level::new(price + i64::from(reach), 1)];
                assert_eq!(fast.load(&levels, &levels[..1]), plain.load(&levels, &levels[..1]));
            }
            _ => assert_eq!(fast.set(side_of(what), price, quantity), plain.set(side_of(what), price, quantity)),
        }
        assert_equal(&fast, &plain, price_of(what, reach));
    }
    assert_eq!(fast.check_invariants(), Ok(()));
}

/// The same updates as columns, whose measures remember what they saw.
fn play_columns(commands: &[Command]) {
    let plausible = |&&[what, place, quantity, _]: &&Command| price_of(what, place) <= PRICE_MAX && quantity != 254;
    let commands: Vec<&Command> = commands.iter().filter(plausible).collect();
    let side: Vec<i8> = commands.iter().map(|command| side_of(command[0]).sign() as i8).collect();
    let price: Vec<i64> = commands.iter().map(|command| price_of(command[0], command[1])).collect();
    let quantity: Vec<i64> = commands.iter().map(|command| quantity_of(command[2])).collect();
    let updates = Updates { side: &side, price: &price, quantity: &quantity, ends: None };
    let depth = commands.first().map(|command| usize::from(command[3] % 16)).filter(|depth| *depth > 0);
    let mut out = vec![vec![0.0; side.len()]; MEASURES.len()];
    let mut views: Vec<&mut [f64]> = out.iter_mut().map(Vec::as_mut_slice).collect();
    columns(&mut Ladder::with_window(1), &updates, depth, &MEASURES, &mut views).expect("plausible updates");
    let mut plain = PlainLadder::new();
    for (row, command) in commands.iter().enumerate() {
        plain.set(side_of(command[0]), price[row], quantity[row]).expect("a plausible update");
        plain.truncate(depth.unwrap_or(usize::MAX));
        for (measure, column) in MEASURES.iter().zip(&out) {
            let (value, defined) = (column[row], measure.of(&plain));
            assert!(value.to_bits() == defined.to_bits() || value.is_nan() && defined.is_nan(), "{measure:?} at {row}");
        }
    }
}

fn play_orders(commands: &[Command]) {
    let (mut fast, mut plain) = (OrderBook::with_window(1), PlainBook::new());
    for &[what, place, quantity, id] in commands {
        let (price, quantity, id) = (price_of(what, place), quantity_of(quantity), u64::from(id));
        let order = RestingOrder { id, side: side_of(what), price, quantity, own: place & 1 == 1 };
        match what >> 4 {
            0..=6 => assert_eq!(fast.add(order), plain.add(order)),
            7..=9 => assert_eq!(fast.cancel(id), plain.cancel(id)),
            10 | 11 => assert_eq!(fast.fill(id, quantity), plain.fill(id, quantity)),
            12..=14 => assert_eq!(fast.amend(id, price, quantity), plain.amend(id, price, quantity)),
            _ if place == 0 => {
                fast.clear();
                plain.clear();
            }
            _ => assert_eq!(fast.queue_ahead(id), plain.queue_ahead(id)),
        }
        assert_equal(&fast, &plain, price);
        assert!(fast.orders_at(order.side, price).eq(plain.orders_at(order.side, price)));
    }
    assert_eq!(fast.check_invariants(), Ok(()));
}

fuzz_target!(|bytes: &[u8]| {
    let (commands, _) = bytes.as_chunks::<4>();
    play_levels(commands);
    play_columns(commands);
    play_orders(commands);
});
