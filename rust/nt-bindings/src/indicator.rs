//! A feature over every instrument of a run, as a strategy holds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nt_core::{Instrument, Step};
use nt_features::{Bar, Feature, Field, Kind, Unit};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;

use crate::features::refused;

/// One output of a feature for each instrument; made by `Strategy.feature` in `on_start`.
///
/// `value` and `previous` belong to the instrument whose bar is being delivered, and are NaN while the feature warms up.
#[pyclass(module = "neural_trader._core")]
pub struct Indicator {
    instruments: Vec<InstrumentState>,
    /// Rank of the instrument whose bar is being delivered, shared with the engine.
    current: Arc<AtomicUsize>,
}

struct InstrumentState {
    symbol: String,
    /// Numerator and denominator that turn ticks and lots into decimal units; 1 and 1 for plain numbers.
    mantissa: f64,
    divisor: f64,
    value: f64,
    previous: f64,
}

impl InstrumentState {
    fn new(instrument: &Instrument, unit: Unit) -> Self {
        let mut state = Self {
            symbol: instrument.symbol.clone(),
            mantissa: 1.0,
            divisor: 1.0,
            value: f64::NAN,
            previous: f64::NAN,
        };
        state.scale(instrument.tick, unit.price);
        state.scale(instrument.lot, unit.volume);
        state
    }

    fn scale(&mut self, step: Step, power: i32) {
        let (mantissa, divisor) = (step.mantissa as f64, 10_f64.powi(i32::from(step.decimals)));
        for _ in 0..power.abs() {
            let (above, below) = if power > 0 { (mantissa, divisor) } else { (divisor, mantissa) };
            self.mantissa *= above;
            self.divisor *= below;
        }
    }

    #[inline]
    fn scaled(&self, value: f64) -> f64 {
        value * self.mantissa / self.divisor
    }
}

/// A feature over every instrument of a run, and the handles that its outputs are read through.
pub struct Running {
    fields: Vec<Field>,
    features: Vec<Box<dyn Feature>>,
    handles: Vec<Py<Indicator>>,
    row: Vec<f64>,
    values: Vec<f64>,
}

/// The handles of a feature's outputs, and their names.
pub type Outputs = Vec<(&'static str, Py<Indicator>)>;

impl Running {
    /// A feature by name; `series` is the field of a bar that its first input reads, where that is not the usual one.
    pub fn new<'a>(
        py: Python<'_>,
        name: &str,
        parameters: &[f64],
        series: Option<&str>,
        instruments: impl Iterator<Item = &'a Instrument>,
        current: &Arc<AtomicUsize>,
    ) -> PyResult<(Self, Outputs)> {
        let kind = Kind::named(name).map_err(refused)?;
        let series = series.map(|name| Field::named(name).ok_or_else(|| no_field(name))).transpose()?;
        let fields = kind.fields(series).map_err(refused)?;
        let instruments: Vec<_> = instruments.collect();
        let features: Vec<_> =
            instruments.iter().map(|_| kind.build(parameters)).collect::<Result<_, _>>().map_err(refused)?;
        let mut named = Vec::new();
        for (at, output) in kind.outputs.iter().enumerate() {
            let unit = kind.unit(at, &fields);
            let states = instruments.iter().map(|instrument| InstrumentState::new(instrument, unit)).collect();
            named.push((output.name, Py::new(py, Indicator { instruments: states, current: current.clone() })?));
        }
        let handles = named.iter().map(|(_, handle)| handle.clone_ref(py)).collect();
        let (row, values) = (vec![0.0; fields.len()], vec![f64::NAN; named.len()]);
        Ok((Self { fields, features, handles, row, values }, named))
    }

    /// Takes the next bar of an instrument.
    #[inline]
    pub fn update(&mut self, py: Python<'_>, instrument: usize, bar: &Bar) -> PyResult<()> {
        for (place, field) in self.row.iter_mut().zip(&self.fields) {
            *place = bar.field(*field);
        }
        self.features[instrument].update(&self.row, &mut self.values);
        for (handle, value) in self.handles.iter().zip(&self.values) {
            let mut handle = handle.bind(py).try_borrow_mut()?;
            let state = &mut handle.instruments[instrument];
            state.previous = state.value;
            state.value = *value;
        }
        Ok(())
    }
}

fn no_field(name: &str) -> PyErr {
    PyValueError::new_err(format!("bars have no {name:?}; they have open, high, low, close and volume"))
}

impl Indicator {
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

/// A step as its numerator and its denominator.
pub fn scale(step: nt_core::Step) -> (f64, f64) {
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
