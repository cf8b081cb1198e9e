//! Making link codes, and what became of them.

use secrecy::{ExposeSecret as _, SecretString};

use super::{Handover, LinkCode};
use crate::Engine;
use crate::clock::{DAY, HOUR, Millis};
use crate::connection::state::Connection;
use crate::connection::token::CallFailed;
use crate::identity::{Person, spelled};
use crate::linear::{Linear, LinearPerson};
use crate::store::{
    Act, AuditActor, InviteAdded, InviteRow, LinearPersonRow, NewInvite, StoreError,
};

/// Milliseconds for which a code can be used.
pub const VALID_DEFAULT: Millis = DAY;
pub const VALID_MIN: Millis = HOUR;
pub const VALID_MAX: Millis = 7 * DAY;
/// "That's not me" is told for so long.
const TOLD_FOR: Millis = 7 * DAY;

/// A code that was made. It is shown now and never again.
#[derive(Clone, Debug)]
pub struct Invited {
    pub id: String,
    /// The Linear person's name.
    pub name: String,
    pub email: String,
    /// The workspace's name.
    pub workspace: String,
    /// "7K3D-M9QX-2VBT-H4ZC"
    pub code: SecretString,
    pub expires_at: Millis,
    pub mailed: Mailed,
}

/// A code that was thought of and is not good yet.
#[derive(Debug)]
pub struct InviteDraft {
    invited: Invited,
    new: NewInvite,
    act: Act,
}

impl InviteDraft {
    /// What is made when it is kept.
    #[must_use]
    pub fn invited(&self) -> &Invited {
        &self.invited
    }
}

/// Whether a code went to its person by e-mail too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mailed {
    /// No mail server is set up.
    #[default]
    NotSetUp,
    Sent,
    /// The mail server did not take it; the log says why.
    Failed,
}

/// What became of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It can still be used.
    Open,
    /// Its holder is not the person that it names.
    Declined,
    /// Its holder tried to become a person whom another member is already.
    Refused,
}

/// A code as the admins of its organisation see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    pub id: String,
    pub workspace: String,
    pub name: String,
    pub email: String,
    /// Who made it, unless it came by command.
    pub made_by: Option<String>,
    pub expires_at: Millis,
    /// When somebody first looked at what it says.
    pub opened_at: Option<Millis>,
    pub outcome: Outcome,
    pub ended_at: Option<Millis>,
}

#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    #[error("only admins and owners invite")]
    Forbidden,
    #[error("no such connection or code")]
    NotFound,
    /// Nobody active there has this id or e-mail, or it is a bot.
    #[error("nobody in the workspace who can be linked is meant by that")]
    NoSuchPerson,
    #[error("they are linked to {email}")]
    Linked { email: String },
    #[error("a code is valid for one hour to seven days")]
    Valid,
    #[error(transparent)]
    Linear(#[from] CallFailed),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<InviteRow> for Invite {
    fn from(row: InviteRow) -> Invite {
        Invite {
            id: row.id,
            workspace: row.workspace_name,
            name: row.linear_name,
            email: row.linear_email,
            made_by: row.made_by,
            expires_at: row.expires_at,
            opened_at: row.opened_at,
            outcome: match row.ended.as_deref() {
                None => Outcome::Open,
                Some("refused") => Outcome::Refused,
                Some(_) => Outcome::Declined,
            },
            ended_at: row.ended_at,
        }
    }
}

impl Engine {
    /// Everybody in a workspace who can be linked: active people, no bots, by name.
    pub async fn linear_people(
        &self,
        person: &Person,
        connection: &str,
    ) -> Result<Vec<LinearPerson>, InviteError> {
        if !person.manages() {
            return Err(InviteError::Forbidden);
        }
        let people = self.with_token(
            &person.organisation_id,
            connection,
            async |linear, token| linear.people(token).await,
        );
        Ok(people.await?)
    }

    /// Makes a link code for the person with this Linear id or e-mail. Open codes for the same
    /// person end.
    pub async fn invite(
        &self,
        person: &Person,
        connection: &str,
        key: &str,
        valid: Millis,
    ) -> Result<Invited, InviteError> {
        if !person.manages() {
            return Err(InviteError::Forbidden);
        }
        let connection = self
            .store()
            .connection(&person.organisation_id, connection)
            .await?
            .ok_or(InviteError::NotFound)?;
        self.make_code(
            &connection,
            Some(&person.user_id),
            person.actor(),
            key,
            valid,
        )
        .await
    }

    /// [`Engine::invite`] by command. The code links nobody until it is kept: whoever asked for it
    /// has to see it first.
    pub async fn invite_draft(
        &self,
        connection: &Connection,
        key: &str,
        valid: Millis,
    ) -> Result<InviteDraft, InviteError> {
        self.draft_code(connection, None, AuditActor::command(), key, valid)
            .await
    }

    /// Makes a code good, and sends it to its person.
    pub async fn invite_keep(&self, draft: InviteDraft) -> Result<Invited, InviteError> {
        let InviteDraft { invited, new, act } = draft;
        match self.store().invite_add(&new, &act).await? {
            InviteAdded::Linked { email } => Err(InviteError::Linked { email }),
            InviteAdded::Added => {
                let mailed = self
                    .mail_code(&act.organisation_id, &new.id, &invited.code)
                    .await;
                Ok(Invited { mailed, ..invited })
            }
        }
    }

    /// The person with this Linear id or e-mail, if they can be linked.
    pub(super) async fn linear_person(
        &self,
        connection: &Connection,
        key: &str,
    ) -> Result<Option<LinearPerson>, CallFailed> {
        // Owned by the closure: with a borrowed key the compiler cannot tell that the future may go
        // to another thread.
        let key = key.to_owned();
        let call =
            async move |linear: &Linear, token: &SecretString| linear.person(token, &key).await;
        self.with_token(&connection.organisation_id, &connection.id, call)
            .await
    }

    async fn make_code(
        &self,
        connection: &Connection,
        made_by: Option<&str>,
        actor: AuditActor,
        key: &str,
        valid: Millis,
    ) -> Result<Invited, InviteError> {
        self.invite_keep(
            self.draft_code(connection, made_by, actor, key, valid)
                .await?,
        )
        .await
    }

    async fn draft_code(
        &self,
        connection: &Connection,
        made_by: Option<&str>,
        actor: AuditActor,
        key: &str,
        valid: Millis,
    ) -> Result<InviteDraft, InviteError> {
        if !(VALID_MIN..=VALID_MAX).contains(&valid) {
            return Err(InviteError::Valid);
        }
        let organisation = &connection.organisation_id;
        let found = self
            .linear_person(connection, key.trim())
            .await?
            .ok_or(InviteError::NoSuchPerson)?;
        let (code, now) = (LinkCode::new(self.entropy()), self.now());
        let new = NewInvite {
            id: self.entropy().id(),
            person: row(connection, &found),
            code_hash: code.hash(),
            made_by: made_by.map(str::to_owned),
            now,
            expires_at: now + valid,
        };
        let subject = format!("{} in {}", found.name, connection.workspace.name);
        let act = self.act(organisation, actor, "invite.made", subject);
        let invited = Invited {
            id: new.id.clone(),
            name: found.name,
            email: found.email,
            workspace: connection.workspace.name.clone(),
            code: code.grouped(),
            expires_at: new.expires_at,
            mailed: Mailed::NotSetUp,
        };
        Ok(InviteDraft { invited, new, act })
    }

    /// Sends a new code to its person. It is good whether or not that works.
    async fn mail_code(&self, organisation: &str, invite: &str, code: &SecretString) -> Mailed {
        let Some(mail) = &self.settings().mail else {
            return Mailed::NotSetUp;
        };
        let row = match self.store().invite(organisation, invite).await {
            Ok(Some(row)) => row,
            Ok(None) => return Mailed::Failed,
            Err(error) => {
                tracing::error!(%error, invite, "a link code could not be sent by e-mail");
                return Mailed::Failed;
            }
        };
        let handover = Handover {
            name: &row.linear_name,
            asked_by: row.made_by.as_deref(),
            organisation: &row.organisation_name,
            page: &mail.page("/link"),
            code: code.expose_secret(),
            expires_at: row.expires_at,
        };
        match mail
            .send(
                &row.linear_name,
                &row.linear_email,
                &handover.subject(),
                &handover.text(),
            )
            .await
        {
            Ok(()) => Mailed::Sent,
            Err(error) => {
                tracing::error!(%error, invite, "a link code could not be sent by e-mail");
                Mailed::Failed
            }
        }
    }

    /// The codes that can still be used, and those whose holders said no of late. The newest first.
    pub async fn invites(&self, person: &Person) -> Result<Vec<Invite>, InviteError> {
        if !person.manages() {
            return Err(InviteError::Forbidden);
        }
        let now = self.now();
        let rows = self
            .store()
            .invites(&person.organisation_id, now, now - TOLD_FOR)
            .await?;
        Ok(rows.into_iter().map(Invite::from).collect())
    }

    /// Makes a code worthless. Answers whose it was.
    pub async fn invite_revoke(&self, person: &Person, id: &str) -> Result<String, InviteError> {
        if !person.manages() {
            return Err(InviteError::Forbidden);
        }
        let row = self
            .store()
            .invite(&person.organisation_id, id)
            .await?
            .ok_or(InviteError::NotFound)?;
        let act = self.invite_act(person, "invite.revoked", &row);
        if self.store().invite_end(&row.id, "revoked", &act).await? {
            Ok(row.linear_name)
        } else {
            Err(InviteError::NotFound)
        }
    }

    /// Takes a code whose holder said no or was refused off the list of [`Engine::invites`].
    /// Whoever else manages may have done that already.
    pub async fn invite_dismiss(&self, person: &Person, id: &str) -> Result<(), InviteError> {
        if !person.manages() {
            return Err(InviteError::Forbidden);
        }
        let row = self
            .store()
            .invite(&person.organisation_id, id)
            .await?
            .ok_or(InviteError::NotFound)?;
        self.store()
            .invite_dismiss(&row.id, &self.invite_act(person, "invite.dismissed", &row))
            .await?;
        Ok(())
    }

    fn invite_act(&self, person: &Person, act: &'static str, row: &InviteRow) -> Act {
        self.act(
            &person.organisation_id,
            person.actor(),
            act,
            format!("{} in {}", row.linear_name, row.workspace_name),
        )
    }

    /// Makes a new code for whom another one was for, which ends.
    pub async fn invite_again(
        &self,
        person: &Person,
        id: &str,
        valid: Millis,
    ) -> Result<Invited, InviteError> {
        if !person.manages() {
            return Err(InviteError::Forbidden);
        }
        let row = self
            .store()
            .invite(&person.organisation_id, id)
            .await?
            .ok_or(InviteError::NotFound)?;
        let connection = self
            .store()
            .connection_by_workspace(&person.organisation_id, &row.workspace_id)
            .await?;
        let connection = connection.ok_or(InviteError::NotFound)?;
        self.make_code(
            &connection,
            Some(&person.user_id),
            person.actor(),
            &row.linear_id,
            valid,
        )
        .await
    }

    /// Which of a workspace's people are linked to members: Linear id and the member's e-mail.
    pub async fn linked(
        &self,
        organisation: &str,
        workspace: &str,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let people = self.store().people(organisation).await?;
        let here = people
            .into_iter()
            .filter(|link| link.workspace_id == workspace);
        Ok(here.map(|link| (link.linear_id, link.user_email)).collect())
    }
}

pub(super) fn row(connection: &Connection, person: &LinearPerson) -> LinearPersonRow {
    LinearPersonRow {
        organisation_id: connection.organisation_id.clone(),
        workspace_id: connection.workspace.id.clone(),
        linear_id: person.id.clone(),
        name: person.name.clone(),
        email: spelled(&person.email),
        avatar_url: person.avatar_url.clone(),
    }
}
