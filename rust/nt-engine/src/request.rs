//! What a strategy asks for: whether that makes sense, why it is refused, and how many lots it comes to.

use nt_core::money::share_down;
use nt_core::{Bracket, Error, Kind, Money, Ppb, Price, Quantity, Reason, Result, Side, TimeInForce, Trail};
use serde::{Deserialize, Serialize};

use crate::engine::Engine;

/// How large an order shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Size {
    /// Lots.
    Quantity(Quantity),
    /// As many lots as this money buys.
    Cash(Money),
    /// As many lots as this fraction of equity buys.
    Fraction(Ppb),
    /// Whatever brings the position to this many lots.
    TargetQuantity(Quantity),
    /// Whatever brings the position to this fraction of equity.
    TargetFraction(Ppb),
}

impl Size {
    pub(crate) fn is_target(self) -> bool {
        matches!(self, Size::TargetQuantity(_) | Size::TargetFraction(_))
    }
}

/// What a strategy asks for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Request {
    /// The instrument, by rank of its symbol.
    pub instrument: usize,
    /// Direction; a target finds its own.
    pub side: Side,
    /// Kind.
    pub kind: Kind,
    /// Size.
    pub size: Size,
    /// Limit price of limit and stop-limit orders.
    pub limit: Option<Price>,
    /// Stop price of stop and stop-limit orders.
    pub stop: Option<Price>,
    /// Distance of a trailing stop.
    pub trail: Option<Trail>,
    /// How long it works.
    pub time_in_force: TimeInForce,
    /// The exits that its fills bring into being.
    pub bracket: Bracket,
}

impl Request {
    /// A good-till-cancelled market order without exits.
    pub fn market(instrument: usize, side: Side, size: Size) -> Self {
        Request {
            instrument,
            side,
            kind: Kind::Market,
            size,
            limit: None,
            stop: None,
            trail: None,
            time_in_force: TimeInForce::GoodTillCancelled,
            bracket: Bracket::default(),
        }
    }
}

impl Engine {
    /// What a request comes to: side, lots, and why it is refused, if it is; nothing where a target is reached already.
    /// A target recalls earlier ones.
    pub(crate) fn judge(&mut self, request: &Request) -> Result<Option<(Side, Quantity, Option<Reason>)>> {
        if request.size.is_target() {
            self.cancel_targets(request.instrument);
        }
        let refusal = self.refusal(request);
        let (side, quantity) = match refusal {
            Some(_) => (request.side, 0),
            None => match self.resolve_size(request)? {
                Some(resolved) => resolved,
                None => return Ok(None),
            },
        };
        let refusal = refusal.or((quantity <= 0).then_some(Reason::Size));
        let recorded = match request.size {
            Size::Quantity(lots) if refusal.is_some() => lots.max(0),
            _ => quantity.max(0),
        };
        Ok(Some((side, recorded, refusal)))
    }

    /// What no bar can decide is an error.
    pub(crate) fn check_bar_request(&self, request: &Request) -> Result<()> {
        if request.kind == Kind::MarketIfTouched
            || matches!(request.time_in_force, TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill)
        {
            return Err(Error::Misuse("only a replay of books knows such an order; bars do not".into()));
        }
        self.check_request(request)
    }

    pub(crate) fn check_request(&self, request: &Request) -> Result<()> {
        let wrong = |what: &str| Err(Error::Misuse(what.to_owned()));
        if request.instrument >= self.markets.len() {
            return wrong("the order names an unknown instrument");
        }
        let has = (request.limit.is_some(), request.stop.is_some(), request.trail.is_some());
        let needs = match request.kind {
            Kind::Market => (false, false, false),
            Kind::Limit => (true, false, false),
            Kind::Stop | Kind::MarketIfTouched => (false, true, false),
            Kind::StopLimit => (true, true, false),
            Kind::TrailingStop => (false, false, true),
        };
        if has != needs {
            return wrong("the order's prices do not fit its kind");
        }
        if request.size.is_target() && request.kind != Kind::Market {
            return wrong("a target is a market order");
        }
        if request.bracket.stop_loss.is_some() && request.bracket.stop_loss_trail.is_some() {
            return wrong("a bracket has one stop loss, at a price or trailing");
        }
        Ok(())
    }

    /// Why the order is rejected before its size is known, if it is.
    pub(crate) fn refusal(&self, request: &Request) -> Option<Reason> {
        if self.halted {
            return Some(Reason::Halted);
        }
        if !Self::has_prices_in_range(request) {
            return Some(Reason::Price);
        }
        let needs_mark = match request.size {
            Size::Quantity(_) | Size::TargetQuantity(_) => request.kind == Kind::TrailingStop,
            Size::Cash(_) | Size::Fraction(_) | Size::TargetFraction(_) => true,
        };
        (needs_mark && self.markets[request.instrument].mark == 0).then_some(Reason::NoPrice)
    }

    /// Whether every price and every trail is positive.
    pub(crate) fn has_prices_in_range(request: &Request) -> bool {
        let bracket = &request.bracket;
        let prices = [request.limit, request.stop, bracket.stop_loss, bracket.take_profit];
        let trails = [request.trail, bracket.stop_loss_trail];
        let is_positive = |trail: Trail| match trail {
            Trail::Ticks(ticks) => ticks > 0,
            Trail::Share(share) => share > 0,
        };
        prices.into_iter().flatten().all(|price| price > 0) && trails.into_iter().flatten().all(is_positive)
    }

    /// Side and lots of an order, or nothing where a target is already reached.
    fn resolve_size(&self, request: &Request) -> Result<Option<(Side, Quantity)>> {
        let k = request.instrument;
        let price = request.limit.or(request.stop).unwrap_or(self.markets[k].mark);
        let lots_for = |money: Money, equity: Money| -> Result<Quantity> {
            let contract = &self.markets[k].instrument.contract;
            let lot = self.converted_up(contract.notional(1, price)?, contract.currency, None)?;
            let lots = if money > 0 && equity > 0 { money / lot } else { 0 };
            Quantity::try_from(lots).map_err(|_| Error::Overflow("the size of an order"))
        };
        let lots_of_fraction = |fraction: Ppb| -> Result<Quantity> {
            let equity = self.equity()?;
            let money = if equity > 0 && fraction > 0 { share_down(equity, fraction)? } else { 0 };
            lots_for(money, equity)
        };
        let target = match request.size {
            Size::Quantity(lots) => return Ok(Some((request.side, lots))),
            Size::Cash(money) => return Ok(Some((request.side, lots_for(money, self.equity()?)?))),
            Size::Fraction(fraction) => return Ok(Some((request.side, lots_of_fraction(fraction)?))),
            Size::TargetQuantity(lots) => lots,
            Size::TargetFraction(fraction) => {
                let magnitude = fraction.checked_abs().ok_or(Error::Overflow("a target fraction"))?;
                fraction.signum() * lots_of_fraction(magnitude)?
            }
        };
        let delta = target.checked_sub(self.position(k)).ok_or(Error::Overflow("the size of an order"))?;
        Ok(match delta.signum() {
            0 => None,
            1 => Some((Side::Buy, delta)),
            _ => Some((Side::Sell, delta.checked_neg().ok_or(Error::Overflow("the size of an order"))?)),
        })
    }
}
