//! The series of Neumann, `x = sum (I - D^-1 A)^k D^-1 b`, summed by sweeps of Jacobi.

use crate::certificate::{bound_of, certify, checked_eps};
use crate::dominance::rounding;
use crate::parallel::{fill, weighted_max, weighted_sum};
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
    let (inverse, units) = (inverse(dominance), dominance.units());
    let (scale, first) = (dominance.scale, dominance.largest(side.reach()));
    // The residual may say for some sweeps that the error is more than it is: (1 + rate) / (1 - rate) times, at most.
    let behind = first * (1.0 + dominance.rate) / (1.0 - dominance.rate);
    let sweeps_max = sweeps_needed(dominance.rate, eps, behind).saturating_add(2);
    let mut x: Vec<f64> = side.values.iter().zip(&inverse).map(|(b, inverse)| b * inverse).collect();
    let (mut step, mut sweeps, mut gave_up) = (vec![0.0; x.len()], 0, false);
    loop {
        // The step is the residual divided by the diagonal; what it proves holds where it is not taken.
        fill(&mut step, workers, |row| {
            let (columns, values) = matrix.row(row);
            let left = columns
                .iter()
                .zip(values)
                .fold(side.values[row], |left, (column, value)| left - value * x[column.at()]);
            left * inverse[row]
        });
        let reach = match dominance.kind {
            Kind::Rows => weighted_max(&step, &units, workers),
            Kind::Columns => weighted_sum(&step, &units, workers),
        };
        sweeps += 1;
        missing.push(reach * scale / eps);
        if reach * scale <= eps || sweeps >= sweeps_max {
            break;
        }
        for (x, step) in x.iter_mut().zip(&step) {
            *x += step;
        }
        if tired(&missing) {
            gave_up = true;
            break;
        }
        if !watch((sweeps as f64 / sweeps_max as f64).min(1.0)) {
            return Err(SolverError::Stopped);
        }
    }
    let mut passes = sweeps as u64;
    let (residual, bound) = match dominance.kind {
        // Who gives up goes on from here, and looks at the residual in the end.
        _ if gave_up => (f64::NAN, f64::NAN),
        // The last sweep was not taken: it is the residual of this very solution, from the matrix.
        Kind::Rows => certify_step(dominance, side.values, &x, &step),
        Kind::Columns => {
            passes += 1;
            certify(matrix, dominance, side.values, &x, threads)
        }
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

/// What the step of a sweep proves about the solution that it starts from. The sizes of the products behind it, by which
/// rounding is bounded, follow from dominance: `sum |a_ij x_j| <= (2 |a_ii| w_i - s_i) max |x_j| / w_j`.
fn certify_step(dominance: &Dominance, side: &[f64], x: &[f64], step: &[f64]) -> (f64, f64) {
    let most = x.iter().zip(&dominance.weights).fold(0.0, |most: f64, (x, weight)| most.max(x.abs() / weight));
    let unit = rounding(dominance.row_entries_max + 3);
    let of_row = |row: usize| {
        let own = dominance.diagonal[row].abs();
        let size = side[row].abs() + (2.0 * own * dominance.weights[row] - dominance.slack[row]) * most;
        (step[row] * own).abs() + unit * size
    };
    let residual: Vec<f64> = (0..x.len()).map(of_row).collect();
    let largest = residual.iter().fold(0.0, |most: f64, &value| most.max(value));
    (largest, bound_of(dominance, &residual))
}

/// One over each entry of the diagonal.
pub fn inverse(dominance: &Dominance) -> Vec<f64> {
    dominance.diagonal.iter().map(|value| 1.0 / value).collect()
}

/// After how many sweeps an error that was at most `first` is at most `eps`.
pub fn sweeps_needed(rate: f64, eps: f64, first: f64) -> usize {
    if first <= eps || rate <= 0.0 {
        return 0;
    }
    let sweeps = ((eps / first).ln() / rate.ln()).ceil();
    if sweeps < 1e9 { sweeps as usize } else { 1_000_000_000 }
}
