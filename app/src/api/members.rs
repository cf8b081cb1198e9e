//! Members: who they are in Linear, their roles, and their end.

use leptos::prelude::*;
use relink_engine::identity::{Person, Role};
use relink_engine::people::MemberError;
use relink_engine::{Engine, text};

use super::invite_problem::call_problem;
use super::person::{refuse, signed_in_form};
use super::request::{connection_path, engine, see_other};
use super::session::set_flash;
use crate::view::{Failure, Flash, InviteProblem};

/// Links who looks at the page to the Linear person that they say they are.
#[server(prefix = "/team", endpoint = "me")]
pub async fn link_me(
    #[server(default)] workspace: String,
    #[server(default)] person: String,
) -> Result<(), Failure> {
    let (engine, member) = (engine()?, signed_in_form().await?);
    let flash = match engine.link_self(&member, &workspace, &person).await {
        Ok(name) => match engine
            .store()
            .connection(&member.organisation_id, &workspace)
            .await?
        {
            Some(connection) => Flash::SelfLinked {
                name: text::name(&name),
                workspace: text::name(&connection.workspace.name),
            },
            None => return refuse(Failure::NotFound).await,
        },
        Err(MemberError::PersonTaken { email }) => {
            Flash::SelfNotLinked(InviteProblem::Linked { email })
        }
        Err(MemberError::OtherPerson { name }) => Flash::SelfOther {
            name: text::name(&name),
        },
        Err(MemberError::NeedsProof { name, email }) => {
            let (name, email) = (text::name(&name), text::email(&email));
            Flash::SelfNotLinked(InviteProblem::NeedsProof { name, email })
        }
        Err(MemberError::Linear(error)) => match call_problem(error) {
            Ok(problem) => Flash::SelfNotLinked(problem),
            Err(failure) => return refuse(failure).await,
        },
        Err(error) => return refuse(error.into()).await,
    };
    said(flash).await
}

/// Forgets who somebody is in a workspace. `back` is the connection on whose page the form was;
/// empty on the team's.
#[server(prefix = "/team", endpoint = "unlink")]
pub async fn unlink_member(
    #[server(default)] workspace: String,
    #[server(default)] person: String,
    #[server(default)] back: String,
) -> Result<(), Failure> {
    let (engine, member) = (engine()?, signed_in_form().await?);
    let page = match page(&engine, &member, &back).await {
        Ok(page) => page,
        Err(failure) => return refuse(failure).await,
    };
    let team = engine.team(&member).await?;
    let link = team
        .into_iter()
        .flat_map(|member| member.linked)
        .find(|link| link.workspace_id == workspace && link.linear_id == person);
    let Some(link) = link else {
        return refuse(Failure::NotFound).await;
    };
    match engine.unlink(&member, &workspace, &person).await {
        Ok(()) => {
            said_on(
                &page,
                Flash::Unlinked {
                    name: text::name(&link.name),
                    workspace: text::name(&link.workspace),
                },
            )
            .await
        }
        Err(error) => refuse(error.into()).await,
    }
}

/// Gives a member another role.
#[server(prefix = "/team", endpoint = "role")]
pub async fn set_role(
    #[server(default)] member: String,
    #[server(default)] role: String,
) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let Some(wanted) = Role::from_name(&role) else {
        return refuse(Failure::Malformed).await;
    };
    let name = match name(&engine, &person, &member).await {
        Ok(name) => name,
        Err(failure) => return refuse(failure).await,
    };
    match engine.member_set_role(&person, &member, wanted).await {
        Ok(()) => {
            said(Flash::RoleChanged {
                name,
                role: wanted.name().to_owned(),
            })
            .await
        }
        Err(MemberError::LastOwner) => said(Flash::LastOwner).await,
        Err(MemberError::Unproved { email }) => {
            let sentence = relink_engine::identity::never_proved(&email);
            said(Flash::NotRaised { name, sentence }).await
        }
        Err(error) => refuse(error.into()).await,
    }
}

/// Removes a member, with who they are in Linear, and the API keys that they made if `keys` says
/// "yes".
#[server(prefix = "/team", endpoint = "remove")]
pub async fn remove_member(
    #[server(default)] member: String,
    #[server(default)] keys: String,
) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let name = match name(&engine, &person, &member).await {
        Ok(name) => name,
        Err(failure) => return refuse(failure).await,
    };
    match engine.member_remove(&person, &member, keys == "yes").await {
        Ok(()) => said(Flash::MemberRemoved { name }).await,
        Err(MemberError::LastOwner) => said(Flash::LastOwner).await,
        Err(error) => refuse(error.into()).await,
    }
}

/// A member's name.
pub(super) async fn name(
    engine: &Engine,
    person: &Person,
    member: &str,
) -> Result<String, Failure> {
    let found = engine
        .store()
        .member(&person.organisation_id, member)
        .await?;
    Ok(relink_engine::text::name(
        &found.ok_or(Failure::NotFound)?.name,
    ))
}

/// A connection's page, by an id that is looked up and not followed; the team's where there is
/// none.
async fn page(engine: &Engine, person: &Person, connection: &str) -> Result<String, Failure> {
    if connection.is_empty() {
        return Ok("/team".to_owned());
    }
    let found = engine
        .store()
        .connection(&person.organisation_id, connection)
        .await?;
    Ok(connection_path(&found.ok_or(Failure::NotFound)?.id))
}

pub(super) async fn said(flash: Flash) -> Result<(), Failure> {
    said_on("/team", flash).await
}

async fn said_on(page: &str, flash: Flash) -> Result<(), Failure> {
    set_flash(flash).await?;
    see_other(page);
    Ok(())
}

impl From<MemberError> for Failure {
    fn from(error: MemberError) -> Failure {
        match error {
            MemberError::Forbidden => Failure::Forbidden,
            MemberError::NotFound => Failure::NotFound,
            MemberError::LastOwner
            | MemberError::PersonTaken { .. }
            | MemberError::OtherPerson { .. }
            | MemberError::Unproved { .. }
            | MemberError::NothingToVouch
            | MemberError::NeedsProof { .. }
            | MemberError::Linear(_) => Failure::Malformed,
            MemberError::Store(error) => error.into(),
        }
    }
}
