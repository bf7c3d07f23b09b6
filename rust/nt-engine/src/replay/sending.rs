//! What is on its way between us and the venues (docs/book-rules.md, sections 2 and 4).

use nt_core::{Bracket, Error, Kind, Nanos, Price, Quantity, Reason, Result, Side, State, TimeInForce};

use super::known::{Answer, Standing};
use super::{Command, Placed, Replay};
use crate::engine::{Engine, Notice};
use crate::journal::{Frame, Kind as FrameKind};
use crate::latency::Entry;
use crate::like_hftbacktest;
use crate::request::{Request, Size};
use crate::venue::Resting;

impl Replay {
    /// Sends an order; returns its number here, or 0 where a target is reached as far as we know.
    ///
    /// An order that makes no sense in the market is recorded as rejected; a request that makes no sense at all is an error.
    pub fn submit(&mut self, request: &Request, terms: Resting, reduce_only: bool) -> Result<u32> {
        self.engine.check_request(request)?;
        if self.is_of_bars(request.instrument) {
            return self.submit_to_bars(request, terms, reduce_only);
        }
        if self.settings.like_hftbacktest {
            like_hftbacktest::check_order(request, terms, reduce_only)?;
        }
        let is_plain = terms == Resting::default();
        if request.kind != Kind::Limit && !is_plain {
            return Err(Error::Misuse("only limit orders can be post-only or display a part".into()));
        }
        let at_once = matches!(request.time_in_force, TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill);
        if at_once && (!matches!(request.kind, Kind::Market | Kind::Limit) || !is_plain) {
            return Err(Error::Misuse(
                "immediate-or-cancel and fill-or-kill are for market and limit orders that need not rest".into(),
            ));
        }
        let k = request.instrument;
        let is_priced = Engine::has_prices_in_range(request);
        let (side, quantity) = match request.size {
            Size::Quantity(lots) => (request.side, lots),
            // What a target would have come to is nobody's concern where it is refused.
            Size::TargetQuantity(_) if !is_priced => (request.side, 0),
            Size::TargetQuantity(target) => {
                let missing =
                    target.checked_sub(self.known_positions[k]).ok_or(Error::Overflow("the size of an order"))?;
                let side = if missing > 0 { Side::Buy } else { Side::Sell };
                match missing.checked_abs() {
                    Some(0) => {
                        self.note_decision(|now_ns| Frame::submit(now_ns, 0, request, terms, reduce_only));
                        return Ok(0);
                    }
                    Some(lots) => (side, lots),
                    None => return Err(Error::Overflow("the size of an order")),
                }
            }
            Size::Cash(_) | Size::Fraction(_) | Size::TargetFraction(_) => {
                return Err(Error::Misuse(
                    "a replay takes sizes as quantities, such as buy(2) or target(quantity=2)".into(),
                ));
            }
        };
        let refusal = if is_priced {
            (quantity <= 0 || terms.display.is_some_and(|shown| shown <= 0)).then_some(Reason::Size)
        } else {
            Some(Reason::Price)
        };
        let id = self.engine.next_id()?;
        let mut order = self.engine.order_of(id, request, side, quantity.max(0));
        order.submit_ns = self.now_ns;
        order.reduce_only = reduce_only;
        order.target = match request.size {
            Size::TargetQuantity(target) => Some(target),
            _ => None,
        };
        order.state = State::Sent;
        self.engine.orders.push(order);
        self.placed.push(Placed::with(terms));
        let number = self.known.order(id, Standing::of(&self.engine, id));
        self.note_decision(|now_ns| Frame::submit(now_ns, number, request, terms, reduce_only));
        match refusal {
            Some(reason) => self.reject(id, reason, self.now_ns),
            None => self.send(k, Command::New(id)),
        }
        Ok(number)
    }

    /// Ends an order that no venue has seen, which is told at a time.
    fn reject(&mut self, id: u32, reason: Reason, told_ns: Nanos) {
        let order = self.engine.order_mut(id);
        order.cancelled = order.quantity;
        order.state = State::Rejected;
        order.reason = reason;
        let instrument = order.instrument as usize;
        self.placed[id as usize - 1].end_ns = Some(told_ns);
        self.answer(instrument, told_ns, Answer::of(&self.engine, Notice::OrderEnded(id)));
    }

    /// Asks the venue to cancel an order.
    pub fn cancel(&mut self, number: u32) -> Result<()> {
        let id = self.known.id(number)?;
        let instrument = self.engine.order(id).instrument as usize;
        self.note_decision(|now_ns| Frame::of(FrameKind::Cancel, [now_ns.into(), number.into()]));
        if !self.cancel_at_once(instrument, id)? {
            self.send(instrument, Command::Cancel(id));
        }
        Ok(())
    }

    /// Asks the venue to give a limit order at rest another price and another total quantity.
    pub fn amend(&mut self, number: u32, limit: Price, quantity: Quantity) -> Result<()> {
        let id = self.known.id(number)?;
        if self.settings.like_hftbacktest {
            like_hftbacktest::check_amend()?;
        }
        if limit <= 0 {
            return Err(Error::Misuse("a limit price is positive".into()));
        }
        let terms = [limit.into(), quantity.into()];
        self.note_decision(|now_ns| Frame::of(FrameKind::Amend, [now_ns.into(), number.into(), terms[0], terms[1]]));
        self.send(self.engine.order(id).instrument as usize, Command::Amend { id, limit, quantity });
        Ok(())
    }

    pub(super) fn send(&mut self, instrument: usize, command: Command) {
        match self.settings.latency.entry(self.now_ns) {
            Entry::After(entry_ns) => {
                let waits = self.settings.by_bars && !self.is_of_bars(instrument);
                let line = self.line_of(instrument);
                let line = &mut self.lines[line];
                line.last_command_ns = line.last_command_ns.max(self.now_ns.saturating_add(entry_ns));
                let queue = if waits { &mut line.unheard } else { &mut line.commands };
                queue.push_back((line.last_command_ns, command));
            }
            Entry::Refused(after_ns) => {
                let back_ns = self.now_ns.saturating_add(after_ns);
                match command {
                    Command::New(id) => self.reject(id, Reason::Refused, back_ns),
                    // Whoever refuses it has not looked at the order.
                    Command::Cancel(order) | Command::Amend { id: order, .. } => {
                        self.answer(
                            instrument,
                            back_ns,
                            Answer { notice: Notice::Refused(order), order, standing: None },
                        );
                    }
                }
            }
        }
    }

    pub(super) fn answer(&mut self, instrument: usize, arrival_ns: Nanos, answer: Answer) {
        let line = self.line_of(instrument);
        let line = &mut self.lines[line];
        line.last_answer_ns = line.last_answer_ns.max(arrival_ns);
        line.answers.push_back((line.last_answer_ns, answer));
    }

    /// A plain request without exits, for strategies written in Rust.
    pub fn limit(instrument: usize, side: Side, limit: Price, quantity: Quantity) -> Request {
        Request {
            kind: Kind::Limit,
            limit: Some(limit),
            bracket: Bracket::default(),
            ..Request::market(instrument, side, Size::Quantity(quantity))
        }
    }
}
