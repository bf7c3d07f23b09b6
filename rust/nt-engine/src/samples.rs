//! Equity at every close, kept as what it follows from where that is enough.
//!
//! While a lone instrument is held and nothing fills, equity is `cash + value_per_tick * close`. Such a stretch of bars is kept
//! as those two numbers, however long it is, and multiplied out when the curve is asked for. Everything else is kept amount
//! by amount.

use nt_core::{Error, Money, Nanos, Price, Result};

/// Bars over which cash and position do not change; it ends where the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    first_bar: usize,
    cash: Money,
    /// Money that one tick of the price is worth to the position.
    value_per_tick: Money,
}

/// The equity samples of a run.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    times: Vec<Nanos>,
    amounts: Vec<Money>,
    stretches: Vec<Stretch>,
    /// Bars that the stretches cover.
    bars: usize,
    /// What replaces the last amount, where positions were closed after it.
    last: Option<Money>,
}

impl Samples {
    /// Records an amount.
    pub(crate) fn push(&mut self, time_ns: Nanos, amount: Money) {
        self.times.push(time_ns);
        self.amounts.push(amount);
    }

    /// Records the next bars of a lone instrument.
    pub(crate) fn push_bars(&mut self, count: usize, cash: Money, value_per_tick: Money) {
        let same = self.stretches.last().is_some_and(|last| (last.cash, last.value_per_tick) == (cash, value_per_tick));
        if !same && count != 0 {
            self.stretches.push(Stretch { first_bar: self.bars, cash, value_per_tick });
        }
        self.bars += count;
    }

    /// Replaces the last amount.
    pub(crate) fn replace_last(&mut self, amount: Money) {
        self.last = Some(amount);
    }

    /// The times of the samples: its own, or the closes of the lone instrument.
    pub fn times<'a>(&'a self, close_ns: &'a [Nanos]) -> &'a [Nanos] {
        if self.bars == 0 { &self.times } else { close_ns }
    }

    /// Every amount, mapped; `closes` are those of the lone instrument.
    ///
    /// An amount outside of 128 bits is an error, as it would have been on the way.
    pub fn amounts<T: Copy>(&self, closes: &[Price], map: impl Fn(Money) -> T) -> Result<Vec<T>> {
        let mut mapped: Vec<T> = Vec::with_capacity(self.amounts.len() + self.bars);
        mapped.extend(self.amounts.iter().map(|&amount| map(amount)));
        let ends = self.stretches.iter().skip(1).map(|stretch| stretch.first_bar).chain([self.bars]);
        for (stretch, end) in self.stretches.iter().zip(ends) {
            if stretch.value_per_tick == 0 {
                mapped.extend(std::iter::repeat_n(map(stretch.cash), end - stretch.first_bar));
                continue;
            }
            for &close in &closes[stretch.first_bar..end] {
                let value = stretch.value_per_tick.checked_mul(i128::from(close));
                let equity = value.and_then(|value| value.checked_add(stretch.cash));
                mapped.push(map(equity.ok_or(Error::Overflow("an amount of money"))?));
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
