//! Random words that are drawn from a counter: walk and step have their word, whoever draws it and when.

/// The increment of SplitMix64, the golden ratio in 64 bits.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mixed(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// The numbers of one walk.
#[derive(Clone, Debug)]
pub struct Draws {
    state: u64,
}

impl Draws {
    /// The numbers of a walk of a seed.
    pub fn new(seed: u64, walk: u64) -> Self {
        let key = mixed(seed.wrapping_add(STEP));
        Self { state: mixed(key ^ walk.wrapping_mul(STEP).wrapping_add(STEP)) }
    }

    /// The next number from 0 up to, not including, 1.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(STEP);
        // 53 bits convert exactly, and the power of two divides exactly.
        (mixed(self.state) >> 11) as f64 / 9_007_199_254_740_992.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_have_numbers_of_their_own_with_the_moments_of_a_uniform() {
        let drawn: Vec<f64> = (0..100_000).map(|walk| Draws::new(7, walk).uniform()).collect();
        let mean = drawn.iter().sum::<f64>() / 1e5;
        let square = drawn.iter().map(|x| x * x).sum::<f64>() / 1e5;
        assert!((mean - 0.5).abs() < 0.004 && (square - 1.0 / 3.0).abs() < 0.004, "{mean} {square}");
        assert_ne!(Draws::new(7, 0).uniform(), Draws::new(8, 0).uniform());
    }
}
