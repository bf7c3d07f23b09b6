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

const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The highest bit of each byte that is no digit. Carries run upwards, so that it is exact for the first of them and for
/// the digits before.
#[inline]
fn non_digits(word: u64) -> u64 {
    (word.wrapping_add(0x4646_4646_4646_4646) | word.wrapping_sub(ZEROS)) & 0x8080_8080_8080_8080
}

/// Eight digits from 0 to 9, the first in the lowest byte, as a number: the low half of each pair of lanes is multiplied up
/// and added, three times.
#[inline]
fn number_of(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff
}

/// Up to seven leading digits of eight bytes at once, and how many there are: the lanes behind them are shifted out, and
/// the zeros that come in instead are leading ones.
#[inline]
fn leading_digits(bytes: &[u8], start: usize) -> (u64, usize) {
    let Some(word) = eight_bytes(bytes, start) else { return (0, 0) };
    let digits = non_digits(word).trailing_zeros() as usize / 8;
    if digits == 0 || digits == 8 {
        return (0, 0);
    }
    (number_of((word ^ ZEROS) << (64 - 8 * digits)), digits)
}

/// How a decimal is written: the digits before its point, one to seven, and those behind it, one to eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    whole: usize,
    fraction: usize,
}

impl Shape {
    /// The shape of a decimal that begins at an offset, if it has one.
    pub fn of(start: usize, found: &Plain) -> Option<Self> {
        let whole = (found.end - start).checked_sub(found.decimals + 1)?;
        ((1..8).contains(&whole) && (1..=8).contains(&found.decimals))
            .then_some(Self { whole, fraction: found.decimals })
    }

    /// How many bytes such a decimal has.
    #[inline]
    pub fn length(self) -> usize {
        self.whole + 1 + self.fraction
    }

    /// Reads a decimal that is written like this. Its end is known before it is read, so that the next one does not have
    /// to wait for it.
    #[inline(always)]
    pub fn read(self, bytes: &[u8], start: usize) -> Option<Plain> {
        let point = start + self.whole;
        let (whole, fraction) = (eight_bytes(bytes, start)?, eight_bytes(bytes, point + 1)?);
        let (behind_whole, behind_fraction) = (64 - 8 * self.whole, 64 - 8 * self.fraction);
        let others = non_digits(whole) << behind_whole | non_digits(fraction) << behind_fraction;
        if others != 0 || bytes[point] != b'.' {
            return None;
        }
        let whole = number_of((whole ^ ZEROS) << behind_whole);
        let fraction = number_of((fraction ^ ZEROS) << behind_fraction);
        let mantissa = whole * POWERS_OF_TEN[self.fraction] as u64 + fraction;
        Some(Plain { mantissa, decimals: self.fraction, end: start + self.length() })
    }
}

#[inline]
fn eight_bytes(bytes: &[u8], start: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(start..)?.first_chunk::<8>()?))
}

/// The first `count` of eight bytes as a number, one to eight; `None` if they are not all digits.
#[inline]
fn first_digits(word: u64, count: usize) -> Option<u64> {
    let behind = 64 - 8 * count as u32;
    if non_digits(word) << behind != 0 {
        return None;
    }
    Some(number_of((word ^ ZEROS) << behind))
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
        if let Some(digits) = eight_bytes(bytes, at).and_then(|word| first_digits(word, 8)) {
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

/// What a multiplication needs to divide by a power of ten where that leaves no rest: the inverse of its odd part modulo
/// 2^64, and the largest quotient. A number with a rest gives a larger one (H. Warren, "Hacker's Delight", 10-17).
const INVERSES: [(u64, u64); 19] = inverses();

const fn inverses() -> [(u64, u64); 19] {
    let mut inverses = [(1, u64::MAX); 19];
    let (mut power, mut fives) = (1, 1_u64);
    while power < inverses.len() {
        fives *= 5;
        // Five bits are right at first, and each step doubles them.
        let mut inverse = fives.wrapping_mul(3) ^ 2;
        let mut step = 0;
        while step < 4 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(fives.wrapping_mul(inverse)));
            step += 1;
        }
        inverses[power] = (inverse, u64::MAX / (fives << power));
        power += 1;
    }
    inverses
}

/// A number divided by a power of ten, if no rest is left.
#[inline]
fn exact_quotient(number: u64, power: usize) -> Option<u64> {
    let (inverse, largest) = *INVERSES.get(power)?;
    let quotient = number.wrapping_mul(inverse).rotate_right(power as u32);
    (quotient <= largest).then_some(quotient)
}

/// `mantissa / 10^decimals` as a count of steps.
#[inline]
pub fn on_step(mantissa: i64, decimals: usize, step: Step) -> Result<i64, MalformedKind> {
    let own = usize::from(step.decimals);
    let mut count = if decimals <= own {
        mantissa.checked_mul(POWERS_OF_TEN[own - decimals]).ok_or(MalformedKind::OutOfRange)?
    } else {
        let quotient = exact_quotient(mantissa.unsigned_abs(), decimals - own).ok_or(MalformedKind::OffGrid)?;
        quotient as i64 * mantissa.signum()
    };
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
        fn a_quotient_is_exact_or_none(number in any::<u64>(), power in 0_usize..=18, is_multiple in any::<bool>()) {
            let divisor = POWERS_OF_TEN[power] as u64;
            let number = if is_multiple { number / divisor * divisor } else { number };
            prop_assert_eq!(exact_quotient(number, power), (number % divisor == 0).then_some(number / divisor));
        }

        #[test]
        fn eight_digits_are_their_number(number in 0_u64..100_000_000) {
            let text = format!("{number:08}");
            prop_assert_eq!(first_digits(u64::from_le_bytes(text.as_bytes().try_into().unwrap()), 8), Some(number));
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
        fn bytes_that_are_not_all_digits_are_refused(bytes in any::<[u8; 8]>(), digits in 0_usize..8, count in 1_usize..=8) {
            let mut bytes = bytes;
            bytes[..digits].fill(b'7');
            let found = first_digits(u64::from_le_bytes(bytes), count);
            let all = bytes[..count].iter().all(u8::is_ascii_digit);
            let number = std::str::from_utf8(&bytes[..count]).ok().and_then(|text| text.parse().ok());
            prop_assert_eq!(found, if all { number } else { None });
        }

        #[test]
        fn a_decimal_is_the_same_by_its_shape(text in "[0-9]{1,9}\\.[0-9]{1,9}", other in "[0-9.]{1,20}") {
            let padded = format!("{text}\"               ");
            let general = plain(padded.as_bytes(), 0).unwrap();
            let shape = Shape::of(0, &general);
            let point = text.find('.').unwrap();
            prop_assert_eq!(shape.is_some(), point < 8 && text.len() - point <= 9);
            if let Some(shape) = shape {
                prop_assert_eq!(shape.length(), text.len());
                prop_assert_eq!(shape.read(padded.as_bytes(), 0), Some(general));
                // Another text is not read as something else.
                let other = format!("{other}\"               ");
                if let Some(Plain { mantissa, .. }) = shape.read(other.as_bytes(), 0) {
                    let read = &other[..shape.length()];
                    prop_assert_eq!(read.replace('.', "").parse::<u64>().unwrap(), mantissa);
                    prop_assert_eq!(read.find('.'), Some(point));
                }
            }
        }
    }
}
