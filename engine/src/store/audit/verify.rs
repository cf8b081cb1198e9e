//! Proving a trail: every code is computed anew, from the first line to the sealed end.

use super::key::plain;
use super::{AuditEntry, AuditHead, AuditKey};
use crate::store::{Store, Stored, on};

/// Lines read at a time.
const PAGE: i64 = 1_000;

/// The findings of a look at the whole trail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditCheck {
    /// Lines that are as they were written, from the first one on.
    pub good: i64,
    /// The good lines from before the trail had a key. The first one after them holds them fast.
    pub unkeyed: i64,
    /// Code of the last good line.
    pub hash: String,
    /// The first line that was changed, or is missing.
    pub broken_at: Option<i64>,
}

impl AuditCheck {
    /// Takes the next line, if it is the one that belongs here.
    fn take(&mut self, row: AuditEntry, organisation: &str, key: &AuditKey) -> bool {
        let keyed = row.hash == key.line(&row, organisation, &self.hash);
        // Once there is a key, nothing is without one.
        let carried = !keyed
            && self.unkeyed == self.good
            && row.hash == plain(&row, organisation, &self.hash);
        let fits = row.number == self.good + 1 && (keyed || carried);
        if fits {
            (self.good, self.hash) = (row.number, row.hash);
            self.unkeyed += i64::from(carried);
        }
        fits
    }

    fn broken(mut self, at: i64) -> AuditCheck {
        self.broken_at = Some(at);
        self
    }
}

impl Store {
    /// Computes every code anew. A line that was changed, taken out or put in shows, and so do an
    /// end that was cut off, lines that were put behind it or before the first, and a trail that
    /// was emptied.
    pub async fn audit_verify(&self, organisation: &str) -> Stored<AuditCheck> {
        let key = self.audit_key()?;
        // In this order: a line that Relink writes meanwhile is never behind the end that is read
        // after it.
        let (first, written) = self.audit_ends(organisation).await?;
        let Some(head) = self.audit_head(organisation).await? else {
            return Ok(AuditCheck::default().broken(1));
        };
        let check = self.audit_walk(organisation, head.number, key).await?;
        Ok(if check.broken_at.is_some() {
            check
        } else if !ends(&check, &head, organisation, key) {
            check.broken(head.number.max(1))
        } else if first < 1 {
            check.broken(first)
        } else if written > head.number {
            check.broken(head.number + 1)
        } else {
            check
        })
    }

    /// Whether the trail has this line, with this hash. [`Store::audit_verify`] says whether it is
    /// as it was written.
    pub async fn audit_has(&self, organisation: &str, number: i64, hash: &str) -> Stored<bool> {
        let line = self.audit_after(organisation, number - 1, 1).await?;
        Ok(line
            .first()
            .is_some_and(|line| line.number == number && line.hash == hash))
    }

    async fn audit_walk(
        &self,
        organisation: &str,
        last: i64,
        key: &AuditKey,
    ) -> Stored<AuditCheck> {
        let mut check = AuditCheck::default();
        while check.good < last {
            let rows = self
                .audit_after(organisation, check.good, PAGE.min(last - check.good))
                .await?;
            let missing = rows.is_empty();
            let fit = rows
                .into_iter()
                .all(|row| check.take(row, organisation, key));
            if missing || !fit {
                let at = check.good + 1;
                return Ok(check.broken(at));
            }
        }
        Ok(check)
    }

    /// The lowest and the highest number.
    async fn audit_ends(&self, organisation: &str) -> Stored<(i64, i64)> {
        const SQL: &str = "SELECT COALESCE(MIN(number), 1), COALESCE(MAX(number), 0) FROM audit \
            WHERE organisation_id = $1";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .fetch_one(pool)
            .await?))
    }
}

/// A trail that Relink wrote has a first line, and its sealed end is the last line.
fn ends(check: &AuditCheck, head: &AuditHead, organisation: &str, key: &AuditKey) -> bool {
    head.number > 0 && check.hash == head.hash && key.seals(organisation, head.number, head)
}
