//! Destinations that deliveries are handed on to.

use sqlx_macros::FromRow;

use super::audit::{note, noted};
use super::postgres::transact;
use super::{Act, LONGEST_REST, LONGEST_WAIT, Store, Stored, on};
use crate::clock::Millis;

/// The mark that more than one message was refused: it is not the message.
pub const SEVERAL: i64 = -1;

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DestinationRow {
    pub id: String,
    pub organisation_id: String,
    pub url: String,
    /// Types of events, separated by spaces; empty for all.
    pub events: String,
    pub ordered: bool,
    pub secret_sealed: Vec<u8>,
    pub last_four: String,
    pub paused_at: Option<Millis>,
    pub paused_because: Option<String>,
    pub failing_since: Option<Millis>,
    /// Milliseconds, added up from one failure to the next.
    pub failing_for: Millis,
    /// The part of `failing_for` that had passed when it last refused a message at its first try.
    pub failing_new: Millis,
    /// The one message that it refused since it last took any, or [`SEVERAL`].
    pub refused_seq: Option<i64>,
    /// The time until which it is left alone.
    pub next_at: Millis,
    pub last_status: Option<i64>,
    pub last_answer: Option<String>,
    pub last_at: Option<Millis>,
    pub last_ok_at: Option<Millis>,
    /// Messages that waited until their deliveries were kept no more.
    pub given_up: i64,
    pub created_at: Millis,
}

impl DestinationRow {
    /// A destination for all events, in no order, that nothing was sent to yet. Its secret is still
    /// to be put in.
    #[must_use]
    pub fn new(id: &str, organisation: &str, url: &str, now: Millis) -> DestinationRow {
        DestinationRow {
            id: id.to_owned(),
            organisation_id: organisation.to_owned(),
            url: url.to_owned(),
            events: String::new(),
            ordered: false,
            secret_sealed: Vec::new(),
            last_four: String::new(),
            paused_at: None,
            paused_because: None,
            failing_since: None,
            failing_for: 0,
            failing_new: 0,
            refused_seq: None,
            next_at: 0,
            last_status: None,
            last_answer: None,
            last_at: None,
            last_ok_at: None,
            given_up: 0,
            created_at: now,
        }
    }

    /// Gives its address without the query, which may hold a key.
    #[must_use]
    pub fn place(&self) -> String {
        self.url
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .to_owned()
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, organisation_id, url, events, ordered, secret_sealed, last_four, \
                paused_at, paused_because, failing_since, failing_for, failing_new, \
                refused_seq, next_at, last_status, last_answer, last_at, last_ok_at, given_up, \
                created_at FROM destinations ",
            $rest
        )
    };
}

impl Store {
    /// The destinations of an organisation, the oldest first.
    pub async fn destinations(&self, organisation: &str) -> Stored<Vec<DestinationRow>> {
        const SQL: &str = select!("WHERE organisation_id = $1 ORDER BY created_at, id");
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .fetch_all(pool)
            .await?))
    }

    /// The destinations that may hear of a workspace: of every organisation that connected it.
    pub async fn destinations_by_workspace(&self, workspace: &str) -> Stored<Vec<DestinationRow>> {
        const SQL: &str = select!(
            "WHERE organisation_id IN (SELECT organisation_id FROM connections WHERE workspace_id \
                = $1) ORDER BY created_at, id"
        );
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(workspace)
            .fetch_all(pool)
            .await?))
    }

    /// The destinations that are not paused and have messages to be sent now, the one that waited
    /// longest first.
    pub async fn destinations_due(&self, now: Millis) -> Stored<Vec<DestinationRow>> {
        const SQL: &str = select!(
            "WHERE paused_at IS NULL AND (next_at <= $1 OR next_at > $1 + $2) AND (EXISTS (SELECT \
                1 FROM messages m \
                WHERE m.destination_id = destinations.id AND m.state = 'waiting' AND m.next_at <= \
                $1 AND m.claimed_by IS NULL AND m.entity = '') \
                OR EXISTS (SELECT 1 FROM messages m WHERE m.destination_id = destinations.id AND \
                m.state = 'waiting' AND m.entity <> '' \
                AND (m.next_at <= $1 OR m.next_at > $1 + $3) AND m.claimed_by IS NULL)) ORDER BY \
                COALESCE(last_at, 0), id"
        );
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(now)
            .bind(LONGEST_REST)
            .bind(LONGEST_WAIT)
            .fetch_all(pool)
            .await?))
    }

    /// Adds a destination, unless the organisation has `max` of them already. `false`: it has.
    pub async fn destination_add(&self, new: &DestinationRow, max: i64, act: &Act) -> Stored<bool> {
        const SQL: &str = "INSERT INTO destinations (id, organisation_id, url, events, ordered, \
            secret_sealed, last_four, created_by, created_at) \
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 WHERE (SELECT COUNT(*) FROM destinations \
            WHERE organisation_id = $2) < $10";
        let _stale = self.recent.stale_after(&new.id);
        noted!(
            self,
            act,
            sqlx::query(SQL)
                .bind(&new.id)
                .bind(&new.organisation_id)
                .bind(&new.url)
                .bind(&new.events)
                .bind(new.ordered)
                .bind(&new.secret_sealed)
                .bind(&new.last_four)
                .bind(&act.actor.user_id)
                .bind(new.created_at)
                .bind(max)
        )
    }

    /// Removes a destination and what was on its way to it. `false`: there is none.
    ///
    /// # Errors
    /// When the database fails; nothing is removed then.
    pub async fn destination_remove(&self, id: &str, act: &Act) -> Stored<bool> {
        let _stale = self.recent.stale_after(id);
        let _turn = self.turn_to_write().await;
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            let removed =
                sqlx::query("DELETE FROM destinations WHERE organisation_id = $1 AND id = $2")
                    .bind(&act.organisation_id)
                    .bind(id)
                    .execute(&mut *tx)
                    .await?;
            if removed.rows_affected() == 0 {
                return Ok(false);
            }
            sqlx::query("DELETE FROM messages WHERE destination_id = $1")
                .bind(id)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(true)
        })
    }

    /// Stops sending to a destination. What comes meanwhile waits.
    pub async fn destination_pause(&self, id: &str, because: &str, act: &Act) -> Stored<bool> {
        const SQL: &str = "UPDATE destinations SET paused_at = $3, paused_because = $4 WHERE \
            organisation_id = $1 AND id = $2 AND paused_at IS NULL";
        noted!(
            self,
            act,
            sqlx::query(SQL)
                .bind(&act.organisation_id)
                .bind(id)
                .bind(act.at)
                .bind(because)
        )
    }

    /// Sends to it again, beginning with what waits, all of it now.
    pub async fn destination_resume(&self, id: &str, act: &Act) -> Stored<bool> {
        let _turn = self.turn_to_write().await;
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            let resumed = sqlx::query(
                "UPDATE destinations SET paused_at = NULL, paused_because = NULL, failing_since = \
                    NULL, failing_for = 0, failing_new = 0, \
                    refused_seq = NULL, next_at = 0 WHERE organisation_id = $1 AND id = $2",
            )
            .bind(&act.organisation_id)
            .bind(id)
            .execute(&mut *tx)
            .await?;
            if resumed.rows_affected() == 0 {
                return Ok(false);
            }
            sqlx::query(
                "UPDATE messages SET next_at = $2, first_at = NULL, attempts = 0 WHERE \
                    destination_id = $1 AND state = 'waiting'",
            )
            .bind(id)
            .bind(act.at)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(true)
        })
    }
}
