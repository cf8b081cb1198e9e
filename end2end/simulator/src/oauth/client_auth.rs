//! Which client is asking: by HTTP Basic, by the form, or by its id alone.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::OAuthError;
use super::form::Form;
use crate::world::app::OAuthApp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// The secret was right.
    Confidential,
    /// Only the id was given: enough for what was granted with PKCE.
    Public,
}

impl Client {
    pub fn may_use(self, pkce: bool) -> Result<(), OAuthError> {
        match self {
            Client::Public if !pkce => Err(OAuthError::invalid_client(false)),
            Client::Public | Client::Confidential => Ok(()),
        }
    }
}

pub(crate) fn authenticate(app: &OAuthApp, headers: &HeaderMap, form: &Form) -> Result<Client, OAuthError> {
    match basic(headers)? {
        Some((id, secret)) => {
            let same = form.get("client_id").is_none_or(|other| other == id);
            let right = same && id == app.client_id && secret == app.client_secret;
            if right { Ok(Client::Confidential) } else { Err(OAuthError::invalid_client(true)) }
        }
        None => by_form(app, form),
    }
}

fn by_form(app: &OAuthApp, form: &Form) -> Result<Client, OAuthError> {
    let id = form.need("client_id")?;
    match form.get("client_secret") {
        _ if id != app.client_id => Err(OAuthError::invalid_client(false)),
        Some(secret) if secret == app.client_secret => Ok(Client::Confidential),
        Some(_) => Err(OAuthError::invalid_client(false)),
        None => Ok(Client::Public),
    }
}

/// The pair in an `Authorization: Basic` header, if there is one.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let encoded = value.to_str().ok().and_then(|value| value.strip_prefix("Basic "));
    let decoded = encoded.and_then(|encoded| STANDARD.decode(encoded.trim()).ok());
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = text.and_then(|text| text.split_once(':').map(|(id, secret)| (unquote(id), unquote(secret))));
    pair.map(Some).ok_or_else(|| OAuthError::invalid_client(true))
}

/// RFC 6749 has both halves form-encoded before they are joined.
fn unquote(text: &str) -> String {
    let form = format!("v={text}");
    url::form_urlencoded::parse(form.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
