//! The last n values in their order, found in logarithmic time.

use serde::{Deserialize, Serialize};

/// A treap (Aragon and Seidel 1989) over the places of a ring: a search tree by value, and a heap by a number that is mixed
/// from the place, so that its shape is as good as by chance and yet always the same. Place 0 stands for no node.
#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    value: Box<[f64]>,
    left: Box<[u32]>,
    right: Box<[u32]>,
    size: Box<[u32]>,
    root: u32,
    at: u32,
    full: bool,
}

impl Order {
    pub(crate) fn new(n: usize) -> Self {
        assert!(n > 0 && n <= crate::MAX_WINDOW, "a window holds from one to a million values");
        let places = || vec![0_u32; n + 1].into_boxed_slice();
        let value = vec![0.0; n + 1].into();
        Self { value, left: places(), right: places(), size: places(), root: 0, at: 1, full: false }
    }

    pub(crate) fn len(&self) -> usize {
        self.value.len() - 1
    }

    pub(crate) fn restart(&mut self) {
        self.root = 0;
        self.at = 1;
        self.full = false;
    }

    /// Takes the next value, lets go of the oldest, and says whether there are n.
    pub(crate) fn push(&mut self, value: f64) -> bool {
        let at = self.at;
        if self.full {
            let (below, rest) = self.split(self.root, self.value[at as usize], at);
            let (_, above) = self.split(rest, self.value[at as usize], at + 1);
            self.root = self.merge(below, above);
        }
        let place = at as usize;
        (self.value[place], self.left[place], self.right[place], self.size[place]) = (value, 0, 0, 1);
        let (below, above) = self.split(self.root, value, at);
        let below = self.merge(below, at);
        self.root = self.merge(below, above);
        self.at += 1;
        if self.at as usize == self.value.len() {
            self.at = 1;
            self.full = true;
        }
        self.full
    }

    /// How many values are below one, and how many are equal to it.
    pub(crate) fn below_and_equal(&self, value: f64) -> (usize, usize) {
        let count = |goes_right: &dyn Fn(f64) -> bool| {
            let (mut node, mut count) = (self.root as usize, 0);
            while node != 0 {
                if goes_right(self.value[node]) {
                    count += self.size[self.left[node] as usize] as usize + 1;
                    node = self.right[node] as usize;
                } else {
                    node = self.left[node] as usize;
                }
            }
            count
        };
        let below = count(&|other| other < value);
        (below, count(&|other| other <= value) - below)
    }

    /// The value with so many before it.
    pub(crate) fn select(&self, mut rank: usize) -> f64 {
        let mut node = self.root as usize;
        loop {
            let before = self.size[self.left[node] as usize] as usize;
            if rank == before {
                return self.value[node];
            }
            if rank < before {
                node = self.left[node] as usize;
            } else {
                rank -= before + 1;
                node = self.right[node] as usize;
            }
        }
    }

    /// Parts a tree into what stands before a value of a place and the rest.
    fn split(&mut self, node: u32, value: f64, place: u32) -> (u32, u32) {
        if node == 0 {
            return (0, 0);
        }
        let at = node as usize;
        if self.value[at] < value || (self.value[at] == value && node < place) {
            let (near, far) = self.split(self.right[at], value, place);
            self.right[at] = near;
            self.measure(at);
            (node, far)
        } else {
            let (far, near) = self.split(self.left[at], value, place);
            self.left[at] = near;
            self.measure(at);
            (far, node)
        }
    }

    /// Joins two trees, the first of which stands before the second.
    fn merge(&mut self, first: u32, second: u32) -> u32 {
        if first == 0 || second == 0 {
            return first | second;
        }
        if mixed(first) > mixed(second) {
            self.right[first as usize] = self.merge(self.right[first as usize], second);
            self.measure(first as usize);
            first
        } else {
            self.left[second as usize] = self.merge(first, self.left[second as usize]);
            self.measure(second as usize);
            second
        }
    }

    #[inline]
    fn measure(&mut self, at: usize) {
        self.size[at] = self.size[self.left[at] as usize] + self.size[self.right[at] as usize] + 1;
    }
}

/// A number that looks like chance: the finaliser of MurmurHash3 (Austin Appleby, in the public domain), which is one to one.
#[inline]
fn mixed(place: u32) -> u32 {
    let place = (place ^ (place >> 16)).wrapping_mul(0x85EB_CA6B);
    let place = (place ^ (place >> 13)).wrapping_mul(0xC2B2_AE35);
    place ^ (place >> 16)
}
