//! Every feature against its formula, written out over the whole window at every bar.

use nt_features::{Bar, Columns, Feature, FeatureError, KINDS, column};
use proptest::prelude::*;

/// Whole-number columns of one market.
#[derive(Clone, Debug)]
struct Market {
    open: Vec<i64>,
    high: Vec<i64>,
    low: Vec<i64>,
    close: Vec<i64>,
    volume: Vec<i64>,
}

impl Market {
    /// Bars whose close follows the given steps and whose range reaches beyond open and close as given.
    fn of(start: i64, steps: &[(i64, i64, i64, i64)]) -> Self {
        let mut market = Self { open: vec![], high: vec![], low: vec![], close: vec![], volume: vec![] };
        let mut last = start;
        for &(change, above, below, volume) in steps {
            let close = (last + change).max(1);
            market.open.push(last);
            market.high.push(last.max(close) + above);
            market.low.push((last.min(close) - below).max(1));
            market.close.push(close);
            market.volume.push(volume);
            last = close;
        }
        market
    }

    fn columns(&self) -> Columns<'_> {
        Columns { open: &self.open, high: &self.high, low: &self.low, close: &self.close, volume: Some(&self.volume) }
    }

    fn bar(&self, at: usize) -> Bar {
        Bar {
            open: self.open[at] as f64,
            high: self.high[at] as f64,
            low: self.low[at] as f64,
            close: self.close[at] as f64,
            volume: self.volume[at] as f64,
        }
    }

    fn feature(&self, name: &str, parameters: &[f64]) -> Vec<f64> {
        column(name, parameters, &self.columns()).expect("valid parameters")
    }
}

fn market() -> impl Strategy<Value = Market> {
    let step = (-500_i64..=500, 0_i64..60, 0_i64..60, 0_i64..1_000_000);
    (1_i64..100_000_000, prop::collection::vec(step, 1..160)).prop_map(|(start, steps)| Market::of(start, &steps))
}

fn floats(counts: &[i64]) -> Vec<f64> {
    counts.iter().map(|&count| count as f64).collect()
}

/// `formula` of each full window of `n` values, NaN before.
fn windows(values: &[f64], n: usize, formula: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    (0..values.len()).map(|t| if t + 1 < n { f64::NAN } else { formula(&values[t + 1 - n..=t]) }).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Two-pass standard deviation with the given divisor.
fn spread(values: &[f64], divisor: f64) -> f64 {
    let centre = mean(values);
    (values.iter().map(|value| (value - centre) * (value - centre)).sum::<f64>() / divisor).sqrt()
}

/// Smoothing from a seed: the mean of the first `n` values, then `step(last, value)`.
fn smoothed(values: &[f64], n: usize, step: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let mut out = vec![f64::NAN; values.len()];
    if values.len() >= n {
        out[n - 1] = mean(&values[..n]);
        for t in n..values.len() {
            out[t] = step(out[t - 1], values[t]);
        }
    }
    out
}

fn ema(values: &[f64], n: usize) -> Vec<f64> {
    smoothed(values, n, |last, value| (value - last) * (2.0 / (n as f64 + 1.0)) + last)
}

fn wilder(values: &[f64], n: usize) -> Vec<f64> {
    smoothed(values, n, |last, value| (value - last) * (1.0 / n as f64) + last)
}

/// `values` behind `count` NaN.
fn behind(count: usize, values: Vec<f64>, length: usize) -> Vec<f64> {
    let mut out = vec![f64::NAN; count];
    out.extend(values);
    out.truncate(length);
    out.resize(length, f64::NAN);
    out
}

fn assert_close(got: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(got.len(), wanted.len());
    for (t, (a, b)) in got.iter().zip(wanted).enumerate() {
        let same = a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        assert!(same || (a - b).abs() <= tolerance * b.abs().max(1e-3), "at {t}: {a} is not {b}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn sma_is_the_mean_of_the_window_to_the_last_bit(market in market(), n in 1_usize..40) {
        assert_close(&market.feature("sma", &[n as f64]), &windows(&floats(&market.close), n, mean), 0.0);
        assert_close(&market.feature("volume_mean", &[n as f64]), &windows(&floats(&market.volume), n, mean), 0.0);
    }

    #[test]
    fn ema_follows_its_recursion_to_the_last_bit(market in market(), n in 1_usize..40) {
        assert_close(&market.feature("ema", &[n as f64]), &ema(&floats(&market.close), n), 0.0);
    }

    #[test]
    fn deviation_is_that_of_the_window(market in market(), n in 2_usize..40) {
        let wanted = windows(&floats(&market.close), n, |window| spread(window, n as f64));
        assert_close(&market.feature("deviation", &[n as f64]), &wanted, 1e-9);
    }

    #[test]
    fn volatility_is_that_of_the_window(market in market(), n in 2_usize..40) {
        let close = floats(&market.close);
        let returns: Vec<f64> = close.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
        let wanted = windows(&returns, n, |window| spread(window, n as f64 - 1.0));
        assert_close(&market.feature("volatility", &[n as f64]), &behind(1, wanted, close.len()), 1e-9);
    }

    #[test]
    fn highest_and_lowest_are_those_of_the_window(market in market(), n in 1_usize..40) {
        let highest = windows(&floats(&market.high), n, |window| window.iter().copied().fold(f64::MIN, f64::max));
        let lowest = windows(&floats(&market.low), n, |window| window.iter().copied().fold(f64::MAX, f64::min));
        assert_close(&market.feature("highest", &[n as f64]), &highest, 0.0);
        assert_close(&market.feature("lowest", &[n as f64]), &lowest, 0.0);
    }

    #[test]
    fn atr_smooths_the_true_range_to_the_last_bit(market in market(), n in 1_usize..40) {
        let ranges: Vec<f64> = (1..market.close.len())
            .map(|t| {
                let before = market.close[t - 1];
                (market.high[t].max(before) - market.low[t].min(before)) as f64
            })
            .collect();
        assert_close(&market.feature("atr", &[n as f64]), &behind(1, wilder(&ranges, n), market.close.len()), 0.0);
    }

    #[test]
    fn rsi_compares_wilder_averages(market in market(), n in 2_usize..40) {
        let close = floats(&market.close);
        let part = |sign: f64| -> Vec<f64> {
            close.windows(2).map(|pair| (sign * (pair[1] - pair[0])).max(0.0)).collect()
        };
        let wanted: Vec<f64> = wilder(&part(1.0), n)
            .into_iter()
            .zip(wilder(&part(-1.0), n))
            .map(|(gain, loss)| if gain + loss == 0.0 { 50.0 } else { 100.0 - 100.0 / (1.0 + gain / loss) })
            .collect();
        assert_close(&market.feature("rsi", &[n as f64]), &behind(1, wanted, close.len()), 1e-9);
    }

    #[test]
    fn momentum_looks_back_over_the_gap(market in market(), n in 1_usize..40, gap in 0_usize..40) {
        let skip = gap % n;
        let close = floats(&market.close);
        let wanted: Vec<f64> = (0..close.len())
            .map(|t| if t < n { f64::NAN } else { close[t - skip] / close[t - n] - 1.0 })
            .collect();
        assert_close(&market.feature("momentum", &[n as f64, skip as f64]), &wanted, 0.0);
    }

    #[test]
    fn macd_seeds_both_averages_at_one_bar(market in market(), fast in 1_usize..15, more in 1_usize..15, signal in 1_usize..10) {
        let slow = fast + more;
        let close = floats(&market.close);
        let quick = behind(more, ema(close.get(more..).unwrap_or(&[]), fast), close.len());
        let line: Vec<f64> = quick.iter().zip(ema(&close, slow)).map(|(a, b)| a - b).collect();
        let wanted = behind(slow - 1, ema(line.get(slow - 1..).unwrap_or(&[]), signal), close.len());
        assert_close(&market.feature("macd", &[fast as f64, slow as f64]), &line, 0.0);
        assert_close(&market.feature("macd_signal", &[fast as f64, slow as f64, signal as f64]), &wanted, 0.0);
    }

    #[test]
    fn columns_and_single_bars_agree_to_the_last_bit(market in market(), a in 2_usize..20, b in 1_usize..20, c in 1_usize..10) {
        for kind in KINDS {
            let parameters: &[f64] = match kind.name {
                "macd" => &[a as f64, (a + b) as f64],
                "macd_signal" => &[a as f64, (a + b) as f64, c as f64],
                "momentum" => &[(a + b) as f64, a as f64],
                _ => &[a as f64],
            };
            let whole = market.feature(kind.name, parameters);
            let mut feature = Feature::new(kind.name, parameters).expect("valid parameters");
            let warmup = feature.warmup();
            for (t, value) in whole.iter().enumerate() {
                prop_assert_eq!(value.to_bits(), feature.update(&market.bar(t)).to_bits());
                prop_assert_eq!(value.is_nan(), t < warmup, "{} at {}", kind.name, t);
            }
        }
    }
}

#[test]
fn every_kind_builds() {
    for kind in KINDS {
        let parameters: &[f64] = match kind.parameters.len() {
            1 => &[5.0],
            2 if kind.name == "momentum" => &[5.0, 1.0],
            2 => &[5.0, 9.0],
            _ => &[5.0, 9.0, 3.0],
        };
        let feature = Feature::new(kind.name, parameters).expect(kind.name);
        assert_eq!(feature.dimension(), kind.dimension, "{}", kind.name);
    }
    assert!(KINDS.is_sorted_by_key(|kind| kind.name));
}

#[test]
fn errors_say_what_to_change() {
    let said = |name: &str, parameters: &[f64]| Feature::new(name, parameters).expect_err(name).to_string();
    assert!(said("smaa", &[5.0]).starts_with("no feature is called \"smaa\"; there are atr, "));
    assert_eq!(said("sma", &[]), "sma(n) takes 1 parameters, not 0");
    assert_eq!(said("sma", &[2.5]), "sma: n must be a whole number from 1 to 1000000, not 2.5");
    assert_eq!(said("rsi", &[1.0]), "rsi: n must be a whole number from 2 to 1000000, not 1");
    assert_eq!(said("ema", &[f64::NAN]), "ema: n must be a whole number from 1 to 1000000, not NaN");
    assert_eq!(said("macd", &[26.0, 12.0]), "macd: fast (26) must be below slow (12)");
    assert_eq!(said("momentum", &[3.0, 3.0]), "momentum: skip (3) must be below n (3)");

    let ten = [10; 10];
    let bars = Columns { open: &ten, high: &ten, low: &ten[..9], close: &ten, volume: None };
    let short = FeatureError::Length { column: "low", given: 9, expected: 10 };
    assert_eq!(column("sma", &[2.0], &bars), Err(short));
    let bars = Columns { low: &ten, ..bars };
    assert_eq!(column("volume_mean", &[2.0], &bars), Err(FeatureError::NoVolume { name: "volume_mean" }));
    assert!(column("sma", &[2.0], &bars).is_ok());
}

#[test]
fn a_market_that_does_not_move_has_no_spread_and_no_strength() {
    let market = Market::of(1_234_567, &[(0, 0, 0, 5); 50]);
    for (name, wanted) in [("sma", 1_234_567.0), ("deviation", 0.0), ("volatility", 0.0), ("atr", 0.0), ("rsi", 50.0)] {
        let last = *market.feature(name, &[7.0]).last().expect("fifty bars");
        assert_eq!(last, wanted, "{name}");
    }
}

#[test]
fn deviation_of_huge_prices_does_not_cancel() {
    // Around 2^50 the squares leave 2^53 far behind; a float formula would answer 0 or NaN.
    let start = 1_i64 << 50;
    let steps: Vec<_> = (0..100).map(|t| (if t % 2 == 0 { 1 } else { -1 }, 0, 0, 0)).collect();
    let market = Market::of(start, &steps);
    for value in &market.feature("deviation", &[10.0])[9..] {
        assert_eq!(*value, 0.5);
    }
    // The reach of the sums ends in NaN, not in a wrong number.
    let market = Market::of((1 << 53) - 2, &[(0, 0, 0, 0); 40]);
    assert!(market.feature("deviation", &[5.0])[4..].iter().all(|value| value.is_nan()));
}

#[test]
fn sma_has_no_drift_after_a_million_bars() {
    let mut seed = 1_u64;
    let steps: Vec<_> = (0..1_000_000)
        .map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (((seed >> 33) % 2001) as i64 - 1000, 0, 0, 0)
        })
        .collect();
    let market = Market::of(1_000_000_000, &steps);
    let got = market.feature("sma", &[200.0]);
    let last = mean(&floats(&market.close[999_800..]));
    assert_eq!(got[999_999].to_bits(), last.to_bits());
}
