//! The exact arithmetic at the edges of its integers: every operation over every combination of them is exact, or an error.
//!
//! Tests are built with overflow checks, so an operation that wraps anywhere panics here.

use nt_core::money::{add, div_up, margin_of, notional, share_down, share_up, subtract};
use nt_core::{Money, PPB, Side};

/// Both ends of 64 bits, of the integers that a float has, of billions and of nothing, with their neighbours.
fn words() -> Vec<i64> {
    let centres = [0, 1 << 31, 1 << 53, PPB, i64::MAX - 1];
    let near = centres.iter().flat_map(|centre| [centre - 1, *centre, centre + 1]);
    near.flat_map(|edge| [edge, -edge]).chain([i64::MIN]).collect()
}

/// The same of 128 bits.
fn amounts() -> Vec<Money> {
    let wide = [i128::pow(10, 28), 1 << 100, 1 << 126, Money::MAX - 1];
    let near = wide.iter().flat_map(|centre| [centre - 1, *centre, centre + 1]);
    let all = near.flat_map(|edge| [edge, -edge]).chain([Money::MIN]);
    all.chain(words().into_iter().map(i128::from)).collect()
}

#[test]
fn sums_are_exact_or_an_error() {
    for a in amounts() {
        for b in amounts() {
            assert_eq!(add(a, b).ok(), a.checked_add(b));
            assert_eq!(subtract(a, b).ok(), a.checked_sub(b));
        }
    }
}

#[test]
fn products_are_exact_or_an_error() {
    for price in words() {
        for quantity in words() {
            for unit in amounts() {
                let exact = (i128::from(price) * i128::from(quantity)).checked_mul(unit);
                assert_eq!(notional(price, quantity, unit).ok(), exact, "{price} {quantity} {unit}");
            }
        }
    }
}

#[test]
fn shares_of_amounts_are_exact_or_an_error() {
    let billion = i128::from(PPB);
    for amount in amounts().into_iter().filter(|&amount| amount >= 0) {
        for rate in words().into_iter().filter(|&rate| rate >= 0) {
            // amount = whole * 10^9 + rest, and neither part of the product can be rounded.
            let (whole, rest) = (amount / billion, amount % billion * i128::from(rate));
            let exact = |rest: i128| whole.checked_mul(i128::from(rate)).and_then(|whole| whole.checked_add(rest));
            assert_eq!(share_down(amount, rate).ok(), exact(rest / billion), "{amount} {rate}");
            assert_eq!(share_up(amount, rate).ok(), exact(div_up(rest, billion)), "{amount} {rate}");
        }
        for leverage in words().into_iter().filter(|&leverage| leverage > 0) {
            let (whole, rest) = (amount / i128::from(leverage), amount % i128::from(leverage) * billion);
            let exact = whole.checked_mul(billion).and_then(|whole| whole.checked_add(div_up(rest, leverage.into())));
            assert_eq!(margin_of(amount, leverage).ok(), exact, "{amount} {leverage}");
        }
    }
}

#[test]
fn prices_that_worsen_never_wrap() {
    for price in words() {
        for ticks in words().into_iter().filter(|&ticks| ticks >= 0) {
            assert_eq!(Side::Buy.worsen(price, ticks).ok(), price.checked_add(ticks));
            let sold = Side::Sell.worsen(price, ticks).expect("a price");
            assert_eq!(i128::from(sold), (i128::from(price) - i128::from(ticks)).max(1));
        }
    }
}
