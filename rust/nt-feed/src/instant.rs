//! Dates and date-times as nanoseconds since 1970-01-01 UTC.
//!
//! Read are the forms that have one reading: year, month, day (with `-`, `/`, `.` or nothing between), then optionally `T`
//! or spaces and a time (`HH:MM`, `HH:MM:SS`, fractions up to nanoseconds, or the same digits without colons), then
//! optionally `Z`, `UTC`, `GMT` or an offset. Day-first, month-first and twelve-hour forms are refused.

use crate::decimal::cells;
use crate::fault::{Fault, FaultKind};

/// A column of instants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instants {
    /// Nanoseconds since the epoch, UTC, one per row.
    pub ns: Vec<i64>,
    /// Whether the cells name a time zone; without one they were read as UTC.
    pub zoned: bool,
    /// Whether any cell had an offset other than zero.
    pub shifted: bool,
    /// Whether any cell has a time of day; a column without is one of dates.
    pub timed: bool,
}

struct Cell {
    ns: i64,
    zoned: bool,
    shifted: bool,
    timed: bool,
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last of its year.
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What is left of a cell while it is read from the left.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    /// Exactly `count` digits.
    fn number(&mut self, count: usize) -> Option<i64> {
        let digits = self.0.get(..count)?;
        let mut value = 0;
        for &byte in digits {
            if !byte.is_ascii_digit() {
                return None;
            }
            value = value * 10 + i64::from(byte - b'0');
        }
        self.0 = &self.0[count..];
        Some(value)
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn next_is_digit(&self) -> bool {
        self.0.first().is_some_and(u8::is_ascii_digit)
    }
}

fn parse_date(rest: &mut Rest) -> Option<i64> {
    let year = rest.number(4)?;
    let separator = match rest.0.first()? {
        &byte @ (b'-' | b'/' | b'.') => Some(byte),
        _ => None,
    };
    let between = |rest: &mut Rest| separator.is_none_or(|byte| rest.take(byte));
    if !between(rest) {
        return None;
    }
    let month = rest.number(2)?;
    if !between(rest) {
        return None;
    }
    let day = rest.number(2)?;
    let valid = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    valid.then(|| days_from_civil(year, month, day))
}

/// Seconds and nanoseconds of a time of day.
fn parse_time(rest: &mut Rest) -> Option<(i64, i64)> {
    let hour = rest.number(2)?;
    let colons = rest.take(b':');
    let minute = rest.number(2)?;
    let mut second = 0;
    let mut fraction = 0;
    if if colons { rest.take(b':') } else { rest.next_is_digit() } {
        second = rest.number(2)?;
        if rest.take(b'.') || rest.take(b',') {
            let digits = rest.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 || digits > 9 {
                return None;
            }
            fraction = rest.number(digits)? * crate::POWERS_OF_TEN[9 - digits];
        }
    }
    let valid = hour < 24 && minute < 60 && second < 60;
    valid.then_some((hour * 3600 + minute * 60 + second, fraction))
}

/// The offset from UTC in seconds, or `None` within `Some` where the cell names no zone.
fn parse_zone(rest: &mut Rest) -> Option<Option<i64>> {
    let text = rest.0.trim_ascii();
    if text.is_empty() {
        return Some(None);
    }
    if text.eq_ignore_ascii_case(b"z") || text.eq_ignore_ascii_case(b"utc") || text.eq_ignore_ascii_case(b"gmt") {
        return Some(Some(0));
    }
    let mut rest = Rest(text);
    let sign = if rest.take(b'+') {
        1
    } else if rest.take(b'-') {
        -1
    } else {
        return None;
    };
    let hours = rest.number(2)?;
    let minutes = if rest.0.is_empty() {
        0
    } else {
        let _ = rest.take(b':');
        rest.number(2)?
    };
    let valid = rest.0.is_empty() && hours <= 15 && minutes < 60;
    valid.then_some(Some(sign * (hours * 3600 + minutes * 60)))
}

fn parse_cell(cell: &[u8]) -> Result<Cell, FaultKind> {
    let mut rest = Rest(cell);
    let days = parse_date(&mut rest).ok_or(FaultKind::NotATime)?;
    let marked = rest.take(b'T') || rest.take(b't');
    rest.0 = rest.0.trim_ascii_start();
    let timed = rest.next_is_digit();
    let (seconds, fraction) = if timed { parse_time(&mut rest).ok_or(FaultKind::NotATime)? } else { (0, 0) };
    if marked && !timed {
        return Err(FaultKind::NotATime);
    }
    let zone = parse_zone(&mut rest).ok_or(FaultKind::NotATime)?;
    let total = days * 86_400 + seconds - zone.unwrap_or(0);
    let ns = total.checked_mul(1_000_000_000).and_then(|ns| ns.checked_add(fraction));
    Ok(Cell {
        ns: ns.ok_or(FaultKind::OutOfRange)?,
        zoned: zone.is_some(),
        shifted: zone.is_some_and(|offset| offset != 0),
        timed,
    })
}

/// One instant of a message, such as `2023-10-06T17:35:55.440295Z`; without a zone it is UTC.
pub fn parse_instant(text: &[u8]) -> Option<i64> {
    parse_cell(text).ok().map(|cell| cell.ns)
}

/// Parses a column of `rows` cells joined by newlines. All cells name a zone, or none does.
pub fn parse_instants(text: &[u8], rows: usize) -> Result<Instants, Fault> {
    let mut column = Instants { ns: Vec::with_capacity(rows), zoned: false, shifted: false, timed: false };
    for (row, cell) in cells(text, rows).enumerate() {
        let cell = parse_cell(cell).map_err(|kind| Fault::at(kind, row))?;
        if row == 0 {
            column.zoned = cell.zoned;
        } else if column.zoned != cell.zoned {
            return Err(Fault::at(FaultKind::MixedZones, row));
        }
        column.shifted |= cell.shifted;
        column.timed |= cell.timed;
        column.ns.push(cell.ns);
    }
    if column.ns.len() != rows {
        return Err(Fault::at(FaultKind::CellCount, rows.min(column.ns.len())));
    }
    Ok(column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000_000;

    fn ns(cell: &str) -> Result<i64, FaultKind> {
        parse_cell(cell.as_bytes()).map(|cell| cell.ns)
    }

    #[test]
    fn each_form_of_one_instant_reads_the_same() {
        let expected = Ok(1_704_164_645 * SECOND);
        for text in [
            "2024-01-02 03:04:05",
            "2024-01-02T03:04:05",
            "2024-01-02T03:04:05Z",
            "2024-01-02 03:04:05 UTC",
            "2024-01-02 03:04:05.000000+00:00",
            "2024/01/02 03:04:05",
            "2024.01.02  03:04:05",
            "20240102 030405",
            "20240102030405",
            "20240102T030405Z",
            "2024-01-02T05:04:05+02:00",
            "2024-01-01T22:34:05-0430",
            "2024-01-02T04:04:05+01",
        ] {
            assert_eq!(ns(text), expected, "{text}");
        }
        assert_eq!(ns("2024-01-02T03:04:05.123456789Z"), Ok(1_704_164_645_123_456_789));
        assert_eq!(ns("2024-01-02 03:04"), Ok(1_704_164_640 * SECOND));
        assert_eq!(ns("1969-12-31"), Ok(-86_400 * SECOND));
        assert_eq!(ns("2000-02-29"), Ok(951_782_400 * SECOND));
    }

    #[test]
    fn forms_with_more_than_one_reading_and_impossible_dates_are_refused() {
        for text in [
            "01/02/2024",
            "2024-1-2",
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-01-02 25:00",
            "2024-01-02 04-PM",
            "2024-01-02T",
            "2024-01-02 03:04:05 EST",
            "Jan 2 2024",
            "",
            "2024-01-02 03:04:05.",
            "2024-01/02",
            "12",
        ] {
            assert_eq!(ns(text), Err(FaultKind::NotATime), "{text}");
        }
        assert_eq!(ns("2300-01-01"), Err(FaultKind::OutOfRange));
    }

    #[test]
    fn a_column_names_its_zone_throughout_or_nowhere() {
        let fault = parse_instants(b"2024-01-01T00:00Z\n2024-01-02T00:00", 2).unwrap_err();
        assert_eq!((fault.kind, fault.row), (FaultKind::MixedZones, 1));
        let dates = parse_instants(b"2024-01-01\n2024-01-02", 2).unwrap();
        assert!(!dates.timed && !dates.zoned);
    }

    proptest! {
        #[test]
        fn days_follow_one_another(day in -200_000_i64..200_000) {
            // Walk forward from the epoch by whole years, then months, and come back to the same day.
            let mut year = 1970 + day.div_euclid(366) - i64::from(day < 0) * 400;
            while days_from_civil(year + 1, 1, 1) <= day { year += 1; }
            let mut month = 1;
            while month < 12 && days_from_civil(year, month + 1, 1) <= day { month += 1; }
            let date = day - days_from_civil(year, month, 1) + 1;
            prop_assert!((1..=days_in_month(year, month)).contains(&date));
            prop_assert_eq!(days_from_civil(year, month, date), day);
        }

        #[test]
        fn no_bytes_make_the_parser_panic(text in prop::collection::vec(any::<u8>(), 0..40), rows in 0_usize..4) {
            let _ = parse_instants(&text, rows);
        }
    }
}
