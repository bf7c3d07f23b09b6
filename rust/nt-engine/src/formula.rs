//! Strategies that are formulas: what their signals ask of the engine (docs/expressions.md, section 4).

use nt_core::{Bars, Bracket, Error, PPB, Ppb, Price, Result, Side, Trail};
use nt_features::graph::{Graph, Nodes, Term};
use nt_features::{Bar, instant};

use crate::engine::Engine;
use crate::request::{Request, Size};
use crate::run::Strategy;

/// What a formula decides with, each by the place of a node, of which it may leave out any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Roles<P = Option<usize>> {
    /// Opens a long position.
    pub entry: P,
    /// Closes a long position.
    pub exit: P,
    /// Opens a short position.
    pub short_entry: P,
    /// Closes a short position.
    pub short_exit: P,
    /// The fraction of equity of an entry.
    pub size: P,
    /// The distance of a stop from the deciding close, in ticks.
    pub stop_loss: P,
    /// The distance of a target from the deciding close, in ticks.
    pub take_profit: P,
    /// The distance of a trailing stop, in ticks.
    pub trail: P,
    /// The signed fraction of equity to hold, instead of entries and exits.
    pub target: P,
    /// When that is looked at; where it is absent, whenever it changes.
    pub when: P,
}

impl<P> Roles<P> {
    /// The roles with something else in their places.
    pub fn map<Q>(self, mut place: impl FnMut(P) -> Q) -> Roles<Q> {
        Roles {
            entry: place(self.entry),
            exit: place(self.exit),
            short_entry: place(self.short_entry),
            short_exit: place(self.short_exit),
            size: place(self.size),
            stop_loss: place(self.stop_loss),
            take_profit: place(self.take_profit),
            trail: place(self.trail),
            target: place(self.target),
            when: place(self.when),
        }
    }
}

/// What a formula keeps of an instrument beside its nodes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Desk {
    /// The last order that it sent, and the sign of the position that it was sent for; 0 where there is none.
    sent: (u32, i64),
    /// The target that was sent last.
    target: Ppb,
}

/// What a formula wants of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// A position of this sign.
    Hold(i64),
    /// A fraction of equity.
    Target(Ppb),
}

/// What a formula wants at a bar, from the values of its roles there and the sign of what it holds.
#[inline]
pub(crate) fn wish(values: &Roles<f64>, has: &Roles<bool>, held: i64, before: Ppb) -> Option<Wish> {
    let on = |value: f64| value == 1.0;
    if has.target {
        let target = rate(values.target)?;
        let asked = if has.when { on(values.when) } else { target != before };
        return asked.then_some(Wish::Target(target));
    }
    let (exit, short_exit) = (on(values.exit), on(values.short_exit));
    let (long, short) = (on(values.entry) && !exit, on(values.short_entry) && !short_exit);
    let (long, short) = (long && !short, short && !long);
    let wanted = match held.signum() {
        1 if short => -1,
        1 if exit => 0,
        -1 if long => 1,
        -1 if short_exit => 0,
        0 if long => 1,
        0 if short => -1,
        _ => return None,
    };
    (wanted == 0 || rate(values.size).is_some_and(|size| size > 0)).then_some(Wish::Hold(wanted))
}

impl Desk {
    /// Forgets the last order, which has ended.
    pub(crate) fn forget_order(&mut self) {
        self.sent = (0, 0);
    }

    /// The target that was sent last.
    pub(crate) fn target(&self) -> Ppb {
        self.target
    }

    /// The sign of what is held, or will be once the last order has filled.
    #[inline]
    fn held(&self, engine: &Engine, instrument: usize) -> i64 {
        match self.sent {
            (id, sign) if id != 0 && engine.is_working(id) => sign,
            _ => engine.position(instrument).signum(),
        }
    }

    /// Sends the order that a formula's values ask for, if any; `close` is the last price in ticks.
    #[inline]
    pub(crate) fn act(
        &mut self,
        engine: &mut Engine,
        instrument: usize,
        close: Price,
        values: &Roles<f64>,
        has: &Roles<bool>,
    ) -> Result<()> {
        let held = self.held(engine, instrument);
        let Some(wish) = wish(values, has, held, self.target) else { return Ok(()) };
        let (fraction, sign) = match wish {
            Wish::Target(target) => {
                self.target = target;
                (target, target.signum())
            }
            Wish::Hold(0) => (0, 0),
            Wish::Hold(sign) => (sign * rate(values.size).unwrap_or(0), sign),
        };
        let bracket = match sign {
            0 => Bracket::default(),
            _ => match bracket(close, sign, values, has)? {
                Some(bracket) => bracket,
                // Its exits are not known yet: an entry without them is not what was asked for.
                None => return Ok(()),
            },
        };
        let request = Request { bracket, ..Request::market(instrument, Side::Buy, Size::TargetFraction(fraction)) };
        self.sent = (engine.submit(&request)?, sign);
        Ok(())
    }
}

/// The exits of an entry at a close, or nothing where one that is asked for is not known.
fn bracket(close: Price, sign: i64, values: &Roles<f64>, has: &Roles<bool>) -> Result<Option<Bracket>> {
    let known = |asked: bool, value: f64| !asked || value.is_finite();
    if !(known(has.stop_loss, values.stop_loss)
        && known(has.take_profit, values.take_profit)
        && known(has.trail, values.trail))
    {
        return Ok(None);
    }
    let close = close as f64;
    let beyond = |sign: i64, distance: f64| close + sign as f64 * distance;
    // A stop is no nearer to the market than was said, and a target no nearer either.
    let stop_loss = has.stop_loss.then(|| ticks(beyond(-sign, values.stop_loss), sign < 0)).transpose()?;
    let take_profit = has.take_profit.then(|| ticks(beyond(sign, values.take_profit), sign > 0)).transpose()?;
    let trail = has.trail.then(|| ticks(values.trail, true)).transpose()?;
    Ok(Some(Bracket { stop_loss, stop_loss_trail: trail.map(Trail::Ticks), take_profit }))
}

/// Whole ticks of a price, or the next ones in a direction where it is off the grid by more than noise.
fn ticks(raw: f64, up: bool) -> Result<Price> {
    let nearest = raw.round_ties_even();
    let whole = match (raw - nearest).abs() <= 1e-9 * raw.abs().max(1.0) {
        true => nearest,
        false if up => raw.ceil(),
        false => raw.floor(),
    };
    match whole.abs() < 9e18 {
        true => Ok(whole as Price),
        false => Err(Error::Overflow("the price of an exit")),
    }
}

/// A fraction in parts per billion, towards zero; the half unit absorbs the noise of floats. Nothing where it is not known.
fn rate(fraction: f64) -> Option<Ppb> {
    // The cast takes off what is behind the point.
    let scaled = fraction * PPB as f64 + 1e-4_f64.copysign(fraction);
    (scaled.abs() < 9e18).then_some(scaled as Ppb)
}

/// A formula that is evaluated from bar to bar.
pub struct Formula {
    graph: Graph,
    roles: Roles,
    has: Roles<bool>,
    desks: Vec<Desk>,
    /// Bars of a lone instrument that `next_call` has taken in already.
    taken: usize,
    closed: Vec<(usize, Bar)>,
}

impl Formula {
    /// The strategy of terms with values of their parameters, over the instruments of an engine.
    pub fn new(engine: &Engine, terms: &[Term], parameters: &[f64], roles: Roles) -> Result<Self> {
        let mut nodes = Nodes::default();
        let places = nodes.add(terms, parameters);
        let grids: Vec<_> = engine.instruments().map(grid).collect();
        let graph = Graph::new(&nodes, &grids).map_err(|error| Error::Misuse(error.to_string()))?;
        Ok(Formula {
            graph,
            roles: roles.map(|place| place.map(|term| places[term])),
            has: roles.map(|place| place.is_some()),
            desks: vec![Desk::default(); grids.len()],
            taken: 0,
            closed: Vec::with_capacity(grids.len()),
        })
    }

    #[inline]
    fn values(&self, instrument: usize) -> Roles<f64> {
        self.roles.map(|place| place.map_or(f64::NAN, |place| self.graph.value(instrument, place)))
    }
}

/// The tick and the lot of an instrument as numerators and denominators.
pub(crate) fn grid(instrument: &nt_core::Instrument) -> [(f64, f64); 2] {
    [instrument.tick, instrument.lot].map(|step| (step.mantissa as f64, 10_f64.powi(i32::from(step.decimals))))
}

fn bar_of(bars: &Bars<'_>, index: usize) -> Bar {
    let row = index - bars.first;
    Bar {
        open: bars.open[row] as f64,
        high: bars.high[row] as f64,
        low: bars.low[row] as f64,
        close: bars.close[row] as f64,
        volume: bars.volume.get(row).map_or(f64::NAN, |&lots| lots as f64),
        time: instant(bars.open_ns[row]),
    }
}

impl Strategy for Formula {
    fn on_closes(&mut self, bars: &[Bars<'_>], closes: impl Iterator<Item = (usize, usize)>) {
        let mut closes = closes.filter(|&(_, index)| index >= self.taken).peekable();
        if closes.peek().is_none() {
            return;
        }
        self.closed.clear();
        self.closed.extend(closes.map(|(instrument, index)| (instrument, bar_of(&bars[instrument], index))));
        self.graph.update(&self.closed);
    }

    fn on_bar(&mut self, engine: &mut Engine, instrument: usize, bars: &Bars<'_>, index: usize) -> Result<()> {
        let values = self.values(instrument);
        self.desks[instrument].act(engine, instrument, bars.close[index - bars.first], &values, &self.has)
    }

    fn next_call(&mut self, engine: &Engine, instrument: usize, bars: &Bars<'_>, from: usize) -> usize {
        let (held, target) = (engine.position(instrument).signum(), self.desks[instrument].target);
        for index in from..bars.end() {
            self.graph.update(&[(instrument, bar_of(bars, index))]);
            if wish(&self.values(instrument), &self.has, held, target).is_some() {
                self.taken = index + 1;
                return index;
            }
        }
        bars.end()
    }
}
