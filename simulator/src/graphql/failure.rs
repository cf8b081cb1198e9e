//! The shapes in which Linear says no.

use async_graphql::{Error, ErrorExtensions};
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::faults::outcome::Outcome;
use crate::world::issues::Refusal;

/// The same body under whatever status the simulator is set to.
pub(crate) fn unauthenticated(status: StatusCode) -> Response {
    let body = json!({"errors": [{
        "message": "Authentication required, not authenticated",
        "extensions": {
            "type": "authentication error",
            "code": "AUTHENTICATION_ERROR",
            "statusCode": 401,
            "userError": true,
            "userPresentableMessage": "You need to authenticate to access this operation.",
            "meta": {},
            "http": {"status": 401},
        },
    }]});
    Outcome("AUTHENTICATION_ERROR").of((status, Json(body)))
}

/// HTTP 400, although the body speaks of 429.
pub(crate) fn rate_limited(what: &str, limit: u64) -> Response {
    let body = json!({"errors": [{
        "message": format!("Rate limit exceeded. Only {limit} {what} are allowed per 1 hour. \
            Please try again later."),
        "extensions": {
            "type": "ratelimited",
            "code": "RATELIMITED",
            "statusCode": 429,
            "userError": true,
            "userPresentableMessage": "Rate limit exceeded. Please try again later.",
            "meta": {"rateLimitResult": {
                "allowed": false, "requested": 1, "remaining": 0, "duration": 3_600_000,
                "limit": limit,
            }},
            "http": {"headers": {}, "status": 400},
        },
    }]});
    Outcome("RATELIMITED").of((StatusCode::BAD_REQUEST, Json(body)))
}

/// A query the schema does not allow; nothing was executed.
pub(crate) fn not_valid(errors: &[Value]) -> Response {
    Outcome("GRAPHQL_VALIDATION_FAILED")
        .of((StatusCode::BAD_REQUEST, Json(json!({"errors": errors}))))
}

pub(crate) fn validation_error(message: &str) -> Value {
    json!({
        "message": message,
        "extensions": {"type": "graphql error", "code": "GRAPHQL_VALIDATION_FAILED",
            "statusCode": 400, "userError": true},
    })
}

pub(crate) fn too_complex(cost: u64, limit: u64) -> Response {
    let text =
        format!("Query too complex. The complexity is {cost}, the maximum allowed is {limit}.");
    let body = json!({"errors": [{
        "message": text,
        "extensions": {
            "type": "invalid input", "code": "INPUT_ERROR", "statusCode": 400, "userError": true,
            "userPresentableMessage": text,
        },
    }]});
    Outcome("too_complex").of((StatusCode::BAD_REQUEST, Json(body)).into_response())
}

/// Something a resolver refuses; the endpoint knows its own errors by the code.
fn refusal(message: String, (kind, code, status): (&str, &str, i32)) -> Error {
    let shown = message.clone();
    Error::new(message).extend_with(|_, extensions| {
        extensions.set("type", kind);
        extensions.set("code", code);
        extensions.set("statusCode", status);
        extensions.set("userError", true);
        extensions.set("userPresentableMessage", shown.clone());
    })
}

pub(crate) fn input_error(message: impl Into<String>) -> Error {
    refusal(message.into(), ("invalid input", "INPUT_ERROR", 400))
}

pub(crate) fn not_found(entity: &str) -> Error {
    input_error(format!("Entity not found: {entity}"))
}

pub(crate) fn scope_required(scope: &str) -> Error {
    refusal(
        format!("Invalid scope: `{scope}` required"),
        ("forbidden", "FORBIDDEN", 403),
    )
}

impl From<Refusal> for Error {
    fn from(refused: Refusal) -> Error {
        match refused {
            Refusal::NotFound(entity) => not_found(entity),
            Refusal::Invalid(message) => input_error(message),
        }
    }
}
