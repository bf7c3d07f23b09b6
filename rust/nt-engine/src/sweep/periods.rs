//! Equity of a set at the ends of a few periods: what tests of many strategies at once need of its curve.

use nt_core::{Price, Result};

use crate::engine::Engine;

/// Adds equity at those of the samples `ends` (ascending) that have been played and are not there yet; `closes` are those of
/// a lone instrument from the sample at `first` on.
pub(super) fn take(kept: &mut Vec<f64>, ends: &[usize], engine: &Engine, first: usize, closes: &[Price]) -> Result<()> {
    let samples = engine.samples();
    for &end in ends[kept.len()..].iter().take_while(|&&end| end < samples.len()) {
        kept.push(samples.in_currency_at(end, first, closes)?);
    }
    Ok(())
}
