//! The settings page, and what is changed there.

use leptos::prelude::*;
use relink_engine::{ChangePasswordError, SignInError, Visitor};

use super::audit::audit_view;
use super::cookies::{THEME, device, keep_cookie, theme_of};
use super::create_app::create_app;
use super::keys::{key_views, new_key};
use super::person::{refuse, renew_session, signed_in, signed_in_form};
use super::request::{address, engine, parts, see_other, site, typed_secret, webhook_url};
use super::session::{ask_again, end_other_sessions, say, session_name, take_notice, take_refused};
use super::sign_in::complaint;
use crate::view::app_views::own_apps;
use crate::view::connection_view::person_view;
use crate::view::session_views::session_views;
use crate::view::time::{clock_view, until};
use crate::view::{AppDraft, Complaint, Failure, Notice, Refused, SettingsView, Theme};

/// `shown` is the address bar's `?shown=`: which secret this page was opened for. `before` is where
/// the audit trail begins.
pub async fn load_settings(
    shown: Option<String>,
    before: Option<String>,
) -> Result<SettingsView, Failure> {
    let (engine, person, site) = (engine()?, signed_in().await?, site()?);
    let app = engine.linear().app();
    let redirect_uri = engine.linear().redirect_uri().to_string();
    let keys = key_views(&engine, &person).await?;
    let refused = take_refused().await?;
    let draft = match &refused {
        Some(Refused::App(draft)) => draft.clone(),
        _ => AppDraft::default(),
    };
    Ok(SettingsView {
        client_id: app.map(|app| app.client_id.clone()),
        secret_set: app.is_some_and(|app| app.client_secret.is_some()),
        simulated: site.simulated,
        app_configured: engine.apps(&person).any().await?,
        create_app: create_app(
            &site.url,
            &redirect_uri,
            &webhook_url()?,
            &person.organisation,
        ),
        own_apps: own_apps(&engine, &person, draft).await?,
        redirect_uri,
        theme: theme_of(&parts()?, &site),
        person: person_view(&person),
        sessions: session_views(&engine, &person, &session_name().await?.unwrap_or_default())
            .await?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database: engine.database().to_owned(),
        sealing_key: engine.sealing_key().to_owned(),
        next_sweep: engine.next_sweep().map(|at| until(at, engine.now())),
        clock: clock_view(engine.linear().clock_ahead()),
        mail_from: engine.mail_sender(),
        new_key: if keys.is_some() {
            new_key(&person, shown.as_deref()).await?
        } else {
            None
        },
        keys,
        audit: audit_view(&engine, &person, before.as_deref()).await?,
        refused,
        notice: take_notice().await?,
    })
}

/// Keeps the theme in this browser.
#[server(prefix = "", endpoint = "/theme")]
pub async fn set_theme(#[server(default)] theme: String) -> Result<(), Failure> {
    keep_cookie(THEME, Theme::from_name(&theme).name())?;
    see_other("/settings");
    Ok(())
}

/// Replaces one's own password and ends every other session.
#[server(prefix = "", endpoint = "/password")]
pub async fn change_password(
    #[server(default)] present: String,
    #[server(default)] password: String,
) -> Result<(), Failure> {
    let person = signed_in_form().await?;
    let (device, address) = (device()?, address());
    let visitor = Visitor {
        address: &address,
        device: device.as_ref(),
    };
    let complaint = match engine()?
        .change_password(
            &person,
            typed_secret(present),
            typed_secret(password),
            visitor,
        )
        .await
    {
        Ok(()) => {
            end_other_sessions(&person).await?;
            renew_session().await?;
            let rest = "Every other browser is signed out.";
            return say("/settings", Notice::good("Your password is changed.", rest)).await;
        }
        Err(ChangePasswordError::Field(error)) => complaint(error),
        Err(ChangePasswordError::Present(
            SignInError::NoMatch { .. } | SignInError::Paused { .. },
        )) => Complaint::PasswordWrong,
        Err(
            ChangePasswordError::Present(SignInError::Store(error))
            | ChangePasswordError::Store(error),
        ) => {
            return refuse(error.into()).await;
        }
    };
    ask_again("/settings", Refused::Password(complaint)).await
}

/// Ends one of this person's sessions.
#[server(prefix = "/settings/sessions", endpoint = "end")]
pub async fn end_session(#[server(default)] session: String) -> Result<(), Failure> {
    let person = signed_in_form().await?;
    let Some(ended) = engine()?.session_end(&person, &session).await? else {
        return refuse(Failure::NotFound).await;
    };
    let which = ended.browser.filter(|browser| !browser.is_empty());
    let fact = format!(
        "{} is signed out.",
        which.as_deref().unwrap_or("That browser")
    );
    let rest = "Whoever used it there has to sign in again.";
    say("/settings", Notice::good(fact, rest)).await
}

/// Ends every other session of this person.
#[server(prefix = "", endpoint = "/signout-elsewhere")]
pub async fn sign_out_elsewhere() -> Result<(), Failure> {
    let person = signed_in_form().await?;
    let session = session_name().await?.ok_or(Failure::SignedOut)?;
    engine()?.sign_out_elsewhere(&person, &session).await?;
    let rest = "Only this browser is still signed in.";
    say(
        "/settings",
        Notice::good("Signed out everywhere else.", rest),
    )
    .await
}
