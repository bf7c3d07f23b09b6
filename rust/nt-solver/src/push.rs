//! Local push: a residual is moved, row by row, from where it is large, until what is left of it proves the accuracy.
//!
//! Backward push asks for one entry `x_i = y b` with `y A = e_i` and reads rows of the matrix (Andersen, Borgs, Chayes,
//! Hopcroft, Mirrokni and Teng 2007, for PageRank); forward push starts from the right side and reads rows of the
//! transposed (Andersen, Chung and Lang 2006). For dominant systems that are not symmetric see Kwok, Wei and Yang,
//! "On Solving Asymmetric Diagonally Dominant Linear Systems in Sublinear Time" (2026).

use std::collections::VecDeque;

use crate::certificate::checked_eps;
use crate::dominance::rounding;
use crate::local::Ranks;
use crate::{Certificate, Dominance, Index, Kind, Matrix, Method, Side, SolverError};

/// How much of the accuracy that is asked for the running residual may use; the rest is for what rounding adds.
const SHARE: f64 = 0.99;
/// The factor between one threshold of pushes and the next.
const NEXT_CUT: f64 = 0.25;

/// What of the weighted residual has to become small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// The sum.
    Sum,
    /// The largest.
    Max,
}

/// A row that was touched, in one place of memory.
#[derive(Clone, Copy)]
struct Node {
    left: f64,
    pushed: f64,
    weight: f64,
    queued: bool,
}

impl Node {
    #[inline]
    fn size(&self) -> f64 {
        self.left.abs() * self.weight
    }
}

/// A residual and what was pushed of it, on the rows that were touched.
pub struct Push<'a, I, W> {
    rows: Matrix<'a, I>,
    diagonal: &'a [f64],
    weight: W,
    norm: Norm,
    ranks: Ranks,
    nodes: Vec<Node>,
    queue: VecDeque<usize>,
    /// The norm of the residual as it was last summed up.
    pub total: f64,
    /// Rows and entries that were read, and rows that were pushed, with repetitions.
    pub rows_read: u64,
    /// Entries that were read, with repetitions.
    pub entries: u64,
    /// Rows that were pushed, with repetitions.
    pub pushes: u64,
}

impl<'a, I: Index, W: Fn(usize) -> f64> Push<'a, I, W> {
    /// Begins with a residual that is given by its entries; `diagonal` is that of `rows`.
    pub fn new(
        rows: Matrix<'a, I>,
        diagonal: &'a [f64],
        norm: Norm,
        weight: W,
        source: impl Iterator<Item = (usize, f64)>,
    ) -> Self {
        let mut push = Self {
            rows,
            diagonal,
            weight,
            norm,
            ranks: Ranks::new(),
            nodes: Vec::new(),
            queue: VecDeque::new(),
            total: 0.0,
            rows_read: 0,
            entries: 0,
            pushes: 0,
        };
        for (name, value) in source {
            let rank = push.rank(name);
            push.nodes[rank].left += value;
        }
        push.total = push.sum_up();
        push
    }

    #[inline]
    fn rank(&mut self, name: usize) -> usize {
        let (rank, new) = self.ranks.rank(name);
        if new {
            self.nodes.push(Node { left: 0.0, pushed: 0.0, weight: (self.weight)(name), queued: false });
        }
        rank
    }

    /// How many rows were touched.
    pub fn touched(&self) -> usize {
        self.nodes.len()
    }

    fn sum_up(&self) -> f64 {
        let parts = self.nodes.iter().map(Node::size);
        match self.norm {
            Norm::Sum => parts.fold(0.0, |sum, part| sum + part),
            Norm::Max => parts.fold(0.0, f64::max),
        }
    }

    /// Pushes until the norm of the residual is at most `goal`, the budget of entries is spent, or it is `enough`, which
    /// is asked between thresholds.
    pub fn run(&mut self, goal: f64, budget: u64, enough: impl Fn(&Self) -> bool) {
        let largest = self.nodes.iter().map(Node::size).fold(0.0, f64::max);
        // Below the goal nothing need be pushed where the largest counts; where the sum does, there is no such line.
        let floor = if self.norm == Norm::Max { goal } else { 0.0 };
        let mut cut = (NEXT_CUT * largest).max(floor);
        while self.total > goal && self.entries <= budget && !enough(self) && cut >= f64::MIN_POSITIVE {
            for (rank, node) in self.nodes.iter_mut().enumerate() {
                if node.size() > cut {
                    node.queued = true;
                    self.queue.push_back(rank);
                }
            }
            let mut total = self.total;
            while let Some(rank) = self.queue.pop_front() {
                self.nodes[rank].queued = false;
                if self.nodes[rank].size() > cut {
                    self.push(rank, cut, &mut total);
                }
                if self.entries > budget || (self.norm == Norm::Sum && total <= goal) {
                    break;
                }
            }
            while let Some(rank) = self.queue.pop_front() {
                self.nodes[rank].queued = false;
            }
            self.total = self.sum_up();
            cut = (NEXT_CUT * cut).max(floor);
        }
    }

    fn push(&mut self, rank: usize, cut: f64, total: &mut f64) {
        let name = self.ranks.name(rank);
        let node = &mut self.nodes[rank];
        let step = node.left / self.diagonal[name];
        *total -= node.size();
        node.left = 0.0;
        node.pushed += step;
        let (columns, values) = self.rows.row(name);
        self.rows_read += 1;
        self.entries += columns.len() as u64;
        self.pushes += 1;
        for (column, value) in columns.iter().map(|column| column.at()).zip(values) {
            if column == name {
                continue;
            }
            let other = self.rank(column);
            let node = &mut self.nodes[other];
            let before = node.size();
            node.left -= step * value;
            let after = node.size();
            *total += after - before;
            if after > cut && !node.queued {
                node.queued = true;
                self.queue.push_back(other);
            }
        }
    }

    /// The residual, computed anew from what was pushed: its entries, and what rounding may have taken from each.
    pub fn check(&mut self, source: impl Iterator<Item = (usize, f64)>) -> Checked {
        let known = self.nodes.len();
        let (mut left, mut size, mut terms) = (vec![0.0; known], vec![0.0; known], vec![0_u32; known]);
        for (name, value) in source {
            let (rank, _) = self.ranks.rank(name);
            left[rank] += value;
            size[rank] += value.abs();
        }
        for rank in 0..known {
            let pushed = self.nodes[rank].pushed;
            if pushed == 0.0 {
                continue;
            }
            let (columns, values) = self.rows.row(self.ranks.name(rank));
            self.rows_read += 1;
            self.entries += columns.len() as u64;
            for (column, value) in columns.iter().zip(values) {
                // Every column of a row that was pushed has a rank already.
                let (other, _) = self.ranks.rank(column.at());
                let part = pushed * value;
                left[other] -= part;
                size[other] += part.abs();
                terms[other] += 1;
            }
        }
        let rounded = size.iter().zip(&terms).map(|(size, &terms)| rounding(terms as usize) * size).collect();
        let pushed = self.nodes.iter().map(|node| node.pushed).collect();
        Checked { names: self.ranks.names(), pushed, left, rounded }
    }
}

/// What a push came to: by rank the name, what was pushed there, and the residual with what rounding may have taken.
pub struct Checked {
    /// Rows, in the order in which they were touched.
    pub names: Vec<usize>,
    /// What was pushed at each.
    pub pushed: Vec<f64>,
    /// The residual at each.
    pub left: Vec<f64>,
    /// By how much that may be wrong.
    pub rounded: Vec<f64>,
}

impl Checked {
    /// The largest residual.
    pub fn largest(&self) -> f64 {
        self.left.iter().zip(&self.rounded).fold(0.0, |most: f64, (left, rounded)| most.max(left.abs() + rounded))
    }

    /// The entry of the solution as far as it follows from what was pushed, and what its own rounding may be. By rows the
    /// residual is multiplied with what is expected of the solution: `b / diagonal`, the next term of Neumann's series, and
    /// the middle of what may be beyond.
    pub fn value(&self, dominance: &Dominance, side: Side<'_>) -> (f64, f64) {
        let (mut value, mut size, center) = (0.0, 0.0, side.center());
        for (rank, &name) in self.names.iter().enumerate() {
            let (pushed, left) = (self.pushed[rank], self.left[rank]);
            let mut part = pushed * side.values[name];
            size += part.abs();
            if dominance.kind == Kind::Rows {
                let next = side.values[name] / dominance.diagonal[name];
                part += left * (next + dominance.spread[name] * center);
                size += left.abs() * (next.abs() + dominance.weights[name] * center.abs());
            }
            value += part;
        }
        (value, rounding(self.names.len() + dominance.row_entries_max) * size)
    }

    /// What rounding of the residual can mean for the entry.
    pub fn doubt(&self, dominance: &Dominance, reach: f64) -> f64 {
        let parts = self.names.iter().zip(&self.rounded).map(|(&name, rounded)| rounded * dominance.weights[name]);
        2.0 * reach * parts.fold(0.0, |sum, part| sum + part)
    }

    /// What the residual can mean for the entry, beyond [`Checked::value`].
    pub fn bound(&self, dominance: &Dominance, side: Side<'_>) -> f64 {
        let bound = match dominance.kind {
            Kind::Rows => {
                let parts = self.names.iter().zip(&self.left).map(|(&name, left)| left.abs() * dominance.spread[name]);
                side.radius() * parts.fold(0.0, |sum, part| sum + part) + self.doubt(dominance, side.reach())
            }
            Kind::Columns => {
                let part =
                    |rank: usize| (self.left[rank].abs() + self.rounded[rank]) / dominance.slack[self.names[rank]];
                side.reach() * (0..self.names.len()).map(part).fold(0.0, f64::max)
            }
        };
        bound * (1.0 + rounding(self.names.len()))
    }
}

/// One entry of a solution.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its value.
    pub value: f64,
    /// What is known about it.
    pub certificate: Certificate,
}

/// A push that asks for an entry, and has not begun.
pub fn asking<'a, I: Index>(
    matrix: Matrix<'a, I>,
    dominance: &'a Dominance,
    entry: usize,
) -> Push<'a, I, impl Fn(usize) -> f64 + 'a> {
    let norm = if dominance.kind == Kind::Rows { Norm::Sum } else { Norm::Max };
    let weight = move |name: usize| match dominance.kind {
        Kind::Rows => dominance.spread[name],
        Kind::Columns => 1.0 / dominance.slack[name],
    };
    Push::new(matrix, &dominance.diagonal, norm, weight, std::iter::once((entry, 1.0)))
}

/// The norm of the residual that proves an accuracy.
pub fn goal_of(eps: f64, radius: f64) -> f64 {
    if radius > 0.0 { SHARE * eps / radius } else { f64::INFINITY }
}

/// Refuses an entry that the system does not have.
pub fn checked_entry(entry: usize, length: usize) -> Result<(), SolverError> {
    if entry < length { Ok(()) } else { Err(SolverError::Index { given: entry, length }) }
}

/// One entry by backward push, to an error of at most `eps`; None where the budget of entries does not suffice.
pub fn backward<I: Index>(
    matrix: Matrix<'_, I>,
    dominance: &Dominance,
    side: Side<'_>,
    entry: usize,
    eps: f64,
    budget: u64,
) -> Result<Option<Entry>, SolverError> {
    checked_eps(eps)?;
    checked_entry(entry, matrix.len())?;
    let mut push = asking(matrix, dominance, entry);
    let goal = goal_of(eps, side.radius());
    push.run(goal, budget, |_| false);
    if push.total > goal && push.entries > budget {
        return Ok(None);
    }
    Ok(Some(concluded(&mut push, dominance, side, entry)))
}

/// The answer of a push that has reached its goal.
pub fn concluded<I: Index, W: Fn(usize) -> f64>(
    push: &mut Push<'_, I, W>,
    dominance: &Dominance,
    side: Side<'_>,
    entry: usize,
) -> Entry {
    let checked = push.check(std::iter::once((entry, 1.0)));
    let (value, rounded) = checked.value(dominance, side);
    let radius = if dominance.kind == Kind::Rows { side.radius() } else { side.reach() };
    let certificate = Certificate {
        method: Method::Backward,
        residual: checked.largest(),
        bound_before: push.total * radius,
        bound: checked.bound(dominance, side) + rounded,
        confidence: 1.0,
        rows: push.rows_read,
        entries: push.entries,
        iterations: push.pushes,
    };
    Entry { value, certificate }
}

/// A solution by forward push: the rows where it is not zero, its values there, and what is known about it.
pub type Forward = (Vec<usize>, Vec<f64>, Certificate);

/// The solution of a right side with few entries, given as `(row, value)`, from the transposed matrix and the dominance of
/// the matrix itself; no entry is wrong by more than `eps`, those that are not named being 0.
pub fn forward<I: Index>(
    transposed: Matrix<'_, I>,
    dominance: &Dominance,
    side: &[(usize, f64)],
    eps: f64,
    budget: u64,
) -> Result<Option<Forward>, SolverError> {
    checked_eps(eps)?;
    for &(row, value) in side {
        checked_entry(row, transposed.len())?;
        if !value.is_finite() {
            return Err(SolverError::RightSide { row, value });
        }
    }
    let weight = |name: usize| match dominance.kind {
        Kind::Rows => 1.0 / dominance.slack[name],
        Kind::Columns => dominance.weights[name],
    };
    let norm = if dominance.kind == Kind::Rows { Norm::Max } else { Norm::Sum };
    let source = || side.iter().copied();
    let mut push = Push::new(transposed, &dominance.diagonal, norm, weight, source());
    let before = dominance.largest(push.total);
    let goal = goal_of(eps, dominance.scale);
    push.run(goal, budget, |_| false);
    if push.total > goal && push.entries > budget {
        return Ok(None);
    }
    let checked = push.check(source());
    let parts = (0..checked.names.len())
        .map(|rank| (checked.left[rank].abs() + checked.rounded[rank]) * weight(checked.names[rank]));
    let reach = match norm {
        Norm::Sum => parts.fold(0.0, |sum, part| sum + part),
        Norm::Max => parts.fold(0.0, f64::max),
    };
    let certificate = Certificate {
        method: Method::Forward,
        residual: checked.largest(),
        bound_before: before,
        bound: dominance.largest(reach) * (1.0 + rounding(checked.names.len())),
        confidence: 1.0,
        rows: push.rows_read,
        entries: push.entries,
        iterations: push.pushes,
    };
    let kept = (0..checked.names.len()).filter(|&rank| checked.pushed[rank] != 0.0);
    let (names, values) = kept.map(|rank| (checked.names[rank], checked.pushed[rank])).unzip();
    Ok(Some((names, values, certificate)))
}
