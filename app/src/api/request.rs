//! What a server function knows of the request it serves, and how it answers.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use relink_engine::clock::{MINUTE, Millis};
use relink_engine::digest::sha256_hex;
use relink_engine::identity::Person;
use relink_engine::store::{SESSION_LIFE, StoredSession};
use relink_engine::{Engine, NewApiKey, UsedFrom};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::Duration;
use tower_sessions::{Expiry, Session};
use zeroize::Zeroizing;

use super::cookies::{cookie_of, remember_device};
use super::freshness::live_from;
use super::pending_code::{keep_code, pending_code};
use crate::view::browser_name::browser_name;
use crate::view::url::url_encode;
use crate::view::{Failure, Flash, NewDestinationView, NewKeyView, Refused};

/// A secret that was typed into a form. The text that it came in is wiped.
pub fn typed_secret(typed: String) -> SecretString {
    Zeroizing::new(typed).as_str().into()
}

/// What pages need to know of this instance beside the engine.
#[derive(Clone, Debug)]
pub struct Site {
    /// What the world calls it, without a slash at the end.
    pub url: String,
    /// Host and port of `url`.
    pub host: String,
    /// Cookies carry `Secure` and `__Host-`.
    pub https: bool,
    /// The end of cookies' names; see [`super::cookies::instance_name`].
    pub instance: String,
    /// Linear is the simulated one.
    pub simulated: bool,
    /// Where people are sent for Linear's settings.
    pub linear_web: String,
}

/// Bounds the time between two presses of a button, or two returns from Linear.
const LATE: Millis = 10 * MINUTE;
/// How long a browser keeps the cookie; the store ends the session earlier where it is not used.
const SIGNED_IN_LIFE: Duration = Duration::milliseconds(SESSION_LIFE);

const USER: &str = "user";
/// When they signed in. The store reads it too.
const SINCE: &str = "since";
const ORGANISATION: &str = "organisation";
pub const BROWSER: &str = "browser";
const FLASH: &str = "flash";
const REFUSED: &str = "refused";
const NEW_KEY: &str = "new_key";
const NEW_DESTINATION: &str = "new_destination";

/// A key or the secret of a destination, on its way to the page that shows it once.
#[derive(Serialize, Deserialize)]
struct SealedKey {
    name: String,
    sealed: String,
}

pub fn engine() -> Result<Engine, Failure> {
    use_context().ok_or(Failure::Unavailable)
}

pub fn site() -> Result<Site, Failure> {
    use_context().ok_or(Failure::Unavailable)
}

pub fn parts() -> Result<Parts, Failure> {
    use_context().ok_or(Failure::Unavailable)
}

pub fn session() -> Result<Session, Failure> {
    parts()?.extensions.get::<Session>().cloned().ok_or(Failure::Unavailable)
}

/// The address that a request came from, as the server found out.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// The address that the request came from.
pub fn address() -> String {
    parts().map_or_else(|_| "unknown".to_owned(), |parts| address_of(&parts))
}

/// [`address`] of any request.
#[must_use]
pub fn address_of(parts: &Parts) -> String {
    let known = parts.extensions.get::<ClientAddress>();
    known.map_or_else(|| "unknown".to_owned(), |client| client.0.to_string())
}

/// Who is signed in, loaded anew, so that a role taken away is gone at once.
pub async fn person() -> Result<Option<Person>, Failure> {
    let engine = engine()?;
    let Some(person) = person_of(&engine, &session()?).await? else { return Ok(None) };
    let from = UsedFrom { browser: browser_name(&user_agent(&parts()?)), address: address() };
    if let Some(name) = session_name().await? {
        engine.session_used(&name, from.clone()).await;
    }
    Ok(Some(Person { address: from.address, ..person }))
}

fn user_agent(parts: &Parts) -> String {
    let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    agent.unwrap_or_default().to_owned()
}

/// Whose session it is.
pub async fn person_of(engine: &Engine, session: &Session) -> Result<Option<Person>, Failure> {
    let (Some(user), Some(organisation)) = (session.get::<String>(USER).await?, session.get::<String>(ORGANISATION).await?) else {
        return Ok(None);
    };
    Ok(engine.store().member(&organisation, &user).await?)
}

/// The signed-in person. Whoever is not signed in is sent to sign in when they wanted a page, and told so otherwise.
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

/// Whether the form says that its page was made for another organisation than the one the person is in by now.
fn form_of_another(parts: &Parts, person: &Person) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    let organisation_of_form = query.split('&').find_map(|pair| pair.strip_prefix("organisation="));
    organisation_of_form.is_some_and(|organisation| organisation != person.organisation_id)
}

/// Refuses a form: a browser reads why on the next page, a program gets the status.
pub async fn refuse(failure: Failure) -> Result<(), Failure> {
    if accepts_html()? {
        set_flash(Flash::Failed(failure)).await?;
        see_other("/integrations");
        return Ok(());
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

fn accepts_html() -> Result<bool, Failure> {
    let parts = parts()?;
    let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok(accept.contains("text/html"))
}

pub fn signin_path(next: &str) -> String {
    format!("/signin?next={}", url_encode(next))
}

/// The page of a connection that is known to exist, so that its id is one of ours.
pub fn connection_path(id: &str) -> String {
    format!("/integrations/{}", url_encode(id))
}

/// What is pasted into Linear, so that it delivers here.
pub fn webhook_url() -> Result<String, Failure> {
    Ok(format!("{}/webhooks/linear", site()?.url))
}

async fn send_to_sign_in() -> Result<(), Failure> {
    let parts = parts()?;
    if !is_page_load(&parts) {
        set_status(StatusCode::UNAUTHORIZED);
        return Ok(());
    }
    if !engine()?.store().owner_exists().await? {
        see_other("/signup");
        return Ok(());
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    // A browser that still shows a session cookie was signed in before.
    let had_session = cookie_of(&parts.headers, &site()?.session_cookie()).is_some();
    see_other(&sign_in_address(path, had_session));
    Ok(())
}

/// Where to sign in, to be led to `next` then.
fn sign_in_address(next: &str, was_signed_in: bool) -> String {
    format!("{}{}", signin_path(next), if was_signed_in { "&timed-out=1" } else { "" })
}

/// The page of ours that a form was posted from, as its browser says.
fn form_page(parts: &Parts) -> Result<String, Failure> {
    let from = parts.headers.get(header::REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = from.strip_prefix(&site()?.url).filter(|path| path.starts_with('/'));
    Ok(path.unwrap_or("/integrations").to_owned())
}

pub fn is_page_load(parts: &Parts) -> bool {
    parts.method == Method::GET || parts.method == Method::HEAD
}

/// Whether nobody asks for this yet: a browser loads ahead what a person may go to, or a program looks what is there.
pub fn looks_ahead(parts: &Parts) -> bool {
    let says = |name: &str| parts.headers.get_all(name).iter().any(|value| value.to_str().is_ok_and(|value| value.contains("prefetch")));
    parts.method == Method::HEAD || ["sec-purpose", "purpose", "x-purpose", "x-moz"].into_iter().any(says)
}

/// Refuses to act before a person asks for it (425), with an answer that no browser keeps for them.
pub fn too_early() -> Result<bool, Failure> {
    let ahead = looks_ahead(&parts()?);
    if ahead {
        set_status(StatusCode::TOO_EARLY);
    }
    Ok(ahead)
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
    session.insert(ORGANISATION, &person.organisation_id).await?;
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

/// What a form that is sent twice finds: it comes with the session that the first one has ended.
pub async fn leave_behind(session: String, data: &Value) -> Result<(), Failure> {
    let engine = engine()?;
    let stored = StoredSession { id_hash: session, user_id: None, data: data.to_string().into_bytes(), expires_at: engine.now() + LATE };
    engine.store().session_create(&stored, engine.now()).await?;
    Ok(())
}

/// Ends every session of the person but this one, as a part of changing their password.
pub async fn end_other_sessions(person: &Person) -> Result<(), Failure> {
    let session = session_name().await?.ok_or(Failure::SignedOut)?;
    engine()?.store().session_delete_others(&person.user_id, &session).await?;
    Ok(())
}

/// What the browser's session is called in the database; `None` where there is none.
pub async fn session_name() -> Result<Option<String>, Failure> {
    let session = session()?;
    // A cookie may name one that ran out: it is known as soon as anything is looked up.
    session.get_value(USER).await?;
    Ok(session.id().map(|id| sha256_hex(&id.0.to_be_bytes())))
}

/// [`session_name`], of a session that is made if there is none.
pub async fn own_session_name() -> Result<String, Failure> {
    if let Some(name) = session_name().await? {
        return Ok(name);
    }
    session()?.save().await?;
    session_name().await?.ok_or(Failure::Unavailable)
}

/// The secret that binds a connect attempt to this browser session; empty when nobody is signed in.
pub async fn browser() -> Result<String, Failure> {
    Ok(session()?.get::<String>(BROWSER).await?.unwrap_or_default())
}

/// [`browser`], made for this session where nobody is signed in.
pub async fn own_browser() -> Result<String, Failure> {
    let known = browser().await?;
    if !known.is_empty() {
        return Ok(known);
    }
    let new = engine()?.entropy().token();
    put(BROWSER, &new).await?;
    Ok(new)
}

/// Keeps what binds attempts to this browser over signing in.
pub async fn stay_browser(known: &str) -> Result<(), Failure> {
    if known.is_empty() { Ok(()) } else { put(BROWSER, known).await }
}

pub async fn set_flash(flash: Flash) -> Result<(), Failure> {
    put(FLASH, flash).await
}

pub async fn take_flash() -> Result<Option<Flash>, Failure> {
    take(FLASH).await
}

pub async fn set_refused(refused: Refused) -> Result<(), Failure> {
    put(REFUSED, refused).await
}

pub async fn take_refused() -> Result<Option<Refused>, Failure> {
    take(REFUSED).await
}

/// Sealed: whoever reads the session in the database must not read the key.
pub async fn set_new_key(person: &Person, key: &NewApiKey) -> Result<(), Failure> {
    put(NEW_KEY, SealedKey { name: key.name.clone(), sealed: engine()?.seal_for(person, &key.key) }).await
}

/// The key that this person has just made; only the first call after that gets it.
pub async fn take_new_key(person: &Person) -> Result<Option<NewKeyView>, Failure> {
    let key = take_sealed(NEW_KEY, person).await?;
    Ok(key.map(|(name, key)| NewKeyView::Shown { name, key: key.expose_secret().to_owned() }))
}

/// Sealed as a key is. `name` is what the page calls the destination.
pub async fn set_new_destination(person: &Person, name: String, secret: &SecretString) -> Result<(), Failure> {
    put(NEW_DESTINATION, SealedKey { name, sealed: engine()?.seal_for(person, secret) }).await
}

/// The secret of the destination that this person has just added; only the first call after that gets it.
pub async fn take_new_destination(person: &Person) -> Result<Option<NewDestinationView>, Failure> {
    let secret = take_sealed(NEW_DESTINATION, person).await?;
    Ok(secret.map(|(name, secret)| NewDestinationView::Shown { name, secret: secret.expose_secret().to_owned() }))
}

async fn take_sealed(key: &str, person: &Person) -> Result<Option<(String, SecretString)>, Failure> {
    let Some(SealedKey { name, sealed }) = take(key).await? else { return Ok(None) };
    Ok(engine()?.open_for(person, &sealed).map(|secret| (name, secret)))
}

pub async fn put(key: &str, value: impl Serialize) -> Result<(), Failure> {
    let session = session()?;
    session.insert(key, value).await?;
    live_on(&session).await
}

/// Whatever is stored with it, the cookie lives as long as one that somebody is signed in with, if somebody is: the library
/// remembers no session's own life, and would send it with that of an anonymous one.
async fn live_on(session: &Session) -> Result<(), Failure> {
    if session.get_value(USER).await?.is_some() {
        if session.get_value(SINCE).await?.is_none() {
            session.insert(SINCE, engine()?.now()).await?;
        }
        session.set_expiry(Some(Expiry::OnInactivity(SIGNED_IN_LIFE)));
    }
    Ok(())
}

/// What is there stays there. What an older version left and this one cannot read is as good as nothing.
pub async fn peek<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Failure> {
    Ok(session()?.get_value(key).await?.and_then(|value| serde_json::from_value(value).ok()))
}

/// Reads first: taking from an empty session would store the session.
pub async fn take<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Failure> {
    let session = session()?;
    // A page that only looks again, or ahead, must not take what waits for the next one.
    if live_from()?.is_some() || looks_ahead(&parts()?) || session.get_value(key).await?.is_none() {
        return Ok(None);
    }
    // What an older version left there and this one cannot read is dropped.
    let value = session.remove_value(key).await?;
    live_on(&session).await?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}

/// Answers 303: after a form post the browser loads `location` with GET. `location` is made of our own text only.
pub fn see_other(location: &str) {
    if let (Some(response), Ok(location)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(location)) {
        response.set_status(StatusCode::SEE_OTHER);
        response.insert_header(header::LOCATION, location);
    }
}

pub fn set_status(status: StatusCode) {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(status);
    }
}

pub fn set_cookie(cookie: &str) {
    if let (Some(response), Ok(cookie)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(cookie)) {
        response.append_header(header::SET_COOKIE, cookie);
    }
}

/// A path of our own to go to after signing in; anything else becomes the first page.
pub fn own_path(next: &str) -> &str {
    let ours = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']) && next.is_ascii();
    if ours { next } else { "/integrations" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths_are_followed_after_signing_in() {
        assert_eq!(own_path("/integrations/1?confirm=disconnect"), "/integrations/1?confirm=disconnect");
        for elsewhere in ["", "https://evil.example", "//evil.example", "/\\evil.example", "javascript:1", "/a\r\nb", "/é"] {
            assert_eq!(own_path(elsewhere), "/integrations", "{elsewhere}");
        }
    }
}
