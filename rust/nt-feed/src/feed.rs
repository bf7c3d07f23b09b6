//! A connection to a venue: messages in, joined and numbered records out.
//!
//! Laws: time arrives with the messages; a message that cannot be read is reported and changes no book, except that books
//! whose losses the venue does not reveal are not trusted any more; whatever comes in, memory is bounded by the largest
//! message, the diffs that may wait, and the instruments.

use nt_book::{KrakenScale, Ladder};

use crate::POWERS_OF_TEN;
use crate::event::{EVERY_INSTRUMENT, Event, EventKind, LAST};
use crate::instrument::{Grid, Instruments};
use crate::join::{Book, Outlet, Rule};
use crate::kraken::OpenBars;
use crate::malformed::{Malformed, MalformedKind, Report};
use crate::section::{Decoded, Part, Section};
use crate::sequence::{Follows, counted};
use crate::{binance, coinbase, coinbase_exchange, kraken, oanda};

/// Reports kept until they are taken; further ones are only counted.
const REPORTS_MAX: usize = 10_000;

/// A venue, and which of its feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Venue {
    /// Binance spot.
    Binance,
    /// Binance.US, which speaks as Binance spot does.
    BinanceUs,
    /// Binance USD-M futures.
    BinanceUsdm,
    /// Kraken spot, WebSocket v2.
    Kraken,
    /// Coinbase Advanced Trade.
    Coinbase,
    /// The older Coinbase Exchange feed.
    CoinbaseExchange,
    /// OANDA v20.
    Oanda,
}

impl Venue {
    /// Every venue with the name by which Python knows it.
    pub const NAMES: [(Venue, &'static str); 7] = [
        (Self::Binance, "binance"),
        (Self::BinanceUs, "binance_us"),
        (Self::BinanceUsdm, "binance_usdm"),
        (Self::Kraken, "kraken"),
        (Self::Coinbase, "coinbase"),
        (Self::CoinbaseExchange, "coinbase_exchange"),
        (Self::Oanda, "oanda"),
    ];

    /// The venue of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(venue, _)| *venue)
    }

    /// Whether trades of an instrument are numbered without holes, so that a hole is a loss.
    fn counts_trades(self) -> bool {
        !matches!(self, Self::Coinbase | Self::Oanda)
    }
}

/// What a connection may differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The subscribed depth of Kraken's books, until an acknowledgement names another.
    pub depth: usize,
    /// The longest silence of a connection in nanoseconds; 0 for any. Venues with heartbeats are never silent for long.
    pub silence_ns: i64,
    /// The longest silence of one book in nanoseconds; 0 for any, because a quiet market is no fault.
    pub book_silence_ns: i64,
    /// Whether Coinbase counts messages per connection; otherwise per product.
    pub counts_connection: bool,
    /// Whether books are joined; otherwise their records come out as the messages have them, whatever is missing.
    pub joins: bool,
}

impl Settings {
    /// What the venue's documentation asks for. Kraken: reconnect without a message of any kind for about five seconds;
    /// OANDA: without a heartbeat for ten; Coinbase: heartbeats come every second; Binance: a ping every twenty seconds,
    /// which is no message, and a minute without one ends the connection.
    pub fn of(venue: Venue) -> Self {
        let silence_s = match venue {
            Venue::Kraken | Venue::Coinbase => 5,
            Venue::Oanda => 10,
            Venue::Binance | Venue::BinanceUs | Venue::BinanceUsdm | Venue::CoinbaseExchange => 60,
        };
        Self {
            depth: 10,
            silence_ns: silence_s * 1_000_000_000,
            book_silence_ns: 0,
            counts_connection: true,
            joins: true,
        }
    }
}

/// What a feed has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages, malformed ones included.
    pub messages: u64,
    /// Bytes of the messages.
    pub bytes: u64,
    /// Messages that could not be read.
    pub malformed: u64,
    /// Messages that said nothing about a market.
    pub ignored: u64,
    /// Messages that came too late or twice.
    pub repeated: u64,
    /// Trades left out because they had been seen.
    pub trades_repeated: u64,
    /// Checksums of books that agreed.
    pub checksums: u64,
}

/// The feed.
#[derive(Debug)]
pub struct Feed {
    venue: Venue,
    settings: Settings,
    instruments: Instruments,
    decoded: Decoded,
    bars: OpenBars,
    books: Vec<Option<Box<Book>>>,
    /// The ids of the latest trade and the latest aggregate of each instrument; 0 for none.
    trades: Vec<[u64; 2]>,
    /// The latest number of a message: of the connection, or of each instrument.
    numbers: Vec<Option<u64>>,
    ts_recv_ns: i64,
    sequence: u32,
    events: Vec<Event>,
    reports: Vec<Report>,
    tally: Tally,
}

impl Feed {
    /// A feed of these instruments.
    pub fn new(venue: Venue, instruments: Instruments, settings: Settings) -> Self {
        Self {
            venue,
            settings,
            instruments,
            decoded: Decoded::default(),
            bars: OpenBars::default(),
            books: Vec::new(),
            trades: Vec::new(),
            numbers: Vec::new(),
            ts_recv_ns: 0,
            sequence: 0,
            events: Vec::new(),
            reports: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// The records since they were last cleared.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Forgets the records that were read.
    pub fn clear_events(&mut self) {
        self.events.clear();
    }

    /// The malformed messages since this was last asked.
    pub fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// What has been seen.
    pub fn tally(&self) -> Tally {
        Tally { checksums: self.books.iter().flatten().map(|book| book.checksums).sum(), ..self.tally }
    }

    /// The instruments.
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// The instruments, to look one up by its symbol.
    pub fn instruments_mut(&mut self) -> &mut Instruments {
        &mut self.instruments
    }

    /// The book of an instrument, as long as it can be trusted.
    pub fn book(&self, instrument: u16) -> Option<&Ladder> {
        self.books.get(usize::from(instrument))?.as_ref()?.ladder()
    }

    /// The venue's id of the last update in the book of an instrument.
    pub fn book_id(&self, instrument: u16) -> u64 {
        self.books.get(usize::from(instrument)).and_then(Option::as_ref).map_or(0, |book| book.id())
    }

    /// Takes in a message of the stream.
    pub fn message(&mut self, ts_recv_ns: i64, message: &[u8]) {
        self.take_in(ts_recv_ns, message, None);
    }

    /// Takes in an answer to a request, which does not say of which instrument it is.
    pub fn answer(&mut self, instrument: u16, ts_recv_ns: i64, message: &[u8]) {
        self.take_in(ts_recv_ns, message, Some(instrument));
    }

    /// Reports text of a capture that is no message.
    pub fn unreadable(&mut self, ts_recv_ns: i64, text: &[u8]) {
        self.tally.messages += 1;
        self.tally.bytes += text.len() as u64;
        self.report(Malformed::at(MalformedKind::NotALine, 0), ts_recv_ns, text);
    }

    /// The connection was made anew: no venue resumes, so all books wait for their snapshots and numbers begin again.
    pub fn reconnected(&mut self, ts_recv_ns: i64) {
        self.numbers.clear();
        self.ts_recv_ns = 0;
        self.distrust_all(ts_recv_ns);
    }

    /// Says what time it is where no message comes, so that silence is noticed.
    pub fn at_time(&mut self, ts_recv_ns: i64) {
        let silent_ns = ts_recv_ns.saturating_sub(self.ts_recv_ns);
        if self.ts_recv_ns > 0 && self.settings.silence_ns > 0 && silent_ns > self.settings.silence_ns {
            self.push(Event { quantity: silent_ns, ..Event::bare(EventKind::Stale, EVERY_INSTRUMENT, ts_recv_ns) });
            // What is said once need not be said at every further moment of the same silence.
            self.ts_recv_ns = 0;
            self.distrust_all(ts_recv_ns);
        }
        if self.settings.book_silence_ns > 0 {
            self.find_silent_books(ts_recv_ns);
        }
    }

    fn find_silent_books(&mut self, ts_recv_ns: i64) {
        let mut out = Outlet { events: &mut self.events, sequence: &mut self.sequence };
        for (number, book) in self.books.iter_mut().enumerate() {
            let Some(book) = book.as_mut().filter(|book| book.ladder().is_some()) else { continue };
            let silent_ns = ts_recv_ns.saturating_sub(book.ts_recv_ns);
            if book.ts_recv_ns > 0 && silent_ns > self.settings.book_silence_ns {
                let instrument = number as u16;
                out.push(Event { quantity: silent_ns, ..Event::bare(EventKind::Stale, instrument, ts_recv_ns) });
                book.distrust(instrument, ts_recv_ns, &mut out);
            }
        }
    }

    fn push(&mut self, event: Event) {
        Outlet { events: &mut self.events, sequence: &mut self.sequence }.push(event);
    }

    fn distrust_all(&mut self, ts_recv_ns: i64) {
        let mut out = Outlet { events: &mut self.events, sequence: &mut self.sequence };
        for (number, book) in self.books.iter_mut().enumerate() {
            if let Some(book) = book {
                book.distrust(number as u16, ts_recv_ns, &mut out);
            }
        }
    }

    fn rule(&self) -> Rule {
        match self.venue {
            Venue::Binance | Venue::BinanceUs => Rule::Spot,
            Venue::BinanceUsdm => Rule::Futures,
            Venue::Kraken => Rule::Checked { depth: self.settings.depth },
            Venue::Coinbase | Venue::CoinbaseExchange => Rule::InStream,
            Venue::Oanda => Rule::Whole,
        }
    }

    fn take_in(&mut self, ts_recv_ns: i64, message: &[u8], instrument: Option<u16>) {
        self.tally.messages += 1;
        self.tally.bytes += message.len() as u64;
        if ts_recv_ns > 0 {
            self.at_time(ts_recv_ns);
            self.ts_recv_ns = self.ts_recv_ns.max(ts_recv_ns);
        }
        self.decoded.clear();
        let (instruments, out) = (&mut self.instruments, &mut self.decoded);
        let read = match self.venue {
            Venue::Binance | Venue::BinanceUs | Venue::BinanceUsdm => {
                binance::decode(message, instrument, ts_recv_ns, instruments, out)
            }
            Venue::Kraken => kraken::decode(message, ts_recv_ns, instruments, &mut self.bars, out),
            Venue::Coinbase => coinbase::decode(message, ts_recv_ns, instruments, out),
            Venue::CoinbaseExchange => coinbase_exchange::decode(message, ts_recv_ns, instruments, out),
            Venue::Oanda => oanda::decode(message, ts_recv_ns, instruments, out),
        };
        match read {
            Ok(()) => self.join(ts_recv_ns),
            Err(fault) => self.refuse(fault, ts_recv_ns, message),
        }
    }

    fn report(&mut self, fault: Malformed, ts_recv_ns: i64, message: &[u8]) {
        self.tally.malformed += 1;
        if self.reports.len() < REPORTS_MAX {
            self.reports.push(Report::new(fault, self.tally.messages - 1, ts_recv_ns, message));
        }
        let offset = fault.offset as i64;
        self.push(Event { price: offset, ..Event::bare(EventKind::Malformed, EVERY_INSTRUMENT, ts_recv_ns) });
    }

    fn refuse(&mut self, fault: Malformed, ts_recv_ns: i64, message: &[u8]) {
        self.report(fault, ts_recv_ns, message);
        // Binance and Coinbase number their messages, so that what was lost shows at the next one. The others do not, or
        // cover only the top of the book.
        if matches!(self.venue, Venue::Kraken | Venue::CoinbaseExchange) && !self.decoded.beside_books {
            self.distrust_all(ts_recv_ns);
        }
    }

    fn join(&mut self, ts_recv_ns: i64) {
        // Taken out for the loop below, so that the sections can be read while the feed changes.
        let decoded = std::mem::take(&mut self.decoded);
        if decoded.refused {
            self.push(Event::bare(EventKind::Refused, EVERY_INSTRUMENT, ts_recv_ns));
        }
        if let Some(depth) = decoded.depth {
            self.settings.depth = depth;
        }
        if self.is_next(&decoded, ts_recv_ns) {
            self.tally.ignored += u64::from(decoded.sections.is_empty());
            for section in &decoded.sections {
                let events = &decoded.events[section.start..section.end];
                match section.part {
                    _ if !self.settings.joins => self.pass(events),
                    Part::Free => self.pass(events),
                    Part::Trades => self.trades(section, events),
                    Part::Diff | Part::Snapshot | Part::Partial => self.book_section(section, events, ts_recv_ns),
                }
            }
        } else {
            self.tally.repeated += 1;
        }
        self.decoded = decoded;
    }

    /// Whether a numbered message is not one from the past; a number left out makes all books of its counter wait.
    fn is_next(&mut self, decoded: &Decoded, ts_recv_ns: i64) -> bool {
        let Some(number) = decoded.sequence_number else { return true };
        let instrument = decoded.sections.first().map(|section| section.instrument);
        let counter = match (self.settings.counts_connection, instrument) {
            (true, _) => 0,
            (false, Some(instrument)) => usize::from(instrument),
            (false, None) => return true,
        };
        if self.numbers.len() <= counter {
            self.numbers.resize(counter + 1, None);
        }
        match counted(self.numbers[counter], number) {
            Follows::Old => return false,
            Follows::Next if number == 0 && self.numbers[counter].is_some() => self.distrust_all(ts_recv_ns),
            Follows::Next => {}
            Follows::Gap { expected } => {
                let about = if self.settings.counts_connection { EVERY_INSTRUMENT } else { counter as u16 };
                self.push(Event {
                    price: expected as i64,
                    quantity: number as i64,
                    ..Event::bare(EventKind::Gap, about, ts_recv_ns)
                });
                if self.settings.counts_connection {
                    self.distrust_all(ts_recv_ns);
                } else if let Some(Some(book)) = self.books.get_mut(counter) {
                    let mut out = Outlet { events: &mut self.events, sequence: &mut self.sequence };
                    book.distrust(about, ts_recv_ns, &mut out);
                }
            }
        }
        self.numbers[counter] = Some(number);
        true
    }

    fn pass(&mut self, events: &[Event]) {
        let mut out = Outlet { events: &mut self.events, sequence: &mut self.sequence };
        for event in events {
            out.push(*event);
        }
        if let Some(event) = self.events.last_mut().filter(|_| !events.is_empty()) {
            event.flags |= LAST;
        }
    }

    fn trades(&mut self, section: &Section, events: &[Event]) {
        let number = usize::from(section.instrument);
        if self.trades.len() <= number {
            self.trades.resize(number + 1, [0, 0]);
        }
        let counts = self.venue.counts_trades();
        let known = self.trades[number];
        let mut out = Outlet { events: &mut self.events, sequence: &mut self.sequence };
        // Coinbase lists the trades of a message from the newest to the oldest.
        let newest_first = events.first().zip(events.last()).is_some_and(|(first, last)| first.id > last.id);
        for place in 0..events.len() {
            let event = &events[if newest_first { events.len() - 1 - place } else { place }];
            let latest = &mut self.trades[number][usize::from(event.kind == EventKind::AggregateTrade)];
            let known = known[usize::from(event.kind == EventKind::AggregateTrade)];
            if event.id != 0 && event.id <= known {
                self.tally.trades_repeated += 1;
                continue;
            }
            if counts && *latest > 0 && event.id > latest.saturating_add(1) {
                out.push(Event {
                    kind: EventKind::TradeGap,
                    price: latest.saturating_add(1) as i64,
                    quantity: event.id as i64,
                    flags: 0,
                    ..*event
                });
            }
            *latest = event.id.max(*latest);
            out.push(Event { flags: event.flags | LAST, ..*event });
        }
    }

    fn book_section(&mut self, section: &Section, events: &[Event], ts_recv_ns: i64) {
        let number = usize::from(section.instrument);
        if self.books.len() <= number {
            self.books.resize_with(number + 1, || None);
        }
        let rule = self.rule();
        let scale = scale_of(self.instruments.grid(section.instrument));
        let book = self.books[number].get_or_insert_with(|| Box::new(Book::new(scale)));
        let mut out = Outlet { events: &mut self.events, sequence: &mut self.sequence };
        book.take(rule, section, events, ts_recv_ns, &mut out);
    }
}

/// How many units of the venue's last printed decimal one tick and one lot are.
fn scale_of(grid: Grid) -> KrakenScale {
    let scale = |step: nt_core::Step, decimals: u8| {
        let finer = decimals.checked_sub(step.decimals).and_then(|by| POWERS_OF_TEN.get(usize::from(by)));
        finer.and_then(|finer| step.mantissa.checked_mul(*finer)).unwrap_or(step.mantissa)
    };
    KrakenScale { price: scale(grid.tick, grid.price_decimals), quantity: scale(grid.lot, grid.quantity_decimals) }
}
