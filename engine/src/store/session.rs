//! Browser sessions. The id in the cookie is hashed; the row alone signs nobody in.

use sqlx::FromRow;

use super::{Store, Stored, on};
use crate::clock::Millis;

#[derive(Clone, Debug, FromRow)]
pub struct StoredSession {
    pub id_hash: String,
    /// Whose session it is, so that all of theirs can be ended.
    pub user_id: Option<String>,
    pub data: Vec<u8>,
    pub expires_at: Millis,
}

impl Store {
    /// Stores a new session; answers false if the id is taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_create(&self, session: &StoredSession) -> Stored<bool> {
        const SQL: &str =
            "INSERT INTO sessions (id_hash, user_id, data, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id_hash) DO NOTHING";
        on!(&self.db, pool => Ok(sqlx::query(SQL).bind(&session.id_hash).bind(&session.user_id).bind(&session.data).bind(session.expires_at)
            .execute(pool).await?.rows_affected() == 1))
    }

    /// Updates a session; answers false if it was ended meanwhile, and does not bring it back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_save(&self, session: &StoredSession) -> Stored<bool> {
        const SQL: &str = "UPDATE sessions SET user_id = $2, data = $3, expires_at = $4 WHERE id_hash = $1";
        on!(&self.db, pool => Ok(sqlx::query(SQL).bind(&session.id_hash).bind(&session.user_id).bind(&session.data).bind(session.expires_at)
            .execute(pool).await?.rows_affected() == 1))
    }

    /// A session that has not run out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, id_hash: &str, now: Millis) -> Stored<Option<StoredSession>> {
        const SQL: &str = "SELECT id_hash, user_id, data, expires_at FROM sessions WHERE id_hash = $1 AND expires_at > $2";
        on!(&self.db, pool => Ok(sqlx::query_as(SQL).bind(id_hash).bind(now).fetch_optional(pool).await?))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_delete(&self, id_hash: &str) -> Stored<()> {
        on!(&self.db, pool => { sqlx::query("DELETE FROM sessions WHERE id_hash = $1").bind(id_hash).execute(pool).await?; });
        Ok(())
    }

    /// Ends every session of a person but the one they sit in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_delete_others(&self, user: &str, keep_id_hash: &str) -> Stored<u64> {
        const SQL: &str = "DELETE FROM sessions WHERE user_id = $1 AND id_hash <> $2";
        on!(&self.db, pool => Ok(sqlx::query(SQL).bind(user).bind(keep_id_hash).execute(pool).await?.rows_affected()))
    }

    /// Forgets what has run out: sessions, attempts at Linear, codes that were mailed, counted tries.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_expired(&self, now: Millis) -> Stored<u64> {
        let mut forgotten = 0;
        for sql in [
            "DELETE FROM sessions WHERE expires_at <= $1",
            "DELETE FROM connect_attempts WHERE expires_at <= $1",
            "DELETE FROM proof_attempts WHERE expires_at <= $1",
            "DELETE FROM email_codes WHERE expires_at <= $1",
            "DELETE FROM throttles WHERE resets_at <= $1",
        ] {
            forgotten += on!(&self.db, pool => sqlx::query(sql).bind(now).execute(pool).await?.rows_affected());
        }
        Ok(forgotten)
    }
}
