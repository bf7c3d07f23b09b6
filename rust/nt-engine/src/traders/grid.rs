//! A ladder of orders around a slow average, the twin of `neural_trader.strategy.library.grid`.

use nt_core::{Nanos, Quantity, Result, Side};
use serde::{Deserialize, Serialize};

use super::{Told, Trader, best_prices, limit_in_lots, lots_of, move_to, send};
use crate::replay::{Replay, Turn};
use crate::source::Source;

/// How the ladder stands.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Ladder {
    /// The time from one look at the market to the next.
    pub every_ns: Nanos,
    /// Worth of one quote, in the account currency.
    pub stake: f64,
    /// Units of one quote in place of that, or 0.
    pub size: f64,
    /// Basis points from one rung to the next.
    pub step: f64,
    /// Rungs on each side.
    pub rungs: i64,
    /// Weight of a new middle price in the average.
    pub weight: f64,
    /// How many quotes may be held.
    pub limit: i64,
}

/// An order, from when it is sent until the venue has said that it is over.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Rung {
    order: u32,
    side: Side,
    /// Steps from the centre.
    step: i64,
    centre: f64,
    lots: Quantity,
    leaves: Quantity,
    is_cancelled: bool,
}

/// What is known of one instrument.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Market {
    tick: f64,
    lot: f64,
    unit: Quantity,
    average: f64,
    centre: f64,
    /// Whole quotes held.
    held: i64,
    rungs: Vec<Rung>,
}

/// Bids and offers at even steps around a slow average, and sells each purchase one step above.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grid {
    terms: Ladder,
    markets: Vec<Market>,
}

impl Grid {
    /// The strategy over the instruments of a replay; its first timer is set by whoever starts it.
    pub fn new(replay: &Replay, terms: Ladder) -> Self {
        let market = |instrument: &nt_core::Instrument| Market {
            tick: instrument.tick.value_of(1.0),
            lot: instrument.lot.value_of(1.0),
            unit: 0,
            average: 0.0,
            centre: 0.0,
            held: 0,
            rungs: Vec::new(),
        };
        Grid { terms, markets: replay.engine().instruments().map(market).collect() }
    }
}

impl Market {
    fn look(&mut self, terms: &Ladder, middle: f64, position: Quantity) {
        if self.centre == 0.0 {
            self.unit = lots_of(if terms.size > 0.0 { terms.size } else { terms.stake / middle }, self.lot);
            self.average = middle;
            self.centre = middle;
        }
        self.average += terms.weight * (middle - self.average);
        if (self.average - self.centre).abs() >= self.centre * terms.step / 10_000.0 {
            self.centre = self.average;
        }
        // Towards zero: part of a quote does not count yet.
        self.held += (position - self.held * self.unit) / self.unit;
    }

    /// Cancels what stands on rungs that the inventory has moved away from.
    fn withdraw(&mut self, terms: &Ladder, replay: &mut Replay) -> Result<()> {
        for rung in &mut self.rungs {
            let distance = -rung.side.sign() * (rung.step + self.held);
            if !(1..=terms.rungs).contains(&distance) && !rung.is_cancelled {
                replay.cancel(rung.order)?;
                rung.is_cancelled = true;
            }
        }
        Ok(())
    }

    fn place(
        &mut self,
        terms: &Ladder,
        replay: &mut Replay,
        instrument: usize,
        side: Side,
        step: i64,
        best: f64,
    ) -> Result<()> {
        let price = self.centre * (1.0 + step as f64 * terms.step / 10_000.0);
        if price < self.tick || side.sign() as f64 * (price - best) > 0.0 {
            return Ok(());
        }
        if let Some(rung) = self.rungs.iter_mut().find(|rung| (rung.side, rung.step) == (side, step)) {
            if rung.centre != self.centre && !rung.is_cancelled {
                move_to(replay, instrument, side, rung.order, price, rung.lots)?;
                rung.centre = self.centre;
            }
            return Ok(());
        }
        let working: Quantity = self.rungs.iter().filter(|rung| rung.side == side).map(|rung| rung.leaves).sum();
        let most = limit_in_lots(terms.limit, self.unit)?;
        let lots = self.unit.min(most - side.sign() * replay.position(instrument) - working);
        if lots > 0 {
            let order = send(replay, instrument, side, price, lots)?;
            let centre = self.centre;
            self.rungs.push(Rung { order, side, step, centre, lots, leaves: lots, is_cancelled: false });
        }
        Ok(())
    }
}

impl Trader for Grid {
    fn on_turn(&mut self, replay: &mut Replay, sources: &[Source<'_>], turn: Turn) -> Result<()> {
        match turn {
            Turn::Record { .. } | Turn::Bar { .. } | Turn::Moment(_) => {}
            Turn::Timer(time_ns) => {
                replay.set_timer(time_ns.saturating_add(self.terms.every_ns));
                for (instrument, market) in self.markets.iter_mut().enumerate() {
                    let Some([bid, ask]) = best_prices(replay, sources, instrument)? else { continue };
                    market.look(&self.terms, f64::midpoint(bid, ask), replay.position(instrument));
                    market.withdraw(&self.terms, replay)?;
                    for (side, best) in [(Side::Buy, bid), (Side::Sell, ask)] {
                        for i in 1..=self.terms.rungs {
                            let step = -market.held - side.sign() * i;
                            market.place(&self.terms, replay, instrument, side, step, best)?;
                        }
                    }
                }
            }
            Turn::Answer(notice) => match Told::of(replay, notice) {
                Some(Told::Filled { instrument, order, lots }) => {
                    let rungs = &mut self.markets[instrument].rungs;
                    for rung in rungs.iter_mut().filter(|rung| rung.order == order) {
                        rung.leaves -= lots;
                    }
                    rungs.retain(|rung| rung.leaves > 0);
                }
                Some(Told::Ended { instrument, order }) => {
                    self.markets[instrument].rungs.retain(|rung| rung.order != order);
                }
                None => {}
            },
        }
        Ok(())
    }
}
