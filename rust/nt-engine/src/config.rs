//! What a run is charged and allowed: the account, the costs and the fill rule.

use nt_core::{Error, Money, PPB, Ppb, Price, Result};
use serde::{Deserialize, Serialize};

/// Whose rules orders obey (docs/peer-parity.md); the settings that a rule book has no use for keep their defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Rules {
    /// Our own: docs/fill-rules.md.
    #[default]
    House,
    /// Those of backtesting.py 0.6.6.
    BacktestingPy {
        /// Each order cancels those that wait and leaves every trade.
        exclusive_orders: bool,
    },
    /// Those of vectorbt 1.2 from signals.
    Vectorbt,
}

/// The settings of a run; docs/fill-rules.md says what each one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The deposit with which the run begins.
    pub cash: Money,
    /// Exposure allowed per equity.
    pub leverage: Ppb,
    /// Fee rate of orders that rested.
    pub maker_fee: Ppb,
    /// Fee rate of orders that took.
    pub taker_fee: Ppb,
    /// Fee of every fill, beside its rate.
    pub fixed_fee: Money,
    /// Slippage in ticks.
    pub slippage_ticks: Price,
    /// Slippage as a share of the price.
    pub slippage_rate: Ppb,
    /// Slippage as a share of the bar's spread.
    pub slippage_spread: Ppb,
    /// Market orders fill at the deciding bar's close instead of the next open.
    pub fill_at_close: bool,
    /// Limits need the market to trade through them.
    pub limit_through: bool,
    /// Share of a bar's volume that our fills may take.
    pub volume_cap: Option<Ppb>,
    /// Positions are closed at the last marks.
    pub close_at_end: bool,
    /// Whose rules orders obey.
    pub rules: Rules,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            cash: 10_000 * i128::pow(10, 18),
            leverage: PPB,
            maker_fee: 0,
            taker_fee: 0,
            fixed_fee: 0,
            slippage_ticks: 0,
            slippage_rate: 0,
            slippage_spread: 0,
            fill_at_close: false,
            limit_through: false,
            volume_cap: None,
            close_at_end: false,
            rules: Rules::House,
        }
    }
}

impl Config {
    /// The settings, or an error that names the one that makes no sense.
    pub fn checked(self) -> Result<Self> {
        let wrong = |what: &str| Err(Error::Misuse(what.to_owned()));
        if self.cash <= 0 {
            return wrong("cash must be positive");
        }
        if self.leverage <= 0 {
            return wrong("leverage must be positive");
        }
        if [self.slippage_rate, self.slippage_spread, self.slippage_ticks].iter().any(|each| *each < 0)
            || self.fixed_fee < 0
        {
            return wrong("a fixed fee and slippage must not be negative");
        }
        if (self.maker_fee < 0 || self.taker_fee < 0) && self.rules != Rules::House {
            return wrong("the rules of other packages know no rebates");
        }
        if self.volume_cap.is_some_and(|cap| cap <= 0) {
            return wrong("the volume cap must be positive");
        }
        Ok(self)
    }
}
