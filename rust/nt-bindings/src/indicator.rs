//! A feature over every instrument of a run, as a strategy holds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use nt_core::{Instrument, Step};
use nt_engine::snapshot::{decode, encode};
use nt_features::{Bar, Feature, Field, Kind, Unit};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

use crate::features::refused;

/// One output of a feature for each instrument; made by `Strategy.feature` in `on_start`.
///
/// `value` and `previous` belong to the instrument whose bar is being delivered, and are NaN while the feature warms up.
#[pyclass(module = "neural_trader._core")]
pub struct Indicator {
    instruments: Vec<Scale>,
    readings: Arc<[Reading]>,
    /// Rank of the instrument whose bar is being delivered, shared with the engine.
    current: Arc<AtomicUsize>,
}

/// The value of a feature for one instrument, now and one bar earlier, in ticks and lots.
///
/// The engine writes it and a handle reads it in the same thread. It is atomic so that neither has to borrow from the other.
struct Reading {
    value: AtomicU64,
    previous: AtomicU64,
}

impl Reading {
    fn new() -> Self {
        let nothing = || AtomicU64::new(f64::NAN.to_bits());
        Self { value: nothing(), previous: nothing() }
    }

    #[inline]
    fn set(&self, value: f64) {
        self.previous.store(self.value.load(Ordering::Relaxed), Ordering::Relaxed);
        self.value.store(value.to_bits(), Ordering::Relaxed);
    }

    #[inline]
    fn value(&self) -> f64 {
        f64::from_bits(self.value.load(Ordering::Relaxed))
    }

    #[inline]
    fn previous(&self) -> f64 {
        f64::from_bits(self.previous.load(Ordering::Relaxed))
    }
}

/// What an instrument's ticks and lots are worth in a feature's unit.
struct Scale {
    symbol: String,
    /// Numerator and denominator that turn ticks and lots into decimal units; 1 and 1 for plain numbers.
    mantissa: f64,
    divisor: f64,
}

impl Scale {
    fn new(instrument: &Instrument, unit: Unit) -> Self {
        let mut state = Self { symbol: instrument.symbol.clone(), mantissa: 1.0, divisor: 1.0 };
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
    name: &'static str,
    parameters: Vec<f64>,
    series: Option<String>,
    fields: Vec<Field>,
    features: Vec<Box<dyn Feature>>,
    handles: Vec<Py<Indicator>>,
    readings: Vec<Arc<[Reading]>>,
    row: Vec<f64>,
    values: Vec<f64>,
}

/// A feature over every instrument as it is saved: what it is, its state of each, and of every output the values now and one
/// bar earlier of each.
#[derive(Serialize, Deserialize)]
struct Saved {
    name: String,
    parameters: Vec<f64>,
    series: Option<String>,
    features: Vec<Vec<u8>>,
    values: Vec<Vec<(f64, f64)>>,
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
        let field = series.map(|name| Field::named(name).ok_or_else(|| no_field(name))).transpose()?;
        let fields = kind.fields(field).map_err(refused)?;
        let instruments: Vec<_> = instruments.collect();
        let features: Vec<_> =
            instruments.iter().map(|_| kind.build(parameters)).collect::<Result<_, _>>().map_err(refused)?;
        let (mut named, mut readings) = (Vec::new(), Vec::new());
        for (at, output) in kind.outputs.iter().enumerate() {
            let unit = kind.unit(at, &fields);
            let scales = instruments.iter().map(|instrument| Scale::new(instrument, unit)).collect();
            let shared: Arc<[Reading]> = instruments.iter().map(|_| Reading::new()).collect();
            let handle = Indicator { instruments: scales, readings: shared.clone(), current: current.clone() };
            named.push((output.name, Py::new(py, handle)?));
            readings.push(shared);
        }
        let (row, values) = (vec![0.0; fields.len()], vec![f64::NAN; named.len()]);
        let handles = named.iter().map(|(_, handle)| handle.clone_ref(py)).collect();
        let (name, parameters, series) = (kind.name, parameters.to_vec(), series.map(str::to_owned));
        Ok((Self { name, parameters, series, fields, features, handles, readings, row, values }, named))
    }

    /// The handles of its outputs.
    pub fn handles(&self) -> &[Py<Indicator>] {
        &self.handles
    }

    /// What it is, and its state, as they are saved.
    pub fn saved(&self) -> PyResult<Vec<u8>> {
        let features =
            self.features.iter().map(|feature| feature.saved()).collect::<Result<_, _>>().map_err(refused)?;
        let values =
            |readings: &Arc<[Reading]>| readings.iter().map(|reading| (reading.value(), reading.previous())).collect();
        let values = self.readings.iter().map(values).collect();
        let (name, parameters, series) = (self.name.to_owned(), self.parameters.clone(), self.series.clone());
        let saved = Saved { name, parameters, series, features, values };
        encode(&saved).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// One over these instruments, of what was saved.
    pub fn of_saved<'a>(
        py: Python<'_>,
        saved: &[u8],
        instruments: impl Iterator<Item = &'a Instrument>,
        current: &Arc<AtomicUsize>,
    ) -> PyResult<Self> {
        let saved: Saved = decode(saved).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let (mut running, _) =
            Self::new(py, &saved.name, &saved.parameters, saved.series.as_deref(), instruments, current)?;
        let (features, outputs) = (running.features.len(), running.readings.len());
        let fits = saved.features.len() == features && saved.values.len() == outputs;
        if !fits || saved.values.iter().any(|values| values.len() != features) {
            return Err(PyValueError::new_err("an indicator is of other instruments"));
        }
        for (feature, state) in running.features.iter_mut().zip(&saved.features) {
            feature.load(state).map_err(refused)?;
        }
        for (readings, values) in running.readings.iter().zip(&saved.values) {
            for (reading, &(value, previous)) in readings.iter().zip(values) {
                reading.set(previous);
                reading.set(value);
            }
        }
        Ok(running)
    }

    /// Takes the next bar of an instrument.
    #[inline]
    pub fn update(&mut self, instrument: usize, bar: &Bar) {
        for (at, field) in self.fields.iter().enumerate() {
            self.row[at] = bar.field(*field);
        }
        self.features[instrument].update(&self.row, &mut self.values);
        for (at, readings) in self.readings.iter().enumerate() {
            readings[instrument].set(self.values[at]);
        }
    }
}

fn no_field(name: &str) -> PyErr {
    PyValueError::new_err(format!("bars have no {name:?}; they have open, high, low, close, volume and time"))
}

impl Indicator {
    /// The scale and the reading of the instrument whose bar is being delivered.
    #[inline]
    fn current(&self) -> (&Scale, &Reading) {
        let at = self.current.load(Ordering::Relaxed);
        (&self.instruments[at], &self.readings[at])
    }

    /// Signs of the difference to a line, before and now.
    fn difference(&self, other: &Line<'_>) -> PyResult<(f64, f64)> {
        let (scale, reading) = self.current();
        Ok(match other {
            // Ticks are compared with ticks, so that equal averages are equal whatever the tick is worth.
            Line::Indicator(other) => {
                let line = other.try_borrow()?;
                let (other_scale, line) = line.current();
                if (other_scale.mantissa, other_scale.divisor) == (scale.mantissa, scale.divisor) {
                    (reading.previous() - line.previous(), reading.value() - line.value())
                } else {
                    (
                        scale.scaled(reading.previous()) - other_scale.scaled(line.previous()),
                        scale.scaled(reading.value()) - other_scale.scaled(line.value()),
                    )
                }
            }
            Line::Level(level) => (scale.scaled(reading.previous()) - level, scale.scaled(reading.value()) - level),
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
        let (scale, reading) = self.current();
        scale.scaled(reading.value())
    }

    /// The value one bar earlier.
    #[getter]
    fn previous(&self) -> f64 {
        let (scale, reading) = self.current();
        scale.scaled(reading.previous())
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
            Ok(at) => Ok(self.instruments[at].scaled(self.readings[at].value())),
            Err(_) => Err(PyKeyError::new_err(symbol.to_owned())),
        }
    }
}
