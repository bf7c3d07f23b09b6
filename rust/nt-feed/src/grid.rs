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
/// Rows from which a second thread gains more than it costs.
const WORTH_A_THREAD: usize = 1 << 16;

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

/// A column of floats in the pieces in which it was read.
pub type Pieces<'a> = Vec<&'a [f64]>;

/// The grid that was found for columns of floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// The decimals that all columns share.
    pub decimals: u8,
    /// How the floats sit on that grid.
    pub fit: Fit,
}

pub(crate) fn scale_of(decimals: u8) -> f64 {
    // Exact: powers of ten up to 10^22 are floats.
    POWERS_OF_TEN[usize::from(decimals)] as f64
}

/// Counts of one value, the same as a float, and whether the value is not the float nearest to that count.
#[inline(always)]
fn count_of(value: f64, scale: f64) -> (i64, f64, bool) {
    let shifted = value * scale + ROUNDER;
    let rounded = shifted - ROUNDER;
    let off = (rounded / scale != value) | (rounded.abs() > COUNT_LIMIT);
    (shifted.to_bits().wrapping_sub(ROUNDER.to_bits()) as i64, rounded, off)
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

/// Moves counts to a grid of more decimals, if all of them stay within the limit that a direct count would obey.
fn refine(counts: &mut [i64], decimals: u8) -> Option<()> {
    if decimals == 0 {
        return Some(());
    }
    rescale(counts, POWERS_OF_TEN[usize::from(decimals)]).ok()?;
    let limit = COUNT_LIMIT as i64;
    counts.iter().all(|count| (-limit..=limit).contains(count)).then_some(())
}

/// Counts of one column on the coarsest grid that fits it, and the decimals of that grid, if there is one.
fn fit_column(column: &Pieces, decimals_max: u8, counts: &mut [i64]) -> Option<u8> {
    let mut decimals = 0;
    let mut done = 0;
    for block in column.iter().flat_map(|piece| piece.chunks(BLOCK)) {
        let (before, after) = counts.split_at_mut(done);
        let began_with = decimals;
        while !fit_block(block, scale_of(decimals), &mut after[..block.len()]) {
            if decimals == decimals_max {
                return None;
            }
            decimals += 1;
        }
        refine(before, decimals - began_with)?;
        done += block.len();
    }
    Some(decimals)
}

/// Fits each column on its own grid, two columns at a time where they are long enough to be worth a thread.
fn fit_each(columns: &[Pieces], decimals_max: u8, counts: &mut [&mut [i64]]) -> Option<Vec<u8>> {
    let fit = |columns: &[Pieces], counts: &mut [&mut [i64]]| -> Option<Vec<u8>> {
        columns.iter().zip(counts).map(|(column, counts)| fit_column(column, decimals_max, counts)).collect()
    };
    if columns.len() < 2 || counts[0].len() < WORTH_A_THREAD {
        return fit(columns, counts);
    }
    let half = columns.len() / 2;
    let (left, right) = counts.split_at_mut(half);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| fit(&columns[half..], right));
        let mut all = fit(&columns[..half], left);
        let rest = other.join().ok().flatten();
        if let (Some(all), Some(rest)) = (all.as_mut(), rest.as_ref()) {
            all.extend(rest);
            return Some(std::mem::take(all));
        }
        None
    })
}

/// Counts of all columns on the coarsest grid that fits every value, if one of at most `decimals_max` does.
fn fit_columns(columns: &[Pieces], decimals_max: u8, counts: &mut [&mut [i64]]) -> Option<Grid> {
    let each = fit_each(columns, decimals_max, counts)?;
    let decimals = each.iter().copied().max().unwrap_or(0);
    for (counts, own) in counts.iter_mut().zip(each) {
        refine(counts, decimals - own)?;
    }
    Some(Grid { decimals, fit: Fit::Exact })
}

fn values<'a>(columns: &'a [Pieces]) -> impl Iterator<Item = f64> + 'a {
    columns.iter().flatten().flat_map(|piece| piece.iter()).copied()
}

/// The largest decimals, up to `decimals_max`, at which every count stays exact; a value beyond all is a fault.
fn decimals_in_range(columns: &[Pieces], decimals_max: u8) -> Result<u8, Fault> {
    let mut largest = 0_f64;
    for (index, column) in columns.iter().enumerate() {
        for (row, value) in column.iter().flat_map(|piece| piece.iter()).enumerate() {
            let kind = if !value.is_finite() {
                FaultKind::NotANumber
            } else if value.abs() > COUNT_LIMIT {
                FaultKind::OutOfRange
            } else {
                largest = largest.max(value.abs());
                continue;
            };
            return Err(Fault { kind, column: index, row });
        }
    }
    Ok((0..=decimals_max).rev().find(|&decimals| largest * scale_of(decimals) <= COUNT_LIMIT).unwrap_or(0))
}

fn is_single(value: f64) -> bool {
    f64::from(value as f32) == value
}

/// The distance from a value to the nearest place on the grid, relative to the value.
fn relative_error(value: f64, scale: f64) -> f64 {
    let (_, rounded, off) = count_of(value, scale);
    if off { (rounded / scale - value).abs() / value.abs() } else { 0.0 }
}

/// The coarsest grid for values that fit none exactly: single-precision values, or values with noise.
fn fit_loosely(columns: &[Pieces], decimals_max: u8, noise: f64, counts: &mut [&mut [i64]]) -> Result<Grid, Fault> {
    let reach = decimals_in_range(columns, decimals_max)?;
    let single = |decimals: &u8| {
        let scale = scale_of(*decimals);
        values(columns).all(|value| (count_of(value, scale).1 / scale) as f32 == value as f32)
    };
    let singles = values(columns).all(is_single);
    let found = if singles { (0..=reach).find(single) } else { None };
    let grid = if let Some(decimals) = found {
        Grid { decimals, fit: Fit::Single }
    } else {
        let within = |decimals: &u8| values(columns).all(|value| relative_error(value, scale_of(*decimals)) <= noise);
        let decimals = (0..=reach).find(within).unwrap_or(reach);
        let worst = values(columns).map(|value| relative_error(value, scale_of(decimals))).fold(0.0, f64::max);
        Grid { decimals, fit: Fit::Rounded(worst) }
    };
    let scale = scale_of(grid.decimals);
    for (column, counts) in columns.iter().zip(counts) {
        for (value, count) in column.iter().flat_map(|piece| piece.iter()).zip(counts.iter_mut()) {
            *count = count_of(*value, scale).0;
        }
    }
    Ok(grid)
}

/// Puts columns of prices on the coarsest decimal grid that represents all of them; the counts go to `counts`, whose
/// columns must be as long as those of the floats.
///
/// Where no grid of at most `decimals_max` decimals does, values are rounded to the coarsest grid that changes none of
/// them by more than `PRICE_NOISE` of itself, or to the finest grid if there is none; `fit` tells.
pub fn prices_on_grid(columns: &[Pieces], decimals_max: u8, counts: &mut [&mut [i64]]) -> Result<Grid, Fault> {
    match fit_columns(columns, decimals_max, counts) {
        Some(grid) => Ok(grid),
        None => fit_loosely(columns, decimals_max, PRICE_NOISE, counts),
    }
}

/// Puts volumes on the coarsest decimal grid that represents all of them, and says how many were floored: the noise of
/// binary sums is removed, and what is finer than the finest grid is floored, because a volume that is too large would
/// fill orders that nobody could fill.
pub fn volume_on_grid(volumes: Pieces, decimals_max: u8, lots: &mut [i64]) -> Result<(Grid, usize), Fault> {
    let columns = [volumes];
    let grid = match fit_columns(&columns, decimals_max, &mut [&mut *lots]) {
        Some(grid) => grid,
        None => fit_loosely(&columns, decimals_max, VOLUME_NOISE, &mut [&mut *lots])?,
    };
    let mut floored = 0;
    if let Fit::Rounded(_) = grid.fit {
        let scale = scale_of(grid.decimals);
        for (value, count) in values(&columns).zip(lots) {
            if relative_error(value, scale) > VOLUME_NOISE {
                floored += 1;
                *count = (value * scale).floor() as i64;
            }
        }
    }
    Ok((grid, floored))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn on_grid(columns: &[&[f64]]) -> Result<(Vec<Vec<i64>>, Grid), Fault> {
        let mut counts: Vec<Vec<i64>> = columns.iter().map(|column| vec![0; column.len()]).collect();
        let mut slices: Vec<&mut [i64]> = counts.iter_mut().map(Vec::as_mut_slice).collect();
        // Two pieces each, so that every test crosses from one to the next.
        let columns: Vec<Pieces> =
            columns.iter().map(|column| column.split_at(column.len() / 3)).map(|(a, b)| vec![a, b]).collect();
        let grid = prices_on_grid(&columns, 9, &mut slices)?;
        Ok((counts, grid))
    }

    fn grid(values: &[f64]) -> (Vec<i64>, u8, Fit) {
        let (mut counts, grid) = on_grid(&[values]).unwrap();
        (counts.remove(0), grid.decimals, grid.fit)
    }

    fn lots(values: &[f64]) -> Result<(Vec<i64>, u8, usize), Fault> {
        let mut lots = vec![0; values.len()];
        let (grid, floored) = volume_on_grid(vec![values], 8, &mut lots)?;
        Ok((lots, grid.decimals, floored))
    }

    #[test]
    fn the_coarsest_grid_is_found_whatever_the_order() {
        assert_eq!(grid(&[1.0, 2.0]), (vec![1, 2], 0, Fit::Exact));
        assert_eq!(grid(&[1.0, 2.25, 0.1]), (vec![100, 225, 10], 2, Fit::Exact));
        let mut long = vec![5.0; 3000];
        long[2500] = 0.000_000_001;
        let (counts, decimals, fit) = grid(&long);
        assert_eq!((counts[0], counts[2500], decimals, fit), (5_000_000_000, 1, 9, Fit::Exact));
    }

    #[test]
    fn all_columns_share_one_grid() {
        let (counts, found) = on_grid(&[&[1.0, 2.0], &[1.5, 2.0], &[1.0, 2.125]]).unwrap();
        assert_eq!(counts, vec![vec![1000, 2000], vec![1500, 2000], vec![1000, 2125]]);
        assert_eq!(found.decimals, 3);
    }

    #[test]
    fn long_columns_on_two_threads_give_what_short_ones_give() {
        let rows = WORTH_A_THREAD + 7;
        let columns: Vec<Vec<f64>> =
            (1..=4).map(|d| (0..rows).map(|row| (row + 1) as f64 / scale_of(d)).collect()).collect();
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let (counts, found) = on_grid(&slices).unwrap();
        assert_eq!(found, Grid { decimals: 4, fit: Fit::Exact });
        for (column, factor) in counts.iter().zip([1000, 100, 10, 1]) {
            assert!(column.iter().zip(1..).all(|(count, row)| *count == row * factor));
        }
    }

    #[test]
    fn single_precision_prices_are_recognised() {
        let widened: Vec<f64> = [150.05_f32, 99.99, 100.1].iter().map(|&v| f64::from(v)).collect();
        assert_eq!(grid(&widened), (vec![15005, 9999, 10010], 2, Fit::Single));
    }

    #[test]
    fn adjusted_prices_are_rounded_within_the_stated_error() {
        let (counts, decimals, fit) = grid(&[23.456_789_123_456, 51.987_654_321_987]);
        let Fit::Rounded(worst) = fit else { panic!("{fit:?}") };
        assert!(worst <= PRICE_NOISE && decimals <= 9);
        assert_eq!(counts[0], (23.456_789_123_456 * scale_of(decimals)).round() as i64);
    }

    #[test]
    fn the_noise_of_binary_sums_is_taken_from_volumes() {
        let noisy = [33.353_996_010_000_02, 0.343_076_889_999_999_97, 2.0];
        assert_eq!(lots(&noisy), Ok((vec![3_335_399_601, 34_307_689, 200_000_000], 8, 0)));
        assert_eq!(lots(&[0.123_456_789_9, 1.0]), Ok((vec![12_345_678, 100_000_000], 8, 1)));
    }

    #[test]
    fn what_is_not_finite_or_too_large_is_refused_with_its_place() {
        let fault = on_grid(&[&[1.0, 2.0], &[1.0, f64::NAN]]).unwrap_err();
        assert_eq!(fault, Fault { kind: FaultKind::NotANumber, column: 1, row: 1 });
        let fault = on_grid(&[&[f64::INFINITY]]).unwrap_err();
        assert_eq!(fault.kind, FaultKind::NotANumber);
        assert_eq!(on_grid(&[&[1e300]]).unwrap_err().kind, FaultKind::OutOfRange);
    }

    proptest! {
        #[test]
        fn a_float_of_a_decimal_comes_back_as_that_decimal(
            counts in prop::collection::vec(1_i64..1_000_000_000_000, 1..200),
            decimals in 0_u8..=9,
        ) {
            let scale = scale_of(decimals);
            let values: Vec<f64> = counts.iter().map(|&c| c as f64 / scale).collect();
            let (found_counts, found) = on_grid(&[&values]).unwrap();
            prop_assert_eq!(found.fit, Fit::Exact);
            prop_assert!(found.decimals <= decimals);
            let finer = POWERS_OF_TEN[usize::from(decimals - found.decimals)];
            prop_assert_eq!(found_counts[0].iter().map(|c| c * finer).collect::<Vec<_>>(), counts.clone());
            prop_assert!(found.decimals == 0 || counts.iter().any(|c| c % (finer * 10) != 0));
        }

        #[test]
        fn no_floats_make_the_search_panic(values in prop::collection::vec(any::<f64>(), 0..20)) {
            let _ = on_grid(&[&values]);
            let _ = lots(&values);
        }
    }
}
