//! Nodes of a lone instrument over a block of bars at a time; every value has the bits that going bar by bar gives.
//!
//! Signals are kept as bits, 64 bars to a word, and a comparison as three of them. So most of what distinguishes one set
//! of parameters from the next is a few operations on words.

use nt_core::Bars;

use super::cell::{Cell, Inner, divided, is_on, smaller};
use super::compare::{Side, compare};
use super::{Operation, READS, Yields};
use crate::{Bar, instant};

/// Signals, the earliest in the lowest bit of the first word; bits after the last are 0.
pub type Bits = Vec<u64>;

const PER_WORD: usize = 64;

/// The values of a node over a block of bars.
#[derive(Debug, Clone)]
pub enum Column {
    /// The same number at every bar.
    Constant(f64),
    /// A number for each bar.
    Numbers(Vec<f64>),
    /// A signal.
    Signal(Bits),
    /// How two numbers compare; all three are off where that is not known.
    Order {
        /// The first is below the second.
        below: Bits,
        /// They are equal.
        equal: Bits,
        /// The first is above the second.
        above: Bits,
    },
}

impl Column {
    /// An empty column for values of a kind.
    pub fn of(yields: Yields) -> Self {
        match yields {
            Yields::Numbers => Column::Numbers(Vec::new()),
            Yields::Signal => Column::Signal(Bits::new()),
            Yields::Order => Column::Order { below: Bits::new(), equal: Bits::new(), above: Bits::new() },
        }
    }

    /// The value at a row of the block.
    #[inline]
    pub fn at(&self, row: usize) -> f64 {
        let bit = |bits: &Bits| bits[row / PER_WORD] >> (row % PER_WORD) & 1;
        match self {
            Column::Constant(number) => *number,
            Column::Numbers(numbers) => numbers[row],
            Column::Signal(bits) => bit(bits) as f64,
            Column::Order { below, equal, above } => match (bit(below), bit(equal), bit(above)) {
                (0, 0, 0) => f64::NAN,
                (below, _, above) => above as f64 - below as f64,
            },
        }
    }

    /// Whether it holds values of a kind.
    pub fn is_of(&self, yields: Yields) -> bool {
        match self {
            Column::Constant(_) | Column::Numbers(_) => yields == Yields::Numbers,
            Column::Signal(_) => yields == Yields::Signal,
            Column::Order { .. } => yields == Yields::Order,
        }
    }

    /// The bits of a signal; none of what is no signal.
    pub fn bits(&self) -> &[u64] {
        match self {
            Column::Signal(bits) => bits,
            _ => &[],
        }
    }
}

impl Cell {
    /// The values over the bars of a block, from the columns of what the node reads, into a column of its kind.
    pub fn fill(&mut self, inputs: &[Option<&Column>], bars: &Bars<'_>, out: &mut Column) {
        let rows = bars.len();
        if let Inner::Constant(number) = self.0 {
            *out = Column::Constant(number);
            return;
        }
        if matches!(out, Column::Constant(_)) {
            *out = Column::Numbers(Vec::new());
        }
        let (a, b) = (inputs[0], inputs[1]);
        match out {
            Column::Constant(_) => {}
            Column::Numbers(numbers) => match (&self.0, a, b) {
                (Inner::Plain(operation), None, _) => counts(operation, bars, numbers),
                (Inner::Plain(operation), Some(a), Some(b)) if pairs(operation, a, b, rows, numbers) => {}
                (&Inner::Scaled { mantissa, divisor }, Some(Column::Numbers(a)), _) => {
                    numbers.clear();
                    numbers.extend(a.iter().map(|a| a * mantissa / divisor));
                }
                _ => self.fill_by_steps(inputs, rows, numbers),
            },
            Column::Order { below, equal, above } => {
                let [below, equal, above] = [below, equal, above].map(|bits| cleared(bits, rows));
                if let (Some(a), Some(b)) = (a, b) {
                    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
                    compare(rows, side(a, rows, &mut of_a), side(b, rows, &mut of_b), [below, equal, above]);
                }
            }
            Column::Signal(bits) => self.fill_signal(inputs, rows, bits),
        }
    }

    fn fill_signal(&mut self, inputs: &[Option<&Column>], rows: usize, bits: &mut Bits) {
        let (a, b) = (inputs[0], inputs[1]);
        let words = rows.div_ceil(PER_WORD);
        bits.clear();
        match (&mut self.0, a, b) {
            (Inner::Plain(operation), Some(Column::Order { below, equal, above }), _) => {
                let both = |one: &Bits, other: &Bits, out: &mut Bits| {
                    out.extend(one.iter().zip(other).map(|(one, other)| one | other));
                };
                match operation {
                    Operation::Above => bits.extend_from_slice(above),
                    Operation::Below => bits.extend_from_slice(below),
                    Operation::AtLeast => both(above, equal, bits),
                    _ => both(below, equal, bits),
                }
            }
            (Inner::Crosses { above: up, before }, Some(Column::Order { below, equal, above }), _) => {
                let (now, was) = if *up { (above, below) } else { (below, above) };
                let mut carry = u64::from(if *up { *before <= 0.0 } else { *before >= 0.0 });
                for ((now, was), equal) in now.iter().zip(was).zip(equal) {
                    let was = was | equal;
                    bits.push(now & (was << 1 | carry));
                    carry = was >> (PER_WORD - 1);
                }
                if let Some(last) = rows.checked_sub(1) {
                    *before = a.map_or(f64::NAN, |order| order.at(last));
                }
            }
            (Inner::Plain(Operation::And), Some(Column::Signal(a)), Some(Column::Signal(b))) => {
                bits.extend(a.iter().zip(b).map(|(a, b)| a & b));
            }
            (Inner::Plain(Operation::Or), Some(Column::Signal(a)), Some(Column::Signal(b))) => {
                bits.extend(a.iter().zip(b).map(|(a, b)| a | b));
            }
            (Inner::Plain(Operation::Not), Some(Column::Signal(a)), _) => {
                bits.extend(a.iter().map(|a| !a));
                trim(bits, rows);
            }
            (Inner::First { before }, Some(Column::Signal(a)), _) => {
                let mut carry = u64::from(*before);
                for &a in a {
                    bits.push(a & !(a << 1 | carry));
                    carry = a >> (PER_WORD - 1);
                }
                if let Some(last) = rows.checked_sub(1) {
                    *before = a[last / PER_WORD] >> (last % PER_WORD) & 1 == 1;
                }
            }
            _ => {
                bits.resize(words, 0);
                for row in 0..rows {
                    let value = self.step_over(inputs, row);
                    bits[row / PER_WORD] |= u64::from(is_on(value)) << (row % PER_WORD);
                }
            }
        }
    }

    fn fill_by_steps(&mut self, inputs: &[Option<&Column>], rows: usize, numbers: &mut Vec<f64>) {
        numbers.clear();
        if let Inner::Feature(running) = &mut self.0
            && running.outputs.len() == 1
        {
            let columns = numbers_of(&inputs[..running.row.len()]);
            if columns.iter().take(running.row.len()).all(|column| column.len() == rows) {
                numbers.resize(rows, 0.0);
                running.feature.columns(&columns[..running.row.len()], &mut [numbers]);
                return;
            }
        }
        numbers.extend((0..rows).map(|row| self.step_over(inputs, row)));
    }

    /// The value at a row, by the step that goes from bar to bar.
    #[inline]
    fn step_over(&mut self, inputs: &[Option<&Column>], row: usize) -> f64 {
        let at = |column: &Option<&Column>| column.map_or(f64::NAN, |column| column.at(row));
        match self.step_row(inputs.iter().map(at)) {
            Some(value) => value,
            None => self.step(&NO_BAR, at(&inputs[0]), at(&inputs[1]), at(&inputs[2])),
        }
    }
}

/// The numbers of columns that are such, and nothing of others.
fn numbers_of<'a>(inputs: &[Option<&'a Column>]) -> [&'a [f64]; READS] {
    let mut found: [&[f64]; READS] = [&[]; READS];
    for (slot, input) in found.iter_mut().zip(inputs) {
        if let Some(Column::Numbers(numbers)) = input {
            *slot = numbers;
        }
    }
    found
}

/// What reads the bar itself has columns of its own.
const NO_BAR: Bar =
    Bar { open: f64::NAN, high: f64::NAN, low: f64::NAN, close: f64::NAN, volume: f64::NAN, time: f64::NAN };

/// Counts of the bars themselves.
fn counts(operation: &Operation, bars: &Bars<'_>, numbers: &mut Vec<f64>) {
    numbers.clear();
    let column = match operation {
        Operation::Time => {
            numbers.extend(bars.open_ns.iter().map(|&ns| instant(ns)));
            return;
        }
        Operation::Open => bars.open,
        Operation::High => bars.high,
        Operation::Low => bars.low,
        Operation::Close => bars.close,
        _ => bars.volume,
    };
    match column.is_empty() {
        true => numbers.resize(bars.len(), f64::NAN),
        false => numbers.extend(column.iter().map(|&count| count as f64)),
    }
}

/// Arithmetic of two columns, where there is a loop for it.
fn pairs(operation: &Operation, a: &Column, b: &Column, rows: usize, out: &mut Vec<f64>) -> bool {
    match operation {
        Operation::Add => zipped(a, b, rows, out, |a, b| a + b),
        Operation::Subtract => zipped(a, b, rows, out, |a, b| a - b),
        Operation::Multiply => zipped(a, b, rows, out, |a, b| a * b),
        Operation::Divide => zipped(a, b, rows, out, divided),
        Operation::Smaller => zipped(a, b, rows, out, smaller),
        _ => return false,
    }
    true
}

fn zipped(a: &Column, b: &Column, rows: usize, out: &mut Vec<f64>, f: impl Fn(f64, f64) -> f64) {
    out.clear();
    match (a, b) {
        (Column::Numbers(a), Column::Numbers(b)) => out.extend(a.iter().zip(b).map(|(&a, &b)| f(a, b))),
        (Column::Numbers(a), &Column::Constant(b)) => out.extend(a.iter().map(|&a| f(a, b))),
        (&Column::Constant(a), Column::Numbers(b)) => out.extend(b.iter().map(|&b| f(a, b))),
        _ => out.extend((0..rows).map(|row| f(a.at(row), b.at(row)))),
    }
}

/// A column as a side of a comparison; what is no number gets its values written out.
fn side<'a>(column: &'a Column, rows: usize, written: &'a mut Vec<f64>) -> Side<'a> {
    match column {
        Column::Numbers(numbers) => Side::Numbers(numbers),
        &Column::Constant(number) => Side::Constant(number),
        signals => {
            written.extend((0..rows).map(|row| signals.at(row)));
            Side::Numbers(written)
        }
    }
}

fn cleared(bits: &mut Bits, rows: usize) -> &mut Bits {
    bits.clear();
    bits.resize(rows.div_ceil(PER_WORD), 0);
    bits
}

/// Switches off the bits after the last row.
fn trim(bits: &mut Bits, rows: usize) {
    if let Some(last) = bits.last_mut()
        && !rows.is_multiple_of(PER_WORD)
    {
        *last &= (1 << (rows % PER_WORD)) - 1;
    }
}
