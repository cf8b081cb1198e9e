//! The refresh manager: keeps every grant alive, whoever crashes, answers late or asks at the same
//! moment.
//!
//! `steps` decides, `flight` carries out, `flights` lets callers share, `lease` watches other
//! processes, `sweep` keeps ahead of expiry, and
//! [`Engine::fresh_token`](crate::Engine::fresh_token) is what everybody else calls.

mod backoff;
mod count;
mod flight;
mod history;
mod lease;
mod reading;
mod retry_schedule;
mod settings;
mod single_flight;
mod steps;
#[cfg(test)]
mod steps_tests;
mod sweep;
mod token_request;

use std::time::Duration;

use serde::Serialize;

use crate::clock::Millis;
use crate::connection::state::FailedCall;
use crate::names::named;
use crate::store::StoreError;

pub use count::Counts;
pub use history::HistoryLine;
pub use settings::RefreshSettings;
pub use steps::By;
pub use sweep::Swept;

pub(crate) use lease::Leases;
pub(crate) use single_flight::Flights;

/// A process's claim to be the one that asks Linear. `beat` grows while it is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub owner: String,
    pub beat: i64,
}

named! {
    /// The reason why a refresh was wanted.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Cause {
        /// A caller needed a token that lives longer than this one.
        Use = "use",
        /// Linear, or a caller that heard it from Linear, says that the access token is not
        /// accepted.
        Rejected = "rejected",
        /// It was due.
        Schedule = "schedule",
        /// Somebody pressed the button or typed the command.
        Manual = "manual",
    }
}

named! {
    /// The end of a wish for a fresh token, as in metrics and history.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Outcome {
        /// The token was good; Linear was not asked.
        Fresh = "fresh",
        Refreshed = "refreshed",
        /// Another process, or another refresh, had done it.
        RotatedByPeer = "rotated_by_peer",
        /// Linear gave the pair again whose first delivery was lost.
        Replayed = "replayed",
        BackedOff = "backed_off",
        /// Linear does not accept this Relink as a client.
        Misconfigured = "misconfigured",
        Broken = "broken",
    }
}

impl From<steps::End> for Outcome {
    fn from(end: steps::End) -> Outcome {
        use steps::End;
        match end {
            End::Refreshed => Outcome::Refreshed,
            End::Replayed => Outcome::Replayed,
            // Whoever broke or ended it counted that.
            End::RotatedByPeer | End::NotConnected => Outcome::RotatedByPeer,
            End::BackedOff => Outcome::BackedOff,
            End::Misconfigured => Outcome::Misconfigured,
            End::Broken => Outcome::Broken,
        }
    }
}

/// One refresh, for the history. Never a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub outcome: Outcome,
    pub cause: Cause,
    /// Linear's code or a name for the failure; empty where there was none.
    pub code: String,
    /// HTTP status, where there was one.
    pub status: Option<u16>,
    pub at: Millis,
    pub took_ms: Millis,
}

/// The answer to everybody who waited for a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshResult {
    /// The row holds other tokens now, or another state: read it.
    Moved(Outcome),
    /// The tokens are as they were. `retry_after`: milliseconds until trying again makes sense.
    PutOff {
        outcome: Outcome,
        error: FailedCall,
        retry_after: Millis,
    },
}

impl RefreshResult {
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            RefreshResult::Moved(outcome) | RefreshResult::PutOff { outcome, .. } => *outcome,
        }
    }
}

/// A statement of a refresh that takes longer has failed: a database that vanished without a word
/// must not hold leases.
const STATEMENT_MAX: Duration = Duration::from_secs(10);

pub(crate) async fn in_time<T>(
    statement: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout(STATEMENT_MAX, statement)
        .await
        .unwrap_or(Err(StoreError::Timeout))
}

fn millis(span: Duration) -> Millis {
    Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX)
}
