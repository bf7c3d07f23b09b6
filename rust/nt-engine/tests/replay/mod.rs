//! Drawn sessions, what comes of them, and the laws about that.

mod causality;
mod conservation;
mod draw;
mod invariance;
mod market;
mod market_of_orders;
mod plan;
mod prices;
mod reference;
mod resuming;
mod session;
