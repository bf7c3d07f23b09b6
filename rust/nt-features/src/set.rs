//! Many features of the same rows.

use std::ops::Range;

use crate::feature::{Lane, PIECE, are_numbers};
use crate::{Feature, FeatureError, Kind};

/// Features that take the same rows; each reads some of the numbers of a row and writes some of the outputs.
pub struct Set {
    members: Vec<Member>,
    /// Averages of all members, side by side.
    lanes: Vec<Lane>,
}

struct Member {
    feature: Box<dyn Feature>,
    inputs: Vec<usize>,
    outputs: Range<usize>,
    /// Those of its averages in this piece.
    lanes: Range<usize>,
}

impl Set {
    /// A set of features, each by name, parameters and the places of its inputs in a row.
    pub fn new(features: &[(&str, &[f64], &[usize])]) -> Result<Self, FeatureError> {
        let mut set = Self { members: Vec::new(), lanes: Vec::new() };
        for (name, parameters, inputs) in features {
            let kind = Kind::named(name)?;
            let feature = kind.build(parameters)?;
            if inputs.len() != kind.inputs.len() {
                return Err(FeatureError::Inputs { kind, given: inputs.len() });
            }
            let first = set.outputs();
            let outputs = first..first + kind.outputs.len();
            set.members.push(Member { feature, inputs: inputs.to_vec(), outputs, lanes: 0..0 });
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
            member.feature.update_from(row, &member.inputs, &mut outputs[member.outputs.clone()]);
        }
    }

    /// Takes the rows of whole columns of one length and writes the columns of all outputs.
    pub fn columns(&mut self, columns: &[&[f64]], outputs: &mut [&mut [f64]]) {
        let rows = columns.first().map_or(0, |column| column.len());
        for first in (0..rows).step_by(PIECE) {
            let piece = first..rows.min(first + PIECE);
            let inputs: Vec<&[f64]> = columns.iter().map(|column| &column[piece.clone()]).collect();
            let mut outputs: Vec<&mut [f64]> = outputs.iter_mut().map(|column| &mut column[piece.clone()]).collect();
            self.piece(&inputs, &mut outputs);
        }
    }

    /// Takes a piece of columns: features with averages in two steps, between which all averages run side by side.
    fn piece(&mut self, columns: &[&[f64]], outputs: &mut [&mut [f64]]) {
        let numbers: Vec<bool> = columns.iter().map(|column| are_numbers(column)).collect();
        let inputs: Vec<&[f64]> =
            self.members.iter().flat_map(|member| &member.inputs).map(|&at| columns[at]).collect();
        let (mut rest, mut used) = (&inputs[..], 0);
        for member in &mut self.members {
            let (inputs, outputs) = (next(&mut rest, member.inputs.len()), &mut outputs[member.outputs.clone()]);
            let numbers = member.inputs.iter().all(|&at| numbers[at]);
            member.lanes = used..used + if numbers { member.feature.lanes() } else { 0 };
            used = member.lanes.end;
            if member.lanes.is_empty() {
                member.feature.piece(inputs, outputs, numbers);
            } else {
                self.lanes.resize(self.lanes.len().max(used), Lane::IDLE);
                member.feature.before(inputs, &mut self.lanes[member.lanes.clone()]);
            }
        }
        Lane::run(&mut self.lanes[..used], columns[0].len());
        let mut rest = &inputs[..];
        for member in &mut self.members {
            let (inputs, outputs) = (next(&mut rest, member.inputs.len()), &mut outputs[member.outputs.clone()]);
            if !member.lanes.is_empty() {
                member.feature.after(inputs, &self.lanes[member.lanes.clone()], outputs);
            }
        }
    }
}

/// Takes so many columns off the front.
fn next<'a, 'b>(rest: &mut &'a [&'b [f64]], count: usize) -> &'a [&'b [f64]] {
    let (taken, left) = rest.split_at(count);
    *rest = left;
    taken
}
