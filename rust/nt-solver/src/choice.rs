//! The choice of a method, with its reason.

use crate::neumann::{neumann_from, sweeps_needed};
use crate::push::concluded;
use crate::walk::{entries_of_walks, finished};
use crate::{
    Certificate, Dominance, Entry, Index, Kind, Matrix, Method, Question, Scratch, Side, SolverError, Walks, Watch,
    bicgstab, neumann,
};

/// What an entry that a walk reads costs, in entries of a sweep over the whole matrix, while that fits into the cache.
const WALK_NEAR: f64 = 12.0;
/// What it costs beyond.
const WALK_FAR: f64 = 150.0;
/// Entries of a matrix that does not fit any more.
const NEAR_ENTRIES: usize = 2_000_000;
/// So many more sweeps of Jacobi are no more work than steps of a method of Krylov, which take more each.
const SWEEPS_MORE: f64 = 24.0;
/// The share of the cost of a whole solution that a push may spend before its end is foretold.
const UNHEARD: f64 = 0.02;
/// The share that it may spend in the end, unless it is foretold to be nearer than that.
const SPENT_MAX: f64 = 0.5;

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
fn whole(question: &Question<'_, impl Index>) -> f64 {
    let Question { matrix, dominance, side, eps, .. } = *question;
    let first = dominance.largest(side.reach());
    let sweeps = 2.0 + sweeps_needed(dominance.pace, eps, first) as f64;
    // The bound of conjugate gradient for a spectrum between 1 - pace and 1 + pace; the steps are mostly fewer.
    let condition = (1.0 + dominance.pace) / (1.0 - dominance.pace);
    let products = condition.sqrt() * (2.0 * first / eps).max(1.0).ln();
    matrix.entries() as f64 * sweeps.min(SWEEPS_MORE + products)
}

/// What is left to do for a push, in entries of a sweep, if the rest is like what it did since it was looked at before.
struct Foretold {
    goal: f64,
    total: f64,
    work: f64,
}

impl Foretold {
    fn rest(&mut self, total: f64, work: f64) -> f64 {
        let (come, left) = ((self.total / total).ln(), (total / self.goal).ln());
        let (done, before) = (work - self.work, self.work);
        (self.total, self.work) = (total, work);
        if come <= 0.0 || before == 0.0 {
            return 0.0;
        }
        done * left / come
    }
}

/// One entry by the method that is expected to be fastest, and why it is. A push begins. It is given up when what is left to do
/// for it is foretold to cost more than a whole solution, or when half of that is spent and the end is not near; and it is
/// left to walks when they cost no more than it has cost so far.
pub fn entry<'a, I: Index>(
    question: Question<'a, I>,
    walks: Option<Walks>,
    threads: usize,
    scratch: &'a mut Scratch,
    watch: Watch<'_>,
) -> Result<(Entry, String), SolverError> {
    question.check()?;
    let Question { matrix, dominance, side, entry, eps } = question;
    let walks = walks.filter(|_| dominance.kind == Kind::Rows);
    let whole = whole(&question);
    let of_walk = if matrix.entries() <= NEAR_ENTRIES { WALK_NEAR } else { WALK_FAR };
    let cost_of_walks =
        |total: f64| walks.map_or(f64::INFINITY, |how| of_walk * entries_of_walks(&question, total, how));
    let (mut push, goal) = (question.push(scratch), question.goal());
    let mut foretold = Foretold { goal, total: push.total, work: 0.0 };
    push.run(goal, whole as u64, |push| {
        let spent = push.work as f64;
        let rest = foretold.rest(push.total, spent);
        let hopeless = spent > UNHEARD * whole && rest > whole;
        hopeless || (spent > SPENT_MAX * whole && rest > SPENT_MAX * spent) || cost_of_walks(push.total) <= spent
    });
    if push.total <= goal {
        let found = concluded(&mut push, &question);
        let reason = format!("a push reaches the accuracy within {} entries", found.certificate.entries);
        return Ok((found, reason));
    }
    if let Some(how) = walks.filter(|_| cost_of_walks(push.total) <= whole) {
        let found = finished(Method::Bidirectional, &mut push, &question, how, watch)?;
        let reason = format!("after {} pushes walks are the cheaper way to the rest", push.pushes);
        return Ok((found, reason));
    }
    let (rows, spent) = (push.rows_read, push.entries);
    let (x, mut certificate, reason) = solve(matrix, dominance, side, None, eps, threads, watch)?;
    certificate.rows += rows;
    certificate.entries += spent;
    let reason = format!("a push had read {spent} entries and would cost more than the whole solution; {reason}");
    Ok((Entry { value: x[entry], certificate }, reason))
}
