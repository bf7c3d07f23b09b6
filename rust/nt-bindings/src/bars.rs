//! Bars on both sides of the border: numpy columns as the engine borrows them, and the bar that a strategy is handed.

use nt_core::{Bars, Instrument, Step};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::raise;

/// The columns of one instrument, kept alive for as long as the engine is.
pub struct Columns {
    open_ns: Py<PyArray1<i64>>,
    pub(crate) close_ns: Py<PyArray1<i64>>,
    open: Py<PyArray1<i64>>,
    high: Py<PyArray1<i64>>,
    low: Py<PyArray1<i64>>,
    close: Py<PyArray1<i64>>,
    volume: Option<Py<PyArray1<i64>>>,
    spread: Option<Py<PyArray1<i64>>>,
}

/// Columns held for reading, in the order of `Bars`.
pub type Held<'py> = [Option<PyReadonlyArray1<'py, i64>>; 8];

impl Columns {
    /// The columns of a Python `Bars`.
    pub fn of(bars: &Bound<'_, PyAny>) -> PyResult<Self> {
        let column = |name: &str| -> PyResult<Py<PyArray1<i64>>> { Ok(bars.getattr(name)?.extract()?) };
        let optional = |name: &str| -> PyResult<Option<Py<PyArray1<i64>>>> { Ok(bars.getattr(name)?.extract()?) };
        Ok(Columns {
            open_ns: column("open_ns")?,
            close_ns: column("close_ns")?,
            open: column("open")?,
            high: column("high")?,
            low: column("low")?,
            close: column("close")?,
            volume: optional("volume")?,
            spread: optional("spread")?,
        })
    }

    /// The same columns, held once more.
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        let [open_ns, close_ns, open, high, low, close] =
            [&self.open_ns, &self.close_ns, &self.open, &self.high, &self.low, &self.close]
                .map(|each| each.clone_ref(py));
        let [volume, spread] = [&self.volume, &self.spread].map(|each| each.as_ref().map(|each| each.clone_ref(py)));
        Columns { open_ns, close_ns, open, high, low, close, volume, spread }
    }

    /// Whether the bars have a volume.
    pub fn has_volume(&self) -> bool {
        self.volume.is_some()
    }

    /// Holds the columns for reading, so that Python cannot write to them meanwhile.
    pub fn hold<'py>(&self, py: Python<'py>) -> Held<'py> {
        let hold = |column: &Py<PyArray1<i64>>| Some(column.bind(py).readonly());
        [
            hold(&self.open_ns),
            hold(&self.close_ns),
            hold(&self.open),
            hold(&self.high),
            hold(&self.low),
            hold(&self.close),
            self.volume.as_ref().and_then(hold),
            self.spread.as_ref().and_then(hold),
        ]
    }
}

/// Borrows held columns as bars, after checking that they are contiguous and of one length.
pub fn borrow_bars<'a>(held: &'a [Held<'_>]) -> PyResult<Vec<Bars<'a>>> {
    held.iter()
        .map(|columns| {
            let mut slices: [&[i64]; 8] = [&[]; 8];
            for (slice, column) in slices.iter_mut().zip(columns) {
                if let Some(column) = column {
                    *slice = column.as_slice()?;
                }
            }
            let [open_ns, close_ns, open, high, low, close, volume, spread] = slices;
            let bars = Bars { first: 0, open_ns, close_ns, open, high, low, close, volume, spread };
            let optional = [volume, spread];
            if [close_ns, open, high, low, close].iter().any(|column| column.len() != bars.len())
                || optional.iter().any(|column| !column.is_empty() && column.len() != bars.len())
            {
                return Err(pyo3::exceptions::PyValueError::new_err("the columns of bars differ in length"));
            }
            Ok(bars)
        })
        .collect()
}

/// The instrument of a Python `Bars`.
pub fn instrument_of(bars: &Bound<'_, PyAny>) -> PyResult<Instrument> {
    let instrument = Instrument::new(bars.getattr("symbol")?.extract()?, step_of(bars, "tick")?, step_of(bars, "lot")?);
    instrument.map_err(|error| raise(bars.py(), &error))
}

/// The tick or lot of a Python `Bars`.
fn step_of(bars: &Bound<'_, PyAny>, name: &str) -> PyResult<Step> {
    let (mantissa, decimals): (i64, u8) = bars.getattr(name)?.extract()?;
    Step::new(mantissa, decimals).map_err(|error| raise(bars.py(), &error))
}

/// The bar that indicators read, in ticks and lots.
#[inline]
pub fn feature_bar(bars: &Bars<'_>, index: usize) -> nt_features::Bar {
    let at = index - bars.first;
    nt_features::Bar {
        open: bars.open[at] as f64,
        high: bars.high[at] as f64,
        low: bars.low[at] as f64,
        close: bars.close[at] as f64,
        volume: bars.volume.get(at).map_or(f64::NAN, |&lots| lots as f64),
        time: nt_features::instant(bars.open_ns[at]),
    }
}

/// A closed bar as a strategy sees it; prices and volume in decimal units.
#[pyclass(frozen, module = "neural_trader._core")]
pub struct Bar {
    /// Rank of the symbol among those of the run.
    #[pyo3(get)]
    instrument: usize,
    /// Zero-based position among the bars of its instrument.
    #[pyo3(get)]
    index: usize,
    /// When it closed: UTC nanoseconds since the epoch.
    #[pyo3(get)]
    time_ns: i64,
    symbol: Py<PyString>,
    ticks: [i64; 4],
    lots: i64,
    tick: (f64, f64),
    lot: (f64, f64),
}

impl Bar {
    /// Bar `index` of an instrument; `scales` are numerator and denominator of its tick and of its lot.
    #[inline]
    pub fn new(
        bars: &Bars<'_>,
        instrument: usize,
        index: usize,
        symbol: Py<PyString>,
        (tick, lot): ((f64, f64), (f64, f64)),
    ) -> Self {
        let row = index - bars.first;
        Bar {
            instrument,
            index,
            time_ns: bars.close_ns[row],
            symbol,
            ticks: [bars.open[row], bars.high[row], bars.low[row], bars.close[row]],
            lots: bars.volume.get(row).copied().unwrap_or(0),
            tick,
            lot,
        }
    }

    #[inline]
    fn price(&self, at: usize) -> f64 {
        self.ticks[at] as f64 * self.tick.0 / self.tick.1
    }
}

#[pymethods]
impl Bar {
    /// The instrument's symbol.
    #[getter]
    fn symbol(&self, py: Python<'_>) -> Py<PyString> {
        self.symbol.clone_ref(py)
    }

    /// First price.
    #[getter]
    fn open(&self) -> f64 {
        self.price(0)
    }

    /// Highest price.
    #[getter]
    fn high(&self) -> f64 {
        self.price(1)
    }

    /// Lowest price.
    #[getter]
    fn low(&self) -> f64 {
        self.price(2)
    }

    /// Last price.
    #[getter]
    fn close(&self) -> f64 {
        self.price(3)
    }

    /// Volume in units of the instrument; 0 where the data has none.
    #[getter]
    fn volume(&self) -> f64 {
        self.lots as f64 * self.lot.0 / self.lot.1
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!(
            "Bar({} time_ns={} open={} high={} low={} close={} volume={})",
            self.symbol.bind(py),
            self.time_ns,
            self.open(),
            self.high(),
            self.low(),
            self.close(),
            self.volume()
        )
    }
}
