//! What is known of a matrix before anything is solved: which weights prove dominance, and by how much.

use crate::certificate::Side;
use crate::krylov;
use crate::parallel::larger;
use crate::{Index, Matrix, Owned, SolverError};

/// Steps that the search for weights may take.
pub const STEPS_MAX: usize = 1000;
/// How far `M(A) weights` may be from ones when the search ends: well above zero, and nearly even.
const UNEVEN: f64 = 0.1;

/// Whether rows or columns dominate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `M(A) weights > 0`.
    Rows,
    /// `weights M(A) > 0`.
    Columns,
}

/// Positive weights with a positive `slack`: `M(A) weights` by rows, `weights M(A)` by columns, rounded downwards.
#[derive(Clone, Debug)]
pub struct Dominance {
    /// Of what.
    pub kind: Kind,
    /// The entries on the diagonal.
    pub diagonal: Vec<f64>,
    /// The weights; ones where the matrix dominates as it is.
    pub weights: Vec<f64>,
    /// By how much they dominate.
    pub slack: Vec<f64>,
    /// `weights - slack / |diagonal|`, which is what one step of Jacobi leaves of the weights.
    pub spread: Vec<f64>,
    /// Whether the diagonal is positive and nothing else is (an M-matrix), so that larger right sides give larger solutions.
    pub is_monotone: bool,
    /// Whether the weights had to be found.
    pub scaled: bool,
    /// Steps of the search for weights.
    pub steps: usize,
    /// The factor by which a step of Jacobi shrinks an error at least, in the norm of the weights; below 1.
    pub rate: f64,
    /// The factor that is expected of it: a guess, for the choice of a method alone.
    pub pace: f64,
    /// What a reach is multiplied by to bound an entry: the largest weight by rows, one over the least slack by columns.
    pub scale: f64,
    /// Where the slack is least.
    pub weakest: usize,
    /// The largest entry of the diagonal, without sign and times its weight.
    pub heaviest: f64,
    /// Most entries in one row.
    pub row_entries_max: usize,
}

impl Dominance {
    /// Looks for dominance by rows, then by columns, then scaled by rows.
    pub fn of<I: Index>(matrix: Matrix<'_, I>) -> Result<Self, SolverError> {
        let ones = vec![1.0; matrix.len()];
        let rows = Self::with(matrix, Kind::Rows, ones.clone());
        if let Some(found) = rows {
            return Ok(found);
        }
        match Self::with(matrix, Kind::Columns, ones) {
            Some(found) => Ok(found),
            None => Self::scaled(matrix),
        }
    }

    /// Dominance by rows, as they are or scaled.
    pub fn by_rows<I: Index>(matrix: Matrix<'_, I>) -> Result<Self, SolverError> {
        match Self::with(matrix, Kind::Rows, vec![1.0; matrix.len()]) {
            Some(found) => Ok(found),
            None => Self::scaled(matrix),
        }
    }

    /// Whether these weights prove dominance.
    pub fn with<I: Index>(matrix: Matrix<'_, I>, kind: Kind, weights: Vec<f64>) -> Option<Self> {
        let diagonal = matrix.diagonal();
        let slack = match kind {
            Kind::Rows => row_slack(matrix, &weights),
            Kind::Columns => column_slack(matrix, &weights),
        };
        let proves = |(slack, weight): (&f64, &f64)| *slack > 0.0 && slack.is_finite() && *weight > 0.0;
        if !slack.iter().zip(&weights).all(proves) {
            return None;
        }
        let spread: Vec<f64> =
            (0..matrix.len()).map(|at| (weights[at] - slack[at] / diagonal[at].abs()).max(0.0)).collect();
        let rate = spread.iter().zip(&weights).fold(0.0, |most: f64, (spread, weight)| most.max(spread / weight));
        let pace = pace(matrix, &diagonal, &weights).min(rate);
        let weakest = (1..slack.len()).fold(0, |least, at| if slack[at] < slack[least] { at } else { least });
        let row_entries_max = (0..matrix.len()).map(|row| matrix.row(row).0.len()).max().unwrap_or(0);
        let scale = match kind {
            Kind::Rows => weights.iter().fold(0.0, |most: f64, &weight| most.max(weight)),
            Kind::Columns => 1.0 / slack[weakest],
        };
        let heaviest = diagonal.iter().zip(&weights).fold(0.0, |most, (own, weight)| larger(most, own.abs() * weight));
        let (scaled, steps, is_monotone) = (false, 0, is_monotone(matrix));
        Some(Self {
            kind,
            diagonal,
            weights,
            slack,
            spread,
            is_monotone,
            scaled,
            steps,
            rate,
            pace,
            scale,
            weakest,
            heaviest,
            row_entries_max,
        })
    }

    /// Weights near `M(A)^-1 1`, which are positive just where the matrix is an H-matrix (Ostrowski 1937).
    fn scaled<I: Index>(matrix: Matrix<'_, I>) -> Result<Self, SolverError> {
        let (mut comparison, mut steps) = (Owned::of(matrix), 0);
        for row in 0..matrix.len() {
            for at in matrix.places(row) {
                let value = matrix.row(row).1[at - matrix.places(row).start];
                let own = matrix.row(row).0[at - matrix.places(row).start].at() == row;
                comparison.values[at] = if own { value.abs() } else { -value.abs() };
            }
        }
        let diagonal = matrix.diagonal();
        if diagonal.iter().all(|&value| value != 0.0) {
            let ones = vec![1.0; matrix.len()];
            let weights;
            (weights, steps) = krylov::weights_of(comparison.view(), &ones, UNEVEN, STEPS_MAX);
            if let Some(mut found) = Self::with(matrix, Kind::Rows, weights) {
                (found.scaled, found.steps) = (true, steps);
                return Ok(found);
            }
        }
        Err(refusal(matrix, &diagonal, steps))
    }

    /// The reach of a right side: what it can make of a solution. By rows `low weights <= x <= high weights`, which are
    /// one number and its negative unless larger right sides give larger solutions; by columns `slack |x| <= high`.
    pub fn reach(&self, side: &[f64]) -> (f64, f64) {
        let most = match self.kind {
            Kind::Rows => side.iter().zip(&self.slack).fold(0.0, |most, (b, slack)| larger(most, b.abs() / slack)),
            Kind::Columns => side.iter().zip(&self.weights).fold(0.0, |sum, (b, weight)| sum + b.abs() * weight),
        };
        if self.kind == Kind::Columns || !self.is_monotone {
            return (-most, most);
        }
        let parts = side.iter().zip(&self.slack).map(|(b, slack)| b / slack);
        parts.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), part| (low.min(part), high.max(part)))
    }

    /// The largest absolute entry that a solution with this reach can have.
    pub fn largest(&self, reach: f64) -> f64 {
        reach * self.scale
    }

    /// What a residual divided by the diagonal is multiplied by, entry by entry, to give its reach: by rows the largest of
    /// the products is the reach, by columns their sum.
    pub fn units(&self) -> Vec<f64> {
        let unit = |at: usize| match self.kind {
            Kind::Rows => self.diagonal[at].abs() / self.slack[at],
            Kind::Columns => self.diagonal[at].abs() * self.weights[at],
        };
        (0..self.weights.len()).map(unit).collect()
    }

    /// One over each entry of the diagonal.
    pub fn inverse(&self) -> Vec<f64> {
        self.diagonal.iter().map(|value| 1.0 / value).collect()
    }

    /// A right side with what is asked of it again and again.
    pub fn side<'b>(&self, values: &'b [f64]) -> Result<Side<'b>, SolverError> {
        Side::new(values, self)
    }
}

/// How fast sweeps are expected to be. Parts of a row with one sign add up, and their sum is the factor; parts with mixed
/// signs do so like steps of a random walk, and the root of the sum of their squares is.
fn pace<I: Index>(matrix: Matrix<'_, I>, diagonal: &[f64], weights: &[f64]) -> f64 {
    let (mut sum, mut squares) = (0.0, 0.0);
    for (row, (columns, values)) in matrix.rows(0..matrix.len()).enumerate() {
        let own = diagonal[row] * weights[row];
        let (mut sum_of_row, mut squares_of_row) = (0.0, 0.0);
        for (column, value) in columns.iter().zip(values) {
            let part = value * weights[column.at()];
            sum_of_row += part;
            squares_of_row += part * part;
        }
        sum += sum_of_row / own - 1.0;
        squares += squares_of_row / (own * own) - 1.0;
    }
    (sum.abs() / matrix.len() as f64).max((squares.max(0.0) / matrix.len() as f64).sqrt())
}

fn is_monotone<I: Index>(matrix: Matrix<'_, I>) -> bool {
    (0..matrix.len()).all(|row| {
        let (columns, values) = matrix.row(row);
        columns.iter().zip(values).all(|(column, &value)| if column.at() == row { value > 0.0 } else { value <= 0.0 })
    })
}

/// What sums of so many products may be wrong by, relative to the sum of their absolute values.
#[inline]
pub fn rounding(terms: usize) -> f64 {
    (terms + 3) as f64 * f64::EPSILON
}

fn row_slack<I: Index>(matrix: Matrix<'_, I>, weights: &[f64]) -> Vec<f64> {
    let of_row = |row: usize| {
        let (columns, values) = matrix.row(row);
        let (mut own, mut others) = (0.0, 0.0);
        for (column, value) in columns.iter().zip(values) {
            let part = value.abs() * weights[column.at()];
            if column.at() == row { own = part } else { others += part }
        }
        (own - others) - rounding(columns.len()) * (own + others)
    };
    (0..matrix.len()).map(of_row).collect()
}

fn column_slack<I: Index>(matrix: Matrix<'_, I>, weights: &[f64]) -> Vec<f64> {
    let length = matrix.len();
    let (mut own, mut others, mut terms) = (vec![0.0; length], vec![0.0; length], vec![0; length]);
    for (row, weight) in weights.iter().enumerate() {
        let (columns, values) = matrix.row(row);
        for (column, value) in columns.iter().map(|column| column.at()).zip(values) {
            let part = value.abs() * weight;
            if column == row {
                own[column] = part
            } else {
                others[column] += part
            }
            terms[column] += 1;
        }
    }
    (0..length).map(|at| (own[at] - others[at]) - rounding(terms[at]) * (own[at] + others[at])).collect()
}

/// The row that lacks most, by what it has beside the diagonal for each unit on it.
fn refusal<I: Index>(matrix: Matrix<'_, I>, diagonal: &[f64], steps: usize) -> SolverError {
    let others = |row: usize| {
        let (columns, values) = matrix.row(row);
        columns.iter().zip(values).filter(|(column, _)| column.at() != row).map(|(_, value)| value.abs()).sum::<f64>()
    };
    let lacks = |row: usize| if diagonal[row] == 0.0 { f64::INFINITY } else { others(row) / diagonal[row].abs() };
    let mut worst = (0, lacks(0));
    for row in 1..matrix.len() {
        if lacks(row) > worst.1 {
            worst = (row, lacks(row));
        }
    }
    let row = worst.0;
    SolverError::NotDominant { row, diagonal: diagonal[row].abs(), others: others(row), steps }
}
