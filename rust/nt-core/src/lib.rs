//! Values of the engine: exact prices, quantities and money; instruments, orders and events.
//!
//! This crate reads no clock, opens no file and knows nothing of Python. Every value is an integer; [`elementary`] has the
//! functions of floats that estimates and features are made with.

pub mod contract;
pub mod elementary;
pub mod error;
pub mod event;
pub mod instrument;
pub mod money;
pub mod order;
pub mod record;

pub use contract::{Contract, ContractTerms, Settlement};
pub use error::{Error, Result};
pub use event::{BarClose, BarOpen, Bars};
pub use instrument::{Instrument, Step};
pub use money::{Money, PPB, Ppb};
pub use order::{Bracket, Fill, Kind, Order, Reason, Side, State, TimeInForce, Trail};
pub use record::Record;

/// Nanoseconds since the Unix epoch, UTC.
pub type Nanos = i64;
/// A price as a count of the instrument's ticks.
pub type Price = i64;
/// A quantity as a count of the instrument's lots.
pub type Quantity = i64;

/// Nanoseconds in a UTC day.
pub const DAY_NS: Nanos = 86_400 * 1_000_000_000;
