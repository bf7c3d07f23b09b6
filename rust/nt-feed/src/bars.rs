//! Bars from trades, and coarser bars from finer ones.
//!
//! Laws: every trade belongs to exactly one bar, in the order in which trades came; prices, volumes and notionals are
//! integers and a sum that leaves its range is a fault; a bar opens before it closes and closes no later than the next one
//! opens. The kinds of bars are those of M. Lopez de Prado, *Advances in Financial Machine Learning* (Wiley 2018),
//! chapter 2; `neural_trader.baseline.aggregate` defines them in plain Python.

use crate::fault::{Fault, FaultKind};

/// Trades of one instrument, or one side of its quotes, in the order of their times.
#[derive(Clone, Copy, Debug)]
pub struct Ticks<'a> {
    /// Time at the venue, UTC nanoseconds, never falling.
    pub ts_ns: &'a [i64],
    /// Price in ticks.
    pub price: &'a [i64],
    /// Quantity in lots; empty where there is none, as with quotes.
    pub quantity: &'a [i64],
    /// Who took: 1 the buyer, -1 the seller, 0 unknown; empty where no side is known.
    pub side: &'a [i8],
}

/// Equal intervals of time, aligned to an origin.
#[derive(Clone, Copy, Debug)]
pub struct Intervals {
    /// Length of an interval.
    pub interval_ns: i64,
    /// A time at which an interval begins.
    pub origin_ns: i64,
}

impl Intervals {
    /// The beginning of the interval that holds a time; `None` outside the range of 64 bits.
    fn beginning(self, ts_ns: i64) -> Option<i64> {
        let since = ts_ns.checked_sub(self.origin_ns)?;
        since.div_euclid(self.interval_ns).checked_mul(self.interval_ns)?.checked_add(self.origin_ns)
    }
}

/// What is counted: trades, lots, or ticks times lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Every trade counts one.
    Trades,
    /// A trade counts its quantity in lots.
    Volume,
    /// A trade counts its price in ticks times its quantity in lots.
    Notional,
}

/// Imbalance bars: a bar ends when the signed sum of its trades is larger than was to be expected.
#[derive(Clone, Copy, Debug)]
pub struct Imbalance {
    /// What a trade weighs.
    pub weight: Measure,
    /// `E0[T]`, the number of trades in the first bar and the expected number in the second.
    pub expected_trades: u64,
    /// Span, in bars, of the moving average that becomes `E0[T]`.
    pub span_bars: u64,
    /// Span, in trades, of the moving average of signed weights, `2v+ - E0[v]` in the book.
    pub span_trades: u64,
    /// No bar has fewer trades: near balance the threshold is near zero.
    pub shortest: u64,
    /// No bar has more trades: a threshold that was once too high would otherwise never come down.
    pub longest: u64,
}

/// When a bar is complete.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// At the end of its interval; an interval without trades has no bar.
    Time(Intervals),
    /// With the trade that brings a sum to this size; that trade belongs to the bar whole.
    Sum(Measure, i128),
    /// With the trade that brings the imbalance to its expectation.
    Imbalance(Imbalance),
}

/// Bars as columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// When each bar opened.
    pub open_ns: Vec<i64>,
    /// When each bar closed.
    pub close_ns: Vec<i64>,
    /// First price.
    pub open: Vec<i64>,
    /// Highest price.
    pub high: Vec<i64>,
    /// Lowest price.
    pub low: Vec<i64>,
    /// Last price.
    pub close: Vec<i64>,
    /// Sum of quantities.
    pub volume: Vec<i64>,
    /// Row of the first trade, or bar, that each bar was made of.
    pub first: Vec<i64>,
}

/// A bar in the making.
#[derive(Clone, Copy)]
struct Bar {
    open_ns: i64,
    last_ns: i64,
    open: i64,
    high: i64,
    low: i64,
    close: i64,
    volume: i64,
    first: usize,
}

impl Columns {
    fn push(&mut self, bar: Bar, close_ns: i64) {
        self.open_ns.push(bar.open_ns);
        self.close_ns.push(close_ns);
        self.open.push(bar.open);
        self.high.push(bar.high);
        self.low.push(bar.low);
        self.close.push(bar.close);
        self.volume.push(bar.volume);
        self.first.push(bar.first as i64);
    }

    /// Adds a bar that ended with a trade. It lasts until just after that trade, and at least a nanosecond; where several
    /// bars fall into one instant they follow one another by nanoseconds, so that their order is never in doubt.
    fn push_event(&mut self, mut bar: Bar) -> Option<()> {
        if let Some(closed) = self.close_ns.last() {
            bar.open_ns = bar.open_ns.max(*closed);
        }
        let close_ns = bar.last_ns.max(bar.open_ns).checked_add(1)?;
        self.push(bar, close_ns);
        Some(())
    }
}

/// The signed sum of a bar in the making, and what is expected of it.
struct Balance {
    rule: Imbalance,
    per_bar: f64,
    per_trade: f64,
    expected_trades: f64,
    expected_weight: Option<f64>,
    threshold: Option<f64>,
    sum: i128,
    trades: u64,
    sign: i128,
    price: Option<i64>,
}

impl Balance {
    fn new(rule: Imbalance) -> Self {
        Self {
            rule,
            per_bar: 2.0 / (rule.span_bars as f64 + 1.0),
            per_trade: 2.0 / (rule.span_trades as f64 + 1.0),
            expected_trades: rule.expected_trades as f64,
            expected_weight: None,
            threshold: None,
            sum: 0,
            trades: 0,
            sign: 0,
            price: None,
        }
    }

    /// Takes a trade, and says whether its bar is complete.
    fn take(&mut self, price: i64, side: i8, weight: i128) -> bool {
        if side != 0 {
            self.sign = i128::from(side.signum());
        } else if let Some(before) = self.price {
            // The tick rule: the sign of the last change of price.
            if price != before {
                self.sign = if price > before { 1 } else { -1 };
            }
        }
        self.price = Some(price);
        let signed = self.sign * weight;
        self.sum += signed;
        self.trades += 1;
        let value = signed as f64;
        let expected = match self.expected_weight {
            Some(mean) => mean + self.per_trade * (value - mean),
            None => value,
        };
        self.expected_weight = Some(expected);
        let complete = match self.threshold {
            None => self.trades >= self.rule.expected_trades,
            Some(threshold) => {
                self.trades >= self.rule.shortest
                    && (self.sum.unsigned_abs() as f64 >= threshold || self.trades >= self.rule.longest)
            }
        };
        if complete {
            self.expected_trades += self.per_bar * (self.trades as f64 - self.expected_trades);
            self.threshold = Some(self.expected_trades * expected.abs());
            self.sum = 0;
            self.trades = 0;
        }
        complete
    }
}

fn weight_of(measure: Measure, price: i64, quantity: i64) -> i128 {
    match measure {
        Measure::Trades => 1,
        Measure::Volume => i128::from(quantity),
        Measure::Notional => i128::from(price) * i128::from(quantity),
    }
}

/// Builds bars from trades. What is left after the last complete bar becomes a bar only if `partial`; bars of time are
/// always all there, because trades alone do not tell whether an interval was seen to its end.
pub fn build(ticks: Ticks, rule: Rule, partial: bool) -> Result<Columns, Fault> {
    let rows = ticks.ts_ns.len();
    for (column, length) in [(1, ticks.price.len()), (2, ticks.quantity.len()), (3, ticks.side.len())] {
        if length != rows && (column == 1 || length != 0) {
            return Err(Fault { kind: FaultKind::CellCount, column, row: length.min(rows) });
        }
    }
    let out_of_range = |row| Fault::at(FaultKind::OutOfRange, row);
    let mut columns = Columns::default();
    let mut open: Option<Bar> = None;
    let mut sum = 0_i128;
    let mut balance = if let Rule::Imbalance(rule) = rule { Some(Balance::new(rule)) } else { None };
    let mut before_ns = i64::MIN;
    // The end of the current interval, for bars of time.
    let mut end_ns = i64::MIN;
    for row in 0..rows {
        let (ts_ns, price) = (ticks.ts_ns[row], ticks.price[row]);
        let quantity = ticks.quantity.get(row).copied().unwrap_or(0);
        if ts_ns < before_ns {
            return Err(Fault::at(FaultKind::Unsorted, row));
        }
        if quantity < 0 {
            return Err(Fault { kind: FaultKind::Negative, column: 2, row });
        }
        before_ns = ts_ns;
        let mut beginning = ts_ns;
        if let Rule::Time(intervals) = rule {
            if let Some(bar) = open {
                beginning = bar.open_ns;
            }
            if ts_ns >= end_ns || open.is_none() {
                if let Some(bar) = open.take() {
                    columns.push(bar, end_ns);
                }
                beginning = intervals.beginning(ts_ns).ok_or_else(|| out_of_range(row))?;
                end_ns = beginning.checked_add(intervals.interval_ns).ok_or_else(|| out_of_range(row))?;
            }
        }
        let bar = match &mut open {
            Some(bar) => {
                bar.high = bar.high.max(price);
                bar.low = bar.low.min(price);
                bar.close = price;
                bar.last_ns = ts_ns;
                bar.volume = bar.volume.checked_add(quantity).ok_or_else(|| out_of_range(row))?;
                *bar
            }
            None => *open.insert(Bar {
                open_ns: beginning,
                last_ns: ts_ns,
                open: price,
                high: price,
                low: price,
                close: price,
                volume: quantity,
                first: row,
            }),
        };
        let complete = match rule {
            Rule::Time(_) => false,
            Rule::Sum(measure, size) => {
                sum += weight_of(measure, price, quantity);
                sum >= size
            }
            Rule::Imbalance(rule) => {
                let side = ticks.side.get(row).copied().unwrap_or(0);
                balance
                    .as_mut()
                    .is_some_and(|balance| balance.take(price, side, weight_of(rule.weight, price, quantity)))
            }
        };
        if complete {
            columns.push_event(bar).ok_or_else(|| out_of_range(row))?;
            open = None;
            sum = 0;
        }
    }
    match (open, rule) {
        (Some(bar), Rule::Time(_)) => columns.push(bar, end_ns),
        (Some(bar), _) if partial => columns.push_event(bar).ok_or_else(|| out_of_range(rows - 1))?,
        _ => {}
    }
    Ok(columns)
}

/// Bars of one instrument, as columns of one length.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// When each bar opened, rising.
    pub open_ns: &'a [i64],
    /// When each bar closed.
    pub close_ns: &'a [i64],
    /// First price.
    pub open: &'a [i64],
    /// Highest price.
    pub high: &'a [i64],
    /// Lowest price.
    pub low: &'a [i64],
    /// Last price.
    pub close: &'a [i64],
    /// Volume; empty where there is none.
    pub volume: &'a [i64],
}

/// Joins bars into those of a longer interval. A last bar whose interval the data does not reach the end of is made only
/// if `partial`. A bar that lies in two intervals is a fault.
pub fn resample(series: Series, intervals: Intervals, partial: bool) -> Result<Columns, Fault> {
    let rows = series.open_ns.len();
    let given = [series.close_ns, series.open, series.high, series.low, series.close, series.volume];
    for (index, column) in given.iter().enumerate() {
        if column.len() != rows && (index < 5 || !column.is_empty()) {
            return Err(Fault { kind: FaultKind::CellCount, column: index + 1, row: column.len().min(rows) });
        }
    }
    let mut columns = Columns::default();
    let mut open: Option<Bar> = None;
    let mut end_ns = i64::MIN;
    for row in 0..rows {
        let out_of_range = || Fault::at(FaultKind::OutOfRange, row);
        let (open_ns, volume) = (series.open_ns[row], series.volume.get(row).copied().unwrap_or(0));
        if row > 0 && open_ns <= series.open_ns[row - 1] {
            return Err(Fault::at(FaultKind::Unsorted, row));
        }
        if open.is_none() || open_ns >= end_ns {
            if let Some(bar) = open.take() {
                columns.push(bar, end_ns);
            }
            let beginning = intervals.beginning(open_ns).ok_or_else(out_of_range)?;
            end_ns = beginning.checked_add(intervals.interval_ns).ok_or_else(out_of_range)?;
            open = Some(Bar {
                open_ns: beginning,
                last_ns: beginning,
                open: series.open[row],
                high: series.high[row],
                low: series.low[row],
                close: series.close[row],
                volume: 0,
                first: row,
            });
        }
        if series.close_ns[row] > end_ns {
            return Err(Fault::at(FaultKind::Straddles, row));
        }
        if let Some(bar) = &mut open {
            bar.high = bar.high.max(series.high[row]);
            bar.low = bar.low.min(series.low[row]);
            bar.close = series.close[row];
            bar.last_ns = series.close_ns[row];
            bar.volume = bar.volume.checked_add(volume).ok_or_else(out_of_range)?;
        }
    }
    if let Some(bar) = open
        && (partial || bar.last_ns >= end_ns)
    {
        columns.push(bar, end_ns);
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TS: [i64; 6] = [0, 4, 10, 10, 10, 31];
    const PRICE: [i64; 6] = [5, 7, 6, 4, 9, 8];
    const QUANTITY: [i64; 6] = [1, 2, 3, 4, 5, 6];

    fn ticks() -> Ticks<'static> {
        Ticks { ts_ns: &TS, price: &PRICE, quantity: &QUANTITY, side: &[] }
    }

    fn time(interval_ns: i64) -> Rule {
        Rule::Time(Intervals { interval_ns, origin_ns: 0 })
    }

    #[test]
    fn an_interval_holds_its_beginning_and_not_its_end_and_empty_ones_have_no_bar() {
        let made = build(ticks(), time(10), false).unwrap();
        assert_eq!(made.open_ns, [0, 10, 30]);
        assert_eq!(made.close_ns, [10, 20, 40]);
        assert_eq!((&made.open[..], &made.close[..]), (&[5, 6, 8][..], &[7, 9, 8][..]));
        assert_eq!((&made.high[..], &made.low[..]), (&[7, 9, 8][..], &[5, 4, 8][..]));
        assert_eq!((&made.volume[..], &made.first[..]), (&[3, 12, 6][..], &[0, 2, 5][..]));
    }

    #[test]
    fn intervals_before_1970_begin_before_their_trades() {
        let early = Ticks { ts_ns: &[-1, 0], price: &[1, 2], quantity: &[], side: &[] };
        assert_eq!(build(early, time(10), false).unwrap().open_ns, [-10, 0]);
    }

    #[test]
    fn a_sum_is_complete_with_the_trade_that_reaches_it() {
        let made = build(ticks(), Rule::Sum(Measure::Volume, 6), false).unwrap();
        assert_eq!(made.volume, [6, 9, 6]);
        let made = build(ticks(), Rule::Sum(Measure::Trades, 4), false).unwrap();
        assert_eq!(made.volume, [10]);
        let made = build(ticks(), Rule::Sum(Measure::Trades, 4), true).unwrap();
        assert_eq!(made.volume, [10, 11]);
        let made = build(ticks(), Rule::Sum(Measure::Notional, 35), false).unwrap();
        assert_eq!(made.first, [0, 3, 5]);
    }

    #[test]
    fn bars_that_end_in_one_instant_still_follow_one_another() {
        let made = build(ticks(), Rule::Sum(Measure::Trades, 1), false).unwrap();
        assert_eq!(made.open_ns, [0, 4, 10, 11, 12, 31]);
        assert_eq!(made.close_ns, [1, 5, 11, 12, 13, 32]);
    }

    #[test]
    fn one_sided_trading_ends_a_bar_when_it_exceeds_what_was_expected() {
        // Four buys make the first bar, so E0[T] = 4 and the expected sign is 1: every later bar needs four of a side.
        let side = [1_i8, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1];
        let times: Vec<i64> = (0..12).collect();
        let ticks = Ticks { ts_ns: &times, price: &[1; 12], quantity: &[], side: &side };
        let rule = Imbalance {
            weight: Measure::Trades,
            expected_trades: 4,
            span_bars: 1,
            span_trades: 1_000_000,
            shortest: 1,
            longest: 100,
        };
        assert_eq!(build(ticks, Rule::Imbalance(rule), false).unwrap().first, [0, 4, 8]);
    }

    #[test]
    fn what_cannot_be_aggregated_is_refused_with_its_row() {
        let falling = Ticks { ts_ns: &[1, 0], price: &[1, 1], quantity: &[], side: &[] };
        assert_eq!(build(falling, time(1), false), Err(Fault::at(FaultKind::Unsorted, 1)));
        let negative = Ticks { ts_ns: &[0], price: &[1], quantity: &[-1], side: &[] };
        assert_eq!(build(negative, time(1), false), Err(Fault { kind: FaultKind::Negative, column: 2, row: 0 }));
        let huge = Ticks { ts_ns: &[0, 0], price: &[1, 1], quantity: &[i64::MAX, 1], side: &[] };
        assert_eq!(build(huge, time(1), false), Err(Fault::at(FaultKind::OutOfRange, 1)));
        let late = Ticks { ts_ns: &[i64::MAX], price: &[1], quantity: &[], side: &[] };
        assert_eq!(build(late, time(10), false), Err(Fault::at(FaultKind::OutOfRange, 0)));
        let short = Ticks { ts_ns: &[0, 1], price: &[1], quantity: &[], side: &[] };
        assert!(build(short, time(10), false).is_err());
    }

    fn fine(close_ns: &'static [i64]) -> Series<'static> {
        Series {
            open_ns: &[0, 5, 10],
            close_ns,
            open: &[1, 2, 3],
            high: &[4, 5, 6],
            low: &[1, 1, 2],
            close: &[2, 3, 4],
            volume: &[7, 8, 9],
        }
    }

    #[test]
    fn finer_bars_join_into_coarser_ones_and_an_unfinished_last_one_is_left_out() {
        let intervals = Intervals { interval_ns: 10, origin_ns: 0 };
        let made = resample(fine(&[5, 10, 15]), intervals, false).unwrap();
        assert_eq!((made.open[0], made.high[0], made.low[0], made.close[0], made.volume[0]), (1, 5, 1, 3, 15));
        assert_eq!((&made.open_ns[..], &made.close_ns[..]), (&[0][..], &[10][..]));
        assert_eq!(resample(fine(&[5, 10, 15]), intervals, true).unwrap().volume, [15, 9]);
        assert_eq!(resample(fine(&[5, 10, 20]), intervals, false).unwrap().volume, [15, 9]);
        let straddling = resample(fine(&[5, 11, 15]), intervals, false);
        assert_eq!(straddling, Err(Fault::at(FaultKind::Straddles, 1)));
    }
}
