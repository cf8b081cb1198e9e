//! Deliveries: verified webhooks as they came, in the order in which they were committed.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use sqlx::FromRow;

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
    pub seq: i64,
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
        "d.seq, d.workspace_id, d.digest, d.outcome, d.event, d.action, d.subject, d.actor, d.delivery_id, d.secret_id, \
         d.webhook_timestamp, d.received_at, d.took_us, d.repeats, d.repeated_at, \
         CAST(length(d.body) AS BIGINT) AS body_bytes"
    };
}

/// In pieces of 64, 32, 16 … rows, so that the database sees few different statements, however many rows there are.
fn pieces<T>(mut rows: &[T]) -> Vec<&[T]> {
    const PIECE_MAX: usize = 64;
    let mut pieces = Vec::new();
    while !rows.is_empty() {
        let size = PIECE_MAX.min(1 << rows.len().ilog2());
        let (piece, rest) = rows.split_at(size);
        pieces.push(piece);
        rows = rest;
    }
    pieces
}

impl Store {
    /// Stores many deliveries in one transaction. For each: whether somebody has it now who had not before; `false` is a
    /// duplicate.
    ///
    /// Whoever takes numbers holds the counter until the end of the transaction, so numbers become visible in their order:
    /// a reader who has seen one will never miss a smaller one.
    ///
    /// # Errors
    /// When the database fails; whether it wrote is not known then.
    pub async fn deliveries_put(&self, new: &[NewDelivery]) -> Stored<Vec<bool>> {
        let _turn = self.turn_to_write().await;
        on!(&self.db, pool => {
            let mut tx = pool.begin().await?;
            let last: i64 = sqlx::query_scalar("UPDATE counters SET value = value + $1 WHERE name = 'deliveries' RETURNING value")
                .bind(new.len() as i64).fetch_one(&mut *tx).await?;
            let first = last - new.len() as i64 + 1;
            let numbered: Vec<(i64, &NewDelivery)> = (first..).zip(new).collect();
            let mut stored = BTreeSet::new();
            for piece in pieces(&numbered) {
                let mut insert = sqlx::QueryBuilder::new(
                    "INSERT INTO deliveries (seq, workspace_id, digest, outcome, event, action, subject, actor, entity, headers, delivery_id, \
                     secret_id, webhook_timestamp, received_at, took_us, to_do, body) ",
                );
                insert.push_values(piece, |mut row, (seq, new)| {
                    row.push_bind(seq).push_bind(&new.workspace_id).push_bind(new.digest.as_slice()).push_bind(new.outcome)
                        .push_bind(&new.event).push_bind(&new.action).push_bind(&new.subject).push_bind(&new.actor).push_bind(&new.entity)
                        .push_bind(&new.headers).push_bind(&new.delivery_id).push_bind(&new.secret_id).push_bind(new.webhook_timestamp)
                        .push_bind(new.received_at).push_bind(new.took_us).push_bind(new.to_do).push_bind(&new.body[..]);
                });
                insert.push(" ON CONFLICT (workspace_id, digest) DO NOTHING RETURNING seq");
                let seqs: Vec<i64> = insert.build_query_scalar().fetch_all(&mut *tx).await?;
                stored.extend(seqs);
            }
            let mut owned: Vec<(&Recipient, i64)> = numbered.iter().filter(|(seq, _)| stored.contains(seq))
                .flat_map(|(seq, new)| new.recipients.iter().map(move |recipient| (recipient, *seq))).collect();
            for piece in pieces(&owned) {
                let mut insert = sqlx::QueryBuilder::new("INSERT INTO delivery_recipients (organisation_id, seq) ");
                insert.push_values(piece, |mut row, (recipient, seq)| { row.push_bind(&recipient.organisation_id).push_bind(seq); });
                insert.build().execute(&mut *tx).await?;
            }
            let mut outcomes = Vec::with_capacity(new.len());
            for (seq, new) in &numbered {
                let mut is_new = stored.contains(seq);
                if !is_new {
                    let there: Option<i64> = sqlx::query_scalar("UPDATE deliveries SET repeats = repeats + 1, repeated_at = $3 \
                        WHERE workspace_id = $1 AND digest = $2 RETURNING seq")
                        .bind(&new.workspace_id).bind(new.digest.as_slice()).bind(new.received_at).fetch_optional(&mut *tx).await?;
                    for (recipient, there) in new.recipients.iter().zip(there.into_iter().cycle()) {
                        let late = sqlx::query("INSERT INTO delivery_recipients (organisation_id, seq) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                            .bind(&recipient.organisation_id).bind(there).execute(&mut *tx).await?.rows_affected() == 1;
                        if late {
                            owned.push((recipient, there));
                            is_new = true;
                        }
                    }
                }
                outcomes.push(is_new);
            }
            let messages: Vec<(&String, i64, &String)> = owned.iter()
                .flat_map(|(recipient, seq)| recipient.messages.iter().map(|(destination, entity)| (destination, *seq, entity))).collect();
            for piece in pieces(&messages) {
                let mut insert = sqlx::QueryBuilder::new("INSERT INTO messages (destination_id, seq, entity, state, attempts, next_at) ");
                insert.push_values(piece, |mut row, (destination, seq, entity)| {
                    row.push_bind(*destination).push_bind(seq).push_bind(*entity).push("'waiting'").push("0").push("0");
                });
                insert.build().execute(&mut *tx).await?;
            }
            let bytes: usize = numbered.iter().filter(|(seq, _)| stored.contains(seq)).map(|(_, new)| new.body.len()).sum();
            sqlx::query("UPDATE counters SET value = value + $1 WHERE name = 'delivery_bytes'").bind(bytes as i64).execute(&mut *tx).await?;
            let matched: BTreeMap<&str, Millis> =
                new.iter().filter(|new| new.note_match).map(|new| (new.secret_id.as_str(), new.received_at)).collect();
            for (secret, at) in matched {
                sqlx::query("UPDATE webhook_secrets SET matched_at = $2 WHERE id = $1").bind(secret).bind(at).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok(outcomes)
        })
    }

    /// The accepted deliveries of an organisation after this one, the oldest first: `limit` of them, or fewer where their
    /// bodies have more bytes than `bytes_max`, but one at least.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries_after(&self, organisation: &str, after: i64, limit: i64, bytes_max: i64) -> Stored<Vec<DeliveryRow>> {
        const SIZES: &str = "SELECT r.seq, CAST(length(d.body) AS BIGINT) FROM delivery_recipients r JOIN deliveries d ON d.seq = r.seq \
            WHERE r.organisation_id = $1 AND r.seq > $2 AND d.outcome <> 'ignored' ORDER BY r.seq LIMIT $3";
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            ", d.body FROM delivery_recipients r JOIN deliveries d ON d.seq = r.seq \
             WHERE r.organisation_id = $1 AND r.seq > $2 AND r.seq <= $3 AND d.outcome <> 'ignored' ORDER BY r.seq"
        );
        let sizes: Vec<(i64, i64)> =
            on!(&self.db, pool => sqlx::query_as(SIZES).bind(organisation).bind(after).bind(limit).fetch_all(pool).await?);
        let Some((first, _)) = sizes.first() else { return Ok(Vec::new()) };
        let sums = sizes.iter().scan(0, |sum, (seq, size)| {
            *sum += size;
            Some((*seq, *sum))
        });
        let last = sums.take_while(|(_, sum)| *sum <= bytes_max).last().map_or(*first, |(seq, _)| seq);
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
             WHERE r.organisation_id = $1 AND r.seq < $2 AND ($4 = '' OR d.workspace_id = $4) AND ($5 = '' OR d.event = $5) \
             AND ($6 = '' OR d.outcome = $6 OR ($6 = 'duplicate' AND d.repeats > 0)) ORDER BY r.seq DESC LIMIT $7"
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
        const SQL: &str = "SELECT r.seq FROM delivery_recipients r JOIN deliveries d ON d.seq = r.seq \
            WHERE r.organisation_id = $1 AND r.seq >= $2 AND ($3 = '' OR d.workspace_id = $3) AND ($4 = '' OR d.event = $4) \
            AND ($5 = '' OR d.outcome = $5 OR ($5 = 'duplicate' AND d.repeats > 0)) ORDER BY r.seq LIMIT 1 OFFSET $6";
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        on!(&self.db, pool => Ok(sqlx::query_scalar(SQL).bind(organisation).bind(before).bind(text(&filter.workspace))
            .bind(text(&filter.event)).bind(text(&filter.outcome)).bind(limit).fetch_optional(pool).await?))
    }

    /// How many bytes of bodies are kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery_bytes(&self) -> Stored<i64> {
        on!(&self.db, pool => Ok(sqlx::query_scalar("SELECT value FROM counters WHERE name = 'delivery_bytes'").fetch_one(pool).await?))
    }

    /// Forgets the oldest deliveries that came before this time, a bite of them; any, if there are more bytes than `bytes_max`.
    /// Answers how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries_forget(&self, before: Millis, bytes_max: i64, bite: i64) -> Stored<u64> {
        let _turn = self.turn_to_write().await;
        on!(&self.db, pool => {
            let mut tx = pool.begin().await?;
            // Held to the end, so that the bytes are counted right beside those who store.
            let bytes: i64 = sqlx::query_scalar("UPDATE counters SET value = value WHERE name = 'delivery_bytes' RETURNING value")
                .fetch_one(&mut *tx).await?;
            let oldest: Vec<(i64, Millis, i64)> = sqlx::query_as("SELECT seq, received_at, CAST(length(body) AS BIGINT) FROM deliveries ORDER BY seq LIMIT $1")
                .bind(bite).fetch_all(&mut *tx).await?;
            let (mut forgotten, mut freed, mut last) = (0, 0, None);
            for (seq, at, size) in oldest {
                if at >= before && bytes - freed <= bytes_max {
                    break;
                }
                (forgotten, freed, last) = (forgotten + 1, freed + size, Some(seq));
            }
            let Some(last) = last else { return Ok(0) };
            sqlx::query("DELETE FROM delivery_recipients WHERE organisation_id IN (SELECT id FROM organisations) AND seq <= $1")
                .bind(last).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM messages WHERE destination_id IN (SELECT id FROM destinations) AND seq <= $1")
                .bind(last).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM deliveries WHERE seq <= $1").bind(last).execute(&mut *tx).await?;
            sqlx::query("UPDATE counters SET value = value - $1 WHERE name = 'delivery_bytes'").bind(freed).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(forgotten)
        })
    }

    /// When each workspace of an organisation last delivered something: Linear's organization id and the time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries_last(&self, organisation: &str) -> Stored<Vec<(String, Millis)>> {
        const SQL: &str = "SELECT c.workspace_id, (SELECT d.received_at FROM deliveries d WHERE d.workspace_id = c.workspace_id ORDER BY d.seq DESC LIMIT 1) AS at \
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
    /// this user of Linear. Organisation and id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn errand_connections(&self, seq: i64, workspace: &str, viewer: Option<&str>) -> Stored<Vec<(String, String)>> {
        const SQL: &str = "SELECT c.organisation_id, c.id FROM connections c \
            JOIN delivery_recipients r ON r.organisation_id = c.organisation_id AND r.seq = $1 \
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_few_different_sizes_and_lose_nothing() {
        for rows in 0..300 {
            let all: Vec<usize> = (0..rows).collect();
            let cut = pieces(&all);
            assert_eq!(cut.concat(), all);
            assert!(cut.iter().all(|piece| piece.len().is_power_of_two() && piece.len() <= 64));
        }
    }
}
