//! Records that are told in batches: all that have arrived since the last one (docs/book-rules.md, section 14).

use nt_core::{Error, Nanos, Result};
use serde::{Deserialize, Serialize};

use super::{Replay, Turn};
use crate::source::Source;

/// How records are told where they come in batches.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Batches {
    interval_ns: Nanos,
    /// The number of the timer that ends the batch which has begun.
    awaited: Option<u64>,
    /// What the last batch tells: when it arrived, its source and its position there.
    #[serde(skip)]
    told: Vec<(Nanos, usize, usize)>,
}

impl Replay {
    /// Tells records of the kinds that are wanted in batches, at multiples of an interval.
    pub fn tell_in_batches(&mut self, interval_ns: Nanos) -> Result<()> {
        if interval_ns <= 0 {
            return Err(Error::Misuse("the interval of batches must be positive".into()));
        }
        self.batches = Some(Box::new(Batches { interval_ns, ..Batches::default() }));
        Ok(())
    }

    /// Source and position of the records that the last batch told, in the order of their arrival.
    pub fn batch(&self) -> impl Iterator<Item = (usize, usize)> {
        self.batches.iter().flat_map(|batches| batches.told.iter()).map(|&(_, source, index)| (source, index))
    }

    /// Whether another replay tells records in the same way.
    pub(super) fn batches_alike(&self, other: &Replay) -> bool {
        let interval_ns = |replay: &Replay| replay.batches.as_ref().map(|batches| batches.interval_ns);
        interval_ns(self) == interval_ns(other)
    }

    #[inline]
    pub(super) fn awaits_batch(&self) -> bool {
        self.batches.as_ref().is_some_and(|batches| batches.awaited.is_some())
    }

    /// Sets the timer that ends the batch of which the first record arrives; says whether records come in batches.
    pub(super) fn begin_batch(&mut self, time_ns: Nanos) -> bool {
        let Some(batches) = &mut self.batches else { return false };
        let interval_ns = batches.interval_ns;
        batches.awaited = Some(self.timers_set);
        self.add_timer(time_ns.saturating_add((interval_ns - time_ns % interval_ns) % interval_ns));
        true
    }

    /// Gathers what has arrived, if the timer of this number ends a batch.
    pub(super) fn end_batch(&mut self, sources: &[Source<'_>], time_ns: Nanos, timer: u64) -> Option<Turn> {
        let batches = self.batches.as_mut().filter(|batches| batches.awaited == Some(timer))?;
        batches.awaited = None;
        let told = &mut batches.told;
        told.clear();
        let mut parts = 0;
        for (at, (source, cursor)) in sources.iter().zip(&mut self.wanted).enumerate() {
            let before = told.len();
            while let Some(record) = source.get(cursor.at) {
                let here_ns = cursor.our_ns(&record, self.settings.feed_ns);
                if here_ns > time_ns {
                    break;
                }
                if self.wants.has(source, &record) {
                    told.push((here_ns, at, cursor.at));
                }
                cursor.pass_here(&record, here_ns);
            }
            parts += usize::from(told.len() > before);
        }
        if parts > 1 {
            told.sort_unstable();
        }
        Some(Turn::Batch(time_ns))
    }
}
