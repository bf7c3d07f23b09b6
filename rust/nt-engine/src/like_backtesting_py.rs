//! The rules of backtesting.py 0.6.6 (docs/peer-parity.md): one queue of orders, worked off in sequence once a bar is complete.
//!
//! | the package's rule | |
//! |---|---|
//! | the queue is processed when a bar is complete, stop losses before all else | margin is judged at that bar's close |
//! | every entry is a trade of its own with its own exits | others close it first in, first out |
//! | a fraction is sized when its order fills | in whole units |
//! | what margin does not carry is cancelled whole | after what it closes has been closed |

use nt_core::money::{add, div_up, notional, share_down, share_up, subtract};
use nt_core::{
    BarClose, BarOpen, Bracket, Error, Instrument, Kind, Money, Nanos, Order, PPB, Ppb, Price, Quantity, Reason,
    Result, Side, State, TimeInForce,
};

use crate::config::Rules;
use crate::engine::{Engine, Request, Size};
use crate::execute::{Meeting, Terms};
use crate::trades::{Matched, Trade, of_matches};

/// The one instrument of a run under these rules.
const LONE: usize = 0;

/// What the package's broker keeps beside orders and account.
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone, Copy)]
struct Queued {
    id: u32,
    /// What part of the buying power it takes; 0 for an order in units.
    fraction: Ppb,
}

#[derive(Debug, Clone, Copy)]
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

    /// Tries every order in the queue against a complete bar, and all again where an entry's exits may have been reached.
    fn work_off(&mut self, bar: &BarClose) -> Result<()> {
        loop {
            let mut again = false;
            for queued in self.waiting() {
                if self.order(queued.id).is_working()
                    && let Some(met) = self.meet(queued.id, bar)
                {
                    match self.order(queued.id).parent {
                        0 => again |= self.enter(queued, &met, bar)?,
                        entry => self.exit(queued.id, entry, &met)?,
                    }
                }
            }
            if !again {
                return Ok(());
            }
        }
    }

    /// Where a bar fills an order, if it does. A stop that it reaches is spent, whether the order fills or not.
    fn meet(&mut self, id: u32, bar: &BarClose) -> Option<Met> {
        let at_last_close = self.config.fill_at_close && !self.is_contingent(id);
        let (open_ns, close_ns, (before_ns, before)) = {
            let desk = self.desk();
            (desk.open_ns, desk.bar_ns, desk.before)
        };
        let order = self.order_mut(id);
        let (side, limit) = (order.side, order.limit);
        let mut stop = 0;
        if order.stop != 0 && !order.triggered {
            if !side.triggers(side.worse(bar.low, bar.high), order.stop) {
                return None;
            }
            order.triggered = true;
            stop = order.stop;
        }
        if limit != 0 {
            let is_reached = side.accepts(side.better(bar.low, bar.high), limit, false);
            let may_come_before_the_stop = stop != 0 && side.accepts(limit, stop, false);
            if !is_reached || may_come_before_the_stop {
                return None;
            }
            let price = side.better(if stop != 0 { stop } else { bar.open }, limit);
            return Some(Met { price, time_ns: close_ns, stop, is_market: false });
        }
        let market = if at_last_close { before } else { bar.open };
        Some(if stop == 0 {
            let time_ns = if at_last_close { before_ns } else { open_ns };
            Met { price: market, time_ns, stop, is_market: true }
        } else {
            Met { price: side.worse(market, stop), time_ns: close_ns, stop, is_market: false }
        })
    }

    /// An order that belongs to a trade reduces that trade and no other.
    fn exit(&mut self, id: u32, entry: u32, met: &Met) -> Result<()> {
        if let Some(at) = self.desk().trades.iter().position(|trade| trade.order == entry) {
            let quantity = self.desk().trades[at].quantity.min(self.order(id).leaves());
            self.reduce(at, id, quantity, met)?;
        }
        if self.order(id).is_working() {
            self.end_order(id, State::Cancelled, Reason::NothingToReduce);
        }
        Ok(())
    }

    /// An order of its own closes what faces it and opens a trade with what is left, if margin carries that.
    ///
    /// Says whether the queue has to be tried again because exits of the new trade may have been reached in this bar.
    fn enter(&mut self, queued: Queued, met: &Met, bar: &BarClose) -> Result<bool> {
        let Queued { id, fraction } = queued;
        let unit = self.desk().unit;
        let cost = self.cost_of_one(id, fraction, met.price)?;
        if fraction != 0 {
            let power = self.buying_power()?;
            // The whole is the package's default size, the last float below one.
            let money = if fraction == PPB { (power - 1).max(0) } else { share_down(power, fraction)? };
            let lots = Quantity::try_from(money / cost).ok().and_then(|units| units.checked_mul(unit));
            let lots = lots.ok_or(Error::Overflow("the size of an order"))?;
            if lots == 0 {
                self.end_order(id, State::Cancelled, Reason::Margin);
                return Ok(false);
            }
            self.order_mut(id).quantity = lots;
        }
        let side = self.order(id).side;
        while let leaves @ 1.. = self.order(id).leaves()
            && let Some(&OpenTrade { quantity, side: faced, .. }) = self.desk().trades.first()
            && faced != side
        {
            self.reduce(0, id, leaves.min(quantity), met)?;
        }
        let rest = self.order(id).leaves();
        if rest == 0 {
            return Ok(false);
        }
        let needed = cost.checked_mul(i128::from(rest / unit)).ok_or(Error::Overflow("an amount of money"))?;
        if needed > self.buying_power()? {
            self.end_order(id, State::Cancelled, Reason::Margin);
            return Ok(false);
        }
        self.open_trade(id, rest, met)?;
        let Some(bracket) = self.order(id).bracket.as_deref().copied() else { return Ok(false) };
        if met.is_market {
            return Ok(true);
        }
        // The target lies beyond the stop that was reached, and the bar never came back to the stop loss.
        let is_plain_stop = met.stop != 0 && self.order(id).limit == 0;
        let farthest = side.worse(bar.low, bar.high);
        let target_hit = bracket.take_profit.is_some_and(|target| side.triggers(farthest, target));
        let nearest = side.better(bar.low, bar.high);
        let stop_safe = bracket.stop_loss.is_none_or(|stop| side.opposite().accepts(nearest, stop, true));
        Ok(is_plain_stop && target_hit && stop_safe)
    }

    /// A trade with its exits: the stop loss in front of the queue, the take profit behind it.
    fn open_trade(&mut self, id: u32, quantity: Quantity, met: &Met) -> Result<()> {
        let fill = self.fills.len() as u32;
        let side = self.order(id).side;
        self.fill_piece(id, side, quantity, met)?;
        let bracket = self.order(id).bracket.as_deref().copied().unwrap_or_default();
        let mut exits = [0, 0];
        if let Some(stop) = bracket.stop_loss {
            exits[0] = self.new_order(side.opposite(), Kind::Stop, quantity, id)?;
            self.order_mut(exits[0]).stop = stop;
        }
        if let Some(limit) = bracket.take_profit {
            exits[1] = self.new_order(side.opposite(), Kind::Limit, quantity, id)?;
            self.order_mut(exits[1]).limit = limit;
            self.desk().queue.push(Queued { id: exits[1], fraction: 0 });
        }
        if exits[0] != 0 {
            self.desk().queue.insert(0, Queued { id: exits[0], fraction: 0 });
        }
        self.desk().trades.push(OpenTrade { order: id, fill, side, quantity, exits });
        Ok(())
    }

    /// Closes a trade or a part of it with an order, and takes as much from its exits.
    fn reduce(&mut self, at: usize, id: u32, quantity: Quantity, met: &Met) -> Result<()> {
        let exit = self.fills.len() as u32;
        let trade = self.desk().trades[at];
        self.fill_piece(id, trade.side.opposite(), quantity, met)?;
        let desk = self.desk();
        desk.closed.push(Matched { entry: trade.fill, exit, quantity });
        desk.trades[at].quantity -= quantity;
        if desk.trades[at].quantity == 0 {
            desk.trades.remove(at);
        }
        let reason = if trade.exits.contains(&id) { Reason::Sibling } else { Reason::NothingToReduce };
        for other in trade.exits {
            if other != 0 && other != id && self.order(other).is_working() {
                if quantity == trade.quantity {
                    self.end_order(other, State::Cancelled, reason);
                } else {
                    let order = self.order_mut(other);
                    order.cancelled += quantity;
                    order.reason = reason;
                }
            }
        }
        Ok(())
    }

    /// One fill, charged on its own, of an order or (id 0) of the engine itself.
    fn fill_piece(&mut self, id: u32, side: Side, quantity: Quantity, met: &Met) -> Result<()> {
        let maker = id != 0 && self.order(id).limit != 0;
        let meeting = Meeting {
            reference: met.price,
            taker: !maker,
            spread: 0,
            time_ns: met.time_ns,
            children_live_bar: self.markets[LONE].opened,
        };
        let terms = Terms {
            side,
            price: met.price,
            reference: met.price,
            unit: self.markets[LONE].instrument.unit,
            fee_rate: self.config.taker_fee,
            fixed_fee: self.config.fixed_fee,
        };
        self.settle(id, LONE, &terms, quantity, &meeting)?;
        if id != 0 {
            let order = self.order_mut(id);
            order.filled += quantity;
            if order.leaves() == 0 {
                order.state = State::Filled;
                self.forget_working(id);
            }
        }
        Ok(())
    }

    /// What one unit costs with its commission. The fixed part is spread over the order as it was sent, fraction or units.
    fn cost_of_one(&self, id: u32, fraction: Ppb, price: Price) -> Result<Money> {
        let unit = self.desk.as_ref().map_or(1, |desk| desk.unit);
        let value = notional(price, unit, self.markets[LONE].instrument.unit)?;
        let (times, over) = if fraction == 0 { (unit, self.order(id).quantity) } else { (PPB, fraction) };
        let fixed = self.config.fixed_fee.checked_mul(i128::from(times)).ok_or(Error::Overflow("a fixed fee"))?;
        add(add(value, share_up(value, self.config.taker_fee)?)?, div_up(fixed, i128::from(over)))
    }

    /// How much exposure may be added at the mark: equity times leverage, less the exposure that there is.
    fn buying_power(&self) -> Result<Money> {
        let equity = self.equity()?;
        if equity <= 0 {
            return Ok(0);
        }
        Ok(subtract(share_down(equity, self.config.leverage)?, self.holdings.abs())?.max(0))
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
            return crate::trades::trades(&self.fills, &instruments, &marks);
        };
        let open = desk.trades.iter().map(|trade| (trade.fill, trade.quantity));
        of_matches(&self.fills, &instruments, &marks, &desk.closed, open)
    }
}
