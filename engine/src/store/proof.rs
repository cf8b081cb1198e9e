//! The evidence that an account is whose its e-mail says: codes that were mailed, attempts at
//! Linear, and an owner's word.

use sqlx_macros::FromRow;

use super::audit::{note, noted};
use super::postgres::transact;
use super::{Act, Store, Stored, on};
use crate::clock::Millis;
use crate::identity::EmailProof;

/// The facts that were remembered when somebody left for Linear to say who they are.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ProofAttempt {
    pub state_hash: String,
    /// Binds the attempt to the browser session that began it.
    pub browser_hash: String,
    pub organisation_id: String,
    /// Absent where nobody was signed in.
    pub user_id: Option<String>,
    pub connection_id: String,
    /// The organisation's app that it goes through; the operator's if absent.
    pub app_id: Option<String>,
    /// Linear's id of who they have to be; absent where they may be anybody.
    pub linear_id: Option<String>,
    /// The hash of the link code that is redeemed by it.
    pub code_hash: Option<String>,
    pub verifier_sealed: Vec<u8>,
    pub expires_at: Millis,
}

/// The result of proving an account's e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proved {
    Done,
    /// It was proved before.
    Already,
    /// The code is wrong, used or out of date, or the account is gone.
    Invalid,
}

pub(super) const PROVE: &str = "UPDATE users SET email_proof = $2 WHERE id = $1 AND email_proof IS \
    NULL RETURNING email";

/// Reads how an account's e-mail was proved, within a transaction.
macro_rules! proof_of {
    ($tx:ident, $user:expr) => {{
        let user: &str = $user;
        let proof = sqlx::query_scalar("SELECT email_proof FROM users WHERE id = $1").bind(user);
        let proof: Option<Option<String>> = proof.fetch_optional(&mut *$tx).await?;
        proof.flatten()
    }};
}
pub(super) use proof_of;

/// Notes how an account's e-mail was proved, in the transaction of another act and with a line of
/// its own, if nobody proved it before.
macro_rules! prove {
    ($store:expr, $tx:ident, $user:expr, $how:expr, $act:expr) => {{
        let (user, how): (&str, $crate::identity::EmailProof) = ($user, $how);
        let proved: Option<String> = sqlx::query_scalar($crate::store::proof::PROVE)
            .bind(user)
            .bind(how.name())
            .fetch_optional(&mut *$tx)
            .await?;
        if let Some(email) = &proved {
            let subject = format!("{email}, {}", how.in_words());
            $crate::store::audit::note!(
                $store,
                $tx,
                &$crate::store::Act {
                    act: "account.proved",
                    subject,
                    ..$act.clone()
                }
            );
        }
    }};
}
pub(super) use prove;

impl Store {
    /// Remembers an attempt.
    pub async fn proof_attempt_create(&self, attempt: &ProofAttempt) -> Stored<()> {
        const SQL: &str = "INSERT INTO proof_attempts (state_hash, browser_hash, organisation_id, \
            user_id, connection_id, app_id, \
            linear_id, code_hash, verifier_sealed, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, \
            $8, $9, $10)";
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(&attempt.state_hash)
                .bind(&attempt.browser_hash)
                .bind(&attempt.organisation_id)
                .bind(&attempt.user_id)
                .bind(&attempt.connection_id)
                .bind(&attempt.app_id)
                .bind(&attempt.linear_id)
                .bind(&attempt.code_hash)
                .bind(&attempt.verifier_sealed)
                .bind(attempt.expires_at)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Takes an attempt, once. A browser that did not begin it gets nothing and uses nothing up.
    pub async fn proof_attempt_take(
        &self,
        state_hash: &str,
        browser_hash: &str,
        now: Millis,
    ) -> Stored<Option<ProofAttempt>> {
        const SQL: &str = "UPDATE proof_attempts SET taken_at = $3 \
            WHERE state_hash = $1 AND browser_hash = $2 AND expires_at > $3 AND taken_at IS NULL \
            RETURNING state_hash, browser_hash, organisation_id, user_id, connection_id, app_id, \
            linear_id, code_hash, \
            verifier_sealed, expires_at";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(state_hash)
            .bind(browser_hash)
            .bind(now)
            .fetch_optional(pool)
            .await?))
    }

    /// Remembers the hash of a code that is on its way to an account's address. The one before is
    /// worth nothing any more.
    pub async fn email_code_put(
        &self,
        user: &str,
        code_hash: &str,
        expires_at: Millis,
    ) -> Stored<()> {
        const SQL: &str = "INSERT INTO email_codes (user_id, code_hash, expires_at) VALUES ($1, \
            $2, $3) \
            ON CONFLICT (user_id) DO UPDATE SET code_hash = $2, expires_at = $3";
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(user)
                .bind(code_hash)
                .bind(expires_at)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Whether a code that was mailed waits to be entered.
    pub async fn email_code_waits(&self, user: &str, now: Millis) -> Stored<bool> {
        const SQL: &str = "SELECT user_id FROM email_codes WHERE user_id = $1 AND expires_at > $2";
        let waits: Option<String> = on!(&self.db, |pool| sqlx::query_scalar(SQL)
            .bind(user)
            .bind(now)
            .fetch_optional(pool)
            .await?);
        Ok(waits.is_some())
    }

    /// Uses a mailed code up: whoever has it reads the account's mail.
    pub async fn email_code_redeem(
        &self,
        user: &str,
        code_hash: &str,
        act: &Act,
    ) -> Stored<Proved> {
        const TAKE: &str = "DELETE FROM email_codes WHERE user_id = $1 AND code_hash = $2 AND \
            expires_at > $3";
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            let taken = sqlx::query(TAKE)
                .bind(user)
                .bind(code_hash)
                .bind(act.at)
                .execute(&mut *tx)
                .await?;
            if taken.rows_affected() == 0 {
                return Ok(Proved::Invalid);
            }
            let proved: Option<String> = sqlx::query_scalar(PROVE)
                .bind(user)
                .bind(EmailProof::Mail.name())
                .fetch_optional(&mut *tx)
                .await?;
            if proved.is_none() {
                return Ok(Proved::Already);
            }
            tx.commit().await?;
            Ok(Proved::Done)
        })
    }

    /// Notes that whoever may run commands answers for an account. `false`: somebody proved it
    /// before.
    pub async fn account_answer_for(&self, user: &str, act: &Act) -> Stored<bool> {
        noted!(
            self,
            act,
            sqlx::query(PROVE)
                .bind(user)
                .bind(EmailProof::Operator.name())
        )
    }

    /// Notes that an owner answers for a member of theirs. `false`: there is no such member, or
    /// somebody does already.
    pub async fn member_vouch(&self, user: &str, act: &Act) -> Stored<bool> {
        const SQL: &str = "UPDATE members SET vouched_at = $3 WHERE organisation_id = $1 AND \
            user_id = $2 AND vouched_at IS NULL";
        noted!(
            self,
            act,
            sqlx::query(SQL)
                .bind(&act.organisation_id)
                .bind(user)
                .bind(act.at)
        )
    }
}
