//! How long orders and answers take (docs/book-rules.md, section 2).

use nt_core::{Error, Nanos, Result};
use serde::{Deserialize, Serialize};

use crate::like_hftbacktest;

/// One round trip as it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundTrip {
    /// When it was sent.
    pub sent_ns: Nanos,
    /// When the venue had it; not positive if the venue refused it.
    pub venue_ns: Nanos,
    /// When its answer was here.
    pub back_ns: Nanos,
}

/// A latency model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Latency {
    /// The same at all times.
    Constant {
        /// From us to the venue.
        entry_ns: Nanos,
        /// From the venue to us.
        response_ns: Nanos,
    },
    /// Interpolated between recorded round trips.
    Recorded(Recorded),
    /// The same as hftbacktest does it.
    LikeHftbacktest(like_hftbacktest::Recorded),
}

/// Recorded round trips, ascending in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    rows: Vec<RoundTrip>,
    /// Those that the venue answered.
    answered: Vec<RoundTrip>,
}

/// What becomes of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It takes so long.
    After(Nanos),
    /// The venue refuses it, which we learn after so long.
    Refused(Nanos),
}

impl Latency {
    /// Constant latencies.
    pub fn constant(entry_ns: Nanos, response_ns: Nanos) -> Result<Self> {
        if entry_ns < 0 || response_ns < 0 {
            return Err(Error::Misuse("a latency is not negative".into()));
        }
        Ok(Self::Constant { entry_ns, response_ns })
    }

    /// Recorded round trips, at least one of which the venue answered.
    pub fn recorded(rows: Vec<RoundTrip>) -> Result<Self> {
        let wrong = |what: &str| Err(Error::Misuse(format!("recorded latencies {what}")));
        let answered: Vec<_> = rows.iter().copied().filter(|row| row.venue_ns > 0).collect();
        if answered.is_empty() {
            return wrong("have no row that the venue answered");
        }
        let apart = |a: Nanos, b: Nanos| a.checked_sub(b).is_some_and(|between| between >= 0);
        if !rows.iter().all(|row| apart(row.back_ns, row.sent_ns))
            || !answered.iter().all(|row| apart(row.venue_ns, row.sent_ns) && apart(row.back_ns, row.venue_ns))
        {
            return wrong("have a row that goes back in time");
        }
        if !rows.is_sorted_by(|a, b| a.sent_ns < b.sent_ns) || !answered.is_sorted_by(|a, b| a.venue_ns < b.venue_ns) {
            return wrong("must ascend, in the times of sending and in those of the venue");
        }
        Ok(Self::Recorded(Recorded { rows, answered }))
    }

    /// The same rows with the interpolation of hftbacktest.
    pub(crate) fn like_hftbacktest(self) -> Self {
        match self {
            Self::Recorded(Recorded { rows, .. }) => Self::LikeHftbacktest(like_hftbacktest::Recorded::new(rows)),
            other => other,
        }
    }

    pub(crate) fn entry(&self, now_ns: Nanos) -> Entry {
        match self {
            Self::Constant { entry_ns, .. } => Entry::After(*entry_ns),
            Self::LikeHftbacktest(recorded) => recorded.entry(now_ns),
            Self::Recorded(Recorded { rows, .. }) => {
                let (first, last) = around(rows, now_ns, |row| row.sent_ns);
                let between = |value: fn(&RoundTrip) -> Nanos| {
                    interpolated(now_ns, (first.sent_ns, value(first)), (last.sent_ns, value(last)))
                };
                if first.venue_ns > 0 && last.venue_ns > 0 {
                    Entry::After(between(|row| row.venue_ns - row.sent_ns))
                } else {
                    Entry::Refused(between(|row| row.back_ns - row.sent_ns))
                }
            }
        }
    }

    pub(crate) fn response_ns(&self, venue_ns: Nanos) -> Nanos {
        match self {
            Self::Constant { response_ns, .. } => *response_ns,
            Self::LikeHftbacktest(recorded) => recorded.response_ns(venue_ns),
            Self::Recorded(Recorded { answered, .. }) => {
                let (first, last) = around(answered, venue_ns, |row| row.venue_ns);
                let at = |row: &RoundTrip| (row.venue_ns, row.back_ns - row.venue_ns);
                interpolated(venue_ns, at(first), at(last))
            }
        }
    }
}

/// The rows before and after a time; twice the first or the last where there is none before or after.
pub(crate) fn around(
    rows: &[RoundTrip],
    time_ns: Nanos,
    key: impl Fn(&RoundTrip) -> Nanos,
) -> (&RoundTrip, &RoundTrip) {
    let after = rows.partition_point(|row| key(row) <= time_ns);
    (&rows[after.saturating_sub(1)], &rows[after.min(rows.len() - 1)])
}

/// The value at `x` on the line through two points, of which the second is to the right, or the first where they are one.
fn interpolated(x: Nanos, (x1, y1): (Nanos, Nanos), (x2, y2): (Nanos, Nanos)) -> Nanos {
    if x <= x1 || x2 == x1 {
        return y1;
    }
    let rise = i128::from(y2 - y1) * (i128::from(x) - i128::from(x1)) / (i128::from(x2) - i128::from(x1));
    // It lies between two numbers of 64 bits.
    (i128::from(y1) + rise) as Nanos
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sent_ns: Nanos, venue_ns: Nanos, back_ns: Nanos) -> RoundTrip {
        RoundTrip { sent_ns, venue_ns, back_ns }
    }

    #[test]
    fn values_between_rows_lie_on_a_line_and_those_outside_are_the_nearest() {
        let latency = Latency::recorded(vec![row(100, 110, 130), row(200, 240, 250)]).expect("rows in order");
        let entries: Vec<_> = [0, 100, 150, 199, 200, 900].map(|now| latency.entry(now)).to_vec();
        assert_eq!(entries, [10, 10, 25, 39, 40, 40].map(Entry::After));
        assert_eq!([0, 110, 175, 240, 900].map(|venue| latency.response_ns(venue)), [20, 20, 15, 10, 10]);
    }

    #[test]
    fn beside_a_row_that_was_refused_orders_are_refused() {
        let latency = Latency::recorded(vec![row(100, 110, 120), row(200, 0, 280), row(300, 310, 320)]).expect("rows");
        assert_eq!(latency.entry(150), Entry::Refused(50));
        assert_eq!(latency.entry(250), Entry::Refused(50));
        assert_eq!(latency.entry(300), Entry::After(10));
        assert_eq!(latency.response_ns(210), 10);
    }

    #[test]
    fn rows_that_make_no_sense_are_refused() {
        for rows in
            [vec![], vec![row(1, 0, 2)], vec![row(5, 4, 6)], vec![row(1, 3, 2)], vec![row(2, 3, 4), row(1, 5, 6)]]
        {
            assert!(Latency::recorded(rows).is_err());
        }
        assert!(Latency::constant(-1, 0).is_err());
    }
}
