//! Dynamic time warping: how far a window is from a template where both may be stretched in time.
//!
//! Window and template are compared less their means and over their population deviations. The distance is the root of the
//! least sum of squared differences along a path of pairs that goes forward in both and never leaves the band (Sakoe and
//! Chiba, 1978). Where only distances up to a limit are wanted, bounds that cost less prune most of the work (Rakthanmanon
//! and others, 2012): that of the two ends (`LB_Kim`), that of the band around the template (`LB_Keogh`), and that of each row
//! of the path with what is still to come. Pruning changes no distance.

use serde::{Deserialize, Serialize};

use crate::feature::Stream;
use crate::kind::whole;
use crate::profile::Shape;
use crate::recent::Recent;
use crate::window::{Spread, Window, larger};
use crate::{FeatureError, Kind, LARGEST};

/// Bounds are rounded as distances are, so one prunes only where it is beyond the limit by more than rounding.
const MARGIN: f64 = 1.0 + 1e-9;

/// A template of `n` values as a shape, the band around it, and room for what is compared with it.
#[derive(Serialize, Deserialize)]
struct Template {
    shape: Box<[f64]>,
    lower: Box<[f64]>,
    upper: Box<[f64]>,
    band: usize,
    /// The shape of the window, and from each of its values to the end what the band adds to any distance at least.
    window: Box<[f64]>,
    rest: Box<[f64]>,
    /// Least sums up to a row of the path, and up to the one before; one place ahead of the first value.
    sums: [Box<[f64]>; 2],
}

/// How far the work on a window has gone, and what it came to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Found {
    /// The ends alone are farther than the limit; the square of their distance.
    Kim(f64),
    /// What is outside of the band is.
    Keogh(f64),
    /// A row of the path is.
    Abandoned(f64),
    /// The square of the distance.
    Completed(f64),
}

impl Template {
    /// The line through `points`, at `n` places where these are more, as a shape.
    fn new(points: &[f64], n: usize, band: usize) -> Self {
        let stretched = stretched(points, n);
        let count = stretched.len() as f64;
        let from_first = |value: &f64| value - stretched[0];
        let mean = stretched.iter().fold(0.0, |sum, value| sum + from_first(value)) / count;
        let square = |value: &f64| (from_first(value) - mean) * (from_first(value) - mean);
        let deviation = (stretched.iter().fold(0.0, |sum, value| sum + square(value)) / count).sqrt();
        let shape: Box<[f64]> = stretched.iter().map(|value| (from_first(value) - mean) / deviation).collect();
        let n = shape.len();
        let within = |at: usize| &shape[at.saturating_sub(band)..n.min(at.saturating_add(band + 1))];
        let lower = (0..n).map(|at| within(at).iter().fold(f64::INFINITY, |a, b| -larger(-a, -b))).collect();
        let upper = (0..n).map(|at| within(at).iter().fold(f64::NEG_INFINITY, |a, b| larger(a, *b))).collect();
        let room = |size| vec![0.0; size].into_boxed_slice();
        Self { window: room(n), rest: room(n + 1), sums: [room(n + 1), room(n + 1)], lower, upper, shape, band }
    }

    fn len(&self) -> usize {
        self.shape.len()
    }

    /// Compares a window that has a shape, as long as the square of the distance may be up to a limit.
    fn compare(&mut self, values: &[f64], of: Shape, limit: f64) -> Found {
        let last = self.len() - 1;
        let end = |at: usize| square(of.shaped(values[at]) - self.shape[at]);
        let kim = end(0) + end(last);
        if kim > limit {
            return Found::Kim(kim);
        }
        for (at, value) in values.iter().enumerate().rev() {
            let value = of.shaped(*value);
            self.window[at] = value;
            let outside = larger(larger(value - self.upper[at], self.lower[at] - value), 0.0);
            self.rest[at] = if at == last { 0.0 } else { self.rest[at + 1] } + outside * outside;
            if self.rest[at] > limit {
                return Found::Keogh(self.rest[at]);
            }
        }
        self.rest[last + 1] = 0.0;
        self.warp(limit)
    }

    /// The least sum along a path, row by row.
    fn warp(&mut self, limit: f64) -> Found {
        let n = self.len();
        let [before, now] = &mut self.sums;
        before.fill(f64::INFINITY);
        now.fill(f64::INFINITY);
        before[0] = 0.0;
        for (row, value) in self.window.iter().enumerate() {
            let (first, end) = (row.saturating_sub(self.band), n.min(row.saturating_add(self.band + 1)));
            now[first] = f64::INFINITY;
            let mut least = f64::INFINITY;
            for at in first..end {
                let sum = smaller(smaller(before[at], before[at + 1]), now[at]) + square(value - self.shape[at]);
                now[at + 1] = sum;
                least = smaller(least, sum);
            }
            if least + self.rest[row + 1] > limit {
                return Found::Abandoned(least + self.rest[row + 1]);
            }
            std::mem::swap(before, now);
        }
        Found::Completed(before[n])
    }
}

/// The line through points, at `n` places where these are more.
fn stretched(points: &[f64], n: usize) -> Vec<f64> {
    let (steps, places) = (points.len() - 1, n.max(points.len()) - 1);
    let at = |place: usize| {
        let (before, share) = (place * steps / places, place * steps % places);
        match share {
            0 => points[before],
            _ => points[before] + (points[before + 1] - points[before]) * (share as f64 / places as f64),
        }
    };
    (0..=places).map(at).collect()
}

#[inline]
fn square(number: f64) -> f64 {
    number * number
}

#[inline]
fn smaller(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

/// The distance of the last values from a template; what is beyond `most` is given as that.
#[derive(Serialize, Deserialize)]
pub(crate) struct Warping {
    most: f64,
    template: Template,
    values: Recent,
    window: Window<Spread>,
}

impl Warping {
    /// Of the numbers of the feature: `n`, the band, `most`, and the template.
    pub(crate) fn new(given: &[f64]) -> Self {
        let template = Template::new(&given[3..], whole(given[0]), whole(given[1]));
        let n = template.len();
        Self { most: given[2], template, values: Recent::new(n), window: Window::new(n) }
    }
}

impl Stream<1, 1> for Warping {
    fn warmup(&self) -> usize {
        self.window.len() - 1
    }

    fn restart(&mut self) {
        self.window.restart();
    }

    fn update(&mut self, [value]: [f64; 1]) -> [f64; 1] {
        self.values.push(value);
        let shape = self.window.push(value).map_or(Shape::NONE, |fold| Shape::of(&self.window, fold));
        if shape.scale.is_nan() {
            return [f64::NAN];
        }
        [match self.template.compare(self.values.all(), shape, square(self.most) * MARGIN) {
            Found::Completed(squared) => smaller(squared.sqrt(), self.most),
            _ => self.most,
        }]
    }
}

/// The windows of a series that are nearest to a template, nearest first, and the work that it took to find them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches {
    /// The rows at which they end.
    pub rows: Vec<usize>,
    /// Their distances.
    pub distances: Vec<f64>,
    /// Windows that have a shape.
    pub windows: usize,
    /// How many of these went no further than the bound of the two ends.
    pub by_kim: usize,
    /// No further than the bound of the band.
    pub by_keogh: usize,
    /// No further than some row of the path.
    pub abandoned: usize,
    /// How many distances were worked out.
    pub completed: usize,
}

/// The `k` windows that are nearest to a template and end at least `apart` rows from each other: the nearest of all, then
/// the nearest of those that are far enough from it, and so on. `given` are the numbers of the feature `dtw`, whose column
/// has the same distances to the last bit.
pub fn search(series: &[f64], given: &[f64], k: usize, apart: usize) -> Result<Matches, FeatureError> {
    let given = Kind::named("dtw")?.parameters(given)?;
    let mut template = Template::new(&given[3..], whole(given[0]), whole(given[1]));
    let (n, shapes) = (template.len(), shapes(series, template.len()));
    let known = |shape: &&Shape| !shape.scale.is_nan();
    let mut matches = Matches { windows: shapes.iter().filter(known).count(), ..Matches::default() };
    // What is known of each window so far: none needs to be looked at again where that is beyond the best.
    let mut found = vec![Found::Kim(0.0); series.len()];
    while matches.rows.len() < k {
        let (mut nearest, mut limit) = (None, square(given[2]) * MARGIN);
        for row in 0..series.len() {
            let is_near = matches.rows.iter().any(|other: &usize| other.abs_diff(row) < apart);
            if shapes[row].scale.is_nan() || is_near || found[row].bound() > limit {
                continue;
            }
            if !matches!(found[row], Found::Completed(_)) {
                found[row] = template.compare(&series[row + 1 - n..=row], shapes[row], limit);
            }
            if let Found::Completed(squared) = found[row]
                && squared.sqrt() <= given[2]
                && nearest.is_none_or(|(_, least)| squared < least)
            {
                nearest = Some((row, squared));
                limit = squared * MARGIN;
            }
        }
        let Some((row, squared)) = nearest else { break };
        matches.rows.push(row);
        matches.distances.push(squared.sqrt());
    }
    for found in found {
        match found {
            // A window that was never looked at, being near a match.
            Found::Kim(0.0) => {}
            Found::Kim(_) => matches.by_kim += 1,
            Found::Keogh(_) => matches.by_keogh += 1,
            Found::Abandoned(_) => matches.abandoned += 1,
            Found::Completed(_) => matches.completed += 1,
        }
    }
    Ok(matches)
}

impl Found {
    /// What the square of the distance is at least.
    fn bound(self) -> f64 {
        match self {
            Self::Kim(bound) | Self::Keogh(bound) | Self::Abandoned(bound) | Self::Completed(bound) => bound,
        }
    }
}

/// The shape of the window that ends at each row, as the stream makes it.
fn shapes(series: &[f64], n: usize) -> Vec<Shape> {
    let mut window = Window::new(n);
    let shape = |value: &f64| {
        if value.abs() <= LARGEST {
            return window.push(*value).map_or(Shape::NONE, |fold| Shape::of(&window, fold));
        }
        window.restart();
        Shape::NONE
    };
    series.iter().map(shape).collect()
}
