//! Books as text: the highest price first, bids to the left of the price, asks to the right.
//!
//! ```text
//! bid | price | ask
//!     |   102 |   7
//!     |   101 |   5
//!   4 |   100 |
//!  12 |    99 |
//! ```
//!
//! What is drawn can be read again, so that a test shows its book instead of describing it.

use std::collections::BTreeMap;

use nt_core::{Price, Side, Step};

use crate::level::place;
use crate::{BookError, Depth, Level, OrderBook, RestingOrder};

/// The best `depth` levels of both sides, in ticks and lots; with a grid, in decimals.
pub fn draw(book: &impl Depth, depth: usize, grid: Option<(Step, Step)>) -> String {
    let write = |count: i64, step: Option<Step>| step.map_or_else(|| count.to_string(), |step| decimal(count, step));
    let mut rows = BTreeMap::<Price, [String; 2]>::new();
    for side in [Side::Buy, Side::Sell] {
        for level in book.levels(side).take(depth) {
            rows.entry(level.price).or_default()[place(side)] = write(level.quantity, grid.map(|(_, lot)| lot));
        }
    }
    table(rows, |price| write(price, grid.map(|(tick, _)| tick)))
}

/// The same of an L3 book in ticks and lots, with the orders of each level in the order of their priority; our own are
/// marked with a star.
pub fn draw_orders(book: &OrderBook, depth: usize) -> String {
    let mut rows = BTreeMap::<Price, [String; 2]>::new();
    for side in [Side::Buy, Side::Sell] {
        for Level { price, .. } in book.levels(side).take(depth) {
            let write = |order: RestingOrder| format!("{}{}", order.quantity, if order.own { "*" } else { "" });
            let queue: Vec<String> = book.orders_at(side, price).map(write).collect();
            rows.entry(price).or_default()[place(side)] = queue.join(" ");
        }
    }
    table(rows, |price| price.to_string())
}

fn table(rows: BTreeMap<Price, [String; 2]>, price: impl Fn(Price) -> String) -> String {
    let mut lines = vec![["bid".to_owned(), "price".to_owned(), "ask".to_owned()]];
    lines.extend(rows.into_iter().rev().map(|(at, [bid, ask])| [bid, price(at), ask]));
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    let (bids, prices, asks) = (width(0), width(1), width(2));
    let write = |[bid, price, ask]: &[String; 3]| {
        format!("{bid:>bids$} | {price:>prices$} | {ask:>asks$}").trim_end().to_owned() + "\n"
    };
    lines.iter().map(write).collect()
}

/// An exact decimal of a count of steps, with all decimals of the step.
fn decimal(count: i64, step: Step) -> String {
    let units = i128::from(count) * i128::from(step.mantissa);
    let one = 10_i128.pow(step.decimals.into());
    let (sign, units) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
    let (whole, rest) = (units / one.unsigned_abs(), units % one.unsigned_abs());
    match step.decimals {
        0 => format!("{sign}{whole}"),
        decimals => format!("{sign}{whole}.{rest:0width$}", width = decimals.into()),
    }
}

/// The bids and the asks of a drawing in ticks and lots, from the highest price down.
///
/// # Errors
/// [`BookError::Drawing`] for a line that is no row of one.
pub fn levels_from_text(text: &str) -> Result<[Vec<Level>; 2], BookError> {
    let mut sides = [vec![], vec![]];
    for (line, price, cells) in rows(text)? {
        for (side, cell) in sides.iter_mut().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            let quantity = cell.parse().map_err(|_| BookError::Drawing { line, text: cell.to_owned() })?;
            side.push(Level { price, quantity });
        }
    }
    Ok(sides)
}

/// The orders of a drawing, numbered from 1 as one reads.
///
/// # Errors
/// [`BookError::Drawing`] for a line that is no row of one.
pub fn orders_from_text(text: &str) -> Result<Vec<RestingOrder>, BookError> {
    let mut orders = vec![];
    for (line, price, cells) in rows(text)? {
        for (side, cell) in [Side::Buy, Side::Sell].into_iter().zip(cells) {
            for word in cell.split_whitespace() {
                let digits = word.strip_suffix('*');
                let quantity = digits.unwrap_or(word).parse();
                let quantity = quantity.map_err(|_| BookError::Drawing { line, text: word.to_owned() })?;
                orders.push(RestingOrder { id: orders.len() as u64 + 1, side, price, quantity, own: digits.is_some() });
            }
        }
    }
    Ok(orders)
}

/// The number of a line, its price and its cells.
type Row<'a> = (usize, Price, [&'a str; 2]);

/// The rows of a drawing; the head and empty lines are passed over.
fn rows(text: &str) -> Result<Vec<Row<'_>>, BookError> {
    let mut rows = vec![];
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let refused = || BookError::Drawing { line: at + 1, text: line.to_owned() };
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let &[bid, price, ask] = cells.as_slice() else { return Err(refused()) };
        if price != "price" {
            rows.push((at + 1, price.parse().map_err(|_| refused())?, [bid, ask]));
        }
    }
    Ok(rows)
}
