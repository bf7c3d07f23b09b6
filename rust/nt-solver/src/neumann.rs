//! The series of Neumann, `x = sum (I - D^-1 A)^k D^-1 b`, summed by sweeps of Jacobi.

use crate::certificate::{certify, checked_eps};
use crate::dominance::rounding;
use crate::matrix::left;
use crate::parallel::{fill_blocks, larger};
use crate::{Certificate, Dominance, Index, Kind, Matrix, Method, Side, SolverError, Watch, threads_for};

/// Solves to an error of at most `eps`; the number of sweeps that this takes at most is known before the first.
pub fn neumann<I: Index>(
    matrix: Matrix<'_, I>,
    dominance: &Dominance,
    side: Side<'_>,
    eps: f64,
    threads: usize,
    watch: Watch<'_>,
) -> Result<(Vec<f64>, Certificate), SolverError> {
    neumann_from(matrix, dominance, side, eps, threads, watch, |_| false).map(|(x, certificate, _)| (x, certificate))
}

/// The same, given up where `tired` says so of the missing factors after each sweep: whether it arrived comes last.
pub fn neumann_from<I: Index>(
    matrix: Matrix<'_, I>,
    dominance: &Dominance,
    side: Side<'_>,
    eps: f64,
    threads: usize,
    watch: Watch<'_>,
    tired: impl Fn(&[f64]) -> bool,
) -> Result<(Vec<f64>, Certificate, bool), SolverError> {
    checked_eps(eps)?;
    let mut missing = Vec::new();
    let workers = threads_for(matrix.entries(), threads);
    let (scale, first) = (dominance.scale, dominance.largest(side.reach()));
    // The residual may say for some sweeps that the error is more than it is: (1 + rate) / (1 - rate) times, at most.
    let behind = first * (1.0 + dominance.rate) / (1.0 - dominance.rate);
    let sweeps_max = sweeps_needed(dominance.rate, eps, behind).saturating_add(2);
    let mut x: Vec<f64> = side.values.iter().zip(&dominance.diagonal).map(|(b, own)| b / own).collect();
    let (mut next, mut sweeps, mut gave_up) = (vec![0.0; x.len()], 0, false);
    let last = loop {
        let swept = sweep(matrix, dominance, side.values, &x, &mut next, workers);
        sweeps += 1;
        missing.push(swept.reach * scale / eps);
        if swept.reach * scale <= eps || sweeps >= sweeps_max {
            break swept;
        }
        std::mem::swap(&mut x, &mut next);
        if tired(&missing) {
            gave_up = true;
            break swept;
        }
        if !watch((sweeps as f64 / sweeps_max as f64).min(1.0)) {
            return Err(SolverError::Stopped);
        }
    };
    let mut passes = sweeps as u64;
    // Who gives up goes on from here, and looks at the residual in the end. Otherwise the last sweep was not taken: it is
    // the residual of this very solution, from the matrix.
    let (residual, bound) = if gave_up {
        (f64::NAN, f64::NAN)
    } else if let Some(known) = last.certified(dominance, side.reach()).filter(|(_, bound)| *bound <= eps) {
        known
    } else {
        // Looked at row by row, rounding is less than what follows from the worst of them.
        passes += 1;
        certify(matrix, dominance, side.values, &x, threads)
    };
    let certificate = Certificate {
        method: Method::Neumann,
        residual,
        bound_before: first * dominance.rate.powi(sweeps.min(1 << 20) as i32),
        bound,
        confidence: 1.0,
        rows: passes * matrix.len() as u64,
        entries: passes * matrix.entries() as u64,
        iterations: sweeps as u64,
    };
    Ok((x, certificate, !gave_up))
}

/// What a sweep has seen of the residual: the largest entry, and its reach.
struct Swept {
    largest: f64,
    reach: f64,
}

/// One pass over the matrix: the solution after `x`, and what the residual of `x` is on the way.
fn sweep<I: Index>(
    matrix: Matrix<'_, I>,
    dominance: &Dominance,
    side: &[f64],
    x: &[f64],
    next: &mut [f64],
    threads: usize,
) -> Swept {
    let by_rows = dominance.kind == Kind::Rows;
    let measure = if by_rows { &dominance.slack } else { &dominance.weights };
    let blocks = fill_blocks(next, threads, |begin, piece| {
        let span = begin..begin + piece.len();
        let own = side[span.clone()].iter().zip(&x[span.clone()]);
        let known = dominance.diagonal[span.clone()].iter().zip(&measure[span.clone()]);
        let mut seen = Swept { largest: 0.0, reach: 0.0 };
        for (((slot, row), (&b, &before)), (diagonal, unit)) in
            piece.iter_mut().zip(matrix.rows(span)).zip(own).zip(known)
        {
            let left = left(row, b, x);
            *slot = before + left / diagonal;
            seen.largest = larger(seen.largest, left.abs());
            seen.reach = if by_rows { larger(seen.reach, left.abs() / unit) } else { seen.reach + left.abs() * unit };
        }
        seen
    });
    blocks.into_iter().fold(Swept { largest: 0.0, reach: 0.0 }, |all, block| Swept {
        largest: larger(all.largest, block.largest),
        reach: if by_rows { larger(all.reach, block.reach) } else { all.reach + block.reach },
    })
}

impl Swept {
    /// The largest residual and the bound that it proves, where rows dominate by so much that rounding follows from that.
    ///
    /// A residual is a sum of products whose sizes add up to at most `|b_i| + (2 |a_ii| w_i - s_i) m`, with
    /// `m = max |x_j| / w_j`. Over the slack that is at most `reach of b + m (1 + rate) / (1 - rate)`, because the rate is the
    /// largest `1 - s_i / |a_ii| w_i`; and `m` is at most the reach of b and that of the true residual.
    fn certified(&self, dominance: &Dominance, reach: f64) -> Option<(f64, f64)> {
        let unit = rounding(dominance.row_entries_max + 3);
        let factor = (1.0 + dominance.rate) / (1.0 - dominance.rate);
        if dominance.kind == Kind::Columns || unit * factor > 0.5 {
            return None;
        }
        let proved = (self.reach + unit * reach * (1.0 + factor)) / (1.0 - unit * factor);
        let most = reach + proved;
        let residual = self.largest + unit * dominance.heaviest * (reach + 2.0 * most);
        Some((residual, dominance.largest(proved) * (1.0 + 4.0 * f64::EPSILON)))
    }
}

/// After how many sweeps an error that was at most `first` is at most `eps`.
pub fn sweeps_needed(rate: f64, eps: f64, first: f64) -> usize {
    if first <= eps || rate <= 0.0 {
        return 0;
    }
    let sweeps = ((eps / first).ln() / rate.ln()).ceil();
    if sweeps < 1e9 { sweeps as usize } else { 1_000_000_000 }
}
