//! Errors of the token endpoints, shaped as RFC 6749 has them.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::faults::outcome::Outcome;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OAuthError {
    pub error: &'static str,
    pub description: String,
    /// The client named itself with HTTP Basic: refused with 401 and a challenge.
    pub challenge: bool,
}

impl OAuthError {
    pub fn new(error: &'static str, description: impl Into<String>) -> OAuthError {
        OAuthError {
            error,
            description: description.into(),
            challenge: false,
        }
    }

    pub fn invalid_request(description: impl Into<String>) -> OAuthError {
        OAuthError::new("invalid_request", description)
    }

    pub fn missing(parameter: &str) -> OAuthError {
        OAuthError::invalid_request(format!("Missing parameter: `{parameter}`"))
    }

    pub fn invalid_grant(description: &str) -> OAuthError {
        OAuthError::new("invalid_grant", description)
    }

    pub fn invalid_client(by_basic: bool) -> OAuthError {
        let error = OAuthError::new("invalid_client", "Invalid client: client is invalid");
        OAuthError {
            challenge: by_basic,
            ..error
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let status = if self.challenge {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        };
        let body = Json(json!({"error": self.error, "error_description": self.description}));
        let mut response = (status, [(header::CACHE_CONTROL, "no-store")], body).into_response();
        if self.challenge {
            let challenge = HeaderValue::from_static("Basic realm=\"Service\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        Outcome(self.error).of(response)
    }
}
