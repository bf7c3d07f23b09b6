//! Strategies written in Rust, and the loop that runs them.

use nt_core::{Bars, Ppb, Result, Side};

use crate::config::Rules;
use crate::engine::{Engine, Request, Size};
use crate::player::{Call, Player};

/// A strategy that decides at the close of bars.
pub trait Strategy {
    /// A bar of an instrument is complete; `close` is its last price in ticks.
    fn on_bar(&mut self, engine: &mut Engine, instrument: usize, bars: &Bars<'_>, index: usize) -> Result<()>;
}

/// Runs a strategy over bars, one element per instrument of the engine, to their end.
pub fn run<S: Strategy>(engine: &mut Engine, bars: &[Bars<'_>], strategy: &mut S) -> Result<()> {
    if let [bars] = bars
        && engine.config().rules == Rules::House
    {
        return run_lone(engine, bars, strategy);
    }
    let mut player = Player::new(bars.len());
    while let Some(call) = player.advance(engine, bars)? {
        if let Call::Bar { instrument, index } = call {
            strategy.on_bar(engine, instrument, &bars[instrument], index)?;
        }
    }
    Ok(())
}

/// The same for a lone instrument, whose time line needs no merging and whose quiet bars need no more than their close.
///
/// Nearly all bars of a run are quiet, so this is where its speed comes from.
fn run_lone<S: Strategy>(engine: &mut Engine, bars: &Bars<'_>, strategy: &mut S) -> Result<()> {
    let mut index = 0;
    while index < bars.len() {
        let first = index;
        while index < bars.len() && engine.is_quiet() {
            // Only bars with orders need their opening. Reading it in every bar keeps the columns streaming through the
            // cache; fetched just where it is needed, each fill would wait for memory twice.
            std::hint::black_box((bars.open_ns[index], bars.open[index]));
            engine.pass_quiet_opening();
            engine.pass_quiet_close(bars.close_ns[index], bars.close[index])?;
            strategy.on_bar(engine, 0, bars, index)?;
            index += 1;
        }
        engine.sample_lone(index - first);
        if index < bars.len() {
            engine.open_moment(bars.open_ns[index], &[bars.opening(0, index)])?;
            // Nearly always the order is gone by now, and high and low need not be fetched.
            if engine.is_quiet() {
                engine.pass_quiet_close(bars.close_ns[index], bars.close[index])?;
            } else {
                engine.close_moment(bars.close_ns[index], &[bars.closing(0, index)])?;
            }
            strategy.on_bar(engine, 0, bars, index)?;
            if engine.config().fill_at_close {
                engine.closing_match(bars.close_ns[index], &[bars.closing(0, index)])?;
            }
            engine.sample_lone(1);
            index += 1;
        }
        engine.drop_notices();
    }
    engine.finish()
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
    windows: (usize, usize),
    averages: Vec<Averages>,
    above: Holding,
    below: Holding,
}

#[derive(Debug, Clone, Copy)]
struct Averages {
    fast_sum: f64,
    slow_sum: f64,
    /// Difference of the averages at the bar before; NaN until both are warm.
    spread: f64,
}

impl SmaCross {
    /// The strategy over so many instruments.
    pub fn new(instruments: usize, fast: usize, slow: usize, above: Holding, below: Holding) -> Self {
        let averages = Averages { fast_sum: 0.0, slow_sum: 0.0, spread: f64::NAN };
        SmaCross { windows: (fast, slow), averages: vec![averages; instruments], above, below }
    }
}

impl Strategy for SmaCross {
    #[inline(always)]
    fn on_bar(&mut self, engine: &mut Engine, instrument: usize, bars: &Bars<'_>, index: usize) -> Result<()> {
        // The steps of `nt_features::Sma`, with the bars themselves in place of its ring.
        let (fast, slow) = self.windows;
        let averages = &mut self.averages[instrument];
        let close = bars.close[index] as f64;
        let leaving = |window: usize| if index < window { 0.0 } else { bars.close[index - window] as f64 };
        averages.fast_sum += close - leaving(fast);
        averages.slow_sum += close - leaving(slow);
        if index + 1 < fast.max(slow) {
            return Ok(());
        }
        let spread = averages.fast_sum / fast as f64 - averages.slow_sum / slow as f64;
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
