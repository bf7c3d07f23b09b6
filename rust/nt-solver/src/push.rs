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
use crate::parallel::larger;
use crate::{Certificate, Dominance, Index, Kind, Matrix, Method, Side, SolverError};

/// How much of the accuracy that is asked for the running residual may use; the rest is for what rounding adds.
const SHARE: f64 = 0.99;
/// The factor between one threshold of pushes and the next.
const NEXT_CUT: f64 = 0.25;
/// What an entry that a push reads costs, in entries of a sweep over the whole matrix, while all that was touched fits into
/// the cache of a core; see benches/solver_plots.py, where this is measured.
const WORK_NEAR: u64 = 10;
/// What it costs beyond.
const WORK_FAR: u64 = 60;
/// Rows after which what was touched does not fit any more.
const NEAR_ROWS: usize = 4096;

/// What of the weighted residual has to become small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// The sum.
    Sum,
    /// The largest.
    Max,
}

/// What a push looks at of a row with every entry that it reads, as small as it can be.
#[derive(Clone, Copy, Debug)]
struct Node {
    left: f64,
    weight: f64,
}

impl Node {
    #[inline]
    fn size(&self) -> f64 {
        self.left.abs() * self.weight
    }
}

/// The memory of a push, to be lent to one after the other.
#[derive(Debug, Default)]
pub struct Scratch {
    ranks: Ranks,
    nodes: Vec<Node>,
    pushed: Vec<f64>,
    queued: Vec<bool>,
    queue: VecDeque<usize>,
    sums: Vec<Sum>,
}

/// A residual and what was pushed of it, on the rows that were touched.
pub struct Push<'a, I, W> {
    rows: Matrix<'a, I>,
    diagonal: &'a [f64],
    weight: W,
    norm: Norm,
    scratch: &'a mut Scratch,
    /// The norm of the residual as it was last summed up.
    pub total: f64,
    /// Rows and entries that were read, and rows that were pushed, with repetitions.
    pub rows_read: u64,
    /// Entries that were read, with repetitions.
    pub entries: u64,
    /// What that cost, in entries of a sweep.
    pub work: u64,
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
        scratch: &'a mut Scratch,
    ) -> Self {
        scratch.ranks.begin(rows.len());
        scratch.nodes.clear();
        scratch.pushed.clear();
        scratch.queued.clear();
        let mut push =
            Self { rows, diagonal, weight, norm, scratch, total: 0.0, rows_read: 0, entries: 0, work: 0, pushes: 0 };
        for (name, value) in source {
            push.node(name).1.left += value;
        }
        push.total = push.sum_up();
        push
    }

    /// The node of a row, which is made when it is touched first, and its rank.
    #[inline(always)]
    fn node(&mut self, name: usize) -> (usize, &mut Node) {
        let (rank, new) = self.scratch.ranks.rank(name);
        if new {
            self.scratch.nodes.push(Node { left: 0.0, weight: (self.weight)(name) });
            self.scratch.pushed.push(0.0);
            self.scratch.queued.push(false);
        }
        (rank, &mut self.scratch.nodes[rank])
    }

    /// How many rows were touched.
    pub fn touched(&self) -> usize {
        self.scratch.nodes.len()
    }

    fn sum_up(&self) -> f64 {
        let parts = self.scratch.nodes.iter().map(Node::size);
        match self.norm {
            Norm::Sum => parts.fold(0.0, |sum, part| sum + part),
            Norm::Max => parts.fold(0.0, f64::max),
        }
    }

    /// Pushes until the norm of the residual is at most `goal`, the budget of work is spent, or it is `enough`, which
    /// is asked between thresholds.
    pub fn run(&mut self, goal: f64, budget: u64, mut enough: impl FnMut(&Self) -> bool) {
        let largest = self.scratch.nodes.iter().map(Node::size).fold(0.0, f64::max);
        // Below the goal nothing need be pushed where the largest counts; where the sum does, there is no such line.
        let floor = if self.norm == Norm::Max { goal } else { 0.0 };
        let mut cut = (NEXT_CUT * largest).max(floor);
        while self.total > goal && self.work <= budget && !enough(self) && cut >= f64::MIN_POSITIVE {
            for (rank, node) in self.scratch.nodes.iter().enumerate() {
                if node.size() > cut {
                    self.scratch.queued[rank] = true;
                    self.scratch.queue.push_back(rank);
                }
            }
            let mut total = self.total;
            while let Some(rank) = self.scratch.queue.pop_front() {
                self.scratch.queued[rank] = false;
                if self.scratch.nodes[rank].size() > cut {
                    self.push(rank, cut, &mut total);
                }
                if self.work > budget || (self.norm == Norm::Sum && total <= goal) {
                    break;
                }
            }
            while let Some(rank) = self.scratch.queue.pop_front() {
                self.scratch.queued[rank] = false;
            }
            self.total = self.sum_up();
            cut = (NEXT_CUT * cut).max(floor);
        }
    }

    fn push(&mut self, rank: usize, cut: f64, total: &mut f64) {
        let name = self.scratch.ranks.name(rank);
        let node = &mut self.scratch.nodes[rank];
        let step = node.left / self.diagonal[name];
        *total -= node.size();
        node.left = 0.0;
        self.scratch.pushed[rank] += step;
        let (columns, values) = self.rows.row(name);
        self.rows_read += 1;
        self.entries += columns.len() as u64;
        let is_near = self.scratch.nodes.len() <= NEAR_ROWS;
        self.work += columns.len() as u64 * if is_near { WORK_NEAR } else { WORK_FAR };
        self.pushes += 1;
        for (column, value) in columns.iter().map(|column| column.at()).zip(values) {
            if column == name {
                continue;
            }
            let (other, node) = self.node(column);
            let before = node.size();
            node.left -= step * value;
            let after = node.size();
            *total += after - before;
            if after > cut && !self.scratch.queued[other] {
                self.scratch.queued[other] = true;
                self.scratch.queue.push_back(other);
            }
        }
    }

    /// The residual, computed anew from what was pushed, with what rounding may have taken from it.
    pub fn check(&mut self, source: impl Iterator<Item = (usize, f64)>) -> Checked<'_> {
        let Scratch { ranks, pushed, sums, .. } = &mut *self.scratch;
        sums.clear();
        sums.resize(pushed.len(), Sum { left: 0.0, size: 0.0, terms: 0 });
        for (name, value) in source {
            let sum = &mut sums[ranks.rank(name).0];
            sum.left += value;
            sum.size += value.abs();
        }
        for (rank, &pushed) in pushed.iter().enumerate() {
            if pushed == 0.0 {
                continue;
            }
            let (columns, values) = self.rows.row(ranks.name(rank));
            self.rows_read += 1;
            self.entries += columns.len() as u64;
            for (column, value) in columns.iter().zip(values) {
                // Every column of a row that was pushed has a rank already.
                let sum = &mut sums[ranks.rank(column.at()).0];
                let part = pushed * value;
                sum.left -= part;
                sum.size += part.abs();
                sum.terms += 1;
            }
        }
        Checked { ranks, pushed, sums }
    }
}

/// A residual while it is summed up, with the sizes of what it is made of.
#[derive(Clone, Copy, Debug)]
struct Sum {
    left: f64,
    size: f64,
    terms: usize,
}

/// What a push came to, by the rows that it touched, in the order in which it did.
#[derive(Clone, Copy)]
pub struct Checked<'a> {
    ranks: &'a Ranks,
    pushed: &'a [f64],
    sums: &'a [Sum],
}

/// A row that a push has touched.
#[derive(Clone, Copy, Debug)]
pub struct Touched {
    /// Which.
    pub name: usize,
    /// What was pushed there.
    pub pushed: f64,
    /// The residual there.
    pub left: f64,
    /// By how much that may be wrong.
    pub rounded: f64,
}

/// What follows for the entry that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Concluded {
    /// The entry, as far as it follows from what was pushed. By rows the residual is multiplied with what is expected of the
    /// solution: `b / diagonal`, the next term of Neumann's series, and the middle of what may be beyond.
    pub value: f64,
    /// What rounding of that value and of the residual can mean for the entry.
    pub doubt: f64,
    /// What all that is left of the residual can mean for it, rounding included.
    pub bound: f64,
    /// The largest residual.
    pub largest: f64,
}

impl Checked<'_> {
    /// The rows, in the order in which they were touched.
    pub fn rows(&self) -> impl Iterator<Item = Touched> {
        self.pushed.iter().zip(self.sums).enumerate().map(|(rank, (&pushed, sum))| Touched {
            name: self.ranks.name(rank),
            pushed,
            left: sum.left,
            rounded: rounding(sum.terms) * sum.size,
        })
    }

    /// What it means for the entry that was asked for.
    pub fn concluded(&self, dominance: &Dominance, side: Side<'_>) -> Concluded {
        let (known, center, by_rows) = (self.sums.len(), side.center(), dominance.kind == Kind::Rows);
        let (mut value, mut size, mut largest, mut doubt, mut norm) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for Touched { name, pushed, left, rounded } in self.rows() {
            let mut part = pushed * side.values[name];
            size += part.abs();
            doubt += rounded * dominance.weights[name];
            if by_rows {
                let next = side.values[name] / dominance.diagonal[name];
                part += left * (next + dominance.spread[name] * center);
                size += left.abs() * (next.abs() + dominance.weights[name] * center.abs());
                norm += left.abs() * dominance.spread[name];
            } else {
                norm = larger(norm, (left.abs() + rounded) / dominance.slack[name]);
            }
            value += part;
            largest = larger(largest, left.abs() + rounded);
        }
        let doubt = 2.0 * side.reach() * doubt;
        let bound = if by_rows { side.radius() * norm + doubt } else { side.reach() * norm };
        let rounded = rounding(known + dominance.row_entries_max) * size;
        Concluded { value, doubt: doubt + rounded, bound: bound * (1.0 + rounding(known)) + rounded, largest }
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

/// A question for one entry of a solution.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a, I> {
    /// The matrix of the system.
    pub matrix: Matrix<'a, I>,
    /// What proves that it dominates.
    pub dominance: &'a Dominance,
    /// The right side.
    pub side: Side<'a>,
    /// Which entry.
    pub entry: usize,
    /// The error that is allowed.
    pub eps: f64,
}

impl<'a, I: Index> Question<'a, I> {
    /// Refuses an accuracy that is none, and an entry that the system does not have.
    pub fn check(&self) -> Result<(), SolverError> {
        checked_eps(self.eps)?;
        checked_entry(self.entry, self.matrix.len())
    }

    /// A push that asks it, and has not begun.
    pub fn push(&self, scratch: &'a mut Scratch) -> Push<'a, I, impl Fn(usize) -> f64 + use<'a, I>> {
        let dominance = self.dominance;
        let norm = if dominance.kind == Kind::Rows { Norm::Sum } else { Norm::Max };
        let weight = move |name: usize| match dominance.kind {
            Kind::Rows => dominance.spread[name],
            Kind::Columns => 1.0 / dominance.slack[name],
        };
        Push::new(self.matrix, &dominance.diagonal, norm, weight, std::iter::once((self.entry, 1.0)), scratch)
    }

    /// The norm of the residual that proves the accuracy.
    pub fn goal(&self) -> f64 {
        goal_of(self.eps, self.side.radius())
    }
}

/// The norm of the residual that proves an accuracy.
fn goal_of(eps: f64, radius: f64) -> f64 {
    if radius > 0.0 { SHARE * eps / radius } else { f64::INFINITY }
}

/// Refuses an entry that the system does not have.
pub fn checked_entry(entry: usize, length: usize) -> Result<(), SolverError> {
    if entry < length { Ok(()) } else { Err(SolverError::Index { given: entry, length }) }
}

/// One entry by backward push.
pub fn backward<'a, I: Index>(question: Question<'a, I>, scratch: &'a mut Scratch) -> Result<Entry, SolverError> {
    question.check()?;
    let mut push = question.push(scratch);
    push.run(question.goal(), u64::MAX, |_| false);
    Ok(concluded(&mut push, &question))
}

/// The answer of a push that has reached its goal.
pub fn concluded<I: Index, W: Fn(usize) -> f64>(push: &mut Push<'_, I, W>, question: &Question<'_, I>) -> Entry {
    let Question { dominance, side, .. } = *question;
    let found = push.check(std::iter::once((question.entry, 1.0))).concluded(dominance, side);
    let radius = if dominance.kind == Kind::Rows { side.radius() } else { side.reach() };
    let certificate = Certificate {
        method: Method::Backward,
        residual: found.largest,
        bound_before: push.total * radius,
        bound: found.bound,
        confidence: 1.0,
        rows: push.rows_read,
        entries: push.entries,
        iterations: push.pushes,
    };
    Entry { value: found.value, certificate }
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
    scratch: &mut Scratch,
) -> Result<Forward, SolverError> {
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
    let mut push = Push::new(transposed, &dominance.diagonal, norm, weight, source(), scratch);
    let before = dominance.largest(push.total);
    let goal = goal_of(eps, dominance.scale);
    push.run(goal, u64::MAX, |_| false);
    let checked = push.check(source());
    let (mut reach, mut residual, mut touched) = (0.0, 0.0, 0);
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for Touched { name, pushed, left, rounded } in checked.rows() {
        let size = left.abs() + rounded;
        residual = larger(residual, size);
        reach = match norm {
            Norm::Sum => reach + size * weight(name),
            Norm::Max => larger(reach, size * weight(name)),
        };
        touched += 1;
        if pushed != 0.0 {
            names.push(name);
            values.push(pushed);
        }
    }
    let certificate = Certificate {
        method: Method::Forward,
        residual,
        bound_before: before,
        bound: dominance.largest(reach) * (1.0 + rounding(touched)),
        confidence: 1.0,
        rows: push.rows_read,
        entries: push.entries,
        iterations: push.pushes,
    };
    Ok((names, values, certificate))
}
