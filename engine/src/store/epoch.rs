//! Cursors of deliveries. A number is only as good as the database that gave it out: after a restore of an older copy, or a
//! failover that lost the last commits, the same number would be given to another delivery. So numbers are given out in
//! epochs: a new one begins with each server that starts, and by itself where PostgreSQL goes on in another place (a trigger
//! on `delivery_log`), far behind whatever was given out before. A cursor names the epoch of its number, and counts where
//! this database gave out that number in that epoch.

use std::fmt;

use super::postgres::transact;
use super::{Store, Stored, on};

/// Numbers that are left out between two epochs: more than any database gives out between a copy and its return.
const GAP: i64 = 1_000_000_000;

/// How many numbers were given out from the oldest to the newest of a table: between two epochs none were.
macro_rules! given_out {
    ($table:literal) => {
        concat!(
            "SELECT CAST(COALESCE(SUM(CASE WHEN ended_at < newest THEN ended_at ELSE newest END \
             - CASE WHEN began_after >= oldest THEN began_after ELSE oldest - 1 END), 0) AS BIGINT) FROM \
             (SELECT (SELECT MIN(seq) FROM ",
            $table,
            ") AS oldest, (SELECT MAX(seq) FROM ",
            $table,
            ") AS newest) AS span JOIN delivery_epochs ON began_after < newest AND COALESCE(ended_at, newest) >= oldest"
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
    /// Before the first delivery of all.
    #[must_use]
    pub fn start() -> Cursor {
        Cursor { epoch: String::new(), number: 0 }
    }

    /// As [`Cursor::to_string`] made it; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Cursor> {
        let (epoch, number) = text.split_once('-').unwrap_or(("", text));
        let named = text == number || (1..=40).contains(&epoch.len()) && epoch.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let number = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok()).flatten()?;
        named.then(|| Cursor { epoch: epoch.to_owned(), number })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch.is_empty() { write!(formatter, "{}", self.number) } else { write!(formatter, "{}-{}", self.epoch, self.number) }
    }
}

/// Whether a cursor leads anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CursorCheck {
    Good,
    /// This database never gave it out. With the last place that it has in common with whoever holds it, where that is known.
    Expired(Option<Cursor>),
}

impl Store {
    /// Begins a new epoch: numbers that are given out from now on are told apart from those of any copy of this database.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn epoch_begin(&self, epoch: &str) -> Stored<()> {
        let _turn = self.turn_to_write().await;
        transact!(self, tx => {
            // First, as everywhere.
            let last: i64 = sqlx::query_scalar("UPDATE delivery_log SET last = last + $1 RETURNING last").bind(GAP).fetch_one(&mut *tx).await?;
            sqlx::query("UPDATE delivery_epochs SET ended_at = $1 WHERE ended_at IS NULL").bind(last - GAP).execute(&mut *tx).await?;
            // What gave out nothing is in nobody's cursor, but in those of another copy.
            sqlx::query("DELETE FROM delivery_epochs WHERE ended_at = began_after AND epoch <> ''").execute(&mut *tx).await?;
            sqlx::query("INSERT INTO delivery_epochs (began_after, epoch) VALUES ($1, $2)").bind(last).bind(epoch).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// The cursor that goes on after this number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cursor_after(&self, number: i64) -> Stored<Cursor> {
        const SQL: &str = "SELECT epoch FROM delivery_epochs WHERE began_after < $1 ORDER BY began_after DESC LIMIT 1";
        let epoch: Option<String> = on!(&self.db, pool => sqlx::query_scalar(SQL).bind(number).fetch_optional(pool).await?);
        Ok(Cursor { epoch: epoch.unwrap_or_default(), number })
    }

    /// Whether this database gave out a cursor's number in its epoch.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cursor_check(&self, cursor: &Cursor) -> Stored<CursorCheck> {
        // One that names no epoch is as good as its number.
        const SQL: &str = "SELECT began_after, COALESCE(ended_at, (SELECT last FROM delivery_log)) FROM delivery_epochs \
            WHERE began_after < $2 AND ($1 = '' OR epoch = $1) ORDER BY began_after DESC LIMIT 1";
        if cursor.number == 0 {
            return Ok(CursorCheck::Good);
        }
        let epoch: Option<(i64, i64)> =
            on!(&self.db, pool => sqlx::query_as(SQL).bind(&cursor.epoch).bind(cursor.number).fetch_optional(pool).await?);
        Ok(match epoch {
            Some((_, last)) if cursor.number <= last => CursorCheck::Good,
            Some((began_after, last)) if last > began_after => CursorCheck::Expired(Some(Cursor { number: last, ..cursor.clone() })),
            _ => CursorCheck::Expired(None),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        for text in ["0", "41", "e1f-41", "0123456789abcdef-1000000041"] {
            assert_eq!(Cursor::parse(text).map(|cursor| cursor.to_string()).as_deref(), Some(text));
        }
        for text in ["", "-", "-1", "-41", "e1f-", "e1f--1", "e 1-4", "é-4", "+4", "e1f-4x", "99999999999999999999", "4.1", "1-2-3"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
