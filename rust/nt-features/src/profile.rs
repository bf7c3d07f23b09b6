//! The matrix profile: how far each window of a series is from the window that is most like it (Yeh and others, 2016).
//!
//! Windows are compared as shapes, that is less their means and over their population deviations. Of all windows the one
//! with the highest correlation is the nearest; the distance to it is then measured directly, so that it does not cancel. A
//! correlation is made of a sum of products of values as many rows apart, which slides as all sums of this crate do: of the
//! end of one block and the beginning of the next, about the values at the border. So nothing drifts, and a hole spoils the
//! windows that contain it and no others.

use serde::{Deserialize, Serialize};

use crate::LARGEST;
use crate::feature::Stream;
use crate::recent::Recent;
use crate::window::{Spread, Window};

/// Windows that begin within so many rows of each other are alike anyway: a quarter of their length, rounded up.
pub fn exclusion(n: usize) -> usize {
    n.div_ceil(4)
}

/// What makes a shape of a window: `((x - pivot) - offset) scale` has the mean 0 and the deviation 1.
#[derive(Clone, Copy, Debug)]
struct Shape {
    pivot: f64,
    /// The sum of the distances from the pivot.
    sum: f64,
    offset: f64,
    /// NaN where the window is constant, or has something that is no number.
    scale: f64,
}

impl Shape {
    const NONE: Self = Self { pivot: f64::NAN, sum: f64::NAN, offset: f64::NAN, scale: f64::NAN };

    /// That of a window and its fold.
    #[inline]
    fn of(window: &Window<Spread>, fold: Spread) -> Self {
        let n = window.len() as f64;
        let spread = fold.of(n);
        let scale = if spread > 0.0 { n / spread.sqrt() } else { f64::NAN };
        Self { pivot: window.pivot(), sum: fold.sum, offset: fold.sum / n, scale }
    }
}

/// The distance between the shapes of two windows.
fn distance((a, of_a): (&[f64], Shape), (b, of_b): (&[f64], Shape)) -> f64 {
    let shaped = |value: f64, of: Shape| ((value - of.pivot) - of.offset) * of.scale;
    let squares = a.iter().zip(b).fold(0.0, |sum, (&a, &b)| {
        let difference = shaped(a, of_a) - shaped(b, of_b);
        sum + difference * difference
    });
    squares.sqrt()
}

/// `n` times the correlation of two windows, from the sum of products about the pivot of the later one and what stands as
/// many rows before that.
#[inline(always)]
fn score(products: f64, later: Shape, before_pivot: f64, [pivot, offset, scale]: [f64; 3]) -> f64 {
    (products - later.sum * ((pivot - before_pivot) + offset)) * later.scale * scale
}

/// The nearest of the windows that end from `nearest` to `lookback` rows ago. Places in its columns are those of lags, the
/// longest first.
#[derive(Serialize, Deserialize)]
pub(crate) struct LeftProfile {
    n: usize,
    lookback: usize,
    seen: usize,
    /// Rows since the block ended.
    at: usize,
    values: Recent,
    window: Window<Spread>,
    /// Of the windows that ended in the last rows.
    pivots: Recent,
    offsets: Recent,
    scales: Recent,
    /// For each row of the last block: sums of products from there to its end.
    tails: Box<[f64]>,
    heads: Box<[f64]>,
    scores: Box<[f64]>,
}

impl LeftProfile {
    /// With windows of `n` values, `n` below `lookback`.
    pub(crate) fn new(n: usize, lookback: usize) -> Self {
        let lags = lookback - exclusion(n);
        let kept = || Recent::new(lookback + 1);
        Self {
            n,
            lookback,
            seen: 0,
            at: 0,
            values: Recent::new(lookback + n),
            window: Window::new(n),
            pivots: kept(),
            offsets: kept(),
            scales: kept(),
            tails: vec![0.0; n * lags].into(),
            heads: vec![0.0; lags].into(),
            scores: vec![0.0; lags].into(),
        }
    }

    /// Ends a block: sums of products from each of its rows to the last.
    fn turn(&mut self) {
        let (n, lags, values) = (self.n, self.heads.len(), self.values.all());
        let (pivot, pivots) = (values[self.lookback + n - 1], &values[n - 1..n - 1 + lags]);
        self.at = 0;
        self.heads.fill(0.0);
        for row in (0..n).rev() {
            let (tails, after) = self.tails[row * lags..].split_at_mut(lags);
            let from_pivot = values[self.lookback + row] - pivot;
            // The row after the last has no products, which the heads are now.
            let after = if row + 1 < n { &after[..lags] } else { &self.heads };
            for at in 0..lags {
                tails[at] = after[at] + from_pivot * (values[row + at] - pivots[at]);
            }
        }
    }

    /// Scores of all lags at a row `at` rows after the end of a block.
    fn score(&mut self, later: Shape) {
        let (lags, values) = (self.heads.len(), self.values.all());
        let now = self.n - 1;
        let from_pivot = values[self.lookback + now] - values[self.lookback + now - self.at];
        let (before, before_pivots) = (&values[now..now + lags], &values[now - self.at..now - self.at + lags]);
        let (pivots, offsets, scales) =
            (&self.pivots.all()[..lags], &self.offsets.all()[..lags], &self.scales.all()[..lags]);
        let tails = &self.tails[self.at * lags..(self.at + 1) * lags];
        let (heads, scores) = (&mut self.heads[..lags], &mut self.scores[..lags]);
        for at in 0..lags {
            heads[at] += from_pivot * (before[at] - before_pivots[at]);
            let earlier = [pivots[at], offsets[at], scales[at]];
            scores[at] = score(tails[at] + heads[at], later, before_pivots[at], earlier);
        }
    }
}

impl Stream<1, 2> for LeftProfile {
    fn warmup(&self) -> usize {
        self.n - 1 + self.lookback
    }

    fn restart(&mut self) {
        self.window.restart();
        (self.seen, self.at) = (0, 0);
    }

    fn update(&mut self, [value]: [f64; 1]) -> [f64; 2] {
        self.values.push(value);
        let shape = self.window.push(value).map_or(Shape::NONE, |fold| Shape::of(&self.window, fold));
        self.pivots.push(shape.pivot);
        self.offsets.push(shape.offset);
        self.scales.push(shape.scale);
        self.seen += 1;
        self.at += 1;
        if self.at == self.n {
            self.turn();
        } else if self.seen < self.n {
            return [f64::NAN; 2];
        }
        self.score(shape);
        if self.seen <= self.warmup() {
            return [f64::NAN; 2];
        }
        let best = largest(&self.scores);
        let Some(at) = self.scores.iter().rposition(|score| *score == best) else { return [f64::NAN; 2] };
        let (values, n) = (self.values.all(), self.n);
        let earlier = Shape {
            pivot: self.pivots.all()[at],
            sum: 0.0,
            offset: self.offsets.all()[at],
            scale: self.scales.all()[at],
        };
        [distance((&values[self.lookback..], shape), (&values[at..at + n], earlier)), (self.lookback - at) as f64]
    }
}

/// The largest number; negative infinity where there is none.
fn largest(numbers: &[f64]) -> f64 {
    let more = |a: f64, b: f64| if b > a { b } else { a };
    let (eights, rest) = numbers.as_chunks::<8>();
    let start = rest.iter().copied().fold(f64::NEG_INFINITY, more);
    let lanes = eights.iter().fold([start; 8], |lanes, eight| std::array::from_fn(|at| more(lanes[at], eight[at])));
    lanes.into_iter().fold(start, more)
}

/// Of each window, by the row at which it ends: the distance to its nearest neighbour, and the row at which that ends.
#[derive(Clone, Debug)]
pub struct Neighbours {
    /// NaN where there is no neighbour.
    pub distance: Vec<f64>,
    /// -1 where there is none.
    pub neighbour: Vec<i64>,
}

/// The matrix profile of a whole series.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Among the windows that end before.
    pub left: Neighbours,
    /// Among the windows that end after.
    pub right: Neighbours,
}

/// Diagonals that are gone through together.
const LANES: usize = 8;

/// The matrix profile of windows of `n` values that end more than `exclusion` rows apart.
///
/// Diagonal by diagonal, as SCAMP (Zimmerman and others, 2019). A window that is constant, or has something that is no
/// number, has no neighbour and is none. Of equal neighbours it is the one nearest in time.
pub fn matrix_profile(series: &[f64], n: usize, exclusion: usize) -> Profile {
    let rows = series.len();
    if rows < n {
        let none = Neighbours { distance: vec![f64::NAN; rows], neighbour: vec![-1; rows] };
        return Profile { left: none.clone(), right: none };
    }
    let mut diagonals = Diagonals::new(series, n);
    for lag in (exclusion.saturating_add(1)..rows - (n - 1)).step_by(LANES) {
        diagonals.go(lag);
    }
    let side = |best: &Best, other: fn(usize, usize) -> usize| {
        let found = |row: usize| {
            let other = other(row, best.lags[row]);
            match best.scores[row] > f64::NEG_INFINITY {
                true => (diagonals.distance(row, other), (other - diagonals.padding) as i64),
                false => (f64::NAN, -1),
            }
        };
        let (distance, neighbour) = (diagonals.padding..diagonals.padding + rows).map(found).unzip();
        Neighbours { distance, neighbour }
    };
    Profile { left: side(&diagonals.left, |row, lag| row - lag), right: side(&diagonals.right, |row, lag| row + lag) }
}

/// The best neighbours so far, by row: their scores, and how many rows they are away.
struct Best {
    scores: Vec<f64>,
    lags: Vec<usize>,
}

impl Best {
    fn new(rows: usize) -> Self {
        Self { scores: vec![f64::NEG_INFINITY; rows], lags: vec![0; rows] }
    }

    #[inline]
    fn offer(&mut self, row: usize, score: f64, lag: usize) {
        if score > self.scores[row] {
            (self.scores[row], self.lags[row]) = (score, lag);
        }
    }
}

/// What is known of all windows, by row, and room for the sums of a block.
struct Diagonals {
    n: usize,
    padding: usize,
    values: Vec<f64>,
    sums: Vec<f64>,
    pivots: Vec<f64>,
    offsets: Vec<f64>,
    scales: Vec<f64>,
    tails: Vec<[f64; LANES]>,
    left: Best,
    right: Best,
}

/// The numbers of the lanes at a row. The longest lag is the first lane.
#[inline(always)]
fn lanes(column: &[f64], row: usize, longest: usize) -> &[f64; LANES] {
    column[row - longest..].first_chunk().expect("the padding is long enough")
}

impl Diagonals {
    fn new(series: &[f64], n: usize) -> Self {
        // What stands before the beginning is no number either, so that every diagonal can begin with a whole block.
        let padding = n + LANES;
        let rows = padding + series.len();
        let column = || vec![f64::NAN; rows];
        let (mut values, mut sums) = (column(), column());
        let (mut pivots, mut offsets, mut scales) = (column(), column(), column());
        let mut window = Window::new(n);
        for (row, value) in (padding..).zip(series) {
            values[row] = if value.abs() <= LARGEST { *value } else { f64::NAN };
            if let Some(fold) = window.push(values[row]) {
                let shape = Shape::of(&window, fold);
                (sums[row], pivots[row], offsets[row], scales[row]) =
                    (shape.sum, shape.pivot, shape.offset, shape.scale);
            }
        }
        let tails = vec![[0.0; LANES]; n + 1];
        let (left, right) = (Best::new(rows), Best::new(rows));
        Self { n, padding, values, sums, pivots, offsets, scales, tails, left, right }
    }

    fn shape(&self, row: usize) -> Shape {
        Shape { pivot: self.pivots[row], sum: self.sums[row], offset: self.offsets[row], scale: self.scales[row] }
    }

    fn distance(&self, row: usize, other: usize) -> f64 {
        let window = |row: usize| (&self.values[row + 1 - self.n..=row], self.shape(row));
        distance(window(row), window(other))
    }

    /// Goes along the diagonals of `lag` and the lags after it.
    fn go(&mut self, lag: usize) {
        let (n, longest) = (self.n, lag + LANES - 1);
        // The block in which the shortest diagonal begins, and those after it.
        let first = self.padding + lag / n * n + n - 1;
        for end in (first..self.values.len()).step_by(n) {
            let (pivot, pivots) = (self.values[end], *lanes(&self.values, end, longest));
            let product = |values: &[f64], row: usize| -> [f64; LANES] {
                let (from_pivot, before) = (values[row] - pivot, lanes(values, row, longest));
                std::array::from_fn(|lane| from_pivot * (before[lane] - pivots[lane]))
            };
            for at in (0..n).rev() {
                let (after, product) = (self.tails[at + 1], product(&self.values, end + 1 - n + at));
                self.tails[at] = std::array::from_fn(|lane| after[lane] + product[lane]);
            }
            let mut heads = [0.0; LANES];
            for at in 0..n.min(self.values.len() - end) {
                // The pivot is no part of the head, and its distance from itself is 0.
                let (tails, product) = (self.tails[at], product(&self.values, end + at));
                heads = std::array::from_fn(|lane| heads[lane] + product[lane]);
                self.weigh(end + at, longest, &pivots, std::array::from_fn(|lane| tails[lane] + heads[lane]));
            }
        }
    }

    /// Takes the sums of products of a row for what they are worth to its window and to those before it.
    #[inline(always)]
    fn weigh(&mut self, row: usize, longest: usize, before: &[f64; LANES], products: [f64; LANES]) {
        let later = self.shape(row);
        let [pivots, offsets, scales, others] =
            [&self.pivots, &self.offsets, &self.scales, &self.right.scores].map(|column| lanes(column, row, longest));
        let scores: [f64; LANES] = std::array::from_fn(|lane| {
            score(products[lane], later, before[lane], [pivots[lane], offsets[lane], scales[lane]])
        });
        let best = self.left.scores[row];
        let is_better = (0..LANES).fold(false, |any, lane| any | (scores[lane] > best) | (scores[lane] > others[lane]));
        // Seldom, once good neighbours are found.
        if is_better {
            for lane in (0..LANES).rev() {
                let lag = longest - lane;
                self.left.offer(row, scores[lane], lag);
                self.right.offer(row - lag, scores[lane], lag);
            }
        }
    }
}
