//! Ending a connection: here first, then at Linear, where both tokens are made void.

use secrecy::SecretString;

use crate::Engine;
use crate::account::Person;
use crate::clock::{DAY, MINUTE};
use crate::linear::Revocation;
use crate::store::{ACCESS, CONNECTIONS, REFRESH, StoreError};

/// Leftovers looked at in one go.
const RESUME_LIMIT: i64 = 100;

/// How a disconnect ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnected {
    pub workspace: String,
    /// Linear confirmed that both tokens are void, or knew already.
    pub revoked: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum DisconnectError {
    #[error("only admins and owners disconnect")]
    Forbidden,
    #[error("no such connection")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Disconnects, whatever state the connection is in and whether or not Linear answers. Doing it twice is harmless.
    ///
    /// # Errors
    /// See [`DisconnectError`].
    pub async fn disconnect(&self, person: &Person, id: &str) -> Result<Disconnected, DisconnectError> {
        if !person.manages() {
            return Err(DisconnectError::Forbidden);
        }
        let connection = self.store().connection(&person.organisation_id, id).await?.ok_or(DisconnectError::NotFound)?;
        // Ended here before Linear is asked: a crash in between leaves the tokens to `finish_revocations`.
        self.store().connection_disconnect(&person.organisation_id, id, &person.user_id, self.now()).await?;
        let revoked = self.revoke_ended(&person.organisation_id, id).await?;
        Ok(Disconnected { workspace: connection.workspace.name, revoked })
    }

    /// Asks Linear again about tokens of ended connections that nobody confirmed void; after a day they are forgotten.
    /// Answers how many are void now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_revocations(&self) -> Result<u32, StoreError> {
        let mut done = 0;
        for (organisation, id) in self.store().connections_to_revoke(self.now() - MINUTE, RESUME_LIMIT).await? {
            if self.revoke_ended(&organisation, &id).await? {
                done += 1;
            }
        }
        self.store().grants_forget(self.now() - DAY).await?;
        Ok(done)
    }

    /// True when both tokens are void, or there are none.
    async fn revoke_ended(&self, organisation: &str, id: &str) -> Result<bool, StoreError> {
        let Some(grant) = self.store().grant(organisation, id).await? else {
            return Ok(self
                .store()
                .connection(organisation, id)
                .await?
                .is_some_and(|connection| matches!(connection.state, crate::connection::State::Disconnected { revoked: true, .. })));
        };
        if grant.state != "disconnected" {
            // Connected again in this very moment: these tokens are the new ones.
            return Ok(true);
        }
        let open = |column, sealed: &[u8]| self.vault().open_row(CONNECTIONS, column, id, organisation, sealed).ok();
        let access = open(ACCESS, &grant.access_sealed);
        let refresh = grant.refresh_sealed.as_deref().map(|sealed| open(REFRESH, sealed));
        let (Some(access), false) = (access, matches!(refresh, Some(None))) else {
            tracing::warn!(connection = id, "the sealed tokens of an ended connection do not open, so they cannot be revoked");
            return Ok(false);
        };
        let revoked = self.void(&access, refresh.flatten().as_ref()).await;
        if revoked {
            self.store().grant_revoked(id, grant.generation).await?;
        }
        Ok(revoked)
    }

    /// Makes a pair void at Linear: the refresh token first, so that nothing new can come of it. True when both are.
    pub(crate) async fn void(&self, access: &SecretString, refresh: Option<&SecretString>) -> bool {
        let mut void = true;
        for (token, hint) in [(refresh, "refresh_token"), (Some(access), "access_token")] {
            let Some(token) = token else { continue };
            if let Revocation::Unconfirmed(passing) = self.linear().revoke(token, hint).await {
                tracing::warn!(token = hint, error = %passing, "Linear did not confirm a revocation");
                void = false;
            }
        }
        void
    }
}
