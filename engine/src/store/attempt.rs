//! The remains of attempts at Linear that were taken: how they ended, for a browser that comes back
//! with one again.

use sqlx_macros::FromRow;

use super::{Store, Stored, on};
use crate::clock::Millis;

/// The purposes for which somebody left for Linear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    Connect,
    Proof,
}

/// The end that is noted of an attempt whose process ended before it did.
pub(crate) const STOPPED: &str = "stopped";

/// The remains of an attempt that was taken.
#[derive(Clone, Debug, FromRow)]
pub struct TakenAttempt {
    pub organisation_id: String,
    /// Absent where nobody was signed in.
    pub user_id: Option<String>,
    /// A link code was to be redeemed by it.
    pub of_code: bool,
    pub taken_at: Millis,
    /// Absent as long as it is under way.
    pub ended: Option<String>,
}

/// One text for the tables of both.
macro_rules! end {
    ($table:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET ended = $2 WHERE state_hash = $1 AND taken_at IS NOT NULL AND ended IS NULL"
        )
    };
}

impl Store {
    /// Notes how an attempt ended. One that ran out or was taken back meanwhile has nobody to be
    /// told.
    pub async fn attempt_end(
        &self,
        attempts: Attempts,
        state_hash: &str,
        ended: &str,
    ) -> Stored<()> {
        let sql = match attempts {
            Attempts::Connect => end!("connect_attempts"),
            Attempts::Proof => end!("proof_attempts"),
        };
        on!(&self.db, |pool| {
            sqlx::query(sql)
                .bind(state_hash)
                .bind(ended)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Reads an attempt that this browser, or this person in another session of theirs, has come
    /// back with before.
    pub async fn attempt_taken(
        &self,
        attempts: Attempts,
        state_hash: &str,
        browser_hash: &str,
        user: Option<&str>,
        now: Millis,
    ) -> Stored<Option<TakenAttempt>> {
        macro_rules! taken {
            ($of_code:literal, $table:literal) => {
                concat!(
                    "SELECT organisation_id, user_id, taken_at, ended, ",
                    $of_code,
                    " AS of_code FROM ",
                    $table,
                    " WHERE state_hash = $1 AND (browser_hash = $2 OR user_id = $4) \
                        AND expires_at > $3 AND taken_at IS NOT NULL"
                )
            };
        }
        let sql = match attempts {
            Attempts::Connect => taken!("FALSE", "connect_attempts"),
            Attempts::Proof => taken!("code_hash IS NOT NULL", "proof_attempts"),
        };
        on!(&self.db, |pool| Ok(sqlx::query_as(sql)
            .bind(state_hash)
            .bind(browser_hash)
            .bind(now)
            .bind(user)
            .fetch_optional(pool)
            .await?))
    }
}
