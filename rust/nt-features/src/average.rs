//! Moving averages of a close, and the differences of them.

use serde::{Deserialize, Serialize};

/// Simple moving average: `(c[t] + ... + c[t-n+1]) / n`.
///
/// The sum is kept by adding the newest and taking the oldest off. Both are whole numbers, so the sum is exact and has
/// no drift: it is the sum that one would get by adding up the window anew. Bit-equal to TA-Lib's `SMA` on tick counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sma {
    ring: Box<[f64]>,
    at: usize,
    missing: usize,
    sum: f64,
    count: f64,
}

impl Sma {
    /// An average over `n` values.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn new(n: usize) -> Self {
        assert!(n > 0, "a window holds at least one value");
        Self { ring: vec![0.0; n].into(), at: 0, missing: n - 1, sum: 0.0, count: n as f64 }
    }

    /// Takes the next value and returns the average, or NaN before `n` values.
    #[inline]
    pub fn update(&mut self, value: f64) -> f64 {
        // The ring starts as zeros, which leave the sum of the first n values as it is. The difference comes first:
        // it hangs on no earlier result, so only one addition stands between one update and the next.
        let oldest = std::mem::replace(&mut self.ring[self.at], value);
        self.sum += value - oldest;
        self.at += 1;
        if self.at == self.ring.len() {
            self.at = 0;
        }
        if self.missing > 0 {
            self.missing -= 1;
            return f64::NAN;
        }
        self.sum / self.count
    }

    /// How many values give NaN first.
    pub fn warmup(&self) -> usize {
        self.ring.len() - 1
    }
}

/// Exponential moving average: `e[t] = (c[t] - e[t-1]) * 2 / (n + 1) + e[t-1]`.
///
/// The seed is the simple average of the first `n` values, as in TA-Lib's `EMA`, so the first value comes at the `n`th bar.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ema {
    skip: usize,
    n: usize,
    seen: usize,
    sum: f64,
    value: f64,
    weight: f64,
}

impl Ema {
    /// An average with weight `2 / (n + 1)`.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn new(n: usize) -> Self {
        Self::after(n, 0)
    }

    /// Wilder's smoothing: the same with weight `1 / n`.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn wilder(n: usize) -> Self {
        let mut average = Self::after(n, 0);
        average.weight = 1.0 / n as f64;
        average
    }

    /// An average with weight `2 / (n + 1)` that is blind to the first `skip` values.
    pub(crate) fn after(n: usize, skip: usize) -> Self {
        assert!(n > 0, "a window holds at least one value");
        Self { skip, n, seen: 0, sum: 0.0, value: f64::NAN, weight: 2.0 / (n as f64 + 1.0) }
    }

    /// Takes the next value and returns the average, or NaN before the seed is complete.
    #[inline]
    pub fn update(&mut self, value: f64) -> f64 {
        if self.seen >= self.skip + self.n {
            self.value = (value - self.value) * self.weight + self.value;
            return self.value;
        }
        self.seed(value)
    }

    fn seed(&mut self, value: f64) -> f64 {
        self.seen += 1;
        if self.seen > self.skip {
            self.sum += value;
        }
        if self.seen == self.skip + self.n {
            self.value = self.sum / self.n as f64;
        }
        self.value
    }

    /// How many values give NaN first.
    pub fn warmup(&self) -> usize {
        self.skip + self.n - 1
    }
}

/// Moving average convergence divergence (Gerald Appel, 1979): `ema(fast) - ema(slow)` of the close.
///
/// As in TA-Lib's `MACD`, both averages are seeded at the same bar, the `slow`th: the fast one with the mean of the `fast`
/// closes that end there. (A plain `ema(fast)` is seeded earlier; the two draw together as bars pass.)
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Macd {
    fast: Ema,
    slow: Ema,
}

impl Macd {
    /// The line for two windows.
    ///
    /// # Panics
    /// If `fast` is 0 or above `slow`.
    pub fn new(fast: usize, slow: usize) -> Self {
        assert!(fast <= slow, "the fast window is the shorter one");
        Self { fast: Ema::after(fast, slow - fast), slow: Ema::new(slow) }
    }

    /// Takes the next close and returns the line, or NaN before `slow` closes.
    #[inline]
    pub fn update(&mut self, close: f64) -> f64 {
        self.fast.update(close) - self.slow.update(close)
    }

    /// How many closes give NaN first.
    pub fn warmup(&self) -> usize {
        self.slow.warmup()
    }
}

/// Signal line of the MACD: `ema(signal)` of [`Macd`], seeded with the mean of its first `signal` values, as TA-Lib does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MacdSignal {
    line: Macd,
    signal: Ema,
}

impl MacdSignal {
    /// The signal line for three windows.
    ///
    /// # Panics
    /// If a window is 0, or `fast` above `slow`.
    pub fn new(fast: usize, slow: usize, signal: usize) -> Self {
        Self { line: Macd::new(fast, slow), signal: Ema::new(signal) }
    }

    /// Takes the next close and returns the signal, or NaN before it is seeded.
    #[inline]
    pub fn update(&mut self, close: f64) -> f64 {
        let line = self.line.update(close);
        if line.is_nan() { f64::NAN } else { self.signal.update(line) }
    }

    /// How many closes give NaN first.
    pub fn warmup(&self) -> usize {
        self.line.warmup() + self.signal.warmup()
    }
}
