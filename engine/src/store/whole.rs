//! The check whether a copy that took the database's place is all there: on PostgreSQL a dump is
//! restored piece by piece, for hours if there is much, and whoever changes the schema in between
//! comes between two pieces.

use super::{Db, Store, Stored, on};

/// Each table gets its key after its rows, and references come last in a dump: `$1` of them there
/// have to be. Whoever is still building holds a lock that nobody takes who only reads and writes.
const SHAPE: &str = "WITH here AS (SELECT current_schema()::regnamespace::oid AS it), \
    tables AS (SELECT oid FROM pg_class, here WHERE relnamespace = it AND relkind = 'r') \
    SELECT CONCAT_WS(' ', (SELECT MAX(oid::TEXT::BIGINT) || '/' || COUNT(*) FROM pg_class, here \
    WHERE relnamespace = it), \
    (SELECT MAX(oid::TEXT::BIGINT) || '/' || COUNT(*) FROM pg_constraint, here WHERE connamespace \
    = it), \
    (SELECT MAX(oid::TEXT::BIGINT) || '/' || COUNT(*) FROM pg_trigger WHERE tgrelid IN (SELECT oid \
    FROM tables))) \
    WHERE (SELECT COUNT(*) FROM pg_constraint, here WHERE connamespace = it AND contype = 'f') >= \
    $1 \
    AND NOT EXISTS (SELECT 1 FROM tables WHERE NOT EXISTS (SELECT 1 FROM pg_constraint WHERE \
    conrelid = tables.oid AND contype = 'p')) \
    AND NOT EXISTS (SELECT 1 FROM pg_locks JOIN tables ON tables.oid = relation WHERE pid <> \
    pg_backend_pid() \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))";

impl Store {
    /// Tells whether the database has everything that this version brings with it: an older copy
    /// that was put in its place has not. One that says nothing of itself may be in the middle of
    /// being restored, and nobody touches it.
    pub async fn is_up_to_date(&self) -> Stored<bool> {
        let there = self.version().await?;
        Ok(there.is_none() || there >= Store::newest_version())
    }

    /// The version of the schema that this program brings with it.
    #[must_use]
    pub fn newest_version() -> Option<i64> {
        let own = sqlx_macros::migrate!("../migrations/sqlite");
        own.iter().map(|one| one.version).max()
    }

    /// The version of the schema that is there; `None` where nothing is. Changes nothing.
    pub async fn present_version(&self) -> Stored<Option<i64>> {
        const THERE: (&str, &str) = (
            "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations')",
            "SELECT to_regclass('_sqlx_migrations') IS NOT NULL",
        );
        let there: bool = match &self.db {
            Db::Sqlite(pool) => sqlx::query_scalar(THERE.0).fetch_one(pool).await?,
            Db::Postgres(pool) => sqlx::query_scalar(THERE.1).fetch_one(pool).await?,
        };
        if there {
            self.version().await
        } else {
            Ok(None)
        }
    }

    async fn version(&self) -> Stored<Option<i64>> {
        const SQL: &str = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
        on!(&self.db, |pool| Ok(sqlx::query_scalar(SQL)
            .fetch_one(pool)
            .await?))
    }

    /// Describes what the schema is made of, to be compared with a later look; `None` while it
    /// plainly lacks something or is being changed. An SQLite file is replaced at once or not at
    /// all.
    pub async fn shape(&self) -> Stored<Option<String>> {
        match &self.db {
            Db::Sqlite(_) => Ok(Some(String::new())),
            Db::Postgres(pool) => {
                let references = references(self.version().await?.unwrap_or_default());
                Ok(sqlx::query_scalar(SHAPE)
                    .bind(references)
                    .fetch_optional(pool)
                    .await?)
            }
        }
    }
}

/// Counts the references that a schema of this version has.
fn references(version: i64) -> i64 {
    let scripts = sqlx_macros::migrate!("../migrations/postgres");
    let upto = scripts.iter().filter(|one| one.version <= version);
    upto.map(|one| one.sql.as_str().matches("REFERENCES").count())
        .sum::<usize>()
        .try_into()
        .unwrap_or(i64::MAX)
}
