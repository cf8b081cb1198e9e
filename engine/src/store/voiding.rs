//! Revocations that are under way at Linear, and consents that they must not overlap.

use super::{Db, STOPPED, Store, Stored, on};
use crate::clock::Millis;

impl Store {
    /// Says that a pair of this app and workspace is about to be revoked, as far as both are known.
    pub async fn voiding_begin(
        &self,
        id: &str,
        client_id: Option<&str>,
        workspace: Option<&str>,
        now: Millis,
    ) -> Stored<()> {
        const SQL: &str = "INSERT INTO voidings (id, client_id, workspace_id, began_at) VALUES \
            ($1, $2, $3, $4)";
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(id)
                .bind(client_id)
                .bind(workspace)
                .bind(now)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Whether it may still be: nobody has waited for its end in vain.
    pub async fn voiding_stands(&self, id: &str) -> Stored<bool> {
        const SQL: &str = "SELECT id FROM voidings WHERE id = $1";
        let found: Option<String> = on!(&self.db, |pool| sqlx::query_scalar(SQL)
            .bind(id)
            .fetch_optional(pool)
            .await?);
        Ok(found.is_some())
    }

    /// The end of one, or of one whose process is taken for dead.
    pub async fn voiding_end(&self, id: &str) -> Stored<()> {
        on!(&self.db, |pool| {
            sqlx::query("DELETE FROM voidings WHERE id = $1")
                .bind(id)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Finds the revocations that may concern this app and workspace: where either is not known,
    /// any may.
    pub async fn voidings(&self, client_id: &str, workspace: Option<&str>) -> Stored<Vec<String>> {
        const SQL: &str = "SELECT id FROM voidings WHERE (client_id IS NULL OR client_id = $1) \
            AND ($2 IS NULL OR workspace_id IS NULL OR workspace_id = $2)";
        on!(&self.db, |pool| Ok(sqlx::query_scalar(SQL)
            .bind(client_id)
            .bind(workspace)
            .fetch_all(pool)
            .await?))
    }

    /// Forgets those that began before a time: their processes have died.
    pub async fn voidings_forget(&self, before: Millis) -> Stored<()> {
        on!(&self.db, |pool| {
            sqlx::query("DELETE FROM voidings WHERE began_at < $1")
                .bind(before)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Says whether somebody came back from Linear since then and is not connected yet: through
    /// this app, and to this workspace. Nobody knows beforehand which one a Connect will lead to;
    /// one that has not said yet through which app its code is exchanged may be any's.
    pub async fn consent_is_under_way(
        &self,
        client_id: Option<&str>,
        workspace: Option<&str>,
        since: Millis,
    ) -> Stored<bool> {
        const SQL: &str = "SELECT t.state_hash FROM connect_attempts t LEFT JOIN apps a ON a.id = \
            t.app_id \
            LEFT JOIN connections c ON c.id = t.connection_id WHERE t.taken_at > $3 AND t.ended IS \
            NULL \
            AND ($1 IS NULL OR COALESCE(t.client_id, a.client_id, $1) = $1) \
            AND ($2 IS NULL OR c.workspace_id IS NULL OR c.workspace_id = $2) LIMIT 1";
        let found: Option<String> = on!(&self.db, |pool| sqlx::query_scalar(SQL)
            .bind(client_id)
            .bind(workspace)
            .bind(since)
            .fetch_optional(pool)
            .await?);
        Ok(found.is_some())
    }

    /// Abandons consents on SQLite, where only one process serves: who came back to the one before
    /// is under way no more, which they are told when they come once more, nor is what it revoked.
    pub async fn consents_abandon(&self) -> Stored<()> {
        if let Db::Sqlite(pool) = &self.db {
            for stopped in [
                "UPDATE connect_attempts SET ended = $1 WHERE taken_at IS NOT NULL AND ended IS \
                    NULL",
                "UPDATE proof_attempts SET ended = $1 WHERE taken_at IS NOT NULL AND ended IS \
                    NULL",
            ] {
                sqlx::query(stopped).bind(STOPPED).execute(pool).await?;
            }
            sqlx::query("DELETE FROM voidings").execute(pool).await?;
        }
        Ok(())
    }
}
