//! Prints how fast each feature runs over a column and bar by bar: `cargo run --release --example throughput`.
//!
//! Regime: one core, a million bars of a random walk, best of five. Each column is checked against the bar-by-bar values
//! before it is timed.

use std::hint::black_box;
use std::time::Instant;

use nt_features::{Bar, Columns, Feature, column};

const BARS: usize = 1_000_000;

/// Twenty features as a strategy would use them.
const TWENTY: [(&str, &[f64]); 20] = [
    ("sma", &[10.0]),
    ("sma", &[50.0]),
    ("sma", &[200.0]),
    ("ema", &[12.0]),
    ("ema", &[26.0]),
    ("rsi", &[14.0]),
    ("rsi", &[2.0]),
    ("deviation", &[20.0]),
    ("deviation", &[100.0]),
    ("highest", &[20.0]),
    ("highest", &[55.0]),
    ("lowest", &[10.0]),
    ("lowest", &[20.0]),
    ("atr", &[14.0]),
    ("atr", &[20.0]),
    ("macd", &[12.0, 26.0]),
    ("macd_signal", &[12.0, 26.0, 9.0]),
    ("momentum", &[252.0, 21.0]),
    ("volatility", &[20.0]),
    ("volume_mean", &[20.0]),
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

fn main() {
    let mut seed = 7_u64;
    let mut draw = |span: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((seed >> 33) % span) as i64
    };
    let (mut open, mut high, mut low, mut close, mut volume) = (vec![], vec![], vec![], vec![], vec![]);
    let mut last = 5_000_000_i64;
    for _ in 0..BARS {
        let next = (last + draw(2001) - 1000).max(1000);
        open.push(last);
        close.push(next);
        high.push(last.max(next) + draw(300));
        low.push(last.min(next) - draw(300));
        volume.push(draw(100_000));
        last = next;
    }
    let bars = Columns { open: &open, high: &high, low: &low, close: &close, volume: Some(&volume) };
    let rows: Vec<Bar> = (0..BARS)
        .map(|t| Bar {
            open: open[t] as f64,
            high: high[t] as f64,
            low: low[t] as f64,
            close: close[t] as f64,
            volume: volume[t] as f64,
        })
        .collect();

    println!("{:<24} {:>12} {:>12}", "feature", "column ns", "bar ns");
    let mut columns_total = 0.0;
    for (name, parameters) in TWENTY {
        let whole = column(name, parameters, &bars).expect("valid parameters");
        let mut feature = Feature::new(name, parameters).expect("valid parameters");
        assert!(whole.iter().zip(&rows).all(|(value, bar)| value.to_bits() == feature.update(bar).to_bits()));
        let by_column = best_of_five(|| {
            black_box(column(name, parameters, &bars).expect("valid parameters"));
        });
        let by_bar = best_of_five(|| {
            let mut feature = Feature::new(name, parameters).expect("valid parameters");
            for bar in &rows {
                black_box(feature.update(bar));
            }
        });
        columns_total += by_column;
        let nanoseconds = 1e9 / BARS as f64;
        let label = format!("{name}{parameters:?}");
        println!("{label:<24} {:>12.2} {:>12.2}", by_column * nanoseconds, by_bar * nanoseconds);
    }
    let together = best_of_five(|| {
        let mut features: Vec<Feature> =
            TWENTY.iter().map(|(name, parameters)| Feature::new(name, parameters).expect("valid parameters")).collect();
        for bar in &rows {
            for feature in &mut features {
                black_box(feature.update(bar));
            }
        }
    });
    let million_rows = BARS as f64 / 1e6;
    println!("twenty columns:  {:.1} M rows/s ({:.3} s)", million_rows / columns_total, columns_total);
    println!("one bar through twenty features: {:.0} ns", together * 1e9 / BARS as f64);
}
