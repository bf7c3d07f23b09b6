//! How fast neighbouring states of a series part: its largest Lyapunov exponent.

use nt_core::elementary::logarithm;

use crate::LARGEST;

/// How a series is unfolded and followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfolding {
    /// How many values make a state.
    pub dimension: usize,
    /// Rows from one value of a state to the next.
    pub lag: usize,
    /// Neighbours are at least so many rows apart, and one more: what is near in time is near anyway.
    pub exclusion: usize,
    /// Rows for which neighbours are followed.
    pub steps: usize,
}

/// The largest Lyapunov exponent per row (Rosenstein, Collins and De Luca, 1993); NaN where a line cannot be drawn.
///
/// Every state `(x[i], x[i+lag], ...)` has the nearest state that is far enough away in time. The mean logarithm of the
/// distance of the two, 0 to `steps` rows later, is a line over the rows as long as distances grow at one rate; its slope by
/// least squares is the exponent. Pairs at no distance are left out, as are those that reach the end of the series.
pub fn lyapunov(series: &[f64], unfolding: Unfolding) -> f64 {
    let Unfolding { dimension, lag, exclusion, steps } = unfolding;
    let reach = dimension.saturating_sub(1).saturating_mul(lag);
    let states = series.len().saturating_sub(reach);
    if dimension == 0 || steps == 0 || states <= steps || !series.iter().all(|value| value.abs() <= LARGEST) {
        return f64::NAN;
    }
    let square = |i: usize, j: usize| {
        (0..dimension).fold(0.0, |sum, at| {
            let difference = series[i + at * lag] - series[j + at * lag];
            sum + difference * difference
        })
    };
    // Only states that can be followed to the last step take part, so that every step is a mean over the same pairs.
    let followed = states - steps;
    let mut sums = vec![0.0; steps + 1];
    let mut pairs = 0;
    for i in 0..followed {
        let mut nearest = (f64::INFINITY, i);
        for j in 0..followed {
            if i.abs_diff(j) > exclusion {
                let distance = square(i, j);
                if distance > 0.0 && distance < nearest.0 {
                    nearest = (distance, j);
                }
            }
        }
        let j = nearest.1;
        if j == i || (0..=steps).any(|step| square(i + step, j + step) < f64::MIN_POSITIVE) {
            continue;
        }
        pairs += 1;
        for (step, sum) in sums.iter_mut().enumerate() {
            *sum += 0.5 * logarithm(square(i + step, j + step));
        }
    }
    if pairs == 0 {
        return f64::NAN;
    }
    let count = sums.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let cross = sums
        .iter()
        .enumerate()
        .fold(0.0, |cross, (step, sum)| cross + (step as f64 - middle) * (sum / f64::from(pairs)));
    cross / (count * (count * count - 1.0) / 12.0)
}
