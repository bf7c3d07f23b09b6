//! Working off the queue: where a complete bar fills an order, and what each fill does to the trades.

use nt_core::money::{add, div_up, notional, share_down, share_up, subtract};
use nt_core::{BarClose, Error, Kind, Money, PPB, Ppb, Price, Quantity, Reason, Result, Side, State};

use super::{LONE, Met, OpenTrade, Queued};
use crate::engine::Engine;
use crate::execute::{Meeting, Terms};
use crate::trades::Matched;

impl Engine {
    /// Tries every order in the queue against a complete bar, and all again where an entry's exits may have been reached.
    pub(super) fn work_off(&mut self, bar: &BarClose) -> Result<()> {
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
    pub(super) fn fill_piece(&mut self, id: u32, side: Side, quantity: Quantity, met: &Met) -> Result<()> {
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
            contract: self.markets[LONE].instrument.contract,
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
        let value = notional(price, unit, self.markets[LONE].instrument.contract.unit)?;
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
}
