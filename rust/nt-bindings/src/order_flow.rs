//! Bindings of nt-feed's random order flow and of the collapse of an L3 feed into an L2 feed.
//!
//! Records cross as arrays of bytes, 48 for each, which numpy reads in place with the dtype `EVENT`.

use nt_book::BookError;
use nt_feed::event::{EVENT_BYTES, Event};
use nt_feed::{order_collapse, order_flow};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

type Bytes<'py> = Bound<'py, PyArray1<u8>>;

/// Rate and decay of limit orders, their reach, rates of market orders and cancellations, sizes of limit and market
/// orders.
type Parameters = (f64, f64, u32, f64, f64, f64, f64);

/// Adds the classes to the extension module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<OrderStream>()?;
    module.add_class::<OrderCollapse>()?;
    module.add("ORDER_FLOW_VERSION", order_flow::VERSION)
}

/// The records of a random market, block by block.
#[pyclass(module = "neural_trader._core")]
pub struct OrderStream {
    stream: order_flow::OrderStream,
}

#[pymethods]
impl OrderStream {
    /// `span_ns` is the time of the snapshot, and the time before which the stream ends.
    #[new]
    fn new(parameters: Parameters, seed: u64, name: &str, start: i64, span_ns: (i64, i64)) -> PyResult<Self> {
        let (limit_rate, decay, reach, market_rate, cancel_rate, limit_size, market_size) = parameters;
        let flow =
            order_flow::OrderFlow { limit_rate, decay, reach, market_rate, cancel_rate, limit_size, market_size };
        let stream =
            order_flow::OrderStream::new(flow, seed, name, start, span_ns).map_err(PyValueError::new_err::<String>)?;
        Ok(Self { stream })
    }

    /// Room for so many records, and how many of them there are; fewer only at the end.
    fn read<'py>(&mut self, py: Python<'py>, records: usize) -> PyResult<(Bytes<'py>, usize)> {
        let block = PyArray1::zeros(py, records * EVENT_BYTES, false);
        let mut count = 0;
        {
            let mut writer = block.readwrite();
            let room = writer.as_slice_mut()?;
            let stream = &mut self.stream;
            py.detach(|| {
                for (place, event) in room.chunks_exact_mut(EVENT_BYTES).zip(stream) {
                    place.copy_from_slice(&event.to_bytes());
                    count += 1;
                }
            });
        }
        Ok((block, count))
    }
}

/// An L3 feed as the L2 feed of the same market.
#[pyclass(module = "neural_trader._core")]
pub struct OrderCollapse {
    collapse: order_collapse::OrderCollapse,
}

#[pymethods]
impl OrderCollapse {
    /// A collapse of one instrument's feed from its beginning.
    #[new]
    fn new() -> Self {
        Self { collapse: order_collapse::OrderCollapse::new() }
    }

    /// Takes in records; returns what an L2 feed says of the actions that they complete.
    fn push<'py>(&mut self, py: Python<'py>, records: PyReadonlyArray1<'py, u8>) -> PyResult<Bytes<'py>> {
        let (given, rest) = records.as_slice()?.as_chunks::<EVENT_BYTES>();
        if !rest.is_empty() {
            return Err(PyValueError::new_err(format!("records are of {EVENT_BYTES} bytes; {} are left", rest.len())));
        }
        let collapse = &mut self.collapse;
        let told = py.detach(|| collapsed(collapse, given)).map_err(PyValueError::new_err::<String>)?;
        let block = PyArray1::zeros(py, told.len() * EVENT_BYTES, false);
        {
            let mut writer = block.readwrite();
            for (place, event) in writer.as_slice_mut()?.chunks_exact_mut(EVENT_BYTES).zip(&told) {
                place.copy_from_slice(&event.to_bytes());
            }
        }
        Ok(block)
    }
}

fn collapsed(collapse: &mut order_collapse::OrderCollapse, given: &[[u8; EVENT_BYTES]]) -> Result<Vec<Event>, String> {
    let mut told = Vec::new();
    for (row, bytes) in given.iter().enumerate() {
        let event = Event::from_bytes(bytes).ok_or_else(|| format!("row {row}: no record has kind {}", bytes[46]))?;
        collapse.push(&event, &mut told).map_err(|error| BookError::Row { row, error: Box::new(error) }.to_string())?;
    }
    Ok(told)
}
