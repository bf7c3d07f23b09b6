//! The series of Neumann, `x = sum (I - D^-1 A)^k D^-1 b`, summed by sweeps of Jacobi.

use crate::certificate::{certify, checked_eps};
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
    checked_eps(eps)?;
    let workers = threads_for(matrix.entries(), threads);
    let (inverse, units) = (inverse(dominance), dominance.units());
    let (scale, first) = (dominance.scale(), dominance.largest(side.reach()));
    // The residual may say for some sweeps that the error is more than it is: (1 + rate) / (1 - rate) times, at most.
    let behind = first * (1.0 + dominance.rate) / (1.0 - dominance.rate);
    let sweeps_max = sweeps_needed(dominance.rate, eps, behind).saturating_add(2);
    let mut x: Vec<f64> = side.values.iter().zip(&inverse).map(|(b, inverse)| b * inverse).collect();
    let (mut step, mut sweeps) = (vec![0.0; x.len()], 0);
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
        if reach * scale <= eps || sweeps >= sweeps_max {
            break;
        }
        for (x, step) in x.iter_mut().zip(&step) {
            *x += step;
        }
        if !watch((sweeps as f64 / sweeps_max as f64).min(1.0)) {
            return Err(SolverError::Stopped);
        }
    }
    let (residual, bound) = certify(matrix, dominance, side.values, &x, threads);
    let certificate = Certificate {
        method: Method::Neumann,
        residual,
        bound_before: first * dominance.rate.powi(sweeps.min(1 << 20) as i32),
        bound,
        confidence: 1.0,
        rows: (sweeps as u64 + 1) * matrix.len() as u64,
        entries: (sweeps as u64 + 1) * matrix.entries() as u64,
        iterations: sweeps as u64,
    };
    Ok((x, certificate))
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
