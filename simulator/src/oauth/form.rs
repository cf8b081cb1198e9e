//! A form body, read strictly: the right content type, every field once.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};

use super::error::OAuthError;

const FORM: &str = "application/x-www-form-urlencoded";

#[derive(Debug)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a body; JSON and other types are refused as Linear refuses them.
    pub fn read(headers: &HeaderMap, body: &Bytes) -> Result<Form, OAuthError> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        if kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
            != FORM
        {
            return Err(OAuthError::invalid_request(format!(
                "Invalid request: content must be {FORM}"
            )));
        }
        Form::parse(body)
    }

    pub fn parse(text: &[u8]) -> Result<Form, OAuthError> {
        let mut fields = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(text).into_owned() {
            if fields.insert(name.clone(), value).is_some() {
                return Err(OAuthError::invalid_request(format!(
                    "Invalid request: `{name}` is given twice"
                )));
            }
        }
        Ok(Form(fields))
    }

    /// A field with something in it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub fn need(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::missing(name))
    }
}
