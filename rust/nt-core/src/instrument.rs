//! What is traded, on which grid.

use serde::{Deserialize, Serialize};

use crate::{Contract, ContractTerms, Error, Result};

/// An exact decimal step, `mantissa / 10^decimals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The step as an integer of its last decimal; positive.
    pub mantissa: i64,
    /// Decimals of the step, at most nine, so that a tick times a lot has at most eighteen.
    pub decimals: u8,
}

impl Step {
    /// A step, or an error if it is not positive or finer than nine decimals.
    pub fn new(mantissa: i64, decimals: u8) -> Result<Self> {
        if mantissa <= 0 || decimals > 9 {
            return Err(Error::Misuse(format!("{mantissa} / 10^{decimals} is no tick or lot")));
        }
        Ok(Step { mantissa, decimals })
    }

    /// The decimal value of a count of steps, as the nearest float while the count stays below 2^53.
    #[inline]
    pub fn value_of(self, counts: f64) -> f64 {
        counts * self.mantissa as f64 / 10_f64.powi(i32::from(self.decimals))
    }
}

/// An instrument: its symbol and its grid of prices and quantities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// The name by which strategies and reports know it; unique in a run.
    pub symbol: String,
    /// The price step.
    pub tick: Step,
    /// The quantity step.
    pub lot: Step,
    /// What lots of it are worth.
    pub contract: Contract,
}

impl Instrument {
    /// A spot instrument on the given grid.
    pub fn new(symbol: String, tick: Step, lot: Step) -> Result<Self> {
        Self::with_terms(symbol, tick, lot, &ContractTerms::default())
    }

    /// An instrument on the given grid, settled as it says.
    pub fn with_terms(symbol: String, tick: Step, lot: Step, terms: &ContractTerms) -> Result<Self> {
        let named = |error| match error {
            Error::Misuse(what) => Error::Misuse(format!("{symbol}: {what}")),
            other => other,
        };
        let contract = Contract::new(tick, lot, terms).map_err(named)?;
        Ok(Instrument { symbol, tick, lot, contract })
    }

    /// The same on other terms.
    pub fn on_terms(self, terms: &ContractTerms) -> Result<Self> {
        Self::with_terms(self.symbol, self.tick, self.lot, terms)
    }
}
