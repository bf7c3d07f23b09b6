//! What is wrong with a column of market data, and in which row: the caller words it for its reader.

use std::fmt;

/// The kinds of fault that a column of times, prices or volumes can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The cell is not a finite decimal number.
    NotANumber,
    /// The number has more decimals than the grid may have.
    TooFine,
    /// The number does not fit the integers that the engine counts in.
    OutOfRange,
    /// The number is not a whole multiple of the given step.
    OffGrid,
    /// The cell is not a date or date-time in a form that has only one reading.
    NotATime,
    /// Some cells of the column name a time zone and this one does not, or the reverse.
    MixedZones,
    /// The time is earlier than that of the row before.
    Unsorted,
    /// The time is that of the row before.
    Duplicate,
    /// The price is zero or negative.
    NotPositive,
    /// The high is below the low.
    HighBelowLow,
    /// The open lies outside the range from low to high.
    OpenOutside,
    /// The close lies outside the range from low to high.
    CloseOutside,
    /// The number is negative where only zero and more have a meaning.
    Negative,
    /// The text does not have as many cells as the column has rows.
    CellCount,
    /// The bar lies in two of the intervals that bars are to be joined into.
    Straddles,
}

impl FaultKind {
    /// The name under which the fault crosses to Python.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::TooFine => "too_fine",
            Self::OutOfRange => "out_of_range",
            Self::OffGrid => "off_grid",
            Self::NotATime => "not_a_time",
            Self::MixedZones => "mixed_zones",
            Self::Unsorted => "unsorted",
            Self::Duplicate => "duplicate",
            Self::NotPositive => "not_positive",
            Self::HighBelowLow => "high_below_low",
            Self::OpenOutside => "open_outside",
            Self::CloseOutside => "close_outside",
            Self::Negative => "negative",
            Self::CellCount => "cell_count",
            Self::Straddles => "straddles",
        }
    }
}

/// A fault, the column of the call in which it is, and its zero-based row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The zero-based position of the column among those handed to the call.
    pub column: usize,
    /// The zero-based row of the first value that has the fault.
    pub row: usize,
}

impl Fault {
    /// A fault in the only, or first, column of a call.
    pub fn at(kind: FaultKind, row: usize) -> Self {
        Self { kind, column: 0, row }
    }

    /// The same fault, placed in another column.
    pub fn in_column(self, column: usize) -> Self {
        Self { column, ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} in column {}, row {}", self.kind.code(), self.column, self.row)
    }
}

impl std::error::Error for Fault {}
