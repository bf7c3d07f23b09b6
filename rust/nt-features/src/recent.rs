//! The last values of a series, side by side in memory.

use serde::{Deserialize, Serialize};

/// The last `n` values, oldest first. There is room for twice as many, so that they move once in `n` steps.
#[derive(Serialize, Deserialize)]
pub(crate) struct Recent {
    values: Box<[f64]>,
    end: usize,
}

impl Recent {
    pub(crate) fn new(n: usize) -> Self {
        assert!(n > 0, "at least one value is kept");
        Self { values: vec![0.0; 2 * n].into(), end: n }
    }

    /// Takes the next value.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) {
        let n = self.values.len() / 2;
        if self.end == self.values.len() {
            self.values.copy_within(n.., 0);
            self.end = n;
        }
        self.values[self.end] = value;
        self.end += 1;
    }

    /// The last `n` values; zeros, or those before a restart, stand where there were fewer.
    #[inline]
    pub(crate) fn all(&self) -> &[f64] {
        &self.values[self.end - self.values.len() / 2..self.end]
    }
}
