//! The choice of a method, with its reason.

use crate::certificate::checked_eps;
use crate::neumann::{neumann_from, sweeps_needed};
use crate::push::{asking, checked_entry, concluded, goal_of};
use crate::walk::{entries_of_walks, finished};
use crate::{
    Certificate, Dominance, Entry, Index, Kind, Matrix, Method, Side, SolverError, Walks, Watch, bicgstab, neumann,
};

/// What an entry that a push reads costs, in entries of a sweep over the whole matrix, while what was touched fits into
/// the cache; see benches/solver.py, where these costs are measured.
const PUSH_NEAR: f64 = 6.0;
/// What it costs beyond.
const PUSH_FAR: f64 = 60.0;
/// Entries after which what was touched does not fit any more.
const NEAR_ENTRIES: f64 = 2e5;
/// What an entry that a walk reads costs.
const WALK: f64 = 12.0;
/// So many more sweeps of Jacobi are no more work than steps of a method of Krylov, which take more each.
const SWEEPS_MORE: f64 = 24.0;
/// How far a push has come, in orders of magnitude, before its end is foretold.
const FORETOLD: f64 = 0.1;
/// A push that has read so many entries and still reaches two new rows with each that it pushes will reach them all.
const SPREADING_ENTRIES: u64 = 20_000;

/// A question for one entry.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// Which.
    pub entry: usize,
    /// The error that is allowed.
    pub eps: f64,
    /// How walks are drawn where they are the cheapest; None allows only what is certain.
    pub walks: Option<Walks>,
}

/// The whole solution by the method that is expected to be fastest, and why it is: sweeps begin, and go on while the pace at
/// which the residual falls foretells that few more will do; else Krylov steps go on from there.
pub fn solve<I: Index>(
    matrix: Matrix<'_, I>,
    dominance: &Dominance,
    side: Side<'_>,
    start: Option<&[f64]>,
    eps: f64,
    threads: usize,
    watch: Watch<'_>,
) -> Result<(Vec<f64>, Certificate, String), SolverError> {
    let slow = |missing: &[f64]| match missing {
        [.., before, last] => last.ln() / (before / last).ln().max(0.0) > SWEEPS_MORE,
        _ => false,
    };
    let swept = match start {
        Some(_) => None,
        None => Some(neumann_from(matrix, dominance, side, eps, threads, watch, slow)?),
    };
    let (begun, first) = match swept {
        Some((x, certificate, true)) => {
            let reason = format!("the residual falls so fast that {} sweeps suffice", certificate.iterations);
            return Ok((x, certificate, reason));
        }
        Some((x, certificate, false)) => (Some(x), Some(certificate)),
        None => (None, None),
    };
    match bicgstab(matrix, dominance, side, begun.as_deref().or(start), eps, threads, watch) {
        Ok((x, mut certificate)) => {
            if let Some(first) = first {
                certificate.rows += first.rows;
                certificate.entries += first.entries;
            }
            let reason = "sweeps shrink the residual too slowly, and Krylov steps go on from them";
            Ok((x, certificate, reason.into()))
        }
        Err(SolverError::Unfinished { .. }) => {
            let (x, certificate) = neumann(matrix, dominance, side, eps, threads, watch)?;
            Ok((x, certificate, "Krylov steps did not converge, and sweeps always do".into()))
        }
        Err(error) => Err(error),
    }
}

/// Entries that a whole solution is expected to read.
fn whole(entries: usize, dominance: &Dominance, eps: f64, reach: f64) -> f64 {
    let first = dominance.largest(reach);
    let sweeps = sweeps_needed(dominance.rate, eps, first) as f64;
    // The bound of conjugate gradient for a spectrum between 1 - rate and 1 + rate; the steps are mostly fewer.
    let condition = (1.0 + dominance.rate) / (1.0 - dominance.rate);
    let products = condition.sqrt() * (2.0 * first / eps).max(1.0).ln();
    entries as f64 * (0.6 * sweeps.min(products) + 2.0)
}

/// What a push costs that reads so many entries, in entries of a sweep.
fn cost_of_push(entries: f64) -> f64 {
    PUSH_NEAR * entries.min(NEAR_ENTRIES) + PUSH_FAR * (entries - NEAR_ENTRIES).max(0.0)
}

/// The most entries that a push can read at a cost.
fn entries_of_push(cost: f64) -> f64 {
    let near = PUSH_NEAR * NEAR_ENTRIES;
    if cost <= near { cost / PUSH_NEAR } else { NEAR_ENTRIES + (cost - near) / PUSH_FAR }
}

/// One entry by the method that is expected to be fastest, and why it is. A push begins; it is given up when half of what a
/// whole solution costs is spent, when the pace at which its residual falls foretells that it will be more than that, or when
/// it goes on to spread to new rows; and it is left to walks when they cost no more than it has cost so far.
pub fn entry<I: Index>(
    matrix: Matrix<'_, I>,
    dominance: &Dominance,
    side: Side<'_>,
    query: Query,
    threads: usize,
    watch: Watch<'_>,
) -> Result<(Entry, String), SolverError> {
    let Query { entry, eps, walks } = query;
    checked_eps(eps)?;
    checked_entry(entry, matrix.len())?;
    let walks = walks.filter(|_| dominance.kind == Kind::Rows);
    let whole = whole(matrix.entries(), dominance, eps, side.reach());
    let goal = goal_of(eps, side.radius());
    let cost_of_walks = |total: f64| {
        walks.map_or(f64::INFINITY, |how| WALK * entries_of_walks(matrix, dominance, side, total, eps, how))
    };
    let mut push = asking(matrix, dominance, entry);
    let first = push.total;
    push.run(goal, entries_of_push(whole / 2.0) as u64, |push| {
        let spent = cost_of_push(push.entries as f64);
        let come = (first / push.total).ln() / (first / goal).ln();
        let spreads = push.entries > SPREADING_ENTRIES && push.touched() as u64 > 2 * push.pushes;
        cost_of_walks(push.total) <= spent || spreads || (come > FORETOLD && spent > come * whole)
    });
    if push.total <= goal {
        let found = concluded(&mut push, dominance, side, entry);
        let reason = format!("a push reaches the accuracy within {} entries", found.certificate.entries);
        return Ok((found, reason));
    }
    if let Some(how) = walks.filter(|_| cost_of_walks(push.total) <= whole) {
        let found = finished(Method::Bidirectional, &mut push, matrix, dominance, side, entry, eps, how, watch)?;
        let reason = format!("after {} pushes walks are the cheaper way to the rest", push.pushes);
        return Ok((found, reason));
    }
    let spent = push.entries;
    let (x, mut certificate, reason) = solve(matrix, dominance, side, None, eps, threads, watch)?;
    certificate.rows += push.rows_read;
    certificate.entries += spent;
    let reason = format!("a push had read {spent} entries and would cost more than the whole solution; {reason}");
    Ok((Entry { value: x[entry], certificate }, reason))
}
