//! Messages of Kraken's WebSocket API v2.
//!
//! The channels are those of "Spot WebSocket v2": book, trade, ticker, ohlc and instrument. Numbers stand bare in the
//! messages and are read as decimals, because the checksum is made of their digits.

use crate::bar::{Bar, Texts};
use crate::description;
use crate::event::{ASK, BEFORE, BID, Event, EventKind, FINAL};
use crate::instant::parse_instant;
use crate::instrument::Instruments;
use crate::json::{Scan, Token, required};
use crate::malformed::{Malformed, MalformedKind};
use crate::quote::push_quote;
use crate::section::{Decoded, Part, Section};

/// Channels whose messages say nothing about the levels of a book.
const BESIDE_BOOKS: [&[u8]; 6] = [b"trade", b"ticker", b"ohlc", b"instrument", b"heartbeat", b"status"];

/// The lengths of bars in minutes that the ohlc channel has.
const INTERVALS: [u64; 9] = [1, 5, 15, 30, 60, 240, 1_440, 10_080, 21_600];

/// The bars whose end is not known yet: Kraken never says that a bar is closed, only that the next one began.
#[derive(Clone, Debug, Default)]
pub struct OpenBars(Vec<(u16, Bar)>);

impl OpenBars {
    /// Remembers a bar, and returns the one before it if this is a later one.
    fn next(&mut self, instrument: u16, bar: Bar) -> Option<Bar> {
        let same = |(number, open): &&mut (u16, Bar)| *number == instrument && open.interval_ns == bar.interval_ns;
        match self.0.iter_mut().find(same) {
            Some((_, open)) => {
                let before = std::mem::replace(open, bar);
                (before.open_ns < bar.open_ns).then_some(before)
            }
            None => {
                self.0.push((instrument, bar));
                None
            }
        }
    }
}

struct Reader<'a, 'b> {
    scan: Scan<'a>,
    ts_recv_ns: i64,
    instruments: &'b mut Instruments,
    bars: &'b mut OpenBars,
    out: &'b mut Decoded,
}

/// The time of a message; without one it is 0.
fn time_of(time: Option<Token>) -> Result<i64, Malformed> {
    let Some(time) = time else { return Ok(0) };
    parse_instant(time.text).ok_or(time.wrong(MalformedKind::NotATime))
}

/// Decodes a message.
pub fn decode(
    message: &[u8],
    ts_recv_ns: i64,
    instruments: &mut Instruments,
    bars: &mut OpenBars,
    out: &mut Decoded,
) -> Result<(), Malformed> {
    let mut scan = Scan::new(message);
    let (mut channel, mut kind, mut data_at): (Option<Token>, Option<Token>, _) = (None, None, None);
    scan.expect(b'{')?;
    let (mut first, mut read) = (true, false);
    while let Some(key) = scan.key(&mut first)? {
        match key {
            b"channel" => {
                let token = scan.token()?;
                out.beside_books = BESIDE_BOOKS.contains(&token.text);
                channel = Some(token);
            }
            b"type" => kind = Some(scan.token()?),
            // Books come with channel and type in front, and are read in one pass.
            b"data" => match (channel.map(|channel| channel.text), kind) {
                (Some(b"book"), Some(kind)) if data_at.is_none() => {
                    data_at = Some(scan.offset());
                    let mut reader = Reader { scan, ts_recv_ns, instruments, bars, out };
                    reader.each(|reader| reader.book(kind.text == b"snapshot"))?;
                    scan = reader.scan;
                    read = true;
                }
                _ => data_at = Some(scan.skip()?),
            },
            b"success" => out.refused = scan.token()?.text == b"false",
            b"result" if scan.peek() == Some(b'{') => acknowledged(&mut scan, out)?,
            _ => drop(scan.skip()?),
        }
    }
    scan.end()?;
    let Some(channel) = channel else { return Ok(()) };
    if read || !matches!(channel.text, b"book" | b"trade" | b"ticker" | b"ohlc" | b"instrument") {
        return Ok(());
    }
    let scan = scan.at(required(data_at, "data")?);
    let mut reader = Reader { scan, ts_recv_ns, instruments, bars, out };
    let is_snapshot = kind.is_some_and(|kind| kind.text == b"snapshot");
    match channel.text {
        b"book" => reader.each(|reader| reader.book(is_snapshot)),
        b"trade" => reader.trades(is_snapshot),
        b"ticker" => reader.each(Reader::ticker),
        b"ohlc" => reader.each(Reader::bar),
        _ => {
            let start = reader.scan.offset();
            reader.scan.skip()?;
            let described = description::kraken_instruments(reader.scan.since(start));
            for one in described.map_err(|fault| Malformed::at(fault.kind, fault.offset + start))? {
                reader.instruments.add(one.symbol.as_bytes(), one.grid.of_data());
            }
            Ok(())
        }
    }
}

/// What the venue says it subscribed: of books, to which depth.
fn acknowledged(scan: &mut Scan, out: &mut Decoded) -> Result<(), Malformed> {
    let (mut first, mut is_book, mut depth) = (true, false, None);
    scan.expect(b'{')?;
    while let Some(key) = scan.key(&mut first)? {
        match key {
            b"channel" => is_book = scan.token()?.text == b"book",
            b"depth" => depth = Some(scan.token()?.unsigned()?),
            _ => drop(scan.skip()?),
        }
    }
    out.depth = depth.filter(|depth| is_book && (1..=100_000).contains(depth)).map(|depth| depth as usize);
    Ok(())
}

impl<'a> Reader<'a, '_> {
    fn each(&mut self, mut one: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.scan.expect(b'[')?;
        let mut first = true;
        while self.scan.item(&mut first)? {
            self.scan.expect(b'{')?;
            one(self)?;
        }
        Ok(())
    }

    fn book(&mut self, is_snapshot: bool) -> Result<(), Malformed> {
        let start = self.out.events.len();
        let (mut symbol, mut checksum, mut time) = (None, None, None);
        let (mut bids_at, mut asks_at) = (None, None);
        let mut instrument = None;
        let mut first = true;
        while let Some(key) = self.scan.key(&mut first)? {
            match key {
                b"symbol" => {
                    let token = self.scan.token()?;
                    symbol = Some(token);
                    instrument = Some(self.instruments.number(token.text, token.at)?);
                }
                b"bids" | b"asks" => {
                    let is_bid = key == b"bids";
                    match instrument {
                        Some(instrument) => self.levels(is_bid, instrument)?,
                        None if is_bid => bids_at = Some(self.scan.skip()?),
                        None => asks_at = Some(self.scan.skip()?),
                    }
                }
                b"checksum" => checksum = Some(self.scan.token()?),
                b"timestamp" => time = Some(self.scan.token()?),
                _ => drop(self.scan.skip()?),
            }
        }
        let behind = self.scan;
        required(symbol, "symbol")?;
        let instrument = required(instrument, "symbol")?;
        for (at, is_bid) in [(bids_at, true), (asks_at, false)] {
            if let Some(at) = at {
                self.scan = behind.at(at);
                self.levels(is_bid, instrument)?;
            }
        }
        self.scan = behind;
        // Without its checksum a message cannot be trusted to follow the one before.
        let token = required(checksum, "checksum")?;
        let checksum = u32::try_from(token.unsigned()?).map_err(|_| token.wrong(MalformedKind::OutOfRange))?;
        self.out.close(Section {
            part: if is_snapshot { Part::Snapshot } else { Part::Diff },
            instrument,
            start,
            end: start,
            first_id: 0,
            last_id: 0,
            previous_id: None,
            checksum: Some(checksum),
            ts_event_ns: time_of(time)?,
        });
        Ok(())
    }

    fn levels(&mut self, is_bid: bool, instrument: u16) -> Result<(), Malformed> {
        let grid = self.instruments.grid(instrument);
        let flags = if is_bid { BID } else { ASK };
        let blank = Event { flags, ..Event::bare(EventKind::Level, instrument, self.ts_recv_ns) };
        self.scan.expect(b'[')?;
        let mut first = true;
        while self.scan.item(&mut first)? {
            self.scan.expect(b'{')?;
            let (mut price, mut quantity) = (None, None);
            let mut inner_first = true;
            while let Some(key) = self.scan.key(&mut inner_first)? {
                match key {
                    b"price" => price = Some(self.scan.price(grid.tick)?),
                    b"qty" => quantity = Some(self.scan.quantity(grid.lot)?),
                    _ => drop(self.scan.skip()?),
                }
            }
            let (price, quantity) = (required(price, "price")?, required(quantity, "qty")?);
            self.out.events.push(Event { price, quantity, ..blank });
        }
        Ok(())
    }

    /// The trades of a message; its `side` is that of the taker.
    fn trades(&mut self, is_snapshot: bool) -> Result<(), Malformed> {
        let ts_recv_ns = self.ts_recv_ns;
        self.each(|reader| {
            let (mut symbol, mut side, mut price, mut quantity, mut id, mut time) =
                (None, None, None, None, None, None);
            let mut first = true;
            while let Some(key) = reader.scan.key(&mut first)? {
                let place = match key {
                    b"symbol" => &mut symbol,
                    b"side" => &mut side,
                    b"price" => &mut price,
                    b"qty" => &mut quantity,
                    b"trade_id" => &mut id,
                    b"timestamp" => &mut time,
                    _ => {
                        reader.scan.skip()?;
                        continue;
                    }
                };
                *place = Some(reader.scan.token()?);
            }
            let instrument = reader.instrument(symbol)?;
            let grid = reader.instruments.grid(instrument);
            let side = required(side, "side")?;
            let taker = match side.text {
                b"buy" => BID,
                b"sell" => ASK,
                _ => return Err(side.wrong(MalformedKind::UnknownWord)),
            };
            let event = Event {
                price: required(price, "price")?.price(grid.tick)?,
                quantity: required(quantity, "qty")?.quantity(grid.lot)?,
                id: required(id, "trade_id")?.unsigned()?,
                ts_event_ns: time_of(Some(required(time, "timestamp")?))?,
                flags: taker | if is_snapshot { BEFORE } else { 0 },
                ..Event::bare(EventKind::Trade, instrument, ts_recv_ns)
            };
            reader.out.push_trade(event);
            Ok(())
        })
    }

    fn instrument(&mut self, symbol: Option<Token<'a>>) -> Result<u16, Malformed> {
        let symbol = required(symbol, "symbol")?;
        self.instruments.number(symbol.text, symbol.at)
    }

    fn ticker(&mut self) -> Result<(), Malformed> {
        let start = self.out.events.len();
        let (mut symbol, mut last, mut time) = (None, None, None);
        let mut quote = [(None, None), (None, None)];
        let mut first = true;
        while let Some(key) = self.scan.key(&mut first)? {
            let place = match key {
                b"symbol" => &mut symbol,
                b"last" => &mut last,
                b"timestamp" => &mut time,
                b"bid" => &mut quote[0].0,
                b"bid_qty" => &mut quote[0].1,
                b"ask" => &mut quote[1].0,
                b"ask_qty" => &mut quote[1].1,
                _ => {
                    self.scan.skip()?;
                    continue;
                }
            };
            *place = Some(self.scan.token()?);
        }
        let instrument = self.instrument(symbol)?;
        push_quote(self.out, self.instruments, instrument, quote, self.ts_recv_ns)?;
        if let Some(last) = last.filter(|last| last.text != b"null") {
            let price = last.price(self.instruments.grid(instrument).tick)?;
            self.out.events.push(Event { price, ..Event::bare(EventKind::Ticker, instrument, self.ts_recv_ns) });
        }
        self.out.close_free(Part::Free, instrument, start, time_of(time)?, 0);
        Ok(())
    }

    fn bar(&mut self) -> Result<(), Malformed> {
        let start = self.out.events.len();
        let (mut symbol, mut begin, mut interval, mut volume, mut time) = (None, None, None, None, None);
        let mut prices: Texts = [None; 4];
        let mut first = true;
        while let Some(key) = self.scan.key(&mut first)? {
            let place = match key {
                b"symbol" => &mut symbol,
                b"interval_begin" => &mut begin,
                b"interval" => &mut interval,
                b"timestamp" => &mut time,
                b"open" => &mut prices[0],
                b"high" => &mut prices[1],
                b"low" => &mut prices[2],
                b"close" => &mut prices[3],
                b"volume" => &mut volume,
                _ => {
                    self.scan.skip()?;
                    continue;
                }
            };
            *place = Some(self.scan.token()?);
        }
        let instrument = self.instrument(symbol)?;
        let grid = self.instruments.grid(instrument);
        let interval = required(interval, "interval")?;
        let minutes = interval.unsigned()?;
        if !INTERVALS.contains(&minutes) {
            return Err(interval.wrong(MalformedKind::OutOfRange));
        }
        let bar = Bar {
            interval_ns: minutes as i64 * 60_000_000_000,
            open_ns: time_of(Some(required(begin, "interval_begin")?))?,
            volume: required(volume, "volume")?.quantity(grid.lot)?,
            ..Bar::default()
        };
        let bar = bar.with_prices(prices, grid)?;
        if let Some(before) = self.bars.next(instrument, bar) {
            Bar { flags: FINAL, ..before }.push(instrument, self.ts_recv_ns, self.out);
        }
        bar.push(instrument, self.ts_recv_ns, self.out);
        let time = time_of(time)?;
        self.out.close_free(Part::Free, instrument, start, time, bar.open_ns as u64);
        Ok(())
    }
}
