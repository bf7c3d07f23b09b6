//! Any feature by name, one bar at a time.

use serde::{Deserialize, Serialize};

use crate::{
    Atr, Deviation, Dimension, Ema, FeatureError, Highest, Kind, Lowest, Macd, MacdSignal, Momentum, Rsi, Sma,
    Volatility,
};

/// One bar: prices in ticks and volume in lots, as whole numbers below `2^53`. Volume is NaN where the source has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Quantity traded.
    pub volume: f64,
}

/// A feature of bars, and its state. Each kind is defined at the struct that it holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant is named after the documented struct that it holds")]
pub enum Feature {
    Atr(Atr),
    Deviation(Deviation),
    Ema(Ema),
    Highest(Highest),
    Lowest(Lowest),
    Macd(Macd),
    MacdSignal(MacdSignal),
    Momentum(Momentum),
    Rsi(Rsi),
    Sma(Sma),
    Volatility(Volatility),
    /// [`Sma`] of the volume.
    VolumeMean(Sma),
}

impl Feature {
    /// Builds a feature from its name in [`crate::KINDS`] and its parameters, in order.
    pub fn new(name: &str, parameters: &[f64]) -> Result<Self, FeatureError> {
        let kind = Kind::named(name)?;
        let whole = kind.checked(parameters)?;
        let [first, second, third] = whole;
        match kind.name {
            "macd" | "macd_signal" => kind.ascending(&whole, 0, 1)?,
            "momentum" => kind.ascending(&whole, 1, 0)?,
            _ => (),
        }
        Ok(match kind.name {
            "atr" => Self::Atr(Atr::new(first)),
            "deviation" => Self::Deviation(Deviation::new(first)),
            "ema" => Self::Ema(Ema::new(first)),
            "highest" => Self::Highest(Highest::new(first)),
            "lowest" => Self::Lowest(Lowest::new(first)),
            "macd" => Self::Macd(Macd::new(first, second)),
            "macd_signal" => Self::MacdSignal(MacdSignal::new(first, second, third)),
            "momentum" => Self::Momentum(Momentum::new(first, second)),
            "rsi" => Self::Rsi(Rsi::new(first)),
            "sma" => Self::Sma(Sma::new(first)),
            "volatility" => Self::Volatility(Volatility::new(first)),
            "volume_mean" => Self::VolumeMean(Sma::new(first)),
            // The table and this list are held together by the test `every_kind_builds`.
            _ => {
                return Err(FeatureError::Unknown { name: name.to_owned() });
            }
        })
    }

    /// Takes the next bar and returns the feature's value as of its close, NaN while it warms up.
    #[inline]
    pub fn update(&mut self, bar: &Bar) -> f64 {
        match self {
            Self::Atr(feature) => feature.update(bar),
            Self::Deviation(feature) => feature.update(bar.close),
            Self::Ema(feature) => feature.update(bar.close),
            Self::Highest(feature) => feature.update(bar.high),
            Self::Lowest(feature) => feature.update(bar.low),
            Self::Macd(feature) => feature.update(bar.close),
            Self::MacdSignal(feature) => feature.update(bar.close),
            Self::Momentum(feature) => feature.update(bar.close),
            Self::Rsi(feature) => feature.update(bar.close),
            Self::Sma(feature) => feature.update(bar.close),
            Self::Volatility(feature) => feature.update(bar.close),
            Self::VolumeMean(feature) => feature.update(bar.volume),
        }
    }

    /// What the value counts: ticks, lots, or nothing.
    pub fn dimension(&self) -> Dimension {
        match self {
            Self::Momentum(_) | Self::Rsi(_) | Self::Volatility(_) => Dimension::Ratio,
            Self::VolumeMean(_) => Dimension::Volume,
            _ => Dimension::Price,
        }
    }

    /// How many bars give NaN before the first value.
    pub fn warmup(&self) -> usize {
        match self {
            Self::Atr(feature) => feature.warmup(),
            Self::Deviation(feature) => feature.warmup(),
            Self::Ema(feature) => feature.warmup(),
            Self::Highest(feature) => feature.warmup(),
            Self::Lowest(feature) => feature.warmup(),
            Self::Macd(feature) => feature.warmup(),
            Self::MacdSignal(feature) => feature.warmup(),
            Self::Momentum(feature) => feature.warmup(),
            Self::Rsi(feature) => feature.warmup(),
            Self::Sma(feature) | Self::VolumeMean(feature) => feature.warmup(),
            Self::Volatility(feature) => feature.warmup(),
        }
    }
}
