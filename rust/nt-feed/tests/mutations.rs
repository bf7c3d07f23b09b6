//! Messages of every venue, changed at random: a feed neither panics nor hangs, reports each one that it cannot read, and
//! shows no crossed book.

use nt_book::Depth;
use nt_core::Step;
use nt_feed::capture::{feed_document, feed_lines};
use nt_feed::description::instruments_of;
use nt_feed::feed::{Feed, Settings, Venue};
use nt_feed::instrument::{Grid, Instruments};
use proptest::prelude::*;

/// Messages in the forms of the venues' own documentation, a line each, in an order that makes a session.
const SESSIONS: [(Venue, &str); 6] = [
    (Venue::Binance, include_str!("messages/binance.txt")),
    (Venue::BinanceUsdm, include_str!("messages/binance_usdm.txt")),
    (Venue::Kraken, include_str!("messages/kraken.txt")),
    (Venue::Coinbase, include_str!("messages/coinbase.txt")),
    (Venue::CoinbaseExchange, include_str!("messages/coinbase_exchange.txt")),
    (Venue::Oanda, include_str!("messages/oanda.txt")),
];

fn feed(venue: Venue) -> Feed {
    let grid = Grid::new(Step { mantissa: 1, decimals: 2 }, Step { mantissa: 1, decimals: 8 });
    let mut instruments = Instruments::new(None);
    instruments.add(b"AB", grid);
    Feed::new(venue, instruments, Settings { silence_ns: 0, ..Settings::of(venue) })
}

/// One change of a message: where, how, and with which bytes.
fn changed(message: &str, (place, how, bytes): &(usize, u8, Vec<u8>)) -> Vec<u8> {
    let mut text = message.as_bytes().to_vec();
    let at = place % (text.len() + 1);
    match how % 4 {
        0 => text.truncate(at),
        1 => drop(text.splice(at..at, bytes.iter().copied())),
        2 => drop(text.splice(at..(at + bytes.len()).min(message.len()), bytes.iter().copied())),
        _ => drop(text.drain(at..(at + bytes.len()).min(message.len()))),
    }
    text
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..8),
        r#"[\[\]{}",:0-9.e+\-\\]{1,30}"#.prop_map(String::into_bytes),
        Just(vec![b'9'; 40]),
        Just(vec![b'['; 200]),
    ]
}

#[test]
fn the_messages_are_read_as_they_are() {
    for (venue, messages) in SESSIONS {
        let mut feed = feed(venue);
        for message in messages.lines() {
            feed.message(1, message.as_bytes());
        }
        assert_eq!((feed.tally().malformed, feed.take_reports()), (0, vec![]), "{venue:?}");
        assert!(feed.events().len() > messages.lines().count(), "{venue:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]
    #[test]
    fn no_change_of_messages_ends_a_feed_or_shows_a_crossed_book(
        session in 0..SESSIONS.len(), changes in prop::collection::vec((any::<usize>(), any::<u8>(), piece()), 7),
        kept in any::<u8>(),
    ) {
        let (venue, messages) = SESSIONS[session];
        let mut feed = feed(venue);
        for (number, (message, change)) in messages.lines().zip(&changes).enumerate() {
            let text = if kept >> number & 1 == 1 { message.as_bytes().to_vec() } else { changed(message, change) };
            feed.message(number as i64 + 1, &text);
            prop_assert!(feed.book(0).is_none_or(|book| !book.is_crossed()));
            prop_assert!(feed.book(0).is_none_or(|book| book.check_invariants().is_ok()));
            let _ = feed_document(&mut feed, &text);
            let _ = instruments_of(venue, &text);
        }
        let tally = feed.tally();
        let reports = feed.take_reports();
        prop_assert_eq!(reports.len() as u64, tally.malformed);
        for report in reports {
            prop_assert!(report.fault.offset <= 3000 && report.first_bytes().len() <= 48);
        }
        prop_assert!(feed.events().len() < 200, "records are bounded by the messages");
    }

    #[test]
    fn no_text_ends_a_capture(text in prop::collection::vec(any::<u8>(), 0..400), session in 0..SESSIONS.len()) {
        let mut feed = feed(SESSIONS[session].0);
        feed_lines(&mut feed, &text);
        prop_assert!(feed.tally().messages <= text.len() as u64 + 1);
    }
}
