//! One frame of a journal: a kind, integers of fixed widths, and for few kinds bytes behind them.

use std::fmt;

use nt_book::crc32;
use nt_core::{Bracket, Nanos, Side, TimeInForce, Trail};

use super::AROUND;
use crate::engine::{Engine, Notice};
use crate::request::{Request, Size};
use crate::venue::Resting;

/// What a frame tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Something was decided when this record had arrived; those before it, too, are behind us.
    Record = 1,
    /// A timer rang.
    Timer = 2,
    /// An order was sent.
    Submit = 16,
    /// A cancellation was sent.
    Cancel = 17,
    /// A change was sent.
    Amend = 18,
    /// A timer was set.
    SetTimer = 19,
    /// A venue took an order.
    Accepted = 32,
    /// An order ended without filling wholly.
    Ended = 33,
    /// An order filled.
    Fill = 34,
    /// A venue changed an order.
    Amended = 35,
    /// A venue did not cancel or change an order.
    Refused = 36,
    /// The stop of an order was reached.
    Triggered = 37,
    /// Equity.
    Sample = 48,
    /// The run broke off; the text says where.
    Aborted = 64,
    /// The run ended; the bytes are the run hash.
    End = 65,
    /// The link of the chain that binds the frames since the one before.
    Block = 66,
}

/// The width of an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    I8,
    U8,
    U32,
    I64,
    U64,
    I128,
}

impl Width {
    const fn bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::U32 => 4,
            Self::I64 | Self::U64 => 8,
            Self::I128 => 16,
        }
    }

    /// The integer of so many bytes.
    fn read(self, bytes: &[u8]) -> i128 {
        let mut word = [0; 16];
        word[..bytes.len()].copy_from_slice(bytes);
        let value = u128::from_le_bytes(word);
        match self {
            Self::I8 => i128::from(value as i8),
            Self::I64 => i128::from(value as i64),
            Self::U8 | Self::U32 | Self::U64 | Self::I128 => value as i128,
        }
    }
}

/// What may stand behind the integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    None,
    Hash,
    Text,
}

type Fields = &'static [(&'static str, Width)];

const OF_ORDER: Fields = &[("time_ns", Width::I64), ("order", Width::U32)];

impl Kind {
    const ALL: [Kind; 16] = [
        Kind::Record,
        Kind::Timer,
        Kind::Submit,
        Kind::Cancel,
        Kind::Amend,
        Kind::SetTimer,
        Kind::Accepted,
        Kind::Ended,
        Kind::Fill,
        Kind::Amended,
        Kind::Refused,
        Kind::Triggered,
        Kind::Sample,
        Kind::Aborted,
        Kind::End,
        Kind::Block,
    ];

    fn of(code: u8) -> Option<Kind> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == code)
    }

    /// Whether it is a decision of the strategy.
    pub fn is_decision(self) -> bool {
        matches!(self, Kind::Submit | Kind::Cancel | Kind::Amend | Kind::SetTimer)
    }

    /// Whether nothing but the link of its block follows it.
    pub fn is_last(self) -> bool {
        matches!(self, Kind::End | Kind::Aborted)
    }

    /// The name by which the other tongues know it.
    pub fn name(self) -> &'static str {
        self.layout().0
    }

    fn layout(self) -> (&'static str, Fields, Tail) {
        use Width::{I8, I64, I128, U8, U32, U64};
        match self {
            Kind::Record => ("record", &[("time_ns", I64), ("source", U32), ("index", U64)], Tail::None),
            Kind::Timer => ("timer", &[("time_ns", I64)], Tail::None),
            Kind::Submit => (
                "submit",
                &[
                    ("time_ns", I64),
                    ("order", U32),
                    ("instrument", U32),
                    ("side", I8),
                    ("order_kind", U8),
                    ("size_kind", U8),
                    ("time_in_force", U8),
                    ("flags", U8),
                    ("given", U8),
                    ("trail_kind", U8),
                    ("stop_loss_trail_kind", U8),
                    ("size", I64),
                    ("expire_ns", I64),
                    ("limit", I64),
                    ("stop", I64),
                    ("trail", I64),
                    ("display", I64),
                    ("stop_loss", I64),
                    ("stop_loss_trail", I64),
                    ("take_profit", I64),
                ],
                Tail::None,
            ),
            Kind::Cancel => ("cancel", OF_ORDER, Tail::None),
            Kind::Amend => {
                ("amend", &[("time_ns", I64), ("order", U32), ("limit", I64), ("quantity", I64)], Tail::None)
            }
            Kind::SetTimer => ("set_timer", &[("time_ns", I64), ("at_ns", I64)], Tail::None),
            Kind::Accepted => ("accepted", OF_ORDER, Tail::None),
            Kind::Ended => (
                "ended",
                &[("time_ns", I64), ("order", U32), ("state", U8), ("reason", U8), ("filled", I64), ("cancelled", I64)],
                Tail::None,
            ),
            Kind::Fill => (
                "fill",
                &[
                    ("time_ns", I64),
                    ("order", U32),
                    ("instrument", U32),
                    ("side", I8),
                    ("maker", U8),
                    ("quantity", I64),
                    ("price", I64),
                    ("fee", I128),
                    ("venue_ns", I64),
                ],
                Tail::None,
            ),
            Kind::Amended => ("amended", OF_ORDER, Tail::None),
            Kind::Refused => ("refused", OF_ORDER, Tail::None),
            Kind::Triggered => ("triggered", OF_ORDER, Tail::None),
            Kind::Sample => ("sample", &[("time_ns", I64), ("equity", I128)], Tail::None),
            Kind::Aborted => ("aborted", &[("time_ns", I64)], Tail::Text),
            Kind::End => ("end", &[("time_ns", I64)], Tail::Hash),
            Kind::Block => ("block", &[], Tail::Hash),
        }
    }
}

/// A frame: its integers in the order of docs/journal.md, and the bytes behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it tells.
    pub kind: Kind,
    /// Its integers.
    pub fields: Vec<i128>,
    /// The text or the digest behind them, if its kind has one.
    pub tail: Vec<u8>,
}

const POST_ONLY: u8 = 1;
const REDUCE_ONLY: u8 = 2;

impl Frame {
    pub(crate) fn of<const N: usize>(kind: Kind, fields: [i128; N]) -> Self {
        Self::bytes(kind, fields.to_vec(), Vec::new())
    }

    pub(crate) fn bytes(kind: Kind, fields: Vec<i128>, tail: Vec<u8>) -> Self {
        Frame { kind, fields, tail }
    }

    /// The last frame of a run that broke off at a time.
    pub fn aborted(time_ns: Nanos, place: &str) -> Self {
        Self::bytes(Kind::Aborted, vec![time_ns.into()], place.as_bytes().to_vec())
    }

    /// The last frame of a run.
    pub fn end(time_ns: Nanos, run_hash: [u8; 32]) -> Self {
        Self::bytes(Kind::End, vec![time_ns.into()], run_hash.to_vec())
    }

    /// What a strategy is told at a time, of an order by its number there.
    pub(crate) fn answer(engine: &Engine, time_ns: Nanos, notice: Notice, number: u32) -> Self {
        let of_order = |kind| Self::of(kind, [time_ns.into(), number.into()]);
        match notice {
            Notice::Accepted(_) => of_order(Kind::Accepted),
            Notice::Amended(_) => of_order(Kind::Amended),
            Notice::Refused(_) => of_order(Kind::Refused),
            Notice::Triggered(_) => of_order(Kind::Triggered),
            Notice::OrderEnded(id) => {
                let order = engine.order(id);
                let (state, reason) = (order.state as u8, order.reason as u8);
                let lots = [order.filled.into(), order.cancelled.into()];
                Self::of(Kind::Ended, [time_ns.into(), number.into(), state.into(), reason.into(), lots[0], lots[1]])
            }
            Notice::Fill(at) => {
                let fill = &engine.fills()[at];
                Self::of(
                    Kind::Fill,
                    [
                        time_ns.into(),
                        number.into(),
                        fill.instrument.into(),
                        fill.side.sign().into(),
                        fill.maker.into(),
                        fill.quantity.into(),
                        fill.price.into(),
                        fill.fee,
                        fill.time_ns.into(),
                    ],
                )
            }
        }
    }

    /// An order with all its terms, sent at a time; a size that is no quantity is none that a replay takes.
    pub(crate) fn submit(time_ns: Nanos, id: u32, request: &Request, terms: Resting, reduce_only: bool) -> Self {
        let (size_kind, size) = match request.size {
            Size::TargetQuantity(lots) => (1, lots),
            Size::Quantity(lots) => (0, lots),
            Size::Cash(_) | Size::Fraction(_) | Size::TargetFraction(_) => (0, 0),
        };
        let (time_in_force, expire_ns) = match request.time_in_force {
            TimeInForce::GoodTillCancelled => (0, 0),
            TimeInForce::GoodTillDate(expire_ns) => (1, expire_ns),
            TimeInForce::Day => (2, 0),
            TimeInForce::ImmediateOrCancel => (3, 0),
            TimeInForce::FillOrKill => (4, 0),
        };
        let bracket = &request.bracket;
        let optional = [request.limit, request.stop, terms.display, bracket.stop_loss, bracket.take_profit];
        let given = (0..).zip(optional).fold(0_u8, |bits, (at, value)| bits | u8::from(value.is_some()) << at);
        let [limit, stop, display, stop_loss, take_profit] = optional.map(|value| value.unwrap_or(0).into());
        let flags = (POST_ONLY * u8::from(terms.post_only)) | (REDUCE_ONLY * u8::from(reduce_only));
        let (trail_kind, trail) = coded_trail(request.trail);
        let (exit_trail_kind, exit_trail) = coded_trail(bracket.stop_loss_trail);
        Self::of(
            Kind::Submit,
            [
                time_ns.into(),
                id.into(),
                request.instrument as i128,
                request.side.sign().into(),
                (request.kind as u8).into(),
                size_kind,
                time_in_force,
                flags.into(),
                given.into(),
                trail_kind,
                exit_trail_kind,
                size.into(),
                expire_ns.into(),
                limit,
                stop,
                trail,
                display,
                stop_loss,
                exit_trail,
                take_profit,
            ],
        )
    }

    /// The order that a frame sends; nothing where its codes mean nothing.
    pub(crate) fn request(&self) -> Option<(Request, Resting, bool)> {
        let fields: &[i128; 20] = self.fields.as_slice().try_into().ok()?;
        let number = |at: usize| i64::try_from(fields[at]).ok();
        let given = |bit: u8, at: usize| if fields[8] >> bit & 1 == 1 { number(at).map(Some) } else { Some(None) };
        let request = Request {
            instrument: usize::try_from(fields[2]).ok()?,
            side: if fields[3] == 1 { Side::Buy } else { Side::Sell },
            kind: order_kind(fields[4])?,
            size: match fields[5] {
                0 => Size::Quantity(number(11)?),
                1 => Size::TargetQuantity(number(11)?),
                _ => return None,
            },
            limit: given(0, 13)?,
            stop: given(1, 14)?,
            trail: trail_of(fields[9], number(15)?)?,
            time_in_force: match fields[6] {
                0 => TimeInForce::GoodTillCancelled,
                1 => TimeInForce::GoodTillDate(number(12)?),
                2 => TimeInForce::Day,
                3 => TimeInForce::ImmediateOrCancel,
                4 => TimeInForce::FillOrKill,
                _ => return None,
            },
            bracket: Bracket {
                stop_loss: given(3, 17)?,
                stop_loss_trail: trail_of(fields[10], number(18)?)?,
                take_profit: given(4, 19)?,
            },
        };
        let is = |flag: u8| fields[7] & i128::from(flag) != 0;
        Some((request, Resting { post_only: is(POST_ONLY), display: given(2, 16)? }, is(REDUCE_ONLY)))
    }

    /// When it happened, where it says so.
    pub fn time_ns(&self) -> Nanos {
        self.fields.first().and_then(|&time_ns| i64::try_from(time_ns).ok()).unwrap_or(0)
    }

    /// Appends its bytes.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        let (_, fields, _) = self.kind.layout();
        let begin = bytes.len();
        bytes.extend_from_slice(&[0; 4]);
        bytes.push(self.kind as u8);
        for ((_, width), value) in fields.iter().zip(&self.fields) {
            bytes.extend_from_slice(&value.to_le_bytes()[..width.bytes()]);
        }
        bytes.extend_from_slice(&self.tail);
        let length = (bytes.len() - begin - 5) as u32;
        bytes[begin..begin + 4].copy_from_slice(&length.to_le_bytes());
        let checksum = crc32(&bytes[begin..]);
        bytes.extend_from_slice(&checksum.to_le_bytes());
    }

    /// The frame that bytes begin with, and its length in bytes; or what is wrong with it.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Frame, usize), &'static str> {
        let (head, _) = bytes.split_first_chunk::<4>().ok_or("the frame is not whole")?;
        let length = u32::from_le_bytes(*head) as usize;
        let whole = bytes.get(..length.saturating_add(AROUND)).ok_or("the frame is not whole")?;
        let (content, checksum) = whole.split_last_chunk::<4>().ok_or("the frame is not whole")?;
        if crc32(content) != u32::from_le_bytes(*checksum) {
            return Err("the checksum of the frame is another");
        }
        let (kind, payload) = content[4..].split_first().ok_or("the frame is not whole")?;
        let kind = Kind::of(*kind).ok_or("there are no frames of this kind")?;
        Frame::of_payload(kind, payload).map(|frame| (frame, whole.len())).ok_or("the frame has another length")
    }

    fn of_payload(kind: Kind, payload: &[u8]) -> Option<Frame> {
        let (_, layout, tail) = kind.layout();
        let mut rest = payload;
        let mut fields = Vec::with_capacity(layout.len());
        for (_, width) in layout {
            let (own, others) = rest.split_at_checked(width.bytes())?;
            fields.push(width.read(own));
            rest = others;
        }
        let fits = match tail {
            Tail::None => rest.is_empty(),
            Tail::Hash => rest.len() == 32,
            Tail::Text => std::str::from_utf8(rest).is_ok(),
        };
        fits.then(|| Frame { kind, fields, tail: rest.to_vec() })
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, fields, tail) = self.kind.layout();
        formatter.write_str(name)?;
        for ((field, _), value) in fields.iter().zip(&self.fields) {
            write!(formatter, " {field}={value}")?;
        }
        match tail {
            Tail::None => Ok(()),
            Tail::Hash => {
                formatter.write_str(" ")?;
                self.tail.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
            }
            Tail::Text => write!(formatter, " {}", String::from_utf8_lossy(&self.tail)),
        }
    }
}

fn coded_trail(trail: Option<Trail>) -> (i128, i128) {
    match trail {
        None => (0, 0),
        Some(Trail::Ticks(ticks)) => (1, ticks.into()),
        Some(Trail::Share(share)) => (2, share.into()),
    }
}

fn trail_of(kind: i128, value: i64) -> Option<Option<Trail>> {
    match kind {
        0 => Some(None),
        1 => Some(Some(Trail::Ticks(value))),
        2 => Some(Some(Trail::Share(value))),
        _ => None,
    }
}

fn order_kind(code: i128) -> Option<nt_core::Kind> {
    use nt_core::Kind as Order;
    let kinds =
        [Order::Market, Order::Limit, Order::Stop, Order::StopLimit, Order::TrailingStop, Order::MarketIfTouched];
    kinds.into_iter().find(|kind| *kind as i128 == code)
}
