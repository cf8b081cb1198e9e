//! Tells a person who comes back with an attempt to connect how it ended.

use serde::{Deserialize, Serialize};

use crate::Engine;
use crate::connection::consent::{Connected, FinishError};
use crate::connection::repeated_callback::{Back, Before};
use crate::connection::state::State;
use crate::identity::Person;
use crate::store::{Attempts, TakenAttempt};

/// The answer to a person, stored for as long as the attempt would have been good.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    Connected(Connected),
    AccessDenied,
    AuthorizationFailed,
    StateMismatch,
    ExchangeFailed(String),
    LinearUnreachable(String),
    WrongWorkspace {
        connection: String,
        expected: String,
    },
    AlreadyConnected {
        connection: String,
        workspace: String,
    },
    WorkspaceAlreadyLinked {
        email: Option<String>,
    },
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
            FinishError::WrongWorkspace {
                connection,
                expected,
            } => Ended::WrongWorkspace {
                connection: connection.clone(),
                expected: expected.clone(),
            },
            FinishError::AlreadyConnected {
                connection,
                workspace,
            } => Ended::AlreadyConnected {
                connection: connection.clone(),
                workspace: workspace.clone(),
            },
            FinishError::WorkspaceAlreadyLinked { email } => Ended::WorkspaceAlreadyLinked {
                email: email.clone(),
            },
            FinishError::Stopped
            | FinishError::Failed
            | FinishError::Sealed(_)
            | FinishError::Store(_) => Ended::Failed,
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
            Ended::WrongWorkspace {
                connection,
                expected,
            } => FinishError::WrongWorkspace {
                connection,
                expected,
            },
            Ended::AlreadyConnected {
                connection,
                workspace,
            } => FinishError::AlreadyConnected {
                connection,
                workspace,
            },
            Ended::WorkspaceAlreadyLinked { email } => {
                FinishError::WorkspaceAlreadyLinked { email }
            }
            Ended::Failed => FinishError::Failed,
        })
    }
}

impl Engine {
    pub(crate) async fn note_connect_end(
        &self,
        back: &Back,
        finished: &Result<Connected, FinishError>,
    ) {
        self.note_end(Attempts::Connect, back, &Ended::from(finished))
            .await;
    }

    /// Waits for the end of this browser's attempt, which may be under way still, and tells it.
    pub(crate) async fn connect_again(
        &self,
        person: &Person,
        back: &Back,
    ) -> Result<Connected, FinishError> {
        let theirs = |attempt: &TakenAttempt| {
            attempt.organisation_id == person.organisation_id
                && attempt.user_id.as_ref() == Some(&person.user_id)
        };
        match self
            .attempt_ended::<Ended>(Attempts::Connect, back, Some(&person.user_id), theirs)
            .await?
        {
            Before::Ended(_, ended) => self.still(person, Result::from(ended)?).await,
            Before::Stopped(_) => Err(FinishError::Stopped),
            Before::Unknown => Err(FinishError::StateMismatch),
        }
    }

    /// Checks that the end still holds: somebody may have disconnected it since.
    async fn still(&self, person: &Person, connected: Connected) -> Result<Connected, FinishError> {
        let connection = self
            .store()
            .connection(&person.organisation_id, &connected.connection)
            .await?;
        let works = connection
            .is_some_and(|connection| matches!(connection.state, State::Connected { .. }));
        if works {
            Ok(connected)
        } else {
            Err(FinishError::StateMismatch)
        }
    }
}
