//! Every call to Linear on behalf of a connection goes through here.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use crate::Engine;
use crate::account::Person;
use crate::connection::{Evidence, PassingError, Reason};
use crate::linear::{AUTHENTICATION_ERROR, CallError, Content, Linear};
use crate::store::{ACCESS, CONNECTIONS, SealedGrant, StoreError};

/// Why a call through a connection gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallFailed {
    #[error("no such connection")]
    NotFound,
    /// Ended, or broken before the call.
    #[error("the connection is not connected")]
    NotConnected,
    /// Found out by this very call.
    #[error("a reconnect is required")]
    ReconnectRequired,
    #[error(transparent)]
    Linear(CallError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A real call worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    pub took: Duration,
}

impl Engine {
    /// Calls Linear with the connection's token. When Linear does not accept it, the verdict counts against the
    /// generation that was used: if somebody renewed the tokens meanwhile, the call is made once more with the new
    /// ones, otherwise the connection is marked as needing a reconnect.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn with_token<T>(
        &self,
        organisation: &str,
        connection: &str,
        call: impl AsyncFn(&Linear, &SecretString) -> Result<T, CallError>,
    ) -> Result<T, CallFailed> {
        for _ in 0..2 {
            let grant = self.store().grant(organisation, connection).await?.ok_or(CallFailed::NotFound)?;
            if grant.state != "connected" {
                return Err(CallFailed::NotConnected);
            }
            let Some(token) = self.open_access(organisation, connection, &grant).await? else {
                return Err(CallFailed::ReconnectRequired);
            };
            match call(self.linear(), &token).await {
                Err(CallError::Authentication { status }) => {
                    if self.refused(connection, grant.generation, status).await? {
                        return Err(CallFailed::ReconnectRequired);
                    }
                }
                other => {
                    self.note(connection, grant.generation, other.as_ref().err()).await?;
                    return other.map_err(CallFailed::Linear);
                }
            }
        }
        Err(CallFailed::ReconnectRequired)
    }

    pub(crate) async fn open_access(
        &self,
        organisation: &str,
        connection: &str,
        grant: &SealedGrant,
    ) -> Result<Option<SecretString>, StoreError> {
        match self.vault().open_row(CONNECTIONS, ACCESS, connection, organisation, &grant.access_sealed) {
            Ok(token) => Ok(Some(token)),
            Err(unreadable) => {
                tracing::error!(connection, error = %unreadable, "a connection's token cannot be read");
                self.store().connection_break(connection, grant.generation, Reason::Unreadable, None, self.now()).await?;
                Ok(None)
            }
        }
    }

    /// True when the refused tokens were the current ones, so that the connection is broken now.
    pub(crate) async fn refused(&self, connection: &str, generation: i64, status: u16) -> Result<bool, StoreError> {
        let evidence = Evidence { status, code: AUTHENTICATION_ERROR.to_owned() };
        let broken = self.store().connection_break(connection, generation, Reason::Revoked, Some(&evidence), self.now()).await?;
        if broken {
            tracing::warn!(connection, generation, status, "Linear does not accept the token: reconnect required");
        }
        Ok(broken)
    }

    /// An answer proves the token, even one that refuses the question; silence proves nothing.
    pub(crate) async fn note(&self, connection: &str, generation: i64, error: Option<&CallError>) -> Result<(), StoreError> {
        match error {
            Some(CallError::Passing(passing)) => {
                let error = PassingError { code: passing.code().to_owned(), status: passing.status(), at: self.now() };
                tracing::warn!(connection, code = error.code, status = error.status, "Linear did not answer usefully");
                self.store().connection_failed(connection, generation, &error).await
            }
            _ => self.store().connection_verified(connection, generation, self.now()).await,
        }
    }

    /// Teams and projects of a workspace.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn content(&self, person: &Person, connection: &str) -> Result<Content, CallFailed> {
        self.with_token(&person.organisation_id, connection, async |linear, token| linear.content(token).await).await
    }

    /// One real call, to prove the connection.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn check(&self, organisation: &str, connection: &str) -> Result<Checked, CallFailed> {
        let started = Instant::now();
        self.with_token(organisation, connection, async |linear, token| linear.identity(token).await).await?;
        Ok(Checked { took: started.elapsed() })
    }
}
