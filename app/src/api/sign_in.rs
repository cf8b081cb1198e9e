//! Signing up, in and out.

use leptos::prelude::*;
use relink_engine::{FieldError, SignInError, SignUpError, Visitor, text};

use super::cookies::device;
use super::person::{open_session, person, signin_path};
use super::request::{
    address, engine, is_page_load, own_path, parts, see_other, session, typed_secret,
};
use super::session::{ask_again, session_name, take_refused};
use crate::view::time::minutes_left;
use crate::view::{Complaint, Failure, Refused, SignInView, SignUpDraft};

/// The page before anybody is signed in.
pub async fn load_sign_in() -> Result<SignInView, Failure> {
    let (engine, parts) = (engine()?, parts()?);
    let view = SignInView {
        organisation: engine
            .organisation_only()
            .await?
            .map(|organisation| text::name(&organisation.name)),
        unowned: !engine.owner_exists().await?,
        signed_in: person().await?.is_some(),
        refused: take_refused().await?,
        timed_out: parts
            .uri
            .query()
            .is_some_and(|query| query.split('&').any(|part| part == "timed-out=1")),
    };
    if is_page_load(&parts) {
        match (view.unowned, parts.uri.path()) {
            (false, "/signup") if view.refused.is_none() => see_other("/signin"),
            (true, "/signin") => see_other("/signup"),
            (false, "/signin") if view.signed_in => see_other("/integrations"),
            _ => {}
        }
    }
    Ok(view)
}

#[server(prefix = "", endpoint = "/signin")]
pub async fn sign_in(
    #[server(default)] email: String,
    #[server(default)] password: String,
    #[server(default)] next: String,
) -> Result<(), Failure> {
    let (engine, device) = (engine()?, device()?);
    let from = address();
    let visitor = Visitor {
        address: &from,
        device: device.as_ref(),
    };
    let waits = |until| Complaint::Paused {
        minutes: minutes_left(until - engine.now()),
    };
    let complaint = match engine
        .sign_in(&email, typed_secret(password), visitor)
        .await
    {
        Ok(person) => {
            open_session(&person).await?;
            see_other(own_path(&next));
            return Ok(());
        }
        Err(
            SignInError::NoMatch {
                tries_left: 0,
                until,
            }
            | SignInError::Paused { until },
        ) => waits(until),
        Err(SignInError::NoMatch { tries_left, .. }) => Complaint::NoMatch { tries_left },
        Err(SignInError::Store(error)) => return Err(error.into()),
    };
    tracing::warn!(?complaint, address = from, "a sign-in was refused");
    let email = kept(&email);
    let refused = Refused::SignIn { email, complaint };
    ask_again(&signin_path(own_path(&next)), refused).await
}

#[server(prefix = "", endpoint = "/signup")]
pub async fn sign_up(
    #[server(default)] organisation: String,
    #[server(default)] name: String,
    #[server(default)] email: String,
    #[server(default)] password: String,
) -> Result<(), Failure> {
    let mut draft = SignUpDraft {
        organisation: kept(&organisation),
        name: kept(&name),
        email: kept(&email),
        ..SignUpDraft::default()
    };
    draft.complaints = match engine()?
        .sign_up(relink_engine::SignUp {
            organisation,
            name,
            email,
            password: typed_secret(password),
        })
        .await
    {
        Ok(person) => {
            open_session(&person).await?;
            see_other("/integrations");
            return Ok(());
        }
        Err(SignUpError::Fields(fields)) => fields.into_iter().map(complaint).collect(),
        Err(SignUpError::Owned) => vec![Complaint::AlreadyOwned],
        Err(SignUpError::Store(error)) => return Err(error.into()),
    };
    let owned = draft.complaints == [Complaint::AlreadyOwned];
    let page = if owned { "/signin" } else { "/signup" };
    ask_again(page, Refused::SignUp(draft)).await
}

#[server(prefix = "", endpoint = "/signout")]
pub async fn sign_out() -> Result<(), Failure> {
    if let (Some(person), Some(name)) = (person().await?, session_name().await?) {
        engine()?.sign_out(&person, &name).await?;
    }
    session()?.flush().await?;
    see_other("/signin");
    Ok(())
}

pub(super) fn complaint(error: FieldError) -> Complaint {
    match error {
        FieldError::Organisation => Complaint::OrganisationMissing,
        FieldError::Name => Complaint::NameMissing,
        FieldError::Email => Complaint::EmailInvalid,
        FieldError::EmailTaken => Complaint::EmailTaken,
        FieldError::PasswordTooShort => Complaint::PasswordTooShort,
        FieldError::PasswordTooLong => Complaint::PasswordTooLong,
        FieldError::PasswordCommon => Complaint::PasswordCommon,
        FieldError::PasswordOwn => Complaint::PasswordOwn,
        FieldError::PasswordUnusable => Complaint::PasswordUnusable,
    }
}

/// Makes what was typed one bounded line without control characters: it is kept in the session
/// until the next page.
pub(super) fn kept(text: &str) -> String {
    text::line(text).chars().take(254).collect()
}
