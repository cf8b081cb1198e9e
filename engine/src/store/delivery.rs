//! Deliveries: verified webhooks as they came, in the order in which they were committed.

use bytes::Bytes;
use serde_json::{Value, json};
use sqlx_macros::FromRow;

use super::epoch::given_out;
use super::postgres::transact;
use super::{Db, Store, Stored, on, sound_rows};
use crate::clock::Millis;
use crate::digest::hex;
use crate::names::{column, named};
use crate::webhook::EventKey;

/// The bytes that a row takes beside its texts and its body, and that one of the rows takes that go
/// with it; rather more than less.
const ROW_BYTES: usize = 400;
const SMALL_ROW_BYTES: usize = 150;
/// Pages that SQLite gives back to the disk at a time.
const GIVEN_BACK: i64 = 256;

named! {
    /// The way in which a delivery that is kept was taken.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum DeliveryOutcome {
        Accepted = "accepted",
        /// Linear tried for a while before it came.
        Late = "late",
        /// It is about an app that nobody here is connected through.
        Ignored = "ignored",
    }
}
column!(DeliveryOutcome);

/// A verified webhook, ready to be stored.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub workspace_id: String,
    /// Names the event, whatever webhook it comes through.
    pub key: EventKey,
    /// SHA-256 of the body.
    pub digest: [u8; 32],
    pub outcome: DeliveryOutcome,
    pub event: String,
    pub action: String,
    pub subject: String,
    pub actor: String,
    pub entity: String,
    /// Linear's own headers, as JSON.
    pub headers: String,
    pub delivery_id: Option<String>,
    /// Linear's id of the webhook; may be empty.
    pub webhook: String,
    /// Empty for the app's own.
    pub secret_id: String,
    pub webhook_timestamp: Millis,
    pub received_at: Millis,
    pub took_us: i64,
    pub to_do: bool,
    pub body: Bytes,
    /// The organisations and connections that it is for.
    pub recipients: Vec<RecipientRow>,
}

impl NewDelivery {
    /// About the bytes that it takes in the database, with its rows in other tables and all
    /// indexes.
    #[must_use]
    pub fn weight(&self) -> i64 {
        let texts = [
            &self.workspace_id,
            &self.event,
            &self.action,
            &self.subject,
            &self.actor,
            &self.entity,
            &self.headers,
        ];
        let texts: usize = texts.into_iter().map(String::len).sum();
        let messages: usize = self
            .recipients
            .iter()
            .map(|recipient| 1 + recipient.messages.len())
            .sum();
        i64::try_from(self.body.len() + texts + ROW_BYTES + messages * SMALL_ROW_BYTES)
            .unwrap_or(i64::MAX)
    }

    /// The way that it came, as the row keeps it.
    #[must_use]
    pub fn through(&self) -> String {
        format!("{}/{}", self.webhook, self.secret_id)
    }

    /// Writes it as the function `deliveries_put` of PostgreSQL's schema reads it.
    pub(super) fn item(&self, place: u32) -> Value {
        let recipients = self.recipients.iter().map(|recipient| {
            json!({ "organisation": recipient.organisation_id, "messages": recipient.messages })
        });
        json!({
            "i": place, "key": hex(&self.key), "digest": hex(&self.digest),
            "workspace": self.workspace_id, "outcome": self.outcome.name(),
            "event": self.event, "action": self.action, "subject": self.subject,
            "actor": self.actor, "entity": self.entity,
            "headers": self.headers, "delivery_id": self.delivery_id, "secret": self.secret_id,
            "sent_at": self.webhook_timestamp, "received_at": self.received_at,
            "took_us": self.took_us, "to_do": self.to_do, "weight": self.weight(),
            "through": self.through(), "recipients": recipients.collect::<Vec<_>>(),
        })
    }
}

/// An organisation that a delivery is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientRow {
    pub organisation_id: String,
    /// The destinations that it is handed on to, each with what keeps its events in order, or
    /// nothing.
    pub messages: Vec<(String, String)>,
}

/// A stored delivery as an organisation may see it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Delivery {
    /// The number of the delivery.
    pub seq: i64,
    /// Its place in the order in which the organisation hears of them.
    pub number: i64,
    pub workspace_id: String,
    pub digest: Vec<u8>,
    pub outcome: DeliveryOutcome,
    pub event: String,
    pub action: String,
    pub subject: String,
    pub actor: String,
    pub delivery_id: Option<String>,
    pub secret_id: String,
    /// The webhooks that it came through: "webhook/secret", separated by spaces. Empty where that
    /// was not noted.
    pub through: String,
    pub webhook_timestamp: Millis,
    pub received_at: Millis,
    pub took_us: i64,
    pub repeats: i64,
    pub repeated_at: Option<Millis>,
    /// The size of the whole body, which may be cut here.
    pub body_bytes: i64,
    pub body: Vec<u8>,
}

/// The last delivery of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LastDelivery {
    pub workspace_id: String,
    pub at: Millis,
    secret_id: String,
    through: String,
}

impl LastDelivery {
    /// Says whether it came through the own webhook of the Linear app.
    #[must_use]
    pub fn by_app(&self) -> bool {
        self.secret_id.is_empty() || ways(&self.through).any(|(_, secret)| secret.is_empty())
    }

    /// Says whether it came through a webhook of the workspace's own.
    #[must_use]
    pub fn by_own(&self) -> bool {
        !self.secret_id.is_empty() || ways(&self.through).any(|(_, secret)| !secret.is_empty())
    }
}

/// The webhooks that an event came through, each with the secret that signed it, or nothing for the
/// app's own.
pub fn ways(through: &str) -> impl Iterator<Item = (&str, &str)> {
    through.split(' ').filter_map(|way| way.split_once('/'))
}

/// A connection that an event speaks of.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AffectedConnection {
    pub organisation_id: String,
    pub connection_id: String,
    /// The app that it goes through, unless that is the operator's.
    pub app_id: Option<String>,
    pub client_id: Option<String>,
}

/// An event about the connection itself that is still to be acted on.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PendingEvent {
    pub seq: i64,
    pub workspace_id: String,
    /// Empty for the app's own.
    pub secret_id: String,
    pub webhook_timestamp: Millis,
    pub body: Vec<u8>,
}

named! {
    /// The outcomes that a page of deliveries may be narrowed to.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum OutcomeFilter {
        Accepted = "accepted",
        Late = "late",
        /// Deliveries that came more than once, however they were taken.
        Duplicate = "duplicate",
        Ignored = "ignored",
    }
}

/// The deliveries that a page shows.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Linear's organization id.
    pub workspace: Option<String>,
    pub event: Option<String>,
    pub outcome: Option<OutcomeFilter>,
}

/// Everything that a delivery's outcome can be, as a table: what is asked for without one is looked
/// for in each.
pub(super) fn outcomes() -> String {
    let rows = DeliveryOutcome::ALL.map(|outcome| format!("('{}')", outcome.name()));
    format!("(VALUES {}) AS o", rows.join(", "))
}

macro_rules! columns {
    () => {
        "d.seq, r.number, d.workspace_id, d.digest, d.outcome, d.event, d.action, d.subject, \
            d.actor, d.delivery_id, d.secret_id, d.through, \
            d.webhook_timestamp, d.received_at, d.took_us, d.repeats, d.repeated_at, \
            CAST(length(d.body) AS BIGINT) AS body_bytes"
    };
}
pub(super) const COLUMNS: &str = columns!();

/// The bytes that deliveries take in the database as the counter knows them; of old rows only their
/// body was counted.
macro_rules! weight {
    () => {
        "CAST(COALESCE(SUM(COALESCE(weight, length(body))), 0) AS BIGINT)"
    };
}

/// The row that whoever forgets holds first and to the end. Whoever stores does without it.
macro_rules! hold_space {
    ($tx:ident) => {
        sqlx::query("UPDATE delivery_space SET freed = freed")
            .execute(&mut *$tx)
            .await?
    };
}

impl Store {
    /// The accepted deliveries of an organisation after this one, the oldest first: `limit` of
    /// them, or fewer where their bodies have more bytes than `bytes_max`, but one at least.
    pub async fn deliveries_after(
        &self,
        organisation: &str,
        after: i64,
        limit: i64,
        bytes_max: i64,
    ) -> Stored<Vec<Delivery>> {
        const SIZES: &str = "SELECT r.number, CAST(length(d.body) AS BIGINT) FROM \
            delivery_recipients r JOIN deliveries d ON d.seq = r.seq \
            WHERE r.organisation_id = $1 AND r.number > $2 AND d.outcome <> 'ignored' AND d.seq > \
            (SELECT pruned_to FROM delivery_log) \
            ORDER BY r.number LIMIT $3";
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            ", d.body FROM delivery_recipients r JOIN deliveries d ON d.seq = r.seq \
                WHERE r.organisation_id = $1 AND r.number > $2 AND r.number <= $3 AND d.outcome <> \
                'ignored' \
                AND d.seq > (SELECT pruned_to FROM delivery_log) ORDER BY r.number"
        );
        let sizes: Vec<(i64, i64)> = on!(&self.db, |pool| sqlx::query_as(SIZES)
            .bind(organisation)
            .bind(after)
            .bind(limit)
            .fetch_all(pool)
            .await?);
        let Some((first, _)) = sizes.first() else {
            return Ok(Vec::new());
        };
        let sums = sizes.iter().scan(0, |sum, (number, size)| {
            *sum += size;
            Some((*number, *sum))
        });
        let last = sums
            .take_while(|(_, sum)| *sum <= bytes_max)
            .last()
            .map_or(*first, |(number, _)| number);
        on!(&self.db, |pool| Ok(sound_rows(
            &sqlx::query(SQL)
                .bind(organisation)
                .bind(after)
                .bind(last)
                .fetch_all(pool)
                .await?
        )))
    }

    /// The body of a delivery; `None` when it was pruned.
    pub async fn delivery_body(&self, seq: i64) -> Stored<Option<Vec<u8>>> {
        on!(&self.db, |pool| Ok(sqlx::query_scalar(
            "SELECT body FROM deliveries WHERE seq = $1 AND seq > (SELECT pruned_to FROM \
                delivery_log)"
        )
        .bind(seq)
        .fetch_optional(pool)
        .await?))
    }

    /// Finds the delivery that has an organisation's number; `None` where there is none, or its
    /// body is not kept any more.
    pub async fn delivery_kept(&self, organisation: &str, number: i64) -> Stored<Option<i64>> {
        const SQL: &str = "SELECT seq FROM delivery_recipients WHERE organisation_id = $1 AND \
            number = $2 \
            AND seq > (SELECT pruned_to FROM delivery_log)";
        on!(&self.db, |pool| Ok(sqlx::query_scalar(SQL)
            .bind(organisation)
            .bind(number)
            .fetch_optional(pool)
            .await?))
    }

    /// Finds the first and the last of the newest `count` deliveries of an organisation that are
    /// kept; `None` where there are none.
    pub async fn deliveries_newest(
        &self,
        organisation: &str,
        count: i64,
    ) -> Stored<Option<(i64, i64)>> {
        // A number is never below its seq, so what was pruned is not even read.
        const SQL: &str = "SELECT MIN(newest.seq), MAX(newest.seq) FROM (SELECT seq FROM \
            delivery_recipients WHERE organisation_id = $1 \
            AND number > (SELECT pruned_to FROM delivery_log) AND seq > (SELECT pruned_to FROM \
            delivery_log) \
            ORDER BY number DESC LIMIT $2) AS newest";
        let (from, to): (Option<i64>, Option<i64>) = on!(&self.db, |pool| sqlx::query_as(SQL)
            .bind(organisation)
            .bind(count)
            .fetch_one(pool)
            .await?);
        Ok(from.zip(to))
    }

    /// Counts the bytes that the kept deliveries take.
    pub async fn delivery_bytes(&self) -> Stored<i64> {
        const SQL: &str = "SELECT bytes - (SELECT freed FROM delivery_space) FROM delivery_log";
        on!(&self.db, |pool| Ok(sqlx::query_scalar(SQL)
            .fetch_one(pool)
            .await?))
    }

    /// The greatest number of deliveries that may be kept: as many as there are numbers from the
    /// oldest to the newest.
    pub async fn deliveries_span(&self) -> Stored<i64> {
        const SQL: &str = given_out!("deliveries");
        on!(&self.db, |pool| Ok(sqlx::query_scalar(SQL)
            .fetch_one(pool)
            .await?))
    }

    /// Forgets the oldest deliveries that came before this time, a bite of them. Messages go with
    /// them. Answers how many.
    pub async fn deliveries_forget(&self, before: Millis, bite: i64) -> Stored<u64> {
        // Up to the first that is younger: one row that a wrong clock dated takes no other with it.
        const OLDEST: &str = "SELECT MAX(seq) FROM (SELECT seq, MAX(received_at) OVER (ORDER BY \
            seq) AS newest FROM \
            (SELECT seq, received_at FROM deliveries ORDER BY seq LIMIT $1) AS bite) AS dated \
            WHERE newest < $2";
        let last: Option<i64> = on!(&self.db, |pool| sqlx::query_scalar(OLDEST)
            .bind(bite)
            .bind(before)
            .fetch_one(pool)
            .await?);
        Ok(self.deliveries_drop(last.unwrap_or(0)).await?.0)
    }

    /// Makes room: while all deliveries together take more bytes than this, the oldest go, a bite
    /// of them, and the messages that wait for them. Answers how many deliveries went, and how many
    /// messages were given up for it.
    pub async fn deliveries_prune(&self, bytes_max: i64, bite: i64) -> Stored<(u64, u64)> {
        // The first of them that together are enough.
        const OLDEST: &str = "SELECT MAX(seq) FROM (SELECT seq, size, SUM(size) OVER (ORDER BY \
            seq) AS together FROM \
            (SELECT seq, COALESCE(weight, length(body)) AS size FROM deliveries ORDER BY seq LIMIT \
            $1) AS bite) AS summed \
            WHERE together - size < $2";
        let excess = self.delivery_bytes().await? - bytes_max;
        if excess <= 0 {
            return Ok((0, 0));
        }
        let last: Option<i64> = on!(&self.db, |pool| sqlx::query_scalar(OLDEST)
            .bind(bite)
            .bind(excess)
            .fetch_one(pool)
            .await?);
        self.deliveries_drop(last.unwrap_or(0)).await
    }

    /// Forgets the deliveries up to this one. Their digests stay. Answers how many they were, and
    /// how many messages still waited.
    async fn deliveries_drop(&self, last: i64) -> Stored<(u64, u64)> {
        const SPACE: &str = concat!(
            "UPDATE delivery_space SET freed = freed + (SELECT ",
            weight!(),
            " FROM deliveries WHERE seq <= $1)"
        );
        const GIVEN_UP: &str = "UPDATE destinations SET given_up = given_up + \
            (SELECT COUNT(*) FROM messages m WHERE m.destination_id = destinations.id AND m.seq <= \
            $1 AND m.state = 'waiting') \
            WHERE EXISTS (SELECT 1 FROM messages m WHERE m.destination_id = destinations.id AND \
            m.seq <= $1 AND m.state = 'waiting')";
        const RECIPIENTS: &str = "DELETE FROM delivery_recipients WHERE organisation_id IN (SELECT \
            id FROM organisations) \
            AND (number <= $1 OR (seq <= $1 AND number <> seq))";
        if last == 0 {
            return Ok((0, 0));
        }
        let _turn = self.turn_to_write().await;
        transact!(self, |tx| {
            hold_space!(tx);
            sqlx::query(SPACE).bind(last).execute(&mut *tx).await?;
            // First of all what whoever stores may want to count: it passes over what is being
            // forgotten.
            let gone = sqlx::query("DELETE FROM deliveries WHERE seq <= $1")
                .bind(last)
                .execute(&mut *tx)
                .await?
                .rows_affected();
            let waiting: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM messages WHERE seq <= $1 AND state = 'waiting'",
            )
            .bind(last)
            .fetch_one(&mut *tx)
            .await?;
            if waiting > 0 {
                sqlx::query(GIVEN_UP).bind(last).execute(&mut *tx).await?;
            }
            sqlx::query(RECIPIENTS).bind(last).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM messages WHERE seq <= $1")
                .bind(last)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok((gone, waiting.unsigned_abs()))
        })
    }

    /// Forgets events that came before this time, a bite of them: Linear sends none of them again.
    /// Answers how many.
    pub async fn events_forget(&self, before: Millis, bite: i64) -> Stored<u64> {
        const SQL: &str = "DELETE FROM delivery_digests WHERE seq <= (SELECT MAX(seq) FROM \
            (SELECT seq, at FROM delivery_digests ORDER BY seq LIMIT $1) AS bite WHERE at < $2)";
        let _turn = self.turn_to_write().await;
        on!(&self.db, |pool| Ok(sqlx::query(SQL)
            .bind(bite)
            .bind(before)
            .execute(pool)
            .await?
            .rows_affected()))
    }

    /// The greatest number of events that may be remembered: as many as there are numbers from the
    /// oldest to the newest.
    pub async fn events_span(&self) -> Stored<i64> {
        const SQL: &str = given_out!("delivery_digests");
        on!(&self.db, |pool| Ok(sqlx::query_scalar(SQL)
            .fetch_one(pool)
            .await?))
    }

    /// Has the room of what was deleted used again. SQLite does so by itself, and gives pages back
    /// where many are free.
    pub async fn deliveries_tidy(&self) -> Stored<()> {
        const VACUUM: &str = "VACUUM (SKIP_LOCKED, TRUNCATE FALSE) deliveries, \
            delivery_recipients, delivery_digests, messages";
        match &self.db {
            Db::Postgres(pool) => drop(pool.at_once(VACUUM.to_owned()).await?),
            Db::Sqlite(pool) => {
                let free: i64 = sqlx::query_scalar("PRAGMA freelist_count")
                    .fetch_one(pool)
                    .await?;
                let all: i64 = sqlx::query_scalar("PRAGMA page_count")
                    .fetch_one(pool)
                    .await?;
                // What comes next takes the rest.
                if free > GIVEN_BACK.max(all / 4) {
                    let _turn = self.turn_to_write().await;
                    sqlx::query("PRAGMA incremental_vacuum(256)")
                        .fetch_all(pool)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Finds the last delivery of each workspace of an organisation.
    pub async fn deliveries_last(&self, organisation: &str) -> Stored<Vec<LastDelivery>> {
        let outcomes = outcomes();
        let sql = format!(
            "SELECT d.workspace_id, d.received_at AS at, d.secret_id, d.through FROM connections c \
                JOIN deliveries d ON d.seq = \
                (SELECT MAX((SELECT l.seq FROM deliveries l WHERE l.workspace_id = c.workspace_id \
                AND l.outcome = o.column1 \
                AND EXISTS (SELECT 1 FROM delivery_recipients r WHERE r.organisation_id = \
                c.organisation_id AND r.number = l.seq) \
                ORDER BY -l.seq LIMIT 1)) FROM {outcomes}) WHERE c.organisation_id = $1"
        );
        on!(&self.db, |pool| Ok(sqlx::query_as(sqlx::AssertSqlSafe(
            sql
        ))
        .bind(organisation)
        .fetch_all(pool)
        .await?))
    }

    /// Events about connections that nobody has acted on yet, the oldest first.
    pub async fn connection_events(&self, limit: i64) -> Stored<Vec<PendingEvent>> {
        const SQL: &str = "SELECT seq, workspace_id, secret_id, webhook_timestamp, body FROM \
            deliveries WHERE to_do ORDER BY seq LIMIT $1";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(limit)
            .fetch_all(pool)
            .await?))
    }

    /// The connections that a delivery speaks of: of its recipients, and to its workspace. With
    /// `viewer`, those that act as this user of Linear.
    pub async fn event_connections(
        &self,
        seq: i64,
        workspace: &str,
        viewer: Option<&str>,
    ) -> Stored<Vec<AffectedConnection>> {
        const SQL: &str = "SELECT c.organisation_id, c.id AS connection_id, a.id AS app_id, \
            a.client_id FROM connections c \
            LEFT JOIN apps a ON a.id = c.app_id JOIN delivery_recipients r ON r.organisation_id = \
            c.organisation_id AND r.seq = $1 \
            WHERE c.workspace_id = $2 AND ($3 = '' OR c.viewer_id = $3) ORDER BY c.id";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(seq)
            .bind(workspace)
            .bind(viewer.unwrap_or_default())
            .fetch_all(pool)
            .await?))
    }

    /// Notes that somebody acted on it.
    pub async fn event_done(&self, seq: i64) -> Stored<()> {
        on!(&self.db, |pool| {
            sqlx::query("UPDATE deliveries SET to_do = FALSE WHERE seq = $1")
                .bind(seq)
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}
