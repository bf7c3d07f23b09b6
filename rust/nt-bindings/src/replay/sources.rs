//! Recorded sources and bars as Python holds them, and as the engine takes them without a copy.

use std::sync::Arc;

use nt_core::Error;
use nt_core::record::WORDS;
use nt_engine::{Role, Source};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::bars::{self, Columns, borrow_bars};
use crate::error::raise;

/// Records as Python holds them: an array with the dtype of events, seen as words of 64 bits.
pub struct Held {
    words: Py<PyArray1<i64>>,
    ranks: Vec<i16>,
    role: Role,
    /// Where records come as they are played.
    fed: Option<Fed>,
}

type Words = Arc<Vec<[i64; WORDS]>>;

/// Records that have come so far.
struct Fed {
    words: Words,
    /// The time of receipt stands for that of the venue.
    by_receipt: bool,
    /// The venue's clock after them: what comes later does not happen before.
    clock_ns: i64,
    is_over: bool,
}

/// All that a replay plays.
pub struct Sources {
    pub records: Vec<Held>,
    /// Instruments of bars, by rank.
    pub bars: Vec<(usize, Columns)>,
}

/// The same, held for reading, so that Python cannot write to it meanwhile.
pub struct Lent<'py> {
    words: Vec<PyReadonlyArray1<'py, i64>>,
    fed: Vec<Option<(Words, bool)>>,
    ranks: Vec<(Vec<i16>, Role)>,
    of_bars: Vec<usize>,
    columns: Vec<bars::Held<'py>>,
}

/// Records, seen as words, and the rank in the run of each instrument that they number.
pub type Given<'py> = (Bound<'py, PyArray1<i64>>, Vec<i16>);

impl Sources {
    /// What Python gives, for a run of so many instruments, each source of records with its role; bars have to have volumes where those are needed.
    pub fn of(
        py: Python<'_>,
        records: Vec<Given<'_>>,
        roles: Vec<Role>,
        bars: &[(usize, Bound<'_, PyAny>)],
        instruments: usize,
        needs_volume: bool,
    ) -> PyResult<Self> {
        let ranks = records.iter().flat_map(|(_, ranks)| ranks.iter().copied().filter_map(|rank| rank.try_into().ok()));
        if ranks.chain(bars.iter().map(|(rank, _)| *rank)).any(|rank: usize| rank >= instruments) {
            return Err(PyValueError::new_err("a source names an instrument that the run does not have"));
        }
        let of_bars = bars.iter().map(|(rank, bars)| Ok((*rank, Columns::of(bars)?))).collect::<PyResult<Vec<_>>>()?;
        if needs_volume && !of_bars.iter().all(|(_, columns)| columns.has_volume()) {
            return Err(raise(py, &Error::Misuse("a volume cap needs bars with volume".into())));
        }
        let held = records.into_iter().zip(roles);
        let held = held.map(|((words, ranks), role)| Held { words: words.unbind(), ranks, role, fed: None });
        let sources = Sources { records: held.collect(), bars: of_bars };
        sources.lend(py).sources()?;
        Ok(sources)
    }

    /// Makes records come as they are played; `by_receipt` where no venue says when they happened.
    pub fn open(&mut self, by_receipt: bool) {
        for held in &mut self.records {
            held.fed = Some(Fed { words: Arc::default(), by_receipt, clock_ns: 0, is_over: false });
        }
    }

    /// Takes the next records of a source, and whether they are the last.
    pub fn feed(&mut self, source: usize, words: &PyReadonlyArray1<'_, i64>, last: bool) -> PyResult<()> {
        let held = self.records.get_mut(source).and_then(|held| held.fed.as_mut()).filter(|fed| !fed.is_over);
        let fed = held.ok_or_else(|| PyValueError::new_err(format!("source {source} takes no more records")))?;
        let all = Arc::make_mut(&mut fed.words);
        let from = all.len();
        all.extend_from_slice(records_of(words)?);
        fed.clock_ns = Source::timed(all, &[], fed.by_receipt).clock_after(fed.clock_ns, from);
        fed.is_over = last;
        Ok(())
    }

    /// What Python gave as a source, unless its records come as they are played.
    pub fn given(&self, source: usize) -> Option<&Py<PyArray1<i64>>> {
        self.records.get(source).filter(|held| held.fed.is_none()).map(|held| &held.words)
    }

    /// Up to when everything is there.
    pub fn horizon_ns(&self) -> i64 {
        let open = self.records.iter().filter_map(|held| held.fed.as_ref()).filter(|fed| !fed.is_over);
        open.map(|fed| fed.clock_ns).min().unwrap_or(i64::MAX)
    }

    pub fn lend<'py>(&self, py: Python<'py>) -> Lent<'py> {
        Lent {
            words: self.records.iter().map(|held| held.words.bind(py).readonly()).collect(),
            fed: self.records.iter().map(|held| held.fed.as_ref().map(|f| (f.words.clone(), f.by_receipt))).collect(),
            ranks: self.records.iter().map(|held| (held.ranks.clone(), held.role)).collect(),
            of_bars: self.bars.iter().map(|&(rank, _)| rank).collect(),
            columns: self.bars.iter().map(|(_, columns)| columns.hold(py)).collect(),
        }
    }
}

impl Lent<'_> {
    /// The sources as the engine takes them: those of records, then those of bars.
    pub fn sources(&self) -> PyResult<Vec<Source<'_>>> {
        let mut sources = Vec::with_capacity(self.words.len() + self.columns.len());
        for ((words, fed), (ranks, role)) in self.words.iter().zip(&self.fed).zip(&self.ranks) {
            let source = match fed {
                Some((words, by_receipt)) => Source::timed(words, ranks, *by_receipt),
                None => Source::new(records_of(words)?, ranks),
            };
            sources.push(source.with_role(*role));
        }
        let bars = borrow_bars(&self.columns)?;
        sources.extend(self.of_bars.iter().zip(bars).map(|(&rank, bars)| Source::of_bars(rank, bars)));
        Ok(sources)
    }
}

/// The words of an array, record by record.
fn records_of<'a>(words: &'a PyReadonlyArray1<'_, i64>) -> PyResult<&'a [[i64; WORDS]]> {
    match words.as_slice()?.as_chunks() {
        (records, []) => Ok(records),
        _ => Err(PyValueError::new_err("records must be whole")),
    }
}
