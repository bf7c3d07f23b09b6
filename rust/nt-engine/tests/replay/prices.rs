//! At which price, in which turn, and for which fee.

use std::collections::BTreeSet;

use nt_core::{Kind, Order, Reason, TimeInForce};
use nt_engine::Placed;
use proptest::{prop_assert, prop_assert_eq};

use super::conservation::is_with_ourselves;
use super::plan::Call;
use super::reference::Shown;
use super::session::{Orders, Played, Session, Shape, holds};

/// Law 17: no order fills worse than its limit, those at rest fill at it, and takers at a level that is displayed.
#[test]
fn limits_are_kept_and_takers_get_what_is_displayed() {
    holds(Shape { apart: true, replies: true, ..Shape::default() }, |session| {
        let played = session.play().unbroken()?;
        let depth = session.settings.venue.depth;
        let mut shown = vec![Shown::new(depth); session.instruments.len()];
        let records = session.in_order();
        let mut next = records.iter().peekable();
        for (at, fill) in played.fills().iter().enumerate().filter(|(_, fill)| fill.order != 0) {
            while let Some(record) = next.next_if(|record| record.ts_event_ns <= fill.time_ns) {
                shown[usize::from(record.instrument)].see(record);
            }
            let order = &played.orders()[fill.order as usize - 1];
            prop_assert_eq!((fill.price, fill.slippage), (fill.reference, 0));
            if !session.may_change(&played, order.id) && matches!(order.kind, Kind::Limit | Kind::StopLimit) {
                prop_assert!(fill.side.accepts(fill.price, order.limit, false), "{fill:?} of {order:?}");
                prop_assert!(!fill.maker || fill.price == order.limit, "{fill:?} of {order:?}");
            }
            if !fill.maker && !is_with_ourselves(played.fills(), at) {
                let displayed = shown[fill.instrument as usize].at(fill.side.opposite(), fill.price);
                prop_assert!(displayed > 0, "{fill:?}: nothing is displayed there");
            }
        }
        Ok(played.fills().len())
    });
}

/// Law 18: of two orders at rest on one side, the one with the better price fills first, and at one price the one that came
/// first. Of an order that fills wholly or not at all, a smaller one may come first.
#[test]
fn better_prices_come_first_and_then_earlier_orders() {
    holds(Shape { ample: true, orders: Orders::Limits, ..Shape::default() }, |mut session| {
        session.settings.venue.whole = false;
        let played = session.play().unbroken()?;
        let mut said = 0;
        let plain: Vec<_> = played.orders().iter().zip(played.replay.placed()).collect();
        let plain: Vec<_> =
            plain.into_iter().filter(|(order, placed)| is_plain(&session, &played, order, placed)).collect();
        for fill in played.fills().iter().filter(|fill| fill.maker) {
            let Some((order, placed)) = plain.iter().find(|(order, _)| order.id == fill.order) else { continue };
            for (other, of_other) in &plain {
                let is_rival = (other.instrument, other.side) == (order.instrument, order.side) && other.id != order.id;
                let came_before = (of_other.accept_ns, other.id) < (placed.accept_ns, order.id);
                let is_better = order.side.opposite().accepts(other.limit, order.limit, true);
                let is_there = of_other.accept_ns.is_some_and(|accept_ns| accept_ns < fill.time_ns)
                    && of_other.end_ns.is_none_or(|end_ns| end_ns >= fill.time_ns);
                if is_rival && is_there && (is_better || other.limit == order.limit && came_before) {
                    said += 1;
                    let ended = of_other.end_ns == Some(fill.time_ns);
                    prop_assert!(ended, "{:?} of {:?} with {:?} at rest", fill, order, other);
                }
            }
        }
        Ok(said)
    });
}

/// A limit order that rests until it fills, or is taken away.
fn is_plain(session: &Session, played: &Played, order: &Order, placed: &Placed) -> bool {
    order.kind == Kind::Limit
        && order.parent == 0
        && !order.reduce_only
        && placed.terms.display.is_none()
        && !matches!(order.time_in_force, TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill)
        && order.reason != Reason::WouldTake
        && !session.may_change(played, order.id)
}

/// Law 19: a fill pays one fee, at the rate of makers if its order had come to rest before, else at that of takers.
#[test]
fn a_fill_pays_one_fee_by_whether_its_order_rested() {
    holds(Shape { replies: true, ..Shape::default() }, |session| {
        let played = session.play().unbroken()?;
        let (config, postings) = (&session.config, played.replay.engine().ledger().postings());
        for fill in played.fills() {
            let unit = session.instruments[fill.instrument as usize].contract.unit;
            let value = i128::from(fill.price) * i128::from(fill.quantity) * unit;
            let rate = if fill.maker { config.maker_fee } else { config.taker_fee };
            let billion = i128::from(nt_core::PPB);
            let due = (value * i128::from(rate) + billion - 1).div_euclid(billion) + config.fixed_fee;
            prop_assert_eq!(fill.fee, if fill.order == 0 { 0 } else { due }, "{:?}", fill);
            let Some(order) = played.orders().get((fill.order as usize).wrapping_sub(1)) else { continue };
            let placed = &played.replay.placed()[order.id as usize - 1];
            let is_at_once = placed.accept_ns == Some(fill.time_ns);
            if order.kind == Kind::Limit && order.parent == 0 && !session.may_change(&played, order.id) {
                // Commands come after records, so only an order of ours can take from one that has just come.
                prop_assert!(
                    if is_at_once { !fill.maker || is_of_ours(&played, fill) } else { fill.maker },
                    "{fill:?}"
                );
            } else if order.kind != Kind::Limit && order.kind != Kind::StopLimit {
                prop_assert!(!fill.maker, "{:?}", fill);
            }
        }
        let charged: i128 =
            postings.filter(|posting| posting.account == nt_engine::ledger::Account::Fees).map(|p| p.amount).sum();
        prop_assert_eq!(charged, played.fills().iter().map(|fill| fill.fee).sum::<i128>());
        Ok(played.fills().len())
    });
}

/// Whether a maker was filled by an order of ours, at the same time.
fn is_of_ours(played: &Played, fill: &nt_core::Fill) -> bool {
    (0..played.fills().len()).any(|at| {
        let other = &played.fills()[at];
        other.time_ns == fill.time_ns && other.price == fill.price && is_with_ourselves(played.fills(), at)
    })
}

/// Law 20: prices and quantities are positive counts; a price is a limit of ours or was in the data.
#[test]
fn prices_and_quantities_are_counts_from_the_data_or_of_ours() {
    holds(Shape { replies: true, ..Shape::default() }, |session| {
        let played = session.play().unbroken()?;
        let asked = session.plan.iter().filter_map(|action| match &action.call {
            Call::Submit { request, .. } => request.limit,
            Call::Amend { limit, .. } => Some(*limit),
            Call::Cancel(_) => None,
        });
        let ours: BTreeSet<_> = played.orders().iter().map(|order| order.limit).chain(asked).collect();
        let recorded: BTreeSet<_> = session.sources.iter().flat_map(|(records, _)| records).map(|r| r.price).collect();
        for fill in played.fills() {
            prop_assert!(fill.price >= 1 && fill.quantity >= 1, "{:?}", fill);
            let is_known = ours.contains(&fill.price) || (!fill.maker && recorded.contains(&fill.price));
            prop_assert!(is_known, "{:?}", fill);
        }
        Ok(played.fills().len())
    });
}
