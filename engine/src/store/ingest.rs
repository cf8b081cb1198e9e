//! Storing deliveries: many in one transaction, each once.
//!
//! Whoever stores raises `delivery_log` first and holds it until the transaction ends. So numbers become visible in their
//! order, over all replicas, and a reader who has seen one will never miss a smaller one.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Db, NewDelivery, Pg, Store, StoreError, Stored, on};

/// Rows of one statement. Each number of rows is a statement of its own, which is prepared once.
pub const BATCH_MAX: usize = 64;

const PATIENCE: Duration = Duration::from_secs(6);

const COLUMNS: &str = "INSERT INTO deliveries (seq, workspace_id, digest, outcome, event, action, subject, actor, entity, headers, delivery_id, \
     secret_id, webhook_timestamp, received_at, took_us, to_do, body) ";
const ONCE: &str = " ON CONFLICT (webhook_timestamp, digest, workspace_id) DO NOTHING RETURNING ";

/// Binds the columns of a delivery after its number.
macro_rules! bind_delivery {
    ($row:ident, $new:ident) => {
        $row.push_bind(&$new.workspace_id)
            .push_bind($new.digest.as_slice())
            .push_bind($new.outcome)
            .push_bind(&$new.event)
            .push_bind(&$new.action)
            .push_bind(&$new.subject)
            .push_bind(&$new.actor)
            .push_bind(&$new.entity)
            .push_bind(&$new.headers)
            .push_bind(&$new.delivery_id)
            .push_bind(&$new.secret_id)
            .push_bind($new.webhook_timestamp)
            .push_bind($new.received_at)
            .push_bind($new.took_us)
            .push_bind($new.to_do)
            .push_bind(&$new.body[..])
    };
}

impl Store {
    /// Stores at most [`BATCH_MAX`] deliveries. For each: whether somebody has it now who had not before; `false` is a
    /// duplicate.
    ///
    /// # Errors
    /// When the database fails; whether it wrote is not known then.
    pub async fn deliveries_put(&self, new: &[NewDelivery]) -> Stored<Vec<bool>> {
        let _turn = self.turn_to_write().await;
        let stored = match &self.db {
            Db::Sqlite(pool) => put_sqlite(pool, new).await?,
            // A connection into nowhere must not stop everything. SQLite's work is done in this process and ends by itself.
            Db::Postgres(pool) => timeout(PATIENCE, put_postgres(pool, new)).await.map_err(|_| StoreError::Timeout)??,
        };
        let mut outcomes = Vec::with_capacity(new.len());
        for (index, new) in new.iter().enumerate() {
            outcomes.push(stored.contains(&index) || self.delivery_repeated(new).await?);
        }
        Ok(outcomes)
    }

    /// Counts a delivery that is there already. True when somebody hears of it who had not before: where organisations share
    /// a workspace, the same body may come under one's secret and under the other's.
    async fn delivery_repeated(&self, new: &NewDelivery) -> Stored<bool> {
        const COUNT: &str = "UPDATE deliveries SET repeats = repeats + 1, repeated_at = $4 \
            WHERE webhook_timestamp = $1 AND digest = $2 AND workspace_id = $3 RETURNING seq";
        const HEARS: &str = "INSERT INTO delivery_recipients (organisation_id, number, seq) SELECT $1, $2, $3 WHERE NOT EXISTS \
            (SELECT 1 FROM delivery_recipients WHERE organisation_id = $1 AND (number = $3 OR (seq = $3 AND number <> seq)))";
        const MESSAGE: &str = "INSERT INTO messages (destination_id, seq, entity, state, attempts, next_at) VALUES ($1, $2, $3, 'waiting', 0, 0) \
            ON CONFLICT DO NOTHING";
        on!(&self.db, pool => {
            let mut tx = pool.begin().await?;
            let number: i64 = sqlx::query_scalar("UPDATE delivery_log SET last = last + 1 RETURNING last").fetch_one(&mut *tx).await?;
            let there: Option<i64> = sqlx::query_scalar(COUNT).bind(new.webhook_timestamp).bind(new.digest.as_slice()).bind(&new.workspace_id)
                .bind(new.received_at).fetch_optional(&mut *tx).await?;
            let Some(seq) = there else { return Err(StoreError::Timeout) };
            let mut late = false;
            for (recipient, number) in new.recipients.iter().zip(number..) {
                if sqlx::query(HEARS).bind(&recipient.organisation_id).bind(number).bind(seq).execute(&mut *tx).await?.rows_affected() == 0 {
                    continue;
                }
                late = true;
                for (destination, entity) in &recipient.messages {
                    sqlx::query(MESSAGE).bind(destination).bind(seq).bind(entity).execute(&mut *tx).await?;
                }
            }
            if late && new.to_do {
                sqlx::query("UPDATE deliveries SET to_do = TRUE WHERE seq = $1").bind(seq).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok(late)
        })
    }
}

/// One statement after the other, on a connection that is never alone with an open transaction for long: a process that
/// stands still must not keep the others from storing.
async fn put_postgres(pool: &Pg, new: &[NewDelivery]) -> Stored<BTreeSet<usize>> {
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
        row.push_bind(seq);
        bind_delivery!(row, new);
    });
    let stored: Vec<i64> = insert.push(ONCE).push("seq").build_query_scalar().fetch_all(&mut *tx).await?;
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
    Ok(stored)
}

/// All of the transaction in one text: each statement of its own would cost two ways between threads.
async fn put_sqlite(pool: &sqlx::SqlitePool, new: &[NewDelivery]) -> Stored<BTreeSet<usize>> {
    const LAST: &str = "(SELECT last FROM delivery_log)";
    let all: BTreeSet<usize> = (0..new.len()).collect();
    let mut sql = sqlx::QueryBuilder::<sqlx::Sqlite>::new("BEGIN IMMEDIATE; ");
    sql.push(COLUMNS);
    sql.push_values(new.iter().enumerate(), |mut row, (index, new)| {
        row.push(format_args!("{LAST} + {}", index + 1));
        bind_delivery!(row, new);
    });
    sql.push(ONCE).push("seq - ").push(LAST).push(" - 1; ");
    // Of those that were there before, nothing is found under the new numbers.
    sql.push("INSERT INTO delivery_recipients (organisation_id, number, seq) SELECT j.value ->> 'o', d.seq, d.seq FROM json_each(");
    sql.push_bind(recipients(new, &all));
    sql.push(") j CROSS JOIN deliveries d ON d.seq = ").push(LAST).push(" + 1 + (j.value ->> 'i'); ");
    if let Some(messages) = messages(new, &all) {
        sql.push("INSERT INTO messages (destination_id, seq, entity, state, attempts, next_at) ");
        sql.push("SELECT j.value ->> 'd', d.seq, j.value ->> 'e', 'waiting', 0, 0 FROM json_each(");
        sql.push_bind(messages);
        sql.push(") j CROSS JOIN deliveries d ON d.seq = ").push(LAST).push(" + 1 + (j.value ->> 'i'); ");
    }
    sql.push("UPDATE delivery_log SET bytes = bytes + (SELECT COALESCE(SUM(length(body)), 0) FROM deliveries WHERE seq > ").push(LAST);
    sql.push(format_args!("), last = last + {}; COMMIT", new.len()));
    let mut connection = pool.acquire().await?;
    let stored: Result<Vec<i64>, sqlx::Error> = sql.build_query_scalar().fetch_all(&mut *connection).await;
    if stored.is_err() {
        // It may be in the middle of the transaction, which ends with it.
        connection.close_on_drop();
    }
    Ok(stored?.into_iter().filter_map(|index| usize::try_from(index).ok()).collect())
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
