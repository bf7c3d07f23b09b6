//! What lots of an instrument are worth at a price, rounded against the account (docs/fill-rules.md, section 11).
//!
//! | law | |
//! |---|---|
//! | spot and linear: quantity * price * unit | exact |
//! | inverse: -quantity * N / (D * price) | a value is rounded down, a cost up |
//! | a charge is paid rounded up, received rounded down | |

use serde::{Deserialize, Serialize};

use crate::money::{PPB, notional, share_down, share_up};
use crate::{Error, Money, Ppb, Price, Quantity, Result, Step};

/// How an instrument is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Settlement {
    /// Bought and sold for cash.
    #[default]
    Spot,
    /// A contract whose profit is settled in the quote currency.
    Linear,
    /// A contract of a fixed amount of the quote currency, settled in the base currency.
    Inverse,
}

impl Settlement {
    /// Its name in digests.
    pub fn name(self) -> &'static str {
        match self {
            Settlement::Spot => "spot",
            Settlement::Linear => "linear",
            Settlement::Inverse => "inverse",
        }
    }
}

/// What a user says of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractTerms {
    /// How it is settled.
    pub settlement: Settlement,
    /// In which currency: 0 that of the account, n the n-th of the others.
    pub currency: u32,
    /// What one unit of quantity stands for, as mantissa and decimals.
    pub size: Step,
    /// Share of the notional that equity must not fall below.
    pub maintenance: Ppb,
    /// What a liquidation costs beyond the taker fee.
    pub liquidation: Ppb,
}

impl Default for ContractTerms {
    fn default() -> Self {
        let size = Step { mantissa: 1, decimals: 0 };
        ContractTerms { settlement: Settlement::Spot, currency: 0, size, maintenance: 0, liquidation: 0 }
    }
}

/// One instrument's arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// How it is settled.
    pub settlement: Settlement,
    /// In which currency: 0 that of the account, n the n-th of the others.
    pub currency: u32,
    /// Share of the notional that equity must not fall below.
    pub maintenance: Ppb,
    /// What a liquidation costs beyond the taker fee.
    pub liquidation: Ppb,
    /// The money in one tick times one lot; `N` of an inverse contract.
    pub unit: i128,
    /// `D` of an inverse contract.
    denominator: i128,
}

const OUT_OF_RANGE: Error = Error::Overflow("the value of a position");

impl Contract {
    /// The arithmetic of lots of `lot` at prices of `tick`.
    pub fn new(tick: Step, lot: Step, terms: &ContractTerms) -> Result<Self> {
        let size = terms.size;
        if size.mantissa <= 0 || size.decimals > 9 {
            return Err(Error::Misuse("a contract size is positive and has at most 9 decimals".into()));
        }
        if terms.settlement == Settlement::Spot && (size.mantissa, size.decimals) != (1, 0) {
            return Err(Error::Misuse("a spot instrument has no contract size".into()));
        }
        let out_of_range = Error::Overflow("the value of one tick times one lot");
        let [of_tick, of_lot, of_size] = [tick, lot, size].map(|step| i128::from(step.mantissa));
        let power = |decimals: u8| i128::pow(10, u32::from(decimals));
        let (unit, denominator) = if terms.settlement == Settlement::Inverse {
            // Powers of ten are taken off first, so that what fits in the end does not leave 128 bits on the way.
            let (above, below) = (18 + tick.decimals, lot.decimals + size.decimals);
            let ten = above.min(below);
            let numerator = (of_lot * of_size).checked_mul(power(above - ten)).ok_or(out_of_range)?;
            let denominator = of_tick * power(below - ten);
            let common = gcd(numerator, denominator);
            (numerator / common, denominator / common)
        } else {
            let (above, below) = (18, tick.decimals + lot.decimals + size.decimals);
            let ten = above.min(below);
            let parts = power(below - ten);
            let mut rest = parts;
            // The product of the three is divided before it is multiplied out, for the same reason.
            let mut left = [of_tick, of_lot, of_size];
            for factor in &mut left {
                let common = gcd(*factor, rest);
                (*factor, rest) = (*factor / common, rest / common);
            }
            if rest != 1 {
                return Err(Error::Misuse("tick, lot and contract size make less than 10^-18 of the currency".into()));
            }
            let whole = (left[0] * left[1]).checked_mul(left[2]);
            (whole.and_then(|whole| whole.checked_mul(power(above - ten))).ok_or(out_of_range)?, 1)
        };
        Ok(Contract {
            settlement: terms.settlement,
            currency: terms.currency,
            maintenance: terms.maintenance,
            liquidation: terms.liquidation,
            unit,
            denominator,
        })
    }

    /// What a position is worth, rounded down; what was paid for it is booked apart where it is a contract.
    #[inline]
    pub fn value(&self, quantity: Quantity, price: Price) -> Result<Money> {
        if self.settlement != Settlement::Inverse {
            notional(price, quantity, self.unit)
        } else {
            self.inverse(quantity, price)
        }
    }

    /// What lots are bought (or, if negative, sold) for: their value, rounded up.
    #[inline]
    pub fn cost(&self, quantity: Quantity, price: Price) -> Result<Money> {
        if self.settlement != Settlement::Inverse {
            return notional(price, quantity, self.unit);
        }
        self.inverse(quantity.checked_neg().ok_or(OUT_OF_RANGE)?, price)?.checked_neg().ok_or(OUT_OF_RANGE)
    }

    /// The size of lots in the currency, without a sign and rounded up.
    #[inline]
    pub fn notional(&self, quantity: Quantity, price: Price) -> Result<Money> {
        self.value(quantity.checked_abs().ok_or(OUT_OF_RANGE)?, price)?.checked_abs().ok_or(OUT_OF_RANGE)
    }

    /// The same rounded down.
    pub fn notional_down(&self, quantity: Quantity, price: Price) -> Result<Money> {
        self.cost(quantity.checked_abs().ok_or(OUT_OF_RANGE)?, price)?.checked_abs().ok_or(OUT_OF_RANGE)
    }

    /// A rate of the notional, rounded against whoever holds the account: up if it is paid, down if it is received.
    #[inline]
    pub fn charge(&self, quantity: Quantity, price: Price, rate: Ppb) -> Result<Money> {
        if rate >= 0 { share_up(self.notional(quantity, price)?, rate) } else { self.rebate(quantity, price, rate) }
    }

    #[cold]
    fn rebate(&self, quantity: Quantity, price: Price, rate: Ppb) -> Result<Money> {
        let rate = rate.checked_neg().ok_or(OUT_OF_RANGE)?;
        Ok(-share_down(self.notional_down(quantity, price)?, rate)?)
    }

    #[cold]
    fn inverse(&self, quantity: Quantity, price: Price) -> Result<Money> {
        if quantity == 0 || price == 0 {
            return Ok(0);
        }
        let product = (-i128::from(quantity)).checked_mul(self.unit).ok_or(OUT_OF_RANGE)?;
        let divisor = i128::from(price).checked_mul(self.denominator).ok_or(OUT_OF_RANGE)?;
        Ok(product.div_euclid(divisor))
    }
}

/// `a * numerator / denominator` rounded down, for a positive denominator of at most 10^9 and a numerator of 64 bits.
pub fn scaled_down(amount: Money, numerator: i64, denominator: i64) -> Result<Money> {
    let (numerator, denominator) = (i128::from(numerator), i128::from(denominator));
    let whole = amount.div_euclid(denominator).checked_mul(numerator).ok_or(OUT_OF_RANGE)?;
    let rest = (amount.rem_euclid(denominator) * numerator).div_euclid(denominator);
    whole.checked_add(rest).ok_or(OUT_OF_RANGE)
}

/// The same rounded up.
pub fn scaled_up(amount: Money, numerator: i64, denominator: i64) -> Result<Money> {
    let negated = amount.checked_neg().ok_or(OUT_OF_RANGE)?;
    scaled_down(negated, numerator, denominator)?.checked_neg().ok_or(OUT_OF_RANGE)
}

/// What is charged for days of a year of 365, at a yearly rate, rounded up, for an amount that is not negative.
pub fn share_of_year(amount: Money, rate: Ppb) -> Result<Money> {
    let (year, rate) = (365 * i128::from(PPB), i128::from(rate));
    let whole = (amount / year).checked_mul(rate).ok_or(OUT_OF_RANGE)?;
    whole.checked_add(crate::money::div_up(amount % year * rate, year)).ok_or(OUT_OF_RANGE)
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn inverse(tick: Step, lot: Step, size: Step) -> Contract {
        let terms = ContractTerms { settlement: Settlement::Inverse, size, ..ContractTerms::default() };
        Contract::new(tick, lot, &terms).expect("a contract")
    }

    fn steps() -> impl Strategy<Value = Step> {
        (1..1_000_i64, 0..=4_u8).prop_map(|(mantissa, decimals)| Step { mantissa, decimals })
    }

    proptest! {
        #[test]
        fn an_inverse_value_is_the_exact_fraction_rounded_down(
            (tick, lot, size) in (steps(), steps(), steps()),
            quantity in -1_000_000..1_000_000_i64,
            price in 1..1_000_000_i64,
        ) {
            let contract = inverse(tick, lot, size);
            let power = |decimals: u8| i128::pow(10, u32::from(decimals));
            let above = -i128::from(quantity) * i128::from(lot.mantissa) * i128::from(size.mantissa) * power(tick.decimals);
            let below = i128::from(price) * i128::from(tick.mantissa) * power(lot.decimals + size.decimals);
            // Only the last product could leave 128 bits, so the fraction is checked by what it must lie between.
            let value = contract.value(quantity, price).expect("in range");
            let (whole, rest) = (above.div_euclid(below), above.rem_euclid(below));
            let scaled = whole.checked_mul(power(18)).zip(rest.checked_mul(power(18)));
            if let Some((whole, rest)) = scaled {
                prop_assert_eq!(value, whole + rest.div_euclid(below));
                let up = i128::from(rest.rem_euclid(below) != 0);
                prop_assert_eq!(contract.cost(quantity, price), Ok(value + up));
            }
        }

        #[test]
        fn a_charge_is_never_in_our_favour(quantity in 1..1_000_000_i64, price in 1..1_000_000_i64, rate in 0..1_000_000_000_i64) {
            let step = |decimals| Step { mantissa: 1, decimals };
            let contract = inverse(step(1), step(0), step(0));
            let paid = contract.charge(quantity, price, rate).expect("in range");
            let received = -contract.charge(quantity, price, -rate).expect("in range");
            prop_assert!(received <= paid && paid <= received + 2);
        }

        #[test]
        fn conversions_enclose_the_exact_product(amount in -i128::pow(10, 26)..i128::pow(10, 26), rate in 1..1_000_000_000_000_i64) {
            let exact = amount * i128::from(rate);
            prop_assert_eq!(scaled_down(amount, rate, PPB), Ok(exact.div_euclid(i128::from(PPB))));
            prop_assert_eq!(scaled_up(amount, rate, PPB), Ok(-(-exact).div_euclid(i128::from(PPB))));
        }
    }

    #[test]
    fn a_contract_size_multiplies_what_a_lot_is_worth() {
        let step = |mantissa, decimals| Step { mantissa, decimals };
        let terms = ContractTerms { settlement: Settlement::Linear, size: step(5, 9), ..ContractTerms::default() };
        let of_five = Contract::new(step(2, 9), step(1, 0), &terms).expect("a contract");
        assert_eq!(of_five.unit, 10);
        assert!(Contract::new(step(1, 9), step(1, 9), &terms).is_err());
    }
}
