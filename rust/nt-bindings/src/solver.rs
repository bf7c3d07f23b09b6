//! Bindings of nt-solver: matrices that stay where numpy has them, questions about them, and solutions that are kept.

use std::sync::{Mutex, OnceLock};

use nt_solver::{
    Certificate, Dominance, Kind, Matrix, Owned, Question, Scratch, Side, SolverError, Tracked, Walks, backward,
    bicgstab, bidirectional, conjugate_gradient, entry, forward, neumann, solve, walks,
};
use numpy::{IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1, ToPyArray};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

/// Adds the classes to the extension module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SolverMatrix>()?;
    module.add_class::<SolverTracked>()
}

/// What is wrong with a matrix is an error of data, what is wrong with a question one of its use.
fn refused(py: Python<'_>, error: &SolverError) -> PyErr {
    static DATA: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static USAGE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let (class, name) = match error {
        SolverError::Parameter { .. } | SolverError::Index { .. } | SolverError::ColumnsOnly { .. } => {
            (&USAGE, "UsageError")
        }
        _ => (&DATA, "DataError"),
    };
    match class.import(py, "neural_trader.errors", name) {
        Ok(class) => PyErr::from_type(class.clone(), error.to_string()),
        Err(import_error) => import_error,
    }
}

fn certificate_of<'py>(py: Python<'py>, known: &Certificate, reason: &str) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("method", known.method.name())?;
    dict.set_item("reason", reason)?;
    dict.set_item("residual", known.residual)?;
    dict.set_item("bound_before", known.bound_before)?;
    dict.set_item("bound", known.bound)?;
    dict.set_item("confidence", known.confidence)?;
    dict.set_item("rows", known.rows)?;
    dict.set_item("entries", known.entries)?;
    dict.set_item("iterations", known.iterations)?;
    Ok(dict)
}

/// Long work without the interpreter: Ctrl-C ends it, and `progress` hears what share is done.
fn watched<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&mut dyn FnMut(f64) -> bool) -> Result<T, SolverError> + Send,
) -> PyResult<T> {
    let mut stopped: Option<PyErr> = None;
    let done = {
        let stopped = &mut stopped;
        py.detach(move || {
            work(&mut |share| {
                let asked = Python::attach(|py| {
                    py.check_signals()?;
                    progress.as_ref().map(|progress| progress.call1(py, (share,))).transpose()
                });
                asked.map_err(|error| *stopped = Some(error)).is_ok()
            })
        })
    };
    match (done, stopped) {
        (_, Some(error)) => Err(error),
        (Ok(done), None) => Ok(done),
        (Err(error), None) => Err(refused(py, &error)),
    }
}

/// As many as the machine has; asking it takes longer than a short question.
fn threads() -> usize {
    static KNOWN: OnceLock<usize> = OnceLock::new();
    *KNOWN.get_or_init(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
}

/// A solution with few entries: its rows, its values and its certificate.
type Sparse<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<f64>>, Bound<'py, PyDict>);

/// Row pointers and columns as numpy has them.
enum Indices {
    Narrow(Py<PyArray1<i32>>, Py<PyArray1<i32>>),
    Wide(Py<PyArray1<i64>>, Py<PyArray1<i64>>),
}

/// A matrix made here, with indices of either width.
enum Made {
    Narrow(Owned<i32>),
    Wide(Owned<i64>),
}

/// Runs code with the matrix of a `SolverMatrix` in a variable, for either width of its indices.
macro_rules! with_matrix {
    ($self:ident, $py:ident, |$matrix:ident| $code:expr) => {{
        let values = $self.values.bind($py).readonly();
        match &$self.indices {
            Indices::Narrow(begins, columns) => {
                let (begins, columns) = (begins.bind($py).readonly(), columns.bind($py).readonly());
                let $matrix = Matrix::checked_before(begins.as_slice()?, columns.as_slice()?, values.as_slice()?);
                $code
            }
            Indices::Wide(begins, columns) => {
                let (begins, columns) = (begins.bind($py).readonly(), columns.bind($py).readonly());
                let $matrix = Matrix::checked_before(begins.as_slice()?, columns.as_slice()?, values.as_slice()?);
                $code
            }
        }
    }};
}

/// A square matrix in compressed rows whose dominance is known; its arrays are read where they are and must not change.
#[pyclass(module = "neural_trader._core", frozen)]
pub struct SolverMatrix {
    indices: Indices,
    values: Py<PyArray1<f64>>,
    dominance: Dominance,
    /// By rows, for walks where only columns dominate as they are.
    by_rows: OnceLock<Dominance>,
    transposed: OnceLock<Made>,
    /// What pushes have worked in, one of each that ran at a time.
    scratches: Mutex<Vec<Scratch>>,
}

#[pymethods]
impl SolverMatrix {
    /// Checks the arrays and looks for dominance, in one pass over each.
    #[new]
    fn new(
        py: Python<'_>,
        begins: &Bound<'_, PyAny>,
        columns: &Bound<'_, PyAny>,
        values: &Bound<'_, PyArray1<f64>>,
    ) -> PyResult<Self> {
        let given = values.readonly();
        let numbers = given.as_slice()?;
        let (indices, dominance) = if let Ok(begins) = begins.cast::<PyArray1<i32>>() {
            let columns = columns.cast::<PyArray1<i32>>()?;
            let (own, theirs) = (begins.readonly(), columns.readonly());
            let (own, theirs) = (own.as_slice()?, theirs.as_slice()?);
            let found = py.detach(|| Dominance::of(Matrix::new(own, theirs, numbers)?));
            (Indices::Narrow(begins.clone().unbind(), columns.clone().unbind()), found)
        } else {
            let (begins, columns) = (begins.cast::<PyArray1<i64>>()?, columns.cast::<PyArray1<i64>>()?);
            let (own, theirs) = (begins.readonly(), columns.readonly());
            let (own, theirs) = (own.as_slice()?, theirs.as_slice()?);
            let found = py.detach(|| Dominance::of(Matrix::new(own, theirs, numbers)?));
            (Indices::Wide(begins.clone().unbind(), columns.clone().unbind()), found)
        };
        let dominance = dominance.map_err(|error| refused(py, &error))?;
        let values = values.clone().unbind();
        let (by_rows, transposed, scratches) = (OnceLock::new(), OnceLock::new(), Mutex::default());
        Ok(Self { indices, values, dominance, by_rows, transposed, scratches })
    }

    /// What is known of the matrix: kind, scaled, steps, rate, slack, weakest, diagonal, entries, row_entries_max.
    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let known = &self.dominance;
        let dict = PyDict::new(py);
        dict.set_item("kind", if known.kind == Kind::Rows { "rows" } else { "columns" })?;
        dict.set_item("scaled", known.scaled)?;
        dict.set_item("steps", known.steps)?;
        dict.set_item("rate", known.rate)?;
        dict.set_item("slack", known.slack[known.weakest])?;
        dict.set_item("weakest", known.weakest)?;
        dict.set_item("scale", known.scale)?;
        dict.set_item("rows", known.weights.len())?;
        dict.set_item("entries", self.values.bind(py).len()?)?;
        dict.set_item("row_entries_max", known.row_entries_max)?;
        Ok(dict)
    }

    /// The weights that prove dominance.
    fn weights<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.dominance.weights.to_pyarray(py)
    }

    /// Checks a right side and says its reach, which questions for entries take.
    fn reach(&self, py: Python<'_>, side: PyReadonlyArray1<'_, f64>) -> PyResult<(f64, f64)> {
        let side = side.as_slice()?;
        let found = py.detach(|| self.dominance.side(side)).map_err(|error| refused(py, &error))?;
        Ok((found.low, found.high))
    }

    /// The whole solution: (x, certificate). `reach` is that of the right side, which is not gone through for it again.
    #[pyo3(signature = (side, reach, eps, method="auto", start=None, progress=None))]
    #[allow(clippy::too_many_arguments, reason = "a question has as many parts")]
    fn solve<'py>(
        &self,
        py: Python<'py>,
        side: PyReadonlyArray1<'py, f64>,
        reach: (f64, f64),
        eps: f64,
        method: &str,
        start: Option<PyReadonlyArray1<'py, f64>>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(Bound<'py, PyArray1<f64>>, Bound<'py, PyDict>)> {
        let side = self.side(py, side.as_slice()?, reach)?;
        let start = start.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        let known = &self.dominance;
        let (x, certificate, reason) = with_matrix!(self, py, |matrix| watched(py, progress, |watch| {
            let asked = |found: (Vec<f64>, Certificate)| (found.0, found.1, "asked for".to_owned());
            match method {
                "neumann" => neumann(matrix, known, side, eps, threads(), watch).map(asked),
                "cg" => conjugate_gradient(matrix, known, side, start, eps, threads(), watch).map(asked),
                "bicgstab" => bicgstab(matrix, known, side, start, eps, threads(), watch).map(asked),
                _ => solve(matrix, known, side, start, eps, threads(), watch),
            }
        }))?;
        Ok((x.into_pyarray(py), certificate_of(py, &certificate, &reason)?))
    }

    /// One entry of the solution: (value, certificate). `reach` is that of the right side, which is not gone through.
    #[pyo3(signature = (side, reach, index, eps, method="auto", seed=0, confidence=None, walks_max=1 << 24, progress=None))]
    #[allow(clippy::too_many_arguments, reason = "a question has as many parts")]
    fn entry<'py>(
        &self,
        py: Python<'py>,
        side: PyReadonlyArray1<'py, f64>,
        reach: (f64, f64),
        index: usize,
        eps: f64,
        method: &str,
        seed: u64,
        confidence: Option<f64>,
        walks_max: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(f64, Bound<'py, PyDict>)> {
        let side = self.side(py, side.as_slice()?, reach)?;
        let how = confidence.map(|confidence| Walks { seed, confidence, walks_max, threads: threads() });
        let sure = how.unwrap_or(Walks { seed, confidence: 0.999, walks_max, threads: threads() });
        let (found, reason) = with_matrix!(self, py, |matrix| watched(py, progress, |watch| self.lent(|scratch| {
            let mut question = Question { matrix, dominance: &self.dominance, side, entry: index, eps };
            let asked = |found| (found, "asked for".to_owned());
            match method {
                "push" => backward(question, scratch).map(asked),
                "walks" | "bidirectional" => {
                    question.dominance = self.walked(matrix)?;
                    if !std::ptr::eq(question.dominance, &raw const self.dominance) {
                        question.side = question.dominance.side(side.values)?;
                    }
                    if method == "walks" {
                        walks(question, sure, scratch, watch).map(asked)
                    } else {
                        bidirectional(question, sure, scratch, watch).map(asked)
                    }
                }
                _ => entry(question, how, threads(), scratch, watch),
            }
        })))?;
        Ok((found.value, certificate_of(py, &found.certificate, &reason)?))
    }

    /// The solution of a right side with few entries: (rows, values, certificate).
    fn forward<'py>(&self, py: Python<'py>, rows: Vec<usize>, values: Vec<f64>, eps: f64) -> PyResult<Sparse<'py>> {
        let side: Vec<(usize, f64)> = rows.into_iter().zip(values).collect();
        let transposed = match self.transposed.get() {
            Some(known) => known,
            None => {
                let made = self.made(py)?;
                self.transposed.get_or_init(|| made)
            }
        };
        let known = &self.dominance;
        let found = py.detach(|| {
            self.lent(|scratch| match transposed {
                Made::Narrow(other) => forward(other.view(), known, &side, eps, scratch),
                Made::Wide(other) => forward(other.view(), known, &side, eps, scratch),
            })
        });
        let (names, values, certificate) = found.map_err(|error| refused(py, &error))?;
        let names: Vec<i64> = names.into_iter().map(|name| name as i64).collect();
        Ok((names.into_pyarray(py), values.into_pyarray(py), certificate_of(py, &certificate, "asked for")?))
    }
}

impl SolverMatrix {
    fn made(&self, py: Python<'_>) -> PyResult<Made> {
        let values = self.values.bind(py).readonly();
        let values = values.as_slice()?;
        match &self.indices {
            Indices::Narrow(begins, columns) => {
                let (begins, columns) = (begins.bind(py).readonly(), columns.bind(py).readonly());
                let matrix = Matrix::checked_before(begins.as_slice()?, columns.as_slice()?, values);
                Ok(Made::Narrow(py.detach(|| matrix.transposed())))
            }
            Indices::Wide(begins, columns) => {
                let (begins, columns) = (begins.bind(py).readonly(), columns.bind(py).readonly());
                let matrix = Matrix::checked_before(begins.as_slice()?, columns.as_slice()?, values);
                Ok(Made::Wide(py.detach(|| matrix.transposed())))
            }
        }
    }

    /// A right side that was checked before.
    fn side<'a>(&self, py: Python<'_>, values: &'a [f64], (low, high): (f64, f64)) -> PyResult<Side<'a>> {
        let (given, expected) = (values.len(), self.dominance.weights.len());
        if given == expected {
            return Ok(Side { values, low, high });
        }
        Err(refused(py, &SolverError::Length { what: "the right side", given, expected }))
    }

    /// Work in memory that pushes before have worked in, if any has ended.
    fn lent<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let lock = || self.scratches.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut scratch = lock().pop().unwrap_or_default();
        let done = work(&mut scratch);
        lock().push(scratch);
        done
    }

    /// Dominance by rows, found when walks first need it.
    fn walked<I: nt_solver::Index>(&self, matrix: Matrix<'_, I>) -> Result<&Dominance, SolverError> {
        if self.dominance.kind == Kind::Rows {
            return Ok(&self.dominance);
        }
        if let Some(known) = self.by_rows.get() {
            return Ok(known);
        }
        let found = Dominance::by_rows(matrix)?;
        Ok(self.by_rows.get_or_init(|| found))
    }
}

/// A solution that is kept while single numbers of its system change.
#[pyclass(module = "neural_trader._core")]
pub struct SolverTracked {
    tracked: Tracked<i64>,
}

#[pymethods]
impl SolverTracked {
    /// Copies the system and solves it once.
    #[new]
    fn new(
        py: Python<'_>,
        begins: PyReadonlyArray1<'_, i64>,
        columns: PyReadonlyArray1<'_, i64>,
        values: PyReadonlyArray1<'_, f64>,
        side: PyReadonlyArray1<'_, f64>,
        eps: f64,
    ) -> PyResult<Self> {
        let (begins, columns, values) = (begins.as_slice()?, columns.as_slice()?, values.as_slice()?);
        let side = side.as_slice()?;
        let tracked = watched(py, None, |watch| {
            let matrix = Matrix::new(begins, columns, values)?;
            let dominance = Dominance::by_rows(matrix)?;
            Tracked::new(matrix, dominance, side, eps, threads(), watch)
        })?;
        Ok(Self { tracked })
    }

    /// Another value on the right side.
    fn change_side(&mut self, py: Python<'_>, row: usize, value: f64) -> PyResult<()> {
        self.tracked.change_side(row, value).map_err(|error| refused(py, &error))
    }

    /// Another value for an entry that the matrix stores.
    fn change(&mut self, py: Python<'_>, row: usize, column: usize, value: f64) -> PyResult<()> {
        self.tracked.change(row, column, value).map_err(|error| refused(py, &error))
    }

    /// Mends the solution; the entries that were read.
    fn refresh(&mut self) -> u64 {
        self.tracked.refresh()
    }

    /// One entry as it is.
    fn value(&self, py: Python<'_>, index: usize) -> PyResult<f64> {
        let x = self.tracked.solution();
        let wrong = SolverError::Index { given: index, length: x.len() };
        x.get(index).copied().ok_or_else(|| refused(py, &wrong))
    }

    /// A copy of the solution as it is.
    fn solution<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.tracked.solution().to_pyarray(py)
    }

    /// Everything looked at anew.
    fn certificate<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let known = self.tracked.certificate(threads());
        certificate_of(py, &known, "changes are carried on from where they happened")
    }
}
