//! How a replay is played: how long things take, and which records say what.

use nt_core::Nanos;
use nt_core::record::EventKind;
use serde::{Deserialize, Serialize};

use crate::latency::Latency;
use crate::venue::{Depth, VenueRules};

/// How a replay is played.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplaySettings {
    /// How long orders and answers take.
    pub latency: Latency,
    /// How long records take to us, where it is not to be as recorded.
    pub feed_ns: Option<Nanos>,
    /// How orders meet the market.
    pub venue: VenueRules,
    /// Where instruments differ, by rank: which records make the book of each, and which tell its trades.
    pub records: Vec<(Depth, EventKind)>,
    /// The time between samples of equity.
    pub sample_ns: Nanos,
    /// Whether equity is sampled at the closes of bars instead.
    pub sample_at_closes: bool,
    /// By rank, which records make our view of each book; empty where they are those that make the book at the venue.
    pub views: Vec<Depth>,
    /// Whether venues listen only at marked records and know no makers (docs/book-rules.md, section 9).
    pub by_bars: bool,
    /// Whether books, orders and recorded latencies are played by the rules of hftbacktest (docs/book-rules.md, section 10).
    pub like_hftbacktest: bool,
}

impl Default for ReplaySettings {
    fn default() -> Self {
        ReplaySettings {
            latency: Latency::Constant { entry_ns: 0, response_ns: 0 },
            feed_ns: None,
            venue: VenueRules::default(),
            records: Vec::new(),
            sample_ns: 1_000_000_000,
            sample_at_closes: false,
            views: Vec::new(),
            by_bars: false,
            like_hftbacktest: false,
        }
    }
}

impl ReplaySettings {
    /// How orders meet the market of one instrument.
    pub(crate) fn rules_of(&self, rank: usize) -> VenueRules {
        match self.records.get(rank) {
            Some(&(depth, trades)) => VenueRules { depth, trades, ..self.venue },
            None => self.venue,
        }
    }

    /// Which records make our view of the book of one instrument.
    pub(crate) fn view_of(&self, rank: usize) -> Depth {
        match (self.rules_of(rank).depth, self.views.get(rank)) {
            (Depth::Bars, _) => Depth::Bars,
            (_, Some(&view)) => view,
            (depth, None) => depth,
        }
    }
}
