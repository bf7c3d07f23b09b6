//! Where a close stands in the range of bars, and which way the range moves.

use serde::{Deserialize, Serialize};

use crate::Field;
use crate::average::{Ema, Sma};
use crate::channel::{Highest, Lowest};
use crate::feature::{PIECE, Stream, boxed};
use crate::kind::{HIGH_LOW_CLOSE, Kind, RATIO, made, on, ratio, whole, window};
use crate::volatility::TrueRange;
use crate::window::{Fold, Spread, Window};

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "adx",
        HIGH_LOW_CLOSE,
        &[window("n", 1, 14)],
        &[ratio("adx"), ratio("plus"), ratio("minus")],
        |given| made(Adx::new, given),
        "Directional movement: its index, and both directions.",
        "J. Welles Wilder, 1978. Seeded with means of n values (TA-Lib: sums of n - 1); the two draw together.",
    ),
    Kind::new(
        "aroon",
        &[on("high", Field::High), on("low", Field::Low)],
        &[window("n", 1, 14)],
        &[ratio("up"), ratio("down"), ratio("oscillator")],
        |given| made(Aroon::new, given),
        "How lately the extremes of n + 1 bars were, 100 for now.",
        "Tushar Chande, 1995. TA-Lib's AROON and AROONOSC; of equal extremes the latest counts.",
    ),
    Kind::new(
        "cci",
        HIGH_LOW_CLOSE,
        &[window("n", 2, 20)],
        RATIO,
        |given| made(Cci::new, given),
        "Commodity channel index of the typical price.",
        "Donald Lambert, 1980. TA-Lib's CCI. 0 where the window is constant. An update goes through the window.",
    ),
    Kind::new(
        "mfi",
        &[on("high", Field::High), on("low", Field::Low), on("close", Field::Close), on("volume", Field::Volume)],
        &[window("n", 1, 14)],
        RATIO,
        |given| made(Mfi::new, given),
        "Money flow index, 0 to 100: an RSI of volume at typical prices.",
        "Quong and Soudack, 1989. TA-Lib's MFI, but 50 where no money has flowed (TA-Lib: 0).",
    ),
    Kind::new(
        "stochastic",
        HIGH_LOW_CLOSE,
        &[window("n", 1, 14), window("smooth", 1, 3), window("signal", 1, 3)],
        &[ratio("k"), ratio("d")],
        |given| boxed(Stochastic::new(whole(given[0]), whole(given[1]), whole(given[2]))),
        "Place of the close in the range of n bars, 0 to 100.",
        "George Lane, 1950s. TA-Lib's STOCH, but 50 where there is no range (TA-Lib: 0).",
    ),
    Kind::new(
        "williams_r",
        HIGH_LOW_CLOSE,
        &[window("n", 1, 14)],
        RATIO,
        |given| made(WilliamsR::new, given),
        "Williams's %R: distance from the high of n bars, 0 to -100.",
        "Larry Williams, 1973. TA-Lib's WILLR, but -50 where there is no range (TA-Lib: 0).",
    ),
];

/// The place of a close in the range of the last `n` bars, from 0 to 1; one half where there is no range.
#[derive(Serialize, Deserialize)]
struct Place {
    highest: Highest,
    lowest: Lowest,
}

#[inline]
fn place(highest: f64, lowest: f64, close: f64) -> f64 {
    let range = highest - lowest;
    if range > 0.0 { (close - lowest) / range } else { 0.5 }
}

impl Place {
    fn new(n: usize) -> Self {
        Self { highest: Highest::new(n), lowest: Lowest::new(n) }
    }

    fn restart(&mut self) {
        self.highest.restart();
        self.lowest.restart();
    }

    #[inline]
    fn push(&mut self, high: f64, low: f64, close: f64) -> Option<f64> {
        let highest = self.highest.push(high);
        let (Some(highest), Some(lowest)) = (highest, self.lowest.push(low)) else { return None };
        Some(place(highest, lowest, close))
    }

    /// Pushes bars, and returns how many of them come before the first place.
    #[inline]
    fn slide(&mut self, [highs, lows, closes]: [&[f64]; 3], places: &mut [f64]) -> usize {
        let mut lowest = [0.0; PIECE];
        let lowest = &mut lowest[..lows.len()];
        self.highest.slide(highs, places);
        let none = self.lowest.slide(lows, lowest);
        for ((highest, lowest), close) in places.iter_mut().zip(lowest).zip(closes) {
            *highest = place(*highest, *lowest, *close);
        }
        none
    }
}

/// `k = sma(100 place, smooth)` and `d = sma(k, signal)`.
#[derive(Serialize, Deserialize)]
struct Stochastic {
    place: Place,
    k: Sma,
    d: Sma,
}

impl Stochastic {
    fn new(n: usize, smooth: usize, signal: usize) -> Self {
        Self { place: Place::new(n), k: Sma::new(smooth), d: Sma::new(signal) }
    }
}

impl Stream<3, 2> for Stochastic {
    fn warmup(&self) -> usize {
        self.place.highest.warmup() + self.k.warmup() + self.d.warmup()
    }

    fn restart(&mut self) {
        self.place.restart();
        self.k.restart();
        self.d.restart();
    }

    #[inline]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> [f64; 2] {
        let raw = self.place.push(high, low, close).map(|place| 100.0 * place);
        let Some(k) = raw.and_then(|raw| self.k.push(raw)) else { return [f64::NAN; 2] };
        self.d.push(k).map_or([f64::NAN; 2], |d| [k, d])
    }

    fn rows(&mut self, bars: [&[f64]; 3], [k, d]: [&mut [f64]; 2]) {
        let mut raw = [0.0; PIECE];
        let raw = &mut raw[..k.len()];
        let mut none = self.place.slide(bars, raw);
        raw.iter_mut().for_each(|place| *place *= 100.0);
        none += self.k.slide(&raw[none..], &mut k[none..]);
        none += self.d.slide(&k[none..], &mut d[none..]);
        for column in [k, d] {
            column[..none].fill(f64::NAN);
        }
    }
}

/// `100 (place - 1)`.
#[derive(Serialize, Deserialize)]
struct WilliamsR(Place);

impl WilliamsR {
    fn new(n: usize) -> Self {
        Self(Place::new(n))
    }
}

impl Stream<3, 1> for WilliamsR {
    fn warmup(&self) -> usize {
        self.0.highest.warmup()
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    #[inline]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> [f64; 1] {
        [self.0.push(high, low, close).map_or(f64::NAN, |place| 100.0 * (place - 1.0))]
    }

    fn rows(&mut self, bars: [&[f64]; 3], [places]: [&mut [f64]; 1]) {
        let none = self.0.slide(bars, places);
        places.iter_mut().for_each(|place| *place = 100.0 * (*place - 1.0));
        places[..none].fill(f64::NAN);
    }
}

/// `(p - mean(p)) / (0.015 mean |p - mean(p)|)` of typical prices `p = (high + low + close) / 3`.
#[derive(Serialize, Deserialize)]
struct Cci {
    window: Window<Spread>,
    count: f64,
}

impl Cci {
    fn new(n: usize) -> Self {
        Self { window: Window::new(n), count: n as f64 }
    }
}

impl Stream<3, 1> for Cci {
    fn warmup(&self) -> usize {
        self.window.len() - 1
    }

    fn restart(&mut self) {
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> [f64; 1] {
        let typical = (high + low + close) / 3.0;
        let Some(fold) = self.window.push(typical) else { return [f64::NAN] };
        // From the pivot, so that a window of equal values has no deviation at all.
        let (pivot, mean) = (self.window.pivot(), fold.sum / self.count);
        let deviation = self.window.total(|value| (value - pivot - mean).abs()) / self.count;
        [if deviation > 0.0 { (typical - pivot - mean) / (0.015 * deviation) } else { 0.0 }]
    }
}

/// `100 up / (up + down)`, where `up` and `down` are the sums of typical price times volume of the last `n` bars whose
/// typical price rose or fell.
#[derive(Serialize, Deserialize)]
struct Mfi {
    flows: Window<Flows>,
    typical: f64,
}

/// Sums of two numbers.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Flows {
    up: f64,
    down: f64,
}

impl Fold for Flows {
    type Item = (f64, f64);
    const EMPTY: Self = Self { up: 0.0, down: 0.0 };

    #[inline]
    fn append(self, (up, down): (f64, f64), _pivot: (f64, f64)) -> Self {
        Self { up: self.up + up, down: self.down + down }
    }

    #[inline]
    fn joined(self, newer: Self) -> Self {
        Self { up: self.up + newer.up, down: self.down + newer.down }
    }
}

impl Mfi {
    fn new(n: usize) -> Self {
        Self { flows: Window::new(n), typical: f64::NAN }
    }
}

impl Stream<4, 1> for Mfi {
    fn warmup(&self) -> usize {
        self.flows.len()
    }

    fn restart(&mut self) {
        self.flows.restart();
        self.typical = f64::NAN;
    }

    #[inline]
    fn update(&mut self, [high, low, close, volume]: [f64; 4]) -> [f64; 1] {
        let typical = (high + low + close) / 3.0;
        let before = std::mem::replace(&mut self.typical, typical);
        if before.is_nan() {
            return [f64::NAN];
        }
        let flow = typical * volume;
        let up = if typical > before { flow } else { 0.0 };
        let down = if typical < before { flow } else { 0.0 };
        let Some(flows) = self.flows.push((up, down)) else { return [f64::NAN] };
        let all = flows.up + flows.down;
        [if all > 0.0 { 100.0 * (flows.up / all) } else { 50.0 }]
    }
}

/// The largest of values, and when the latest such was.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Latest {
    value: f64,
    time: f64,
}

impl Fold for Latest {
    type Item = (f64, f64);
    const EMPTY: Self = Self { value: f64::NEG_INFINITY, time: 0.0 };

    #[inline]
    fn append(self, (value, time): (f64, f64), _pivot: (f64, f64)) -> Self {
        if value >= self.value { Self { value, time } } else { self }
    }

    #[inline]
    fn prepend(self, (value, time): (f64, f64), _pivot: (f64, f64)) -> Self {
        if value > self.value { Self { value, time } } else { self }
    }

    #[inline]
    fn joined(self, newer: Self) -> Self {
        if newer.value >= self.value { newer } else { self }
    }
}

/// `up = 100 (n - age of the highest high) / n` of the last `n + 1` bars, `down` of the lowest low, and their difference.
#[derive(Serialize, Deserialize)]
struct Aroon {
    highest: Window<Latest>,
    lowest: Window<Latest>,
    time: f64,
    count: f64,
}

impl Aroon {
    fn new(n: usize) -> Self {
        Self { highest: Window::new(n + 1), lowest: Window::new(n + 1), time: 0.0, count: n as f64 }
    }
}

impl Stream<2, 3> for Aroon {
    fn warmup(&self) -> usize {
        self.highest.len() - 1
    }

    fn restart(&mut self) {
        self.highest.restart();
        self.lowest.restart();
        self.time = 0.0;
    }

    #[inline]
    fn update(&mut self, [high, low]: [f64; 2]) -> [f64; 3] {
        self.time += 1.0;
        let highest = self.highest.push((high, self.time));
        let (Some(highest), Some(lowest)) = (highest, self.lowest.push((-low, self.time))) else {
            return [f64::NAN; 3];
        };
        let score = |latest: Latest| 100.0 * (self.count - (self.time - latest.time)) / self.count;
        let (up, down) = (score(highest), score(lowest));
        [up, down, up - down]
    }
}

/// `plus = 100 wilder(+DM) / wilder(TR)`, `minus` alike, and `adx = wilder(100 |plus - minus| / (plus + minus))`.
///
/// Of the ways by which high and low moved outwards, the larger counts alone. Where nothing moves, all of them are 0.
#[derive(Serialize, Deserialize)]
struct Adx {
    range: TrueRange,
    high: f64,
    low: f64,
    up: Ema,
    down: Ema,
    ranges: Ema,
    index: Ema,
}

impl Adx {
    fn new(n: usize) -> Self {
        let [up, down, ranges, index] = std::array::from_fn(|_| Ema::wilder(n));
        Self { range: TrueRange::new(), high: f64::NAN, low: f64::NAN, up, down, ranges, index }
    }
}

/// `100 part / whole`, or 0 of nothing.
#[inline]
fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { 100.0 * (part / whole) } else { 0.0 }
}

impl Stream<3, 3> for Adx {
    fn warmup(&self) -> usize {
        1 + self.ranges.warmup() + self.index.warmup()
    }

    fn restart(&mut self) {
        Stream::restart(&mut self.range);
        for average in [&mut self.up, &mut self.down, &mut self.ranges, &mut self.index] {
            average.restart();
        }
    }

    #[inline]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> [f64; 3] {
        let range = self.range.push(high, low, close);
        let rise = high - std::mem::replace(&mut self.high, high);
        let fall = std::mem::replace(&mut self.low, low) - low;
        let Some(range) = range else { return [f64::NAN; 3] };
        let up = self.up.push(if rise > fall && rise > 0.0 { rise } else { 0.0 });
        let down = self.down.push(if fall > rise && fall > 0.0 { fall } else { 0.0 });
        let (Some(up), Some(down), Some(range)) = (up, down, self.ranges.push(range)) else { return [f64::NAN; 3] };
        let (plus, minus) = (percent(up, range), percent(down, range));
        let index = self.index.push(percent((plus - minus).abs(), plus + minus));
        index.map_or([f64::NAN; 3], |index| [index, plus, minus])
    }
}
