//! Up to where a run may go before whoever drives it has a look, as to save it.

use nt_core::Nanos;

/// A run stops before what happens after this time, or after so many turns of the strategy, whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// The last time at which things happen.
    pub time_ns: Nanos,
    /// Turns since the beginning of the run.
    pub turns: u64,
}

impl Default for Pause {
    /// Nowhere.
    fn default() -> Self {
        Pause { time_ns: Nanos::MAX, turns: u64::MAX }
    }
}
