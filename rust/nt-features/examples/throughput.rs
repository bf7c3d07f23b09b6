//! Prints how fast each feature runs over columns and row by row: `cargo run --release --example throughput`.
//!
//! Regime: one core, a million bars of a random walk, best of five, defaults of the table. Columns are checked against the
//! row-by-row values before they are timed. A row counts once, however many features read it; a value is one output.

use std::hint::black_box;
use std::time::Instant;

use nt_features::{Field, Kind, Set, kinds};

const ROWS: usize = 1_000_000;
const NANOSECONDS: f64 = 1e9 / ROWS as f64;

/// Twenty features as a strategy would use them, those of `benches/contestants/features.py`.
const TWENTY: [(&str, &[f64], Option<Field>); 20] = [
    ("sma", &[10.0], None),
    ("sma", &[50.0], None),
    ("sma", &[200.0], None),
    ("ema", &[12.0], None),
    ("ema", &[26.0], None),
    ("rsi", &[14.0], None),
    ("rsi", &[2.0], None),
    ("deviation", &[20.0], None),
    ("deviation", &[100.0], None),
    ("highest", &[20.0], None),
    ("highest", &[55.0], None),
    ("lowest", &[10.0], None),
    ("lowest", &[20.0], None),
    ("atr", &[14.0], None),
    ("atr", &[20.0], None),
    ("macd", &[12.0, 26.0, 9.0], None),
    ("wma", &[20.0], None),
    ("momentum", &[252.0, 0.0], None),
    ("stochastic", &[14.0, 3.0, 3.0], None),
    ("bollinger", &[20.0, 2.0], None),
];

fn best_of_five(mut work: impl FnMut()) -> f64 {
    (0..5)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

/// Columns of bars in the order of [`place`].
fn bars() -> [Vec<f64>; 5] {
    let mut seed = 7_u64;
    let mut draw = |span: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((seed >> 33) % span) as f64
    };
    let mut columns = [const { Vec::new() }; 5];
    let mut last = 5_000_000.0;
    for _ in 0..ROWS {
        let next: f64 = last + draw(2001) - 1000.0;
        let bar = [last, next.max(last) + draw(300), next.min(last) - draw(300), next, draw(100_000)];
        columns.iter_mut().zip(bar).for_each(|(column, number)| column.push(number));
        last = next;
    }
    columns
}

fn place(field: Field) -> usize {
    [Field::Open, Field::High, Field::Low, Field::Close, Field::Volume]
        .iter()
        .position(|each| *each == field)
        .expect("a field of bars")
}

fn set_of(features: &[(&str, &[f64], Option<Field>)]) -> Set {
    let places: Vec<Vec<usize>> = features
        .iter()
        .map(|(name, _, series)| {
            let kind = Kind::named(name).expect("a feature");
            kind.fields(*series).expect("of bars").into_iter().map(place).collect()
        })
        .collect();
    let members: Vec<_> = features.iter().zip(&places).map(|((name, given, _), at)| (*name, *given, &at[..])).collect();
    Set::new(&members).expect("valid parameters")
}

/// Columns for the outputs of a set.
fn room(set: &Set) -> Vec<Vec<f64>> {
    vec![vec![0.0; ROWS]; set.outputs()]
}

/// The columns of a set, into memory that is there: what a system takes for new memory is no part of these times.
fn by_column(set: &mut Set, columns: &[&[f64]], out: &mut [Vec<f64>]) {
    let mut out: Vec<&mut [f64]> = out.iter_mut().map(Vec::as_mut_slice).collect();
    set.columns(columns, &mut out);
}

fn row_by_row(set: &mut Set, rows: &[[f64; 5]], mut see: impl FnMut(usize, &[f64])) {
    let mut out = vec![0.0; set.outputs()];
    for (at, row) in rows.iter().enumerate() {
        set.update(row, &mut out);
        see(at, &out);
    }
}

fn main() {
    let columns = bars();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let rows: Vec<[f64; 5]> = (0..ROWS).map(|at| std::array::from_fn(|i| columns[i][at])).collect();
    println!("{:<24} {:>12} {:>12}", "feature", "column ns", "row ns");
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    for kind in kinds() {
        if !chosen.is_empty() && !chosen.iter().any(|name| name == kind.name) {
            continue;
        }
        if kind.fields(None).is_err() {
            continue;
        }
        let one = [(kind.name, [].as_slice(), None)];
        let mut whole = room(&set_of(&one));
        by_column(&mut set_of(&one), &columns, &mut whole);
        row_by_row(&mut set_of(&one), &rows, |at, out| {
            assert!(out.iter().zip(&whole).all(|(value, column)| value.to_bits() == column[at].to_bits()));
        });
        let columns_take = best_of_five(|| {
            by_column(&mut set_of(&one), &columns, &mut whole);
            black_box(&whole);
        });
        let by_row = best_of_five(|| {
            row_by_row(&mut set_of(&one), &rows, |_, out| {
                black_box(out);
            });
        });
        println!("{:<24} {:>12.2} {:>12.2}", kind.name, columns_take * NANOSECONDS, by_row * NANOSECONDS);
    }
    let mut whole = room(&set_of(&TWENTY));
    let columns_take = best_of_five(|| {
        by_column(&mut set_of(&TWENTY), &columns, &mut whole);
        black_box(&whole);
    });
    let by_row = best_of_five(|| {
        row_by_row(&mut set_of(&TWENTY), &rows, |_, out| {
            black_box(out);
        });
    });
    let rate = ROWS as f64 / 1e6 / columns_take;
    let values = rate * set_of(&TWENTY).outputs() as f64;
    println!("twenty columns: {rate:.1} M rows/s, {values:.0} M values/s");
    println!("one row through twenty features: {:.0} ns", by_row * NANOSECONDS);
}
