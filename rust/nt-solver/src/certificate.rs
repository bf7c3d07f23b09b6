//! What is known about an answer: its residual, computed anew, and the bounds on its error that follow from dominance.

use crate::dominance::rounding;
use crate::parallel::fill;
use crate::{Dominance, Index, Kind, Matrix, SolverError, threads_for};

/// How an answer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The series of Neumann, summed by sweeps of Jacobi.
    Neumann,
    /// Conjugate gradient (Hestenes and Stiefel 1952).
    ConjugateGradient,
    /// Stabilised biconjugate gradient (van der Vorst 1992).
    Bicgstab,
    /// Push from the right side.
    Forward,
    /// Push from the entry that is asked for.
    Backward,
    /// Random walks.
    Walks,
    /// Push, and walks from what it left.
    Bidirectional,
    /// Changes carried into a solution that was known.
    Tracked,
}

impl Method {
    /// Its name for users.
    pub fn name(self) -> &'static str {
        match self {
            Self::Neumann => "neumann",
            Self::ConjugateGradient => "cg",
            Self::Bicgstab => "bicgstab",
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::Walks => "walks",
            Self::Bidirectional => "bidirectional",
            Self::Tracked => "tracked",
        }
    }
}

/// What comes with every answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// How it was found.
    pub method: Method,
    /// The largest absolute entry of the residual: of `b - A x`, or of what is left of the entry that was asked for.
    pub residual: f64,
    /// What theory promised before the residual was looked at.
    pub bound_before: f64,
    /// What the residual proves: no entry of the answer is further from the truth.
    pub bound: f64,
    /// The share of answers for which that holds: 1, or the confidence of walks.
    pub confidence: f64,
    /// Rows of the matrix that were read, with repetitions.
    pub rows: u64,
    /// Entries of the matrix that were read, with repetitions.
    pub entries: u64,
    /// Sweeps, steps, pushes or walks.
    pub iterations: u64,
}

/// A right side, checked, with its reach.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// Its values.
    pub values: &'a [f64],
    /// The lower end of [`Dominance::reach`].
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl<'a> Side<'a> {
    /// Checks the values in one pass.
    pub fn new(values: &'a [f64], dominance: &Dominance) -> Result<Self, SolverError> {
        let expected = dominance.weights.len();
        if values.len() != expected {
            return Err(SolverError::Length { what: "the right side", given: values.len(), expected });
        }
        if let Some(row) = values.iter().position(|value| !value.is_finite()) {
            return Err(SolverError::RightSide { row, value: values[row] });
        }
        let (low, high) = dominance.reach(values);
        Ok(Self { values, low, high })
    }

    /// The larger end, without sign.
    pub fn reach(&self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    /// The middle of the reach, which stands for what is not known of a solution.
    pub fn center(&self) -> f64 {
        (self.low + self.high) / 2.0
    }

    /// How far from the middle it can be, rounded upwards.
    pub fn radius(&self) -> f64 {
        (self.high - self.low) / 2.0 + 2.0 * f64::EPSILON * self.reach()
    }
}

/// The largest residual of `x`, and the bound that it proves: `|x - x*| <= weights max |r| / slack` by rows, and
/// `slack |x - x*| <= weights |r|` by columns. A residual counts with what rounding may have taken from it.
pub fn certify<I: Index>(
    matrix: Matrix<'_, I>,
    dominance: &Dominance,
    side: &[f64],
    x: &[f64],
    threads: usize,
) -> (f64, f64) {
    let threads = threads_for(matrix.entries(), threads);
    let mut residual = vec![0.0; matrix.len()];
    fill(&mut residual, threads, |row| {
        let (columns, values) = matrix.row(row);
        let (mut left, mut size) = (side[row], side[row].abs());
        for (column, value) in columns.iter().zip(values) {
            let part = value * x[column.at()];
            left -= part;
            size += part.abs();
        }
        left.abs() + rounding(columns.len()) * size
    });
    let largest =
        residual.iter().fold(0.0, |most: f64, &value| if value > most || value.is_nan() { value } else { most });
    (largest, bound_of(dominance, &residual))
}

/// The bound that a whole residual proves.
pub fn bound_of(dominance: &Dominance, residual: &[f64]) -> f64 {
    let reach = match dominance.kind {
        Kind::Rows => residual.iter().zip(&dominance.slack).fold(0.0, |most, (r, slack)| {
            let part = r.abs() / slack;
            if part > most || part.is_nan() { part } else { most }
        }),
        Kind::Columns => {
            let sum = residual.iter().zip(&dominance.weights).fold(0.0, |sum, (r, weight)| sum + r.abs() * weight);
            sum * (1.0 + rounding(residual.len()))
        }
    };
    dominance.largest(reach) * (1.0 + 4.0 * f64::EPSILON)
}

/// Refuses an eps that is no accuracy.
pub fn checked_eps(eps: f64) -> Result<(), SolverError> {
    if eps > 0.0 && eps.is_finite() {
        return Ok(());
    }
    Err(SolverError::Parameter { name: "eps", rule: "a number above 0", given: eps })
}
