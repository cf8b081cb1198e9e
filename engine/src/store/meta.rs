//! Facts about the instance itself.

use super::{Db, Store, Stored, on};

impl Store {
    /// Reads the value under `key`.
    pub async fn meta(&self, key: &str) -> Stored<Option<Vec<u8>>> {
        on!(&self.db, |pool| Ok(sqlx::query_scalar(
            "SELECT value FROM meta WHERE key = $1"
        )
        .bind(key)
        .fetch_optional(pool)
        .await?))
    }

    /// Writes `value` under `key` unless something is there; answers what is there now.
    pub async fn meta_claim(&self, key: &str, value: &[u8]) -> Stored<Vec<u8>> {
        on!(&self.db, |pool| {
            sqlx::query(
                "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
            )
            .bind(key)
            .bind(value)
            .execute(pool)
            .await?;
            Ok(sqlx::query_scalar("SELECT value FROM meta WHERE key = $1")
                .bind(key)
                .fetch_one(pool)
                .await?)
        })
    }

    /// Writes `value` under `key`, whatever is there.
    pub(crate) async fn meta_put(&self, key: &str, value: &[u8]) -> Stored<()> {
        const SQL: &str = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO \
            UPDATE SET value = excluded.value";
        on!(&self.db, |pool| {
            sqlx::query(SQL).bind(key).bind(value).execute(pool).await?;
        });
        Ok(())
    }

    /// [`Store::meta_put`], on PostgreSQL only where the database has its rows: whoever copies them
    /// back finds none in the way.
    pub(super) async fn meta_put_heartbeat(&self, key: &str, value: &[u8]) -> Stored<()> {
        const SQL: &str = "INSERT INTO meta (key, value) SELECT $1, $2 WHERE EXISTS (SELECT 1 FROM \
            meta WHERE key = 'canary') \
            ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        match &self.db {
            // A file is proved by what is written into it, and is copied back whole.
            Db::Sqlite(_) => self.meta_put(key, value).await,
            Db::Postgres(pool) => {
                sqlx::query(SQL).bind(key).bind(value).execute(pool).await?;
                Ok(())
            }
        }
    }

    /// Writes `value` under `key` where it is still `old`: whoever was first has written it.
    pub(crate) async fn meta_swap(&self, key: &str, old: &[u8], value: &[u8]) -> Stored<()> {
        const SQL: &str = "UPDATE meta SET value = $3 WHERE key = $1 AND value = $2";
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(key)
                .bind(old)
                .bind(value)
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}
