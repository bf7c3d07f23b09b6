//! How strongly a series moves, and where to.

use serde::{Deserialize, Serialize};

use crate::average::Ema;
use crate::feature::{Lane, PIECE, Stream, boxed};
use crate::kind::{Kind, RATIO, SERIES, made, same, whole, window};
use crate::window::{Delay, with_before};

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "macd",
        SERIES,
        &[window("fast", 1, 12), window("slow", 2, 26), window("signal", 1, 9)],
        &[same("line"), same("signal"), same("histogram")],
        |given| boxed(Macd::new(whole(given[0]), whole(given[1]), whole(given[2]))),
        "Fast minus slow exponential average, and its average.",
        "Gerald Appel, 1979. Both averages are seeded at the slow-th value, as TA-Lib's MACD.",
    )
    .ordered(&[(0, 1)]),
    Kind::new(
        "momentum",
        SERIES,
        &[window("n", 1, 10), window("skip", 0, 0)],
        RATIO,
        |given| boxed(Momentum::new(whole(given[0]), whole(given[1]))),
        "Return from n values ago to skip values ago.",
        "Jegadeesh and Titman, 1993. With skip = 0 TA-Lib's ROCP. NaN from a value that is not positive.",
    )
    .ordered(&[(1, 0)]),
    Kind::new(
        "roc",
        SERIES,
        &[window("n", 1, 10)],
        RATIO,
        |given| made(Roc::new, given),
        "Rate of change: return of the last n steps in percent.",
        "TA-Lib's ROC. NaN from a value that is not positive.",
    ),
    Kind::new(
        "rsi",
        SERIES,
        &[window("n", 2, 14)],
        RATIO,
        |given| made(Rsi::new, given),
        "Relative strength index, 0 to 100, Wilder's smoothing.",
        "J. Welles Wilder, 1978. TA-Lib's RSI, but 50 where nothing has moved (TA-Lib: 0).",
    ),
];

/// Moving average convergence divergence: `ema(fast) - ema(slow)`, the average of that, and the difference of the two.
///
/// Both averages are seeded at one value, the `slow`th: the fast one with the mean of the `fast` values that end there.
#[derive(Serialize, Deserialize)]
struct Macd {
    fast: Ema,
    slow: Ema,
    signal: Ema,
}

impl Macd {
    fn new(fast: usize, slow: usize, signal: usize) -> Self {
        Self { fast: Ema::after(fast, slow - fast), slow: Ema::new(slow), signal: Ema::new(signal) }
    }
}

impl Stream<1, 3> for Macd {
    fn warmup(&self) -> usize {
        self.slow.warmup() + self.signal.warmup()
    }

    fn restart(&mut self) {
        self.fast.restart();
        self.slow.restart();
        self.signal.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 3] {
        let fast = self.fast.push(value);
        let (Some(fast), Some(slow)) = (fast, self.slow.push(value)) else { return [f64::NAN; 3] };
        let line = fast - slow;
        self.signal.push(line).map_or([f64::NAN; 3], |signal| [line, signal, line - signal])
    }

    fn lanes(&self) -> usize {
        if self.signal.is_seeded() { 2 } else { 0 }
    }

    fn before(&mut self, [values]: [&[f64]; 1], lanes: &mut [Lane]) {
        for (average, lane) in [&self.fast, &self.slow].into_iter().zip(lanes) {
            average.lend(lane);
            lane.rows[..values.len()].copy_from_slice(values);
        }
    }

    fn after(&mut self, _values: [&[f64]; 1], lanes: &[Lane], [line, signal, histogram]: [&mut [f64]; 3]) {
        self.fast.reclaim(&lanes[0]);
        self.slow.reclaim(&lanes[1]);
        for ((line, fast), slow) in line.iter_mut().zip(&lanes[0].rows).zip(&lanes[1].rows) {
            *line = fast - slow;
        }
        self.signal.smooth(line, signal);
        for ((line, signal), histogram) in line.iter().zip(&*signal).zip(histogram) {
            *histogram = line - signal;
        }
    }
}

/// Relative strength index: `100 * gain / (gain + loss)`.
///
/// `gain` and `loss` are the upward and downward changes, smoothed by [`Ema::wilder`]. A market that has not moved at all
/// gives 50, neither strong nor weak. TA-Lib gives 0, which a rule such as "buy below 30" would read as the deepest fall
/// there is.
#[derive(Serialize, Deserialize)]
struct Rsi {
    gain: Ema,
    loss: Ema,
    last: f64,
}

impl Rsi {
    fn new(n: usize) -> Self {
        Self { gain: Ema::wilder(n), loss: Ema::wilder(n), last: f64::NAN }
    }
}

/// A change upwards, or nothing.
#[inline]
fn gain(change: f64) -> f64 {
    if change > 0.0 { change } else { 0.0 }
}

/// The share of gains in all changes, in percent.
#[inline]
fn strength(gain: f64, loss: f64) -> f64 {
    let both = gain + loss;
    if both > 0.0 { 100.0 * (gain / both) } else { 50.0 }
}

impl Stream<1, 1> for Rsi {
    fn warmup(&self) -> usize {
        self.gain.warmup() + 1
    }

    fn restart(&mut self) {
        self.gain.restart();
        self.loss.restart();
        self.last = f64::NAN;
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let before = std::mem::replace(&mut self.last, value);
        if before.is_nan() {
            return [f64::NAN];
        }
        let (gain, loss) = (self.gain.push(gain(value - before)), self.loss.push(gain(before - value)));
        let (Some(gain), Some(loss)) = (gain, loss) else { return [f64::NAN] };
        [strength(gain, loss)]
    }

    fn lanes(&self) -> usize {
        if self.gain.is_seeded() { 2 } else { 0 }
    }

    fn before(&mut self, [values]: [&[f64]; 1], lanes: &mut [Lane]) {
        let [gains, losses] = lanes else { return };
        self.gain.lend(gains);
        self.loss.lend(losses);
        let rows = values.len();
        with_before(self.last, values, &mut gains.rows[..rows], |place, before, value| *place = gain(value - before));
        with_before(self.last, values, &mut losses.rows[..rows], |place, before, value| *place = gain(before - value));
        self.last = *values.last().unwrap_or(&self.last);
    }

    fn after(&mut self, _values: [&[f64]; 1], lanes: &[Lane], [places]: [&mut [f64]; 1]) {
        self.gain.reclaim(&lanes[0]);
        self.loss.reclaim(&lanes[1]);
        for ((place, gain), loss) in places.iter_mut().zip(&lanes[0].rows).zip(&lanes[1].rows) {
            *place = strength(*gain, *loss);
        }
    }
}

/// Momentum with a gap: `x[t-skip] / x[t-n] - 1`. NaN where `x[t-n]` is not positive.
#[derive(Serialize, Deserialize)]
struct Momentum {
    ago: Delay,
    /// None without a gap.
    recent: Option<Delay>,
}

/// The return from a value to a later one.
#[inline]
fn change(ago: f64, recent: f64) -> f64 {
    if ago > 0.0 { recent / ago - 1.0 } else { f64::NAN }
}

impl Momentum {
    fn new(n: usize, skip: usize) -> Self {
        Self { ago: Delay::new(n), recent: (skip > 0).then(|| Delay::new(skip)) }
    }
}

impl Stream<1, 1> for Momentum {
    fn warmup(&self) -> usize {
        self.ago.len()
    }

    fn restart(&mut self) {
        self.ago.restart();
        self.recent.iter_mut().for_each(Delay::restart);
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        let recent = match &mut self.recent {
            Some(delay) => delay.push(value),
            None => Some(value),
        };
        match (self.ago.push(value), recent) {
            (Some(ago), Some(recent)) => [change(ago, recent)],
            _ => [f64::NAN],
        }
    }

    fn rows(&mut self, [values]: [&[f64]; 1], [places]: [&mut [f64]; 1]) {
        let mut ago = [0.0; PIECE];
        let ago = &mut ago[..values.len()];
        let none = self.ago.slide(values, ago);
        match &mut self.recent {
            Some(delay) => _ = delay.slide(values, places),
            None => places.copy_from_slice(values),
        }
        places.iter_mut().zip(ago).for_each(|(place, ago)| *place = change(*ago, *place));
        places[..none].fill(f64::NAN);
    }
}

/// `100 (x[t] / x[t-n] - 1)`. NaN where `x[t-n]` is not positive.
#[derive(Serialize, Deserialize)]
struct Roc(Delay);

impl Roc {
    fn new(n: usize) -> Self {
        Self(Delay::new(n))
    }
}

impl Stream<1, 1> for Roc {
    fn warmup(&self) -> usize {
        self.0.len()
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    #[inline]
    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        match self.0.push(value) {
            Some(before) if before > 0.0 => [100.0 * (value / before - 1.0)],
            _ => [f64::NAN],
        }
    }
}
