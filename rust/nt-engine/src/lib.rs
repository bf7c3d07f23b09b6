//! The engine: matching, account and ledger as one deterministic state machine.
//!
//! It reads no clock, opens no file, touches no network and draws no random number. docs/fill-rules.md defines what it
//! does, `neural_trader.baseline` does the same in plain Python, and the parity suite holds the two equal.

mod bar_match;
pub mod config;
pub mod digest;
pub mod engine;
mod execute;
pub mod ledger;
mod like_backtesting_py;
mod like_vectorbt;
pub mod player;
pub mod run;
pub mod samples;
pub mod trades;
pub mod valuation;
pub mod window;

pub use config::{Config, Rules};
pub use engine::{Engine, Notice, Request, Size};
pub use player::{Call, Player};
pub use valuation::Valuation;
pub use window::Windows;
