//! The members of an organisation: roles, and who they are in Linear.

use super::invites::row;
use crate::acting::handle;
use crate::clock::Millis;
use crate::connection::token::CallFailed;
use crate::identity::{Person, Role, Standing};
use crate::store::{LinkedMember, Linking, MemberChange, StoreError};
use crate::{Acting, Denied, Engine, uncancelled};

/// The Linear person who a member is in one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Linear's organization id, and the workspace's name.
    pub workspace_id: String,
    pub workspace: String,
    pub linear_id: String,
    pub name: String,
    pub email: String,
    pub linked_at: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamMember {
    pub user_id: String,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub standing: Standing,
    pub since: Millis,
    /// The links by the workspaces' names.
    pub linked: Vec<Link>,
}

#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("no such member, connection or person")]
    NotFound,
    #[error("an organisation needs an owner")]
    LastOwner,
    #[error("{email} is this person already")]
    PersonTaken { email: String },
    #[error("they are {name} in this workspace already")]
    OtherPerson { name: String },
    #[error(
        "nobody proved that {email} is theirs: a link code made the account, which somebody else \
            may have used. Nothing was \
            changed. They prove it on /team, by e-mail or at Linear; or an owner answers for them \
            there, or you with \
            `relink member vouch`"
    )]
    Unproved { email: String },
    /// Somebody else answers for them, or there is nothing to answer for.
    #[error("there is nothing to vouch for")]
    NothingToVouch,
    #[error(
        "{name} has another e-mail in Linear, {email}: only Linear, or an owner, can say that it \
            is them"
    )]
    NeedsProof { name: String, email: String },
    #[error(transparent)]
    Linear(#[from] CallFailed),
    #[error(transparent)]
    Store(#[from] StoreError),
}

handle! {
    /// The members of an organisation.
    members -> Members
}

impl Members<'_> {
    /// Lists everybody in the organisation, by name.
    pub async fn list(&self) -> Result<Vec<TeamMember>, StoreError> {
        let organisation = &self.acting.organisation;
        let (members, people) = (
            self.store().members(organisation).await?,
            self.store().people(organisation).await?,
        );
        let connections = self.store().connections(organisation).await?;
        let workspace = |id: &str| {
            let connection = connections
                .iter()
                .find(|connection| connection.workspace.id == id);
            connection.map_or_else(
                || id.to_owned(),
                |connection| connection.workspace.name.clone(),
            )
        };
        let mut team: Vec<TeamMember> = Vec::with_capacity(members.len());
        for member in members {
            let role = Role::from_name(&member.role).ok_or_else(|| StoreError::Inconsistent {
                table: "members",
                id: member.user_id.clone(),
            })?;
            let theirs = people.iter().filter(|link| link.user_id == member.user_id);
            let mut linked: Vec<Link> = theirs
                .map(|link| Link {
                    workspace_id: link.workspace_id.clone(),
                    workspace: workspace(&link.workspace_id),
                    linear_id: link.linear_id.clone(),
                    name: link.linear_name.clone(),
                    email: link.linear_email.clone(),
                    linked_at: link.linked_at,
                })
                .collect();
            linked.sort_by(|one, other| one.workspace.cmp(&other.workspace));
            team.push(TeamMember {
                standing: member.standing(),
                user_id: member.user_id,
                name: member.name,
                email: member.email,
                role,
                since: member.created_at,
                linked,
            });
        }
        Ok(team)
    }

    /// The member with this account.
    pub async fn get(&self, user: &str) -> Result<Option<Person>, StoreError> {
        self.store().member(&self.acting.organisation, user).await
    }

    /// The member with this e-mail, in the spelling that is stored.
    pub async fn by_email(&self, email: &str) -> Result<Option<Person>, StoreError> {
        match self.store().user_by_email(email).await? {
            Some(user) => self.get(&user.id).await,
            None => Ok(None),
        }
    }

    /// Lists the members who are linked, with their Linear people.
    pub async fn linked(&self) -> Result<Vec<LinkedMember>, StoreError> {
        self.store().people(&self.acting.organisation).await
    }

    /// Gives a member another role. All their sessions end, and the codes that they made if they
    /// may not make any more.
    pub async fn set_role(&self, user: &str, role: Role) -> Result<(), MemberError> {
        let member = self.owned(user).await?;
        let subject = format!("{} becomes {}", member.email, role.name());
        let act = self.act("member.role", subject);
        changed(
            self.store().member_set_role(user, role, &act).await?,
            member,
        )
    }

    /// Answers for it that a member's account is whose its e-mail says. An owner's word counts in
    /// their own organisation: in any other one, somebody may be meant whom they never met. Whoever
    /// may run commands answers in every organisation, as if they had added the account themselves.
    pub async fn vouch(&self, user: &str) -> Result<(), MemberError> {
        let member = self.owned(user).await?;
        let vouched = match self.acting.user_id() {
            None => {
                let act = self.act("account.proved", format!("{}, by command", member.email));
                self.store().account_answer_for(user, &act).await?
            }
            // Nobody answers for themself.
            Some(own) if own == user => false,
            Some(_) if member.standing != Standing::Unproved => false,
            Some(_) => {
                let act = self.act("member.vouched", member.email);
                self.store().member_vouch(user, &act).await?
            }
        };
        vouched.then_some(()).ok_or(MemberError::NothingToVouch)
    }

    /// Removes a member, with who they are in Linear. All their sessions end, and the codes that
    /// they made; with `keys`, so do the API keys that they made. An account without a password
    /// goes with them: nobody could sign in to it.
    pub async fn remove(&self, user: &str, keys: bool) -> Result<(), MemberError> {
        let member = self.owned(user).await?;
        let act = self.act("member.removed", &member.email);
        let (engine, user) = (self.engine.clone(), user.to_owned());
        // Written and forgotten, also when the browser leaves in between.
        let removed = uncancelled(async move {
            let removed = engine.store().member_remove(&user, keys, &act).await;
            engine.forget_callers();
            removed
        });
        changed(removed.await?, member)
    }

    /// A member of the organisation that whoever acts owns.
    async fn owned(&self, user: &str) -> Result<Person, MemberError> {
        self.acting.owns()?;
        self.get(user).await?.ok_or(MemberError::NotFound)
    }

    /// Forgets who somebody is. Members may do that for themselves.
    pub async fn unlink(&self, workspace: &str, linear_id: &str) -> Result<(), MemberError> {
        let people = self.linked().await?;
        let link = people
            .into_iter()
            .find(|link| link.workspace_id == workspace && link.linear_id == linear_id);
        let link = link.ok_or(MemberError::NotFound)?;
        if self.acting.user_id() != Some(&link.user_id) {
            self.acting.manages()?;
        }
        let subject = format!("{} was {}", link.user_email, link.linear_name);
        let act = self.act("person.unlinked", subject);
        if self
            .store()
            .person_unlink(workspace, linear_id, &act)
            .await?
        {
            Ok(())
        } else {
            Err(MemberError::NotFound)
        }
    }
}

impl Engine {
    /// Links somebody who manages to the Linear person that they say they are, where their word
    /// does: see [`Engine::proof_begin`] for everybody else.
    pub async fn link_self(
        &self,
        person: &Person,
        connection: &str,
        linear_id: &str,
    ) -> Result<String, MemberError> {
        let acting = Acting::from(person);
        acting.manages()?;
        let organisation = &person.organisation_id;
        let connection = self
            .store()
            .connection(organisation, connection)
            .await?
            .ok_or(MemberError::NotFound)?;
        let found = self
            .linear_person(&connection, linear_id)
            .await?
            .ok_or(MemberError::NotFound)?;
        // Whoever approved the connection as this person has shown Linear who they are.
        let approved = self
            .store()
            .connection_approved_as(&connection.id, &person.user_id, &found.id)
            .await?;
        if !approved && !person.may_say_alone_who_they_are(&found.email) {
            return Err(MemberError::NeedsProof {
                name: found.name,
                email: found.email,
            });
        }
        let subject = format!("{} in {}", found.name, connection.workspace.name);
        let act = acting.act(self, "person.linked", subject);
        match self
            .store()
            .person_link(&row(&connection, &found), &person.user_id, false, &act)
            .await?
        {
            Linking::Linked { .. } => Ok(found.name),
            Linking::PersonTaken { email } => Err(MemberError::PersonTaken { email }),
            Linking::OtherPerson { name } => Err(MemberError::OtherPerson { name }),
            Linking::Gone | Linking::EmailTaken | Linking::Unproved => Err(MemberError::NotFound),
        }
    }
}

fn changed(change: MemberChange, member: Person) -> Result<(), MemberError> {
    match change {
        MemberChange::Unproved => Err(MemberError::Unproved {
            email: member.email,
        }),
        MemberChange::Done => Ok(()),
        MemberChange::NotFound => Err(MemberError::NotFound),
        MemberChange::LastOwner => Err(MemberError::LastOwner),
    }
}
