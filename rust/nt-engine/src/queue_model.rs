//! Where an order stands in a queue of which only the sum is displayed (docs/book-rules.md, sections 5.2 and 9).
//!
//! The models are those of Rigtorp, "Estimating order queue position" (2013), with the functions that hftbacktest gives
//! them. A position is an estimate and therefore a float; `+ - * /` alone make it, so it is the same on every machine.

use nt_core::elementary::logarithm;
use nt_core::{Error, Quantity, Result};
use serde::{Deserialize, Serialize};

/// What stands before an order when nobody can know it.
pub(crate) const UNKNOWN: f64 = (1_u64 << 53) as f64;

/// Who cancels when a displayed quantity shrinks without a trade: those before us, or those behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum QueueModel {
    /// Nobody stands before us, ever: what a backtest without queues assumes.
    Front,
    /// Those behind, as long as there are any: only trades bring us forward.
    #[default]
    RiskAverse,
    /// `b^n / (b^n + f^n)` of them are behind, f being what is before us and b what is behind.
    Power(u8),
    /// `b^n / (b + f)^n`.
    Power2(u8),
    /// `1 - (f / (f + b))^n`.
    Power3(u8),
    /// `ln(1+b) / (ln(1+b) + ln(1+f))`.
    Log,
    /// `ln(1+b) / ln(1+b+f)`.
    Log2,
}

impl QueueModel {
    /// A model by its name; `power` counts for those that have one.
    pub fn named(name: &str, power: u8) -> Result<Self> {
        if power == 0 {
            return Err(Error::Misuse("the power of a queue model is a positive integer".into()));
        }
        Ok(match name {
            "front" => Self::Front,
            "risk_averse" => Self::RiskAverse,
            "power" => Self::Power(power),
            "power_2" => Self::Power2(power),
            "power_3" => Self::Power3(power),
            "log" => Self::Log,
            "log_2" => Self::Log2,
            _ => {
                let known = "front, risk_averse, power, power_2, power_3, log and log_2";
                return Err(Error::Misuse(format!("there is no queue model {name:?}; there are {known}")));
            }
        })
    }

    /// The share of cancellations that happen behind an order.
    fn behind(self, front: f64, back: f64) -> f64 {
        let (f, b) = (front.max(0.0), back.max(0.0));
        let (share, whole) = match self {
            Self::Front | Self::RiskAverse => return 1.0,
            Self::Power(n) => {
                let share = power(b, n);
                (share, share + power(f, n))
            }
            Self::Power2(n) => (power(b, n), power(b + f, n)),
            Self::Power3(n) => {
                let whole = f + b;
                return if whole == 0.0 { 1.0 } else { 1.0 - power(f / whole, n) };
            }
            Self::Log => {
                let share = logarithm(1.0 + b);
                (share, share + logarithm(1.0 + f))
            }
            Self::Log2 => (logarithm(1.0 + b), logarithm(1.0 + b + f)),
        };
        if whole == 0.0 { 1.0 } else { share / whole }
    }

    /// What stands before an order that comes to rest behind a displayed quantity, if that is known.
    pub(crate) fn at_arrival(self, displayed: Option<Quantity>) -> f64 {
        match displayed {
            _ if self == Self::Front => 0.0,
            Some(displayed) => displayed as f64,
            None => UNKNOWN,
        }
    }

    /// What stands before an order after the displayed quantity went from `previous` to `new`, of which trades explain
    /// `traded`.
    pub(crate) fn after_change(self, front: f64, previous: Quantity, new: Quantity, traded: Quantity) -> f64 {
        let most = new as f64;
        if self == Self::Front {
            return 0.0;
        }
        if front == UNKNOWN {
            return most;
        }
        let left = previous as f64 - most - traded as f64;
        if self == Self::RiskAverse || left < 0.0 {
            return front.min(most);
        }
        let back = previous as f64 - front;
        let behind = self.behind(front, back);
        (front - (1.0 - behind) * left + (back - behind * left).min(0.0)).min(most)
    }
}

pub(crate) fn power(base: f64, exponent: u8) -> f64 {
    let mut product = base;
    for _ in 1..exponent {
        product *= base;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [QueueModel; 8] = [
        QueueModel::RiskAverse,
        QueueModel::Power(1),
        QueueModel::Power(3),
        QueueModel::Power2(2),
        QueueModel::Power3(1),
        QueueModel::Power3(4),
        QueueModel::Log,
        QueueModel::Log2,
    ];

    proptest! {
        #[test]
        fn nobody_falls_back_and_nobody_stands_behind_more_than_is_displayed(
            front in 0_i64..1_000, previous in 0_i64..1_000, new in 0_i64..1_000, traded in 0_i64..1_000,
        ) {
            let front = front.min(previous) as f64;
            for model in ALL {
                let after = model.after_change(front, previous, new, traded);
                prop_assert!(after <= front && after <= new as f64, "{model:?} {after}");
            }
        }

        #[test]
        fn shares_behind_are_shares(front in 0.0..1e9_f64, back in 0.0..1e9_f64) {
            for model in ALL {
                let share = model.behind(front, back);
                prop_assert!((0.0..=1.0).contains(&share), "{model:?} {share}");
            }
        }
    }

    /// Up to 2^53 lots, the most that a record can say, and any number that a place can have come to.
    #[test]
    fn at_the_edges_of_its_numbers_a_place_is_a_number_within_what_is_displayed() {
        const MOST: i64 = 1 << 53;
        let lots = [0, 1, 2, 1_000, MOST - 1, MOST];
        for model in ALL.into_iter().chain([QueueModel::Front, QueueModel::Power(255), QueueModel::Power3(255)]) {
            for previous in lots {
                for new in lots {
                    for traded in [0, 1, MOST, i64::MAX] {
                        for front in lots.map(|lots| lots as f64).into_iter().chain([0.5, 1e-300]) {
                            let after = model.after_change(front, previous, new, traded).max(0.0);
                            assert!((0.0..=new as f64).contains(&after), "{model:?} {front} {previous} {new} {traded}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn whoever_stands_first_sees_all_cancellations_behind() {
        for model in ALL {
            assert_eq!(model.behind(0.0, 10.0), 1.0, "{model:?}");
        }
    }
}
