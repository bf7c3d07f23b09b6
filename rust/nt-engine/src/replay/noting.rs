//! What a replay notes for its journal, where one is kept.

use nt_core::{Money, Nanos};

use super::Replay;
use super::known::Answer;
use crate::journal::{Frame, Kind};

/// Frames that nobody has taken yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes {
    frames: Vec<Frame>,
    /// The record that is being told; it is noted with the first thing that is decided then.
    turn: Option<Frame>,
}

impl Replay {
    /// Begins to note what is decided and what is told.
    pub fn note(&mut self) {
        self.notes.get_or_insert_default();
    }

    /// What was noted since the last call.
    pub fn take_notes(&mut self) -> Vec<Frame> {
        self.notes.as_mut().map(|notes| std::mem::take(&mut notes.frames)).unwrap_or_default()
    }

    /// The frame of the record that is being told, unless something was decided since.
    pub(crate) fn take_turn(&mut self) -> Option<Frame> {
        self.notes.as_mut()?.turn.take()
    }

    /// Notes that the strategy broke off, and where.
    pub fn note_aborted(&mut self, place: &str) {
        let frame = Frame::aborted(self.now_ns, place);
        self.note_decision(|_| frame);
    }

    #[inline]
    pub(super) fn note_decision(&mut self, frame: impl FnOnce(Nanos) -> Frame) {
        if let Some(notes) = &mut self.notes {
            notes.frames.extend(notes.turn.take());
            notes.frames.push(frame(self.now_ns));
        }
    }

    #[inline]
    pub(super) fn note_record(&mut self, time_ns: Nanos, source: usize, index: usize) {
        if let Some(notes) = &mut self.notes {
            notes.turn = Some(Frame::of(Kind::Record, [time_ns.into(), source as i128, index as i128]));
        }
    }

    #[inline]
    pub(super) fn note_timer(&mut self, time_ns: Nanos) {
        if let Some(notes) = &mut self.notes {
            notes.frames.push(Frame::of(Kind::Timer, [time_ns.into()]));
        }
    }

    #[inline]
    pub(super) fn note_answer(&mut self, time_ns: Nanos, answer: &Answer) {
        if let Some(notes) = &mut self.notes {
            let number = self.known.number(answer.order).unwrap_or(0);
            notes.frames.push(Frame::answer(&self.engine, time_ns, answer.notice, number));
        }
    }

    #[inline]
    pub(super) fn note_sample(&mut self, time_ns: Nanos, equity: Money) {
        if let Some(notes) = &mut self.notes {
            notes.frames.push(Frame::of(Kind::Sample, [time_ns.into(), equity]));
        }
    }

    /// A record that was told before is behind us, without anything having been decided.
    #[inline]
    pub(super) fn forget_turn(&mut self) {
        if let Some(notes) = &mut self.notes {
            notes.turn = None;
        }
    }
}
