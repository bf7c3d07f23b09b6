//! Playing a journal again: what was decided is done at the same turns, and everything that is told must be the same.

use std::fmt;

use nt_core::{Error, Nanos};

use super::{Frame, Kind, Reader, Tear};
use crate::replay::{Replay, Turn};
use crate::source::Source;

/// The first frame that is not as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its number, from 1.
    pub frame: u64,
    /// When it happened.
    pub time_ns: Nanos,
    /// What the journal says.
    pub recorded: String,
    /// What came.
    pub came: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "frame {}: {} was recorded, {} came", self.frame, self.recorded, self.came)
    }
}

/// How far a check is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// So far everything is as recorded.
    Same,
    /// The run ended, or broke off, where the journal does.
    Over,
    /// Something is not as recorded.
    Differs(Difference),
}

/// A journal that is being played again.
#[derive(Debug)]
pub struct Check<'a> {
    reader: Reader<'a>,
    next: Option<Frame>,
    number: u64,
    is_begun: bool,
}

impl<'a> Check<'a> {
    /// Of a journal of which nothing has been read but the header.
    pub fn new(reader: Reader<'a>) -> Result<Self, Tear> {
        let mut check = Check { reader, next: None, number: 0, is_begun: false };
        check.pass()?;
        Ok(check)
    }

    /// How many frames were as recorded.
    pub fn frames(&self) -> u64 {
        self.number - 1
    }

    /// Plays on to the next turn and does what was decided there; first what was decided before the run.
    pub fn advance(&mut self, replay: &mut Replay, sources: &[Source<'_>]) -> Result<Progress, Tear> {
        let turn = if std::mem::replace(&mut self.is_begun, true) {
            match replay.advance(sources) {
                Ok(turn) => Some(turn),
                Err(error) => return self.stop(replay, &error),
            }
        } else {
            None
        };
        if let Some(difference) = self.compare(replay)? {
            return Ok(Progress::Differs(difference));
        }
        if self.decides(replay, turn)? {
            while let Some(decision) = self.next.as_ref().filter(|next| next.kind.is_decision()) {
                if let Err(error) = decide(replay, decision) {
                    return Ok(Progress::Differs(self.difference(error.to_string(), decision.time_ns())));
                }
                if let Some(difference) = self.compare(replay)? {
                    return Ok(Progress::Differs(difference));
                }
            }
        }
        let has_ended = matches!(turn, Some(None));
        match &self.next {
            _ if self.breaks_off() => Ok(Progress::Over),
            Some(next) if has_ended && next.kind == Kind::End => Ok(Progress::Over),
            _ if has_ended => Ok(Progress::Differs(self.difference("the end of the run".into(), replay.now_ns()))),
            _ => Ok(Progress::Same),
        }
    }

    /// Whether what is recorded next may have been decided at this turn: records are noted only where something was.
    fn decides(&mut self, replay: &mut Replay, turn: Option<Option<Turn>>) -> Result<bool, Tear> {
        if !matches!(turn, Some(Some(Turn::Record { .. }))) {
            return Ok(true);
        }
        let here = replay.take_turn();
        let decides = here.is_some() && self.next == here;
        if decides {
            self.pass()?;
        }
        Ok(decides)
    }

    /// Whether nothing more was recorded but that the run broke off.
    fn breaks_off(&self) -> bool {
        self.next.as_ref().is_none_or(|next| next.kind == Kind::Aborted)
    }

    /// Goes on to the next recorded frame.
    fn pass(&mut self) -> Result<(), Tear> {
        self.next = self.reader.next().transpose()?;
        self.number += 1;
        Ok(())
    }

    /// Compares what the replay noted with what was recorded.
    fn compare(&mut self, replay: &mut Replay) -> Result<Option<Difference>, Tear> {
        for came in replay.take_notes() {
            if self.next.as_ref() != Some(&came) {
                return Ok(Some(self.difference(came.to_string(), came.time_ns())));
            }
            self.pass()?;
        }
        Ok(None)
    }

    /// The engine refused to go on: as recorded, or not.
    fn stop(&mut self, replay: &mut Replay, error: &Error) -> Result<Progress, Tear> {
        if let Some(difference) = self.compare(replay)? {
            return Ok(Progress::Differs(difference));
        }
        match self.breaks_off() {
            true => Ok(Progress::Over),
            false => Ok(Progress::Differs(self.difference(error.to_string(), replay.now_ns()))),
        }
    }

    fn difference(&self, came: String, time_ns: Nanos) -> Difference {
        let recorded = self.next.as_ref().map_or("the end".into(), ToString::to_string);
        Difference { frame: self.number, time_ns, recorded, came }
    }
}

/// Does what was decided.
fn decide(replay: &mut Replay, decision: &Frame) -> Result<(), Error> {
    let senseless = || Error::Misuse("a decision that makes no sense".into());
    let number = |at: usize| decision.fields.get(at).and_then(|&value| i64::try_from(value).ok()).ok_or_else(senseless);
    let order = || number(1).and_then(|order| u32::try_from(order).map_err(|_| senseless()));
    match decision.kind {
        Kind::Submit => {
            let (request, terms, reduce_only) = decision.request().ok_or_else(senseless)?;
            replay.submit(&request, terms, reduce_only).map(drop)
        }
        Kind::Cancel => replay.cancel(order()?),
        Kind::Amend => replay.amend(order()?, number(2)?, number(3)?),
        Kind::SetTimer => {
            replay.set_timer(number(1)?);
            Ok(())
        }
        _ => Err(senseless()),
    }
}
