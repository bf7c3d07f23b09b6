//! Strategies written in Rust, and the loop that runs them.

use std::cmp::Ordering;

use nt_core::{Bars, Nanos, Ppb, Result, Side};
use serde::{Deserialize, Serialize};

use crate::config::Rules;
use crate::engine::Engine;
use crate::pause::Pause;
use crate::player::{Call, Player};
use crate::request::{Request, Size};

/// A strategy that decides at the close of bars. Positions of bars count from the first bar of their instrument.
pub trait Strategy {
    /// Whether the bars that it is played are in the processor's cache already, so that none has to be fetched ahead.
    const BARS_ARE_NEAR: bool = false;

    /// The bars of these instruments and positions close at one time; it comes before `on_bar` for each of them.
    #[inline]
    fn on_closes(&mut self, bars: &[Bars<'_>], closes: impl Iterator<Item = (usize, usize)>) {
        let _ = (bars, closes);
    }

    /// A bar of an instrument is complete; `close` is its last price in ticks.
    fn on_bar(&mut self, engine: &mut Engine, instrument: usize, bars: &Bars<'_>, index: usize) -> Result<()>;

    /// Takes in bars from `from` on at which it will ask nothing of the engine, and says which bar is the next that it
    /// must be called for; the end of the bars if there is none.
    ///
    /// It is asked only where the engine has nothing to tell either. A strategy may always answer `from`.
    fn next_call(&mut self, engine: &Engine, instrument: usize, bars: &Bars<'_>, from: usize) -> usize {
        let _ = (engine, instrument, bars);
        from
    }

    /// How many bars before the present one it reads.
    fn lookback(&self) -> usize {
        0
    }
}

/// Runs a strategy over bars, one element per instrument of the engine, to their end.
pub fn run<S: Strategy>(engine: &mut Engine, bars: &[Bars<'_>], strategy: &mut S) -> Result<()> {
    Run::new(bars.len()).play(engine, bars, strategy, Nanos::MAX)
}

/// How far a strategy in Rust has come over bars that may arrive in pieces.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    player: Player,
    /// Bars of a lone instrument that have been played.
    played: usize,
    over: bool,
    #[serde(skip)]
    pause: Pause,
    #[serde(skip)]
    next_ns: Nanos,
}

impl Run {
    /// A run at the beginning of the bars of so many instruments.
    pub fn new(instruments: usize) -> Self {
        Run { player: Player::new(instruments), played: 0, over: false, pause: Pause::default(), next_ns: 0 }
    }

    /// Plays what happens before the horizon, as `Player::set_horizon` has it; to the end of the run at `Nanos::MAX`.
    pub fn play<S: Strategy>(
        &mut self,
        engine: &mut Engine,
        bars: &[Bars<'_>],
        strategy: &mut S,
        horizon_ns: Nanos,
    ) -> Result<()> {
        if let [bars] = bars
            && engine.config().rules == Rules::House
            && engine.account.is_none()
        {
            // There is no other instrument whose bars one of these would have to wait for.
            let last = bars.close_ns.last().is_some_and(|&last_ns| last_ns > self.pause.time_ns);
            let played = if last { &bars.until(self.pause.time_ns) } else { bars };
            self.played = play_lone(engine, played, strategy, self.played)?;
            self.over = horizon_ns == Nanos::MAX && !last;
            let next = self.played.checked_sub(bars.first).and_then(|row| bars.close_ns.get(row));
            self.next_ns = next.map_or(horizon_ns, |&close_ns| close_ns);
            return if self.over { engine.finish() } else { Ok(()) };
        }
        self.player.set_pause(self.pause);
        self.player.set_horizon(horizon_ns);
        while let Some(call) = self.player.advance(engine, bars)? {
            if let Call::Bar { instrument, index } = call {
                let closes = self.player.closes();
                if closes[0].instrument == instrument {
                    strategy.on_closes(bars, closes.iter().map(|close| (close.instrument, close.index)));
                }
                strategy.on_bar(engine, instrument, &bars[instrument], index)?;
            }
        }
        self.over = self.player.is_over();
        self.next_ns = self.player.next_ns();
        Ok(())
    }

    /// Lets it go on up to a time, the bars that close at it included.
    pub fn set_pause(&mut self, time_ns: Nanos) {
        self.pause.time_ns = time_ns;
    }

    /// When what comes next happens, or not before when, where it paused.
    pub fn next_ns(&self) -> Nanos {
        self.next_ns
    }

    /// Whether it has come to the end of the bars.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// How many bars of an instrument have been played.
    pub fn played(&self, instrument: usize) -> usize {
        self.played.max(self.player.closed(instrument))
    }
}

/// Plays bars of a lone instrument from one of them on, and says where they end. Its time line needs no merging, and its
/// quiet bars need no more than their close.
///
/// Nearly all bars of a run are quiet, so this is where its speed comes from.
fn play_lone<S: Strategy>(engine: &mut Engine, bars: &Bars<'_>, strategy: &mut S, from: usize) -> Result<usize> {
    // What was played before the run was saved may have to arrive again.
    if bars.end() <= from {
        return Ok(from);
    }
    let mut index = from;
    let mut fetched = 0;
    engine.expect_orders((bars.end() - from) / BARS_PER_ORDER);
    // Every column that is read for a fill costs it a wait for memory.
    let (capped, spread_counts) = (engine.config().volume_cap.is_some(), engine.config().slippage_spread != 0);
    let read = Bars {
        volume: if capped { bars.volume } else { &[] },
        spread: if spread_counts { bars.spread } else { &[] },
        ..*bars
    };
    while index < bars.end() {
        if !engine.is_quiet() {
            let row = index - bars.first;
            engine.open_moment(bars.open_ns[row], &[read.opening(0, index)])?;
            engine.drop_notices();
            // Nearly always the order is gone by now, and what is left of the bar is quiet.
            if !engine.is_quiet() {
                engine.close_moment(bars.close_ns[row], &[read.closing(0, index)])?;
                strategy.on_closes(std::slice::from_ref(bars), std::iter::once((0, index)));
                strategy.on_bar(engine, 0, bars, index)?;
                if engine.config().fill_at_close {
                    engine.closing_match(bars.close_ns[row], &[read.closing(0, index)])?;
                }
                engine.sample_lone(1);
                engine.drop_notices();
                index += 1;
                continue;
            }
            engine.take_back_opening();
        }
        let called = strategy.next_call(engine, 0, bars, index);
        if !S::BARS_ARE_NEAR && called + 1 >= fetched {
            fetched = fetch_ahead(bars, called);
        }
        let end = bars.end().min(called + 1);
        engine.pass_quiet(bars, index, end)?;
        if called < end {
            strategy.on_closes(std::slice::from_ref(bars), std::iter::once((0, called)));
            strategy.on_bar(engine, 0, bars, called)?;
        }
        engine.sample_lone(end - index);
        index = end;
    }
    engine.drop_notices();
    Ok(index)
}

/// Reads what orders need of the bars ahead, and says how far: fetched one by one where they are needed, each fill would wait
/// for memory three times, while whole blocks stream through the cache.
fn fetch_ahead(bars: &Bars<'_>, from: usize) -> usize {
    let end = bars.end().min(from + FETCHED);
    let mut all = 0;
    for at in (from - bars.first..end - bars.first).step_by(PER_CACHE_LINE) {
        all ^= bars.open_ns[at] ^ bars.close_ns[at] ^ bars.open[at];
    }
    std::hint::black_box(all);
    end
}

/// A strategy that sends more orders than one in so many bars pays for lists that grow.
const BARS_PER_ORDER: usize = 16;
/// Bars that are fetched at a time.
const FETCHED: usize = 512;
/// Numbers of 64 bits in a line of the cache.
const PER_CACHE_LINE: usize = 8;

/// What a signal strategy holds while its signal is on, or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SmaCross {
    windows: (usize, usize),
    averages: Vec<Averages>,
    above: Holding,
    below: Holding,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Averages {
    fast_sum: f64,
    slow_sum: f64,
    /// The fast average against the slow one at the bar before; nothing until both are warm.
    #[serde(with = "crate::snapshot::order")]
    order: Option<Ordering>,
    /// Bars whose closes have been found small enough for `next_call` to reckon in integers.
    small: usize,
}

impl SmaCross {
    /// The strategy over so many instruments.
    pub fn new(instruments: usize, fast: usize, slow: usize, above: Holding, below: Holding) -> Self {
        let averages = Averages { fast_sum: 0.0, slow_sum: 0.0, order: None, small: 0 };
        SmaCross { windows: (fast, slow), averages: vec![averages; instruments], above, below }
    }
}

impl Strategy for SmaCross {
    fn on_bar(&mut self, engine: &mut Engine, instrument: usize, bars: &Bars<'_>, index: usize) -> Result<()> {
        // The steps of `nt_features::Sma`, with the bars themselves in place of its ring.
        let (fast, slow) = self.windows;
        let averages = &mut self.averages[instrument];
        let close = bars.close[index - bars.first] as f64;
        let leaving = |window: usize| if index < window { 0.0 } else { bars.close[index - window - bars.first] as f64 };
        averages.fast_sum += close - leaving(fast);
        averages.slow_sum += close - leaving(slow);
        if index + 1 < fast.max(slow) {
            return Ok(());
        }
        let order = (averages.fast_sum / fast as f64).partial_cmp(&(averages.slow_sum / slow as f64));
        let holding = match (std::mem::replace(&mut averages.order, order), order) {
            (Some(Ordering::Less | Ordering::Equal), Some(Ordering::Greater)) => self.above,
            (Some(Ordering::Greater | Ordering::Equal), Some(Ordering::Less)) => self.below,
            _ => return Ok(()),
        };
        engine.submit(&Request::market(instrument, Side::Buy, holding.size()))?;
        Ok(())
    }

    /// Up to the next cross, in integers: sums of ticks are whole numbers, and as long as they times the other window
    /// stay below 2^52, comparing those products orders the averages just as dividing and comparing floats does. (Two
    /// different averages are at least `1 / (fast * slow)` apart, which is then more than a float's rounding.)
    fn next_call(&mut self, _engine: &Engine, instrument: usize, bars: &Bars<'_>, from: usize) -> usize {
        let (fast, slow) = self.windows;
        let averages = &mut self.averages[instrument];
        let Some(order) = averages.order.filter(|_| from >= fast.max(slow)) else {
            return from;
        };
        let (mut fast_sum, mut slow_sum) = (averages.fast_sum as i64, averages.slow_sum as i64);
        let mut at = from - bars.first;
        loop {
            if at + bars.first >= averages.small {
                let block = &bars.close[at..bars.len().min(at + BLOCK)];
                let limit = SAFE_PRODUCT / (fast as i64 * slow as i64);
                if block.is_empty() || block.iter().fold(0, |all, close| all | close) >= limit {
                    break;
                }
                averages.small = at + bars.first + block.len();
            }
            let end = averages.small - bars.first;
            let closes = &bars.close[at..end];
            let leaving_fast = &bars.close[at - fast..end - fast];
            let leaving_slow = &bars.close[at - slow..end - slow];
            let mut crossed = false;
            for ((close, leaves_fast), leaves_slow) in closes.iter().zip(leaving_fast).zip(leaving_slow) {
                let (fast_next, slow_next) = (fast_sum + close - leaves_fast, slow_sum + close - leaves_slow);
                if (fast_next * slow as i64).cmp(&(slow_next * fast as i64)) != order {
                    crossed = true;
                    break;
                }
                (fast_sum, slow_sum) = (fast_next, slow_next);
                at += 1;
            }
            if crossed {
                break;
            }
        }
        (averages.fast_sum, averages.slow_sum) = (fast_sum as f64, slow_sum as f64);
        at + bars.first
    }

    fn lookback(&self) -> usize {
        self.windows.0.max(self.windows.1)
    }
}

/// Closes that are checked at a time: few enough to be in the cache still when they are used.
const BLOCK: usize = 2_048;
/// Numbers below this differ by less than one from none of their neighbours among floats.
const SAFE_PRODUCT: i64 = 1 << 52;

/// Buys a fraction of equity of each instrument at its first bar and keeps it: what every report compares with.
///
/// The twin of `neural_trader.strategy.library.buy_and_hold`.
#[derive(Debug, Clone, Serialize, Deserialize)]
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

    fn next_call(&mut self, _engine: &Engine, instrument: usize, bars: &Bars<'_>, from: usize) -> usize {
        if self.bought[instrument] { bars.end() } else { from }
    }
}
