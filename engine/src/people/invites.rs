//! Making link codes, and what became of them.

use secrecy::{ExposeSecret as _, SecretString};

use super::{Handover, LinkCode};
use crate::acting::handle;
use crate::clock::{DAY, HOUR, Millis};
use crate::connection::state::Connection;
use crate::connection::token::CallFailed;
use crate::identity::spelled;
use crate::linear::{Linear, LinearPerson};
use crate::store::{Act, InviteAdded, InviteRow, LinearPersonRow, NewInvite, StoreError};
use crate::{Denied, Engine};

/// Milliseconds for which a code can be used.
pub const VALID_DEFAULT: Millis = DAY;
pub const VALID_MIN: Millis = HOUR;
pub const VALID_MAX: Millis = 7 * DAY;
/// "That's not me" is told for this long.
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
    /// The invitation that is made when the draft is kept.
    #[must_use]
    pub fn invited(&self) -> &Invited {
        &self.invited
    }
}

/// The answer to whether a code went to its person by e-mail too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mailed {
    /// The instance has no mail server.
    #[default]
    NotSetUp,
    Sent,
    /// The mail server did not take it; the log says why.
    Failed,
}

/// The end of a code.
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
    /// The name of whoever made it, unless it came by command.
    pub made_by: Option<String>,
    pub expires_at: Millis,
    /// The time at which somebody first looked at what it says.
    pub opened_at: Option<Millis>,
    pub outcome: Outcome,
    pub ended_at: Option<Millis>,
}

#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("no such connection or code")]
    NotFound,
    /// The id or e-mail is that of nobody who is active there, or of a bot.
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

handle! {
    /// Link codes of an organisation.
    invites -> Invites
}

impl Invites<'_> {
    /// Lists everybody in a workspace who can be linked: active people, no bots, by name.
    pub async fn linear_people(&self, connection: &str) -> Result<Vec<LinearPerson>, InviteError> {
        self.acting.manages()?;
        let people = self.engine.with_token(
            &self.acting.organisation,
            connection,
            async |linear, token| linear.people(token).await,
        );
        Ok(people.await?)
    }

    /// Makes a link code for the person with this Linear id or e-mail. Open codes for the same
    /// person end.
    pub async fn make(
        &self,
        connection: &str,
        key: &str,
        valid: Millis,
    ) -> Result<Invited, InviteError> {
        self.keep(self.draft(connection, key, valid).await?).await
    }

    /// A code that links nobody until it is kept: whoever asked for it may have to see it first.
    pub async fn draft(
        &self,
        connection: &str,
        key: &str,
        valid: Millis,
    ) -> Result<InviteDraft, InviteError> {
        self.acting.manages()?;
        let connection = self
            .store()
            .connection(&self.acting.organisation, connection)
            .await?
            .ok_or(InviteError::NotFound)?;
        self.draft_for(&connection, key, valid).await
    }

    async fn draft_for(
        &self,
        connection: &Connection,
        key: &str,
        valid: Millis,
    ) -> Result<InviteDraft, InviteError> {
        if !(VALID_MIN..=VALID_MAX).contains(&valid) {
            return Err(InviteError::Valid);
        }
        let engine = self.engine;
        let found = engine
            .linear_person(connection, key.trim())
            .await?
            .ok_or(InviteError::NoSuchPerson)?;
        let (code, now) = (LinkCode::new(engine.entropy()), engine.now());
        let new = NewInvite {
            id: engine.entropy().id(),
            person: row(connection, &found),
            code_hash: code.hash(),
            made_by: self.acting.user_id().map(str::to_owned),
            now,
            expires_at: now + valid,
        };
        let subject = format!("{} in {}", found.name, connection.workspace.name);
        let act = self.act("invite.made", subject);
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

    /// Makes a code good, and sends it to its person.
    pub async fn keep(&self, draft: InviteDraft) -> Result<Invited, InviteError> {
        let InviteDraft { invited, new, act } = draft;
        match self.store().invite_add(&new, &act).await? {
            InviteAdded::Linked { email } => Err(InviteError::Linked { email }),
            InviteAdded::Added => {
                let mailed = self.mail(&new.id, &invited.code).await;
                Ok(Invited { mailed, ..invited })
            }
        }
    }

    /// Sends a new code to its person. It is good whether or not that works.
    async fn mail(&self, invite: &str, code: &SecretString) -> Mailed {
        let Some(mail) = &self.engine.settings().mail else {
            return Mailed::NotSetUp;
        };
        let row = match self.store().invite(&self.acting.organisation, invite).await {
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
    pub async fn list(&self) -> Result<Vec<Invite>, InviteError> {
        self.acting.manages()?;
        let now = self.engine.now();
        let rows = self
            .store()
            .invites(&self.acting.organisation, now, now - TOLD_FOR)
            .await?;
        Ok(rows.into_iter().map(Invite::from).collect())
    }

    /// Makes a code worthless. Answers whose it was.
    pub async fn revoke(&self, id: &str) -> Result<String, InviteError> {
        let (row, act) = self.found(id, "invite.revoked").await?;
        if self.store().invite_end(&row.id, "revoked", &act).await? {
            Ok(row.linear_name)
        } else {
            Err(InviteError::NotFound)
        }
    }

    /// Takes a code whose holder said no or was refused off the list. Whoever else manages may have
    /// done that already.
    pub async fn dismiss(&self, id: &str) -> Result<(), InviteError> {
        let (row, act) = self.found(id, "invite.dismissed").await?;
        self.store().invite_dismiss(&row.id, &act).await?;
        Ok(())
    }

    /// Replaces a code: a new one is made for the same person, and it ends.
    pub async fn again(&self, id: &str, valid: Millis) -> Result<Invited, InviteError> {
        let row = self.one(id).await?;
        let connection = self
            .store()
            .connection_by_workspace(&self.acting.organisation, &row.workspace_id)
            .await?;
        let connection = connection.ok_or(InviteError::NotFound)?;
        self.keep(self.draft_for(&connection, &row.linear_id, valid).await?)
            .await
    }

    async fn one(&self, id: &str) -> Result<InviteRow, InviteError> {
        self.acting.manages()?;
        self.store()
            .invite(&self.acting.organisation, id)
            .await?
            .ok_or(InviteError::NotFound)
    }

    /// A code, and what is done with it.
    async fn found(&self, id: &str, act: &'static str) -> Result<(InviteRow, Act), InviteError> {
        let row = self.one(id).await?;
        let act = self.act(
            act,
            format!("{} in {}", row.linear_name, row.workspace_name),
        );
        Ok((row, act))
    }
}

impl Engine {
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
