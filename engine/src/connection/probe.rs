//! Proving connections with a real call each, so that the badge on the page is not a memory.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::Engine;
use crate::clock::{Millis, SECOND};
use crate::connection::connections::Connections;
use crate::connection::state::{Connection, State};
use crate::connection::token::{FreshToken, TokenError};
use crate::linear::CallError;
use crate::store::StoreError;

/// A page load proves connections that were not proved for this long.
const STALE_AFTER: Millis = 2 * SECOND;
/// Connections proved for one page load, the longest unproved first.
const PER_PAGE: usize = 12;
/// Proofs under way in this process.
const AT_ONCE: usize = 32;
/// The time after which everything proved so far is written down together.
const FIRST_HARVEST: Duration = Duration::from_millis(1_200);
/// A page waits no longer than this; slower proofs show on the next one.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// The connections that are being proved right now: nobody asks twice at once, however many pages
/// are loading.
#[derive(Debug)]
pub struct Proofs {
    running: Mutex<HashSet<String>>,
    turns: Semaphore,
}

impl Default for Proofs {
    fn default() -> Proofs {
        Proofs {
            running: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        }
    }
}

/// Connections whose proof is under way as long as the value lives.
struct Claimed {
    engine: Engine,
    ids: HashSet<String>,
}

impl Drop for Claimed {
    fn drop(&mut self) {
        let mut running = self
            .engine
            .proofs()
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        running.retain(|id| !self.ids.contains(id));
    }
}

struct Proof {
    id: String,
    token: FreshToken,
    outcome: Result<(), CallError>,
}

impl Connections<'_> {
    /// Proves the connections of the organisation where the last proof is old, and waits
    /// for that a moment. The number of statements does not depend on how many connections there
    /// are, but for those that turn out to be broken.
    pub async fn prove(&self) -> Result<(), StoreError> {
        let claimed = self.engine.claim(&self.list().await?);
        if claimed.ids.is_empty() {
            return Ok(());
        }
        let (engine, organisation) = (self.engine.clone(), self.acting.organisation.clone());
        let proving = tokio::spawn(async move {
            if let Err(error) = engine.prove(&organisation, &claimed).await {
                tracing::error!(%error, "connections could not be proved");
            }
        });
        // Dropping the handle lets it go on.
        let _ = timeout(PATIENCE, proving).await;
        Ok(())
    }
}

impl Engine {
    fn claim(&self, connections: &[Connection]) -> Claimed {
        let mut stale: Vec<_> = connections
            .iter()
            .filter(|connection| self.is_stale(connection))
            .collect();
        stale.sort_by_key(|connection| connection.last_verified_at);
        let mut running = self
            .proofs()
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let ids = stale
            .into_iter()
            .map(|connection| connection.id.clone())
            .filter(|id| !running.contains(id))
            .take(PER_PAGE);
        let ids: HashSet<String> = ids.collect();
        running.extend(ids.iter().cloned());
        drop(running);
        Claimed {
            engine: self.clone(),
            ids,
        }
    }

    fn is_stale(&self, connection: &Connection) -> bool {
        let asked = connection
            .last_verified_at
            .max(connection.last_error.as_ref().map(|error| error.at));
        matches!(connection.state, State::Connected { .. })
            && asked.is_none_or(|at| at + STALE_AFTER <= self.now())
    }

    async fn prove(&self, organisation: &str, claimed: &Claimed) -> Result<(), StoreError> {
        self.store().grants_remember(organisation).await?;
        let organisation: Arc<str> = organisation.into();
        let mut proofs = JoinSet::new();
        for id in claimed.ids.iter().cloned() {
            let (engine, organisation) = (self.clone(), organisation.clone());
            proofs.spawn(async move { engine.prove_one(&organisation, id).await });
        }
        let harvest = Instant::now() + FIRST_HARVEST;
        let mut done = Vec::new();
        while let Ok(Some(proof)) = timeout_at(harvest, proofs.join_next()).await {
            done.extend(proof.ok().flatten());
        }
        self.write_down(done).await?;
        self.write_down(proofs.join_all().await.into_iter().flatten().collect())
            .await
    }

    /// A connection without a token has been marked already, or says so itself.
    async fn prove_one(&self, organisation: &str, id: String) -> Option<Proof> {
        let _turn = self.proofs().turns.acquire().await.ok()?;
        match self
            .call(organisation, &id, async |linear, token| {
                linear.identity(token).await.map(drop)
            })
            .await
        {
            Ok((token, outcome)) => Some(Proof { id, token, outcome }),
            Err(TokenError::Store(error)) => {
                tracing::error!(%error, connection = id, "a connection could not be proved");
                None
            }
            Err(_) => None,
        }
    }

    async fn write_down(&self, proofs: Vec<Proof>) -> Result<(), StoreError> {
        let mut proved = Vec::new();
        for proof in proofs {
            match proof.outcome {
                Err(error @ CallError::Transient(_)) => {
                    self.note(&proof.id, &proof.token, Some(&error)).await?
                }
                // Refusing the question proves the token.
                Ok(()) | Err(CallError::Refused { .. } | CallError::Authentication { .. }) => {
                    self.doubts().accepted(&proof.id, self.now());
                    proved.push((proof.id, proof.token.generation))
                }
            }
        }
        if proved.is_empty() {
            Ok(())
        } else {
            self.store().connections_verified(&proved, self.now()).await
        }
    }
}
