//! Logarithm and exponential out of + - * / alone: unlike those of platforms, they have the same bits on every machine.
//!
//! Every crate that needs one takes it from here; the twin in Python is `baseline/elementary.py`.

use std::f64::consts::{LN_2, SQRT_2};

/// The natural logarithm of a positive normal number, within three units of the last place.
///
/// With `x = 2^e m` and `s = (m - 1) / (m + 1)`, it is `e ln 2 + 2 (s + s^3/3 + s^5/5 + ...)`; for `m` between the roots
/// of 1/2 and 2, eleven terms are below half a unit of the last place.
pub fn logarithm(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7FF) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
    if mantissa > SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = (0..11).rev().fold(0.0, |sum, term| sum * square + 1.0 / (2 * term + 1) as f64);
    exponent as f64 * LN_2 + 2.0 * s * series
}

/// The exponential of a number from -700 to 700, beyond which it is taken for the end of that range.
///
/// With `x = n ln 2 + r` it is `2^n` times the Taylor series of `r`, of which fifteen terms are below half a unit of the
/// last place.
pub fn exponential(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let n = (x / LN_2 + 0.5).floor();
    let r = x - n * LN_2;
    let series = (1..15).rev().fold(1.0, |sum, term| 1.0 + sum * r / f64::from(term));
    series * f64::from_bits(((n as i64 + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_those_of_the_platform() {
        for step in 1..20_000 {
            let x = f64::from(step) * 0.001;
            let (found, expected) = (logarithm(x), x.ln());
            assert!((found - expected).abs() <= 6e-16 * expected.abs().max(1.0), "ln {x}: {found} {expected}");
            let (found, expected) = (exponential(x - 10.0), (x - 10.0).exp());
            assert!((found / expected - 1.0).abs() < 5e-15, "exp {x}: {found} {expected}");
        }
        assert_eq!((logarithm(1.0), exponential(0.0)), (0.0, 1.0));
        assert!((logarithm(1e-300) / 1e-300_f64.ln() - 1.0).abs() < 1e-15);
        assert!(exponential(-1e9) > 0.0);
    }
}
