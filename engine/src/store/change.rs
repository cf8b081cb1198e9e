//! The changes of what open pages show. The database writes the lines itself (triggers), in the
//! transaction of the change.

use std::collections::HashMap;

use sqlx_macros::FromRow;

use super::{Db, Store, Stored, on};

/// Something on somebody's pages changed.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ChangeRow {
    pub seq: i64,
    pub organisation_id: String,
    /// "connections", "deliveries" or "people".
    pub topic: String,
}

impl Store {
    /// The last change's number; zero where there was none.
    pub async fn changes_last(&self) -> Stored<i64> {
        const SQL: &str = "SELECT COALESCE(MAX(seq), 0) FROM changes";
        on!(&self.db, |pool| Ok(sqlx::query_scalar(SQL)
            .fetch_one(pool)
            .await?))
    }

    /// Changes after this number, in the order of their numbers. On PostgreSQL a lower number may
    /// become visible after a higher one: whoever goes on from a number looks back behind it for a
    /// while.
    pub async fn changes_after(&self, after: i64, limit: i64) -> Stored<Vec<ChangeRow>> {
        const SQL: &str = "SELECT seq, organisation_id, topic FROM changes WHERE seq > $1 ORDER BY \
            seq LIMIT $2";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(after)
            .bind(limit)
            .fetch_all(pool)
            .await?))
    }

    /// Lists what changed on an organisation's pages after this number.
    pub async fn topics_changed(&self, organisation: &str, after: i64) -> Stored<Vec<String>> {
        const SQL: &str = "SELECT DISTINCT topic FROM changes WHERE organisation_id = $1 AND seq > \
            $2";
        on!(&self.db, |pool| Ok(sqlx::query_scalar(SQL)
            .bind(organisation)
            .bind(after)
            .fetch_all(pool)
            .await?))
    }

    /// Forgets all but the newest changes.
    pub async fn changes_forget(&self, keep: i64) -> Stored<()> {
        const SQL: &str = "DELETE FROM changes WHERE seq <= (SELECT MAX(seq) FROM changes) - $1";
        on!(&self.db, |pool| {
            sqlx::query(SQL).bind(keep).execute(pool).await?;
        });
        Ok(())
    }

    /// The number of each organisation's newest delivery, where there is one. One look at the end
    /// of an index for each.
    pub async fn delivery_numbers(&self, organisations: &[String]) -> Stored<HashMap<String, i64>> {
        const NEWEST: &str = "SELECT o.value, (SELECT MAX(number) FROM delivery_recipients r WHERE \
            r.organisation_id = o.value) FROM ";
        let rows: Vec<(String, Option<i64>)> = match &self.db {
            Db::Sqlite(pool) => {
                let sql = format!("{NEWEST} json_each($1) o");
                let organisations = serde_json::to_string(organisations).unwrap_or_default();
                sqlx::query_as(sqlx::AssertSqlSafe(sql))
                    .bind(organisations)
                    .fetch_all(pool)
                    .await?
            }
            Db::Postgres(pool) => {
                let sql = format!("{NEWEST} unnest($1) AS o (value)");
                sqlx::query_as(sqlx::AssertSqlSafe(sql))
                    .bind(organisations)
                    .fetch_all(pool)
                    .await?
            }
        };
        Ok(rows
            .into_iter()
            .filter_map(|(organisation, number)| Some((organisation, number?)))
            .collect())
    }
}
