//! Connections to PostgreSQL: how many, and what happens where the server gives no more.

use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{
    ConnectOptions as _, Connection as _, Error, Executor as _, PgConnection, PgPool, Postgres,
    Row as _,
};
use tokio::time::{Instant, sleep, timeout};

use super::room::{COMMAND, LEFT, Room};
use super::session::{Begin, MIGRATING, SETUP};
use super::{Pg, Tx};
use crate::store::{ACQUIRE_TIMEOUT, Connections, StoreError, Stored};

/// The `application_name` of a server's connections.
const SERVER: &str = "relink";

/// Rounds of looking for a pooler. One is nearly always enough; other clients' traffic may hide it
/// in one.
const PROBES: usize = 6;
/// A start, or a command, waits this long for a server that gives no more connections.
const FULL_PATIENCE: Duration = Duration::from_secs(60);
/// The pause between two looks for a connection that is free again.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The same where a server takes few, and somebody always waits.
const LOOK_SOON: Duration = Duration::from_millis(2);
const TELL_EVERY: Duration = Duration::from_secs(30);
/// Longer than it takes to open one.
const SLOW_AFTER: Duration = Duration::from_secs(1);
/// A connection whose other end does not answer in this time has none.
const PING_PATIENCE: Duration = Duration::from_secs(2);
/// One that answered so lately need not be asked.
const FRESH: Duration = Duration::from_millis(100);

const FULL: &str = "PostgreSQL has no connection left for Relink: waiting for one. \
    RELINK_DATABASE_POOL says how many Relink takes";

impl Pg {
    /// Connects to `postgres://…`, and finds out what answers there.
    pub(in crate::store) async fn open(url: &str, connections: Connections) -> Stored<Pg> {
        // Poolers refuse start-up parameters that they do not know, and this one only makes floats
        // longer.
        let options = PgConnectOptions::from_str(url)?
            .application_name(connections.name())
            .extra_float_digits(None);
        let pooled = patiently(|| explore(options.clone(), connections).boxed()).await?;
        let size = connections.most();
        let pool = patiently(|| pool(options.clone(), size, pooled).boxed()).await?;
        let room = Arc::new(Room::new(size));
        Ok(Pg {
            pool,
            begin: Begin {
                pooled,
                page: false,
            },
            turns: None,
            room,
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

impl Connections {
    fn name(self) -> &'static str {
        match self {
            Connections::Server(_) => SERVER,
            Connections::Command(_) => COMMAND,
        }
    }

    fn most(self) -> u32 {
        match self {
            Connections::Server(most) => most,
            Connections::Command(most) => most.min(u32::try_from(LEFT).unwrap_or(1)),
        }
    }
}

async fn pool(options: PgConnectOptions, size: u32, pooled: bool) -> Stored<PgPool> {
    let pool = PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false);
    // Asked here, since the pool itself would wait for an answer for as long as TCP does.
    let pool = pool.before_acquire(|connection, known| {
        async move {
            if known.idle_for < FRESH {
                Ok(true)
            } else {
                ping(connection).await
            }
        }
        .boxed()
    });
    let pool = pool.after_release(|connection, _| ping(connection).boxed());
    if pooled {
        return Ok(pool
            .connect_with(options.statement_cache_capacity(0))
            .await?);
    }
    let pool = pool.after_connect(|connection, _| {
        async move { connection.execute(sqlx::raw_sql(SETUP)).await.map(drop) }.boxed()
    });
    Ok(pool.connect_with(options).await?)
}

async fn ping(connection: &mut PgConnection) -> Result<bool, Error> {
    timeout(PING_PATIENCE, connection.ping())
        .await
        .unwrap_or(Err(Error::PoolTimedOut))
        .map(|()| true)
}

/// A connection of the pool. Where the server gives no more, the pool would only go on asking it,
/// though one that it has may be free by now; and where some are left for others, it would take
/// them.
pub(super) async fn connection(
    pool: &PgPool,
    room: &Room,
) -> Result<PoolConnection<Postgres>, Error> {
    let opened = async {
        loop {
            if room.is_full(pool.size()) {
                match at_hand(pool).await {
                    Some(connection) => return Ok(connection),
                    None => sleep(LOOK_SOON).await,
                }
                continue;
            }
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

/// One that nobody uses right now, and that leads somewhere.
async fn at_hand(pool: &PgPool) -> Option<PoolConnection<Postgres>> {
    let mut connection = pool.try_acquire()?;
    match ping(&mut connection).await {
        Ok(_) => Some(connection),
        Err(_) => {
            drop(connection.detach());
            None
        }
    }
}

async fn freed(pool: &PgPool) -> Result<PoolConnection<Postgres>, Error> {
    let began = Instant::now();
    let mut told = false;
    while began.elapsed() < ACQUIRE_TIMEOUT {
        sleep(LOOK_EVERY).await;
        if let Some(connection) = at_hand(pool).await {
            return Ok(connection);
        }
        if !told
            && began.elapsed() > SLOW_AFTER
            && pool.size() < pool.options().get_max_connections()
        {
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

/// Does it as soon as there are connections for it, or the server is up.
async fn patiently<T>(work: impl Fn() -> BoxFuture<'static, Stored<T>>) -> Stored<T> {
    let (began, mut told) = (Instant::now(), false);
    loop {
        let error = match work().await {
            Err(StoreError::Database(error)) => error,
            done => return done,
        };
        let (full, waited) = (is_full(&error), began.elapsed());
        if full && waited >= FULL_PATIENCE {
            return Err(StoreError::NoConnection);
        }
        if !full && (waited >= ACQUIRE_TIMEOUT || !is_starting(&error)) {
            return Err(error.into());
        }
        if full && !std::mem::replace(&mut told, true) {
            tracing::warn!("{FULL}");
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// Whether a pooler in transaction mode is in between; an error where Relink cannot use what is
/// there.
async fn explore(options: PgConnectOptions, connections: Connections) -> Stored<bool> {
    let mut one = connect(&options).await?;
    let encoding: String = one
        .fetch_one(sqlx::raw_sql("SHOW server_encoding"))
        .await?
        .try_get(0)?;
    if encoding != "UTF8" {
        return Err(StoreError::Encoding(encoding));
    }
    let mut other = match connect(&options).await {
        Ok(other) => other,
        // With one it cannot be told. What works behind a pooler works without one, only not as
        // fast.
        Err(error) if is_full(&error) && matches!(connections, Connections::Command(_)) => {
            let _ = one.close().await;
            return Ok(true);
        }
        Err(error) => {
            // Somebody else may be waiting for a second one, too.
            let _ = one.close().await;
            return Err(error.into());
        }
    };
    let pooled = is_pooled(&mut one, &mut other).await?;
    // Whether they hear of it or not, they are gone.
    let _ = (one.close().await, other.close().await);
    if pooled {
        tracing::info!(
            "PostgreSQL is behind a pooler in transaction mode: each statement is a transaction of \
                its own"
        );
    }
    Ok(pooled)
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    timeout(ACQUIRE_TIMEOUT, options.connect())
        .await
        .unwrap_or(Err(Error::PoolTimedOut))
}

/// The server, or the pooler, gives no more connections.
fn is_full(error: &Error) -> bool {
    let Error::Database(error) = error else {
        return false;
    };
    let said = ["too many connections", "no more connections allowed"];
    error.code().as_deref() == Some("53300")
        || said.iter().any(|said| error.message().contains(said))
}

fn is_starting(error: &Error) -> bool {
    match error {
        Error::Database(error) => error.code().as_deref() == Some("57P03"),
        Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        _ => false,
    }
}

/// Two connections never share a server process, unless somebody deals server processes out anew
/// for each transaction.
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
