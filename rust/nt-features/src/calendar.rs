//! Where in its day or week a bar stands.

use serde::{Deserialize, Serialize};

use crate::feature::{Stream, boxed};
use crate::kind::{Kind, count, on, ratio, same, whole};
use crate::volume::Total;
use crate::window::larger;
use crate::{Field, Input, Output};

const MINUTE_NS: i64 = 60_000_000_000;
const MINUTES: usize = 24 * 60;
const DAY_NS: i64 = MINUTES as i64 * MINUTE_NS;

const TIME: Input = on("time", Field::Time);

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "seasonality",
        &[on("series", Field::Close), TIME],
        &[count("minutes", 1, 7 * MINUTES, 60), count("days", 1, 7, 1)],
        &[same("mean"), ratio("count")],
        |given| boxed(Seasonality::new(whole(given[0]), whole(given[1]))),
        "Mean of earlier values in the same minutes of the day or week.",
        "The present value is left out. Slots begin at midnight UTC, with days=7 on Thursdays, as 1970 did. NaN before the first.",
    ),
    Kind::new(
        "session",
        &[on("open", Field::Open), on("high", Field::High), on("low", Field::Low), TIME],
        &[count("start", 0, MINUTES - 1, 0), count("minutes", 1, MINUTES, MINUTES)],
        &[
            same("open"),
            Output { name: "high", powers: &[0, 1] },
            Output { name: "low", powers: &[0, 0, 1] },
            Output { name: "range", powers: &[0, 1] },
            ratio("since"),
        ],
        |given| boxed(Session::new(whole(given[0]), whole(given[1]))),
        "The session so far: open, high, low, range, bars since it opened.",
        "A session begins start minutes after midnight UTC, every day. A bar belongs to where it opens; NaN between sessions.",
    ),
];

/// A time as whole nanoseconds.
fn nanoseconds(time: f64) -> i64 {
    time as i64
}

/// The prices since the session began.
#[derive(Serialize, Deserialize)]
struct Session {
    open: f64,
    high: f64,
    low: f64,
    since: f64,
    /// The day on which the present session began; NaN between sessions.
    day: f64,
    start_ns: f64,
    length_ns: f64,
}

impl Session {
    fn new(start: usize, minutes: usize) -> Self {
        let ns = |minutes: usize| (minutes as i64 * MINUTE_NS) as f64;
        let (start_ns, length_ns) = (ns(start), ns(minutes));
        Self { open: 0.0, high: 0.0, low: 0.0, since: 0.0, day: f64::NAN, start_ns, length_ns }
    }
}

impl Stream<4, 5> for Session {
    fn warmup(&self) -> usize {
        0
    }

    fn restart(&mut self) {
        self.day = f64::NAN;
    }

    #[inline]
    fn update(&mut self, [open, high, low, time]: [f64; 4]) -> [f64; 5] {
        let time_ns = nanoseconds(time);
        let mut day = time_ns.div_euclid(DAY_NS) as f64;
        let mut into_ns = time_ns.rem_euclid(DAY_NS) as f64 - self.start_ns;
        if into_ns < 0.0 {
            (day, into_ns) = (day - 1.0, into_ns + DAY_NS as f64);
        }
        if into_ns >= self.length_ns {
            self.day = f64::NAN;
            return [f64::NAN; 5];
        }
        if self.day == day {
            (self.high, self.low) = (larger(self.high, high), -larger(-self.low, -low));
            self.since += 1.0;
        } else {
            self.day = day;
            (self.open, self.high, self.low, self.since) = (open, high, low, 0.0);
        }
        [self.open, self.high, self.low, self.high - self.low, self.since]
    }
}

/// The values of each slot so far.
#[derive(Serialize, Deserialize)]
struct Seasonality {
    slots: Box<[Slot]>,
    slot_ns: i64,
    period_ns: i64,
}

#[derive(Serialize, Deserialize)]
struct Slot {
    total: Total,
    sum: f64,
    count: f64,
}

impl Seasonality {
    fn new(minutes: usize, days: usize) -> Self {
        let slots = (days * MINUTES).div_ceil(minutes);
        let slot = || Slot { total: Total::new(), sum: 0.0, count: 0.0 };
        Self {
            slot_ns: minutes as i64 * MINUTE_NS,
            period_ns: days as i64 * DAY_NS,
            slots: (0..slots).map(|_| slot()).collect(),
        }
    }
}

impl Stream<2, 2> for Seasonality {
    fn warmup(&self) -> usize {
        0
    }

    fn restart(&mut self) {
        for slot in &mut self.slots {
            *slot = Slot { total: Total::new(), sum: 0.0, count: 0.0 };
        }
    }

    #[inline]
    fn update(&mut self, [value, time]: [f64; 2]) -> [f64; 2] {
        let at = nanoseconds(time).rem_euclid(self.period_ns) / self.slot_ns;
        let slot = &mut self.slots[at as usize];
        let before = if slot.count > 0.0 { slot.sum / slot.count } else { f64::NAN };
        let count = slot.count;
        slot.sum = slot.total.add(value);
        slot.count += 1.0;
        [before, count]
    }
}
