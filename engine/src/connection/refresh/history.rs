//! The history of a connection's refreshes, for the page and for operators.

use crate::Engine;
use crate::clock::{DAY, Millis};
use crate::connection::refresh;
use crate::store::{AttemptRow, StoreError};

/// Lines older than this are forgotten.
const KEPT: Millis = 30 * DAY;
/// Lines forgotten in one statement, so that nothing else waits long.
const BITE: i64 = 1_000;

/// Tries to refresh one generation that ended alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryLine {
    pub generation: i64,
    pub outcome: refresh::Outcome,
    pub cause: refresh::Cause,
    /// Linear's code or a name for the failure; empty where there was none.
    pub code: String,
    /// HTTP status, where there was one.
    pub status: Option<u16>,
    pub tries: i64,
    pub first_at: Millis,
    pub last_at: Millis,
    /// The time that the last try took.
    pub took_ms: Millis,
}

impl TryFrom<AttemptRow> for HistoryLine {
    type Error = StoreError;

    fn try_from(row: AttemptRow) -> Result<HistoryLine, StoreError> {
        let inconsistent = || StoreError::Inconsistent {
            table: "refresh_attempts",
            id: row.outcome.clone(),
        };
        Ok(HistoryLine {
            generation: row.generation,
            outcome: refresh::Outcome::from_name(&row.outcome).ok_or_else(inconsistent)?,
            cause: refresh::Cause::from_name(&row.cause).ok_or_else(inconsistent)?,
            code: row.code,
            status: row.status.and_then(|status| u16::try_from(status).ok()),
            tries: row.tries,
            first_at: row.first_at,
            last_at: row.last_at,
            took_ms: row.took_ms,
        })
    }
}

impl Engine {
    /// Forgets history that is too old, in small bites.
    pub async fn forget_history(&self) -> Result<(), StoreError> {
        let Some(now) = self.now_to_forget() else {
            return Ok(());
        };
        while self.store().attempts_forget(now - KEPT, BITE).await? == BITE.unsigned_abs() {}
        Ok(())
    }
}
