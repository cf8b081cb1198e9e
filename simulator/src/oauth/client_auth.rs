//! The client that is asking: by HTTP Basic, by the form, or by its id alone.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::OAuthError;
use super::form::Form;
use crate::world::World;

/// An application at the token endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub id: String,
    /// The secret was given, and right. The id alone is enough only for what was granted with PKCE.
    pub confidential: bool,
}

impl Client {
    pub fn may_use(&self, pkce: bool) -> Result<(), OAuthError> {
        if self.confidential || pkce {
            Ok(())
        } else {
            Err(OAuthError::invalid_client(false))
        }
    }
}

pub(crate) fn authenticate(
    world: &World,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Client, OAuthError> {
    match basic(headers)? {
        Some((id, secret)) => {
            let same = form.get("client_id").is_none_or(|other| other == id);
            client(world, &id, Some(&secret))
                .filter(|_| same)
                .ok_or_else(|| OAuthError::invalid_client(true))
        }
        None => client(world, form.need("client_id")?, form.get("client_secret"))
            .ok_or_else(|| OAuthError::invalid_client(false)),
    }
}

/// The application with this id, unless the secret is another one's.
fn client(world: &World, id: &str, secret: Option<&str>) -> Option<Client> {
    let app = world.app(id)?;
    let wrong = secret.is_some_and(|secret| secret != app.client_secret);
    (!wrong).then(|| Client {
        id: app.client_id.clone(),
        confidential: secret.is_some(),
    })
}

/// The pair in an `Authorization: Basic` header, if there is one.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let encoded = value
        .to_str()
        .ok()
        .and_then(|value| value.strip_prefix("Basic "));
    let decoded = encoded.and_then(|encoded| STANDARD.decode(encoded.trim()).ok());
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = text.and_then(|text| {
        text.split_once(':')
            .map(|(id, secret)| (unquote(id), unquote(secret)))
    });
    pair.map(Some)
        .ok_or_else(|| OAuthError::invalid_client(true))
}

/// RFC 6749 has both halves form-encoded before they are joined.
fn unquote(text: &str) -> String {
    let form = format!("v={text}");
    url::form_urlencoded::parse(form.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
