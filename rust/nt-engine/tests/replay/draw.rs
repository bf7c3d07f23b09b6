//! Choices out of one number each, so that a session is a list of numbers: quick to draw and easy to shrink.

/// What is left of a number; 0 makes the first choice every time, so that what shrinks becomes simple.
#[derive(Debug, Clone, Copy)]
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, count: u64) -> u64 {
        let drawn = self.0 % count;
        self.0 /= count;
        drawn
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == count - 1
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// From the lowest to the highest.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    /// 0, 1, -1, 2, -2 and so on.
    pub fn around(&mut self, reach: i64) -> i64 {
        let drawn = self.between(0, 2 * reach);
        if drawn % 2 == 0 { -drawn / 2 } else { (drawn + 1) / 2 }
    }
}
