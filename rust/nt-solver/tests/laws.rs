//! Laws of the solvers over random systems, checked without another solver: a system is made with its solution.

use nt_solver::{
    Dominance, Kind, Matrix, Question, Scratch, Walks, backward, bicgstab, bidirectional, entry, forward, neumann,
};
use proptest::prelude::*;

/// A system of rows or columns that dominate, and its solution.
#[derive(Debug)]
struct Made {
    begins: Vec<i32>,
    columns: Vec<i32>,
    values: Vec<f64>,
    x: Vec<f64>,
    b: Vec<f64>,
}

fn made(x: Vec<f64>, draws: &[(usize, usize, f64)], dominance: f64, by_columns: bool, turned: bool) -> Made {
    let length = x.len();
    let mut dense = vec![vec![0.0; length]; length];
    for &(row, column, value) in draws {
        let (row, column) = (row % length, column % length);
        if row != column {
            if by_columns { dense[column][row] = value } else { dense[row][column] = value }
        }
    }
    #[allow(clippy::needless_range_loop, reason = "rows and columns take part alike")]
    for at in 0..length {
        let others: f64 = (0..length).map(|i| if by_columns { dense[i][at] } else { dense[at][i] }.abs()).sum();
        dense[at][at] = (dominance * others + 1.0) * if turned && at % 2 == 1 { -1.0 } else { 1.0 };
    }
    let b = dense.iter().map(|row| row.iter().zip(&x).map(|(a, x)| a * x).sum()).collect();
    let (mut begins, mut columns, mut values) = (vec![0], vec![], vec![]);
    for row in &dense {
        for (column, &value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            columns.push(column as i32);
            values.push(value);
        }
        begins.push(values.len() as i32);
    }
    Made { begins, columns, values, x, b }
}

fn systems() -> impl Strategy<Value = Made> {
    let draws = prop::collection::vec((0..1000_usize, 0..1000_usize, -1.0..1.0), 0..80);
    (prop::collection::vec(-10.0..10.0, 1..25_usize), draws, 1.01..4.0, any::<bool>(), any::<bool>())
        .prop_map(|(x, draws, dominance, by_columns, turned)| made(x, &draws, dominance, by_columns, turned))
}

/// What rounding of the right side, which was computed, may have done to the solution.
const ROUNDED: f64 = 1e-9;

proptest! {
    #[test]
    fn every_method_is_within_its_bound(given in systems(), eps in prop::sample::select(vec![1e-2, 1e-6]), at in 0..1000_usize) {
        let matrix = Matrix::new(&given.begins, &given.columns, &given.values).unwrap();
        let known = Dominance::of(matrix).unwrap();
        let side = known.side(&given.b).unwrap();
        let at = at % given.x.len();
        for (x, certificate) in [
            neumann(matrix, &known, side, eps, 2, &mut |_| true).unwrap(),
            bicgstab(matrix, &known, side, None, eps, 2, &mut |_| true).unwrap(),
        ] {
            let error = x.iter().zip(&given.x).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            prop_assert!(error <= certificate.bound + ROUNDED, "{} {error} {}", certificate.method.name(), certificate.bound);
            prop_assert!(certificate.bound <= eps + ROUNDED);
        }
        let mut scratch = Scratch::default();
        let question = Question { matrix, dominance: &known, side, entry: at, eps };
        let found = backward(question, &mut scratch).unwrap();
        prop_assert!((found.value - given.x[at]).abs() <= found.certificate.bound + ROUNDED);
        let (found, _) = entry(question, None, 1, &mut scratch, &mut |_| true).unwrap();
        prop_assert!((found.value - given.x[at]).abs() <= found.certificate.bound + ROUNDED);
        let source: Vec<(usize, f64)> = given.b.iter().copied().enumerate().collect();
        let across = matrix.transposed();
        let (rows, values, certificate) = forward(across.view(), &known, &source, eps, &mut scratch).unwrap();
        let mut x = vec![0.0; given.x.len()];
        for (row, value) in rows.into_iter().zip(values) {
            x[row] = value;
        }
        let error = x.iter().zip(&given.x).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        prop_assert!(error <= certificate.bound + ROUNDED);
    }

    #[test]
    fn the_number_of_threads_changes_no_bit(given in systems(), seed in any::<u64>()) {
        let matrix = Matrix::new(&given.begins, &given.columns, &given.values).unwrap();
        let known = Dominance::by_rows(matrix).unwrap();
        prop_assume!(known.kind == Kind::Rows);
        let side = known.side(&given.b).unwrap();
        let question = Question { matrix, dominance: &known, side, entry: 0, eps: 1e-3 };
        let found: Vec<_> = [1, 2, 7]
            .map(|threads| Walks { seed, confidence: 0.9, walks_max: 4096, threads })
            .map(|how| bidirectional(question, how, &mut Scratch::default(), &mut |_| true).unwrap())
            .into();
        prop_assert_eq!(found[0].value.to_bits(), found[1].value.to_bits());
        prop_assert_eq!(&found[0], &found[2]);
    }
}
