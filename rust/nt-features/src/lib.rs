//! Features of one instrument's bars: one definition that runs bar by bar and over whole columns.
//!
//! Laws of this crate:
//!
//! * Prices are counts of ticks and volumes counts of lots, passed as whole `f64` numbers. As long as
//!   `window * largest price < 2^53` every rolling sum is exact, so it neither drifts nor depends on where the data began.
//! * Only `+ - * /`, `sqrt` and comparisons are used. IEEE 754 rounds each of them correctly, so the same bars give the
//!   same bits on every machine. `ln`, `exp` and `pow` have no such promise and are absent.
//! * A feature is NaN until it has seen [`Feature::warmup`] bars and a number from the next bar on.
//! * Nothing is allocated after construction, and an update costs amortised constant time whatever the window.
//! * [`column`] calls the same `update` as the engine does, so that a sweep and a replay see the same bits.
//!
//! The definition that these are held against is `neural_trader.baseline.indicators`, in plain Python.

mod average;
mod column;
mod error;
mod extreme;
mod feature;
pub mod graph;
mod kinds;
mod oscillator;
mod spread;

pub use average::{Ema, Macd, MacdSignal, Sma};
pub use column::{Columns, column};
pub use error::FeatureError;
pub use extreme::{Atr, Highest, Lowest};
pub use feature::{Bar, Feature};
pub use kinds::{Dimension, KINDS, Kind, MAX_WINDOW, Parameter};
pub use oscillator::{Momentum, Rsi};
pub use spread::{Deviation, Volatility};
