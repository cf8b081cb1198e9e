//! People on their way through Linear's consent page.

use sqlx_macros::FromRow;

use super::{Store, StoreError, Stored, on};
use crate::clock::Millis;
use crate::connection::state::ActAs;
use crate::connection::voiding::ABANDONED_AFTER;

/// The facts that were remembered when the person left for Linear.
#[derive(Clone, Debug)]
pub struct ConnectAttempt {
    pub state_hash: String,
    /// Binds the attempt to the browser session that began it.
    pub browser_hash: String,
    pub organisation_id: String,
    pub user_id: String,
    /// Set for a Reconnect: the connection that must come back.
    pub connection_id: Option<String>,
    /// The organisation's app that it goes through; the operator's if absent.
    pub app_id: Option<String>,
    pub actor: ActAs,
    /// The scopes that were asked for: granted, unless Linear says otherwise.
    pub scopes: Vec<String>,
    pub verifier_sealed: Vec<u8>,
    pub expires_at: Millis,
}

#[derive(FromRow)]
struct Row {
    state_hash: String,
    browser_hash: String,
    organisation_id: String,
    user_id: String,
    connection_id: Option<String>,
    app_id: Option<String>,
    actor: String,
    scopes: String,
    verifier_sealed: Vec<u8>,
    expires_at: Millis,
}

impl TryFrom<Row> for ConnectAttempt {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<ConnectAttempt, StoreError> {
        let actor = ActAs::from_name(&row.actor).ok_or_else(|| StoreError::Inconsistent {
            table: "connect_attempts",
            id: row.state_hash.clone(),
        })?;
        Ok(ConnectAttempt {
            state_hash: row.state_hash,
            browser_hash: row.browser_hash,
            organisation_id: row.organisation_id,
            user_id: row.user_id,
            connection_id: row.connection_id,
            app_id: row.app_id,
            actor,
            scopes: row.scopes.split(' ').map(str::to_owned).collect(),
            verifier_sealed: row.verifier_sealed,
            expires_at: row.expires_at,
        })
    }
}

impl Store {
    /// Remembers an attempt.
    pub async fn connect_attempt_create(&self, attempt: &ConnectAttempt) -> Stored<()> {
        const SQL: &str = "INSERT INTO connect_attempts \
            (state_hash, browser_hash, organisation_id, user_id, connection_id, app_id, actor, \
            scopes, verifier_sealed, expires_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(&attempt.state_hash)
                .bind(&attempt.browser_hash)
                .bind(&attempt.organisation_id)
                .bind(&attempt.user_id)
                .bind(&attempt.connection_id)
                .bind(&attempt.app_id)
                .bind(attempt.actor.name())
                .bind(attempt.scopes.join(" "))
                .bind(&attempt.verifier_sealed)
                .bind(attempt.expires_at)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Takes an attempt, once: of many that present the same state, one gets it. A browser that did
    /// not begin the attempt gets nothing and uses nothing up.
    pub async fn connect_attempt_take(
        &self,
        state_hash: &str,
        browser_hash: &str,
        now: Millis,
    ) -> Stored<Option<ConnectAttempt>> {
        // Nobody forgets it while it is under way.
        const SQL: &str = "UPDATE connect_attempts SET taken_at = $3, expires_at = CASE WHEN \
            expires_at < $4 THEN $4 ELSE expires_at END \
            WHERE state_hash = $1 AND browser_hash = $2 AND expires_at > $3 AND taken_at IS NULL \
            RETURNING state_hash, browser_hash, organisation_id, user_id, connection_id, app_id, \
            actor, scopes, verifier_sealed, expires_at";
        let until = now + ABANDONED_AFTER;
        let row: Option<Row> = on!(&self.db, |pool| sqlx::query_as(SQL)
            .bind(state_hash)
            .bind(browser_hash)
            .bind(now)
            .bind(until)
            .fetch_optional(pool)
            .await?);
        row.map(ConnectAttempt::try_from).transpose()
    }

    /// Says through which app its code is exchanged from now on. `false`: it is under way no more.
    pub async fn connect_attempt_exchange(
        &self,
        state_hash: &str,
        client_id: &str,
    ) -> Stored<bool> {
        const SQL: &str = "UPDATE connect_attempts SET client_id = $2 WHERE state_hash = $1 AND \
            taken_at IS NOT NULL AND ended IS NULL";
        on!(&self.db, |pool| Ok(sqlx::query(SQL)
            .bind(state_hash)
            .bind(client_id)
            .execute(pool)
            .await?
            .rows_affected()
            == 1))
    }
}
