//! What is left of attempts at Linear that were taken: how they ended, for a browser that comes back with one again.

use sqlx_macros::FromRow;

use super::{Store, Stored, on};
use crate::clock::Millis;

/// What somebody left for Linear for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    Connect,
    Proof,
}

/// What is left of an attempt that was taken.
#[derive(Clone, Debug, FromRow)]
pub struct TakenAttempt {
    pub organisation_id: String,
    /// Absent where nobody was signed in.
    pub user_id: Option<String>,
    pub taken_at: Millis,
    /// Absent as long as it is under way.
    pub ended: Option<String>,
}

/// One text for the tables of both.
macro_rules! of {
    ($attempts:expr, $before:literal, $after:literal) => {
        match $attempts {
            Attempts::Connect => concat!($before, " connect_attempts ", $after),
            Attempts::Proof => concat!($before, " proof_attempts ", $after),
        }
    };
}

impl Store {
    /// Notes how an attempt ended. One that ran out or was taken back meanwhile has nobody to be told.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attempt_end(&self, attempts: Attempts, state_hash: &str, ended: &str) -> Stored<()> {
        let sql = of!(attempts, "UPDATE", "SET ended = $2 WHERE state_hash = $1 AND taken_at IS NOT NULL AND ended IS NULL");
        on!(&self.db, pool => { sqlx::query(sql).bind(state_hash).bind(ended).execute(pool).await?; });
        Ok(())
    }

    /// An attempt that this browser has come back with before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attempt_taken(
        &self,
        attempts: Attempts,
        state_hash: &str,
        browser_hash: &str,
        now: Millis,
    ) -> Stored<Option<TakenAttempt>> {
        let sql = of!(
            attempts,
            "SELECT organisation_id, user_id, taken_at, ended FROM",
            "WHERE state_hash = $1 AND browser_hash = $2 AND expires_at > $3 AND taken_at IS NOT NULL"
        );
        on!(&self.db, pool => Ok(sqlx::query_as(sql).bind(state_hash).bind(browser_hash).bind(now).fetch_optional(pool).await?))
    }
}
