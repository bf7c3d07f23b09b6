//! The Python extension `neural_trader._core`: each binding converts, calls and maps the error.
use pyo3::prelude::*;

mod features;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    features::register(module)?;
    Ok(())
}
