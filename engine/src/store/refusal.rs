//! Refused webhooks, counted by the hour.

use sqlx_macros::FromRow;

use super::{Store, Stored, on};
use crate::clock::Millis;

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RefusalRow {
    pub workspace_id: String,
    /// Hours since the Unix epoch.
    pub hour: i64,
    pub cause: String,
    /// Empty where no secret is known that would have matched.
    pub secret_id: String,
    pub refused: i64,
    pub last_at: Millis,
}

/// Requests with Linear's signature that came to an address where nothing takes them.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Stray {
    pub path: String,
    /// Hours since the Unix epoch.
    pub hour: i64,
    pub came: i64,
    pub last_at: Millis,
}

impl Store {
    /// Adds to what was counted.
    pub async fn refusals_add(&self, row: &RefusalRow) -> Stored<()> {
        const SQL: &str = "INSERT INTO webhook_refusals (workspace_id, hour, cause, secret_id, \
            refused, last_at) VALUES ($1, $2, $3, $4, $5, $6) \
            ON CONFLICT (workspace_id, hour, cause, secret_id) DO UPDATE SET refused = \
            webhook_refusals.refused + excluded.refused, \
            last_at = excluded.last_at";
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(&row.workspace_id)
                .bind(row.hour)
                .bind(&row.cause)
                .bind(&row.secret_id)
                .bind(row.refused)
                .bind(row.last_at)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Lists what was counted since this hour for the workspaces that an organisation connected.
    pub async fn refusals(&self, organisation: &str, since_hour: i64) -> Stored<Vec<RefusalRow>> {
        const SQL: &str = "SELECT workspace_id, hour, cause, secret_id, refused, last_at FROM \
            webhook_refusals \
            WHERE hour >= $2 AND workspace_id IN (SELECT workspace_id FROM connections WHERE \
            organisation_id = $1 AND state <> 'disconnected')";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .bind(since_hour)
            .fetch_all(pool)
            .await?))
    }

    /// Forgets what was counted before this hour.
    pub async fn refusals_forget(&self, before_hour: i64) -> Stored<()> {
        on!(&self.db, |pool| {
            sqlx::query("DELETE FROM webhook_refusals WHERE hour < $1")
                .bind(before_hour)
                .execute(pool)
                .await?;
            sqlx::query("DELETE FROM webhook_strays WHERE hour < $1")
                .bind(before_hour)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Adds to what was counted, for this many different addresses in an hour at most.
    pub async fn strays_add(&self, row: &Stray, max: i64) -> Stored<()> {
        const SQL: &str = "INSERT INTO webhook_strays (path, hour, came, last_at) SELECT $1, $2, \
            $3, $4 \
            WHERE (SELECT COUNT(*) FROM webhook_strays WHERE hour = $2 AND path <> $1) < $5 \
            ON CONFLICT (path, hour) DO UPDATE SET came = webhook_strays.came + excluded.came, \
            last_at = excluded.last_at";
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(&row.path)
                .bind(row.hour)
                .bind(row.came)
                .bind(row.last_at)
                .bind(max)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Lists what was counted since this hour, each address with its sum, the latest first.
    pub async fn strays(&self, since_hour: i64) -> Stored<Vec<Stray>> {
        const SQL: &str = "SELECT path, MAX(hour) AS hour, CAST(SUM(came) AS BIGINT) AS came, \
            MAX(last_at) AS last_at FROM webhook_strays \
            WHERE hour >= $1 GROUP BY path ORDER BY MAX(last_at) DESC, path LIMIT 20";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(since_hour)
            .fetch_all(pool)
            .await?))
    }
}
