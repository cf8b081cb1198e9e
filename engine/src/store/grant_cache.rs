//! Grants read a moment ago, so that handing out a fresh token need not ask the database every
//! time.
//!
//! What this process writes is forgotten at once. What others write is seen a second later at most:
//! until then a caller may get a token that was good a second ago, as it could have got it a second
//! ago.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::SealedGrant;
use crate::bounded::Bounded;

const GOOD_FOR: Duration = Duration::from_secs(1);
/// Grants remembered at a time.
const KEPT_MAX: usize = 20_000;

#[derive(Debug, Default)]
pub(super) struct Recent {
    grants: Bounded<String, (Instant, Arc<SealedGrant>), KEPT_MAX>,
    /// Grows with everything forgotten: a read that began before may be of the past.
    forgotten: AtomicU64,
}

/// The state of the cache at which a read began.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    at: Instant,
    forgotten: u64,
}

impl Recent {
    pub fn get(&self, organisation: &str, connection: &str) -> Option<Arc<SealedGrant>> {
        let grants = self.grants.lock();
        let (at, grant) = grants.peek(connection)?;
        (at.elapsed() < GOOD_FOR && grant.organisation_id == organisation).then(|| grant.clone())
    }

    pub fn begin(&self) -> Reading {
        Reading {
            at: Instant::now(),
            forgotten: self.forgotten.load(Ordering::SeqCst),
        }
    }

    pub fn put(&self, reading: Reading, grant: Arc<SealedGrant>) {
        let mut grants = self.grants.lock();
        if self.forgotten.load(Ordering::SeqCst) != reading.forgotten {
            return;
        }
        // An older one that is still there later is what an older copy of the database brought
        // back.
        let known = grants
            .peek(&grant.connection_id)
            .filter(|(at, _)| at.elapsed() < GOOD_FOR);
        if known.is_some_and(|(_, known)| known.generation > grant.generation) {
            return;
        }
        grants.put(grant.connection_id.clone(), (reading.at, grant));
    }

    /// Counts how often something was forgotten.
    pub fn changes(&self) -> u64 {
        self.forgotten.load(Ordering::SeqCst)
    }

    fn forget(&self, connection: &str) {
        let mut grants = self.grants.lock();
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        grants.pop(connection);
    }
}

/// Forgets a grant when dropped: after the write, however that ended.
pub(super) struct Stale<'a> {
    recent: &'a Recent,
    connection: &'a str,
}

impl Recent {
    pub fn stale_after<'a>(&'a self, connection: &'a str) -> Stale<'a> {
        Stale {
            recent: self,
            connection,
        }
    }
}

impl Drop for Stale<'_> {
    fn drop(&mut self) {
        self.recent.forget(self.connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> Arc<SealedGrant> {
        Arc::new(SealedGrant::example("c", "o"))
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_is_good_for_a_second_and_for_its_organisation() {
        let recent = Recent::default();
        recent.put(recent.begin(), grant());
        assert!(recent.get("o", "c").is_some() && recent.get("another", "c").is_none());
        tokio::time::advance(GOOD_FOR).await;
        assert!(recent.get("o", "c").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_older_copy_brought_back_is_remembered_too() {
        let (recent, mut newer) = (Recent::default(), SealedGrant::example("c", "o"));
        newer.generation += 1;
        recent.put(recent.begin(), Arc::new(newer));
        recent.put(recent.begin(), grant());
        assert!(
            recent
                .get("o", "c")
                .is_some_and(|known| known.generation > grant().generation),
            "of two that were read at once"
        );
        tokio::time::advance(GOOD_FOR).await;
        recent.put(recent.begin(), grant());
        assert!(
            recent
                .get("o", "c")
                .is_some_and(|known| known.generation == grant().generation)
        );
    }

    #[test]
    fn a_read_that_began_before_a_write_is_not_remembered() {
        let recent = Recent::default();
        let reading = recent.begin();
        drop(recent.stale_after("c"));
        recent.put(reading, grant());
        assert!(recent.get("o", "c").is_none());
        recent.put(recent.begin(), grant());
        drop(recent.stale_after("c"));
        assert!(recent.get("o", "c").is_none());
    }
}
