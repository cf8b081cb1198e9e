//! Storing deliveries in SQLite, on the caller's thread.
//!
//! The rest of the store goes through sqlx, where each statement is handed to another thread and its rows are handed back
//! one by one. Where every delivery waits for the transaction, that costs more than the writing itself.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use super::disk::{Disk, DiskTrouble};
use super::{NewDelivery, SQLITE_BUSY_TIMEOUT, StoreError, Stored, sqlite};

const DELIVERY: &str = "INSERT INTO deliveries (seq, workspace_id, digest, outcome, event, action, subject, actor, entity, headers, delivery_id, \
     secret_id, webhook_timestamp, received_at, took_us, to_do, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
     ?16, ?17) ON CONFLICT (webhook_timestamp, digest, workspace_id) DO NOTHING";
const RECIPIENT: &str = "INSERT INTO delivery_recipients (organisation_id, number, seq) VALUES (?1, ?2, ?2)";
const MESSAGE: &str = "INSERT INTO messages (destination_id, seq, entity, state, attempts, next_at) VALUES (?1, ?2, ?3, 'waiting', 0, 0)";

#[derive(Debug)]
pub(super) struct SqliteIngest {
    disk: Arc<Disk>,
    /// From the first batch on.
    connection: Mutex<Option<Connection>>,
}

impl SqliteIngest {
    pub fn new(disk: Arc<Disk>) -> SqliteIngest {
        SqliteIngest { disk, connection: Mutex::default() }
    }

    /// For each of them: whether it is new. Blocks.
    pub fn put(&self, new: &[NewDelivery]) -> Stored<Vec<bool>> {
        let mut connection = self.connection();
        if let Some(trouble) = self.disk.takes_more() {
            // What was open while another file was there is not used again.
            *connection = None;
            return Err(StoreError::Disk(trouble));
        }
        let stored = put(&mut connection, self.disk.path(), new);
        if let Err(error) = &stored {
            // Whatever is wrong with it, the next one begins anew.
            *connection = None;
            if let Some(trouble) = disk_trouble(error) {
                self.disk.note_failure(trouble);
            }
        }
        let outcomes = stored?;
        // Committed to a file that is not the one at the path is as good as not committed.
        self.disk.same_file()?;
        Ok(outcomes)
    }

    pub fn close(&self) {
        *self.connection() = None;
    }

    fn connection(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an error says about the file or the disk under it.
pub(super) fn disk_trouble(error: &rusqlite::Error) -> Option<DiskTrouble> {
    let code = u32::try_from(error.sqlite_error()?.extended_code).ok()?;
    sqlite::disk_trouble_of(code)
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(SQLITE_BUSY_TIMEOUT)?;
    // As with all connections: on the disk, not in a cache, before it is acknowledged.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn put(connection: &mut Option<Connection>, path: &Path, new: &[NewDelivery]) -> rusqlite::Result<Vec<bool>> {
    let connection = match connection {
        Some(open) => open,
        None => connection.insert(open(path)?),
    };
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let count = new.len() as i64;
    let last: i64 = tx.prepare_cached("UPDATE delivery_log SET last = last + ?1 RETURNING last")?.query_row([count], |row| row.get(0))?;
    let (mut outcomes, mut bytes) = (Vec::with_capacity(new.len()), 0);
    {
        let (mut delivery, mut recipient) = (tx.prepare_cached(DELIVERY)?, tx.prepare_cached(RECIPIENT)?);
        let mut message = tx.prepare_cached(MESSAGE)?;
        for (new, seq) in new.iter().zip(last - count + 1..) {
            let stored = delivery.execute(params![
                seq,
                new.workspace_id,
                new.digest,
                new.outcome,
                new.event,
                new.action,
                new.subject,
                new.actor,
                new.entity,
                new.headers,
                new.delivery_id,
                new.secret_id,
                new.webhook_timestamp,
                new.received_at,
                new.took_us,
                new.to_do,
                &new.body[..],
            ])? == 1;
            outcomes.push(stored);
            if !stored {
                continue;
            }
            bytes += new.body.len() as i64;
            for hears in &new.recipients {
                recipient.execute(params![hears.organisation_id, seq])?;
                for (destination, entity) in &hears.messages {
                    message.execute(params![destination, seq, entity])?;
                }
            }
        }
    }
    tx.prepare_cached("UPDATE delivery_log SET bytes = bytes + ?1")?.execute([bytes])?;
    tx.commit()?;
    Ok(outcomes)
}
