//! Bars played again to say what accounts were worth at each close, where a run has kept only what changed them.

use nt_core::{Bars, Error, Instrument, Money, Nanos, Result};

use crate::config::Config;
use crate::engine::Engine;
use crate::player::{Call, Player};
use crate::samples::Samples;

/// A second pass over the bars of runs, which gives the times and amounts of their condensed samples.
#[derive(Debug, Clone)]
pub struct Valuation {
    /// Trades nothing: it knows the marks.
    engine: Engine,
    player: Player,
    /// One per run.
    accounts: Vec<Account>,
    /// Samples so far.
    sampled: usize,
}

/// What a run's account holds at the present sample.
#[derive(Debug, Clone)]
struct Account {
    /// Stretches so far.
    at: usize,
    cash: Money,
    values_per_tick: Vec<Money>,
}

impl Valuation {
    /// A valuation of so many runs over the same instruments, each of which began with a deposit of its own.
    pub fn new(instruments: Vec<Instrument>, deposits: &[Money]) -> Result<Self> {
        let count = instruments.len();
        let mut engine = Engine::new(Config::default(), instruments)?;
        engine.condense_samples();
        let account = |&cash| Account { at: 0, cash, values_per_tick: vec![0; count] };
        let accounts = deposits.iter().map(account).collect();
        Ok(Valuation { engine, player: Player::new(count), accounts, sampled: 0 })
    }

    /// As in `Player`.
    pub fn set_horizon(&mut self, horizon_ns: Nanos) {
        self.player.set_horizon(horizon_ns);
    }

    /// How many bars of an instrument have closed.
    pub fn closed(&self, instrument: usize) -> usize {
        self.player.closed(instrument)
    }

    /// The time of the next sample, with the amount of each run in `amounts`; `None` at the horizon or at the end.
    pub fn advance(&mut self, bars: &[Bars<'_>], runs: &[&Samples], amounts: &mut [Money]) -> Result<Option<Nanos>> {
        while let Some(call) = self.player.advance(&mut self.engine, bars)? {
            let Call::Moment(time_ns) = call else { continue };
            for ((account, samples), amount) in self.accounts.iter_mut().zip(runs).zip(amounts) {
                account.follow(samples, self.sampled);
                *amount = match samples.last().filter(|_| self.sampled + 1 == samples.len()) {
                    Some(last) => last,
                    // What does not follow from closes was kept.
                    None if !samples.is_condensed() => samples.amount(self.sampled).unwrap_or_default(),
                    None => account.equity(&self.engine)?,
                };
            }
            self.sampled += 1;
            return Ok(Some(time_ns));
        }
        Ok(None)
    }
}

impl Account {
    /// Takes in what has changed up to a sample.
    fn follow(&mut self, samples: &Samples, sample: usize) {
        let changes = samples.stretches()[self.at..].iter().take_while(|change| change.first_bar <= sample);
        for change in changes {
            self.cash = change.cash;
            self.values_per_tick[change.instrument as usize] = change.value_per_tick;
            self.at += 1;
        }
    }

    fn equity(&self, engine: &Engine) -> Result<Money> {
        let mut equity = self.cash;
        for (k, value_per_tick) in self.values_per_tick.iter().enumerate() {
            let value = value_per_tick.checked_mul(i128::from(engine.mark(k)));
            equity = value.and_then(|value| value.checked_add(equity)).ok_or(Error::Overflow("an amount of money"))?;
        }
        Ok(equity)
    }
}
