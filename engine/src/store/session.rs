//! Browser sessions. The id in the cookie is hashed; the row alone signs nobody in.

use sqlx_macros::FromRow;

use super::audit::{note, noted};
use super::postgres::transact;
use super::{Act, Store, Stored, on};
use crate::UsedFrom;
use crate::clock::{DAY, HOUR, Millis};

/// The longest life of a session that somebody is signed in with: in all,
pub const LIFE: Millis = 90 * DAY;
/// and without being used.
pub const UNUSED_MAX: Millis = 30 * DAY;
/// Sessions that a list shows of one person.
const LISTED_MAX: i64 = 100;

#[derive(Clone, Debug, FromRow)]
pub struct StoredSession {
    pub id_hash: String,
    /// The user whose session it is, so that all of theirs can be ended.
    pub user_id: Option<String>,
    pub data: Vec<u8>,
    pub expires_at: Millis,
}

/// A session on the list of whoever it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct BrowserSession {
    pub id_hash: String,
    /// These are absent where it was not used since such things are noted.
    pub used_at: Option<Millis>,
    pub browser: Option<String>,
    pub address: Option<String>,
}

const END_OTHERS: &str = "DELETE FROM sessions WHERE user_id = $1 AND id_hash <> $2";

impl Store {
    /// Stores a new session; answers false if the id is taken.
    pub async fn session_create(&self, session: &StoredSession, now: Millis) -> Stored<bool> {
        const SQL: &str = "INSERT INTO sessions (id_hash, user_id, data, expires_at, used_at) \
            VALUES ($1, $2, $3, $4, $5) \
            ON CONFLICT (id_hash) DO NOTHING";
        on!(&self.db, |pool| Ok(sqlx::query(SQL)
            .bind(&session.id_hash)
            .bind(&session.user_id)
            .bind(&session.data)
            .bind(session.expires_at)
            .bind(now)
            .execute(pool)
            .await?
            .rows_affected()
            == 1))
    }

    /// Updates a session; answers false if it was ended meanwhile, and does not bring it back.
    pub async fn session_save(&self, session: &StoredSession) -> Stored<bool> {
        const SQL: &str = "UPDATE sessions SET user_id = $2, data = $3, expires_at = $4 WHERE \
            id_hash = $1";
        on!(&self.db, |pool| Ok(sqlx::query(SQL)
            .bind(&session.id_hash)
            .bind(&session.user_id)
            .bind(&session.data)
            .bind(session.expires_at)
            .execute(pool)
            .await?
            .rows_affected()
            == 1))
    }

    /// A session that has not run out.
    pub async fn session(&self, id_hash: &str, now: Millis) -> Stored<Option<StoredSession>> {
        const SQL: &str = "SELECT id_hash, user_id, data, expires_at FROM sessions \
            WHERE id_hash = $1 AND expires_at > $2 AND (used_at IS NULL OR used_at > $3)";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(id_hash)
            .bind(now)
            .bind(now - UNUSED_MAX)
            .fetch_optional(pool)
            .await?))
    }

    /// Notes from where a session was used.
    pub(crate) async fn session_used(
        &self,
        id_hash: &str,
        from: &UsedFrom,
        now: Millis,
    ) -> Stored<()> {
        const SQL: &str = "UPDATE sessions SET used_at = $2, browser = $3, address = $4 WHERE \
            id_hash = $1";
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(id_hash)
                .bind(now)
                .bind(&from.browser)
                .bind(&from.address)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// The sessions that somebody is signed in with, the one that was used last first.
    pub(crate) async fn sessions_of(&self, user: &str, now: Millis) -> Stored<Vec<BrowserSession>> {
        const SQL: &str = "SELECT id_hash, used_at, browser, address FROM sessions \
            WHERE user_id = $1 AND expires_at > $2 AND (used_at IS NULL OR used_at > $3) \
            ORDER BY COALESCE(used_at, 0) DESC, id_hash LIMIT $4";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(user)
            .bind(now)
            .bind(now - UNUSED_MAX)
            .bind(LISTED_MAX)
            .fetch_all(pool)
            .await?))
    }

    /// Ends a session of somebody. `false`: they have no such session, and there is no line.
    pub(crate) async fn session_end(&self, user: &str, id_hash: &str, act: &Act) -> Stored<bool> {
        const SQL: &str = "DELETE FROM sessions WHERE user_id = $1 AND id_hash = $2";
        noted!(self, act, sqlx::query(SQL).bind(user).bind(id_hash))
    }

    /// Ends every session of a person but the one they sit in, and writes it down.
    pub(crate) async fn session_end_others(
        &self,
        user: &str,
        keep_id_hash: &str,
        act: &Act,
    ) -> Stored<()> {
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            sqlx::query(END_OTHERS)
                .bind(user)
                .bind(keep_id_hash)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Ends a session.
    pub async fn session_delete(&self, id_hash: &str) -> Stored<()> {
        on!(&self.db, |pool| {
            sqlx::query("DELETE FROM sessions WHERE id_hash = $1")
                .bind(id_hash)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Ends the sessions of somebody who has used none. `false`: there is none, or one was used.
    pub(crate) async fn session_delete_unused(&self, user: &str) -> Stored<bool> {
        const SQL: &str = "DELETE FROM sessions WHERE user_id = $1 \
            AND NOT EXISTS (SELECT 1 FROM sessions u WHERE u.user_id = $1 AND u.browser IS NOT \
            NULL)";
        on!(&self.db, |pool| Ok(sqlx::query(SQL)
            .bind(user)
            .execute(pool)
            .await?
            .rows_affected()
            > 0))
    }

    /// Ends every session of a person but the one they sit in, as a part of another act.
    pub async fn session_delete_others(&self, user: &str, keep_id_hash: &str) -> Stored<u64> {
        on!(&self.db, |pool| Ok(sqlx::query(END_OTHERS)
            .bind(user)
            .bind(keep_id_hash)
            .execute(pool)
            .await?
            .rows_affected()))
    }

    /// Forgets what has run out: sessions, attempts at Linear, codes that were mailed, counted
    /// tries, and which tokens were read lately.
    pub async fn forget_expired(&self, now: Millis) -> Stored<u64> {
        let mut forgotten = 0;
        for (sql, until) in [
            ("DELETE FROM sessions WHERE expires_at <= $1", now),
            ("DELETE FROM sessions WHERE used_at <= $1", now - UNUSED_MAX),
            ("DELETE FROM connect_attempts WHERE expires_at <= $1", now),
            ("DELETE FROM proof_attempts WHERE expires_at <= $1", now),
            ("DELETE FROM email_codes WHERE expires_at <= $1", now),
            ("DELETE FROM throttles WHERE resets_at <= $1", now),
            ("DELETE FROM token_reads WHERE at <= $1", now - HOUR),
        ] {
            forgotten += on!(&self.db, |pool| sqlx::query(sql)
                .bind(until)
                .execute(pool)
                .await?
                .rows_affected());
        }
        Ok(forgotten)
    }
}
