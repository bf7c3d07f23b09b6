//! The words of an order, as Python gives them, in the engine's terms.

use nt_core::{Error, Kind, Side, TimeInForce, Trail};
use nt_engine::{Rules, Size};

/// The side of an order; a target finds its own, so what is given for one means nothing.
pub fn side_of(sign: i64, size_kind: &str) -> Result<Side, Error> {
    match sign {
        1 => Ok(Side::Buy),
        -1 => Ok(Side::Sell),
        _ if size_kind.starts_with("target") => Ok(Side::Buy),
        _ => Err(Error::Misuse("side is 1 to buy or -1 to sell".into())),
    }
}

pub fn kind_of(name: &str) -> Result<Kind, Error> {
    Ok(match name {
        "market" => Kind::Market,
        "limit" => Kind::Limit,
        "stop" => Kind::Stop,
        "stop_limit" => Kind::StopLimit,
        "trailing_stop" => Kind::TrailingStop,
        "market_if_touched" => Kind::MarketIfTouched,
        _ => return Err(Error::Misuse(format!("{name:?} is no kind of order"))),
    })
}

pub fn rules_of(like: Option<&str>, exclusive_orders: bool) -> Result<Rules, Error> {
    Ok(match like {
        Some("backtesting.py") => Rules::BacktestingPy { exclusive_orders },
        _ if exclusive_orders => return Err(Error::Misuse("exclusive orders are a rule of backtesting.py".into())),
        None => Rules::House,
        Some("vectorbt") => Rules::Vectorbt,
        Some(other) => return Err(Error::Misuse(format!("there are no rules of {other:?}"))),
    })
}

fn narrow(size: i128) -> Result<i64, Error> {
    i64::try_from(size).map_err(|_| Error::Overflow("the size of an order"))
}

pub fn size_of(kind: &str, size: i128) -> Result<Size, Error> {
    Ok(match kind {
        "quantity" => Size::Quantity(narrow(size)?),
        "cash" => Size::Cash(size),
        "fraction" => Size::Fraction(narrow(size)?),
        "target_quantity" => Size::TargetQuantity(narrow(size)?),
        "target_fraction" => Size::TargetFraction(narrow(size)?),
        _ => return Err(Error::Misuse(format!("{kind:?} is no kind of size"))),
    })
}

pub fn trail_of(ticks: Option<i64>, share: Option<i64>) -> Result<Option<Trail>, Error> {
    Ok(match (ticks, share) {
        (None, None) => None,
        (Some(ticks), None) => Some(Trail::Ticks(ticks)),
        (None, Some(share)) => Some(Trail::Share(share)),
        (Some(_), Some(_)) => {
            return Err(Error::Misuse("a trail is in ticks or in parts per billion, not both".into()));
        }
    })
}

pub fn time_in_force_of(name: &str, expire_ns: Option<i64>) -> Result<TimeInForce, Error> {
    Ok(match (name, expire_ns) {
        ("gtc", None) => TimeInForce::GoodTillCancelled,
        ("day", None) => TimeInForce::Day,
        ("ioc", None) => TimeInForce::ImmediateOrCancel,
        ("fok", None) => TimeInForce::FillOrKill,
        ("gtd", Some(expire_ns)) => TimeInForce::GoodTillDate(expire_ns),
        _ => return Err(Error::Misuse("time_in_force is gtc, day, ioc, fok, or gtd with expire_ns".into())),
    })
}
