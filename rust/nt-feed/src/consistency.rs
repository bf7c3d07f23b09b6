//! What every bar must satisfy: positive prices, low <= open <= high, low <= close <= high.

use crate::fault::{Fault, FaultKind};

const BLOCK: usize = 4096;

/// The four price columns of a series of bars.
#[derive(Clone, Copy, Debug)]
pub struct Prices<'a> {
    /// Opening prices.
    pub open: &'a [i64],
    /// Highest prices.
    pub high: &'a [i64],
    /// Lowest prices.
    pub low: &'a [i64],
    /// Closing prices.
    pub close: &'a [i64],
}

fn wrong(open: i64, high: i64, low: i64, close: i64) -> bool {
    // If all are at least the low, only the low can be the first to reach zero.
    (low <= 0) | (open < low) | (open > high) | (close < low) | (close > high)
}

fn diagnosis(prices: Prices, row: usize) -> Fault {
    let (open, high, low, close) = (prices.open[row], prices.high[row], prices.low[row], prices.close[row]);
    for (column, price) in [open, high, low, close].into_iter().enumerate() {
        if price <= 0 {
            return Fault { kind: FaultKind::NotPositive, column, row };
        }
    }
    let (kind, column) = if high < low {
        (FaultKind::HighBelowLow, 1)
    } else if open < low || open > high {
        (FaultKind::OpenOutside, 0)
    } else {
        (FaultKind::CloseOutside, 3)
    };
    Fault { kind, column, row }
}

/// Checks all bars; the first one that is wrong is named, with the columns open, high, low, close counted from 0.
/// The columns must have one length; rows beyond the shortest are not looked at.
pub fn check_prices(prices: Prices) -> Result<(), Fault> {
    let rows = prices.open.len().min(prices.high.len()).min(prices.low.len()).min(prices.close.len());
    for start in (0..rows).step_by(BLOCK) {
        let end = rows.min(start + BLOCK);
        let (open, high) = (&prices.open[start..end], &prices.high[start..end]);
        let (low, close) = (&prices.low[start..end], &prices.close[start..end]);
        let mut any_wrong = false;
        for (((open, high), low), close) in open.iter().zip(high).zip(low).zip(close) {
            any_wrong |= wrong(*open, *high, *low, *close);
        }
        if any_wrong {
            let found =
                (start..end).find(|&row| wrong(prices.open[row], prices.high[row], prices.low[row], prices.close[row]));
            return Err(diagnosis(prices, found.unwrap_or(start)));
        }
    }
    Ok(())
}

/// Checks that a column has no negative number, and says whether any is above zero.
pub fn check_not_negative(values: &[i64]) -> Result<bool, Fault> {
    let (mut negative, mut positive) = (false, false);
    for value in values {
        negative |= *value < 0;
        positive |= *value > 0;
    }
    if negative {
        let row = values.iter().position(|value| *value < 0).unwrap_or(0);
        return Err(Fault::at(FaultKind::Negative, row));
    }
    Ok(positive)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &[[i64; 4]]) -> Result<(), Fault> {
        let column = |index: usize| rows.iter().map(|row| row[index]).collect::<Vec<_>>();
        let (open, high, low, close) = (column(0), column(1), column(2), column(3));
        check_prices(Prices { open: &open, high: &high, low: &low, close: &close })
    }

    #[test]
    fn each_wrong_bar_is_named_for_what_is_wrong_with_it() {
        let good = [10, 12, 9, 11];
        for (bad, kind, column) in [
            ([10, 12, 0, 11], FaultKind::NotPositive, 2),
            ([-1, 12, 9, 11], FaultKind::NotPositive, 0),
            ([10, 8, 9, 9], FaultKind::HighBelowLow, 1),
            ([13, 12, 9, 11], FaultKind::OpenOutside, 0),
            ([8, 12, 9, 11], FaultKind::OpenOutside, 0),
            ([10, 12, 9, 13], FaultKind::CloseOutside, 3),
            ([10, 12, 9, 8], FaultKind::CloseOutside, 3),
        ] {
            let mut rows = vec![good; 5000];
            rows[4500] = bad;
            assert_eq!(check(&rows), Err(Fault { kind, column, row: 4500 }));
        }
        assert_eq!(check(&[good, [5, 5, 5, 5]]), Ok(()));
        assert_eq!(check(&[]), Ok(()));
    }

    #[test]
    fn negative_volumes_are_named() {
        assert_eq!(check_not_negative(&[0, 3]), Ok(true));
        assert_eq!(check_not_negative(&[0, 0]), Ok(false));
        assert_eq!(check_not_negative(&[0, -3, -4]).unwrap_err().row, 1);
    }
}
