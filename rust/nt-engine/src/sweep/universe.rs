//! Sets of parameters over several instruments: nodes over blocks of their common time line, and engines that go from one
//! moment at which something is wanted to the next.

use nt_core::{Bars, Error, Instrument, Ppb, Result};
use nt_features::graph::column::Column;
use nt_features::graph::{Cell, Node, Nodes, READS, Room, Yields};
use rayon::prelude::*;

use super::figures::Summary;
use super::moments::{CHUNK, Moments};
use super::turn::Turn;
use super::wants::Wants;
use super::{Plan, SHARED_MAX, piece};
use crate::engine::Engine;
use crate::formula::{Desk, Roles, grid};
use crate::scratch::Records;

/// Moments that are gone through together.
const BLOCK: usize = 4_096;
/// Marks of instruments at moments that are kept together.
const MARKS_MAX: usize = 1 << 18;

/// The sets of a sweep over several instruments, or over one on an account that is more than the usual one.
pub(super) struct Universe {
    /// Nodes that several sets read, by how many others stand between them and the bars.
    levels: Vec<Vec<Shared>>,
    sets: Vec<Set>,
    moments: Moments,
    /// Moments of a block at most.
    most: usize,
}

/// A node over all instruments.
struct Shared {
    made: Made,
    columns: Vec<Column>,
}

/// How a node is made.
struct Made {
    /// One for each instrument.
    cells: Vec<Cell>,
    inputs: [Option<Place>; READS],
    yields: Yields,
}

/// Where the columns of a node are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Level and position among the shared nodes.
    Shared(usize, usize),
    /// Position among a set's own nodes.
    Own(usize),
}

struct Set {
    own: Vec<Made>,
    roles: Roles<Option<Place>>,
    state: Result<Box<State>>,
}

/// How far the run of a set has come.
pub(super) struct State {
    pub engine: Engine,
    pub desks: Vec<Desk>,
    /// What each instrument's target was last known to be.
    targets: Vec<Ppb>,
    summary: Summary,
    /// Equity at the plan's `ends` so far.
    pub periods: Vec<f64>,
}

/// What a thread writes to while it plays a set.
#[derive(Default)]
struct Scratch {
    columns: Vec<Vec<Column>>,
    room: Room,
    records: Records,
    wants: Vec<Wants>,
    /// Per instrument the next moment at which it wants something.
    next: Vec<usize>,
    curve: Vec<f64>,
}

/// A block as all sets see it.
pub(super) struct Block<'a> {
    levels: &'a [Vec<Shared>],
    pub moments: &'a Moments,
    pub bars: &'a [Bars<'a>],
    /// The bars of each instrument that close in the block.
    pieces: &'a [Bars<'a>],
    pub plan: &'a Plan,
    pub is_last: bool,
}

impl Universe {
    /// The sets, before the first bars.
    pub fn new(plan: &Plan, sets: &[Vec<f64>]) -> Result<Self> {
        let mut nodes = Nodes::default();
        let terms: Vec<Vec<usize>> = sets.iter().map(|parameters| nodes.add(&plan.terms, parameters)).collect();
        let mut users = vec![0_usize; nodes.all().len()];
        let mut last_user = vec![usize::MAX; users.len()];
        for (set, terms) in terms.iter().enumerate() {
            for &node in terms {
                users[node] += usize::from(std::mem::replace(&mut last_user[node], set) != set);
            }
        }
        let instruments = plan.instruments.len();
        let mut universe =
            Universe { levels: Vec::new(), sets: Vec::new(), moments: Moments::new(instruments), most: BLOCK };
        let shared = universe.share(&nodes, &users, &plan.instruments);
        let engine = Engine::with_account(plan.config, plan.instruments.clone(), plan.account.clone())?;
        universe.sets = terms.par_iter().map(|terms| Set::new(plan, &engine, &nodes, terms, &shared)).collect();
        Ok(universe)
    }

    /// Puts the nodes that several sets read on levels; returns where each is.
    fn share(&mut self, nodes: &Nodes, users: &[usize], instruments: &[Instrument]) -> Vec<Option<Place>> {
        let mut places: Vec<Option<Place>> = vec![None; users.len()];
        let mut numbers = 0;
        for (at, &users) in users.iter().enumerate() {
            let node: &Node = &nodes.all()[at];
            // What a shared node reads is read by the same sets; it is absent only where it could not be made.
            if users < 2 || node.inputs().iter().any(|&input| places[input].is_none()) {
                continue;
            }
            let Ok(made) = Made::new(node, instruments, |input| places[input]) else { continue };
            let level = |input: &usize| match places[*input] {
                Some(Place::Shared(level, _)) => level + 1,
                _ => 0,
            };
            let level = node.inputs().iter().map(level).max().unwrap_or(0);
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            numbers += usize::from(made.yields == Yields::Numbers) * instruments.len();
            places[at] = Some(Place::Shared(level, self.levels[level].len()));
            let columns = instruments.iter().map(|_| Column::of(made.yields)).collect();
            self.levels[level].push(Shared { made, columns });
        }
        // An instrument has no more rows in a block than half of the moments.
        self.most = (2 * SHARED_MAX / numbers.max(1)).min(MARKS_MAX / instruments.len()).clamp(CHUNK, BLOCK);
        places
    }

    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// How many bars have been played, of all instruments.
    pub fn played(&self) -> usize {
        self.moments.closed()
    }

    /// Plays the next block of the bars of all instruments; says whether it was the last.
    pub fn advance(&mut self, bars: &[Bars<'_>], plan: &Plan) -> bool {
        let is_last = self.moments.advance(bars, self.most);
        let moments = &self.moments;
        let pieces: Vec<_> =
            bars.iter().zip(moments.rows()).map(|(bars, rows)| piece(bars, rows.start, rows.end)).collect();
        for level in 0..self.levels.len() {
            let (done, rest) = self.levels.split_at_mut(level);
            rest[0].par_iter_mut().for_each_init(Room::default, |room, Shared { made, columns }| {
                made.fill(|place| shared_columns(done, place), moments, &pieces, room, columns);
            });
        }
        let block = Block { levels: &self.levels, moments, bars, pieces: &pieces, plan, is_last };
        self.sets.par_iter_mut().for_each_init(Scratch::default, |scratch, set| set.play(&block, scratch));
        is_last
    }

    /// Equity of each set at the `ends` of the plan; nothing of a set that failed.
    pub fn periods(&self) -> impl Iterator<Item = Option<&[f64]>> {
        self.sets.iter().map(|set| set.state.as_ref().ok().map(|state| state.periods.as_slice()))
    }

    /// What is left of the run of each set, or what went wrong in it.
    pub fn outcomes(&self) -> impl Iterator<Item = Result<(&Engine, &Summary)>> {
        self.sets.iter().map(|set| match &set.state {
            Ok(state) => Ok((&state.engine, &state.summary)),
            Err(error) => Err(error.clone()),
        })
    }
}

impl Made {
    fn new(node: &Node, instruments: &[Instrument], place: impl Fn(usize) -> Option<Place>) -> Result<Self> {
        let cell = |instrument: &Instrument| {
            let [tick, lot] = grid(instrument);
            node.cell(tick, lot).map_err(|error| Error::Misuse(error.to_string()))
        };
        let mut inputs = [None; READS];
        for (slot, &input) in inputs.iter_mut().zip(node.inputs()) {
            *slot = place(input);
        }
        Ok(Made { cells: instruments.iter().map(cell).collect::<Result<_>>()?, inputs, yields: node.yields() })
    }

    /// The columns of all instruments over a block.
    fn fill<'a>(
        &mut self,
        read: impl Fn(Place) -> Option<&'a [Column]>,
        moments: &Moments,
        pieces: &[Bars<'_>],
        room: &mut Room,
        out: &mut [Column],
    ) {
        let inputs = self.inputs.map(|place| place.and_then(&read));
        if let Some((across, number)) = self.cells[0].across() {
            let rows = |k: usize| pieces[k].len();
            let together = moments.together().map(|closes| closes.iter().map(|bar| (bar.instrument, moments.row(bar))));
            across.fill(number, [inputs[0], inputs[1]], rows, together, room, out);
            return;
        }
        for (k, (cell, out)) in self.cells.iter_mut().zip(out).enumerate() {
            cell.fill(&inputs.map(|columns| columns.map(|columns| &columns[k])), &pieces[k], out);
        }
    }
}

impl Set {
    fn new(plan: &Plan, engine: &Engine, nodes: &Nodes, terms: &[usize], shared: &[Option<Place>]) -> Self {
        let (mut own, mut places): (Vec<Made>, Vec<Place>) = (Vec::new(), Vec::with_capacity(terms.len()));
        let mut arrange = || -> Result<Roles<Option<Place>>> {
            for (at, &node) in terms.iter().enumerate() {
                let of = |node: usize| terms[..at].iter().position(|&term| term == node).map(|term| places[term]);
                let place = match shared[node].or_else(|| of(node)) {
                    Some(place) => place,
                    None => {
                        own.push(Made::new(&nodes.all()[node], &plan.instruments, of)?);
                        Place::Own(own.len() - 1)
                    }
                };
                places.push(place);
            }
            Ok(plan.roles.map(|term| term.map(|term| places[term])))
        };
        // A node that cannot be made spoils the sets that have it, and no others.
        match arrange() {
            Ok(roles) => Set { own, roles, state: Ok(Box::new(State::new(engine, plan))) },
            Err(error) => Set { own: Vec::new(), roles: Roles::default(), state: Err(error) },
        }
    }

    /// Plays a block.
    fn play(&mut self, block: &Block<'_>, scratch: &mut Scratch) {
        let Ok(state) = &mut self.state else { return };
        let Block { levels, moments, pieces, plan, .. } = *block;
        let instruments = pieces.len();
        let Scratch { columns, room, records, wants, next, curve } = scratch;
        columns.resize_with(columns.len().max(self.own.len()), Vec::new);
        for (at, made) in self.own.iter_mut().enumerate() {
            let (done, rest) = columns.split_at_mut(at);
            let out = &mut rest[0];
            out.resize_with(instruments, || Column::of(made.yields));
            for column in out.iter_mut().filter(|column| !column.is_of(made.yields)) {
                *column = Column::of(made.yields);
            }
            made.fill(|place| columns_at(levels, done, place), moments, pieces, room, out);
        }
        let has = plan.roles.map(|place| place.is_some());
        let roles = self.roles.map(|place| place.and_then(|place| columns_at(levels, columns, place)));
        wants.resize_with(instruments, Wants::default);
        for (k, wants) in wants.iter_mut().enumerate() {
            let of = roles.map(|columns| columns.map(|columns| &columns[k]));
            wants.take(&of, &has, pieces[k].len(), &mut state.targets[k]);
        }
        if !plan.records {
            state.engine.borrow_records(records);
        }
        curve.clear();
        let mut turn = Turn { block, roles, has, wants, next, curve, state };
        let played = turn.play();
        if let Err(error) = played.and_then(|()| state.end_block(plan, curve, records)) {
            self.state = Err(error);
        }
    }
}

impl State {
    fn new(engine: &Engine, plan: &Plan) -> Self {
        let instruments = plan.instruments.len();
        let desks = vec![Desk::default(); instruments];
        let summary = Summary::new(engine, plan.curve);
        State { engine: engine.clone(), desks, targets: vec![0; instruments], summary, periods: Vec::new() }
    }

    /// Keeps of a block what has to be known later.
    fn end_block(&mut self, plan: &Plan, curve: &[f64], records: &mut Records) -> Result<()> {
        self.summary.take_fills(&self.engine)?;
        if plan.curve {
            self.summary.take_curve(curve);
        }
        if !plan.records && self.engine.return_records(records) {
            self.desks.iter_mut().for_each(Desk::forget_order);
            self.summary.forget_fills();
        }
        Ok(())
    }
}

fn shared_columns(levels: &[Vec<Shared>], place: Place) -> Option<&[Column]> {
    match place {
        Place::Shared(level, at) => Some(&levels[level][at].columns),
        Place::Own(_) => None,
    }
}

fn columns_at<'a>(levels: &'a [Vec<Shared>], own: &'a [Vec<Column>], place: Place) -> Option<&'a [Column]> {
    match place {
        Place::Own(at) => Some(&own[at]),
        shared => shared_columns(levels, shared),
    }
}
