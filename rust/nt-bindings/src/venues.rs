//! Bindings of nt-feed's venues: messages and captures in, fixed records out.
//!
//! Records cross as one `bytes` object of 48 bytes each, which numpy reads in place with the dtype of `EVENT_FIELDS`.

use nt_book::{Depth, Level, Side};
use nt_core::Step;
use nt_feed::capture;
use nt_feed::description::{self, Description};
use nt_feed::event::{self, EVENT_BYTES, EventKind};
use nt_feed::feed::{Feed, Settings, Tally, Venue};
use nt_feed::instrument::{Grid, Instruments};
use nt_feed::malformed::{Malformed, Report};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// Tick and lot, each a mantissa and its decimals, and the decimals of prices and quantities in the venue's texts.
type GridParts = ((i64, u8), (i64, u8), u8, u8);

/// A fault, the byte at which it is, which message it was, when that was received, and its first bytes.
type Fault<'py> = (&'static str, usize, u64, i64, Bound<'py, PyBytes>);

/// Adds the class and the functions to the extension module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<VenueFeed>()?;
    module.add_function(wrap_pyfunction!(instruments_of, module)?)?;
    module.add("EVENT_KINDS", names(EventKind::NAMES.map(|(kind, name)| (name, kind as u8)), module.py())?)?;
    let flags = [
        ("bid", event::BID),
        ("ask", event::ASK),
        ("last", event::LAST),
        ("final", event::FINAL),
        ("unsized", event::UNSIZED),
        ("before", event::BEFORE),
    ];
    module.add("EVENT_FLAGS", names(flags, module.py())?)?;
    module.add("VENUES", Venue::NAMES.map(|(_, name)| name).to_vec())?;
    Ok(())
}

fn names<'py, const N: usize>(pairs: [(&'static str, u8); N], py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in pairs {
        dict.set_item(name, value)?;
    }
    Ok(dict)
}

fn venue_of(name: &str) -> PyResult<Venue> {
    Venue::named(name).ok_or_else(|| {
        let known = Venue::NAMES.map(|(_, name)| name).join(", ");
        PyValueError::new_err(format!("no venue is called {name:?}; there are {known}"))
    })
}

fn grid_of(parts: GridParts) -> PyResult<Grid> {
    let step =
        |(mantissa, decimals)| Step::new(mantissa, decimals).map_err(|error| PyValueError::new_err(error.to_string()));
    Ok(Grid { tick: step(parts.0)?, lot: step(parts.1)?, price_decimals: parts.2, quantity_decimals: parts.3 })
}

fn parts_of(grid: Grid) -> GridParts {
    let step = |step: Step| (step.mantissa, step.decimals);
    (step(grid.tick), step(grid.lot), grid.price_decimals, grid.quantity_decimals)
}

fn raised(fault: Malformed) -> PyErr {
    PyValueError::new_err((fault.kind.code(), fault.offset))
}

fn side_of(bids: bool) -> Side {
    if bids { Side::Buy } else { Side::Sell }
}

/// What a venue says of its instruments, as dictionaries, and the symbols that were left out.
#[pyfunction]
fn instruments_of<'py>(
    py: Python<'py>,
    venue: &str,
    document: &[u8],
) -> PyResult<(Vec<Bound<'py, PyDict>>, Vec<String>)> {
    let venue = venue_of(venue)?;
    let described = py.detach(|| description::instruments_of(venue, document)).map_err(raised)?;
    let instruments = described.instruments.iter().map(|one| described_as(py, one)).collect::<PyResult<_>>()?;
    Ok((instruments, described.left_out))
}

fn described_as<'py>(py: Python<'py>, one: &Description) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let (tick, lot, price_decimals, quantity_decimals) = parts_of(one.grid);
    dict.set_item("symbol", &one.symbol)?;
    dict.set_item("base", &one.base)?;
    dict.set_item("quote", &one.quote)?;
    dict.set_item("tick", tick)?;
    dict.set_item("lot", lot)?;
    dict.set_item("price_decimals", price_decimals)?;
    dict.set_item("quantity_decimals", quantity_decimals)?;
    dict.set_item("quantity_min", &one.quantity_min)?;
    dict.set_item("notional_min", &one.notional_min)?;
    dict.set_item("tradable", one.tradable)?;
    Ok(dict)
}

/// A connection to a venue: messages in, joined and numbered records out.
#[pyclass(module = "neural_trader._core")]
pub struct VenueFeed {
    feed: Feed,
}

#[pymethods]
impl VenueFeed {
    /// Instruments are `(symbol, (tick, lot, price_decimals, quantity_decimals))`; symbols that are not among them go on
    /// the grid of `fallback`, or are refused without one.
    #[new]
    #[allow(clippy::too_many_arguments, reason = "one keyword per setting of a feed")]
    #[pyo3(signature = (venue, instruments, *, fallback = None, depth = None, silence_ns = None, book_silence_ns = None,
                        counts_connection = true, joins = true))]
    fn new(
        venue: &str,
        instruments: Vec<(String, GridParts)>,
        fallback: Option<GridParts>,
        depth: Option<usize>,
        silence_ns: Option<i64>,
        book_silence_ns: Option<i64>,
        counts_connection: bool,
        joins: bool,
    ) -> PyResult<Self> {
        let venue = venue_of(venue)?;
        let mut known = Instruments::new(fallback.map(grid_of).transpose()?);
        for (symbol, grid) in instruments {
            if known.add(symbol.as_bytes(), grid_of(grid)?).is_none() {
                return Err(PyValueError::new_err(format!("there are too many instruments for {symbol:?}")));
            }
        }
        let defaults = Settings::of(venue);
        let settings = Settings {
            depth: depth.unwrap_or(defaults.depth),
            silence_ns: silence_ns.unwrap_or(defaults.silence_ns),
            book_silence_ns: book_silence_ns.unwrap_or(defaults.book_silence_ns),
            counts_connection,
            joins,
        };
        Ok(Self { feed: Feed::new(venue, known, settings) })
    }

    /// Takes in one message of the stream.
    fn message(&mut self, ts_recv_ns: i64, message: &[u8]) {
        self.feed.message(ts_recv_ns, message);
    }

    /// Takes in an answer to a request about one instrument, such as a snapshot.
    fn answer(&mut self, symbol: &str, ts_recv_ns: i64, message: &[u8]) -> PyResult<()> {
        let number = self.feed.instruments_mut().number(symbol.as_bytes(), 0).map_err(raised)?;
        self.feed.answer(number, ts_recv_ns, message);
        Ok(())
    }

    /// Takes in whole lines of a capture, and returns how many there were.
    fn lines(&mut self, py: Python<'_>, text: &[u8]) -> usize {
        py.detach(|| capture::feed_lines(&mut self.feed, text))
    }

    /// Takes in a document `{"init": message, "updates": [message...]}`, and returns how many messages there were.
    fn document(&mut self, py: Python<'_>, document: &[u8]) -> PyResult<usize> {
        py.detach(|| capture::feed_document(&mut self.feed, document)).map_err(raised)
    }

    /// Says that the connection was made anew.
    fn reconnected(&mut self, ts_recv_ns: i64) {
        self.feed.reconnected(ts_recv_ns);
    }

    /// Says what time it is where no message comes.
    fn at_time(&mut self, ts_recv_ns: i64) {
        self.feed.at_time(ts_recv_ns);
    }

    /// The records since the last call, 48 bytes each.
    fn take<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let events = self.feed.events();
        let bytes = PyBytes::new_with(py, events.len() * EVENT_BYTES, |target| {
            for (event, target) in events.iter().zip(target.chunks_exact_mut(EVENT_BYTES)) {
                target.copy_from_slice(&event.to_bytes());
            }
            Ok(())
        })?;
        self.feed.clear_events();
        Ok(bytes)
    }

    /// The malformed messages since the last call: code, offset, number of the message, receive time, first bytes.
    fn faults<'py>(&mut self, py: Python<'py>) -> Vec<Fault<'py>> {
        let fault = |report: Report| {
            let first = PyBytes::new(py, report.first_bytes());
            (report.fault.kind.code(), report.fault.offset, report.message, report.ts_recv_ns, first)
        };
        self.feed.take_reports().into_iter().map(fault).collect()
    }

    /// Symbols and their grids in the order of their numbers.
    #[getter]
    fn instruments(&self) -> Vec<(String, GridParts)> {
        let known = self.feed.instruments();
        let count = u16::try_from(known.len()).unwrap_or(u16::MAX);
        let one = |number| (String::from_utf8_lossy(known.symbol(number)).into_owned(), parts_of(known.grid(number)));
        (0..count).map(one).collect()
    }

    /// How many messages there were, and how many of them of which kind.
    #[getter]
    fn tally<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let Tally { messages, bytes, malformed, ignored, repeated, trades_repeated, checksums } = self.feed.tally();
        let dict = PyDict::new(py);
        let counts = [
            ("messages", messages),
            ("bytes", bytes),
            ("malformed", malformed),
            ("ignored", ignored),
            ("repeated", repeated),
            ("trades_repeated", trades_repeated),
            ("checksums", checksums),
        ];
        for (name, count) in counts {
            dict.set_item(name, count)?;
        }
        Ok(dict)
    }

    /// The best `depth` levels of one side of a book as `(price, quantity)`, or None while the book cannot be trusted.
    fn levels(&mut self, symbol: &str, bids: bool, depth: usize) -> Option<Vec<(i64, i64)>> {
        let number = self.feed.instruments_mut().find(symbol.as_bytes())?;
        let pair = |level: Level| (level.price, level.quantity);
        Some(self.feed.book(number)?.levels(side_of(bids)).take(depth).map(pair).collect())
    }

    /// The venue's id of the last update in a book, or None while the book cannot be trusted.
    fn book_id(&mut self, symbol: &str) -> Option<u64> {
        let number = self.feed.instruments_mut().find(symbol.as_bytes())?;
        self.feed.book(number).map(|_| self.feed.book_id(number))
    }
}
