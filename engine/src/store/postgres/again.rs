//! The one place where a statement is done again that the database undid because others were in the
//! way.

use std::time::Duration;

use sqlx::Error;
use tokio::time::timeout;

use crate::store::{StoreError, Stored};

/// The pauses between one try and the next; after the last one it is an error.
pub(in crate::store) const PAUSES: [Duration; 5] = [
    Duration::from_millis(10),
    Duration::from_millis(40),
    Duration::from_millis(120),
    Duration::from_millis(300),
    Duration::from_millis(700),
];

/// Serialization failure, deadlock, and a transaction that stood still for longer than others can
/// wait: this process was stopped or starved, and the database let go of what it held. All of them
/// were rolled back for certain.
const PASSING: [&str; 3] = ["40001", "40P01", "25P03"];

/// The database undid it, and may do it now.
pub(in crate::store) fn is_passing(error: &Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| PASSING.contains(&&*code))
}

/// Longer than the server lets a transaction of several statements take: its connection leads
/// nowhere any more.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ends what waits for a server that is gone.
pub(in crate::store) async fn in_time<T>(work: impl Future<Output = Stored<T>>) -> Stored<T> {
    timeout(PATIENCE, work)
        .await
        .map_err(|_| StoreError::Timeout)?
}

/// A transaction: `tx` is begun, the block does the rest and commits. On PostgreSQL the whole block
/// is done again where the database undid it; it takes nothing that is gone the second time. One
/// that writes down an act says whose it is.
macro_rules! transact {
    ($store:expr, |$tx:ident| $body:block) => {
        match &$store.db {
            $crate::store::Db::Sqlite(pool) => {
                let mut $tx = pool.begin().await?;
                $body
            }
            $crate::store::Db::Postgres(pool) => {
                let mut pauses = $crate::store::postgres::PAUSES.into_iter();
                loop {
                    let work = async {
                        let mut $tx = pool.begin().await?;
                        $body
                    };
                    let done: $crate::store::Stored<_> =
                        $crate::store::postgres::in_time(work).await;
                    match (&done, pauses.next()) {
                        (Err($crate::store::StoreError::Database(error)), Some(pause))
                            if $crate::store::postgres::is_passing(error) =>
                        {
                            tokio::time::sleep(pause).await;
                        }
                        _ => break done,
                    }
                }
            }
        }
    };
    ($store:expr, $organisation:expr, |$tx:ident| $body:block) => {{
        let _turn = match &$store.db {
            $crate::store::Db::Sqlite(_) => None,
            $crate::store::Db::Postgres(pool) => Some(pool.organisations.of($organisation).await?),
        };
        $crate::store::postgres::transact!($store, |$tx| $body)
    }};
}
pub(in crate::store) use transact;
