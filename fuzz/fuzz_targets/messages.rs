//! Bytes as a session: the first line names the venue, each further one is a message or a line of a capture.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nt_book::Depth;
use nt_core::Step;
use nt_feed::capture::{feed_document, feed_lines};
use nt_feed::description::instruments_of;
use nt_feed::feed::{Feed, Settings, Venue};
use nt_feed::instrument::{Grid, Instruments};

fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let (name, text) = (&bytes[..end], &bytes[end + 1..]);
    let known = std::str::from_utf8(name).ok().and_then(Venue::named);
    // A name that was changed still chooses one, so that sessions are tried at other venues too.
    let venue = known.unwrap_or(Venue::NAMES[name.iter().map(|byte| usize::from(*byte)).sum::<usize>() % 7].0);
    let grid = Grid::new(Step { mantissa: 1, decimals: 2 }, Step { mantissa: 1, decimals: 8 });
    let mut feed = Feed::new(venue, Instruments::new(Some(grid)), Settings::of(venue));
    for (number, message) in text.split(|byte| *byte == b'\n').enumerate() {
        feed.message(number as i64, message);
    }
    feed_lines(&mut feed, text);
    let _ = feed_document(&mut feed, text);
    let _ = instruments_of(venue, text);
    assert!(feed.events().len() <= 8 * bytes.len() + 64, "records are bounded by the messages");
    for instrument in 0..feed.instruments().len() {
        assert!(feed.book(instrument as u16).is_none_or(|book| !book.is_crossed()));
    }
});
