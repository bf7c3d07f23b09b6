//! Signed random walks, after von Neumann and Ulam (Forsythe and Leibler 1950), alone and from what a push left.
//!
//! A walk at row `u` goes to `v` in proportion to `|a_uv| weights_v` and takes the sign of `-a_uv / a_uu` with it. It adds
//! the weighted terms of Neumann's series as it goes; once its weight is small it may be absorbed, which keeps the mean
//! and ends it. Its value never leaves the reach of the right side, so that the interval of Maurer and Pontil (2009) for
//! bounded numbers holds for any number of walks. Walks from what a push left are the bidirectional method (Lofgren,
//! Banerjee and Goel 2016, for PageRank).

use crate::parallel::{in_order, threads_for};
use crate::push::{Entry, Push, Question, Scratch};
use crate::random::Draws;
use crate::{Certificate, Dominance, Index, Kind, Matrix, Method, SolverError, Watch};

/// Below this weight a walk may be absorbed.
const FLOOR: f64 = 1.0 / 16.0;
/// Walks whose sums are made as one, whoever makes them.
const BLOCK: usize = 256;
const FIRST_WALKS: usize = 1024;
/// A walk is so much work, in items of a sweep.
const ITEMS_OF_WALK: usize = 64;

/// How walks are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Walks {
    /// The seed; the same gives the same walks on every machine.
    pub seed: u64,
    /// The share of intervals that hold the truth, below 1.
    pub confidence: f64,
    /// Walks at most.
    pub walks_max: usize,
    /// Threads at most; their number changes no bit.
    pub threads: usize,
}

impl Walks {
    fn check(&self) -> Result<(), SolverError> {
        let given = self.confidence;
        if !(given > 0.0 && given < 1.0) {
            return Err(SolverError::Parameter { name: "confidence", rule: "between 0 and 1", given });
        }
        if self.walks_max < 2 {
            let given = self.walks_max as f64;
            return Err(SolverError::Parameter { name: "walks", rule: "at least 2", given });
        }
        Ok(())
    }
}

/// A system of which rows dominate, to walk in.
struct Ground<'a, I> {
    matrix: Matrix<'a, I>,
    dominance: &'a Dominance,
    b: &'a [f64],
    center: f64,
}

/// Sums over walks.
#[derive(Clone, Copy, Default)]
struct Sums {
    values: f64,
    squares: f64,
    rows: u64,
    entries: u64,
}

impl<I: Index> Ground<'_, I> {
    /// The row after `row`, with the sign of the step.
    #[inline]
    fn next(&self, row: usize, draws: &mut Draws, sums: &mut Sums) -> (usize, f64) {
        let dominance = self.dominance;
        let own = dominance.diagonal[row];
        let target = draws.uniform() * (dominance.spread[row] * own.abs());
        let (columns, values) = self.matrix.row(row);
        let (mut passed, mut chosen) = (0.0, (row, 0.0));
        sums.rows += 1;
        for (column, &value) in columns.iter().map(|column| column.at()).zip(values) {
            sums.entries += 1;
            if column == row || value == 0.0 {
                continue;
            }
            chosen = (column, value);
            passed += if dominance.scaled { value.abs() * dominance.weights[column] } else { value.abs() };
            if passed > target {
                break;
            }
        }
        // Where rounding let the walk pass the end of the row, it takes the last entry.
        (chosen.0, if (chosen.1 < 0.0) == (own < 0.0) { -1.0 } else { 1.0 })
    }

    /// A walk whose mean is the solution at `row`, divided by the weight of `row`.
    fn walk(&self, mut row: usize, mut sign: f64, draws: &mut Draws, sums: &mut Sums) -> f64 {
        let dominance = self.dominance;
        let (mut weight, mut value) = (1.0, 0.0);
        loop {
            let rate = dominance.spread[row] / dominance.weights[row];
            if weight < FLOOR {
                if rate == 0.0 || draws.uniform() >= rate {
                    let end = self.b[row] / dominance.slack[row];
                    return value + weight * sign * if dominance.diagonal[row] < 0.0 { -end } else { end };
                }
            } else {
                value += weight * sign * self.b[row] / (dominance.diagonal[row] * dominance.weights[row]);
                if rate == 0.0 {
                    return value;
                }
                weight *= rate;
            }
            let (next, turn) = self.next(row, draws, sums);
            (row, sign) = (next, sign * turn);
        }
    }

    /// One block of walks from what a push left; `passed` are running sums of `|left| spread`.
    fn block(&self, starts: &[(usize, f64)], passed: &[f64], seed: u64, block: usize) -> Sums {
        let mut sums = Sums::default();
        let all = passed[passed.len() - 1];
        for walk in block * BLOCK..(block + 1) * BLOCK {
            let mut draws = Draws::new(seed, walk as u64);
            let target = draws.uniform() * all;
            let rank = passed.partition_point(|&sum| sum <= target).min(passed.len() - 1);
            let (start, left) = starts[rank];
            let (row, turn) = self.next(start, &mut draws, &mut sums);
            let sign = if left < 0.0 { -1.0 } else { 1.0 };
            let value = all * sign * (self.walk(row, turn, &mut draws, &mut sums) - self.center);
            sums.values += value;
            sums.squares += value * value;
        }
        sums
    }
}

/// One entry by walks alone.
pub fn walks<'a, I: Index>(
    question: Question<'a, I>,
    how: Walks,
    scratch: &'a mut Scratch,
    watch: Watch<'_>,
) -> Result<Entry, SolverError> {
    check(Method::Walks, &question, how)?;
    let mut push = question.push(scratch);
    finished(Method::Walks, &mut push, &question, how, watch)
}

/// One entry by a push that goes on until walks from what it left are expected to be no more work than it was itself.
pub fn bidirectional<'a, I: Index>(
    question: Question<'a, I>,
    how: Walks,
    scratch: &'a mut Scratch,
    watch: Watch<'_>,
) -> Result<Entry, SolverError> {
    check(Method::Bidirectional, &question, how)?;
    let mut push = question.push(scratch);
    push.run(question.goal(), u64::MAX, |push| entries_of_walks(&question, push.total, how) <= push.entries as f64);
    finished(Method::Bidirectional, &mut push, &question, how, watch)
}

fn check<I: Index>(method: Method, question: &Question<'_, I>, how: Walks) -> Result<(), SolverError> {
    question.check()?;
    how.check()?;
    if question.dominance.kind == Kind::Columns {
        return Err(SolverError::ColumnsOnly { method: method.name() });
    }
    Ok(())
}

/// Entries that walks from a residual of this norm are expected to read until they are accurate enough.
pub fn entries_of_walks<I: Index>(question: &Question<'_, I>, total: f64, how: Walks) -> f64 {
    let Question { matrix, dominance, side, eps, .. } = *question;
    // A standard deviation of a quarter of the radius is a guess; walks go on until the interval says that it is enough.
    let (ratio, log) = (total * side.radius() / eps, (8.0 / (1.0 - how.confidence)).ln());
    let walks = 2.0 * log * (ratio / 4.0) * (ratio / 4.0) + 14.0 / 3.0 * log * ratio;
    let rate = dominance.rate.min(0.999_999);
    let steps = if rate <= 0.0 { 1.0 } else { 1.0 + (FLOOR.ln() / rate.ln()).max(1.0) + rate / (1.0 - rate) };
    walks.max(FIRST_WALKS as f64) * steps * (matrix.entries() as f64 / matrix.len() as f64 / 2.0 + 4.0)
}

/// The answer of a push, its residual finished by walks.
pub fn finished<I: Index, W: Fn(usize) -> f64>(
    method: Method,
    push: &mut Push<'_, I, W>,
    question: &Question<'_, I>,
    how: Walks,
    watch: Watch<'_>,
) -> Result<Entry, SolverError> {
    how.check()?;
    let Question { matrix, dominance, side, entry, eps } = *question;
    let starts = push.check(std::iter::once((entry, 1.0)));
    let ground = Ground { matrix, dominance, b: side.values, center: side.center() };
    let known = starts.concluded(dominance, side);
    let starts: Vec<(usize, f64)> = starts.rows().map(|row| (row.name, row.left)).collect();
    let drawn = draw(&ground, &starts, side.radius(), eps - known.doubt, how, watch)?;
    let certificate = Certificate {
        method,
        residual: known.largest,
        bound_before: drawn.hoeffding,
        bound: drawn.half + known.doubt,
        confidence: if drawn.walks == 0 { 1.0 } else { how.confidence },
        rows: push.rows_read + drawn.sums.rows,
        entries: push.entries + drawn.sums.entries,
        iterations: push.pushes + drawn.walks as u64,
    };
    Ok(Entry { value: known.value + drawn.mean, certificate })
}

/// What walks came to.
struct Drawn {
    mean: f64,
    half: f64,
    hoeffding: f64,
    walks: usize,
    sums: Sums,
}

/// Walks until the interval is narrow enough. The interval is looked at after 1,024 walks and whenever there are half as
/// many more, and each look has its share of the doubt, so that stopping at a good one is no cheating.
fn draw<I: Index>(
    ground: &Ground<'_, I>,
    starts: &[(usize, f64)],
    radius: f64,
    eps: f64,
    how: Walks,
    watch: Watch<'_>,
) -> Result<Drawn, SolverError> {
    let mut passed = Vec::with_capacity(starts.len());
    let mut all = 0.0;
    for &(name, left) in starts {
        all += left.abs() * ground.dominance.spread[name];
        passed.push(all);
    }
    let range = all * radius;
    let mut drawn = Drawn { mean: 0.0, half: 0.0, hoeffding: 0.0, walks: 0, sums: Sums::default() };
    if range == 0.0 {
        return Ok(drawn);
    }
    let (mut wanted, mut look, mut blocks) = (FIRST_WALKS, 1.0, 0);
    loop {
        let until = wanted.min(how.walks_max).div_ceil(BLOCK);
        let from = blocks;
        let threads = threads_for((until - from) * BLOCK * ITEMS_OF_WALK, how.threads);
        let pieces = in_order(until - from, threads, |at| ground.block(starts, &passed, how.seed, from + at));
        for piece in pieces {
            drawn.sums.values += piece.values;
            drawn.sums.squares += piece.squares;
            drawn.sums.rows += piece.rows;
            drawn.sums.entries += piece.entries;
        }
        blocks = until;
        drawn.walks = blocks * BLOCK;
        let count = drawn.walks as f64;
        drawn.mean = drawn.sums.values / count;
        let variance = ((drawn.sums.squares - drawn.sums.values * drawn.mean) / (count - 1.0)).max(0.0);
        let log = (4.0 * look * (look + 1.0) / (1.0 - how.confidence)).ln();
        drawn.half = (2.0 * variance * log / count).sqrt() + 14.0 * range * log / (3.0 * (count - 1.0));
        drawn.hoeffding = range * (2.0 * (2.0 / (1.0 - how.confidence)).ln() / count).sqrt();
        if drawn.half <= eps || drawn.walks >= how.walks_max {
            return Ok(drawn);
        }
        if !watch((eps.max(0.0) / drawn.half).powi(2).min(1.0)) {
            return Err(SolverError::Stopped);
        }
        (wanted, look) = (drawn.walks + drawn.walks.div_ceil(2), look + 1.0);
    }
}
