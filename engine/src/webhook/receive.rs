//! One webhook: verified, judged by its time, stored, and only then acknowledged.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, timeout};

use super::connection_events::is_connection_event;
use super::envelope::{Envelope, Timestamp};
use super::incoming::{Incoming, Receipt, Received, WebhookError};
use super::recipients::{GOOD_FOR, Listening, Match, REFUSE_AFTER};
use super::refusals::Cause;
use crate::Engine;
use crate::clock::{MINUTE, Millis};
use crate::digest::uuid;
use crate::store::{DeliveryOutcome, NewDelivery, StoreError};

/// Linear sends within seconds; what comes later is one of its retries.
const LATE_AFTER: Millis = MINUTE;
/// The answer to an event about a connection waits this long for what it changes.
const EVENT_PATIENCE: Duration = Duration::from_secs(1);
/// Longer headers of Linear's are not kept.
const HEADER_MAX: usize = 200;

impl Engine {
    /// Verifies a webhook and stores it. Once this answers `Accepted` or `Duplicate`, the delivery
    /// is committed.
    ///
    /// # Errors
    /// See [`WebhookError`]. A body with a right signature is never [`WebhookError::Unsigned`],
    /// unless its workspace is not connected here any more and the secret was the workspace's own.
    pub async fn webhook_receive(&self, incoming: Incoming) -> Result<Received, WebhookError> {
        let began = Instant::now();
        let Some(signature) = &incoming.signature else {
            return Err(self.refuse(&incoming, Cause::NoSignature).await);
        };
        let envelope = Envelope::read(&incoming.body);
        let workspace = envelope
            .as_ref()
            .map(|envelope| envelope.workspace.as_str())
            .filter(|workspace| !workspace.is_empty());
        let found = match workspace {
            Some(workspace) => {
                self.find_signer(workspace, &incoming.body, signature)
                    .await?
            }
            None => Listening::default().find(
                self.app_webhook_key(),
                &incoming.body,
                signature,
                self.now(),
            ),
        };
        let Some(mut signed) = found else {
            return Err(self.refuse(&incoming, Cause::WrongSignature).await);
        };
        let (Some(envelope), Some(_)) = (&envelope, workspace) else {
            self.webhook_counts().add("malformed");
            return Err(WebhookError::Malformed);
        };
        if signed.recipients.is_empty() {
            // In a dump that is being restored the workspace may come later.
            if !self.store().gives_numbers().await? {
                return Err(StoreError::Restoring.into());
            }
            self.webhook_counts().add("ignored");
            return Ok(Received {
                receipt: Receipt::Ignored,
                signer: None,
            });
        }
        let late = self
            .in_time_window(envelope)
            .await
            .inspect_err(|error| self.webhook_counts().add(error.name()))?;
        self.note_verified(&signed);
        let ignored = !self.keep_concerned(envelope, &mut signed).await?;
        let outcome = if ignored {
            DeliveryOutcome::Ignored
        } else if late {
            DeliveryOutcome::Late
        } else {
            DeliveryOutcome::Accepted
        };
        let new = self.delivery(&incoming, envelope, &signed, outcome, began);
        let event = new.to_do;
        let messages = new
            .recipients
            .iter()
            .any(|recipient| !recipient.messages.is_empty());
        let stored = self.ingest(new).await?;
        if messages {
            self.outgoing().wake.notify_one();
        }
        if event {
            // Kept in the database too: what is not done by then, or not at all, is made up for.
            let engine = self.clone();
            let _ = timeout(
                EVENT_PATIENCE,
                tokio::spawn(async move { engine.run_connection_events().await }),
            )
            .await;
        }
        let receipt = match (stored, ignored) {
            (_, true) => Receipt::Ignored,
            (true, false) => Receipt::Accepted,
            (false, false) => Receipt::Duplicate,
        };
        self.webhook_counts().add(receipt.name());
        let signer = (receipt == Receipt::Accepted).then(|| signed.signer());
        Ok(Received { receipt, signer })
    }

    /// Finds whose signature it is. Before it is refused or ignored for want of somebody, the
    /// database is asked once more: another process may just have connected the workspace, or been
    /// given the secret.
    async fn find_signer(
        &self,
        workspace: &str,
        body: &[u8],
        signature: &[u8],
    ) -> Result<Option<Match>, StoreError> {
        let find = |listening: &Listening| {
            listening.find(self.app_webhook_key(), body, signature, self.now())
        };
        let listening = self.listening(workspace, GOOD_FOR).await?;
        let age_max = match find(&listening) {
            Some(signed) if !signed.recipients.is_empty() => return Ok(Some(signed)),
            // Signed by the app, so nobody is guessing.
            Some(_) => Duration::ZERO,
            None => REFUSE_AFTER,
        };
        let newest = self.listening(workspace, age_max).await?;
        if age_max > Duration::ZERO && newest.is_same(&listening) {
            Ok(None)
        } else {
            Ok(find(&newest))
        }
    }

    /// Whether it comes late; only the signed timestamp counts. Before one is refused, Linear is
    /// asked what time it is.
    async fn in_time_window(&self, envelope: &Envelope) -> Result<bool, WebhookError> {
        match self.judge_timestamp(envelope) {
            Err(WebhookError::Future | WebhookError::Stale) => {
                self.ask_linears_time().await;
                self.judge_timestamp(envelope)
            }
            judged => judged,
        }
    }

    /// Judges by this machine's time, or by Linear's where that is another.
    pub(super) fn judge_timestamp(&self, envelope: &Envelope) -> Result<bool, WebhookError> {
        let judged = self.judge_timestamp_at(envelope, self.now());
        match (judged, self.linears_now()) {
            (Err(_), Some(now)) => self.judge_timestamp_at(envelope, now),
            (judged, _) => judged,
        }
    }

    fn judge_timestamp_at(&self, envelope: &Envelope, now: Millis) -> Result<bool, WebhookError> {
        let settings = &self.settings().webhooks;
        match envelope.timestamp {
            Timestamp::Missing => Err(WebhookError::MissingTimestamp),
            Timestamp::Wrong => Err(WebhookError::Malformed),
            Timestamp::At(at) if at > now.saturating_add(settings.ahead_max) => {
                Err(WebhookError::Future)
            }
            Timestamp::At(at) if at < now.saturating_sub(settings.age_max) => {
                Err(WebhookError::Stale)
            }
            Timestamp::At(at) => Ok(now - at > LATE_AFTER),
        }
    }

    fn delivery(
        &self,
        incoming: &Incoming,
        envelope: &Envelope,
        signed: &Match,
        outcome: DeliveryOutcome,
        began: Instant,
    ) -> NewDelivery {
        let headers: Vec<&(String, String)> = incoming
            .headers
            .iter()
            .filter(|(_, value)| value.len() <= HEADER_MAX)
            .collect();
        NewDelivery {
            workspace_id: envelope.workspace.clone(),
            key: envelope.event_key(&incoming.body),
            digest: Sha256::digest(&incoming.body).into(),
            outcome,
            event: envelope.event.clone(),
            action: envelope.action.clone(),
            subject: envelope.subject.clone(),
            actor: envelope.actor.clone(),
            entity: envelope.entity.clone(),
            headers: serde_json::to_string(&headers).unwrap_or_default(),
            delivery_id: incoming
                .delivery_id
                .clone()
                .filter(|id| id.len() <= HEADER_MAX),
            webhook: envelope.webhook.clone(),
            secret_id: signed.secret_id.clone(),
            webhook_timestamp: match envelope.timestamp {
                Timestamp::At(at) => at,
                Timestamp::Missing | Timestamp::Wrong => self.now(),
            },
            received_at: self.now(),
            took_us: i64::try_from(began.elapsed().as_micros()).unwrap_or(i64::MAX),
            to_do: outcome != DeliveryOutcome::Ignored && is_connection_event(&envelope.event),
            body: incoming.body.clone(),
            recipients: signed
                .recipients
                .iter()
                .map(|hears| match outcome {
                    DeliveryOutcome::Ignored => hears.without_messages(),
                    _ => hears.recipient(&envelope.event, &envelope.entity),
                })
                .collect(),
        }
    }
}

/// Names a delivery to the world, and the same for the same signed body for ever: a UUID (RFC 9562,
/// version 8) made of the workspace and the body's digest.
#[must_use]
pub fn delivery_name(workspace: &str, digest: &[u8]) -> String {
    let named: [u8; 32] = Sha256::new()
        .chain_update(workspace.as_bytes())
        .chain_update([0])
        .chain_update(digest)
        .finalize()
        .into();
    let mut bits = [0; 16];
    bits.copy_from_slice(&named[..16]);
    uuid(bits, 8)
}
