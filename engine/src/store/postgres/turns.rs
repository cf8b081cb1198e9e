//! Acts of one organisation go one after the other, in the database. Those that wait there hold a
//! connection: so that one organisation's do not hold them all, most of them wait here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::store::{ACQUIRE_TIMEOUT, StoreError, Stored};

/// The number of turns of one organisation in one process: the next one is there when the one
/// before is done.
const AT_ONCE: usize = 2;
/// The number beyond which they are looked through for those that nobody waits for.
const KEPT: usize = 1_024;

#[derive(Debug, Default)]
pub(in crate::store) struct Turns(Mutex<HashMap<String, Arc<Semaphore>>>);

impl Turns {
    /// A turn of this organisation, for as long as the value lives.
    ///
    /// # Errors
    /// [`StoreError::Timeout`] when those before it take too long.
    pub async fn of(&self, organisation: &str) -> Stored<OwnedSemaphorePermit> {
        let turns = self.turns(organisation);
        match timeout(ACQUIRE_TIMEOUT, turns.acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(StoreError::Timeout),
        }
    }

    fn turns(&self, organisation: &str) -> Arc<Semaphore> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > KEPT {
            all.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        all.entry(organisation.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE)))
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_one_organisation_is_in_nobody_elses_way() {
        let turns = Turns::default();
        let held = [
            turns.of("north").await.unwrap(),
            turns.of("north").await.unwrap(),
        ];
        assert!(matches!(turns.of("north").await, Err(StoreError::Timeout)));
        drop(turns.of("south").await.unwrap());
        drop(held);
        drop(turns.of("north").await.unwrap());
    }

    #[tokio::test]
    async fn organisations_that_nobody_waits_for_are_forgotten() {
        let turns = Turns::default();
        let held = turns.of("held").await.unwrap();
        for number in 0..2 * KEPT {
            drop(turns.of(&number.to_string()).await.unwrap());
        }
        let all = turns.0.lock().unwrap();
        assert!(all.len() <= KEPT + 2 && all.contains_key("held"));
        drop(held);
    }
}
