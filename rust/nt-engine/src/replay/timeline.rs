//! What happens next, and records at their venues (docs/book-rules.md, section 2).

use nt_core::record::LAST;
use nt_core::{Error, Nanos, Record, Result};

use super::{Line, NEVER, Next, Replay};
use crate::source::Source;

impl Replay {
    /// The next thing that happens beside records at their venue: when, what, and where.
    pub(super) fn next(&mut self, sources: &[Source<'_>]) -> (Nanos, Next, usize) {
        let mut next = (NEVER, Next::Timer, 0);
        if let Some(&(time_ns, _)) = self.timers.front() {
            next = (time_ns, Next::Timer, 0);
        }
        if !self.wants.is_empty() && !self.awaits_batch() {
            for (at, source) in sources.iter().enumerate() {
                if let Some(time_ns) = self.next_wanted(at, source) {
                    next = next.min((time_ns, Next::Record, at));
                }
            }
        }
        if !self.bars.is_empty()
            && let Some(of_bars) = self.next_of_bars(sources)
        {
            next = next.min(of_bars);
        }
        next = next.min((self.next_sample_ns, Next::Sample, 0));
        for (k, line) in self.lines.iter().enumerate() {
            if let Some(&(time_ns, _)) = line.answers.front() {
                next = next.min((time_ns, Next::Answer, k));
            }
            if let Some(&(time_ns, _)) = line.commands.front() {
                next = next.min((time_ns, Next::Command, k));
            }
        }
        if let Some(time_ns) = self.engine.next_accrual_ns() {
            next = next.min((time_ns, Next::Accrual, 0));
        }
        let expiries = self.venues.iter().enumerate();
        let expiry = expiries.filter_map(|(k, venue)| venue.next_expiry().map(|expiry| (expiry, k))).min();
        if let Some(((time_ns, _), k)) = expiry {
            next = next.min((time_ns, Next::Expiry, k));
        }
        next
    }

    /// Puts a timer behind those that were set before.
    pub(super) fn add_timer(&mut self, time_ns: Nanos) {
        let key = (time_ns.max(self.now_ns), self.timers_set);
        self.timers_set += 1;
        let at = self.timers.partition_point(|&other| other < key);
        self.timers.insert(at, key);
    }

    /// Plays records at their venues up to a time. Says whether something else may come first now.
    pub(super) fn play_records(&mut self, sources: &[Source<'_>], until_ns: Nanos) -> Result<bool> {
        if let [source] = sources
            && !self.settings.by_bars
        {
            return self.play_lone(source, until_ns);
        }
        let mut any = false;
        loop {
            let next = |(at, source): (usize, &Source<'_>)| {
                let cursor = &self.at_venue[at];
                source.get(cursor.at).map(|record| (cursor.venue_ns(&record), at))
            };
            let Some((time_ns, at)) = sources.iter().enumerate().filter_map(next).min() else { return Ok(any) };
            if time_ns > until_ns {
                return Ok(any);
            }
            let begins = self.begin_interval(time_ns);
            let index = self.at_venue[at].at;
            self.at_venue[at].pass_venue(time_ns);
            let source = &sources[at];
            let happened = match source.get(index).and_then(|record| Some((source.rank_at_venue(&record)?, record))) {
                Some((rank, record)) => {
                    self.engine.now_ns = time_ns;
                    let played = self.venues[rank].play(&mut self.engine, &record);
                    played.map_err(|error| at_record(error, at, index))?;
                    self.settle(time_ns)? | self.listen(rank, &record, time_ns)
                }
                None => false,
            };
            if begins || happened {
                return Ok(true);
            }
            any = true;
        }
    }

    /// By bars, lets commands arrive that came before this record. Says whether there are any.
    #[inline]
    fn listen(&mut self, rank: usize, record: &Record, time_ns: Nanos) -> bool {
        if !self.settings.by_bars || record.flags & LAST == 0 {
            return false;
        }
        let Line { commands, unheard, .. } = &mut self.lines[rank];
        let heard = unheard.iter().take_while(|&&(arrived_ns, _)| arrived_ns < time_ns).count();
        commands.extend(unheard.drain(..heard).map(|(_, command)| (time_ns, command)));
        heard > 0
    }

    /// The same for one source, in one stretch as long as nothing of ours happens.
    pub(super) fn play_lone(&mut self, source: &Source<'_>, until_ns: Nanos) -> Result<bool> {
        let mut cursor = self.at_venue[0];
        let mut stopped = false;
        while let Some(record) = source.get(cursor.at) {
            let time_ns = cursor.venue_ns(&record);
            if time_ns > until_ns {
                break;
            }
            stopped = self.begin_interval(time_ns);
            cursor.pass_venue(time_ns);
            if let Some(rank) = source.rank_at_venue(&record) {
                self.engine.now_ns = time_ns;
                let played = self.venues[rank].play(&mut self.engine, &record);
                played.map_err(|error| at_record(error, 0, cursor.at - 1))?;
                if !self.engine.notices.is_empty() {
                    self.at_venue[0] = cursor;
                    self.settle(time_ns)?;
                    stopped = true;
                }
            }
            if stopped {
                break;
            }
        }
        self.at_venue[0] = cursor;
        Ok(stopped)
    }

    /// Says when the interval that a record belongs to is sampled, if no sample is due yet.
    #[inline]
    pub(super) fn begin_interval(&mut self, time_ns: Nanos) -> bool {
        if self.next_sample_ns != NEVER || time_ns <= 0 || self.settings.sample_at_closes {
            return false;
        }
        let interval = self.settings.sample_ns;
        let missing = (interval - time_ns % interval) % interval;
        let sample_ns = time_ns.saturating_add(missing);
        // A record at the very time of the last sample, after it, belongs to none.
        if self.last_sample_ns == Some(sample_ns) {
            return false;
        }
        self.next_sample_ns = sample_ns;
        true
    }

    /// When the last record arrives here, once all have been played at their venues; until then, something before never.
    #[inline]
    pub(super) fn last_arrival_ns(&mut self, sources: &[Source<'_>]) -> Nanos {
        if self.end_ns == NEVER - 1
            && self.horizon_ns == NEVER
            && sources.iter().zip(&self.at_venue).all(|(source, at)| at.at == source.len())
        {
            self.end_ns = self.find_end(sources);
        }
        self.end_ns
    }

    #[cold]
    pub(super) fn find_end(&self, sources: &[Source<'_>]) -> Nanos {
        let last = |(at, source): (usize, &Source<'_>)| {
            let mut cursor = self.seen[at];
            let mut last_ns = cursor.our_ns(&Record::default(), None);
            while let Some(record) = source.get(cursor.at) {
                last_ns = cursor.our_ns(&record, self.settings.feed_ns);
                cursor.pass_here(&record, last_ns);
            }
            last_ns
        };
        let of_records = sources.iter().enumerate().map(last).max().unwrap_or(0);
        of_records.max(self.last_close_here_ns(sources))
    }
}

#[cold]
pub(super) fn at_record(error: Error, source: usize, index: usize) -> Error {
    match error {
        Error::Misuse(what) => Error::Misuse(format!("record {index} of source {source}: {what}")),
        other => other,
    }
}
