//! nt-features for Python.

use nt_features::graph::Across;
use nt_features::{FAMILIES, FeatureError, Kind, Neighbours, Parameter, Set, Unfolding};
use numpy::{IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

pub fn refused(error: FeatureError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Every output of a feature at every row, from one column for each input; NaN while it warms up.
#[pyfunction]
fn feature_columns<'py>(
    py: Python<'py>,
    name: &str,
    parameters: Vec<f64>,
    inputs: Vec<PyReadonlyArray1<'py, f64>>,
) -> PyResult<Vec<Bound<'py, PyArray1<f64>>>> {
    let inputs: Vec<&[f64]> = inputs.iter().map(PyReadonlyArray1::as_slice).collect::<Result<_, _>>()?;
    let kind = Kind::named(name).map_err(refused)?;
    let columns = py.detach(|| kind.columns(&parameters, &inputs)).map_err(refused)?;
    Ok(columns.into_iter().map(|column| column.into_pyarray(py)).collect())
}

/// Columns set beside each other: rows up to each of `ends` are one time; NaN where it makes nothing.
#[pyfunction]
fn across_rows<'py>(
    py: Python<'py>,
    name: &str,
    numbers: Vec<f64>,
    ends: PyReadonlyArray1<'py, i64>,
    columns: Vec<PyReadonlyArray1<'py, f64>>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let columns: Vec<&[f64]> = columns.iter().map(PyReadonlyArray1::as_slice).collect::<Result<_, _>>()?;
    let ends = ends.as_slice()?;
    let made = py.detach(|| Across::columns(name, &numbers, ends, &columns)).map_err(refused)?;
    Ok(made.into_pyarray(py))
}

/// How many rows a feature needs before its first value, less one.
#[pyfunction]
fn feature_warmup(name: &str, parameters: Vec<f64>) -> PyResult<usize> {
    let feature = Kind::named(name).and_then(|kind| kind.build(&parameters)).map_err(refused)?;
    Ok(feature.warmup())
}

/// Every feature, in the order of families: a row of the table as a dictionary.
#[pyfunction]
fn feature_table(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let mut rows = Vec::new();
    for family in FAMILIES {
        for kind in family.kinds {
            rows.push(row(py, family.name, kind)?);
        }
    }
    Ok(rows)
}

fn row<'py>(py: Python<'py>, family: &str, kind: &'static Kind) -> PyResult<Bound<'py, PyDict>> {
    let inputs: Vec<_> = kind.inputs.iter().map(|input| (input.name, input.field.map(|field| field.name()))).collect();
    let number = |Parameter { name, whole, least, most, default }: &Parameter| (*name, *whole, *least, *most, *default);
    let parameters: Vec<_> = kind.parameters.iter().map(number).collect();
    // What has no place on bars has no unit there either.
    let fields = kind.fields(None).ok();
    let unit = |at: usize| fields.as_ref().map(|fields| kind.unit(at, fields).name());
    let outputs: Vec<_> = kind.outputs.iter().enumerate().map(|(at, output)| (output.name, unit(at))).collect();
    let row = PyDict::new(py);
    row.set_item("name", kind.name)?;
    row.set_item("family", family)?;
    row.set_item("inputs", inputs)?;
    row.set_item("parameters", parameters)?;
    row.set_item("outputs", outputs)?;
    row.set_item("line", kind.line)?;
    row.set_item("source", kind.source)?;
    Ok(row)
}

/// The largest Lyapunov exponent of a series, per row; NaN where no line can be drawn.
#[pyfunction]
fn lyapunov_exponent(
    py: Python<'_>,
    series: PyReadonlyArray1<'_, f64>,
    dimension: usize,
    lag: usize,
    exclusion: usize,
    steps: usize,
) -> PyResult<f64> {
    let series = series.as_slice()?;
    Ok(py.detach(|| nt_features::lyapunov(series, Unfolding { dimension, lag, exclusion, steps })))
}

/// Of each window, by the row at which it ends: the distance to its nearest neighbour among the windows before, and the row at
/// which that ends; the same among the windows after. NaN and -1 where there is none.
#[pyfunction]
fn matrix_profile<'py>(
    py: Python<'py>,
    series: PyReadonlyArray1<'py, f64>,
    n: usize,
    exclusion: usize,
) -> PyResult<Sides<'py>> {
    let series = series.as_slice()?;
    let found = py.detach(|| nt_features::matrix_profile(series, n, exclusion));
    let arrays = |side: Neighbours| (side.distance.into_pyarray(py), side.neighbour.into_pyarray(py));
    Ok((arrays(found.left), arrays(found.right)))
}

/// Distances and rows, of the windows before and of those after.
type Sides<'py> = (Side<'py>, Side<'py>);
type Side<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<i64>>);

/// Features that are updated together; each is a name, parameters and the places of its inputs in a row.
#[pyclass(module = "neural_trader._core")]
struct FeatureRunner {
    set: Set,
    row: Vec<f64>,
    out: Py<PyArray1<f64>>,
}

#[pymethods]
impl FeatureRunner {
    #[new]
    fn new(py: Python<'_>, features: Vec<(String, Vec<f64>, Vec<usize>)>) -> PyResult<Self> {
        let named: Vec<_> =
            features.iter().map(|(name, given, inputs)| (name.as_str(), &given[..], &inputs[..])).collect();
        let set = Set::new(&named).map_err(refused)?;
        let out = vec![f64::NAN; set.outputs()].into_pyarray(py).unbind();
        Ok(Self { row: vec![0.0; set.inputs()], set, out })
    }

    /// How many rows come before all features have values.
    #[getter]
    fn warmup(&self) -> usize {
        self.set.warmup()
    }

    /// Takes the next row and returns the outputs, in an array that the next call overwrites.
    fn update<'py>(&mut self, py: Python<'py>, row: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        if row.len() != self.row.len() {
            return Err(wrong_length("a row", "numbers", row.len(), self.row.len()));
        }
        for (place, number) in self.row.iter_mut().zip(row) {
            *place = number.extract()?;
        }
        let out = self.out.bind(py);
        self.set.update(&self.row, out.try_readwrite()?.as_slice_mut()?);
        Ok(out.clone())
    }

    /// Takes whole columns and returns those of the outputs.
    fn columns<'py>(
        &mut self,
        py: Python<'py>,
        inputs: Vec<PyReadonlyArray1<'py, f64>>,
    ) -> PyResult<Vec<Bound<'py, PyArray1<f64>>>> {
        let inputs: Vec<&[f64]> = inputs.iter().map(PyReadonlyArray1::as_slice).collect::<Result<_, _>>()?;
        if inputs.len() != self.row.len() {
            return Err(wrong_length("a set", "columns", inputs.len(), self.row.len()));
        }
        if let Some(other) = inputs.iter().find(|column| column.len() != inputs[0].len()) {
            return Err(wrong_length("a column", "rows", other.len(), inputs[0].len()));
        }
        let set = &mut self.set;
        let columns = py.detach(|| set.columns(&inputs));
        Ok(columns.into_iter().map(|column| column.into_pyarray(py)).collect())
    }

    /// Forgets every row.
    fn restart(&mut self) {
        self.set.restart();
    }
}

fn wrong_length(what: &str, of: &str, given: usize, expected: usize) -> PyErr {
    PyValueError::new_err(format!("{what} has {given} {of} where {expected} are expected"))
}

/// Adds this room to the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<FeatureRunner>()?;
    module.add_function(wrap_pyfunction!(across_rows, module)?)?;
    module.add_function(wrap_pyfunction!(feature_columns, module)?)?;
    module.add_function(wrap_pyfunction!(feature_table, module)?)?;
    module.add_function(wrap_pyfunction!(feature_warmup, module)?)?;
    module.add_function(wrap_pyfunction!(lyapunov_exponent, module)?)?;
    module.add_function(wrap_pyfunction!(matrix_profile, module)?)
}
