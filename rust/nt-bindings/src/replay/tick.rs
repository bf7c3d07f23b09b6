//! A trade or a quote as a strategy is handed it.

use nt_core::record::{ASK, BID};
use nt_core::{Record, Step};
use pyo3::prelude::*;
use pyo3::types::PyString;

/// A trade or a quote as it arrived here, in decimal units.
#[pyclass(module = "neural_trader._core", frozen)]
pub struct Tick {
    pub(super) record: Record,
    pub(super) time_ns: i64,
    pub(super) symbol: Py<PyString>,
    /// Tick and lot.
    pub(super) scales: (Step, Step),
}

#[pymethods]
impl Tick {
    /// The instrument.
    #[getter]
    fn symbol(&self, py: Python<'_>) -> Py<PyString> {
        self.symbol.clone_ref(py)
    }

    /// When it arrived here, UTC nanoseconds.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.time_ns
    }

    /// When it happened, as the venue says; 0 if it does not.
    #[getter]
    fn venue_ns(&self) -> i64 {
        self.record.ts_event_ns
    }

    /// The price.
    #[getter]
    fn price(&self) -> f64 {
        self.scales.0.value_of(self.record.price as f64)
    }

    /// The quantity.
    #[getter]
    fn quantity(&self) -> f64 {
        self.scales.1.value_of(self.record.quantity as f64)
    }

    /// 1 for a bid or where the buyer took, -1 for an ask or where the seller did, 0 where that is unknown.
    #[getter]
    fn side(&self) -> i64 {
        i64::from(self.record.flags & BID != 0) - i64::from(self.record.flags & ASK != 0)
    }

    /// The venue's own number.
    #[getter]
    fn id(&self) -> u64 {
        self.record.id
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let symbol = self.symbol.bind(py).to_string();
        format!("Tick({symbol} {} @ {}, side {})", self.quantity(), self.price(), self.side())
    }
}
