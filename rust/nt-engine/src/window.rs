//! Bars that arrive in pieces, of which only those are kept that a run still needs.

use nt_core::{Bars, Nanos};

/// The bars of an instrument that are needed at present: those that have not been played, and before them as many as a
/// strategy looks back on.
#[derive(Debug, Clone)]
struct Window {
    first: usize,
    /// In the order of `Bars::columns`.
    columns: [Vec<i64>; 8],
    /// When the last bar closes that has arrived; `Nanos::MAX` where no more will.
    end_ns: Nanos,
}

impl Window {
    fn bars(&self) -> Bars<'_> {
        let [open_ns, close_ns, open, high, low, close, volume, spread] = self.columns.each_ref().map(Vec::as_slice);
        Bars { first: self.first, open_ns, close_ns, open, high, low, close, volume, spread }
    }
}

/// The windows of all instruments of a run.
#[derive(Debug, Clone)]
pub struct Windows(Vec<Window>);

impl Windows {
    /// Empty windows of so many instruments.
    pub fn new(instruments: usize) -> Self {
        let empty = Window { first: 0, columns: Default::default(), end_ns: Nanos::MIN };
        Windows(vec![empty; instruments])
    }

    /// The bars that are kept, by instrument.
    pub fn bars(&self) -> Vec<Bars<'_>> {
        self.0.iter().map(Window::bars).collect()
    }

    /// The instrument whose bars run out first, and when. Up to then, not including it, bars can be played: whatever has not
    /// arrived opens later. It is `Nanos::MAX` once all have arrived.
    pub fn horizon(&self) -> (usize, Nanos) {
        let ends = self.0.iter().map(|window| window.end_ns).enumerate();
        ends.min_by_key(|&(_, end_ns)| end_ns).unwrap_or((0, Nanos::MAX))
    }

    /// Adds the bars of an instrument that follow.
    pub fn push(&mut self, instrument: usize, bars: &Bars<'_>) {
        let window = &mut self.0[instrument];
        for (column, values) in window.columns.iter_mut().zip(bars.columns()) {
            column.extend_from_slice(values);
        }
        window.end_ns = bars.close_ns.last().copied().unwrap_or(window.end_ns);
    }

    /// Takes note that no more bars of an instrument will come.
    pub fn end(&mut self, instrument: usize) {
        self.0[instrument].end_ns = Nanos::MAX;
    }

    /// Drops the bars of an instrument before a position, once they are half of those that are kept: what remains is moved
    /// no more often than it was added.
    pub fn forget(&mut self, instrument: usize, before: usize) {
        let window = &mut self.0[instrument];
        let rows = before.min(window.bars().end()).saturating_sub(window.first);
        if 2 * rows < window.bars().len() {
            return;
        }
        for column in &mut window.columns {
            column.drain(..rows.min(column.len()));
        }
        window.first += rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_stay_those_of_the_instrument() {
        let numbers: Vec<i64> = (0..10).collect();
        let piece = |rows: std::ops::Range<usize>| {
            let all = &numbers[rows];
            let (open_ns, close_ns, open, high, low, close, volume) = (all, all, all, all, all, all, all);
            Bars { first: 0, open_ns, close_ns, open, high, low, close, volume, spread: &[] }
        };
        let mut windows = Windows::new(2);
        assert_eq!(windows.horizon(), (0, Nanos::MIN));
        windows.push(0, &piece(0..4));
        windows.end(1);
        assert_eq!(windows.horizon(), (0, 3));
        windows.forget(0, 1);
        assert_eq!(windows.bars()[0].first, 0);
        windows.forget(0, 3);
        windows.push(0, &piece(4..10));
        windows.forget(0, 2);
        let bars = windows.bars()[0];
        assert_eq!((bars.first, bars.end(), bars.closing(0, 7).close), (3, 10, 7));
        windows.forget(0, 99);
        let bars = windows.bars()[0];
        assert_eq!((bars.first, bars.len(), bars.spread.len(), windows.horizon()), (10, 0, 0, (0, 9)));
        windows.end(0);
        assert_eq!(windows.horizon().1, Nanos::MAX);
    }
}
