//! Relative strength and momentum.

use serde::{Deserialize, Serialize};

use crate::Ema;

/// Relative strength index (J. Welles Wilder, 1978): `100 * gain / (gain + loss)`.
///
/// `gain` and `loss` are the upward and downward changes of the close, smoothed by [`Ema::wilder`]. TA-Lib's `RSI`, to
/// rounding, with one difference: a market that has not moved at all gives 50, neither strong nor weak. TA-Lib gives 0,
/// which a rule such as "buy below 30" would read as the deepest fall there is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rsi {
    gain: Ema,
    loss: Ema,
    close: f64,
}

impl Rsi {
    /// The index over `n` changes.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn new(n: usize) -> Self {
        Self { gain: Ema::wilder(n), loss: Ema::wilder(n), close: f64::NAN }
    }

    /// Takes the next close and returns the index, or NaN before `n + 1` closes.
    #[inline]
    pub fn update(&mut self, close: f64) -> f64 {
        let before = std::mem::replace(&mut self.close, close);
        if before.is_nan() {
            return f64::NAN;
        }
        let change = close - before;
        let gain = self.gain.update(if change > 0.0 { change } else { 0.0 });
        let loss = self.loss.update(if change < 0.0 { -change } else { 0.0 });
        let both = gain + loss;
        // Written so that NaN, while the averages warm up, comes out of the quotient.
        if both == 0.0 { 50.0 } else { 100.0 * (gain / both) }
    }

    /// How many closes give NaN first.
    pub fn warmup(&self) -> usize {
        self.gain.warmup() + 1
    }
}

/// Momentum with a gap (Jegadeesh and Titman, 1993): `c[t-skip] / c[t-n] - 1`.
///
/// With `skip = 0` it is the return of the last `n` bars (TA-Lib's `ROCP`). NaN where `c[t-n]` is not positive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Momentum {
    ring: Box<[f64]>,
    at: usize,
    recent: usize,
    missing: usize,
}

impl Momentum {
    /// The return from `n` bars ago to `skip` bars ago.
    ///
    /// # Panics
    /// If `skip` is not below `n`.
    pub fn new(n: usize, skip: usize) -> Self {
        assert!(skip < n, "the gap is shorter than the window");
        // The ring holds n + 1 closes. The one just written is at `at`; the one skip bars earlier stands skip places
        // before it, that is n + 1 - skip places after it.
        Self { ring: vec![0.0; n + 1].into(), at: 0, recent: (n + 1 - skip) % (n + 1), missing: n }
    }

    /// Takes the next close and returns the momentum, or NaN before `n + 1` closes.
    #[inline]
    pub fn update(&mut self, close: f64) -> f64 {
        let length = self.ring.len();
        self.ring[self.at] = close;
        let recent = self.ring[self.recent];
        self.at = if self.at + 1 == length { 0 } else { self.at + 1 };
        self.recent = if self.recent + 1 == length { 0 } else { self.recent + 1 };
        let oldest = self.ring[self.at];
        if self.missing > 0 {
            self.missing -= 1;
            return f64::NAN;
        }
        if oldest > 0.0 { recent / oldest - 1.0 } else { f64::NAN }
    }

    /// How many closes give NaN first.
    pub fn warmup(&self) -> usize {
        self.ring.len() - 1
    }
}
