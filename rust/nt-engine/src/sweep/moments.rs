//! The common time line of several instruments, block by block: the same for every set of a sweep.

use std::ops::Range;

use nt_core::{BarClose, BarOpen, Bars, Nanos, Price};

use crate::player::{Cursor, Moment, next_moment, take_moment};

/// Moments of which the extremes of prices are known.
pub(super) const CHUNK: usize = 256;

/// What happens at one time: openings, or else closes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Happening {
    pub time_ns: Nanos,
    pub is_opening: bool,
    from: u32,
    to: u32,
}

/// A stretch of the time line.
#[derive(Debug, Default)]
pub(super) struct Moments {
    /// Per instrument the next bar, and whether it has opened.
    cursors: Vec<Cursor>,
    all: Vec<Happening>,
    openings: Vec<BarOpen>,
    closes: Vec<BarClose>,
    /// Per instrument the first bar that closes in the block.
    firsts: Vec<usize>,
    /// Per instrument and bar of it that closes in the block, the moment of that.
    closings: Vec<Vec<u32>>,
    /// After each moment, per instrument: its mark, 0 before the first, and its cursor.
    marks: Vec<Price>,
    reached: Vec<Cursor>,
    /// How many of the moments are closes before each of them, and in all.
    samples: Vec<u32>,
    /// The moments that are closes.
    sampled: Vec<u32>,
    /// Per chunk and instrument, the lowest and the highest price of its bars, with the mark before.
    extremes: Vec<(Price, Price)>,
}

impl Moments {
    /// Before the first bars of so many instruments.
    pub fn new(instruments: usize) -> Self {
        Moments { cursors: vec![(0, false); instruments], ..Moments::default() }
    }

    pub fn instruments(&self) -> usize {
        self.cursors.len()
    }

    /// How many moments there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Goes on to the next block, of so many moments at most; says whether it is the last.
    pub fn advance(&mut self, bars: &[Bars<'_>], most: usize) -> bool {
        let instruments = self.instruments();
        let before: Vec<Price> = match self.marks.len().checked_sub(instruments) {
            Some(last) => self.marks[last..].to_vec(),
            None => vec![0; instruments],
        };
        self.all.clear();
        self.openings.clear();
        self.closes.clear();
        self.marks.clear();
        self.reached.clear();
        self.samples.clear();
        self.sampled.clear();
        self.extremes.clear();
        self.firsts.clear();
        self.firsts.extend(self.cursors.iter().map(|&(index, _)| index));
        self.closings.iter_mut().for_each(Vec::clear);
        self.closings.resize_with(instruments, Vec::new);
        let mut marks = before;
        while self.all.len() < most {
            let Some(moment) = next_moment(&self.cursors, bars) else { break };
            self.samples.push(self.sampled.len() as u32);
            if !moment.1 {
                self.sampled.push(self.all.len() as u32);
            }
            self.take(moment, bars, &mut marks);
        }
        self.samples.push(self.sampled.len() as u32);
        next_moment(&self.cursors, bars).is_none()
    }

    fn take(&mut self, moment: Moment, bars: &[Bars<'_>], marks: &mut [Price]) {
        if self.all.len().is_multiple_of(CHUNK) {
            self.extremes.extend(marks.iter().map(|&mark| (mark, mark)));
        }
        let (opened, closed) = (self.openings.len(), self.closes.len());
        take_moment(&mut self.cursors, bars, moment, &mut self.openings, &mut self.closes);
        let extremes = self.extremes.len() - marks.len();
        let mut meet = |k: usize, price: Price| {
            let (low, high) = &mut self.extremes[extremes + k];
            (*low, *high) = ((*low).min(price), (*high).max(price));
        };
        for opening in &self.openings[opened..] {
            marks[opening.instrument] = opening.price;
            meet(opening.instrument, opening.price);
        }
        for bar in &self.closes[closed..] {
            marks[bar.instrument] = bar.close;
            [bar.open, bar.low, bar.high, bar.close].into_iter().for_each(|price| meet(bar.instrument, price));
            self.closings[bar.instrument].push(self.all.len() as u32);
        }
        let Moment(time_ns, is_opening) = moment;
        let (from, to) = match is_opening {
            true => (opened, self.openings.len()),
            false => (closed, self.closes.len()),
        };
        self.all.push(Happening { time_ns, is_opening, from: from as u32, to: to as u32 });
        self.marks.extend_from_slice(marks);
        self.reached.extend_from_slice(&self.cursors);
    }

    pub fn at(&self, moment: usize) -> &Happening {
        &self.all[moment]
    }

    pub fn openings(&self, of: &Happening) -> &[BarOpen] {
        &self.openings[of.from as usize..of.to as usize]
    }

    pub fn closes(&self, of: &Happening) -> &[BarClose] {
        &self.closes[of.from as usize..of.to as usize]
    }

    /// The closes of each moment at which there are some.
    pub fn together(&self) -> impl Iterator<Item = &[BarClose]> {
        self.all.iter().filter(|each| !each.is_opening).map(|each| self.closes(each))
    }

    /// The row of a bar among those of its instrument that close in the block.
    pub fn row(&self, close: &BarClose) -> usize {
        close.index - self.firsts[close.instrument]
    }

    /// The bars of each instrument that close in the block.
    pub fn rows(&self) -> impl Iterator<Item = Range<usize>> {
        self.firsts.iter().zip(&self.closings).map(|(&first, closings)| first..first + closings.len())
    }

    /// The row of the first bar of an instrument that closes at a moment or later.
    pub fn rows_before(&self, instrument: usize, moment: usize) -> usize {
        let closed = moment.checked_sub(1).map_or(self.firsts[instrument], |before| self.reached(before)[instrument].0);
        closed - self.firsts[instrument]
    }

    /// The moments at which the bars of an instrument close.
    pub fn closings(&self, instrument: usize) -> &[u32] {
        &self.closings[instrument]
    }

    /// The marks of all instruments after a moment.
    pub fn marks(&self, moment: usize) -> &[Price] {
        &self.marks[moment * self.instruments()..][..self.instruments()]
    }

    /// Where all instruments stand after a moment.
    pub fn reached(&self, moment: usize) -> &[Cursor] {
        &self.reached[moment * self.instruments()..][..self.instruments()]
    }

    /// Those of the moments that are closes.
    pub fn sampled(&self, moments: Range<usize>) -> &[u32] {
        &self.sampled[self.samples[moments.start] as usize..self.samples[moments.end] as usize]
    }

    /// The lowest and the highest price of each instrument in the chunk of a moment.
    pub fn extremes(&self, moment: usize) -> &[(Price, Price)] {
        &self.extremes[moment / CHUNK * self.instruments()..][..self.instruments()]
    }

    /// How many bars have closed so far.
    pub fn closed(&self) -> usize {
        self.cursors.iter().map(|&(index, _)| index).sum()
    }
}
