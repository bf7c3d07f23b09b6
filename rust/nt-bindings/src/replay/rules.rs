//! The words of a replay's rules, as Python gives them, in the engine's terms.

use nt_core::Error;
use nt_core::record::EventKind;
use nt_engine::{Depth, Role, SelfTrade};

pub fn depth_of(name: &str) -> Result<Depth, Error> {
    one_of("depth", name, &[("levels", Depth::Levels), ("quotes", Depth::Quotes), ("orders", Depth::Orders)])
}

pub fn role_of(name: &str) -> Result<Role, Error> {
    one_of("role", name, &[("both", Role::Both), ("venue", Role::Venue), ("here", Role::Here)])
}

pub fn trades_of(name: &str) -> Result<EventKind, Error> {
    one_of("trades", name, &[("trade", EventKind::Trade), ("aggregate_trade", EventKind::AggregateTrade)])
}

pub fn self_trade_of(name: &str) -> Result<SelfTrade, Error> {
    let known = [
        ("cancel_newest", SelfTrade::CancelNewest),
        ("cancel_oldest", SelfTrade::CancelOldest),
        ("cancel_both", SelfTrade::CancelBoth),
        ("off", SelfTrade::Off),
    ];
    one_of("self_trade", name, &known)
}

/// Whether a replay is played like hftbacktest, the only package that one can be played like.
pub fn like_of(name: Option<&str>) -> Result<bool, Error> {
    name.map_or(Ok(false), |name| one_of("like", name, &[("hftbacktest", true)]))
}

fn one_of<T: Copy>(what: &str, name: &str, known: &[(&str, T)]) -> Result<T, Error> {
    let found = known.iter().find(|(known, _)| *known == name);
    found.map(|&(_, value)| value).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        Error::Misuse(format!("{what} is one of {}, not {name:?}", names.join(", ")))
    })
}
