//! The market maker of Avellaneda and Stoikov, the twin of `neural_trader.strategy.library.avellaneda_stoikov`.

use nt_core::{Nanos, Quantity, Result, Side};
use serde::{Deserialize, Serialize};

use super::{Told, Trader, best_prices, limit_in_lots, lots_of, move_to, send};
use crate::replay::{Replay, Turn};
use crate::source::Source;

/// How it quotes; distances are in basis points.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Quoting {
    /// The time from one look at the market to the next.
    pub every_ns: Nanos,
    /// The same in seconds.
    pub seconds: f64,
    /// Worth of one quote, in the account currency.
    pub stake: f64,
    /// Units of one quote in place of that, or 0.
    pub size: f64,
    /// Risk aversion, per basis point and quote held.
    pub gamma: f64,
    /// Seconds for which a position is feared.
    pub horizon: f64,
    /// What is left of the weight of a change at the next one.
    pub decay: f64,
    /// Weight of the changes seen from which on their variance is trusted.
    pub enough: f64,
    /// `(2 / gamma) * ln(1 + gamma / k)`.
    pub flow_spread: f64,
    /// What a maker pays.
    pub fee: f64,
    /// How many quotes may be held.
    pub limit: i64,
    /// By how much a price may be off before the quote is moved.
    pub tolerance: f64,
}

/// The order of one side, from when it is sent until the venue has said that it is over.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Quote {
    order: u32,
    price: f64,
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
    middle: Option<f64>,
    variance: f64,
    weight: f64,
    quotes: [Option<Quote>; 2],
}

/// Quotes both sides, wider the more restless the market is, and leans against the inventory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AvellanedaStoikov {
    terms: Quoting,
    markets: Vec<Market>,
}

impl AvellanedaStoikov {
    /// The strategy over the instruments of a replay; its first timer is set by whoever starts it.
    pub fn new(replay: &Replay, terms: Quoting) -> Self {
        let market = |instrument: &nt_core::Instrument| Market {
            tick: instrument.tick.value_of(1.0),
            lot: instrument.lot.value_of(1.0),
            unit: 0,
            middle: None,
            variance: 0.0,
            weight: 0.0,
            quotes: [None; 2],
        };
        AvellanedaStoikov { terms, markets: replay.engine().instruments().map(market).collect() }
    }

    fn quote(&mut self, replay: &mut Replay, instrument: usize, [bid, ask]: [f64; 2]) -> Result<()> {
        let (terms, market) = (&self.terms, &mut self.markets[instrument]);
        let middle = f64::midpoint(bid, ask);
        if market.unit == 0 {
            market.unit = lots_of(if terms.size > 0.0 { terms.size } else { terms.stake / middle }, market.lot);
        }
        let most = limit_in_lots(terms.limit, market.unit)?;
        let held = replay.position(instrument);
        let risk = terms.gamma * (market.variance / market.weight) * terms.horizon;
        let lean = held as f64 / market.unit as f64 * risk;
        let half = (risk + terms.flow_spread) / 2.0 + terms.fee;
        let tolerance = terms.tolerance / 10_000.0 * middle;
        for (side, quote) in [Side::Buy, Side::Sell].into_iter().zip(&mut market.quotes) {
            let sign = side.sign() as f64;
            let wanted = middle * (1.0 - (lean + sign * half) / 10_000.0);
            let price = if side == Side::Buy { wanted.min(bid) } else { wanted.max(ask) };
            match quote {
                None => {
                    let lots = market.unit.min(most - side.sign() * held);
                    if lots > 0 && price >= market.tick {
                        let order = send(replay, instrument, side, price, lots)?;
                        *quote = Some(Quote { order, price, lots, leaves: lots, is_cancelled: false });
                    }
                }
                Some(quote) if price < market.tick => withdraw(replay, quote)?,
                Some(quote) if !quote.is_cancelled && (price - quote.price).abs() > tolerance => {
                    move_to(replay, instrument, side, quote.order, price, quote.lots)?;
                    quote.price = price;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

impl Market {
    fn learn(&mut self, terms: &Quoting, middle: f64) {
        if let Some(last) = self.middle {
            let change = (middle - last) / last * 10_000.0;
            self.variance = terms.decay * self.variance + (1.0 - terms.decay) * (change * change / terms.seconds);
            self.weight = terms.decay * self.weight + (1.0 - terms.decay);
        }
        self.middle = Some(middle);
    }
}

fn withdraw(replay: &mut Replay, quote: &mut Quote) -> Result<()> {
    if !quote.is_cancelled {
        replay.cancel(quote.order)?;
        quote.is_cancelled = true;
    }
    Ok(())
}

impl Trader for AvellanedaStoikov {
    fn on_turn(&mut self, replay: &mut Replay, sources: &[Source<'_>], turn: Turn) -> Result<()> {
        match turn {
            Turn::Record { .. } | Turn::Bar { .. } | Turn::Moment(_) => {}
            Turn::Timer(time_ns) => {
                replay.set_timer(time_ns.saturating_add(self.terms.every_ns));
                for instrument in 0..self.markets.len() {
                    let best = best_prices(replay, sources, instrument)?;
                    let market = &mut self.markets[instrument];
                    if let Some([bid, ask]) = best {
                        market.learn(&self.terms, f64::midpoint(bid, ask));
                        if market.weight >= self.terms.enough {
                            self.quote(replay, instrument, [bid, ask])?;
                        }
                    } else {
                        market.middle = None;
                        for quote in market.quotes.iter_mut().flatten() {
                            withdraw(replay, quote)?;
                        }
                    }
                }
            }
            Turn::Answer(notice) => match Told::of(replay, notice) {
                Some(Told::Filled { instrument, order, lots }) => {
                    for quote in &mut self.markets[instrument].quotes {
                        if let Some(own) = quote
                            && own.order == order
                        {
                            own.leaves -= lots;
                            if own.leaves <= 0 {
                                *quote = None;
                            }
                        }
                    }
                }
                Some(Told::Ended { instrument, order }) => {
                    for quote in &mut self.markets[instrument].quotes {
                        quote.take_if(|own| own.order == order);
                    }
                }
                None => {}
            },
        }
        Ok(())
    }
}
