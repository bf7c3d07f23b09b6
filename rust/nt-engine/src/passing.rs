//! Moments at which nothing can happen to an account: bars of any number of instruments, passed in one step.

use nt_core::{Bars, Money, Nanos, Price, Result};

use crate::bar_match::volume_budget;
use crate::engine::Engine;
use crate::player::Cursor;

/// Money and values up to this size add up without leaving 128 bits.
const SMALL: Money = 1 << 125;

impl Engine {
    /// Whether nothing but marks can change while prices stay within limits, given by instrument: no order works, and the
    /// worst of these prices leave equity. An account that is more than the usual one is never calm.
    pub(crate) fn is_calm(&self, extremes: &[(Price, Price)]) -> bool {
        if self.account.is_some() || self.markets.iter().any(|market| !market.working.is_empty()) {
            return false;
        }
        if self.held == 0 {
            return self.halted || self.ledger.cash() > 0;
        }
        let (mut size, mut worst) = (self.ledger.cash().saturating_abs(), self.ledger.cash());
        for (k, &(low, high)) in extremes.iter().enumerate() {
            let position = self.position(k);
            if position != 0 {
                let value_per_tick = i128::from(position).saturating_mul(self.markets[k].instrument.contract.unit);
                let value = |price: Price| value_per_tick.saturating_mul(i128::from(price));
                size = size.saturating_add(value(low).saturating_abs().max(value(high).saturating_abs()));
                worst = worst.saturating_add(value(low).min(value(high)));
            }
        }
        size < SMALL && worst > 0
    }

    /// All that moments do at which it is calm: instruments stand at other marks, and so many more bars of theirs have
    /// opened. Samples are counted, and nothing is kept of them.
    pub(crate) fn pass(
        &mut self,
        now_ns: Nanos,
        marks: &[Price],
        reached: &[Cursor],
        bars: &[Bars<'_>],
        samples: usize,
    ) -> Result<()> {
        self.now_ns = now_ns;
        for (k, (&mark, &(index, is_open))) in marks.iter().zip(reached).enumerate() {
            let opened = index + usize::from(is_open);
            self.markets[k].opened = opened as u32;
            if mark != self.markets[k].mark {
                self.set_mark(k, mark)?;
            }
            if let Some(cap) = self.config.volume_cap
                && let Some(last) = opened.checked_sub(1)
            {
                self.markets[k].budget = Some(volume_budget(bars[k].opening(k, last).volume, cap)?);
            }
        }
        self.count_samples(samples);
        Ok(())
    }

    /// Counts samples that are not kept.
    pub(crate) fn count_samples(&mut self, count: usize) {
        self.samples.count(count);
        self.exposed_samples += if self.held != 0 { count as u64 } else { 0 };
    }
}
