//! Kraken's checksum of a book: CRC-32 over the digits of the ten best levels of each side.

use nt_core::Side;

use crate::{BookError, Depth, Level};

/// Levels of each side that the checksum covers.
const LEVELS: usize = 10;

/// The longest text: two sides of ten levels, each with two numbers of at most nineteen digits.
const TEXT_MAX: usize = 2 * LEVELS * 2 * 19;

/// How the digits of the venue's text follow from counts of ticks and lots: each is how many units of the last printed
/// decimal one step is worth. On a grid whose tick is `1 / 10^precision`, as Kraken's are, both are 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KrakenScale {
    /// Units of the last printed decimal of a price in one tick.
    pub price: i64,
    /// Units of the last printed decimal of a quantity in one lot.
    pub quantity: i64,
}

impl Default for KrakenScale {
    fn default() -> Self {
        Self { price: 1, quantity: 1 }
    }
}

impl KrakenScale {
    /// The checksum of a book that has been truncated to the subscribed depth.
    ///
    /// The rule ("Book checksum", Kraken WebSocket v2): asks from the lowest, then bids from the highest, at most ten of
    /// each; of every level the price and then the quantity, printed at the pair's full precision, without the point and
    /// without leading zeros; CRC-32 of all these digits. A number without its point and its leading zeros is just the
    /// count of its last decimal, so nothing has to be padded here.
    ///
    /// # Errors
    /// [`BookError::Scale`] if a number is not positive or its digits exceed 64 bits.
    pub fn checksum(self, book: &impl Depth) -> Result<u32, BookError> {
        let mut text = [0_u8; TEXT_MAX];
        let mut used = 0;
        for side in [Side::Sell, Side::Buy] {
            for Level { price, quantity } in book.levels(side).take(LEVELS) {
                for (count, scale) in [(price, self.price), (quantity, self.quantity)] {
                    let digits = count.checked_mul(scale).filter(|&digits| digits > 0).ok_or(BookError::Scale)?;
                    used += write_digits(digits as u64, &mut text[used..]);
                }
            }
        }
        Ok(crc32(&text[..used]))
    }
}

/// Writes a number to the beginning of `text` and says how many digits it has.
#[inline]
fn write_digits(number: u64, text: &mut [u8]) -> usize {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    let length = digits.len() - at;
    text[..length].copy_from_slice(&digits[at..]);
    length
}

/// Table `k` advances a byte over `k` further bytes of zeros, so that eight bytes need one step.
const TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0_u32; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = before >> 8 ^ tables[0][(before & 0xFF) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// CRC-32 as in ISO 3309 and zlib: reflected, polynomial `0x04C11DB7`.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    let (blocks, rest) = bytes.as_chunks::<8>();
    for block in blocks {
        let word = u64::from_le_bytes(*block) ^ u64::from(crc);
        crc = (0..8).fold(0, |crc, at| crc ^ TABLES[7 - at][(word >> (8 * at) & 0xFF) as usize]);
    }
    for &byte in rest {
        crc = crc >> 8 ^ TABLES[0][((crc ^ u32::from(byte)) & 0xFF) as usize];
    }
    !crc
}
