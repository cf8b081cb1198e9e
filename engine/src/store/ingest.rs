//! Storing deliveries: many in one transaction, each event once.
//!
//! Whoever stores raises `delivery_log` first and holds it until the transaction ends. So numbers
//! become visible in their order, over all replicas, and a reader who has seen one will never miss
//! a smaller one. On PostgreSQL the transaction is one message to the server, which ends it
//! whatever becomes of whoever sent it: a process that stands still holds up nobody.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use sqlx::Row as _;
use tokio::time::timeout;

use super::{Db, NewDelivery, Pg, Store, StoreError, Stored};
use crate::digest::hex;

/// Deliveries of one transaction.
pub const BATCH_MAX: usize = 64;

const PATIENCE: Duration = Duration::from_secs(6);
/// Whatever the server is set to: what is acknowledged is on its disk.
const ALONE: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = \
    '3s'; SET LOCAL statement_timeout = '4s'; \
    SELECT set_config('synchronous_commit', 'on', TRUE) WHERE \
    current_setting('synchronous_commit') <> 'remote_apply'; ";

/// False while a dump is being restored: without its trigger, `delivery_log` gives out once more
/// what the database of before gave.
macro_rules! has_trigger {
    () => {
        "EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = 'delivery_log'::regclass AND tgname = \
            'delivery_log_elsewhere')"
    };
}
const WHOLE: &str = concat!(" WHERE ", has_trigger!());

/// The result of storing deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// Says for each whether somebody has it now who had not before.
    pub fresh: Vec<bool>,
    /// Bytes that all deliveries together take now.
    pub kept: i64,
}

impl Store {
    /// Whether [`Store::deliveries_put`] works on the thread that calls it, instead of waiting for
    /// a server.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.ingest.is_some()
    }

    /// Tells whether the database is whole enough to number deliveries. While a dump is being
    /// restored it is not, and a workspace that is missing may still come.
    pub async fn gives_numbers(&self) -> Stored<bool> {
        match &self.db {
            Db::Sqlite(_) => Ok(true),
            Db::Postgres(pool) => {
                const SQL: &str = concat!(
                    "SELECT EXISTS (SELECT 1 FROM meta WHERE key = 'canary') AND ",
                    has_trigger!()
                );
                Ok(sqlx::query_scalar(SQL).fetch_one(pool).await?)
            }
        }
    }

    /// Stores at most [`BATCH_MAX`] deliveries. An event that is there already is counted, and
    /// given to those who had not heard of it: where organisations share a workspace, it may come
    /// under one's secret and under the other's. Where [`Store::blocks`], it blocks the thread.
    ///
    /// # Errors
    /// When the database fails; whether it wrote is not known then.
    pub async fn deliveries_put(&self, new: &[NewDelivery]) -> Stored<Put> {
        let _turn = self.turn_to_write().await;
        match (&self.db, &self.ingest) {
            // A connection into nowhere must not stop everything.
            (Db::Postgres(pool), _) => timeout(PATIENCE, put_postgres(pool, new))
                .await
                .map_err(|_| StoreError::Timeout)?,
            (Db::Sqlite(_), Some(ingest)) => ingest.put(new),
            (Db::Sqlite(_), None) => Err(sqlx::Error::PoolClosed.into()),
        }
    }
}

async fn put_postgres(pool: &Pg, new: &[NewDelivery]) -> Stored<Put> {
    let rows = pool.at_once(statement(new)).await?;
    let last = rows.last().ok_or(sqlx::Error::RowNotFound)?;
    let fresh: String = last.try_get("fresh")?;
    Ok(Put {
        fresh: fresh.bytes().map(|digit| digit == b'1').collect(),
        kept: last.try_get("kept")?,
    })
}

/// Everything that came from outside is in hexadecimal: nothing of it is ever read as SQL.
fn statement(new: &[NewDelivery]) -> String {
    let items: Vec<Value> = new
        .iter()
        .zip(1..)
        .map(|(new, place)| new.item(place))
        .collect();
    let items = hex(Value::Array(items).to_string().as_bytes());
    let mut sql = format!(
        "{ALONE}SELECT fresh, kept FROM deliveries_put(convert_from(decode('{items}', 'hex'), \
            'UTF8')::JSONB, ARRAY["
    );
    for (place, new) in new.iter().enumerate() {
        let comma = if place > 0 { ", " } else { "" };
        let _ = write!(sql, "{comma}decode('{}', 'hex')", hex(&new.body));
    }
    sql.push_str("]::BYTEA[])");
    sql.push_str(WHOLE);
    sql
}
