//! How long deliveries are taken and kept.

use crate::Engine;
use crate::clock::{DAY, HOUR, Millis, SECOND};
use crate::every::gets_on;
use crate::store::StoreError;

/// Deliveries forgotten in one transaction. Small, so that nobody waits long for it.
const BITE: i64 = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Milliseconds that `webhookTimestamp` may be past: Linear's last retry comes after seven hours.
    pub age_max: Millis,
    /// Milliseconds that it may be ahead.
    pub ahead_max: Millis,
    /// Milliseconds for which a secret is still accepted after another took its place.
    pub overlap: Millis,
    /// Milliseconds for which deliveries are kept.
    pub keep_for: Millis,
    /// Bytes of bodies that are kept; the oldest go first.
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
    /// Forgets deliveries that are older than the settings want, and makes room where they are more, a bite at a time. What
    /// Linear may still send again is known as a duplicate, whether or not its body is kept. Answers how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_deliveries(&self) -> Result<u64, StoreError> {
        let settings = &self.settings().webhooks;
        let Some(now) = self.now_to_forget() else { return Ok(0) };
        let before = now - settings.keep_for.max(settings.age_max + settings.ahead_max);
        let (mut forgotten, mut parked) = (0, 0);
        loop {
            let old = self.store().deliveries_forget(before, BITE).await?;
            let (pruned, waiting) = self.store().deliveries_prune(settings.keep_bytes, BITE).await?;
            (forgotten, parked) = (forgotten + old + pruned, parked + waiting);
            gets_on();
            // What is left is less than a bite, or has only just come: those who store come first.
            if old.max(pruned) < BITE.unsigned_abs() {
                break;
            }
        }
        if parked > 0 {
            tracing::warn!(parked, "deliveries that waited for their destinations were given up to make room");
        }
        Ok(forgotten)
    }
}
