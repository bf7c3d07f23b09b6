//! Any feature, one row of inputs at a time or over columns of them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{FeatureError, Field};

/// Numbers beyond this in size, 1e60, are taken for none: no feature overflows below it, up to fourth powers and products.
pub const LARGEST: f64 = 1e60;

/// A feature and its state. [`crate::Kind::build`] makes one.
pub trait Feature: Send + Sync {
    /// How many rows of numbers give NaN before the first value.
    fn warmup(&self) -> usize;
    /// Forgets every row.
    fn restart(&mut self);
    /// Takes the next row, one number for each input, and writes one number for each output.
    fn update(&mut self, inputs: &[f64], outputs: &mut [f64]);
    /// Takes rows out of columns of equal length, and writes as many values of each output.
    fn columns(&mut self, inputs: &[&[f64]], outputs: &mut [&mut [f64]]);
    /// Its state as bytes.
    fn saved(&self) -> Result<Vec<u8>, FeatureError>;
    /// Takes the state that a feature of the same kind and parameters had.
    fn load(&mut self, state: &[u8]) -> Result<(), FeatureError>;
}

/// What one kind of feature does: `I` numbers in, `O` numbers out. It never meets what is no number.
pub(crate) trait Stream<const I: usize, const O: usize>: Serialize + DeserializeOwned {
    fn warmup(&self) -> usize;
    fn restart(&mut self);
    /// Takes the next row; the outputs are NaN while it warms up.
    fn update(&mut self, row: [f64; I]) -> [f64; O];
}

/// A kind of feature behind the guard that keeps out what is no number.
struct Guarded<S, const I: usize, const O: usize>(S);

impl<S: Stream<I, O>, const I: usize, const O: usize> Guarded<S, I, O> {
    #[inline(always)]
    fn step(&mut self, row: [f64; I]) -> [f64; O] {
        // NaN fails the comparison too.
        if row.iter().all(|number| number.abs() <= LARGEST) {
            return self.0.update(row);
        }
        self.0.restart();
        [f64::NAN; O]
    }
}

impl<S: Stream<I, O> + Send + Sync, const I: usize, const O: usize> Feature for Guarded<S, I, O> {
    fn warmup(&self) -> usize {
        self.0.warmup()
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    fn update(&mut self, inputs: &[f64], outputs: &mut [f64]) {
        let row = std::array::from_fn(|i| inputs[i]);
        outputs.copy_from_slice(&self.step(row));
    }

    fn columns(&mut self, inputs: &[&[f64]], outputs: &mut [&mut [f64]]) {
        let rows = inputs[0].len();
        let columns: [&[f64]; I] = std::array::from_fn(|i| &inputs[i][..rows]);
        if let ([column], [out]) = (inputs, &mut *outputs) {
            // The usual case, without an index in the loop.
            for (number, place) in column.iter().zip(out.iter_mut()) {
                *place = self.step([*number; I])[0];
            }
            return;
        }
        for at in 0..rows {
            let values = self.step(std::array::from_fn(|i| columns[i][at]));
            for (out, value) in outputs.iter_mut().zip(values) {
                out[at] = value;
            }
        }
    }

    fn saved(&self) -> Result<Vec<u8>, FeatureError> {
        postcard::to_allocvec(&self.0).map_err(|_| FeatureError::State)
    }

    fn load(&mut self, state: &[u8]) -> Result<(), FeatureError> {
        match postcard::take_from_bytes::<S>(state) {
            Ok((saved, [])) if saved.warmup() == self.0.warmup() => self.0 = saved,
            _ => return Err(FeatureError::State),
        }
        Ok(())
    }
}

/// A kind of feature as any feature.
pub(crate) fn boxed<S, const I: usize, const O: usize>(stream: S) -> Box<dyn Feature>
where
    S: Stream<I, O> + Send + Sync + 'static,
{
    Box::new(Guarded(stream))
}

/// A time as features read it: nanoseconds since the epoch, cut to the 512 that a float holds until the year 2116. A whole
/// second stays what it is, so no bar gets into the session before its own, or after.
#[inline]
pub fn instant(ns: i64) -> f64 {
    (ns & !511) as f64
}

/// One bar: prices in ticks and volume in lots, as whole numbers below `2^53`. Volume is NaN where the source has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Quantity traded.
    pub volume: f64,
    /// When it opened: an [`instant`].
    pub time: f64,
}

impl Bar {
    /// One of its numbers.
    #[inline]
    pub fn field(&self, field: Field) -> f64 {
        match field {
            Field::Open => self.open,
            Field::High => self.high,
            Field::Low => self.low,
            Field::Close => self.close,
            Field::Volume => self.volume,
            Field::Time => self.time,
        }
    }
}
