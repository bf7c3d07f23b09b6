//! What can be wrong with a system or with a question about it.

use std::fmt;

/// A system that cannot be solved, or a question that cannot be answered. Its text is one line that says what to change.
#[derive(Clone, Debug, PartialEq)]
pub enum SolverError {
    /// The arrays are no matrix in compressed rows.
    Malformed {
        /// What is wrong, in words.
        what: String,
    },
    /// A value of the matrix is NaN or infinite.
    NotFinite {
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
        /// The value.
        value: f64,
    },
    /// The right side has a value that is NaN or infinite.
    RightSide {
        /// Its row.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A vector has another length than the matrix.
    Length {
        /// What the vector is.
        what: &'static str,
        /// Its length.
        given: usize,
        /// The length of the system.
        expected: usize,
    },
    /// Neither rows nor columns dominate, and no weights were found that make them.
    NotDominant {
        /// The row that lacks most.
        row: usize,
        /// The absolute value of its diagonal entry.
        diagonal: f64,
        /// The sum of the absolute values of its other entries.
        others: f64,
        /// How many steps the search for weights took.
        steps: usize,
    },
    /// The method needs weights by rows, and only columns dominate.
    ColumnsOnly {
        /// The method.
        method: &'static str,
    },
    /// The method needs a symmetric matrix with a positive diagonal.
    NotSymmetric {
        /// A row where it is not.
        row: usize,
    },
    /// A parameter makes no sense.
    Parameter {
        /// Its name.
        name: &'static str,
        /// What it must be.
        rule: &'static str,
        /// What was given.
        given: f64,
    },
    /// An index is out of range.
    Index {
        /// The index.
        given: usize,
        /// The length of the system.
        length: usize,
    },
    /// The accuracy was not reached within the steps that were allowed.
    Unfinished {
        /// The method.
        method: &'static str,
        /// The steps that it took.
        steps: usize,
        /// The bound that it had reached.
        bound: f64,
    },
    /// Whoever watches said stop.
    Stopped,
}

impl fmt::Display for SolverError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { what } => write!(out, "{what}"),
            Self::NotFinite { row, column, value } => {
                write!(out, "the matrix has {value} at row {row}, column {column}; every entry must be a finite number")
            }
            Self::RightSide { row, value } => {
                write!(out, "the right side has {value} at row {row}; every entry must be a finite number")
            }
            Self::Length { what, given, expected } => {
                write!(out, "{what} has {given} values and the system {expected} rows; they must be as many")
            }
            Self::NotDominant { row, diagonal, others, steps } => {
                let missing = others - diagonal;
                write!(
                    out,
                    "the matrix is not diagonally dominant: row {row} has {diagonal} on the diagonal and {others} "
                )?;
                if missing > 0.0 {
                    write!(out, "beside it, {missing} too much; ")?;
                } else {
                    write!(out, "beside it, which must be less; ")?;
                }
                write!(out, "no scaling was found in {steps} steps, so add to the diagonal or use a direct solver")
            }
            Self::ColumnsOnly { method } => write!(
                out,
                "{method} needs rows that dominate, by themselves or scaled, and here only columns do; use push instead"
            ),
            Self::NotSymmetric { row } => write!(
                out,
                "conjugate gradient needs a symmetric matrix with a positive diagonal, and row {row} is not; use bicgstab"
            ),
            Self::Parameter { name, rule, given } => write!(out, "{name} must be {rule}, not {given}"),
            Self::Index { given, length } => {
                write!(out, "entry {given} is out of range: the system has entries 0 to {}", length.saturating_sub(1))
            }
            Self::Unfinished { method, steps, bound } => {
                write!(out, "{method} ended after {steps} steps with an error of up to {bound:e}; allow a larger eps")
            }
            Self::Stopped => write!(out, "stopped"),
        }
    }
}

impl std::error::Error for SolverError {}
