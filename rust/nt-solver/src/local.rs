//! The part of a vector that a local method has touched, by the order in which it was.

/// A set of names below a length, each with its rank in the order of arrival. Emptying it costs what it holds.
#[derive(Debug, Default)]
pub struct Ranks {
    /// By name one more than its rank, and 0 for a name that is not there: memory that is only asked for zeros need not exist.
    places: Vec<u32>,
    names: Vec<u32>,
}

impl Ranks {
    /// Forgets all names, and takes those below another length.
    pub fn begin(&mut self, length: usize) {
        if self.places.len() == length {
            for &name in &self.names {
                self.places[name as usize] = 0;
            }
        } else {
            self.places = vec![0; length];
        }
        self.names.clear();
    }

    /// The rank of a name, and whether it has just arrived.
    #[inline(always)]
    pub fn rank(&mut self, name: usize) -> (usize, bool) {
        let place = &mut self.places[name];
        if *place != 0 {
            return (*place as usize - 1, false);
        }
        self.names.push(name as u32);
        *place = self.names.len() as u32;
        (self.names.len() - 1, true)
    }

    /// The name of a rank.
    #[inline]
    pub fn name(&self, rank: usize) -> usize {
        self.names[rank] as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_order_of_arrival_and_begin_anew() {
        let mut ranks = Ranks::default();
        for step in [7919, 104_729] {
            ranks.begin(100_003);
            let names: Vec<usize> = (0..10_000).map(|at| (at * step) % 100_003).collect();
            for (at, &name) in names.iter().enumerate() {
                assert_eq!(ranks.rank(name), (at, true));
            }
            for (at, &name) in names.iter().enumerate().rev() {
                assert_eq!(ranks.rank(name), (at, false));
            }
            assert!(names.iter().enumerate().all(|(at, &name)| ranks.name(at) == name));
        }
    }
}
