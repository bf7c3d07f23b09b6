//! The engine's state, what a strategy may ask of it, and how orders enter and leave.
//!
//! The engine is a deterministic state machine. It reads no clock, opens no file and draws no random number: time arrives
//! with events (`open_moment`, `close_moment`), and everything it decides is in its orders, fills and postings.

use nt_core::money::{add, subtract};
use nt_core::{
    Bracket, Error, Fill, Instrument, Money, Nanos, Order, Price, Quantity, Reason, Result, Settlement, Side, State,
    Trail,
};
use serde::{Deserialize, Serialize};

use crate::account::{Account, AccountTerms};
use crate::bar_match::{Candidate, Reached};
use crate::config::{Config, Rules};
use crate::ledger::Ledger;
use crate::like_backtesting_py::Desk;
use crate::request::Request;
use crate::samples::Samples;

/// Something that a strategy is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// A fill, by its position in `fills`.
    Fill(usize),
    /// An order that ended without filling wholly, by its id.
    OrderEnded(u32),
    /// A venue took an order; of replays, as are the others below.
    Accepted(u32),
    /// A venue changed an order as it was asked to.
    Amended(u32),
    /// A venue did not cancel or change an order as it was asked to.
    Refused(u32),
    /// The stop of an order was reached.
    Triggered(u32),
}

/// What the engine keeps per instrument beside the ledger.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Market {
    pub(crate) instrument: Instrument,
    /// Bars opened so far.
    pub(crate) opened: u32,
    /// Last known price, 0 before the first.
    pub(crate) mark: Price,
    /// Position times mark.
    pub(crate) value: Money,
    /// What our fills may still take of this bar's volume.
    pub(crate) budget: Option<Quantity>,
    /// Ticks that the next fill out of a book is worse for what our takes left on the price.
    pub(crate) worse: Price,
    /// Ids of working orders, ascending.
    pub(crate) working: Vec<u32>,
}

/// The state of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Engine {
    pub(crate) config: Config,
    pub(crate) markets: Vec<Market>,
    pub(crate) ledger: Ledger,
    pub(crate) orders: Vec<Order>,
    pub(crate) fills: Vec<Fill>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) samples: Samples,
    pub(crate) exposed_samples: u64,
    /// Fills that condensed samples have taken in.
    pub(crate) sampled_fills: usize,
    /// Value of all positions at their marks, with what contracts were entered at; a worth only where there is one currency.
    pub(crate) holdings: Money,
    /// Instruments with a position.
    pub(crate) held: usize,
    pub(crate) halted: bool,
    pub(crate) now_ns: Nanos,
    /// Scratch of the matches, kept so that matching does not allocate.
    #[serde(skip)]
    pub(crate) candidates: Vec<Candidate>,
    #[serde(skip)]
    pub(crate) stops: Vec<Reached>,
    #[serde(skip)]
    pub(crate) limits: Vec<Reached>,
    /// What the rules of backtesting.py keep, where they hold.
    pub(crate) desk: Option<Box<Desk>>,
    /// What the account is beyond one currency and spot instruments; nothing in most runs.
    pub(crate) account: Option<Box<Account>>,
}

impl Engine {
    /// An engine for these instruments, which must be in strictly ascending order of their symbols.
    pub fn new(config: Config, instruments: Vec<Instrument>) -> Result<Self> {
        Self::with_account(config, instruments, None)
    }

    /// The same with an account that is more than one currency and spot instruments, and settles them by its terms.
    pub fn with_account(config: Config, mut instruments: Vec<Instrument>, terms: Option<AccountTerms>) -> Result<Self> {
        let config = config.checked()?;
        let terms = terms.map(|terms| terms.checked(&instruments, config.leverage)).transpose()?;
        if terms.is_some() && config.rules != Rules::House {
            return Err(Error::Misuse(
                "the rules of other packages know one currency and spot instruments only".into(),
            ));
        }
        let mut deposits = vec![config.cash];
        if let Some(terms) = &terms {
            deposits.extend(terms.currencies.iter().map(|currency| currency.deposit));
            let settled = (0..).zip(instruments).map(|(k, instrument)| instrument.on_terms(&terms.contract(k)));
            instruments = settled.collect::<Result<_>>()?;
        }
        if !instruments.is_sorted_by(|a, b| a.symbol < b.symbol) {
            return Err(Error::Misuse("instruments must be in ascending order of their symbols, each one once".into()));
        }
        if config.rules == Rules::Vectorbt && instruments.len() != 1 {
            return Err(Error::Misuse("like vectorbt, a run has one instrument".into()));
        }
        let desk = match config.rules {
            Rules::BacktestingPy { .. } => Some(Box::new(Desk::new(&instruments)?)),
            Rules::House | Rules::Vectorbt => None,
        };
        let ledger = Ledger::new(&instruments, deposits)?;
        let account = terms.map(|terms| Box::new(Account::new(terms, &instruments)));
        let market = |instrument| Market {
            instrument,
            opened: 0,
            mark: 0,
            value: 0,
            budget: None,
            worse: 0,
            working: Vec::new(),
        };
        Ok(Engine {
            config,
            markets: instruments.into_iter().map(market).collect(),
            ledger,
            orders: Vec::new(),
            fills: Vec::new(),
            notices: Vec::new(),
            samples: Samples::default(),
            exposed_samples: 0,
            sampled_fills: 0,
            holdings: 0,
            held: 0,
            halted: false,
            now_ns: 0,
            candidates: Vec::new(),
            stops: Vec::new(),
            limits: Vec::new(),
            desk,
            account,
        })
    }

    /// Time of the last event.
    pub fn now_ns(&self) -> Nanos {
        self.now_ns
    }

    /// The settings of the run.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The instruments, in order of their symbols.
    pub fn instruments(&self) -> impl ExactSizeIterator<Item = &Instrument> {
        self.markets.iter().map(|market| &market.instrument)
    }

    /// One instrument, by rank of its symbol.
    pub fn instrument(&self, rank: usize) -> &Instrument {
        &self.markets[rank].instrument
    }

    /// Lots held, negative if short.
    #[inline]
    pub fn position(&self, instrument: usize) -> Quantity {
        self.ledger.position(instrument)
    }

    /// Last known price, 0 before the first.
    #[inline]
    pub fn mark(&self, instrument: usize) -> Price {
        self.markets[instrument].mark
    }

    /// Cash.
    pub fn cash(&self) -> Money {
        self.ledger.cash()
    }

    /// Cash, what contracts were entered at and positions at their marks, in the account currency.
    #[inline]
    pub fn equity(&self) -> Result<Money> {
        if self.account.is_some() {
            return self.equity_of_account();
        }
        add(self.ledger.cash(), self.holdings)
    }

    /// Whether the run has ended in ruin.
    pub fn halted(&self) -> bool {
        self.halted
    }

    /// All orders; order `id` is at `id - 1`.
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// Whether there is an order of this id that may still fill.
    #[inline]
    pub fn is_working(&self, id: u32) -> bool {
        (id as usize).checked_sub(1).and_then(|at| self.orders.get(at)).is_some_and(Order::is_working)
    }

    /// All fills.
    pub fn fills(&self) -> &[Fill] {
        &self.fills
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Equity at each close of a bar.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// Makes samples be kept as the changes that fills make, so that they need no memory where nothing fills; a `Valuation` of
    /// the bars gives their times and amounts. It is for the beginning of a run by our own rules.
    ///
    /// What is not linear in the closes of bars (inverse contracts, several currencies) is kept amount by amount all the same.
    pub fn condense_samples(&mut self) {
        let is_linear = |market: &Market| market.instrument.contract.settlement != Settlement::Inverse;
        if self.several_currencies().is_none() && self.markets.iter().all(is_linear) {
            self.samples.condense();
        }
    }

    /// Samples at which a position was open.
    pub fn exposed_samples(&self) -> u64 {
        self.exposed_samples
    }

    /// Makes room for so many orders that fill. Memory that is not used costs nothing; lists that grow are copied.
    pub(crate) fn expect_orders(&mut self, count: usize) {
        self.orders.reserve(count);
        self.fills.reserve(count);
        self.ledger.expect_fills(count);
        self.samples.expect_stretches(count);
    }

    /// Forgets what a strategy that takes no notifications will not be told.
    #[inline]
    pub(crate) fn drop_notices(&mut self) {
        self.notices.clear();
    }

    /// Moves the mark of an instrument, and with it the value of its position.
    #[inline]
    pub(crate) fn set_mark(&mut self, instrument: usize, mark: Price) -> Result<()> {
        let position = self.ledger.position(instrument);
        let market = &mut self.markets[instrument];
        market.mark = mark;
        if position != 0 {
            let value = market.instrument.contract.value(position, mark)?;
            self.holdings = add(subtract(self.holdings, market.value)?, value)?;
            market.value = value;
        }
        Ok(())
    }

    /// Takes an order. Returns its id, or 0 where a target needs none.
    ///
    /// An order that makes no sense in the market is recorded as rejected; a request that makes no sense at all is an error.
    pub fn submit(&mut self, request: &Request) -> Result<u32> {
        self.check_bar_request(request)?;
        let signal;
        let request = match self.config.rules {
            Rules::House => request,
            Rules::BacktestingPy { .. } => return self.submit_like_backtesting_py(request),
            Rules::Vectorbt => {
                signal = self.of_signal(request)?;
                let Some(request) = &signal else { return Ok(0) };
                request
            }
        };
        let k = request.instrument;
        let Some((side, quantity, refusal)) = self.judge(request)? else { return Ok(0) };
        let id = self.next_id()?;
        let mut order = self.order_of(id, request, side, quantity);
        order.target = request.size.is_target().then(|| self.position(k) + side.sign() * quantity);
        match refusal {
            Some(reason) => {
                order.cancelled = order.quantity;
                order.state = State::Rejected;
                order.reason = reason;
                self.orders.push(order);
                self.notices.push(Notice::OrderEnded(id));
            }
            None => {
                if let Some(trail) = order.trail {
                    order.water = self.markets[k].mark;
                    order.stop = trail_level(order.side, order.water, trail)?;
                }
                self.orders.push(order);
                self.markets[k].working.push(id);
            }
        }
        Ok(id)
    }

    /// An order that works, as a request that was sized describes it.
    pub(crate) fn order_of(&self, id: u32, request: &Request, side: Side, quantity: Quantity) -> Order {
        Order {
            id,
            parent: 0,
            sibling: 0,
            instrument: request.instrument as u32,
            live_bar: self.markets[request.instrument].opened,
            side,
            kind: request.kind,
            state: State::Working,
            reason: Reason::None,
            triggered: false,
            reduce_only: false,
            target: None,
            time_in_force: request.time_in_force,
            day: None,
            quantity,
            limit: request.limit.unwrap_or(0),
            stop: request.stop.unwrap_or(0),
            trail: request.trail,
            water: 0,
            filled: 0,
            cancelled: 0,
            submit_ns: self.now_ns,
            bracket: (request.bracket != Bracket::default()).then(|| Box::new(request.bracket)),
            children: [0, 0],
        }
    }

    /// Cancels a working order; says whether there was one.
    pub fn cancel(&mut self, id: u32) -> bool {
        let found = self.is_working(id);
        if found {
            self.end_order(id, State::Cancelled, Reason::User);
        }
        found
    }

    pub(crate) fn cancel_targets(&mut self, instrument: usize) {
        let mut at = 0;
        while let Some(&id) = self.markets[instrument].working.get(at) {
            if self.order(id).target.is_some() {
                self.end_order(id, State::Cancelled, Reason::Replaced);
            } else {
                at += 1;
            }
        }
    }

    pub(crate) fn next_id(&self) -> Result<u32> {
        u32::try_from(self.orders.len() + 1).map_err(|_| Error::Overflow("the number of orders"))
    }

    #[inline]
    pub(crate) fn order(&self, id: u32) -> &Order {
        &self.orders[id as usize - 1]
    }

    #[inline]
    pub(crate) fn order_mut(&mut self, id: u32) -> &mut Order {
        &mut self.orders[id as usize - 1]
    }

    /// Takes away what is left of an order and says so.
    pub(crate) fn end_order(&mut self, id: u32, state: State, reason: Reason) {
        let order = self.order_mut(id);
        order.cancelled += order.leaves();
        order.state = state;
        order.reason = reason;
        self.forget_working(id);
        self.notices.push(Notice::OrderEnded(id));
    }

    /// A venue takes an order, which works from now on.
    pub(crate) fn accept(&mut self, id: u32) {
        let order = self.order_mut(id);
        order.state = State::Working;
        let instrument = order.instrument as usize;
        let working = &mut self.markets[instrument].working;
        if let Err(at) = working.binary_search(&id) {
            working.insert(at, id);
        }
        self.notices.push(Notice::Accepted(id));
    }

    pub(crate) fn forget_working(&mut self, id: u32) {
        let instrument = self.order(id).instrument as usize;
        let working = &mut self.markets[instrument].working;
        if let Ok(at) = working.binary_search(&id) {
            working.remove(at);
        }
    }

    /// Checks the laws that hold between any two events: balanced books, conserved orders, values that follow marks.
    pub fn check_invariants(&self) -> Result<()> {
        self.ledger.audit()?;
        let broken = |what: String| Err(Error::Unbalanced(what));
        for order in &self.orders {
            if order.filled < 0 || order.cancelled < 0 || order.leaves() < 0 {
                return broken(format!("order {} filled or cancelled more than was ordered", order.id));
            }
            if !matches!(order.state, State::Working | State::Sent) && order.leaves() != 0 {
                return broken(format!("order {} ended with leaves", order.id));
            }
        }
        let mut holdings = 0;
        for (k, market) in self.markets.iter().enumerate() {
            let value = market.instrument.contract.value(self.position(k), market.mark)?;
            holdings = add(holdings, add(self.ledger.entry(k), value)?)?;
            if value != market.value {
                return broken(format!("the value of {} does not follow its mark", market.instrument.symbol));
            }
            if !market.working.iter().all(|&id| self.order(id).is_working()) {
                return broken(format!("an ended order of {} still works", market.instrument.symbol));
            }
        }
        if holdings != self.holdings {
            return broken("holdings are not the sum of positions at their marks".into());
        }
        Ok(())
    }
}

/// The stop level that a trail keeps from its water mark.
pub(crate) fn trail_level(side: Side, water: Price, trail: Trail) -> Result<Price> {
    let offset = match trail {
        Trail::Ticks(ticks) => ticks,
        Trail::Share(share) => i64::try_from(nt_core::money::share_up(i128::from(water), share)?)
            .map_err(|_| Error::Overflow("a trailing stop"))?,
    };
    side.worsen(water, offset)
}
