//! What is sent, and when: orders with all that they can ask for, cancellations and changes.

use nt_core::{Bracket, Kind, PPB, Price, Quantity, Side, TimeInForce, Trail};
use nt_engine::{Replay, Request, Resting, Size};

use super::draw::Draw;
use super::market::{BASE, START_NS};
use super::session::{Orders, Shape};

/// A command that is sent at a time.
#[derive(Debug, Clone)]
pub struct Action {
    pub time_ns: i64,
    pub call: Call,
}

#[derive(Debug, Clone)]
pub enum Call {
    Submit {
        request: Request,
        terms: Resting,
        reduce_only: bool,
    },
    /// Of the order of an earlier action, by its position in the plan.
    Cancel(usize),
    Amend {
        action: usize,
        limit: Price,
        quantity: Quantity,
    },
}

impl Call {
    /// A plain limit order of the first instrument.
    pub fn limit(side: Side, limit: Price, quantity: Quantity) -> Self {
        let request = Replay::limit(0, side, limit, quantity);
        Call::Submit { request, terms: Resting::default(), reduce_only: false }
    }
}

/// What the numbers of a plan say, in order of time; times lie within a span.
pub fn plan_of(numbers: &[u64], shape: Shape, instruments: usize, span_ns: i64) -> Vec<Action> {
    let mut draws: Vec<(i64, Draw)> = numbers
        .iter()
        .map(|&number| {
            let mut draw = Draw(number);
            let tens = START_NS + 10 * draw.between(0, span_ns / 10);
            (if shape.apart { tens + 5 } else { tens }, draw)
        })
        .collect();
    draws.sort_by_key(|&(time_ns, _)| time_ns);
    let call = |(at, (time_ns, mut draw)): (usize, (i64, Draw))| Action {
        time_ns,
        call: match draw.below(8) {
            6 if at > 0 && shape.orders != Orders::Unchanging => Call::Cancel(draw.below(at as u64) as usize),
            7 if at > 0 && shape.orders == Orders::All => Call::Amend {
                action: draw.below(at as u64) as usize,
                limit: BASE + draw.around(4),
                quantity: draw.between(0, 12),
            },
            _ => submit(&mut draw, shape, instruments, span_ns),
        },
    };
    draws.into_iter().enumerate().map(call).collect()
}

fn submit(draw: &mut Draw, shape: Shape, instruments: usize, span_ns: i64) -> Call {
    let instrument = draw.below(instruments as u64) as usize;
    let side = draw.pick(&[Side::Buy, Side::Sell]);
    let quantity = draw.pick(&[1, 2, 5, 12, 3, 7]);
    let price = |draw: &mut Draw| BASE + draw.around(4);
    if shape.orders == Orders::Limits {
        let request = Replay::limit(instrument, side, price(draw), quantity);
        return Call::Submit { request, terms: Resting::default(), reduce_only: false };
    }
    use Kind::{Limit, Market, MarketIfTouched, Stop, StopLimit, TrailingStop};
    let kind = draw.pick(&[Limit, Limit, Limit, Market, Limit, Stop, StopLimit, TrailingStop, MarketIfTouched]);
    let is_target = kind == Market && draw.one_in(3);
    let size = if is_target { Size::TargetQuantity(draw.around(12)) } else { Size::Quantity(quantity) };
    let at_once = matches!(kind, Market | Limit) && draw.one_in(4);
    let time_in_force = if at_once {
        draw.pick(&[TimeInForce::ImmediateOrCancel, TimeInForce::FillOrKill])
    } else {
        match draw.below(6) {
            4 => TimeInForce::Day,
            5 => TimeInForce::GoodTillDate(START_NS + draw.between(0, span_ns)),
            _ => TimeInForce::GoodTillCancelled,
        }
    };
    let rests = kind == Limit && !at_once;
    let post_only = rests && draw.one_in(5);
    let display = (rests && draw.one_in(5)).then(|| draw.between(1, 3));
    let request = Request {
        instrument,
        side,
        kind,
        size,
        limit: matches!(kind, Limit | StopLimit).then(|| price(draw)),
        stop: matches!(kind, Stop | StopLimit | MarketIfTouched).then(|| price(draw)),
        trail: (kind == TrailingStop).then(|| trail(draw)),
        time_in_force,
        bracket: if shape.orders == Orders::Unchanging || !draw.one_in(3) {
            Bracket::default()
        } else {
            bracket(draw, side)
        },
    };
    Call::Submit { request, terms: Resting { post_only, display }, reduce_only: draw.one_in(6) }
}

fn trail(draw: &mut Draw) -> Trail {
    draw.pick(&[Trail::Ticks(1), Trail::Ticks(3), Trail::Share(PPB / 500)])
}

fn bracket(draw: &mut Draw, side: Side) -> Bracket {
    let stops = draw.below(3);
    let loss = BASE - side.sign() * draw.between(0, 4);
    let profit = BASE + side.sign() * draw.between(-1, 4);
    Bracket {
        stop_loss: (stops == 0).then_some(loss),
        stop_loss_trail: (stops == 1).then(|| trail(draw)),
        take_profit: (stops == 2 || draw.one_in(2)).then_some(profit),
    }
}
