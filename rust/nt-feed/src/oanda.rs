//! Messages of OANDA's v20 API: the lines of the pricing stream, and responses with candles.
//!
//! "Pricing Stream Endpoint": each price is a whole book, the latest of a quarter of a second; nothing numbers them, and
//! heartbeats come every five seconds. Prices are texts, liquidity is a number.

use crate::bar::{Bar, Texts};
use crate::event::{ASK, BID, Event, EventKind, FINAL};
use crate::instant::parse_instant;
use crate::instrument::Instruments;
use crate::json::{Scan, Token, required};
use crate::malformed::{Malformed, MalformedKind};
use crate::section::{Decoded, Part};

/// A time as RFC 3339 or, on request, as seconds with nine decimals.
fn instant_of(time: Token) -> Result<i64, Malformed> {
    const NANO: nt_core::Step = nt_core::Step { mantissa: 1, decimals: 9 };
    let ns = if time.text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        crate::counting::count_of(time.text, NANO).ok()
    } else {
        parse_instant(time.text)
    };
    ns.ok_or(time.wrong(MalformedKind::NotATime))
}

#[derive(Default)]
struct Fields<'a> {
    kind: Option<Token<'a>>,
    symbol: Option<Token<'a>>,
    time: Option<Token<'a>>,
    tradeable: Option<Token<'a>>,
    status: Option<Token<'a>>,
    granularity: Option<Token<'a>>,
    bids_at: Option<usize>,
    asks_at: Option<usize>,
    candles_at: Option<usize>,
    refused: bool,
}

fn fields<'a>(scan: &mut Scan<'a>) -> Result<Fields<'a>, Malformed> {
    let mut found = Fields::default();
    scan.expect(b'{')?;
    let mut first = true;
    while let Some(key) = scan.key(&mut first)? {
        match key {
            b"type" => found.kind = Some(scan.token()?),
            b"instrument" => found.symbol = Some(scan.token()?),
            b"time" => found.time = Some(scan.token()?),
            b"tradeable" => found.tradeable = Some(scan.token()?),
            b"status" => found.status = Some(scan.token()?),
            b"granularity" => found.granularity = Some(scan.token()?),
            b"bids" => found.bids_at = Some(scan.skip()?),
            b"asks" => found.asks_at = Some(scan.skip()?),
            b"candles" => found.candles_at = Some(scan.skip()?),
            b"errorMessage" => {
                found.refused = true;
                scan.skip()?;
            }
            _ => drop(scan.skip()?),
        }
    }
    Ok(found)
}

/// Decodes a line of the stream or a response.
pub fn decode(
    message: &[u8],
    ts_recv_ns: i64,
    instruments: &mut Instruments,
    out: &mut Decoded,
) -> Result<(), Malformed> {
    let mut scan = Scan::new(message);
    let found = fields(&mut scan)?;
    scan.end()?;
    // Every price is a whole book, so that a lost one leaves nothing wrong behind.
    out.beside_books = true;
    out.refused = found.refused;
    if let Some(at) = found.candles_at {
        let symbol = required(found.symbol, "instrument")?;
        let instrument = instruments.number(symbol.text, symbol.at)?;
        let granularity = required(found.granularity, "granularity")?;
        let interval_ns = interval_of(granularity.text).ok_or(granularity.wrong(MalformedKind::UnknownWord))?;
        let mut scan = scan.at(at);
        return candles(&mut scan, instrument, interval_ns, ts_recv_ns, instruments, out);
    }
    if found.kind.is_some_and(|kind| kind.text != b"PRICE") || found.symbol.is_none() {
        return Ok(());
    }
    let symbol = required(found.symbol, "instrument")?;
    let instrument = instruments.number(symbol.text, symbol.at)?;
    let time = instant_of(required(found.time, "time")?)?;
    let words = (found.tradeable.map(|word| word.text), found.status.map(|word| word.text));
    let tradeable = !matches!(words, (Some(b"false"), _) | (None, Some(b"non-tradeable" | b"invalid")));
    let blank = |kind| Event::bare(kind, instrument, ts_recv_ns);
    let sides = [(found.bids_at, "bids", BID), (found.asks_at, "asks", ASK)];
    out.events.push(Event { quantity: i64::from(tradeable), ..blank(EventKind::Status) });
    for (at, name, flags) in sides {
        let mut scan = scan.at(required(at, name)?);
        let best = levels(&mut scan, 1, instrument, instruments, |price, quantity| {
            out.events.push(Event { price, quantity, flags, ..blank(EventKind::Quote) });
        })?;
        if best == 0 {
            out.events.push(Event { flags, ..blank(EventKind::Quote) });
        }
    }
    out.close_free(Part::Free, instrument, 0, time, 0);
    let start = out.events.len();
    for (at, name, flags) in sides {
        let mut scan = scan.at(required(at, name)?);
        levels(&mut scan, usize::MAX, instrument, instruments, |price, quantity| {
            out.events.push(Event { price, quantity, flags, ..blank(EventKind::Level) });
        })?;
    }
    out.close_free(Part::Snapshot, instrument, start, time, 0);
    Ok(())
}

/// Reads a list of prices and hands on the first so many; returns how many were handed on.
fn levels(
    scan: &mut Scan,
    count_max: usize,
    instrument: u16,
    instruments: &Instruments,
    mut one: impl FnMut(i64, i64),
) -> Result<usize, Malformed> {
    let grid = instruments.grid(instrument);
    let mut count = 0;
    scan.expect(b'[')?;
    let mut first = true;
    while scan.item(&mut first)? {
        scan.expect(b'{')?;
        let (mut price, mut liquidity) = (None, None);
        let mut inner_first = true;
        while let Some(key) = scan.key(&mut inner_first)? {
            match key {
                b"price" => price = Some(scan.price(grid.tick)?),
                b"liquidity" => liquidity = Some(scan.quantity(grid.lot)?),
                _ => drop(scan.skip()?),
            }
        }
        if count < count_max {
            one(required(price, "price")?, required(liquidity, "liquidity")?);
            count += 1;
        }
    }
    Ok(count)
}

/// "CandlestickGranularity": a letter and a number; days, weeks and months have no number.
fn interval_of(text: &[u8]) -> Option<i64> {
    let (unit, number) = text.split_first()?;
    let unit_s = match (unit, number.is_empty()) {
        (b'S', false) => 1,
        (b'M', false) => 60,
        (b'H', false) => 3_600,
        (b'D', true) => 86_400,
        (b'W', true) => 604_800,
        // A month has no length.
        (b'M', true) => 0,
        _ => return None,
    };
    let number: i64 = if number.is_empty() { 1 } else { std::str::from_utf8(number).ok()?.parse().ok()? };
    (1..=1000).contains(&number).then_some(number * unit_s * 1_000_000_000)
}

fn candles(
    scan: &mut Scan,
    instrument: u16,
    interval_ns: i64,
    ts_recv_ns: i64,
    instruments: &Instruments,
    out: &mut Decoded,
) -> Result<(), Malformed> {
    let grid = instruments.grid(instrument);
    scan.expect(b'[')?;
    let mut first = true;
    while scan.item(&mut first)? {
        let (mut time, mut complete, mut volume) = (None, None, None);
        let mut sides: [Option<Texts>; 3] = [None; 3];
        let mut inner_first = true;
        scan.expect(b'{')?;
        while let Some(key) = scan.key(&mut inner_first)? {
            match key {
                b"time" => time = Some(scan.token()?),
                b"complete" => complete = Some(scan.token()?.boolean()?),
                b"volume" => volume = Some(scan.token()?.unsigned()?),
                b"mid" => sides[0] = Some(prices(scan)?),
                b"bid" => sides[1] = Some(prices(scan)?),
                b"ask" => sides[2] = Some(prices(scan)?),
                _ => drop(scan.skip()?),
            }
        }
        let open_ns = instant_of(required(time, "time")?)?;
        let complete = if required(complete, "complete")? { FINAL } else { 0 };
        let volume = i64::try_from(required(volume, "volume")?).unwrap_or(i64::MAX);
        let start = out.events.len();
        for (texts, side) in sides.into_iter().zip([0, BID, ASK]) {
            if let Some(texts) = texts {
                let bar = Bar { interval_ns, open_ns, volume, flags: complete | side, ..Bar::default() };
                bar.with_prices(texts, grid)?.push(instrument, ts_recv_ns, out);
            }
        }
        out.close_free(Part::Free, instrument, start, open_ns, open_ns as u64);
    }
    Ok(())
}

fn prices<'a>(scan: &mut Scan<'a>) -> Result<Texts<'a>, Malformed> {
    let mut found: Texts = [None; 4];
    scan.expect(b'{')?;
    let mut first = true;
    while let Some(key) = scan.key(&mut first)? {
        match key {
            b"o" => found[0] = Some(scan.token()?),
            b"h" => found[1] = Some(scan.token()?),
            b"l" => found[2] = Some(scan.token()?),
            b"c" => found[3] = Some(scan.token()?),
            _ => drop(scan.skip()?),
        }
    }
    Ok(found)
}
