//! Money as an exact integer, with the few operations that the engine needs.
//!
//! | law | |
//! |---|---|
//! | money + money = money | checked; leaving 128 bits is an error |
//! | price * quantity * unit = money | exact: `unit` is the money in one tick times one lot |
//! | money * rate = money | a rate is in parts per billion; the caller chooses the direction of rounding |

use crate::{Error, Result};

/// An amount in units of `10^-18` of the account currency.
pub type Money = i128;

/// A rate or fraction in parts per billion.
pub type Ppb = i64;

/// One, in parts per billion.
pub const PPB: Ppb = 1_000_000_000;

const OUT_OF_RANGE: Error = Error::Overflow("an amount of money");

/// `a + b`, or an error where it leaves 128 bits.
#[inline]
pub fn add(a: Money, b: Money) -> Result<Money> {
    a.checked_add(b).ok_or(OUT_OF_RANGE)
}

/// `a - b`, or an error where it leaves 128 bits.
#[inline]
pub fn subtract(a: Money, b: Money) -> Result<Money> {
    a.checked_sub(b).ok_or(OUT_OF_RANGE)
}

/// The exact value of `quantity` lots at `price` ticks, with the sign of the quantity.
#[inline]
pub fn notional(price: i64, quantity: i64, unit: i128) -> Result<Money> {
    let product = i128::from(price) * i128::from(quantity);
    // Nearly always both factors fit 64 bits, and a product of two such numbers cannot leave 128.
    if let (Ok(product), Ok(unit)) = (i64::try_from(product), i64::try_from(unit)) {
        return Ok(i128::from(product) * i128::from(unit));
    }
    product.checked_mul(unit).ok_or(OUT_OF_RANGE)
}

/// `amount * rate / 10^9`, rounded down, for an amount that is not negative.
#[inline]
pub fn share_down(amount: Money, rate: Ppb) -> Result<Money> {
    share(amount, rate, 0)
}

/// `amount * rate / 10^9`, rounded up, for an amount that is not negative.
#[inline]
pub fn share_up(amount: Money, rate: Ppb) -> Result<Money> {
    share(amount, rate, i128::from(PPB) - 1)
}

fn share(amount: Money, rate: Ppb, bias: i128) -> Result<Money> {
    let billion = i128::from(PPB);
    let rate = i128::from(rate);
    if let Some(product) = amount.checked_mul(rate).and_then(|product| product.checked_add(bias)) {
        return Ok(if product < billion { 0 } else { product / billion });
    }
    // Splitting an amount too large for that keeps every intermediate product far inside 128 bits, and the result exact.
    let whole = (amount / billion).checked_mul(rate).ok_or(OUT_OF_RANGE)?;
    add(whole, ((amount % billion) * rate + bias) / billion)
}

/// `a / b` rounded up, for `a >= 0` and `b > 0`.
#[inline]
pub fn div_up(a: i128, b: i128) -> i128 {
    a / b + i128::from(a % b != 0)
}

/// The money that exposure ties up at a leverage: `exposure / leverage`, rounded up.
pub fn margin_of(exposure: Money, leverage_ppb: Ppb) -> Result<Money> {
    if leverage_ppb == PPB {
        return Ok(exposure);
    }
    let leverage = i128::from(leverage_ppb);
    let whole = (exposure / leverage).checked_mul(i128::from(PPB)).ok_or(OUT_OF_RANGE)?;
    add(whole, div_up((exposure % leverage) * i128::from(PPB), leverage))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shares_enclose_the_exact_product(amount in 0..i128::pow(10, 28), rate in 0..10 * PPB) {
            let exact = amount * i128::from(rate);
            let billion = i128::from(PPB);
            prop_assert_eq!(share_down(amount, rate), Ok(exact / billion));
            prop_assert_eq!(share_up(amount, rate), Ok(div_up(exact, billion)));
        }

        #[test]
        fn margin_is_the_exact_quotient_rounded_up(exposure in 0..i128::pow(10, 28), leverage in 1..1_000 * PPB) {
            prop_assert_eq!(margin_of(exposure, leverage), Ok(div_up(exposure * i128::from(PPB), i128::from(leverage))));
        }

        #[test]
        fn both_ways_to_a_notional_agree(price: i64, quantity: i64, unit in 1..i128::pow(10, 18)) {
            let product = i128::from(price) * i128::from(quantity);
            prop_assert_eq!(notional(price, quantity, unit).ok(), product.checked_mul(unit));
        }
    }

    #[test]
    fn money_that_leaves_its_range_is_an_error() {
        assert!(add(Money::MAX, 1).is_err());
        assert!(subtract(Money::MIN, 1).is_err());
        assert!(notional(i64::MAX, i64::MAX, i128::from(i64::MAX)).is_err());
    }
}
