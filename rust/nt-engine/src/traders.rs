//! Strategies of replays written in Rust, and the loop that runs them.
//!
//! Each is the twin of one of `neural_trader.strategy.library`, and both decide on the same floats: made with + - * / in the
//! same order, of prices and quantities in decimal units. What needs more than that, such as a logarithm, is a parameter.

mod avellaneda_stoikov;
mod grid;

pub use avellaneda_stoikov::{AvellanedaStoikov, Quoting};
pub use grid::{Grid, Ladder};

use nt_core::{Error, Price, Quantity, Result, Side, Step};

use crate::engine::Notice;
use crate::replay::{Replay, Turn};
use crate::source::Source;
use crate::venue::Resting;

/// A strategy that decides on recorded books and trades.
pub trait Trader {
    /// Its turn has come: an answer, a record that it asked for, or a timer.
    fn on_turn(&mut self, replay: &mut Replay, sources: &[Source<'_>], turn: Turn) -> Result<()>;
}

/// Runs a strategy for so many turns, and says whether the replay goes on.
pub fn run_for<T: Trader>(replay: &mut Replay, sources: &[Source<'_>], trader: &mut T, turns: usize) -> Result<bool> {
    for _ in 0..turns {
        let Some(turn) = replay.advance(sources)? else { return Ok(false) };
        trader.on_turn(replay, sources, turn)?;
    }
    Ok(true)
}

/// What an answer means for whoever keeps a list of orders.
enum Told {
    /// So many lots of an order have filled.
    Filled { instrument: usize, order: u32, lots: Quantity },
    /// An order is over without having filled wholly.
    Ended { instrument: usize, order: u32 },
}

impl Told {
    fn of(replay: &Replay, notice: Notice) -> Option<Told> {
        match notice {
            Notice::Fill(at) => {
                let fill = replay.known_fill(at).ok()?;
                let order = replay.number_of(fill.order).unwrap_or(0);
                Some(Told::Filled { instrument: fill.instrument as usize, order, lots: fill.quantity })
            }
            Notice::OrderEnded(order) => {
                let instrument = replay.known_order(order).ok()?.instrument as usize;
                Some(Told::Ended { instrument, order })
            }
            Notice::Accepted(_) | Notice::Amended(_) | Notice::Refused(_) | Notice::Triggered(_) => None,
        }
    }
}

/// Both best prices in decimal units, where the bid is below the ask.
fn best_prices(replay: &mut Replay, sources: &[Source<'_>], instrument: usize) -> Result<Option<[f64; 2]>> {
    let bid = replay.best(sources, instrument, Side::Buy)?;
    let ask = replay.best(sources, instrument, Side::Sell)?;
    let tick = replay.engine().instrument(instrument).tick;
    Ok(bid.zip(ask).map(|(bid, ask)| [bid, ask].map(|level| tick.value_of(level.price as f64))).filter(|[b, a]| b < a))
}

/// A quantity in whole lots, at least one.
fn lots_of(quantity: f64, lot: f64) -> Quantity {
    ((quantity / lot) as Quantity).max(1)
}

/// `limit` times as many lots as a quote has.
fn limit_in_lots(limit: i64, unit: Quantity) -> Result<Quantity> {
    limit.checked_mul(unit).ok_or(Error::Overflow("the limit of an inventory"))
}

/// Sends a post-only order.
fn send(replay: &mut Replay, instrument: usize, side: Side, price: f64, lots: Quantity) -> Result<u32> {
    let limit = ticks_of(replay.engine().instrument(instrument).tick, price, side);
    let terms = Resting { post_only: true, display: None };
    replay.submit(&Replay::limit(instrument, side, limit, lots), terms, false)
}

/// Gives an order another limit.
fn move_to(replay: &mut Replay, instrument: usize, side: Side, order: u32, price: f64, lots: Quantity) -> Result<()> {
    let limit = ticks_of(replay.engine().instrument(instrument).tick, price, side);
    replay.amend(order, limit, lots)
}

/// Ticks of a price, or the next ones that are not worse for a side where it is off the grid beyond noise: what
/// `neural_trader.strategy.terms` does.
fn ticks_of(tick: Step, price: f64, side: Side) -> Price {
    let raw = price * 10_f64.powi(i32::from(tick.decimals)) / tick.mantissa as f64;
    let nearest = raw.round_ties_even();
    let ticks = if (raw - nearest).abs() <= 1e-9 * raw.abs().max(1.0) {
        nearest
    } else if side == Side::Sell {
        raw.ceil()
    } else {
        raw.floor()
    };
    ticks as Price
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_off_the_grid_go_to_where_they_are_not_worse() {
        let tick = Step { mantissa: 5, decimals: 2 };
        let cases = [(10.0, 200, 200), (10.01, 200, 201), (10.049_999_999_999, 201, 201), (0.01, 0, 1)];
        for (price, bought, sold) in cases {
            assert_eq!(ticks_of(tick, price, Side::Buy), bought, "{price}");
            assert_eq!(ticks_of(tick, price, Side::Sell), sold, "{price}");
        }
    }
}
