//! The limits on how many deliveries are taken, and how long they are kept.

use std::sync::atomic::Ordering;

use crate::Engine;
use crate::clock::{DAY, HOUR, Millis, SECOND};
use crate::every::gets_on;
use crate::store::StoreError;

/// Deliveries forgotten in one transaction. Small, so that nobody waits long for it.
const BITE: i64 = 500;
/// The number of rounds in which everything kept goes for its age: a clock that is wrong for a
/// moment costs next to nothing.
const ROUNDS: i64 = 50;
/// The bytes that may come beyond what may be kept before room is made.
const SLACK: i64 = 2 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Milliseconds that `webhookTimestamp` may be past: Linear's last retry comes after seven
    /// hours.
    pub age_max: Millis,
    /// Milliseconds that it may be ahead.
    pub ahead_max: Millis,
    /// Milliseconds for which a secret is still accepted after another took its place.
    pub overlap: Millis,
    /// Milliseconds for which deliveries are kept.
    pub keep_for: Millis,
    /// Bytes that all that is kept may take in the database; the oldest go first.
    pub keep_bytes: i64,
}

impl Default for WebhookSettings {
    fn default() -> WebhookSettings {
        WebhookSettings {
            age_max: 8 * HOUR,
            ahead_max: 60 * SECOND,
            overlap: 24 * HOUR,
            keep_for: 30 * DAY,
            keep_bytes: 1024 * 1024 * 1024,
        }
    }
}

impl Engine {
    /// Forgets some of the deliveries that are older than the settings want, and makes room where
    /// they are more. What Linear may still send again is known as a duplicate, whether or not it
    /// is kept. Answers how many.
    pub async fn forget_deliveries(&self) -> Result<u64, StoreError> {
        let settings = &self.settings().webhooks;
        let again = settings.age_max + settings.ahead_max;
        let mut old = 0;
        if let Some(now) = self.now_to_forget() {
            old = self.forget_old(now - settings.keep_for.max(again)).await?;
            self.forget_events(now - again).await?;
        }
        let pruned = self.make_room().await?;
        if old + pruned > 0 {
            self.store().deliveries_tidy().await?;
        }
        Ok(old + pruned)
    }

    async fn forget_old(&self, before: Millis) -> Result<u64, StoreError> {
        let mut left = share(self.store().deliveries_span().await?);
        let mut forgotten = 0;
        while left > 0 {
            let bite = left.min(BITE);
            let gone = self.store().deliveries_forget(before, bite).await?;
            forgotten += gone;
            gets_on();
            left = if gone < bite.unsigned_abs() {
                0
            } else {
                left - bite
            };
        }
        Ok(forgotten)
    }

    async fn forget_events(&self, before: Millis) -> Result<(), StoreError> {
        let mut left = share(self.store().events_span().await?);
        while left > 0 {
            let bite = left.min(BITE);
            let gone = self.store().events_forget(before, bite).await?;
            gets_on();
            left = if gone < bite.unsigned_abs() {
                0
            } else {
                left - bite
            };
        }
        Ok(())
    }

    /// The oldest go, a bite at a time, until the rest is as little as the settings want. Answers
    /// how many went.
    async fn make_room(&self) -> Result<u64, StoreError> {
        let (mut pruned, mut given_up) = (0, 0);
        loop {
            let (gone, waiting) = self
                .store()
                .deliveries_prune(self.settings().webhooks.keep_bytes, BITE)
                .await?;
            (pruned, given_up) = (pruned + gone, given_up + waiting);
            gets_on();
            // What is left is less than a bite, or has only just come.
            if gone < BITE.unsigned_abs() {
                break;
            }
        }
        if given_up > 0 {
            tracing::warn!(
                given_up,
                "deliveries that waited for their destinations were given up to make room"
            );
        }
        Ok(pruned)
    }

    /// Makes room: whoever stores does so, so that a flood does not fill the disk between two
    /// rounds.
    pub(super) async fn keep_within(&self, kept: i64) {
        let most = self.settings().webhooks.keep_bytes;
        if kept - most <= SLACK.min(most / 16) {
            return;
        }
        if let Err(error) = self.make_room().await {
            return tracing::error!(%error, "room could not be made for deliveries; that is tried \
                again");
        }
        let freed = self
            .deliveries_waiting()
            .freed
            .fetch_add(kept - most, Ordering::Relaxed)
            + kept
            - most;
        if freed > SLACK.max(most / 16)
            && self.deliveries_waiting().freed.swap(0, Ordering::Relaxed) > 0
        {
            let engine = self.clone();
            tokio::spawn(async move {
                if let Err(error) = engine.store().deliveries_tidy().await {
                    tracing::warn!(%error, "the room of forgotten deliveries is not used again \
                        yet");
                }
            });
        }
    }
}

/// The number that may go in one round: some always.
fn share(span: i64) -> i64 {
    if span > 0 { (span / ROUNDS).max(2) } else { 0 }
}
