//! The members of an organisation: roles, and who they are in Linear.

use super::invites::row;
use crate::clock::Millis;
use crate::connection::token::CallFailed;
use crate::identity::{Person, Role, Standing};
use crate::store::{AuditActor, LinkRow, Linking, MemberChange, StoreError};
use crate::{Engine, uncancelled};

/// Who a member is in one workspace.
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
    /// By the workspaces' names.
    pub linked: Vec<Link>,
}

#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    #[error("their role does not allow it")]
    Forbidden,
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

impl Engine {
    /// Everybody in the person's organisation, by name.
    pub async fn team(&self, person: &Person) -> Result<Vec<TeamMember>, StoreError> {
        self.team_of(&person.organisation_id).await
    }

    /// [`Engine::team`] by command.
    pub async fn team_of(&self, organisation: &str) -> Result<Vec<TeamMember>, StoreError> {
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

    /// Gives a member another role. All their sessions end, and the codes that they made if they
    /// may not make any more.
    pub async fn member_set_role(
        &self,
        person: &Person,
        user: &str,
        role: Role,
    ) -> Result<(), MemberError> {
        let member = self.managed(person, user).await?;
        self.set_role(&member, role, person.actor()).await
    }

    /// [`Engine::member_set_role`] by command.
    pub async fn member_set_role_by_command(
        &self,
        member: &Person,
        role: Role,
    ) -> Result<(), MemberError> {
        self.set_role(member, role, AuditActor::command()).await
    }

    async fn set_role(
        &self,
        member: &Person,
        role: Role,
        actor: AuditActor,
    ) -> Result<(), MemberError> {
        let act = self.act(
            &member.organisation_id,
            actor,
            "member.role",
            format!("{} becomes {}", member.email, role.name()),
        );
        changed(
            self.store()
                .member_set_role(&member.user_id, role, &act)
                .await?,
            member,
        )
    }

    /// An owner answers for it that a member's account is whose its e-mail says. That counts in
    /// their own organisation: in any other one, somebody may be meant whom they never met.
    pub async fn member_vouch(&self, person: &Person, user: &str) -> Result<(), MemberError> {
        let member = self.managed(person, user).await?;
        // Nobody answers for themself.
        if member.standing != Standing::Unproved || member.user_id == person.user_id {
            return Err(MemberError::NothingToVouch);
        }
        let act = self.act(
            &person.organisation_id,
            person.actor(),
            "member.vouched",
            member.email,
        );
        if self.store().member_vouch(user, &act).await? {
            Ok(())
        } else {
            Err(MemberError::NothingToVouch)
        }
    }

    /// Whoever may run commands answers for an account: in every organisation, as if they had added
    /// it themselves.
    pub async fn member_vouch_by_command(&self, member: &Person) -> Result<(), MemberError> {
        let subject = format!("{}, by command", member.email);
        let act = self.act(
            &member.organisation_id,
            AuditActor::command(),
            "account.proved",
            subject,
        );
        if self
            .store()
            .account_answer_for(&member.user_id, &act)
            .await?
        {
            Ok(())
        } else {
            Err(MemberError::NothingToVouch)
        }
    }

    /// Removes a member, with who they are in Linear. All their sessions end, and the codes that
    /// they made; with `keys`, so do the API keys that they made. An account without a password
    /// goes with them: nobody could sign in to it.
    pub async fn member_remove(
        &self,
        person: &Person,
        user: &str,
        keys: bool,
    ) -> Result<(), MemberError> {
        let member = self.managed(person, user).await?;
        self.remove(&member, keys, person.actor()).await
    }

    /// [`Engine::member_remove`] by command.
    pub async fn member_remove_by_command(
        &self,
        member: &Person,
        keys: bool,
    ) -> Result<(), MemberError> {
        self.remove(member, keys, AuditActor::command()).await
    }

    async fn remove(
        &self,
        member: &Person,
        keys: bool,
        actor: AuditActor,
    ) -> Result<(), MemberError> {
        let act = self.act(
            &member.organisation_id,
            actor,
            "member.removed",
            member.email.clone(),
        );
        let (engine, user) = (self.clone(), member.user_id.clone());
        // Written and forgotten, also when the browser leaves in between.
        let removed = uncancelled(async move {
            let removed = engine.store().member_remove(&user, keys, &act).await;
            engine.forget_callers();
            removed
        });
        changed(removed.await?, member)
    }

    /// A member of the organisation that the person owns.
    async fn managed(&self, person: &Person, user: &str) -> Result<Person, MemberError> {
        if !person.owns() {
            return Err(MemberError::Forbidden);
        }
        self.store()
            .member(&person.organisation_id, user)
            .await?
            .ok_or(MemberError::NotFound)
    }

    /// Links somebody who manages to the Linear person that they say they are, where their word
    /// does: see [`Engine::proof_begin`] for everybody else.
    pub async fn link_self(
        &self,
        person: &Person,
        connection: &str,
        linear_id: &str,
    ) -> Result<String, MemberError> {
        if !person.manages() {
            return Err(MemberError::Forbidden);
        }
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
        let act = self.act(
            organisation,
            person.actor(),
            "person.linked",
            format!("{} in {}", found.name, connection.workspace.name),
        );
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

    /// Forgets who somebody is. Members may do that for themselves.
    pub async fn unlink(
        &self,
        person: &Person,
        workspace: &str,
        linear_id: &str,
    ) -> Result<(), MemberError> {
        let people = self.store().people(&person.organisation_id).await?;
        let link = people
            .into_iter()
            .find(|link| link.workspace_id == workspace && link.linear_id == linear_id);
        let link = link.ok_or(MemberError::NotFound)?;
        if !person.manages() && link.user_id != person.user_id {
            return Err(MemberError::Forbidden);
        }
        self.forget(person, &link, person.actor()).await
    }

    /// [`Engine::unlink`] by command: who a member is in a workspace. Answers who they were.
    pub async fn unlink_by_command(
        &self,
        member: &Person,
        workspace: &str,
    ) -> Result<String, MemberError> {
        let people = self.store().people(&member.organisation_id).await?;
        let link = people
            .into_iter()
            .find(|link| link.workspace_id == workspace && link.user_id == member.user_id);
        let link = link.ok_or(MemberError::NotFound)?;
        self.forget(member, &link, AuditActor::command()).await?;
        Ok(link.linear_name)
    }

    async fn forget(
        &self,
        member: &Person,
        link: &LinkRow,
        actor: AuditActor,
    ) -> Result<(), MemberError> {
        let act = self.act(
            &member.organisation_id,
            actor,
            "person.unlinked",
            format!("{} was {}", link.user_email, link.linear_name),
        );
        if self
            .store()
            .person_unlink(&link.workspace_id, &link.linear_id, &act)
            .await?
        {
            Ok(())
        } else {
            Err(MemberError::NotFound)
        }
    }
}

fn changed(change: MemberChange, member: &Person) -> Result<(), MemberError> {
    match change {
        MemberChange::Unproved => Err(MemberError::Unproved {
            email: member.email.clone(),
        }),
        MemberChange::Done => Ok(()),
        MemberChange::NotFound => Err(MemberError::NotFound),
        MemberChange::LastOwner => Err(MemberError::LastOwner),
    }
}
