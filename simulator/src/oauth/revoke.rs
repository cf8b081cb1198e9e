//! `POST /oauth/revoke`: RFC 7009's form, or one of the older ways, but never both.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::error::OAuthError;
use super::form::Form;
use crate::Simulator;
use crate::faults::outcome::Outcome;
use crate::world::ending::Revoked;

/// The token to revoke, and whether it also has to prove that the sender may.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    token: String,
    /// The older ways authenticate with the token itself: an unknown one is 401, not 400.
    authenticates: bool,
}

pub(crate) async fn revoke(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let wanted = wanted(&headers, &body)?;
    let outcome = simulator.change(|world| world.revoke_token(&wanted.token));
    Ok(match outcome {
        Revoked::Done => Outcome("revoked").of(Json(json!({"success": true}))),
        Revoked::Unknown if wanted.authenticates => {
            let text = "Unable to authenticate with the token";
            Outcome("unauthenticated")
                .of((StatusCode::UNAUTHORIZED, error_body("invalid_token", text)))
        }
        Revoked::Unknown | Revoked::AlreadyDead => {
            let text = "Unable to revoke token (e.g. token was already revoked)";
            Outcome("not_revoked")
                .of((StatusCode::BAD_REQUEST, error_body("invalid_request", text)))
        }
    })
}

fn error_body(error: &str, description: &str) -> Response {
    Json(json!({"error": error, "error_description": description})).into_response()
}

fn wanted(headers: &HeaderMap, body: &Bytes) -> Result<Wanted, OAuthError> {
    let form = if body.is_empty() {
        Form::parse(b"")?
    } else {
        Form::read(headers, body)?
    };
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
    let legacy: Vec<&str> = [bearer, form.get("access_token"), form.get("refresh_token")]
        .into_iter()
        .flatten()
        .collect();
    match (form.get("token"), legacy.as_slice()) {
        (Some(token), []) => {
            check_hint(form.get("token_type_hint"))?;
            Ok(Wanted {
                token: token.to_owned(),
                authenticates: false,
            })
        }
        (None, [token]) => Ok(Wanted {
            token: (*token).to_owned(),
            authenticates: true,
        }),
        (None, []) => Err(OAuthError::missing("token")),
        _ => Err(OAuthError::invalid_request(
            "Invalid request: the ways of naming a token cannot be combined",
        )),
    }
}

fn check_hint(hint: Option<&str>) -> Result<(), OAuthError> {
    match hint {
        None | Some("access_token" | "refresh_token") => Ok(()),
        Some(_) => Err(OAuthError::invalid_request(
            "Invalid request: `token_type_hint` is invalid",
        )),
    }
}
