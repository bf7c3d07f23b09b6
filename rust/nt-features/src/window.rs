//! Windows that slide over a series without ever taking anything off.
//!
//! Time is cut into blocks of n values. A window is the end of the last block (its tail) and the beginning of this one (its
//! head): tails are folded backwards, once, when a block is complete, and the head grows by one value at a time (van Herk
//! 1992, Gil and Werman 1993, for maxima). So a sum, a maximum or a moment of the last n values costs two steps and a join
//! per value, whatever the data, and is made of the values in the window and of nothing else.
//!
//! Sums of squares and products are taken about a pivot, the value at the border of the two blocks. It stands in the window,
//! so the differences are no larger than the range of the window, and the textbook cancellation of `sum(x^2) - sum(x)^2 / n`
//! does not happen; differences, squares and sums of whole numbers stay exact.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What is known of a stretch of values: how it grows by a value at either end, and how two of them join.
pub(crate) trait Fold: Copy + Serialize + DeserializeOwned {
    type Item: Copy + Default + Serialize + DeserializeOwned;
    /// The fold of no value.
    const EMPTY: Self;
    /// Grows by a newer value.
    fn append(self, item: Self::Item, pivot: Self::Item) -> Self;
    /// Grows by an older value.
    #[inline]
    fn prepend(self, item: Self::Item, pivot: Self::Item) -> Self {
        self.append(item, pivot)
    }
    /// Joins with the fold of the values that follow.
    fn joined(self, newer: Self) -> Self;
}

/// The fold of the last n values.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Window<F: Fold> {
    /// The values of this block before `at`, those of the last one from there on.
    items: Box<[F::Item]>,
    /// From `at` on the tails of the last block.
    tails: Box<[F]>,
    at: usize,
    full: bool,
    head: F,
    pivot: F::Item,
}

impl<F: Fold> Window<F> {
    pub(crate) fn new(n: usize) -> Self {
        assert!(n > 0, "a window holds at least one value");
        Self {
            items: vec![F::Item::default(); n].into(),
            tails: vec![F::EMPTY; n].into(),
            at: 0,
            full: false,
            head: F::EMPTY,
            pivot: F::Item::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The value at the border of the two blocks.
    pub(crate) fn pivot(&self) -> F::Item {
        self.pivot
    }

    pub(crate) fn restart(&mut self) {
        self.at = 0;
        self.full = false;
        self.head = F::EMPTY;
    }

    /// Takes the next value and returns the fold of the last n, once there are so many.
    #[inline]
    pub(crate) fn push(&mut self, item: F::Item) -> Option<F> {
        self.items[self.at] = item;
        self.at += 1;
        if self.at == self.items.len() {
            self.turn();
            return Some(self.tails[0]);
        }
        if !self.full {
            return None;
        }
        self.head = self.head.append(item, self.pivot);
        Some(self.tails[self.at].joined(self.head))
    }

    /// Takes the next values as so many pushes would, and has the fold and the pivot of each written to its place, once there
    /// are so many values. Returns how many places come before.
    #[inline]
    pub(crate) fn slide<P>(
        &mut self,
        items: &[F::Item],
        places: &mut [P],
        mut write: impl FnMut(&mut P, F, F::Item),
    ) -> usize {
        let n = self.items.len();
        let before = if self.full { 0 } else { items.len().min(n - 1 - self.at) };
        let mut done = 0;
        while done < items.len() {
            if self.at == 0 && self.full {
                let (items, places) = (&items[done..], &mut places[done..]);
                done += match n {
                    2 => self.short_blocks::<2, P>(items, places, &mut write),
                    3 => self.short_blocks::<3, P>(items, places, &mut write),
                    4 => self.short_blocks::<4, P>(items, places, &mut write),
                    5 => self.short_blocks::<5, P>(items, places, &mut write),
                    _ => self.blocks(items, places, &mut write),
                };
            }
            // As far as this block goes.
            let end = items.len().min(done + n - self.at);
            let (kept, at) = (self.at, self.at + end - done);
            self.items[kept..at].copy_from_slice(&items[done..end]);
            let head = if at == n { end - 1 } else { end };
            if self.full {
                let (mut fold, pivot) = (self.head, self.pivot);
                let tails = &self.tails[kept + 1..];
                for ((item, tail), place) in items[done..head].iter().zip(tails).zip(&mut places[done..head]) {
                    fold = fold.append(*item, pivot);
                    write(place, tail.joined(fold), pivot);
                }
                self.head = fold;
            }
            self.at = at;
            if at == n {
                self.turn();
                write(&mut places[head], self.tails[0], self.pivot);
            }
            done = end;
        }
        before
    }

    /// Slides over whole blocks, and returns how many values that were.
    #[inline]
    fn blocks<P>(&mut self, items: &[F::Item], places: &mut [P], write: &mut impl FnMut(&mut P, F, F::Item)) -> usize {
        let n = self.items.len();
        let blocks = items.chunks_exact(n);
        let values = items.len() - blocks.remainder().len();
        for (block, places) in blocks.zip(places.chunks_exact_mut(n)) {
            let (mut head, pivot) = (F::EMPTY, self.pivot);
            for ((item, tail), place) in block[..n - 1].iter().zip(&self.tails[1..]).zip(&mut *places) {
                head = head.append(*item, pivot);
                write(place, tail.joined(head), pivot);
            }
            let pivot = block[n - 1];
            let mut tail = F::EMPTY;
            for (item, place) in block.iter().zip(&mut self.tails).rev() {
                tail = tail.prepend(*item, pivot);
                *place = tail;
            }
            write(&mut places[n - 1], tail, pivot);
            self.pivot = pivot;
        }
        if values > 0 {
            self.items.copy_from_slice(&items[values - n..values]);
        }
        values
    }

    /// Slides over whole blocks that are so short that the tails stay in registers. Returns how many values that were.
    #[inline]
    fn short_blocks<const N: usize, P>(
        &mut self,
        items: &[F::Item],
        places: &mut [P],
        write: &mut impl FnMut(&mut P, F, F::Item),
    ) -> usize {
        let (blocks, _) = items.as_chunks::<N>();
        let (places, _) = places.as_chunks_mut::<N>();
        let Some(last) = blocks.last() else { return 0 };
        let mut tails: [F; N] = std::array::from_fn(|i| self.tails[i]);
        let mut pivot = self.pivot;
        for (block, places) in blocks.iter().zip(places) {
            let mut head = F::EMPTY;
            for i in 0..N - 1 {
                head = head.append(block[i], pivot);
                write(&mut places[i], tails[i + 1].joined(head), pivot);
            }
            pivot = block[N - 1];
            let mut tail = F::EMPTY;
            for i in (0..N).rev() {
                tail = tail.prepend(block[i], pivot);
                tails[i] = tail;
            }
            write(&mut places[N - 1], tail, pivot);
        }
        self.items.copy_from_slice(last);
        self.tails.copy_from_slice(&tails);
        self.pivot = pivot;
        blocks.len() * N
    }

    /// The sum of a term of each value in a full window, in the order in which folds are made; it goes through the window.
    #[inline]
    pub(crate) fn total(&self, term: impl Fn(F::Item) -> f64) -> f64 {
        let tail = self.items[self.at..].iter().rev().fold(0.0, |sum, item| sum + term(*item));
        self.items[..self.at].iter().fold(0.0, |sum, item| sum + term(*item)) + tail
    }

    /// Ends a block: its last value is the pivot, the first of the tails, which is the whole block, the answer.
    #[inline(never)]
    fn turn(&mut self) {
        self.pivot = self.items[self.items.len() - 1];
        let mut tail = F::EMPTY;
        for (item, place) in self.items.iter().zip(&mut self.tails).rev() {
            tail = tail.prepend(*item, self.pivot);
            *place = tail;
        }
        self.at = 0;
        self.full = true;
        self.head = F::EMPTY;
    }
}

/// The value that came n steps ago.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Delay {
    ring: Box<[f64]>,
    at: usize,
    missing: usize,
}

impl Delay {
    pub(crate) fn new(n: usize) -> Self {
        assert!(n > 0, "a delay is at least one step");
        Self { ring: vec![0.0; n].into(), at: 0, missing: n }
    }

    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }

    pub(crate) fn restart(&mut self) {
        self.at = 0;
        self.missing = self.ring.len();
    }

    /// Takes the next value and returns the one of n steps ago, once there is one.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        let oldest = std::mem::replace(&mut self.ring[self.at], value);
        self.at += 1;
        if self.at == self.ring.len() {
            self.at = 0;
        }
        if self.missing > 0 {
            self.missing -= 1;
            return None;
        }
        Some(oldest)
    }

    /// Takes the next values as so many pushes would, and writes the ones of n steps ago. Returns how many places come before
    /// the first of those.
    pub(crate) fn slide(&mut self, values: &[f64], places: &mut [f64]) -> usize {
        let before = self.missing.min(values.len());
        self.missing -= before;
        let kept = self.ring.len().min(values.len());
        // The ring first, then the values themselves.
        let (first, rest) = places.split_at_mut(kept);
        let upto = kept.min(self.ring.len() - self.at);
        first[..upto].copy_from_slice(&self.ring[self.at..self.at + upto]);
        first[upto..].copy_from_slice(&self.ring[..kept - upto]);
        rest.copy_from_slice(&values[..rest.len()]);
        let last = &values[values.len() - kept..];
        self.ring[self.at..self.at + upto].copy_from_slice(&last[..upto]);
        self.ring[..kept - upto].copy_from_slice(&last[upto..]);
        self.at = (self.at + kept) % self.ring.len();
        before
    }
}

/// Has something written of every value and the one before it.
#[inline]
pub(crate) fn with_before<P>(first: f64, values: &[f64], places: &mut [P], write: impl Fn(&mut P, f64, f64)) {
    let (Some(value), [place, rest @ ..]) = (values.first(), places) else { return };
    write(place, first, *value);
    for ((before, value), place) in values.iter().zip(&values[1..]).zip(rest) {
        write(place, *before, *value);
    }
}

/// The larger of two numbers.
#[inline]
pub(crate) fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// The smaller of two numbers.
#[inline]
pub(crate) fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// A number that only rounding can make negative.
#[inline]
pub(crate) fn not_negative(number: f64) -> f64 {
    if number < 0.0 { 0.0 } else { number }
}

/// The sum of values.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Sum(pub(crate) f64);

impl Fold for Sum {
    type Item = f64;
    const EMPTY: Self = Self(0.0);

    #[inline]
    fn append(self, item: f64, _pivot: f64) -> Self {
        Self(self.0 + item)
    }

    #[inline]
    fn joined(self, newer: Self) -> Self {
        Self(self.0 + newer.0)
    }
}

/// The largest of values.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Largest(pub(crate) f64);

impl Fold for Largest {
    type Item = f64;
    const EMPTY: Self = Self(f64::NEG_INFINITY);

    #[inline]
    fn append(self, item: f64, _pivot: f64) -> Self {
        Self(larger(self.0, item))
    }

    #[inline]
    fn joined(self, newer: Self) -> Self {
        Self(larger(self.0, newer.0))
    }
}

/// The smallest of values.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Smallest(pub(crate) f64);

impl Fold for Smallest {
    type Item = f64;
    const EMPTY: Self = Self(f64::INFINITY);

    #[inline]
    fn append(self, item: f64, _pivot: f64) -> Self {
        Self(smaller(self.0, item))
    }

    #[inline]
    fn joined(self, newer: Self) -> Self {
        Self(smaller(self.0, newer.0))
    }
}

/// Sums of the distances from the pivot and of their squares.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) sum: f64,
    pub(crate) squares: f64,
}

impl Fold for Spread {
    type Item = f64;
    const EMPTY: Self = Self { sum: 0.0, squares: 0.0 };

    #[inline]
    fn append(self, item: f64, pivot: f64) -> Self {
        let distance = item - pivot;
        Self { sum: self.sum + distance, squares: self.squares + distance * distance }
    }

    #[inline]
    fn joined(self, newer: Self) -> Self {
        Self { sum: self.sum + newer.sum, squares: self.squares + newer.squares }
    }
}

impl Spread {
    /// `n * sum(d^2) - sum(d)^2`, that is n squared times the population variance; rounding never makes it negative.
    #[inline]
    pub(crate) fn of(self, count: f64) -> f64 {
        not_negative(count * self.squares - self.sum * self.sum)
    }

    /// The variance with divisor `n - 1`.
    #[inline]
    pub(crate) fn sample_variance(self, count: f64) -> f64 {
        self.of(count) / (count * (count - 1.0))
    }
}
