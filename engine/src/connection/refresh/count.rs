//! Counts of each outcome in this process.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Outcome;

#[derive(Debug, Default)]
pub struct Counts([AtomicU64; Outcome::ALL.len()]);

impl Counts {
    pub(crate) fn add(&self, outcome: Outcome) {
        self.0[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Every outcome with its count since the process began.
    pub fn all(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        Outcome::ALL
            .into_iter()
            .map(|outcome| (outcome, self.0[outcome as usize].load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_counts_on_its_own() {
        let counts = Counts::default();
        for (times, outcome) in Outcome::ALL.into_iter().enumerate() {
            for _ in 0..times {
                counts.add(outcome);
            }
        }
        for (times, (outcome, count)) in counts.all().enumerate() {
            assert_eq!(
                (count, Outcome::from_name(outcome.name())),
                (times as u64, Some(outcome))
            );
        }
    }
}
