//! Floats on a decimal grid: which decimals did these binary numbers come from?
//!
//! A float `v` fits `d` decimals if the whole number `r` nearest to `v * 10^d` gives `r / 10^d == v`. Both operands of the
//! division are exact and the division rounds correctly, so the test says precisely that `v` is the float nearest to the
//! decimal `r / 10^d`. It is monotone: what fits `d` decimals fits `d + 1`.

use crate::POWERS_OF_TEN;
use crate::decimal::rescale;
use crate::fault::{Fault, FaultKind};

/// Adding and subtracting this number rounds a float below `COUNT_LIMIT` to the nearest integer, ties to even, and leaves
/// that integer in the low bits of the sum: faster than a conversion, and the same on every machine.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// Counts above this limit (2^51) leave the exact range of the rounding above.
const COUNT_LIMIT: f64 = 2_251_799_813_685_248.0;
/// Values closer than this, relative to themselves, to a price on the grid are taken for that price.
pub const PRICE_NOISE: f64 = 1e-9;
/// The same for volumes, where only the noise of binary sums is taken away.
pub const VOLUME_NOISE: f64 = 1e-12;
const BLOCK: usize = 1024;

/// How well floats sit on the grid that was found for them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fit {
    /// Every value is the float nearest to its place on the grid.
    Exact,
    /// The values are single-precision floats, each the one nearest to its place on the grid.
    Single,
    /// The values were rounded; the field is the largest change relative to a value.
    Rounded(f64),
}

/// Columns of floats as counts of `10^-decimals`.
#[derive(Clone, Debug, PartialEq)]
pub struct OnGrid {
    /// One column of counts per column of floats.
    pub columns: Vec<Vec<i64>>,
    /// The decimals that all columns share.
    pub decimals: u8,
    /// How the floats sit on that grid.
    pub fit: Fit,
}

pub(crate) fn scale_of(decimals: u8) -> f64 {
    // Exact: powers of ten up to 10^22 are floats.
    POWERS_OF_TEN[usize::from(decimals)] as f64
}

/// Counts of one value, and whether it is the float nearest to that count.
#[inline(always)]
fn count_of(value: f64, scale: f64) -> (i64, f64, bool) {
    let shifted = value * scale + ROUNDER;
    let rounded = shifted - ROUNDER;
    let off = (rounded / scale != value) | (rounded.abs() > COUNT_LIMIT);
    (
        shifted.to_bits().wrapping_sub(ROUNDER.to_bits()) as i64,
        rounded,
        off,
    )
}

/// Fills `counts` from `values` and says whether all of them fit; the loop has no branches so that it vectorises.
fn fit_block(values: &[f64], scale: f64, counts: &mut [i64]) -> bool {
    let mut misfits = 0_u64;
    for (value, count) in values.iter().zip(counts) {
        let (whole, _, off) = count_of(*value, scale);
        *count = whole;
        misfits |= u64::from(off);
    }
    misfits == 0
}

/// Counts of one column on the coarsest grid of at least `decimals` that fits it, or the row that fits none.
fn fit_column(values: &[f64], mut decimals: u8, decimals_max: u8) -> Result<(Vec<i64>, u8), usize> {
    let mut counts = vec![0_i64; values.len()];
    for start in (0..values.len()).step_by(BLOCK) {
        let end = values.len().min(start + BLOCK);
        let block = &values[start..end];
        let began_with = decimals;
        while !fit_block(block, scale_of(decimals), &mut counts[start..end]) {
            if decimals == decimals_max {
                let misfit = block
                    .iter()
                    .position(|value| count_of(*value, scale_of(decimals)).2);
                return Err(start + misfit.unwrap_or(0));
            }
            decimals += 1;
        }
        if decimals > began_with {
            let factor = POWERS_OF_TEN[usize::from(decimals - began_with)];
            rescale(&mut counts[..start], factor).map_err(|fault| fault.row)?;
        }
    }
    Ok((counts, decimals))
}

/// Counts of all columns on the coarsest grid that fits every value, if one of at most `decimals_max` does.
fn fit_columns(columns: &[&[f64]], decimals_max: u8) -> Option<OnGrid> {
    let rows = columns.first().map_or(0, |column| column.len());
    let fitted: Vec<_> = if rows < 1 << 16 || columns.len() < 2 {
        columns
            .iter()
            .map(|column| fit_column(column, 0, decimals_max))
            .collect()
    } else {
        let (left, right) = columns.split_at(columns.len() / 2);
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                right
                    .iter()
                    .map(|c| fit_column(c, 0, decimals_max))
                    .collect::<Vec<_>>()
            });
            let mut all: Vec<_> = left
                .iter()
                .map(|column| fit_column(column, 0, decimals_max))
                .collect();
            all.extend(other.join().unwrap_or_default());
            all
        })
    };
    let fitted: Vec<(Vec<i64>, u8)> = fitted.into_iter().collect::<Result<_, _>>().ok()?;
    if fitted.len() != columns.len() {
        return None;
    }
    let decimals = fitted.iter().map(|(_, own)| *own).max().unwrap_or(0);
    let mut counted = Vec::with_capacity(columns.len());
    for (mut counts, own) in fitted {
        rescale(&mut counts, POWERS_OF_TEN[usize::from(decimals - own)]).ok()?;
        counted.push(counts);
    }
    Some(OnGrid {
        columns: counted,
        decimals,
        fit: Fit::Exact,
    })
}

/// The largest decimals, up to `decimals_max`, at which every count stays exact; a value beyond all is a fault.
fn decimals_in_range(columns: &[&[f64]], decimals_max: u8) -> Result<u8, Fault> {
    let mut largest = 0_f64;
    for (index, column) in columns.iter().enumerate() {
        for (row, value) in column.iter().enumerate() {
            let kind = if !value.is_finite() {
                FaultKind::NotANumber
            } else if value.abs() > COUNT_LIMIT {
                FaultKind::OutOfRange
            } else {
                largest = largest.max(value.abs());
                continue;
            };
            return Err(Fault {
                kind,
                column: index,
                row,
            });
        }
    }
    Ok((0..=decimals_max)
        .rev()
        .find(|&decimals| largest * scale_of(decimals) <= COUNT_LIMIT)
        .unwrap_or(0))
}

fn is_single(value: f64) -> bool {
    f64::from(value as f32) == value
}

/// The distance from a value to the nearest place on the grid, relative to the value.
fn relative_error(value: f64, scale: f64) -> f64 {
    let (_, rounded, off) = count_of(value, scale);
    if off {
        (rounded / scale - value).abs() / value.abs()
    } else {
        0.0
    }
}

fn counts_at(columns: &[&[f64]], decimals: u8) -> Vec<Vec<i64>> {
    let scale = scale_of(decimals);
    columns
        .iter()
        .map(|column| {
            column
                .iter()
                .map(|value| count_of(*value, scale).0)
                .collect()
        })
        .collect()
}

fn all_values(columns: &[&[f64]], holds: impl Fn(f64) -> bool) -> bool {
    columns
        .iter()
        .all(|column| column.iter().all(|value| holds(*value)))
}

/// The coarsest grid for values that fit none exactly: single-precision values, or values with noise.
fn fit_loosely(columns: &[&[f64]], decimals_max: u8, noise: f64) -> Result<OnGrid, Fault> {
    let reach = decimals_in_range(columns, decimals_max)?;
    if all_values(columns, is_single) {
        for decimals in 0..=reach {
            let scale = scale_of(decimals);
            if all_values(columns, |value| {
                (count_of(value, scale).1 / scale) as f32 == value as f32
            }) {
                return Ok(OnGrid {
                    columns: counts_at(columns, decimals),
                    decimals,
                    fit: Fit::Single,
                });
            }
        }
    }
    let within = |decimals: &u8| {
        all_values(columns, |value| {
            relative_error(value, scale_of(*decimals)) <= noise
        })
    };
    let decimals = (0..=reach).find(within).unwrap_or(reach);
    let errors = columns
        .iter()
        .flat_map(|column| column.iter())
        .map(|value| relative_error(*value, scale_of(decimals)));
    let worst = errors.fold(0.0, f64::max);
    Ok(OnGrid {
        columns: counts_at(columns, decimals),
        decimals,
        fit: Fit::Rounded(worst),
    })
}

/// Puts columns of prices on the coarsest decimal grid that represents all of them.
///
/// Where no grid of at most `decimals_max` decimals does, values are rounded to the coarsest grid that changes none of
/// them by more than `PRICE_NOISE` of itself, or to the finest grid if there is none; `fit` tells.
pub fn prices_on_grid(columns: &[&[f64]], decimals_max: u8) -> Result<OnGrid, Fault> {
    match fit_columns(columns, decimals_max) {
        Some(fitted) => Ok(fitted),
        None => fit_loosely(columns, decimals_max, PRICE_NOISE),
    }
}

/// A column of volumes in lots of `10^-decimals`.
#[derive(Clone, Debug, PartialEq)]
pub struct VolumeOnGrid {
    /// Lots, one per row.
    pub lots: Vec<i64>,
    /// The decimals of the lot.
    pub decimals: u8,
    /// How the floats sit on the grid, floored values not counted.
    pub fit: Fit,
    /// How many values were floored to the lot.
    pub floored: usize,
}

/// Puts volumes on the coarsest decimal grid that represents all of them; the noise of binary sums is removed, and what is
/// finer than the finest grid is floored, because a volume that is too large would fill orders that nobody could fill.
pub fn volume_on_grid(values: &[f64], decimals_max: u8) -> Result<VolumeOnGrid, Fault> {
    let fitted = match fit_columns(&[values], decimals_max) {
        Some(fitted) => fitted,
        None => fit_loosely(&[values], decimals_max, VOLUME_NOISE)?,
    };
    let OnGrid {
        mut columns,
        decimals,
        fit,
    } = fitted;
    let mut lots = columns.pop().unwrap_or_default();
    let mut floored = 0;
    if let Fit::Rounded(_) = fit {
        let scale = scale_of(decimals);
        for (count, value) in lots.iter_mut().zip(values) {
            if relative_error(*value, scale) > VOLUME_NOISE {
                floored += 1;
                *count = (value * scale).floor() as i64;
            }
        }
    }
    Ok(VolumeOnGrid {
        lots,
        decimals,
        fit,
        floored,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grid(values: &[f64]) -> (Vec<i64>, u8, Fit) {
        let on_grid = prices_on_grid(&[values], 9).unwrap();
        (on_grid.columns[0].clone(), on_grid.decimals, on_grid.fit)
    }

    #[test]
    fn the_coarsest_grid_is_found_whatever_the_order() {
        assert_eq!(grid(&[1.0, 2.0]), (vec![1, 2], 0, Fit::Exact));
        assert_eq!(grid(&[1.0, 2.25, 0.1]), (vec![100, 225, 10], 2, Fit::Exact));
        let mut long = vec![5.0; 3000];
        long[2500] = 0.000_000_001;
        let (counts, decimals, fit) = grid(&long);
        assert_eq!(
            (counts[0], counts[2500], decimals, fit),
            (5_000_000_000, 1, 9, Fit::Exact)
        );
    }

    #[test]
    fn all_columns_share_one_grid() {
        let found = prices_on_grid(&[&[1.0, 2.0], &[1.5, 2.0], &[1.0, 2.125]], 9).unwrap();
        assert_eq!(
            found.columns,
            vec![vec![1000, 2000], vec![1500, 2000], vec![1000, 2125]]
        );
        assert_eq!(found.decimals, 3);
    }

    #[test]
    fn single_precision_prices_are_recognised() {
        let widened: Vec<f64> = [150.05_f32, 99.99, 100.1]
            .iter()
            .map(|&v| f64::from(v))
            .collect();
        assert_eq!(grid(&widened), (vec![15005, 9999, 10010], 2, Fit::Single));
    }

    #[test]
    fn adjusted_prices_are_rounded_within_the_stated_error() {
        let (counts, decimals, fit) = grid(&[23.456_789_123_456, 51.987_654_321_987]);
        let Fit::Rounded(worst) = fit else {
            panic!("{fit:?}")
        };
        assert!(worst <= PRICE_NOISE && decimals <= 9);
        assert_eq!(
            counts[0],
            (23.456_789_123_456 * scale_of(decimals)).round() as i64
        );
    }

    #[test]
    fn the_noise_of_binary_sums_is_taken_from_volumes() {
        let found =
            volume_on_grid(&[33.353_996_010_000_02, 0.343_076_889_999_999_97, 2.0], 8).unwrap();
        assert_eq!(
            (found.lots, found.decimals, found.floored),
            (vec![3_335_399_601, 34_307_689, 200_000_000], 8, 0)
        );
        let found = volume_on_grid(&[0.123_456_789_9, 1.0], 8).unwrap();
        assert_eq!(
            (found.lots, found.floored),
            (vec![12_345_678, 100_000_000], 1)
        );
    }

    #[test]
    fn what_is_not_finite_or_too_large_is_refused_with_its_place() {
        let fault = prices_on_grid(&[&[1.0, 2.0], &[1.0, f64::NAN]], 9).unwrap_err();
        assert_eq!(
            fault,
            Fault {
                kind: FaultKind::NotANumber,
                column: 1,
                row: 1
            }
        );
        let fault = prices_on_grid(&[&[f64::INFINITY]], 9).unwrap_err();
        assert_eq!(fault.kind, FaultKind::NotANumber);
        assert_eq!(
            prices_on_grid(&[&[1e300]], 9).unwrap_err().kind,
            FaultKind::OutOfRange
        );
    }

    proptest! {
        #[test]
        fn a_float_of_a_decimal_comes_back_as_that_decimal(
            counts in prop::collection::vec(1_i64..1_000_000_000_000, 1..200),
            decimals in 0_u8..=9,
        ) {
            let scale = scale_of(decimals);
            let values: Vec<f64> = counts.iter().map(|&c| c as f64 / scale).collect();
            let found = prices_on_grid(&[&values], 9).unwrap();
            prop_assert_eq!(found.fit, Fit::Exact);
            prop_assert!(found.decimals <= decimals);
            let finer = POWERS_OF_TEN[usize::from(decimals - found.decimals)];
            prop_assert_eq!(found.columns[0].iter().map(|c| c * finer).collect::<Vec<_>>(), counts.clone());
            prop_assert!(found.decimals == 0 || counts.iter().any(|c| c % (finer * 10) != 0));
        }

        #[test]
        fn no_floats_make_the_search_panic(values in prop::collection::vec(any::<f64>(), 0..20)) {
            let _ = prices_on_grid(&[&values], 9);
            let _ = volume_on_grid(&values, 8);
        }
    }
}
