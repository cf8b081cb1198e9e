//! Signing secrets of workspaces' own webhooks, and who listens to a workspace.

use sqlx_macros::FromRow;

use super::audit::{note, noted};
use super::postgres::transact;
use super::{Act, Store, Stored, on, sound_rows};
use crate::clock::Millis;
use crate::connection::state::{Phase, Reason};

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct WebhookSecretRow {
    pub id: String,
    pub organisation_id: String,
    pub connection_id: String,
    pub secret_sealed: Vec<u8>,
    pub last_four: String,
    /// Name of the person, unless it came by command.
    pub added_by: Option<String>,
    pub added_at: Millis,
    /// The time from which it is accepted no more.
    pub retires_at: Option<Millis>,
    /// Another took its place, and it retires once that one has verified something.
    pub replaced: bool,
    pub matched_at: Option<Millis>,
}

/// An organisation's connection to a workspace, as far as webhooks are concerned.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Tenant {
    pub organisation_id: String,
    pub connection_id: String,
    /// The organisation's Linear app; the operator's if absent.
    pub app_id: Option<String>,
    #[sqlx(rename = "state")]
    pub phase: Phase,
    pub reason: Option<Reason>,
    /// It is this Relink's own conclusion, and nothing that Linear sent word of.
    pub has_evidence: bool,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.organisation_id, s.connection_id, s.secret_sealed, s.last_four, u.name \
                AS added_by, s.added_at, s.retires_at, \
                EXISTS (SELECT 1 FROM webhook_secrets o WHERE o.connection_id = s.connection_id \
                AND o.retires_at IS NULL AND o.rank > s.rank) \
                AS replaced, s.matched_at FROM webhook_secrets s LEFT JOIN users u ON u.id = \
                s.added_by ",
            $rest
        )
    };
}

impl Store {
    /// Every organisation that connected the workspace, whatever became of it.
    pub async fn webhook_tenants(&self, workspace: &str) -> Stored<Vec<Tenant>> {
        const SQL: &str = "SELECT organisation_id, id AS connection_id, app_id, state, reason, \
            evidence IS NOT NULL AS has_evidence FROM connections WHERE workspace_id = $1 ORDER BY \
            id";
        on!(&self.db, |pool| Ok(sound_rows(
            &sqlx::query(SQL).bind(workspace).fetch_all(pool).await?
        )))
    }

    /// The secrets of every connection to a workspace, the newest first.
    pub async fn webhook_secrets_by_workspace(
        &self,
        workspace: &str,
    ) -> Stored<Vec<WebhookSecretRow>> {
        const SQL: &str = select!(
            "JOIN connections c ON c.id = s.connection_id WHERE c.workspace_id = $1 ORDER BY \
                s.added_at DESC, s.id"
        );
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(workspace)
            .fetch_all(pool)
            .await?))
    }

    /// All secrets of an organisation, the newest first.
    pub async fn webhook_secrets(&self, organisation: &str) -> Stored<Vec<WebhookSecretRow>> {
        const SQL: &str = select!("WHERE s.organisation_id = $1 ORDER BY s.added_at DESC, s.id");
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .fetch_all(pool)
            .await?))
    }

    /// Stores a secret as the connection's current one. Those that were accepted still are. Of
    /// those that are not any more the oldest make room; `false`: there are `max` that are.
    ///
    /// # Errors
    /// When the database fails; nothing is written then.
    pub async fn webhook_secret_add(
        &self,
        new: &WebhookSecretRow,
        max: i64,
        act: &Act,
    ) -> Stored<bool> {
        let _stale = self.recent.stale_after(&new.connection_id);
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            // Two at once take turns: only one can be the current one.
            sqlx::query("UPDATE connections SET generation = generation WHERE id = $1")
                .bind(&new.connection_id)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "DELETE FROM webhook_secrets WHERE connection_id = $1 AND id NOT IN \
                    (SELECT id FROM webhook_secrets WHERE connection_id = $1 ORDER BY CASE WHEN \
                    retires_at <= $2 THEN 1 ELSE 0 END, added_at DESC, id LIMIT $3) \
                    AND retires_at <= $2",
            )
            .bind(&new.connection_id)
            .bind(new.added_at)
            .bind(max - 1)
            .execute(&mut *tx)
            .await?;
            let (left, rank): (i64, i64) = sqlx::query_as(
                "SELECT COUNT(*), COALESCE(MAX(rank), 0) + 1 FROM webhook_secrets WHERE \
                    connection_id = $1",
            )
            .bind(&new.connection_id)
            .fetch_one(&mut *tx)
            .await?;
            if left >= max {
                return Ok(false);
            }
            sqlx::query(
                "INSERT INTO webhook_secrets (id, organisation_id, connection_id, secret_sealed, \
                    last_four, added_by, added_at, rank) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(&new.id)
            .bind(&new.organisation_id)
            .bind(&new.connection_id)
            .bind(&new.secret_sealed)
            .bind(&new.last_four)
            .bind(&act.actor.user_id)
            .bind(new.added_at)
            .bind(rank)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(true)
        })
    }

    /// A delivery was signed with it. Those whose place it took retire at `retire_at`, unless that
    /// is settled already.
    pub async fn webhook_secret_matched(
        &self,
        id: &str,
        at: Millis,
        retire_at: Millis,
    ) -> Stored<()> {
        const MATCHED: &str = "UPDATE webhook_secrets SET matched_at = $2 WHERE id = $1 AND \
            (matched_at IS NULL OR matched_at < $2)";
        const RETIRE: &str = "UPDATE webhook_secrets SET retires_at = $2 WHERE retires_at IS NULL \
            AND connection_id = (SELECT connection_id FROM webhook_secrets WHERE id = $1) AND rank \
            < (SELECT rank FROM webhook_secrets WHERE id = $1)";
        let _stale = self.recent.stale_after(id);
        let _turn = self.turn_to_write().await;
        transact!(self, |tx| {
            sqlx::query(MATCHED)
                .bind(id)
                .bind(at)
                .execute(&mut *tx)
                .await?;
            sqlx::query(RETIRE)
                .bind(id)
                .bind(retire_at)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Makes a secret that is there the current one again. `false`: it is not there.
    pub async fn webhook_secret_restore(
        &self,
        connection: &str,
        id: &str,
        act: &Act,
    ) -> Stored<bool> {
        const SQL: &str = "UPDATE webhook_secrets SET retires_at = NULL, \
            rank = (SELECT MAX(o.rank) + 1 FROM webhook_secrets o WHERE o.connection_id = $1) \
            WHERE connection_id = $1 AND id = $2";
        let _stale = self.recent.stale_after(connection);
        noted!(self, act, sqlx::query(SQL).bind(connection).bind(id))
    }

    /// Accepts a secret no more, from now on; what it was is still told apart. `false`: there is no
    /// such secret.
    pub async fn webhook_secret_retire(
        &self,
        connection: &str,
        id: &str,
        act: &Act,
    ) -> Stored<bool> {
        const SQL: &str = "UPDATE webhook_secrets SET retires_at = $4 WHERE organisation_id = $1 \
            AND connection_id = $2 AND id = $3";
        let _stale = self.recent.stale_after(connection);
        noted!(
            self,
            act,
            sqlx::query(SQL)
                .bind(&act.organisation_id)
                .bind(connection)
                .bind(id)
                .bind(act.at)
        )
    }
}
