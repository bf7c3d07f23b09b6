//! Market data on its way in: text and floats become exact integers on a grid, times become nanoseconds.
//!
//! Laws: a decimal text is parsed as a decimal and never through a float, unless it has more decimals than any grid;
//! a float is taken for the shortest decimal on the grid that reads back as the same float; nothing is reordered,
//! repaired or dropped; every refusal names its row. Nothing here opens a file or reads a clock.
//!
//! Columns of files go through `decimal`, `instant`, `grid` and `timeline`. Messages of venues go through `feed`, which
//! decodes them (one file per venue, on the cursor in `json`), joins them (`sequence`, `join`) and hands out `event`s.

mod bar;
pub mod bars;
mod binance;
pub mod capture;
mod coinbase;
mod coinbase_exchange;
pub mod consistency;
mod counting;
pub mod decimal;
pub mod description;
mod document;
pub mod fault;
pub mod feed;
pub mod grid;
pub mod instant;
pub mod instrument;
mod join;
mod json;
mod kraken;
pub mod malformed;
pub mod models;
mod oanda;
pub mod order_collapse;
pub mod order_flow;
mod quote;
pub mod random;
mod section;
mod sequence;
pub mod step;
pub mod synthetic;
pub mod timeline;

pub use nt_core::record as event;

/// Powers of ten that fit 64 bits.
pub const POWERS_OF_TEN: [i64; 19] = {
    let mut powers = [1_i64; 19];
    let mut index = 1;
    while index < 19 {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// The most decimals that a tick may have.
pub const DECIMALS_MAX: u8 = 9;
