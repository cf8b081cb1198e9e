//! PostgreSQL, directly or behind a pooler in transaction mode.
//!
//! Such a pooler gives every transaction another server connection. A statement is prepared and run
//! in two steps, so outside a transaction the second step may land where the first never was, or
//! worse, where somebody else's was. Behind a pooler each statement is therefore a transaction of
//! its own, which begins by forgetting what others prepared.

mod again;
mod open;
mod room;
mod session;
mod turns;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use sqlx::error::BoxDynError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{
    AssertSqlSafe, Connection as _, Either, Error, Execute, Executor, PgConnection, PgPool,
    Postgres, SqlStr, Transaction,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::ACQUIRE_TIMEOUT;
pub(super) use again::{PAUSES, in_time, is_passing, transact};
use room::Room;
use session::Begin;
use turns::Turns;

/// A statement that took longer than the server lets it is on a connection that leads nowhere any
/// more.
const PATIENCE: Duration = Duration::from_secs(12);

/// A statement's rows, and how many it changed.
type Answer = Vec<Either<PgQueryResult, PgRow>>;

#[derive(Clone, Debug)]
pub struct Pg {
    pool: PgPool,
    /// The beginning of a transaction.
    begin: Begin,
    /// Turns to have a connection for a page, where this is a way in for pages.
    turns: Option<Arc<Semaphore>>,
    room: Arc<Room>,
    /// Turns to write down an act.
    pub(super) organisations: Arc<Turns>,
}

impl Pg {
    /// The way in for pages: they have half of the connections that are taken and less time, so
    /// that tokens and webhooks come first.
    pub(super) fn for_pages(&self) -> Pg {
        Pg {
            begin: self.begin.for_pages(),
            turns: Some(self.room.page_turns.clone()),
            ..self.clone()
        }
    }

    /// The way in for everything else.
    pub(super) fn for_programs(&self) -> Pg {
        Pg {
            begin: self.begin.for_programs(),
            turns: None,
            ..self.clone()
        }
    }

    pub(super) async fn begin(&self) -> Result<Tx, Error> {
        let Seat { connection, turn } = self.seat().await?;
        Ok(Tx {
            tx: Transaction::begin(connection, Some(self.begin.sql())).await?,
            _turn: turn,
        })
    }

    /// Statements in one message: the server carries them all out, and commits, whether or not
    /// anybody waits for it. A message of one statement that must not be in a transaction is in
    /// none. No pooler gets in between.
    pub(super) async fn at_once(&self, sql: String) -> Result<Vec<PgRow>, Error> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let mut seat = self.seat().await?;
            let rows = sqlx::raw_sql(AssertSqlSafe(sql.as_str()))
                .fetch_all(&mut *seat.connection)
                .await;
            match (&rows, pauses.next()) {
                (Err(error), Some(pause)) if is_passing(error) => tokio::time::sleep(pause).await,
                _ => return rows,
            }
        }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    async fn seat(&self) -> Result<Seat, Error> {
        let turn = match &self.turns {
            Some(turns) => match timeout(ACQUIRE_TIMEOUT, turns.clone().acquire_owned()).await {
                Ok(turn) => turn.ok(),
                Err(_) => return Err(Error::PoolTimedOut),
            },
            None => None,
        };
        Ok(Seat {
            connection: open::connection(&self.pool, &self.room).await?,
            turn,
        })
    }

    /// Runs a statement to its end, once more where the database itself undid it.
    async fn run(&self, statement: Statement) -> Result<Answer, Error> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let answer = self.once(statement.clone()).await;
            match (&answer, pauses.next()) {
                (Err(error), Some(pause)) if is_passing(error) => tokio::time::sleep(pause).await,
                _ => return answer,
            }
        }
    }

    async fn once(&self, statement: Statement) -> Result<Answer, Error> {
        let mut seat = self.seat().await?;
        if let Ok(answer) = timeout(PATIENCE, self.on(&mut seat.connection, statement)).await {
            return answer;
        }
        // To give it back would mean to wait for it.
        drop(seat.connection.detach());
        Err(Error::Io(std::io::ErrorKind::TimedOut.into()))
    }

    async fn on(
        &self,
        connection: &mut PgConnection,
        statement: Statement,
    ) -> Result<Answer, Error> {
        if !self.begin.each_statement() {
            return connection.fetch_many(statement).try_collect().await;
        }
        let mut tx = connection.begin_with(self.begin.single()).await?;
        let all = (&mut *tx).fetch_many(statement).try_collect().await?;
        tx.commit().await?;
        Ok(all)
    }
}

/// A connection that is in use.
struct Seat {
    connection: PoolConnection<Postgres>,
    turn: Option<OwnedSemaphorePermit>,
}

/// A transaction, rolled back unless it is committed.
#[derive(Debug)]
pub struct Tx {
    tx: Transaction<'static, Postgres>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Tx {
    pub async fn commit(self) -> Result<(), Error> {
        self.tx.commit().await
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.tx
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.tx
    }
}

/// A statement that can be run again.
#[derive(Clone)]
struct Statement {
    sql: SqlStr,
    arguments: Option<PgArguments>,
    persistent: bool,
}

impl Statement {
    fn of<'q>(mut query: impl Execute<'q, Postgres>) -> Result<Statement, Error> {
        let arguments = query.take_arguments().map_err(Error::Encode)?;
        Ok(Statement {
            arguments,
            persistent: query.persistent(),
            sql: query.sql(),
        })
    }
}

impl Execute<'_, Postgres> for Statement {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&PgStatement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        Ok(self.arguments.take())
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}

impl<'p> Executor<'p> for &'_ Pg {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        let (pg, statement) = (self.clone(), Statement::of(query));
        let whole = async move {
            Ok::<_, Error>(stream::iter(pg.run(statement?).await?.into_iter().map(Ok)))
        };
        stream::once(whole).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        let (pg, statement) = (self.clone(), Statement::of(query));
        Box::pin(async move {
            Ok(pg
                .run(statement?)
                .await?
                .into_iter()
                .find_map(Either::right))
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        (&self.pool).prepare_with(sql, parameters)
    }
}
