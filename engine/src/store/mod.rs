//! Everything that is remembered, on SQLite or PostgreSQL: one SQL text for both, and all SQL of Relink.

mod alarm;
mod api_key;
mod app;
mod audit;
mod change;
mod connect_attempt;
mod connection;
mod delivery;
mod destination;
mod grant;
mod ingest;
mod ingest_sqlite;
mod member;
mod message;
mod meta;
mod organisation;
mod people;
mod postgres;
mod recent;
mod refresh;
mod refusal;
mod session;
mod throttle;
mod user;
mod webhook_secret;

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::{Mutex, MutexGuard};

pub use alarm::Broken;
pub use api_key::ApiKeyRow;
pub use app::{AppAdded, AppRemoved, AppRow};
pub use audit::{Act, Actor, AuditCheck, AuditRow};
pub use change::ChangeRow;
pub use connect_attempt::ConnectAttempt;
pub use connection::{Adopted, Adoption};
pub use delivery::{Concerned, DeliveryFilter, DeliveryRow, Errand, NewDelivery, Recipient};
pub use destination::DestinationRow;
pub(crate) use grant::{ACCESS, CONNECTIONS, REFRESH};
pub use grant::{NewGrant, SealedGrant, SupersededGrant};
pub use ingest::BATCH_MAX;
use ingest_sqlite::SqliteIngest;
pub use member::{Member, MemberChange, MemberRow};
pub use message::{ClaimedMessage, MessageRow, Sent};
pub use people::{Account, InviteAdded, InviteRow, LinearPersonRow, LinkRow, Linking, NewInvite};
pub use postgres::Pg;
pub use refresh::{AttemptRow, Due, DueGrant, PutOff, Rotated, Rotation};
pub use refusal::RefusalRow;
pub use session::StoredSession;
pub use throttle::Tries;
pub use user::UserRow;
pub use webhook_secret::{Tenant, WebhookSecretRow};

/// Runs the same body on either pool.
macro_rules! on {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::store::Db::Sqlite($pool) => $body,
            $crate::store::Db::Postgres($pool) => $body,
        }
    };
}
pub(crate) use on;

/// Serialises migrations of several processes that start at once; any number that nobody else uses.
const MIGRATION_LOCK: i64 = 0x52_45_4c_49_4e_4b;

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const POOL_SIZE: u32 = 16;
const PAGE_BYTES: u32 = 8192;

#[derive(Clone, Debug)]
pub enum Db {
    Sqlite(SqlitePool),
    Postgres(Pg),
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database did not do it: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the database did not store it: {0}")]
    Ingest(#[from] rusqlite::Error),
    #[error("the database could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("the database did not answer in time")]
    Timeout,
    /// A row that the code never writes. A person has to look.
    #[error("row {id} of {table} cannot be")]
    Inconsistent { table: &'static str, id: String },
}

impl StoreError {
    /// The database answered, and took offence at what it was given.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, StoreError::Database(sqlx::Error::Database(_)) | StoreError::Ingest(_))
    }
}

pub(crate) type Stored<T> = Result<T, StoreError>;

/// Remembers everything. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
    recent: Arc<recent::Recent>,
    writing: Arc<Mutex<()>>,
    /// Only with SQLite.
    ingest: Option<Arc<SqliteIngest>>,
}

impl Store {
    /// Opens an SQLite file, and makes it, for its owner's eyes only, where there is none.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open_sqlite(path: &Path) -> Stored<Store> {
        use std::os::unix::fs::OpenOptionsExt as _;
        // SQLite gives the files beside it the same permissions.
        let made = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        made.map_err(sqlx::Error::Io)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // A grant that Linear has rotated must be on the disk, not in a cache, before it is used.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(SQLITE_BUSY_TIMEOUT)
            // Webhooks are a little larger than the half of a default page, which would leave the rest of it empty.
            .page_size(PAGE_BYTES)
            // What a statement keeps so that it can be undone would make a file of its own for every batch.
            .pragma("temp_store", "memory");
        // A file does not hang up: asking it before every statement only takes time.
        let pool = SqlitePoolOptions::new().max_connections(POOL_SIZE).acquire_timeout(ACQUIRE_TIMEOUT).test_before_acquire(false);
        let db = Db::Sqlite(pool.connect_with(options).await?);
        let ingest = Some(Arc::new(SqliteIngest::new(path.to_owned())));
        Ok(Store { db, recent: Arc::default(), writing: Arc::default(), ingest })
    }

    /// Opens a PostgreSQL database, `postgres://…`.
    ///
    /// # Errors
    /// When the address makes no sense or nothing answers there.
    pub async fn open_postgres(url: &str) -> Stored<Store> {
        let db = Db::Postgres(Pg::open(url).await?);
        Ok(Store { db, recent: Arc::default(), writing: Arc::default(), ingest: None })
    }

    /// Brings the schema up to date. Safe with any number of processes at once.
    ///
    /// # Errors
    /// When a migration fails or the database holds newer ones than this program knows.
    pub async fn migrate(&self) -> Stored<()> {
        match &self.db {
            Db::Sqlite(pool) => {
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
                unlocked(sqlx::migrate!("../migrations/sqlite")).run_direct(None, &mut *tx, false).await?;
                tx.commit().await?;
            }
            Db::Postgres(pool) => {
                let mut tx = pool.begin().await?;
                // Held to the end of the transaction, so a pooler in transaction mode does not break it.
                sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATION_LOCK).execute(&mut *tx).await?;
                unlocked(sqlx::migrate!("../migrations/postgres")).run_direct(None, &mut *tx, false).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// A turn to write, where writers only get in each other's way: SQLite lets one in and has the others sleep and try
    /// again, which costs more than standing in line.
    async fn turn_to_write(&self) -> Option<MutexGuard<'_, ()>> {
        match self.db {
            Db::Sqlite(_) => Some(self.writing.lock().await),
            Db::Postgres(_) => None,
        }
    }

    /// Grows with everything that this process writes about connections and their secrets.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.recent.changes()
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Stored<()> {
        on!(&self.db, pool => { sqlx::query("SELECT 1").execute(pool).await?; });
        Ok(())
    }

    /// "SQLite" or "PostgreSQL".
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.db {
            Db::Sqlite(_) => "SQLite",
            Db::Postgres(_) => "PostgreSQL",
        }
    }

    /// Hands back all connections; SQLite folds its write-ahead log into the file.
    pub async fn close(&self) {
        if let Some(ingest) = &self.ingest {
            ingest.close();
        }
        on!(&self.db, pool => pool.close().await);
    }
}

/// Without the library's own lock, a session-level one that a transaction-mode pooler breaks: ours is the transaction.
fn unlocked(mut migrator: Migrator) -> Migrator {
    migrator.set_locking(false);
    migrator
}
