//! The time line of a series of bars: strictly rising opens, the usual interval, and the closes that follow from both.

use std::collections::BTreeMap;

use crate::fault::{Fault, FaultKind};

/// How the bars of a series follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Spacing {
    /// The most frequent distance between two opens, the smaller one of a tie; 0 for fewer than two bars.
    pub interval_ns: i64,
    /// How many distances are larger than the interval.
    pub gaps: usize,
    /// The largest distance.
    pub widest_ns: i64,
}

/// Multiplies times into nanoseconds; one that leaves the range of 64 bits is a fault.
pub fn in_nanoseconds(times: &[i64], unit_ns: i64, ns: &mut [i64]) -> Result<(), Fault> {
    let limit = i64::MAX / unit_ns;
    let out_of_range = times.iter().fold(false, |any, time| any | (*time > limit) | (*time < -limit));
    if out_of_range {
        let row = times.iter().position(|time| *time > limit || *time < -limit).unwrap_or(0);
        return Err(Fault::at(FaultKind::OutOfRange, row));
    }
    for (time, ns) in times.iter().zip(ns) {
        *ns = time * unit_ns;
    }
    Ok(())
}

/// Checks that opens rise strictly, and measures their distances.
pub fn spacing(open_ns: &[i64]) -> Result<Spacing, Fault> {
    let Some((first, second)) = open_ns.first().zip(open_ns.get(1)) else {
        return Ok(Spacing::default());
    };
    // The first distance is nearly always the usual one: one pass without branches then settles everything.
    let usual = second.wrapping_sub(*first);
    let mut tally = Tally::default();
    for (before, after) in open_ns.iter().zip(&open_ns[1..]) {
        let distance = after.wrapping_sub(*before);
        tally.disorder |= after <= before;
        tally.widest_ns = tally.widest_ns.max(distance);
        tally.usual += u64::from(distance == usual);
        tally.wider += u64::from(distance > usual);
    }
    if tally.disorder {
        let row = 1 + open_ns.iter().zip(&open_ns[1..]).position(|(before, after)| after <= before).unwrap_or(0);
        let kind = if open_ns[row] == open_ns[row - 1] { FaultKind::Duplicate } else { FaultKind::Unsorted };
        return Err(Fault::at(kind, row));
    }
    let widest_ns = tally.widest_ns;
    if 2 * tally.usual > open_ns.len() as u64 - 1 {
        return Ok(Spacing { interval_ns: usual, gaps: tally.wider as usize, widest_ns });
    }
    let distances = || open_ns.iter().zip(&open_ns[1..]).map(|(before, after)| after.saturating_sub(*before));
    let interval_ns = most_frequent(distances());
    let gaps = distances().filter(|distance| *distance > interval_ns).count();
    Ok(Spacing { interval_ns, gaps, widest_ns })
}

#[derive(Default)]
struct Tally {
    disorder: bool,
    widest_ns: i64,
    usual: u64,
    wider: u64,
}

fn most_frequent(distances: impl Iterator<Item = i64>) -> i64 {
    let mut counts = BTreeMap::new();
    for distance in distances {
        *counts.entry(distance).or_insert(0_usize) += 1;
    }
    let mut best = (0, 0);
    for (distance, count) in counts {
        if count > best.1 {
            best = (distance, count);
        }
    }
    best.0
}

/// The closes: each bar lasts an interval, but never longer than to the next open. They go to `close_ns`, which must be as
/// long as `open_ns`.
pub fn closes(open_ns: &[i64], interval_ns: i64, close_ns: &mut [i64]) {
    let nexts = open_ns.get(1..).unwrap_or_default();
    for ((open, next), close) in open_ns.iter().zip(nexts).zip(close_ns.iter_mut()) {
        *close = open.saturating_add(interval_ns).min(*next);
    }
    if let (Some(open), Some(close)) = (open_ns.last(), close_ns.last_mut()) {
        *close = open.saturating_add(interval_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_interval_is_the_most_frequent_distance_and_closes_stop_at_the_next_open() {
        let open = [0, 10, 20, 25, 60, 70];
        let found = spacing(&open).unwrap();
        assert_eq!(found, Spacing { interval_ns: 10, gaps: 1, widest_ns: 35 });
        let mut close = [0; 6];
        closes(&open, 10, &mut close);
        assert_eq!(close, [10, 20, 25, 35, 70, 80]);
        assert_eq!(spacing(&[0, 5, 15, 20, 30]).unwrap().interval_ns, 5, "a tie goes to the smaller distance");
        assert_eq!(spacing(&[7]).unwrap(), Spacing::default());
    }

    #[test]
    fn disorder_and_duplicates_name_the_later_row() {
        assert_eq!(spacing(&[0, 10, 5]).unwrap_err(), Fault::at(FaultKind::Unsorted, 2));
        assert_eq!(spacing(&[0, 10, 10]).unwrap_err(), Fault::at(FaultKind::Duplicate, 2));
    }

    #[test]
    fn units_leave_the_range_with_a_fault() {
        let mut ns = [0; 2];
        assert_eq!(in_nanoseconds(&[1, 2], 1_000_000, &mut ns), Ok(()));
        assert_eq!(ns, [1_000_000, 2_000_000]);
        let fault = in_nanoseconds(&[1, i64::MAX / 2], 1000, &mut ns).unwrap_err();
        assert_eq!(fault, Fault::at(FaultKind::OutOfRange, 1));
    }

    proptest! {
        #[test]
        fn bars_never_overlap(distances in prop::collection::vec(1_i64..100, 0..50)) {
            let open: Vec<i64> = std::iter::once(0).chain(distances.iter().scan(0, |at, d| { *at += d; Some(*at) })).collect();
            let found = spacing(&open).unwrap();
            let mut close = vec![0; open.len()];
            closes(&open, found.interval_ns.max(1), &mut close);
            for (bar, close_ns) in close.iter().enumerate() {
                prop_assert!(open[bar] < *close_ns);
                prop_assert!(bar + 1 == open.len() || *close_ns <= open[bar + 1]);
            }
            let count = |distance: i64| distances.iter().filter(|d| **d == distance).count();
            prop_assert!(distances.iter().all(|d| count(*d) <= count(found.interval_ns)));
        }
    }
}
