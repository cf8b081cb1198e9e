//! Connections to PostgreSQL: how many, and what happens where the server gives no more.

use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Error, Executor as _, PgConnection, PgPool, Postgres, Row as _};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use super::session::{Begin, MIGRATING, SETUP};
use super::{Pg, Tx};
use crate::store::{ACQUIRE_TIMEOUT, StoreError, Stored};

/// Rounds of looking for a pooler. One is nearly always enough; other clients' traffic may hide it in one.
const PROBES: usize = 6;
/// A start waits so long for a server that gives no more connections.
const FULL_PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks for a connection that is free again.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const TELL_EVERY: Duration = Duration::from_secs(30);
/// Longer than it takes to open one.
const SLOW_AFTER: Duration = Duration::from_secs(1);
/// A connection whose other end does not answer in this time has none.
const PING_PATIENCE: Duration = Duration::from_secs(2);
/// One that answered so lately need not be asked.
const FRESH: Duration = Duration::from_millis(100);

const FULL: &str = "PostgreSQL has no connection left for Relink: waiting for one. RELINK_DATABASE_POOL says how many Relink takes";

impl Pg {
    /// Connects to `postgres://…`, with so many connections at most, and finds out what answers there.
    pub(in crate::store) async fn open(url: &str, size: u32) -> Stored<Pg> {
        // Poolers refuse start-up parameters that they do not know, and this one only makes floats longer.
        let options = PgConnectOptions::from_str(url)?.application_name("relink").extra_float_digits(None);
        let (mut one, mut other) = pair(&options).await?;
        let encoding: String = one.fetch_one(sqlx::raw_sql("SHOW server_encoding")).await?.try_get(0)?;
        if encoding != "UTF8" {
            return Err(StoreError::Encoding(encoding));
        }
        let pooled = is_pooled(&mut one, &mut other).await?;
        if pooled {
            tracing::info!("PostgreSQL is behind a pooler in transaction mode: each statement is a transaction of its own");
        }
        // Whether they hear of it or not, they are gone.
        let _ = (one.close().await, other.close().await);
        let page_turns = Arc::new(Semaphore::new((size / 2).max(1) as usize));
        Ok(Pg {
            pool: pool(options, size, pooled).await?,
            begin: Begin { pooled, page: false },
            turns: None,
            page_turns,
            organisations: Arc::default(),
        })
    }

    /// A transaction that may take long.
    pub(in crate::store) async fn begin_migrating(&self) -> Result<Tx, Error> {
        let mut tx = self.begin().await?;
        tx.execute(sqlx::raw_sql(MIGRATING)).await?;
        Ok(tx)
    }
}

async fn pool(options: PgConnectOptions, size: u32, pooled: bool) -> Result<PgPool, Error> {
    let pool = PgPoolOptions::new().max_connections(size).acquire_timeout(ACQUIRE_TIMEOUT).test_before_acquire(false);
    // Asked here, since the pool itself would wait for an answer for as long as TCP does.
    let pool = pool
        .before_acquire(|connection, known| async move { if known.idle_for < FRESH { Ok(true) } else { ping(connection).await } }.boxed());
    let pool = pool.after_release(|connection, _| ping(connection).boxed());
    if pooled {
        return pool.connect_with(options.statement_cache_capacity(0)).await;
    }
    let pool = pool.after_connect(|connection, _| async move { connection.execute(sqlx::raw_sql(SETUP)).await.map(drop) }.boxed());
    pool.connect_with(options).await
}

async fn ping(connection: &mut PgConnection) -> Result<bool, Error> {
    timeout(PING_PATIENCE, connection.ping()).await.unwrap_or(Err(Error::PoolTimedOut)).map(|()| true)
}

/// A connection of the pool. Where the server gives no more, the pool would only go on asking it, though one that it has
/// may be free by now.
pub(super) async fn connection(pool: &PgPool) -> Result<PoolConnection<Postgres>, Error> {
    let opened = async {
        loop {
            match pool.acquire().await {
                Err(error) if is_full(&error) => sleep(LOOK_EVERY).await,
                opened => return opened,
            }
        }
    };
    tokio::select! {
        biased;
        opened = opened => opened,
        freed = freed(pool) => freed,
    }
}

async fn freed(pool: &PgPool) -> Result<PoolConnection<Postgres>, Error> {
    let began = Instant::now();
    let mut told = false;
    while began.elapsed() < ACQUIRE_TIMEOUT {
        sleep(LOOK_EVERY).await;
        if let Some(connection) = pool.try_acquire() {
            return Ok(connection);
        }
        if !told && began.elapsed() > SLOW_AFTER && pool.size() < pool.options().get_max_connections() {
            told = true;
            tell_if_full(pool);
        }
    }
    Err(Error::PoolTimedOut)
}

/// Says so where that is the reason, once in a while.
fn tell_if_full(pool: &PgPool) {
    static TELLING: AtomicBool = AtomicBool::new(false);
    if TELLING.swap(true, Ordering::Relaxed) {
        return;
    }
    let (options, open) = (pool.connect_options(), pool.size());
    tokio::spawn(async move {
        if let Ok(Err(error)) = timeout(SLOW_AFTER, options.connect()).await
            && is_full(&error)
        {
            tracing::warn!(open, "{FULL}");
            sleep(TELL_EVERY).await;
        }
        TELLING.store(false, Ordering::Relaxed);
    });
}

/// Two connections, as soon as there are two at once.
async fn pair(options: &PgConnectOptions) -> Result<(PgConnection, PgConnection), Error> {
    let (began, mut told) = (Instant::now(), false);
    loop {
        let error = match both(options).await {
            Ok(both) => return Ok(both),
            Err(error) => error,
        };
        let patience = if is_full(&error) {
            FULL_PATIENCE
        } else if is_starting(&error) {
            ACQUIRE_TIMEOUT
        } else {
            Duration::ZERO
        };
        if began.elapsed() >= patience {
            return Err(error);
        }
        if is_full(&error) && !std::mem::replace(&mut told, true) {
            tracing::warn!("{FULL}");
        }
        sleep(Duration::from_millis(250)).await;
    }
}

async fn both(options: &PgConnectOptions) -> Result<(PgConnection, PgConnection), Error> {
    let connect = async || timeout(ACQUIRE_TIMEOUT, options.connect()).await.unwrap_or(Err(Error::PoolTimedOut));
    let one = connect().await?;
    match connect().await {
        Ok(other) => Ok((one, other)),
        Err(error) => {
            // Somebody else may be waiting for a second one, too.
            let _ = one.close().await;
            Err(error)
        }
    }
}

/// The server, or the pooler, gives no more connections.
fn is_full(error: &Error) -> bool {
    let Error::Database(error) = error else { return false };
    let said = ["too many connections", "no more connections allowed"];
    error.code().as_deref() == Some("53300") || said.iter().any(|said| error.message().contains(said))
}

fn is_starting(error: &Error) -> bool {
    match error {
        Error::Database(error) => error.code().as_deref() == Some("57P03"),
        Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        _ => false,
    }
}

/// Two connections never share a server process, unless somebody deals server processes out anew for each transaction.
async fn is_pooled(one: &mut PgConnection, other: &mut PgConnection) -> Result<bool, Error> {
    const PID: &str = "SELECT pg_backend_pid()";
    let first: i32 = one.fetch_one(sqlx::raw_sql(PID)).await?.try_get(0)?;
    for _ in 0..PROBES {
        let here: i32 = one.fetch_one(sqlx::raw_sql(PID)).await?.try_get(0)?;
        let there: i32 = other.fetch_one(sqlx::raw_sql(PID)).await?.try_get(0)?;
        if here != first || there == here {
            return Ok(true);
        }
    }
    Ok(false)
}
