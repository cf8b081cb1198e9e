//! The team's page, and the link codes that are made, revoked and dismissed there by owners and
//! admins.

use leptos::prelude::*;
use relink_engine::identity::Person;
use relink_engine::people::{Invited, VALID_DEFAULT};
use relink_engine::text;

use super::bulk_invite::{Picked, draft_of, invite_each, workspaces};
use super::freshness::freshness;
use super::invite_problem::problem;
use super::inviting::{hours, inviting, person_key};
use super::new_codes::{new_codes, set_new_codes};
use super::person::{refuse, signed_in, signed_in_form};
use super::request::{engine, see_other};
use super::session::{ask_again, say, take_notice};
use super::sign_in::kept;
use crate::view::phrases::possessive;
use crate::view::team_views::member_views;
use crate::view::you_views::you;
use crate::view::{Failure, InviteDraft, NotInvited, Notice, Refused, TeamPageView};

/// Loads the members and the invitations. `shown`: which secret the page was opened for.
pub async fn load_team(shown: Option<String>) -> Result<TeamPageView, Failure> {
    let (engine, person) = (engine()?, signed_in().await?);
    let as_of = freshness(&engine, &person).await?;
    let team = engine.members(&person).list().await?;
    let keys = if person.owns() {
        engine.keys(&person).list().await?
    } else {
        Vec::new()
    };
    let manages = person.manages();
    let inviting = if manages {
        Some(inviting(&engine, &person, &team).await?)
    } else {
        None
    };
    Ok(TeamPageView {
        you: you(&engine, &person, &team, inviting.as_ref()).await?,
        inviting,
        new_code: if manages {
            new_codes(&engine, &person, shown.as_deref()).await?
        } else {
            None
        },
        members: member_views(team, &keys, &person),
        notice: take_notice().await?,
        manages,
        as_of,
    })
}

/// Makes a link code. It waits, sealed, in the session for the one page that shows it.
#[server(prefix = "/team", endpoint = "invites")]
pub async fn invite_person(
    #[server(default)] workspace: String,
    #[server(default)] person: String,
    #[server(default)] valid: String,
) -> Result<(), Failure> {
    let (engine, member) = (engine()?, signed_in_form().await?);
    let Some(span) = hours(&valid) else {
        return refuse(Failure::Malformed).await;
    };
    let error = match person_key(&engine, &member, &workspace, &person).await {
        Ok(key) => match engine.invites(&member).make(&workspace, &key, span).await {
            Ok(invited) => return shown(&member, &[invited], Vec::new()).await,
            Err(error) => problem(error),
        },
        Err(problem) => problem,
    };
    match error {
        Ok(problem) => {
            let (workspace, person) = (kept(&workspace), kept(&person));
            let draft = InviteDraft {
                workspace,
                person,
                valid,
                problem: Some(problem),
                ..InviteDraft::default()
            };
            ask_again("/team", Refused::Invite(draft)).await
        }
        Err(failure) => refuse(failure).await,
    }
}

/// Makes a link code for each of several people. What goes wrong for one keeps nobody else's from
/// being made and shown.
#[server(prefix = "/team/invites", endpoint = "several")]
pub async fn invite_several(
    #[server(default)] people: Vec<String>,
    #[server(default)] valid: String,
) -> Result<(), Failure> {
    let (engine, member) = (engine()?, signed_in_form().await?);
    if !member.manages() {
        return refuse(Failure::Forbidden).await;
    }
    let picked: Option<Vec<Picked>> = people.iter().map(|value| Picked::read(value)).collect();
    let (Some(span), Some(picked)) = (hours(&valid), picked) else {
        return refuse(Failure::Malformed).await;
    };
    if let Some(draft) = draft_of(&picked, valid) {
        return ask_again("/team", Refused::Invite(draft)).await;
    }
    let Some(places) = workspaces(&engine, &member, &picked).await? else {
        return refuse(Failure::NotFound).await;
    };
    let (invited, not_invited) = invite_each(&engine, &member, picked, &places, span).await;
    shown(&member, &invited, not_invited).await
}

/// Makes a new code for whom another one is for, which ends.
#[server(prefix = "/team/invites", endpoint = "again")]
pub async fn renew_invite(#[server(default)] invite: String) -> Result<(), Failure> {
    let (engine, member) = (engine()?, signed_in_form().await?);
    match engine.invites(&member).again(&invite, VALID_DEFAULT).await {
        Ok(invited) => shown(&member, &[invited], Vec::new()).await,
        Err(error) => match problem(error) {
            Ok(problem) => {
                let notice = Notice::bad("No new code was made.", problem.to_string());
                say("/team", notice).await
            }
            Err(failure) => refuse(failure).await,
        },
    }
}

/// Makes a code worthless.
#[server(prefix = "/team/invites", endpoint = "revoke")]
pub async fn revoke_invite(#[server(default)] invite: String) -> Result<(), Failure> {
    let (engine, member) = (engine()?, signed_in_form().await?);
    match engine.invites(&member).revoke(&invite).await {
        Ok(name) => {
            let fact = format!("{} code is revoked.", possessive(&text::name(&name)));
            say("/team", Notice::good(fact, "It is worth nothing any more.")).await
        }
        Err(error) => refuse(error.into()).await,
    }
}

/// Takes a code whose holder said no, or was refused, off the page.
#[server(prefix = "/team/invites", endpoint = "dismiss")]
pub async fn dismiss_invite(#[server(default)] invite: String) -> Result<(), Failure> {
    let (engine, member) = (engine()?, signed_in_form().await?);
    match engine.invites(&member).dismiss(&invite).await {
        Ok(()) => {
            see_other("/team");
            Ok(())
        }
        Err(error) => refuse(error.into()).await,
    }
}

async fn shown(
    member: &Person,
    invited: &[Invited],
    not_invited: Vec<NotInvited>,
) -> Result<(), Failure> {
    set_new_codes(member, invited, not_invited).await?;
    see_other("/team?shown=code");
    Ok(())
}
