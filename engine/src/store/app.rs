//! Linear OAuth apps of organisations. Their secrets are sealed.

use sqlx_macros::FromRow;

use super::audit::note;
use super::postgres::transact;
use super::{Act, Store, Stored, on};
use crate::clock::Millis;

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AppRow {
    pub id: String,
    pub organisation_id: String,
    pub name: String,
    pub client_id: String,
    pub client_secret_sealed: Option<Vec<u8>>,
    pub webhook_secret_sealed: Option<Vec<u8>>,
    /// The previous secret, which is accepted too; with the time at which that ends, once it is
    /// settled.
    pub webhook_secret_before_sealed: Option<Vec<u8>>,
    pub webhook_secret_before_until: Option<Millis>,
    /// The time at which the present webhook secret first verified something.
    pub webhook_secret_matched_at: Option<Millis>,
    /// Linear's id of the application, where it is known.
    pub application_id: Option<String>,
    /// Name of the person, unless it came by command.
    pub added_by: Option<String>,
    pub added_at: Millis,
    /// Connections through it that have not ended.
    pub connections: i64,
}

/// The result of adding an app. Nothing was changed unless it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppAdded {
    Done,
    /// The organisation has one with this client id.
    Known,
    TooMany,
}

/// The result of removing an app. Nothing was changed unless it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppRemoved {
    Done,
    NotFound,
    /// Connections go through it, or their tokens are still to be made void.
    InUse,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.organisation_id, a.name, a.client_id, a.client_secret_sealed, \
                a.webhook_secret_sealed, \
                a.webhook_secret_before_sealed, a.webhook_secret_before_until, \
                a.webhook_secret_matched_at, a.application_id, u.name AS added_by, a.added_at, \
                (SELECT COUNT(*) FROM connections c WHERE c.app_id = a.id AND c.state <> \
                'disconnected') AS connections \
                FROM apps a LEFT JOIN users u ON u.id = a.added_by ",
            $rest
        )
    };
}

impl Store {
    /// The apps of an organisation, the oldest first.
    pub async fn apps(&self, organisation: &str) -> Stored<Vec<AppRow>> {
        const SQL: &str = select!("WHERE a.organisation_id = $1 ORDER BY a.added_at, a.id");
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .fetch_all(pool)
            .await?))
    }

    /// One app of an organisation.
    pub async fn app(&self, organisation: &str, id: &str) -> Stored<Option<AppRow>> {
        const SQL: &str = select!("WHERE a.organisation_id = $1 AND a.id = $2");
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .bind(id)
            .fetch_optional(pool)
            .await?))
    }

    /// The apps that a workspace is or was connected through, in whatever organisation.
    pub async fn apps_by_workspace(&self, workspace: &str) -> Stored<Vec<AppRow>> {
        const SQL: &str = select!(
            "WHERE a.id IN (SELECT app_id FROM connections WHERE workspace_id = $1) ORDER BY a.id"
        );
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(workspace)
            .fetch_all(pool)
            .await?))
    }

    /// Stores a new app, if the organisation has fewer than `max`.
    ///
    /// # Errors
    /// When the database fails; nothing is written then.
    pub async fn app_add(&self, new: &AppRow, max: i64, act: &Act) -> Stored<AppAdded> {
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            let there: i64 =
                sqlx::query_scalar("SELECT COUNT(*) FROM apps WHERE organisation_id = $1")
                    .bind(&new.organisation_id)
                    .fetch_one(&mut *tx)
                    .await?;
            if there >= max {
                return Ok(AppAdded::TooMany);
            }
            let added = sqlx::query(
                "INSERT INTO apps (id, organisation_id, name, client_id, client_secret_sealed, \
                    webhook_secret_sealed, \
                    added_by, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT \
                    (organisation_id, client_id) DO NOTHING",
            )
            .bind(&new.id)
            .bind(&new.organisation_id)
            .bind(&new.name)
            .bind(&new.client_id)
            .bind(&new.client_secret_sealed)
            .bind(&new.webhook_secret_sealed)
            .bind(&act.actor.user_id)
            .bind(new.added_at)
            .execute(&mut *tx)
            .await?;
            if added.rows_affected() == 0 {
                return Ok(AppAdded::Known);
            }
            tx.commit().await?;
            Ok(AppAdded::Done)
        })
    }

    /// Replaces the secrets that are given. The webhook secret before stays accepted; one that has
    /// verified nothing does not push out one that still is. `false`: there is no such app.
    ///
    /// # Errors
    /// When the database fails; nothing is written then.
    pub async fn app_set_secrets(
        &self,
        id: &str,
        client_secret: Option<&[u8]>,
        webhook_secret: Option<&[u8]>,
        act: &Act,
    ) -> Stored<bool> {
        let _stale = self.recent.stale_after(id);
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            let changed = sqlx::query(
                "UPDATE apps SET client_secret_sealed = COALESCE($3, client_secret_sealed) WHERE \
                    organisation_id = $1 AND id = $2",
            )
            .bind(&act.organisation_id)
            .bind(id)
            .bind(client_secret)
            .execute(&mut *tx)
            .await?;
            if changed.rows_affected() == 0 {
                return Ok(false);
            }
            if let Some(webhook_secret) = webhook_secret {
                sqlx::query(
                    "UPDATE apps SET webhook_secret_before_sealed = CASE WHEN \
                        webhook_secret_matched_at IS NULL \
                        AND webhook_secret_before_sealed IS NOT NULL AND \
                        (webhook_secret_before_until IS NULL OR webhook_secret_before_until > $3) \
                        THEN webhook_secret_before_sealed ELSE webhook_secret_sealed END, \
                        webhook_secret_before_until = NULL, webhook_secret_matched_at = NULL, \
                        webhook_secret_sealed = $2 WHERE id = $1",
                )
                .bind(id)
                .bind(webhook_secret)
                .bind(act.at)
                .execute(&mut *tx)
                .await?;
            }
            tx.commit().await?;
            Ok(true)
        })
    }

    /// A delivery was signed with the app's present webhook secret, sealed like this. The one
    /// before retires at `retire_at`.
    pub async fn app_secret_matched(
        &self,
        id: &str,
        sealed: &[u8],
        at: Millis,
        retire_at: Millis,
    ) -> Stored<()> {
        const SQL: &str = "UPDATE apps SET webhook_secret_matched_at = $3, \
            webhook_secret_before_until = CASE WHEN webhook_secret_before_sealed IS NULL THEN NULL \
            ELSE COALESCE(webhook_secret_before_until, $4) END \
            WHERE id = $1 AND webhook_secret_sealed = $2 AND webhook_secret_matched_at IS NULL";
        let _stale = self.recent.stale_after(id);
        let _turn = self.turn_to_write().await;
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(id)
                .bind(sealed)
                .bind(at)
                .bind(retire_at)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Notes Linear's id of an app's application.
    pub async fn app_set_application(&self, id: &str, application: &str, over: bool) -> Stored<()> {
        let _stale = self.recent.stale_after(id);
        const SQL: &str = "UPDATE apps SET application_id = $2 WHERE id = $1 AND (application_id \
            IS NULL OR $3)";
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(id)
                .bind(application)
                .bind(over)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Removes an app that nothing goes through. Who is on the way through its consent page has to
    /// start again: the line of the audit trail keeps a connect from finishing meanwhile.
    ///
    /// # Errors
    /// When the database fails; nothing is written then.
    pub async fn app_remove(&self, id: &str, act: &Act) -> Stored<AppRemoved> {
        let _stale = self.recent.stale_after(id);
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            let used: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM connections WHERE organisation_id = $1 AND app_id = $2 \
                    AND (state <> 'disconnected' OR access_sealed IS NOT NULL)",
            )
            .bind(&act.organisation_id)
            .bind(id)
            .fetch_one(&mut *tx)
            .await?;
            if used > 0 {
                return Ok(AppRemoved::InUse);
            }
            sqlx::query("DELETE FROM connect_attempts WHERE organisation_id = $1 AND app_id = $2")
                .bind(&act.organisation_id)
                .bind(id)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "UPDATE connections SET app_id = NULL WHERE organisation_id = $1 AND app_id = $2",
            )
            .bind(&act.organisation_id)
            .bind(id)
            .execute(&mut *tx)
            .await?;
            let removed = sqlx::query("DELETE FROM apps WHERE organisation_id = $1 AND id = $2")
                .bind(&act.organisation_id)
                .bind(id)
                .execute(&mut *tx)
                .await?;
            if removed.rows_affected() == 0 {
                return Ok(AppRemoved::NotFound);
            }
            tx.commit().await?;
            Ok(AppRemoved::Done)
        })
    }
}
