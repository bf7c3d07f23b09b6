//! Strategies written in Rust, and the loop that runs them.

use nt_core::{Bars, Ppb, Result, Side};
use nt_features::Sma;

use crate::engine::{Engine, Request, Size};
use crate::player::{Call, Player};

/// A strategy that decides at the close of bars.
pub trait Strategy {
    /// A bar of an instrument is complete; `close` is its last price in ticks.
    fn on_bar(&mut self, engine: &mut Engine, instrument: usize, bars: &Bars<'_>, index: usize) -> Result<()>;
}

/// Runs a strategy over bars, one slice per instrument of the engine, to their end.
pub fn run<S: Strategy>(engine: &mut Engine, bars: &[Bars<'_>], strategy: &mut S) -> Result<()> {
    let mut player = Player::new(bars.len());
    while let Some(call) = player.advance(engine, bars)? {
        if let Call::Bar { instrument, index } = call {
            strategy.on_bar(engine, instrument, &bars[instrument], index)?;
        }
    }
    Ok(())
}

/// What a signal strategy holds while its signal is on, or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// A fraction of equity.
    Fraction(Ppb),
    /// A number of lots.
    Lots(i64),
}

impl Holding {
    fn size(self) -> Size {
        match self {
            Holding::Fraction(fraction) => Size::TargetFraction(fraction),
            Holding::Lots(lots) => Size::TargetQuantity(lots),
        }
    }
}

/// Two moving averages of the close: one holding from a cross upwards, another from a cross downwards.
///
/// The twin of `neural_trader.strategy.library.sma_cross`; both decide on the same floats.
#[derive(Debug, Clone)]
pub struct SmaCross {
    averages: Vec<Averages>,
    above: Holding,
    below: Holding,
}

#[derive(Debug, Clone)]
struct Averages {
    fast: Sma,
    slow: Sma,
    /// Difference of the averages at the bar before; NaN until both are warm.
    spread: f64,
}

impl SmaCross {
    /// The strategy over so many instruments.
    pub fn new(instruments: usize, fast: usize, slow: usize, above: Holding, below: Holding) -> Self {
        let averages = Averages { fast: Sma::new(fast), slow: Sma::new(slow), spread: f64::NAN };
        SmaCross { averages: vec![averages; instruments], above, below }
    }
}

impl Strategy for SmaCross {
    #[inline]
    fn on_bar(&mut self, engine: &mut Engine, instrument: usize, bars: &Bars<'_>, index: usize) -> Result<()> {
        let averages = &mut self.averages[instrument];
        let close = bars.close[index] as f64;
        let spread = averages.fast.update(close) - averages.slow.update(close);
        let before = std::mem::replace(&mut averages.spread, spread);
        let holding = if spread > 0.0 && before <= 0.0 {
            self.above
        } else if spread < 0.0 && before >= 0.0 {
            self.below
        } else {
            return Ok(());
        };
        engine.submit(&Request::market(instrument, Side::Buy, holding.size()))?;
        Ok(())
    }
}

/// Buys a fraction of equity of each instrument at its first bar and keeps it: what every report compares with.
///
/// The twin of `neural_trader.strategy.library.buy_and_hold`.
#[derive(Debug, Clone)]
pub struct BuyAndHold {
    bought: Vec<bool>,
    fraction: Ppb,
}

impl BuyAndHold {
    /// The strategy over so many instruments.
    pub fn new(instruments: usize, fraction: Ppb) -> Self {
        BuyAndHold { bought: vec![false; instruments], fraction }
    }
}

impl Strategy for BuyAndHold {
    #[inline]
    fn on_bar(&mut self, engine: &mut Engine, instrument: usize, _bars: &Bars<'_>, _index: usize) -> Result<()> {
        if !std::mem::replace(&mut self.bought[instrument], true) {
            engine.submit(&Request::market(instrument, Side::Buy, Size::TargetFraction(self.fraction)))?;
        }
        Ok(())
    }
}
