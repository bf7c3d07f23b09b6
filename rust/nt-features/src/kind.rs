//! The table of features: names, inputs, parameters, outputs, units, and where each comes from.

use crate::feature::{Feature, Stream, boxed};
use crate::{
    FeatureError, average, calendar, channel, microstructure, momentum, oscillator, pair, pattern, returns, statistics,
    volatility, volume,
};

/// The largest window. With it, prices up to `2^53 / 10^6`, nine billion ticks, still have exact sums.
pub const MAX_WINDOW: usize = 1_000_000;

/// One number of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of a bar")]
pub enum Field {
    Open,
    High,
    Low,
    Close,
    Volume,
    /// When it opened, as [`crate::instant`] has it.
    Time,
}

impl Field {
    /// The lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::Volume => "volume",
            Self::Time => "time",
        }
    }

    /// The field of a name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Open, Self::High, Self::Low, Self::Close, Self::Volume, Self::Time]
            .into_iter()
            .find(|field| field.name() == name)
    }
}

/// What a number counts: a power of the price times a power of the quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Power of the price; one tick is worth the tick's size to this power.
    pub price: i32,
    /// Power of the quantity.
    pub volume: i32,
}

impl Unit {
    const fn of(field: Field) -> Self {
        match field {
            Field::Volume => Self { price: 0, volume: 1 },
            Field::Time => Self { price: 0, volume: 0 },
            _ => Self { price: 1, volume: 0 },
        }
    }

    /// How it is written: "ratio", "price", "volume", or powers of those.
    pub fn name(self) -> String {
        let powers: Vec<String> = [("price", self.price), ("volume", self.volume)]
            .into_iter()
            .filter(|(_, power)| *power != 0)
            .map(|(name, power)| if power == 1 { name.to_owned() } else { format!("{name}^{power}") })
            .collect();
        if powers.is_empty() { "ratio".to_owned() } else { powers.join(" ") }
    }
}

/// One series that a feature reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// What it is to the feature.
    pub name: &'static str,
    /// The field of a bar that it is unless something else is given, where there is one.
    pub field: Option<Field>,
}

/// One parameter of a feature: a number from `least` to `most`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be a whole number.
    pub whole: bool,
    /// The smallest value that makes sense.
    pub least: f64,
    /// The largest value.
    pub most: f64,
    /// What it is unless it is given.
    pub default: f64,
}

/// One series that a feature makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its name; "value" where there is only one.
    pub name: &'static str,
    /// The power of each input's unit in its own; inputs that are not listed have the power 0.
    pub powers: &'static [i32],
}

/// One row of the table of features.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The name by which everybody knows it.
    pub name: &'static str,
    /// What it reads, in order.
    pub inputs: &'static [Input],
    /// Its parameters, in order.
    pub parameters: &'static [Parameter],
    /// What it makes, in order.
    pub outputs: &'static [Output],
    /// What it is, in one line.
    pub line: &'static str,
    /// Who defined it, and where other definitions differ.
    pub source: &'static str,
    /// Places of parameters that must be below another.
    below: &'static [(usize, usize)],
    make: fn(&[f64]) -> Box<dyn Feature>,
}

/// Features that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// What they measure.
    pub name: &'static str,
    /// Its rows, by name.
    pub kinds: &'static [Kind],
}

/// Every feature.
pub static FAMILIES: &[Family] = &[
    Family { name: "returns", kinds: returns::KINDS },
    Family { name: "moving averages", kinds: average::KINDS },
    Family { name: "momentum", kinds: momentum::KINDS },
    Family { name: "oscillators", kinds: oscillator::KINDS },
    Family { name: "volatility", kinds: volatility::KINDS },
    Family { name: "channels", kinds: channel::KINDS },
    Family { name: "volume", kinds: volume::KINDS },
    Family { name: "statistics", kinds: statistics::KINDS },
    Family { name: "pairs", kinds: pair::KINDS },
    Family { name: "microstructure", kinds: microstructure::KINDS },
    Family { name: "patterns", kinds: pattern::KINDS },
    Family { name: "time", kinds: calendar::KINDS },
];

/// Every row of the table.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    FAMILIES.iter().flat_map(|family| family.kinds)
}

// What rows are made of.

/// Any series; on bars it is the close.
pub(crate) const SERIES: &[Input] = &[on("series", Field::Close)];
/// The range of a bar and where it ended.
pub(crate) const HIGH_LOW_CLOSE: &[Input] =
    &[on("high", Field::High), on("low", Field::Low), on("close", Field::Close)];

/// The four prices of a bar.
pub(crate) const BARS: &[Input] =
    &[on("open", Field::Open), on("high", Field::High), on("low", Field::Low), on("close", Field::Close)];

/// One output in the unit of the first input.
pub(crate) const SAME: &[Output] = &[same("value")];
/// One output that is a pure number.
pub(crate) const RATIO: &[Output] = &[ratio("value")];

/// An input that is a field of bars.
pub(crate) const fn on(name: &'static str, field: Field) -> Input {
    Input { name, field: Some(field) }
}

/// An output in the unit of the first input.
pub(crate) const fn same(name: &'static str) -> Output {
    Output { name, powers: &[1] }
}

/// An output that is a pure number.
pub(crate) const fn ratio(name: &'static str) -> Output {
    Output { name, powers: &[] }
}

/// A window: a whole number from `least` on.
pub(crate) const fn window(name: &'static str, least: usize, default: usize) -> Parameter {
    count(name, least, MAX_WINDOW, default)
}

/// A whole number of a range.
pub(crate) const fn count(name: &'static str, least: usize, most: usize, default: usize) -> Parameter {
    Parameter { name, whole: true, least: least as f64, most: most as f64, default: default as f64 }
}

/// Any number of a range.
pub(crate) const fn real(name: &'static str, least: f64, most: f64, default: f64) -> Parameter {
    Parameter { name, whole: false, least, most, default }
}

impl Kind {
    pub(crate) const fn new(
        name: &'static str,
        inputs: &'static [Input],
        parameters: &'static [Parameter],
        outputs: &'static [Output],
        make: fn(&[f64]) -> Box<dyn Feature>,
        line: &'static str,
        source: &'static str,
    ) -> Self {
        Self { name, inputs, parameters, outputs, line, source, below: &[], make }
    }

    /// The same, with parameters that must be below others.
    pub(crate) const fn ordered(self, below: &'static [(usize, usize)]) -> Self {
        Self { below, ..self }
    }

    /// The row of a name.
    pub fn named(name: &str) -> Result<&'static Self, FeatureError> {
        kinds().find(|kind| kind.name == name).ok_or_else(|| FeatureError::Unknown { name: name.to_owned() })
    }

    /// All parameters: those that are given, in order, and the defaults of the rest.
    pub fn parameters(&'static self, given: &[f64]) -> Result<Vec<f64>, FeatureError> {
        if given.len() > self.parameters.len() {
            return Err(FeatureError::Count { kind: self, given: given.len() });
        }
        let defaults = self.parameters[given.len()..].iter().map(|parameter| parameter.default);
        let all: Vec<f64> = given.iter().copied().chain(defaults).collect();
        for (parameter, &value) in self.parameters.iter().zip(&all) {
            // NaN fails the comparisons.
            let within = value >= parameter.least && value <= parameter.most;
            if !within || (parameter.whole && value.trunc() != value) {
                return Err(FeatureError::Range { kind: self, parameter, given: value });
            }
        }
        for &(lower, upper) in self.below {
            if all[lower] >= all[upper] {
                return Err(FeatureError::Order {
                    kind: self,
                    lower: (&self.parameters[lower], all[lower]),
                    upper: (&self.parameters[upper], all[upper]),
                });
            }
        }
        Ok(all)
    }

    /// A feature of this kind that has seen nothing yet.
    pub fn build(&'static self, given: &[f64]) -> Result<Box<dyn Feature>, FeatureError> {
        Ok((self.make)(&self.parameters(given)?))
    }

    /// The fields of a bar that it reads where `series` stands for its first input, if that is given.
    pub fn fields(&'static self, series: Option<Field>) -> Result<Vec<Field>, FeatureError> {
        let field = |(at, input): (usize, &Input)| {
            let field = if at == 0 { series.or(input.field) } else { input.field };
            field.ok_or(FeatureError::NotOfBars { kind: self, input: input.name })
        };
        self.inputs.iter().enumerate().map(field).collect()
    }

    /// The unit of an output on bars whose `fields` are the inputs.
    pub fn unit(&self, output: usize, fields: &[Field]) -> Unit {
        let mut unit = Unit { price: 0, volume: 0 };
        for (power, field) in self.outputs[output].powers.iter().zip(fields) {
            let of = Unit::of(*field);
            unit.price += power * of.price;
            unit.volume += power * of.volume;
        }
        unit
    }

    /// Values of every output over whole columns, one column for each input.
    pub fn columns(&'static self, given: &[f64], inputs: &[&[f64]]) -> Result<Vec<Vec<f64>>, FeatureError> {
        let mut feature = self.build(given)?;
        self.check(inputs)?;
        let mut columns = vec![vec![0.0; inputs[0].len()]; self.outputs.len()];
        let mut outputs: Vec<&mut [f64]> = columns.iter_mut().map(Vec::as_mut_slice).collect();
        feature.columns(inputs, &mut outputs);
        Ok(columns)
    }

    /// Refuses columns that do not fit the feature or each other.
    pub fn check(&'static self, inputs: &[&[f64]]) -> Result<(), FeatureError> {
        if inputs.len() != self.inputs.len() {
            return Err(FeatureError::Inputs { kind: self, given: inputs.len() });
        }
        for (input, column) in self.inputs.iter().zip(inputs) {
            if column.len() != inputs[0].len() {
                return Err(FeatureError::Length {
                    kind: self,
                    input: input.name,
                    given: column.len(),
                    expected: inputs[0].len(),
                });
            }
        }
        Ok(())
    }
}

/// Shorthand of rows: a parameter as the size of a window.
pub(crate) fn whole(parameter: f64) -> usize {
    parameter as usize
}

/// Shorthand of rows whose struct is built from one window.
pub(crate) fn made<S, const I: usize, const O: usize>(new: fn(usize) -> S, given: &[f64]) -> Box<dyn Feature>
where
    S: Stream<I, O> + Send + Sync + 'static,
{
    boxed(new(whole(given[0])))
}
