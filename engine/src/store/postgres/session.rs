//! The settings of a session of ours, whatever the server, the database or the role have as their
//! defaults.

use sqlx::SqlSafeStr as _;
use sqlx::SqlStr;

/// Sets the limits of a session: no row is held for longer by a process that stands still, and no
/// statement waits or works for ever. A server that waits for its replicas to apply goes on doing
/// so; any other commits to its disk before it says so.
macro_rules! settings {
    ($local:literal, $statement:literal) => {
        concat!(
            "SELECT set_config('idle_in_transaction_session_timeout', '2s', ",
            $local,
            "), ",
            "set_config('lock_timeout', '2500ms', ",
            $local,
            "), ",
            "set_config('statement_timeout', '",
            $statement,
            "', ",
            $local,
            "), ",
            "set_config('synchronous_commit', CASE current_setting('synchronous_commit') ",
            "WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, ",
            $local,
            ")"
        )
    };
}

/// The settings for a connection of our own, made once. The server asks every second whether the
/// other end is there: of one whose cable was pulled between two parts of a command it would else
/// wait for the rest, with all that it holds.
pub(super) const SETUP: &str = concat!(
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED; ",
    "SET tcp_keepalives_idle = 1; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 2; \
        SET tcp_user_timeout = '3s'; ",
    settings!("false", "10s")
);

// Names of prepared statements are counted by each client, so those of another one would be in the
// way.
macro_rules! pooled {
    ($statement:literal) => {
        concat!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; DEALLOCATE ALL; ",
            settings!("true", $statement)
        )
    };
}

/// Bringing the schema up to date takes as long as it takes, and waits for another process that is
/// at it.
pub(super) const MIGRATING: &str = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; \
    SET LOCAL idle_in_transaction_session_timeout = '1min'";

/// The beginning of a transaction. One of several statements has little time for each: what it
/// holds, others wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begin {
    /// There is a pooler in transaction mode in between, so that nothing outlives a transaction.
    pub pooled: bool,
    /// The transaction is for a page.
    pub page: bool,
}

impl Begin {
    pub fn for_pages(self) -> Begin {
        Begin { page: true, ..self }
    }

    pub fn for_programs(self) -> Begin {
        Begin {
            page: false,
            ..self
        }
    }

    /// Whether a single statement is to be a transaction, too.
    pub fn each_statement(self) -> bool {
        self.pooled || self.page
    }

    /// Makes the text for a transaction of several statements.
    pub fn sql(self) -> SqlStr {
        let sql = if self.pooled {
            pooled!("3s")
        } else {
            "BEGIN; SET LOCAL statement_timeout = '3s'"
        };
        sql.into_sql_str()
    }

    /// Makes the text for one of a single statement.
    pub fn single(self) -> SqlStr {
        let sql = match (self.pooled, self.page) {
            (false, false) => "BEGIN",
            (false, true) => "BEGIN; SET LOCAL statement_timeout = '5s'",
            (true, false) => pooled!("10s"),
            (true, true) => pooled!("5s"),
        };
        sql.into_sql_str()
    }
}
