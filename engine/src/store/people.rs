//! The people in Linear whom members are, and the codes that prove it. Acts of one organisation go
//! one after the other: each of them writes its line of the audit trail first.

use sqlx_macros::FromRow;

use super::audit::{note, noted};
use super::postgres::transact;
use super::proof::{proof_of, prove};
use super::{Act, Store, Stored, on};
use crate::clock::Millis;
use crate::identity::EmailProof;

/// A Linear person in a workspace of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinearPersonRow {
    pub organisation_id: String,
    /// Linear's organization id.
    pub workspace_id: String,
    pub linear_id: String,
    pub name: String,
    pub email: String,
    pub avatar_url: Option<String>,
}

#[derive(Clone, Debug)]
pub struct NewInvite {
    pub id: String,
    pub person: LinearPersonRow,
    pub code_hash: String,
    /// Absent when it is made by command.
    pub made_by: Option<String>,
    pub now: Millis,
    pub expires_at: Millis,
}

/// A code that was made, without the code.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct InviteRow {
    pub id: String,
    pub organisation_id: String,
    pub organisation_name: String,
    pub workspace_id: String,
    pub workspace_name: String,
    pub linear_id: String,
    pub linear_name: String,
    pub linear_email: String,
    pub linear_avatar_url: Option<String>,
    /// Name of who made it, unless it came by command.
    pub made_by: Option<String>,
    pub made_by_id: Option<String>,
    pub made_at: Millis,
    pub expires_at: Millis,
    pub opened_at: Option<Millis>,
    /// "linked", "declined", "refused", "dismissed" (it was one of those two), "revoked" or
    /// "replaced".
    pub ended: Option<String>,
    pub ended_at: Option<Millis>,
}

/// A member who is known as a person of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LinkedMember {
    pub workspace_id: String,
    pub linear_id: String,
    pub linear_name: String,
    pub linear_email: String,
    pub user_id: String,
    pub user_name: String,
    pub user_email: String,
    pub linked_at: Millis,
}

/// The account that a Linear person becomes. One that is made for it has nothing but the code to
/// show whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// One that is there.
    Known { user_id: String },
    /// One that is made for it, without a password.
    New {
        user_id: String,
        email: String,
        name: String,
    },
}

/// The result of making a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InviteAdded {
    /// The code is made, and any open one for the same person is worthless now.
    Added,
    /// The person is linked to the member with this e-mail.
    Linked { email: String },
}

/// The result of linking. Nothing was changed, unless it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linking {
    /// They are linked. `again`: they were before.
    Linked { user_id: String, again: bool },
    /// The code cannot be used any more.
    Gone,
    /// Somebody has an account with the e-mail, and has to sign in.
    EmailTaken,
    /// Another member is this person.
    PersonTaken { email: String },
    /// The member is another person of this workspace.
    OtherPerson { name: String },
    /// The account was not proved to be anybody's, and the code is another organisation's than its
    /// own.
    Unproved,
}

macro_rules! invites {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.organisation_id, o.name AS organisation_name, i.workspace_id, \
                c.workspace_name, i.linear_id, i.linear_name, \
                i.linear_email, i.linear_avatar_url, u.name AS made_by, i.made_by AS made_by_id, \
                i.made_at, i.expires_at, i.opened_at, i.ended, i.ended_at \
                FROM invites i JOIN organisations o ON o.id = i.organisation_id \
                JOIN connections c ON c.organisation_id = i.organisation_id AND c.workspace_id = \
                i.workspace_id \
                LEFT JOIN users u ON u.id = i.made_by ",
            $rest
        )
    };
}

/// Links a person to a member within a transaction. `Gone` never.
macro_rules! link {
    ($tx:ident, $person:expr, $user:expr, $by:expr, $now:expr) => {{
        let (person, user): (&LinearPersonRow, &str) = ($person, $user);
        const HOLDER: &str = "SELECT p.user_id, u.email FROM people p JOIN users u ON u.id = \
            p.user_id \
            WHERE p.organisation_id = $1 AND p.workspace_id = $2 AND p.linear_id = $3";
        const OTHER: &str = "SELECT linear_name FROM people WHERE organisation_id = $1 AND \
            workspace_id = $2 AND user_id = $3";
        const LINK: &str = "INSERT INTO people (organisation_id, workspace_id, linear_id, user_id, \
            linear_name, linear_email, linked_at, linked_by) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let holder = sqlx::query_as(HOLDER)
            .bind(&person.organisation_id)
            .bind(&person.workspace_id)
            .bind(&person.linear_id);
        let holder: Option<(String, String)> = holder.fetch_optional(&mut *$tx).await?;
        let other = sqlx::query_scalar(OTHER)
            .bind(&person.organisation_id)
            .bind(&person.workspace_id)
            .bind(user);
        let other: Option<String> = other.fetch_optional(&mut *$tx).await?;
        match (holder, other) {
            (Some((holder, _)), _) if holder == user => Linking::Linked {
                user_id: holder,
                again: true,
            },
            (Some((_, email)), _) => Linking::PersonTaken { email },
            (None, Some(name)) => Linking::OtherPerson { name },
            (None, None) => {
                let link = sqlx::query(LINK)
                    .bind(&person.organisation_id)
                    .bind(&person.workspace_id)
                    .bind(&person.linear_id)
                    .bind(user);
                link.bind(&person.name)
                    .bind(&person.email)
                    .bind($now)
                    .bind($by)
                    .execute(&mut *$tx)
                    .await?;
                Linking::Linked {
                    user_id: user.to_owned(),
                    again: false,
                }
            }
        }
    }};
}

impl Store {
    /// Stores a code's hash. Open codes for the same person end.
    pub async fn invite_add(&self, new: &NewInvite, act: &Act) -> Stored<InviteAdded> {
        const HOLDER: &str = "SELECT u.email FROM people p JOIN users u ON u.id = p.user_id \
            WHERE p.organisation_id = $1 AND p.workspace_id = $2 AND p.linear_id = $3";
        const REPLACE: &str = "UPDATE invites SET ended = 'replaced', ended_at = $4 \
            WHERE organisation_id = $1 AND workspace_id = $2 AND linear_id = $3 AND ended IS NULL";
        const ADD: &str = "INSERT INTO invites (id, organisation_id, workspace_id, linear_id, \
            linear_name, linear_email, linear_avatar_url, \
            code_hash, made_by, made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
            $10, $11)";
        let person = &new.person;
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            let holder = sqlx::query_scalar(HOLDER)
                .bind(&person.organisation_id)
                .bind(&person.workspace_id)
                .bind(&person.linear_id);
            if let Some(email) = holder.fetch_optional(&mut *tx).await? {
                return Ok(InviteAdded::Linked { email });
            }
            sqlx::query(REPLACE)
                .bind(&person.organisation_id)
                .bind(&person.workspace_id)
                .bind(&person.linear_id)
                .bind(new.now)
                .execute(&mut *tx)
                .await?;
            sqlx::query(ADD)
                .bind(&new.id)
                .bind(&person.organisation_id)
                .bind(&person.workspace_id)
                .bind(&person.linear_id)
                .bind(&person.name)
                .bind(&person.email)
                .bind(&person.avatar_url)
                .bind(&new.code_hash)
                .bind(&new.made_by)
                .bind(new.now)
                .bind(new.expires_at)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(InviteAdded::Added)
        })
    }

    /// The codes of an organisation that can still be used, and those whose holders said no or were
    /// refused since then. The newest first.
    pub async fn invites(
        &self,
        organisation: &str,
        now: Millis,
        since: Millis,
    ) -> Stored<Vec<InviteRow>> {
        const SQL: &str = invites!(
            "WHERE i.organisation_id = $1 AND ((i.ended IS NULL AND i.expires_at > $2) OR (i.ended \
                IN ('declined', 'refused') \
                AND i.ended_at > $3)) ORDER BY i.made_at DESC, i.id"
        );
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .bind(now)
            .bind(since)
            .fetch_all(pool)
            .await?))
    }

    /// One code of an organisation, whether it can be used or not.
    pub async fn invite(&self, organisation: &str, id: &str) -> Stored<Option<InviteRow>> {
        const SQL: &str = invites!("WHERE i.organisation_id = $1 AND i.id = $2");
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .bind(id)
            .fetch_optional(pool)
            .await?))
    }

    /// Reads a code that can be used. Looking at it is noted, and uses nothing up.
    pub async fn invite_open(&self, code_hash: &str, now: Millis) -> Stored<Option<InviteRow>> {
        const SQL: &str =
            invites!("WHERE i.code_hash = $1 AND i.ended IS NULL AND i.expires_at > $2");
        const OPENED: &str = "UPDATE invites SET opened_at = $2 WHERE id = $1 AND opened_at IS \
            NULL";
        let row: Option<InviteRow> = on!(&self.db, |pool| sqlx::query_as(SQL)
            .bind(code_hash)
            .bind(now)
            .fetch_optional(pool)
            .await?);
        if let Some(row) = row.as_ref().filter(|row| row.opened_at.is_none()) {
            on!(&self.db, |pool| {
                sqlx::query(OPENED)
                    .bind(&row.id)
                    .bind(now)
                    .execute(pool)
                    .await?;
            });
        }
        Ok(row)
    }

    /// Ends a code that can still be used. `false`: it cannot.
    pub async fn invite_end(&self, id: &str, ended: &str, act: &Act) -> Stored<bool> {
        const SQL: &str = "UPDATE invites SET ended = $3, ended_at = $4 \
            WHERE id = $1 AND organisation_id = $2 AND ended IS NULL AND expires_at > $4";
        noted!(
            self,
            act,
            sqlx::query(SQL)
                .bind(id)
                .bind(&act.organisation_id)
                .bind(ended)
                .bind(act.at)
        )
    }

    /// Takes a code whose holder said no or was refused off the list. `false`: it is not on it.
    pub async fn invite_dismiss(&self, id: &str, act: &Act) -> Stored<bool> {
        const SQL: &str = "UPDATE invites SET ended = 'dismissed' \
            WHERE id = $1 AND organisation_id = $2 AND ended IN ('declined', 'refused')";
        noted!(
            self,
            act,
            sqlx::query(SQL).bind(id).bind(&act.organisation_id)
        )
    }

    /// Uses a code up: whoever holds it is the person that it names. Of any number at once, one is
    /// first; a code that leads nowhere stays as it is. `proved`: Linear names the holder with the
    /// account's e-mail.
    ///
    /// # Errors
    /// When the database fails; whether it wrote is not known then.
    pub async fn invite_redeem(
        &self,
        invite: &InviteRow,
        code_hash: &str,
        account: &Account,
        proved: bool,
        act: &Act,
    ) -> Stored<Linking> {
        const TAKE: &str = "UPDATE invites SET ended = 'linked', ended_at = $3 \
            WHERE id = $1 AND code_hash = $2 AND ended IS NULL AND expires_at > $3 RETURNING \
            made_by";
        const ACCOUNT: &str = "INSERT INTO users (id, email, name, created_at) VALUES ($1, $2, $3, \
            $4) ON CONFLICT (email) DO NOTHING";
        const MEMBER: &str = "INSERT INTO members (organisation_id, user_id, role, created_at) \
            VALUES ($1, $2, 'member', $3) \
            ON CONFLICT (organisation_id, user_id) DO NOTHING";
        let person = invite.person();
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            let taken: Option<(Option<String>,)> = sqlx::query_as(TAKE)
                .bind(&invite.id)
                .bind(code_hash)
                .bind(act.at)
                .fetch_optional(&mut *tx)
                .await?;
            let Some((by,)) = taken else {
                return Ok(Linking::Gone);
            };
            let user = match account {
                Account::Known { user_id } => user_id,
                Account::New {
                    user_id,
                    email,
                    name,
                } => {
                    let made = sqlx::query(ACCOUNT)
                        .bind(user_id)
                        .bind(email)
                        .bind(name)
                        .bind(act.at)
                        .execute(&mut *tx)
                        .await?;
                    if made.rows_affected() == 0 {
                        return Ok(Linking::EmailTaken);
                    }
                    user_id
                }
            };
            if proved {
                prove!(self, tx, user, EmailProof::Linear, act);
            }
            let joined = sqlx::query(MEMBER)
                .bind(&person.organisation_id)
                .bind(user)
                .bind(act.at)
                .execute(&mut *tx)
                .await?;
            let known = matches!(account, Account::Known { .. });
            if known && joined.rows_affected() > 0 && proof_of!(tx, user).is_none() {
                return Ok(Linking::Unproved);
            }
            let linking = link!(tx, &person, user, by, act.at);
            if matches!(linking, Linking::Linked { .. }) {
                tx.commit().await?;
            }
            Ok(linking)
        })
    }

    /// Links a member to a person without a code. `proved`: Linear names whoever it is with the
    /// account's e-mail.
    pub async fn person_link(
        &self,
        person: &LinearPersonRow,
        user: &str,
        proved: bool,
        act: &Act,
    ) -> Stored<Linking> {
        const MEMBER: &str = "SELECT role FROM members WHERE organisation_id = $1 AND user_id = \
            $2";
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            // Removed in this very moment.
            let member: Option<String> = sqlx::query_scalar(MEMBER)
                .bind(&act.organisation_id)
                .bind(user)
                .fetch_optional(&mut *tx)
                .await?;
            if member.is_none() {
                return Ok(Linking::Gone);
            }
            let linking = link!(tx, person, user, Some(user), act.at);
            let linked = matches!(linking, Linking::Linked { .. });
            if linked && proved {
                prove!(self, tx, user, EmailProof::Linear, act);
            }
            if linked {
                tx.commit().await?;
            }
            Ok(linking)
        })
    }

    /// Forgets who somebody is. `false`: nobody is that person.
    pub async fn person_unlink(&self, workspace: &str, linear_id: &str, act: &Act) -> Stored<bool> {
        const SQL: &str = "DELETE FROM people WHERE organisation_id = $1 AND workspace_id = $2 AND \
            linear_id = $3";
        noted!(
            self,
            act,
            sqlx::query(SQL)
                .bind(&act.organisation_id)
                .bind(workspace)
                .bind(linear_id)
        )
    }

    /// Lists everybody of an organisation who is known in Linear.
    pub async fn people(&self, organisation: &str) -> Stored<Vec<LinkedMember>> {
        const SQL: &str = "SELECT p.workspace_id, p.linear_id, p.linear_name, p.linear_email, \
            p.user_id, u.name AS user_name, \
            u.email AS user_email, p.linked_at FROM people p JOIN users u ON u.id = p.user_id \
            WHERE p.organisation_id = $1 ORDER BY p.linear_name, p.linear_id";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .fetch_all(pool)
            .await?))
    }
}

impl InviteRow {
    /// The person whom it is for.
    #[must_use]
    pub fn person(&self) -> LinearPersonRow {
        LinearPersonRow {
            organisation_id: self.organisation_id.clone(),
            workspace_id: self.workspace_id.clone(),
            linear_id: self.linear_id.clone(),
            name: self.linear_name.clone(),
            email: self.linear_email.clone(),
            avatar_url: self.linear_avatar_url.clone(),
        }
    }
}
