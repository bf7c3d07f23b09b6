//! Journals of replays for Python: kept while a run is played, read, and played again.

use nt_core::Instrument;
use nt_engine::digest::{self, Hash};
use nt_engine::journal::{Check, Encoder, Frame, Progress, Reader, Tear};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::replay::Replay;

/// So many bytes are handed on at a time.
const WAITING_MAX: usize = 1 << 16;
const TURNS_PER_REPORT: u64 = 65_536;

type Bytes<'py> = PyReadonlyArray1<'py, u8>;
/// Where a journal tore, and why.
type Torn = Option<(usize, &'static str)>;

/// Where a journal goes.
pub struct Sink {
    encoder: Encoder,
    write: Py<PyAny>,
}

impl Sink {
    fn flush(&mut self, py: Python<'_>) -> PyResult<()> {
        self.write.call1(py, (PyBytes::new(py, &self.encoder.take()),)).map(drop)
    }
}

impl Replay {
    /// The digest of instruments and records.
    pub(crate) fn inputs(&mut self, py: Python<'_>) -> PyResult<Hash> {
        if let Some(inputs) = self.inputs {
            return Ok(inputs);
        }
        let lent = self.sources.lend(py);
        let instruments: Vec<&Instrument> = self.core.engine().instruments().collect();
        let inputs = digest::recorded_inputs(&instruments, &lent.sources()?, self.core.engine().account_terms());
        self.inputs = Some(inputs);
        Ok(inputs)
    }

    /// Hands on what the journal has to say, once that is enough to be worth it.
    #[inline]
    pub(crate) fn write_down(&mut self, py: Python<'_>) -> PyResult<()> {
        if self.journal.is_some() { self.encode_notes(py) } else { Ok(()) }
    }

    fn encode_notes(&mut self, py: Python<'_>) -> PyResult<()> {
        let Some(sink) = &mut self.journal else { return Ok(()) };
        for frame in self.core.take_notes() {
            sink.encoder.push(&frame);
        }
        if sink.encoder.waiting() < WAITING_MAX { Ok(()) } else { sink.flush(py) }
    }

    /// Writes the rest of the journal, with a last frame if it has none yet.
    fn close_journal(&mut self, py: Python<'_>, last: Option<Frame>) -> PyResult<()> {
        self.write_down(py)?;
        let Some(mut sink) = self.journal.take() else { return Ok(()) };
        if let Some(last) = last {
            sink.encoder.push(&last);
        }
        sink.flush(py)
    }
}

/// Keeps a journal of a replay from here on; `write` gets its bytes, piece by piece, the header at once.
#[pyfunction]
fn start_journal(py: Python<'_>, replay: &Bound<'_, Replay>, header: &str, write: Py<PyAny>) -> PyResult<()> {
    let replay = &mut *replay.try_borrow_mut()?;
    replay.core.note();
    let mut sink = Sink { encoder: Encoder::new(header), write };
    sink.flush(py)?;
    replay.journal = Some(sink);
    Ok(())
}

/// Ends the journal of a run with its hash, in hex.
#[pyfunction]
fn end_journal(py: Python<'_>, replay: &Bound<'_, Replay>, run_hash: &str) -> PyResult<()> {
    let mut hash: Hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        let digits = run_hash.get(2 * at..2 * at + 2).filter(|_| run_hash.len() == 64);
        let read = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        *byte = read.ok_or_else(|| PyValueError::new_err("a run hash is 64 digits in hex"))?;
    }
    let replay = &mut *replay.try_borrow_mut()?;
    let last = Frame::end(replay.core.now_ns(), hash);
    replay.close_journal(py, Some(last))
}

/// Ends the journal of a run that broke off; `place` says where.
#[pyfunction]
fn abort_journal(py: Python<'_>, replay: &Bound<'_, Replay>, place: &str) -> PyResult<()> {
    let replay = &mut *replay.try_borrow_mut()?;
    replay.core.note_aborted(place);
    replay.close_journal(py, None)
}

/// SHA-256, in hex, of the instruments and records of a replay.
#[pyfunction]
fn inputs_digest(py: Python<'_>, replay: &Bound<'_, Replay>) -> PyResult<String> {
    let inputs = replay.try_borrow_mut()?.inputs(py)?;
    Ok(inputs.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A frame of a journal: its name, its integers and the bytes behind them.
type Told<'py> = (&'static str, Bound<'py, PyTuple>, Bound<'py, PyBytes>);

fn told<'py>(py: Python<'py>, frame: &Frame) -> PyResult<Told<'py>> {
    Ok((frame.kind.name(), PyTuple::new(py, &frame.fields)?, PyBytes::new(py, &frame.tail)))
}

fn torn(tear: Tear) -> Torn {
    Some((tear.byte, tear.reason))
}

/// The header of a journal, its frames without the links of the chain, and where it tore, if it did.
#[pyfunction]
fn read_journal<'py>(py: Python<'py>, journal: Bytes<'py>) -> PyResult<(Option<String>, Vec<Told<'py>>, Torn)> {
    let mut frames = Vec::new();
    let reader = match Reader::new(journal.as_slice()?) {
        Ok(reader) => reader,
        Err(tear) => return Ok((None, frames, torn(tear))),
    };
    let header = Some(reader.header().to_owned());
    for frame in reader {
        match frame {
            Ok(frame) => frames.push(told(py, &frame)?),
            Err(tear) => return Ok((header, frames, torn(tear))),
        }
    }
    Ok((header, frames, None))
}

/// The same without the frames: the header, how many frames and decisions there are, the last frame, and the tear.
#[pyfunction]
#[allow(clippy::type_complexity, reason = "five things that one pass over a file finds")]
fn scan_journal<'py>(
    py: Python<'py>,
    journal: Bytes<'py>,
) -> PyResult<(Option<String>, u64, u64, Option<Told<'py>>, Torn)> {
    let reader = match Reader::new(journal.as_slice()?) {
        Ok(reader) => reader,
        Err(tear) => return Ok((None, 0, 0, None, torn(tear))),
    };
    let header = Some(reader.header().to_owned());
    let (mut frames, mut decisions, mut last) = (0, 0, None);
    for frame in reader {
        match frame {
            Ok(frame) => {
                frames += 1;
                decisions += u64::from(frame.kind.is_decision());
                last = frame.kind.is_last().then_some(frame);
            }
            Err(tear) => return Ok((header, frames, decisions, None, torn(tear))),
        }
    }
    let last = last.map(|frame| told(py, &frame)).transpose()?;
    Ok((header, frames, decisions, last, None))
}

/// Plays a journal again in a fresh replay, told records of the kinds `wants`, and of trades and books if that is said.
///
/// Returns the first difference (number of the frame, time, what was recorded, what came), or None.
#[pyfunction]
#[pyo3(signature = (replay, journal, *, wants, trades, books, progress=None))]
fn check_journal(
    py: Python<'_>,
    replay: &Bound<'_, Replay>,
    journal: Bytes<'_>,
    wants: Vec<String>,
    trades: bool,
    books: bool,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Option<(u64, i64, String, String)>> {
    let replay = &mut *replay.try_borrow_mut()?;
    replay.want(&wants)?;
    if trades {
        replay.core.want_trades();
    }
    if books {
        replay.core.want_books();
    }
    replay.core.note();
    let torn = |tear: Tear| PyValueError::new_err((tear.byte, tear.reason));
    let Replay { core, sources, .. } = replay;
    let lent = sources.lend(py);
    let sources = lent.sources()?;
    let mut check = Reader::new(journal.as_slice()?).and_then(Check::new).map_err(torn)?;
    let mut turns: u64 = 0;
    loop {
        match check.advance(core, &sources).map_err(torn)? {
            Progress::Same => {}
            Progress::Over => return Ok(None),
            Progress::Differs(found) => return Ok(Some((found.frame, found.time_ns, found.recorded, found.came))),
        }
        turns += 1;
        if turns.is_multiple_of(TURNS_PER_REPORT) {
            py.check_signals()?;
            if let Some(progress) = &progress {
                progress.call1((core.played(),))?;
            }
        }
    }
}

/// Adds this room to the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(start_journal, module)?)?;
    module.add_function(wrap_pyfunction!(end_journal, module)?)?;
    module.add_function(wrap_pyfunction!(abort_journal, module)?)?;
    module.add_function(wrap_pyfunction!(inputs_digest, module)?)?;
    module.add_function(wrap_pyfunction!(read_journal, module)?)?;
    module.add_function(wrap_pyfunction!(scan_journal, module)?)?;
    module.add_function(wrap_pyfunction!(check_journal, module)?)
}
