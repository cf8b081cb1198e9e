//! The audit trail: append-only, and each line carries the hash of itself and of the one before. Written in the transaction
//! of the act, so that there is no act without its line and no line without its act.

use sha2::{Digest as _, Sha256};
use sqlx::FromRow;

use super::postgres::transact;
use super::{Store, Stored, on};
use crate::clock::Millis;
use crate::digest::hex;

/// Lines read at a time.
const PAGE: i64 = 1_000;

/// Who does something, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// Absent for commands, and for people who have no account.
    pub user_id: Option<String>,
    /// As people know them.
    pub who: String,
    /// The address that the request came from; empty for commands.
    pub address: String,
}

impl Actor {
    /// Whoever may run commands.
    #[must_use]
    pub fn command() -> Actor {
        Actor { who: "command line".to_owned(), ..Actor::default() }
    }

    /// Nobody: it happened by itself.
    #[must_use]
    pub fn relink() -> Actor {
        Actor { who: "Relink".to_owned(), ..Actor::default() }
    }
}

/// Something that is done. Never with a secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    pub organisation_id: String,
    pub actor: Actor,
    /// "invite.made"
    pub act: &'static str,
    /// What it is done to, for people.
    pub subject: String,
    pub at: Millis,
}

/// A line of the trail.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AuditRow {
    pub number: i64,
    pub at: Millis,
    pub user_id: Option<String>,
    pub who: String,
    pub act: String,
    pub subject: String,
    pub address: String,
    /// SHA-256, lowercase hex.
    pub hash: String,
}

/// What a look at the whole trail found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditCheck {
    /// Lines that are as they were written, from the first one on.
    pub good: i64,
    /// The first line that was changed, or is missing.
    pub broken_at: Option<i64>,
}

impl AuditRow {
    /// The hash that this line must carry after the one before it. Each part comes with its length, so that no two lines
    /// have the same text.
    #[must_use]
    pub fn hash_after(&self, organisation: &str, before: &str) -> String {
        let mut hasher = Sha256::new();
        let (number, at) = (self.number.to_string(), self.at.to_string());
        let user = self.user_id.as_deref().unwrap_or_default();
        for part in [before, organisation, &number, &at, user, &self.who, &self.act, &self.subject, &self.address] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        hex(&hasher.finalize())
    }

    pub(super) fn new(act: &Act, number: i64, before: &str) -> AuditRow {
        let mut row = AuditRow {
            number,
            at: act.at,
            user_id: act.actor.user_id.clone(),
            who: act.actor.who.clone(),
            act: act.act.to_owned(),
            subject: act.subject.clone(),
            address: act.actor.address.clone(),
            hash: String::new(),
        };
        row.hash = row.hash_after(&act.organisation_id, before);
        row
    }
}

pub(super) const NEXT: &str = "INSERT INTO audit_heads (organisation_id, number, hash) VALUES ($1, 1, '') \
    ON CONFLICT (organisation_id) DO UPDATE SET number = audit_heads.number + 1 RETURNING number, hash";
pub(super) const LINE: &str = "INSERT INTO audit (organisation_id, number, at, user_id, who, act, subject, address, hash) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
pub(super) const HEAD: &str = "UPDATE audit_heads SET hash = $2 WHERE organisation_id = $1";

/// Writes an act down, in its transaction.
macro_rules! note {
    ($tx:ident, $act:expr) => {{
        let act: &$crate::store::Act = $act;
        let (number, before): (i64, String) =
            sqlx::query_as($crate::store::audit::NEXT).bind(&act.organisation_id).fetch_one(&mut *$tx).await?;
        let row = $crate::store::AuditRow::new(act, number, &before);
        let line = sqlx::query($crate::store::audit::LINE).bind(&act.organisation_id).bind(row.number).bind(row.at);
        let line = line.bind(&row.user_id).bind(&row.who).bind(&row.act).bind(&row.subject).bind(&row.address).bind(&row.hash);
        line.execute(&mut *$tx).await?;
        sqlx::query($crate::store::audit::HEAD).bind(&act.organisation_id).bind(&row.hash).execute(&mut *$tx).await?;
    }};
}
pub(super) use note;

/// One statement and its line. `false`: it changed nothing, and there is no line.
macro_rules! noted {
    ($store:expr, $act:expr, $query:expr) => {{
        let act: &$crate::store::Act = $act;
        $crate::store::postgres::transact!($store, of &act.organisation_id, tx => {
            $crate::store::audit::note!(tx, act);
            let changed = $query.execute(&mut *tx).await?.rows_affected() > 0;
            if changed {
                tx.commit().await?;
            }
            Ok(changed)
        })
    }};
}
pub(super) use noted;

impl Store {
    /// Writes down an act that changes nothing else: a sign-in, or one that failed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_note(&self, act: &Act) -> Stored<()> {
        transact!(self, of &act.organisation_id, tx => {
            note!(tx, act);
            tx.commit().await?;
            Ok(())
        })
    }

    /// Lines of an organisation after this number, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_after(&self, organisation: &str, after: i64, limit: i64) -> Stored<Vec<AuditRow>> {
        const SQL: &str = "SELECT number, at, user_id, who, act, subject, address, hash FROM audit \
            WHERE organisation_id = $1 AND number > $2 ORDER BY number LIMIT $3";
        on!(&self.db, pool => Ok(sqlx::query_as(SQL).bind(organisation).bind(after).bind(limit).fetch_all(pool).await?))
    }

    /// Lines of an organisation before this number, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_before(&self, organisation: &str, before: i64, limit: i64) -> Stored<Vec<AuditRow>> {
        const SQL: &str = "SELECT number, at, user_id, who, act, subject, address, hash FROM audit \
            WHERE organisation_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
        on!(&self.db, pool => Ok(sqlx::query_as(SQL).bind(organisation).bind(before).bind(limit).fetch_all(pool).await?))
    }

    /// Number and hash of an organisation's last line; zero and nothing where there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_head(&self, organisation: &str) -> Stored<(i64, String)> {
        const SQL: &str = "SELECT number, hash FROM audit_heads WHERE organisation_id = $1";
        let head: Option<(i64, String)> = on!(&self.db, pool => sqlx::query_as(SQL).bind(organisation).fetch_optional(pool).await?);
        Ok(head.unwrap_or_default())
    }

    /// Computes every hash anew. A line that was changed, taken out or put in shows, and so does an end that was cut off.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_verify(&self, organisation: &str) -> Stored<AuditCheck> {
        // Read first: lines that are written meanwhile come after it.
        let (last, last_hash) = self.audit_head(organisation).await?;
        let (mut good, mut hash) = (0, String::new());
        while good < last {
            let rows = self.audit_after(organisation, good, PAGE.min(last - good)).await?;
            let missing = rows.is_empty();
            for row in rows {
                if row.number != good + 1 || row.hash != row.hash_after(organisation, &hash) {
                    return Ok(AuditCheck { good, broken_at: Some(good + 1) });
                }
                (good, hash) = (row.number, row.hash);
            }
            if missing {
                return Ok(AuditCheck { good, broken_at: Some(good + 1) });
            }
        }
        let broken_at = (hash != last_hash).then_some(last.max(1));
        Ok(AuditCheck { good, broken_at })
    }
}
