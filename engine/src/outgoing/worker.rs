//! The worker: claims what is due, sends it, and writes down how it went, many at a time.
//!
//! A claim belongs to a process and lasts as long as the process is alive: its beat grows, and others watch it with their
//! own stopwatch, as with leases. A message is sent twice only when its process died, or did not come to write it down.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::SecretString;
use tokio::time::{sleep, timeout};
use url::Url;

use super::client::Answer;
use super::destinations::{SEALED, TABLE};
use super::pace::{self, Next};
use super::standard;
use crate::Engine;
use crate::clock::SECOND;
use crate::refresh::Lease;
use crate::store::{ClaimedMessage, DestinationRow, Sent, StoreError};
use crate::webhook::delivery_name;

/// Messages of a destination claimed at a time, and sent at a time.
const CLAIM: i64 = 64;
const AT_ONCE: usize = 8;
/// Destinations that are served at a time; one that hangs takes no other's turn.
const DESTINATIONS_AT_ONCE: usize = 32;
/// Between two looks for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const BEAT_EVERY: Duration = Duration::from_millis(500);
/// A process whose beat stands still for so long is dead.
const DEAD_AFTER: Duration = Duration::from_secs(5);

/// Destinations that this process is serving.
#[derive(Clone, Debug, Default)]
struct Serving(Arc<Mutex<HashSet<String>>>);

/// A destination is served as long as the value lives.
struct Turn(Serving, String);

impl Serving {
    fn take(&self, id: &str) -> Option<Turn> {
        let mut serving = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = serving.len() < DESTINATIONS_AT_ONCE && serving.insert(id.to_owned());
        free.then(|| Turn(self.clone(), id.to_owned()))
    }

    fn anybody(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl Engine {
    /// Hands on, for as long as the server runs. Never returns.
    pub async fn hand_on(&self) {
        let serving = Serving::default();
        tokio::join!(self.serve_destinations(&serving), self.beat_claims(&serving));
    }

    /// Lets go of what this process claimed: it stops. What was being sent may be sent once more by another.
    pub async fn stop_handing_on(&self) {
        if let Err(error) = self.store().messages_release(&self.outgoing().owner).await {
            tracing::warn!(%error, "claimed messages could not be released; others take them over when this process is gone");
        }
    }

    async fn serve_destinations(&self, serving: &Serving) {
        loop {
            match self.store().destinations_due(self.now()).await {
                Ok(due) => due.into_iter().for_each(|destination| self.serve_destination(serving, destination)),
                Err(error) => tracing::error!(%error, "what is to be handed on could not be looked for"),
            }
            // Either is reason enough to look again.
            let _ = timeout(LOOK_EVERY, self.outgoing().wake.notified()).await;
        }
    }

    fn serve_destination(&self, serving: &Serving, destination: DestinationRow) {
        let Some(turn) = serving.take(&destination.id) else { return };
        let engine = self.clone();
        tokio::spawn(async move {
            if let Err(error) = engine.send_all(&destination).await {
                tracing::error!(%error, destination = destination.id, "messages could not be handed on; they are tried again");
            }
            drop(turn);
        });
    }

    /// Everything that is due for a destination, until nothing is, or it takes nothing any more.
    async fn send_all(&self, destination: &DestinationRow) -> Result<(), StoreError> {
        let owner = &self.outgoing().owner;
        // Before the first claim, so that nobody takes this process for dead.
        self.store().process_beat(owner).await?;
        // One is enough to find out whether it takes anything again.
        let limit = if destination.failing_since.is_some() { 1 } else { CLAIM };
        loop {
            let claimed = self.store().messages_claim(&destination.id, owner, self.now(), limit).await?;
            if claimed.is_empty() {
                return Ok(());
            }
            let sends = stream::iter(claimed).map(|message| self.send(destination, message)).buffer_unordered(AT_ONCE);
            // What has ended while the last ones were written down goes together.
            let mut ended = std::pin::pin!(sends.ready_chunks(CLAIM as usize));
            let mut failed = false;
            while let Some(sent) = ended.next().await {
                failed |= self.write_sent(destination, sent).await?;
            }
            if failed || limit == 1 {
                // The rest waits for the next look, in which a failing or paused destination is left out.
                self.outgoing().wake.notify_one();
                return Ok(());
            }
        }
    }

    /// True when one of them failed.
    async fn write_sent(&self, destination: &DestinationRow, sent: Vec<(Sent, bool)>) -> Result<bool, StoreError> {
        let gone = sent.iter().any(|(_, gone)| *gone);
        let rows: Vec<Sent> = sent.into_iter().map(|(one, _)| one).collect();
        let again_at = self.now() + pace::rest(destination.failing_since, self.now());
        self.store().messages_done(&destination.id, &self.outgoing().owner, &rows, again_at).await?;
        let failed = rows.iter().any(|one| one.state != "sent");
        if failed {
            self.pause_if_lost(destination, gone).await?;
        }
        Ok(failed)
    }

    async fn pause_if_lost(&self, destination: &DestinationRow, gone: bool) -> Result<(), StoreError> {
        let because = if gone {
            "gone"
        } else if pace::is_lost(self.failing_since(destination).await?, self.now()) {
            "failures"
        } else {
            return Ok(());
        };
        if self.store().destination_pause(&destination.organisation_id, &destination.id, because, self.now()).await? {
            tracing::warn!(destination = destination.id, because, "a destination takes nothing any more and is paused");
        }
        Ok(())
    }

    async fn failing_since(&self, destination: &DestinationRow) -> Result<Option<i64>, StoreError> {
        let rows = self.store().destinations(&destination.organisation_id).await?;
        Ok(rows.into_iter().find(|row| row.id == destination.id).and_then(|row| row.failing_since))
    }

    /// One try. With it, whether the destination says that it is no more.
    async fn send(&self, destination: &DestinationRow, message: ClaimedMessage) -> (Sent, bool) {
        let answer = self.post(destination, &message).await;
        self.handed_on().add(if answer.is_good() { "sent" } else { "failed" });
        let (state, next_at) = if answer.is_good() { ("sent", self.now()) } else { self.after_failure(&message, &answer) };
        let gone = answer.is_gone();
        let sent = Sent { seq: message.seq, state, next_at, status: answer.status.map(i64::from), answer: answer.text, at: self.now() };
        (sent, gone)
    }

    fn after_failure(&self, message: &ClaimedMessage, answer: &Answer) -> (&'static str, i64) {
        let age = self.now() - message.first_at.unwrap_or(self.now());
        let wished = answer.retry_after_s.map(|seconds| seconds.clamp(0, 86_400) * SECOND);
        match pace::next(message.attempts + 1, age, wished, self.entropy().bytes::<1>()[0]) {
            Next::Wait(wait) => ("waiting", self.now() + wait),
            Next::Park => ("parked", self.now()),
        }
    }

    async fn post(&self, destination: &DestinationRow, message: &ClaimedMessage) -> Answer {
        let unusable = |why: &str| Answer { status: None, text: why.to_owned(), retry_after_s: None };
        let Ok(url) = Url::parse(&destination.url) else { return unusable("the address cannot be read") };
        let opened = self.vault().open_row(TABLE, SEALED, &destination.id, &destination.organisation_id, &destination.secret_sealed);
        let Ok(secret) = opened else { return unusable("the key to its signing secret is missing here") };
        let Some(headers) = self.headers(&secret, message) else { return unusable("its signing secret cannot be read") };
        self.outgoing().client.post(&url, headers, Bytes::from(message.body.clone())).await
    }

    /// Ours, then Linear's own as they came.
    fn headers(&self, secret: &SecretString, message: &ClaimedMessage) -> Option<HeaderMap> {
        let id = format!("msg_{}", delivery_name(&message.workspace_id, &message.digest).replace('-', ""));
        let mut headers = standard::headers(secret, &id, self.now().div_euclid(SECOND), &message.body)?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        let own: Vec<(String, String)> = serde_json::from_str(&message.headers).unwrap_or_default();
        for (name, value) in own {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
                headers.append(name, value);
            }
        }
        Some(headers)
    }

    /// Shows that this process is alive, and takes over from those that are not.
    async fn beat_claims(&self, serving: &Serving) {
        loop {
            sleep(BEAT_EVERY).await;
            if serving.anybody()
                && let Err(error) = self.store().process_beat(&self.outgoing().owner).await
            {
                tracing::warn!(%error, "others may take this process for dead and send again what it is sending");
            }
            if let Err(error) = self.take_over().await {
                tracing::error!(%error, "messages of dead processes could not be taken over");
            }
        }
    }

    async fn take_over(&self) -> Result<(), StoreError> {
        for (owner, beat) in self.store().processes_claiming(&self.outgoing().owner).await? {
            let seen = Lease { owner: owner.clone(), beat };
            if self.leases().is_dead(&format!("process {owner}"), &seen, DEAD_AFTER) {
                let released = self.store().messages_release(&owner).await?;
                tracing::info!(released, "messages of a process that died are sent by others");
                self.outgoing().wake.notify_one();
            }
        }
        Ok(())
    }
}
