//! One node of one instrument: what it keeps from bar to bar, and its value at the next.

use crate::{Bar, Feature, FeatureError, Kind, MAX_WINDOW};

use super::{Across, Operation, READS};

/// A node with its state.
pub struct Cell(pub(super) Inner);

pub(super) enum Inner {
    /// What needs no state.
    Plain(Operation),
    Constant(f64),
    /// Counts of steps as the decimals that they stand for.
    Scaled {
        mantissa: f64,
        divisor: f64,
    },
    Feature(Box<Running>),
    /// The comparison at the bar before.
    Crosses {
        above: bool,
        before: f64,
    },
    /// Values of the last bars, the oldest at `at`.
    Lag {
        ring: Box<[f64]>,
        at: usize,
    },
    Since {
        bars: f64,
    },
    /// Bars for which it stays on.
    Hold {
        bars: f64,
        left: f64,
    },
    First {
        before: bool,
    },
    /// Bars at which it was on since it last fired.
    Every {
        bars: usize,
        passed: usize,
    },
    /// What its instrument is among others, and the number of that.
    Across(Across, f64),
}

/// A feature, one output of it, and room for a row of its inputs and outputs.
pub(super) struct Running {
    pub feature: Box<dyn Feature>,
    pub output: usize,
    pub row: Vec<f64>,
    pub outputs: Vec<f64>,
}

impl Running {
    fn new(name: &str, output: usize, numbers: &[f64]) -> Result<Self, FeatureError> {
        let kind = Kind::named(name)?;
        if output >= kind.outputs.len() || kind.inputs.len() > READS {
            return Err(FeatureError::Unknown { name: format!("{name}#{output}") });
        }
        let (row, outputs) = (vec![f64::NAN; kind.inputs.len()], vec![f64::NAN; kind.outputs.len()]);
        Ok(Running { feature: kind.build(numbers)?, output, row, outputs })
    }

    /// The value of the next row.
    #[inline]
    pub fn step(&mut self) -> f64 {
        self.feature.update(&self.row, &mut self.outputs);
        self.outputs[self.output]
    }
}

/// A signal as a number.
#[inline]
pub(super) fn signal(on: bool) -> f64 {
    f64::from(u8::from(on))
}

/// Whether the value of a signal says that it is on.
#[inline]
pub(super) fn is_on(value: f64) -> bool {
    value == 1.0
}

/// -1, 0 or 1 as a number is below, at or above another; NaN where one is not known.
#[inline]
pub(super) fn compared(a: f64, b: f64) -> f64 {
    if a > b {
        1.0
    } else if a < b {
        -1.0
    } else if a == b {
        0.0
    } else {
        f64::NAN
    }
}

/// The smaller of two numbers; not known where one is not.
#[inline]
pub(super) fn smaller(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

impl Cell {
    pub(super) fn new(
        operation: &Operation,
        numbers: &[f64],
        tick: (f64, f64),
        lot: (f64, f64),
    ) -> Result<Self, FeatureError> {
        if let Operation::Feature { name, output } = operation {
            return Ok(Cell(Inner::Feature(Box::new(Running::new(name, *output, numbers)?))));
        }
        debug_assert_eq!(Some(numbers.len()), operation.numbers());
        let scaled = |(mantissa, divisor)| Inner::Scaled { mantissa, divisor };
        Ok(Cell(match operation {
            Operation::Number => Inner::Constant(numbers[0]),
            Operation::FromTicks => scaled(tick),
            Operation::FromLots => scaled(lot),
            Operation::CrossesAbove => Inner::Crosses { above: true, before: f64::NAN },
            Operation::CrossesBelow => Inner::Crosses { above: false, before: f64::NAN },
            Operation::Lag { .. } => Inner::Lag { ring: vec![f64::NAN; whole("lag", 0, numbers[0])?].into(), at: 0 },
            Operation::Since => Inner::Since { bars: f64::NAN },
            Operation::Hold => Inner::Hold { bars: whole("hold", 1, numbers[0])? as f64, left: 0.0 },
            Operation::First => Inner::First { before: false },
            Operation::Every => Inner::Every { bars: whole("every", 1, numbers[0])?, passed: 0 },
            Operation::Across(across) => Inner::Across(*across, across.checked(numbers)?),
            plain => Inner::Plain(plain.clone()),
        }))
    }

    /// The value at the next bar, from the values of what it reads.
    #[inline]
    pub fn step(&mut self, bar: &Bar, a: f64, b: f64, c: f64) -> f64 {
        match &mut self.0 {
            Inner::Plain(operation) => plain(operation, bar, a, b, c),
            Inner::Constant(number) => *number,
            Inner::Scaled { mantissa, divisor } => a * *mantissa / *divisor,
            // A feature reads as much as it likes, and is stepped by `step_row`.
            Inner::Feature(_) => f64::NAN,
            Inner::Crosses { above, before } => {
                let was = std::mem::replace(before, a);
                signal(if *above { a > 0.0 && was <= 0.0 } else { a < 0.0 && was >= 0.0 })
            }
            Inner::Lag { ring, at } => match ring.get_mut(*at) {
                None => a,
                Some(place) => {
                    let oldest = std::mem::replace(place, a);
                    *at = if *at + 1 == ring.len() { 0 } else { *at + 1 };
                    oldest
                }
            },
            Inner::Since { bars } => {
                *bars = if is_on(a) { 0.0 } else { *bars + 1.0 };
                *bars
            }
            Inner::Hold { bars, left } => {
                *left = if is_on(a) { *bars } else { *left - 1.0 };
                signal(*left > 0.0)
            }
            Inner::First { before } => {
                let was = std::mem::replace(before, is_on(a));
                signal(*before && !was)
            }
            Inner::Every { bars, passed } => {
                let fires = is_on(a) && *passed == 0;
                if is_on(a) {
                    *passed = if *passed + 1 == *bars { 0 } else { *passed + 1 };
                }
                signal(fires)
            }
            Inner::Across(across, _) => across.alone(a, b),
        }
    }

    /// The value at the next bar of a node that reads a row of others; nothing of one that does not.
    #[inline]
    pub fn step_row(&mut self, values: impl Iterator<Item = f64>) -> Option<f64> {
        let Inner::Feature(running) = &mut self.0 else { return None };
        running.row.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
        Some(running.step())
    }

    /// How it sets instruments beside each other, and the number of that, if it does.
    pub fn across(&self) -> Option<(Across, f64)> {
        if let Inner::Across(across, number) = self.0 { Some((across, number)) } else { None }
    }
}

fn whole(name: &'static str, least: usize, given: f64) -> Result<usize, FeatureError> {
    let within = given >= least as f64 && given <= MAX_WINDOW as f64;
    match within && given.trunc() == given {
        true => Ok(given as usize),
        false => Err(FeatureError::Bars { operation: name, least, given }),
    }
}

#[inline]
fn plain(operation: &Operation, bar: &Bar, a: f64, b: f64, c: f64) -> f64 {
    match operation {
        Operation::Open => bar.open,
        Operation::High => bar.high,
        Operation::Low => bar.low,
        Operation::Close => bar.close,
        Operation::Volume => bar.volume,
        Operation::Time => bar.time,
        Operation::Add => a + b,
        Operation::Subtract => a - b,
        Operation::Multiply => a * b,
        Operation::Divide => divided(a, b),
        Operation::Negate => -a,
        Operation::Absolute => a.abs(),
        Operation::Sqrt => a.sqrt(),
        Operation::Smaller => smaller(a, b),
        Operation::Larger => -smaller(-a, -b),
        Operation::Choose => {
            if is_on(a) {
                b
            } else {
                c
            }
        }
        Operation::Order => compared(a, b),
        Operation::Above => signal(a > 0.0),
        Operation::AtLeast => signal(a >= 0.0),
        Operation::Below => signal(a < 0.0),
        Operation::AtMost => signal(a <= 0.0),
        Operation::And => signal(is_on(a) && is_on(b)),
        Operation::Or => signal(is_on(a) || is_on(b)),
        Operation::Not => signal(!is_on(a)),
        // All that is left has a state of its own, and never comes here.
        _ => f64::NAN,
    }
}

/// A quotient, not known where the divisor is zero.
#[inline]
pub(super) fn divided(a: f64, b: f64) -> f64 {
    if b == 0.0 { f64::NAN } else { a / b }
}
