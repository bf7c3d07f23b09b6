//! The engine: matching, account and ledger as one deterministic state machine.
//!
//! It reads no clock, opens no file, touches no network and draws no random number. docs/fill-rules.md defines what it
//! does, `neural_trader.baseline` does the same in plain Python, and the parity suite holds the two equal.

pub mod account;
mod accruals;
mod bar_match;
pub mod config;
pub mod digest;
pub mod engine;
mod execute;
pub mod formula;
pub mod journal;
pub mod latency;
pub mod ledger;
mod like_backtesting_py;
mod like_hftbacktest;
mod like_vectorbt;
mod passing;
mod pause;
pub mod player;
pub mod queue_model;
pub mod replay;
pub mod request;
pub mod run;
pub mod samples;
mod scratch;
pub mod snapshot;
mod solvency;
mod source;
pub mod sweep;
pub mod traders;
pub mod trades;
pub mod valuation;
mod venue;
pub mod window;

pub use account::{AccountKind, AccountTerms, Currency, Funding, Tier, Worth};
pub use config::{Config, Rules};
pub use engine::{Engine, Notice};
pub use latency::{Latency, RoundTrip};
pub use pause::Pause;
pub use player::{Call, Player};
pub use queue_model::QueueModel;
pub use replay::{MEASURES, Placed, Replay, ReplaySettings, Standing, Turn};
pub use request::{Request, Size};
pub use snapshot::Snapshot;
pub use source::{Role, Source};
pub use valuation::Valuation;
pub use venue::{Depth, Impact, Resting, SelfTrade, VenueRules};
pub use window::Windows;
