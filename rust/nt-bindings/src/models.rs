//! Bindings of nt-feed's models of prices.

use nt_feed::models::{self, Model, Regime};
use numpy::{IntoPyArray, PyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

type Floats<'py> = Bound<'py, PyArray1<f64>>;

/// Adds the functions to the extension module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(model_path, module)?)?;
    Ok(())
}

fn model_of(name: &str, parameters: &[f64]) -> PyResult<Model> {
    match (name, parameters) {
        ("geometric_brownian_motion", &[drift, volatility]) => Ok(Model::GeometricBrownianMotion { drift, volatility }),
        ("jump_diffusion", &[drift, volatility, jumps, jump_mean, jump_deviation]) => {
            Ok(Model::JumpDiffusion { drift, volatility, jumps, jump_mean, jump_deviation })
        }
        ("heston", &[drift, variance, reversion, long_variance, volatility, correlation]) => {
            Ok(Model::Heston { drift, variance, reversion, long_variance, volatility, correlation })
        }
        ("pair", &[drift, volatility, reversion, deviation]) => {
            Ok(Model::Pair { drift, volatility, reversion, deviation })
        }
        ("regime_switching", &[a, b, c, d, e, f, g, h, i]) => {
            let regime = |[drift, volatility, years]: [f64; 3]| Regime { drift, volatility, years };
            Ok(Model::RegimeSwitching([[a, b, c], [d, e, f], [g, h, i]].map(regime)))
        }
        _ => Err(PyValueError::new_err(format!("no model {name:?} with {} parameters", parameters.len()))),
    }
}

/// Prices after each step, and the variances of Heston's model, the other prices of a pair or the regimes; `step` is the price at the
/// beginning, the number of steps and their length in years.
#[pyfunction]
fn model_path<'py>(
    py: Python<'py>,
    model: &str,
    parameters: Vec<f64>,
    seed: u64,
    name: &str,
    step: (f64, usize, f64),
) -> PyResult<(Floats<'py>, Floats<'py>)> {
    let model = model_of(model, &parameters)?;
    let (start, steps, step_years) = step;
    let path = py.detach(|| models::simulate(model, seed, name, start, steps, step_years));
    Ok((path.price.into_pyarray(py), path.second.into_pyarray(py)))
}
