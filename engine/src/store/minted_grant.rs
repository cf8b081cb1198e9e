//! Pairs that Linear minted and that no connection holds yet: each is adopted, or given back.

use sqlx_macros::FromRow;

use super::postgres::transact;
use super::{Db, NewGrant, Store, Stored, on};
use crate::clock::Millis;

/// The table that such a pair is sealed for.
pub(crate) const MINTED_GRANTS: &str = "minted_grants";

/// A pair that came for a code.
#[derive(Clone, Debug, FromRow)]
pub struct MintedGrant {
    pub id: String,
    /// The organisation whose member brought the code.
    pub organisation_id: String,
    /// The client id of the Linear app that it was given to.
    pub client_id: String,
    /// Linear's organization id, where Linear said it.
    pub workspace_id: Option<String>,
    /// The connection that it was meant for.
    pub connection_id: Option<String>,
    pub access_sealed: Vec<u8>,
    pub refresh_sealed: Option<Vec<u8>>,
    pub minted_at: Millis,
    /// The pair is free to be revoked: nobody will adopt it.
    pub released: bool,
    /// Somebody lent it to say who they are: nobody adopts it, ever.
    pub lent: bool,
    /// Linear's id of who that is, where Linear said it.
    pub lent_by: Option<String>,
}

/// The workspace and person of a pair, as far as Linear named them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whose<'a> {
    pub workspace: Option<&'a str>,
    /// Linear's id of the person who lent it; absent for one that is not lent.
    pub lent_by: Option<&'a str>,
}

macro_rules! columns {
    () => {
        "id, organisation_id, client_id, workspace_id, connection_id, access_sealed, \
            refresh_sealed, minted_at, released, \
            lent, lent_by"
    };
}

impl Store {
    /// Writes a pair down, before anybody uses it. Doing it twice changes nothing.
    pub async fn minted_grant_put(&self, minted: &MintedGrant) -> Stored<()> {
        const SQL: &str = concat!(
            "INSERT INTO minted_grants (",
            columns!(),
            ", tried_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0) ON CONFLICT (id) \
                DO NOTHING"
        );
        let put = async || {
            on!(&self.db, |pool| {
                sqlx::query(SQL)
                    .bind(&minted.id)
                    .bind(&minted.organisation_id)
                    .bind(&minted.client_id)
                    .bind(&minted.workspace_id)
                    .bind(&minted.connection_id)
                    .bind(&minted.access_sealed)
                    .bind(&minted.refresh_sealed)
                    .bind(minted.minted_at)
                    .bind(minted.released)
                    .bind(minted.lent)
                    .bind(&minted.lent_by)
                    .execute(pool)
                    .await?;
            });
            Ok(())
        };
        self.at_all_costs(put).await
    }

    /// Says that nobody will adopt a pair any more, and what Linear said of whose it is, and takes
    /// it to be given back. `None`: it was adopted.
    pub async fn minted_grant_release(
        &self,
        id: &str,
        whose: Whose<'_>,
        now: Millis,
    ) -> Stored<Option<MintedGrant>> {
        const SQL: &str = concat!(
            "UPDATE minted_grants SET released = TRUE, workspace_id = COALESCE($2, workspace_id), \
                lent_by = COALESCE($3, lent_by), \
                tried_at = $4 WHERE id = $1 RETURNING ",
            columns!()
        );
        on!(&self.db, |pool| {
            let released = sqlx::query_as(SQL)
                .bind(id)
                .bind(whose.workspace)
                .bind(whose.lent_by)
                .bind(now);
            Ok(released.fetch_optional(pool).await?)
        })
    }

    /// Takes pairs to be given back, the longest untried first: those that were released, and those
    /// that nobody adopted or released since before `abandoned`. None that was tried since
    /// `tried_before`.
    pub async fn minted_grants_take(
        &self,
        abandoned: Millis,
        tried_before: Millis,
        now: Millis,
        limit: i64,
    ) -> Stored<Vec<MintedGrant>> {
        const SQL: &str = concat!(
            "UPDATE minted_grants SET released = TRUE, tried_at = $3 WHERE id IN (SELECT id FROM \
                minted_grants \
                WHERE (released OR minted_at <= $1) AND (tried_at <= $2 OR tried_at > $3) ORDER BY \
                tried_at, id LIMIT $4) RETURNING ",
            columns!()
        );
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(abandoned)
            .bind(tried_before)
            .bind(now)
            .bind(limit)
            .fetch_all(pool)
            .await?))
    }

    /// Releases all pairs, on SQLite: only one process serves there.
    pub async fn minted_grants_abandon(&self) -> Stored<()> {
        if let Db::Sqlite(pool) = &self.db {
            sqlx::query("UPDATE minted_grants SET released = TRUE WHERE released = FALSE")
                .execute(pool)
                .await?;
        }
        Ok(())
    }

    /// Forgets a pair: Linear holds it void.
    pub async fn minted_grant_delete(&self, id: &str) -> Stored<()> {
        on!(&self.db, |pool| {
            sqlx::query("DELETE FROM minted_grants WHERE id = $1")
                .bind(id)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Moves a pair to those that are set aside until a connection has ended, sealed for that one.
    /// `false`: somebody else did.
    ///
    /// # Errors
    /// When the database fails; nothing is written then.
    pub async fn minted_grant_set_aside(
        &self,
        minted: &MintedGrant,
        connection: &str,
        number: i64,
        grant: &NewGrant,
    ) -> Stored<bool> {
        const PUT: &str = "INSERT INTO superseded_grants (connection_id, generation, \
            access_sealed, refresh_sealed, client_id) \
            VALUES ($1, $2, $3, $4, $5)";
        transact!(self, &minted.organisation_id, |tx| {
            let taken = sqlx::query("DELETE FROM minted_grants WHERE id = $1")
                .bind(&minted.id)
                .execute(&mut *tx)
                .await?
                .rows_affected();
            if taken == 0 {
                return Ok(false);
            }
            sqlx::query(PUT)
                .bind(connection)
                .bind(number)
                .bind(&grant.access_sealed)
                .bind(&grant.refresh_sealed)
                .bind(&minted.client_id)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(true)
        })
    }

    /// Forgets pairs from before a time, whatever became of them at Linear.
    pub async fn minted_grants_forget(&self, before: Millis) -> Stored<u64> {
        const SQL: &str = "DELETE FROM minted_grants WHERE minted_at <= $1";
        on!(&self.db, |pool| Ok(sqlx::query(SQL)
            .bind(before)
            .execute(pool)
            .await?
            .rows_affected()))
    }
}
