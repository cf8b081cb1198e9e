//! Members: who they are in Linear, their roles, and their end.

use leptos::prelude::*;
use relink_engine::identity::{Person, Role, never_proved};
use relink_engine::people::MemberError;
use relink_engine::{Engine, text};

use super::invite_problem::call_problem;
use super::person::{refuse, signed_in_form};
use super::request::{connection_path, engine};
use super::session::say;
use crate::view::{Failure, InviteProblem, Notice};

/// Links who looks at the page to the Linear person that they say they are.
#[server(prefix = "/team", endpoint = "me")]
pub async fn link_me(
    #[server(default)] workspace: String,
    #[server(default)] person: String,
) -> Result<(), Failure> {
    let (engine, member) = (engine()?, signed_in_form().await?);
    match engine.link_self(&member, &workspace, &person).await {
        Ok(name) => match engine.connections(&member).get(&workspace).await? {
            Some(connection) => {
                let (name, workspace) = (text::name(&name), text::name(&connection.workspace.name));
                let fact = format!("You are {name} in {workspace}.");
                let rest = "Tools of your organisation know it from now on.";
                say("/team", Notice::good(fact, rest)).await
            }
            None => refuse(Failure::NotFound).await,
        },
        Err(error) => not_done(error).await,
    }
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
    let team = engine.members(&member).list().await?;
    let link = team
        .into_iter()
        .flat_map(|member| member.linked)
        .find(|link| link.workspace_id == workspace && link.linear_id == person);
    let Some(link) = link else {
        return refuse(Failure::NotFound).await;
    };
    match engine.members(&member).unlink(&workspace, &person).await {
        Ok(()) => {
            let (name, workspace) = (text::name(&link.name), text::name(&link.workspace));
            let fact = format!("{name} in {workspace} is unlinked.");
            let rest = "A new link code can link them again.";
            say(&page, Notice::good(fact, rest)).await
        }
        Err(error) => not_done(error).await,
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
    match engine.members(&person).set_role(&member, wanted).await {
        Ok(()) => {
            let role = match wanted {
                Role::Owner => "an owner",
                Role::Admin => "an admin",
                Role::Member => "a member",
            };
            let fact = format!("{name} is {role} now.");
            say(
                "/team",
                Notice::good(fact, "They were signed out everywhere."),
            )
            .await
        }
        Err(MemberError::Unproved { email }) => say("/team", not_raised(&name, &email)).await,
        Err(error) => not_done(error).await,
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
    match engine.members(&person).remove(&member, keys == "yes").await {
        Ok(()) => {
            let rest = "They were signed out everywhere, and who they are in Linear is forgotten.";
            say("/team", Notice::good(format!("{name} is removed."), rest)).await
        }
        Err(error) => not_done(error).await,
    }
}

/// A member's name.
pub(super) async fn name(
    engine: &Engine,
    person: &Person,
    member: &str,
) -> Result<String, Failure> {
    let found = engine.members(person).get(member).await?;
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
    let found = engine.connections(person).get(connection).await?;
    Ok(connection_path(&found.ok_or(Failure::NotFound)?.id))
}

fn not_raised(name: &str, email: &str) -> Notice {
    let sentence = never_proved(email);
    let rest = format!(
        "{sentence} Nothing was changed. They prove it on this page, by e-mail or at Linear; or \
            you vouch for them under Manage."
    );
    Notice::bad(format!("{name} cannot be given this role yet."), rest)
}

/// Says why nothing was changed, to whoever can do something about it.
pub(super) async fn not_done(error: MemberError) -> Result<(), Failure> {
    match problem(error) {
        Ok(notice) => say("/team", notice).await,
        Err(failure) => refuse(failure).await,
    }
}

fn problem(error: MemberError) -> Result<Notice, Failure> {
    let why = match error {
        MemberError::LastOwner => {
            return Ok(Notice::bad(
                "An organisation needs an owner.",
                "Nothing was changed. Make somebody else an owner first.",
            ));
        }
        MemberError::NothingToVouch => {
            let rest = "Nobody vouches for themself, and where an e-mail is proved or vouched for \
                there is no need. Nothing was changed.";
            return Ok(Notice::bad("There was nothing to vouch for.", rest));
        }
        MemberError::OtherPerson { name } => format!(
            "You are {} in this workspace already. Unlink that first.",
            text::name(&name)
        ),
        MemberError::PersonTaken { email } => InviteProblem::Linked { email }.to_string(),
        MemberError::NeedsProof { name, email } => {
            let (name, email) = (text::name(&name), text::email(&email));
            InviteProblem::NeedsProof { name, email }.to_string()
        }
        MemberError::Linear(error) => InviteProblem::from(call_problem(error)?).to_string(),
        MemberError::Denied(_) => return Err(Failure::Forbidden),
        MemberError::NotFound => return Err(Failure::NotFound),
        MemberError::Unproved { .. } => return Err(Failure::Malformed),
        MemberError::Store(error) => return Err(error.into()),
    };
    Ok(Notice::bad("You were not linked.", why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_given_no_other_role_is_told_the_way() {
        let notice = not_raised("Mia", "mia@northwind.dev");
        assert!(
            notice.rest.ends_with("or you vouch for them under Manage."),
            "{notice:?}"
        );
    }
}
