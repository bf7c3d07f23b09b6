//! Values by price, for one side of a book: an array over the prices near the best, a sorted list beyond.
//!
//! A book changes near its best price, where prices are dense. There a price is an index into an array, and three layers
//! of bits say which cells are occupied, so that the best level is found by counting zeros three times. Nothing about
//! the best is remembered, hence nothing about it can be out of date, and an update has no branch to mispredict.
//!
//! Index 0 is the most aggressive price, for bids as for asks. Levels worse than the array lie in the list. If a price
//! better than the array comes, or the best has drifted far into it, the array moves, which costs as much as the levels
//! in it and happens only after the market has moved by an eighth of the array.

use nt_core::{Price, Side};

use crate::far::Far;

/// Cells of the smallest array: one bit of the last layer covers this many.
const CELLS_MIN: usize = 64 * 64;

/// Cells of the largest array: the last layer has 64 bits.
pub(crate) const CELLS_MAX: usize = 64 * CELLS_MIN;

/// A value at a price; the default stands for nothing.
pub(crate) trait Content: Copy + Default + PartialEq {}

impl<V: Copy + Default + PartialEq> Content for V {}

/// Values by price.
#[derive(Clone, Debug)]
pub(crate) struct Window<V> {
    /// 1 where a worse price is a higher one (asks), -1 where it is a lower one (bids).
    direction: i64,
    /// The price of index 0.
    edge: Price,
    cells: Box<[V]>,
    /// A bit for each cell.
    words: Box<[u64]>,
    /// A bit for each word that is not zero.
    groups: Box<[u64]>,
    /// A bit for each group that is not zero.
    top: u64,
    /// Prices worse than the array, by `price * direction`.
    far: Far<V>,
    /// Where values wait while the array moves.
    moving: Vec<(Price, V)>,
    count: usize,
}

impl<V: Content> Window<V> {
    /// An empty side whose array covers at least `ticks` prices, as far as one can.
    pub fn new(side: Side, ticks: usize) -> Self {
        let cells = ticks.clamp(CELLS_MIN, CELLS_MAX).next_power_of_two();
        Self {
            direction: if side == Side::Buy { -1 } else { 1 },
            edge: 0,
            cells: vec![V::default(); cells].into(),
            words: vec![0; cells / 64].into(),
            groups: vec![0; cells / CELLS_MIN].into(),
            top: 0,
            far: Far::new(),
            moving: Vec::new(),
            count: 0,
        }
    }

    /// How many prices the array covers.
    pub fn reach(&self) -> usize {
        self.cells.len()
    }

    /// How far a price is worse than index 0; a number beyond every array if it is better.
    #[inline]
    fn index(&self, price: Price) -> u64 {
        // Prices and edges are below 2^55, so the difference does not wrap.
        ((price - self.edge) * self.direction) as u64
    }

    #[inline]
    fn price(&self, index: usize) -> Price {
        self.edge + self.direction * index as i64
    }

    /// Puts a value into a cell and returns what was there.
    #[inline]
    fn write(&mut self, index: usize, value: V) -> V {
        let before = std::mem::replace(&mut self.cells[index], value);
        self.mark(index, value != V::default());
        before
    }

    /// Says in all three layers whether a cell is occupied.
    #[inline]
    fn mark(&mut self, index: usize, occupied: bool) {
        let word = &mut self.words[index >> 6];
        *word = (*word & !(1 << (index & 63))) | (u64::from(occupied) << (index & 63));
        let occupied = *word != 0;
        let group = &mut self.groups[index >> 12];
        *group = (*group & !(1 << (index >> 6 & 63))) | (u64::from(occupied) << (index >> 6 & 63));
        let occupied = *group != 0;
        self.top = (self.top & !(1 << (index >> 12))) | (u64::from(occupied) << (index >> 12));
    }

    /// Puts a value at a price and returns what was there.
    ///
    /// It is a call of its own, because what is inlined into a loop over both sides branches on the side, which nobody can
    /// predict.
    #[inline(never)]
    pub fn replace(&mut self, price: Price, value: V) -> V {
        let index = self.index(price);
        if index >= self.cells.len() as u64 {
            return self.replace_outside(price, value);
        }
        let before = self.write(index as usize, value);
        self.count = self.count + usize::from(value != V::default()) - usize::from(before != V::default());
        if self.top == 0
            && let Some((nearest, _)) = self.far.best()
        {
            self.move_to(nearest * self.direction);
        }
        before
    }

    #[inline(never)]
    fn replace_outside(&mut self, price: Price, value: V) -> V {
        let is_there = value != V::default();
        let is_better = (price - self.edge) * self.direction < 0;
        // Without a level in the array there is none in the list either.
        if is_better || self.top == 0 {
            if !is_there {
                return V::default();
            }
            self.move_to(price);
            return self.replace(price, value);
        }
        let best = self.best_index().unwrap_or(0);
        if best > self.cells.len() / 4 * 3 {
            self.move_to(self.price(best));
            if self.index(price) < self.cells.len() as u64 {
                return self.replace(price, value);
            }
        }
        let before = if is_there {
            self.far.insert(price * self.direction, value)
        } else {
            self.far.remove(price * self.direction)
        };
        self.count = self.count + usize::from(is_there) - usize::from(before.is_some());
        before.unwrap_or_default()
    }

    /// Moves the array so that `best`, which is or will be the best price, has an eighth of it on its better side.
    fn move_to(&mut self, best: Price) {
        let mut moving = std::mem::take(&mut self.moving);
        moving.extend(self.iter_array());
        self.empty_array();
        self.edge = best - self.direction * (self.cells.len() / 8) as i64;
        for (price, value) in moving.drain(..).rev() {
            self.put(price, value);
        }
        self.moving = moving;
        while let Some((rank, value)) = self.far.best()
            && self.index(rank * self.direction) < self.cells.len() as u64
        {
            self.far.pop_best();
            self.put(rank * self.direction, value);
        }
    }

    fn put(&mut self, price: Price, value: V) {
        let index = self.index(price);
        if index < self.cells.len() as u64 {
            self.write(index as usize, value);
        } else {
            self.far.insert(price * self.direction, value);
        }
    }

    /// Forgets every cell, at the cost of those that are occupied.
    fn empty_array(&mut self) {
        while let Some(index) = self.best_index() {
            self.write(index, V::default());
        }
    }

    #[inline]
    fn best_index(&self) -> Option<usize> {
        if self.top == 0 {
            return None;
        }
        let group = self.top.trailing_zeros() as usize;
        let word = group << 6 | self.groups[group].trailing_zeros() as usize;
        Some(word << 6 | self.words[word].trailing_zeros() as usize)
    }

    fn worst_index(&self) -> Option<usize> {
        let last = |bits: u64| 63 - bits.leading_zeros() as usize;
        if self.top == 0 {
            return None;
        }
        let group = last(self.top);
        let word = group << 6 | last(self.groups[group]);
        Some(word << 6 | last(self.words[word]))
    }

    /// The best price and its value.
    #[inline]
    pub fn best(&self) -> Option<(Price, V)> {
        self.best_index().map(|index| (self.price(index), self.cells[index]))
    }

    /// What is at a price.
    #[inline]
    pub fn get(&self, price: Price) -> V {
        let index = self.index(price);
        if index < self.cells.len() as u64 {
            return self.cells[index as usize];
        }
        self.far.get(price * self.direction).unwrap_or_default()
    }

    /// How many prices have a value.
    #[inline]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Prices and values, the best first.
    pub fn iter(&self) -> Iter<'_, V> {
        Iter { far: self.far.end(), ..self.iter_array() }
    }

    /// The same of those that are worse than a price.
    #[inline]
    pub fn iter_behind(&self, price: Price) -> Iter<'_, V> {
        let index = self.index(price);
        if (price - self.edge) * self.direction < 0 {
            return self.iter();
        }
        if index >= self.cells.len() as u64 {
            let far = self.far.behind(price * self.direction);
            return Iter { top: 0, far, ..self.iter_array() };
        }
        let (group, word) = (index as usize >> 12, index as usize >> 6);
        let above = |at: usize| u64::MAX << (at & 63) << 1;
        Iter {
            window: self,
            top: self.top & above(group),
            group,
            group_bits: self.groups[group] & above(word),
            word,
            word_bits: self.words[word] & above(index as usize),
            far: self.far.end(),
        }
    }

    /// The same of those in the array alone.
    fn iter_array(&self) -> Iter<'_, V> {
        Iter { window: self, top: self.top, group: 0, group_bits: 0, word: 0, word_bits: 0, far: (0, 0) }
    }

    /// Keeps the best `depth` prices and says how many went.
    pub fn truncate(&mut self, depth: usize) -> usize {
        let excess = self.count.saturating_sub(depth);
        let beyond = excess.min(self.far.count());
        self.far.drop_worst(beyond);
        for _ in beyond..excess {
            if let Some(index) = self.worst_index() {
                self.write(index, V::default());
            }
        }
        self.count -= excess;
        excess
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.empty_array();
        self.far.clear();
        self.count = 0;
    }

    /// Compares every cell with the layers above it; says what contradicts.
    pub fn contradiction(&self) -> Option<String> {
        let is_set = |bits: &[u64], at: usize| bits[at >> 6] >> (at & 63) & 1 == 1;
        for (index, cell) in self.cells.iter().enumerate() {
            if is_set(&self.words, index) != (*cell != V::default()) {
                return Some(format!("the bit of price {} is wrong", self.price(index)));
            }
        }
        if let Some(word) = (0..self.words.len()).find(|&at| is_set(&self.groups, at) != (self.words[at] != 0)) {
            return Some(format!("the bit of word {word} is wrong"));
        }
        if let Some(group) = (0..self.groups.len()).find(|&at| (self.top >> at & 1 == 1) != (self.groups[at] != 0)) {
            return Some(format!("the bit of group {group} is wrong"));
        }
        let keys: Vec<i64> = self.iter().map(|(price, _)| price * self.direction).collect();
        if !keys.is_sorted_by(|a, b| a < b) {
            return Some("its levels are not in order".to_owned());
        }
        let is_near = |rank: Price| self.index(rank * self.direction) < self.cells.len() as u64;
        if !self.far.is_consistent() || self.far.iter().any(|(rank, value)| is_near(rank) || value == V::default()) {
            return Some("a level lies beyond the array and does not belong there".to_owned());
        }
        if self.top == 0 && self.far.count() > 0 {
            return Some("the array is empty and levels lie beyond it".to_owned());
        }
        (keys.len() != self.count).then(|| format!("{} levels are counted as {}", keys.len(), self.count))
    }
}

/// Prices and values of a [`Window`], the best first.
pub(crate) struct Iter<'a, V> {
    window: &'a Window<V>,
    top: u64,
    group: usize,
    group_bits: u64,
    word: usize,
    word_bits: u64,
    far: (usize, usize),
}

impl<V: Content> Iterator for Iter<'_, V> {
    type Item = (Price, V);

    #[inline]
    fn next(&mut self) -> Option<(Price, V)> {
        loop {
            if self.word_bits != 0 {
                let index = self.word << 6 | self.word_bits.trailing_zeros() as usize;
                self.word_bits &= self.word_bits - 1;
                return Some((self.window.price(index), self.window.cells[index]));
            }
            if self.group_bits != 0 {
                self.word = self.group << 6 | self.group_bits.trailing_zeros() as usize;
                self.group_bits &= self.group_bits - 1;
                self.word_bits = self.window.words[self.word];
            } else if self.top != 0 {
                self.group = self.top.trailing_zeros() as usize;
                self.top &= self.top - 1;
                self.group_bits = self.window.groups[self.group];
            } else {
                let (place, (rank, value)) = self.window.far.next(self.far)?;
                self.far = place;
                return Some((rank * self.window.direction, value));
            }
        }
    }
}
