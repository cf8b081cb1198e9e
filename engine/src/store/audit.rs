//! The audit trail: append-only, and each line carries a code over itself and the one before.
//! Written in the transaction of the act, so that there is no act without its line and no line
//! without its act.

mod key;
mod verify;

use sqlx_macros::FromRow;

pub use key::AuditKey;
pub use verify::AuditCheck;

use super::postgres::transact;
use super::{Store, StoreError, Stored, on};
use crate::clock::Millis;

/// The one who does something, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditActor {
    /// Absent for commands, and for people who have no account.
    pub user_id: Option<String>,
    /// The name that people know them by.
    pub who: String,
    /// The address that the request came from; empty for commands.
    pub address: String,
}

impl AuditActor {
    /// Names whoever may run commands.
    #[must_use]
    pub fn command() -> AuditActor {
        AuditActor {
            who: "command line".to_owned(),
            ..AuditActor::default()
        }
    }

    /// Names Relink itself, where no person acts.
    #[must_use]
    pub fn relink() -> AuditActor {
        AuditActor {
            who: "Relink".to_owned(),
            ..AuditActor::default()
        }
    }
}

/// Something that is done. Never with a secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    pub organisation_id: String,
    pub actor: AuditActor,
    /// "invite.made"
    pub act: &'static str,
    /// The thing that it is done to, for people.
    pub subject: String,
    pub at: Millis,
}

/// A line of the trail.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AuditEntry {
    pub number: i64,
    pub at: Millis,
    pub user_id: Option<String>,
    pub who: String,
    pub act: String,
    pub subject: String,
    pub address: String,
    /// HMAC-SHA256 in lowercase hex; SHA-256 in lines from before the trail had a key.
    pub hash: String,
}

impl AuditEntry {
    pub(super) fn new(act: &Act, number: i64, before: &str, key: &AuditKey) -> AuditEntry {
        let mut row = AuditEntry {
            number,
            at: act.at,
            user_id: act.actor.user_id.clone(),
            who: act.actor.who.clone(),
            act: act.act.to_owned(),
            subject: act.subject.clone(),
            address: act.actor.address.clone(),
            hash: String::new(),
        };
        row.hash = key.line(&row, &act.organisation_id, before);
        row
    }
}

/// The end of a trail, sealed so that nobody without the key can name another end.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct AuditHead {
    pub number: i64,
    #[sqlx(rename = "last_hash")]
    pub hash: String,
    pub(super) seal: String,
}

/// Raises the number before anything else, so that acts go one after the other. A head that is not
/// there any more makes a number one whose seal is missing.
pub(super) const NEXT: &str = "INSERT INTO audit_heads (organisation_id, number, last_hash, seal) \
    VALUES ($1, 1, '', '') \
    ON CONFLICT (organisation_id) DO UPDATE SET number = audit_heads.number + 1 RETURNING number, \
    last_hash, seal";
pub(super) const LINE: &str = "INSERT INTO audit (organisation_id, number, at, user_id, who, act, \
    subject, address, hash) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
pub(super) const HEAD: &str = "UPDATE audit_heads SET last_hash = $2, seal = $3 WHERE \
    organisation_id = $1";
pub(super) const BEGIN: &str = "INSERT INTO audit_heads (organisation_id, number, last_hash, seal) \
    VALUES ($1, 0, '', $2)";

/// Begins the trail of an organisation that is made in this transaction. Its first line is written
/// in it too: an empty trail is never seen outside, so one that is empty was emptied.
macro_rules! begin {
    ($store:expr, $tx:ident, $organisation:expr) => {{
        let organisation: &str = $organisation;
        let seal = $store.audit_key()?.head(organisation, 0, "");
        sqlx::query($crate::store::audit::BEGIN)
            .bind(organisation)
            .bind(seal)
            .execute(&mut *$tx)
            .await?;
    }};
}
pub(super) use begin;

/// Writes an act down, in its transaction.
macro_rules! note {
    ($store:expr, $tx:ident, $act:expr) => {{
        let act: &$crate::store::Act = $act;
        let key = $store.audit_key()?;
        let head: $crate::store::audit::AuditHead = sqlx::query_as($crate::store::audit::NEXT)
            .bind(&act.organisation_id)
            .fetch_one(&mut *$tx)
            .await?;
        let row = $crate::store::AuditEntry::new(
            act,
            head.number,
            &key.before(&head, &act.organisation_id),
            key,
        );
        $crate::store::audit::append!(key, $tx, &act.organisation_id, row);
    }};
}
pub(super) use note;

/// Puts a line at the end, within the transaction that raised the head.
macro_rules! append {
    ($key:expr, $tx:ident, $organisation:expr, $row:ident) => {{
        let organisation: &str = $organisation;
        let line = sqlx::query($crate::store::audit::LINE)
            .bind(organisation)
            .bind($row.number)
            .bind($row.at);
        let line = line
            .bind(&$row.user_id)
            .bind(&$row.who)
            .bind(&$row.act)
            .bind(&$row.subject)
            .bind(&$row.address)
            .bind(&$row.hash);
        line.execute(&mut *$tx).await?;
        let seal = $key.head(organisation, $row.number, &$row.hash);
        let head = sqlx::query($crate::store::audit::HEAD)
            .bind(organisation)
            .bind(&$row.hash)
            .bind(seal);
        head.execute(&mut *$tx).await?;
    }};
}
pub(super) use append;

/// One statement and its line. `false`: it changed nothing, and there is no line.
macro_rules! noted {
    ($store:expr, $act:expr, $query:expr) => {{
        let act: &$crate::store::Act = $act;
        $crate::store::postgres::transact!($store, &act.organisation_id, |tx| {
            $crate::store::audit::note!($store, tx, act);
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
    pub async fn audit_note(&self, act: &Act) -> Stored<()> {
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            tx.commit().await?;
            Ok(())
        })
    }

    /// Lines of an organisation after this number, the oldest first.
    pub async fn audit_after(
        &self,
        organisation: &str,
        after: i64,
        limit: i64,
    ) -> Stored<Vec<AuditEntry>> {
        const SQL: &str = "SELECT number, at, user_id, who, act, subject, address, hash FROM audit \
            WHERE organisation_id = $1 AND number > $2 ORDER BY number LIMIT $3";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .bind(after)
            .bind(limit)
            .fetch_all(pool)
            .await?))
    }

    /// Lines of an organisation before this number, the newest first.
    pub async fn audit_before(
        &self,
        organisation: &str,
        before: i64,
        limit: i64,
    ) -> Stored<Vec<AuditEntry>> {
        const SQL: &str = "SELECT number, at, user_id, who, act, subject, address, hash FROM audit \
            WHERE organisation_id = $1 AND number < $2 AND number > 0 ORDER BY number DESC LIMIT \
            $3";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .bind(before)
            .bind(limit)
            .fetch_all(pool)
            .await?))
    }

    /// Reads where an organisation's trail ends; `None` where there is none.
    pub async fn audit_head(&self, organisation: &str) -> Stored<Option<AuditHead>> {
        const SQL: &str = "SELECT number, last_hash, seal FROM audit_heads WHERE organisation_id = \
            $1";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .fetch_optional(pool)
            .await?))
    }

    /// Organisations whose trail has no key yet.
    pub(crate) async fn audit_unkeyed(&self) -> Stored<Vec<String>> {
        const SQL: &str = "SELECT o.id FROM organisations o LEFT JOIN audit_heads h ON \
            h.organisation_id = o.id \
            WHERE h.seal IS NULL OR h.seal = '' ORDER BY o.id";
        on!(&self.db, |pool| Ok(sqlx::query_scalar(SQL)
            .fetch_all(pool)
            .await?))
    }

    /// Carries on under the key what was written before there was one, with a line that says so.
    /// `false`: it has one.
    pub(crate) async fn audit_carry_over(&self, organisation: &str, now: Millis) -> Stored<bool> {
        let key = self.audit_key()?;
        transact!(self, organisation, |tx| {
            let head: AuditHead = sqlx::query_as(NEXT)
                .bind(organisation)
                .fetch_one(&mut *tx)
                .await?;
            if !head.seal.is_empty() {
                return Ok(false);
            }
            let row = AuditEntry::new(
                &carried_over(organisation, head.number - 1, now),
                head.number,
                &head.hash,
                key,
            );
            append!(key, tx, organisation, row);
            tx.commit().await?;
            Ok(true)
        })
    }

    /// Gives the trail its key. The first one stays.
    pub fn audit_unlock(&self, key: AuditKey) {
        let _ = self.audit_key.set(key);
    }

    pub(super) fn audit_key(&self) -> Stored<&AuditKey> {
        self.audit_key.get().ok_or(StoreError::AuditLocked)
    }
}

fn carried_over(organisation: &str, lines: i64, at: Millis) -> Act {
    let subject = if lines == 0 {
        "no lines".to_owned()
    } else {
        format!("lines 1 to {lines}")
    };
    Act {
        organisation_id: organisation.to_owned(),
        actor: AuditActor::relink(),
        act: "trail.carried-over",
        subject,
        at,
    }
}
