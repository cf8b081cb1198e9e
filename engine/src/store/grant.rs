//! The tokens of a connection, sealed.

use sqlx::FromRow;

use super::{Store, Stored, on};
use crate::clock::Millis;

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
}

#[derive(Clone, Debug, FromRow)]
pub struct SealedGrant {
    pub connection_id: String,
    pub state: String,
    pub generation: i64,
    pub access_sealed: Vec<u8>,
    pub refresh_sealed: Option<Vec<u8>>,
    pub expires_at: Millis,
}

impl Store {
    /// The sealed tokens of a connection; `None` when there is no such connection or its tokens are gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant(&self, organisation: &str, connection: &str) -> Stored<Option<SealedGrant>> {
        const SQL: &str = "SELECT id AS connection_id, state, generation, access_sealed, refresh_sealed, expires_at FROM connections \
            WHERE organisation_id = $1 AND id = $2 AND access_sealed IS NOT NULL";
        on!(&self.db, pool => Ok(sqlx::query_as(SQL).bind(organisation).bind(connection).fetch_optional(pool).await?))
    }

    /// The sealed tokens of all connected connections of an organisation, in one query.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants_connected(&self, organisation: &str) -> Stored<Vec<SealedGrant>> {
        const SQL: &str = "SELECT id AS connection_id, state, generation, access_sealed, refresh_sealed, expires_at FROM connections \
            WHERE organisation_id = $1 AND state = 'connected' AND access_sealed IS NOT NULL";
        on!(&self.db, pool => Ok(sqlx::query_as(SQL).bind(organisation).fetch_all(pool).await?))
    }

    /// Pairs of a connection that a new consent took the place of and that nobody revoked yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn superseded_grants(&self, connection: &str) -> Stored<Vec<SupersededGrant>> {
        const SQL: &str =
            "SELECT generation, access_sealed, refresh_sealed FROM superseded_grants WHERE connection_id = $1 ORDER BY generation";
        on!(&self.db, pool => Ok(sqlx::query_as(SQL).bind(connection).fetch_all(pool).await?))
    }

    /// Forgets such a pair: Linear holds it void.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn superseded_grant_delete(&self, connection: &str, generation: i64) -> Stored<()> {
        const SQL: &str = "DELETE FROM superseded_grants WHERE connection_id = $1 AND generation = $2";
        on!(&self.db, pool => { sqlx::query(SQL).bind(connection).bind(generation).execute(pool).await?; });
        Ok(())
    }

    /// Forgets the tokens of an ended connection: Linear holds them void.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant_revoked(&self, connection: &str, generation: i64) -> Stored<bool> {
        const SQL: &str = "UPDATE connections SET access_sealed = NULL, refresh_sealed = NULL, tokens_revoked = TRUE \
            WHERE id = $1 AND generation = $2 AND state = 'disconnected'";
        on!(&self.db, pool => Ok(sqlx::query(SQL).bind(connection).bind(generation).execute(pool).await?.rows_affected() == 1))
    }

    /// Forgets the tokens of connections that ended before a time, although nobody confirmed that they are void.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants_forget(&self, ended_before: Millis) -> Stored<u64> {
        on!(&self.db, pool => {
            sqlx::query("DELETE FROM superseded_grants WHERE connection_id IN \
                (SELECT id FROM connections WHERE state = 'disconnected' AND state_since <= $1)")
                .bind(ended_before).execute(pool).await?;
            let forgotten = sqlx::query("UPDATE connections SET access_sealed = NULL, refresh_sealed = NULL \
                WHERE state = 'disconnected' AND state_since <= $1 AND access_sealed IS NOT NULL")
                .bind(ended_before).execute(pool).await?;
            Ok(forgotten.rows_affected())
        })
    }
}
