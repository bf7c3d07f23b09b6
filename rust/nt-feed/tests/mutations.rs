//! Messages of every venue, changed at random: a feed neither panics nor hangs, reports each one that it cannot read, and
//! shows no crossed book.

use nt_book::Depth;
use nt_core::Step;
use nt_feed::capture::{feed_document, feed_lines};
use nt_feed::description::instruments_of;
use nt_feed::feed::{Feed, Settings, Venue};
use nt_feed::instrument::{Grid, Instruments};
use proptest::prelude::*;

/// Messages in the forms of the venues' own documentation, in an order that makes a session.
const SESSIONS: [(Venue, &[&str]); 6] = [
    (
        Venue::Binance,
        &[
            r#"{"stream":"ab@depth","data":{"e":"depthUpdate","E":1723161255208,"s":"AB","U":11,"u":12,"b":[["1.01","2.5"]],"a":[]}}"#,
            r#"{"lastUpdateId":10,"bids":[["1.00000000","1"],["0.99","2.00000000"]],"asks":[["1.02","3.5"],["1.03","4"]]}"#,
            r#"{"e":"trade","E":1723161255343,"s":"AB","t":77,"p":"1.01","q":"0.02","T":1723161255342,"m":true,"M":true}"#,
            r#"{"e":"aggTrade","E":1723161255343,"s":"AB","a":7,"p":"1.01","q":"0.02","f":1,"l":2,"T":1723161255342,"m":false}"#,
            r#"{"u":12,"s":"AB","b":"1.01","B":"2.5","a":"1.02","A":"3.5"}"#,
            r#"{"e":"kline","E":1633998288469,"s":"AB","k":{"t":1633998240000,"T":1633998299999,"s":"AB","i":"1m","o":"1.00","c":"1.01","h":"1.02","l":"0.99","v":"18.5","x":true}}"#,
            r#"{"e":"depthUpdate","E":1723161255308,"s":"AB","U":13,"u":13,"b":[["1.01","0"]],"a":[["1.02","1"],["1.5","9"]]}"#,
        ],
    ),
    (
        Venue::BinanceUsdm,
        &[
            r#"{"e":"depthUpdate","E":1723161255208,"T":1723161255208,"s":"AB","U":8,"u":12,"pu":7,"b":[["1.01","2.5"]],"a":[]}"#,
            r#"{"lastUpdateId":10,"E":1723161255208,"T":1,"bids":[["1.00","1"]],"asks":[["1.02","3.5"]]}"#,
            r#"{"e":"depthUpdate","E":1723161255308,"T":1,"s":"AB","U":19,"u":23,"pu":12,"b":[["1.01","0"]],"a":[["1.02","1"]]}"#,
            r#"{"e":"bookTicker","u":23,"s":"AB","b":"1.00","B":"1","a":"1.02","A":"1","T":1,"E":1723161255308}"#,
        ],
    ),
    (
        Venue::Kraken,
        &[
            r#"{"method":"subscribe","result":{"channel":"book","depth":10,"symbol":"AB"},"success":true}"#,
            r#"{"channel":"book","type":"snapshot","data":[{"symbol":"AB","bids":[{"price":1.00,"qty":1.5}],"asks":[{"price":1.02,"qty":2.5}],"checksum":1}]}"#,
            r#"{"channel":"trade","type":"update","data":[{"symbol":"AB","side":"buy","price":1.01,"qty":0.5,"ord_type":"limit","trade_id":5,"timestamp":"2023-10-06T17:35:55.440295Z"}]}"#,
            r#"{"channel":"ticker","type":"update","data":[{"symbol":"AB","bid":1.00,"bid_qty":1,"ask":1.02,"ask_qty":2,"last":1.01}]}"#,
            r#"{"channel":"ohlc","type":"update","data":[{"symbol":"AB","interval":1,"interval_begin":"2023-10-04T16:25:00.000000000Z","open":1.0,"high":1.2,"low":0.9,"close":1.1,"volume":3.5}]}"#,
            r#"{"channel":"instrument","type":"snapshot","data":{"assets":[],"pairs":[{"symbol":"C/D","base":"C","quote":"D","status":"online","qty_precision":8,"qty_increment":1e-08,"price_precision":2,"price_increment":0.01}]}}"#,
        ],
    ),
    (
        Venue::Coinbase,
        &[
            r#"{"channel":"l2_data","timestamp":"2026-04-07T14:30:00.123456Z","sequence_num":0,"events":[{"type":"snapshot","product_id":"AB","updates":[{"side":"bid","event_time":"2026-04-07T14:30:00.123456Z","price_level":"1.00","new_quantity":"1.5"},{"side":"offer","event_time":"2026-04-07T14:30:00.1Z","price_level":"1.02","new_quantity":"2"}]}]}"#,
            r#"{"channel":"heartbeats","timestamp":"2026-04-07T14:30:10.000000Z","sequence_num":1,"events":[{"heartbeat_counter":42}]}"#,
            r#"{"channel":"market_trades","timestamp":"2026-04-07T14:30:02Z","sequence_num":2,"events":[{"type":"update","trades":[{"trade_id":"7","product_id":"AB","price":"1.01","size":"0.5","side":"BUY","time":"2026-04-07T14:30:02.789012Z"}]}]}"#,
            r#"{"channel":"ticker","timestamp":"2026-04-07T14:30:03Z","sequence_num":3,"events":[{"type":"update","tickers":[{"product_id":"AB","price":"1.01","best_bid":"1.00","best_bid_quantity":"1.5","best_ask":"1.02","best_ask_quantity":"2"}]}]}"#,
            r#"{"channel":"candles","timestamp":"2026-04-07T14:30:05Z","sequence_num":4,"events":[{"type":"update","candles":[{"start":"1775521800","high":"1.2","low":"0.9","open":"1.0","close":"1.1","volume":"42.15","product_id":"AB"}]}]}"#,
        ],
    ),
    (
        Venue::CoinbaseExchange,
        &[
            r#"{"type":"snapshot","product_id":"AB","asks":[["1.02","12.5"]],"bids":[["1.00","3.5"]]}"#,
            r#"{"type":"l2update","product_id":"AB","changes":[["sell","1.02","0"],["sell","1.03","5"]],"time":"2021-04-17T16:43:37.075687Z"}"#,
            r#"{"type":"match","trade_id":28,"side":"sell","size":"9.5","price":"1.01","product_id":"AB","sequence":17,"time":"2021-04-17T16:43:37.089723Z"}"#,
            r#"{"type":"ticker","sequence":33,"product_id":"AB","price":"1.01","best_bid":"1.00","best_ask":"1.02","side":"buy","time":"2021-04-17T16:43:30.2Z","last_size":"0.04"}"#,
        ],
    ),
    (
        Venue::Oanda,
        &[
            r#"{"type":"PRICE","time":"2016-10-27T08:38:43.094548890Z","instrument":"AB","bids":[{"price":"1.00","liquidity":10}],"asks":[{"price":"1.02","liquidity":20}],"status":"tradeable"}"#,
            r#"{"type":"HEARTBEAT","time":"2016-10-27T08:38:44.327443673Z"}"#,
            r#"{"instrument":"AB","granularity":"M5","candles":[{"volume":132,"time":"2016-10-17T19:35:00.000000000Z","complete":true,"mid":{"h":"1.2","c":"1.1","l":"0.9","o":"1.0"}}]}"#,
        ],
    ),
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
        for message in messages {
            feed.message(1, message.as_bytes());
        }
        assert_eq!((feed.tally().malformed, feed.take_reports()), (0, vec![]), "{venue:?}");
        assert!(feed.events().len() > messages.len(), "{venue:?}");
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
        for (number, (message, change)) in messages.iter().zip(&changes).enumerate() {
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
