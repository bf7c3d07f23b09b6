//! The Python extension `neural_trader._core`: each binding converts, calls and maps the error.
use pyo3::prelude::*;

mod account;
mod aggregate;
mod bars;
mod book;
mod columns;
mod digests;
mod drive;
mod engine;
mod error;
mod features;
mod feed;
mod formula;
mod indicator;
mod journal;
mod models;
mod native;
mod order_flow;
mod pieces;
mod replay;
mod request;
mod snapshot;
mod solver;
mod sweep;
mod traders;
mod venues;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    aggregate::register(module)?;
    book::register(module)?;
    engine::register(module)?;
    features::register(module)?;
    feed::register(module)?;
    journal::register(module)?;
    models::register(module)?;
    order_flow::register(module)?;
    replay::register(module)?;
    snapshot::register(module)?;
    solver::register(module)?;
    sweep::register(module)?;
    traders::register(module)?;
    venues::register(module)?;
    Ok(())
}
