//! One decimal text of a message as a count of the instrument's steps, without a float and without an allocation.

use nt_core::Step;

use crate::POWERS_OF_TEN;
use crate::fault::FaultKind;
use crate::malformed::MalformedKind;

/// The longest decimal that is read; venues write thirty digits at most.
const DIGITS_MAX: usize = 64;

/// A decimal read from the left: `mantissa / 10^decimals`, and the offset behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain {
    /// All digits as one number.
    pub mantissa: u64,
    /// How many of them stand behind the point.
    pub decimals: usize,
    /// Where the text goes on.
    pub end: usize,
}

/// Eight ASCII digits as a number: the low half of each pair of lanes is multiplied up and added, three times.
#[inline]
fn eight_digits(chunk: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(chunk);
    let above = word.wrapping_add(0x4646_4646_4646_4646);
    let below = word.wrapping_sub(0x3030_3030_3030_3030);
    if (above | below) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = below.wrapping_mul(10).wrapping_add(below >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

/// Up to seven leading digits of eight bytes at once, and how many there are: the lanes behind them are shifted out, and
/// the zeros that come in instead are leading ones.
#[inline]
fn leading_digits(bytes: &[u8], start: usize) -> (u64, usize) {
    let Some(chunk) = bytes.get(start..start + 8).and_then(|chunk| <[u8; 8]>::try_from(chunk).ok()) else {
        return (0, 0);
    };
    let word = u64::from_le_bytes(chunk);
    let others =
        (word.wrapping_add(0x4646_4646_4646_4646) | word.wrapping_sub(0x3030_3030_3030_3030)) & 0x8080_8080_8080_8080;
    // Borrows run upwards from the first lane that is no digit, so that it is the lowest one marked in any case.
    let digits = others.trailing_zeros() as usize / 8;
    if digits == 0 || digits == 8 {
        return (0, 0);
    }
    let below = (word ^ 0x3030_3030_3030_3030) << (64 - 8 * digits);
    let pairs = below.wrapping_mul(10).wrapping_add(below >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff, digits)
}

/// Reads `digits[.digits]` of at most eighteen digits; `None` for anything else, which `count_of` may still understand.
#[inline]
pub fn plain(bytes: &[u8], start: usize) -> Option<Plain> {
    let (mut mantissa, digits) = leading_digits(bytes, start);
    let mut at = start + digits;
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    let whole = at - start;
    let mut decimals = 0;
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        let fraction = at;
        if let Some(chunk) = bytes.get(at..at + 8).and_then(|chunk| <[u8; 8]>::try_from(chunk).ok())
            && let Some(digits) = eight_digits(chunk)
        {
            mantissa = mantissa.wrapping_mul(100_000_000).wrapping_add(digits);
            at += 8;
        }
        while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            at += 1;
        }
        decimals = at - fraction;
        if decimals == 0 {
            return None;
        }
    }
    // Eighteen digits cannot have wrapped.
    (whole > 0 && whole + decimals <= 18).then_some(Plain { mantissa, decimals, end: at })
}

/// A mantissa without its last decimals, and what they were. Divisors that the compiler knows become multiplications,
/// and those of venues that pad to eight decimals are all among them.
#[inline]
fn shortened(mantissa: i64, decimals: usize) -> Option<(i64, i64)> {
    Some(match decimals {
        0 => (mantissa, 0),
        1 => (mantissa / 10, mantissa % 10),
        2 => (mantissa / 100, mantissa % 100),
        3 => (mantissa / 1000, mantissa % 1000),
        4 => (mantissa / 10_000, mantissa % 10_000),
        5 => (mantissa / 100_000, mantissa % 100_000),
        6 => (mantissa / 1_000_000, mantissa % 1_000_000),
        7 => (mantissa / 10_000_000, mantissa % 10_000_000),
        more => {
            let down = *POWERS_OF_TEN.get(more)?;
            (mantissa / down, mantissa % down)
        }
    })
}

/// `mantissa / 10^decimals` as a count of steps.
#[inline]
pub fn on_step(mantissa: i64, decimals: usize, step: Step) -> Result<i64, MalformedKind> {
    let own = usize::from(step.decimals);
    let mut count = mantissa;
    if decimals <= own {
        count = count.checked_mul(POWERS_OF_TEN[own - decimals]).ok_or(MalformedKind::OutOfRange)?;
    } else {
        let (quotient, rest) = shortened(count, decimals - own).ok_or(MalformedKind::OffGrid)?;
        if rest != 0 {
            return Err(MalformedKind::OffGrid);
        }
        count = quotient;
    }
    if step.mantissa != 1 {
        if count % step.mantissa != 0 {
            return Err(MalformedKind::OffGrid);
        }
        count /= step.mantissa;
    }
    Ok(count)
}

/// Any decimal text, signs and exponents included, as a count of steps.
pub fn count_of(text: &[u8], step: Step) -> Result<i64, MalformedKind> {
    if let Some(plain) = plain(text, 0)
        && plain.end == text.len()
    {
        return on_step(plain.mantissa as i64, plain.decimals, step);
    }
    if text.len() > DIGITS_MAX {
        return Err(MalformedKind::OutOfRange);
    }
    let (mantissa, decimals) = crate::decimal::parse_cell(text).map_err(|kind| match kind {
        FaultKind::TooFine => MalformedKind::OffGrid,
        FaultKind::OutOfRange => MalformedKind::OutOfRange,
        _ => MalformedKind::NotADecimal,
    })?;
    on_step(mantissa, usize::try_from(decimals).unwrap_or(0), step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CENT: Step = Step { mantissa: 1, decimals: 2 };

    #[test]
    fn trailing_zeros_are_on_the_grid_and_other_digits_beyond_it_are_not() {
        assert_eq!(count_of(b"61837.63000000", CENT), Ok(6_183_763));
        assert_eq!(count_of(b"61837.630000001", CENT), Err(MalformedKind::OffGrid));
        assert_eq!(count_of(b"7", CENT), Ok(700));
        assert_eq!(count_of(b"1.25", Step { mantissa: 25, decimals: 2 }), Ok(5));
        assert_eq!(count_of(b"1.30", Step { mantissa: 25, decimals: 2 }), Err(MalformedKind::OffGrid));
        assert_eq!(count_of(b"1e-08", Step { mantissa: 1, decimals: 8 }), Ok(1));
        assert_eq!(count_of(b"123456789012345678901", CENT), Err(MalformedKind::OutOfRange));
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in ["", ".", "-", "1e", "1..2", "0x10", "1,5", "NaN", "1e9999", "--1"] {
            assert!(count_of(text.as_bytes(), CENT).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_decimal_on_the_grid_is_its_count(
            count in 0_i64..1_000_000_000_000, decimals in 0_u8..=9, padding in 0_usize..9,
        ) {
            let scale = POWERS_OF_TEN[usize::from(decimals)];
            let mut text = format!("{}", count / scale);
            if decimals > 0 || padding > 0 {
                let fraction = if decimals > 0 { format!("{:0width$}", count % scale, width = usize::from(decimals)) } else { String::new() };
                text = format!("{text}.{fraction}{}", "0".repeat(padding));
            }
            prop_assert_eq!(count_of(text.as_bytes(), Step { mantissa: 1, decimals }), Ok(count), "{}", text);
        }

        #[test]
        fn the_quick_reader_agrees_with_the_general_one(text in "[0-9]{1,12}(\\.[0-9]{1,12})?") {
            let step = Step { mantissa: 1, decimals: 9 };
            let general = crate::decimal::parse_cell(text.as_bytes());
            let general = general.map(|(m, d)| on_step(m, usize::try_from(d).unwrap_or(0), step));
            if let Ok(general) = general {
                prop_assert_eq!(count_of(text.as_bytes(), step), general);
            }
        }

        #[test]
        fn eight_digits_are_their_number(number in 0_u64..100_000_000) {
            let text = format!("{number:08}");
            prop_assert_eq!(eight_digits(text.as_bytes().try_into().unwrap()), Some(number));
        }

        #[test]
        fn leading_digits_are_those_that_a_loop_finds(text in prop_oneof!["[0-9]{1,8}[^0-9]{1,8}", "[^0-9]{8}", "[0-9./:]{8}"]) {
            let count = text.bytes().take_while(u8::is_ascii_digit).count();
            let (value, digits) = leading_digits(text.as_bytes(), 0);
            if text.len() >= 8 && (1..8).contains(&count) {
                prop_assert_eq!((value, digits), (text[..count].parse().unwrap(), count));
            } else {
                prop_assert_eq!((value, digits), (0, 0));
            }
        }

        #[test]
        fn eight_bytes_that_are_not_all_digits_are_refused(bytes in any::<[u8; 8]>()) {
            prop_assert_eq!(eight_digits(bytes).is_some(), bytes.iter().all(u8::is_ascii_digit));
        }
    }
}
