//! Turns: what a strategy is called for.

use nt_core::Nanos;

use crate::engine::Notice;

/// A turn of the strategy in a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// An answer of a venue, with the number by which the order or the fill is known here.
    Answer(Notice),
    /// A record that was asked for, by its source and its position there.
    Record {
        /// The source.
        source: usize,
        /// The position.
        index: usize,
    },
    /// A timer rings.
    Timer(Nanos),
    /// All records that were asked for and have arrived since the last batch.
    Batch(Nanos),
    /// The close of a bar has arrived.
    Bar {
        /// Rank of the symbol.
        instrument: usize,
        /// Position of the bar.
        index: usize,
    },
    /// All closes of this time have arrived.
    Moment(Nanos),
}
