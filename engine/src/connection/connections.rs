//! The connections of an organisation, as its people look at them and use them.

use secrecy::SecretString;
use tokio::time::{Instant, timeout};

use super::refresh::{Cause, HistoryLine, RefreshResult};
use super::state::{Connection, Phase};
use super::token::{CallFailed, Checked, PATIENCE_WITHOUT, TokenError, Wanted};
use crate::acting::handle;
use crate::clock::SECOND;
use crate::linear::{Content, Linear};
use crate::store::{StoreError, sound};
use crate::{Denied, Engine};

/// Lines of a connection's history that a page shows at most.
const HISTORY_SHOWN: i64 = 50;

handle! {
    /// The connections of an organisation.
    connections -> Connections
}

impl Connections<'_> {
    /// All of them, those that ended included.
    pub async fn list(&self) -> Result<Vec<Connection>, StoreError> {
        self.store().connections(&self.acting.organisation).await
    }

    /// The one with this id; `None` where there is none in this organisation.
    pub async fn get(&self, id: &str) -> Result<Option<Connection>, StoreError> {
        self.store().connection(&self.acting.organisation, id).await
    }

    /// Teams and projects of a workspace.
    pub async fn content(&self, id: &str) -> Result<Content, CallFailed> {
        let call = async |linear: &Linear, token: &SecretString| linear.content(token).await;
        self.engine
            .with_token(&self.acting.organisation, id, call)
            .await
    }

    /// One real call, to prove the connection.
    pub async fn check(&self, id: &str) -> Result<Checked, CallFailed> {
        let started = Instant::now();
        let call = async |linear: &Linear, token: &SecretString| linear.identity(token).await;
        self.engine
            .with_token(&self.acting.organisation, id, call)
            .await?;
        Ok(Checked {
            took: started.elapsed(),
        })
    }

    /// Refreshes now, whether or not it is due, because a person wants it.
    pub async fn refresh_now(&self, id: &str) -> Result<(), RefreshNowError> {
        self.acting.manages()?;
        let (engine, organisation) = (self.engine, &self.acting.organisation);
        let grant = self.store().grant(organisation, id).await?;
        let grant = grant.ok_or(TokenError::NotFound)?;
        let connection = self.get(id).await?.ok_or(TokenError::NotFound)?;
        let act = self.act("connection.refresh", connection.workspace.name);
        self.store().audit_note(&act).await?;
        if grant.phase == Phase::Connected && grant.refresh_sealed.is_some() {
            let renewed = engine.renew(organisation, id, grant.generation, Cause::Manual);
            match timeout(PATIENCE_WITHOUT, renewed).await {
                Ok(RefreshResult::Moved(_)) => {}
                Ok(RefreshResult::PutOff {
                    error, retry_after, ..
                }) => return Err(TokenError::Unreachable { error, retry_after }.into()),
                Err(_) => {
                    return Err(TokenError::Unreachable {
                        error: engine.failed_call("timeout"),
                        retry_after: 5 * SECOND,
                    }
                    .into());
                }
            }
        }
        let any = Wanted {
            min_ttl: 0,
            rejected: None,
        };
        engine.fresh_token(organisation, id, any).await?;
        Ok(())
    }

    /// The newest lines of a connection's history, newest first; none for a connection of another
    /// organisation.
    pub async fn refresh_history(&self, id: &str) -> Result<Vec<HistoryLine>, StoreError> {
        if self.get(id).await?.is_none() {
            return Ok(Vec::new());
        }
        let rows = self.store().attempts(id, HISTORY_SHOWN).await?;
        Ok(sound(rows.into_iter().map(HistoryLine::try_from)))
    }
}

impl Engine {
    /// Counts the connections of this Relink in each state.
    pub async fn connection_states(&self) -> Result<Vec<(String, i64)>, StoreError> {
        self.store().connection_states().await
    }
}

/// The reason why a person's wish to refresh was not met.
#[derive(Debug, thiserror::Error)]
pub enum RefreshNowError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl From<StoreError> for RefreshNowError {
    fn from(error: StoreError) -> RefreshNowError {
        RefreshNowError::Token(error.into())
    }
}
