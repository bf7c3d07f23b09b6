//! Recorded sources as Python holds them, and as the engine takes them without a copy.

use nt_core::record::WORDS;
use nt_engine::{Role, Source};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Records as Python holds them: an array with the dtype of events, seen as words of 64 bits.
pub struct Held {
    pub words: Py<PyArray1<i64>>,
    pub ranks: Vec<i16>,
    pub role: Role,
}

impl Held {
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Held { words: self.words.clone_ref(py), ranks: self.ranks.clone(), role: self.role }
    }

    pub fn borrow<'py>(&self, py: Python<'py>) -> PyReadonlyArray1<'py, i64> {
        self.words.bind(py).readonly()
    }
}

/// The words of an array, record by record.
pub fn records_of<'a>(words: &'a PyReadonlyArray1<'_, i64>) -> PyResult<&'a [[i64; WORDS]]> {
    match words.as_slice()?.as_chunks() {
        (records, []) => Ok(records),
        _ => Err(PyValueError::new_err("records must be whole")),
    }
}

/// The sources as the engine takes them.
pub fn sources_of<'a>(held: &'a [Held], borrowed: &'a [PyReadonlyArray1<'_, i64>]) -> PyResult<Vec<Source<'a>>> {
    let one = |(held, words): (&'a Held, &'a PyReadonlyArray1<'_, i64>)| {
        Ok(Source::new(records_of(words)?, &held.ranks).with_role(held.role))
    };
    held.iter().zip(borrowed).map(one).collect()
}
