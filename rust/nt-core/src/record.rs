//! The one record of market data of every venue, 48 bytes with a fixed layout.
//!
//! Laws: the bytes are little-endian and without padding, so a numpy structured dtype reads what `to_bytes` writes; a
//! price is a count of the instrument's ticks, a quantity one of its lots; `sequence` rises by one with every record of a
//! feed. The venue's own number (`id`) is what makes the record larger than forty bytes: without it no trade can be told
//! from its repetition and no quote be compared with the book of the same update.

use serde::{Deserialize, Serialize};

/// The size of a record.
pub const EVENT_BYTES: usize = 48;

/// The same in words of 64 bits.
pub const WORDS: usize = EVENT_BYTES / 8;

/// The instrument of a record that concerns the whole connection.
pub const EVERY_INSTRUMENT: u16 = u16::MAX;

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum EventKind {
    /// A trade; the side is that of the aggressor, `id` the venue's trade id.
    Trade = 1,
    /// The trades of one aggressor at one price; `id` is the venue's id of the aggregate.
    AggregateTrade = 2,
    /// The quantity now resting at a price, zero for none; `id` is the venue's last update id of the message.
    Level = 3,
    /// The book is to be emptied, its new levels follow; `id` is the venue's update id of the snapshot.
    SnapshotBegin = 4,
    /// One level of a snapshot.
    SnapshotLevel = 5,
    /// The snapshot is complete, and the book can be trusted until one of the faults below.
    SnapshotEnd = 6,
    /// The best price of one side as the venue states it; `id` is its update id.
    Quote = 7,
    /// The last trade as a ticker states it, in place of the trade itself.
    Ticker = 8,
    /// The open of a bar; `quantity` is the interval in nanoseconds. Of all bar records `id` is the open time in
    /// nanoseconds, and the side tells bars of bids and asks from those of trades or mid prices.
    BarOpen = 9,
    /// The high of a bar.
    BarHigh = 10,
    /// The low of a bar.
    BarLow = 11,
    /// The close of a bar, and its volume in lots (for OANDA the number of price changes).
    BarClose = 12,
    /// Trading in the instrument is possible (`quantity` 1) or not (0).
    Status = 13,
    /// An order now rests, behind all others at its price; of all records of orders `id` is the number of the order, and
    /// the side is its own.
    OrderAdd = 14,
    /// A resting order now has this price and quantity. It keeps its place where it has become smaller at the same price,
    /// and otherwise goes behind all others.
    OrderChange = 15,
    /// An order rests no more, at whose price; `quantity` is what was left of it.
    OrderDelete = 16,
    /// A resting order was filled by this quantity, and rests no more where nothing is left of it. The trade of the
    /// aggressor with all orders at this price is a record of its own, before these.
    OrderFill = 17,
    /// Updates are missing: `price` is the id that was expected, `quantity` the one that came, both as plain integers.
    Gap = 32,
    /// The book does not have the checksum of the venue: `price` is ours, `quantity` the venue's.
    BadChecksum = 33,
    /// The best bid is at or above the best ask after a whole message: `price` is the bid, `quantity` the ask.
    Crossed = 34,
    /// Nothing came for longer than the venue allows: `quantity` is the silence in nanoseconds.
    Stale = 35,
    /// The book is not to be trusted any more and a snapshot is needed.
    Resync = 36,
    /// A message was malformed; the fault with its offset and first bytes is reported beside the records.
    Malformed = 37,
    /// The venue refused a request, such as a subscription.
    Refused = 38,
    /// Trades are missing: `price` is the id that was expected, `quantity` the one that came.
    TradeGap = 39,
}

impl EventKind {
    /// Every kind, with the name by which Python knows it.
    pub const NAMES: [(EventKind, &'static str); 25] = [
        (Self::Trade, "trade"),
        (Self::AggregateTrade, "aggregate_trade"),
        (Self::Level, "level"),
        (Self::SnapshotBegin, "snapshot_begin"),
        (Self::SnapshotLevel, "snapshot_level"),
        (Self::SnapshotEnd, "snapshot_end"),
        (Self::Quote, "quote"),
        (Self::Ticker, "ticker"),
        (Self::BarOpen, "bar_open"),
        (Self::BarHigh, "bar_high"),
        (Self::BarLow, "bar_low"),
        (Self::BarClose, "bar_close"),
        (Self::Status, "status"),
        (Self::OrderAdd, "order_add"),
        (Self::OrderChange, "order_change"),
        (Self::OrderDelete, "order_delete"),
        (Self::OrderFill, "order_fill"),
        (Self::Gap, "gap"),
        (Self::BadChecksum, "bad_checksum"),
        (Self::Crossed, "crossed"),
        (Self::Stale, "stale"),
        (Self::Resync, "resync"),
        (Self::Malformed, "malformed"),
        (Self::Refused, "refused"),
        (Self::TradeGap, "trade_gap"),
    ];

    /// The kind of this number.
    #[inline]
    pub fn of_number(number: u8) -> Option<Self> {
        const KINDS: [Option<EventKind>; 40] = {
            let mut kinds = [None; 40];
            let mut index = 0;
            while index < EventKind::NAMES.len() {
                let kind = EventKind::NAMES[index].0;
                kinds[kind as usize] = Some(kind);
                index += 1;
            }
            kinds
        };
        KINDS.get(usize::from(number)).copied().flatten()
    }
}

/// The flag of bids, and of trades in which the aggressor bought.
pub const BID: u8 = 1;
/// The flag of asks, and of trades in which the aggressor sold.
pub const ASK: u8 = 2;
/// The flag of the last record that a message has for an instrument: only behind it is a book whole.
pub const LAST: u8 = 4;
/// The flag of a bar that will not change any more.
pub const FINAL: u8 = 8;
/// The flag of a quote whose quantity the venue does not state.
pub const UNSIZED: u8 = 16;
/// The flag of a trade that the venue repeats from the time before the subscription.
pub const BEFORE: u8 = 32;

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Event {
    /// When it happened at the venue, in nanoseconds since the epoch; 0 where the venue does not say.
    pub ts_event_ns: i64,
    /// When it was received; 0 where the recording does not say. The two clocks differ, so this may be the earlier one.
    pub ts_recv_ns: i64,
    /// A price in ticks.
    pub price: i64,
    /// A quantity in lots.
    pub quantity: i64,
    /// The venue's own number of what happened.
    pub id: u64,
    /// The number of the record in its feed; it wraps after four thousand million.
    pub sequence: u32,
    /// The instrument's number in its feed.
    pub instrument: u16,
    /// What the record says.
    pub kind: EventKind,
    /// Side and other flags.
    pub flags: u8,
}

impl Event {
    /// A record without price and quantity.
    pub fn bare(kind: EventKind, instrument: u16, ts_recv_ns: i64) -> Self {
        Self { ts_event_ns: 0, ts_recv_ns, price: 0, quantity: 0, id: 0, sequence: 0, instrument, kind, flags: 0 }
    }

    /// The record as it lies in a file.
    #[inline]
    pub fn to_bytes(&self) -> [u8; EVENT_BYTES] {
        Record::from(*self).to_bytes()
    }

    /// The record that lies in a file as these bytes; none where its kind has no meaning.
    #[inline]
    pub fn from_bytes(bytes: &[u8; EVENT_BYTES]) -> Option<Self> {
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            word
        };
        Some(Self {
            ts_event_ns: i64::from_le_bytes(word(0)),
            ts_recv_ns: i64::from_le_bytes(word(8)),
            price: i64::from_le_bytes(word(16)),
            quantity: i64::from_le_bytes(word(24)),
            id: u64::from_le_bytes(word(32)),
            sequence: u32::from_le_bytes([bytes[40], bytes[41], bytes[42], bytes[43]]),
            instrument: u16::from_le_bytes([bytes[44], bytes[45]]),
            kind: EventKind::of_number(bytes[46])?,
            flags: bytes[47],
        })
    }

    /// Whether the record is of the side of bids and buyers.
    #[inline]
    pub fn is_bid(&self) -> bool {
        self.flags & BID != 0
    }
}

/// A record as a file or an array of another language holds it: its kind may be one that nobody knows, so that every 48
/// bytes are a record and a file need not be read through before it can be played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Record {
    /// As [`Event::ts_event_ns`].
    pub ts_event_ns: i64,
    /// As [`Event::ts_recv_ns`].
    pub ts_recv_ns: i64,
    /// A price in ticks.
    pub price: i64,
    /// A quantity in lots.
    pub quantity: i64,
    /// The venue's own number of what happened.
    pub id: u64,
    /// The number of the record in its feed.
    pub sequence: u32,
    /// The instrument's number in its feed.
    pub instrument: u16,
    /// The number of an [`EventKind`].
    pub kind: u8,
    /// Side and other flags.
    pub flags: u8,
}

impl Record {
    /// The record that six words of a little-endian machine's memory hold.
    #[inline]
    pub fn of_words(words: &[i64; WORDS]) -> Self {
        let &[ts_event_ns, ts_recv_ns, price, quantity, id, rest] = words;
        Self {
            ts_event_ns,
            ts_recv_ns,
            price,
            quantity,
            id: id as u64,
            sequence: rest as u32,
            instrument: (rest >> 32) as u16,
            kind: (rest >> 48) as u8,
            flags: (rest >> 56) as u8,
        }
    }

    /// The record as such words.
    #[inline]
    pub fn to_words(&self) -> [i64; WORDS] {
        let upper = i64::from(self.instrument) | i64::from(self.kind) << 16 | i64::from(self.flags) << 24;
        let rest = i64::from(self.sequence) | upper << 32;
        [self.ts_event_ns, self.ts_recv_ns, self.price, self.quantity, self.id as i64, rest]
    }

    /// The record as it lies in a file.
    #[inline]
    pub fn to_bytes(&self) -> [u8; EVENT_BYTES] {
        let mut bytes = [0; EVENT_BYTES];
        bytes[0..8].copy_from_slice(&self.ts_event_ns.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.ts_recv_ns.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.price.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.quantity.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.id.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[44..46].copy_from_slice(&self.instrument.to_le_bytes());
        bytes[46] = self.kind;
        bytes[47] = self.flags;
        bytes
    }

    /// Whether the record says this.
    #[inline]
    pub fn is(&self, kind: EventKind) -> bool {
        self.kind == kind as u8
    }
}

impl From<Event> for Record {
    fn from(event: Event) -> Self {
        let Event { ts_event_ns, ts_recv_ns, price, quantity, id, sequence, instrument, kind, flags } = event;
        Self { ts_event_ns, ts_recv_ns, price, quantity, id, sequence, instrument, kind: kind as u8, flags }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_no_padding_and_its_bytes_are_its_fields_in_order() {
        assert_eq!((size_of::<Event>(), size_of::<Record>()), (EVENT_BYTES, EVENT_BYTES));
        let event = Event {
            ts_event_ns: 1,
            ts_recv_ns: 2,
            price: -3,
            quantity: 4,
            id: 5,
            sequence: 6,
            instrument: 7,
            kind: EventKind::Quote,
            flags: BID | LAST,
        };
        let bytes = event.to_bytes();
        assert_eq!((bytes[0], bytes[8], bytes[16], bytes[23], bytes[24]), (1, 2, 253, 255, 4));
        assert_eq!((bytes[32], bytes[40], bytes[44], bytes[46], bytes[47]), (5, 6, 7, 7, 5));
        assert_eq!(Event::from_bytes(&bytes), Some(event));
        let mut unknown = bytes;
        unknown[46] = 31;
        assert_eq!(Event::from_bytes(&unknown), None);
    }

    #[test]
    fn words_are_the_bytes_of_a_record() {
        let record = Record {
            ts_event_ns: 1,
            ts_recv_ns: -2,
            price: 3,
            quantity: -4,
            id: u64::MAX - 5,
            sequence: u32::MAX - 6,
            instrument: u16::MAX - 7,
            kind: 200,
            flags: 250,
        };
        let words = record.to_words();
        assert_eq!(Record::of_words(&words), record);
        assert_eq!(words.map(i64::to_le_bytes).concat(), record.to_bytes());
    }

    #[test]
    fn every_kind_has_one_name() {
        let mut names: Vec<_> = EventKind::NAMES.iter().map(|(_, name)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), EventKind::NAMES.len());
        assert!(EventKind::NAMES.iter().all(|(kind, _)| EventKind::of_number(*kind as u8) == Some(*kind)));
    }
}
