//! Many features of the same rows.

use std::ops::Range;

use crate::feature::{PIECE, are_numbers};
use crate::{Feature, FeatureError, Kind};

/// Features that take the same rows; each reads some of the numbers of a row and writes some of the outputs.
pub struct Set {
    members: Vec<Member>,
    row: Vec<f64>,
}

struct Member {
    feature: Box<dyn Feature>,
    inputs: Vec<usize>,
    outputs: Range<usize>,
}

impl Set {
    /// A set of features, each by name, parameters and the places of its inputs in a row.
    pub fn new(features: &[(&str, &[f64], &[usize])]) -> Result<Self, FeatureError> {
        let mut set = Self { members: Vec::new(), row: Vec::new() };
        for (name, parameters, inputs) in features {
            let kind = Kind::named(name)?;
            let feature = kind.build(parameters)?;
            if inputs.len() != kind.inputs.len() {
                return Err(FeatureError::Inputs { kind, given: inputs.len() });
            }
            let first = set.outputs();
            let outputs = first..first + kind.outputs.len();
            set.row.resize(set.row.len().max(inputs.len()), 0.0);
            set.members.push(Member { feature, inputs: inputs.to_vec(), outputs });
        }
        Ok(set)
    }

    /// How many numbers a row has at least.
    pub fn inputs(&self) -> usize {
        self.members.iter().flat_map(|member| &member.inputs).max().map_or(0, |last| last + 1)
    }

    /// How many outputs all features have together.
    pub fn outputs(&self) -> usize {
        self.members.last().map_or(0, |member| member.outputs.end)
    }

    /// How many rows of numbers come before all features have values.
    pub fn warmup(&self) -> usize {
        self.members.iter().map(|member| member.feature.warmup()).max().unwrap_or(0)
    }

    /// Forgets every row.
    pub fn restart(&mut self) {
        for member in &mut self.members {
            member.feature.restart();
        }
    }

    /// Takes the next row and writes all outputs.
    #[inline]
    pub fn update(&mut self, row: &[f64], outputs: &mut [f64]) {
        for member in &mut self.members {
            for (place, &at) in self.row.iter_mut().zip(&member.inputs) {
                *place = row[at];
            }
            member.feature.update(&self.row, &mut outputs[member.outputs.clone()]);
        }
    }

    /// Takes the rows of whole columns of one length and writes the columns of all outputs.
    pub fn columns(&mut self, columns: &[&[f64]], outputs: &mut [&mut [f64]]) {
        let rows = columns.first().map_or(0, |column| column.len());
        let mut numbers = vec![true; columns.len()];
        for first in (0..rows).step_by(PIECE) {
            let piece = first..rows.min(first + PIECE);
            for (numbers, column) in numbers.iter_mut().zip(columns) {
                *numbers = are_numbers(&column[piece.clone()]);
            }
            for member in &mut self.members {
                let inputs: Vec<&[f64]> = member.inputs.iter().map(|&at| &columns[at][piece.clone()]).collect();
                let outputs = outputs[member.outputs.clone()].iter_mut();
                let mut outputs: Vec<&mut [f64]> = outputs.map(|column| &mut column[piece.clone()]).collect();
                member.feature.piece(&inputs, &mut outputs, member.inputs.iter().all(|&at| numbers[at]));
            }
        }
    }
}
