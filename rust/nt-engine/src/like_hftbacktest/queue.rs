//! Places in queues from raw numbers: models have answers where nobody can stand, and what is not a number is the level.

use nt_core::Quantity;
use nt_core::elementary::logarithm;

use crate::queue_model::{QueueModel, power};

/// What stands before an order after a level was set.
pub(super) fn after_change(model: QueueModel, front: f64, before: Quantity, now: Quantity, traded: Quantity) -> f64 {
    let (before, now) = (before as f64, now as f64);
    let left = before - now - traded as f64;
    if model == QueueModel::RiskAverse || left < 0.0 {
        return front.min(now);
    }
    let back = before - front;
    let behind = match share_behind(model, front, back) {
        share if share.is_infinite() => 1.0,
        share => share,
    };
    // The smaller of two numbers is the other one where one of them is none.
    (front - (1.0 - behind) * left + (back - behind * left).min(0.0)).min(now)
}

fn share_behind(model: QueueModel, front: f64, back: f64) -> f64 {
    match model {
        QueueModel::Front | QueueModel::RiskAverse => 1.0,
        QueueModel::Power(n) => power(back, n) / (power(back, n) + power(front, n)),
        QueueModel::Power2(n) => power(back, n) / power(back + front, n),
        QueueModel::Power3(n) => 1.0 - power(front / (front + back), n),
        QueueModel::Log => any_ln(1.0 + back) / (any_ln(1.0 + back) + any_ln(1.0 + front)),
        QueueModel::Log2 => any_ln(1.0 + back) / any_ln(1.0 + (back + front)),
    }
}

/// The natural logarithm of any number.
fn any_ln(x: f64) -> f64 {
    if x < 0.0 || x.is_nan() {
        return f64::NAN;
    }
    if x == 0.0 || x.is_infinite() {
        return if x == 0.0 { f64::NEG_INFINITY } else { x };
    }
    logarithm(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_logarithm_is_that_of_the_library(x in 1e-9..1e9_f64) {
            prop_assert!((any_ln(x) - x.ln()).abs() <= 1e-15 * x.ln().abs().max(1.0));
        }

        #[test]
        fn a_place_is_always_a_number(
            front in -1e6..1e6_f64, before in 0_i64..1_000, now in 0_i64..1_000, traded in 0_i64..1_000, n in 1_u8..5,
        ) {
            use QueueModel::{Log, Log2, Power, Power2, Power3, RiskAverse};
            for model in [RiskAverse, Power(n), Power2(n), Power3(n), Log, Log2] {
                let after = after_change(model, front, before, now, traded);
                prop_assert!(after.is_finite() && after <= now as f64, "{model:?} {after}");
            }
        }
    }

    #[test]
    fn logarithms_beyond_the_numbers() {
        assert!(any_ln(-1.0).is_nan() && any_ln(f64::NAN).is_nan());
        assert_eq!((any_ln(0.0), any_ln(f64::INFINITY)), (f64::NEG_INFINITY, f64::INFINITY));
    }

    #[test]
    fn places_are_raw() {
        // Nobody was there and nobody is: 0 / 0 is no number, so the place is the level's quantity.
        assert_eq!(after_change(QueueModel::Power(2), 0.0, 0, 0, 0), 0.0);
        // Power 1: P = 7 / 5, so the front grows back from -2 by 0.4 * 3, less nothing behind.
        let front = after_change(QueueModel::Power(1), -2.0, 5, 2, 0);
        assert!((front - -0.8).abs() < 1e-12, "{front}");
        // An infinite share is 1: front + back = 0, back = 2.
        assert_eq!(after_change(QueueModel::Power(1), -2.0, 0, 0, 0), -2.0);
        // 1 + front is below 0, so its logarithm is no number, and the place is what is displayed.
        assert_eq!(after_change(QueueModel::Log, -3.0, 9, 7, 0), 7.0);
        assert_eq!(
            after_change(QueueModel::Log2, -3.0, 9, 7, 0),
            f64::min(7.0, -3.0 - (1.0 - any_ln(13.0) / any_ln(10.0)) * 2.0)
        );
    }
}
