//! The rules of backtesting.py 0.6.6 (docs/peer-parity.md): one queue of orders, worked off in sequence once a bar is complete.
//!
//! | the package's rule | |
//! |---|---|
//! | the queue is processed when a bar is complete, stop losses before all else | margin is judged at that bar's close |
//! | every entry is a trade of its own with its own exits | others close it first in, first out |
//! | a fraction is sized when its order fills | in whole units |
//! | what margin does not carry is cancelled whole | after what it closes has been closed |

use nt_core::{
    BarClose, BarOpen, Bracket, Error, Instrument, Kind, Nanos, Order, PPB, Ppb, Price, Quantity, Reason, Result, Side,
    State, TimeInForce,
};
use serde::{Deserialize, Serialize};

use crate::config::Rules;
use crate::engine::Engine;
use crate::request::{Request, Size};
use crate::trades::{Matched, Trade, of_matches};

mod filling;

/// The one instrument of a run under these rules.
const LONE: usize = 0;

/// What the package's broker keeps beside orders and account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Desk {
    /// Lots in one unit of the instrument: the package trades whole units.
    unit: Quantity,
    queue: Vec<Queued>,
    /// Open trades, the oldest first; they never face each other.
    trades: Vec<OpenTrade>,
    closed: Vec<Matched>,
    open_ns: Nanos,
    bar: Option<BarClose>,
    bar_ns: Nanos,
    /// When and where the bar before closed.
    before: (Nanos, Price),
}

/// An order in the queue.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Queued {
    id: u32,
    /// What part of the buying power it takes; 0 for an order in units.
    fraction: Ppb,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct OpenTrade {
    /// The order that opened it.
    order: u32,
    /// The fill that opened it.
    fill: u32,
    side: Side,
    quantity: Quantity,
    /// Its stop loss and its take profit, 0 where absent.
    exits: [u32; 2],
}

/// How an order meets a complete bar.
struct Met {
    price: Price,
    time_ns: Nanos,
    /// The stop that this bar reached, or 0.
    stop: Price,
    /// It had neither limit nor stop, so it filled before the rest of the bar happened.
    is_market: bool,
}

impl Desk {
    /// The broker of one instrument whose units are whole numbers of lots.
    pub(crate) fn new(instruments: &[Instrument]) -> Result<Self> {
        let [instrument] = instruments else {
            return Err(Error::Misuse("backtesting.py trades one instrument per run".into()));
        };
        let steps = i64::pow(10, u32::from(instrument.lot.decimals));
        if steps % instrument.lot.mantissa != 0 {
            return Err(Error::Misuse("backtesting.py trades whole units, which these lots do not make up".into()));
        }
        Ok(Desk {
            unit: steps / instrument.lot.mantissa,
            queue: Vec::new(),
            trades: Vec::new(),
            closed: Vec::new(),
            open_ns: Nanos::MIN,
            bar: None,
            bar_ns: Nanos::MIN,
            before: (Nanos::MIN, 0),
        })
    }
}

impl Engine {
    fn desk(&mut self) -> &mut Desk {
        self.desk.as_mut().expect("a run under these rules has a desk")
    }

    /// Bars open: under the rules of the peers nothing meets them before they are complete.
    pub(crate) fn open_like_a_peer(&mut self, time_ns: Nanos, openings: &[BarOpen]) -> Result<()> {
        if let Some(desk) = &mut self.desk {
            desk.open_ns = time_ns;
        }
        for opening in openings {
            self.markets[opening.instrument].opened += 1;
            self.set_mark(opening.instrument, opening.price)?;
        }
        Ok(())
    }

    /// A bar is complete: the queue is worked off with its close as the mark, then equity is judged.
    pub(crate) fn close_like_backtesting_py(&mut self, time_ns: Nanos, closes: &[BarClose]) -> Result<()> {
        let [bar] = closes else { return Ok(()) };
        let desk = self.desk();
        if let Some(last) = desk.bar {
            desk.before = (desk.bar_ns, last.close);
        }
        (desk.bar, desk.bar_ns) = (Some(*bar), time_ns);
        self.set_mark(LONE, bar.close)?;
        if self.halted {
            return Ok(());
        }
        self.work_off(bar)?;
        self.judge_equity()
    }

    /// The end of data: with `close_at_end` the last bar is worked off once more, with every trade's exit in front.
    pub(crate) fn finish_like_backtesting_py(&mut self) -> Result<()> {
        if !self.config.close_at_end || self.halted {
            return Ok(());
        }
        let Some(bar) = self.desk().bar else { return Ok(()) };
        let backwards: Vec<OpenTrade> = self.desk().trades.iter().rev().copied().collect();
        self.queue_exits(&backwards, false)?;
        let was_held = self.held != 0;
        self.work_off(&bar)?;
        self.judge_equity()?;
        self.samples.replace_last(self.equity()?);
        // The last sample is replaced, and with it whether it was exposed.
        self.exposed_samples = self.exposed_samples + u64::from(self.held != 0) - u64::from(was_held);
        Ok(())
    }

    /// Takes a request that has been checked to make sense.
    pub(crate) fn submit_like_backtesting_py(&mut self, request: &Request) -> Result<u32> {
        let lacks = |what: &str| Err(Error::Misuse(format!("backtesting.py has no {what}")));
        if request.kind == Kind::TrailingStop || request.bracket.stop_loss_trail.is_some() {
            return lacks("trailing stops");
        }
        if request.time_in_force != TimeInForce::GoodTillCancelled {
            return lacks("time in force; its orders work until they are cancelled");
        }
        if matches!(request.size, Size::Cash(_)) {
            return lacks("sizes in cash; give units or a fraction");
        }
        if request.size.is_target() {
            return self.reach_target(request);
        }
        self.place(request, false)
    }

    /// A target: leave what stands on the other side, then enter with the package's kind of size.
    fn reach_target(&mut self, request: &Request) -> Result<u32> {
        self.cancel_targets(LONE);
        let position = self.position(LONE);
        let (wanted, is_fraction) = match request.size {
            Size::TargetFraction(fraction) => (fraction, true),
            Size::TargetQuantity(lots) => (lots, false),
            _ => (0, false),
        };
        if wanted == 0 {
            return self.leave(true);
        }
        let delta = wanted.checked_sub(position).ok_or(Error::Overflow("the size of an order"))?;
        if delta == 0 || is_fraction && position.signum() == wanted.signum() {
            return Ok(0);
        }
        let signed = if is_fraction || self.is_exclusive() { wanted } else { delta };
        let magnitude = signed.checked_abs().ok_or(Error::Overflow("the size of an order"))?;
        let order = Request {
            side: if signed > 0 { Side::Buy } else { Side::Sell },
            size: if is_fraction { Size::Fraction(magnitude) } else { Size::Quantity(magnitude) },
            ..*request
        };
        if is_fraction && !self.is_exclusive() && self.refused(&order).is_none() {
            self.leave(true)?;
        }
        self.place(&order, true)
    }

    /// Queues an order behind all others, after the exits of everything else if orders are exclusive.
    fn place(&mut self, request: &Request, target: bool) -> Result<u32> {
        let (quantity, fraction) = match request.size {
            Size::Fraction(fraction) => (0, fraction),
            Size::Quantity(lots) => (lots.max(0), 0),
            _ => (0, 0),
        };
        let refusal = self.refused(request);
        if refusal.is_none() && self.is_exclusive() {
            self.clear_for_the_next(target)?;
        }
        let id = self.new_order(request.side, request.kind, quantity, 0)?;
        let order = self.order_mut(id);
        order.limit = request.limit.unwrap_or(0);
        order.stop = request.stop.unwrap_or(0);
        order.target = target.then_some(0);
        order.bracket = (request.bracket != Bracket::default()).then(|| Box::new(request.bracket));
        match refusal {
            Some(reason) => self.end_order(id, State::Rejected, reason),
            None => self.desk().queue.push(Queued { id, fraction }),
        }
        Ok(id)
    }

    /// Why an order is refused: beside what holds everywhere, exits on the wrong side of its entry, and parts of units.
    fn refused(&self, request: &Request) -> Option<Reason> {
        let mark = self.mark(LONE);
        let Bracket { stop_loss, take_profit, .. } = request.bracket;
        let entry = request.limit.or(request.stop).unwrap_or(mark);
        // A buy's stop loss lies strictly below its entry, its take profit strictly above; a sell's the other way round.
        let lies = |exit: Option<Price>, side: Side| exit.is_none_or(|exit| side.accepts(exit, entry, true));
        let unit = self.desk.as_ref().map_or(1, |desk| desk.unit);
        let is_size = match request.size {
            Size::Fraction(fraction) => (1..=PPB).contains(&fraction),
            Size::Quantity(lots) => lots > 0 && lots % unit == 0,
            _ => false,
        };
        self.refusal(request)
            .or((mark == 0).then_some(Reason::NoPrice))
            .or((!lies(stop_loss, request.side) || !lies(take_profit, request.side.opposite()))
                .then_some(Reason::Price))
            .or((!is_size).then_some(Reason::Size))
    }

    fn is_exclusive(&self) -> bool {
        self.config.rules == Rules::BacktestingPy { exclusive_orders: true }
    }

    /// Exclusive orders: cancels waiting orders that protect no trade, and leaves every trade.
    fn clear_for_the_next(&mut self, target: bool) -> Result<()> {
        let mut waiting = self.waiting();
        let mut at = 0;
        // The package walks along the list that it cancels from, so the order behind each cancelled one is passed over.
        while let Some(&Queued { id, .. }) = waiting.get(at) {
            if !self.is_contingent(id) {
                self.end_order(id, State::Cancelled, Reason::Replaced);
                waiting.remove(at);
            }
            at += 1;
        }
        self.leave(target).map(|_| ())
    }

    /// Queues an exit for every trade; returns the id of the last, or 0 if there is no trade.
    fn leave(&mut self, target: bool) -> Result<u32> {
        let trades = self.desk().trades.clone();
        self.queue_exits(&trades, target)
    }

    /// Queues market exits, each in front of all that waits.
    fn queue_exits(&mut self, trades: &[OpenTrade], target: bool) -> Result<u32> {
        let mut last = 0;
        for trade in trades {
            last = self.new_order(trade.side.opposite(), Kind::Market, trade.quantity, trade.order)?;
            self.order_mut(last).target = target.then_some(0);
            self.desk().queue.insert(0, Queued { id: last, fraction: 0 });
        }
        Ok(last)
    }

    /// A working order, not yet in the queue.
    fn new_order(&mut self, side: Side, kind: Kind, quantity: Quantity, parent: u32) -> Result<u32> {
        let id = self.next_id()?;
        self.orders.push(Order {
            id,
            parent,
            sibling: 0,
            instrument: LONE as u32,
            live_bar: self.markets[LONE].opened,
            side,
            kind,
            state: State::Working,
            reason: Reason::None,
            triggered: false,
            reduce_only: false,
            target: None,
            time_in_force: TimeInForce::GoodTillCancelled,
            day: None,
            quantity,
            limit: 0,
            stop: 0,
            trail: None,
            water: 0,
            filled: 0,
            cancelled: 0,
            submit_ns: self.now_ns,
            bracket: None,
            children: [0, 0],
        });
        self.markets[LONE].working.push(id);
        Ok(id)
    }

    /// The stop loss or the take profit of a trade.
    fn is_contingent(&self, id: u32) -> bool {
        let order = self.order(id);
        order.parent != 0 && order.kind != Kind::Market
    }

    /// The queue without what has ended since it was last looked at.
    fn waiting(&mut self) -> Vec<Queued> {
        let mut queue = std::mem::take(&mut self.desk().queue);
        queue.retain(|queued| self.order(queued.id).is_working());
        self.desk().queue = queue.clone();
        queue
    }

    /// Ends the run where equity is not positive: every trade is closed at the mark, at its commission.
    fn judge_equity(&mut self) -> Result<()> {
        if self.equity()? > 0 {
            return Ok(());
        }
        self.halted = true;
        for id in self.markets[LONE].working.clone() {
            self.end_order(id, State::Cancelled, Reason::Ruin);
        }
        let met = Met { price: self.mark(LONE), time_ns: self.now_ns, stop: 0, is_market: true };
        for trade in std::mem::take(&mut self.desk().trades) {
            let exit = self.fills.len() as u32;
            self.fill_piece(0, trade.side.opposite(), trade.quantity, &met)?;
            self.desk().closed.push(Matched { entry: trade.fill, exit, quantity: trade.quantity });
        }
        Ok(())
    }

    /// The trades of a run: those that the rules keep, or fills matched first in, first out.
    pub fn round_trips(&self) -> Result<Vec<Trade>> {
        let instruments: Vec<&Instrument> = self.instruments().collect();
        let marks: Vec<Price> = self.markets.iter().map(|market| market.mark).collect();
        let Some(desk) = &self.desk else {
            return self.trades_by_rates(&instruments, &marks);
        };
        let open = desk.trades.iter().map(|trade| (trade.fill, trade.quantity));
        of_matches(&self.fills, &instruments, &marks, &desk.closed, open)
    }
}
