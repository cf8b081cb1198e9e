//! Storing deliveries: many in one transaction, each once.
//!
//! Whoever stores raises `delivery_log` first and holds it until the transaction ends. So numbers become visible in their
//! order, over all replicas, and a reader who has seen one will never miss a smaller one.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Db, NewDelivery, Pg, Store, StoreError, Stored, on};

/// Deliveries of one transaction. On PostgreSQL each number of them is a statement of its own, which is prepared once.
pub const BATCH_MAX: usize = 64;

const PATIENCE: Duration = Duration::from_secs(6);

const COLUMNS: &str = "INSERT INTO deliveries (seq, workspace_id, digest, outcome, event, action, subject, actor, entity, headers, delivery_id, \
     secret_id, webhook_timestamp, received_at, took_us, to_do, body) ";
const ONCE: &str = " ON CONFLICT (webhook_timestamp, digest, workspace_id) DO NOTHING RETURNING seq";

const COUNT_REPEAT: &str = "UPDATE deliveries SET repeats = repeats + 1, repeated_at = $4 \
    WHERE webhook_timestamp = $1 AND digest = $2 AND workspace_id = $3 RETURNING seq";
const HEARS_LATE: &str = "INSERT INTO delivery_recipients (organisation_id, number, seq) SELECT $1, $2, $3 WHERE NOT EXISTS \
    (SELECT 1 FROM delivery_recipients WHERE organisation_id = $1 AND (number = $3 OR (seq = $3 AND number <> seq)))";
const MESSAGE: &str = "INSERT INTO messages (destination_id, seq, entity, state, attempts, next_at) VALUES ($1, $2, $3, 'waiting', 0, 0) \
    ON CONFLICT DO NOTHING";

/// One transaction. Its numbers are taken first, as everywhere.
macro_rules! repeated {
    ($pool:ident, $new:ident) => {{
        let mut tx = $pool.begin().await?;
        let count = $new.recipients.len() as i64;
        let last: i64 =
            sqlx::query_scalar("UPDATE delivery_log SET last = last + $1 RETURNING last").bind(count).fetch_one(&mut *tx).await?;
        let there = sqlx::query_scalar(COUNT_REPEAT).bind($new.webhook_timestamp).bind($new.digest.as_slice());
        let there: Option<i64> = there.bind(&$new.workspace_id).bind($new.received_at).fetch_optional(&mut *tx).await?;
        let Some(seq) = there else { return Ok(None) };
        let mut late = false;
        for (recipient, number) in $new.recipients.iter().zip(last - count + 1..) {
            let hears = sqlx::query(HEARS_LATE).bind(&recipient.organisation_id).bind(number).bind(seq);
            if hears.execute(&mut *tx).await?.rows_affected() == 0 {
                continue;
            }
            late = true;
            for (destination, entity) in &recipient.messages {
                sqlx::query(MESSAGE).bind(destination).bind(seq).bind(entity).execute(&mut *tx).await?;
            }
        }
        if late && $new.to_do {
            sqlx::query("UPDATE deliveries SET to_do = TRUE WHERE seq = $1").bind(seq).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(Some(late))
    }};
}

impl Store {
    /// Whether [`Store::deliveries_put`] works on the thread that calls it, instead of waiting for a server.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.ingest.is_some()
    }

    /// Stores at most [`BATCH_MAX`] deliveries. For each: whether it is new. Whoever was told that one is not has
    /// [`Store::delivery_repeated`] to call. Where [`Store::blocks`], it blocks the thread.
    ///
    /// # Errors
    /// When the database fails; whether it wrote is not known then.
    pub async fn deliveries_put(&self, new: &[NewDelivery]) -> Stored<Vec<bool>> {
        let _turn = self.turn_to_write().await;
        match (&self.db, &self.ingest) {
            (Db::Postgres(pool), _) => patiently(put_postgres(pool, new)).await,
            (Db::Sqlite(_), Some(ingest)) => ingest.put(new),
            (Db::Sqlite(_), None) => Err(sqlx::Error::PoolClosed.into()),
        }
    }

    /// Counts a delivery that is there already. True when somebody hears of it who had not before: where organisations share
    /// a workspace, the same body may come under one's secret and under the other's. `None` when it is not there any more.
    ///
    /// # Errors
    /// When the database fails; whether it wrote is not known then.
    pub async fn delivery_repeated(&self, new: &NewDelivery) -> Stored<Option<bool>> {
        let _turn = self.turn_to_write().await;
        patiently(async { on!(&self.db, pool => repeated!(pool, new)) }).await
    }
}

/// A connection into nowhere must not stop everything.
async fn patiently<T>(work: impl Future<Output = Stored<T>>) -> Stored<T> {
    timeout(PATIENCE, work).await.map_err(|_| StoreError::Timeout)?
}

/// One statement after the other, on a connection that is never alone with an open transaction for long: a process that
/// stands still must not keep the others from storing.
async fn put_postgres(pool: &Pg, new: &[NewDelivery]) -> Stored<Vec<bool>> {
    let mut tx = pool.begin().await?;
    sqlx::raw_sql(
        "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '4s'; SET LOCAL idle_in_transaction_session_timeout = '5s'",
    )
    .execute(&mut *tx)
    .await?;
    let last: i64 =
        sqlx::query_scalar("UPDATE delivery_log SET last = last + $1 RETURNING last").bind(new.len() as i64).fetch_one(&mut *tx).await?;
    let before = last - new.len() as i64;
    let numbered: Vec<(i64, &NewDelivery)> = (before + 1..).zip(new).collect();
    let mut insert = sqlx::QueryBuilder::new(COLUMNS);
    insert.push_values(&numbered, |mut row, (seq, new)| {
        row.push_bind(seq)
            .push_bind(&new.workspace_id)
            .push_bind(new.digest.as_slice())
            .push_bind(new.outcome)
            .push_bind(&new.event)
            .push_bind(&new.action)
            .push_bind(&new.subject)
            .push_bind(&new.actor)
            .push_bind(&new.entity)
            .push_bind(&new.headers)
            .push_bind(&new.delivery_id)
            .push_bind(&new.secret_id)
            .push_bind(new.webhook_timestamp)
            .push_bind(new.received_at)
            .push_bind(new.took_us)
            .push_bind(new.to_do)
            .push_bind(&new.body[..]);
    });
    let stored: Vec<i64> = insert.push(ONCE).build_query_scalar().fetch_all(&mut *tx).await?;
    let stored: BTreeSet<usize> = stored.into_iter().filter_map(|seq| usize::try_from(seq - before - 1).ok()).collect();
    let (recipients, messages) = (recipients(new, &stored), messages(new, &stored));
    sqlx::query(
        "INSERT INTO delivery_recipients (organisation_id, number, seq) \
         SELECT j ->> 'o', $2 + (j ->> 'i')::BIGINT, $2 + (j ->> 'i')::BIGINT FROM jsonb_array_elements($1::JSONB) j",
    )
    .bind(recipients)
    .bind(before + 1)
    .execute(&mut *tx)
    .await?;
    if let Some(messages) = messages {
        sqlx::query(
            "INSERT INTO messages (destination_id, seq, entity, state, attempts, next_at) \
             SELECT j ->> 'd', $2 + (j ->> 'i')::BIGINT, j ->> 'e', 'waiting', 0, 0 FROM jsonb_array_elements($1::JSONB) j",
        )
        .bind(messages)
        .bind(before + 1)
        .execute(&mut *tx)
        .await?;
    }
    let bytes: usize = stored.iter().map(|index| new[*index].body.len()).sum();
    sqlx::query("UPDATE delivery_log SET bytes = bytes + $1").bind(bytes as i64).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok((0..new.len()).map(|index| stored.contains(&index)).collect())
}

/// Which organisation hears of which delivery, by its place in the batch.
fn recipients(new: &[NewDelivery], stored: &BTreeSet<usize>) -> String {
    let all = stored
        .iter()
        .flat_map(|index| new[*index].recipients.iter().map(move |recipient| json!({ "o": recipient.organisation_id, "i": index })));
    Value::Array(all.collect()).to_string()
}

/// Which delivery goes to which destination, if any does.
fn messages(new: &[NewDelivery], stored: &BTreeSet<usize>) -> Option<String> {
    let of = |index: &usize| {
        let index = *index;
        new[index]
            .recipients
            .iter()
            .flat_map(|recipient| &recipient.messages)
            .map(move |(destination, entity)| json!({ "d": destination, "i": index, "e": entity }))
    };
    let all: Vec<Value> = stored.iter().flat_map(of).collect();
    (!all.is_empty()).then(|| Value::Array(all).to_string())
}
