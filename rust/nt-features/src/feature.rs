//! Any feature, one row of inputs at a time or over columns of them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{FeatureError, Field};

/// Numbers beyond this in size, 1e60, are taken for none: no feature overflows below it, up to fourth powers and products.
pub const LARGEST: f64 = 1e60;

/// Columns are gone through in pieces of so many rows.
pub const PIECE: usize = 512;

/// A feature has at most so many averages side by side.
const LANES_MAX: usize = 3;

/// An average that runs over a piece beside others, in place of what it is the average of.
///
/// It waits for its own last value, three operations long. So one alone leaves the processor idle most of the time, and
/// eight at once take little longer.
#[derive(Clone, Debug)]
pub struct Lane {
    pub(crate) value: f64,
    pub(crate) weight: f64,
    pub(crate) rows: [f64; PIECE],
}

impl Lane {
    pub(crate) const IDLE: Self = Self { value: 0.0, weight: 0.0, rows: [0.0; PIECE] };

    /// Lets all run over the first rows.
    pub(crate) fn run(lanes: &mut [Self], rows: usize) {
        let (eights, rest) = lanes.as_chunks_mut::<8>();
        let (fours, rest) = rest.as_chunks_mut::<4>();
        let (twos, ones) = rest.as_chunks_mut::<2>();
        eights.iter_mut().for_each(|lanes| Self::together(lanes, rows));
        fours.iter_mut().for_each(|lanes| Self::together(lanes, rows));
        twos.iter_mut().for_each(|lanes| Self::together(lanes, rows));
        ones.iter_mut().for_each(|lane| Self::together(std::array::from_mut(lane), rows));
    }

    fn together<const K: usize>(lanes: &mut [Self; K], rows: usize) {
        let mut now = std::array::from_fn::<f64, K, _>(|k| lanes[k].value);
        let weights = std::array::from_fn::<f64, K, _>(|k| lanes[k].weight);
        for at in 0..rows.min(PIECE) {
            for k in 0..K {
                now[k] = (lanes[k].rows[at] - now[k]) * weights[k] + now[k];
                lanes[k].rows[at] = now[k];
            }
        }
        lanes.iter_mut().zip(now).for_each(|(lane, now)| lane.value = now);
    }
}

/// Whether a column has numbers only.
pub(crate) fn are_numbers(column: &[f64]) -> bool {
    // NaN fails the comparison too. Without an early end it goes over several at a time.
    column.iter().fold(true, |all, number| all & (number.abs() <= LARGEST))
}

/// A feature and its state. [`crate::Kind::build`] makes one.
pub trait Feature: Send + Sync {
    /// How many rows of numbers give NaN before the first value.
    fn warmup(&self) -> usize;
    /// Forgets every row.
    fn restart(&mut self);
    /// Takes the next row, one number for each input, and writes one number for each output.
    fn update(&mut self, inputs: &[f64], outputs: &mut [f64]);
    /// The same with the inputs at places of a longer row.
    fn update_from(&mut self, row: &[f64], places: &[usize], outputs: &mut [f64]);
    /// Takes rows out of columns of equal length, and writes as many values of each output.
    fn columns(&mut self, inputs: &[&[f64]], outputs: &mut [&mut [f64]]);
    /// The same for at most [`PIECE`] rows, of which the caller knows whether they are numbers throughout.
    fn piece(&mut self, inputs: &[&[f64]], outputs: &mut [&mut [f64]], numbers: bool);
    /// How many averages it has that can run beside others over the next piece of numbers; 0 while it warms up.
    fn lanes(&self) -> usize;
    /// Fills those lanes from a piece of numbers.
    fn before(&mut self, inputs: &[&[f64]], lanes: &mut [Lane]);
    /// Takes the piece when its lanes have run: the two together are [`Feature::piece`].
    fn after(&mut self, inputs: &[&[f64]], lanes: &[Lane], outputs: &mut [&mut [f64]]);
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
    /// Takes at most [`PIECE`] rows out of columns, to the same values as so many updates.
    ///
    /// It is written out where what depends on the row before can be told from what does not: only the former goes row by
    /// row then, and the processor does the latter for several rows at a time.
    #[inline]
    fn rows(&mut self, inputs: [&[f64]; I], outputs: [&mut [f64]; O]) {
        let count = self.lanes();
        if count == 0 {
            return self.by_updates(inputs, outputs);
        }
        let mut lanes = [Lane::IDLE; LANES_MAX];
        let lanes = &mut lanes[..count];
        self.before(inputs, lanes);
        Lane::run(lanes, inputs[0].len());
        self.after(inputs, lanes, outputs);
    }
    /// How many averages can run as lanes; at most [`LANES_MAX`], and none while it warms up.
    #[inline]
    fn lanes(&self) -> usize {
        0
    }
    /// Fills lanes with what they are the averages of.
    fn before(&mut self, _inputs: [&[f64]; I], _lanes: &mut [Lane]) {}
    /// Takes the rows with their averages.
    fn after(&mut self, _inputs: [&[f64]; I], _lanes: &[Lane], _outputs: [&mut [f64]; O]) {}
    /// Takes rows out of columns one by one.
    #[inline]
    fn by_updates(&mut self, inputs: [&[f64]; I], mut outputs: [&mut [f64]; O]) {
        let rows = inputs[0].len();
        let inputs = inputs.map(|column| &column[..rows]);
        outputs.iter_mut().for_each(|column| assert_eq!(column.len(), rows));
        for at in 0..rows {
            let values = self.update(inputs.map(|column| column[at]));
            for (column, value) in outputs.iter_mut().zip(values) {
                column[at] = value;
            }
        }
    }
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

    /// Takes rows with something among them that is no number.
    fn guarded(&mut self, inputs: [&[f64]; I], mut outputs: [&mut [f64]; O]) {
        for at in 0..inputs[0].len() {
            let values = self.step(inputs.map(|column| column[at]));
            for (column, value) in outputs.iter_mut().zip(values) {
                column[at] = value;
            }
        }
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

    fn update_from(&mut self, row: &[f64], places: &[usize], outputs: &mut [f64]) {
        let row = std::array::from_fn(|i| row[places[i]]);
        outputs.copy_from_slice(&self.step(row));
    }

    fn columns(&mut self, inputs: &[&[f64]], outputs: &mut [&mut [f64]]) {
        let rows = inputs[0].len();
        for first in (0..rows).step_by(PIECE) {
            let piece = first..rows.min(first + PIECE);
            let inputs: [&[f64]; I] = std::array::from_fn(|i| &inputs[i][piece.clone()]);
            let numbers = inputs.iter().all(|column| are_numbers(column));
            let mut columns = outputs.iter_mut();
            let mut outputs: [&mut [f64]; O] =
                std::array::from_fn(|_| &mut columns.next().expect("a column for each output")[piece.clone()]);
            self.piece(&inputs, &mut outputs, numbers);
        }
    }

    fn piece(&mut self, inputs: &[&[f64]], outputs: &mut [&mut [f64]], numbers: bool) {
        let (inputs, outputs) = (std::array::from_fn(|i| inputs[i]), each(outputs));
        if numbers { self.0.rows(inputs, outputs) } else { self.guarded(inputs, outputs) }
    }

    fn lanes(&self) -> usize {
        self.0.lanes()
    }

    fn before(&mut self, inputs: &[&[f64]], lanes: &mut [Lane]) {
        self.0.before(std::array::from_fn(|i| inputs[i]), lanes);
    }

    fn after(&mut self, inputs: &[&[f64]], lanes: &[Lane], outputs: &mut [&mut [f64]]) {
        self.0.after(std::array::from_fn(|i| inputs[i]), lanes, each(outputs));
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

/// The columns of all outputs.
fn each<'a, const O: usize>(outputs: &'a mut [&mut [f64]]) -> [&'a mut [f64]; O] {
    let mut columns = outputs.iter_mut();
    std::array::from_fn(|_| &mut **columns.next().expect("a column for each output"))
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
