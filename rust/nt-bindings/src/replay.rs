//! Replays for Python: records as numpy arrays without a copy, and the loop that calls a strategy.

mod batches;
mod drive;
mod play;
mod results;
mod rules;
pub mod sources;
mod tick;
mod worth;

use nt_book::Level;
use nt_core::{Bracket, Error};
use nt_engine::{
    Config, Impact, Latency, MEASURES, QueueModel, Replay as Core, ReplaySettings, Request, Resting, RoundTrip, Turn,
    VenueRules, digest, digest::Hash,
};
use numpy::{IntoPyArray, PyArray1, PyArrayMethods, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::account::Given;
use crate::columns;
use crate::error::raise;
use crate::journal::Sink;
use crate::request::{kind_of, side_of, size_of, time_in_force_of, trail_of};
use drive::{drive, named};
use play::Callbacks;
use rules::{Listed, OneOrEach, instruments_of, like_of, records_by_rank, roles_of, self_trade_of, views_by_rank};
use sources::Sources;
use tick::Tick;

/// A replay of recorded books and trades; docs/book-rules.md says what it does.
#[pyclass(module = "neural_trader._core")]
pub struct Replay {
    pub core: Core,
    pub sources: Sources,
    /// Rank of the instrument that the present callback is about.
    pub(crate) current: usize,
    /// Where the journal of the run goes, if one is kept.
    pub journal: Option<Sink>,
    /// Who is told of records in batches.
    on_batch: Option<Py<PyAny>>,
    /// The digest of instruments and records, once it was asked for.
    pub inputs: Option<Hash>,
}

#[pymethods]
impl Replay {
    /// A replay over instruments `(symbol, tick, lot)` in ascending order of their symbols.
    ///
    /// A source is the records, seen as words of 64 bits, and, for each number that an instrument has in them, its rank in the run or -1.
    /// `bars` are those of the instruments that come as bars, with their ranks; the settings behind them are for these. Without
    /// `sample_ns` equity is sampled at closes of bars.
    #[new]
    #[pyo3(signature = (instruments, sources, *, cash, leverage_ppb=1_000_000_000, maker_ppb=0, taker_ppb=0, fixed_fee=0,
        entry_ns=0, response_ns=0, feed_ns=None, latency_rows=None, queue="risk_averse", power=2, whole=false,
        depth=OneOrEach::one("levels"), trades=OneOrEach::one("trade"), self_trade="cancel_newest",
        sample_ns=Some(1_000_000_000), roles=None, view=None, by_bars=false, like=None, bars=Vec::new(), slippage_ticks=0,
        slippage_ppb=0, slippage_spread_ppb=0, fill_close=false, limit_through=false, volume_cap_ppb=None, account=None,
        impact=None))]
    #[allow(clippy::too_many_arguments, reason = "one keyword per setting of a run")]
    fn new(
        py: Python<'_>,
        instruments: Vec<Listed>,
        sources: Vec<(Bound<'_, PyArray1<i64>>, Vec<i16>)>,
        cash: i128,
        leverage_ppb: i64,
        maker_ppb: i64,
        taker_ppb: i64,
        fixed_fee: i128,
        entry_ns: i64,
        response_ns: i64,
        feed_ns: Option<i64>,
        latency_rows: Option<Vec<(i64, i64, i64)>>,
        queue: &str,
        power: u8,
        whole: bool,
        depth: OneOrEach,
        trades: OneOrEach,
        self_trade: &str,
        sample_ns: Option<i64>,
        roles: Option<Vec<String>>,
        view: Option<OneOrEach>,
        by_bars: bool,
        like: Option<&str>,
        bars: Vec<(usize, Bound<'_, PyAny>)>,
        slippage_ticks: i64,
        slippage_ppb: i64,
        slippage_spread_ppb: i64,
        fill_close: bool,
        limit_through: bool,
        volume_cap_ppb: Option<i64>,
        account: Option<Given>,
        impact: Option<(i64, i64)>,
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
            ..Config::default()
        };
        let known = instruments_of(instruments).map_err(|error| raise(py, &error))?;
        let roles = roles_of(roles, sources.len()).map_err(|error| raise(py, &error))?;
        let held = Sources::of(py, sources, roles, &bars, known.len(), config.volume_cap.is_some())?;
        let settings = || -> Result<ReplaySettings, Error> {
            let row = |(sent_ns, venue_ns, back_ns)| RoundTrip { sent_ns, venue_ns, back_ns };
            Ok(ReplaySettings {
                latency: match latency_rows {
                    Some(rows) => Latency::recorded(rows.into_iter().map(row).collect())?,
                    None => Latency::constant(entry_ns, response_ns)?,
                },
                feed_ns,
                venue: VenueRules {
                    queue: QueueModel::named(queue, power)?,
                    whole,
                    self_trade: self_trade_of(self_trade)?,
                    impact: impact.map_or(Ok(None), |(rate, half_life_ns)| Impact::new(rate, half_life_ns))?,
                    ..VenueRules::default()
                },
                records: records_by_rank(&depth, &trades, known.len(), &held.bars)?,
                sample_ns: sample_ns.unwrap_or(1),
                sample_at_closes: sample_ns.is_none(),
                views: views_by_rank(view.as_ref(), known.len())?,
                by_bars,
                like_hftbacktest: like_of(like)?,
            })
        };
        let count = held.records.len() + held.bars.len();
        let core = settings().and_then(|settings| {
            let account = account.map(Given::read).transpose()?;
            Core::with_account(config, known, count, settings, account)
        });
        Ok(Replay {
            core: core.map_err(|error| raise(py, &error))?,
            sources: held,
            current: 0,
            journal: None,
            on_batch: None,
            inputs: None,
        })
    }

    /// Sends an order; returns its number here, or 0 where a target is reached as far as is known here.
    #[pyo3(signature = (instrument, side, kind="market", *, size_kind="quantity", size, limit=None, stop=None,
        trail_ticks=None, trail_ppb=None, time_in_force="gtc", expire_ns=None, stop_loss=None, take_profit=None,
        stop_loss_trail_ticks=None, stop_loss_trail_ppb=None, post_only=false, reduce_only=false, display=None))]
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
        post_only: bool,
        reduce_only: bool,
        display: Option<i64>,
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
        let terms = Resting { post_only, display };
        let sent = request().and_then(|request| self.core.submit(&request, terms, reduce_only));
        sent.map_err(|error| raise(py, &error))
    }

    /// Asks the venue to cancel an order.
    fn cancel(&mut self, py: Python<'_>, order: u32) -> PyResult<()> {
        self.core.cancel(order).map_err(|error| raise(py, &error))
    }

    /// Asks the venue to give a limit order at rest another limit and another total quantity.
    fn amend(&mut self, py: Python<'_>, order: u32, limit: i64, quantity: i64) -> PyResult<()> {
        self.core.amend(order, limit, quantity).map_err(|error| raise(py, &error))
    }

    /// Asks to be called at a time, at once if that is past.
    fn timer(&mut self, time_ns: i64) {
        self.core.set_timer(time_ns);
    }

    /// What stands before an order at its venue, in lots: an estimate, except with `depth="orders"`. None where the order
    /// does not rest or nobody knows. To judge models by, not for strategies: it is news that has not arrived here yet.
    fn queue_ahead(&self, py: Python<'_>, order: u32) -> PyResult<Option<f64>> {
        self.core.queue_ahead(order).map_err(|error| raise(py, &error))
    }

    /// Lots held of an instrument, negative if short, as far as is known here.
    fn position(&self, instrument: usize) -> i64 {
        self.core.position(instrument)
    }

    /// Cash in 10^-18 of the account currency, or of the n-th of the others, as far as is known here.
    #[pyo3(signature = (currency=0))]
    fn cash(&self, py: Python<'_>, currency: usize) -> PyResult<i128> {
        columns::balance(self.core.balances(), currency).map_err(|error| raise(py, &error))
    }

    /// Cash at the venues when all is posted, in 10^-18 of each currency, that of the account first.
    #[getter]
    fn balances(&self) -> Vec<i128> {
        self.core.engine().ledger().balances()
    }

    /// Positions in the list of fills of those by which positions were liquidated.
    #[getter]
    fn liquidations(&self) -> Vec<u32> {
        self.core.engine().liquidations().to_vec()
    }

    /// The last price in ticks of an instrument of bars, as far as is known here; 0 before there is any.
    fn mark(&self, instrument: usize) -> i64 {
        self.core.mark(instrument)
    }

    /// Price and quantity of the best level of a side (1 for bids, -1 for asks), as far as is known here.
    fn best(&mut self, py: Python<'_>, instrument: usize, side: i64) -> PyResult<Option<(i64, i64)>> {
        let side = side_of(side, "quantity").map_err(|error| raise(py, &error))?;
        let Replay { core, sources, .. } = self;
        let lent = sources.lend(py);
        let sources = lent.sources()?;
        let level = core.best(&sources, instrument, side).map_err(|error| raise(py, &error))?;
        Ok(level.map(|level| (level.price, level.quantity)))
    }

    /// Our time, UTC nanoseconds.
    #[getter]
    fn now_ns(&self) -> i64 {
        self.core.now_ns()
    }

    /// Runs a strategy that takes `on_record(replay, source, index)` for records of the kinds that it wants,
    /// `on_answer(replay, kind, number)` and `on_timer(replay, time_ns)`; with `bars` also `on_bar(replay, instrument, index)`
    /// and `on_moment(replay, time_ns)`.
    #[pyo3(signature = (strategy, wants=Vec::new(), *, bars=false))]
    fn run(slf: &Bound<'_, Self>, strategy: &Bound<'_, PyAny>, wants: Vec<String>, bars: bool) -> PyResult<()> {
        if bars {
            slf.try_borrow_mut()?.core.want_bars();
        }
        let on_record = strategy.getattr("on_record")?;
        let on_answer = strategy.getattr("on_answer")?;
        let on_timer = strategy.getattr("on_timer")?;
        slf.try_borrow_mut()?.want(&wants)?;
        drive(slf, |_, turn, _| {
            match turn {
                Turn::Record { source, index } => on_record.call1((slf, source, index))?,
                Turn::Timer(time_ns) => on_timer.call1((slf, time_ns))?,
                Turn::Batch(_) => return Ok(()),
                Turn::Bar { instrument, index } => strategy.call_method1("on_bar", (slf, instrument, index))?,
                Turn::Moment(time_ns) => strategy.call_method1("on_moment", (slf, time_ns))?,
                Turn::Answer(notice) => {
                    let (event, number) = named(notice);
                    on_answer.call1((slf, event, number))?
                }
            };
            Ok(())
        })
    }

    /// Tells of records of these kinds, or of all, in batches: `on_batch(words)` gets them at multiples of the interval.
    fn batches(&mut self, on_batch: Bound<'_, PyAny>, interval_ns: i64, kinds: Vec<String>) -> PyResult<()> {
        self.tell_in_batches(&on_batch, interval_ns, &kinds)
    }

    /// Makes records come by `feed`, while they are played; `by_receipt` says that no venue tells when they happened.
    #[pyo3(signature = (*, by_receipt=false))]
    fn open(&mut self, by_receipt: bool) {
        self.sources.open(by_receipt);
    }

    /// Takes the next records of a source; `run` and `play` go on as far as all sources reach.
    #[pyo3(signature = (source, words, *, last=false))]
    fn feed(&mut self, source: usize, words: &Bound<'_, PyArray1<i64>>, last: bool) -> PyResult<()> {
        self.sources.feed(source, &words.readonly(), last)
    }

    /// Sets our time to the arrival of the first record, for what is done before it.
    fn begin(&mut self, py: Python<'_>) -> PyResult<()> {
        let Replay { core, sources, .. } = self;
        core.begin(&sources.lend(py).sources()?);
        Ok(())
    }

    /// Runs a strategy given by its callbacks, each of which may be absent.
    ///
    /// `on_trade(tick)` and `on_quote(tick)` get a `Tick`, `on_book(symbol)` the symbol of a book that a whole message has
    /// changed, `on_bar(bar)` a `Bar` whose close has arrived, `on_moment(time_ns)` the time once all of it have,
    /// `on_timer(time_ns)` the time, `on_fill(number)` a fill, and `on_order(number, event)` an order with what the venue
    /// says of it, both by their numbers here. `on_told(number, event)` hears of both before, as somebody beside the strategy
    /// for whom no instrument becomes the present one; the event of a fill is "fill". `progress(records)` is called now and then with the number of records played.
    #[pyo3(signature = (*, on_trade=None, on_quote=None, on_book=None, on_bar=None, on_moment=None, on_timer=None,
        on_fill=None, on_order=None, on_told=None, progress=None))]
    #[allow(clippy::too_many_arguments, reason = "one keyword per callback")]
    fn play(
        slf: &Bound<'_, Self>,
        on_trade: Option<Bound<'_, PyAny>>,
        on_quote: Option<Bound<'_, PyAny>>,
        on_book: Option<Bound<'_, PyAny>>,
        on_bar: Option<Bound<'_, PyAny>>,
        on_moment: Option<Bound<'_, PyAny>>,
        on_timer: Option<Bound<'_, PyAny>>,
        on_fill: Option<Bound<'_, PyAny>>,
        on_order: Option<Bound<'_, PyAny>>,
        on_told: Option<Bound<'_, PyAny>>,
        progress: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let callbacks = Callbacks {
            on_trade,
            on_quote,
            on_book,
            on_bar,
            on_moment,
            on_timer,
            on_fill,
            on_order,
            on_told,
            progress,
        };
        callbacks.play(slf)
    }

    /// Rank of the instrument that the present callback is about.
    #[getter]
    fn current(&self) -> usize {
        self.current
    }

    /// Units held of an instrument, negative if short, as far as is known here.
    fn units(&self, instrument: usize) -> f64 {
        self.core.engine().instrument(instrument).lot.value_of(self.core.position(instrument) as f64)
    }

    /// Middle of the best bid and ask as far as is known here, NaN where a side is empty; of bars the last price known here.
    fn price(&mut self, py: Python<'_>, instrument: usize) -> PyResult<f64> {
        worth::middle(self, py, instrument)
    }

    /// Keeps a tape of each market from now on, for `seen` and `take_range`; nothing of the run changes.
    fn keep_tapes(&mut self) {
        self.core.keep_tapes();
    }

    /// What an instrument looks like as far as is known here, by name: measures without a unit, NaN where one is not known.
    fn seen(&mut self, py: Python<'_>, instrument: usize) -> PyResult<Vec<(&'static str, f64)>> {
        let Replay { core, sources, .. } = self;
        let lent = sources.lend(py);
        let measures = core.seen(&lent.sources()?, instrument).map_err(|error| raise(py, &error))?;
        Ok(MEASURES.into_iter().zip(measures).collect())
    }

    /// Highest and lowest middle of an instrument since this was last asked, and the last one of each full second, in
    /// decimal units; NaN where there was none.
    fn take_range(&mut self, py: Python<'_>, instrument: usize) -> PyResult<(f64, f64, Vec<f64>)> {
        let Replay { core, sources, .. } = self;
        let lent = sources.lend(py);
        let found = core.take_range(&lent.sources()?, instrument).map_err(|error| raise(py, &error))?;
        let tick = core.engine().instrument(instrument).tick;
        let closes = found.closes.into_iter().map(|close| tick.value_of(close)).collect();
        Ok((tick.value_of(found.high), tick.value_of(found.low), closes))
    }

    /// How many bars of an instrument have closed as far as is known here; 0 of one that does not come as bars.
    fn bars_known(&self, instrument: usize) -> usize {
        self.core.bars_known(instrument)
    }

    /// The best levels of a side as far as is known here, prices and quantities in decimal units.
    fn levels(&mut self, py: Python<'_>, instrument: usize, side: i64, count: usize) -> PyResult<Vec<(f64, f64)>> {
        let side = side_of(side, "quantity").map_err(|error| raise(py, &error))?;
        let Replay { core, sources, .. } = self;
        let lent = sources.lend(py);
        let sources = lent.sources()?;
        let levels = core.best_levels(&sources, instrument, side, count).map_err(|error| raise(py, &error))?;
        let grid = core.engine().instrument(instrument);
        let decimal = |level: Level| (grid.tick.value_of(level.price as f64), grid.lot.value_of(level.quantity as f64));
        Ok(levels.into_iter().map(decimal).collect())
    }

    /// Cash and positions at the prices at which they could be closed, as far as is known here, in the account currency.
    #[getter]
    fn equity_value(&mut self, py: Python<'_>) -> PyResult<f64> {
        worth::known_equity(self, py)
    }

    /// One fill that was told, by its number here: order, instrument, side, quantity, price, fee, maker, time_ns; decimal
    /// units, and the order by its number here.
    #[allow(clippy::type_complexity, reason = "one entry per field of a fill")]
    fn fill_record(&self, py: Python<'_>, at: usize) -> PyResult<(u32, u32, i8, f64, f64, f64, bool, i64)> {
        let fill = self.core.known_fill(at).map_err(|error| raise(py, &error))?;
        let number = self.core.number_of(fill.order).unwrap_or(0);
        let (_, instrument, side, quantity, price, fee, maker, time_ns) =
            columns::fill_record(self.core.engine(), fill);
        Ok((number, instrument, side, quantity, price, fee, maker, time_ns))
    }

    /// One order by its number here, as it stood with the last answer about it: instrument, side, kind, quantity, filled,
    /// state, reason; decimal units and codes.
    fn order_record(&self, py: Python<'_>, number: u32) -> PyResult<(u32, i8, u8, f64, f64, u8, u8)> {
        let found = self.core.known_order(number).and_then(|order| Ok((order, self.core.standing(number)?)));
        let (order, standing) = found.map_err(|error| raise(py, &error))?;
        let lot = self.core.engine().instrument(order.instrument as usize).lot;
        let (quantity, filled) = (lot.value_of(standing.quantity as f64), lot.value_of(standing.filled as f64));
        let (state, reason) = (standing.state as u8, standing.reason as u8);
        Ok((order.instrument, standing.side as i8, order.kind as u8, quantity, filled, state, reason))
    }

    /// How an order stood with the last answer about it that has arrived here: side, quantity, filled, cancelled, state,
    /// reason; lots and codes.
    fn standing(&self, py: Python<'_>, number: u32) -> PyResult<(i8, i64, i64, i64, u8, u8)> {
        let standing = self.core.standing(number).map_err(|error| raise(py, &error))?;
        let (state, reason) = (standing.state as u8, standing.reason as u8);
        Ok((standing.side as i8, standing.quantity, standing.filled, standing.cancelled, state, reason))
    }

    /// The venue's id of each order that is known here, by their numbers here from 1.
    #[getter]
    fn known_orders(&self) -> Vec<u32> {
        self.core.known_orders().collect()
    }

    /// The venue's number of each fill that has been told here.
    #[getter]
    fn known_fills(&self) -> Vec<usize> {
        self.core.known_fills().to_vec()
    }

    /// How many equity samples there are.
    #[getter]
    fn sample_count(&self) -> usize {
        self.core.engine().samples().len()
    }

    /// Samples at which a position was open.
    #[getter]
    fn exposed_samples(&self) -> u64 {
        self.core.engine().exposed_samples()
    }

    /// Times (int64) and amounts (float64, account currency) of the equity samples.
    #[allow(clippy::type_complexity, reason = "two arrays")]
    fn equity_curve<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<f64>>)> {
        let samples = self.core.engine().samples();
        let amounts = samples.amounts(&[], columns::currency).map_err(|error| raise(py, &error))?;
        Ok((samples.times(&[]).to_pyarray(py), amounts.into_pyarray(py)))
    }

    /// Best bids and asks in ticks at each sample (int64, 0 where there was none), a row per sample, for one instrument.
    fn touch_arrays<'py>(
        &self,
        py: Python<'py>,
        instrument: usize,
    ) -> (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>) {
        results::touch_arrays(py, &self.core, instrument)
    }

    /// Orders as numpy columns in decimal units, with what only a replay knows of them: their numbers here (0 for none), the
    /// terms of orders that rest, the part that is shown (0 for all of it), times in nanoseconds (0 for never), and the
    /// quantity that was estimated to stand before an order when it came to rest (NaN where unknown).
    fn order_arrays<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        results::order_arrays(py, &self.core)
    }

    /// Fills as numpy columns in decimal units, with the number here of their order (0 for none) and the best bid and ask at
    /// the venue then (NaN where there was none).
    fn fill_arrays<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        results::fill_arrays(py, &self.core)
    }

    /// Trades as numpy columns in decimal units.
    fn trade_arrays<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let engine = self.core.engine();
        let trades = engine.round_trips().map_err(|error| raise(py, &error))?;
        columns::trade_arrays(py, &trades, &engine.instruments().collect::<Vec<_>>())
    }

    /// Postings as numpy columns in decimal units.
    fn posting_arrays<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let engine = self.core.engine();
        let postings: Vec<_> = engine.ledger().postings().collect();
        columns::posting_arrays(py, &postings, &engine.instruments().collect::<Vec<_>>())
    }

    /// Whether the run has ended in ruin.
    #[getter]
    fn halted(&self) -> bool {
        self.core.engine().halted()
    }

    /// Orders with the fields of the run hash, as exact integers; `accept_ns` is None where no venue took the order.
    #[getter]
    fn orders<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        results::exact_orders(py, &self.core)
    }

    /// Fills with the fields of the run hash, as exact integers.
    #[getter]
    fn fills<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::exact_fills(py, self.core.engine().fills())
    }

    /// Postings with the fields of the run hash, as exact integers.
    #[getter]
    fn postings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::exact_postings(py, &self.core.engine().ledger().postings().collect::<Vec<_>>())
    }

    /// Trades as positions in the list of fills, as exact integers.
    #[getter]
    fn trades<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let trades = self.core.engine().round_trips().map_err(|error| raise(py, &error))?;
        columns::exact_trades(py, &trades)
    }

    /// Times and amounts of the equity samples, as exact integers.
    #[getter]
    fn equity_samples(&self, py: Python<'_>) -> PyResult<(Vec<i64>, Vec<i128>)> {
        let samples = self.core.engine().samples();
        let amounts = samples.amounts(&[], |amount| amount).map_err(|error| raise(py, &error))?;
        Ok((samples.times(&[]).to_vec(), amounts))
    }

    /// Best bid and ask in ticks at each sample, instrument by instrument, 0 where there was none.
    #[getter]
    fn touches(&self) -> Vec<(i64, i64)> {
        self.core.touches().iter().map(|&[bid, ask]| (bid, ask)).collect()
    }

    /// Checks the laws that hold between any two events; an error says which one does not.
    fn check_invariants(&self, py: Python<'_>) -> PyResult<()> {
        self.core.engine().check_invariants().map_err(|error| raise(py, &error))
    }

    /// SHA-256 digests, in hex, of inputs, parameters, orders, fills and postings, and the run hash that binds them.
    fn digests<'py>(&mut self, py: Python<'py>, version: &str, parameters: &str) -> PyResult<Bound<'py, PyDict>> {
        let inputs = self.inputs(py)?;
        let engine = self.core.engine();
        let parts = [
            inputs,
            digest::of_text(parameters),
            digest::placed_orders(engine.orders(), self.core.placed()),
            digest::fills(engine.fills()),
            digest::postings(engine.ledger().postings()),
        ];
        crate::digests::digest_dict(py, version, &parts)
    }
}

/// Adds this room to the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Replay>()?;
    module.add_class::<Tick>()
}
