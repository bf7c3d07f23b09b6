//! Values at prices far from the market: a sorted list in short pieces, so that none of its changes costs its length.
//!
//! A full-depth feed sends tens of thousands of levels that are never near the best. In one list each would shift half of
//! the others; in pieces of at most [`PIECE_MAX`] it shifts a few hundred. Pieces that become empty are kept for the next
//! that is needed.

use nt_core::Price;

/// Values of a piece at most.
const PIECE_MAX: usize = 256;

/// How bad a price is for its side, and the value there; a better price has a lower rank.
type Ranked<V> = (Price, V);

/// Values by rank, the worst first.
#[derive(Clone, Debug)]
pub(crate) struct Far<V> {
    pieces: Vec<Vec<Ranked<V>>>,
    /// The last rank of each piece, side by side so that a search touches little memory.
    ends: Vec<Price>,
    spare: Vec<Vec<Ranked<V>>>,
    count: usize,
}

impl<V: Copy> Far<V> {
    pub fn new() -> Self {
        Self { pieces: Vec::new(), ends: Vec::new(), spare: Vec::new(), count: 0 }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// The piece where a rank is or belongs, and its place there.
    fn locate(&self, rank: Price) -> (usize, Result<usize, usize>) {
        let piece = self.ends.partition_point(|&end| end > rank).min(self.pieces.len().saturating_sub(1));
        match self.pieces.get(piece) {
            Some(values) => (piece, values.binary_search_by(|(other, _)| rank.cmp(other))),
            None => (piece, Err(0)),
        }
    }

    pub fn get(&self, rank: Price) -> Option<V> {
        let (piece, at) = self.locate(rank);
        at.ok().map(|at| self.pieces[piece][at].1)
    }

    /// Puts a value at a rank and returns what was there.
    pub fn insert(&mut self, rank: Price, value: V) -> Option<V> {
        let (piece, at) = self.locate(rank);
        let at = match at {
            Ok(at) => return Some(std::mem::replace(&mut self.pieces[piece][at].1, value)),
            Err(at) => at,
        };
        if self.pieces.is_empty() {
            let new = self.empty_piece();
            self.pieces.push(new);
            self.ends.push(rank);
        }
        self.pieces[piece].insert(at, (rank, value));
        self.count += 1;
        if self.pieces[piece].len() == PIECE_MAX {
            let mut new = self.empty_piece();
            new.extend(self.pieces[piece].drain(PIECE_MAX / 2..));
            self.pieces.insert(piece + 1, new);
            self.ends.insert(piece + 1, rank);
            self.settle(piece + 1);
        }
        self.settle(piece);
        None
    }

    /// Takes out the value at a rank.
    pub fn remove(&mut self, rank: Price) -> Option<V> {
        let (piece, at) = self.locate(rank);
        let (_, value) = self.pieces.get_mut(piece)?.remove(at.ok()?);
        self.count -= 1;
        self.close(piece);
        Some(value)
    }

    /// Notes where a piece ends after it has changed.
    fn settle(&mut self, piece: usize) {
        if let Some(&(rank, _)) = self.pieces[piece].last() {
            self.ends[piece] = rank;
        }
    }

    /// Drops a piece that is empty, and joins a small one with the next.
    fn close(&mut self, piece: usize) {
        let length = self.pieces[piece].len();
        let next = self.pieces.get(piece + 1).map_or(PIECE_MAX, Vec::len);
        if length == 0 {
            let empty = self.pieces.remove(piece);
            self.ends.remove(piece);
            self.spare.push(empty);
            return;
        }
        if length < PIECE_MAX / 8 && length + next < PIECE_MAX / 2 {
            let mut next = self.pieces.remove(piece + 1);
            self.ends.remove(piece + 1);
            self.pieces[piece].append(&mut next);
            self.spare.push(next);
        }
        self.settle(piece);
    }

    fn empty_piece(&mut self) -> Vec<Ranked<V>> {
        self.spare.pop().unwrap_or_else(|| Vec::with_capacity(PIECE_MAX))
    }

    /// The best rank and its value.
    pub fn best(&self) -> Option<Ranked<V>> {
        self.pieces.last()?.last().copied()
    }

    /// Takes out the best rank.
    pub fn pop_best(&mut self) {
        if let Some(last) = self.pieces.len().checked_sub(1) {
            self.pieces[last].pop();
            self.count -= 1;
            self.close(last);
        }
    }

    /// Forgets the worst `count` of them.
    pub fn drop_worst(&mut self, count: usize) {
        let mut rest = count;
        while rest > 0 && !self.pieces.is_empty() {
            let gone = rest.min(self.pieces[0].len());
            self.pieces[0].drain(..gone);
            self.count -= gone;
            rest -= gone;
            self.close(0);
        }
    }

    pub fn clear(&mut self) {
        self.drop_worst(self.count);
    }

    /// The place behind the best value, where a walk of [`Far::next`] begins.
    pub fn end(&self) -> (usize, usize) {
        (self.pieces.len(), 0)
    }

    /// The place of a rank, from which a walk goes on to worse values.
    pub fn behind(&self, rank: Price) -> (usize, usize) {
        let (piece, at) = self.locate(rank);
        (piece, at.unwrap_or_else(|at| at))
    }

    /// Steps from a place to the next worse value.
    #[inline]
    pub fn next(&self, (piece, at): (usize, usize)) -> Option<((usize, usize), Ranked<V>)> {
        let place = match at.checked_sub(1) {
            Some(at) => (piece, at),
            None => {
                let piece = piece.checked_sub(1)?;
                (piece, self.pieces[piece].len() - 1)
            }
        };
        Some((place, self.pieces[place.0][place.1]))
    }

    /// Ranks and values, the best first.
    pub fn iter(&self) -> impl Iterator<Item = Ranked<V>> + '_ {
        self.pieces.iter().rev().flat_map(|piece| piece.iter().rev().copied())
    }

    /// Whether the count is right, no piece is empty or too long, and ranks fall.
    pub fn is_consistent(&self) -> bool {
        self.iter().count() == self.count
            && self.pieces.iter().all(|piece| (1..PIECE_MAX).contains(&piece.len()))
            && self.spare.iter().all(Vec::is_empty)
            && self.pieces.iter().map(|piece| piece[piece.len() - 1].0).eq(self.ends.iter().copied())
            && self.pieces.iter().flatten().is_sorted_by(|a, b| a.0 > b.0)
    }
}
