//! Bindings of nt-book: the ladder of levels and the book of orders, their measures and their drawings.
//!
//! Prices are ticks and quantities lots; a side is 1 for bids and -1 for asks, as in an order's side.

use nt_book::{
    BookError, Depth, KrakenScale, Level, Measure, RestingOrder, Side, Updates, columns, draw, draw_orders,
    levels_from_text, orders_from_text,
};
use nt_core::Step;
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Levels as they cross: price and quantity.
type Levels = Vec<(i64, i64)>;

/// A measure as it is asked for: its name and its parameters.
type Asked = (String, Vec<f64>);

/// Adds the classes to the extension module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Ladder>()?;
    module.add_class::<OrderBook>()
}

fn refused(error: BookError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn side_of(side: i64) -> PyResult<Side> {
    match side {
        1 => Ok(Side::Buy),
        -1 => Ok(Side::Sell),
        given => Err(refused(BookError::Side { given })),
    }
}

fn pair(level: Level) -> (i64, i64) {
    (level.price, level.quantity)
}

fn best_of(book: &impl Depth, side: i64) -> PyResult<Option<(i64, i64)>> {
    Ok(book.best(side_of(side)?).map(pair))
}

fn levels_of(book: &impl Depth, side: i64, depth: Option<usize>) -> PyResult<Levels> {
    Ok(book.levels(side_of(side)?).take(depth.unwrap_or(usize::MAX)).map(pair).collect())
}

fn measured(book: &impl Depth, name: &str, parameters: &[f64]) -> PyResult<f64> {
    Ok(Measure::named(name, parameters).map_err(refused)?.of(book))
}

fn grid_of(grid: Option<[(i64, u8); 2]>) -> PyResult<Option<(Step, Step)>> {
    let step = |(mantissa, decimals)| {
        Step::new(mantissa, decimals).map_err(|error: nt_core::Error| PyValueError::new_err(error.to_string()))
    };
    grid.map(|[tick, lot]| Ok((step(tick)?, step(lot)?))).transpose()
}

/// An L2 book: the quantity at each price of both sides.
#[pyclass(module = "neural_trader._core")]
pub struct Ladder {
    book: nt_book::Ladder,
}

#[pymethods]
impl Ladder {
    /// An empty ladder, fastest within so many ticks of the market, from 4,096 to 262,144.
    #[new]
    #[pyo3(signature = (window=262_144))]
    fn new(window: usize) -> Self {
        Self { book: nt_book::Ladder::with_window(window) }
    }

    /// The ladder of a drawing.
    #[staticmethod]
    fn from_text(text: &str) -> PyResult<Self> {
        let [bids, asks] = levels_from_text(text).map_err(refused)?;
        let mut book = nt_book::Ladder::new();
        book.load(&bids, &asks).map_err(refused)?;
        Ok(Self { book })
    }

    /// Says what rests at a price from now on, zero for nothing; returns what did before.
    fn set(&mut self, side: i64, price: i64, quantity: i64) -> PyResult<i64> {
        self.book.set(side_of(side)?, price, quantity).map_err(refused)
    }

    /// Replaces everything by a snapshot.
    fn load(&mut self, bids: Levels, asks: Levels) -> PyResult<()> {
        let levels = |side: Levels| side.into_iter().map(|(price, quantity)| Level { price, quantity });
        self.book.load(&levels(bids).collect::<Vec<_>>(), &levels(asks).collect::<Vec<_>>()).map_err(refused)
    }

    /// Keeps the best levels of each side; returns how many went.
    fn truncate(&mut self, depth: usize) -> usize {
        self.book.truncate(depth)
    }

    /// Forgets every level.
    fn clear(&mut self) {
        self.book.clear();
    }

    /// The best price of a side and its quantity.
    fn best(&self, side: i64) -> PyResult<Option<(i64, i64)>> {
        best_of(&self.book, side)
    }

    /// What rests at a price.
    fn quantity_at(&self, side: i64, price: i64) -> PyResult<i64> {
        Ok(self.book.quantity_at(side_of(side)?, price))
    }

    /// Levels of a side as price and quantity, the best first.
    #[pyo3(signature = (side, depth=None))]
    fn levels(&self, side: i64, depth: Option<usize>) -> PyResult<Levels> {
        levels_of(&self.book, side, depth)
    }

    /// How many levels a side has.
    fn count(&self, side: i64) -> PyResult<usize> {
        Ok(self.book.count(side_of(side)?))
    }

    /// Whether the best bid is at or above the best ask.
    fn is_crossed(&self) -> bool {
        self.book.is_crossed()
    }

    /// A measure of the book, NaN where it has none.
    #[pyo3(signature = (name, *parameters))]
    fn measure(&self, name: &str, parameters: Vec<f64>) -> PyResult<f64> {
        measured(&self.book, name, &parameters)
    }

    /// Plays a stream of updates and returns what each measure is after every event, a column for each.
    #[pyo3(signature = (measures, side, price, quantity, ends=None, depth=None))]
    #[allow(clippy::too_many_arguments, reason = "one argument per column")]
    fn play<'py>(
        &mut self,
        py: Python<'py>,
        measures: Vec<Asked>,
        side: PyReadonlyArray1<'py, i8>,
        price: PyReadonlyArray1<'py, i64>,
        quantity: PyReadonlyArray1<'py, i64>,
        ends: Option<PyReadonlyArray1<'py, i64>>,
        depth: Option<usize>,
    ) -> PyResult<Vec<Bound<'py, PyArray1<f64>>>> {
        let named = |(name, parameters): &Asked| Measure::named(name, parameters);
        let measures = measures.iter().map(named).collect::<Result<Vec<_>, _>>().map_err(refused)?;
        let updates = Updates {
            side: side.as_slice()?,
            price: price.as_slice()?,
            quantity: quantity.as_slice()?,
            ends: ends.as_ref().map(PyReadonlyArray1::as_slice).transpose()?,
        };
        let played: Vec<_> = measures.iter().map(|_| PyArray1::zeros(py, updates.events(), false)).collect();
        {
            let mut writers: Vec<_> = played.iter().map(|column| column.readwrite()).collect();
            let mut out = writers.iter_mut().map(|writer| writer.as_slice_mut()).collect::<Result<Vec<_>, _>>()?;
            let book = &mut self.book;
            py.detach(|| columns(book, &updates, depth, &measures, &mut out)).map_err(refused)?;
        }
        Ok(played)
    }

    /// Kraken's CRC-32 of the ten best levels; the scales are units of the last printed decimal in one tick and one lot.
    #[pyo3(signature = (price_scale=1, quantity_scale=1))]
    fn kraken_checksum(&self, price_scale: i64, quantity_scale: i64) -> PyResult<u32> {
        KrakenScale { price: price_scale, quantity: quantity_scale }.checksum(&self.book).map_err(refused)
    }

    /// The best levels as a table, in ticks and lots; with tick and lot as (mantissa, decimals), in decimals.
    #[pyo3(signature = (depth=10, grid=None))]
    fn draw(&self, depth: usize, grid: Option<[(i64, u8); 2]>) -> PyResult<String> {
        Ok(draw(&self.book, depth, grid_of(grid)?))
    }

    /// Compares the ladder with itself; an error says what contradicts.
    fn check_invariants(&self) -> PyResult<()> {
        self.book.check_invariants().map_err(refused)
    }
}

/// An L3 book: every order by its number, in queues of first in, first out.
#[pyclass(module = "neural_trader._core")]
pub struct OrderBook {
    book: nt_book::OrderBook,
}

#[pymethods]
impl OrderBook {
    /// An empty book.
    #[new]
    fn new() -> Self {
        Self { book: nt_book::OrderBook::new() }
    }

    /// The book of a drawing; its orders are numbered from 1 as one reads.
    #[staticmethod]
    fn from_text(text: &str) -> PyResult<Self> {
        let mut book = nt_book::OrderBook::new();
        for order in orders_from_text(text).map_err(refused)? {
            book.add(order).map_err(refused)?;
        }
        Ok(Self { book })
    }

    /// Puts an order behind all others at its price; returns the quantity ahead of it.
    #[pyo3(signature = (id, side, price, quantity, own=false))]
    fn add(&mut self, id: u64, side: i64, price: i64, quantity: i64, own: bool) -> PyResult<i64> {
        self.book.add(RestingOrder { id, side: side_of(side)?, price, quantity, own }).map_err(refused)
    }

    /// Takes an order out; returns what was left of it.
    fn cancel(&mut self, id: u64) -> PyResult<i64> {
        Ok(self.book.cancel(id).map_err(refused)?.quantity)
    }

    /// Fills an order; returns what is left of it.
    fn fill(&mut self, id: u64, quantity: i64) -> PyResult<i64> {
        self.book.fill(id, quantity).map_err(refused)
    }

    /// Gives an order another price or quantity; returns whether it kept its place.
    fn amend(&mut self, id: u64, price: i64, quantity: i64) -> PyResult<bool> {
        self.book.amend(id, price, quantity).map_err(refused)
    }

    /// What stands before an order: how many orders, their quantity, and the part of it that is our own.
    fn queue_ahead(&self, id: u64) -> PyResult<(usize, i64, i64)> {
        let ahead = self.book.queue_ahead(id).map_err(refused)?;
        Ok((ahead.orders, ahead.quantity, ahead.own))
    }

    /// The orders at a price as number, quantity and whether it is our own, in the order of their priority.
    fn orders_at(&self, side: i64, price: i64) -> PyResult<Vec<(u64, i64, bool)>> {
        Ok(self.book.orders_at(side_of(side)?, price).map(|order| (order.id, order.quantity, order.own)).collect())
    }

    /// What rests at a price and is our own.
    fn own_quantity_at(&self, side: i64, price: i64) -> PyResult<i64> {
        Ok(self.book.own_quantity_at(side_of(side)?, price))
    }

    /// Forgets every order.
    fn clear(&mut self) {
        self.book.clear();
    }

    /// The best price of a side and the quantity there.
    fn best(&self, side: i64) -> PyResult<Option<(i64, i64)>> {
        best_of(&self.book, side)
    }

    /// What rests at a price.
    fn quantity_at(&self, side: i64, price: i64) -> PyResult<i64> {
        Ok(self.book.quantity_at(side_of(side)?, price))
    }

    /// Levels of a side as price and quantity, the best first.
    #[pyo3(signature = (side, depth=None))]
    fn levels(&self, side: i64, depth: Option<usize>) -> PyResult<Levels> {
        levels_of(&self.book, side, depth)
    }

    /// How many orders rest.
    fn __len__(&self) -> usize {
        self.book.orders()
    }

    /// Whether the best bid is at or above the best ask.
    fn is_crossed(&self) -> bool {
        self.book.is_crossed()
    }

    /// A measure of the book, NaN where it has none.
    #[pyo3(signature = (name, *parameters))]
    fn measure(&self, name: &str, parameters: Vec<f64>) -> PyResult<f64> {
        measured(&self.book, name, &parameters)
    }

    /// The best levels as a table, with the orders of each in the order of their priority, our own with a star.
    #[pyo3(signature = (depth=10))]
    fn draw(&self, depth: usize) -> String {
        draw_orders(&self.book, depth)
    }

    /// Compares the book with itself; an error says what contradicts.
    fn check_invariants(&self) -> PyResult<()> {
        self.book.check_invariants().map_err(refused)
    }
}
