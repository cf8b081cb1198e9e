//! The team's page, and the link codes that are made, revoked and dismissed there by owners and admins.

use leptos::prelude::*;

use super::Failure;
use crate::view::TeamPageView;

/// Who is who. `shown`: which secret the page was opened for.
#[server(prefix = "/fn", endpoint = "load-team")]
pub async fn load_team(shown: Option<String>) -> Result<TeamPageView, Failure> {
    use super::freshness::freshness;
    use super::invite_views::inviting;
    use super::request::{engine, signed_in, take_flash};
    use super::team_views::{member_views, new_codes};
    use super::you_views::you;

    let (engine, person) = (engine()?, signed_in().await?);
    let as_of = freshness(&engine, &person).await?;
    let team = engine.team(&person).await?;
    let keys = if person.owns() { engine.api_keys(&person).await? } else { Vec::new() };
    let manages = person.manages();
    let inviting = if manages { Some(inviting(&engine, &person, &team).await?) } else { None };
    Ok(TeamPageView {
        you: you(&engine, &person, &team, inviting.as_ref()).await?,
        inviting,
        new_code: if manages { new_codes(&engine, &person, shown.as_deref()).await? } else { None },
        members: member_views(team, &keys, &person),
        flash: take_flash().await?,
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
    use super::door::kept;
    use super::invite_views::{hours, person_key, problem};
    use super::request::{engine, refuse, signed_in_form};
    use crate::view::InviteDraft;

    let (engine, member) = (engine()?, signed_in_form().await?);
    let Some(span) = hours(&valid) else { return refuse(Failure::Malformed).await };
    let error = match person_key(&engine, &member, &workspace, &person).await {
        Ok(key) => match engine.invite(&member, &workspace, &key, span).await {
            Ok(invited) => return shown(&member, &[invited], Vec::new()).await,
            Err(error) => problem(error),
        },
        Err(problem) => problem,
    };
    match error {
        Ok(problem) => {
            let (workspace, person) = (kept(&workspace), kept(&person));
            refused(InviteDraft { workspace, person, valid, problem: Some(problem), ..InviteDraft::default() }).await
        }
        Err(failure) => refuse(failure).await,
    }
}

/// Makes a link code for each of several people. What goes wrong for one keeps nobody else's from being made and shown.
#[server(prefix = "/team/invites", endpoint = "several")]
pub async fn invite_several(#[server(default)] people: Vec<String>, #[server(default)] valid: String) -> Result<(), Failure> {
    use super::invite_views::hours;
    use super::picks::{Picked, draft_of, invite_each, workspaces};
    use super::request::{engine, refuse, signed_in_form};

    let (engine, member) = (engine()?, signed_in_form().await?);
    if !member.manages() {
        return refuse(Failure::Forbidden).await;
    }
    let picked: Option<Vec<Picked>> = people.iter().map(|value| Picked::read(value)).collect();
    let (Some(span), Some(picked)) = (hours(&valid), picked) else { return refuse(Failure::Malformed).await };
    if let Some(draft) = draft_of(&picked, valid) {
        return refused(draft).await;
    }
    let Some(places) = workspaces(&engine, &member, &picked).await? else { return refuse(Failure::NotFound).await };
    let (invited, not_invited) = invite_each(&engine, &member, picked, &places, span).await;
    shown(&member, &invited, not_invited).await
}

/// Makes a new code for whom another one is for, which ends.
#[server(prefix = "/team/invites", endpoint = "again")]
pub async fn renew_invite(#[server(default)] invite: String) -> Result<(), Failure> {
    use relink_engine::people::VALID_DEFAULT;

    use super::invite_views::problem;
    use super::request::{engine, refuse, see_other, set_flash, signed_in_form};
    use crate::view::Flash;

    let (engine, member) = (engine()?, signed_in_form().await?);
    match engine.invite_again(&member, &invite, VALID_DEFAULT).await {
        Ok(invited) => shown(&member, &[invited], Vec::new()).await,
        Err(error) => match problem(error) {
            Ok(problem) => {
                set_flash(Flash::NoNewCode(problem)).await?;
                see_other("/team");
                Ok(())
            }
            Err(failure) => refuse(failure).await,
        },
    }
}

/// Makes a code worthless.
#[server(prefix = "/team/invites", endpoint = "revoke")]
pub async fn revoke_invite(#[server(default)] invite: String) -> Result<(), Failure> {
    use super::request::{engine, refuse, see_other, set_flash, signed_in_form};
    use crate::view::Flash;

    let (engine, member) = (engine()?, signed_in_form().await?);
    match engine.invite_revoke(&member, &invite).await {
        Ok(name) => {
            set_flash(Flash::CodeRevoked { name: relink_engine::text::name(&name) }).await?;
            see_other("/team");
            Ok(())
        }
        Err(error) => refuse(error.into()).await,
    }
}

/// Takes a code whose holder said no, or was refused, off the page.
#[server(prefix = "/team/invites", endpoint = "dismiss")]
pub async fn dismiss_invite(#[server(default)] invite: String) -> Result<(), Failure> {
    use super::request::{engine, refuse, see_other, signed_in_form};

    let (engine, member) = (engine()?, signed_in_form().await?);
    match engine.invite_dismiss(&member, &invite).await {
        Ok(()) => {
            see_other("/team");
            Ok(())
        }
        Err(error) => refuse(error.into()).await,
    }
}

use answering::{refused, shown};

mod answering {
    use relink_engine::account::Person;
    use relink_engine::people::Invited;

    use super::Failure;
    use crate::api::new_codes::set_new_codes;
    use crate::api::request::{see_other, set_refused};
    use crate::view::{InviteDraft, NotInvited, Refused};

    pub async fn shown(member: &Person, invited: &[Invited], not_invited: Vec<NotInvited>) -> Result<(), Failure> {
        set_new_codes(member, invited, not_invited).await?;
        see_other("/team?shown=code");
        Ok(())
    }

    /// The form again, with what was typed or picked and why it did not do.
    pub async fn refused(invite: InviteDraft) -> Result<(), Failure> {
        set_refused(Refused { invite, ..Refused::default() }).await?;
        // A fragment would keep the browser from focusing the field.
        see_other("/team");
        Ok(())
    }
}
