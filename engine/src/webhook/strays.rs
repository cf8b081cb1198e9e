//! Requests with Linear's signature that came to an address where nothing takes them: somebody
//! mistyped it in Linear. Counted by address, for admins to see. Anybody can send them, so of
//! everything there is a limit.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

use super::deliveries::Deliveries;
use crate::Engine;
use crate::clock::{HOUR, Millis};
use crate::store::{StoreError, Stray};

/// Different addresses counted at a time, and kept for an hour; what comes to others is not
/// counted.
const PATHS_MAX: usize = 20;
/// Characters of an address.
const PATH_MAX: usize = 100;
const WRITE_EVERY: Duration = Duration::from_millis(500);

/// The counts since the last writing, and when each came last.
#[derive(Debug, Default)]
pub(crate) struct Strays(Mutex<BTreeMap<String, (i64, Millis)>>);

impl Strays {
    /// True when these are the first since the last writing.
    fn add(&self, path: &str, now: Millis) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = counted.is_empty();
        let path: String = path.chars().take(PATH_MAX).collect();
        if counted.len() < PATHS_MAX || counted.contains_key(&path) {
            let sum = counted.entry(path).or_default();
            *sum = (sum.0 + 1, now);
        }
        first
    }

    fn take(&self) -> BTreeMap<String, (i64, Millis)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Engine {
    /// Counts a request with Linear's signature that came to another address than the webhooks'.
    pub fn webhook_strayed(&self, path: &str) {
        self.webhook_counts().add("elsewhere");
        if self.strays().add(path, self.now()) {
            let engine = self.clone();
            tokio::spawn(async move {
                sleep(WRITE_EVERY).await;
                if let Err(error) = engine.write_strays().await {
                    tracing::warn!(%error, "webhooks that came to a wrong address could not be \
                        counted");
                }
            });
        }
    }

    async fn write_strays(&self) -> Result<(), StoreError> {
        for (path, (came, last_at)) in self.strays().take() {
            let row = Stray {
                path,
                hour: last_at.div_euclid(HOUR),
                came,
                last_at,
            };
            self.store().strays_add(&row, PATHS_MAX as i64).await?;
        }
        Ok(())
    }
}

impl Deliveries<'_> {
    /// Lists what came to wrong addresses since then, the latest first; empty for those who manage
    /// no webhooks.
    pub async fn strays(&self, since: Millis) -> Result<Vec<Stray>, StoreError> {
        if self.acting.manages().is_err() {
            return Ok(Vec::new());
        }
        self.engine.write_strays().await?;
        let rows = self.store().strays(since.div_euclid(HOUR)).await?;
        Ok(rows
            .into_iter()
            .filter(|row| row.last_at >= since)
            .collect())
    }
}
