//! One fill: how much of an order may fill at a price, and everything that follows from it.

use nt_core::money::{add, margin_of, share_up, subtract};
use nt_core::{
    Bracket, Contract, Error, Fill, Kind, Money, Nanos, Order, Ppb, Price, Quantity, Reason, Result, Settlement, Side,
    State, TimeInForce, Trail,
};

use crate::account::AccountKind;
use crate::engine::{Engine, Notice, trail_level};
use crate::ledger::FillAmounts;

/// How often the largest quantity that can be carried is looked for where a line would have it.
const ROUNDS_ON_LINE: u32 = 4;

/// Where and how an order meets the market.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meeting {
    /// The market's price.
    pub reference: Price,
    /// The order takes, so slippage and the taker fee apply.
    pub taker: bool,
    /// Ask minus bid over the bar.
    pub spread: Price,
    /// When.
    pub time_ns: Nanos,
    /// Index of the first bar that may fill children of this fill.
    pub children_live_bar: u32,
}

/// Price and costs of a fill per lot, before its quantity is known.
pub(crate) struct Terms {
    pub side: Side,
    pub price: Price,
    pub reference: Price,
    pub contract: Contract,
    pub fee_rate: i64,
    pub fixed_fee: Money,
}

impl Terms {
    fn fee(&self, quantity: Quantity) -> Result<Money> {
        add(self.contract.charge(quantity, self.price, self.fee_rate)?, self.fixed_fee)
    }

    fn slippage(&self, quantity: Quantity) -> Result<Money> {
        if self.price == self.reference {
            return Ok(0);
        }
        let signed = self.side.sign() * quantity;
        subtract(self.contract.cost(signed, self.price)?, self.contract.cost(signed, self.reference)?)
    }
}

impl Engine {
    /// Fills an order at a price with no more than a quantity; returns what filled.
    pub(crate) fn fill_up_to(&mut self, id: u32, most: Quantity, price: Price, taker: bool) -> Result<Quantity> {
        let order = self.order(id);
        let (k, before, time_ns) = (order.instrument as usize, order.filled, self.now_ns);
        self.markets[k].budget = Some(most);
        self.execute(id, Meeting { reference: price, taker, spread: 0, time_ns, children_live_bar: 0 })?;
        self.markets[k].budget = None;
        self.markets[k].worse = 0;
        Ok(self.order(id).filled - before)
    }

    /// Makes the next fill of an instrument worse than the book by so many ticks.
    pub(crate) fn worsen_takes(&mut self, k: usize, ticks: Price) {
        self.markets[k].worse = ticks;
    }

    /// Marks a position at the price at which it could be closed; where there is none the mark stays, if there is one.
    pub(crate) fn mark_to_close(
        &mut self,
        k: usize,
        best: impl Fn(Side) -> Option<Price>,
        otherwise: Price,
    ) -> Result<()> {
        let position = self.position(k);
        if position == 0 && !self.is_rate(k) {
            return Ok(());
        }
        let best = best(if position < 0 { Side::Sell } else { Side::Buy });
        let mark = self.mark(k);
        self.set_mark(k, best.unwrap_or(if mark == 0 { otherwise } else { mark }))
    }

    /// Whether the mark of an instrument says what a currency is worth, so that it is needed without a position too.
    #[inline]
    pub(crate) fn is_rate(&self, k: usize) -> bool {
        self.account.as_ref().is_some_and(|account| account.is_rate[k])
    }

    /// Fills what may be filled of a working order at a meeting.
    pub(crate) fn execute(&mut self, id: u32, meeting: Meeting) -> Result<()> {
        let k = self.order(id).instrument as usize;
        let quantity = self.wanted(id, self.markets[k].budget.unwrap_or(Quantity::MAX));
        if quantity == 0 {
            return Ok(());
        }
        let terms = self.terms(self.order(id), &meeting)?;
        let affordable = self.affordable(k, &terms, quantity)?;
        let cut_by_margin = affordable < quantity;
        if affordable > 0 {
            self.record(id, &terms, affordable, &meeting)?;
            if let Some(budget) = &mut self.markets[k].budget {
                *budget -= affordable;
            }
        }
        if cut_by_margin {
            self.end_order(id, State::Cancelled, Reason::Margin);
        }
        if affordable > 0 {
            self.follow(id, affordable, terms.price, meeting.children_live_bar)?;
        }
        Ok(())
    }

    /// What two of our own orders can fill of each other; one that has lost its purpose is cancelled.
    pub(crate) fn wanted_between(&mut self, taker: u32, maker: u32) -> Quantity {
        let both = self.order(taker).leaves().min(self.order(maker).leaves());
        let of_taker = self.wanted(taker, both);
        if of_taker == 0 { 0 } else { self.wanted(maker, of_taker) }
    }

    /// One half of a fill between two of our own orders. Margin has no say in it, because the position stays what it was.
    pub(crate) fn execute_between(&mut self, id: u32, quantity: Quantity, price: Price, taker: bool) -> Result<()> {
        let meeting = Meeting { reference: price, taker, spread: 0, time_ns: self.now_ns, children_live_bar: 0 };
        let terms = self.terms(self.order(id), &meeting)?;
        self.record(id, &terms, quantity, &meeting)?;
        self.follow(id, quantity, price, 0)
    }

    /// What an order's purpose leaves of a quantity that it could fill; an order that has lost its purpose is cancelled.
    fn wanted(&mut self, id: u32, found: Quantity) -> Quantity {
        if self.order(id).target.is_some() && !self.cut_to_target(id) {
            return 0;
        }
        let order = self.order(id);
        let quantity = order.leaves().min(found);
        if quantity == 0 || !order.reduce_only {
            return quantity;
        }
        let protected = (-order.side.sign() * self.position(order.instrument as usize)).max(0);
        if protected == 0 {
            self.end_order(id, State::Cancelled, Reason::NothingToReduce);
        }
        quantity.min(protected)
    }

    /// Posts a fill of an order and counts it.
    fn record(&mut self, id: u32, terms: &Terms, quantity: Quantity, meeting: &Meeting) -> Result<()> {
        let k = self.order(id).instrument as usize;
        self.settle(id, k, terms, quantity, meeting)?;
        let order = self.order_mut(id);
        order.filled += quantity;
        if order.leaves() == 0 {
            order.state = State::Filled;
            self.forget_working(id);
        }
        Ok(())
    }

    /// What a fill means for other orders.
    fn follow(&mut self, id: u32, quantity: Quantity, price: Price, live_bar: u32) -> Result<()> {
        let (k, side) = (self.order(id).instrument as usize, self.order(id).side);
        self.cut_sibling(id, quantity);
        self.release_children(k, side, quantity);
        self.raise_children(id, quantity, price, live_bar)
    }

    /// Takes from a target order what its position no longer needs; says whether anything is left of it.
    fn cut_to_target(&mut self, id: u32) -> bool {
        let order = self.order(id);
        let Some(target) = order.target else { return true };
        // The difference of two positions fits: it did when the order was sized, and the position has only come nearer or left.
        let missing = target.saturating_sub(self.position(order.instrument as usize)).saturating_mul(order.side.sign());
        let excess = order.leaves() - order.leaves().min(missing.max(0));
        if excess == order.leaves() {
            self.end_order(id, State::Cancelled, Reason::Reached);
            return false;
        }
        if excess > 0 {
            let order = self.order_mut(id);
            order.cancelled += excess;
            order.reason = Reason::Reached;
        }
        true
    }

    /// Cancels the exits of a position that a fill of this side and quantity has brought to zero or through it.
    fn release_children(&mut self, k: usize, side: Side, filled: Quantity) {
        let after = self.position(k) * side.sign();
        let was_reduced_to_nothing = after >= 0 && after < filled;
        if !was_reduced_to_nothing {
            return;
        }
        let mut at = 0;
        while let Some(&id) = self.markets[k].working.get(at) {
            let order = self.order(id);
            if order.parent != 0 && order.side == side {
                self.end_order(id, State::Cancelled, Reason::NothingToReduce);
            } else {
                at += 1;
            }
        }
    }

    fn terms(&self, order: &Order, meeting: &Meeting) -> Result<Terms> {
        let mut price = meeting.reference;
        let (slips, worse) = (self.slips(order), self.markets[order.instrument as usize].worse);
        if meeting.taker && (slips || worse != 0) {
            price = order.side.worsen(price, if slips { self.slippage_ticks(meeting)? } else { worse })?;
            if matches!(order.kind, Kind::Limit | Kind::StopLimit) {
                price = order.side.better(price, order.limit);
            }
        }
        Ok(Terms {
            side: order.side,
            price,
            reference: meeting.reference,
            contract: self.markets[order.instrument as usize].instrument.contract,
            fee_rate: self.fee_rate(meeting.taker)?,
            fixed_fee: self.config.fixed_fee,
        })
    }

    fn fee_rate(&self, taker: bool) -> Result<Ppb> {
        let tier = match &self.account {
            Some(account) => account.tier(self.now_ns)?,
            None => None,
        };
        Ok(match tier {
            Some(tier) if taker => tier.taker,
            Some(tier) => tier.maker,
            None if taker => self.config.taker_fee,
            None => self.config.maker_fee,
        })
    }

    pub(crate) fn slippage_ticks(&self, meeting: &Meeting) -> Result<Price> {
        let config = &self.config;
        let mut ticks = i128::from(config.slippage_ticks);
        if config.slippage_rate != 0 {
            ticks += share_up(i128::from(meeting.reference), config.slippage_rate)?;
        }
        if config.slippage_spread != 0 {
            ticks += share_up(i128::from(meeting.spread), config.slippage_spread)?;
        }
        Price::try_from(ticks).map_err(|_| Error::Overflow("slippage"))
    }

    /// The largest quantity up to `wanted` that the account can carry; what reduces the position always is.
    pub(crate) fn affordable(&self, k: usize, terms: &Terms, wanted: Quantity) -> Result<Quantity> {
        let position = self.position(k);
        let sign = terms.side.sign();
        let reducing = if position.signum() == -sign { wanted.min(position.abs()) } else { 0 };
        if reducing == wanted {
            return Ok(wanted);
        }
        let (contract, remarked) = (&terms.contract, Some((k, terms.reference)));
        let spends_cash = self.account.as_ref().is_some_and(|account| account.terms.kind == AccountKind::Cash);
        if spends_cash && terms.side == Side::Sell {
            return Ok(reducing);
        }
        let has_others = self.held > usize::from(position != 0);
        let others = if has_others { self.exposure_beside((k, terms.reference))? } else { 0 };
        let equity = self.equity_remarked((k, terms.reference))?;
        let leverage = self.config.leverage;
        let missing = |quantity: Quantity| -> Result<Money> {
            // A rebate is not there before the fill, so it carries nothing.
            let fee = terms.fee(quantity)?.max(0);
            // Of what is missing only the sign decides, which saturating keeps.
            if spends_cash {
                let paid = add(contract.cost(sign * quantity, terms.price)?, fee)?;
                return Ok(paid.saturating_sub(self.ledger.balance(contract.currency)));
            }
            let after = position.checked_add(sign * quantity).ok_or(Error::Overflow("a position"))?;
            let notional = contract.notional(after, terms.reference)?;
            let exposure = add(others, self.converted_up(notional, contract.currency, remarked)?)?;
            let costs = self.converted_up(add(terms.slippage(quantity)?, fee)?, contract.currency, remarked)?;
            Ok(margin_of(exposure, leverage)?.saturating_sub(subtract(equity, costs)?))
        };
        let mut missing_of_bad = missing(wanted)?;
        if missing_of_bad <= 0 {
            return Ok(wanted);
        }
        // What is missing only ever turns from nothing to something as the quantity grows, and but for a few roundings it
        // grows along a line: that is followed first, and bisection finds the last quantity of which nothing is missing.
        let (mut good, mut bad, mut missing_of_good) = (reducing, wanted, missing(reducing)?);
        for round in 0.. {
            if bad - good <= 1 {
                break;
            }
            let on_line = i128::from(bad - good)
                .checked_mul(-missing_of_good)
                .filter(|_| round < ROUNDS_ON_LINE && missing_of_good <= 0)
                .and_then(|product| Quantity::try_from(product / (missing_of_bad - missing_of_good)).ok());
            let next = good + on_line.unwrap_or((bad - good) / 2).clamp(1, bad - good - 1);
            match missing(next)? {
                some if some > 0 => (bad, missing_of_bad) = (next, some),
                none => (good, missing_of_good) = (next, none),
            }
        }
        Ok(good)
    }

    /// Posts a fill, records it and says so.
    pub(crate) fn settle(
        &mut self,
        id: u32,
        k: usize,
        terms: &Terms,
        quantity: Quantity,
        meeting: &Meeting,
    ) -> Result<()> {
        let (fee, slippage) = (terms.fee(quantity)?, terms.slippage(quantity)?);
        let signed = terms.side.sign() * quantity;
        let (before, entered) = (self.position(k), self.ledger.entry(k));
        if self.account.is_some() {
            self.note_fill(quantity, terms)?;
        }
        let is_spot = terms.contract.settlement == Settlement::Spot;
        self.ledger.post_fill(FillAmounts {
            instrument: k as u32,
            quantity: signed,
            value: terms.contract.cost(signed, terms.reference)?,
            slippage,
            fee,
            settled: if is_spot { 0 } else { self.ledger.settled(k, &terms.contract, signed, terms.price)? },
        })?;
        let after = self.position(k);
        self.held = self.held + usize::from(after != 0) - usize::from(before != 0);
        let market = &mut self.markets[k];
        let value = terms.contract.value(after, market.mark)?;
        self.holdings = add(subtract(self.holdings, market.value)?, value)?;
        if !is_spot {
            self.holdings = add(self.holdings, subtract(self.ledger.entry(k), entered)?)?;
        }
        market.value = value;
        self.notices.push(Notice::Fill(self.fills.len()));
        self.fills.push(Fill {
            order: id,
            instrument: k as u32,
            side: terms.side,
            maker: !meeting.taker,
            quantity,
            price: terms.price,
            reference: terms.reference,
            time_ns: meeting.time_ns,
            fee,
            slippage,
        });
        Ok(())
    }

    /// What a fill means for tiers, interest and the worth of trades.
    #[cold]
    fn note_fill(&mut self, quantity: Quantity, terms: &Terms) -> Result<()> {
        let currency = terms.contract.currency;
        if self.several_currencies().is_some() {
            let rate = self.rate(currency, None)?;
            self.account_mut(|account| account.fill_rates.push(rate));
        }
        if self.account.as_ref().is_some_and(|account| !account.terms.tiers.is_empty()) {
            let notional = terms.contract.notional_down(quantity, terms.price)?;
            let (now_ns, worth) = (self.now_ns, self.converted_down(notional, currency, None)?);
            if let Some(account) = self.account.as_deref_mut() {
                account.count(now_ns, worth)?;
            }
        }
        self.begin_interest();
        Ok(())
    }

    /// What filled of one leg of a bracket is taken from the other.
    fn cut_sibling(&mut self, id: u32, quantity: Quantity) {
        let sibling = self.order(id).sibling;
        if sibling == 0 || !self.order(sibling).is_working() {
            return;
        }
        let order = self.order_mut(sibling);
        let cut = quantity.min(order.leaves());
        if cut == order.leaves() {
            self.end_order(sibling, State::Cancelled, Reason::Sibling);
        } else {
            order.cancelled += cut;
            order.reason = Reason::Sibling;
        }
    }

    /// Brings the exits of a bracket into being, or enlarges them, by what filled of their entry.
    fn raise_children(&mut self, id: u32, quantity: Quantity, price: Price, live_bar: u32) -> Result<()> {
        let Some(bracket) = self.order(id).bracket.as_deref().copied() else {
            return Ok(());
        };
        if self.order(id).children == [0, 0] {
            let stop = bracket.stop_loss.is_some() || bracket.stop_loss_trail.is_some();
            let first = if stop { self.raise_child(id, quantity, live_bar, &bracket, price, true)? } else { 0 };
            let second = match bracket.take_profit {
                Some(_) => self.raise_child(id, quantity, live_bar, &bracket, price, false)?,
                None => 0,
            };
            if first != 0 && second != 0 {
                self.order_mut(first).sibling = second;
                self.order_mut(second).sibling = first;
            }
            self.order_mut(id).children = [first, second];
            return Ok(());
        }
        for child in self.order(id).children {
            if child != 0 && self.order(child).is_working() {
                self.order_mut(child).quantity += quantity;
            }
        }
        Ok(())
    }

    fn raise_child(
        &mut self,
        parent: u32,
        quantity: Quantity,
        live_bar: u32,
        bracket: &Bracket,
        price: Price,
        is_stop: bool,
    ) -> Result<u32> {
        let id = self.next_id()?;
        let entry = self.order(parent);
        let (instrument, side) = (entry.instrument, entry.side.opposite());
        let trail: Option<Trail> = bracket.stop_loss_trail.filter(|_| is_stop);
        let (kind, limit, stop) = match (is_stop, trail) {
            (false, _) => (Kind::Limit, bracket.take_profit.unwrap_or(0), 0),
            (true, Some(trail)) => (Kind::TrailingStop, 0, trail_level(side, price, trail)?),
            (true, None) => (Kind::Stop, 0, bracket.stop_loss.unwrap_or(0)),
        };
        self.orders.push(Order {
            id,
            parent,
            sibling: 0,
            instrument,
            live_bar,
            side,
            kind,
            state: State::Working,
            reason: Reason::None,
            triggered: false,
            reduce_only: true,
            target: None,
            time_in_force: TimeInForce::GoodTillCancelled,
            day: None,
            quantity,
            limit,
            stop,
            trail,
            water: if trail.is_some() { price } else { 0 },
            filled: 0,
            cancelled: 0,
            submit_ns: self.now_ns,
            bracket: None,
            children: [0, 0],
        });
        self.markets[instrument as usize].working.push(id);
        Ok(id)
    }

    /// Closes a position at its mark, outside of any order: in ruin without cost, at the end of data like any taker.
    pub(crate) fn close_position(&mut self, k: usize, at_a_cost: bool) -> Result<()> {
        let position = self.position(k);
        if position == 0 {
            return Ok(());
        }
        let side = if position > 0 { Side::Sell } else { Side::Buy };
        let reference = self.markets[k].mark;
        let meeting = Meeting { reference, taker: true, spread: 0, time_ns: self.now_ns, children_live_bar: 0 };
        let ticks = if at_a_cost { self.slippage_ticks(&meeting)? } else { 0 };
        let terms = Terms {
            side,
            price: side.worsen(reference, ticks)?,
            reference,
            contract: self.markets[k].instrument.contract,
            fee_rate: if at_a_cost { self.fee_rate(true)? } else { 0 },
            fixed_fee: if at_a_cost { self.config.fixed_fee } else { 0 },
        };
        self.settle(0, k, &terms, position.abs(), &meeting)
    }

    /// Closes a position at its mark, at the taker fee and what a liquidation costs beyond it; for no fee if equity cannot
    /// pay it.
    pub(crate) fn liquidate_position(&mut self, k: usize) -> Result<()> {
        let position = self.position(k);
        let (mark, contract) = (self.markets[k].mark, self.markets[k].instrument.contract);
        let rate = self.fee_rate(true)?.checked_add(contract.liquidation).ok_or(Error::Overflow("a fee rate"))?;
        let mut terms = Terms {
            side: if position > 0 { Side::Sell } else { Side::Buy },
            price: mark,
            reference: mark,
            contract,
            fee_rate: rate,
            fixed_fee: self.config.fixed_fee,
        };
        if self.converted_up(terms.fee(position.abs())?, contract.currency, None)? > self.equity()? {
            (terms.fee_rate, terms.fixed_fee) = (0, 0);
        }
        let meeting = Meeting { reference: mark, taker: true, spread: 0, time_ns: self.now_ns, children_live_bar: 0 };
        self.settle(0, k, &terms, position.abs(), &meeting)
    }
}
