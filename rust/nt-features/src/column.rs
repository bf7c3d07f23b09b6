//! A feature over whole columns, by the same code as one bar at a time.

use crate::{Bar, Feature, FeatureError, Kind};

/// Columns of bars: prices in ticks, volume in lots.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    /// First prices.
    pub open: &'a [i64],
    /// Highest prices.
    pub high: &'a [i64],
    /// Lowest prices.
    pub low: &'a [i64],
    /// Last prices.
    pub close: &'a [i64],
    /// Quantities traded, where the source has them.
    pub volume: Option<&'a [i64]>,
}

/// The value of a feature at every bar; the first [`Feature::warmup`] of them are NaN.
pub fn column(name: &str, parameters: &[f64], bars: &Columns<'_>) -> Result<Vec<f64>, FeatureError> {
    let feature = Feature::new(name, parameters)?;
    let volume = bars.volume.unwrap_or(bars.close);
    for (column, values) in [("open", bars.open), ("high", bars.high), ("low", bars.low), ("volume", volume)] {
        if values.len() != bars.close.len() {
            return Err(FeatureError::Length { column, given: values.len(), expected: bars.close.len() });
        }
    }
    // The match stands outside the loops, so that each loop is compiled for one feature and holds its state in registers.
    Ok(match feature {
        Feature::Atr(mut atr) => ranges(bars, |bar| atr.update(bar)),
        Feature::Deviation(mut feature) => values(bars.close, |close| feature.update(close)),
        Feature::Ema(mut feature) => values(bars.close, |close| feature.update(close)),
        Feature::Highest(mut feature) => values(bars.high, |high| feature.update(high)),
        Feature::Lowest(mut feature) => values(bars.low, |low| feature.update(low)),
        Feature::Macd(mut feature) => values(bars.close, |close| feature.update(close)),
        Feature::MacdSignal(mut feature) => values(bars.close, |close| feature.update(close)),
        Feature::Momentum(mut feature) => values(bars.close, |close| feature.update(close)),
        Feature::Rsi(mut feature) => values(bars.close, |close| feature.update(close)),
        Feature::Sma(mut feature) => values(bars.close, |close| feature.update(close)),
        Feature::Volatility(mut feature) => values(bars.close, |close| feature.update(close)),
        Feature::VolumeMean(mut feature) => match bars.volume {
            Some(volume) => values(volume, |lots| feature.update(lots)),
            None => {
                return Err(FeatureError::NoVolume { name: Kind::named(name)?.name });
            }
        },
    })
}

fn values(input: &[i64], mut update: impl FnMut(f64) -> f64) -> Vec<f64> {
    input.iter().map(|&count| update(count as f64)).collect()
}

fn ranges(bars: &Columns<'_>, mut update: impl FnMut(&Bar) -> f64) -> Vec<f64> {
    bars.high
        .iter()
        .zip(bars.low)
        .zip(bars.close)
        .map(|((&high, &low), &close)| {
            // The true range reads neither the open nor the volume.
            update(&Bar { open: f64::NAN, high: high as f64, low: low as f64, close: close as f64, volume: f64::NAN })
        })
        .collect()
}
