//! What our takes leave on the price of a book, and how it decays (docs/book-rules.md, section 13).

use std::num::NonZeroU64;

use nt_core::{Error, Nanos, Price, Quantity, Result, Side};
use serde::{Deserialize, Serialize};

use super::{Book, Venue, place};
use crate::engine::Engine;

/// So many of the best levels are the depth that a take is compared with.
const LEVELS: usize = 10;
/// Parts of a tick that are counted; what has decayed below one is gone.
const FINENESS: i128 = 1_000;
const PPB: i64 = 1_000_000_000;
const TOO_MUCH: Error = Error::Overflow("an impact");

/// How much a take moves the price against those that follow, and how long that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    rate: i64,
    half_life_ns: NonZeroU64,
}

/// What is left on one side: parts of a tick at the beginning of the half-life of this number.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Left {
    parts: i64,
    number: u64,
}

/// What a take finds: by how many ticks it is worse, and the depth of the side that it takes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    pub worse: Price,
    depth: i128,
}

impl Impact {
    /// An impact of a share of the price, in parts per billion, for all of the depth; a share of 0 is none.
    pub fn new(rate: i64, half_life_ns: Nanos) -> Result<Option<Self>> {
        let half_life_ns = u64::try_from(half_life_ns).ok().and_then(NonZeroU64::new);
        let Some(half_life_ns) = half_life_ns.filter(|_| (0..=PPB).contains(&rate)) else {
            return Err(Error::Misuse("the rate of an impact is from 0 to 1, and its half-life positive".into()));
        };
        Ok((rate > 0).then_some(Impact { rate, half_life_ns }))
    }

    fn at_beginning(self, left: Left, now_ns: Nanos) -> i64 {
        let halvings = self.number(now_ns).saturating_sub(left.number);
        u32::try_from(halvings).ok().and_then(|halvings| left.parts.checked_shr(halvings)).unwrap_or(0)
    }

    /// The number of the present half-life; venue time is never negative.
    fn number(self, now_ns: Nanos) -> u64 {
        now_ns.cast_unsigned() / self.half_life_ns
    }

    /// Of twice the half-life, so much is left of what the present one began with.
    fn weight(self, now_ns: Nanos) -> i128 {
        self.whole() - i128::from(now_ns.cast_unsigned() % self.half_life_ns)
    }

    fn whole(self) -> i128 {
        2 * i128::from(self.half_life_ns.get())
    }

    fn ticks(self, left: Left, now_ns: Nanos) -> Result<Price> {
        let outstanding = i128::from(self.at_beginning(left, now_ns)) * self.weight(now_ns) / self.whole();
        Price::try_from(div_up(outstanding, FINENESS)).map_err(|_| TOO_MUCH)
    }

    fn after(self, left: Left, now_ns: Nanos, price: Price, quantity: Quantity, depth: i128) -> Result<Left> {
        let product = [self.rate.into(), quantity.into(), FINENESS];
        let product = product.into_iter().try_fold(i128::from(price), i128::checked_mul).ok_or(TOO_MUCH)?;
        let added = i64::try_from(div_up(product, depth * i128::from(PPB))).map_err(|_| TOO_MUCH)?;
        // A part of the half-life is over: what began with it would have been more.
        let added = div_up(i128::from(added) * self.whole(), self.weight(now_ns));
        let parts = i128::from(self.at_beginning(left, now_ns)) + added;
        let parts = i64::try_from(parts).map_err(|_| TOO_MUCH)?;
        Ok(Left { parts, number: self.number(now_ns) })
    }
}

/// A quotient of a number that is not negative, rounded up.
fn div_up(dividend: i128, divisor: i128) -> i128 {
    dividend / divisor + i128::from(dividend % divisor != 0)
}

impl<B: Book> Venue<B> {
    /// What a take of this side finds before it begins.
    pub(super) fn find_impact(&self, engine: &Engine, side: Side) -> Result<Found> {
        let Some(impact) = self.rules.impact else { return Ok(Found::default()) };
        let levels = self.book.levels(side.opposite()).take(LEVELS);
        Ok(Found {
            worse: impact.ticks(self.left[place(side)], engine.now_ns)?,
            depth: levels.map(|level| i128::from(level.quantity)).sum(),
        })
    }

    /// What a take leaves of a fill at a level.
    pub(super) fn leave_impact(
        &mut self,
        engine: &Engine,
        side: Side,
        price: Price,
        quantity: Quantity,
        found: Found,
    ) -> Result<()> {
        if let Some(impact) = self.rules.impact.filter(|_| quantity != 0) {
            let left = &mut self.left[place(side)];
            *left = impact.after(*left, engine.now_ns, price, quantity, found.depth)?;
        }
        Ok(())
    }
}
