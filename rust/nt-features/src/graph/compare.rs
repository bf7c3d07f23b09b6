//! How the numbers of two columns compare, 64 rows to a word of bits.

/// Rows to a word.
const ROWS: usize = 64;

/// The numbers of one side, or the one that it has at every row.
#[derive(Clone, Copy)]
pub(super) enum Side<'a> {
    Numbers(&'a [f64]),
    Constant(f64),
}

impl Side<'_> {
    #[inline(always)]
    fn at(&self, row: usize) -> f64 {
        match self {
            Side::Numbers(numbers) => numbers[row],
            Side::Constant(number) => *number,
        }
    }
}

/// Compares two sides at so many rows, into bits for below, equal and above, of which each has a word for 64 rows.
pub(super) fn compare(rows: usize, a: Side<'_>, b: Side<'_>, out: [&mut [u64]; 3]) {
    let whole = rows / ROWS;
    let [below, equal, above] = out;
    let words = below.iter_mut().zip(equal.iter_mut()).zip(above.iter_mut());
    let of_constant = |side: Side<'_>| match side {
        Side::Numbers(_) => [0.0; ROWS],
        Side::Constant(number) => [number; ROWS],
    };
    let (one, other) = (of_constant(a), of_constant(b));
    match (a, b) {
        (Side::Numbers(a), Side::Numbers(b)) => {
            let pairs = a.as_chunks::<ROWS>().0.iter().zip(b.as_chunks::<ROWS>().0);
            pairs.zip(words).for_each(|((a, b), out)| word(a, b, out));
        }
        (Side::Numbers(a), _) => {
            a.as_chunks::<ROWS>().0.iter().zip(words).for_each(|(a, out)| word(a, &other, out));
        }
        (_, Side::Numbers(b)) => {
            b.as_chunks::<ROWS>().0.iter().zip(words).for_each(|(b, out)| word(&one, b, out));
        }
        _ => words.take(whole).for_each(|out| word(&one, &other, out)),
    }
    for row in whole * ROWS..rows {
        let (a, b, bit) = (a.at(row), b.at(row), 1 << (row % ROWS));
        below[row / ROWS] |= if a < b { bit } else { 0 };
        equal[row / ROWS] |= if a == b { bit } else { 0 };
        above[row / ROWS] |= if a > b { bit } else { 0 };
    }
}

/// The words of 64 rows. Nearly all of them are wholly below or above, which needs one or two looks at them, not three.
#[inline(always)]
fn word(a: &[f64; ROWS], b: &[f64; ROWS], ((below, equal), above): ((&mut u64, &mut u64), &mut u64)) {
    *below = is_below(a, b);
    if *below == u64::MAX {
        return;
    }
    *above = is_below(b, a);
    if *below | *above != u64::MAX {
        *equal = (0..ROWS).fold(0, |bits, at| bits | u64::from(a[at] == b[at]) << at);
    }
}

/// A bit for each row at which the first number is below the second.
///
/// Each lane collects its own rows, so that a processor does several of them at once: it has no faster way from comparisons to
/// bits that all of its kind know.
#[inline(always)]
fn is_below(a: &[f64; ROWS], b: &[f64; ROWS]) -> u64 {
    let mut found = [0; LANES];
    let rows = a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0).zip(BITS.as_chunks::<LANES>().0);
    for ((a, b), bits) in rows {
        for lane in 0..LANES {
            found[lane] |= if a[lane] < b[lane] { bits[lane] } else { 0 };
        }
    }
    found.iter().fold(0, |all, lane| all | lane)
}

/// Rows that are looked at together.
const LANES: usize = 8;
/// The bit of each row.
static BITS: [u64; ROWS] = {
    let mut bits = [0; ROWS];
    let mut row = 0;
    while row < ROWS {
        bits[row] = 1 << row;
        row += 1;
    }
    bits
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::cell::compared;
    use proptest::prelude::*;

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![Just(f64::NAN), Just(0.0), Just(-0.0), Just(1.0), Just(f64::INFINITY), -3.0..3.0]
    }

    /// Pairs of which some words are wholly of one kind.
    fn pairs() -> impl Strategy<Value = Vec<(f64, f64)>> {
        let same = (number(), number(), 1..150_usize).prop_map(|(a, b, rows)| vec![(a, b); rows]);
        let mixed = prop::collection::vec((number(), number()), 0..150);
        prop::collection::vec(prop_oneof![same, mixed], 0..4).prop_map(|parts| parts.concat())
    }

    fn held_to_values(a: Side<'_>, b: Side<'_>, rows: usize) -> Result<(), TestCaseError> {
        let words = rows.div_ceil(ROWS);
        let (mut below, mut equal, mut above) = (vec![0; words], vec![0; words], vec![0; words]);
        compare(rows, a, b, [&mut below, &mut equal, &mut above]);
        let on = |bits: &[u64], row: usize| bits[row / ROWS] >> (row % ROWS) & 1 == 1;
        for row in 0..words * ROWS {
            let order = if row < rows { compared(a.at(row), b.at(row)) } else { f64::NAN };
            prop_assert_eq!(
                (on(&below, row), on(&equal, row), on(&above, row)),
                (order < 0.0, order == 0.0, order > 0.0)
            );
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn comparisons_of_columns_are_those_of_their_values(pairs in pairs(), constant in number()) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            held_to_values(Side::Numbers(&a), Side::Numbers(&b), a.len())?;
            held_to_values(Side::Numbers(&a), Side::Constant(constant), a.len())?;
            held_to_values(Side::Constant(constant), Side::Numbers(&b), a.len())?;
            held_to_values(Side::Constant(constant), Side::Constant(1.0), a.len())?;
        }
    }
}
