//! Equity at every close, kept as what it follows from where that is enough.
//!
//! While a lone instrument is held and nothing fills, equity is `cash + value_per_tick * close`. Such a stretch of bars is kept
//! as those two numbers, however long it is, and multiplied out when the curve is asked for. Everything else is kept amount
//! by amount; or, where bars are played in pieces and memory must not grow with them, as such stretches per instrument, which
//! `replay.rs` multiplies out.

use nt_core::{Error, Money, Nanos, Price, Result};
use serde::{Deserialize, Serialize};

/// Samples over which cash and the position in an instrument do not change; it ends where the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stretch {
    pub first_bar: usize,
    pub instrument: u32,
    pub cash: Money,
    /// Money that one tick of the price is worth to the position.
    pub value_per_tick: Money,
}

impl Stretch {
    fn equity(&self, close: Price) -> Result<Money> {
        let value = self.value_per_tick.checked_mul(i128::from(close));
        value.and_then(|value| value.checked_add(self.cash)).ok_or(Error::Overflow("an amount of money"))
    }
}

/// Units of money in one of the currency.
const UNITS: f64 = 1e18;

/// A stretch prepared to turn its amounts into the floats nearest to them. Zero bits that all amounts end with are taken off,
/// which mostly leaves a value per tick of 64 bits; then a shift by one distance leaves 55 to 62 leading bits of nearly all of
/// them, from which the processor rounds.
struct Quick {
    cash: Money,
    value_per_tick: i64,
    shift: u32,
    factor: f64,
}

impl Quick {
    /// For amounts up to the one at the price `highest`, if they are in range.
    fn of(stretch: &Stretch, highest: Price) -> Option<Self> {
        let far = stretch.equity(highest).ok().filter(|_| highest >= 0)?;
        let zeros = (stretch.cash | stretch.value_per_tick).trailing_zeros().min(64);
        let value_per_tick = i64::try_from(stretch.value_per_tick >> zeros).ok()?;
        let largest = (far >> zeros).unsigned_abs() | (stretch.cash >> zeros).unsigned_abs();
        let shift = (128 - largest.leading_zeros()).saturating_sub(62);
        // Both factors are powers of two, so scaling by them is exact.
        let factor = 2_f64.powi((zeros + shift) as i32);
        (shift < 64).then_some(Quick { cash: stretch.cash >> zeros, value_per_tick, shift, factor })
    }

    /// The float nearest to equity at a price from 0 to the highest; nothing where its leading bits are too few.
    #[inline(always)]
    fn float(&self, close: Price) -> Option<f64> {
        let amount = self.cash.wrapping_add(i128::from(self.value_per_tick) * i128::from(close));
        let leading = (amount >> self.shift) as i64;
        // What is shifted out matters only for ties: one bit that is set if any of it is.
        let rest = amount as u64 & ((1 << self.shift) - 1) != 0;
        (leading >= 1 << 54).then(|| (leading | i64::from(rest)) as f64 * self.factor)
    }
}

/// The equity samples of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Samples {
    times: Vec<Nanos>,
    amounts: Vec<Money>,
    stretches: Vec<Stretch>,
    /// Bars, or moments, that the stretches cover.
    bars: usize,
    /// What replaces the last amount, where positions were closed after it.
    last: Option<Money>,
    condensed: bool,
}

impl Samples {
    /// Records an amount.
    pub(crate) fn push(&mut self, time_ns: Nanos, amount: Money) {
        self.times.push(time_ns);
        self.amounts.push(amount);
    }

    /// Makes all samples be kept as stretches.
    pub(crate) fn condense(&mut self) {
        self.condensed = true;
    }

    /// Whether all samples are kept as stretches.
    #[inline]
    pub fn is_condensed(&self) -> bool {
        self.condensed
    }

    /// Cash and the position in an instrument are new from the next sample on.
    pub(crate) fn push_change(&mut self, instrument: u32, cash: Money, value_per_tick: Money) {
        self.stretches.push(Stretch { first_bar: self.bars, instrument, cash, value_per_tick });
    }

    /// Records a sample that follows from the stretches.
    #[inline]
    pub(crate) fn push_unchanged(&mut self) {
        self.bars += 1;
    }

    /// Where cash and positions change, in order; before the first there is the deposit.
    pub(crate) fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// What replaces the last amount, if anything does.
    pub(crate) fn last(&self) -> Option<Money> {
        self.last
    }

    /// Makes room for so many more stretches.
    pub(crate) fn expect_stretches(&mut self, count: usize) {
        self.stretches.reserve(count);
    }

    /// Records the next bars of a lone instrument.
    pub(crate) fn push_bars(&mut self, count: usize, cash: Money, value_per_tick: Money) {
        let same = self.stretches.last().is_some_and(|last| (last.cash, last.value_per_tick) == (cash, value_per_tick));
        if !same && count != 0 {
            self.push_change(0, cash, value_per_tick);
        }
        self.bars += count;
    }

    /// The stretches, to be forgotten or to be filled anew; how many samples there are stays.
    pub(crate) fn stretches_mut(&mut self) -> &mut Vec<Stretch> {
        &mut self.stretches
    }

    /// Replaces the last amount.
    pub(crate) fn replace_last(&mut self, amount: Money) {
        self.last = Some(amount);
    }

    /// The times of the samples: its own, or the closes of the lone instrument.
    pub fn times<'a>(&'a self, close_ns: &'a [Nanos]) -> &'a [Nanos] {
        if self.bars == 0 { &self.times } else { &close_ns[..self.bars] }
    }

    /// The amount of a sample that is kept by itself.
    pub(crate) fn amount(&self, at: usize) -> Option<Money> {
        self.amounts.get(at).copied()
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.amounts.len() + self.bars
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every amount as the float nearest to it, divided by the units in one of the currency: `amount as f64 / 1e18`, in a
    /// third of the time. `curve` is as long as there are samples; `closes` are those of the lone instrument.
    pub fn in_currency(&self, closes: &[Price], curve: &mut [f64]) -> Result<()> {
        self.in_currency_since(0, closes, curve)
    }

    /// The same where the samples before the one at `first` have been forgotten.
    pub(crate) fn in_currency_since(&self, first: usize, closes: &[Price], curve: &mut [f64]) -> Result<()> {
        let (kept, mut rest) = curve.split_at_mut(self.amounts.len());
        for (slot, &amount) in kept.iter_mut().zip(&self.amounts) {
            *slot = amount as f64 / UNITS;
        }
        for (stretch, end) in self.stretches.iter().zip(self.ends()) {
            let of_stretch;
            (of_stretch, rest) = rest.split_at_mut(end - stretch.first_bar);
            let closes = &closes[stretch.first_bar - first..end - first];
            if stretch.value_per_tick == 0 {
                of_stretch.fill(stretch.cash as f64 / UNITS);
                continue;
            }
            // None of them is above all of them or'ed, unless there is a negative one, which makes that negative too.
            let quick = Quick::of(stretch, closes.iter().fold(0, |all, close| all | close));
            for (slot, &close) in of_stretch.iter_mut().zip(closes) {
                let amount = match quick.as_ref().and_then(|quick| quick.float(close)) {
                    Some(amount) => amount,
                    None => stretch.equity(close)? as f64,
                };
                *slot = amount / UNITS;
            }
        }
        if let (Some(slot), Some(last)) = (curve.last_mut(), self.last) {
            *slot = last as f64 / UNITS;
        }
        Ok(())
    }

    /// Equity at one sample, as [`Samples::in_currency`] has it; the samples before the one at `first` may be forgotten.
    pub(crate) fn in_currency_at(&self, at: usize, first: usize, closes: &[Price]) -> Result<f64> {
        if let Some(last) = self.last.filter(|_| at + 1 == self.len()) {
            return Ok(last as f64 / UNITS);
        }
        if let Some(amount) = self.amount(at) {
            return Ok(amount as f64 / UNITS);
        }
        let stretch = self.stretches.partition_point(|stretch| stretch.first_bar <= at).checked_sub(1);
        let Some(stretch) = stretch.map(|stretch| &self.stretches[stretch]) else {
            return Err(Error::Misuse("a sample that has been forgotten".into()));
        };
        // Without a position no price is needed, and none is multiplied.
        let price = if stretch.value_per_tick == 0 { 0 } else { closes[at - first] };
        Ok(stretch.equity(price)? as f64 / UNITS)
    }

    /// The bar at which each stretch ends.
    fn ends(&self) -> impl Iterator<Item = usize> {
        self.stretches.iter().skip(1).map(|stretch| stretch.first_bar).chain([self.bars])
    }

    /// Every amount, mapped; `closes` are those of the lone instrument.
    ///
    /// An amount outside of 128 bits is an error, as it would have been on the way.
    pub fn amounts<T: Copy>(&self, closes: &[Price], map: impl Fn(Money) -> T) -> Result<Vec<T>> {
        let mut mapped: Vec<T> = Vec::with_capacity(self.amounts.len() + self.bars);
        mapped.extend(self.amounts.iter().map(|&amount| map(amount)));
        for (stretch, end) in self.stretches.iter().zip(self.ends()) {
            if stretch.value_per_tick == 0 {
                mapped.extend(std::iter::repeat_n(map(stretch.cash), end - stretch.first_bar));
                continue;
            }
            for &close in &closes[stretch.first_bar..end] {
                mapped.push(map(stretch.equity(close)?));
            }
        }
        if let (Some(slot), Some(last)) = (mapped.last_mut(), self.last) {
            *slot = map(last);
        }
        Ok(mapped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quick_floats_are_those_that_a_conversion_gives(
            cash in (any::<i128>(), 0..128_u32, 0..100_u32),
            value_per_tick in (any::<i128>(), 0..128_u32, 0..100_u32),
            closes in prop::collection::vec((0..i64::MAX, 0..63_u32), 1..50),
        ) {
            // Of all sizes and ending in any number of zeros, so that there are ties.
            let [cash, value_per_tick] = [cash, value_per_tick].map(|(bits, down, zeros)| (bits >> down) & (-1 << zeros));
            let stretch = Stretch { first_bar: 0, instrument: 0, cash, value_per_tick };
            let closes: Vec<i64> = closes.into_iter().map(|(bits, down)| bits >> down).collect();
            if let Some(quick) = Quick::of(&stretch, closes.iter().fold(0, |all, close| all | close)) {
                for close in closes {
                    if let Some(float) = quick.float(close) {
                        prop_assert_eq!(Ok(float.to_bits()), stretch.equity(close).map(|amount| (amount as f64).to_bits()));
                    }
                }
            }
        }

        #[test]
        fn the_curve_in_currency_is_that_of_the_amounts(
            stretches in prop::collection::vec((1..5_usize, any::<i128>(), any::<i128>(), 0..127_u32), 0..20),
            closes in prop::collection::vec(0..i64::MAX, 100),
            last in prop::option::of(any::<i128>()),
        ) {
            let mut samples = Samples::default();
            for (count, cash, value_per_tick, shift) in stretches {
                samples.push_bars(count, cash >> shift, value_per_tick >> shift);
            }
            if let Some(last) = last {
                samples.replace_last(last);
            }
            let exact = samples.amounts(&closes, |amount| (amount as f64 / 1e18).to_bits());
            let mut curve = vec![0.0; samples.len()];
            let fast = samples.in_currency(&closes, &mut curve);
            let single: Result<Vec<_>> =
                (0..samples.len()).map(|at| samples.in_currency_at(at, 0, &closes).map(f64::to_bits)).collect();
            // Of a last amount that was replaced, the curve multiplies out what it replaces, too, which may be too much.
            if exact.is_ok() {
                prop_assert_eq!(&single, &exact);
            }
            prop_assert_eq!(fast.map(|()| curve.into_iter().map(f64::to_bits).collect::<Vec<_>>()), exact);
        }
    }

    #[test]
    fn stretches_multiply_out_to_the_amounts_they_stand_for() {
        let mut samples = Samples::default();
        for (count, cash, value_per_tick) in [(2, 10, 0), (0, 7, 7), (1, 4, 2), (1, 4, 2), (1, 9, 0)] {
            samples.push_bars(count, cash, value_per_tick);
        }
        assert_eq!(samples.amounts(&[3, 4, 3, 5, 6], |amount| amount), Ok(vec![10, 10, 10, 14, 9]));
        assert_eq!(samples.stretches.len(), 3);
        samples.replace_last(8);
        assert_eq!(samples.amounts(&[3, 4, 3, 5, 6], |amount| amount), Ok(vec![10, 10, 10, 14, 8]));
    }
}
