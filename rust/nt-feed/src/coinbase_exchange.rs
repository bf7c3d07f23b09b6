//! Messages of the older Coinbase Exchange feed: snapshot, l2update, match, ticker and heartbeat.
//!
//! "Exchange WebSocket Channels": level2 messages carry no sequence number, so a loss inside a connection cannot be seen
//! there; `side` of a match is that of the maker.

use crate::coinbase::{aggressor_of, instant_of};
use crate::event::{ASK, BEFORE, BID, Event, EventKind};
use crate::instrument::Instruments;
use crate::json::{Scan, Token, required};
use crate::malformed::{Malformed, MalformedKind};
use crate::quote::push_quote;
use crate::section::{Decoded, Part};

#[derive(Default)]
struct Fields<'a> {
    kind: Option<Token<'a>>,
    symbol: Option<Token<'a>>,
    time: Option<Token<'a>>,
    price: Option<Token<'a>>,
    size: Option<Token<'a>>,
    last_size: Option<Token<'a>>,
    side: Option<Token<'a>>,
    trade_id: Option<Token<'a>>,
    sequence: Option<Token<'a>>,
    quote: [(Option<Token<'a>>, Option<Token<'a>>); 2],
    bids_at: Option<usize>,
    asks_at: Option<usize>,
    changes_at: Option<usize>,
}

fn fields<'a>(scan: &mut Scan<'a>) -> Result<Fields<'a>, Malformed> {
    let mut found = Fields::default();
    scan.expect(b'{')?;
    let mut first = true;
    while let Some(key) = scan.key(&mut first)? {
        let place = match key {
            b"type" => &mut found.kind,
            b"product_id" => &mut found.symbol,
            b"time" => &mut found.time,
            b"price" => &mut found.price,
            b"size" => &mut found.size,
            b"last_size" => &mut found.last_size,
            b"side" => &mut found.side,
            b"trade_id" => &mut found.trade_id,
            b"sequence" => &mut found.sequence,
            b"best_bid" => &mut found.quote[0].0,
            b"best_bid_size" => &mut found.quote[0].1,
            b"best_ask" => &mut found.quote[1].0,
            b"best_ask_size" => &mut found.quote[1].1,
            b"bids" | b"asks" | b"changes" => {
                let at = Some(scan.skip()?);
                match key {
                    b"bids" => found.bids_at = at,
                    b"asks" => found.asks_at = at,
                    _ => found.changes_at = at,
                }
                continue;
            }
            _ => {
                scan.skip()?;
                continue;
            }
        };
        *place = Some(scan.token()?);
    }
    Ok(found)
}

/// Decodes a message.
pub fn decode(
    message: &[u8],
    ts_recv_ns: i64,
    instruments: &mut Instruments,
    out: &mut Decoded,
) -> Result<(), Malformed> {
    let mut scan = Scan::new(message);
    let found = fields(&mut scan)?;
    scan.end()?;
    let kind = required(found.kind, "type")?;
    out.beside_books = !matches!(kind.text, b"snapshot" | b"l2update");
    out.refused = kind.text == b"error";
    if !matches!(kind.text, b"snapshot" | b"l2update" | b"match" | b"last_match" | b"ticker") {
        return Ok(());
    }
    let symbol = required(found.symbol, "product_id")?;
    let instrument = instruments.number(symbol.text, symbol.at)?;
    let grid = instruments.grid(instrument);
    let time = found.time.map_or(Ok(0), instant_of)?;
    let blank = |kind| Event::bare(kind, instrument, ts_recv_ns);
    match kind.text {
        b"snapshot" => {
            for (at, name, flags) in [(found.bids_at, "bids", BID), (found.asks_at, "asks", ASK)] {
                let mut scan = scan.at(required(at, name)?);
                pairs(&mut scan, |scan| {
                    let price = scan.price(grid.tick)?;
                    scan.expect(b',')?;
                    let quantity = scan.quantity(grid.lot)?;
                    out.events.push(Event { price, quantity, flags, ..blank(EventKind::Level) });
                    Ok(())
                })?;
            }
            out.close_free(Part::Snapshot, instrument, 0, time, 0);
        }
        b"l2update" => {
            let mut scan = scan.at(required(found.changes_at, "changes")?);
            pairs(&mut scan, |scan| {
                let side = scan.token()?;
                let flags = match side.text {
                    b"buy" => BID,
                    b"sell" => ASK,
                    _ => return Err(side.wrong(MalformedKind::UnknownWord)),
                };
                scan.expect(b',')?;
                let price = scan.price(grid.tick)?;
                scan.expect(b',')?;
                let quantity = scan.quantity(grid.lot)?;
                out.events.push(Event { price, quantity, flags, ..blank(EventKind::Level) });
                Ok(())
            })?;
            out.close_free(Part::Diff, instrument, 0, time, 0);
        }
        b"match" | b"last_match" => {
            // A last_match is the latest trade from before the subscription.
            let before = if kind.text == b"last_match" { BEFORE } else { 0 };
            out.push_trade(Event {
                price: required(found.price, "price")?.price(grid.tick)?,
                quantity: required(found.size, "size")?.quantity(grid.lot)?,
                id: required(found.trade_id, "trade_id")?.unsigned()?,
                ts_event_ns: time,
                flags: aggressor_of(required(found.side, "side")?)? | before,
                ..blank(EventKind::Trade)
            });
        }
        _ => {
            push_quote(out, instruments, instrument, found.quote, ts_recv_ns)?;
            let price = required(found.price, "price")?.price(grid.tick)?;
            let quantity = found.last_size.map_or(Ok(0), |size| size.quantity(grid.lot))?;
            out.events.push(Event { price, quantity, ..blank(EventKind::Ticker) });
            let id = found.sequence.map_or(Ok(0), |sequence| sequence.unsigned())?;
            out.close_free(Part::Free, instrument, 0, time, id);
        }
    }
    Ok(())
}

/// A list of lists: `one` reads the beginning of each inner list, the rest of which is passed over.
fn pairs(scan: &mut Scan, mut one: impl FnMut(&mut Scan) -> Result<(), Malformed>) -> Result<(), Malformed> {
    scan.expect(b'[')?;
    let mut first = true;
    while scan.item(&mut first)? {
        scan.expect(b'[')?;
        one(scan)?;
        let mut inner_first = false;
        while scan.item(&mut inner_first)? {
            scan.skip()?;
        }
    }
    Ok(())
}
