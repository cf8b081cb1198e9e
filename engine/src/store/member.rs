//! The members of organisations, and their roles.

use sqlx::Connection as _;
use sqlx_macros::FromRow;

use super::audit::{begin, note};
use super::postgres::transact;
use super::{Act, Store, StoreError, Stored, on};
use crate::clock::Millis;
use crate::identity::{EmailProof, NewMember, Person, Role, Standing};

/// The result of [`Store::member_add`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    Added,
    /// They were a member before; nothing was changed.
    Already,
    /// A new account was meant, and there is one; nothing was changed.
    AccountExists,
    /// An account that is there was meant, and there is none; nothing was changed.
    NoAccount,
    /// The account was not proved to be anybody's; nothing was changed.
    Unproved,
    /// Somebody owns this instance already; nothing was changed.
    Owned,
}

/// A member on a list.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct MemberRow {
    pub user_id: String,
    pub name: String,
    pub email: String,
    pub role: String,
    pub created_at: Millis,
    pub email_proof: Option<String>,
    pub vouched_at: Option<Millis>,
}

impl MemberRow {
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing::of(self.email_proof.as_deref(), self.vouched_at)
    }
}

/// The result of changing a member. Nothing was changed unless it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberChange {
    Done,
    NotFound,
    /// The member is the organisation's only owner.
    LastOwner,
    /// The account was not proved to be anybody's, and no owner answers for it.
    Unproved,
}

#[derive(FromRow)]
struct Row {
    user_id: String,
    email: String,
    name: String,
    organisation_id: String,
    organisation_name: String,
    role: String,
    email_proof: Option<String>,
    vouched_at: Option<Millis>,
}

impl TryFrom<Row> for Person {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Person, StoreError> {
        let role = Role::from_name(&row.role).ok_or_else(|| StoreError::Inconsistent {
            table: "members",
            id: row.user_id.clone(),
        })?;
        Ok(Person {
            user_id: row.user_id,
            email: row.email,
            name: row.name,
            organisation_id: row.organisation_id,
            organisation: row.organisation_name,
            role,
            standing: Standing::of(row.email_proof.as_deref(), row.vouched_at),
            address: String::new(),
        })
    }
}

/// Checks whether nobody else owns the organisation. The line of the audit trail before it keeps
/// others from changing that meanwhile.
macro_rules! is_last_owner {
    ($tx:ident, $act:ident, $user:ident) => {{
        const OWNERS: &str = "SELECT user_id FROM members WHERE organisation_id = $1 AND role = \
            'owner' ORDER BY user_id LIMIT 2";
        let owners: Vec<String> = sqlx::query_scalar(OWNERS)
            .bind(&$act.organisation_id)
            .fetch_all(&mut *$tx)
            .await?;
        owners == [$user]
    }};
}

macro_rules! end_sessions {
    ($tx:ident, $user:ident) => {
        sqlx::query("DELETE FROM sessions WHERE user_id = $1")
            .bind($user)
            .execute(&mut *$tx)
            .await?
    };
}

/// Ends the codes that somebody made who must not let anybody in any more. Each has a line of its
/// own: whom it was for counts.
macro_rules! end_codes {
    ($store:expr, $tx:ident, $act:ident, $user:ident) => {{
        const END: &str = "UPDATE invites SET ended = 'revoked', ended_at = $3 \
            WHERE organisation_id = $1 AND made_by = $2 AND ended IS NULL AND expires_at > $3 \
            RETURNING linear_name, COALESCE((SELECT c.workspace_name FROM connections c \
            WHERE c.organisation_id = invites.organisation_id AND c.workspace_id = \
            invites.workspace_id), workspace_id)";
        let ended = sqlx::query_as(END)
            .bind(&$act.organisation_id)
            .bind($user)
            .bind($act.at);
        let ended: Vec<(String, String)> = ended.fetch_all(&mut *$tx).await?;
        for (name, workspace) in ended {
            note!(
                $store,
                $tx,
                &Act {
                    act: "invite.revoked",
                    subject: format!("{name} in {workspace}"),
                    ..$act.clone()
                }
            );
        }
    }};
}

/// Makes the keys worthless that somebody made. Each has a line of its own.
macro_rules! revoke_keys {
    ($store:expr, $tx:ident, $act:ident, $user:ident) => {{
        const REVOKE: &str = "UPDATE api_keys SET revoked_at = $3 \
            WHERE organisation_id = $1 AND made_by = $2 AND revoked_at IS NULL RETURNING name, \
            last_four";
        let revoked = sqlx::query_as(REVOKE)
            .bind(&$act.organisation_id)
            .bind($user)
            .bind($act.at);
        let revoked: Vec<(String, String)> = revoked.fetch_all(&mut *$tx).await?;
        for (name, last_four) in revoked {
            note!(
                $store,
                $tx,
                &Act {
                    act: "key.revoked",
                    subject: format!("{name} ····{last_four}"),
                    ..$act.clone()
                }
            );
        }
    }};
}

/// The condition that an account is nobody's: it belongs to no organisation, and nobody can sign in
/// to it, or nobody proved whose it is.
macro_rules! if_nobodys {
    ($change:literal) => {
        concat!(
            $change,
            " WHERE id = $1 AND (password_hash IS NULL OR email_proof IS NULL) \
                AND NOT EXISTS (SELECT 1 FROM members WHERE user_id = $1)"
        )
    };
}

/// Forgets an account that is nobody's: its e-mail would keep its owner from coming back. What they
/// did keeps it, whatever table that is in, under an address that is nobody's.
macro_rules! free_email {
    ($tx:ident, $user:ident) => {{
        const FORGET: &str = if_nobodys!("DELETE FROM users");
        const FREE: &str = if_nobodys!(
            "UPDATE users SET email = 'removed-' || id || '@invalid', password_hash = NULL"
        );
        let mut attempt = $tx.begin().await?;
        match sqlx::query(FORGET).bind($user).execute(&mut *attempt).await {
            Ok(_) => attempt.commit().await?,
            Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => {
                attempt.rollback().await?;
                sqlx::query(FREE).bind($user).execute(&mut *$tx).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }};
}

impl Store {
    /// The person as a member of one of their organisations.
    ///
    /// # Errors
    /// When the database fails or the row makes no sense.
    pub async fn member(&self, organisation: &str, user: &str) -> Stored<Option<Person>> {
        const SQL: &str = "SELECT m.user_id, u.email, u.name, m.organisation_id, o.name AS \
            organisation_name, m.role, \
            u.email_proof, m.vouched_at \
            FROM members m JOIN users u ON u.id = m.user_id JOIN organisations o ON o.id = \
            m.organisation_id \
            WHERE m.organisation_id = $1 AND m.user_id = $2";
        let row: Option<Row> = on!(&self.db, |pool| sqlx::query_as(SQL)
            .bind(organisation)
            .bind(user)
            .fetch_optional(pool)
            .await?);
        row.map(Person::try_from).transpose()
    }

    /// The organisation that the person joined first.
    pub async fn member_first_organisation(&self, user: &str) -> Stored<Option<String>> {
        const SQL: &str = "SELECT organisation_id FROM members WHERE user_id = $1 ORDER BY \
            created_at, organisation_id LIMIT 1";
        on!(&self.db, |pool| Ok(sqlx::query_scalar(SQL)
            .bind(user)
            .fetch_optional(pool)
            .await?))
    }

    /// The members of an organisation, by name.
    pub async fn members(&self, organisation: &str) -> Stored<Vec<MemberRow>> {
        const SQL: &str = "SELECT m.user_id, u.name, u.email, m.role, m.created_at, u.email_proof, \
            m.vouched_at \
            FROM members m JOIN users u ON u.id = m.user_id \
            WHERE m.organisation_id = $1 ORDER BY u.name, u.email";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .fetch_all(pool)
            .await?))
    }

    /// Gives a member another role, and ends their sessions, and the codes that they may not make
    /// any more. The last owner stays one, and nobody rises of whom nobody knows who they are.
    pub async fn member_set_role(&self, user: &str, role: Role, act: &Act) -> Stored<MemberChange> {
        const PRESENT: &str = "SELECT m.role, u.email_proof, m.vouched_at FROM members m JOIN \
            users u ON u.id = m.user_id \
            WHERE m.organisation_id = $1 AND m.user_id = $2";
        const SQL: &str = "UPDATE members SET role = $3 WHERE organisation_id = $1 AND user_id = \
            $2";
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            let present = sqlx::query_as(PRESENT)
                .bind(&act.organisation_id)
                .bind(user)
                .fetch_optional(&mut *tx)
                .await?;
            let present: Option<(String, Option<String>, Option<Millis>)> = present;
            let Some((before, proof, vouched_at)) = present else {
                return Ok(MemberChange::NotFound);
            };
            // What an account had before anybody asked, it keeps.
            let rises = Role::from_name(&before).is_none_or(|before| role > before);
            if rises && !Standing::of(proof.as_deref(), vouched_at).may_rise() {
                return Ok(MemberChange::Unproved);
            }
            if role != Role::Owner && is_last_owner!(tx, act, user) {
                return Ok(MemberChange::LastOwner);
            }
            let changed = sqlx::query(SQL)
                .bind(&act.organisation_id)
                .bind(user)
                .bind(role.name())
                .execute(&mut *tx)
                .await?;
            if changed.rows_affected() == 0 {
                return Ok(MemberChange::NotFound);
            }
            if role == Role::Member {
                end_codes!(self, tx, act, user);
            }
            end_sessions!(tx, user);
            tx.commit().await?;
            Ok(MemberChange::Done)
        })
    }

    /// Removes a member, with who they are in Linear, and ends their sessions and the codes that
    /// they made; with `keys`, also the API keys that they made. The last owner stays.
    pub async fn member_remove(&self, user: &str, keys: bool, act: &Act) -> Stored<MemberChange> {
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            if is_last_owner!(tx, act, user) {
                return Ok(MemberChange::LastOwner);
            }
            sqlx::query("DELETE FROM people WHERE organisation_id = $1 AND user_id = $2")
                .bind(&act.organisation_id)
                .bind(user)
                .execute(&mut *tx)
                .await?;
            let gone =
                sqlx::query("DELETE FROM members WHERE organisation_id = $1 AND user_id = $2")
                    .bind(&act.organisation_id)
                    .bind(user)
                    .execute(&mut *tx)
                    .await?;
            if gone.rows_affected() == 0 {
                return Ok(MemberChange::NotFound);
            }
            end_codes!(self, tx, act, user);
            if keys {
                revoke_keys!(self, tx, act, user);
            }
            end_sessions!(tx, user);
            free_email!(tx, user);
            tx.commit().await?;
            Ok(MemberChange::Done)
        })
    }

    /// Whether this instance has an owner.
    pub async fn owner_exists(&self) -> Stored<bool> {
        const SQL: &str = "SELECT COUNT(*) FROM members WHERE role = 'owner'";
        let owners: i64 = on!(&self.db, |pool| sqlx::query_scalar(SQL)
            .fetch_one(pool)
            .await?);
        Ok(owners > 0)
    }

    /// Adds a member, and their organisation and account where these are new, all or nothing.
    /// With `first_owner`, only if nobody ever owned this instance: of many at once, one wins.
    pub async fn member_add(&self, new: &NewMember, first_owner: bool) -> Stored<Member> {
        const ACCOUNT: &str = "INSERT INTO users (id, email, name, password_hash, created_at, \
            email_proof) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email) DO NOTHING";
        transact!(self, |tx| {
            if new.role == Role::Owner {
                let claimed = sqlx::query(
                    "INSERT INTO meta (key, value) VALUES ('owner', $1) ON CONFLICT (key) DO \
                        NOTHING",
                )
                .bind(new.user_id.as_bytes())
                .execute(&mut *tx)
                .await?
                .rows_affected();
                if first_owner && claimed == 0 {
                    return Ok(Member::Owned);
                }
            }
            let made = sqlx::query(
                "INSERT INTO organisations (id, slug, name, created_at) VALUES ($1, $2, $3, $4) ON \
                    CONFLICT (slug) DO NOTHING",
            )
            .bind(&new.organisation_id)
            .bind(&new.organisation_slug)
            .bind(&new.organisation_name)
            .bind(new.now)
            .execute(&mut *tx)
            .await?;
            if made.rows_affected() == 1 {
                begin!(self, tx, &new.organisation_id);
            }
            let organisation: String =
                sqlx::query_scalar("SELECT id FROM organisations WHERE slug = $1")
                    .bind(&new.organisation_slug)
                    .fetch_one(&mut *tx)
                    .await?;
            let subject = format!("{} as {}", new.email, new.role.name());
            note!(
                self,
                tx,
                &Act {
                    organisation_id: organisation,
                    actor: new.actor.clone(),
                    act: "member.added",
                    subject,
                    at: new.now
                }
            );
            if let Some(hash) = &new.password_hash {
                let proof = if first_owner {
                    EmailProof::Founder
                } else {
                    EmailProof::Operator
                };
                let made = sqlx::query(ACCOUNT)
                    .bind(&new.user_id)
                    .bind(&new.email)
                    .bind(&new.name)
                    .bind(hash)
                    .bind(new.now)
                    .bind(proof.name())
                    .execute(&mut *tx)
                    .await?
                    .rows_affected();
                if made == 0 {
                    // The password that was typed would be nobody's.
                    return Ok(Member::AccountExists);
                }
            }
            let proof: Option<Option<String>> =
                sqlx::query_scalar("SELECT email_proof FROM users WHERE email = $1")
                    .bind(&new.email)
                    .fetch_optional(&mut *tx)
                    .await?;
            match proof {
                None => return Ok(Member::NoAccount),
                Some(None) => return Ok(Member::Unproved),
                Some(Some(_)) => {}
            }
            // Looked up, not taken from `new`: either may have been there before, under another id.
            let added = sqlx::query(
                "INSERT INTO members (organisation_id, user_id, role, created_at) \
                    SELECT o.id, u.id, $3, $4 FROM organisations o, users u WHERE o.slug = $1 AND \
                    u.email = $2 \
                    ON CONFLICT (organisation_id, user_id) DO NOTHING",
            )
            .bind(&new.organisation_slug)
            .bind(&new.email)
            .bind(new.role.name())
            .bind(new.now)
            .execute(&mut *tx)
            .await?
            .rows_affected();
            if added == 0 {
                return Ok(Member::Already);
            }
            tx.commit().await?;
            Ok(Member::Added)
        })
    }
}
