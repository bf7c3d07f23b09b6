//! Bars against working orders: the opening, closing and intrabar matches, expiry, trailing stops and ruin.

use nt_core::money::{add, share_down};
use nt_core::{
    BarClose, BarOpen, Bars, DAY_NS, Error, Kind, Nanos, Ppb, Price, Quantity, Reason, Result, State, TimeInForce,
};

use crate::config::Rules;
use crate::engine::{Engine, trail_level};
use crate::execute::Meeting;

/// An order that a price satisfies: its id, where that price stands in the moment, and whether it takes.
pub(crate) type Candidate = (u32, usize, bool);

/// An order that the inside of a bar reaches: distance from the open, its id, and the price at which it is reached.
pub(crate) type Reached = (Price, u32, Price);

impl Engine {
    /// All openings of one time.
    pub fn open_moment(&mut self, time_ns: Nanos, openings: &[BarOpen]) -> Result<()> {
        if self.account.is_some() {
            self.accrue_until(time_ns)?;
        }
        self.now_ns = time_ns;
        if self.config.rules != Rules::House {
            return self.open_like_a_peer(time_ns, openings);
        }
        let mut any_working = false;
        for opening in openings {
            self.set_mark(opening.instrument, opening.price)?;
            let budget = self.config.volume_cap.map(|cap| volume_budget(opening.volume, cap)).transpose()?;
            let market = &mut self.markets[opening.instrument];
            market.opened += 1;
            market.budget = budget;
            any_working |= !market.working.is_empty();
        }
        if let [opening] = openings
            && let Some(id) = self.lone_market_order(opening.instrument)
        {
            // What the general way below comes to where there is nothing to expire, to sort, or to wait for.
            self.ruin_check()?;
            if !self.is_working(id) {
                return Ok(());
            }
            let BarOpen { instrument, price: reference, spread, .. } = *opening;
            let children_live_bar = self.markets[instrument].opened - 1;
            self.execute(id, Meeting { reference, taker: true, spread, time_ns, children_live_bar })?;
            return self.ruin_check();
        }
        if any_working {
            self.expire(time_ns, openings);
        }
        self.ruin_check()?;
        if any_working {
            let mut candidates = std::mem::take(&mut self.candidates);
            for (rank, opening) in openings.iter().enumerate() {
                for at in 0..self.markets[opening.instrument].working.len() {
                    let id = self.markets[opening.instrument].working[at];
                    if let Some(taker) = self.meets_opening(id, opening.price) {
                        candidates.push((id, rank, taker));
                    }
                }
            }
            let meeting = |rank: usize, taker, live_bar: u32| {
                let BarOpen { price: reference, spread, .. } = openings[rank];
                Meeting { reference, taker, spread, time_ns, children_live_bar: live_bar - 1 }
            };
            self.fill_candidates(&mut candidates, meeting)?;
            self.candidates = candidates;
            self.ruin_check()?;
        }
        Ok(())
    }

    /// All closes of one time: intrabar matches and marks. The strategy's calls come after it.
    pub fn close_moment(&mut self, time_ns: Nanos, closes: &[BarClose]) -> Result<()> {
        if self.account.is_some() {
            // What is due at the time of a close is due after it.
            self.accrue_until(time_ns.saturating_sub(1))?;
        }
        self.now_ns = time_ns;
        if self.desk.is_some() {
            return self.close_like_backtesting_py(time_ns, closes);
        }
        for bar in closes {
            let k = bar.instrument;
            if !self.markets[k].working.is_empty() {
                self.match_intrabar(bar, time_ns)?;
            }
            let position = self.position(k);
            if position != 0 && self.can_be_ruined(position) {
                self.mark_where_in_danger(bar)?;
                self.ruin_check()?;
            }
            self.set_mark(k, bar.close)?;
            self.ruin_check()?;
            if !self.markets[k].working.is_empty() {
                self.move_trails(bar)?;
            }
        }
        Ok(())
    }

    /// Market orders at the close that they were decided on, under `fill = close`.
    pub fn closing_match(&mut self, time_ns: Nanos, closes: &[BarClose]) -> Result<()> {
        if self.desk.is_some() {
            return Ok(());
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        for (rank, bar) in closes.iter().enumerate() {
            let working = &self.markets[bar.instrument].working;
            let markets = working.iter().filter(|&&id| self.order(id).kind == Kind::Market);
            candidates.extend(markets.map(|&id| (id, rank, true)));
        }
        let meeting = |rank: usize, taker, live_bar: u32| {
            let BarClose { close: reference, spread, .. } = closes[rank];
            Meeting { reference, taker, spread, time_ns, children_live_bar: live_bar }
        };
        self.fill_candidates(&mut candidates, meeting)?;
        self.candidates = candidates;
        self.ruin_check()
    }

    /// Whether nothing but the next close of a lone instrument can matter: no order works or can fill at the close
    /// that it is sent at, and the position cannot be ruined.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        self.markets[0].working.is_empty()
            && !self.config.fill_at_close
            && self.ledger.cash() > 0
            && self.position(0) >= 0
    }

    /// All that quiet bars of a lone instrument do, from `first` up to, not including, `end`.
    #[inline]
    pub(crate) fn pass_quiet(&mut self, bars: &Bars<'_>, first: usize, end: usize) -> Result<()> {
        let Some(last) = end.checked_sub(1 + bars.first) else { return Ok(()) };
        self.markets[0].opened += (end - first) as u32;
        self.now_ns = bars.close_ns[last];
        let value_per_tick = i128::from(self.position(0)).wrapping_mul(self.markets[0].instrument.contract.unit);
        if value_per_tick > i128::from(i64::MAX) {
            // So large a position could leave 128 bits at a price on the way; no price is above all of them or'ed.
            let all = bars.close[first - bars.first..last].iter().fold(0, |all, close| all | close);
            value_per_tick.checked_mul(i128::from(all)).ok_or(Error::Overflow("an amount of money"))?;
        }
        self.set_mark(0, bars.close[last])
    }

    /// Makes an opening that was played be counted with the quiet bars that begin with it.
    #[inline]
    pub(crate) fn take_back_opening(&mut self) {
        self.markets[0].opened -= 1;
    }

    /// Records equity at so many closes of a lone instrument, over which nothing has filled.
    #[inline]
    pub(crate) fn sample_lone(&mut self, bars: usize) {
        // The product fits: position, mark and unit were multiplied to value the position, and a mark is at least 1.
        let value_per_tick = i128::from(self.position(0)).wrapping_mul(self.markets[0].instrument.contract.unit);
        self.samples.push_bars(bars, self.ledger.cash(), value_per_tick);
        self.exposed_samples += if self.held != 0 { bars as u64 } else { 0 };
    }

    /// Records equity at the end of a close moment.
    #[inline]
    pub fn sample(&mut self, time_ns: Nanos) -> Result<()> {
        let equity = self.equity()?;
        self.exposed_samples += u64::from(self.held != 0);
        if !self.samples.is_condensed() {
            self.samples.push(time_ns, equity);
            return Ok(());
        }
        for at in self.sampled_fills..self.fills.len() {
            self.push_change(self.fills[at].instrument)?;
        }
        self.sampled_fills = self.fills.len();
        if self.account.as_deref_mut().is_some_and(|account| std::mem::take(&mut account.cash_moved)) {
            self.push_change(0)?;
        }
        self.samples.push_unchanged();
        Ok(())
    }

    /// What equity follows from is new from the next sample on: cash with what contracts were entered at, and a position.
    fn push_change(&mut self, instrument: u32) -> Result<()> {
        let mut steady = self.ledger.cash();
        if self.account.is_some() {
            for k in 0..self.markets.len() {
                steady = add(steady, self.ledger.entry(k))?;
            }
        }
        let k = instrument as usize;
        // The product fits, as above.
        let value_per_tick = i128::from(self.position(k)).wrapping_mul(self.markets[k].instrument.contract.unit);
        self.samples.push_change(instrument, steady, value_per_tick);
        Ok(())
    }

    /// The end of data: positions stay marked, or are closed where the run asks for it.
    pub fn finish(&mut self) -> Result<()> {
        if self.desk.is_some() {
            return self.finish_like_backtesting_py();
        }
        if self.config.close_at_end && self.held != 0 {
            // The last sample is replaced, and with it that it was exposed.
            self.exposed_samples -= 1;
            for k in 0..self.markets.len() {
                self.close_position(k, true)?;
            }
            self.samples.replace_last(self.equity()?);
        }
        Ok(())
    }

    fn expire(&mut self, time_ns: Nanos, openings: &[BarOpen]) {
        let mut expired: Vec<u32> = Vec::new();
        for opening in openings {
            for at in 0..self.markets[opening.instrument].working.len() {
                let id = self.markets[opening.instrument].working[at];
                let order = self.order_mut(id);
                let ended = match order.time_in_force {
                    TimeInForce::GoodTillCancelled | TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill => false,
                    TimeInForce::GoodTillDate(expire_ns) => time_ns >= expire_ns,
                    TimeInForce::Day => {
                        let today = time_ns.div_euclid(DAY_NS);
                        *order.day.get_or_insert(today) < today
                    }
                };
                if ended {
                    expired.push(id);
                }
            }
        }
        expired.sort_unstable();
        for id in expired {
            self.end_order(id, State::Expired, Reason::Time);
        }
    }

    /// Whether an opening price fills an order, and whether the order then takes. Stops that it reaches are triggered.
    fn meets_opening(&mut self, id: u32, open: Price) -> Option<bool> {
        let strict = self.config.limit_through;
        let at_open = !self.config.fill_at_close;
        let opened = self.markets[self.order(id).instrument as usize].opened;
        let order = self.order_mut(id);
        if order.live_bar >= opened {
            return None;
        }
        let arrives = order.live_bar + 1 == opened;
        let (side, limit) = (order.side, order.limit);
        match order.kind {
            Kind::Market => at_open.then_some(true),
            Kind::MarketIfTouched => None,
            Kind::Stop | Kind::TrailingStop => {
                order.triggered |= side.triggers(open, order.stop);
                order.triggered.then_some(true)
            }
            Kind::Limit => side.accepts(open, limit, strict).then_some(arrives),
            Kind::StopLimit => {
                let triggers = !order.triggered && side.triggers(open, order.stop);
                order.triggered |= triggers;
                (order.triggered && side.accepts(open, limit, strict)).then_some(triggers)
            }
        }
    }

    /// The order that is all that works of an instrument, if an opening fills it whatever its price is.
    #[inline]
    fn lone_market_order(&self, instrument: usize) -> Option<u32> {
        let market = &self.markets[instrument];
        let &[id] = market.working.as_slice() else { return None };
        let order = self.order(id);
        let fills = order.kind == Kind::Market && order.live_bar < market.opened && !self.config.fill_at_close;
        (fills && order.time_in_force == TimeInForce::GoodTillCancelled).then_some(id)
    }

    /// Tries candidates by id: those that reduce a position when their turn comes first, then all that are left.
    fn fill_candidates(
        &mut self,
        candidates: &mut Vec<Candidate>,
        meeting: impl Fn(usize, bool, u32) -> Meeting,
    ) -> Result<()> {
        candidates.sort_unstable();
        for reducing in [true, false] {
            let mut kept = 0;
            for at in 0..candidates.len() {
                let (id, rank, taker) = candidates[at];
                let order = self.order(id);
                if !order.is_working() {
                    continue;
                }
                let k = order.instrument as usize;
                if reducing && self.position(k).signum() != -order.side.sign() {
                    candidates[kept] = candidates[at];
                    kept += 1;
                    continue;
                }
                self.execute(id, meeting(rank, taker, self.markets[k].opened))?;
            }
            candidates.truncate(kept);
        }
        Ok(())
    }

    /// Working orders against the inside of a bar: stops before limits, the nearer to the open first.
    fn match_intrabar(&mut self, bar: &BarClose, time_ns: Nanos) -> Result<()> {
        let (mut stops, mut limits) = (std::mem::take(&mut self.stops), std::mem::take(&mut self.limits));
        self.collect_intrabar(bar, &mut stops, &mut limits);
        let meeting = |reference, taker, live_bar| Meeting {
            reference,
            taker,
            spread: bar.spread,
            time_ns,
            children_live_bar: live_bar,
        };
        let opened = self.markets[bar.instrument].opened;
        let strict = self.config.limit_through;
        for (_, id, reference) in stops.drain(..) {
            if !self.order(id).is_working() {
                continue;
            }
            let order = self.order_mut(id);
            order.triggered = true;
            let (side, limit) = (order.side, order.limit);
            if order.kind != Kind::StopLimit || side.accepts(reference, limit, false) {
                self.execute(id, meeting(reference, true, opened))?;
            } else if side.accepts(bar.close, limit, strict) {
                // The market passed the stop and closed beyond the limit, so it traded at the limit on its way.
                self.execute(id, meeting(limit, false, opened))?;
            }
        }
        for (_, id, reference) in limits.drain(..) {
            if self.order(id).is_working() {
                self.execute(id, meeting(reference, false, opened))?;
            }
        }
        (self.stops, self.limits) = (stops, limits);
        Ok(())
    }

    /// Which orders the bar reaches, with the price at which it does, nearest to the open first.
    fn collect_intrabar(&self, bar: &BarClose, stops: &mut Vec<Reached>, limits: &mut Vec<Reached>) {
        let market = &self.markets[bar.instrument];
        for &id in &market.working {
            let order = self.order(id);
            if order.live_bar >= market.opened {
                continue;
            }
            let (side, stop, limit) = (order.side, order.stop, order.limit);
            match order.kind {
                Kind::Market => {}
                Kind::Limit | Kind::StopLimit if order.kind == Kind::Limit || order.triggered => {
                    if side.accepts(side.better(bar.low, bar.high), limit, self.config.limit_through) {
                        let reference = side.better(bar.open, limit);
                        limits.push(((reference - bar.open).abs(), id, reference));
                    }
                }
                Kind::Stop | Kind::TrailingStop if order.triggered => {}
                _ => {
                    if side.triggers(side.worse(bar.low, bar.high), stop) {
                        let reference = side.worse(bar.open, stop);
                        stops.push(((reference - bar.open).abs(), id, reference));
                    }
                }
            }
        }
        stops.sort_unstable();
        limits.sort_unstable();
    }

    /// Moves the water marks, and with them the levels, of trailing stops that were live in a bar and survived it.
    fn move_trails(&mut self, bar: &BarClose) -> Result<()> {
        for at in 0..self.markets[bar.instrument].working.len() {
            let market = &self.markets[bar.instrument];
            let (id, opened) = (market.working[at], market.opened);
            let order = self.order_mut(id);
            if let Some(trail) = order.trail
                && order.live_bar < opened
                && !order.triggered
            {
                let best = order.side.opposite().worse(bar.low, bar.high);
                order.water = order.side.opposite().worse(order.water, best);
                order.stop = trail_level(order.side, order.water, trail)?;
            }
        }
        Ok(())
    }

    /// Whether a move against a position can use up equity at all; long positions that are paid for never do.
    #[inline]
    fn can_be_ruined(&self, position: Quantity) -> bool {
        !(position > 0 && self.held == 1 && self.cash() > 0 && self.account.is_none())
    }
}

fn volume_budget(volume: Quantity, cap: Ppb) -> Result<Quantity> {
    let budget = share_down(i128::from(volume), cap)?;
    Ok(Quantity::try_from(budget).unwrap_or(Quantity::MAX))
}
