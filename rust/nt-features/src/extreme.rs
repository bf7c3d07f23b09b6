//! Highest high, lowest low and true range.

use crate::{Bar, Ema};

/// The largest of the last n values.
///
/// Time is cut into blocks of n values. A window is the end of the last block and the beginning of this one, so its
/// maximum is that of two numbers: the largest since `at + 1` of the last block (computed backwards, once, when that
/// block was complete) and the largest of this block so far (van Herk 1992, Gil and Werman 1993). That is three
/// comparisons per value whatever the data, and no branch that the data decides, which a queue of candidates has.
#[derive(Clone, Debug)]
struct Extreme {
    /// Before `at` the values of this block, from `at` on the suffix maxima of the last one.
    block: Box<[f64]>,
    at: usize,
    head: f64,
}

#[inline]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

impl Extreme {
    fn new(n: usize) -> Self {
        assert!(n > 0, "a window holds at least one value");
        // NaN in the place of a suffix says that there is no full window yet.
        Self { block: vec![f64::NAN; n].into(), at: 0, head: f64::NEG_INFINITY }
    }

    #[inline]
    fn update(&mut self, value: f64) -> f64 {
        self.head = larger(self.head, value);
        self.block[self.at] = value;
        self.at += 1;
        if self.at == self.block.len() {
            return self.turn();
        }
        let suffix = self.block[self.at];
        // Written so that a NaN suffix wins the comparison and comes out.
        if self.head > suffix { self.head } else { suffix }
    }

    /// Ends a block: its maximum is the answer, its suffix maxima serve the windows of the next block.
    fn turn(&mut self) -> f64 {
        let whole = self.head;
        let mut suffix = f64::NEG_INFINITY;
        for value in self.block.iter_mut().rev() {
            suffix = larger(suffix, *value);
            *value = suffix;
        }
        self.at = 0;
        self.head = f64::NEG_INFINITY;
        whole
    }

    fn warmup(&self) -> usize {
        self.block.len() - 1
    }
}

/// Highest high of the last `n` bars, this one included: the upper Donchian channel (Richard Donchian, 1960s).
///
/// A breakout compares the close with the channel of the bars before it: take the previous value.
#[derive(Clone, Debug)]
pub struct Highest(Extreme);

impl Highest {
    /// The channel over `n` bars.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn new(n: usize) -> Self {
        Self(Extreme::new(n))
    }

    /// Takes the next high and returns the highest, or NaN before `n` bars.
    #[inline]
    pub fn update(&mut self, high: f64) -> f64 {
        self.0.update(high)
    }

    /// How many bars give NaN first.
    pub fn warmup(&self) -> usize {
        self.0.warmup()
    }
}

/// Lowest low of the last `n` bars, this one included: the lower Donchian channel. See [`Highest`].
#[derive(Clone, Debug)]
pub struct Lowest(Extreme);

impl Lowest {
    /// The channel over `n` bars.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn new(n: usize) -> Self {
        Self(Extreme::new(n))
    }

    /// Takes the next low and returns the lowest, or NaN before `n` bars.
    #[inline]
    pub fn update(&mut self, low: f64) -> f64 {
        // The lowest is the negative of the highest negative; a change of sign is exact.
        -self.0.update(-low)
    }

    /// How many bars give NaN first.
    pub fn warmup(&self) -> usize {
        self.0.warmup()
    }
}

/// Average true range (J. Welles Wilder, New Concepts in Technical Trading Systems, 1978).
///
/// True range `= max(high - low, |high - c[t-1]|, |low - c[t-1]|)`, defined from the second bar on, smoothed by
/// [`Ema::wilder`]: first the mean of the first `n` true ranges, then `a[t] = a[t-1] + (range - a[t-1]) / n`.
/// TA-Lib's `ATR`, to rounding.
#[derive(Clone, Debug)]
pub struct Atr {
    average: Ema,
    close: f64,
}

impl Atr {
    /// The average over `n` bars.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn new(n: usize) -> Self {
        Self { average: Ema::wilder(n), close: f64::NAN }
    }

    /// Takes the next bar and returns the average, or NaN before `n + 1` bars.
    #[inline]
    pub fn update(&mut self, bar: &Bar) -> f64 {
        let before = std::mem::replace(&mut self.close, bar.close);
        if before.is_nan() {
            return f64::NAN;
        }
        let beyond = larger((bar.high - before).abs(), (bar.low - before).abs());
        self.average.update(larger(bar.high - bar.low, beyond))
    }

    /// How many bars give NaN first.
    pub fn warmup(&self) -> usize {
        self.average.warmup() + 1
    }
}
