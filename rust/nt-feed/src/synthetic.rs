//! Markets made of random numbers: charts that look like markets, the same to the last bit on every machine.
//!
//! Each instrument follows a market factor and a factor of its own. A factor has regimes (rising, falling, sideways) and a
//! volatility that wanders around its mean; a bar is a short walk, so its high and low come from where it went. Only the
//! operations that IEEE 754 defines to the last bit take part: + - * / and the square root. Streams are keyed by seed and
//! symbol: adding an instrument changes no other, and asking for more bars extends what was there.

use crate::random::Random;

/// The generator's version: it changes whenever the same seed would give other bars.
pub const VERSION: u32 = 1;
/// Decimals of the tick: prices move in steps of 0.01.
pub const TICK_DECIMALS: u8 = 2;

const TICKS_PER_UNIT: f64 = 100.0;
const DAY_NS: f64 = 86_400_000_000_000.0;
/// Volatility of one day, as a fraction of the price, while a factor's level is 1.
const DAILY_VOLATILITY: f64 = 0.017;
/// What a rising regime adds to each bar, in units of its volatility: enough to be seen in a chart, little enough that
/// following it pays only modestly.
const DRIFT: f64 = 0.04;
/// How often news doubles the volatility, which then takes its time to calm down.
const NEWS_CHANCE: f64 = 0.003;
/// Steps of the walk within one bar.
const STEPS: usize = 6;
/// Prices stay between one unit and ten million.
const PRICE_RANGE: (f64, f64) = (1.0, 1e7);
/// How often a bar opens away from the close before it.
const GAP_CHANCE: f64 = 0.008;

/// The bars to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many bars each instrument has.
    pub bars: usize,
    /// When the first bar opens.
    pub start_ns: i64,
    /// The positive distance between bars.
    pub interval_ns: i64,
}

/// The bars of one instrument: prices in hundredths, volume in whole units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyntheticBars {
    /// Opening prices.
    pub open: Vec<i64>,
    /// Highest prices.
    pub high: Vec<i64>,
    /// Lowest prices.
    pub low: Vec<i64>,
    /// Closing prices.
    pub close: Vec<i64>,
    /// Volumes.
    pub volume: Vec<i64>,
}

impl SyntheticBars {
    fn with_capacity(bars: usize) -> Self {
        let column = || Vec::with_capacity(bars);
        Self { open: column(), high: column(), low: column(), close: column(), volume: column() }
    }
}

/// A source of returns, in units of the day's volatility scaled to one bar.
struct Factor {
    random: Random,
    level: f64,
    drift: f64,
    bars_left: u64,
}

impl Factor {
    fn keyed(seed: u64, name: &str) -> Self {
        Self { random: Random::keyed(seed, name), level: 1.0, drift: 0.0, bars_left: 0 }
    }

    /// Moves regime and volatility on by one bar.
    fn next_bar(&mut self) {
        if self.bars_left == 0 {
            let draw = self.random.uniform();
            self.drift = match draw {
                rising if rising < 0.42 => DRIFT,
                falling if falling < 0.72 => -DRIFT,
                _ => 0.0,
            };
            self.bars_left = 90 + self.random.next_word() % 360;
        }
        self.bars_left -= 1;
        // Falling markets are restless: their volatility reverts to a higher mean.
        let mean = if self.drift < 0.0 { 1.2 } else { 0.85 };
        let news = if self.random.uniform() < NEWS_CHANCE { self.level } else { 0.0 };
        let shock = 0.09 * self.level * self.random.normal();
        self.level = (self.level + 0.02 * (mean - self.level) + shock + news).clamp(0.3, 4.5);
    }

    /// The return over one step of the walk.
    fn step(&mut self) -> f64 {
        const STEP_SHARE: f64 = 1.0 / STEPS as f64;
        // The square root of 1/6, so that six steps have the variance of one bar.
        const STEP_SCALE: f64 = 0.408_248_290_463_863;
        self.drift * STEP_SHARE + self.level * STEP_SCALE * self.random.normal()
    }
}

/// The busy ends and the quiet middle of a day, 0.6 to 1.6; 1 for bars of a day and more.
fn activity(open_ns: i64, interval_ns: i64) -> f64 {
    let day = DAY_NS as i64;
    if interval_ns >= day {
        return 1.0;
    }
    let from_noon = open_ns.rem_euclid(day) as f64 / DAY_NS * 2.0 - 1.0;
    0.6 + from_noon * from_noon
}

fn in_ticks(price: f64) -> i64 {
    (price * TICKS_PER_UNIT + 0.5).floor() as i64
}

/// The returns of the market factor, one row of steps per bar.
fn market_returns(seed: u64, bars: usize) -> Vec<[f64; STEPS]> {
    // The name cannot be a symbol: symbols have no control characters.
    let mut market = Factor::keyed(seed, "\u{1}market");
    let mut returns = Vec::with_capacity(bars);
    for _ in 0..bars {
        market.next_bar();
        returns.push(std::array::from_fn(|_| market.step()));
    }
    returns
}

fn instrument(seed: u64, symbol: &str, shape: Shape, market: &[[f64; STEPS]]) -> SyntheticBars {
    let mut character = Random::keyed(seed, symbol);
    let draw = character.uniform();
    let start_price = 18.0 + 260.0 * draw * draw;
    let market_share = 0.45 + 0.35 * character.uniform();
    let temper = 0.8 + 0.5 * character.uniform();
    let turnover = (2.0 + 6.0 * character.uniform()) * 1e7;
    let own_share = (1.0 - market_share * market_share).sqrt();
    let mut own = Factor::keyed(seed, &format!("\u{1}own {symbol}"));
    let days = shape.interval_ns as f64 / DAY_NS;
    let volatility = DAILY_VOLATILITY * temper * days.sqrt();
    let mut bars = SyntheticBars::with_capacity(shape.bars);
    let mut price = start_price;
    for (index, shared) in market.iter().enumerate() {
        let open_ns = shape.start_ns.wrapping_add((index as i64).wrapping_mul(shape.interval_ns));
        let busy = activity(open_ns, shape.interval_ns);
        own.next_bar();
        let opening = if character.uniform() < GAP_CHANCE { 1.8 } else { 0.03 };
        price *= 1.0 + volatility * opening * character.normal();
        // A weak pull to where the instrument started keeps decades of bars on one page.
        let pull = 0.02 * (price - start_price) / (price + start_price) / STEPS as f64;
        let mut path = [0_i64; STEPS + 1];
        price = price.clamp(PRICE_RANGE.0, PRICE_RANGE.1);
        path[0] = in_ticks(price);
        let scale = volatility * (0.55 + 0.5 * busy);
        // What compounding takes from a price that wanders is given back, so that sideways is sideways.
        let drag = 0.5 * scale / STEPS as f64;
        for (step, shared_return) in shared.iter().enumerate() {
            let mixed = market_share * shared_return + own_share * own.step() + drag - pull;
            price = (price * (1.0 + scale * mixed)).clamp(PRICE_RANGE.0, PRICE_RANGE.1);
            path[step + 1] = in_ticks(price);
        }
        let (low, high) = path.iter().fold((i64::MAX, 0), |(low, high), tick| (low.min(*tick), high.max(*tick)));
        let reach = (high - low) as f64 / TICKS_PER_UNIT / (price * volatility);
        let mood = 0.55 + 0.9 * character.uniform();
        let traded = turnover * days / start_price * busy * mood * (0.25 + 0.5 * reach * reach);
        bars.open.push(path[0]);
        bars.high.push(high);
        bars.low.push(low);
        bars.close.push(path[STEPS]);
        bars.volume.push((traded as i64).max(1));
    }
    bars
}

/// Makes the bars of all instruments, in the order of their symbols given.
pub fn market(seed: u64, symbols: &[&str], shape: Shape) -> Vec<SyntheticBars> {
    let shared = market_returns(seed, shape.bars);
    symbols.iter().map(|symbol| instrument(seed, symbol, shape, &shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consistency::{Prices, check_prices};
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000_000_000;

    fn shape(bars: usize, interval_ns: i64) -> Shape {
        Shape { bars, start_ns: 0, interval_ns }
    }

    fn checksum(bars: &SyntheticBars) -> u64 {
        let columns = [&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume];
        let values = columns.into_iter().flatten();
        values.fold(0xCBF2_9CE4_8422_2325, |hash, v| (hash ^ *v as u64).wrapping_mul(0x0000_0100_0000_01B3))
    }

    #[test]
    fn a_seed_gives_the_same_bars_for_ever() {
        let made = market(7, &["ALPHA"], shape(5000, HOUR));
        assert_eq!(checksum(&made[0]), 2_405_378_143_650_228_320, "a change here needs a new VERSION");
    }

    #[test]
    fn instruments_do_not_depend_on_one_another_and_longer_runs_extend_shorter_ones() {
        let alone = market(7, &["BRAVO"], shape(500, HOUR));
        let among = market(7, &["ALPHA", "BRAVO"], shape(800, HOUR));
        assert_eq!(alone[0].close[..], among[1].close[..500]);
        assert_ne!(among[0].close, among[1].close);
        assert_ne!(market(8, &["BRAVO"], shape(500, HOUR)), alone);
    }

    #[test]
    fn the_volatility_of_a_year_does_not_depend_on_the_interval() {
        for (interval_ns, per_day) in [(HOUR, 24.0), (24 * HOUR, 1.0), (HOUR / 12, 288.0)] {
            let made = market(3, &["ALPHA", "BRAVO", "CHARLIE"], shape(20_000, interval_ns));
            for bars in made {
                let squares = bars.close.windows(2).map(|pair| (pair[1] as f64 / pair[0] as f64 - 1.0).powi(2));
                let daily = (squares.sum::<f64>() / bars.close.len() as f64 * per_day).sqrt();
                assert!((0.012..0.05).contains(&daily), "{daily}");
            }
        }
    }

    #[test]
    fn instruments_of_one_market_move_together() {
        let made = market(7, &["ALPHA", "BRAVO"], shape(20_000, HOUR));
        let returns = |bars: &SyntheticBars| -> Vec<f64> {
            bars.close.windows(2).map(|pair| pair[1] as f64 / pair[0] as f64 - 1.0).collect()
        };
        let (left, right) = (returns(&made[0]), returns(&made[1]));
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let correlation = product(&left, &right) / (product(&left, &left) * product(&right, &right)).sqrt();
        assert!((0.15..0.7).contains(&correlation), "{correlation}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_bar_is_consistent(seed in any::<u64>(), minutes in 1_i64..20_000, start in any::<i32>()) {
            let shape = Shape { bars: 400, start_ns: i64::from(start) * 1_000_000_000, interval_ns: minutes * 60_000_000_000 };
            for bars in market(seed, &["X", "é"], shape) {
                let prices = Prices { open: &bars.open, high: &bars.high, low: &bars.low, close: &bars.close };
                prop_assert_eq!(check_prices(prices), Ok(()));
                prop_assert!(bars.volume.iter().all(|volume| *volume > 0));
            }
        }
    }
}
