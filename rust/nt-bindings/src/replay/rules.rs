//! The instruments and the words of a replay's rules, as Python gives them, in the engine's terms.

use nt_core::record::EventKind;
use nt_core::{Error, Instrument, Step};
use nt_engine::{Depth, Role, SelfTrade};
use pyo3::FromPyObject;

use crate::bars::Columns;

/// An instrument as Python describes it: symbol, tick and lot, the steps as mantissa and decimals.
pub type Listed = (String, (i64, u8), (i64, u8));

pub fn instruments_of(listed: Vec<Listed>) -> Result<Vec<Instrument>, Error> {
    let one =
        |(symbol, tick, lot): Listed| Instrument::new(symbol, Step::new(tick.0, tick.1)?, Step::new(lot.0, lot.1)?);
    listed.into_iter().map(one).collect()
}

/// A word for all instruments, or one for each of them.
#[derive(FromPyObject)]
pub enum OneOrEach {
    #[pyo3(transparent)]
    One(String),
    #[pyo3(transparent)]
    Each(Vec<String>),
}

impl OneOrEach {
    pub fn one(name: &str) -> Self {
        Self::One(name.to_owned())
    }

    fn words(&self, count: usize) -> Result<Vec<&str>, Error> {
        match self {
            Self::One(name) => Ok(vec![name; count]),
            Self::Each(names) if names.len() == count => Ok(names.iter().map(String::as_str).collect()),
            Self::Each(_) => Err(Error::Misuse("depth and trades are one for all instruments, or one for each".into())),
        }
    }
}

/// Which records make the book of each instrument, and which tell its trades.
pub fn records_by_rank(
    depth: &OneOrEach,
    trades: &OneOrEach,
    count: usize,
    bars: &[(usize, Columns)],
) -> Result<Vec<(Depth, EventKind)>, Error> {
    let words = depth.words(count)?.into_iter().zip(trades.words(count)?).enumerate();
    let of = |(rank, (depth, trades))| {
        let has_bars = bars.iter().any(|&(other, _)| other == rank);
        Ok((if has_bars { Depth::Bars } else { depth_of(depth)? }, trades_of(trades)?))
    };
    words.map(of).collect()
}

fn depth_of(name: &str) -> Result<Depth, Error> {
    one_of("depth", name, &[("levels", Depth::Levels), ("quotes", Depth::Quotes), ("orders", Depth::Orders)])
}

/// Which records make our view of each book, nothing where they are those that make the book at the venue.
pub fn views_by_rank(view: Option<&OneOrEach>, count: usize) -> Result<Vec<Depth>, Error> {
    view.map_or(Ok(Vec::new()), |view| view.words(count)?.into_iter().map(depth_of).collect())
}

/// Whom the records of each source are for.
pub fn roles_of(names: Option<Vec<String>>, sources: usize) -> Result<Vec<Role>, Error> {
    let known = [("both", Role::Both), ("venue", Role::Venue), ("here", Role::Here)];
    match names {
        None => Ok(vec![Role::Both; sources]),
        Some(names) if names.len() == sources => names.iter().map(|name| one_of("role", name, &known)).collect(),
        Some(_) => Err(Error::Misuse("each source has a role".into())),
    }
}

fn trades_of(name: &str) -> Result<EventKind, Error> {
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
