//! Methods of Krylov, as references and for whole solutions: conjugate gradient and stabilised biconjugate gradient.
//!
//! Both run on the system divided by its diagonal, and end when the residual proves the accuracy that is asked for.

use crate::certificate::{certify, checked_eps};
use crate::matrix::left;
use crate::parallel::{dot, fill, weighted_max, weighted_sum};
use crate::{Certificate, Dominance, Index, Kind, Matrix, Method, Side, SolverError, Watch, threads_for};

const STEPS_MAX: usize = 10_000;
/// How often a residual that had drifted, or a breakdown, may start the steps anew.
const RESTARTS_MAX: usize = 50;

/// A system divided by its diagonal.
struct Scaled<'a, I> {
    matrix: Matrix<'a, I>,
    inverse: &'a [f64],
    threads: usize,
}

impl<I: Index> Scaled<'_, I> {
    /// `out = D^-1 A v`
    fn apply(&self, v: &[f64], out: &mut [f64]) {
        fill(out, self.threads, |row| {
            let (columns, values) = self.matrix.row(row);
            columns.iter().zip(values).fold(0.0, |sum, (column, value)| sum + value * v[column.at()])
                * self.inverse[row]
        });
    }

    /// `out = D^-1 (b - A x)`
    fn residual(&self, b: &[f64], x: &[f64], out: &mut [f64]) {
        fill(out, self.threads, |row| left(self.matrix.row(row), b[row], x) * self.inverse[row]);
    }

    fn dot(&self, left: &[f64], right: &[f64]) -> f64 {
        dot(left, right, self.threads)
    }

    /// `out = left + factor * right`
    fn plus(&self, out: &mut [f64], left: &[f64], factor: f64, right: &[f64]) {
        fill(out, self.threads, |at| left[at] + factor * right[at]);
    }
}

/// The accuracy that is asked for, in terms of the scaled residual.
struct Goal {
    kind: Kind,
    units: Vec<f64>,
    reach: f64,
}

impl Goal {
    fn of(dominance: &Dominance, eps: f64) -> Self {
        Self { kind: dominance.kind, units: dominance.units(), reach: eps / dominance.scale }
    }

    fn missing(&self, residual: &[f64], threads: usize) -> f64 {
        match self.kind {
            Kind::Rows => weighted_max(residual, &self.units, threads) / self.reach,
            Kind::Columns => weighted_sum(residual, &self.units, threads) / self.reach,
        }
    }
}

/// How far a run of steps came: products with the matrix, and by how much the goal is missed (at most 1: reached).
struct Ran {
    steps: usize,
    steps_max: usize,
    products: usize,
    /// By how much the goal was missed at first, as far as it is known.
    first: f64,
    missing: f64,
}

impl Ran {
    fn new(steps_max: usize) -> Self {
        Self { steps: 0, steps_max, products: 0, first: f64::NAN, missing: f64::INFINITY }
    }

    /// Looks at a residual that was computed anew, and says whether steps are to begin from there.
    fn begins(&mut self, missing: f64) -> bool {
        self.products += 1;
        self.missing = missing;
        if self.first.is_nan() {
            self.first = missing;
        }
        self.misses(missing) && missing.is_finite()
    }

    /// Whether the goal is missed by so much that there is one step more to make, of those that are allowed.
    fn misses(&self, missing: f64) -> bool {
        missing > 1.0 && self.steps < self.steps_max
    }

    /// A step, unless whoever watches says stop; it hears the share of orders of magnitude that are done.
    fn step(&mut self, missing: f64, products: usize, watch: Watch<'_>) -> Result<(), SolverError> {
        let share = if self.first <= 1.0 { 1.0 } else { 1.0 - missing.ln() / self.first.ln() };
        if !watch(share.clamp(0.0, 1.0)) {
            return Err(SolverError::Stopped);
        }
        self.steps += 1;
        self.products += products;
        Ok(())
    }
}

/// Stabilised biconjugate gradient; `x` is where it starts, zeros where nothing is known.
pub fn bicgstab<I: Index>(
    matrix: Matrix<'_, I>,
    dominance: &Dominance,
    side: Side<'_>,
    start: Option<&[f64]>,
    eps: f64,
    threads: usize,
    watch: Watch<'_>,
) -> Result<(Vec<f64>, Certificate), SolverError> {
    checked_eps(eps)?;
    let inverse = dominance.inverse();
    let system = Scaled { matrix, inverse: &inverse, threads: threads_for(matrix.entries(), threads) };
    let mut x = started(&system, side.values, start)?;
    let ran = bicgstab_steps(&system, &Goal::of(dominance, eps), side.values, &mut x, STEPS_MAX, watch)?;
    finish(Method::Bicgstab, &system, dominance, side, eps, x, &ran, threads)
}

/// Conjugate gradient, for symmetric matrices with a positive diagonal.
pub fn conjugate_gradient<I: Index>(
    matrix: Matrix<'_, I>,
    dominance: &Dominance,
    side: Side<'_>,
    start: Option<&[f64]>,
    eps: f64,
    threads: usize,
    watch: Watch<'_>,
) -> Result<(Vec<f64>, Certificate), SolverError> {
    checked_eps(eps)?;
    let wrong = dominance.diagonal.iter().position(|&value| value <= 0.0).or_else(|| matrix.first_asymmetric());
    if let Some(row) = wrong {
        return Err(SolverError::NotSymmetric { row });
    }
    let inverse = dominance.inverse();
    let system = Scaled { matrix, inverse: &inverse, threads: threads_for(matrix.entries(), threads) };
    let mut x = started(&system, side.values, start)?;
    let ran = gradient_steps(&system, &Goal::of(dominance, eps), dominance, side.values, &mut x, watch)?;
    finish(Method::ConjugateGradient, &system, dominance, side, eps, x, &ran, threads)
}

/// Weights `w` with `M w` within `uneven` of ones, if so many steps find them: the solution of `M w = 1`, nearly.
pub fn weights_of<I: Index>(matrix: Matrix<'_, I>, ones: &[f64], uneven: f64, steps_max: usize) -> (Vec<f64>, usize) {
    let diagonal = matrix.diagonal();
    let inverse: Vec<f64> = diagonal.iter().map(|value| 1.0 / value).collect();
    let system = Scaled { matrix, inverse: &inverse, threads: 1 };
    let goal = Goal { kind: Kind::Rows, units: diagonal, reach: uneven };
    let mut x = inverse.clone();
    let steps = match bicgstab_steps(&system, &goal, ones, &mut x, steps_max, &mut |_| true) {
        Ok(ran) => ran.steps,
        Err(_) => steps_max,
    };
    (x, steps)
}

fn started<I: Index>(system: &Scaled<'_, I>, b: &[f64], start: Option<&[f64]>) -> Result<Vec<f64>, SolverError> {
    match start {
        None => Ok(b.iter().zip(system.inverse).map(|(b, inverse)| b * inverse).collect()),
        Some(x) if x.len() != b.len() => {
            Err(SolverError::Length { what: "the start", given: x.len(), expected: b.len() })
        }
        Some(x) => match x.iter().position(|value| !value.is_finite()) {
            Some(row) => Err(SolverError::RightSide { row, value: x[row] }),
            None => Ok(x.to_vec()),
        },
    }
}

fn bicgstab_steps<I: Index>(
    system: &Scaled<'_, I>,
    goal: &Goal,
    b: &[f64],
    x: &mut [f64],
    steps_max: usize,
    watch: Watch<'_>,
) -> Result<Ran, SolverError> {
    let length = b.len();
    let mut r = vec![0.0; length];
    let (mut p, mut v, mut t) = (vec![0.0; length], vec![0.0; length], vec![0.0; length]);
    let mut next = vec![0.0; length];
    let mut ran = Ran::new(steps_max);
    for _ in 0..RESTARTS_MAX {
        system.residual(b, x, &mut r);
        if !ran.begins(goal.missing(&r, system.threads)) {
            break;
        }
        let shadow = r.clone();
        p.copy_from_slice(&r);
        let mut rho = system.dot(&shadow, &r);
        let mut missing = ran.missing;
        while ran.misses(missing) {
            ran.step(missing, 2, watch)?;
            system.apply(&p, &mut v);
            let alpha = rho / system.dot(&shadow, &v);
            // The step s takes the place of r.
            system.plus(&mut next, &r, -alpha, &v);
            std::mem::swap(&mut r, &mut next);
            system.apply(&r, &mut t);
            let tt = system.dot(&t, &t);
            let omega = if tt > 0.0 { system.dot(&t, &r) / tt } else { 0.0 };
            if !(alpha.is_finite() && omega.is_finite()) {
                break;
            }
            fill(&mut next, system.threads, |at| x[at] + (alpha * p[at] + omega * r[at]));
            x.copy_from_slice(&next);
            system.plus(&mut next, &r, -omega, &t);
            std::mem::swap(&mut r, &mut next);
            missing = goal.missing(&r, system.threads);
            let rho_next = system.dot(&shadow, &r);
            let beta = (rho_next / rho) * (alpha / omega);
            if !(beta.is_finite() && missing.is_finite()) || rho_next == 0.0 {
                break;
            }
            rho = rho_next;
            fill(&mut next, system.threads, |at| r[at] + beta * (p[at] - omega * v[at]));
            std::mem::swap(&mut p, &mut next);
        }
    }
    Ok(ran)
}

fn gradient_steps<I: Index>(
    system: &Scaled<'_, I>,
    goal: &Goal,
    dominance: &Dominance,
    b: &[f64],
    x: &mut [f64],
    watch: Watch<'_>,
) -> Result<Ran, SolverError> {
    // With z = D^-1 r the scaled residual, products of r and z are those of z with D z.
    let length = b.len();
    let (mut z, mut q, mut next) = (vec![0.0; length], vec![0.0; length], vec![0.0; length]);
    let weighted = |left: &[f64], right: &[f64], next: &mut [f64]| {
        fill(next, system.threads, |at| right[at] * dominance.diagonal[at]);
        system.dot(left, next)
    };
    let mut ran = Ran::new(STEPS_MAX);
    for _ in 0..RESTARTS_MAX {
        system.residual(b, x, &mut z);
        if !ran.begins(goal.missing(&z, system.threads)) {
            break;
        }
        let mut p = z.clone();
        let mut rho = weighted(&z, &z, &mut next);
        let mut missing = ran.missing;
        while ran.misses(missing) {
            ran.step(missing, 1, watch)?;
            system.apply(&p, &mut q);
            let alpha = rho / weighted(&p, &q, &mut next);
            if !alpha.is_finite() {
                break;
            }
            for (x, p) in x.iter_mut().zip(&p) {
                *x += alpha * p;
            }
            system.plus(&mut next, &z, -alpha, &q);
            std::mem::swap(&mut z, &mut next);
            missing = goal.missing(&z, system.threads);
            let rho_next = weighted(&z, &z, &mut next);
            let beta = rho_next / rho;
            if !beta.is_finite() || rho_next == 0.0 {
                break;
            }
            rho = rho_next;
            system.plus(&mut next, &z, beta, &p);
            std::mem::swap(&mut p, &mut next);
        }
    }
    Ok(ran)
}

#[allow(clippy::too_many_arguments, reason = "all that an answer says")]
fn finish<I: Index>(
    method: Method,
    system: &Scaled<'_, I>,
    dominance: &Dominance,
    side: Side<'_>,
    eps: f64,
    x: Vec<f64>,
    ran: &Ran,
    threads: usize,
) -> Result<(Vec<f64>, Certificate), SolverError> {
    let (residual, bound) = certify(system.matrix, dominance, side.values, &x, threads);
    // A bound above eps by more than what rounding may add says that the steps did not arrive.
    if ran.missing.is_nan() || ran.missing > 1.0 && bound > 1e3 * eps {
        return Err(SolverError::Unfinished { method: method.name(), steps: ran.steps, bound });
    }
    let passes = ran.products as u64 + 1;
    let certificate = Certificate {
        method,
        residual,
        bound_before: dominance.largest(side.reach()),
        bound,
        confidence: 1.0,
        rows: passes * system.matrix.len() as u64,
        entries: passes * system.matrix.entries() as u64,
        iterations: ran.steps as u64,
    };
    Ok((x, certificate))
}
