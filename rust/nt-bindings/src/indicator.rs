//! A feature over every instrument of a run, as a strategy holds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nt_core::Instrument;
use nt_engine::snapshot::{decode, encode};
use nt_features::{Bar, Dimension, Feature};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

/// The value of a feature for each instrument; made by `Strategy.indicator` in `on_start`.
///
/// `value` and `previous` belong to the instrument whose bar is being delivered, and are NaN while the feature warms up.
#[pyclass(module = "neural_trader._core")]
pub struct Indicator {
    instruments: Vec<InstrumentState>,
    /// Rank of the instrument whose bar is being delivered, shared with the engine.
    current: Arc<AtomicUsize>,
}

#[derive(Serialize, Deserialize)]
struct InstrumentState {
    symbol: String,
    feature: Feature,
    /// Numerator and denominator that turn ticks or lots into decimal units; 1 and 1 for plain numbers.
    mantissa: f64,
    divisor: f64,
    value: f64,
    previous: f64,
}

impl InstrumentState {
    #[inline]
    fn scaled(&self, value: f64) -> f64 {
        value * self.mantissa / self.divisor
    }
}

impl Indicator {
    pub fn new<'a>(
        name: &str,
        parameters: &[f64],
        instruments: impl Iterator<Item = &'a Instrument>,
        current: Arc<AtomicUsize>,
    ) -> PyResult<Self> {
        let feature = Feature::new(name, parameters).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let state = |instrument: &Instrument| {
            let (mantissa, divisor) = match feature.dimension() {
                Dimension::Price => scale(instrument.tick),
                Dimension::Volume => scale(instrument.lot),
                Dimension::Ratio => (1.0, 1.0),
            };
            InstrumentState {
                symbol: instrument.symbol.clone(),
                feature: feature.clone(),
                mantissa,
                divisor,
                value: f64::NAN,
                previous: f64::NAN,
            }
        };
        Ok(Indicator { instruments: instruments.map(state).collect(), current })
    }

    /// Its state, as it is saved.
    pub fn saved(&self) -> PyResult<Vec<u8>> {
        encode(&self.instruments).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// One over these instruments, of a state that was saved.
    pub fn of_saved<'a>(
        state: &[u8],
        mut instruments: impl ExactSizeIterator<Item = &'a Instrument>,
        current: Arc<AtomicUsize>,
    ) -> PyResult<Self> {
        let wrong = |what: &str| PyValueError::new_err(what.to_owned());
        let saved: Vec<InstrumentState> = decode(state).map_err(|error| wrong(&error.to_string()))?;
        let fits = saved.len() == instruments.len()
            && saved.iter().all(|state| instruments.next().is_some_and(|known| known.symbol == state.symbol));
        if fits {
            Ok(Indicator { instruments: saved, current })
        } else {
            Err(wrong("an indicator is of other instruments"))
        }
    }

    #[inline]
    pub fn update(&mut self, instrument: usize, bar: &Bar) {
        let state = &mut self.instruments[instrument];
        state.previous = state.value;
        state.value = state.feature.update(bar);
    }

    #[inline]
    fn current(&self) -> &InstrumentState {
        &self.instruments[self.current.load(Ordering::Relaxed)]
    }

    /// Signs of the difference to a line, before and now.
    fn difference(&self, other: &Line<'_>) -> PyResult<(f64, f64)> {
        let state = self.current();
        Ok(match other {
            // Ticks are compared with ticks, so that equal averages are equal whatever the tick is worth.
            Line::Indicator(other) => {
                let line = other.try_borrow()?;
                let line = line.current();
                if (line.mantissa, line.divisor) == (state.mantissa, state.divisor) {
                    (state.previous - line.previous, state.value - line.value)
                } else {
                    (
                        state.scaled(state.previous) - line.scaled(line.previous),
                        state.scaled(state.value) - line.scaled(line.value),
                    )
                }
            }
            Line::Level(level) => (state.scaled(state.previous) - level, state.scaled(state.value) - level),
        })
    }
}

fn scale(step: nt_core::Step) -> (f64, f64) {
    (step.mantissa as f64, 10_f64.powi(i32::from(step.decimals)))
}

/// What an indicator can cross.
#[derive(FromPyObject)]
enum Line<'py> {
    Indicator(Bound<'py, Indicator>),
    Level(f64),
}

#[pymethods]
impl Indicator {
    /// The value at the bar being delivered.
    #[getter]
    fn value(&self) -> f64 {
        let state = self.current();
        state.scaled(state.value)
    }

    /// The value one bar earlier.
    #[getter]
    fn previous(&self) -> f64 {
        let state = self.current();
        state.scaled(state.previous)
    }

    /// Whether it is above a line now and was not at the bar before.
    fn crosses_above(&self, line: Line<'_>) -> PyResult<bool> {
        let (before, now) = self.difference(&line)?;
        Ok(now > 0.0 && before <= 0.0)
    }

    /// Whether it is below a line now and was not at the bar before.
    fn crosses_below(&self, line: Line<'_>) -> PyResult<bool> {
        let (before, now) = self.difference(&line)?;
        Ok(now < 0.0 && before >= 0.0)
    }

    fn __float__(&self) -> f64 {
        self.value()
    }

    fn __getitem__(&self, symbol: &str) -> PyResult<f64> {
        match self.instruments.binary_search_by(|state| state.symbol.as_str().cmp(symbol)) {
            Ok(at) => Ok(self.instruments[at].scaled(self.instruments[at].value)),
            Err(_) => Err(PyKeyError::new_err(symbol.to_owned())),
        }
    }
}
