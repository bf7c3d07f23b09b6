//! One formula with many sets of parameters over the same bars, in memory that does not grow with the bars.
//!
//! Of a lone instrument, blocks of bars are gone through one after the other. In each, what several sets read is computed
//! once; every set turns its own signals into bits, and its engine plays the block: from one bar at which a bit is set to
//! the next, by the code that plays a single run. Of several instruments every set is a run of its own.
//!
//! Sets are played in parallel, each by one thread at a time, so their outcomes do not depend on the number of threads.

pub mod figures;
mod periods;
mod signals;

use std::sync::Arc;

use nt_core::{Bars, Error, Instrument, Nanos, Result};
use nt_features::graph::column::Column;
use nt_features::graph::{Cell, Node, Nodes, READS, Term, Yields};
use rayon::prelude::*;

use crate::config::{Config, Rules};
use crate::digest::{self, Hash};
use crate::engine::Engine;
use crate::formula::{Desk, Formula, Roles, grid};
use crate::run::{Run, run};
use crate::scratch::Records;
use figures::{Figures, Summary};
use signals::Signals;

/// Bars that are gone through together: their columns stay in the processor's cache.
const BLOCK: usize = 4_096;
/// Numbers that all shared columns together may hold.
const SHARED_MAX: usize = 1 << 21;
/// Sets of several instruments that are played between two looks at whether to go on.
const SETS_AT_ONCE: usize = 64;

/// What is the same in all sets.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The settings of every run.
    pub config: Config,
    /// The instruments, in order of their symbols.
    pub instruments: Vec<Instrument>,
    /// The formula.
    pub terms: Vec<Term>,
    /// What it decides with.
    pub roles: Roles,
    /// Whether the curve of equity is measured, which takes longer.
    pub curve: bool,
    /// Whether orders, fills and postings are kept, whose digests are then those of the runs by themselves.
    pub records: bool,
    /// Samples at which equity is kept, ascending; none where nobody asks for it.
    pub ends: Vec<usize>,
}

/// A sweep under way.
pub struct Sweep {
    plan: Plan,
    /// Nodes that several sets read, by how many others stand between them and the bars.
    levels: Vec<Vec<Shared>>,
    sets: Vec<Set>,
    rows: usize,
    played: usize,
    ends: usize,
}

struct Shared {
    cell: Cell,
    inputs: [Option<Place>; READS],
    column: Column,
}

/// Where the column of a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Level and position among the shared nodes.
    Shared(u32, u32),
    /// Position among a set's own nodes.
    Own(u32),
}

/// One set of parameters.
struct Set {
    /// Of several instruments; a lone one has the nodes that they come to.
    parameters: Vec<f64>,
    own: Vec<Own>,
    roles: Roles<Option<Place>>,
    state: Result<Box<State>>,
}

struct Own {
    cell: Cell,
    inputs: [Option<Place>; READS],
    yields: Yields,
}

/// How far the run of a set has come.
struct State {
    engine: Engine,
    run: Run,
    desk: Desk,
    summary: Summary,
    /// Equity at the plan's `ends` so far.
    periods: Vec<f64>,
}

/// What a thread writes to while it plays a set.
#[derive(Debug, Default)]
struct Scratch {
    columns: Vec<Column>,
    records: Records,
    bits: signals::Bits,
    curve: Vec<f64>,
}

impl Sweep {
    /// A sweep over as many bars as the first instrument has (`ends`), with the parameters of each set; it is made in the
    /// threads of the pool that it is called from.
    pub fn new(plan: Plan, sets: &[Vec<f64>], ends: usize) -> Result<Self> {
        if plan.config.rules != Rules::House {
            return Err(Error::Misuse("a sweep plays by our own rules".into()));
        }
        let mut sweep = Sweep { plan, levels: Vec::new(), sets: Vec::new(), rows: BLOCK, played: 0, ends };
        match sweep.is_lone() {
            true => sweep.arrange(sets)?,
            false => {
                let alone = |parameters: &Vec<f64>| Set {
                    parameters: parameters.clone(),
                    own: Vec::new(),
                    roles: Roles::default(),
                    state: Err(Error::Misuse("it has not been played".into())),
                };
                sweep.sets = sets.iter().map(alone).collect();
            }
        }
        Ok(sweep)
    }

    fn is_lone(&self) -> bool {
        self.plan.instruments.len() == 1
    }

    /// Finds out which nodes are shared, and gives every node a place.
    fn arrange(&mut self, sets: &[Vec<f64>]) -> Result<()> {
        let mut nodes = Nodes::default();
        let places: Vec<Vec<usize>> = sets.iter().map(|parameters| nodes.add(&self.plan.terms, parameters)).collect();
        let nodes = nodes.all();
        let mut users = vec![0_usize; nodes.len()];
        let mut last_user = vec![usize::MAX; nodes.len()];
        for (set, places) in places.iter().enumerate() {
            for &node in places {
                users[node] += usize::from(std::mem::replace(&mut last_user[node], set) != set);
            }
        }
        let [tick, lot] = grid(&self.plan.instruments[0]);
        let cell = |node: &Node| node.cell(tick, lot).map_err(|error| Error::Misuse(error.to_string()));
        let shared = self.share(nodes, &users, cell);
        let engine = Engine::new(self.plan.config, self.plan.instruments.clone())?;
        let set = |places: &Vec<usize>| {
            let (mut own, mut roles) = (Vec::new(), Roles::default());
            // A node that cannot be made spoils the sets that have it, and no others.
            let state = own_nodes(nodes, places, &shared, cell).map(|(nodes, found)| {
                own = nodes;
                roles = self.plan.roles.map(|term| term.map(|term| found[term]));
                Box::new(State::new(&engine, self.plan.curve))
            });
            Set { parameters: Vec::new(), own, roles, state }
        };
        self.sets = places.par_iter().map(set).collect();
        Ok(())
    }

    /// Puts the nodes that several sets read on levels; returns where each is.
    fn share(
        &mut self,
        nodes: &[Arc<Node>],
        users: &[usize],
        cell: impl Fn(&Node) -> Result<Cell>,
    ) -> Vec<Option<Place>> {
        let mut places: Vec<Option<Place>> = vec![None; nodes.len()];
        let mut numbers = 0;
        for (at, node) in nodes.iter().enumerate() {
            // What a shared node reads is read by the same sets; it is absent only where it could not be made.
            if users[at] < 2 || node.inputs().iter().any(|&input| places[input].is_none()) {
                continue;
            }
            let Ok(cell) = cell(node) else { continue };
            let level = |input: &usize| match places[*input] {
                Some(Place::Shared(level, _)) => level as usize + 1,
                _ => 0,
            };
            let level = node.inputs().iter().map(level).max().unwrap_or(0);
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            let inputs = padded(node.inputs(), |input| places[input]);
            let column = Column::of(node.yields());
            numbers += usize::from(node.yields() == Yields::Numbers);
            places[at] = Some(Place::Shared(level as u32, self.levels[level].len() as u32));
            self.levels[level].push(Shared { cell, inputs, column });
        }
        // Whole words of bits, so that no word is shared by two blocks.
        self.rows = (SHARED_MAX / numbers.max(1) / 64 * 64).clamp(64, BLOCK);
        places
    }

    /// How many sets there are.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Whether there is no set.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// The share of the work that is done.
    pub fn progress(&self) -> f64 {
        let all = if self.is_lone() { self.ends } else { self.sets.len() };
        if all == 0 { 1.0 } else { self.played as f64 / all as f64 }
    }

    /// Plays on for a while over all bars, in the threads of the pool that it is called from; says whether it has ended.
    pub fn advance(&mut self, bars: &[Bars<'_>]) -> bool {
        if self.is_lone() { self.advance_block(&bars[0]) } else { self.advance_sets(bars) }
    }

    fn advance_block(&mut self, bars: &Bars<'_>) -> bool {
        let end = bars.len().min(self.played + self.rows);
        let block = piece(bars, self.played, end);
        let is_last = end == bars.len();
        for level in 0..self.levels.len() {
            let (done, rest) = self.levels.split_at_mut(level);
            rest[0].par_iter_mut().for_each(|shared| {
                let inputs = shared.inputs.map(|place| shared_column(done, place));
                shared.cell.fill(&inputs, &block, &mut shared.column);
            });
        }
        let (levels, plan) = (&self.levels, &self.plan);
        self.sets.par_iter_mut().with_min_len(4).for_each_init(Scratch::default, |scratch, set| {
            set.play(levels, &block, plan, is_last, scratch);
        });
        self.played = end;
        is_last
    }

    fn advance_sets(&mut self, bars: &[Bars<'_>]) -> bool {
        let end = self.sets.len().min(self.played + SETS_AT_ONCE);
        let plan = &self.plan;
        self.sets[self.played..end].par_iter_mut().for_each(|set| {
            set.state = State::of_run(plan, &set.parameters, bars).map(Box::new);
        });
        self.played = end;
        end == self.sets.len()
    }

    /// Digests of the orders, fills and postings of each set that was played, where they have been kept.
    pub fn digests(&self) -> impl Iterator<Item = Option<[Hash; 3]>> {
        self.sets.iter().map(|set| {
            let engine = &set.state.as_ref().ok().filter(|_| self.plan.records)?.engine;
            Some([
                digest::orders(engine.orders()),
                digest::fills(engine.fills()),
                digest::postings(engine.ledger().postings()),
            ])
        })
    }

    /// The samples at which equity is kept.
    pub fn ends(&self) -> &[usize] {
        &self.plan.ends
    }

    /// Equity of each set at the `ends` of the plan; nothing of a set that failed.
    pub fn periods(&self) -> impl Iterator<Item = Option<&[f64]>> {
        self.sets.iter().map(|set| set.state.as_ref().ok().map(|state| state.periods.as_slice()))
    }

    /// What came of each set, or what went wrong in it.
    pub fn figures(&self) -> impl Iterator<Item = Result<Figures>> {
        self.sets.iter().map(|set| match &set.state {
            Ok(state) => Figures::of(&state.engine, &state.summary),
            Err(error) => Err(error.clone()),
        })
    }
}

impl State {
    fn new(engine: &Engine, curve: bool) -> Self {
        let summary = Summary::new(engine, curve);
        // A lone instrument has no time line of others, and so no player.
        State { engine: engine.clone(), run: Run::new(0), desk: Desk::default(), summary, periods: Vec::new() }
    }

    /// A run of its own, of which only its figures are kept.
    fn of_run(plan: &Plan, parameters: &[f64], bars: &[Bars<'_>]) -> Result<Self> {
        let mut engine = Engine::new(plan.config, plan.instruments.clone())?;
        let mut formula = Formula::new(&engine, &plan.terms, parameters, plan.roles)?;
        let mut summary = Summary::new(&engine, plan.curve);
        run(&mut engine, bars, &mut formula)?;
        summary.take_fills(&engine)?;
        if plan.curve {
            let mut curve = vec![0.0; engine.samples().len()];
            engine.samples().in_currency(&[], &mut curve)?;
            summary.take_curve(&curve);
        }
        let mut periods = Vec::new();
        periods::take(&mut periods, &plan.ends, &engine, 0, &[])?;
        if !plan.records {
            engine.return_records(&mut Records::default());
        }
        Ok(State { engine, run: Run::new(0), desk: Desk::default(), summary, periods })
    }
}

impl Set {
    /// Plays a block of bars.
    fn play(&mut self, levels: &[Vec<Shared>], block: &Bars<'_>, plan: &Plan, is_last: bool, scratch: &mut Scratch) {
        let Ok(state) = &mut self.state else { return };
        let Scratch { columns, records, bits, curve: samples } = scratch;
        columns.resize_with(columns.len().max(self.own.len()), || Column::Constant(0.0));
        for (at, node) in self.own.iter_mut().enumerate() {
            let (done, rest) = columns.split_at_mut(at);
            let inputs = node.inputs.map(|place| column_at(levels, done, place));
            if !rest[0].is_of(node.yields) {
                rest[0] = Column::of(node.yields);
            }
            node.cell.fill(&inputs, block, &mut rest[0]);
        }
        let roles = self.roles.map(|place| column_at(levels, columns, place));
        let mut play = || -> Result<()> {
            let State { engine, run, desk, summary, periods } = &mut **state;
            if !plan.records {
                engine.borrow_records(records);
            }
            bits.of(&roles, block.len());
            let mut signals = Signals { desk, roles, has: plan.roles.map(|place| place.is_some()), bits };
            let horizon_ns = if is_last { Nanos::MAX } else { Nanos::MIN };
            run.play(engine, std::slice::from_ref(block), &mut signals, horizon_ns)?;
            summary.take_fills(engine)?;
            if plan.curve {
                samples.resize(block.len(), 0.0);
                engine.samples().in_currency_since(block.first, block.close, samples)?;
                summary.take_curve(samples);
            }
            periods::take(periods, &plan.ends, engine, block.first, block.close)?;
            if !plan.records && engine.return_records(records) {
                desk.forget_order();
                summary.forget_fills();
            }
            Ok(())
        };
        if let Err(error) = play() {
            self.state = Err(error);
        }
    }
}

/// The nodes that a set has for itself, and where the node of each of its terms is.
fn own_nodes(
    nodes: &[Arc<Node>],
    terms: &[usize],
    shared: &[Option<Place>],
    cell: impl Fn(&Node) -> Result<Cell>,
) -> Result<(Vec<Own>, Vec<Place>)> {
    let mut own: Vec<Own> = Vec::new();
    let mut places: Vec<Place> = Vec::with_capacity(terms.len());
    for (at, &node) in terms.iter().enumerate() {
        let of = |node: usize| terms[..at].iter().position(|&term| term == node).map(|term| places[term]);
        let place = match shared[node].or_else(|| of(node)) {
            Some(place) => place,
            None => {
                let inputs = padded(nodes[node].inputs(), of);
                own.push(Own { cell: cell(&nodes[node])?, inputs, yields: nodes[node].yields() });
                Place::Own(own.len() as u32 - 1)
            }
        };
        places.push(place);
    }
    Ok((own, places))
}

/// What of the inputs of a node there is.
fn padded(inputs: &[usize], place: impl Fn(usize) -> Option<Place>) -> [Option<Place>; READS] {
    let mut places = [None; READS];
    for (slot, &input) in places.iter_mut().zip(inputs) {
        *slot = place(input);
    }
    places
}

fn shared_column(levels: &[Vec<Shared>], place: Option<Place>) -> Option<&Column> {
    match place {
        Some(Place::Shared(level, at)) => Some(&levels[level as usize][at as usize].column),
        _ => None,
    }
}

fn column_at<'a>(levels: &'a [Vec<Shared>], own: &'a [Column], place: Option<Place>) -> Option<&'a Column> {
    match place {
        Some(Place::Own(at)) => Some(&own[at as usize]),
        shared => shared_column(levels, shared),
    }
}

/// Bars from one position up to another.
fn piece<'a>(bars: &Bars<'a>, from: usize, end: usize) -> Bars<'a> {
    let cut = |column: &'a [i64]| if column.is_empty() { column } else { &column[from..end] };
    Bars {
        first: from,
        open_ns: cut(bars.open_ns),
        close_ns: cut(bars.close_ns),
        open: cut(bars.open),
        high: cut(bars.high),
        low: cut(bars.low),
        close: cut(bars.close),
        volume: cut(bars.volume),
        spread: cut(bars.spread),
    }
}
