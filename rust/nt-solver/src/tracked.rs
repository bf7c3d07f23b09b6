//! A solution that is kept while single numbers of its system change.

use std::collections::VecDeque;

use crate::certificate::{bound_of, certify, checked_eps};
use crate::matrix::left;
use crate::push::checked_entry;
use crate::{Certificate, Dominance, Index, Kind, Matrix, Method, Owned, Side, SolverError, Watch, bicgstab};

/// A system with its solution. A change moves the residual of few rows, and a push from there mends the solution.
pub struct Tracked<I> {
    matrix: Owned<I>,
    /// The same by columns, and for each of its values the place in `matrix`.
    transposed: Owned<I>,
    dominance: Dominance,
    b: Vec<f64>,
    x: Vec<f64>,
    residual: Vec<f64>,
    eps: f64,
    queue: VecDeque<usize>,
    queued: Vec<bool>,
    entries: u64,
    rows: u64,
    pushes: u64,
}

impl<I: Index> Tracked<I> {
    /// Solves the system once, wholly; rows must dominate, by themselves or scaled.
    pub fn new(
        matrix: Matrix<'_, I>,
        dominance: Dominance,
        b: &[f64],
        eps: f64,
        threads: usize,
        watch: Watch<'_>,
    ) -> Result<Self, SolverError> {
        checked_eps(eps)?;
        if dominance.kind == Kind::Columns {
            return Err(SolverError::ColumnsOnly { method: Method::Tracked.name() });
        }
        let side = Side::new(b, &dominance)?;
        let (x, _) = bicgstab(matrix, &dominance, side, None, eps / 4.0, threads, watch)?;
        let mut tracked = Self {
            matrix: Owned::of(matrix),
            transposed: matrix.transposed(),
            dominance,
            b: b.to_vec(),
            residual: vec![0.0; x.len()],
            queued: vec![false; x.len()],
            queue: VecDeque::new(),
            x,
            eps,
            entries: 0,
            rows: 0,
            pushes: 0,
        };
        for row in 0..tracked.b.len() {
            tracked.residual[row] = left(tracked.matrix.view().row(row), tracked.b[row], &tracked.x);
        }
        Ok(tracked)
    }

    /// The solution as it is.
    pub fn solution(&self) -> &[f64] {
        &self.x
    }

    /// Another value on the right side.
    pub fn change_side(&mut self, row: usize, value: f64) -> Result<(), SolverError> {
        checked_entry(row, self.b.len())?;
        if !value.is_finite() {
            return Err(SolverError::RightSide { row, value });
        }
        self.residual[row] += value - self.b[row];
        self.b[row] = value;
        self.look_at(row);
        Ok(())
    }

    /// Another value for an entry that the matrix stores. The row must go on to dominate, with the weights as they are.
    pub fn change(&mut self, row: usize, column: usize, value: f64) -> Result<(), SolverError> {
        checked_entry(row, self.b.len())?;
        checked_entry(column, self.b.len())?;
        if !value.is_finite() {
            return Err(SolverError::NotFinite { row, column, value });
        }
        let place = Self::place(self.matrix.view(), row, column)?;
        let across = Self::place(self.transposed.view(), column, row)?;
        let before = std::mem::replace(&mut self.matrix.values[place], value);
        let (slack, diagonal) = self.slack(row);
        if slack.is_nan() || slack <= 0.0 {
            self.matrix.values[place] = before;
            let what = format!("with {value} at row {row}, column {column} that row would not dominate any more");
            return Err(SolverError::Malformed { what });
        }
        self.transposed.values[across] = value;
        let dominance = &mut self.dominance;
        (dominance.slack[row], dominance.diagonal[row]) = (slack, diagonal);
        dominance.spread[row] = (dominance.weights[row] - slack / diagonal.abs()).max(0.0);
        dominance.rate = dominance.rate.max(dominance.spread[row] / dominance.weights[row]);
        if slack < dominance.slack[dominance.weakest] {
            dominance.weakest = row;
        }
        self.residual[row] -= (value - before) * self.x[column];
        self.look_at(row);
        Ok(())
    }

    fn place(matrix: Matrix<'_, I>, row: usize, column: usize) -> Result<usize, SolverError> {
        let places = matrix.places(row);
        match matrix.row(row).0.iter().position(|each| each.at() == column) {
            Some(at) => Ok(places.start + at),
            None => Err(SolverError::Malformed {
                what: format!(
                    "the matrix stores no entry at row {row}, column {column}; store a 0 there to change it later"
                ),
            }),
        }
    }

    /// The slack of a row, rounded downwards, and its diagonal.
    fn slack(&self, row: usize) -> (f64, f64) {
        let (columns, values) = self.matrix.view().row(row);
        let (mut own, mut others, mut diagonal) = (0.0, 0.0, 0.0);
        for (column, value) in columns.iter().map(|column| column.at()).zip(values) {
            let part = value.abs() * self.dominance.weights[column];
            if column == row { (own, diagonal) = (part, *value) } else { others += part }
        }
        ((own - others) - crate::dominance::rounding(columns.len()) * (own + others), diagonal)
    }

    fn look_at(&mut self, row: usize) {
        if !self.queued[row] {
            self.queued[row] = true;
            self.queue.push_back(row);
        }
    }

    /// Mends the solution, and says how many entries that took.
    pub fn refresh(&mut self) -> u64 {
        let goal = 0.5 * self.eps / self.dominance.scale;
        let before = self.entries;
        while let Some(row) = self.queue.pop_front() {
            self.queued[row] = false;
            let left = self.residual[row];
            if left.abs() <= goal * self.dominance.slack[row] {
                continue;
            }
            let step = left / self.dominance.diagonal[row];
            self.x[row] += step;
            self.residual[row] = 0.0;
            self.pushes += 1;
            self.rows += 1;
            for at in self.transposed.view().places(row) {
                self.entries += 1;
                let other = self.transposed.column(at);
                if other != row {
                    self.residual[other] -= step * self.transposed.values[at];
                    if self.residual[other].abs() > goal * self.dominance.slack[other] {
                        self.look_at(other);
                    }
                }
            }
        }
        self.entries - before
    }

    /// Looks at everything anew: residual, bound, and the counts since the start.
    pub fn certificate(&mut self, threads: usize) -> Certificate {
        let before = bound_of(&self.dominance, &self.residual);
        let (residual, bound) = certify(self.matrix.view(), &self.dominance, &self.b, &self.x, threads);
        Certificate {
            method: Method::Tracked,
            residual,
            bound_before: before,
            bound,
            confidence: 1.0,
            rows: self.rows + self.b.len() as u64,
            entries: self.entries + self.matrix.view().entries() as u64,
            iterations: self.pushes,
        }
    }
}
