//! Formulas: series of numbers and signals that follow from bars, as a graph of nodes.
//!
//! A [`Term`] is a node as a formula words it, with parameters left open; a [`Node`] is one whose parameters have values.
//! Every node has one value per bar: a number, NaN where it is not known, or a signal, which is 1 where it is on.
//! `docs/expressions.md` defines each operation, and `neural_trader.baseline.formula` does it in plain Python.
//!
//! [`Graph`] goes from bar to bar; [`column`] does the same over blocks of bars, and gives the same bits.

mod across;
mod cell;
pub mod column;
mod compare;
mod operation;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

pub use across::{Across, Room};
pub use cell::Cell;
pub use operation::{Operation, Yields};

use crate::{Bar, FeatureError};

/// How many nodes one of them reads at most.
pub const READS: usize = 6;

/// A number in a formula: itself, or the parameter that gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Given {
    /// The number.
    Number(f64),
    /// The rank of a parameter.
    Parameter(usize),
}

/// A node of a formula whose parameters are open.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// What it does.
    pub operation: Operation,
    /// Positions of the terms that it reads, all before its own.
    pub inputs: Vec<usize>,
    /// Its numbers, such as a window.
    pub given: Vec<Given>,
}

/// A node with everything that it is made of: nodes that are equal have equal values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Node {
    operation: Operation,
    inputs: Vec<usize>,
    /// Its numbers, as bits, so that they can be compared.
    numbers: Vec<u64>,
}

impl Node {
    /// Positions of the nodes that it reads.
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// What its values are.
    pub fn yields(&self) -> Yields {
        self.operation.yields()
    }

    /// Its state before the first bar of an instrument, whose ticks and lots are numerators over denominators.
    pub fn cell(&self, tick: (f64, f64), lot: (f64, f64)) -> Result<Cell, FeatureError> {
        let numbers: Vec<f64> = self.numbers.iter().map(|&bits| f64::from_bits(bits)).collect();
        Cell::new(&self.operation, &numbers, tick, lot)
    }
}

/// Nodes of any number of formulas, each after those that it reads and no two of them equal.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    all: Vec<Arc<Node>>,
    places: HashMap<Arc<Node>, usize, BuildHasherDefault<Mixer>>,
}

impl Nodes {
    /// The nodes.
    pub fn all(&self) -> &[Arc<Node>] {
        &self.all
    }

    /// Adds a formula with values of its parameters; returns the place of the node of each of its terms.
    pub fn add(&mut self, terms: &[Term], parameters: &[f64]) -> Vec<usize> {
        let mut places: Vec<usize> = Vec::with_capacity(terms.len());
        // Most terms come to nodes that are there already, for which nothing new is kept.
        let mut node = Node { operation: Operation::Close, inputs: Vec::new(), numbers: Vec::new() };
        for term in terms {
            let number = |given: &Given| match *given {
                Given::Number(number) => number.to_bits(),
                Given::Parameter(rank) => parameters[rank].to_bits(),
            };
            node.operation.clone_from(&term.operation);
            node.inputs.clear();
            node.inputs.extend(term.inputs.iter().map(|&input| places[input]));
            node.numbers.clear();
            node.numbers.extend(term.given.iter().map(number));
            let place = match self.places.get(&node) {
                Some(&place) => place,
                None => {
                    let kept = Arc::new(node.clone());
                    self.places.insert(kept.clone(), self.all.len());
                    self.all.push(kept);
                    self.all.len() - 1
                }
            };
            places.push(place);
        }
        places
    }
}

/// Hashes words by multiplying them; nobody chooses nodes so that they collide.
#[derive(Debug, Clone, Copy, Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for eight in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..eight.len()].copy_from_slice(eight);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(ODD);
        self.0 = product as u64 ^ (product >> 64) as u64;
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// 2^64 divided by the golden ratio.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// One formula over the instruments of a run, one bar after the other.
pub struct Graph {
    /// Of each node, the places that it reads, filled up with 0.
    inputs: Vec<[usize; READS]>,
    /// Per node: whether it compares instruments.
    across: Vec<bool>,
    instruments: Vec<Line>,
    compared: Compared,
}

/// Room for a comparison: what is read of each instrument, and what is made of that.
#[derive(Default)]
struct Compared {
    x: Vec<f64>,
    y: Vec<f64>,
    made: Vec<f64>,
    room: Room,
}

/// The nodes of one instrument: their states, and their values at its last bar.
struct Line {
    cells: Vec<Cell>,
    values: Vec<f64>,
}

impl Line {
    #[inline]
    fn step(&mut self, at: usize, reads: &[usize; READS], bar: &Bar) {
        let Line { cells, values } = self;
        let row = reads.iter().map(|&place| values[place]);
        values[at] = match cells[at].step_row(row) {
            Some(value) => value,
            None => cells[at].step(bar, values[reads[0]], values[reads[1]], values[reads[2]]),
        };
    }
}

impl Graph {
    /// The nodes over instruments, of each of which the tick and the lot are given as numerators and denominators.
    pub fn new(nodes: &Nodes, grids: &[[(f64, f64); 2]]) -> Result<Self, FeatureError> {
        let line = |&[tick, lot]: &[(f64, f64); 2]| {
            let cells = nodes.all.iter().map(|node| node.cell(tick, lot)).collect::<Result<Vec<_>, _>>()?;
            Ok(Line { values: vec![f64::NAN; cells.len()], cells })
        };
        let padded = |node: &Arc<Node>| {
            let mut places = [0; READS];
            places[..node.inputs.len()].copy_from_slice(&node.inputs);
            places
        };
        Ok(Graph {
            inputs: nodes.all.iter().map(padded).collect(),
            across: nodes.all.iter().map(|node| node.operation.across().is_some()).collect(),
            instruments: grids.iter().map(line).collect::<Result<_, _>>()?,
            compared: Compared::default(),
        })
    }

    /// Takes the bars that close at one time, each with the rank of its instrument.
    #[inline]
    pub fn update(&mut self, closed: &[(usize, Bar)]) {
        if let [(instrument, bar)] = closed {
            let line = &mut self.instruments[*instrument];
            for (at, reads) in self.inputs.iter().enumerate() {
                line.step(at, reads, bar);
            }
            return;
        }
        for at in 0..self.inputs.len() {
            if self.across[at] {
                self.compare(at, closed);
                continue;
            }
            for (instrument, bar) in closed {
                self.instruments[*instrument].step(at, &self.inputs[at], bar);
            }
        }
    }

    /// A node that sets the instruments beside each other.
    fn compare(&mut self, at: usize, closed: &[(usize, Bar)]) {
        let Compared { x, y, made, room } = &mut self.compared;
        let [first, second, ..] = self.inputs[at];
        x.clear();
        y.clear();
        for &(instrument, _) in closed {
            let values = &self.instruments[instrument].values;
            x.push(values[first]);
            y.push(values[second]);
        }
        made.resize(closed.len(), f64::NAN);
        // Every instrument has the same cell here, which has no state.
        if let Some((across, number)) = closed.first().and_then(|&(k, _)| self.instruments[k].cells[at].across()) {
            across.row(number, x, y, room, made);
        }
        for (&(instrument, _), &value) in closed.iter().zip(&*made) {
            self.instruments[instrument].values[at] = value;
        }
    }

    /// The value of a node at the last bar of an instrument.
    #[inline]
    pub fn value(&self, instrument: usize, place: usize) -> f64 {
        self.instruments[instrument].values[place]
    }
}
