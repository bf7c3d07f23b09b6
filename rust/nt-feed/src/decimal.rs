//! Columns of decimal text, parsed exactly.
//!
//! A column arrives as its cells joined by newlines. All of its values come out as integer mantissas with one number of
//! decimals: the smallest that represents every cell, trailing zeros not counted.

use crate::POWERS_OF_TEN;
use crate::fault::{Fault, FaultKind};

/// A column of exact decimals: each value is `mantissa / 10^decimals`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimals {
    /// One mantissa per row.
    pub mantissas: Vec<i64>,
    /// The number of decimals that all mantissas share.
    pub decimals: u8,
}

/// Splits a column of `rows` rows into its cells, without spaces around them. No text is one empty cell or none.
pub(crate) fn cells(text: &[u8], rows: usize) -> impl Iterator<Item = &[u8]> {
    let text = if rows == 0 && text.is_empty() { None } else { Some(text) };
    text.into_iter().flat_map(|text| text.split(|&byte| byte == b'\n')).map(<[u8]>::trim_ascii)
}

/// Parses one cell as `(mantissa, decimals)` with trailing zeros of the fraction removed.
pub(crate) fn parse_cell(cell: &[u8]) -> Result<(i64, i32), FaultKind> {
    let (negative, digits) = match cell {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut mantissa = 0_u128;
    let mut decimals = 0_i32;
    let mut seen_digit = false;
    let mut seen_point = false;
    let mut position = 0;
    while let Some(&byte) = digits.get(position) {
        match byte {
            b'0'..=b'9' => {
                seen_digit = true;
                // Beyond 30 digits no grid of ours can hold the value; one more multiplication would not overflow yet.
                if mantissa > 10_u128.pow(30) {
                    return Err(if seen_point { FaultKind::TooFine } else { FaultKind::OutOfRange });
                }
                mantissa = mantissa * 10 + u128::from(byte - b'0');
                decimals += i32::from(seen_point);
            }
            b'.' if !seen_point => seen_point = true,
            b'e' | b'E' if seen_digit => {
                let exponent = parse_exponent(&digits[position + 1..])?;
                decimals -= exponent;
                break;
            }
            _ => return Err(FaultKind::NotANumber),
        }
        position += 1;
    }
    if !seen_digit {
        return Err(FaultKind::NotANumber);
    }
    if mantissa == 0 {
        return Ok((0, 0));
    }
    while decimals > 0 && mantissa.is_multiple_of(10) {
        mantissa /= 10;
        decimals -= 1;
    }
    while decimals < 0 {
        mantissa = mantissa.checked_mul(10).ok_or(FaultKind::OutOfRange)?;
        decimals += 1;
    }
    let too_large = if decimals > 0 { FaultKind::TooFine } else { FaultKind::OutOfRange };
    let magnitude = i64::try_from(mantissa).map_err(|_| too_large)?;
    Ok((if negative { -magnitude } else { magnitude }, decimals))
}

fn parse_exponent(text: &[u8]) -> Result<i32, FaultKind> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        rest => (1, rest),
    };
    if digits.is_empty() || digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(FaultKind::NotANumber);
    }
    Ok(sign * digits.iter().fold(0, |value, digit| value * 10 + i32::from(digit - b'0')))
}

/// Parses the common cell, `digits[.digits]` of at most 18 digits, in one loop; anything else is left to `parse_cell`.
fn parse_plain(cell: &[u8]) -> Option<(i64, usize)> {
    if cell.is_empty() || cell.len() > 19 {
        return None;
    }
    let mut mantissa = 0_i64;
    let mut point = cell.len();
    for (position, &byte) in cell.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa * 10 + i64::from(digit);
        } else if byte == b'.' && point == cell.len() {
            point = position;
        } else {
            return None;
        }
    }
    let has_point = point < cell.len();
    let digits = cell.len() - usize::from(has_point);
    if digits == 0 || digits > 18 {
        return None;
    }
    Some((mantissa, if has_point { cell.len() - 1 - point } else { 0 }))
}

/// Parses a column of `rows` cells joined by newlines; more than `decimals_max` decimals are a fault.
pub fn parse_column(text: &[u8], rows: usize, decimals_max: u8) -> Result<Decimals, Fault> {
    let mut mantissas: Vec<i64> = Vec::with_capacity(rows);
    let mut decimals = 0_usize;
    for (row, cell) in cells(text, rows).enumerate() {
        let (mut mantissa, mut own) = match parse_plain(cell) {
            Some(parsed) => parsed,
            None => {
                let (mantissa, own) = parse_cell(cell).map_err(|kind| Fault::at(kind, row))?;
                (mantissa, usize::try_from(own).unwrap_or(0))
            }
        };
        while own > decimals && mantissa % 10 == 0 {
            mantissa /= 10;
            own -= 1;
        }
        if own > decimals {
            if own > usize::from(decimals_max) {
                return Err(Fault::at(FaultKind::TooFine, row));
            }
            rescale(&mut mantissas, POWERS_OF_TEN[own - decimals])?;
            decimals = own;
        }
        let scaled = mantissa.checked_mul(POWERS_OF_TEN[decimals - own]);
        mantissas.push(scaled.ok_or(Fault::at(FaultKind::OutOfRange, row))?);
    }
    if mantissas.len() != rows {
        return Err(Fault::at(FaultKind::CellCount, rows.min(mantissas.len())));
    }
    Ok(Decimals { mantissas, decimals: u8::try_from(decimals).unwrap_or(u8::MAX) })
}

/// Multiplies a whole column; an overflow names its row.
pub fn rescale(mantissas: &mut [i64], factor: i64) -> Result<(), Fault> {
    if factor == 1 {
        return Ok(());
    }
    for (row, mantissa) in mantissas.iter_mut().enumerate() {
        *mantissa = mantissa.checked_mul(factor).ok_or(Fault::at(FaultKind::OutOfRange, row))?;
    }
    Ok(())
}

/// Parses a column as the nearest floats: the fallback for text that has more decimals than any grid.
pub fn parse_floats(text: &[u8], rows: usize) -> Result<Vec<f64>, Fault> {
    let mut values = Vec::with_capacity(rows);
    for (row, cell) in cells(text, rows).enumerate() {
        let parsed = std::str::from_utf8(cell).ok().and_then(|cell| cell.parse::<f64>().ok());
        match parsed {
            Some(value) if value.is_finite() => values.push(value),
            _ => return Err(Fault::at(FaultKind::NotANumber, row)),
        }
    }
    if values.len() != rows {
        return Err(Fault::at(FaultKind::CellCount, rows.min(values.len())));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Result<(Vec<i64>, u8), FaultKind> {
        let rows = text.split('\n').count();
        parse_column(text.as_bytes(), rows, 9).map(|column| (column.mantissas, column.decimals)).map_err(|f| f.kind)
    }

    #[test]
    fn trailing_zeros_do_not_refine_the_grid() {
        assert_eq!(parsed("46319.00000000\n46319.50000000"), Ok((vec![463_190, 463_195], 1)));
        assert_eq!(parsed("1.25\n3\n0.1"), Ok((vec![125, 300, 10], 2)));
    }

    #[test]
    fn exponents_signs_and_spaces_are_read() {
        assert_eq!(
            parsed("9.5e-07\n 1 \n+2\n-3.5\n1E2"),
            Ok((vec![95, 100_000_000, 200_000_000, -350_000_000, 10_000_000_000], 8))
        );
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in ["", "nan", "inf", "1,234.5", "1.2.3", "--1", ".", "e5", "1e", "1e+", "0x10", "1_000", "12 3"] {
            assert_eq!(parsed(text), Err(FaultKind::NotANumber), "{text}");
        }
    }

    #[test]
    fn ten_decimals_are_too_fine_and_twenty_digits_are_out_of_range() {
        assert_eq!(parsed("1.0123456789"), Err(FaultKind::TooFine));
        assert_eq!(parsed("33.353996010000020000000000000000000000000000000001"), Err(FaultKind::TooFine));
        assert_eq!(parsed("99999999999999999999"), Err(FaultKind::OutOfRange));
        assert_eq!(parsed("9223372036854775807\n0.1"), Err(FaultKind::OutOfRange));
        assert_eq!(parsed("0.1\n9223372036854775807"), Err(FaultKind::OutOfRange));
        assert_eq!(parsed("1e999"), Err(FaultKind::OutOfRange));
    }

    #[test]
    fn a_fault_names_its_row() {
        let fault = parse_column(b"1\n2\nx\n4", 4, 9).unwrap_err();
        assert_eq!((fault.kind, fault.row), (FaultKind::NotANumber, 2));
        assert_eq!(parse_column(b"1\n2", 3, 9).unwrap_err().kind, FaultKind::CellCount);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_parsed_back(
            mantissas in prop::collection::vec(-1_000_000_000_000_i64..1_000_000_000_000, 1..50),
            decimals in 0_usize..=9,
        ) {
            let scale = POWERS_OF_TEN[decimals];
            let text: Vec<String> = mantissas.iter().map(|&m| {
                let sign = if m < 0 { "-" } else { "" };
                let (whole, fraction) = (m.abs() / scale, m.abs() % scale);
                if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction:0decimals$}") }
            }).collect();
            let column = parse_column(text.join("\n").as_bytes(), mantissas.len(), 9).unwrap();
            let finer = POWERS_OF_TEN[decimals - usize::from(column.decimals)];
            prop_assert_eq!(column.mantissas.iter().map(|m| m * finer).collect::<Vec<_>>(), mantissas.clone());
            let needed = mantissas.iter().all(|m| m % (finer * 10) == 0);
            prop_assert!(column.decimals == 0 || !needed, "the grid is the coarsest");
        }

        #[test]
        fn no_bytes_make_the_parser_panic(text in prop::collection::vec(any::<u8>(), 0..60), rows in 0_usize..5) {
            let _ = parse_column(&text, rows, 9);
            let _ = parse_floats(&text, rows);
        }
    }
}
