//! The records of a batch as Python gets them.

use nt_core::Record;
use nt_core::record::WORDS;
use nt_engine::Source;
use nt_feed::event::EventKind;
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySlice};

use super::Replay;
use crate::error::raise;

impl Replay {
    /// Tells somebody of records of these kinds, or of all, in batches.
    pub(super) fn tell_in_batches(
        &mut self,
        on_batch: &Bound<'_, PyAny>,
        interval_ns: i64,
        kinds: &[String],
    ) -> PyResult<()> {
        let every = || EventKind::NAMES.iter().map(|(_, name)| (*name).to_owned()).collect();
        self.want(&if kinds.is_empty() { every() } else { kinds.to_vec() })?;
        self.on_batch = Some(on_batch.clone().unbind());
        self.core.tell_in_batches(interval_ns).map_err(|error| raise(on_batch.py(), &error))
    }

    /// The records of the last batch as words that cannot be written to, instruments numbered by their ranks: a part of
    /// what Python gave where they lie there so, else a copy in the order of their arrival.
    fn batch_words<'py>(&self, py: Python<'py>, sources: &[Source<'_>]) -> PyResult<Bound<'py, PyAny>> {
        let mut from = None;
        let mut is_part = true;
        let mut words = Vec::with_capacity(WORDS * self.core.batch().count());
        for (at, (source, index)) in self.core.batch().enumerate() {
            let Some(record) = sources[source].written(index) else { continue };
            let rank = sources[source].rank_here(&record).unwrap_or(0) as u16;
            let (first_source, first) = *from.get_or_insert((source, index));
            is_part &= source == first_source && index == first + at && rank == record.instrument;
            words.extend_from_slice(&Record { instrument: rank, ..record }.to_words());
        }
        let part = from.filter(|_| is_part).and_then(|(source, first)| Some((self.sources.given(source)?, first)));
        let told = match part {
            Some((given, first)) => {
                let (from, to) = ((first * WORDS) as isize, (first * WORDS + words.len()) as isize);
                given.bind(py).get_item(PySlice::new(py, from, to, 1))?
            }
            None => words.into_pyarray(py).into_any(),
        };
        let flags = PyDict::new(py);
        flags.set_item("write", false)?;
        told.call_method("setflags", (), Some(&flags))?;
        Ok(told)
    }
}

/// Hands the records of a batch on; the replay is not borrowed meanwhile.
pub(super) fn tell_batch(slf: &Bound<'_, Replay>, sources: &[Source<'_>]) -> PyResult<()> {
    let py = slf.py();
    let (on_batch, words) = {
        let replay = slf.try_borrow()?;
        let Some(on_batch) = &replay.on_batch else { return Ok(()) };
        (on_batch.clone_ref(py), replay.batch_words(py, sources)?)
    };
    on_batch.call1(py, (words,)).map(drop)
}
