//! Forms of our own that browsers send with `Origin: null`: from pages that tell nobody where they
//! were, by browsers that do not say either whether a request comes from the same site
//! (`Sec-Fetch-Site`). A token in the form decides there. It is sealed for a cookie that no other
//! site's form is sent with, and that is given only to browsers that need it; and for the session,
//! since a neighbour (another port, a subdomain) may plant a cookie of its own.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use relink_app::api::cookie_of;
use relink_app::view::Referrer;
use secrecy::ExposeSecret as _;

use crate::Web;
use crate::edge::FORM_MAX;

/// The text that is sealed in the token.
const OURS: &str = "a form of ours";
const FIELD: &str = "form";
const COOKIE: &str = "form";
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A browser that asks for a page and does not say from where.
pub struct Asker {
    /// The cookie that it is known by, if it was given a token before.
    cookie: Option<String>,
    session: String,
}

impl Asker {
    /// `None` for browsers that say where their requests come from.
    pub fn of(web: &Web, request: &Request) -> Option<Asker> {
        let silent = request.method() == Method::GET && !request.headers().contains_key(FETCH_SITE);
        silent.then(|| Asker {
            cookie: cookie(web, request.headers()),
            session: session(web, request.headers()),
        })
    }

    /// Makes the field for each form of the page, if that tells nobody where it is. The cookie goes
    /// with it.
    pub fn field(&self, web: &Web, headers: &mut HeaderMap) -> Option<String> {
        let silent = headers
            .get(header::REFERRER_POLICY)
            .is_some_and(|policy| policy == Referrer::Nobody.policy());
        if !silent {
            return None;
        }
        let value = self
            .cookie
            .clone()
            .unwrap_or_else(|| web.engine.entropy().token());
        if self.cookie.is_none() {
            let secure = if web.site.https { "; Secure" } else { "" };
            let cookie = format!(
                "{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}",
                web.site.cookie(COOKIE)
            );
            headers.append(header::SET_COOKIE, HeaderValue::from_str(&cookie).ok()?);
        }
        let session = session_given(web, headers).unwrap_or_else(|| self.session.clone());
        let token = web
            .engine
            .seal_for_session(&both(&value, &session), &OURS.into());
        Some(format!(
            "<input type=\"hidden\" name=\"{FIELD}\" value=\"{token}\">"
        ))
    }
}

/// Lets such a form pass the check of origins if its token is one that this browser was given, and
/// refuses it otherwise.
pub async fn by_token(State(web): State<Web>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let unknown = headers
        .get(header::ORIGIN)
        .is_some_and(|origin| origin == "null")
        && !headers.contains_key(FETCH_SITE);
    if request.method().is_safe() || !unknown {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, FORM_MAX).await else {
        return StatusCode::FORBIDDEN.into_response();
    };
    if !is_ours(&web, &parts.headers, &body) {
        return StatusCode::FORBIDDEN.into_response();
    }
    parts.headers.remove(header::ORIGIN);
    next.run(Request::from_parts(parts, Body::from(body))).await
}

fn is_ours(web: &Web, headers: &HeaderMap, form: &[u8]) -> bool {
    let token = url::form_urlencoded::parse(form)
        .find(|(name, _)| name == FIELD)
        .map(|(_, token)| token);
    let Some((cookie, token)) = cookie(web, headers).zip(token) else {
        return false;
    };
    web.engine
        .open_for_session(&both(&cookie, &session(web, headers)), &token)
        .is_some_and(|sealed| sealed.expose_secret() == OURS)
}

/// The name carries what tells instances on one host apart, as all our cookies' do.
fn cookie(web: &Web, headers: &HeaderMap) -> Option<String> {
    cookie_of(headers, &web.site.cookie(COOKIE)).map(str::to_owned)
}

/// The session that a browser shows; empty without one.
fn session(web: &Web, headers: &HeaderMap) -> String {
    cookie_of(headers, &web.site.session_cookie())
        .unwrap_or_default()
        .to_owned()
}

/// The session that an answer gives to the browser in place of the one before.
fn session_given(web: &Web, headers: &HeaderMap) -> Option<String> {
    let name = web.site.session_cookie();
    let given = headers.get_all(header::SET_COOKIE).iter();
    given
        .filter_map(|line| line.to_str().ok()?.split(';').next()?.split_once('='))
        .find_map(|(known, value)| (known == name).then(|| value.to_owned()))
}

/// The text that a token is sealed for. Neither value has a space.
fn both(cookie: &str, session: &str) -> String {
    format!("{cookie} {session}")
}
