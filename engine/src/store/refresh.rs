//! Leases, rotation and the history of refreshes. Every write names the generation that was read.

use sqlx_macros::FromRow;

use super::grant::grant_columns;
use super::{Db, NewGrant, SealedGrant, Store, Stored, on};
use crate::clock::{MINUTE, Millis, NOTED_AHEAD};
use crate::connection::refresh::{Attempt, By, Lease};
use crate::connection::state::FailedCall;

/// The longest that anything is put off for: whatever seems to be put off for longer was so by a
/// clock that was ahead.
const PUT_OFF_MAX: Millis = 10 * MINUTE;

/// A connection whose tokens want to be refreshed.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DueGrant {
    pub organisation_id: String,
    pub connection_id: String,
    pub generation: i64,
    pub adopted_generation: i64,
    pub issued_at: Millis,
    pub expires_at: Millis,
    /// The last refresh failed, or its outcome is not known.
    pub unfinished: bool,
}

/// The connections that a sweep looks for.
#[derive(Clone, Copy, Debug)]
pub struct Due<'a> {
    /// Ids after this one,
    pub after: &'a str,
    /// and before this one.
    pub before: &'a str,
    /// Tokens that expire at this time or before, and all whose last refresh was left unfinished.
    pub expires_by: Millis,
    /// The time beyond which those that are put off are left alone.
    pub put_off_until: Millis,
    pub now: Millis,
    pub limit: i64,
}

/// A pair as Linear handed it over, ready to be written.
#[derive(Clone, Debug)]
pub struct Rotation {
    pub grant: NewGrant,
    /// The client id of the Linear app that got it.
    pub client_id: String,
    /// The scopes, where Linear said which.
    pub scopes: Option<Vec<String>>,
    /// The reply named no new refresh token, and Linear is to be asked for it then: the intent
    /// stays open.
    pub ask_again_at: Option<Millis>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotated {
    Done,
    Overtaken(By),
}

impl Store {
    /// Connected connections whose tokens want a refresh, in the order of their ids.
    pub async fn grants_due(&self, due: Due<'_>) -> Stored<Vec<DueGrant>> {
        const SQL: &str = "SELECT organisation_id, id AS connection_id, generation, \
            adopted_generation, issued_at, expires_at, \
            attempt_began_at IS NOT NULL OR next_attempt_at IS NOT NULL AS unfinished \
            FROM connections WHERE state = 'connected' AND id > $1 AND id < $6 \
            AND (expires_at <= $2 OR issued_at > $5 + $7 OR attempt_began_at IS NOT NULL OR \
            next_attempt_at IS NOT NULL) \
            AND (refresh_sealed IS NOT NULL OR expires_at <= $5) \
            AND (next_attempt_at IS NULL OR next_attempt_at <= $3 OR next_attempt_at > $5 + $8) \
            ORDER BY id LIMIT $4";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(due.after)
            .bind(due.expires_by)
            .bind(due.put_off_until)
            .bind(due.limit)
            .bind(due.now)
            .bind(due.before)
            .bind(NOTED_AHEAD)
            .bind(PUT_OFF_MAX)
            .fetch_all(pool)
            .await?))
    }

    /// Connected connections whose last refresh has an unknown outcome and is not put off, the
    /// oldest first.
    pub async fn intents_open(&self, now: Millis, limit: i64) -> Stored<Vec<SealedGrant>> {
        const SQL: &str = concat!(
            "SELECT ",
            grant_columns!(),
            " FROM connections WHERE state = 'connected' AND attempt_began_at IS NOT NULL \
                AND (next_attempt_at IS NULL OR next_attempt_at <= $1 OR next_attempt_at > $1 + \
                $3) ORDER BY attempt_began_at LIMIT $2"
        );
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(now)
            .bind(limit)
            .bind(PUT_OFF_MAX)
            .fetch_all(pool)
            .await?))
    }

    /// Notes the intent to show Linear the refresh token of this generation, and takes the lease,
    /// in one statement. `dead` is a lease that was seen to stand still; only that very one is
    /// taken over. Answers the row, which says when the token was first shown; `None` if the
    /// generation moved or somebody else holds the lease.
    pub async fn lease_take(
        &self,
        connection: &str,
        generation: i64,
        owner: &str,
        dead: Option<&Lease>,
        now: Millis,
    ) -> Stored<Option<SealedGrant>> {
        const SQL: &str = concat!(
            "UPDATE connections SET lease_owner = $3, lease_beat = lease_beat + 1, \
                attempt_began_at = COALESCE(attempt_began_at, $4) \
                WHERE id = $1 AND generation = $2 AND state = 'connected' \
                AND (lease_owner IS NULL OR lease_owner = $3 OR (lease_owner = $5 AND lease_beat = \
                $6)) RETURNING ",
            grant_columns!()
        );
        let _turn = self.turn_to_write().await;
        let (dead_owner, dead_beat) =
            dead.map_or(("", -1), |lease| (lease.owner.as_str(), lease.beat));
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(connection)
            .bind(generation)
            .bind(owner)
            .bind(now)
            .bind(dead_owner)
            .bind(dead_beat)
            .fetch_optional(pool)
            .await?))
    }

    /// Shows that the owner of these leases is alive, in one statement however many they are.
    pub async fn leases_beat(&self, owner: &str, connections: &[String]) -> Stored<()> {
        match &self.db {
            Db::Sqlite(pool) => {
                let ids = serde_json::to_string(connections).unwrap_or_default();
                sqlx::query(
                    "UPDATE connections SET lease_beat = lease_beat + 1 WHERE lease_owner = $1 AND \
                        id IN (SELECT value FROM json_each($2))",
                )
                .bind(owner)
                .bind(ids)
                .execute(pool)
                .await?;
            }
            Db::Postgres(pool) => {
                sqlx::query(
                    "UPDATE connections SET lease_beat = lease_beat + 1 WHERE lease_owner = $1 AND \
                        id = ANY($2)",
                )
                .bind(owner)
                .bind(connections)
                .execute(pool)
                .await?;
            }
        }
        Ok(())
    }

    /// Writes a new pair as the next generation, where the present one is still the one that was
    /// read: compare and swap in one statement. A reply without a refresh token keeps the old one.
    /// With it goes a line of history.
    ///
    /// # Errors
    /// When the database fails; whether it wrote is not known then.
    pub async fn grant_rotate(
        &self,
        connection: &str,
        generation: i64,
        rotation: &Rotation,
        attempt: &Attempt,
    ) -> Stored<Rotated> {
        self.at_all_costs(|| self.rotate(connection, generation, rotation, attempt))
            .await
    }

    async fn rotate(
        &self,
        connection: &str,
        generation: i64,
        rotation: &Rotation,
        attempt: &Attempt,
    ) -> Stored<Rotated> {
        let (_turn, _stale) = (
            self.turn_to_write().await,
            self.recent.stale_after(connection),
        );
        let rotated = match &self.db {
            Db::Sqlite(pool) => {
                let mut tx = pool.begin().await?;
                let rotated = bind_rotation(ROTATE, connection, generation, rotation)
                    .execute(&mut *tx)
                    .await?
                    .rows_affected()
                    == 1;
                if rotated {
                    bind_attempt(connection, generation, attempt)
                        .execute(&mut *tx)
                        .await?;
                }
                tx.commit().await?;
                rotated
            }
            // PostgreSQL can do both in one statement, which saves three ways there and back.
            Db::Postgres(pool) => {
                let query = bind_rotation(ROTATE_WITH_LINE, connection, generation, rotation);
                let query = query
                    .bind(attempt.outcome.name())
                    .bind(attempt.code.as_str())
                    .bind(attempt.cause.name());
                let query = query
                    .bind(attempt.status.map(i64::from))
                    .bind(attempt.at)
                    .bind(attempt.took_ms);
                query.execute(pool).await?.rows_affected() == 1
            }
        };
        if rotated {
            Ok(Rotated::Done)
        } else {
            self.overtaken(connection, generation)
                .await
                .map(Rotated::Overtaken)
        }
    }

    async fn overtaken(&self, connection: &str, generation: i64) -> Stored<By> {
        const SQL: &str = "SELECT state = 'disconnected' OR adopted_generation > $2 FROM \
            connections WHERE id = $1";
        let by_person: Option<bool> = on!(&self.db, |pool| sqlx::query_scalar(SQL)
            .bind(connection)
            .bind(generation)
            .fetch_optional(pool)
            .await?);
        Ok(if by_person == Some(false) {
            By::Refresh
        } else {
            By::Person
        })
    }

    /// Notes a refresh that failed for a reason that passes, and lets go of the lease. The intent
    /// stays open even where Linear cannot have seen the token: another process may have shown it
    /// meanwhile, and closing an intent that is not one's own loses the grant.
    pub async fn refresh_put_off(&self, put_off: &PutOff<'_>) -> Stored<()> {
        const SQL: &str = "UPDATE connections SET failures = failures + 1, next_attempt_at = $4, \
            refresh_error_code = $5, refresh_error_status = $6, refresh_error_at = $7, lease_owner \
            = NULL \
            WHERE id = $1 AND generation = $2 AND (lease_owner = $3 OR lease_owner IS NULL)";
        let error = put_off.error;
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(put_off.connection)
                .bind(put_off.generation)
                .bind(put_off.owner)
                .bind(put_off.until)
                .bind(&error.code)
                .bind(error.status.map(i64::from))
                .bind(error.at)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Lets go of a lease after a refresh that neither rotated nor failed.
    pub async fn lease_release(&self, connection: &str, owner: &str) -> Stored<()> {
        const SQL: &str = "UPDATE connections SET lease_owner = NULL WHERE id = $1 AND lease_owner \
            = $2";
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(connection)
                .bind(owner)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Adds a line to the history of refreshes.
    pub async fn attempt_note(
        &self,
        connection: &str,
        generation: i64,
        attempt: &Attempt,
    ) -> Stored<()> {
        on!(&self.db, |pool| {
            bind_attempt(connection, generation, attempt)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// The newest lines of a connection's history, newest first.
    pub async fn attempts(&self, connection: &str, limit: i64) -> Stored<Vec<AttemptRow>> {
        const SQL: &str = "SELECT generation, outcome, code, cause, status, tries, first_at, \
            last_at, took_ms FROM refresh_attempts \
            WHERE connection_id = $1 ORDER BY last_at DESC, generation DESC LIMIT $2";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(connection)
            .bind(limit)
            .fetch_all(pool)
            .await?))
    }

    /// Forgets lines of history that are older, at most this many at a time. Answers how many.
    pub async fn attempts_forget(&self, older_than: Millis, limit: i64) -> Stored<u64> {
        const SQL: &str = "DELETE FROM refresh_attempts WHERE (connection_id, generation, outcome, \
            code) IN \
            (SELECT connection_id, generation, outcome, code FROM refresh_attempts WHERE last_at < \
            $1 LIMIT $2)";
        on!(&self.db, |pool| Ok(sqlx::query(SQL)
            .bind(older_than)
            .bind(limit)
            .execute(pool)
            .await?
            .rows_affected()))
    }
}

/// A refresh that is put off.
#[derive(Clone, Copy, Debug)]
pub struct PutOff<'a> {
    pub connection: &'a str,
    pub generation: i64,
    pub owner: &'a str,
    pub until: Millis,
    pub error: &'a FailedCall,
}

/// A line of history: tries of one generation that ended alike.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AttemptRow {
    pub generation: i64,
    pub outcome: String,
    /// Linear's code or a name for the failure; empty where there was none.
    pub code: String,
    pub cause: String,
    pub status: Option<i64>,
    pub tries: i64,
    pub first_at: Millis,
    pub last_at: Millis,
    pub took_ms: Millis,
}

macro_rules! rotate {
    () => {
        "UPDATE connections SET generation = generation + 1, access_sealed = $3, refresh_sealed = \
            COALESCE($4, refresh_sealed), \
            fingerprint = $5, issued_at = $6, expires_at = $7, scopes = COALESCE($8, scopes), \
            lease_owner = NULL, \
            attempt_began_at = CASE WHEN $9 THEN attempt_began_at ELSE NULL END, next_attempt_at = \
            $10, client_id = $11, \
            untokened = CASE WHEN $9 THEN untokened + 1 ELSE 0 END, failures = 0, \
            refresh_error_code = NULL, refresh_error_status = NULL, refresh_error_at = NULL, \
            last_error_code = NULL, last_error_status = NULL, last_error_at = NULL, \
            state = 'connected', reason = NULL, evidence = NULL, state_since = CASE WHEN state = \
            'connected' THEN state_since ELSE $6 END \
            WHERE id = $1 AND generation = $2 AND state <> 'disconnected'"
    };
}

const ROTATE: &str = rotate!();
const ROTATE_WITH_LINE: &str = concat!(
    "WITH rotated AS (",
    rotate!(),
    " RETURNING id) INSERT INTO refresh_attempts (connection_id, generation, outcome, code, cause, \
        status, tries, first_at, last_at, took_ms) \
        SELECT id, $2, $12, $13, $14, $15, 1, $16, $16, $17 FROM rotated ON CONFLICT \
        (connection_id, generation, outcome, code) DO UPDATE SET \
        tries = refresh_attempts.tries + 1, last_at = excluded.last_at, took_ms = \
        excluded.took_ms, status = excluded.status"
);

fn bind_rotation<'q, DB>(
    sql: &'static str,
    connection: &'q str,
    generation: i64,
    rotation: &'q Rotation,
) -> sqlx::query::Query<'q, DB, DB::Arguments>
where
    DB: sqlx::Database,
    &'q str: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    &'q [u8]: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    Option<&'q [u8]>: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    Option<String>: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    Option<i64>: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    i64: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    bool: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    let grant = &rotation.grant;
    sqlx::query(sql)
        .bind(connection)
        .bind(generation)
        .bind(grant.access_sealed.as_slice())
        .bind(grant.refresh_sealed.as_deref())
        .bind(grant.fingerprint.as_str())
        .bind(grant.issued_at)
        .bind(grant.expires_at)
        .bind(rotation.scopes.as_ref().map(|scopes| scopes.join(" ")))
        .bind(rotation.ask_again_at.is_some())
        .bind(rotation.ask_again_at)
        .bind(rotation.client_id.as_str())
}

/// One statement for either database, as values that are bound already.
fn bind_attempt<'q, DB>(
    connection: &'q str,
    generation: i64,
    attempt: &'q Attempt,
) -> sqlx::query::Query<'q, DB, DB::Arguments>
where
    DB: sqlx::Database,
    &'q str: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    i64: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    Option<i64>: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    const SQL: &str = "INSERT INTO refresh_attempts (connection_id, generation, outcome, code, \
        cause, status, tries, first_at, last_at, took_ms) \
        VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7, $8) ON CONFLICT (connection_id, generation, \
        outcome, code) DO UPDATE SET \
        tries = refresh_attempts.tries + 1, last_at = excluded.last_at, took_ms = \
        excluded.took_ms, status = excluded.status";
    sqlx::query(SQL)
        .bind(connection)
        .bind(generation)
        .bind(attempt.outcome.name())
        .bind(attempt.code.as_str())
        .bind(attempt.cause.name())
        .bind(attempt.status.map(i64::from))
        .bind(attempt.at)
        .bind(attempt.took_ms)
}
