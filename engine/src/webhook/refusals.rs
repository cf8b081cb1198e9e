//! Refused requests, counted by the hour, and which secret they seem to be signed with. Never
//! accepted for that.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::deliveries::Deliveries;
use super::envelope::Envelope;
use super::incoming::{Incoming, WebhookError};
use super::recipients::GOOD_FOR;
use crate::Engine;
use crate::clock::{DAY, HOUR, Millis};
use crate::names::named;
use crate::store::{RefusalRow, StoreError, WebhookSecretRow};

/// Different refusals counted before they are written down; more are counted together without their
/// secret.
const TALLIED_MAX: usize = 1_000;
const WRITE_EVERY: Duration = Duration::from_millis(500);
/// The pause where the database does not take them.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// Looking for the secret costs as many digests as there are secrets: only for this many requests
/// at once, and small ones.
const SEARCHES: usize = 2;
const SEARCHED_MAX: usize = 256 * 1024;
const KEPT_FOR: Millis = 7 * DAY;
/// Secrets tried for one request.
const SECRETS_TRIED: usize = 50;

named! {
    /// The reason for a refusal.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Cause {
        NoSignature = "no_signature",
        WrongSignature = "wrong_signature",
    }
}

/// Requests that named a workspace and were refused, in one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub workspace_id: String,
    pub cause: Cause,
    /// The organisation's own secret that they are signed with, if it is one of them.
    pub secret_id: Option<String>,
    pub count: u64,
    pub last_at: Millis,
}

type Kind = (String, i64, Cause, String);
type Tally = BTreeMap<Kind, (i64, Millis)>;

#[derive(Debug)]
pub(crate) struct Refusals {
    tally: Mutex<Tally>,
    /// Held while what was counted is on its way to the database: who reads there waits for it.
    writing: tokio::sync::Mutex<()>,
    searches: Semaphore,
}

impl Default for Refusals {
    fn default() -> Refusals {
        Refusals {
            tally: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            searches: Semaphore::new(SEARCHES),
        }
    }
}

impl Refusals {
    /// True when these are the first since the last writing.
    fn add(&self, mut kind: Kind, now: Millis) -> bool {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let first = tally.is_empty();
        if tally.len() >= TALLIED_MAX {
            kind.3.clear();
            if !tally.contains_key(&kind) {
                return false;
            }
        }
        let counted = tally.entry(kind).or_insert((0, now));
        *counted = (counted.0 + 1, now);
        first
    }

    fn take(&self) -> Taken<'_> {
        Taken {
            refusals: self,
            counted: std::mem::take(
                &mut *self.tally.lock().unwrap_or_else(PoisonError::into_inner),
            ),
        }
    }
}

/// Counts on their way to the database. Those that do not arrive, because it fails or nobody waits
/// any more, are written with the next.
struct Taken<'a> {
    refusals: &'a Refusals,
    counted: Tally,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut tally = self
            .refusals
            .tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (kind, (count, at)) in std::mem::take(&mut self.counted) {
            let sum = tally.entry(kind).or_insert((0, at));
            *sum = (sum.0 + count, sum.1.max(at));
        }
    }
}

impl Engine {
    /// Counts a refusal, where it names a workspace that somebody here connected. Always answers
    /// `Unsigned`.
    pub(super) async fn refuse(&self, incoming: &Incoming, cause: Cause) -> WebhookError {
        self.webhook_counts().add(cause.name());
        if let Some(envelope) = Envelope::read(&incoming.body)
            && let Err(error) = self.tally(incoming, &envelope.workspace, cause).await
        {
            tracing::warn!(%error, "a refused webhook could not be looked into");
        }
        WebhookError::Unsigned
    }

    async fn tally(
        &self,
        incoming: &Incoming,
        workspace: &str,
        cause: Cause,
    ) -> Result<(), StoreError> {
        if !self.listening(workspace, GOOD_FOR).await?.known {
            return Ok(());
        }
        let secret = self.search(incoming, workspace).await?.unwrap_or_default();
        tracing::info!(
            workspace,
            cause = cause.name(),
            secret,
            "a webhook was refused"
        );
        let now = self.now();
        if self.refusals().add(
            (workspace.to_owned(), now.div_euclid(HOUR), cause, secret),
            now,
        ) {
            let engine = self.clone();
            tokio::spawn(async move {
                sleep(WRITE_EVERY).await;
                // Nobody else comes for what could not be written.
                while let Err(error) = engine.write_refusals().await {
                    tracing::warn!(%error, "refused webhooks could not be counted; tried again");
                    sleep(TRY_AGAIN).await;
                }
            });
        }
        Ok(())
    }

    /// The id of the secret that signed it, among all that the workspace's organisations have, also
    /// for other workspaces and retired ones.
    async fn search(
        &self,
        incoming: &Incoming,
        workspace: &str,
    ) -> Result<Option<String>, StoreError> {
        let Some(signature) = &incoming.signature else {
            return Ok(None);
        };
        let Ok(_turn) = self.refusals().searches.try_acquire() else {
            return Ok(None);
        };
        if incoming.body.len() > SEARCHED_MAX {
            return Ok(None);
        }
        for tenant in self.store().webhook_tenants(workspace).await? {
            let rows = self
                .store()
                .webhook_secrets(&tenant.organisation_id)
                .await?;
            if let Some(row) = self.signer_among(
                &rows[..rows.len().min(SECRETS_TRIED)],
                &incoming.body,
                signature,
            ) {
                return Ok(Some(row.id.clone()));
            }
        }
        Ok(None)
    }

    pub(super) fn signer_among<'a>(
        &self,
        rows: &'a [WebhookSecretRow],
        body: &[u8],
        signature: &[u8],
    ) -> Option<&'a WebhookSecretRow> {
        rows.iter().find(|row| {
            self.signing_key(row)
                .is_some_and(|key| key.verifies(body, signature))
        })
    }

    async fn write_refusals(&self) -> Result<(), StoreError> {
        let _turn = self.refusals().writing.lock().await;
        let mut taken = self.refusals().take();
        while let Some((kind, &(refused, last_at))) = taken.counted.first_key_value() {
            let (workspace_id, hour, cause, secret_id) = kind.clone();
            let row = RefusalRow {
                workspace_id,
                hour,
                cause: cause.name().to_owned(),
                secret_id,
                refused,
                last_at,
            };
            self.store().refusals_add(&row).await?;
            taken.counted.pop_first();
        }
        Ok(())
    }

    /// Forgets refusals that no page tells of any more.
    pub async fn forget_refusals(&self) -> Result<(), StoreError> {
        let Some(now) = self.now_to_forget() else {
            return Ok(());
        };
        self.store()
            .refusals_forget((now - KEPT_FOR).div_euclid(HOUR))
            .await
    }
}

impl Deliveries<'_> {
    /// Lists what was refused since then in the name of the organisation's workspaces, the latest
    /// first; empty for those who do not manage them.
    pub async fn refused(&self, since: Millis) -> Result<Vec<Refused>, StoreError> {
        if self.acting.manages().is_err() {
            return Ok(Vec::new());
        }
        let organisation = &self.acting.organisation;
        self.engine.write_refusals().await?;
        let own = self.store().webhook_secrets(organisation).await?;
        let mut found: BTreeMap<(String, Cause, Option<String>), (u64, Millis)> = BTreeMap::new();
        for row in self
            .store()
            .refusals(organisation, since.div_euclid(HOUR))
            .await?
            .into_iter()
            .filter(|row| row.last_at >= since)
        {
            let Some(cause) = Cause::from_name(&row.cause) else {
                continue;
            };
            // Another organisation's secret is nobody's business here.
            let secret = Some(row.secret_id).filter(|id| own.iter().any(|own| own.id == *id));
            let sum = found.entry((row.workspace_id, cause, secret)).or_default();
            *sum = (sum.0 + row.refused.unsigned_abs(), sum.1.max(row.last_at));
        }
        let refused = |((workspace_id, cause, secret_id), (count, last_at))| Refused {
            workspace_id,
            cause,
            secret_id,
            count,
            last_at,
        };
        let mut all: Vec<Refused> = found.into_iter().map(refused).collect();
        all.sort_by_key(|refused| std::cmp::Reverse(refused.last_at));
        Ok(all)
    }
}
