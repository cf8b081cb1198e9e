//! SQLite through sqlx, on connections that are closed as soon as they cannot be trusted.
//!
//! When a write fails, SQLite may end the transaction by itself. sqlx does not notice: from then on
//! it counts one transaction too many on that connection, its commits commit nothing, and the write
//! lock is held for good. And a statement that is left before its end hides that its commit failed.
//! So every statement here is run to its end, and once an error says that the file or the disk is
//! in trouble, no connection from before that moment is used again.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use sqlx::pool::PoolConnectionMetadata;
use sqlx::sqlite::{
    SqliteArguments, SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions,
    SqliteQueryResult, SqliteRow, SqliteStatement, SqliteSynchronous, SqliteTypeInfo,
};
use sqlx::{
    Connection as _, Either, Error, Execute, Executor, SqlStr, Sqlite, SqliteConnection,
    SqlitePool, Transaction,
};

use super::disk::{Disk, DiskTrouble};
use super::{ACQUIRE_TIMEOUT, POOL_SIZE, SQLITE_BUSY_TIMEOUT};

const PAGE_BYTES: u32 = 8192;

/// Primary result codes (sqlite.org/rescode.html) after which a connection is not used again.
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;

/// Finds what an error says about the file or the disk under it; `None` if it says nothing about
/// them.
pub(super) fn disk_trouble(error: &Error) -> Option<DiskTrouble> {
    let code = error
        .as_database_error()?
        .try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    let extended: u32 = sqlx::error::DatabaseError::code(code)?.parse().ok()?;
    disk_trouble_of(extended)
}

/// The same for a result code, whose last eight bits are the primary one.
pub(super) fn disk_trouble_of(extended: u32) -> Option<DiskTrouble> {
    match extended & 0xff {
        FULL => Some(DiskTrouble::Full),
        READONLY => Some(DiskTrouble::ReadOnly),
        IOERR | CORRUPT | NOTADB | CANTOPEN => Some(DiskTrouble::Failing),
        _ => None,
    }
}

/// A pool of connections to one SQLite file.
#[derive(Clone, Debug)]
pub struct Lite {
    pool: SqlitePool,
    watch: Watch,
    /// Keeps SQLite's log open, so that it is the same file from the start to the end.
    anchor: Arc<Mutex<Option<rusqlite::Connection>>>,
}

/// Hears of every error on any of the connections.
#[derive(Clone, Debug)]
struct Watch {
    disk: Arc<Disk>,
    /// Connections from before are not used again.
    suspect_before: Arc<Mutex<Option<Instant>>>,
}

impl Watch {
    fn note(&self, error: &Error) {
        let Some(trouble) = disk_trouble(error) else {
            return;
        };
        self.suspect();
        self.disk.note_failure(trouble);
    }

    /// Checks that the file at the path is the same: a connection that was open while another was
    /// there is not used again.
    fn same_file(&self) -> Result<(), Error> {
        self.disk.same_file().inspect_err(|_| self.suspect())
    }

    fn suspect(&self) {
        *self
            .suspect_before
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn trusts(&self, age: Duration) -> bool {
        let since = *self
            .suspect_before
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        since.is_none_or(|since| age < since.elapsed())
    }

    /// A connection that comes back in the middle of a transaction stays in it for good.
    async fn takes_back(
        &self,
        connection: &mut SqliteConnection,
        meta: PoolConnectionMetadata,
    ) -> Result<bool, Error> {
        if !self.trusts(meta.age) {
            return Ok(false);
        }
        if connection.is_in_transaction() {
            // The transaction may just have been dropped: its end stands in the queue before this.
            connection.ping().await?;
        }
        Ok(!connection.is_in_transaction())
    }
}

impl Lite {
    pub(super) async fn open(path: &Path, disk: Arc<Disk>) -> Result<Lite, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // A grant that Linear has rotated must be on the disk, not in a cache, before it is
            // used.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(SQLITE_BUSY_TIMEOUT)
            // Webhooks are a little larger than the half of a default page, which would leave the
            // rest of it empty.
            .page_size(PAGE_BYTES)
            // Of new files: what is forgotten gives its room back. Others only use it again.
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            // What a statement keeps so that it can be undone would make a file of its own for
            // every batch.
            .pragma("temp_store", "memory");
        let watch = Watch {
            disk: disk.clone(),
            suspect_before: Arc::default(),
        };
        let (lent, back) = (watch.clone(), watch.clone());
        let pool = SqlitePoolOptions::new()
            .max_connections(POOL_SIZE)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // A file does not hang up: asking it before every statement only takes time.
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .before_acquire(move |_, meta| {
                let trusted = lent.trusts(meta.age);
                Box::pin(async move { Ok(trusted) })
            })
            .after_release(move |connection, meta| {
                let watch = back.clone();
                Box::pin(async move { watch.takes_back(connection, meta).await })
            });
        let pool = pool.connect_with(options).await?;
        let anchor = anchor(path)
            .inspect_err(|error| tracing::warn!(%error, "the database's log is not kept open"))
            .ok();
        disk.note_log();
        Ok(Lite {
            pool,
            watch,
            anchor: Arc::new(Mutex::new(anchor)),
        })
    }

    pub(super) async fn begin(&self) -> Result<LiteTx, Error> {
        self.begin_as("BEGIN").await
    }

    /// Takes the write lock at once.
    pub(super) async fn begin_immediate(&self) -> Result<LiteTx, Error> {
        self.begin_as("BEGIN IMMEDIATE").await
    }

    async fn begin_as(&self, sql: &'static str) -> Result<LiteTx, Error> {
        self.watch.same_file()?;
        let tx = self
            .pool
            .begin_with(sql)
            .await
            .inspect_err(|error| self.watch.note(error))?;
        Ok(LiteTx(Watched {
            tx,
            watch: self.watch.clone(),
        }))
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
        self.anchor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    /// Writes what is in the log into the file itself. Blocks, for as long as that takes.
    pub(super) fn write_log_into_file(&self) {
        let anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let written = anchor.as_ref().map(|anchor| {
            anchor.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| {
                row.get::<_, i64>(0)
            })
        });
        tracing::error!(
            ?written,
            "the database's log is gone from its path: what was in it is written into the file"
        );
    }

    /// Refuses to write into a file that is not the one at the path: what it takes is gone with it.
    fn may_run(&self, sql: &str) -> Result<(), Error> {
        let reads = sql
            .trim_start()
            .get(..6)
            .is_some_and(|word| word.eq_ignore_ascii_case("select"));
        if reads {
            Ok(())
        } else {
            self.watch.same_file()
        }
    }
}

fn anchor(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let anchor =
        rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // The log is opened with the first look.
    anchor.query_row("SELECT COUNT(*) FROM sqlite_master", [], |row| {
        row.get::<_, i64>(0)
    })?;
    Ok(anchor)
}

type Step = Result<Either<SqliteQueryResult, SqliteRow>, Error>;
type Parts = (SqlStr, Option<SqliteArguments>);

fn parts<'q, E: Execute<'q, Sqlite>>(mut query: E) -> Result<Parts, Error> {
    let arguments = query.take_arguments().map_err(Error::Encode)?;
    Ok((query.sql(), arguments))
}

fn failed<'e>(error: Error) -> BoxStream<'e, Step> {
    stream::once(async move { Err(error) }).boxed()
}

/// The first row of a statement that is run to its end, where an implicit commit may still fail.
async fn first_row(mut steps: BoxStream<'_, Step>) -> Result<Option<SqliteRow>, Error> {
    let mut first = None;
    while let Some(step) = steps.try_next().await? {
        if let Either::Right(row) = step {
            first.get_or_insert(row);
        }
    }
    Ok(first)
}

impl<'p> Executor<'p> for &'_ Lite {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step>
    where
        E: 'q + Execute<'q, Sqlite>,
    {
        let watch = self.watch.clone();
        match parts(query).and_then(|parts| self.may_run(parts.0.as_str()).map(|()| parts)) {
            Ok(parts) => (&self.pool)
                .fetch_many(parts)
                .inspect_err(move |error| watch.note(error))
                .boxed(),
            Err(error) => failed(error),
        }
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<SqliteRow>, Error>>
    where
        E: 'q + Execute<'q, Sqlite>,
    {
        Box::pin(first_row(self.fetch_many(query)))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [SqliteTypeInfo],
    ) -> BoxFuture<'e, Result<SqliteStatement, Error>>
    where
        'p: 'e,
    {
        (&self.pool).prepare_with(sql, parameters)
    }
}

/// A transaction whose errors are heard of.
#[derive(Debug)]
pub(super) struct LiteTx(Watched);

impl LiteTx {
    pub async fn commit(self) -> Result<(), Error> {
        let Watched { tx, watch } = self.0;
        // A file that was replaced meanwhile takes the commit with it.
        watch.same_file()?;
        tx.commit().await.inspect_err(|error| watch.note(error))?;
        watch.same_file()
    }
}

impl Deref for LiteTx {
    type Target = Watched;

    fn deref(&self) -> &Watched {
        &self.0
    }
}

impl DerefMut for LiteTx {
    fn deref_mut(&mut self) -> &mut Watched {
        &mut self.0
    }
}

/// The connection of a transaction.
pub(super) struct Watched {
    tx: Transaction<'static, Sqlite>,
    watch: Watch,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl Deref for Watched {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.tx
    }
}

impl DerefMut for Watched {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }
}

impl<'c> Executor<'c> for &'c mut Watched {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let watch = self.watch.clone();
        match parts(query) {
            Ok(parts) => (&mut *self.tx)
                .fetch_many(parts)
                .inspect_err(move |error| watch.note(error))
                .boxed(),
            Err(error) => failed(error),
        }
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<SqliteRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        Box::pin(first_row(self.fetch_many(query)))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [SqliteTypeInfo],
    ) -> BoxFuture<'e, Result<SqliteStatement, Error>>
    where
        'c: 'e,
    {
        (&mut *self.tx).prepare_with(sql, parameters)
    }
}
