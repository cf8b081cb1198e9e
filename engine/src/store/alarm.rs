//! Breaks of connections that somebody has to be told about.

use sqlx_macros::FromRow;

use super::{Store, Stored, on};
use crate::clock::{Millis, SECOND};

/// The time after which a connection that was given up has been looked at again.
const MAY_PASS: Millis = 25 * SECOND;

/// A connection that needs a reconnect.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Broken {
    pub organisation_id: String,
    pub connection_id: String,
    pub workspace_name: String,
    /// The time since when it has been so.
    pub state_since: Millis,
}

impl Store {
    /// Takes the breaks that nobody was told about yet: of several processes that ask, each gets
    /// others. What Linear's API alone says, and may take back, is told a little later.
    pub async fn alarms_take(&self, now: Millis, limit: i64) -> Stored<Vec<Broken>> {
        const SQL: &str = "UPDATE connections SET alarmed_for = state_since WHERE state = \
            'reconnect_required' \
            AND (alarmed_for IS NULL OR alarmed_for <> state_since) AND id IN (SELECT id FROM \
            connections \
            WHERE state = 'reconnect_required' AND (alarmed_for IS NULL OR alarmed_for <> \
            state_since) \
            AND (reason <> 'revoked' OR evidence IS NULL OR state_since NOT BETWEEN $1 AND $2) \
            ORDER BY organisation_id, id LIMIT $3) \
            RETURNING organisation_id, id AS connection_id, workspace_name, state_since";
        let mut taken: Vec<Broken> = on!(&self.db, |pool| sqlx::query_as(SQL)
            .bind(now - MAY_PASS)
            .bind(now)
            .bind(limit)
            .fetch_all(pool)
            .await?);
        taken.sort_by(|one, other| one.workspace_name.cmp(&other.workspace_name));
        Ok(taken)
    }

    /// Breaks that nobody could be told about; they are taken again.
    pub async fn alarms_put_back(&self, broken: &[Broken]) -> Stored<()> {
        const SQL: &str = "UPDATE connections SET alarmed_for = NULL WHERE id = $1 AND alarmed_for \
            = $2";
        for one in broken {
            on!(&self.db, |pool| {
                sqlx::query(SQL)
                    .bind(&one.connection_id)
                    .bind(one.state_since)
                    .execute(pool)
                    .await?;
            });
        }
        Ok(())
    }
}
