//! The tokens of a connection, sealed.

use std::sync::Arc;

use sqlx_macros::FromRow;

use super::connection::same_installation;
use super::{Store, Stored, on};
use crate::clock::Millis;
use crate::connection::refresh::Lease;
use crate::connection::state::{Phase, Reason};

/// Sealed columns, as the associated data names them.
pub(crate) const CONNECTIONS: &str = "connections";
pub(crate) const ACCESS: &str = "access_sealed";
pub(crate) const REFRESH: &str = "refresh_sealed";

/// A new pair of tokens, sealed for its row.
#[derive(Clone, Debug)]
pub struct NewGrant {
    pub access_sealed: Vec<u8>,
    pub refresh_sealed: Option<Vec<u8>>,
    pub fingerprint: String,
    pub issued_at: Millis,
    pub expires_at: Millis,
}

/// A pair that a new consent took the place of.
#[derive(Clone, Debug, FromRow)]
pub struct SupersededGrant {
    pub generation: i64,
    pub access_sealed: Vec<u8>,
    pub refresh_sealed: Option<Vec<u8>>,
    /// The client id of the Linear app that it was given to; the connection's if absent.
    pub client_id: Option<String>,
}

/// The tokens of a connection with everything that decides whether and how they are refreshed.
#[derive(Clone, Debug, FromRow)]
pub struct SealedGrant {
    pub connection_id: String,
    pub organisation_id: String,
    /// The organisation's app that Linear gave it to; the operator's if absent.
    pub app_id: Option<String>,
    /// That app's client id, where it is known.
    pub client_id: Option<String>,
    pub workspace_id: String,
    #[sqlx(rename = "state")]
    pub phase: Phase,
    pub reason: Option<Reason>,
    pub generation: i64,
    /// The generation that a person's consent brought.
    pub adopted_generation: i64,
    /// The sealed token, gone when Linear holds it void.
    pub access_sealed: Option<Vec<u8>>,
    pub refresh_sealed: Option<Vec<u8>>,
    pub fingerprint: Option<String>,
    pub issued_at: Option<Millis>,
    pub expires_at: Option<Millis>,
    lease_owner: Option<String>,
    lease_beat: i64,
    /// The time at which the refresh token was first shown to Linear, if the outcome is not known.
    pub attempt_began_at: Option<Millis>,
    pub failures: i64,
    /// Replies in a row that named no new refresh token.
    pub untokened: i64,
    pub last_verified_at: Option<Millis>,
    pub last_error_code: Option<String>,
}

impl SealedGrant {
    /// Gives the lease of somebody who is asking Linear, or died doing so.
    #[must_use]
    pub fn lease(&self) -> Option<Lease> {
        self.lease_owner.as_ref().map(|owner| Lease {
            owner: owner.clone(),
            beat: self.lease_beat,
        })
    }

    #[cfg(test)]
    pub(crate) fn example(connection: &str, organisation: &str) -> SealedGrant {
        SealedGrant {
            connection_id: connection.to_owned(),
            organisation_id: organisation.to_owned(),
            app_id: None,
            client_id: None,
            workspace_id: "w".to_owned(),
            phase: Phase::Connected,
            reason: None,
            generation: 1,
            adopted_generation: 1,
            access_sealed: None,
            refresh_sealed: None,
            fingerprint: None,
            issued_at: None,
            expires_at: None,
            lease_owner: None,
            lease_beat: 0,
            attempt_began_at: None,
            failures: 0,
            untokened: 0,
            last_verified_at: None,
            last_error_code: None,
        }
    }
}

/// The columns of [`SealedGrant`].
macro_rules! grant_columns {
    () => {
        "id AS connection_id, organisation_id, app_id, client_id, workspace_id, state, reason, \
            generation, adopted_generation, access_sealed, refresh_sealed, \
            fingerprint, issued_at, expires_at, lease_owner, lease_beat, attempt_began_at, \
            failures, untokened, last_verified_at, \
            last_error_code"
    };
}
pub(super) use grant_columns;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", grant_columns!(), " FROM connections ", $rest)
    };
}

impl Store {
    /// The sealed tokens of a connection, as they are now. What was seen here,
    /// [`Store::grant_recent`] never goes back behind.
    pub async fn grant(
        &self,
        organisation: &str,
        connection: &str,
    ) -> Stored<Option<Arc<SealedGrant>>> {
        const SQL: &str = select!("WHERE organisation_id = $1 AND id = $2");
        let read = self.recent.begin();
        let grant: Option<SealedGrant> = on!(&self.db, |pool| sqlx::query_as(SQL)
            .bind(organisation)
            .bind(connection)
            .fetch_optional(pool)
            .await?);
        let grant = grant.map(Arc::new);
        if let Some(grant) = &grant {
            self.recent.put(read, grant.clone());
        }
        Ok(grant)
    }

    /// The sealed tokens of a connection as they were a second ago at most, or as this process
    /// changed them since.
    pub async fn grant_recent(
        &self,
        organisation: &str,
        connection: &str,
    ) -> Stored<Option<Arc<SealedGrant>>> {
        if let Some(grant) = self.recent.get(organisation, connection) {
            return Ok(Some(grant));
        }
        self.grant(organisation, connection).await
    }

    /// Reads the sealed tokens of all connected connections of an organisation in one query, for
    /// [`Store::grant_recent`].
    pub async fn grants_remember(&self, organisation: &str) -> Stored<()> {
        const SQL: &str = select!("WHERE organisation_id = $1 AND state = 'connected'");
        let read = self.recent.begin();
        let grants: Vec<SealedGrant> = on!(&self.db, |pool| sqlx::query_as(SQL)
            .bind(organisation)
            .fetch_all(pool)
            .await?);
        grants
            .into_iter()
            .for_each(|grant| self.recent.put(read, Arc::new(grant)));
        Ok(())
    }

    /// Sets a pair aside that nobody will use: it has to be revoked, and must not be forgotten
    /// before. `generation` tells it from others of this connection.
    pub async fn superseded_grant_put(
        &self,
        connection: &str,
        generation: i64,
        client_id: Option<&str>,
        grant: &NewGrant,
    ) -> Stored<()> {
        const SQL: &str = "INSERT INTO superseded_grants (connection_id, generation, \
            access_sealed, refresh_sealed, client_id) \
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT (connection_id, generation) DO UPDATE SET \
            access_sealed = excluded.access_sealed, \
            refresh_sealed = COALESCE(excluded.refresh_sealed, superseded_grants.refresh_sealed)";
        let put = async || {
            on!(&self.db, |pool| {
                sqlx::query(SQL)
                    .bind(connection)
                    .bind(generation)
                    .bind(&grant.access_sealed)
                    .bind(&grant.refresh_sealed)
                    .bind(client_id)
                    .execute(pool)
                    .await?;
            });
            Ok(())
        };
        self.at_all_costs(put).await
    }

    /// Pairs of a connection that were set aside and that nobody revoked yet.
    pub async fn superseded_grants(&self, connection: &str) -> Stored<Vec<SupersededGrant>> {
        const SQL: &str = "SELECT generation, access_sealed, refresh_sealed, client_id FROM \
            superseded_grants WHERE connection_id = $1 ORDER BY generation";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(connection)
            .fetch_all(pool)
            .await?))
    }

    /// Forgets such a pair: Linear holds it void.
    pub async fn superseded_grant_delete(&self, connection: &str, generation: i64) -> Stored<()> {
        const SQL: &str = "DELETE FROM superseded_grants WHERE connection_id = $1 AND generation = \
            $2";
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(connection)
                .bind(generation)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Forgets the tokens of an ended connection: Linear holds them void.
    pub async fn grant_revoked(&self, connection: &str, generation: i64) -> Stored<bool> {
        const SQL: &str = "UPDATE connections SET access_sealed = NULL, refresh_sealed = NULL, \
            tokens_revoked = TRUE, attempt_began_at = NULL \
            WHERE id = $1 AND generation = $2 AND state = 'disconnected'";
        let _stale = self.recent.stale_after(connection);
        on!(&self.db, |pool| Ok(sqlx::query(SQL)
            .bind(connection)
            .bind(generation)
            .execute(pool)
            .await?
            .rows_affected()
            == 1))
    }

    /// Forgets the tokens of connections that ended before a time, although nobody confirmed that
    /// they are void. Those that were kept for the sake of another connection are no older than
    /// that one's end.
    pub async fn grants_forget(&self, ended_before: Millis) -> Stored<u64> {
        macro_rules! ended {
            () => {
                concat!(
                    "c.state = 'disconnected' AND c.state_since <= $1 AND NOT EXISTS (",
                    same_installation!(),
                    " AND (o.state <> 'disconnected' OR o.state_since > $1))"
                )
            };
        }
        on!(&self.db, |pool| {
            sqlx::query(concat!(
                "DELETE FROM superseded_grants WHERE connection_id IN (SELECT c.id FROM \
                    connections c WHERE ",
                ended!(),
                ")"
            ))
            .bind(ended_before)
            .execute(pool)
            .await?;
            let forgotten = sqlx::query(concat!(
                "UPDATE connections SET access_sealed = NULL, refresh_sealed = NULL \
                    WHERE id IN (SELECT c.id FROM connections c WHERE c.access_sealed IS NOT NULL \
                    AND ",
                ended!(),
                ")"
            ))
            .bind(ended_before)
            .execute(pool)
            .await?;
            Ok(forgotten.rows_affected())
        })
    }
}
