//! The team's page, and the link codes that are made and revoked there by owners and admins.

use leptos::prelude::*;

use super::Failure;
use crate::view::TeamPageView;

/// Who is who. `shown`: which secret the page was opened for.
#[server(prefix = "/fn", endpoint = "load-team")]
pub async fn load_team(shown: Option<String>) -> Result<TeamPageView, Failure> {
    use super::invite_views::inviting;
    use super::request::{engine, signed_in, take_flash};
    use super::team_views::{member_views, new_code};

    let (engine, person) = (engine()?, signed_in().await?);
    let team = engine.team(&person).await?;
    let manages = person.manages();
    Ok(TeamPageView {
        inviting: if manages { Some(inviting(&engine, &person, &team).await?) } else { None },
        new_code: if manages { new_code(&engine, &person, shown.as_deref()).await? } else { None },
        members: member_views(team, &person),
        flash: take_flash().await?,
        manages,
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
    use super::request::{engine, refuse, see_other, set_refused, signed_in_form};
    use crate::view::{InviteDraft, Refused};

    let (engine, member) = (engine()?, signed_in_form().await?);
    let Some(span) = hours(&valid) else { return refuse(Failure::Malformed).await };
    let error = match person_key(&engine, &member, &workspace, &person).await {
        Ok(key) => match engine.invite(&member, &workspace, &key, span).await {
            Ok(invited) => return shown(&member, &invited).await,
            Err(error) => problem(error),
        },
        Err(problem) => problem,
    };
    match error {
        Ok(problem) => {
            let invite = InviteDraft { workspace: kept(&workspace), person: kept(&person), valid, problem: Some(problem) };
            set_refused(Refused { invite, ..Refused::default() }).await?;
            // A fragment would keep the browser from focusing the field.
            see_other("/team");
            Ok(())
        }
        Err(failure) => refuse(failure).await,
    }
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
        Ok(invited) => shown(&member, &invited).await,
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
            set_flash(Flash::CodeRevoked { name }).await?;
            see_other("/team");
            Ok(())
        }
        Err(error) => refuse(error.into()).await,
    }
}

#[cfg(feature = "ssr")]
async fn shown(member: &relink_engine::account::Person, invited: &relink_engine::people::Invited) -> Result<(), Failure> {
    use super::request::{see_other, set_new_code};

    set_new_code(member, invited).await?;
    see_other("/team?shown=code");
    Ok(())
}
