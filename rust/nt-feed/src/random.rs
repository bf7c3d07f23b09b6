//! A small random number generator whose numbers are the same on every machine, for ever.

/// SplitMix64: turns one 64-bit key into well-mixed words; it seeds the generator below.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A stream for this key.
    pub fn new(key: u64) -> Self {
        Self(key)
    }

    /// The next 64 random bits.
    pub fn next_word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }
}

/// Xoshiro256**, by Blackman and Vigna.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of a seed and a name: other names give unrelated streams.
    pub fn keyed(seed: u64, name: &str) -> Self {
        // FNV-1a over the name, started from the mixed seed.
        let mut key = SplitMix64::new(seed).next_word() ^ 0xCBF2_9CE4_8422_2325;
        for byte in name.bytes() {
            key = (key ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        let mut mixer = SplitMix64::new(key);
        Self { state: [mixer.next_word(), mixer.next_word(), mixer.next_word(), mixer.next_word()] }
    }

    /// The next 64 random bits.
    pub fn next_word(&mut self) -> u64 {
        let state = &mut self.state;
        let word = state[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(45);
        word
    }

    /// A number from 0 up to, not including, 1.
    pub fn uniform(&mut self) -> f64 {
        // 53 bits convert exactly, and the power of two divides exactly.
        (self.next_word() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// A nearly normal number with mean 0 and variance 1, from integers alone: the sum of the eight 16-bit parts of two
    /// words (central limit theorem), so that no machine's `log` or `cos` takes part. It stays within 4.9.
    pub fn normal(&mut self) -> f64 {
        let mut sum = 0_u64;
        for mut word in [self.next_word(), self.next_word()] {
            for _ in 0..4 {
                sum += word & 0xFFFF;
                word >>= 16;
            }
        }
        // Eight uniforms on 0..=65535: mean 8 * 32767.5, variance 8 * (65536^2 - 1) / 12.
        (sum as f64 - 262_140.0) / 53_509.919_921_450_08
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_its_published_numbers() {
        let mut mixer = SplitMix64::new(1_234_567);
        let words: Vec<u64> = (0..3).map(|_| mixer.next_word()).collect();
        assert_eq!(words, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn xoshiro_gives_its_published_numbers() {
        let mut random = Random { state: [1, 2, 3, 4] };
        let words: Vec<u64> = (0..4).map(|_| random.next_word()).collect();
        assert_eq!(words, [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn normals_have_mean_zero_and_variance_one() {
        let mut random = Random::keyed(1, "moments");
        let drawn: Vec<f64> = (0..200_000).map(|_| random.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let variance = drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / drawn.len() as f64;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.01, "{mean} {variance}");
        assert!(drawn.iter().all(|x| x.abs() < 4.9));
    }

    #[test]
    fn names_and_seeds_have_streams_of_their_own() {
        let first = |seed, name| Random::keyed(seed, name).next_word();
        assert_ne!(first(7, "ALPHA"), first(7, "BRAVO"));
        assert_ne!(first(7, "ALPHA"), first(8, "ALPHA"));
        assert_eq!(first(7, "ALPHA"), first(7, "ALPHA"));
    }
}
