//! The fast books against the plain ones that define them: every answer to every command, and all that can be read after.

use std::fmt::Debug;

use nt_book::{
    BookError, Depth, Ladder, Level, Measure, OrderBook, PRICE_MAX, PlainBook, PlainLadder, RestingOrder, Side,
    Updates, columns,
};
use proptest::prelude::*;

const COMMANDS: usize = 100_000;

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

    fn side(&mut self) -> Side {
        if self.below(2) == 0 { Side::Buy } else { Side::Sell }
    }
}

/// Plays commands until the first difference, cuts them down to those that it needs, and prints these.
fn assert_alike<C: Clone + Debug>(commands: &[C], difference: impl Fn(&[C]) -> Option<(usize, String)>) {
    if let Some((at, what)) = difference(commands) {
        let minimal = minimal_case(&commands[..=at], |case| difference(case).is_some());
        let lines: Vec<String> = minimal.iter().map(|command| format!("    {command:?}")).collect();
        let (_, shown) = difference(&minimal).expect("a minimal case still differs");
        panic!("command {at}: {what}\na minimal case: {shown}\n{}", lines.join("\n"));
    }
}

/// Leaves out blocks of commands, ever smaller ones, as long as the rest still fails.
fn minimal_case<C: Clone>(commands: &[C], fails: impl Fn(&[C]) -> bool) -> Vec<C> {
    let mut kept = commands.to_vec();
    let mut block = kept.len().div_ceil(2);
    loop {
        let mut at = 0;
        while at < kept.len() {
            let without: Vec<C> = kept[..at].iter().chain(&kept[(at + block).min(kept.len())..]).cloned().collect();
            if fails(&without) {
                kept = without;
            } else {
                at += block;
            }
        }
        if block == 1 {
            return kept;
        }
        block = block.div_ceil(2);
    }
}

/// What both kinds of book can be asked after a command.
#[derive(Debug, PartialEq)]
struct State {
    bids: Vec<Level>,
    asks: Vec<Level>,
    best: [Option<Level>; 2],
    totals: [i128; 2],
    counts: [usize; 2],
    is_crossed: bool,
}

fn state(book: &impl Depth) -> State {
    State {
        bids: book.levels(Side::Buy).collect(),
        asks: book.levels(Side::Sell).collect(),
        best: [book.best(Side::Buy), book.best(Side::Sell)],
        totals: [book.quantity_up_to(Side::Buy, i64::MIN), book.quantity_up_to(Side::Sell, i64::MAX)],
        counts: [book.count(Side::Buy), book.count(Side::Sell)],
        is_crossed: book.is_crossed(),
    }
}

#[derive(Clone, Debug)]
enum LadderCommand {
    Set(Side, i64, i64),
    Load(Vec<Level>, Vec<Level>),
    Truncate(usize),
    Clear,
}

fn ladder_difference(commands: &[LadderCommand]) -> Option<(usize, String)> {
    let (mut fast, mut plain) = (Ladder::with_window(1), PlainLadder::new());
    for (at, command) in commands.iter().enumerate() {
        let (answer, defined) = match command {
            &LadderCommand::Set(side, price, quantity) => {
                (fast.set(side, price, quantity), plain.set(side, price, quantity))
            }
            LadderCommand::Load(bids, asks) => (fast.load(bids, asks).map(|()| 0), plain.load(bids, asks).map(|()| 0)),
            &LadderCommand::Truncate(depth) => (Ok(fast.truncate(depth) as i64), Ok(plain.truncate(depth) as i64)),
            LadderCommand::Clear => {
                fast.clear();
                plain.clear();
                (Ok(0), Ok(0))
            }
        };
        if answer != defined {
            return Some((at, format!("{command:?} is answered with {answer:?} instead of {defined:?}")));
        }
        let (after, defined) = (state(&fast), state(&plain));
        if after != defined {
            return Some((at, format!("after {command:?} there is {after:?} instead of {defined:?}")));
        }
        if let LadderCommand::Set(side, price, _) = *command
            && (fast.quantity_at(side, price), fast.quantity_up_to(side, price))
                != (plain.quantity_at(side, price), plain.quantity_up_to(side, price))
        {
            return Some((at, format!("{command:?} is not what rests at {price}")));
        }
    }
    None
}

/// A market that wanders and sometimes leaps, whose levels lie near it, further, and beyond what an array covers.
fn ladder_commands(seed: u64, count: usize) -> Vec<LadderCommand> {
    let mut random = Seeded(seed);
    let mut market = 1_000_000_i64;
    let level = |random: &mut Seeded, side: Side, market: i64| {
        let reach = [4, 40, 2_000, 30_000][random.below(4) as usize];
        // Some levels lie on the wrong side of the market, so that books are crossed too.
        Level::new(market - side.sign() * (random.below(reach) - 2), 1 + random.below(9))
    };
    (0..count)
        .map(|_| {
            market += random.below(5) - 2;
            match random.below(1_000) {
                0 => LadderCommand::Clear,
                1..=4 => LadderCommand::Truncate(random.below(30) as usize),
                5 | 6 => {
                    market = random.below(4_000_000) - 1_000_000;
                    let mut side = |side| (0..random.below(40)).map(|_| level(&mut random, side, market)).collect();
                    LadderCommand::Load(side(Side::Buy), side(Side::Sell))
                }
                7..=9 => {
                    market += random.below(20_000) - 10_000;
                    LadderCommand::Set(random.side(), market, 1)
                }
                10 => {
                    LadderCommand::Set(random.side(), [PRICE_MAX + 1, i64::MIN, PRICE_MAX][random.below(3) as usize], 1)
                }
                11 => LadderCommand::Set(random.side(), market, -1),
                _ => {
                    let side = random.side();
                    let Level { price, quantity } = level(&mut random, side, market);
                    LadderCommand::Set(side, price, if random.below(2) == 0 { 0 } else { quantity })
                }
            }
        })
        .collect()
}

#[test]
fn ladders_answer_100_000_commands_alike() {
    for seed in 0..4 {
        assert_alike(&ladder_commands(seed, COMMANDS / 4), ladder_difference);
    }
}

#[test]
fn a_book_of_full_depth_is_that_of_the_plain_ladder() {
    let mut random = Seeded(9);
    let (mut fast, mut plain) = (Ladder::with_window(1), PlainLadder::new());
    // First it grows far beyond the array, then it shrinks, then the market comes to what was far.
    for step in 0..60_000 {
        let price = random.below(16_000) * 100;
        let side = if price < 800_000 { Side::Buy } else { Side::Sell };
        let quantity = if random.below(60_000) < step { 0 } else { 1 + random.below(9) };
        assert_eq!(fast.set(side, price, quantity), plain.set(side, price, quantity), "step {step} at {price}");
        let reach = random.below(1_700_000);
        assert_eq!(fast.quantity_at(side, reach), plain.quantity_at(side, reach), "step {step} at {reach}");
        if step % 1_000 == 0 {
            assert_eq!(fast.check_invariants(), Ok(()), "step {step}");
            assert_eq!(
                fast.quantity_up_to(side, reach),
                plain.quantity_up_to(side, reach),
                "step {step} up to {reach}"
            );
            assert_eq!(state(&fast), state(&plain), "step {step}");
        }
    }
    assert!(fast.count(Side::Buy) > 200, "the book was to be deep");
    while let Some(best) = plain.best(Side::Buy) {
        assert_eq!(fast.set(Side::Buy, best.price, 0), plain.set(Side::Buy, best.price, 0));
        assert_eq!(fast.best(Side::Buy), plain.best(Side::Buy));
    }
    assert_eq!((fast.truncate(100), fast.check_invariants()), (plain.truncate(100), Ok(())));
    assert_eq!(state(&fast), state(&plain));
}

#[test]
fn columns_hold_what_the_measures_give_on_the_plain_ladder_after_each_event() {
    let mut measures = vec![Measure::Mid, Measure::WeightedMid, Measure::Imbalance(1), Measure::Imbalance(4)];
    for side in [Side::Buy, Side::Sell] {
        measures.extend([Measure::Slope(side, 1), Measure::Slope(side, 3), Measure::DepthWithin(side, 0.5)]);
        measures.extend([Measure::FillAverage(side, 9), Measure::FillLast(side, 30), Measure::Best(side)]);
    }
    for seed in 0..8 {
        let (mut side, mut price, mut quantity) = (vec![], vec![], vec![]);
        for command in ladder_commands(seed, 4_000) {
            if let LadderCommand::Set(at, ticks, lots) = command
                && (0..=PRICE_MAX).contains(&ticks)
                && lots >= 0
            {
                side.push(if at == Side::Buy { 1_i8 } else { -1 });
                price.push(ticks);
                quantity.push(lots);
            }
        }
        let depth = [None, Some(12)][seed as usize % 2];
        let updates = Updates { side: &side, price: &price, quantity: &quantity, ends: None };
        let mut out = vec![vec![0.0; side.len()]; measures.len()];
        let mut views: Vec<&mut [f64]> = out.iter_mut().map(Vec::as_mut_slice).collect();
        columns(&mut Ladder::with_window(1), &updates, depth, &measures, &mut views).expect("a stream");
        let mut plain = PlainLadder::new();
        for row in 0..side.len() {
            let at = if side[row] == 1 { Side::Buy } else { Side::Sell };
            plain.set(at, price[row], quantity[row]).expect("a level");
            plain.truncate(depth.unwrap_or(usize::MAX));
            for (measure, column) in measures.iter().zip(&out) {
                let defined = measure.of(&plain);
                let is_same = column[row].to_bits() == defined.to_bits() || column[row].is_nan() && defined.is_nan();
                assert!(is_same, "{measure:?} after row {row} of {seed}: {} instead of {defined}", column[row]);
            }
        }
    }
}

#[test]
fn a_column_looks_past_a_level_of_the_largest_quantity() {
    let updates = Updates { side: &[1, -1, -1], price: &[10, 20, 12], quantity: &[1, 5, i64::MAX], ends: None };
    let measures = [Measure::Slope(Side::Sell, 2), Measure::Imbalance(2), Measure::FillLast(Side::Buy, i64::MAX)];
    let mut out = [[0.0; 3]; 3];
    let mut views: Vec<&mut [f64]> = out.iter_mut().map(<[f64; 3]>::as_mut_slice).collect();
    let mut ladder = Ladder::new();
    columns(&mut ladder, &updates, None, &measures, &mut views).expect("a stream");
    assert_eq!(out.map(|column| column[2]), measures.map(|measure| measure.of(&ladder)));
}

#[derive(Clone, Debug)]
enum BookCommand {
    Add(RestingOrder),
    Cancel(u64),
    Fill(u64, i64),
    Amend(u64, i64, i64),
    Ahead(u64),
    Clear,
}

/// An answer of any command, made comparable.
fn answer<T: Debug>(result: Result<T, BookError>) -> String {
    format!("{result:?}")
}

fn book_difference(commands: &[BookCommand]) -> Option<(usize, String)> {
    let (mut fast, mut plain) = (OrderBook::with_window(1), PlainBook::new());
    for (at, command) in commands.iter().enumerate() {
        let (given, defined) = match *command {
            BookCommand::Add(order) => (answer(fast.add(order)), answer(plain.add(order))),
            BookCommand::Cancel(id) => (answer(fast.cancel(id)), answer(plain.cancel(id))),
            BookCommand::Fill(id, quantity) => (answer(fast.fill(id, quantity)), answer(plain.fill(id, quantity))),
            BookCommand::Amend(id, price, quantity) => {
                (answer(fast.amend(id, price, quantity)), answer(plain.amend(id, price, quantity)))
            }
            BookCommand::Ahead(id) => (answer(fast.queue_ahead(id)), answer(plain.queue_ahead(id))),
            BookCommand::Clear => {
                fast.clear();
                plain.clear();
                (String::new(), String::new())
            }
        };
        if given != defined {
            return Some((at, format!("{command:?} is answered with {given} instead of {defined}")));
        }
        let (after, defined) = (state(&fast), state(&plain));
        if after != defined || fast.orders() != plain.orders() {
            return Some((at, format!("after {command:?} there is {after:?} instead of {defined:?}")));
        }
        for side in [Side::Buy, Side::Sell] {
            for level in plain.levels(side) {
                if !fast.orders_at(side, level.price).eq(plain.orders_at(side, level.price)) {
                    return Some((at, format!("after {command:?} the queue at {} differs", level.price)));
                }
            }
        }
    }
    None
}

fn book_commands(seed: u64, count: usize) -> Vec<BookCommand> {
    let mut random = Seeded(seed);
    let (mut market, mut latest) = (50_000_i64, 0_u64);
    (0..count)
        .map(|_| {
            market += random.below(3) - 1;
            let side = random.side();
            let reach = [3, 10, 10, 20_000][random.below(4) as usize];
            let price = market - side.sign() * random.below(reach);
            let quantity = 1 + random.below(9);
            // Numbers of orders that may be gone, or never were.
            let id = latest.saturating_sub(random.below(60) as u64);
            match random.below(400) {
                0 => BookCommand::Clear,
                1 => BookCommand::Fill(id, -random.below(2)),
                2 => BookCommand::Amend(id, PRICE_MAX + 1, 1),
                3 => BookCommand::Add(RestingOrder { id: u64::MAX, side, price, quantity: i64::MAX, own: false }),
                4 => BookCommand::Cancel(u64::MAX),
                5 => BookCommand::Amend(id, price, i64::MAX),
                6 => BookCommand::Add(RestingOrder { id, side, price, quantity, own: true }),
                7..=149 => {
                    latest += 1 + random.below(3) as u64;
                    BookCommand::Add(RestingOrder { id: latest, side, price, quantity, own: random.below(10) == 0 })
                }
                150..=229 => BookCommand::Cancel(id),
                230..=299 => BookCommand::Fill(id, quantity),
                300..=339 => BookCommand::Amend(id, price, quantity),
                340..=369 => BookCommand::Ahead(id),
                _ => {
                    let near = latest.saturating_sub(random.below(8) as u64);
                    BookCommand::Cancel(near)
                }
            }
        })
        .collect()
}

#[test]
fn order_books_answer_100_000_commands_alike() {
    for seed in 0..4 {
        assert_alike(&book_commands(seed, COMMANDS / 4), book_difference);
    }
}

#[test]
fn a_case_is_cut_down_to_the_commands_that_it_needs() {
    let fails = |case: &[i32]| case.contains(&17) && case.contains(&900);
    assert_eq!(minimal_case(&(0..1_000).collect::<Vec<_>>(), fails), [17, 900]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_ladder_agrees_with_itself_after_each_command(seed in any::<u64>(), count in 1_usize..120) {
        let mut ladder = Ladder::with_window(1);
        for command in ladder_commands(seed, count) {
            // A refused command is one that must change nothing.
            let before = state(&ladder);
            let answer = match &command {
                &LadderCommand::Set(side, price, quantity) => ladder.set(side, price, quantity).map(drop),
                LadderCommand::Load(bids, asks) => ladder.load(bids, asks).or(Ok(())),
                &LadderCommand::Truncate(depth) => { ladder.truncate(depth); Ok(()) }
                LadderCommand::Clear => { ladder.clear(); Ok(()) }
            };
            prop_assert_eq!(ladder.check_invariants(), Ok(()), "{:?}", command);
            prop_assert!(answer.is_ok() || state(&ladder) == before, "{:?}", command);
        }
    }

    #[test]
    fn an_order_book_agrees_with_itself_after_each_command(seed in any::<u64>(), count in 1_usize..120) {
        let mut book = OrderBook::with_window(1);
        for command in book_commands(seed, count) {
            let before = (state(&book), book.orders());
            let refused = match command {
                BookCommand::Add(order) => book.add(order).is_err(),
                BookCommand::Cancel(id) => book.cancel(id).is_err(),
                BookCommand::Fill(id, quantity) => book.fill(id, quantity).is_err(),
                BookCommand::Amend(id, price, quantity) => book.amend(id, price, quantity).is_err(),
                BookCommand::Ahead(id) => book.queue_ahead(id).is_err(),
                BookCommand::Clear => { book.clear(); false }
            };
            prop_assert_eq!(book.check_invariants(), Ok(()), "{:?}", command);
            prop_assert!(!refused || (state(&book), book.orders()) == before, "{:?}", command);
        }
    }

    #[test]
    fn the_order_of_updates_to_different_prices_does_not_matter(seed in any::<u64>()) {
        let mut random = Seeded(seed);
        let levels: Vec<(Side, i64)> = (0..200).map(|at| (random.side(), at * 97 % 30_011)).collect();
        let mut shuffled = levels.clone();
        shuffled.sort_by_key(|&(_, price)| price * 31 % 1_009);
        let (mut one, mut other) = (Ladder::with_window(1), Ladder::new());
        for (ladder, order) in [(&mut one, levels), (&mut other, shuffled)] {
            for (side, price) in order {
                ladder.set(side, price, 1 + price % 7).expect("a level in range");
            }
        }
        prop_assert_eq!(state(&one), state(&other));
    }
}
