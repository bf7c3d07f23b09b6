//! Errors of the engine as Python exceptions; their classes live in `neural_trader.errors`.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// Turns an engine error into `neural_trader.errors.EngineError`.
pub fn raise(py: Python<'_>, error: &nt_core::Error) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    match CLASS.import(py, "neural_trader.errors", "EngineError") {
        Ok(class) => PyErr::from_type(class.clone(), error.to_string()),
        Err(import_error) => import_error,
    }
}
