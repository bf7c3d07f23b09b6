//! How widely closes and returns are spread around their mean.

/// Population standard deviation of the last `n` closes: `sqrt(n * sum(c^2) - sum(c)^2) / n` (TA-Lib's `STDDEV`,
/// Bollinger's bands).
///
/// The textbook trap of this formula is that two large numbers cancel. Here both are whole numbers of 128 bits, so the
/// difference is exact and only the root and the quotient round. NaN where a close is so large (`n * c` far above
/// `2^53`) that the sums would not fit.
#[derive(Clone, Debug)]
pub struct Deviation {
    ring: Box<[i64]>,
    at: usize,
    missing: usize,
    sum: i128,
    squares: i128,
}

/// `squares` below this bound, times a window below `2^20`, fits 127 bits; so does the square of the sum, which by
/// Cauchy's inequality is not larger.
const SQUARES_MAX: i128 = 1 << 106;

impl Deviation {
    /// The deviation over `n` closes.
    ///
    /// # Panics
    /// If `n` is 0 or above [`crate::MAX_WINDOW`].
    pub fn new(n: usize) -> Self {
        assert!(n > 0 && n <= crate::MAX_WINDOW, "a window holds from one to a million values");
        Self { ring: vec![0; n].into(), at: 0, missing: n - 1, sum: 0, squares: 0 }
    }

    /// Takes the next close and returns the deviation, or NaN before `n` closes.
    #[inline]
    pub fn update(&mut self, close: f64) -> f64 {
        debug_assert!(close.trunc() == close && close.abs() <= 9_007_199_254_740_992.0, "a close is a count of ticks");
        let newest = close as i64;
        let oldest = std::mem::replace(&mut self.ring[self.at], newest);
        self.sum += i128::from(newest) - i128::from(oldest);
        self.squares += i128::from(newest) * i128::from(newest) - i128::from(oldest) * i128::from(oldest);
        self.at += 1;
        if self.at == self.ring.len() {
            self.at = 0;
        }
        if self.missing > 0 {
            self.missing -= 1;
            return f64::NAN;
        }
        if self.squares >= SQUARES_MAX {
            return f64::NAN;
        }
        let n = self.ring.len() as i128;
        // By the bound above the sum has 63 bits, and two of those are multiplied in one instruction.
        let sum = self.sum as i64;
        let spread = n * self.squares - i128::from(sum) * i128::from(sum);
        // Both conversions round to nearest even; the short one is a single instruction.
        let spread = match i64::try_from(spread) {
            Ok(short) => short as f64,
            Err(_) => spread as f64,
        };
        spread.sqrt() / self.ring.len() as f64
    }

    /// How many closes give NaN first.
    pub fn warmup(&self) -> usize {
        self.ring.len() - 1
    }
}

/// Mean and sum of squared distances from it, of some returns.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Adds the `count`th return (B. P. Welford, 1962).
    #[inline]
    fn push(&mut self, value: f64, count: f64) {
        let distance = value - self.mean;
        self.mean += distance / count;
        self.squares += distance * (value - self.mean);
    }
}

/// Volatility per bar: sample standard deviation (divisor `n - 1`) of the last `n` simple returns `c[t] / c[t-1] - 1`.
///
/// It is not annualised: what a year is depends on the spacing of the bars, which a feature does not know.
///
/// Returns are not whole numbers, so a sum from which the oldest is taken off would drift. Nothing is ever taken off
/// here: as for the highest high, a window is the end of one block of n returns and the beginning of the next, each with
/// its own moments (Welford), merged by the rule of Chan, Golub and LeVeque (1979). A return from a close that is not
/// positive is NaN, and so is every window that holds it.
#[derive(Clone, Debug)]
pub struct Volatility {
    /// Before `at` the returns of this block (in `mean`), from `at` on the moments of the last block's ends.
    block: Box<[Moments]>,
    at: usize,
    head: Moments,
    full: bool,
    close: f64,
    count: f64,
}

impl Volatility {
    /// The volatility over `n` returns.
    ///
    /// # Panics
    /// If `n` is below 2.
    pub fn new(n: usize) -> Self {
        assert!(n > 1, "a sample deviation needs two values");
        Self {
            block: vec![Moments::default(); n].into(),
            at: 0,
            head: Moments::default(),
            full: false,
            close: f64::NAN,
            count: n as f64,
        }
    }

    /// Takes the next close and returns the volatility, or NaN before `n + 1` closes.
    #[inline]
    pub fn update(&mut self, close: f64) -> f64 {
        let before = std::mem::replace(&mut self.close, close);
        if before.is_nan() {
            return f64::NAN;
        }
        let value = if before > 0.0 { close / before - 1.0 } else { f64::NAN };
        self.block[self.at].mean = value;
        self.at += 1;
        let head = self.at as f64;
        self.head.push(value, head);
        if self.at == self.block.len() {
            return self.turn();
        }
        if !self.full {
            return f64::NAN;
        }
        let tail = self.block[self.at];
        let distance = self.head.mean - tail.mean;
        let between = distance * distance * ((self.count - head) * head / self.count);
        ((tail.squares + self.head.squares + between) / (self.count - 1.0)).sqrt()
    }

    /// Ends a block: its moments are the answer, those of its ends serve the windows of the next block.
    fn turn(&mut self) -> f64 {
        let whole = (self.head.squares / (self.count - 1.0)).sqrt();
        let mut tail = Moments::default();
        let mut count = 0.0;
        for place in self.block.iter_mut().rev() {
            count += 1.0;
            tail.push(place.mean, count);
            *place = tail;
        }
        self.at = 0;
        self.head = Moments::default();
        self.full = true;
        whole
    }

    /// How many closes give NaN first.
    pub fn warmup(&self) -> usize {
        self.block.len()
    }
}
