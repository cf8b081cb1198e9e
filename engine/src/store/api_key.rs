//! Keys for machines. Only a hash is kept.

use sqlx_macros::FromRow;

use super::audit::{note, noted};
use super::postgres::transact;
use super::{Act, Store, Stored, on};
use crate::clock::{HOUR, Millis};

#[derive(Clone, Debug, FromRow)]
pub struct ApiKeyRow {
    pub id: String,
    pub organisation_id: String,
    pub name: String,
    pub key_hash: String,
    pub last_four: String,
    pub created_at: Millis,
    pub last_used_at: Option<Millis>,
    /// Absent when it was made by command.
    pub made_by: Option<String>,
    /// The name of whoever made it; only of a stored key.
    pub made_by_name: Option<String>,
}

/// The select list of [`ApiKeyRow`].
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT k.id, k.organisation_id, k.name, k.key_hash, k.last_four, k.created_at, \
                k.last_used_at, k.made_by, \
                u.name AS made_by_name FROM api_keys k LEFT JOIN users u ON u.id = k.made_by ",
            $rest
        )
    };
}

impl Store {
    /// Stores a new key.
    pub async fn api_key_create(&self, key: &ApiKeyRow, act: &Act) -> Stored<()> {
        const SQL: &str = "INSERT INTO api_keys (id, organisation_id, name, key_hash, last_four, \
            created_at, made_by) \
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            sqlx::query(SQL)
                .bind(&key.id)
                .bind(&key.organisation_id)
                .bind(&key.name)
                .bind(&key.key_hash)
                .bind(&key.last_four)
                .bind(key.created_at)
                .bind(&key.made_by)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// The key with this hash, unless it is revoked.
    pub async fn api_key_by_hash(&self, key_hash: &str) -> Stored<Option<ApiKeyRow>> {
        const SQL: &str = select!("WHERE k.key_hash = $1 AND k.revoked_at IS NULL");
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(key_hash)
            .fetch_optional(pool)
            .await?))
    }

    /// The keys of an organisation that are not revoked, the newest first.
    pub async fn api_keys(&self, organisation: &str) -> Stored<Vec<ApiKeyRow>> {
        const SQL: &str = select!(
            "WHERE k.organisation_id = $1 AND k.revoked_at IS NULL ORDER BY k.created_at DESC, \
                k.id"
        );
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .fetch_all(pool)
            .await?))
    }

    /// Notes that a key was used.
    pub async fn api_key_used(&self, id: &str, now: Millis) -> Stored<()> {
        const SQL: &str = "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at \
            IS NULL OR last_used_at < $2)";
        on!(&self.db, |pool| {
            sqlx::query(SQL).bind(id).bind(now).execute(pool).await?;
        });
        Ok(())
    }

    /// Writes down that a key read the token of a connection. `false`: that was written less than
    /// an hour before.
    pub(crate) async fn token_read(&self, key: &str, connection: &str, act: &Act) -> Stored<bool> {
        const SQL: &str = "INSERT INTO token_reads (key_id, connection_id, at) VALUES ($1, $2, $3) \
            ON CONFLICT (key_id, connection_id) DO UPDATE SET at = excluded.at WHERE \
            token_reads.at <= $4";
        noted!(
            self,
            act,
            sqlx::query(SQL)
                .bind(key)
                .bind(connection)
                .bind(act.at)
                .bind(act.at - HOUR)
        )
    }

    /// Makes a key worthless. `false`: the organisation has no such key that still counts.
    pub async fn api_key_revoke(&self, id: &str, act: &Act) -> Stored<bool> {
        const SQL: &str = "UPDATE api_keys SET revoked_at = $3 WHERE organisation_id = $1 AND id = \
            $2 AND revoked_at IS NULL";
        noted!(
            self,
            act,
            sqlx::query(SQL)
                .bind(&act.organisation_id)
                .bind(id)
                .bind(act.at)
        )
    }
}
