//! Errors as programs read them: RFC 9457, with a stable code.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use relink_engine::TokenError;
use relink_engine::clock::{Millis, SECOND};
use relink_engine::store::{Cursor, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;

/// What went wrong, for programs. The set is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    Unauthorized,
    InvalidRequest,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    RateLimited,
    ReconnectRequired,
    CursorExpired,
    LinearUnreachable,
    Overloaded,
    Unavailable,
}

impl Code {
    fn status(self) -> StatusCode {
        match self {
            Code::Unauthorized => StatusCode::UNAUTHORIZED,
            Code::InvalidRequest => StatusCode::BAD_REQUEST,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Code::ReconnectRequired => StatusCode::CONFLICT,
            Code::CursorExpired => StatusCode::GONE,
            Code::LinearUnreachable | Code::Overloaded | Code::Unavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    fn title(self) -> &'static str {
        match self {
            Code::Unauthorized => "This needs a valid API key",
            Code::InvalidRequest => "The request makes no sense",
            Code::NotFound => "There is nothing here",
            Code::MethodNotAllowed => "Not with this method",
            Code::TooLarge => "The body is too large",
            Code::RateLimited => "Too many requests with this key",
            Code::ReconnectRequired => "A person has to reconnect this workspace",
            Code::CursorExpired => "This cursor is not of this database any more",
            Code::LinearUnreachable => "Linear does not answer usefully right now",
            Code::Overloaded => "Too many requests are under way",
            Code::Unavailable => "Relink cannot do this right now",
        }
    }
}

/// A problem document.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: `code` tells problems apart.
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// With `reconnect_required`: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// With `reconnect_required`: the page on which a person can do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reconnect_url: Option<Box<str>>,
    /// With `cursor_expired`: the `after` that goes on from the last delivery which is still known;
    /// absent where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    go_on_after: Option<Box<str>>,
    #[serde(skip)]
    retry_after_s: Option<u32>,
}

impl Problem {
    pub fn new(code: Code) -> Problem {
        Problem {
            r#type: "about:blank",
            title: code.title(),
            status: code.status().as_u16(),
            code,
            detail: None,
            reason: None,
            reconnect_url: None,
            go_on_after: None,
            retry_after_s: None,
        }
    }

    pub fn detail(self, detail: impl Into<String>) -> Problem {
        Problem {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// Rounded up to whole seconds.
    pub fn retry_after(self, span: Millis) -> Problem {
        Problem {
            retry_after_s: u32::try_from((span + SECOND - 1).div_euclid(SECOND).max(1)).ok(),
            ..self
        }
    }

    /// A cursor counted what is not there: the database was restored, or lost its last commits.
    pub fn cursor_expired(known: Option<&Cursor>) -> Problem {
        let how = match known {
            Some(_) => {
                "Go on with go_on_after, the last place that is still known; what came after it \
                    came to a database that is gone."
            }
            None => "Begin anew without after.",
        };
        let detail = format!(
            "The database was restored from an older copy, or lost its last commits. {how} \
                Deliveries keep their id."
        );
        Problem {
            detail: Some(detail),
            go_on_after: known.map(|known| known.to_string().into()),
            ..Problem::new(Code::CursorExpired)
        }
    }

    /// Tells why there is no token for a connection.
    pub fn of_token(error: TokenError, api: &Api, connection: &str) -> Problem {
        match error {
            TokenError::NotFound => Problem::new(Code::NotFound)
                .detail("This key's organisation has no such connection."),
            TokenError::ReconnectRequired { reason } => Problem {
                reason: Some(reason.name()),
                reconnect_url: Some(format!("{}/integrations/{connection}", api.0.url).into()),
                ..Problem::new(Code::ReconnectRequired)
            },
            TokenError::Unreachable { error, retry_after } if error.is_ours() => {
                Problem::new(Code::Unavailable)
                    .detail(error.code)
                    .retry_after(retry_after)
            }
            TokenError::Unreachable { error, retry_after } => Problem::new(Code::LinearUnreachable)
                .detail(error.code)
                .retry_after(retry_after),
            TokenError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        tracing::error!(%error, "an API request failed");
        Problem::new(Code::Unavailable).retry_after(SECOND)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (
            status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            body,
        )
            .into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::Unauthorized {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"relink\""),
            );
        }
        response
    }
}
