//! Chance that can be had again by its seed.

use relink_engine::entropy::Entropy;

pub struct Dice(Entropy);

impl Dice {
    pub fn seeded(seed: u64) -> Dice {
        Dice(Entropy::seeded(seed))
    }

    pub fn below(&self, limit: u64) -> u64 {
        u64::from_le_bytes(self.0.bytes::<8>()) % limit
    }

    pub fn one_in(&self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub fn one_of<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}
