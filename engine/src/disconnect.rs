//! Ending a connection: here first, then at Linear, where both tokens are made void.

use secrecy::SecretString;

use crate::account::Person;
use crate::clock::{DAY, MINUTE};
use crate::connection::State;
use crate::linear::{ExchangeError, Revocation};
use crate::store::{ACCESS, Actor, CONNECTIONS, REFRESH, SealedGrant, StoreError, SupersededGrant};
use crate::{Engine, uncancelled};

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
        let act = self.act(&person.organisation_id, person.actor(), "connection.disconnected", connection.workspace.name.clone());
        self.store().connection_disconnect(id, &act).await?;
        let (engine, organisation, id) = (self.clone(), person.organisation_id.clone(), id.to_owned());
        let revoked = uncancelled(async move { engine.revoke_ended(&organisation, &id).await }).await?;
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
        if let Some(now) = self.now_to_forget() {
            self.store().grants_forget(now - DAY).await?;
        }
        Ok(done)
    }

    /// Forgets connections that ended so long ago that nobody will connect them again to find everything as it was: their
    /// secrets, and who is who in their workspaces. Answers how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_disconnected(&self) -> Result<u32, StoreError> {
        let Some(now) = self.now_to_forget() else { return Ok(0) };
        let before = now - self.settings().keep_disconnected;
        let mut forgotten = 0;
        for connection in self.store().connections_ended(before, RESUME_LIMIT).await? {
            let act = self.act(&connection.organisation_id, Actor::relink(), "connection.forgotten", connection.workspace.name.clone());
            if self.store().connection_forget(&connection.id, &connection.workspace.id, before, &act).await? {
                forgotten += 1;
            }
        }
        Ok(forgotten)
    }

    /// True when no token of the connection is alive any more, as far as Linear tells.
    async fn revoke_ended(&self, organisation: &str, id: &str) -> Result<bool, StoreError> {
        let Some(grant) = self.store().grant(organisation, id).await? else { return Ok(true) };
        if grant.state != "disconnected" {
            // Connected again in this very moment: these tokens are the new ones.
            return Ok(true);
        }
        let mut void = self.fetch_lost_pair(organisation, &grant).await?;
        for old in self.store().superseded_grants(id).await? {
            void &= self.void_set_aside(organisation, id, &old).await?;
        }
        let Some(access) = &grant.access_sealed else {
            let connection = self.store().connection(organisation, id).await?;
            let revoked = connection.is_some_and(|connection| matches!(connection.state, State::Disconnected { revoked: true, .. }));
            return Ok(void && revoked);
        };
        void &= self.void_sealed(organisation, id, access, grant.refresh_sealed.as_deref()).await;
        if void {
            self.store().grant_revoked(id, grant.generation).await?;
        }
        Ok(void)
    }

    /// [`Engine::fetch_lost_pair`] for tokens that a new consent has taken the place of, in the background.
    pub(crate) fn void_lost_pair(&self, grant: SealedGrant) {
        let engine = self.clone();
        tokio::spawn(async move {
            let (organisation, id) = (grant.organisation_id.clone(), grant.connection_id.clone());
            if let Err(error) = engine.fetch_and_void(&organisation, &id, &grant).await {
                tracing::error!(%error, connection = id, "a lost pair of tokens stays until the connection ends");
            }
        });
    }

    async fn fetch_and_void(&self, organisation: &str, id: &str, grant: &SealedGrant) -> Result<(), StoreError> {
        self.fetch_lost_pair(organisation, grant).await?;
        for pair in self.store().superseded_grants(id).await?.iter().filter(|pair| pair.generation == -grant.generation) {
            self.void_set_aside(organisation, id, pair).await?;
        }
        Ok(())
    }

    /// The answer to the last refresh may have been lost: then Linear holds a pair alive that was never seen here. It is
    /// fetched by a replay, so that it can be revoked with the rest. True when nothing of that kind is left.
    async fn fetch_lost_pair(&self, organisation: &str, grant: &SealedGrant) -> Result<bool, StoreError> {
        let (Some(_), Some(sealed)) = (grant.attempt_began_at, &grant.refresh_sealed) else { return Ok(true) };
        let id = &grant.connection_id;
        let Ok(token) = self.vault().open_row(CONNECTIONS, REFRESH, id, organisation, sealed) else { return Ok(true) };
        let app = match self.oauth_app(organisation, grant.app_id.as_deref()).await {
            Ok(app) => app,
            Err(error) => {
                tracing::warn!(connection = id, %error, "a lost pair of tokens cannot be fetched to be revoked");
                return Ok(false);
            }
        };
        match self.linear().refresh(&app, &token).await {
            Ok(pair) => {
                let sealed = self.seal(id, organisation, &pair, self.now());
                self.store().superseded_grant_put(id, -grant.generation, &sealed).await?;
                Ok(true)
            }
            // Nothing is alive that this token could lead to.
            Err(ExchangeError::Refused { code, .. }) if code == "invalid_grant" => Ok(true),
            Err(error) => {
                tracing::warn!(connection = id, %error, "a lost pair of tokens could not be fetched to be revoked");
                Ok(false)
            }
        }
    }

    /// Makes a pair void that was set aside, and forgets it. True when Linear confirmed it.
    pub(crate) async fn void_set_aside(&self, organisation: &str, id: &str, pair: &SupersededGrant) -> Result<bool, StoreError> {
        let void = self.void_sealed(organisation, id, &pair.access_sealed, pair.refresh_sealed.as_deref()).await;
        if void {
            self.store().superseded_grant_delete(id, pair.generation).await?;
        }
        Ok(void)
    }

    /// [`Engine::void`] for a pair in the database.
    async fn void_sealed(&self, organisation: &str, id: &str, access: &[u8], refresh: Option<&[u8]>) -> bool {
        let open = |column, sealed: &[u8]| self.vault().open_row(CONNECTIONS, column, id, organisation, sealed);
        match (open(ACCESS, access), refresh.map(|sealed| open(REFRESH, sealed)).transpose()) {
            (Ok(access), Ok(refresh)) => self.void(&access, refresh.as_ref()).await,
            _ => {
                tracing::warn!(connection = id, "the sealed tokens of an ended connection do not open, so they cannot be revoked");
                false
            }
        }
    }

    /// Makes a pair void at Linear. True when Linear confirmed it for both.
    pub(crate) async fn void(&self, access: &SecretString, refresh: Option<&SecretString>) -> bool {
        let revoke_refresh = async {
            match refresh {
                Some(token) => self.linear().revoke(token, "refresh_token").await,
                None => Revocation::Done,
            }
        };
        let both = tokio::join!(revoke_refresh, self.linear().revoke(access, "access_token"));
        for unconfirmed in [both.0, both.1] {
            if let Revocation::Unconfirmed(passing) = unconfirmed {
                tracing::warn!(error = %passing, "Linear did not confirm a revocation");
            }
        }
        both == (Revocation::Done, Revocation::Done)
    }
}
