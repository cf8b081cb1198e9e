//! Everything that is remembered, on SQLite or PostgreSQL: one SQL text for both, and all SQL of
//! Relink.

mod alarm;
mod api_key;
mod app;
mod attempt;
mod audit;
mod change;
mod checkup;
mod connect_attempt;
mod connection;
mod delivery;
mod delivery_page;
mod destination;
mod disk;
mod epoch;
mod grant;
mod grant_cache;
mod ingest;
mod ingest_sqlite;
mod member;
mod message;
mod meta;
mod minted_grant;
mod organisation;
mod people;
mod postgres;
mod proof;
mod refresh;
mod refusal;
mod serve_lock;
mod session;
mod sqlite;
mod throttle;
mod user;
mod voiding;
mod webhook_secret;
mod whole;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use sqlx::migrate::Migrator;
use tokio::sync::{Mutex, MutexGuard};

pub use alarm::Broken;
pub use api_key::ApiKeyRow;
pub use app::{AppAdded, AppRemoved, AppRow};
pub(crate) use attempt::STOPPED;
pub use attempt::{Attempts, TakenAttempt};
pub use audit::{Act, AuditActor, AuditCheck, AuditEntry, AuditHead, AuditKey};
pub use change::ChangeRow;
pub use checkup::Checkup;
pub use connect_attempt::ConnectAttempt;
pub use connection::{Adopted, Adoption, GivenUp};
pub use delivery::{
    AffectedConnection, Delivery, DeliveryFilter, DeliveryOutcome, LastDelivery, NewDelivery,
    OutcomeFilter, PendingEvent, RecipientRow, ways,
};
pub use destination::{DestinationRow, SEVERAL};
use disk::Disk;
pub use disk::{DiskTrouble, Opener};
pub use epoch::{Cursor, CursorCheck};

pub(crate) use grant::{ACCESS, CONNECTIONS, REFRESH};
pub use grant::{NewGrant, SealedGrant, SupersededGrant};
pub use ingest::{BATCH_MAX, Put};
use ingest_sqlite::SqliteIngest;
pub use member::{Member, MemberChange, MemberRow};
pub use message::{
    ClaimedMessage, LONGEST_REST, LONGEST_WAIT, Message, MessageState, Sent, SentBatch, Verdict,
};
pub(crate) use minted_grant::MINTED_GRANTS;
pub use minted_grant::{MintedGrant, Whose};
pub use people::{
    Account, InviteAdded, InviteRow, LinearPersonRow, LinkedMember, Linking, NewInvite,
};
pub use postgres::Pg;
pub use proof::{ProofAttempt, Proved};
pub use refresh::{AttemptRow, Due, DueGrant, PutOff, Rotated, Rotation};
pub use refusal::{RefusalRow, Stray};
pub use serve_lock::ServeLockError;
pub use session::{
    BrowserSession, LIFE as SESSION_LIFE, StoredSession, UNUSED_MAX as SESSION_UNUSED_MAX,
};
pub use sqlite::Lite;
pub use throttle::Tries;
pub use user::UserRow;
pub use webhook_secret::{Tenant, WebhookSecretRow};

use crate::clock::Millis;

/// Runs the same body on either pool.
macro_rules! on {
    ($db:expr, |$pool:ident| $body:expr) => {
        match $db {
            $crate::store::Db::Sqlite($pool) => $body,
            $crate::store::Db::Postgres($pool) => $body,
        }
    };
}
pub(crate) use on;

/// Serialises migrations of several processes that start at once; any number that nobody else uses.
const MIGRATION_LOCK: i64 = 0x52_45_4c_49_4e_4b;

/// Written every few seconds, to prove that the database keeps what it is given.
const HEARTBEAT: &str = "heartbeat";

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections, unless something else is asked for.
pub const POOL_SIZE: u32 = 16;

/// The number of connections to PostgreSQL that there may be, and whose they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// A server's: this many at most, and fewer where few are to be had (see
    /// [`Store::leave_room`]).
    Server(u32),
    /// A command's, which is done soon: this many, but never more than two, and one where there is
    /// no other.
    Command(u32),
}

impl Connections {
    /// The same for a command.
    #[must_use]
    pub fn of_a_command(self) -> Connections {
        match self {
            Connections::Server(most) | Connections::Command(most) => Connections::Command(most),
        }
    }
}

#[derive(Clone, Debug)]
pub enum Db {
    Sqlite(Lite),
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
    #[error(
        "PostgreSQL has no connection left for Relink. Give its role or the server more (ALTER \
            ROLE … CONNECTION LIMIT, max_connections), \
            or each server fewer with RELINK_DATABASE_POOL"
    )]
    NoConnection,
    /// The disk cannot be relied on to keep what is written now.
    #[error("{0}")]
    Disk(DiskTrouble),
    #[error(transparent)]
    Served(#[from] ServeLockError),
    #[error("the database is being restored, or was in part only")]
    Restoring,
    /// Not every name and every body can be stored there.
    #[error(
        "the database stores text as {0}, and Relink's is UTF-8: make one with ENCODING 'UTF8'"
    )]
    Encoding(String),
    /// The trail cannot be written, and an act that cannot be written down is not done.
    #[error("the audit trail was not given its key")]
    AuditLocked,
    /// A row that the code never writes. A person has to look.
    #[error("row {id} of {table} cannot be")]
    Inconsistent { table: &'static str, id: String },
}

/// Keeps the good rows of a list. A row that cannot be is told to whoever runs this, and the list
/// around it is shown.
pub(crate) fn sound<T>(rows: impl IntoIterator<Item = Result<T, StoreError>>) -> Vec<T> {
    let told = |row: Result<T, StoreError>| {
        row.inspect_err(|error| tracing::error!(%error, "a row was left out of a list"))
            .ok()
    };
    rows.into_iter().filter_map(told).collect()
}

/// [`sound`] of rows as they come from the database.
fn sound_rows<'r, R: sqlx::Row, T: sqlx::FromRow<'r, R>>(rows: &'r [R]) -> Vec<T> {
    sound(rows.iter().map(|row| Ok(T::from_row(row)?)))
}

impl StoreError {
    /// The database answered, and took offence at what it was given.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(
            self,
            StoreError::Database(sqlx::Error::Database(_)) | StoreError::Ingest(_)
        ) && self.disk_trouble().is_none()
    }

    /// Finds what the error says about the disk.
    #[must_use]
    pub fn disk_trouble(&self) -> Option<DiskTrouble> {
        match self {
            StoreError::Disk(trouble) => Some(*trouble),
            StoreError::Database(error) => sqlite::disk_trouble(error),
            StoreError::Ingest(error) => ingest_sqlite::disk_trouble(error),
            StoreError::Migration(_)
            | StoreError::Timeout
            | StoreError::NoConnection
            | StoreError::Encoding(_)
            | StoreError::Served(_)
            | StoreError::Restoring
            | StoreError::AuditLocked
            | StoreError::Inconsistent { .. } => None,
        }
    }
}

pub(crate) type Stored<T> = Result<T, StoreError>;

/// Remembers everything. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
    recent: Arc<grant_cache::Recent>,
    writing: Arc<Mutex<()>>,
    /// Comes sealed out of the database, so after it was opened.
    audit_key: Arc<OnceLock<AuditKey>>,
    /// The way to store deliveries; only with SQLite.
    ingest: Option<Arc<SqliteIngest>>,
    /// The disk; only with SQLite.
    disk: Option<Arc<Disk>>,
}

impl Store {
    /// Opens an SQLite file, and makes it, for its owner's eyes only, where there is none.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open_sqlite(path: &Path) -> Stored<Store> {
        Store::open_sqlite_as(Opener::Other, path).await
    }

    /// The same for a server, which no other one may serve beside for as long as this process
    /// lives, or not.
    ///
    /// # Errors
    /// When another one does, nobody can know, or the file cannot be opened.
    pub async fn open_sqlite_as(opener: Opener, path: &Path) -> Stored<Store> {
        let disk = Arc::new(Disk::open(path, opener).await?);
        let db = Db::Sqlite(Lite::open(path, disk.clone()).await?);
        let ingest = Some(Arc::new(SqliteIngest::new(disk.clone())));
        Ok(Store {
            db,
            recent: Arc::default(),
            writing: Arc::default(),
            audit_key: Arc::default(),
            ingest,
            disk: Some(disk),
        })
    }

    /// Opens a PostgreSQL database, `postgres://…`, with as many connections as usual.
    ///
    /// # Errors
    /// When the address makes no sense or nothing answers there.
    pub async fn open_postgres(url: &str) -> Stored<Store> {
        Store::open_postgres_with(url, Connections::Server(POOL_SIZE)).await
    }

    /// Opens a PostgreSQL database with this many connections at most.
    ///
    /// # Errors
    /// When the address makes no sense or nothing answers there.
    pub async fn open_postgres_pool(url: &str, size: u32) -> Stored<Store> {
        Store::open_postgres_with(url, Connections::Server(size)).await
    }

    /// Opens a PostgreSQL database for a server or for a command.
    ///
    /// # Errors
    /// When the address makes no sense or nothing answers there.
    pub async fn open_postgres_with(url: &str, connections: Connections) -> Stored<Store> {
        let db = Db::Postgres(Pg::open(url, connections).await?);
        Ok(Store {
            db,
            recent: Arc::default(),
            writing: Arc::default(),
            audit_key: Arc::default(),
            ingest: None,
            disk: None,
        })
    }

    /// Leaves two connections for commands where PostgreSQL has few: takes no more than fit, and
    /// gives back what others need. For a server, every few seconds.
    pub async fn leave_room(&self) -> Stored<()> {
        match &self.db {
            Db::Postgres(pg) => Ok(pg.leave_room().await?),
            Db::Sqlite(_) => Ok(()),
        }
    }

    /// The same store for what people wait for on pages: it leaves room for everything else.
    #[must_use]
    pub fn for_pages(&self) -> Store {
        match &self.db {
            Db::Postgres(pg) => Store {
                db: Db::Postgres(pg.for_pages()),
                ..self.clone()
            },
            Db::Sqlite(_) => self.clone(),
        }
    }

    /// The same store for everything else.
    #[must_use]
    pub fn for_programs(&self) -> Store {
        match &self.db {
            Db::Postgres(pg) => Store {
                db: Db::Postgres(pg.for_programs()),
                ..self.clone()
            },
            Db::Sqlite(_) => self.clone(),
        }
    }

    /// Brings the schema up to date. Safe with any number of processes at once.
    ///
    /// # Errors
    /// When a migration fails or the database holds newer ones than this program knows.
    pub async fn migrate(&self) -> Stored<()> {
        match &self.db {
            Db::Sqlite(pool) => {
                let mut tx = pool.begin_immediate().await?;
                unlocked(sqlx_macros::migrate!("../migrations/sqlite"))
                    .run_direct(None, &mut **tx, false)
                    .await?;
                tx.commit().await?;
            }
            Db::Postgres(pool) => {
                let mut tx = pool.begin_migrating().await?;
                // Held to the end of the transaction, so a pooler in transaction mode does not
                // break it.
                sqlx::query("SELECT pg_advisory_xact_lock($1)")
                    .bind(MIGRATION_LOCK)
                    .execute(&mut *tx)
                    .await?;
                unlocked(sqlx_macros::migrate!("../migrations/postgres"))
                    .run_direct(None, &mut *tx, false)
                    .await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// A turn to write, where writers only get in each other's way: SQLite lets one in and has the
    /// others sleep and try again, which costs more than standing in line.
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

    /// Finds why nothing that is written now could be relied on, as far as one can tell without
    /// writing. It does so only on SQLite: a server that keeps nothing says so itself.
    #[must_use]
    pub fn disk_trouble(&self) -> Option<DiskTrouble> {
        self.disk.as_ref()?.trouble()
    }

    /// Checks whether what is written now can be relied on, proved by a write where one failed
    /// before.
    ///
    /// # Errors
    /// As [`Store::prove_write`].
    pub async fn keeps_writes(&self, now: Millis) -> Stored<()> {
        let Some(disk) = &self.disk else {
            return Ok(());
        };
        match (disk.takes_little(), disk.failed_lately()) {
            (Some(trouble), _) => Err(StoreError::Disk(trouble)),
            (None, true) => self.write_heartbeat(now).await,
            (None, false) => Ok(()),
        }
    }

    /// Finds out by writing whether the database keeps anything.
    ///
    /// # Errors
    /// [`StoreError::Disk`], or whatever came of the write.
    pub async fn prove_write(&self, now: Millis) -> Stored<()> {
        self.write_heartbeat(now).await?;
        self.disk_trouble()
            .map_or(Ok(()), |trouble| Err(StoreError::Disk(trouble)))
    }

    async fn write_heartbeat(&self, now: Millis) -> Stored<()> {
        let began = Instant::now();
        {
            let _turn = self.turn_to_write().await;
            self.meta_put_heartbeat(HEARTBEAT, &now.to_be_bytes())
                .await?;
        }
        if let Some(disk) = &self.disk {
            disk.note_success(began);
        }
        Ok(())
    }

    /// Saves what can be saved while the log of an SQLite file is gone from its path but still open
    /// here: it is written into the file, where the next start finds it.
    pub(crate) fn rescue(&self) {
        if let (Db::Sqlite(pool), Some(DiskTrouble::LogGone)) = (&self.db, self.disk_trouble()) {
            pool.write_log_into_file();
        }
    }

    /// Reads when a process last proved that the database keeps what it is given.
    pub(crate) async fn heartbeat(&self) -> Stored<Option<Millis>> {
        let noted = self.meta(HEARTBEAT).await?;
        Ok(noted
            .and_then(|noted| noted.try_into().ok())
            .map(Millis::from_be_bytes))
    }

    /// Sets room on the disk aside for the pairs that Linear mints, where there is plenty.
    pub fn reserve_make(&self) {
        if let Some(disk) = &self.disk {
            disk.reserve_make();
        }
    }

    /// Writes what must not be lost: where the disk is full, once more after the reserve was given
    /// up.
    async fn at_all_costs<T, F: Future<Output = Stored<T>>>(
        &self,
        write: impl Fn() -> F,
    ) -> Stored<T> {
        let first = write().await;
        // A quota that is used up fails like a disk that does.
        let trouble = first.as_ref().err().and_then(StoreError::disk_trouble);
        let full = matches!(trouble, Some(DiskTrouble::Full | DiskTrouble::Failing));
        if full
            && self
                .disk
                .as_ref()
                .is_some_and(|disk| disk.reserve_give_up())
        {
            tracing::error!(
                "the disk is full: the room set aside for it takes tokens that Linear has minted"
            );
            return write().await;
        }
        first
    }

    /// Reads the clock of a database that replicas share.
    pub async fn database_now(&self) -> Stored<Option<Millis>> {
        const SQL: &str = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT";
        match &self.db {
            Db::Sqlite(_) => Ok(None),
            Db::Postgres(pool) => Ok(sqlx::query_scalar(SQL).fetch_one(pool).await?),
        }
    }

    /// Checks whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Stored<()> {
        on!(&self.db, |pool| {
            sqlx::query("SELECT 1").execute(pool).await?;
        });
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
        on!(&self.db, |pool| pool.close().await);
    }
}

/// Turns off the library's own lock, a session-level one that a transaction-mode pooler breaks:
/// ours is the transaction.
fn unlocked(mut migrator: Migrator) -> Migrator {
    migrator.set_locking(false);
    migrator
}
