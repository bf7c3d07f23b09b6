//! Messages of Binance: spot, Binance.US and USD-M futures, from streams and from REST.
//!
//! "WebSocket Streams" (spot) and "Websocket Market Streams" (USD-M futures) name the fields. Both dialects differ only in
//! `pu` and in which times they state, so one decoder reads both.

use crate::bar::Bar;
use crate::event::{ASK, BID, Event, EventKind, FINAL};
use crate::instrument::Instruments;
use crate::json::{Scan, Token, required};
use crate::malformed::{Malformed, MalformedKind};
use crate::section::{Decoded, Part, Section};

/// The fields of a message, in whichever order they came.
#[derive(Default)]
struct Fields<'a> {
    kind: Option<Token<'a>>,
    symbol: Option<Token<'a>>,
    stream: Option<Token<'a>>,
    event_time: Option<Token<'a>>,
    trade_time: Option<Token<'a>>,
    trade_id: Option<Token<'a>>,
    price: Option<Token<'a>>,
    quantity: Option<Token<'a>>,
    close: Option<Token<'a>>,
    buyer_is_maker: Option<Token<'a>>,
    first_id: Option<Token<'a>>,
    last_id: Option<Token<'a>>,
    previous_id: Option<Token<'a>>,
    snapshot_id: Option<Token<'a>>,
    bid_quantity: Option<Token<'a>>,
    ask_quantity: Option<Token<'a>>,
    /// A quote's price, or an aggregate's id.
    bid: Option<Token<'a>>,
    ask: Option<Token<'a>>,
    /// Where lists of levels begin that came before the symbol.
    bids_at: Option<usize>,
    asks_at: Option<usize>,
    kline_at: Option<usize>,
    instrument: Option<u16>,
    refused: bool,
}

struct Reader<'a, 'b> {
    scan: Scan<'a>,
    instruments: &'b mut Instruments,
    out: &'b mut Decoded,
    fields: Fields<'a>,
}

/// A time of the venue, in milliseconds or, on request, microseconds: the number of digits tells.
fn nanoseconds(time: Option<Token>) -> Result<i64, Malformed> {
    let Some(time) = time else { return Ok(0) };
    let value = time.unsigned()?;
    let unit = if value >= 100_000_000_000_000 { 1_000 } else { 1_000_000 };
    let ns = i64::try_from(value).ok().and_then(|value| value.checked_mul(unit));
    ns.ok_or(time.wrong(MalformedKind::OutOfRange))
}

fn id_of(id: Option<Token>, name: &'static str) -> Result<u64, Malformed> {
    required(id, name)?.unsigned()
}

/// Decodes a message; `instrument` is what it is about if it does not say so itself, as REST snapshots do not.
pub fn decode(
    message: &[u8],
    instrument: Option<u16>,
    ts_recv_ns: i64,
    instruments: &mut Instruments,
    out: &mut Decoded,
) -> Result<(), Malformed> {
    let mut reader =
        Reader { scan: Scan::new(message), instruments, out, fields: Fields { instrument, ..Fields::default() } };
    reader.object(ts_recv_ns, false)?;
    reader.scan.end()?;
    reader.finish(ts_recv_ns)
}

impl Reader<'_, '_> {
    fn object(&mut self, ts_recv_ns: i64, wrapped: bool) -> Result<(), Malformed> {
        self.scan.expect(b'{')?;
        let mut first = true;
        while let Some(key) = self.scan.key(&mut first)? {
            let place = match key {
                b"e" => &mut self.fields.kind,
                b"E" => &mut self.fields.event_time,
                b"s" => {
                    let symbol = self.scan.token()?;
                    self.fields.symbol = Some(symbol);
                    self.fields.instrument = Some(self.instruments.number(symbol.text, symbol.at)?);
                    continue;
                }
                b"U" => &mut self.fields.first_id,
                b"u" => &mut self.fields.last_id,
                b"pu" => &mut self.fields.previous_id,
                b"b" | b"bids" | b"a" | b"asks" => {
                    self.side_or_token(key[0] == b'b', ts_recv_ns)?;
                    continue;
                }
                b"B" => &mut self.fields.bid_quantity,
                b"A" => &mut self.fields.ask_quantity,
                b"t" => &mut self.fields.trade_id,
                b"T" => &mut self.fields.trade_time,
                b"p" => &mut self.fields.price,
                b"q" => &mut self.fields.quantity,
                b"c" => &mut self.fields.close,
                b"m" => &mut self.fields.buyer_is_maker,
                b"lastUpdateId" => &mut self.fields.snapshot_id,
                b"stream" => &mut self.fields.stream,
                b"k" => {
                    self.fields.kline_at = Some(self.scan.skip()?);
                    continue;
                }
                b"data" if !wrapped && self.scan.peek() == Some(b'{') => {
                    self.object(ts_recv_ns, true)?;
                    continue;
                }
                b"error" | b"code" => {
                    self.fields.refused = true;
                    self.scan.skip()?;
                    continue;
                }
                _ => {
                    self.scan.skip()?;
                    continue;
                }
            };
            // Fields of messages that we do not read may be lists or objects.
            if matches!(self.scan.peek(), Some(b'[' | b'{')) {
                self.scan.skip()?;
            } else {
                *place = Some(self.scan.token()?);
            }
        }
        Ok(())
    }

    fn side_or_token(&mut self, is_bid: bool, ts_recv_ns: i64) -> Result<(), Malformed> {
        if self.scan.peek() != Some(b'[') {
            let token = if self.scan.peek() == Some(b'{') { None } else { Some(self.scan.token()?) };
            match (token, is_bid) {
                (None, _) => drop(self.scan.skip()?),
                (token, true) => self.fields.bid = token,
                (token, false) => self.fields.ask = token,
            }
            return Ok(());
        }
        match self.fields.instrument {
            Some(instrument) => self.levels(is_bid, instrument, ts_recv_ns),
            None => {
                let start = self.scan.skip()?;
                let place = if is_bid { &mut self.fields.bids_at } else { &mut self.fields.asks_at };
                *place = Some(start);
                Ok(())
            }
        }
    }

    fn levels(&mut self, is_bid: bool, instrument: u16, ts_recv_ns: i64) -> Result<(), Malformed> {
        let grid = self.instruments.grid(instrument);
        let blank =
            Event { flags: if is_bid { BID } else { ASK }, ..Event::bare(EventKind::Level, instrument, ts_recv_ns) };
        let scan = &mut self.scan;
        let events = &mut self.out.events;
        scan.expect(b'[')?;
        let mut first = true;
        while scan.item(&mut first)? {
            let push = |price, quantity| events.push(Event { price, quantity, ..blank });
            if scan.tight_pairs(&mut self.out.shapes, (grid.tick, grid.lot), push) {
                continue;
            }
            scan.expect(b'[')?;
            let price = scan.price(grid.tick)?;
            scan.expect(b',')?;
            let quantity = scan.quantity(grid.lot)?;
            let mut inner_first = false;
            while scan.item(&mut inner_first)? {
                scan.skip()?;
            }
            events.push(Event { price, quantity, ..blank });
        }
        Ok(())
    }

    /// Levels that came before the instrument was known.
    fn late_levels(&mut self, instrument: u16, ts_recv_ns: i64) -> Result<(), Malformed> {
        for (at, is_bid) in [(self.fields.bids_at, true), (self.fields.asks_at, false)] {
            if let Some(at) = at {
                self.scan = self.scan.at(at);
                self.levels(is_bid, instrument, ts_recv_ns)?;
            }
        }
        Ok(())
    }

    /// The instrument that the message names, by itself or in the name of its stream, or the only one there is.
    fn instrument(&mut self) -> Result<u16, Malformed> {
        if let Some(instrument) = self.fields.instrument {
            return Ok(instrument);
        }
        let stream = self.fields.stream.and_then(|stream| stream.text.split(|byte| *byte == b'@').next());
        let named = stream.and_then(|symbol| self.instruments.find_any_case(symbol));
        named.or(self.instruments.sole()).ok_or(Malformed::at(MalformedKind::UnknownInstrument, 0))
    }

    fn finish(&mut self, ts_recv_ns: i64) -> Result<(), Malformed> {
        if self.fields.snapshot_id.is_some() {
            return self.snapshot(ts_recv_ns);
        }
        let kind = self.fields.kind.map(|kind| kind.text);
        let is_book = kind == Some(b"depthUpdate");
        self.out.beside_books = !is_book && (kind.is_some() || self.fields.last_id.is_some());
        if !is_book {
            // Only a depth message may leave levels behind.
            self.out.events.clear();
        }
        match kind {
            Some(b"depthUpdate") => self.depth(ts_recv_ns),
            Some(b"trade") => {
                let id = id_of(self.fields.trade_id, "t")?;
                self.trade(EventKind::Trade, id, ts_recv_ns)
            }
            Some(b"aggTrade") => {
                let id = id_of(self.fields.ask, "a")?;
                self.trade(EventKind::AggregateTrade, id, ts_recv_ns)
            }
            Some(b"bookTicker") => self.quote(ts_recv_ns),
            // The spot stream does not name its quotes.
            None if self.fields.bid.is_some() && self.fields.ask.is_some() && self.fields.last_id.is_some() => {
                self.quote(ts_recv_ns)
            }
            Some(b"kline") => self.kline(ts_recv_ns),
            Some(b"24hrTicker") => self.ticker(ts_recv_ns),
            _ => {
                self.out.refused = self.fields.refused;
                Ok(())
            }
        }
    }

    fn depth(&mut self, ts_recv_ns: i64) -> Result<(), Malformed> {
        let instrument = self.instrument()?;
        self.late_levels(instrument, ts_recv_ns)?;
        let section = Section {
            part: Part::Diff,
            instrument,
            start: 0,
            end: 0,
            first_id: id_of(self.fields.first_id, "U")?,
            last_id: id_of(self.fields.last_id, "u")?,
            previous_id: self.fields.previous_id.map(|id| id.unsigned()).transpose()?,
            checksum: None,
            ts_event_ns: nanoseconds(self.fields.event_time)?,
        };
        self.out.close(section);
        Ok(())
    }

    fn snapshot(&mut self, ts_recv_ns: i64) -> Result<(), Malformed> {
        let instrument = self.instrument()?;
        self.late_levels(instrument, ts_recv_ns)?;
        let id = id_of(self.fields.snapshot_id, "lastUpdateId")?;
        let part = if self.fields.stream.is_some() { Part::Partial } else { Part::Snapshot };
        let time = nanoseconds(self.fields.event_time)?;
        self.out.close_free(part, instrument, 0, time, id);
        Ok(())
    }

    fn trade(&mut self, kind: EventKind, id: u64, ts_recv_ns: i64) -> Result<(), Malformed> {
        let instrument = self.instrument()?;
        let grid = self.instruments.grid(instrument);
        // The buyer was the maker: the aggressor sold.
        let sold = required(self.fields.buyer_is_maker, "m")?.boolean()?;
        let price = required(self.fields.price, "p")?;
        let quantity = required(self.fields.quantity, "q")?.quantity(grid.lot)?;
        let time = nanoseconds(self.fields.trade_time.or(self.fields.event_time))?;
        if quantity == 0 {
            // Futures report transfers of the insurance fund as trades of nothing at no price.
            return Ok(());
        }
        self.out.events.push(Event {
            price: price.price(grid.tick)?,
            quantity,
            id,
            flags: if sold { ASK } else { BID },
            ..Event::bare(kind, instrument, ts_recv_ns)
        });
        self.out.close_free(Part::Trades, instrument, 0, time, id);
        Ok(())
    }

    fn quote(&mut self, ts_recv_ns: i64) -> Result<(), Malformed> {
        let instrument = self.instrument()?;
        let grid = self.instruments.grid(instrument);
        let id = id_of(self.fields.last_id, "u")?;
        let sides =
            [(self.fields.bid, self.fields.bid_quantity, BID), (self.fields.ask, self.fields.ask_quantity, ASK)];
        for (price, quantity, flags) in sides {
            let quantity = required(quantity, "B, A")?.quantity(grid.lot)?;
            // An empty side is quoted with zeros.
            let price = if quantity == 0 { 0 } else { required(price, "b, a")?.price(grid.tick)? };
            let blank = Event::bare(EventKind::Quote, instrument, ts_recv_ns);
            self.out.events.push(Event { price, quantity, flags, ..blank });
        }
        let time = nanoseconds(self.fields.event_time)?;
        self.out.close_free(Part::Free, instrument, 0, time, id);
        Ok(())
    }

    fn ticker(&mut self, ts_recv_ns: i64) -> Result<(), Malformed> {
        let instrument = self.instrument()?;
        let price = required(self.fields.close, "c")?.price(self.instruments.grid(instrument).tick)?;
        self.out.events.push(Event { price, ..Event::bare(EventKind::Ticker, instrument, ts_recv_ns) });
        let time = nanoseconds(self.fields.event_time)?;
        self.out.close_free(Part::Free, instrument, 0, time, 0);
        Ok(())
    }

    fn kline(&mut self, ts_recv_ns: i64) -> Result<(), Malformed> {
        let instrument = self.instrument()?;
        let grid = self.instruments.grid(instrument);
        let mut scan = self.scan.at(required(self.fields.kline_at, "k")?);
        let (mut open_time, mut interval, mut volume, mut closed) = (None, None, None, None);
        let mut prices = [None; 4];
        scan.expect(b'{')?;
        let mut first = true;
        while let Some(key) = scan.key(&mut first)? {
            let place = match key {
                b"t" => &mut open_time,
                b"i" => &mut interval,
                b"o" => &mut prices[0],
                b"h" => &mut prices[1],
                b"l" => &mut prices[2],
                b"c" => &mut prices[3],
                b"v" => &mut volume,
                b"x" => &mut closed,
                _ => {
                    scan.skip()?;
                    continue;
                }
            };
            *place = Some(scan.token()?);
        }
        let interval = required(interval, "i")?;
        let interval_ns = interval_of(interval.text).ok_or(interval.wrong(MalformedKind::UnknownWord))?;
        let closed = required(closed, "x")?.boolean()?;
        let open_ns = nanoseconds(open_time)?;
        let flags = if closed { FINAL } else { 0 };
        let bar = Bar { interval_ns, open_ns, flags, ..Bar::default() };
        let volume = required(volume, "v")?.quantity(grid.lot)?;
        let bar = Bar { volume, ..bar.with_prices(prices, grid)? };
        bar.push(instrument, ts_recv_ns, self.out);
        let time = nanoseconds(self.fields.event_time)?;
        self.out.close_free(Part::Free, instrument, 0, time, open_ns as u64);
        Ok(())
    }
}

/// The length of an interval such as `1m` or `4h`; a month has none, and is zero.
fn interval_of(text: &[u8]) -> Option<i64> {
    let (unit, number) = text.split_last()?;
    let unit_s = match unit {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        b'w' => 604_800,
        b'M' => 0,
        _ => return None,
    };
    let number: i64 = std::str::from_utf8(number).ok()?.parse().ok()?;
    (1..=1000).contains(&number).then_some(number * unit_s * 1_000_000_000)
}
