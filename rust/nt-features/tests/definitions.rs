//! Laws that every feature of the table keeps; what each computes is held against its twin and other libraries in Python.

use nt_features::{FAMILIES, Field, Kind, LARGEST, Set, Unit, kinds};
use proptest::prelude::*;

/// Columns for the inputs of any feature, whole numbers on a walk that keeps away from 0.
fn columns(kind: &'static Kind, seed: u64, rows: usize) -> Vec<Vec<f64>> {
    let mut state = seed;
    let mut draw = move |most: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % most) as f64
    };
    let mut level = 10_000.0;
    let mut made: Vec<Vec<f64>> = kind.inputs.iter().map(|_| Vec::new()).collect();
    for row in 0..rows {
        level += draw(201) - 100.0;
        level = if level < 1_000.0 { 1_000.0 } else { level };
        for (column, input) in made.iter_mut().zip(kind.inputs) {
            column.push(match input.name {
                "high" | "ask" => level + 50.0 + draw(50),
                "low" | "bid" => level - 50.0 - draw(50),
                "side" => draw(3) - 1.0,
                // Bars of half an hour.
                "time" => 1.8e12 * row as f64,
                "anchor" => f64::from(draw(30) < 1.0),
                _ => level + draw(100) - 50.0,
            });
        }
    }
    made
}

fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}

/// Short windows, where the defaults are long; features whose parameters depend on each other keep their defaults.
fn parameters(kind: &'static Kind, n: usize) -> Vec<f64> {
    let short: Vec<f64> = kind
        .parameters
        .iter()
        .map(|parameter| if parameter.name == "n" { parameter.least.max(n as f64) } else { parameter.default })
        .collect();
    if kind.build(&short).is_ok() { short } else { kind.parameters(&[]).expect("defaults fit") }
}

fn bits(column: &[f64]) -> Vec<u64> {
    column.iter().map(|value| if value.is_nan() { u64::MAX } else { value.to_bits() }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn columns_pieces_single_rows_and_saved_states_agree_to_the_last_bit(seed in any::<u64>(), n in 2_usize..30, cut in 1_usize..200) {
        for kind in kinds() {
            let given = parameters(kind, n);
            let inputs = columns(kind, seed, 200);
            let whole = kind.columns(&given, &slices(&inputs)).expect("columns fit");
            let mut feature = kind.build(&given).expect("parameters fit");
            let mut row = vec![0.0; kind.outputs.len()];
            let mut single: Vec<Vec<f64>> = vec![Vec::new(); row.len()];
            for at in 0..cut {
                let numbers: Vec<f64> = inputs.iter().map(|column| column[at]).collect();
                feature.update(&numbers, &mut row);
                single.iter_mut().zip(&row).for_each(|(column, value)| column.push(*value));
            }
            let saved = feature.saved().expect("a state");
            let mut feature = kind.build(&given).expect("parameters fit");
            prop_assert!(saved.is_empty() || feature.load(&saved[1..]).is_err(), "{}", kind.name);
            feature.load(&saved).expect("the state of this feature");
            let rest: Vec<&[f64]> = inputs.iter().map(|column| &column[cut..]).collect();
            let mut tails = vec![vec![0.0; 200 - cut]; row.len()];
            feature.columns(&rest, &mut tails.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>());
            for ((column, mut head), tail) in whole.iter().zip(single).zip(tails) {
                head.extend(tail);
                prop_assert_eq!(bits(column), bits(&head), "{}", kind.name);
            }
        }
    }

    #[test]
    fn what_is_no_number_gives_nan_and_a_new_beginning(
        seed in any::<u64>(), n in 2_usize..20, gap in 0_usize..150,
        nothing in prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2.0 * LARGEST]),
    ) {
        for kind in kinds() {
            let given = parameters(kind, n);
            let mut inputs = columns(kind, seed, 250);
            let place = gap % inputs.len();
            inputs[place][gap] = nothing;
            let whole = kind.columns(&given, &slices(&inputs)).expect("columns fit");
            let after: Vec<&[f64]> = inputs.iter().map(|column| &column[gap + 1..]).collect();
            for (column, anew) in whole.iter().zip(kind.columns(&given, &after).expect("columns fit")) {
                prop_assert!(column[gap].is_nan(), "{}", kind.name);
                prop_assert_eq!(bits(&column[gap + 1..]), bits(&anew), "{}", kind.name);
            }
        }
    }

    #[test]
    fn a_set_is_its_features(seed in any::<u64>(), n in 2_usize..20) {
        let all: Vec<_> = kinds().map(|kind| (kind, parameters(kind, n), columns(kind, seed, 150))).collect();
        let mut row = Vec::new();
        let mut members: Vec<(&str, &[f64], Vec<usize>)> = Vec::new();
        for (kind, given, inputs) in &all {
            members.push((kind.name, given, (row.len()..row.len() + inputs.len()).collect()));
            row.extend(slices(inputs));
        }
        let members: Vec<_> = members.iter().map(|(name, given, places)| (*name, *given, &places[..])).collect();
        let mut set = Set::new(&members).expect("features fit");
        let alone = all.iter().flat_map(|(kind, given, inputs)| kind.columns(given, &slices(inputs)).expect("columns fit"));
        let together = set.columns(&row);
        prop_assert_eq!(together.len(), set.outputs());
        for (column, other) in together.iter().zip(alone) {
            prop_assert_eq!(bits(column), bits(&other));
        }
        set.restart();
        let mut out = vec![0.0; set.outputs()];
        for at in 0..150 {
            let numbers: Vec<f64> = row.iter().map(|column| column[at]).collect();
            set.update(&numbers, &mut out);
            let wanted: Vec<f64> = together.iter().map(|column| column[at]).collect();
            prop_assert_eq!(bits(&out), bits(&wanted));
        }
    }
}

#[test]
fn the_table_is_in_order() {
    let mut names: Vec<&str> = kinds().map(|kind| kind.name).collect();
    for family in FAMILIES {
        assert!(family.kinds.is_sorted_by_key(|kind| kind.name), "{}", family.name);
    }
    for kind in kinds() {
        let feature = kind.build(&[]).expect(kind.name);
        assert!(feature.warmup() < 1_000, "{} takes too long by default", kind.name);
        for name in kind.inputs.iter().map(|input| input.name).chain(kind.parameters.iter().map(|each| each.name)) {
            assert!(name.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_'), "{}: {name}", kind.name);
        }
        assert!(kind.line.len() < 70 && kind.line.ends_with('.'), "{}", kind.name);
        assert!(kind.source.ends_with('.'), "{}", kind.name);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), kinds().count());
}

#[test]
fn errors_say_what_to_change() {
    let said = |name: &str, parameters: &[f64]| match Kind::named(name).and_then(|kind| kind.build(parameters)) {
        Ok(_) => panic!("{name} was built"),
        Err(error) => error.to_string(),
    };
    assert_eq!(said("smaa", &[5.0]), "no feature is called \"smaa\"; is it sma?; `neural-trader features` lists all");
    assert_eq!(said("xyz", &[]), "no feature is called \"xyz\"; `neural-trader features` lists all");
    assert_eq!(said("sma", &[5.0, 6.0]), "sma(n) takes at most 1 parameters, not 2");
    assert_eq!(said("sma", &[2.5]), "sma: n must be a whole number from 1 to 1000000, not 2.5");
    assert_eq!(said("rsi", &[1.0]), "rsi: n must be a whole number from 2 to 1000000, not 1");
    assert_eq!(said("ema", &[f64::NAN]), "ema: n must be a whole number from 1 to 1000000, not NaN");
    assert_eq!(said("macd", &[26.0, 12.0]), "macd: fast (26) must be below slow (12)");
    assert_eq!(said("momentum", &[3.0, 3.0]), "momentum: skip (3) must be below n (3)");

    let refused = |name: &str, inputs: &[&[f64]]| {
        Kind::named(name).and_then(|kind| kind.columns(&[], inputs)).expect_err(name).to_string()
    };
    let ten = [10.0; 10];
    assert_eq!(refused("sma", &[&ten, &ten]), "sma reads 1 (series), not 2 columns");
    assert_eq!(refused("atr", &[&ten, &ten, &ten[1..]]), "atr: close has 9 values and high has 10");
}

#[test]
fn units_follow_the_inputs() {
    let unit = |name: &str, series: Option<Field>| {
        let kind = Kind::named(name).expect(name);
        kind.unit(0, &kind.fields(series).expect(name)).name()
    };
    assert_eq!(unit("sma", None), "price");
    assert_eq!(unit("sma", Some(Field::Volume)), "volume");
    assert_eq!(unit("rsi", None), "ratio");
    assert_eq!(Unit { price: -1, volume: -2 }.name(), "price^-1 volume^-2");
}

#[test]
fn deviation_of_huge_prices_does_not_cancel() {
    // Around 2^50 the squares leave 2^53 far behind; a sum of them would answer 0 or NaN.
    let close: Vec<f64> = (0..100).map(|t| (1_i64 << 50) as f64 + f64::from(t % 2)).collect();
    let columns = Kind::named("deviation").and_then(|kind| kind.columns(&[10.0], &[&close])).expect("columns fit");
    assert!(columns[0][9..].iter().all(|value| *value == 0.5));
}

#[test]
fn sums_have_no_drift_and_no_memory() {
    let mut close = columns(Kind::named("sma").expect("there is one"), 1, 1_000_000).remove(0);
    close[500_000] = 1e59;
    let columns = Kind::named("sma").and_then(|kind| kind.columns(&[200.0], &[&close])).expect("columns fit");
    let last = close[999_800..].iter().sum::<f64>() / 200.0;
    assert_eq!(columns[0][999_999].to_bits(), last.to_bits());
}
