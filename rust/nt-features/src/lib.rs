//! Features of price series: one definition that runs event by event and over whole columns.
//!
//! Laws of this crate:
//!
//! * Only `+ - * /`, `sqrt` and comparisons are used, and logarithms and exponentials made of them. IEEE 754 rounds each
//!   of them correctly, so the same numbers give the same bits on every machine. The functions of platforms have no such
//!   promise and are absent.
//! * A feature takes named inputs, any series of numbers, and gives named outputs. [`Kind`] is a row of the table of
//!   features, and a row is all that the rest of the engine knows of one: bindings, command line, documents.
//! * A row of inputs with something that is no number (NaN, infinite, or beyond [`LARGEST`]) gives NaN, and the feature
//!   starts anew with the next row, as if nothing had been before. So a value depends on rows of numbers alone.
//! * A feature is NaN for the first [`Feature::warmup`] rows since it began. From then on it is a number, except where its
//!   formula has none (a division by nothing), which its definition says.
//! * Nothing is allocated after construction. An update costs amortised constant time whatever the window, or the
//!   logarithm of the window where values are ranked; only `cci`, whose formula asks for it, goes through its window, and
//!   patterns through what they compare.
//! * Nothing is ever taken off a sum: [`window`] says how windows slide without it. So sums do not drift, a value that has
//!   left a window has left no trace, and sums of whole numbers below `2^53`, such as counts of ticks, are exact.
//! * [`Feature::columns`] calls the same update as the engine does, so a sweep and a replay see the same bits.
//!
//! The definition that these are held against is `neural_trader.baseline.features`, in plain Python.

mod average;
mod calendar;
mod channel;
mod chaos;
mod error;
mod feature;
pub mod graph;
mod kind;
mod microstructure;
mod momentum;
mod order;
mod oscillator;
mod pair;
mod pattern;
mod profile;
mod recent;
mod returns;
mod set;
mod statistics;
mod volatility;
mod volume;
mod window;

pub use chaos::{Unfolding, lyapunov};
pub use error::FeatureError;
pub use feature::{Bar, Feature, LARGEST, instant};
pub use kind::{FAMILIES, Family, Field, Input, Kind, MAX_WINDOW, Output, Parameter, Unit, kinds};
pub use profile::{Neighbours, Profile, exclusion, matrix_profile};
pub use set::Set;
