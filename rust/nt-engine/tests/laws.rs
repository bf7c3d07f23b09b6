//! Laws that hold whatever the market does and whatever is ordered.

use nt_core::{
    Bars, Bracket, ContractTerms, Instrument, Kind, PPB, Result, Settlement, Side, Step, TimeInForce, Trail,
};
use nt_engine::run::{BuyAndHold, Holding, Run, SmaCross, Strategy, run};
use nt_engine::snapshot::{decode, encode};
use nt_engine::{
    AccountTerms, Call, Config, Currency, Engine, Funding, Pause, Player, Request, Size, Valuation, Windows, Worth,
    digest,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy as Cases, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::Config as ProptestConfig;

/// The bars of one instrument as owned columns.
#[derive(Debug, Clone)]
struct Market {
    open_ns: Vec<i64>,
    close_ns: Vec<i64>,
    open: Vec<i64>,
    high: Vec<i64>,
    low: Vec<i64>,
    close: Vec<i64>,
    volume: Vec<i64>,
}

impl Market {
    /// The bars that have opened before a time.
    fn until(&self, time_ns: i64) -> Market {
        self.rows(0..self.open_ns.partition_point(|open_ns| *open_ns < time_ns))
    }

    fn rows(&self, rows: std::ops::Range<usize>) -> Market {
        let cut = |column: &Vec<i64>| column[rows.clone()].to_vec();
        Market {
            open_ns: cut(&self.open_ns),
            close_ns: cut(&self.close_ns),
            open: cut(&self.open),
            high: cut(&self.high),
            low: cut(&self.low),
            close: cut(&self.close),
            volume: cut(&self.volume),
        }
    }

    fn bars(&self) -> Bars<'_> {
        Bars {
            first: 0,
            open_ns: &self.open_ns,
            close_ns: &self.close_ns,
            open: &self.open,
            high: &self.high,
            low: &self.low,
            close: &self.close,
            volume: &self.volume,
            spread: &[],
        }
    }
}

fn markets() -> impl Cases<Value = Market> {
    // Per bar: gap of the open, move of the close, reach above and below, volume.
    let bar = (-30..30_i64, -40..40_i64, 0..30_i64, 0..30_i64, 0..200_i64);
    (vec(bar, 2..60), 60..400_i64).prop_map(|(moves, start)| {
        let mut market = Market {
            open_ns: Vec::new(),
            close_ns: Vec::new(),
            open: Vec::new(),
            high: Vec::new(),
            low: Vec::new(),
            close: Vec::new(),
            volume: Vec::new(),
        };
        let mut last = start;
        for (at, (gap, change, above, below, volume)) in moves.into_iter().enumerate() {
            let open = (last + gap).max(1);
            let close = (open + change).max(1);
            market.open_ns.push(at as i64 * 100);
            market.close_ns.push(at as i64 * 100 + 100);
            market.open.push(open);
            market.close.push(close);
            market.high.push(open.max(close) + above);
            market.low.push((open.min(close) - below).max(1));
            market.volume.push(volume);
            last = close;
        }
        market
    })
}

fn configs() -> impl Cases<Value = Config> {
    let cap = option::of(1..=PPB);
    (1..2_000_i64, 1..=5 * PPB, 0..=PPB / 50, 0..4_i64, any::<bool>(), any::<bool>(), cap, any::<bool>()).prop_map(
        |(cash, leverage, fee, ticks, fill_at_close, limit_through, volume_cap, close_at_end)| Config {
            cash: i128::from(cash) * 10_i128.pow(18),
            leverage,
            taker_fee: fee,
            maker_fee: fee / 2,
            slippage_ticks: ticks,
            fill_at_close,
            limit_through,
            volume_cap,
            close_at_end,
            ..Config::default()
        },
    )
}

fn requests() -> impl Cases<Value = Request> {
    let size = prop_oneof![
        (0..30_i64).prop_map(Size::Quantity),
        (0..2 * PPB).prop_map(Size::Fraction),
        (-20..20_i64).prop_map(Size::TargetQuantity),
        (-2 * PPB..2 * PPB).prop_map(Size::TargetFraction),
    ];
    let trail = prop_oneof![(1..40_i64).prop_map(Trail::Ticks), (1..PPB / 4).prop_map(Trail::Share)];
    let bracket = (option::of(1..500_i64), option::of(1..500_i64));
    (size, any::<bool>(), 0..5_u8, (1..500_i64, 1..500_i64), trail, bracket).prop_map(
        |(size, buys, kind, (limit, stop), trail, (stop_loss, take_profit))| {
            let is_target = matches!(size, Size::TargetQuantity(_) | Size::TargetFraction(_));
            let kind = match kind {
                _ if is_target => Kind::Market,
                0 => Kind::Market,
                1 => Kind::Limit,
                2 => Kind::Stop,
                3 => Kind::StopLimit,
                _ => Kind::TrailingStop,
            };
            Request {
                instrument: 0,
                side: if buys { Side::Buy } else { Side::Sell },
                kind,
                size,
                limit: matches!(kind, Kind::Limit | Kind::StopLimit).then_some(limit),
                stop: matches!(kind, Kind::Stop | Kind::StopLimit).then_some(stop),
                trail: (kind == Kind::TrailingStop).then_some(trail),
                time_in_force: TimeInForce::GoodTillCancelled,
                bracket: Bracket { stop_loss, stop_loss_trail: None, take_profit },
            }
        },
    )
}

/// Now and then an account of contracts with funding and maintenance, in its own currency or in another.
#[derive(Debug, Clone)]
struct Contracts {
    settlement: Settlement,
    elsewhere: bool,
    funding: Vec<(i64, i64)>,
}

fn accounts() -> impl Cases<Value = Option<Contracts>> {
    let settlement = prop_oneof![Just(Settlement::Spot), Just(Settlement::Linear), Just(Settlement::Inverse)];
    let funding = vec((0..6_000_i64, -PPB / 50..PPB / 50), 0..20);
    option::of((settlement, any::<bool>(), funding).prop_map(|(settlement, elsewhere, funding)| Contracts {
        settlement,
        elsewhere,
        funding: if settlement == Settlement::Spot { Vec::new() } else { funding },
    }))
}

impl Contracts {
    fn terms(&self, config: &Config, count: usize) -> AccountTerms {
        let is_inverse = self.settlement == Settlement::Inverse;
        let contract = ContractTerms {
            settlement: self.settlement,
            currency: u32::from(self.elsewhere),
            size: Step { mantissa: if is_inverse { 200 } else { 1 }, decimals: 0 },
            maintenance: i64::try_from(i128::from(PPB) * i128::from(PPB) / i128::from(config.leverage) / 2)
                .expect("a rate"),
            liquidation: PPB / 100,
        };
        let worth = if is_inverse { Worth::Mark(0) } else { Worth::Constant(PPB * 3 / 2) };
        let mut rows: Vec<_> = self.funding.iter().map(|&(time_ns, rate)| (time_ns, 0, rate)).collect();
        rows.sort_unstable();
        rows.dedup_by_key(|row| row.0);
        AccountTerms {
            contracts: vec![contract; count],
            currencies: self.elsewhere.then(|| Currency { code: "C".into(), deposit: 0, worth }).into_iter().collect(),
            funding: rows
                .into_iter()
                .map(|(time_ns, instrument, rate)| Funding { time_ns, instrument, rate, mark: 0 })
                .collect(),
            ..AccountTerms::default()
        }
    }
}

fn engine(config: Config) -> Engine {
    engine_of(config, &["A"], &None)
}

fn engine_of(config: Config, symbols: &[&str], account: &Option<Contracts>) -> Engine {
    let step = Step::new(1, 0).expect("a step");
    let instrument = |symbol: &&str| Instrument::new((*symbol).into(), step, step).expect("an instrument");
    let terms = account.as_ref().map(|account| account.terms(&config, symbols.len()));
    Engine::with_account(config, symbols.iter().map(instrument).collect(), terms).expect("an engine")
}

/// The path that every strategy can take, as a strategy behind a border would.
fn run_by_turns<S: Strategy>(engine: &mut Engine, bars: &[Bars<'_>], strategy: &mut S) -> Result<()> {
    let mut player = Player::new(bars.len());
    while let Some(call) = player.advance(engine, bars)? {
        if let Call::Bar { instrument, index } = call {
            strategy.on_bar(engine, instrument, &bars[instrument], index)?;
        }
    }
    Ok(())
}

fn outcome(engine: &Engine, closes: &[i64]) -> (digest::Hash, digest::Hash, digest::Hash, Vec<i128>, u64) {
    (
        digest::orders(engine.orders()),
        digest::fills(engine.fills()),
        digest::postings(engine.ledger().postings()),
        engine.samples().amounts(closes, |amount| amount).expect("amounts in range"),
        engine.exposed_samples(),
    )
}

/// Sends the orders of a program when the bars close that they are planned for.
fn follow(program: &[(usize, Request)], player: &mut Player, engine: &mut Engine, bars: &[Bars<'_>]) {
    while let Some(call) = player.advance(engine, bars).expect("a run in range") {
        if let Call::Bar { instrument, index } = call {
            for (_, request) in program.iter().filter(|(at, _)| *at == index) {
                engine.submit(&Request { instrument, ..*request }).expect("an order that makes sense");
            }
        }
    }
}

/// Hands out bars in pieces of given sizes, keeping as few as a run allows: `play` takes them up to a horizon, and says for
/// each instrument which is the first bar that it still needs.
fn in_pieces(markets: &[Market], sizes: &[usize], mut play: impl FnMut(&[Bars<'_>], i64) -> Vec<usize>) {
    let mut windows = Windows::new(markets.len());
    let mut given = vec![0; markets.len()];
    let mut sizes = sizes.iter().cycle();
    loop {
        let (next, horizon) = windows.horizon();
        if horizon > i64::MIN {
            let needed = play(&windows.bars(), horizon);
            needed.into_iter().enumerate().for_each(|(k, first)| windows.forget(k, first));
        }
        if horizon == i64::MAX {
            return;
        }
        let market = &markets[next];
        let end = market.open_ns.len().min(given[next] + sizes.next().expect("a size"));
        if given[next] == end {
            windows.end(next);
        } else {
            windows.push(next, &market.rows(given[next]..end).bars());
            given[next] = end;
        }
    }
}

/// Times and amounts of condensed samples, from the bars in pieces.
fn replayed(engine: &Engine, markets: &[Market], sizes: &[usize]) -> Vec<(i64, i128)> {
    let instruments = engine.instruments().cloned().collect();
    let mut valuation = Valuation::new(instruments, &[engine.config().cash]).expect("a valuation");
    let mut curve = Vec::new();
    in_pieces(markets, sizes, |bars, horizon| {
        valuation.set_horizon(horizon);
        let mut amount = [0];
        while let Some(time_ns) = valuation.advance(bars, &[engine.samples()], &mut amount).expect("amounts in range") {
            curve.push((time_ns, amount[0]));
        }
        (0..bars.len()).map(|k| valuation.closed(k)).collect()
    });
    curve
}

fn records(engine: &Engine) -> (digest::Hash, digest::Hash, digest::Hash, u64) {
    let postings = digest::postings(engine.ledger().postings());
    (digest::orders(engine.orders()), digest::fills(engine.fills()), postings, engine.exposed_samples())
}

/// The times and amounts of samples that were kept whole.
fn curve(engine: &Engine, first: &Market) -> Vec<(i64, i128)> {
    let samples = engine.samples();
    let amounts = samples.amounts(&first.close, |amount| amount).expect("amounts in range");
    samples.times(&first.close_ns).iter().copied().zip(amounts).collect()
}

/// The second market on a time line that overlaps the first one's.
fn overlapping(mut market: Market) -> Market {
    for times in [&mut market.open_ns, &mut market.close_ns] {
        times.iter_mut().for_each(|time_ns| *time_ns = *time_ns * 7 / 10 + 35);
    }
    market
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Books balance, orders are conserved and values follow marks, between any two turns of any order program.
    #[test]
    fn invariants_hold_at_every_turn(
        market in markets(),
        config in configs(),
        account in accounts(),
        program in vec((0..60_usize, requests()), 0..30),
    ) {
        let mut engine = engine_of(config, &["A"], &account);
        let bars = [market.bars()];
        let mut player = Player::new(1);
        while let Some(call) = player.advance(&mut engine, &bars).expect("a run in range") {
            engine.check_invariants().expect("laws");
            if let Call::Bar { index, .. } = call {
                for (_, request) in program.iter().filter(|(at, _)| *at == index) {
                    engine.submit(request).expect("an order that makes sense");
                }
            }
        }
        engine.check_invariants().expect("laws");
    }

    /// Our fills of a bar never exceed the share of its volume that the cap allows.
    #[test]
    fn fills_stay_within_the_volume_cap(
        market in markets(),
        config in configs(),
        program in vec((0..60_usize, requests()), 0..30),
    ) {
        let cap = config.volume_cap.unwrap_or(PPB / 3);
        let mut engine = engine(Config { volume_cap: Some(cap), ..config });
        let bars = [market.bars()];
        let mut player = Player::new(1);
        let mut taken = 0;
        while let Some(call) = player.advance(&mut engine, &bars).expect("a run in range") {
            if let Call::Moment(time_ns) = call {
                let bar = (time_ns / 100 - 1) as usize;
                let fills = &engine.fills()[taken..];
                let filled: i64 = fills.iter().filter(|fill| fill.order != 0).map(|fill| fill.quantity).sum();
                let allowed = i128::from(market.volume[bar]) * i128::from(cap) / i128::from(PPB);
                // Under fill = close what fills after this turn belongs to the bar as well, and shows at the next.
                prop_assert!(config.fill_at_close || i128::from(filled) <= allowed);
                taken = engine.fills().len();
            }
            if let Call::Bar { index, .. } = call {
                for (_, request) in program.iter().filter(|(at, _)| *at == index) {
                    engine.submit(request).expect("an order that makes sense");
                }
            }
        }
    }

    /// Cutting the bars in pieces at any times changes nothing (two instruments, whose bars overlap).
    #[test]
    fn pieces_of_any_size_give_the_same_run(
        (one, two) in (markets(), markets()),
        config in configs(),
        program in vec((0..60_usize, requests()), 0..30),
        mut cuts in vec(0..7_000_i64, 0..6),
    ) {
        let two = overlapping(two);
        let play = |cuts: &[i64]| {
            let mut engine = engine_of(config, &["A", "B"], &None);
            let mut player = Player::new(2);
            for &cut in cuts.iter().chain([&i64::MAX]) {
                let known = [&one, &two].map(|market| market.until(cut));
                let bars = known.each_ref().map(Market::bars);
                player.set_horizon(cut);
                follow(&program, &mut player, &mut engine, &bars);
            }
            outcome(&engine, &[])
        };
        cuts.sort_unstable();
        prop_assert_eq!(play(&cuts), play(&[]));
    }

    /// Passing quiet bars in one step changes nothing: the short path of a lone instrument equals the general one.
    #[test]
    fn the_short_path_equals_the_general_one(
        market in markets(),
        config in configs(),
        (fast, slow) in (1..5_usize, 5..12_usize),
        (above, below) in (-3 * PPB..3 * PPB, -3 * PPB..3 * PPB),
    ) {
        let bars = [market.bars()];
        let (mut short, mut general) = (engine(config), engine(config));
        let cross = SmaCross::new(1, fast, slow, Holding::Fraction(above), Holding::Fraction(below));
        run(&mut short, &bars, &mut cross.clone()).expect("a run in range");
        run_by_turns(&mut general, &bars, &mut cross.clone()).expect("a run in range");
        prop_assert_eq!(outcome(&short, &market.close), outcome(&general, &[]));
        short.check_invariants().expect("laws");
    }

    /// The same for a strategy that trades once.
    #[test]
    fn buy_and_hold_by_the_short_path_equals_the_general_one(market in markets(), config in configs()) {
        let bars = [market.bars()];
        let (mut short, mut general) = (engine(config), engine(config));
        run(&mut short, &bars, &mut BuyAndHold::new(1, PPB)).expect("a run in range");
        run_by_turns(&mut general, &bars, &mut BuyAndHold::new(1, PPB)).expect("a run in range");
        prop_assert_eq!(outcome(&short, &market.close), outcome(&general, &[]));
    }

    /// Bars that arrive in pieces and are forgotten once played give the same run, and a valuation of them the same curve.
    #[test]
    fn a_window_that_moves_over_the_bars_gives_the_same_run(
        (one, two, count) in (markets(), markets(), 1..=2_usize),
        config in configs(),
        account in accounts(),
        program in vec((0..60_usize, requests()), 0..30),
        sizes in vec(1..25_usize, 1..6),
    ) {
        let markets = &[one, overlapping(two)][..count];
        let all: Vec<_> = markets.iter().map(Market::bars).collect();
        let mut whole = engine_of(config, &["A", "B"][..count], &account);
        follow(&program, &mut Player::new(count), &mut whole, &all);
        let mut streamed = engine_of(config, &["A", "B"][..count], &account);
        streamed.condense_samples();
        let mut player = Player::new(count);
        in_pieces(markets, &sizes, |bars, horizon| {
            player.set_horizon(horizon);
            follow(&program, &mut player, &mut streamed, bars);
            (0..count).map(|k| player.closed(k)).collect()
        });
        prop_assert_eq!(records(&streamed), records(&whole));
        prop_assert_eq!(replayed(&streamed, markets, &sizes), curve(&whole, &markets[0]));
        let mut inputs = digest::Inputs::new(count);
        for (k, market) in markets.iter().enumerate() {
            for from in (0..market.open_ns.len()).step_by(sizes[0]) {
                inputs.add(k, &market.rows(from..market.open_ns.len().min(from + sizes[0])).bars()).expect("bars");
            }
        }
        let instruments: Vec<_> = whole.instruments().collect();
        let terms = whole.account_terms();
        prop_assert_eq!(inputs.digest(&instruments, terms), digest::inputs(&instruments, &all, terms));
    }

    /// The same for strategies in Rust, of which one looks back.
    #[test]
    fn a_window_that_moves_over_the_bars_is_enough_for_strategies_in_rust(
        (one, two, count) in (markets(), markets(), 1..=2_usize),
        config in configs(),
        account in accounts(),
        (fast, slow) in (1..5_usize, 5..12_usize),
        (above, below) in (-3 * PPB..3 * PPB, -3 * PPB..3 * PPB),
        sizes in vec(1..25_usize, 1..6),
    ) {
        let markets = &[one, overlapping(two)][..count];
        let all: Vec<_> = markets.iter().map(Market::bars).collect();
        let mut strategy = SmaCross::new(count, fast, slow, Holding::Fraction(above), Holding::Fraction(below));
        let mut whole = engine_of(config, &["A", "B"][..count], &account);
        run(&mut whole, &all, &mut strategy.clone()).expect("a run in range");
        let mut streamed = engine_of(config, &["A", "B"][..count], &account);
        streamed.condense_samples();
        let mut way = Run::new(count);
        in_pieces(markets, &sizes, |bars, horizon| {
            way.play(&mut streamed, bars, &mut strategy, horizon).expect("a run in range");
            (0..count).map(|k| way.played(k).saturating_sub(strategy.lookback())).collect()
        });
        prop_assert_eq!(records(&streamed), records(&whole));
        prop_assert_eq!(replayed(&streamed, markets, &sizes), curve(&whole, &markets[0]));
    }
}

/// Sessions of a law that costs more, one for 25 of `NT_LAW_CASES` (5,000 by default).
fn resumed_cases() -> ProptestConfig {
    let cases = std::env::var("NT_LAW_CASES").map_or(5_000, |cases| cases.parse().expect("a number of cases"));
    ProptestConfig::with_cases(u32::div_ceil(cases, 25))
}

proptest! {
    #![proptest_config(resumed_cases())]

    /// Law 16: a run that is saved at any turn and time, and resumed from its bytes, equals the run that never stopped.
    #[test]
    fn a_resumed_run_equals_the_run_that_never_stopped(
        (one, two, count) in (markets(), markets(), 1..=2_usize),
        config in configs(),
        account in accounts(),
        program in vec((0..60_usize, requests()), 0..30),
        stops in vec((0..90_i64, 0..9_u64), 1..8),
        condensed in any::<bool>(),
    ) {
        let markets = &[one, overlapping(two)][..count];
        let all: Vec<_> = markets.iter().map(Market::bars).collect();
        let start = || {
            let mut engine = engine_of(config, &["A", "B"][..count], &account);
            if condensed {
                engine.condense_samples();
            }
            engine
        };
        let mut whole = start();
        follow(&program, &mut Player::new(count), &mut whole, &all);
        let (mut engine, mut player) = (start(), Player::new(count));
        let mut stops = stops.into_iter().cycle();
        let mut time_ns = 0;
        while !player.is_over() {
            let (later, turns) = stops.next().expect("a cycle");
            time_ns += later + 1;
            let turns = if turns == 0 { u64::MAX } else { player.turns() + turns };
            player.set_pause(Pause { time_ns, turns });
            follow(&program, &mut player, &mut engine, &all);
            let saved = encode(&(&engine, &player)).expect("a state");
            let (read, position): (Engine, Player) = decode(&saved).expect("the same");
            prop_assert!(engine.continues(&read));
            prop_assert!(encode(&(&read, &position)).expect("a state") == saved);
            (engine, player) = (read, position);
        }
        prop_assert_eq!(records(&engine), records(&whole));
        if !condensed {
            prop_assert_eq!(curve(&engine, &markets[0]), curve(&whole, &markets[0]));
        }
    }

    /// The same of strategies in Rust, whose state is part of it.
    #[test]
    fn a_resumed_run_of_a_strategy_in_rust_equals_the_run_that_never_stopped(
        (one, two, count) in (markets(), markets(), 1..=2_usize),
        config in configs(),
        account in accounts(),
        (fast, slow) in (1..5_usize, 5..12_usize),
        (above, below) in (-3 * PPB..3 * PPB, -3 * PPB..3 * PPB),
        stops in vec(0..90_i64, 1..8),
    ) {
        let markets = &[one, overlapping(two)][..count];
        let all: Vec<_> = markets.iter().map(Market::bars).collect();
        let mut strategy = SmaCross::new(count, fast, slow, Holding::Fraction(above), Holding::Fraction(below));
        let mut whole = engine_of(config, &["A", "B"][..count], &account);
        run(&mut whole, &all, &mut strategy.clone()).expect("a run in range");
        let (mut engine, mut way) = (engine_of(config, &["A", "B"][..count], &account), Run::new(count));
        let mut stops = stops.into_iter().cycle();
        let mut time_ns = 0;
        while !way.is_over() {
            time_ns += stops.next().expect("a cycle") + 1;
            way.set_pause(time_ns);
            way.play(&mut engine, &all, &mut strategy, i64::MAX).expect("a run in range");
            let saved = encode(&(&engine, &way, &strategy)).expect("a state");
            (engine, way, strategy) = decode(&saved).expect("the same");
        }
        prop_assert_eq!(records(&engine), records(&whole));
        prop_assert_eq!(curve(&engine, &markets[0]), curve(&whole, &markets[0]));
    }
}
