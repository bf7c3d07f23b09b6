//! Market data on its way in: text and floats become exact integers on a grid, times become nanoseconds.
//!
//! Laws: a decimal text is parsed as a decimal and never through a float, unless it has more decimals than any grid;
//! a float is taken for the shortest decimal on the grid that reads back as the same float; nothing is reordered,
//! repaired or dropped; every refusal names its row. Nothing here opens a file or reads a clock.

pub mod bars;
pub mod consistency;
pub mod decimal;
pub mod fault;
pub mod grid;
pub mod instant;
pub mod random;
pub mod step;
pub mod synthetic;
pub mod timeline;

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
