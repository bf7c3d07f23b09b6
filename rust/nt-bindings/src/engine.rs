//! nt-engine for Python: the engine as an object, and the loop that calls a Python strategy.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nt_core::{Bracket, Error, Instrument, Nanos};
use nt_engine::digest::Prefix;
use nt_engine::formula::Formula;
use nt_engine::run::{BuyAndHold, Holding, Run, SmaCross};
use nt_engine::{Call, Config, Engine as Core, Notice, Pause, Player, Request, Rules, digest};
use numpy::{PyArray1, PyArrayMethods, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::account::Given;
use crate::bars::{Bar, Columns, borrow_bars, feature_bar, instrument_of};
use crate::columns;
use crate::digests::digest_dict;
use crate::drive::drive;
use crate::error::raise;
use crate::formula::{Terms, roles_of, terms_of};
use crate::indicator::{Indicator, Outputs, Running, scale};
use crate::pieces::{Pieces, Valuation};
use crate::request::{kind_of, rules_of, side_of, size_of, time_in_force_of, trail_of};

const BARS_PER_REPORT: usize = 16_384;

/// The engine over the bars of a run; docs/fill-rules.md says what it does.
#[pyclass(module = "neural_trader._core")]
pub struct Engine {
    pub(crate) core: Core,
    pub(crate) player: Player,
    /// The bars; the columns are empty where they arrive in pieces.
    pub(crate) columns: Vec<Columns>,
    pub(crate) pieces: Option<Pieces>,
    pub(crate) features: Vec<Running>,
    /// Rank of the instrument whose bar is being delivered.
    pub(crate) current: Arc<AtomicUsize>,
    /// Where it stops next.
    pub(crate) pause: Pause,
    /// It stopped for that, before all bars that have arrived were played.
    pub(crate) paused: bool,
    /// When what comes next happens, where it stopped.
    pub(crate) next_ns: Nanos,
    /// The digests of bars in memory, once they were asked for.
    pub(crate) seen: Option<Vec<Prefix>>,
}

#[pymethods]
impl Engine {
    /// An engine for these instruments, which come as bars in ascending order of their symbols. Where `pieces` has an iterable
    /// of bars for each, those are played one after the other as they are needed, and the ones given first are empty.
    #[new]
    #[pyo3(signature = (instruments, *, cash, leverage_ppb=1_000_000_000, maker_ppb=0, taker_ppb=0, fixed_fee=0,
        slippage_ticks=0, slippage_ppb=0, slippage_spread_ppb=0, fill_close=false, limit_through=false,
        volume_cap_ppb=None, close_at_end=false, like=None, exclusive_orders=false, account=None, pieces=None))]
    #[allow(clippy::too_many_arguments, reason = "one keyword per setting of a run")]
    fn new(
        py: Python<'_>,
        instruments: Vec<Bound<'_, PyAny>>,
        cash: i128,
        leverage_ppb: i64,
        maker_ppb: i64,
        taker_ppb: i64,
        fixed_fee: i128,
        slippage_ticks: i64,
        slippage_ppb: i64,
        slippage_spread_ppb: i64,
        fill_close: bool,
        limit_through: bool,
        volume_cap_ppb: Option<i64>,
        close_at_end: bool,
        like: Option<&str>,
        exclusive_orders: bool,
        account: Option<Given>,
        pieces: Option<Vec<Bound<'_, PyAny>>>,
    ) -> PyResult<Self> {
        let config = Config {
            cash,
            leverage: leverage_ppb,
            maker_fee: maker_ppb,
            taker_fee: taker_ppb,
            fixed_fee,
            slippage_ticks,
            slippage_rate: slippage_ppb,
            slippage_spread: slippage_spread_ppb,
            fill_at_close: fill_close,
            limit_through,
            volume_cap: volume_cap_ppb,
            close_at_end,
            rules: rules_of(like, exclusive_orders).map_err(|error| raise(py, &error))?,
        };
        let mut known = Vec::with_capacity(instruments.len());
        let mut all_columns = Vec::with_capacity(instruments.len());
        for bars in &instruments {
            known.push(instrument_of(bars)?);
            let columns = Columns::of(bars)?;
            if config.volume_cap.is_some() && !columns.has_volume() {
                return Err(raise(py, &Error::Misuse("a volume cap needs bars with volume".into())));
            }
            all_columns.push(columns);
        }
        borrow_bars(&all_columns.iter().map(|columns| columns.hold(py)).collect::<Vec<_>>())?;
        let terms = account.map(Given::read).transpose();
        let mut core =
            terms.and_then(|terms| Core::with_account(config, known, terms)).map_err(|error| raise(py, &error))?;
        if let Some(pieces) = &pieces {
            if pieces.len() != all_columns.len() || config.rules != Rules::House {
                let what = "bars arrive in pieces for every instrument and by our own rules, or not at all";
                return Err(raise(py, &Error::Misuse(what.into())));
            }
            core.condense_samples();
        }
        Ok(Engine {
            core,
            pieces: pieces.map(|pieces| Pieces::of(&pieces, true)).transpose()?,
            player: Player::new(all_columns.len()),
            columns: all_columns,
            features: Vec::new(),
            current: Arc::new(AtomicUsize::new(0)),
            pause: Pause::default(),
            paused: false,
            next_ns: 0,
            seen: None,
        })
    }

    /// Takes an order; returns its id, or 0 where a target needs none.
    #[pyo3(signature = (instrument, side, kind="market", *, size_kind="quantity", size, limit=None, stop=None,
        trail_ticks=None, trail_ppb=None, time_in_force="gtc", expire_ns=None, stop_loss=None, take_profit=None,
        stop_loss_trail_ticks=None, stop_loss_trail_ppb=None))]
    #[allow(clippy::too_many_arguments, reason = "one keyword per field of an order")]
    fn submit(
        &mut self,
        py: Python<'_>,
        instrument: i64,
        side: i64,
        kind: &str,
        size_kind: &str,
        size: i128,
        limit: Option<i64>,
        stop: Option<i64>,
        trail_ticks: Option<i64>,
        trail_ppb: Option<i64>,
        time_in_force: &str,
        expire_ns: Option<i64>,
        stop_loss: Option<i64>,
        take_profit: Option<i64>,
        stop_loss_trail_ticks: Option<i64>,
        stop_loss_trail_ppb: Option<i64>,
    ) -> PyResult<u32> {
        let request = || -> Result<Request, Error> {
            let unknown = || Error::Misuse("the order names an unknown instrument".into());
            Ok(Request {
                instrument: usize::try_from(instrument).map_err(|_| unknown())?,
                side: side_of(side, size_kind)?,
                kind: kind_of(kind)?,
                size: size_of(size_kind, size)?,
                limit,
                stop,
                trail: trail_of(trail_ticks, trail_ppb)?,
                time_in_force: time_in_force_of(time_in_force, expire_ns)?,
                bracket: Bracket {
                    stop_loss,
                    stop_loss_trail: trail_of(stop_loss_trail_ticks, stop_loss_trail_ppb)?,
                    take_profit,
                },
            })
        };
        request().and_then(|request| self.core.submit(&request)).map_err(|error| raise(py, &error))
    }

    /// Cancels a working order; says whether there was one.
    fn cancel(&mut self, order: u32) -> bool {
        self.core.cancel(order)
    }

    /// Whether an order of this id may still fill.
    fn is_working(&self, order: u32) -> bool {
        self.core.is_working(order)
    }

    /// Lots held of an instrument, negative if short.
    fn position(&self, instrument: usize) -> i64 {
        self.core.position(instrument)
    }

    /// Units held of an instrument, negative if short.
    fn units(&self, instrument: usize) -> f64 {
        self.core.instrument(instrument).lot.value_of(self.core.position(instrument) as f64)
    }

    /// Last known price of an instrument, NaN before the first.
    fn price(&self, instrument: usize) -> f64 {
        match self.core.mark(instrument) {
            0 => f64::NAN,
            mark => self.core.instrument(instrument).tick.value_of(mark as f64),
        }
    }

    /// Last known price of an instrument in ticks, 0 before the first.
    fn mark(&self, instrument: usize) -> i64 {
        self.core.mark(instrument)
    }

    /// Cash and positions at their marks, in 10^-18 of the currency.
    fn equity(&self, py: Python<'_>) -> PyResult<i128> {
        self.core.equity().map_err(|error| raise(py, &error))
    }

    /// Cash in 10^-18 of the account currency, or of the n-th of the others.
    #[pyo3(signature = (currency=0))]
    fn cash(&self, py: Python<'_>, currency: usize) -> PyResult<i128> {
        columns::balance(&self.core.ledger().balances(), currency).map_err(|error| raise(py, &error))
    }

    /// What equity must not fall below, in 10^-18 of the account currency.
    fn maintenance(&self, py: Python<'_>) -> PyResult<i128> {
        self.core.maintenance().map_err(|error| raise(py, &error))
    }

    /// Positions in the list of fills of those by which positions were liquidated.
    #[getter]
    fn liquidations(&self) -> Vec<u32> {
        self.core.liquidations().to_vec()
    }

    /// Equity in the account currency, as the nearest float.
    #[getter]
    fn equity_value(&self, py: Python<'_>) -> PyResult<f64> {
        self.equity(py).map(columns::currency)
    }

    /// Whether the run has ended in ruin.
    #[getter]
    fn halted(&self) -> bool {
        self.core.halted()
    }

    /// Time of the last event, UTC nanoseconds.
    #[getter]
    fn now_ns(&self) -> i64 {
        self.core.now_ns()
    }

    /// Rank of the instrument whose bar is being delivered.
    #[getter]
    fn current(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// A feature over every instrument, kept up to date while the run goes on: its outputs and their names.
    #[pyo3(signature = (name, parameters, series=None))]
    fn feature(&mut self, py: Python<'_>, name: &str, parameters: Vec<f64>, series: Option<&str>) -> PyResult<Outputs> {
        let (running, outputs) = Running::new(py, name, &parameters, series, self.core.instruments(), &self.current)?;
        self.features.push(running);
        Ok(outputs)
    }

    /// The outputs of the features that the run keeps up to date, in the order in which those were asked for.
    #[getter]
    fn indicators(&self, py: Python<'_>) -> Vec<Py<Indicator>> {
        self.features.iter().flat_map(Running::handles).map(|handle| handle.clone_ref(py)).collect()
    }

    /// Runs a strategy that takes `on_bar(engine, instrument, index)`, `on_fill(engine, fill)` and `on_order(engine, order)`,
    /// the records as dictionaries of exact integers.
    fn run(slf: &Bound<'_, Self>, strategy: &Bound<'_, PyAny>) -> PyResult<()> {
        let on_bar = strategy.getattr("on_bar")?;
        let on_fill = strategy.getattr("on_fill")?;
        let on_order = strategy.getattr("on_order")?;
        drive(slf, |py, call, _| {
            match call {
                Call::Bar { instrument, index } => on_bar.call1((slf, instrument, index))?,
                Call::Notice(Notice::Fill(at)) => {
                    let record = columns::exact_fills(py, &slf.try_borrow()?.core.fills()[at..=at])?;
                    on_fill.call1((slf, record))?
                }
                Call::Notice(Notice::OrderEnded(id)) => {
                    let at = id as usize - 1;
                    let record = columns::exact_orders(py, &slf.try_borrow()?.core.orders()[at..=at])?;
                    on_order.call1((slf, record))?
                }
                Call::Notice(_) | Call::Moment(_) => return Ok(()),
            };
            Ok(())
        })
    }

    /// Runs a strategy given by its callbacks, each of which may be absent.
    ///
    /// `on_bar(bar)` gets a `Bar`, `on_fill(at)` the position of a fill, `on_order(id)` the id of an order that ended, and
    /// `on_moment(time_ns)` the time at which all bars that close together have been delivered. Indicators are updated for
    /// all of these bars before the first is delivered.
    /// `progress(bars)` is called now and then with the number of bars delivered.
    #[pyo3(signature = (*, on_bar=None, on_fill=None, on_order=None, on_moment=None, progress=None))]
    fn play(
        slf: &Bound<'_, Self>,
        on_bar: Option<Bound<'_, PyAny>>,
        on_fill: Option<Bound<'_, PyAny>>,
        on_order: Option<Bound<'_, PyAny>>,
        on_moment: Option<Bound<'_, PyAny>>,
        progress: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let (mut features, current, scales, symbols) = {
            let mut engine = slf.try_borrow_mut()?;
            let features = std::mem::take(&mut engine.features);
            let scales: Vec<_> = engine.core.instruments().map(|i| (scale(i.tick), scale(i.lot))).collect();
            let symbols: Vec<_> = engine.core.instruments().map(|i| PyString::intern(py, &i.symbol).unbind()).collect();
            (features, engine.current.clone(), scales, symbols)
        };
        let mut delivered: usize = {
            let engine = slf.try_borrow()?;
            (0..engine.columns.len()).map(|k| engine.player.closed(k)).sum()
        };
        let played = drive(slf, |py, call, turn| {
            match call {
                Call::Bar { instrument, index } => {
                    delivered += 1;
                    if delivered.is_multiple_of(BARS_PER_REPORT)
                        && let Some(progress) = &progress
                    {
                        progress.call1((delivered,))?;
                    }
                    if turn.first_of_moment {
                        for &(k, at) in turn.closed {
                            let bar = feature_bar(&turn.bars[k], at);
                            for feature in &mut features {
                                feature.update(k, &bar);
                            }
                        }
                    }
                    let Some(on_bar) = &on_bar else { return Ok(()) };
                    current.store(instrument, Ordering::Relaxed);
                    let bars = &turn.bars[instrument];
                    let symbol = symbols[instrument].clone_ref(py);
                    let bar = Bar::new(bars, instrument, index, symbol, scales[instrument]);
                    on_bar.call1((bar,))?;
                }
                Call::Notice(Notice::Fill(at)) => {
                    if let Some(on_fill) = &on_fill {
                        on_fill.call1((at,))?;
                    }
                }
                Call::Notice(Notice::OrderEnded(id)) => {
                    if let Some(on_order) = &on_order {
                        on_order.call1((id,))?;
                    }
                }
                // Bars have no venue that answers.
                Call::Notice(_) => {}
                Call::Moment(time_ns) => {
                    if let Some(on_moment) = &on_moment {
                        on_moment.call1((time_ns,))?;
                    }
                }
            }
            Ok(())
        });
        // A run that paused goes on with them.
        slf.try_borrow_mut()?.features.splice(0..0, features);
        played
    }

    /// Runs the moving-average cross in Rust, holding fractions of equity above and below. Where it pauses, it returns the
    /// state of the strategy, which `state` takes to go on; so do the others.
    #[pyo3(signature = (fast, slow, above, below, state=None))]
    fn run_sma_cross(
        &mut self,
        py: Python<'_>,
        fast: usize,
        slow: usize,
        above: i64,
        below: i64,
        state: Option<Vec<u8>>,
    ) -> PyResult<Option<Vec<u8>>> {
        let (above, below) = (Holding::Fraction(above), Holding::Fraction(below));
        self.run_native(py, SmaCross::new(self.columns.len(), fast, slow, above, below), state)
    }

    /// Runs buy and hold in Rust: a fraction of equity in each instrument from its first bar on.
    #[pyo3(signature = (fraction, state=None))]
    fn run_buy_and_hold(&mut self, py: Python<'_>, fraction: i64, state: Option<Vec<u8>>) -> PyResult<Option<Vec<u8>>> {
        self.run_native(py, BuyAndHold::new(self.columns.len(), fraction), state)
    }

    /// Runs a formula in Rust: its terms, the place of each role among them, and the values of its parameters.
    fn run_formula(
        &mut self,
        py: Python<'_>,
        terms: Terms,
        roles: HashMap<String, usize>,
        parameters: Vec<f64>,
    ) -> PyResult<()> {
        let formula = || {
            let terms = terms_of(terms, parameters.len())?;
            Formula::new(&self.core, &terms, &parameters, roles_of(&roles, terms.len())?)
        };
        let mut formula = formula().map_err(|error| raise(py, &error))?;
        self.play_native(py, &mut Run::new(self.columns.len()), &mut formula)
    }

    /// Runs the moving-average cross in Rust, holding numbers of lots above and below.
    #[pyo3(signature = (fast, slow, above, below, state=None))]
    fn run_sma_cross_lots(
        &mut self,
        py: Python<'_>,
        fast: usize,
        slow: usize,
        above: i64,
        below: i64,
        state: Option<Vec<u8>>,
    ) -> PyResult<Option<Vec<u8>>> {
        let (above, below) = (Holding::Lots(above), Holding::Lots(below));
        self.run_native(py, SmaCross::new(self.columns.len(), fast, slow, above, below), state)
    }

    /// Orders with the fields of the run hash, as exact integers.
    #[getter]
    fn orders<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::exact_orders(py, self.core.orders())
    }

    /// Fills with the fields of the run hash, as exact integers.
    #[getter]
    fn fills<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::exact_fills(py, self.core.fills())
    }

    /// Postings with the fields of the run hash, as exact integers.
    #[getter]
    fn postings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::exact_postings(py, &self.core.ledger().postings().collect::<Vec<_>>())
    }

    /// Trades as positions in the list of fills, as exact integers.
    #[getter]
    fn trades<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::exact_trades(py, &self.all_trades(py)?)
    }

    /// How many equity samples there are.
    #[getter]
    fn sample_count(&self) -> usize {
        self.core.samples().len()
    }

    /// Times and amounts of the equity samples, as exact integers.
    #[getter]
    fn equity_samples(&self, py: Python<'_>) -> PyResult<(Vec<i64>, Vec<i128>)> {
        self.with_samples(py, |amount| amount, |times, amounts| (times.to_vec(), amounts))
    }

    /// Samples at which a position was open.
    #[getter]
    fn exposed_samples(&self) -> u64 {
        self.core.exposed_samples()
    }

    /// Times (int64) and amounts (float64, account currency) of the equity samples.
    #[allow(clippy::type_complexity, reason = "two arrays")]
    fn equity_curve<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<f64>>)> {
        self.refuse_condensed(py)?;
        let held: Vec<_> = self.columns.iter().map(|columns| columns.hold(py)).collect();
        let bars = borrow_bars(&held)?;
        let samples = self.core.samples();
        // numpy's own memory asks for huge pages, which makes a long curve several times cheaper to fill.
        let curve = PyArray1::zeros(py, samples.len(), false);
        {
            let mut writer = curve.readwrite();
            let amounts = writer.as_slice_mut()?;
            let closes = bars.first().map_or(&[][..], |bars| bars.close);
            py.detach(|| samples.in_currency(closes, amounts)).map_err(|error| raise(py, &error))?;
        }
        let (close_ns, own) = bars.first().map_or((&[][..], None), |bars| (bars.close_ns, self.columns.first()));
        let times = samples.times(close_ns);
        // A lone instrument's samples are at its closes, whose array exists already.
        let times = match own {
            Some(own) if std::ptr::eq(times, close_ns) => own.close_ns.bind(py).clone(),
            _ => times.to_pyarray(py),
        };
        Ok((times, curve))
    }

    /// Orders as numpy columns in decimal units.
    fn order_arrays<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::order_arrays(py, self.core.orders(), &self.instruments())
    }

    /// Fills as numpy columns in decimal units.
    fn fill_arrays<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::fill_arrays(py, &self.core)
    }

    /// Trades as numpy columns in decimal units.
    fn trade_arrays<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::trade_arrays(py, &self.all_trades(py)?, &self.instruments())
    }

    /// Postings as numpy columns in decimal units.
    fn posting_arrays<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::posting_arrays(py, &self.core.ledger().postings().collect::<Vec<_>>(), &self.instruments())
    }

    /// One fill: order, instrument, side, quantity, price, fee, maker, time_ns; decimal units.
    fn fill_record(&self, at: usize) -> (u32, u32, i8, f64, f64, f64, bool, i64) {
        columns::fill_record(&self.core, &self.core.fills()[at])
    }

    /// One order: instrument, side, kind, quantity, filled, state, reason; decimal units and codes.
    fn order_record(&self, id: u32) -> (u32, i8, u8, f64, f64, u8, u8) {
        columns::order_record(&self.core, id)
    }

    /// Checks the laws that hold between any two events; an error says which one does not.
    fn check_invariants(&self, py: Python<'_>) -> PyResult<()> {
        self.core.check_invariants().map_err(|error| raise(py, &error))
    }

    /// SHA-256 digests, in hex, of inputs, parameters, orders, fills and postings, and the run hash that binds them.
    fn digests<'py>(&self, py: Python<'py>, version: &str, parameters: &str) -> PyResult<Bound<'py, PyDict>> {
        let held: Vec<_> = self.columns.iter().map(|columns| columns.hold(py)).collect();
        let bars = borrow_bars(&held)?;
        let instruments = self.instruments();
        let core = &self.core;
        if self.pieces.as_ref().is_some_and(|pieces| !pieces.is_finished()) {
            return Err(raise(
                py,
                &Error::Misuse("digests are taken of bars that have been played to their end".into()),
            ));
        }
        let inputs = self.pieces.as_ref().and_then(|pieces| pieces.inputs.as_ref());
        let parts = py.detach(|| {
            [
                match inputs {
                    Some(inputs) => inputs.digest(&instruments, core.account_terms()),
                    None => digest::inputs(&instruments, &bars, core.account_terms()),
                },
                digest::of_text(parameters),
                digest::orders(core.orders()),
                digest::fills(core.fills()),
                digest::postings(core.ledger().postings()),
            ]
        });
        digest_dict(py, version, &parts)
    }
}

impl Engine {
    fn instruments(&self) -> Vec<&Instrument> {
        self.core.instruments().collect()
    }

    fn all_trades(&self, py: Python<'_>) -> PyResult<Vec<nt_engine::trades::Trade>> {
        self.core.round_trips().map_err(|error| raise(py, &error))
    }

    /// Times and mapped amounts of the equity samples.
    fn with_samples<T: Copy, R>(
        &self,
        py: Python<'_>,
        map: impl Fn(i128) -> T,
        take: impl FnOnce(&[i64], Vec<T>) -> R,
    ) -> PyResult<R> {
        self.refuse_condensed(py)?;
        let held: Vec<_> = self.columns.iter().map(|columns| columns.hold(py)).collect();
        let bars = borrow_bars(&held)?;
        // Only the curve of a lone instrument is read off its bars.
        let (close_ns, closes) = bars.first().map_or((&[][..], &[][..]), |bars| (bars.close_ns, bars.close));
        let samples = self.core.samples();
        let amounts = samples.amounts(closes, map).map_err(|error| raise(py, &error))?;
        Ok(take(samples.times(close_ns), amounts))
    }

    fn refuse_condensed(&self, py: Python<'_>) -> PyResult<()> {
        if self.pieces.is_none() {
            return Ok(());
        }
        let what = "bars that arrived in pieces are not kept; a Valuation of them gives the equity samples";
        Err(raise(py, &Error::Misuse(what.into())))
    }
}

/// Adds this room to the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Engine>()?;
    module.add_class::<Bar>()?;
    module.add_class::<Valuation>()?;
    module.add_class::<Indicator>()
}
