//! Cursors of deliveries. A number is only as good as the database that gave it out: after a
//! restore of an older copy, or a failover that lost the last commits, the same number would be
//! given to another delivery. So numbers are given out in epochs: a new one begins with each server
//! that starts, and by itself where another copy took the database's place while servers ran, far
//! behind whatever was given out before. A cursor names the epoch of its number, and counts where
//! this database gave out that number in that epoch.
//!
//! Whoever gives out numbers looks, in the same transaction, whether the row that gives them out is
//! as the last one left it. On PostgreSQL the row says so itself (a trigger on `delivery_log`),
//! since a replica knows nothing of what the others gave out. On SQLite the one server of the file
//! remembers ([`Left`]).

use std::fmt;

use super::postgres::transact;
use super::{Store, Stored, on};

/// Numbers that are left out between two epochs: more than any database gives out between a copy
/// and its return.
const GAP: i64 = 1_000_000_000;

// The statements that begin an epoch.
pub(super) const RAISE: &str = "UPDATE delivery_log SET last = $1";
pub(super) const END: &str = "UPDATE delivery_epochs SET ended_at = $1 WHERE ended_at IS NULL";
/// Drops epochs in which no number was given out: they are in nobody's cursor, but in those of
/// another copy.
pub(super) const DROP_EMPTY: &str = "DELETE FROM delivery_epochs WHERE ended_at = began_after AND \
    epoch <> ''";
pub(super) const BEGIN: &str = "INSERT INTO delivery_epochs (began_after, epoch) VALUES ($1, $2)";

/// The point at which this process left the numbers of an SQLite file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub last: i64,
    pub epoch: String,
}

impl Left {
    /// Whether a file that is at `now` may be the one that was left here. Another process would
    /// only have gone on from there.
    pub fn may_be_at(&self, now: &Left) -> bool {
        now.epoch == self.epoch && now.last >= self.last
    }

    /// The number that those of another copy come after: behind all that either of the two gave
    /// out.
    pub fn behind(&self, found: &Left) -> i64 {
        self.last.max(found.last) + GAP
    }
}

/// Counts the numbers that were given out from the oldest to the newest of a table: between two
/// epochs there were none.
macro_rules! given_out {
    ($table:literal) => {
        concat!(
            "SELECT CAST(COALESCE(SUM(CASE WHEN ended_at < newest THEN ended_at ELSE newest END \
                - CASE WHEN began_after >= oldest THEN began_after ELSE oldest - 1 END), 0) AS \
                BIGINT) FROM \
                (SELECT (SELECT MIN(seq) FROM ",
            $table,
            ") AS oldest, (SELECT MAX(seq) FROM ",
            $table,
            ") AS newest) AS span JOIN delivery_epochs ON began_after < newest AND \
                COALESCE(ended_at, newest) >= oldest"
        )
    };
}
pub(super) use given_out;

/// A place in the order of deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Empty for the first one, from before there were several.
    epoch: String,
    pub number: i64,
}

impl Cursor {
    /// The cursor before the first delivery of all.
    #[must_use]
    pub fn start() -> Cursor {
        Cursor {
            epoch: String::new(),
            number: 0,
        }
    }

    /// Reads what [`Cursor::to_string`] wrote; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Cursor> {
        let (epoch, number) = text.split_once('-').unwrap_or(("", text));
        let named = text == number
            || (1..=40).contains(&epoch.len())
                && epoch.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let number = number
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| number.parse().ok())
            .flatten()?;
        named.then(|| Cursor {
            epoch: epoch.to_owned(),
            number,
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch.is_empty() {
            write!(formatter, "{}", self.number)
        } else {
            write!(formatter, "{}-{}", self.epoch, self.number)
        }
    }
}

/// The answer to whether a cursor leads anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CursorCheck {
    Good,
    /// This database never gave it out. With the last place that it has in common with whoever
    /// holds it, where that is known.
    Expired(Option<Cursor>),
}

impl Store {
    /// Begins a new epoch: numbers that are given out from now on are told apart from those of any
    /// copy of this database.
    pub async fn epoch_begin(&self, epoch: &str) -> Stored<()> {
        let _turn = self.turn_to_write().await;
        let last: Stored<i64> = transact!(self, |tx| {
            // First, as everywhere.
            let last: i64 =
                sqlx::query_scalar("UPDATE delivery_log SET last = last + $1 RETURNING last")
                    .bind(GAP)
                    .fetch_one(&mut *tx)
                    .await?;
            sqlx::query(END).bind(last - GAP).execute(&mut *tx).await?;
            sqlx::query(DROP_EMPTY).execute(&mut *tx).await?;
            sqlx::query(BEGIN)
                .bind(last)
                .bind(epoch)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(last)
        });
        let left = Left {
            last: last?,
            epoch: epoch.to_owned(),
        };
        if let Some(ingest) = &self.ingest {
            ingest.went_on_from(left);
        }
        Ok(())
    }

    /// The cursor that goes on after this number.
    pub async fn cursor_after(&self, number: i64) -> Stored<Cursor> {
        const SQL: &str = "SELECT epoch FROM delivery_epochs WHERE began_after < $1 ORDER BY \
            began_after DESC LIMIT 1";
        let epoch: Option<String> = on!(&self.db, |pool| sqlx::query_scalar(SQL)
            .bind(number)
            .fetch_optional(pool)
            .await?);
        Ok(Cursor {
            epoch: epoch.unwrap_or_default(),
            number,
        })
    }

    /// Checks whether this database gave out a cursor's number in its epoch.
    pub async fn cursor_check(&self, cursor: &Cursor) -> Stored<CursorCheck> {
        // One that names no epoch is as good as its number.
        const SQL: &str = "SELECT began_after, COALESCE(ended_at, (SELECT last FROM delivery_log)) \
            FROM delivery_epochs \
            WHERE began_after < $2 AND ($1 = '' OR epoch = $1) ORDER BY began_after DESC LIMIT 1";
        if cursor.number == 0 {
            return Ok(CursorCheck::Good);
        }
        let epoch: Option<(i64, i64)> = on!(&self.db, |pool| sqlx::query_as(SQL)
            .bind(&cursor.epoch)
            .bind(cursor.number)
            .fetch_optional(pool)
            .await?);
        Ok(match epoch {
            Some((_, last)) if cursor.number <= last => CursorCheck::Good,
            Some((began_after, last)) if last > began_after => CursorCheck::Expired(Some(Cursor {
                number: last,
                ..cursor.clone()
            })),
            _ => CursorCheck::Expired(None),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_another_one_where_numbers_went_back_or_are_of_another_epoch() {
        let at = |last, epoch: &str| Left {
            last,
            epoch: epoch.to_owned(),
        };
        let left = at(20, "e2");
        for (found, may_be) in [
            (at(20, "e2"), true),
            (at(21, "e2"), true),
            (at(19, "e2"), false),
            (at(20, "e1"), false),
            (at(99, "e3"), false),
        ] {
            assert_eq!(left.may_be_at(&found), may_be, "{found:?}");
            assert!(left.behind(&found) > left.last.max(found.last));
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        for text in ["0", "41", "e1f-41", "0123456789abcdef-1000000041"] {
            assert_eq!(
                Cursor::parse(text)
                    .map(|cursor| cursor.to_string())
                    .as_deref(),
                Some(text)
            );
        }
        for text in [
            "",
            "-",
            "-1",
            "-41",
            "e1f-",
            "e1f--1",
            "e 1-4",
            "é-4",
            "+4",
            "e1f-4x",
            "99999999999999999999",
            "4.1",
            "1-2-3",
        ] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
