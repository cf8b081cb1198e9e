//! Counting tries, so that guessing is slow on every replica together.

use sqlx_macros::FromRow;

use super::{Store, Stored, on};
use crate::clock::Millis;

#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Tries {
    /// This one included.
    pub tries: i64,
    /// The time at which counting starts anew.
    pub resets_at: Millis,
}

impl Store {
    /// Counts one try against `key`, in one statement, so that tries at the same moment all count.
    pub async fn throttle_count(&self, key: &str, now: Millis, window: Millis) -> Stored<Tries> {
        const SQL: &str = "INSERT INTO throttles (key, tries, resets_at) VALUES ($1, 1, $3) \
            ON CONFLICT (key) DO UPDATE SET \
            tries = CASE WHEN throttles.resets_at <= $2 THEN 1 ELSE throttles.tries + 1 END, \
            resets_at = CASE WHEN throttles.resets_at <= $2 THEN $3 ELSE throttles.resets_at END \
            RETURNING tries, resets_at";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(key)
            .bind(now)
            .bind(now + window)
            .fetch_one(pool)
            .await?))
    }

    /// Reads what was counted against `key` in the window that is still open.
    pub async fn throttle(&self, key: &str, now: Millis) -> Stored<Option<Tries>> {
        const SQL: &str = "SELECT tries, resets_at FROM throttles WHERE key = $1 AND resets_at > \
            $2";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(key)
            .bind(now)
            .fetch_optional(pool)
            .await?))
    }

    /// Takes one counted try back: it was a good one.
    pub async fn throttle_forgive(&self, key: &str) -> Stored<()> {
        const SQL: &str = "UPDATE throttles SET tries = tries - 1 WHERE key = $1 AND tries > 0";
        on!(&self.db, |pool| {
            sqlx::query(SQL).bind(key).execute(pool).await?;
        });
        Ok(())
    }

    /// Starts counting anew.
    pub async fn throttle_clear(&self, key: &str) -> Stored<()> {
        on!(&self.db, |pool| {
            sqlx::query("DELETE FROM throttles WHERE key = $1")
                .bind(key)
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}
