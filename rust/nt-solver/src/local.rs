//! The part of a vector that a local method has touched, by the order in which it was.

/// Places of an open-addressed table that are free.
const FREE: u32 = u32::MAX;
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// A set of names below 2^32 - 1, each with its rank in the order of arrival.
#[derive(Debug)]
pub struct Ranks {
    /// Name and rank; as many as a power of two, at most half of them taken.
    places: Vec<(u32, u32)>,
    names: Vec<u32>,
}

impl Ranks {
    /// An empty set.
    pub fn new() -> Self {
        Self { places: vec![(FREE, 0); 64], names: Vec::new() }
    }

    /// The rank of a name, and whether it has just arrived.
    #[inline]
    pub fn rank(&mut self, name: usize) -> (usize, bool) {
        let name = name as u32;
        let mask = self.places.len() - 1;
        let mut place = Self::home(name, mask);
        loop {
            let (known, rank) = self.places[place];
            if known == name {
                return (rank as usize, false);
            }
            if known == FREE {
                break;
            }
            place = (place + 1) & mask;
        }
        let rank = self.names.len();
        self.places[place] = (name, rank as u32);
        self.names.push(name);
        if 2 * self.names.len() > self.places.len() {
            self.grow();
        }
        (rank, true)
    }

    /// The name of a rank.
    #[inline]
    pub fn name(&self, rank: usize) -> usize {
        self.names[rank] as usize
    }

    /// The names in the order of their arrival.
    pub fn names(&self) -> Vec<usize> {
        self.names.iter().map(|&name| name as usize).collect()
    }

    #[inline]
    fn home(name: u32, mask: usize) -> usize {
        (u64::from(name).wrapping_mul(MULTIPLIER) >> 32) as usize & mask
    }

    fn grow(&mut self) {
        let size = 4 * self.places.len();
        let mut places = vec![(FREE, 0); size];
        for (rank, &name) in self.names.iter().enumerate() {
            let mut place = Self::home(name, size - 1);
            while places[place].0 != FREE {
                place = (place + 1) & (size - 1);
            }
            places[place] = (name, rank as u32);
        }
        self.places = places;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_order_of_arrival_through_growth() {
        let mut ranks = Ranks::new();
        let names: Vec<usize> = (0..10_000).map(|at| (at * 7919) % 100_003).collect();
        for (at, &name) in names.iter().enumerate() {
            assert_eq!(ranks.rank(name), (at, true));
        }
        for (at, &name) in names.iter().enumerate().rev() {
            assert_eq!(ranks.rank(name), (at, false));
        }
        assert_eq!(ranks.names(), names);
    }
}
