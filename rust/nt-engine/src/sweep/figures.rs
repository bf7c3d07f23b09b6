//! What a sweep keeps of a run: sums over its fills, and where asked for, over its curve of equity.

use nt_core::contract::scaled_up;
use nt_core::money::add;
use nt_core::{Money, Result};

use crate::engine::Engine;
use crate::trades::Matcher;

/// Units of money in one of the currency.
pub(super) const UNITS: f64 = 1e18;
/// Samples that are divided together, several of them at once.
const AT_ONCE: usize = 64;

/// What came of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Cash and positions at the end.
    pub equity: Money,
    /// Fees paid.
    pub fees: Money,
    /// Slippage paid.
    pub slippage: Money,
    /// Fills.
    pub fills: u64,
    /// Closed trades.
    pub trades: u64,
    /// Lots still open.
    pub open_trades: u64,
    /// Closed trades that gained.
    pub wins: u64,
    /// What those gained.
    pub gained: Money,
    /// What the others lost, not negative.
    pub lost: Money,
    /// Samples of equity.
    pub samples: u64,
    /// Samples at which a position was open.
    pub exposed: u64,
    /// What the curve says, where it was measured.
    pub curve: Option<Curve>,
}

/// Sums over a run as it goes on.
#[derive(Debug, Clone)]
pub(crate) struct Summary {
    open: Vec<Matcher>,
    /// Fills of the engine's present list that have been taken in.
    taken: usize,
    fills: u64,
    trades: u64,
    wins: u64,
    gained: Money,
    lost: Money,
    /// Fees and slippage in the account currency, where they were paid in several.
    converted: (Money, Money),
    curve: Option<Curve>,
}

impl Summary {
    pub fn new(engine: &Engine, curve: bool) -> Self {
        let open = engine.instruments().map(|_| Matcher::default()).collect();
        let curve = curve.then(|| Curve::new(engine.config().cash as f64 / UNITS));
        Summary { open, taken: 0, fills: 0, trades: 0, wins: 0, gained: 0, lost: 0, converted: (0, 0), curve }
    }

    /// Takes in the fills since the last time.
    pub fn take_fills(&mut self, engine: &Engine) -> Result<()> {
        let Summary { open, taken, fills, trades, wins, gained, lost, converted, .. } = self;
        for (at, fill) in engine.fills().iter().enumerate().skip(*taken) {
            let k = fill.instrument as usize;
            let rate = engine.fill_rate(at);
            *fills += 1;
            if let Some((numerator, denominator)) = rate {
                converted.0 = add(converted.0, scaled_up(fill.fee, numerator, denominator)?)?;
                converted.1 = add(converted.1, scaled_up(fill.slippage, numerator, denominator)?)?;
            }
            open[k].take(0, fill, engine.instrument(k), rate, |trade| {
                *trades += 1;
                *wins += u64::from(trade.pnl > 0);
                // A sum of results is no larger than the money that went through the account, which fits.
                *if trade.pnl > 0 { &mut *gained } else { &mut *lost } += trade.pnl.abs();
            })?;
        }
        *taken = engine.fills().len();
        Ok(())
    }

    /// Takes note that the engine has forgotten its fills.
    pub fn forget_fills(&mut self) {
        self.taken = 0;
    }

    /// Takes in the samples that follow, in the currency.
    pub fn take_curve(&mut self, samples: &[f64]) {
        if let Some(curve) = &mut self.curve {
            curve.take(samples);
        }
    }
}

impl Figures {
    /// What came of an engine's run.
    pub(crate) fn of(engine: &Engine, summary: &Summary) -> Result<Self> {
        let several = engine.several_currencies().is_some();
        let (fees, slippage) = if several { summary.converted } else { engine.ledger().costs() };
        Ok(Figures {
            equity: engine.equity()?,
            fees,
            slippage,
            fills: summary.fills,
            trades: summary.trades,
            open_trades: summary.open.iter().map(|matcher| matcher.open() as u64).sum(),
            wins: summary.wins,
            gained: summary.gained,
            lost: summary.lost,
            samples: engine.samples().len() as u64,
            exposed: engine.exposed_samples(),
            curve: summary.curve,
        })
    }
}

/// Moments of the returns from sample to sample, and the deepest fall; `report/definitions.py` has the formulas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    previous: f64,
    /// Whether equity was not positive at a sample; returns have no meaning from there on.
    pub is_ruined: bool,
    /// How many returns there are.
    pub count: f64,
    /// Their mean.
    pub mean: f64,
    /// The sum of their squared distances from it.
    pub squares: f64,
    /// The sum of their squares, of the negative ones.
    pub downside: f64,
    peak: f64,
    /// The deepest fall below the running peak as a fraction, not positive.
    pub drawdown: f64,
}

impl Curve {
    fn new(deposit: f64) -> Self {
        let (count, mean, squares, downside, drawdown) = (0.0, 0.0, 0.0, 0.0, 0.0);
        Curve { previous: deposit, is_ruined: false, count, mean, squares, downside, peak: deposit, drawdown }
    }

    fn take(&mut self, samples: &[f64]) {
        self.is_ruined |= samples.iter().fold(false, |ruined, &equity| ruined | (equity <= 0.0));
        self.take_falls(samples);
        if self.is_ruined || samples.is_empty() {
            return;
        }
        // The mean of the block first, then distances from it; blocks are merged by the rule of Chan, Golub and LeVeque.
        let count = samples.len() as f64;
        let mut sum = 0.0;
        self.each_return(samples, |each| sum += each);
        let mean = sum / count;
        let (mut squares, mut downside) = (0.0, 0.0);
        self.each_return(samples, |each| {
            let distance = each - mean;
            squares += distance * distance;
            let loss = if each < 0.0 { each } else { 0.0 };
            downside += loss * loss;
        });
        let (distance, merged) = (mean - self.mean, self.count + count);
        self.squares += squares + distance * distance * self.count * count / merged;
        self.mean += distance * count / merged;
        self.count = merged;
        self.downside += downside;
        if let Some(&last) = samples.last() {
            self.previous = last;
        }
    }

    /// The running peak and the deepest fall below it. There is no NaN, for which `max` and `min` would look.
    fn take_falls(&mut self, samples: &[f64]) {
        let (mut peaks, mut least) = ([0.0; AT_ONCE], [f64::INFINITY; AT_ONCE]);
        for few in samples.chunks(AT_ONCE) {
            for (peak, &equity) in peaks.iter_mut().zip(few) {
                self.peak = if equity > self.peak { equity } else { self.peak };
                *peak = self.peak;
            }
            for ((least, &equity), &peak) in least.iter_mut().zip(few).zip(&peaks) {
                let share = equity / peak;
                *least = if share < *least { share } else { *least };
            }
        }
        // The deepest fall is that to the least share of a peak, because rounding keeps the order of what is rounded.
        let deepest = least.iter().copied().fold(f64::INFINITY, f64::min) - 1.0;
        self.drawdown = self.drawdown.min(deepest);
    }

    /// Goes through the returns of samples in order.
    fn each_return(&self, samples: &[f64], mut take: impl FnMut(f64)) {
        let mut returns = [0.0; AT_ONCE];
        let mut before = self.previous;
        for few in samples.chunks(AT_ONCE) {
            returns[0] = few[0] / before - 1.0;
            for (each, pair) in returns[1..].iter_mut().zip(few.windows(2)) {
                *each = pair[1] / pair[0] - 1.0;
            }
            returns[..few.len()].iter().for_each(|&each| take(each));
            before = few[few.len() - 1];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The moments and the fall of one block, a sample at a time.
    fn plain(deposit: f64, samples: &[f64]) -> [f64; 4] {
        let before = std::iter::once(&deposit).chain(samples);
        let returns: Vec<f64> = samples.iter().zip(before).map(|(now, before)| now / before - 1.0).collect();
        let mean = returns.iter().sum::<f64>() / samples.len() as f64;
        let (mut squares, mut downside, mut peak, mut drawdown) = (0.0, 0.0, deposit, 0.0_f64);
        for (each, equity) in returns.iter().zip(samples) {
            squares += (each - mean) * (each - mean);
            downside += each.min(0.0) * each.min(0.0);
            peak = equity.max(peak);
            drawdown = drawdown.min(equity / peak - 1.0);
        }
        [mean, squares, downside, drawdown]
    }

    proptest! {
        #[test]
        fn a_block_has_the_moments_of_its_samples_to_the_bit(samples in prop::collection::vec(1.0..3.0_f64, 1..300)) {
            let mut curve = Curve::new(2.0);
            curve.take(&samples);
            let found = [curve.mean, curve.squares, curve.downside, curve.drawdown];
            prop_assert_eq!(found.map(f64::to_bits), plain(2.0, &samples).map(f64::to_bits));
        }
    }
}
