//! A browser that comes back from Linear once more with an attempt that it came back with before:
//! it was reloaded, or it fetched the address ahead. It waits for the end of that attempt, which is
//! noted for as long as the attempt would have been good.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::Engine;
use crate::clock::SECOND;
use crate::connection::callback::Callback;
use crate::digest::sha256_hex;
use crate::store::{Attempts, STOPPED, StoreError, TakenAttempt};

/// Exchange, identity and revocation may take ten seconds each.
const PATIENCE_S: u64 = 32;
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Recognises a browser that comes back from Linear. The code counts too: over plain http somebody
/// else can plant their cookie in a browser, and that alone must not show how their attempt ended.
#[derive(Clone, Debug)]
pub(crate) struct Back {
    pub state_hash: String,
    pub browser_hash: String,
    /// Absent where Linear gave none.
    code_hash: Option<String>,
}

impl Back {
    /// `None` for what comes from no attempt.
    pub fn of(browser: &str, callback: &Callback) -> Option<Back> {
        let hash = |text: &str| sha256_hex(text.as_bytes());
        let state_hash = hash(callback.state.as_deref()?);
        Some(Back {
            state_hash,
            browser_hash: hash(browser),
            code_hash: callback.code.as_deref().map(hash),
        })
    }
}

/// The end of an attempt as it is stored, with the code that it was for.
#[derive(Serialize, Deserialize)]
struct Noted<End> {
    code_hash: Option<String>,
    end: End,
}

/// An attempt that a browser comes back with once more, as far as it is known.
pub(crate) enum Before<End> {
    /// There is none, or it is somebody else's.
    Unknown,
    /// Its process ended before it did, so nobody will end it.
    Stopped(TakenAttempt),
    Ended(TakenAttempt, End),
}

impl Engine {
    /// Notes how an attempt ended. Whatever goes wrong with that costs nothing but this answer to
    /// whoever comes back again.
    pub(crate) async fn note_end(&self, attempts: Attempts, back: &Back, end: &impl Serialize) {
        let noted = match serde_json::to_string(&Noted {
            code_hash: back.code_hash.clone(),
            end,
        }) {
            Ok(ended) => self
                .store()
                .attempt_end(attempts, &back.state_hash, &ended)
                .await
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = noted {
            tracing::error!(error, "how an attempt at Linear ended could not be noted");
        }
    }

    /// Finds how an attempt ended, once it has: one of this browser, or of this person who signed
    /// in again since, and of whoever `theirs` knows. One that another version noted otherwise is
    /// as good as unknown.
    pub(crate) async fn attempt_ended<End: DeserializeOwned>(
        &self,
        attempts: Attempts,
        back: &Back,
        user: Option<&str>,
        theirs: impl Fn(&TakenAttempt) -> bool,
    ) -> Result<Before<End>, StoreError> {
        let began = Instant::now();
        let patience = Duration::from_secs(PATIENCE_S);
        loop {
            let attempt = self
                .store()
                .attempt_taken(
                    attempts,
                    &back.state_hash,
                    &back.browser_hash,
                    user,
                    self.now(),
                )
                .await?;
            let Some(attempt) = attempt.filter(&theirs) else {
                return Ok(Before::Unknown);
            };
            if let Some(ended) = &attempt.ended {
                if ended == STOPPED {
                    return Ok(Before::Stopped(attempt));
                }
                let noted: Option<Noted<End>> = serde_json::from_str(ended).ok();
                let same = noted.filter(|noted| noted.code_hash == back.code_hash);
                return Ok(same.map_or(Before::Unknown, |noted| Before::Ended(attempt, noted.end)));
            }
            let for_s = u64::try_from((self.now() - attempt.taken_at) / SECOND).unwrap_or_default();
            if for_s > PATIENCE_S || began.elapsed() > patience {
                return Ok(Before::Stopped(attempt));
            }
            sleep(LOOK_EVERY).await;
        }
    }
}
