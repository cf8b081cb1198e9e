//! Leases: whose are alive, and keeping ours alive.
//!
//! Nobody compares clocks. A lease has a beat that its owner raises while its request is under way;
//! everybody else watches with a stopwatch of their own whether it still moves.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Lease;
use crate::Engine;
use crate::bounded::Bounded;
use crate::every::Rhythm;

/// Leases of others that are watched at a time.
const WATCHED_MAX: usize = 10_000;
/// A beat that the database does not take by then is skipped.
const BEAT_PATIENCE: Duration = Duration::from_secs(2);
const BEAT_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Leases {
    /// This process, as others see it.
    owner: String,
    held: Mutex<Held>,
    watched: Bounded<String, (Lease, Instant), WATCHED_MAX>,
}

#[derive(Debug, Default)]
struct Held {
    connections: HashSet<String>,
    /// The beat goes on from the first lease to the end of the process.
    beating: bool,
}

/// A lease is kept alive as long as the value lives.
pub(crate) struct Hold {
    engine: Engine,
    connection: String,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.engine
            .leases()
            .held()
            .connections
            .remove(&self.connection);
    }
}

impl Leases {
    pub fn new(owner: String) -> Leases {
        Leases {
            owner,
            held: Mutex::default(),
            watched: Bounded::default(),
        }
    }

    pub fn owner(&self) -> &str {
        &self.owner
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process is at work on it.
    pub fn holds(&self, connection: &str) -> bool {
        self.held().connections.contains(connection)
    }

    /// Whether somebody else's lease stood still for so long that its owner must be dead. The first
    /// look only starts the stopwatch.
    pub fn is_dead(&self, connection: &str, lease: &Lease, after: Duration) -> bool {
        let mut watched = self.watched.lock();
        if let Some((seen, since)) = watched.peek(connection)
            && seen == lease
        {
            return since.elapsed() >= after;
        }
        watched.put(connection.to_owned(), (lease.clone(), Instant::now()));
        false
    }

    /// The lease is gone or ours.
    pub fn unwatch(&self, connection: &str) {
        self.watched.lock().pop(connection);
    }
}

impl Engine {
    /// Keeps a lease of this process alive, from before it is taken until the value is dropped.
    pub(crate) fn hold_lease(&self, connection: &str) -> Hold {
        let mut held = self.leases().held();
        held.connections.insert(connection.to_owned());
        if !held.beating {
            held.beating = true;
            let beat = Rhythm::new("lease_beat", self.settings().refresh.lease_beat_every)
                .limit(BEAT_LIMIT);
            let engine = self.for_programs();
            tokio::spawn(async move {
                engine
                    .every(beat, |engine| async move { engine.beat().await })
                    .await
            });
        }
        drop(held);
        Hold {
            engine: self.clone(),
            connection: connection.to_owned(),
        }
    }

    /// One statement for all leases of this process.
    async fn beat(&self) {
        let connections: Vec<String> = self.leases().held().connections.iter().cloned().collect();
        if connections.is_empty() {
            return;
        }
        let beaten = timeout(
            BEAT_PATIENCE,
            self.store()
                .leases_beat(self.leases().owner(), &connections),
        )
        .await;
        if let Ok(Err(error)) = beaten {
            tracing::warn!(%error, "leases could not be renewed; others may ask Linear too, which \
                is harmless");
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    fn lease(owner: &str, beat: i64) -> Lease {
        Lease {
            owner: owner.to_owned(),
            beat,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_dead_when_its_beat_stands_still() {
        let (leases, after) = (Leases::new("me".to_owned()), Duration::from_secs(2));
        assert!(!leases.is_dead("c", &lease("a", 1), after));
        sleep(Duration::from_secs(1)).await;
        assert!(!leases.is_dead("c", &lease("a", 1), after));
        assert!(!leases.is_dead("c", &lease("a", 2), after), "it moved");
        sleep(Duration::from_secs(2)).await;
        assert!(!leases.is_dead("c", &lease("b", 2), after), "another owner");
        sleep(Duration::from_secs(2)).await;
        assert!(leases.is_dead("c", &lease("b", 2), after));
        leases.unwatch("c");
        assert!(!leases.is_dead("c", &lease("b", 2), after));
    }
}
