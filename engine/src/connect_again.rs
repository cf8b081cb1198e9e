//! A browser that comes back from Linear once more with an attempt that it came back with before: it was reloaded, or it
//! fetched the address ahead. It is told how that attempt ended.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::Engine;
use crate::account::Person;
use crate::clock::SECOND;
use crate::connect::{Connected, FinishError};
use crate::connection::State;
use crate::store::ConnectAttempt;

/// Exchange, identity and revocation may take ten seconds each.
const PATIENCE_S: u64 = 32;
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What a person was told, as it is stored for as long as the attempt would have been good.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    Connected(Connected),
    AccessDenied,
    AuthorizationFailed,
    StateMismatch,
    ExchangeFailed(String),
    LinearUnreachable(String),
    WrongWorkspace { connection: String, expected: String },
    AlreadyConnected { connection: String, workspace: String },
    WorkspaceAlreadyLinked { email: Option<String> },
    Failed,
}

impl From<&Result<Connected, FinishError>> for Ended {
    fn from(finished: &Result<Connected, FinishError>) -> Ended {
        let error = match finished {
            Ok(connected) => return Ended::Connected(connected.clone()),
            Err(error) => error,
        };
        match error {
            FinishError::AccessDenied => Ended::AccessDenied,
            FinishError::AuthorizationFailed => Ended::AuthorizationFailed,
            FinishError::StateMismatch => Ended::StateMismatch,
            FinishError::ExchangeFailed(code) => Ended::ExchangeFailed(code.clone()),
            FinishError::LinearUnreachable(why) => Ended::LinearUnreachable(why.clone()),
            FinishError::WrongWorkspace { connection, expected } => {
                Ended::WrongWorkspace { connection: connection.clone(), expected: expected.clone() }
            }
            FinishError::AlreadyConnected { connection, workspace } => {
                Ended::AlreadyConnected { connection: connection.clone(), workspace: workspace.clone() }
            }
            FinishError::WorkspaceAlreadyLinked { email } => Ended::WorkspaceAlreadyLinked { email: email.clone() },
            FinishError::Failed | FinishError::Sealed(_) | FinishError::Store(_) => Ended::Failed,
        }
    }
}

impl From<Ended> for Result<Connected, FinishError> {
    fn from(ended: Ended) -> Result<Connected, FinishError> {
        Err(match ended {
            Ended::Connected(connected) => return Ok(connected),
            Ended::AccessDenied => FinishError::AccessDenied,
            Ended::AuthorizationFailed => FinishError::AuthorizationFailed,
            Ended::StateMismatch => FinishError::StateMismatch,
            Ended::ExchangeFailed(code) => FinishError::ExchangeFailed(code),
            Ended::LinearUnreachable(why) => FinishError::LinearUnreachable(why),
            Ended::WrongWorkspace { connection, expected } => FinishError::WrongWorkspace { connection, expected },
            Ended::AlreadyConnected { connection, workspace } => FinishError::AlreadyConnected { connection, workspace },
            Ended::WorkspaceAlreadyLinked { email } => FinishError::WorkspaceAlreadyLinked { email },
            Ended::Failed => FinishError::Failed,
        })
    }
}

impl Engine {
    /// Notes how an attempt ended. Whatever goes wrong with that costs nothing but this answer to whoever comes back again.
    pub(crate) async fn note_end(&self, attempt: &ConnectAttempt, finished: &Result<Connected, FinishError>) {
        let noted = match serde_json::to_string(&Ended::from(finished)) {
            Ok(ended) => self.store().connect_attempt_end(&attempt.state_hash, &ended).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = noted {
            tracing::error!(error, "how an attempt to connect ended could not be noted");
        }
    }

    /// How this browser's attempt ended, which may be under way still. An attempt that nobody ends any more, because its process
    /// did, is as good as unknown.
    pub(crate) async fn connect_again(&self, person: &Person, state_hash: &str, browser_hash: &str) -> Result<Connected, FinishError> {
        let began = Instant::now();
        let patience = Duration::from_secs(PATIENCE_S);
        loop {
            let attempt = self.store().connect_attempt_taken(state_hash, browser_hash, self.now()).await?;
            let theirs = attempt.filter(|one| one.organisation_id == person.organisation_id && one.user_id == person.user_id);
            let attempt = theirs.ok_or(FinishError::StateMismatch)?;
            if let Some(ended) = attempt.ended {
                let ended: Ended = serde_json::from_str(&ended).map_err(|_| FinishError::Failed)?;
                return self.still(person, Result::from(ended)?).await;
            }
            let for_s = u64::try_from((self.now() - attempt.taken_at) / SECOND).unwrap_or_default();
            if for_s > PATIENCE_S || began.elapsed() > patience {
                return Err(FinishError::StateMismatch);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Somebody may have disconnected it since.
    async fn still(&self, person: &Person, connected: Connected) -> Result<Connected, FinishError> {
        let connection = self.store().connection(&person.organisation_id, &connected.connection).await?;
        let works = connection.is_some_and(|connection| matches!(connection.state, State::Connected { .. }));
        if works { Ok(connected) } else { Err(FinishError::StateMismatch) }
    }
}
