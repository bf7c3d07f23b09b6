//! Bands that a series moves between.

use serde::{Deserialize, Serialize};

use crate::Field;
use crate::average::Ema;
use crate::feature::{LARGEST, PIECE, Stream, boxed};
use crate::kind::{HIGH_LOW_CLOSE, Kind, Output, SAME, SERIES, made, on, real, same, whole, window};
use crate::volatility::Atr;
use crate::window::{Fold, Largest, Smallest, Spread, Window};

const BANDS: &[Output] = &[same("lower"), same("middle"), same("upper")];

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "bollinger",
        SERIES,
        &[window("n", 2, 20), real("width", 0.0, LARGEST, 2.0)],
        BANDS,
        |given| boxed(Bollinger::new(whole(given[0]), given[1])),
        "Mean of n values, and width deviations to both sides.",
        "John Bollinger, 1980s; population deviation. TA-Lib's BBANDS.",
    ),
    Kind::new(
        "donchian",
        &[on("high", Field::High), on("low", Field::Low)],
        &[window("n", 1, 20)],
        BANDS,
        |given| made(Donchian::new, given),
        "Lowest low and highest high of n bars, and their middle.",
        "Richard Donchian, 1960s. This bar is included.",
    ),
    Kind::new(
        "highest",
        &[on("series", Field::High)],
        &[window("n", 1, 20)],
        SAME,
        |given| made(Highest::new, given),
        "Largest of the last n values, this one included.",
        "Richard Donchian, 1960s. TA-Lib's MAX. A breakout is above the previous value.",
    ),
    Kind::new(
        "keltner",
        HIGH_LOW_CLOSE,
        &[window("n", 1, 20), window("range", 1, 10), real("width", 0.0, LARGEST, 2.0)],
        BANDS,
        |given| boxed(Keltner::new(whole(given[0]), whole(given[1]), given[2])),
        "ema(n) of the close, and width atr(range) to both sides.",
        "Chester Keltner, 1960, as Linda Raschke draws it.",
    ),
    Kind::new(
        "lowest",
        &[on("series", Field::Low)],
        &[window("n", 1, 20)],
        SAME,
        |given| made(Lowest::new, given),
        "Smallest of the last n values, this one included.",
        "Richard Donchian, 1960s. TA-Lib's MIN.",
    ),
];

/// The largest of the last `n` values.
#[derive(Serialize, Deserialize)]
pub(crate) struct Highest(Window<Largest>);

impl Highest {
    pub(crate) fn new(n: usize) -> Self {
        Self(Window::new(n))
    }

    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        self.0.push(value).map(|largest| largest.0)
    }

    /// Pushes values, and returns how many of them come before the first extreme.
    pub(crate) fn slide(&mut self, values: &[f64], places: &mut [f64]) -> usize {
        let before = self.0.slide(values, places, |place, largest, _| *place = largest.0);
        places[..before].fill(f64::NAN);
        before
    }
}

impl Stream<1, 1> for Highest {
    fn warmup(&self) -> usize {
        self.0.len() - 1
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        [self.push(value).unwrap_or(f64::NAN)]
    }

    fn rows(&mut self, [values]: [&[f64]; 1], [places]: [&mut [f64]; 1]) {
        self.slide(values, places);
    }
}

/// The smallest of the last `n` values.
#[derive(Serialize, Deserialize)]
pub(crate) struct Lowest(Window<Smallest>);

impl Lowest {
    pub(crate) fn new(n: usize) -> Self {
        Self(Window::new(n))
    }

    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        self.0.push(value).map(|smallest| smallest.0)
    }

    /// Pushes values, and returns how many of them come before the first extreme.
    pub(crate) fn slide(&mut self, values: &[f64], places: &mut [f64]) -> usize {
        let before = self.0.slide(values, places, |place, smallest, _| *place = smallest.0);
        places[..before].fill(f64::NAN);
        before
    }
}

impl Stream<1, 1> for Lowest {
    fn warmup(&self) -> usize {
        self.0.len() - 1
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        [self.push(value).unwrap_or(f64::NAN)]
    }

    fn rows(&mut self, [values]: [&[f64]; 1], [places]: [&mut [f64]; 1]) {
        self.slide(values, places);
    }
}

/// `sma(x, n)` and `width` population deviations to both sides.
#[derive(Serialize, Deserialize)]
struct Bollinger {
    window: Window<Spread>,
    count: f64,
    width: f64,
}

impl Bollinger {
    fn new(n: usize, width: f64) -> Self {
        Self { window: Window::new(n), count: n as f64, width }
    }
}

impl Stream<1, 3> for Bollinger {
    fn warmup(&self) -> usize {
        self.window.len() - 1
    }

    fn restart(&mut self) {
        self.window.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 3] {
        let Some(fold) = self.window.push(value) else { return [f64::NAN; 3] };
        let middle = self.window.pivot() + fold.sum / self.count;
        let reach = self.width * (fold.of(self.count).sqrt() / self.count);
        [middle - reach, middle, middle + reach]
    }

    fn rows(&mut self, [values]: [&[f64]; 1], [lower, middle, upper]: [&mut [f64]; 3]) {
        let mut folds = [(Spread::EMPTY, 0.0); PIECE];
        let folds = &mut folds[..values.len()];
        let before = self.window.slide(values, folds, |place, fold, pivot| *place = (fold, pivot));
        let places = lower.iter_mut().zip(middle.iter_mut()).zip(upper.iter_mut());
        for (((lower, middle), upper), (fold, pivot)) in places.zip(folds) {
            *middle = *pivot + fold.sum / self.count;
            let reach = self.width * (fold.of(self.count).sqrt() / self.count);
            (*lower, *upper) = (*middle - reach, *middle + reach);
        }
        for column in [lower, middle, upper] {
            column[..before].fill(f64::NAN);
        }
    }
}

/// The lowest low and the highest high of the last `n` bars, and their middle.
#[derive(Serialize, Deserialize)]
struct Donchian {
    highest: Highest,
    lowest: Lowest,
}

impl Donchian {
    fn new(n: usize) -> Self {
        Self { highest: Highest::new(n), lowest: Lowest::new(n) }
    }
}

impl Stream<2, 3> for Donchian {
    fn warmup(&self) -> usize {
        self.highest.warmup()
    }

    fn restart(&mut self) {
        self.highest.restart();
        self.lowest.restart();
    }

    #[inline]
    fn update(&mut self, [high, low]: [f64; 2]) -> [f64; 3] {
        let highest = self.highest.push(high);
        let (Some(highest), Some(lowest)) = (highest, self.lowest.push(low)) else { return [f64::NAN; 3] };
        [lowest, (lowest + highest) / 2.0, highest]
    }
}

/// `ema(close, n)` and `width atr(range)` to both sides.
#[derive(Serialize, Deserialize)]
struct Keltner {
    middle: Ema,
    range: Atr,
    width: f64,
}

impl Keltner {
    fn new(n: usize, range: usize, width: f64) -> Self {
        Self { middle: Ema::new(n), range: Atr::new(range), width }
    }
}

impl Stream<3, 3> for Keltner {
    fn warmup(&self) -> usize {
        self.middle.warmup().max(self.range.warmup())
    }

    fn restart(&mut self) {
        self.middle.restart();
        self.range.restart();
    }

    #[inline]
    fn update(&mut self, [high, low, close]: [f64; 3]) -> [f64; 3] {
        let middle = self.middle.push(close);
        let (Some(middle), Some(range)) = (middle, self.range.push(high, low, close)) else { return [f64::NAN; 3] };
        let reach = self.width * range;
        [middle - reach, middle, middle + reach]
    }
}
