//! Recorded sessions: which line of a capture is a message, and when it was received.
//!
//! Two kinds of lines are known. One is `time message`, the time in whole nanoseconds. The other is `time: message`, the
//! time in seconds with decimals, among lines that begin with an address: `address <-> time` for a connection,
//! `address <- time: message` for what was sent, and `address -> time: message` for the answer to a request. A line that
//! is a message by itself has no receive time.

use nt_core::Step;

use crate::counting::count_of;
use crate::feed::Feed;
use crate::json::Scan;
use crate::malformed::{Malformed, MalformedKind};

const NANOSECOND: Step = Step { mantissa: 1, decimals: 9 };

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A message of the stream, and when it was received.
    Message(i64, &'a [u8]),
    /// The answer to a request to this address.
    Answer(&'a [u8], i64, &'a [u8]),
    /// A connection was made.
    Connected(i64),
    /// Something that was sent.
    Sent,
    /// Nothing.
    Empty,
    /// No line of a capture.
    Unknown,
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    text.windows(pattern.len()).position(|window| window == pattern)
}

/// Seconds with decimals as nanoseconds; digits beyond the ninth decimal are those of a binary fraction.
fn seconds(text: &[u8]) -> Option<i64> {
    let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    count_of(&text[..text.len().min(point + 10)], NANOSECOND).ok()
}

fn timed(text: &[u8]) -> Option<(i64, &[u8])> {
    let colon = text.iter().take(40).position(|byte| *byte == b':')?;
    Some((seconds(&text[..colon])?, text[colon + 1..].trim_ascii()))
}

/// Reads one line.
pub fn read_line(line: &[u8]) -> Line<'_> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Line::Empty;
    }
    if line[0].is_ascii_digit() {
        let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if line.get(digits) == Some(&b' ')
            && let Some(time) = std::str::from_utf8(&line[..digits]).ok().and_then(|time| time.parse().ok())
        {
            return Line::Message(time, &line[digits + 1..]);
        }
        return timed(line).map_or(Line::Unknown, |(time, message)| Line::Message(time, message));
    }
    if line[0] == b'{' {
        return Line::Message(0, line);
    }
    // Addresses are short, so that the arrows are not looked for in a whole message.
    let head = &line[..line.len().min(4096)];
    if !line.starts_with(b"ws") && !line.starts_with(b"http") {
        return Line::Unknown;
    }
    if let Some(at) = find(head, b" <-> ") {
        return Line::Connected(seconds(line[at + 5..].trim_ascii()).unwrap_or(0));
    }
    if find(head, b" <- ").is_some() {
        return Line::Sent;
    }
    match find(head, b" -> ").and_then(|at| timed(&line[at + 4..]).map(|found| (at, found))) {
        Some((at, (time, message))) => Line::Answer(&line[..at], time, message),
        None => Line::Unknown,
    }
}

/// The symbol in the query of an address.
fn symbol_of(address: &[u8]) -> Option<&[u8]> {
    let at = find(address, b"symbol=")? + 7;
    address[at..].split(|byte| *byte == b'&').next()
}

/// The offset of the first newline, or the length. Whether one of thirty-two bytes is it takes the compiler a few wide
/// instructions, because nothing depends on which.
fn line_end(text: &[u8]) -> usize {
    let (chunks, _) = text.as_chunks::<32>();
    let has_newline = |chunk: &[u8; 32]| chunk.iter().fold(false, |found, byte| found | (*byte == b'\n'));
    let start = chunks.iter().position(has_newline).unwrap_or(chunks.len()) * 32;
    start + text[start..].iter().position(|byte| *byte == b'\n').unwrap_or(text.len() - start)
}

/// Feeds every line of a text, and returns how many there were.
pub fn feed_lines(feed: &mut Feed, text: &[u8]) -> usize {
    let mut count = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = line_end(rest);
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        count += 1;
        match read_line(line) {
            Line::Message(time, message) => feed.message(time, message),
            Line::Answer(address, time, message) => {
                let symbol = symbol_of(address).and_then(|symbol| feed.instruments_mut().number(symbol, 0).ok());
                match symbol {
                    Some(instrument) => feed.answer(instrument, time, message),
                    None => feed.message(time, message),
                }
            }
            Line::Connected(time) => feed.reconnected(time),
            Line::Sent => {}
            Line::Empty => count -= 1,
            Line::Unknown => feed.unreadable(0, line),
        }
    }
    count
}

/// Feeds a document `{"init": message, "updates": [message...]}`, which has no receive times.
pub fn feed_document(feed: &mut Feed, document: &[u8]) -> Result<usize, Malformed> {
    let mut scan = Scan::new(document);
    let (mut count, mut first) = (0, true);
    scan.expect(b'{')?;
    while let Some(key) = scan.key(&mut first)? {
        match key {
            b"init" => {
                let start = scan.skip()?;
                feed.message(0, scan.since(start));
                count += 1;
            }
            b"updates" => {
                let mut first = true;
                scan.expect(b'[')?;
                while scan.item(&mut first)? {
                    let start = scan.skip()?;
                    feed.message(0, scan.since(start));
                    count += 1;
                }
            }
            _ => drop(scan.skip()?),
        }
    }
    scan.end()?;
    if count == 0 { Err(Malformed::at(MalformedKind::MissingField("init"), 0)) } else { Ok(count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_at_its_first_newline_wherever_that_is() {
        for length in 0..100 {
            for place in 0..=length {
                let mut text = vec![b'x'; length];
                text.extend_from_slice(b"\xff\x80\x0b");
                text.insert(place, b'\n');
                assert_eq!(line_end(&text), place);
            }
            assert_eq!(line_end(&vec![0x8a; length]), length);
        }
    }

    #[test]
    fn each_kind_of_line_is_told_apart() {
        assert_eq!(read_line(b"1723161253937085768 {\"e\":1}"), Line::Message(1_723_161_253_937_085_768, b"{\"e\":1}"));
        assert_eq!(read_line(b"1633998274.723671: {}"), Line::Message(1_633_998_274_723_671_000, b"{}"));
        assert_eq!(read_line(b"1633998274.72367112345: {}"), Line::Message(1_633_998_274_723_671_123, b"{}"));
        let address = b"https://api.binance.us/api/v3/depth?symbol=COMPUSDT&limit=1000".as_slice();
        let line = [address, b" -> 1633998274.5: {\"a\": 1}"].concat();
        assert_eq!(read_line(&line), Line::Answer(address, 1_633_998_274_500_000_000, b"{\"a\": 1}"));
        assert_eq!(symbol_of(address), Some(b"COMPUSDT".as_slice()));
        assert_eq!(read_line(b"wss://ws.kraken.com <-> 1.5"), Line::Connected(1_500_000_000));
        assert_eq!(read_line(b"wss://ws.kraken.com <- 1.5: {}"), Line::Sent);
        assert_eq!(
            (read_line(b"  "), read_line(b"what"), read_line(b"12")),
            (Line::Empty, Line::Unknown, Line::Unknown)
        );
    }
}
