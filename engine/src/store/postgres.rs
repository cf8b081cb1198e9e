//! PostgreSQL, directly or behind a pooler in transaction mode.
//!
//! Such a pooler gives every transaction another server connection. A statement is prepared and run in two steps, so
//! outside a transaction the second step may land where the first never was, or worse, where somebody else's was. Behind
//! a pooler each statement is therefore a transaction of its own, which begins by forgetting what others prepared.

use std::str::FromStr;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Error, Execute, Executor, PgPool, Postgres, Row as _, SqlStr, Transaction};

use super::{ACQUIRE_TIMEOUT, POOL_SIZE};

/// Names of prepared statements are counted by each client, so those of another one would be in the way.
const BEGIN_POOLED: &str = "BEGIN; DEALLOCATE ALL";
/// Rounds of looking for a pooler. One is nearly always enough; other clients' traffic may hide it in one.
const PROBES: usize = 6;

#[derive(Clone, Debug)]
pub struct Pg {
    pool: PgPool,
    /// There is a pooler in transaction mode in between.
    pooled: bool,
}

impl Pg {
    /// Connects to `postgres://…` and finds out what answers there.
    pub(super) async fn open(url: &str) -> Result<Pg, Error> {
        // Poolers refuse start-up parameters that they do not know, and this one only makes floats longer.
        let options = PgConnectOptions::from_str(url)?.application_name("relink").extra_float_digits(None);
        let pool = connect(options.clone()).await?;
        if !is_pooled(&pool).await? {
            return Ok(Pg { pool, pooled: false });
        }
        tracing::info!("PostgreSQL is behind a pooler in transaction mode: each statement is a transaction of its own");
        pool.close().await;
        Ok(Pg { pool: connect(options.statement_cache_capacity(0)).await?, pooled: true })
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'static, Postgres>, Error> {
        if self.pooled { self.pool.begin_with(BEGIN_POOLED).await } else { self.pool.begin().await }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

async fn connect(options: PgConnectOptions) -> Result<PgPool, Error> {
    PgPoolOptions::new().max_connections(POOL_SIZE).acquire_timeout(ACQUIRE_TIMEOUT).connect_with(options).await
}

/// Two connections never share a server process, unless somebody deals server processes out anew for each transaction.
async fn is_pooled(pool: &PgPool) -> Result<bool, Error> {
    const PID: &str = "SELECT pg_backend_pid()";
    let (mut one, mut other) = (pool.acquire().await?, pool.acquire().await?);
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

impl<'p> Executor<'p> for &'_ Pg {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        if !self.pooled {
            return (&self.pool).fetch_many(query);
        }
        let pool = self.pool.clone();
        let whole = async move {
            let mut tx = pool.begin_with(BEGIN_POOLED).await?;
            let all: Vec<_> = (&mut *tx).fetch_many(query).try_collect().await?;
            tx.commit().await?;
            Ok::<_, Error>(stream::iter(all.into_iter().map(Ok)))
        };
        stream::once(whole).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        if !self.pooled {
            return (&self.pool).fetch_optional(query);
        }
        let pool = self.pool.clone();
        Box::pin(async move {
            let mut tx = pool.begin_with(BEGIN_POOLED).await?;
            let row = (&mut *tx).fetch_optional(query).await?;
            tx.commit().await?;
            Ok(row)
        })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        (&self.pool).prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        (&self.pool).describe(sql)
    }
}
