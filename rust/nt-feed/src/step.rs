//! Values on a step that the user gives: a tick of 0.25, a lot of 100.

use nt_core::Step;

use crate::POWERS_OF_TEN;
use crate::fault::{Fault, FaultKind};
use crate::grid::{PRICE_NOISE, VOLUME_NOISE};

/// What becomes of a value between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffStep {
    /// It is a fault: prices.
    Refuse,
    /// It goes to the step below: volumes.
    Floor,
}

/// Exact decimals as counts of a step, and how many of them were floored.
pub fn decimals_on_step(mantissas: &[i64], decimals: u8, step: Step, off: OffStep) -> Result<(Vec<i64>, usize), Fault> {
    let up = i128::from(POWERS_OF_TEN[usize::from(step.decimals)]);
    let down = i128::from(POWERS_OF_TEN[usize::from(decimals)]) * i128::from(step.mantissa);
    let mut counts = Vec::with_capacity(mantissas.len());
    let mut floored = 0;
    for (row, &mantissa) in mantissas.iter().enumerate() {
        let scaled = i128::from(mantissa) * up;
        if scaled % down != 0 {
            if off == OffStep::Refuse {
                return Err(Fault::at(FaultKind::OffGrid, row));
            }
            floored += 1;
        }
        let count = i64::try_from(scaled.div_euclid(down)).map_err(|_| Fault::at(FaultKind::OutOfRange, row))?;
        counts.push(count);
    }
    Ok((counts, floored))
}

/// Floats as counts of a step, and how many of them were floored. A float counts as on the step if it differs from it by
/// less than the noise of its kind, or is the single-precision float nearest to it.
pub fn floats_on_step(values: &[f64], step: Step, off: OffStep) -> Result<(Vec<i64>, usize), Fault> {
    // Counts up to this limit, times the mantissa, keep the value below exact enough for the noise test.
    const COUNT_LIMIT: f64 = 9_007_199_254_740_992.0;
    let (mantissa, scale) = (step.mantissa as f64, crate::grid::scale_of(step.decimals));
    let noise = if off == OffStep::Refuse { PRICE_NOISE } else { VOLUME_NOISE };
    let mut counts = Vec::with_capacity(values.len());
    let mut floored = 0;
    for (row, &value) in values.iter().enumerate() {
        if !value.is_finite() {
            return Err(Fault::at(FaultKind::NotANumber, row));
        }
        let ratio = value * scale / mantissa;
        if ratio.abs() > COUNT_LIMIT {
            return Err(Fault::at(FaultKind::OutOfRange, row));
        }
        let nearest = ratio.round_ties_even();
        let on_step = nearest * mantissa / scale;
        let near = (on_step - value).abs() <= noise * value.abs()
            || (f64::from(value as f32) == value && on_step as f32 == value as f32);
        if near {
            counts.push(nearest as i64);
        } else if off == OffStep::Floor {
            floored += 1;
            counts.push(ratio.floor() as i64);
        } else {
            return Err(Fault::at(FaultKind::OffGrid, row));
        }
    }
    Ok((counts, floored))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUARTER: Step = Step { mantissa: 25, decimals: 2 };

    #[test]
    fn values_on_the_step_are_counted_and_others_are_named() {
        assert_eq!(decimals_on_step(&[1000, 1025], 1, QUARTER, OffStep::Refuse), Ok((vec![400, 410], 0)));
        let fault = decimals_on_step(&[10025, 10030], 2, QUARTER, OffStep::Refuse).unwrap_err();
        assert_eq!((fault.kind, fault.row), (FaultKind::OffGrid, 1));
        assert_eq!(decimals_on_step(&[10030, -10], 2, QUARTER, OffStep::Floor), Ok((vec![401, -1], 2)));
    }

    #[test]
    fn floats_off_the_step_are_refused_unless_they_are_noise() {
        assert_eq!(floats_on_step(&[100.25, 100.500_000_000_01], QUARTER, OffStep::Refuse), Ok((vec![401, 402], 0)));
        let fault = floats_on_step(&[100.25, 100.3], QUARTER, OffStep::Refuse).unwrap_err();
        assert_eq!((fault.kind, fault.row), (FaultKind::OffGrid, 1));
        let cent = Step { mantissa: 1, decimals: 2 };
        assert_eq!(floats_on_step(&[f64::from(150.05_f32)], cent, OffStep::Refuse), Ok((vec![15005], 0)));
        assert_eq!(floats_on_step(&[100.3], QUARTER, OffStep::Floor), Ok((vec![401], 1)));
        assert_eq!(floats_on_step(&[1e300], QUARTER, OffStep::Refuse).unwrap_err().kind, FaultKind::OutOfRange);
    }

    proptest! {
        #[test]
        fn floats_and_decimals_agree(
            counts in prop::collection::vec(1_i64..1_000_000_000, 1..50),
            mantissa in 1_i64..1000, decimals in 0_u8..=9,
        ) {
            let step = Step { mantissa, decimals };
            let exact: Vec<i64> = counts.iter().map(|c| c * mantissa).collect();
            let scale = POWERS_OF_TEN[usize::from(decimals)] as f64;
            let floats: Vec<f64> = exact.iter().map(|&m| m as f64 / scale).collect();
            prop_assert_eq!(decimals_on_step(&exact, decimals, step, OffStep::Refuse), Ok((counts.clone(), 0)));
            prop_assert_eq!(floats_on_step(&floats, step, OffStep::Refuse), Ok((counts.clone(), 0)));
        }
    }
}
