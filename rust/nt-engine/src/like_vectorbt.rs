//! The rules of vectorbt 1.2 `from_signals` (docs/peer-parity.md), as far as they differ from our own with `fill = close`.
//!
//! A target above zero is an entry signal and one of zero an exit signal. An entry takes all cash and is passed over while a
//! position is held; a bar in which a stop has fired takes no signal any more.

use nt_core::{Error, Kind, Order, PPB, Quantity, Result, Side};

use crate::config::Rules;
use crate::engine::Engine;
use crate::execute::{Meeting, Terms};
use crate::request::{Request, Size};

/// The one column of a run under these rules.
const LONE: usize = 0;

impl Engine {
    /// The order that a signal comes to, or nothing where it is passed over.
    pub(crate) fn of_signal(&mut self, request: &Request) -> Result<Option<Request>> {
        let wrong = |what: &str| Err(Error::Misuse(format!("like vectorbt, {what}")));
        let (Size::TargetFraction(wanted) | Size::TargetQuantity(wanted)) = request.size else {
            return wrong("strategies send signals: target(1) enters with all cash, target(0) exits");
        };
        if wanted < 0 {
            return wrong("positions are long only");
        }
        if request.bracket.stop_loss_trail.is_some() {
            return wrong("stops do not trail");
        }
        self.cancel_targets(LONE);
        let has_traded = self.fills.last().is_some_and(|fill| fill.time_ns == self.now_ns);
        if has_traded || wanted > 0 && self.position(LONE) != 0 {
            return Ok(None);
        }
        if wanted == 0 {
            return Ok(Some(Request { size: Size::TargetQuantity(0), ..*request }));
        }
        let lots = self.all_in()?;
        let size = if lots > 0 { Size::TargetQuantity(lots) } else { Size::TargetFraction(PPB) };
        Ok(Some(Request { size, ..*request }))
    }

    /// Whether slippage applies to an order. Like vectorbt, a stop that fires trades at its level; and an instrument of which
    /// no bar has opened has a book, where slippage is what was taken of it.
    #[inline]
    pub(crate) fn slips(&self, order: &Order) -> bool {
        match self.config.rules {
            Rules::House => self.markets[order.instrument as usize].opened != 0,
            Rules::Vectorbt => order.kind != Kind::Stop,
            Rules::BacktestingPy { .. } => true,
        }
    }

    /// What all cash buys at the mark, with costs.
    fn all_in(&self) -> Result<Quantity> {
        let (reference, contract) = (self.mark(LONE), self.markets[LONE].instrument.contract);
        let equity = self.equity()?;
        if reference == 0 || equity <= 0 {
            return Ok(0);
        }
        let meeting = Meeting { reference, taker: true, spread: 0, time_ns: self.now_ns, children_live_bar: 0 };
        let terms = Terms {
            side: Side::Buy,
            price: Side::Buy.worsen(reference, self.slippage_ticks(&meeting)?)?,
            reference,
            contract,
            fee_rate: self.config.taker_fee,
            fixed_fee: self.config.fixed_fee,
        };
        let wanted = equity / contract.value(1, reference)?;
        self.affordable(LONE, &terms, Quantity::try_from(wanted).map_err(|_| Error::Overflow("the size of an order"))?)
    }
}
