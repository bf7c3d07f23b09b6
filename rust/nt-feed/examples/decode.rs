//! Prints how long a level takes from the bytes of a message to the book: `cargo run --release --example decode [CAPTURE]`.
//!
//! Regime: one core, diffs of twenty levels around a walking price on a book of a thousand levels a side, best of seven. A
//! capture is a text of lines `recv_ns message` of one Binance spot instrument with two decimals of price and eight of
//! quantity. Before anything is timed, the records are applied to a second ladder, which must equal the book of the feed.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use nt_book::{Depth, Ladder, Side};
use nt_core::Step;
use nt_feed::capture::feed_lines;
use nt_feed::event::{Event, EventKind};
use nt_feed::feed::{Feed, Settings, Venue};
use nt_feed::instrument::{Grid, Instruments};

const DIFFS: u64 = 20_000;
const LEVELS: u64 = 10;

fn feed() -> Feed {
    let grid = Grid::new(Step { mantissa: 1, decimals: 2 }, Step { mantissa: 1, decimals: 8 });
    let mut instruments = Instruments::new(None);
    instruments.add(b"BTCUSDT", grid);
    let settings = Settings { silence_ns: 0, ..Settings::of(Venue::Binance) };
    Feed::new(Venue::Binance, instruments, settings)
}

fn session() -> String {
    let mut seed = 7_u64;
    let mut draw = |span: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % span
    };
    let level = |text: &mut String, ticks: u64, lots: u64| {
        let comma = if text.ends_with('[') { "" } else { "," };
        let (whole, cents) = (ticks / 100, ticks % 100);
        let _ = write!(text, "{comma}[\"{whole}.{cents:02}000000\",\"{}.{:05}000\"]", lots / 100_000, lots % 100_000);
    };
    let mut middle = 6_183_763;
    let mut text = String::from("1723161254206652067 {\"lastUpdateId\":100,\"bids\":[");
    (1..=1000).for_each(|distance| level(&mut text, middle - distance, 1 + draw(1_000_000)));
    text.push_str("],\"asks\":[");
    (1..=1000).for_each(|distance| level(&mut text, middle + distance, 1 + draw(1_000_000)));
    text.push_str("]}\n");
    for number in 0..DIFFS {
        // The walk is slow enough that a diff can delete what it has crossed.
        let next = middle + draw(3) - 1;
        let id = 101 + number;
        let _ = write!(
            text,
            "{} {{\"stream\":\"btcusdt@depth@100ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1723161255208,\"s\":\"BTCUSDT\",\"U\":{id},\"u\":{id},\"b\":[",
            1_723_161_254_206_652_068 + number
        );
        (0..=1).for_each(|above| level(&mut text, next + above, 0));
        level(&mut text, next - 1, 1 + draw(1_000_000));
        (3..LEVELS).for_each(|_| level(&mut text, next - 1 - draw(500), draw(4) * draw(1_000_000)));
        level(&mut text, next - 1, 1 + draw(1_000_000));
        text.push_str("],\"a\":[");
        (0..=1).for_each(|below| level(&mut text, next - below, 0));
        (3..LEVELS).for_each(|_| level(&mut text, next + 1 + draw(500), draw(4) * draw(1_000_000)));
        level(&mut text, next + 1, 1 + draw(1_000_000));
        text.push_str("]}}\n");
        middle = next;
    }
    text
}

fn levels_in(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event.kind, EventKind::Level | EventKind::SnapshotLevel)).count()
}

/// The book that the records alone give must be the book of the feed.
fn check(feed: &Feed) {
    let mut ladder = Ladder::new();
    for event in feed.events() {
        let side = if event.is_bid() { Side::Buy } else { Side::Sell };
        match event.kind {
            EventKind::SnapshotBegin => ladder.clear(),
            EventKind::Level | EventKind::SnapshotLevel => {
                ladder.set(side, event.price, event.quantity).expect("prices were checked");
            }
            kind => assert!(kind < EventKind::Gap || kind == EventKind::Resync, "the session has a {kind:?}"),
        }
    }
    let book = feed.book(0).expect("the session ends with a book");
    for side in [Side::Buy, Side::Sell] {
        assert!(book.count(side) > 0 && book.levels(side).eq(ladder.levels(side)), "the books differ");
    }
}

fn main() {
    let text = match std::env::args().nth(1) {
        Some(path) => std::fs::read_to_string(path).expect("the capture is readable text"),
        None => session(),
    };
    let mut checked = feed();
    feed_lines(&mut checked, text.as_bytes());
    check(&checked);
    let levels = levels_in(checked.events());
    let messages = checked.tally().messages;
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let mut timed = feed();
        let start = Instant::now();
        for block in text.split_inclusive('\n') {
            feed_lines(&mut timed, block.trim_end().as_bytes());
            black_box(timed.events());
            timed.clear_events();
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{messages} messages, {levels} levels: {:.1} ns from wire bytes to book per level, {:.0} MB/s",
        best * 1e9 / levels as f64,
        text.len() as f64 / best / 1e6
    );
}
