//! What is wrong with a message of a venue, and at which byte.

use std::fmt;

/// The kinds of fault that a message can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedKind {
    /// A byte that the grammar of JSON does not allow here.
    UnexpectedByte,
    /// The message ends inside a value.
    UnexpectedEnd,
    /// Values are nested deeper than any message of a venue.
    TooDeep,
    /// More text follows the message.
    TrailingBytes,
    /// The text is no finite decimal number.
    NotADecimal,
    /// The number has a part finer than the instrument's tick or lot.
    OffGrid,
    /// The number does not fit the integers in which we count.
    OutOfRange,
    /// The price is zero or negative, or the quantity is negative.
    NotPositive,
    /// The text is no time in the venue's form.
    NotATime,
    /// The text is none of the words that the venue uses here.
    UnknownWord,
    /// A field is missing without which the message has no meaning.
    MissingField(&'static str),
    /// The message is about an instrument that was never described, or does not say which one.
    UnknownInstrument,
    /// A line of a capture has no receive time in front.
    NotALine,
}

impl MalformedKind {
    /// The name under which the fault crosses to Python.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnexpectedByte => "unexpected_byte",
            Self::UnexpectedEnd => "unexpected_end",
            Self::TooDeep => "too_deep",
            Self::TrailingBytes => "trailing_bytes",
            Self::NotADecimal => "not_a_decimal",
            Self::OffGrid => "off_grid",
            Self::OutOfRange => "out_of_range",
            Self::NotPositive => "not_positive",
            Self::NotATime => "not_a_time",
            Self::UnknownWord => "unknown_word",
            Self::MissingField(_) => "missing_field",
            Self::UnknownInstrument => "unknown_instrument",
            Self::NotALine => "not_a_line",
        }
    }
}

/// A fault and the offset of the byte at which it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong.
    pub kind: MalformedKind,
    /// The offset in the message.
    pub offset: usize,
}

impl Malformed {
    /// A fault at a byte.
    pub fn at(kind: MalformedKind, offset: usize) -> Self {
        Self { kind, offset }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            MalformedKind::MissingField(name) => write!(out, "missing_field {name:?}")?,
            kind => out.write_str(kind.code())?,
        }
        write!(out, " at byte {}", self.offset)
    }
}

impl std::error::Error for Malformed {}

/// How many bytes of a malformed message are kept.
pub const EXCERPT_BYTES: usize = 48;

/// A malformed message as it is reported: the fault, the first bytes and which message of the feed it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The fault.
    pub fault: Malformed,
    /// The number of the message in its feed, counted from zero.
    pub message: u64,
    /// When it was received.
    pub ts_recv_ns: i64,
    length: u8,
    excerpt: [u8; EXCERPT_BYTES],
}

impl Report {
    /// A report on `bytes`.
    pub fn new(fault: Malformed, message: u64, ts_recv_ns: i64, bytes: &[u8]) -> Self {
        let mut excerpt = [0; EXCERPT_BYTES];
        let length = bytes.len().min(EXCERPT_BYTES);
        excerpt[..length].copy_from_slice(&bytes[..length]);
        Self { fault, message, ts_recv_ns, length: length as u8, excerpt }
    }

    /// The first bytes of the message.
    pub fn first_bytes(&self) -> &[u8] {
        &self.excerpt[..usize::from(self.length)]
    }
}
