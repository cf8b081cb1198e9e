//! The request that a server function serves, and how it is answered.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use relink_engine::Engine;
use relink_engine::change_feed::Mark;
use relink_frontend::LIVE_HEADER;
use secrecy::SecretString;
use tower_sessions::Session;
use zeroize::Zeroizing;

use crate::view::Failure;
use crate::view::url::url_encode;

/// A secret that was typed into a form. The text that it came in is wiped.
pub fn typed_secret(typed: String) -> SecretString {
    Zeroizing::new(typed).as_str().into()
}

/// The things that pages need to know of this instance beside the engine.
#[derive(Clone, Debug)]
pub struct Site {
    /// The address that the world knows it by, without a slash at the end.
    pub url: String,
    /// Host and port of `url`.
    pub host: String,
    /// Cookies carry `Secure` and `__Host-`.
    pub https: bool,
    /// The end of cookies' names; see [`super::cookies::instance_name`].
    pub instance: String,
    /// Linear is the simulated one.
    pub simulated: bool,
    /// The address of Linear's settings, where people are sent.
    pub linear_web: String,
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
    parts()?
        .extensions
        .get::<Session>()
        .cloned()
        .ok_or(Failure::Unavailable)
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

pub(super) fn user_agent(parts: &Parts) -> String {
    let agent = parts
        .headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    agent.unwrap_or_default().to_owned()
}

pub(super) fn accepts_html() -> Result<bool, Failure> {
    let parts = parts()?;
    let accept = parts
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    Ok(accept.contains("text/html"))
}

/// The page of a connection that is known to exist, so that its id is one of ours.
pub fn connection_path(id: &str) -> String {
    format!("/integrations/{}", url_encode(id))
}

/// The address that is pasted into Linear, so that it delivers here.
pub fn webhook_url() -> Result<String, Failure> {
    Ok(format!("{}/webhooks/linear", site()?.url))
}

pub fn is_page_load(parts: &Parts) -> bool {
    parts.method == Method::GET || parts.method == Method::HEAD
}

/// Whether nobody asks for this yet: a browser loads ahead what a person may go to, or a program
/// looks what is there.
pub fn looks_ahead(parts: &Parts) -> bool {
    let says = |name: &str| {
        let values = parts.headers.get_all(name).iter();
        values.flat_map(HeaderValue::to_str).any(|value| {
            let value = value.to_ascii_lowercase();
            ["prefetch", "prerender", "preview"]
                .iter()
                .any(|word| value.contains(word))
        })
    };
    parts.method == Method::HEAD
        || ["sec-purpose", "purpose", "x-purpose", "x-moz"]
            .into_iter()
            .any(says)
}

/// Whether the browser says that what it loads is no page of its own: a picture, a frame, something
/// for a script.
fn is_part(parts: &Parts) -> bool {
    let destinations = parts.headers.get_all("sec-fetch-dest").iter();
    let mut elsewhere = destinations.filter(|value| *value != "document");
    elsewhere.next().is_some()
}

/// Refuses to act before a person asks for it (425), with an answer that no browser keeps for them.
pub fn too_early() -> Result<bool, Failure> {
    let parts = parts()?;
    let ahead = looks_ahead(&parts) || is_part(&parts);
    if ahead {
        set_status(StatusCode::TOO_EARLY);
    }
    Ok(ahead)
}

/// Answers 303: after a form post the browser loads `location` with GET. `location` is made of our
/// own text only.
pub fn see_other(location: &str) {
    if let (Some(response), Ok(location)) = (
        use_context::<ResponseOptions>(),
        HeaderValue::from_str(location),
    ) {
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
    if let (Some(response), Ok(cookie)) = (
        use_context::<ResponseOptions>(),
        HeaderValue::from_str(cookie),
    ) {
        response.append_header(header::SET_COOKIE, cookie);
    }
}

/// A path of our own to go to after signing in; anything else becomes the first page.
pub fn own_path(next: &str) -> &str {
    let ours = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(['\\', '\r', '\n', '\t'])
        && next.is_ascii();
    if ours { next } else { "/integrations" }
}

/// The changes that an open page has which fetches itself anew; `None` for a page that somebody
/// loads.
pub fn live_from() -> Result<Option<Mark>, Failure> {
    let parts = parts()?;
    let Some(value) = parts.headers.get(LIVE_HEADER) else {
        return Ok(None);
    };
    Ok(Some(
        value
            .to_str()
            .ok()
            .and_then(Mark::parse)
            .unwrap_or_default(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths_are_followed_after_signing_in() {
        assert_eq!(
            own_path("/integrations/1?confirm=disconnect"),
            "/integrations/1?confirm=disconnect"
        );
        for elsewhere in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:1",
            "/a\r\nb",
            "/é",
        ] {
            assert_eq!(own_path(elsewhere), "/integrations", "{elsewhere}");
        }
    }
}
