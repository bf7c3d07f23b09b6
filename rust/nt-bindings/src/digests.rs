//! Digests as Python sees them: text by name.

use nt_engine::digest;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The digests of a run, in hex, and the run hash that binds them.
pub fn digest_dict<'py>(py: Python<'py>, version: &str, parts: &[digest::Hash; 5]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let hex = |hash: &digest::Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for (name, part) in ["inputs", "parameters", "orders", "fills", "postings"].iter().zip(parts) {
        dict.set_item(name, hex(part))?;
    }
    dict.set_item("run", hex(&digest::run_hash(version, parts)))?;
    Ok(dict)
}
