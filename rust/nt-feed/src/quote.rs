//! The best bid and ask that a venue states, on their way into two records.

use crate::counting::count_of;
use crate::event::{ASK, BID, Event, EventKind, UNSIZED};
use crate::instrument::Instruments;
use crate::json::Token;
use crate::malformed::Malformed;
use crate::section::Decoded;

/// Price and quantity of the best bid and the best ask.
pub type QuoteTexts<'a> = [(Option<Token<'a>>, Option<Token<'a>>); 2];

/// Adds the two records of a quote; an empty side is a record of zeros.
pub fn push_quote(
    out: &mut Decoded,
    instruments: &Instruments,
    instrument: u16,
    texts: QuoteTexts,
    ts_recv_ns: i64,
) -> Result<(), Malformed> {
    let grid = instruments.grid(instrument);
    for ((price, quantity), side) in texts.into_iter().zip([BID, ASK]) {
        let Some(price) = price.filter(|price| !price.text.is_empty() && price.text != b"null") else {
            out.events.push(Event { flags: side, ..Event::bare(EventKind::Quote, instrument, ts_recv_ns) });
            continue;
        };
        let (quantity, unsized_flag) = match quantity {
            Some(quantity) => (quantity.quantity(grid.lot)?, 0),
            None => (0, UNSIZED),
        };
        let price = if count_of(price.text, grid.tick) == Ok(0) { 0 } else { price.price(grid.tick)? };
        let flags = side | unsized_flag;
        out.events.push(Event { price, quantity, flags, ..Event::bare(EventKind::Quote, instrument, ts_recv_ns) });
    }
    Ok(())
}
