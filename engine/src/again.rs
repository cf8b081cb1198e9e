//! A browser that comes back from Linear once more with an attempt that it came back with before: it was reloaded, or it
//! fetched the address ahead. It waits for the end of that attempt, which is noted for as long as the attempt would have been
//! good.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::Engine;
use crate::clock::SECOND;
use crate::store::{Attempts, StoreError, TakenAttempt};

/// Exchange, identity and revocation may take ten seconds each.
const PATIENCE_S: u64 = 32;
const LOOK_EVERY: Duration = Duration::from_millis(250);

impl Engine {
    /// Notes how an attempt ended. Whatever goes wrong with that costs nothing but this answer to whoever comes back again.
    pub(crate) async fn note_end(&self, attempts: Attempts, state_hash: &str, ended: &impl Serialize) {
        let noted = match serde_json::to_string(ended) {
            Ok(ended) => self.store().attempt_end(attempts, state_hash, &ended).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = noted {
            tracing::error!(error, "how an attempt at Linear ended could not be noted");
        }
    }

    /// An attempt of this browser and of whoever `theirs` knows, once it has ended. One that nobody ends any more, because its
    /// process did, is as good as unknown.
    pub(crate) async fn attempt_ended(
        &self,
        attempts: Attempts,
        state_hash: &str,
        browser_hash: &str,
        theirs: impl Fn(&TakenAttempt) -> bool,
    ) -> Result<Option<TakenAttempt>, StoreError> {
        let began = Instant::now();
        let patience = Duration::from_secs(PATIENCE_S);
        loop {
            let attempt = self.store().attempt_taken(attempts, state_hash, browser_hash, self.now()).await?;
            let Some(attempt) = attempt.filter(&theirs) else { return Ok(None) };
            if attempt.ended.is_some() {
                return Ok(Some(attempt));
            }
            let for_s = u64::try_from((self.now() - attempt.taken_at) / SECOND).unwrap_or_default();
            if for_s > PATIENCE_S || began.elapsed() > patience {
                return Ok(None);
            }
            sleep(LOOK_EVERY).await;
        }
    }
}
