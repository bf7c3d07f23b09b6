//! Recorded latencies, interpolated in floats; a row that was refused takes part in the way back with a venue time of 0.

use nt_core::Nanos;
use serde::{Deserialize, Serialize};

use crate::latency::{Entry, RoundTrip, around};

/// Recorded round trips, ascending in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    rows: Vec<RoundTrip>,
    /// The positions of those that the venue answered.
    answered: Vec<usize>,
}

impl Recorded {
    /// Of rows that have been checked.
    pub(crate) fn new(rows: Vec<RoundTrip>) -> Self {
        let answered = (0..rows.len()).filter(|&at| rows[at].venue_ns > 0).collect();
        Recorded { rows, answered }
    }

    pub(crate) fn entry(&self, now_ns: Nanos) -> Entry {
        let (first, last) = around(&self.rows, now_ns, |row| row.sent_ns);
        let between = |value: fn(&RoundTrip) -> Nanos| {
            interpolated(now_ns, (first.sent_ns, value(first)), (last.sent_ns, value(last)))
        };
        if first.venue_ns > 0 && last.venue_ns > 0 {
            Entry::After(between(|row| row.venue_ns - row.sent_ns))
        } else {
            Entry::Refused(between(|row| row.back_ns - row.sent_ns))
        }
    }

    /// Going forward to the row whose venue time, and not that of the next, is reached ends before the first row that is
    /// later, since refused ones are never later; where there is none, at the last row.
    pub(crate) fn response_ns(&self, venue_ns: Nanos) -> Nanos {
        let rows = &self.rows;
        let later = self.answered.partition_point(|&at| rows[at].venue_ns <= venue_ns);
        let (first, last) = match self.answered.get(later) {
            Some(&at) => (&rows[at.saturating_sub(1)], &rows[at]),
            None => (&rows[rows.len() - 1], &rows[rows.len() - 1]),
        };
        let at = |row: &RoundTrip| {
            let reached_ns = row.venue_ns.max(0);
            (reached_ns, row.back_ns.saturating_sub(reached_ns))
        };
        interpolated(venue_ns, at(first), at(last))
    }
}

/// The value at `x` on the line through two points, in floats and cut towards zero; rounding makes no time negative.
fn interpolated(x: Nanos, (x1, y1): (Nanos, Nanos), (x2, y2): (Nanos, Nanos)) -> Nanos {
    if x <= x1 || x2 == x1 {
        return y1;
    }
    let rise = y2.saturating_sub(y1) as f64 / (x2 - x1) as f64 * (x - x1) as f64;
    y1.saturating_add(rise as Nanos).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(rows: &[(Nanos, Nanos, Nanos)]) -> Recorded {
        let row = |&(sent_ns, venue_ns, back_ns): &(Nanos, Nanos, Nanos)| RoundTrip { sent_ns, venue_ns, back_ns };
        Recorded::new(rows.iter().map(row).collect())
    }

    #[test]
    fn quotients_are_floats_that_are_cut() {
        // 2 / 98 * 49 is 0.9999999999999999 in floats.
        let latency = recorded(&[(0, 10, 20), (98, 110, 120)]);
        assert_eq!([0, 49, 97, 98].map(|now_ns| latency.entry(now_ns)), [10, 10, 11, 12].map(Entry::After));
        assert_eq!(interpolated(50, (1, 7), (99, 5)), 7);
    }

    #[test]
    fn a_refused_row_is_part_of_the_way_back() {
        let latency = recorded(&[(100, 110, 120), (200, 0, 280), (300, 310, 330)]);
        assert_eq!(latency.entry(150), Entry::Refused(50));
        // Between the refused row, as if it had reached the venue at 0 and taken 280, and the next: 280 - 260 / 310 * 155.
        assert_eq!(latency.response_ns(155), 150);
        assert_eq!([0, 109, 310, 900].map(|venue_ns| latency.response_ns(venue_ns)), [10, 10, 20, 20]);
    }
}
