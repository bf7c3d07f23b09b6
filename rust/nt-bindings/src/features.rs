//! nt-features for Python.

use nt_features::{Columns, FeatureError, KINDS};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

fn refused(error: FeatureError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// The value of a feature at every bar, from columns of ticks and lots; NaN while it warms up.
#[pyfunction]
#[pyo3(signature = (name, parameters, open, high, low, close, volume=None))]
#[allow(clippy::too_many_arguments, reason = "one argument per column")]
fn feature_column<'py>(
    py: Python<'py>,
    name: &str,
    parameters: Vec<f64>,
    open: PyReadonlyArray1<'py, i64>,
    high: PyReadonlyArray1<'py, i64>,
    low: PyReadonlyArray1<'py, i64>,
    close: PyReadonlyArray1<'py, i64>,
    volume: Option<PyReadonlyArray1<'py, i64>>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let volume = volume.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    let columns = Columns {
        open: open.as_slice()?,
        high: high.as_slice()?,
        low: low.as_slice()?,
        close: close.as_slice()?,
        volume,
    };
    let values = py.detach(|| nt_features::column(name, &parameters, &columns)).map_err(refused)?;
    Ok(values.into_pyarray(py))
}

/// Every feature: its name, the names of its parameters, its dimension and one line about it.
#[pyfunction]
fn feature_names(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let table = PyDict::new(py);
    for kind in KINDS {
        let parameters = PyTuple::new(py, kind.parameters.iter().map(|parameter| parameter.name))?;
        table.set_item(kind.name, (parameters, kind.dimension.name(), kind.line))?;
    }
    Ok(table)
}

/// Adds this room to the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(feature_column, module)?)?;
    module.add_function(wrap_pyfunction!(feature_names, module)?)
}
