//! Messages of Coinbase's Advanced Trade WebSocket: level2, market_trades, ticker, candles and heartbeats.
//!
//! "Advanced Trade WebSocket Channels" gives the envelope: `channel`, `timestamp`, `sequence_num` and `events`, of which
//! each has a type. The level2 channel calls itself `l2_data` in its messages, and asks `offer`.

use crate::bar::{Bar, Texts};
use crate::event::{ASK, BEFORE, BID, Event, EventKind};
use crate::instant::parse_instant;
use crate::instrument::Instruments;
use crate::json::{Scan, Token, required};
use crate::malformed::{Malformed, MalformedKind};
use crate::quote::push_quote;
use crate::section::{Decoded, Part};

/// The candles channel has bars of five minutes only.
const CANDLE_NS: i64 = 300_000_000_000;

struct Reader<'a, 'b> {
    scan: Scan<'a>,
    ts_recv_ns: i64,
    /// The time of the envelope.
    ts_event_ns: i64,
    instruments: &'b mut Instruments,
    out: &'b mut Decoded,
}

pub(crate) fn instant_of(time: Token) -> Result<i64, Malformed> {
    parse_instant(time.text).ok_or(time.wrong(MalformedKind::NotATime))
}

/// The aggressor's side where the venue states that of the maker.
pub(crate) fn aggressor_of(maker: Token) -> Result<u8, Malformed> {
    match maker.text {
        b"BUY" | b"buy" => Ok(ASK),
        b"SELL" | b"sell" => Ok(BID),
        _ => Err(maker.wrong(MalformedKind::UnknownWord)),
    }
}

/// Decodes a message.
pub fn decode(
    message: &[u8],
    ts_recv_ns: i64,
    instruments: &mut Instruments,
    out: &mut Decoded,
) -> Result<(), Malformed> {
    let mut scan = Scan::new(message);
    let (mut channel, mut time, mut number, mut events_at) = (None, None, None, None);
    let mut kind = None;
    scan.expect(b'{')?;
    let mut first = true;
    while let Some(key) = scan.key(&mut first)? {
        match key {
            b"channel" => channel = Some(scan.token()?),
            b"timestamp" => time = Some(scan.token()?),
            b"sequence_num" => number = Some(scan.token()?.unsigned()?),
            b"events" => events_at = Some(scan.skip()?),
            b"type" => kind = Some(scan.token()?),
            _ => drop(scan.skip()?),
        }
    }
    scan.end()?;
    out.sequence_number = number;
    out.refused = kind.is_some_and(|kind| kind.text == b"error");
    let Some(channel) = channel else { return Ok(()) };
    let ts_event_ns = time.map_or(Ok(0), instant_of)?;
    // A lost message shows in the connection's counter, whatever it was about.
    out.beside_books = channel.text != b"l2_data" && channel.text != b"level2";
    let Some(at) = events_at else { return Ok(()) };
    let mut reader = Reader { scan: scan.at(at), ts_recv_ns, ts_event_ns, instruments, out };
    match channel.text {
        b"l2_data" | b"level2" => reader.each(Reader::book),
        b"market_trades" => reader.lists(b"trades", Reader::trade),
        b"ticker" | b"ticker_batch" => reader.lists(b"tickers", Reader::ticker),
        b"candles" => reader.lists(b"candles", Reader::candle),
        _ => Ok(()),
    }
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

    /// Reads the list of this name in each event; `one` also learns whether the event is a snapshot.
    fn lists(
        &mut self,
        name: &[u8],
        mut one: impl FnMut(&mut Self, bool) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.each(|reader| {
            let (mut is_snapshot, mut list_at) = (false, None);
            let mut first = true;
            while let Some(key) = reader.scan.key(&mut first)? {
                match key {
                    b"type" => is_snapshot = reader.scan.token()?.text == b"snapshot",
                    key if key == name => list_at = Some(reader.scan.skip()?),
                    _ => drop(reader.scan.skip()?),
                }
            }
            let behind = reader.scan;
            if let Some(at) = list_at {
                reader.scan = behind.at(at);
                reader.each(|reader| one(reader, is_snapshot))?;
            }
            reader.scan = behind;
            Ok(())
        })
    }

    fn instrument(&mut self, symbol: Option<Token<'a>>) -> Result<u16, Malformed> {
        let symbol = required(symbol, "product_id")?;
        self.instruments.number(symbol.text, symbol.at)
    }

    fn book(&mut self) -> Result<(), Malformed> {
        let start = self.out.events.len();
        let (mut kind, mut symbol, mut updates_at) = (None, None, None);
        let mut first = true;
        while let Some(key) = self.scan.key(&mut first)? {
            match key {
                b"type" => kind = Some(self.scan.token()?),
                b"product_id" => symbol = Some(self.scan.token()?),
                b"updates" => updates_at = Some(self.scan.skip()?),
                _ => drop(self.scan.skip()?),
            }
        }
        let kind = required(kind, "type")?;
        let part = match kind.text {
            b"snapshot" => Part::Snapshot,
            b"update" => Part::Diff,
            _ => return Err(kind.wrong(MalformedKind::UnknownWord)),
        };
        let instrument = self.instrument(symbol)?;
        let behind = self.scan;
        self.scan = behind.at(required(updates_at, "updates")?);
        self.levels(instrument)?;
        self.scan = behind;
        self.out.close_free(part, instrument, start, self.ts_event_ns, self.out.sequence_number.unwrap_or(0));
        Ok(())
    }

    fn levels(&mut self, instrument: u16) -> Result<(), Malformed> {
        let grid = self.instruments.grid(instrument);
        // Updates of one message mostly share their time, so its text is read once.
        let (mut known_text, mut known_ns): (&[u8], i64) = (&[], 0);
        let ts_recv_ns = self.ts_recv_ns;
        self.each(|reader| {
            let (mut side, mut time, mut price, mut quantity) = (None, None, None, None);
            let mut first = true;
            while let Some(key) = reader.scan.key(&mut first)? {
                match key {
                    b"side" => side = Some(reader.scan.token()?),
                    b"event_time" => time = Some(reader.scan.token()?),
                    b"price_level" => price = Some(reader.scan.price(grid.tick)?),
                    b"new_quantity" => quantity = Some(reader.scan.quantity(grid.lot)?),
                    _ => drop(reader.scan.skip()?),
                }
            }
            if let Some(time) = time.filter(|time| time.text != known_text) {
                (known_text, known_ns) = (time.text, instant_of(time)?);
            }
            let side = required(side, "side")?;
            let flags = match side.text {
                b"bid" => BID,
                b"offer" => ASK,
                _ => return Err(side.wrong(MalformedKind::UnknownWord)),
            };
            reader.out.events.push(Event {
                price: required(price, "price_level")?,
                quantity: required(quantity, "new_quantity")?,
                ts_event_ns: known_ns,
                flags,
                ..Event::bare(EventKind::Level, instrument, ts_recv_ns)
            });
            Ok(())
        })
    }

    fn trade(&mut self, is_snapshot: bool) -> Result<(), Malformed> {
        let (mut symbol, mut side, mut price, mut size, mut id, mut time) = (None, None, None, None, None, None);
        let mut first = true;
        while let Some(key) = self.scan.key(&mut first)? {
            let place = match key {
                b"product_id" => &mut symbol,
                b"side" => &mut side,
                b"price" => &mut price,
                b"size" => &mut size,
                b"trade_id" => &mut id,
                b"time" => &mut time,
                _ => {
                    self.scan.skip()?;
                    continue;
                }
            };
            *place = Some(self.scan.token()?);
        }
        let instrument = self.instrument(symbol)?;
        let grid = self.instruments.grid(instrument);
        let trade = Event {
            price: required(price, "price")?.price(grid.tick)?,
            quantity: required(size, "size")?.quantity(grid.lot)?,
            id: required(id, "trade_id")?.unsigned()?,
            ts_event_ns: instant_of(required(time, "time")?)?,
            flags: aggressor_of(required(side, "side")?)? | if is_snapshot { BEFORE } else { 0 },
            ..Event::bare(EventKind::Trade, instrument, self.ts_recv_ns)
        };
        self.out.push_trade(trade);
        Ok(())
    }

    fn ticker(&mut self, _is_snapshot: bool) -> Result<(), Malformed> {
        let start = self.out.events.len();
        let (mut symbol, mut price) = (None, None);
        let mut quote = [(None, None), (None, None)];
        let mut first = true;
        while let Some(key) = self.scan.key(&mut first)? {
            let place = match key {
                b"product_id" => &mut symbol,
                b"price" => &mut price,
                b"best_bid" => &mut quote[0].0,
                b"best_bid_quantity" => &mut quote[0].1,
                b"best_ask" => &mut quote[1].0,
                b"best_ask_quantity" => &mut quote[1].1,
                _ => {
                    self.scan.skip()?;
                    continue;
                }
            };
            *place = Some(self.scan.token()?);
        }
        let instrument = self.instrument(symbol)?;
        push_quote(self.out, self.instruments, instrument, quote, self.ts_recv_ns)?;
        let price = required(price, "price")?.price(self.instruments.grid(instrument).tick)?;
        self.out.events.push(Event { price, ..Event::bare(EventKind::Ticker, instrument, self.ts_recv_ns) });
        self.out.close_free(Part::Free, instrument, start, self.ts_event_ns, self.out.sequence_number.unwrap_or(0));
        Ok(())
    }

    fn candle(&mut self, _is_snapshot: bool) -> Result<(), Malformed> {
        let start = self.out.events.len();
        let (mut symbol, mut begin, mut volume) = (None, None, None);
        let mut prices: Texts = [None; 4];
        let mut first = true;
        while let Some(key) = self.scan.key(&mut first)? {
            let place = match key {
                b"product_id" => &mut symbol,
                b"start" => &mut begin,
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
        let begin = required(begin, "start")?;
        let open_ns = i64::try_from(begin.unsigned()?).ok().and_then(|seconds| seconds.checked_mul(1_000_000_000));
        let bar = Bar {
            interval_ns: CANDLE_NS,
            open_ns: open_ns.ok_or(begin.wrong(MalformedKind::OutOfRange))?,
            volume: required(volume, "volume")?.quantity(grid.lot)?,
            ..Bar::default()
        };
        bar.with_prices(prices, grid)?.push(instrument, self.ts_recv_ns, self.out);
        self.out.close_free(Part::Free, instrument, start, self.ts_event_ns, bar.open_ns as u64);
        Ok(())
    }
}
