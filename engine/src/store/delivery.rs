//! Deliveries: verified webhooks as they came, in the order in which they were committed.

use bytes::Bytes;
use sqlx::FromRow;

use super::postgres::transact;
use super::{Store, Stored, on};
use crate::clock::Millis;

/// A verified webhook, ready to be stored.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub workspace_id: String,
    /// SHA-256 of the body.
    pub digest: [u8; 32],
    /// "accepted", "late" or "ignored".
    pub outcome: &'static str,
    pub event: String,
    pub action: String,
    pub subject: String,
    pub actor: String,
    pub entity: String,
    /// Linear's own headers, as JSON.
    pub headers: String,
    pub delivery_id: Option<String>,
    /// Empty for the app's own.
    pub secret_id: String,
    /// Write down that the secret matched.
    pub note_match: bool,
    pub webhook_timestamp: Millis,
    pub received_at: Millis,
    pub took_us: i64,
    pub to_do: bool,
    pub body: Bytes,
    /// Whose it is.
    pub recipients: Vec<Recipient>,
}

/// An organisation that a delivery is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub organisation_id: String,
    /// The destinations that it is handed on to, each with what keeps its events in order, or nothing.
    pub messages: Vec<(String, String)>,
}

/// A stored delivery as an organisation may see it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DeliveryRow {
    /// Which delivery it is.
    pub seq: i64,
    /// Its place in the order in which the organisation hears of them.
    pub number: i64,
    pub workspace_id: String,
    pub digest: Vec<u8>,
    pub outcome: String,
    pub event: String,
    pub action: String,
    pub subject: String,
    pub actor: String,
    pub delivery_id: Option<String>,
    pub secret_id: String,
    pub webhook_timestamp: Millis,
    pub received_at: Millis,
    pub took_us: i64,
    pub repeats: i64,
    pub repeated_at: Option<Millis>,
    /// Of the whole body, which may be cut here.
    pub body_bytes: i64,
    pub body: Vec<u8>,
}

/// A connection that an event speaks of.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Concerned {
    pub organisation_id: String,
    pub connection_id: String,
    /// Of the app that it goes through, unless that is the operator's.
    pub client_id: Option<String>,
}

/// An event about the connection itself that is still to be acted on.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Errand {
    pub seq: i64,
    pub workspace_id: String,
    /// Empty for the app's own.
    pub secret_id: String,
    pub webhook_timestamp: Millis,
    pub body: Vec<u8>,
}

/// Which deliveries a page shows.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Linear's organization id.
    pub workspace: Option<String>,
    pub event: Option<String>,
    /// "accepted", "late", "ignored", or "duplicate" for those that came more than once.
    pub outcome: Option<String>,
}

macro_rules! columns {
    () => {
        "d.seq, r.number, d.workspace_id, d.digest, d.outcome, d.event, d.action, d.subject, d.actor, d.delivery_id, d.secret_id, \
         d.webhook_timestamp, d.received_at, d.took_us, d.repeats, d.repeated_at, \
         CAST(length(d.body) AS BIGINT) AS body_bytes"
    };
}

/// The row that whoever stores or forgets holds first and to the end, so that nobody waits for somebody who waits.
macro_rules! hold_log {
    ($tx:ident) => {
        sqlx::query("UPDATE delivery_log SET last = last").execute(&mut *$tx).await?
    };
}

impl Store {
    /// The accepted deliveries of an organisation after this one, the oldest first: `limit` of them, or fewer where their
    /// bodies have more bytes than `bytes_max`, but one at least.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries_after(&self, organisation: &str, after: i64, limit: i64, bytes_max: i64) -> Stored<Vec<DeliveryRow>> {
        const SIZES: &str = "SELECT r.number, CAST(length(d.body) AS BIGINT) FROM delivery_recipients r JOIN deliveries d ON d.seq = r.seq \
            WHERE r.organisation_id = $1 AND r.number > $2 AND d.outcome <> 'ignored' AND d.seq > (SELECT pruned_to FROM delivery_log) \
            ORDER BY r.number LIMIT $3";
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            ", d.body FROM delivery_recipients r JOIN deliveries d ON d.seq = r.seq \
             WHERE r.organisation_id = $1 AND r.number > $2 AND r.number <= $3 AND d.outcome <> 'ignored' \
             AND d.seq > (SELECT pruned_to FROM delivery_log) ORDER BY r.number"
        );
        let sizes: Vec<(i64, i64)> =
            on!(&self.db, pool => sqlx::query_as(SIZES).bind(organisation).bind(after).bind(limit).fetch_all(pool).await?);
        let Some((first, _)) = sizes.first() else { return Ok(Vec::new()) };
        let sums = sizes.iter().scan(0, |sum, (number, size)| {
            *sum += size;
            Some((*number, *sum))
        });
        let last = sums.take_while(|(_, sum)| *sum <= bytes_max).last().map_or(*first, |(number, _)| number);
        on!(&self.db, pool => Ok(sqlx::query_as(SQL).bind(organisation).bind(after).bind(last).fetch_all(pool).await?))
    }

    /// The deliveries of an organisation before this one, the newest first, with at most `head` bytes of each body.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries_before(
        &self,
        organisation: &str,
        filter: &DeliveryFilter,
        before: i64,
        head: i64,
        limit: i64,
    ) -> Stored<Vec<DeliveryRow>> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            ", substr(d.body, 1, $3) AS body FROM delivery_recipients r JOIN deliveries d ON d.seq = r.seq \
             WHERE r.organisation_id = $1 AND d.seq > (SELECT pruned_to FROM delivery_log) AND r.number < $2 AND ($4 = '' OR d.workspace_id = $4) AND ($5 = '' OR d.event = $5) \
             AND ($6 = '' OR d.outcome = $6 OR ($6 = 'duplicate' AND d.repeats > 0)) ORDER BY r.number DESC LIMIT $7"
        );
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        on!(&self.db, pool => Ok(sqlx::query_as(SQL).bind(organisation).bind(before).bind(i32::try_from(head).unwrap_or(i32::MAX))
            .bind(text(&filter.workspace)).bind(text(&filter.event)).bind(text(&filter.outcome)).bind(limit)
            .fetch_all(pool).await?))
    }

    /// Where the page of `limit` deliveries ends that comes before the one that starts below `before`, as the `before` of that
    /// page. `None`: it is the newest page.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries_newer(&self, organisation: &str, filter: &DeliveryFilter, before: i64, limit: i64) -> Stored<Option<i64>> {
        const SQL: &str = "SELECT r.number FROM delivery_recipients r JOIN deliveries d ON d.seq = r.seq \
            WHERE r.organisation_id = $1 AND d.seq > (SELECT pruned_to FROM delivery_log) AND r.number >= $2 AND ($3 = '' OR d.workspace_id = $3) AND ($4 = '' OR d.event = $4) \
            AND ($5 = '' OR d.outcome = $5 OR ($5 = 'duplicate' AND d.repeats > 0)) ORDER BY r.number LIMIT 1 OFFSET $6";
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        on!(&self.db, pool => Ok(sqlx::query_scalar(SQL).bind(organisation).bind(before).bind(text(&filter.workspace))
            .bind(text(&filter.event)).bind(text(&filter.outcome)).bind(limit).fetch_optional(pool).await?))
    }

    /// The body of a delivery; `None` when it was pruned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery_body(&self, seq: i64) -> Stored<Option<Vec<u8>>> {
        on!(&self.db, pool => Ok(sqlx::query_scalar("SELECT body FROM deliveries WHERE seq = $1 AND seq > (SELECT pruned_to FROM delivery_log)").bind(seq).fetch_optional(pool).await?))
    }

    /// Which delivery an organisation's number is; `None` where there is none, or its body is not kept any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery_kept(&self, organisation: &str, number: i64) -> Stored<Option<i64>> {
        const SQL: &str = "SELECT seq FROM delivery_recipients WHERE organisation_id = $1 AND number = $2 \
            AND seq > (SELECT pruned_to FROM delivery_log)";
        on!(&self.db, pool => Ok(sqlx::query_scalar(SQL).bind(organisation).bind(number).fetch_optional(pool).await?))
    }

    /// From where to where the newest `count` deliveries of an organisation go that are kept; `None` where there are none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries_newest(&self, organisation: &str, count: i64) -> Stored<Option<(i64, i64)>> {
        // A number is never below its seq, so what was pruned is not even read.
        const SQL: &str = "SELECT MIN(newest.seq), MAX(newest.seq) FROM (SELECT seq FROM delivery_recipients WHERE organisation_id = $1 \
            AND number > (SELECT pruned_to FROM delivery_log) AND seq > (SELECT pruned_to FROM delivery_log) \
            ORDER BY number DESC LIMIT $2) AS newest";
        let (from, to): (Option<i64>, Option<i64>) =
            on!(&self.db, pool => sqlx::query_as(SQL).bind(organisation).bind(count).fetch_one(pool).await?);
        Ok(from.zip(to))
    }

    /// How many bytes of bodies are kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery_bytes(&self) -> Stored<i64> {
        on!(&self.db, pool => Ok(sqlx::query_scalar("SELECT bytes FROM delivery_log").fetch_one(pool).await?))
    }

    /// Forgets the oldest deliveries that came before this time, a bite of them. Messages go with them. Answers how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries_forget(&self, before: Millis, bite: i64) -> Stored<u64> {
        const OLDEST: &str = "SELECT MAX(seq), COUNT(*), CAST(COALESCE(SUM(length(body)), 0) AS BIGINT) FROM deliveries \
            WHERE received_at < $2 AND seq IN (SELECT seq FROM deliveries ORDER BY seq LIMIT $1)";
        let _turn = self.turn_to_write().await;
        transact!(self, tx => {
            hold_log!(tx);
            let (last, count, bytes): (Option<i64>, i64, i64) = sqlx::query_as(OLDEST).bind(bite).bind(before).fetch_one(&mut *tx).await?;
            let Some(last) = last else { return Ok(0) };
            sqlx::query("DELETE FROM delivery_recipients WHERE organisation_id IN (SELECT id FROM organisations) AND number <= $1")
                .bind(last).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM messages WHERE seq <= $1").bind(last).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM deliveries WHERE seq <= $1").bind(last).execute(&mut *tx).await?;
            sqlx::query("UPDATE delivery_log SET bytes = bytes - $1").bind(bytes).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(count.unsigned_abs())
        })
    }

    /// Makes room: while there are more bytes than this, the bodies of the oldest deliveries go, a bite of them. The rows stay,
    /// so that Linear's retries are still known as duplicates; messages that wait for a body are parked. Answers how many
    /// deliveries lost their body, and how many messages were parked for it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries_prune(&self, bytes_max: i64, bite: i64) -> Stored<(u64, u64)> {
        // The first of them whose bodies together are enough.
        const OLDEST: &str = "SELECT MAX(seq), COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM \
            (SELECT seq, size, SUM(size) OVER (ORDER BY seq) AS together FROM (SELECT seq, length(body) AS size FROM deliveries \
            WHERE seq > (SELECT pruned_to FROM delivery_log) ORDER BY seq LIMIT $1) AS bite) AS summed \
            WHERE together - size < (SELECT bytes FROM delivery_log) - $2";
        const PARK: &str = "UPDATE messages SET state = 'parked', last_answer = 'the delivery was not kept for so long' \
            WHERE seq > (SELECT pruned_to FROM delivery_log) AND seq <= $1 AND state = 'waiting' AND claimed_by IS NULL";
        let _turn = self.turn_to_write().await;
        transact!(self, tx => {
            hold_log!(tx);
            let oldest = sqlx::query_as(OLDEST).bind(bite).bind(bytes_max).fetch_one(&mut *tx).await?;
            let (Some(last), pruned, freed): (Option<i64>, i64, i64) = oldest else { return Ok((0, 0)) };
            let parked = sqlx::query(PARK).bind(last).execute(&mut *tx).await?.rows_affected();
            sqlx::query("UPDATE deliveries SET body = $2 WHERE seq > (SELECT pruned_to FROM delivery_log) AND seq <= $1")
                .bind(last).bind(&b""[..]).execute(&mut *tx).await?;
            sqlx::query("UPDATE delivery_log SET bytes = bytes - $1, pruned_to = $2").bind(freed).bind(last).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok((pruned.unsigned_abs(), parked))
        })
    }

    /// When each workspace of an organisation last delivered something: Linear's organization id and the time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries_last(&self, organisation: &str) -> Stored<Vec<(String, Millis)>> {
        const SQL: &str = "SELECT c.workspace_id, (SELECT d.received_at FROM deliveries d WHERE d.workspace_id = c.workspace_id \
             AND EXISTS (SELECT 1 FROM delivery_recipients r WHERE r.organisation_id = c.organisation_id AND r.number = d.seq) \
             ORDER BY d.seq DESC LIMIT 1) AS at \
            FROM connections c WHERE c.organisation_id = $1";
        let rows: Vec<(String, Option<Millis>)> = on!(&self.db, pool => sqlx::query_as(SQL).bind(organisation).fetch_all(pool).await?);
        Ok(rows.into_iter().filter_map(|(workspace, at)| Some((workspace, at?))).collect())
    }

    /// Events about connections that nobody has acted on yet, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn errands(&self, limit: i64) -> Stored<Vec<Errand>> {
        const SQL: &str = "SELECT seq, workspace_id, secret_id, webhook_timestamp, body FROM deliveries WHERE to_do ORDER BY seq LIMIT $1";
        on!(&self.db, pool => Ok(sqlx::query_as(SQL).bind(limit).fetch_all(pool).await?))
    }

    /// The connections that a delivery speaks of: of its recipients, and to its workspace. With `viewer`, those that act as
    /// this user of Linear.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn errand_connections(&self, seq: i64, workspace: &str, viewer: Option<&str>) -> Stored<Vec<Concerned>> {
        const SQL: &str = "SELECT c.organisation_id, c.id AS connection_id, a.client_id FROM connections c \
            LEFT JOIN apps a ON a.id = c.app_id JOIN delivery_recipients r ON r.organisation_id = c.organisation_id AND r.seq = $1 \
            WHERE c.workspace_id = $2 AND ($3 = '' OR c.viewer_id = $3) ORDER BY c.id";
        on!(&self.db, pool => Ok(sqlx::query_as(SQL).bind(seq).bind(workspace).bind(viewer.unwrap_or_default()).fetch_all(pool).await?))
    }

    /// Somebody acted on it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn errand_done(&self, seq: i64) -> Stored<()> {
        on!(&self.db, pool => { sqlx::query("UPDATE deliveries SET to_do = FALSE WHERE seq = $1").bind(seq).execute(pool).await?; });
        Ok(())
    }
}
