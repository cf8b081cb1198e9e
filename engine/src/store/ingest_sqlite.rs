//! Storing deliveries in SQLite, on the caller's thread.
//!
//! The rest of the store goes through sqlx, where each statement is handed to another thread and
//! its rows are handed back one by one. Where every delivery waits for the transaction, that costs
//! more than the writing itself.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{
    CachedStatement, Connection, OpenFlags, OptionalExtension as _, Transaction,
    TransactionBehavior, params,
};

use super::disk::{Disk, DiskTrouble};
use super::epoch::{self, Left};
use super::{NewDelivery, Put, SQLITE_BUSY_TIMEOUT, StoreError, Stored, sqlite};

const PLACE: &str = "SELECT last, COALESCE((SELECT epoch FROM delivery_epochs WHERE ended_at IS \
    NULL), '') FROM delivery_log";
const TAKE: &str = "INSERT INTO delivery_digests (seq, digest, at) SELECT ?1, ?2, ?4 \
    WHERE NOT EXISTS (SELECT 1 FROM delivery_digests WHERE digest = ?3) ON CONFLICT DO NOTHING";
const DELIVERY: &str = "INSERT INTO deliveries (seq, workspace_id, digest, outcome, event, action, \
    subject, actor, entity, headers, delivery_id, \
    secret_id, webhook_timestamp, received_at, took_us, to_do, weight, through, body) VALUES (?1, \
    ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
    ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) ON CONFLICT DO NOTHING";
const RECIPIENT: &str = "INSERT INTO delivery_recipients (organisation_id, number, seq) VALUES \
    (?1, ?2, ?2)";
const MESSAGE: &str = "INSERT INTO messages (destination_id, seq, entity, state, attempts, \
    next_at) VALUES (?1, ?2, ?3, 'waiting', 0, 0) \
    ON CONFLICT DO NOTHING";
const KNOWN: &str = "SELECT seq, through FROM deliveries WHERE seq IN (SELECT seq FROM \
    delivery_digests WHERE digest IN (?1, ?2)) LIMIT 1";
const HEARS_LATE: &str = "INSERT INTO delivery_recipients (organisation_id, number, seq) SELECT \
    ?1, ?2, ?3 WHERE NOT EXISTS \
    (SELECT 1 FROM delivery_recipients WHERE organisation_id = ?1 AND (number = ?3 OR (seq = ?3 \
    AND number <> seq)))";
const REPEATED: &str = "UPDATE deliveries SET repeats = repeats + 1, repeated_at = ?2, through = \
    ?3, to_do = to_do OR ?4 WHERE seq = ?1";
/// The number of webhooks that one event came through beyond which no more are noted.
const THROUGH_MAX: usize = 1_000;

#[derive(Debug)]
pub(super) struct SqliteIngest {
    disk: Arc<Disk>,
    writer: Mutex<Writer>,
}

#[derive(Debug, Default)]
struct Writer {
    /// The connection, from the first batch on.
    connection: Option<Connection>,
    /// The point that was left, from the first number on.
    left: Option<Left>,
}

impl SqliteIngest {
    pub fn new(disk: Arc<Disk>) -> SqliteIngest {
        SqliteIngest {
            disk,
            writer: Mutex::default(),
        }
    }

    /// Notes where the numbers of the file are now, by this process.
    pub fn went_on_from(&self, left: Left) {
        self.writer().left = Some(left);
    }

    /// See [`super::Store::deliveries_put`]. Blocks.
    pub fn put(&self, new: &[NewDelivery]) -> Stored<Put> {
        let mut writer = self.writer();
        if let Some(trouble) = self.disk.takes_more() {
            // What was open while another file was there is not used again.
            writer.connection = None;
            return Err(StoreError::Disk(trouble));
        }
        let stored = put(&mut writer, self.disk.path(), new);
        if let Err(error) = &stored {
            // Whatever is wrong with it, the next one begins anew.
            writer.connection = None;
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
        self.writer().connection = None;
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds what an error says about the file or the disk under it.
pub(super) fn disk_trouble(error: &rusqlite::Error) -> Option<DiskTrouble> {
    let code = u32::try_from(error.sqlite_error()?.extended_code).ok()?;
    sqlite::disk_trouble_of(code)
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(SQLITE_BUSY_TIMEOUT)?;
    // As with all connections: on the disk, not in a cache, before it is acknowledged.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn put(writer: &mut Writer, path: &Path, new: &[NewDelivery]) -> rusqlite::Result<Put> {
    let connection = match &mut writer.connection {
        Some(open) => open,
        none => none.insert(open(path)?),
    };
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let epoch = epoch_of(&tx, writer.left.as_ref())?;
    let count = new.len() as i64;
    let last: i64 = tx
        .prepare_cached("UPDATE delivery_log SET last = last + ?1 RETURNING last")?
        .query_row([count], |row| row.get(0))?;
    let (mut fresh, mut bytes) = (Vec::with_capacity(new.len()), 0);
    for (new, seq) in new.iter().zip(last - count + 1..) {
        let stored = put_one(&tx, seq, new)?;
        bytes += if stored { new.weight() } else { 0 };
        fresh.push(stored || repeat(&tx, seq, new)?);
    }
    let kept = tx
        .prepare_cached(
            "UPDATE delivery_log SET bytes = bytes + ?1 RETURNING bytes - (SELECT freed FROM \
                delivery_space)",
        )?
        .query_row([bytes], |row| row.get(0))?;
    tx.commit()?;
    writer.left = Some(Left { last, epoch });
    Ok(Put { fresh, kept })
}

/// The present epoch: a new one where the file is not as this process left it, but another copy of
/// it.
fn epoch_of(tx: &Transaction<'_>, left: Option<&Left>) -> rusqlite::Result<String> {
    let found = tx.prepare_cached(PLACE)?.query_row([], |row| {
        Ok(Left {
            last: row.get(0)?,
            epoch: row.get(1)?,
        })
    })?;
    let Some(left) = left.filter(|left| !left.may_be_at(&found)) else {
        return Ok(found.epoch);
    };
    let epoch: String = tx.query_row("SELECT lower(hex(randomblob(16)))", [], |row| row.get(0))?;
    let behind = left.behind(&found);
    tx.execute(epoch::RAISE, [behind])?;
    tx.execute(epoch::END, [found.last])?;
    tx.execute(epoch::DROP_EMPTY, [])?;
    tx.execute(epoch::BEGIN, params![behind, epoch])?;
    tracing::warn!(
        "another copy of the database was put in the place of the one that was served: cursors of \
            lost deliveries expire"
    );
    Ok(epoch)
}

/// `false`: the event is known.
fn put_one(tx: &Transaction<'_>, seq: i64, new: &NewDelivery) -> rusqlite::Result<bool> {
    if tx
        .prepare_cached(TAKE)?
        .execute(params![seq, new.key, new.digest, new.received_at])?
        == 0
    {
        return Ok(false);
    }
    let values = params![
        seq,
        new.workspace_id,
        new.digest,
        new.outcome.name(),
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
        new.weight(),
        new.through(),
        &new.body[..],
    ];
    if tx.prepare_cached(DELIVERY)?.execute(values)? == 0 {
        return Ok(false);
    }
    let (mut recipient, mut message) = (tx.prepare_cached(RECIPIENT)?, tx.prepare_cached(MESSAGE)?);
    for hears in &new.recipients {
        recipient.execute(params![hears.organisation_id, seq])?;
        hand_on(&mut message, seq, &hears.messages)?;
    }
    Ok(true)
}

/// Counts an event that is known. `true`: somebody hears of it who had not before, under the number
/// that it did not need.
fn repeat(tx: &Transaction<'_>, number: i64, new: &NewDelivery) -> rusqlite::Result<bool> {
    let known = tx
        .prepare_cached(KNOWN)?
        .query_row(params![new.key, new.digest], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((seq, mut through)): Option<(i64, String)> = known else {
        return Ok(false);
    };
    let (mut hears_late, mut message) =
        (tx.prepare_cached(HEARS_LATE)?, tx.prepare_cached(MESSAGE)?);
    let mut heard = false;
    for hears in &new.recipients {
        if hears_late.execute(params![hears.organisation_id, number, seq])? == 1 {
            heard = true;
            hand_on(&mut message, seq, &hears.messages)?;
        }
    }
    let way = new.through();
    if through.len() <= THROUGH_MAX && !through.split(' ').any(|known| known == way) {
        through = format!("{through} {way}").trim_start().to_owned();
    }
    tx.prepare_cached(REPEATED)?.execute(params![
        seq,
        new.received_at,
        through,
        heard && new.to_do
    ])?;
    Ok(heard)
}

fn hand_on(
    message: &mut CachedStatement<'_>,
    seq: i64,
    messages: &[(String, String)],
) -> rusqlite::Result<()> {
    for (destination, entity) in messages {
        message.execute(params![destination, seq, entity])?;
    }
    Ok(())
}
