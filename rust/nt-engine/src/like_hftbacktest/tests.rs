//! The subtle rules, each in a book of its own; all of them are held against the package by `tests/peers`.

use nt_core::record::{ASK, BID, EventKind};
use nt_core::{Bracket, Instrument, Kind, Price, Quantity, Record, Side, State, Step, TimeInForce};

use super::{Venue, check_order, check_rules};
use crate::config::Config;
use crate::engine::Engine;
use crate::queue_model::QueueModel;
use crate::request::{Request, Size};
use crate::venue::{Depth, Resting, SelfTrade, VenueRules};
use Side::{Buy, Sell};
use TimeInForce::{FillOrKill, GoodTillCancelled, ImmediateOrCancel};

/// A venue and an account that can carry everything.
struct Scene {
    venue: Venue,
    engine: Engine,
}

impl Scene {
    fn new(rules: VenueRules) -> Self {
        let one = || Step::new(1, 0).expect("a step");
        let instrument = Instrument::new("A".to_owned(), one(), one()).expect("an instrument");
        let config = Config { cash: 10_i128.pow(30), ..Config::default() };
        Scene { venue: Venue::new(0, rules), engine: Engine::new(config, vec![instrument]).expect("an engine") }
    }

    fn record(&mut self, kind: EventKind, side: Side, price: Price, quantity: Quantity) {
        let flags = if side == Buy { BID } else { ASK };
        let record = Record { kind: kind as u8, flags, price, quantity, ..Record::default() };
        self.venue.play(&mut self.engine, &record).expect("a record");
    }

    fn level(&mut self, side: Side, price: Price, quantity: Quantity) {
        self.record(EventKind::Level, side, price, quantity);
    }

    /// A trade, by the side of its aggressor.
    fn trade(&mut self, side: Side, price: Price, quantity: Quantity) {
        self.record(EventKind::Trade, side, price, quantity);
    }

    fn send(&mut self, request: Request, time_in_force: TimeInForce, post_only: bool) -> u32 {
        let Size::Quantity(quantity) = request.size else { panic!("a quantity") };
        let request = Request { time_in_force, ..request };
        let id = self.engine.next_id().expect("an id");
        let mut order = self.engine.order_of(id, &request, request.side, quantity);
        order.state = State::Sent;
        self.engine.orders.push(order);
        let terms = Resting { post_only, display: None };
        self.venue.arrive(&mut self.engine, id, terms).expect("an arrival");
        id
    }

    fn limit(&mut self, side: Side, price: Price, quantity: Quantity, time_in_force: TimeInForce) -> u32 {
        self.send(limit(side, price, quantity), time_in_force, false)
    }

    fn market(&mut self, side: Side, quantity: Quantity) -> u32 {
        self.send(Request::market(0, side, Size::Quantity(quantity)), GoodTillCancelled, false)
    }

    /// Order, quantity and price of each fill since the last look.
    fn fills(&mut self) -> Vec<(u32, Quantity, Price)> {
        self.engine.fills.drain(..).map(|fill| (fill.order, fill.quantity, fill.price)).collect()
    }

    fn state(&self, id: u32) -> State {
        self.engine.order(id).state
    }

    fn front(&self, side: Side, id: u32) -> f64 {
        self.venue.queue_ahead(side, id).expect("an order at rest")
    }
}

fn limit(side: Side, price: Price, quantity: Quantity) -> Request {
    Request { kind: Kind::Limit, limit: Some(price), ..Request::market(0, side, Size::Quantity(quantity)) }
}

fn partial() -> Scene {
    Scene::new(VenueRules { queue: QueueModel::Power(1), ..VenueRules::default() })
}

fn whole() -> Scene {
    Scene::new(VenueRules { whole: true, ..VenueRules::default() })
}

#[test]
fn half_a_lot_counts_as_one_and_less_counts_later() {
    let mut scene = partial();
    scene.level(Buy, 100, 4);
    let id = scene.limit(Buy, 100, 5, GoodTillCancelled);
    // Of 8 at the level 4 are behind: of 1 cancelled half a lot was before.
    scene.level(Buy, 100, 8);
    scene.level(Buy, 100, 7);
    assert_eq!(scene.front(Buy, id), 3.5);
    scene.trade(Sell, 100, 3);
    assert_eq!(scene.front(Buy, id), 0.5);
    scene.trade(Sell, 100, 1);
    assert_eq!((scene.fills(), scene.front(Buy, id)), (vec![(id, 1, 100)], 0.0));
    scene.venue.queued[0][0].front = 0.75;
    scene.trade(Sell, 100, 1);
    assert_eq!((scene.fills(), scene.front(Buy, id)), (vec![], -0.25));
}

#[test]
fn each_order_meets_a_trade_for_itself() {
    let mut scene = partial();
    let ids = [101, 100, 100].map(|price| scene.limit(Buy, price, 9, GoodTillCancelled));
    scene.trade(Sell, 100, 4);
    // What the trade goes through fills wholly, and those at its price find all of it.
    assert_eq!(scene.fills(), [(ids[0], 9, 101), (ids[1], 4, 100), (ids[2], 4, 100)]);
    let mut scene = whole();
    let id = scene.limit(Buy, 100, 9, GoodTillCancelled);
    scene.trade(Sell, 100, 1);
    assert_eq!(scene.fills(), [(id, 9, 100)]);
}

#[test]
fn a_trade_without_a_side_fills_nobody() {
    let mut scene = partial();
    scene.limit(Buy, 100, 9, GoodTillCancelled);
    let record = Record { kind: EventKind::Trade as u8, price: 99, quantity: 9, ..Record::default() };
    scene.venue.play(&mut scene.engine, &record).expect("a record");
    assert_eq!(scene.fills(), []);
}

#[test]
fn what_is_marketable_never_rests() {
    for (side, fills) in [(Buy, vec![(1, 2, 101), (1, 7, 102)]), (Sell, vec![(1, 2, 99), (1, 3, 98), (1, 4, 98)])] {
        let mut scene = partial();
        for (price, quantity) in [(99, 2), (98, 3), (97, 5)] {
            scene.level(Buy, price, quantity);
            scene.level(Sell, 200 - price, quantity);
        }
        // A sale takes the level at its limit as one; a purchase only fills there.
        let price = if side == Buy { 102 } else { 98 };
        let id = scene.limit(side, price, 9, GoodTillCancelled);
        assert_eq!((scene.fills(), scene.state(id)), (fills, State::Filled));
    }
}

#[test]
fn orders_that_do_not_rest_expire() {
    let mut scene = partial();
    scene.level(Sell, 101, 2);
    scene.level(Sell, 102, 3);
    let killed = scene.limit(Buy, 102, 6, FillOrKill);
    let filled = scene.limit(Buy, 102, 5, FillOrKill);
    let cut = scene.limit(Buy, 101, 5, ImmediateOrCancel);
    let away = scene.limit(Buy, 100, 5, ImmediateOrCancel);
    let passive = scene.send(limit(Buy, 101, 1), GoodTillCancelled, true);
    assert_eq!(scene.fills(), [(filled, 2, 101), (filled, 3, 102), (cut, 2, 101)]);
    assert_eq!([killed, cut, away, passive].map(|id| scene.state(id)), [State::Expired; 4]);
}

#[test]
fn market_orders_reach_further_down_than_up() {
    for (side, reached) in [(Buy, 1_099), (Sell, 900)] {
        let mut scene = partial();
        scene.level(side.opposite(), 1_000, 1);
        scene.level(side.opposite(), reached, 1);
        scene.level(side.opposite(), reached + side.sign(), 1);
        let id = scene.market(side, 5);
        assert_eq!((scene.fills(), scene.state(id)), (vec![(id, 1, 1_000), (id, 1, reached)], State::Expired));
    }
    let (mut scene, mut other) = (partial(), whole());
    let (id, other_id) = (scene.market(Buy, 1), other.market(Buy, 1));
    assert_eq!((scene.state(id), other.state(other_id)), (State::Expired, State::Cancelled));
}

#[test]
fn whole_orders_fill_at_the_best_price_whatever_is_displayed() {
    let mut scene = whole();
    scene.level(Sell, 101, 1);
    let ids = [GoodTillCancelled, ImmediateOrCancel, FillOrKill].map(|tif| scene.limit(Buy, 105, 50, tif));
    let market = scene.market(Buy, 50);
    assert_eq!(scene.fills(), [ids[0], ids[1], ids[2], market].map(|id| (id, 50, 101)));
}

#[test]
fn a_better_best_price_fills_what_it_reaches_and_no_other_level_does() {
    let mut scene = partial();
    scene.level(Buy, 100, 5);
    scene.level(Sell, 100, 5);
    // The bid is still displayed, but pushed away: an offer at its price rests, and cancellations of it are nothing.
    let ids = [100, 101].map(|price| scene.limit(Sell, price, 9, GoodTillCancelled));
    scene.level(Buy, 99, 1);
    assert_eq!((scene.fills(), scene.state(ids[0])), (vec![], State::Working));
    scene.level(Buy, 100, 1);
    assert_eq!((scene.fills(), scene.state(ids[1])), (vec![(ids[0], 9, 100)], State::Working));
}

#[test]
fn own_orders_do_not_see_each_other() {
    let mut scene = partial();
    let ids = [scene.limit(Buy, 100, 5, GoodTillCancelled), scene.limit(Sell, 99, 5, GoodTillCancelled)];
    assert_eq!((scene.fills(), ids.map(|id| scene.state(id))), (vec![], [State::Working; 2]));
}

#[test]
fn a_snapshot_is_levels_after_an_empty_book() {
    let mut scene = partial();
    scene.level(Buy, 100, 8);
    let id = scene.limit(Buy, 100, 5, GoodTillCancelled);
    scene.record(EventKind::SnapshotBegin, Buy, 0, 0);
    assert_eq!((scene.front(Buy, id), scene.venue.best(Buy)), (8.0, None));
    scene.record(EventKind::SnapshotLevel, Buy, 100, 3);
    assert_eq!((scene.front(Buy, id), scene.venue.best(Buy)), (3.0, Some(100)));
    scene.record(EventKind::SnapshotLevel, Sell, 100, 1);
    assert_eq!((scene.fills(), scene.venue.best(Buy)), (vec![(id, 5, 100)], None));
}

#[test]
fn what_the_package_does_not_have_is_refused() {
    let plain = limit(Buy, 100, 1);
    assert!(check_order(&plain, Resting { post_only: true, display: None }, false).is_ok());
    let others = [
        Request { kind: Kind::Stop, stop: Some(1), ..plain },
        Request { time_in_force: TimeInForce::Day, ..plain },
        Request { bracket: Bracket { take_profit: Some(1), ..Bracket::default() }, ..plain },
        Request { size: Size::TargetQuantity(1), ..plain },
    ];
    assert!(others.iter().all(|request| check_order(request, Resting::default(), false).is_err()));
    assert!(check_order(&plain, Resting::default(), true).is_err());
    assert!(check_order(&plain, Resting { post_only: false, display: Some(1) }, false).is_err());
    let rules = VenueRules::default();
    assert!(check_rules(&VenueRules { depth: Depth::Quotes, ..rules }).is_err());
    assert!(check_rules(&VenueRules { self_trade: SelfTrade::Off, ..rules }).is_err() && check_rules(&rules).is_ok());
}
