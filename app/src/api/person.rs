//! The signed-in person; whoever is not signed in is sent to sign in.

use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use relink_engine::identity::Person;
use relink_engine::{Engine, UsedFrom};
use tower_sessions::{Expiry, Session};

use super::cookies::{cookie_of, remember_device};
use super::pending_code::{keep_code, pending_code};
use super::request::{
    accepts_html, address, engine, is_page_load, parts, see_other, session, set_status, site,
    user_agent,
};
use super::session::{
    BROWSER, ORGANISATION, SIGNED_IN_LIFE, SINCE, USER, live_on, say, session_name,
};
use crate::view::browser_name::browser_name;
use crate::view::url::url_encode;
use crate::view::{Failure, Notice};

/// Loads the signed-in person anew on every request, so that a role taken away is gone at once.
pub async fn person() -> Result<Option<Person>, Failure> {
    let engine = engine()?;
    let Some(person) = person_of(&engine, &session()?).await? else {
        return Ok(None);
    };
    let from = UsedFrom {
        browser: browser_name(&user_agent(&parts()?)),
        address: address(),
    };
    if let Some(name) = session_name().await? {
        engine.session_used(&name, from.clone()).await;
    }
    Ok(Some(Person {
        address: from.address,
        ..person
    }))
}

/// Finds the person of a session.
pub async fn person_of(engine: &Engine, session: &Session) -> Result<Option<Person>, Failure> {
    let (Some(user), Some(organisation)) = (
        session.get::<String>(USER).await?,
        session.get::<String>(ORGANISATION).await?,
    ) else {
        return Ok(None);
    };
    Ok(engine.person(&organisation, &user).await?)
}

/// The signed-in person. Whoever is not signed in is sent to sign in when they wanted a page, and
/// told so otherwise.
pub async fn signed_in() -> Result<Person, Failure> {
    match person().await? {
        Some(person) => Ok(person),
        None => {
            send_to_sign_in().await?;
            Err(Failure::SignedOut)
        }
    }
}

/// [`signed_in`] for the target of a form: a browser is sent to sign in, a program is told 401.
pub async fn signed_in_form() -> Result<Person, Failure> {
    match person().await? {
        Some(person) if form_of_another(&parts()?, &person) => {
            refuse(Failure::OtherOrganisation).await?;
            Err(Failure::OtherOrganisation)
        }
        Some(person) => Ok(person),
        None => {
            if accepts_html()? {
                see_other(&sign_in_address(&form_page(&parts()?)?, true));
            } else {
                set_status(StatusCode::UNAUTHORIZED);
            }
            Err(Failure::SignedOut)
        }
    }
}

/// Whether the form says that its page was made for another organisation than the one the person is
/// in by now.
fn form_of_another(parts: &Parts, person: &Person) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    let organisation_of_form = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("organisation="));
    organisation_of_form.is_some_and(|organisation| organisation != person.organisation_id)
}

/// Refuses a form: a browser reads why on the next page, a program gets the status.
pub async fn refuse(failure: Failure) -> Result<(), Failure> {
    if accepts_html()? {
        let notice = Notice::bad("That did not work.", failure.to_string());
        return say("/integrations", notice).await;
    }
    set_status(match failure {
        Failure::SignedOut => StatusCode::UNAUTHORIZED,
        Failure::Forbidden => StatusCode::FORBIDDEN,
        Failure::NotFound => StatusCode::NOT_FOUND,
        Failure::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Failure::OtherOrganisation => StatusCode::CONFLICT,
        Failure::Malformed => StatusCode::BAD_REQUEST,
    });
    Err(failure)
}

async fn send_to_sign_in() -> Result<(), Failure> {
    let parts = parts()?;
    if !is_page_load(&parts) {
        set_status(StatusCode::UNAUTHORIZED);
        return Ok(());
    }
    if !engine()?.owner_exists().await? {
        see_other("/signup");
        return Ok(());
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    // A browser that still shows a session cookie was signed in before.
    let had_session = cookie_of(&parts.headers, &site()?.session_cookie()).is_some();
    see_other(&sign_in_address(path, had_session));
    Ok(())
}

/// The address to sign in at, which leads to `next` then.
fn sign_in_address(next: &str, was_signed_in: bool) -> String {
    format!(
        "{}{}",
        signin_path(next),
        if was_signed_in { "&timed-out=1" } else { "" }
    )
}

pub fn signin_path(next: &str) -> String {
    format!("/signin?next={}", url_encode(next))
}

/// The page of ours that a form was posted from, as its browser says.
fn form_page(parts: &Parts) -> Result<String, Failure> {
    let from = parts
        .headers
        .get(header::REFERER)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let path = from
        .strip_prefix(&site()?.url)
        .filter(|path| path.starts_with('/'));
    Ok(path.unwrap_or("/integrations").to_owned())
}

/// Signs the browser in: a new session id, so that one planted before is worth nothing.
pub async fn open_session(person: &Person) -> Result<(), Failure> {
    // Sealed for the session that ends here.
    let code = pending_code().await?;
    let session = session()?;
    // What waits in it was meant for who was here before, in the organisation that they were in.
    session.clear().await;
    session.cycle_id().await?;
    session.set_expiry(Some(Expiry::OnInactivity(SIGNED_IN_LIFE)));
    session.insert(USER, &person.user_id).await?;
    session.insert(SINCE, engine()?.now()).await?;
    session
        .insert(ORGANISATION, &person.organisation_id)
        .await?;
    session.insert(BROWSER, engine()?.entropy().token()).await?;
    remember_device(person)?;
    match code {
        Some(held) => keep_code(&held.code).await,
        None => Ok(()),
    }
}

/// Gives the session another id, so that whoever has seen the one before has nothing.
pub async fn renew_session() -> Result<(), Failure> {
    let (session, code) = (session()?, pending_code().await?);
    session.cycle_id().await?;
    match code {
        Some(held) => keep_code(&held.code).await,
        None => live_on(&session).await,
    }
}
