//! Ending a connection: here first, then at Linear, where both tokens are made void.

use std::time::Duration;

use tokio::time::sleep;

use crate::clock::{DAY, MINUTE, Millis};
use crate::connection::connections::Connections;
use crate::connection::minted::Unwritten;
use crate::connection::state::{Phase, State};
use crate::connection::voiding::{Voided, Voiding};
use crate::every::gets_on;
use crate::linear::ExchangeError;
use crate::store::{
    ACCESS, CONNECTIONS, NewGrant, REFRESH, SealedGrant, StoreError, SupersededGrant,
};
use crate::{Acting, Denied, Engine, uncancelled};

/// Pauses in seconds before a pair whose answer was lost is asked for, within the half hour in
/// which Linear repeats it.
const FETCH_AGAIN_S: [u64; 7] = [0, 2, 10, 60, 300, 600, 600];
/// Leftovers looked at in one go.
const RESUME_LIMIT: i64 = 100;

/// The end of a disconnected connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnected {
    pub workspace: String,
    pub tokens: Voided,
}

/// The time for which Linear is asked again to revoke the tokens of a connection that ended.
pub const ASKED_FOR: Millis = DAY;

#[derive(Debug, thiserror::Error)]
pub enum DisconnectError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("no such connection")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Connections<'_> {
    /// Disconnects, whatever state the connection is in and whether or not Linear answers. Doing it
    /// twice is harmless.
    pub async fn disconnect(&self, id: &str) -> Result<Disconnected, DisconnectError> {
        self.acting.manages()?;
        let connection = self.get(id).await?.ok_or(DisconnectError::NotFound)?;
        // Ended here before Linear is asked: a crash in between leaves the tokens to
        // `finish_revocations`.
        let act = self.act("connection.disconnected", &connection.workspace.name);
        self.store().connection_disconnect(id, &act).await?;
        let (engine, organisation) = (self.engine.clone(), self.acting.organisation.clone());
        let (workspace, id) = (connection.workspace.id, id.to_owned());
        let tokens = uncancelled(async move {
            let tokens = engine.revoke_ended(&organisation, &id).await?;
            engine.revoke_kept(&workspace, &id).await?;
            Ok::<_, StoreError>(tokens)
        });
        Ok(Disconnected {
            workspace: connection.workspace.name,
            tokens: tokens.await?,
        })
    }
}

impl Engine {
    /// Asks Linear again about tokens of ended connections that nobody confirmed void; after
    /// [`ASKED_FOR`] they are forgotten. Answers how many are void now.
    pub async fn finish_revocations(&self) -> Result<u32, StoreError> {
        let mut done = 0;
        for (organisation, id) in self
            .store()
            .connections_to_revoke(self.now() - MINUTE, None, RESUME_LIMIT)
            .await?
        {
            done += u32::from(self.revoke_ended(&organisation, &id).await? == Voided::Done);
            gets_on();
        }
        if let Some(now) = self.now_to_forget() {
            self.store().grants_forget(now - ASKED_FOR).await?;
            self.store()
                .minted_grants_forget(now - self.settings().keep_disconnected)
                .await?;
        }
        Ok(done)
    }

    /// Forgets connections that ended so long ago that nobody will connect them again to find
    /// everything as it was: their secrets, and who is who in their workspaces. Answers how many.
    pub async fn forget_disconnected(&self) -> Result<u32, StoreError> {
        let Some(now) = self.now_to_forget() else {
            return Ok(0);
        };
        let before = now - self.settings().keep_disconnected;
        let mut forgotten = 0;
        for connection in self.store().connections_ended(before, RESUME_LIMIT).await? {
            let act = Acting::relink(&connection.organisation_id).act(
                self,
                "connection.forgotten",
                connection.workspace.name.clone(),
            );
            if self
                .store()
                .connection_forget(&connection.id, &connection.workspace.id, before, &act)
                .await?
            {
                forgotten += 1;
            }
        }
        Ok(forgotten)
    }

    /// Revokes what was kept for the sake of a workspace's connections, once the last of them has
    /// ended.
    async fn revoke_kept(&self, workspace: &str, last: &str) -> Result<(), StoreError> {
        let kept = self
            .store()
            .connections_to_revoke(self.now(), Some(workspace), RESUME_LIMIT)
            .await?;
        for (organisation, id) in kept.iter().filter(|(_, id)| id != last) {
            self.revoke_ended(organisation, id).await?;
        }
        Ok(())
    }

    /// Makes the tokens of an ended connection void, and all that was set aside with them.
    async fn revoke_ended(&self, organisation: &str, id: &str) -> Result<Voided, StoreError> {
        let Some(grant) = self.store().grant(organisation, id).await? else {
            return Ok(Voided::Done);
        };
        if grant.phase != Phase::Disconnected {
            // Connected again in this very moment: these tokens are the new ones.
            return Ok(Voided::Done);
        }
        let mut worst = Voided::confirmed(self.fetch_lost_pair(organisation, &grant).await?);
        for old in self.store().superseded_grants(id).await? {
            worst = worst.max(self.void_set_aside(&grant, &old).await?);
        }
        let Some(access) = &grant.access_sealed else {
            let connection = self.store().connection(organisation, id).await?;
            let revoked = connection.is_some_and(|connection| {
                matches!(connection.state, State::Disconnected { revoked: true, .. })
            });
            return Ok(worst.max(Voided::confirmed(revoked)));
        };
        worst = worst.max(
            self.void_unless_one_lives(
                &grant,
                grant.client_id.as_deref(),
                access,
                grant.refresh_sealed.as_deref(),
            )
            .await?,
        );
        if worst == Voided::Done {
            self.store().grant_revoked(id, grant.generation).await?;
        }
        Ok(worst)
    }

    /// [`Engine::fetch_lost_pair`] for tokens that a new consent has taken the place of, in the
    /// background, for as long as Linear repeats its answer. It stays set aside until the
    /// connection ends.
    pub(crate) fn keep_lost_pair(&self, grant: SealedGrant) {
        let engine = self.clone();
        tokio::spawn(async move {
            for pause in FETCH_AGAIN_S {
                sleep(Duration::from_secs(pause)).await;
                match engine.fetch_lost_pair(&grant.organisation_id, &grant).await {
                    Ok(true) => return,
                    Ok(false) => {}
                    Err(error) => {
                        tracing::error!(%error, connection = grant.connection_id, "a lost pair of \
                            tokens could not be set aside yet")
                    }
                }
            }
            tracing::error!(
                connection = grant.connection_id,
                "a lost pair of tokens was never found"
            );
        });
    }

    /// The answer to the last refresh may have been lost: then Linear holds a pair alive that was
    /// never seen here. It is fetched by a replay, so that it can be revoked with the rest. True
    /// when nothing of that kind is left.
    async fn fetch_lost_pair(
        &self,
        organisation: &str,
        grant: &SealedGrant,
    ) -> Result<bool, StoreError> {
        let (Some(_), Some(sealed)) = (grant.attempt_began_at, &grant.refresh_sealed) else {
            return Ok(true);
        };
        let id = &grant.connection_id;
        let Ok(token) = self
            .vault()
            .open_row(CONNECTIONS, REFRESH, id, organisation, sealed)
        else {
            return Ok(true);
        };
        let app = match self
            .oauth_app_known_as(
                organisation,
                grant.app_id.as_deref(),
                grant.client_id.as_deref(),
            )
            .await
        {
            Ok(app) => app,
            Err(error) => {
                tracing::warn!(connection = id, %error, "a lost pair of tokens cannot be fetched \
                    to be revoked");
                return Ok(false);
            }
        };
        self.flights().pace().turn(id).await;
        match self.linear().refresh(&app, &token, async { true }).await {
            Ok(pair) => {
                let sealed = self.seal(id, organisation, &pair, self.now());
                self.store()
                    .superseded_grant_put(id, -grant.generation, Some(&app.client_id), &sealed)
                    .await?;
                Ok(true)
            }
            // Nothing is alive that this token could lead to.
            Err(ExchangeError::Refused { code, .. }) if code == "invalid_grant" => Ok(true),
            Err(error) => {
                tracing::warn!(connection = id, %error, "a lost pair of tokens could not be \
                    fetched to be revoked");
                Ok(false)
            }
        }
    }

    /// Makes a pair void that was set aside a moment ago, unless a connection of its app and
    /// workspace lives here.
    pub(crate) async fn void_spare(
        &self,
        organisation: &str,
        id: &str,
        pair: &SupersededGrant,
    ) -> Result<(), StoreError> {
        if let Some(grant) = self.store().grant(organisation, id).await? {
            self.void_set_aside(&grant, pair).await?;
        }
        Ok(())
    }

    /// Makes a pair void that was set aside, and forgets it.
    async fn void_set_aside(
        &self,
        grant: &SealedGrant,
        pair: &SupersededGrant,
    ) -> Result<Voided, StoreError> {
        let client_id = pair.client_id.as_deref().or(grant.client_id.as_deref());
        let voided = self
            .void_unless_one_lives(
                grant,
                client_id,
                &pair.access_sealed,
                pair.refresh_sealed.as_deref(),
            )
            .await?;
        if voided == Voided::Done {
            self.store()
                .superseded_grant_delete(&grant.connection_id, pair.generation)
                .await?;
        }
        Ok(voided)
    }

    /// Makes a pair of a connection void, unless some connection of this app and that workspace
    /// lives, whosever it is, or is just being made.
    async fn void_unless_one_lives(
        &self,
        grant: &SealedGrant,
        client_id: Option<&str>,
        access: &[u8],
        refresh: Option<&[u8]>,
    ) -> Result<Voided, StoreError> {
        let workspace = Some(grant.workspace_id.as_str());
        let Some(voiding) = self.voiding(client_id, workspace).await? else {
            return Ok(Voided::Later);
        };
        if self
            .store()
            .connection_living(client_id, workspace, None)
            .await?
            .is_some()
        {
            self.voiding_over(&voiding).await;
            return Ok(Voided::Kept);
        }
        Ok(Voided::confirmed(
            self.void_sealed(voiding, grant, access, refresh).await,
        ))
    }

    /// Keeps a pair, sealed, until a connection has ended, under a number that tells it from others
    /// of the connection.
    pub(crate) async fn set_aside_as(
        &self,
        id: &str,
        number: i64,
        client_id: &str,
        grant: NewGrant,
    ) {
        if self
            .store()
            .superseded_grant_put(id, number, Some(client_id), &grant)
            .await
            .is_err()
        {
            self.write_in_time(Unwritten::Spare {
                connection: id.to_owned(),
                number,
                client_id: client_id.to_owned(),
                grant,
            });
        }
    }

    /// Makes a number far below every generation, and never twice the same.
    pub(crate) fn spare_number(&self) -> i64 {
        i64::MIN + (i64::from_le_bytes(self.entropy().bytes::<8>()) & (i64::MAX >> 1))
    }

    /// [`Engine::void`] for a pair of a connection in the database.
    async fn void_sealed(
        &self,
        voiding: Voiding,
        grant: &SealedGrant,
        access: &[u8],
        refresh: Option<&[u8]>,
    ) -> bool {
        let (organisation, id) = (&grant.organisation_id, &grant.connection_id);
        let open = |column, sealed: &[u8]| {
            self.vault()
                .open_row(CONNECTIONS, column, id, organisation, sealed)
        };
        match (
            open(ACCESS, access),
            refresh.map(|sealed| open(REFRESH, sealed)).transpose(),
        ) {
            (Ok(access), Ok(refresh)) => self.void(voiding, &access, refresh.as_ref()).await,
            _ => {
                self.voiding_over(&voiding).await;
                tracing::warn!(
                    connection = id,
                    "the sealed tokens of an ended connection do not open, so they cannot be \
                        revoked"
                );
                false
            }
        }
    }
}
