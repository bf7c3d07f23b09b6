//! Prints how fast the books are: `cargo run --release -p nt-book --example throughput [updates]`.
//!
//! Regime: one core, five million seeded updates of a market that wanders; the best price of both sides is read after
//! each. How near to the market the updates are, and how many add, change or remove a level, is printed first. Every
//! contender has to find the same best prices before it is timed; best of three.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use nt_book::{Depth, Ladder, Level, Measure, OrderBook, PlainBook, PlainLadder, RestingOrder, Side, Updates, columns};

/// SplitMix64.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, span: u64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((word ^ (word >> 31)) % span) as i64
    }
}

#[derive(Clone, Copy)]
struct Update {
    side: Side,
    price: i64,
    quantity: i64,
}

/// A market with a coarse tick, as most futures have: updates near the best. Weights of a hundred, and ticks.
const COARSE: [(i64, u64); 4] = [(50, 64), (30, 1_000), (10, 4_000), (10, 20_000)];

/// A market with a fine tick: the distances of the updates of a recorded session of BTC/USDT with a tick of a cent.
const FINE: [(i64, u64); 7] = [(3, 16), (6, 256), (10, 1_024), (19, 4_096), (42, 16_384), (15, 65_536), (5, 300_000)];

/// Updates that never cross the book: where the market moves, what stood in its way goes first. Of the others two fifths
/// remove a level, an eighth changes one, and the rest add or change one, as in that session.
fn updates(count: usize, reaches: &[(i64, u64)]) -> Vec<Update> {
    let mut random = Seeded(7);
    // By badness, so that the first of both sides is the best.
    let mut books = [BTreeMap::<i64, i64>::new(), BTreeMap::new()];
    let mut market = 6_180_000_i64;
    let mut made = Vec::with_capacity(count);
    while made.len() < count {
        if random.below(16) == 0 {
            market += random.below(21) - 10;
        }
        let side = if random.below(2) == 0 { Side::Buy } else { Side::Sell };
        let opposite = &mut books[usize::from(side == Side::Buy)];
        while let Some((&rank, _)) = opposite.first_key_value()
            && rank <= market * side.sign()
        {
            made.push(Update { side: side.opposite(), price: rank * side.sign(), quantity: 0 });
            opposite.remove(&rank);
        }
        let mut choice = random.below(100);
        let chosen = reaches.iter().find(|(weight, _)| {
            choice -= weight;
            choice < 0
        });
        let reach = chosen.expect("weights of a hundred").1;
        let book = &mut books[usize::from(side == Side::Sell)];
        let rank = random.below(reach) - market * side.sign();
        let existing = book.range(rank..).next().map(|(&rank, _)| rank);
        let (rank, quantity) = match (random.below(100), existing) {
            (0..39, Some(existing)) if book.len() > 1_000 => (existing, 0),
            (39..52, Some(existing)) => (existing, 1 + random.below(5_000_000)),
            _ => (rank, 1 + random.below(5_000_000)),
        };
        made.push(Update { side, price: -rank * side.sign(), quantity });
        if quantity == 0 {
            book.remove(&rank);
        } else {
            book.insert(rank, quantity);
        }
    }
    made.truncate(count);
    made
}

/// Says what kind of stream this is, in shares of its updates.
fn print_regime(updates: &[Update]) {
    let mut book = PlainLadder::new();
    let (mut near, mut far, mut added, mut removed) = (0, 0, 0, 0);
    for update in updates {
        let distance = book.best(update.side).map_or(0, |best| (best.price - update.price).abs());
        let before = book.set(update.side, update.price, update.quantity).expect("a level");
        near += usize::from(distance < 64);
        far += usize::from(distance > 4_000);
        added += usize::from(before == 0 && update.quantity > 0);
        removed += usize::from(before > 0 && update.quantity == 0);
    }
    let share = |count: usize| 100.0 * count as f64 / updates.len() as f64;
    println!(
        "  {:.0} % within 64 ticks of the best, {:.0} % beyond 4,000; {:.0} % add a level, {:.0} % remove one; {} levels",
        share(near),
        share(far),
        share(added),
        share(removed),
        book.count(Side::Buy) + book.count(Side::Sell)
    );
}

/// Adds what can be read at the touch to a checksum, so that all contenders do and find the same.
fn mix(sum: u64, bid: Option<Level>, ask: Option<Level>) -> u64 {
    let read = |level: Option<Level>| level.map_or(0, |level| (level.price as u64).wrapping_add(level.quantity as u64));
    sum.wrapping_mul(3).wrapping_add(read(bid)).wrapping_add(read(ask).wrapping_mul(5))
}

fn ladder(updates: &[Update]) -> u64 {
    let mut book = Ladder::new();
    updates.iter().fold(0, |sum, update| {
        book.set(update.side, update.price, update.quantity).expect("a level");
        mix(sum, book.best(Side::Buy), book.best(Side::Sell))
    })
}

fn plain(updates: &[Update]) -> u64 {
    let mut book = PlainLadder::new();
    updates.iter().fold(0, |sum, update| {
        book.set(update.side, update.price, update.quantity).expect("a level");
        mix(sum, book.best(Side::Buy), book.best(Side::Sell))
    })
}

fn sorted_map(updates: &[Update]) -> u64 {
    let (mut bids, mut asks) = (BTreeMap::new(), BTreeMap::new());
    updates.iter().fold(0, |sum, update| {
        let levels = if update.side == Side::Buy { &mut bids } else { &mut asks };
        if update.quantity == 0 {
            levels.remove(&update.price);
        } else {
            levels.insert(update.price, update.quantity);
        }
        let level = |(&price, &quantity): (&i64, &i64)| Level { price, quantity };
        mix(sum, bids.last_key_value().map(level), asks.first_key_value().map(level))
    })
}

/// A full-depth book: a snapshot of 50,000 levels a side over 5,000,000 ticks, then updates at any of its levels.
fn full_depth(count: usize) -> Vec<Update> {
    let mut random = Seeded(3);
    let place = |at: i64| {
        let side = if at % 2 == 0 { Side::Buy } else { Side::Sell };
        (side, 6_180_000 - side.sign() * (1 + at / 2 * 100))
    };
    let snapshot = (0..100_000).map(|at| (place(at), 1));
    let later = (0..count).map(|_| (place(random.below(100_000)), random.below(3)));
    snapshot.chain(later).map(|((side, price), quantity)| Update { side, price, quantity }).collect()
}

#[derive(Clone, Copy)]
enum Command {
    Add(RestingOrder),
    Cancel(u64),
    Fill(u64, i64),
    Amend(u64, i64, i64),
}

/// Commands to a book of some ten thousand orders: 45 adds, 35 cancels, 12 fills and 8 amendments of a hundred.
fn commands(count: usize) -> Vec<Command> {
    let mut random = Seeded(11);
    let mut resting: Vec<RestingOrder> = vec![];
    let mut market = 500_000_i64;
    (0..count)
        .map(|at| {
            market += random.below(3) - 1;
            let side = if random.below(2) == 0 { Side::Buy } else { Side::Sell };
            let reach = if random.below(4) == 0 { 2_000 } else { 30 };
            let price = market - side.sign() * (1 + random.below(reach));
            let choice = random.below(100);
            if resting.len() < 10_000 || choice < 45 {
                let order = RestingOrder { id: at as u64, side, price, quantity: 100 + random.below(900), own: false };
                resting.push(order);
                return Command::Add(order);
            }
            // The younger an order, the sooner it goes.
            let span = if random.below(2) == 0 { 200 } else { resting.len() as u64 };
            let age = random.below(span) as usize;
            let chosen = resting.len() - 1 - age;
            match choice {
                45..80 => Command::Cancel(resting.swap_remove(chosen).id),
                80..92 => {
                    let order = &mut resting[chosen];
                    let quantity = order.quantity.div_euclid(2).max(1);
                    order.quantity -= quantity;
                    let fill = Command::Fill(order.id, quantity);
                    if order.quantity == 0 {
                        resting.swap_remove(chosen);
                    }
                    fill
                }
                _ => {
                    let order = &mut resting[chosen];
                    order.price += order.side.sign() * (random.below(2) - 1);
                    order.quantity = (order.quantity - 10).max(1);
                    Command::Amend(order.id, order.price, order.quantity)
                }
            }
        })
        .collect()
}

macro_rules! play_orders {
    ($book:expr, $commands:expr) => {{
        let mut book = $book;
        $commands.iter().fold(0, |sum, &command| {
            match command {
                Command::Add(order) => drop(book.add(order).expect("a new order")),
                Command::Cancel(id) => drop(book.cancel(id).expect("it rests")),
                Command::Fill(id, quantity) => drop(book.fill(id, quantity).expect("it rests")),
                Command::Amend(id, price, quantity) => drop(book.amend(id, price, quantity).expect("it rests")),
            }
            mix(sum, book.best(Side::Buy), book.best(Side::Sell))
        })
    }};
}

fn best_of_three(mut work: impl FnMut() -> u64) -> f64 {
    (0..3)
        .map(|_| {
            let start = Instant::now();
            black_box(work());
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

fn print(label: &str, count: usize, seconds: f64, baseline: f64) {
    let rate = count as f64 / seconds / 1e6;
    println!("{label:<44} {rate:>8.1} M/s {:>7.1} ns {:>7.1}x", seconds * 1e9 / count as f64, baseline / seconds);
}

fn main() {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(5_000_000);
    let fine = updates(count, &FINE);
    let stream = updates(count, &COARSE);
    for (label, stream) in [("a fine tick", &fine), ("a coarse tick", &stream)] {
        let found = ladder(stream);
        assert!(found == plain(stream) && found == sorted_map(stream), "the books disagree");
        println!("L2 updates of a market with {label}, best bid and ask read after each ({count} updates)");
        print_regime(stream);
        let by_map = best_of_three(|| sorted_map(stream));
        print("BTreeMap", count, by_map, by_map);
        print("plain ladder", count, best_of_three(|| plain(stream)), by_map);
        print("ladder", count, best_of_three(|| ladder(stream)), by_map);
    }

    let deep = full_depth(count.div_ceil(5));
    assert_eq!(ladder(&deep), sorted_map(&deep), "the books disagree");
    println!("the same of a full-depth book, 100,000 levels over 10,000,000 ticks ({} updates)", deep.len());
    let by_map = best_of_three(|| sorted_map(&deep));
    print("BTreeMap", deep.len(), by_map, by_map);
    print("ladder", deep.len(), best_of_three(|| ladder(&deep)), by_map);

    let side: Vec<i8> = stream.iter().map(|update| update.side.sign() as i8).collect();
    let price: Vec<i64> = stream.iter().map(|update| update.price).collect();
    let quantity: Vec<i64> = stream.iter().map(|update| update.quantity).collect();
    let columnar = Updates { side: &side, price: &price, quantity: &quantity, ends: None };
    println!("measures after each update of the coarse market, into columns");
    let touch = [Measure::Mid, Measure::Spread, Measure::WeightedMid, Measure::Imbalance(1), Measure::OrderFlow];
    let deep = [
        Measure::Imbalance(5),
        Measure::DepthWithin(Side::Buy, 1.0),
        Measure::FillAverage(Side::Buy, 20_000_000),
        Measure::Slope(Side::Sell, 5),
    ];
    let mut both = touch.to_vec();
    both.extend(deep);
    for (label, measures) in [
        ("mid, spread, weighted mid, imbalance, flow", &touch[..]),
        ("imbalance(5), depth, cost to fill, slope(5)", &deep[..]),
        ("all nine", &both[..]),
    ] {
        let mut out = vec![vec![0.0; count]; measures.len()];
        let seconds = best_of_three(|| {
            let mut views: Vec<&mut [f64]> = out.iter_mut().map(Vec::as_mut_slice).collect();
            let mut book = Ladder::new();
            columns(&mut book, &columnar, None, measures, &mut views).expect("a stream");
            book.count(Side::Buy) as u64
        });
        let mut book = PlainLadder::new();
        for (row, update) in stream.iter().enumerate() {
            book.set(update.side, update.price, update.quantity).expect("a level");
            // Every tenth event: the plain ladder would take minutes for all of them.
            for (measure, column) in measures.iter().zip(&out).filter(|_| row % 10 == 0) {
                let (value, defined) = (column[row], measure.of(&book));
                assert!(
                    *measure == Measure::OrderFlow || value.to_bits() == defined.to_bits(),
                    "{measure:?} at update {row}: {value} instead of {defined}"
                );
            }
        }
        print(label, count, seconds, seconds);
    }

    let orders = commands(count.div_ceil(2));
    let short = &orders[..orders.len().min(20_000)];
    assert_eq!(play_orders!(OrderBook::new(), short), play_orders!(PlainBook::new(), short), "the L3 books disagree");
    println!("L3 commands, best bid and ask read after each ({} commands, 10,000 orders)", orders.len());
    let plain = best_of_three(|| play_orders!(PlainBook::new(), short)) / short.len() as f64 * orders.len() as f64;
    print("plain book (its first 20,000)", orders.len(), plain, plain);
    print("order book", orders.len(), best_of_three(|| play_orders!(OrderBook::new(), orders)), plain);
}
