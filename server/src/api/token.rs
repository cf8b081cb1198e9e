//! A fresh access token for a connection.

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use relink_app::api::address_of;
use relink_engine::clock::{DAY, Millis, SECOND};
use relink_engine::{Rejected, Wanted};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::authenticate::{self, Call};
use super::problem::{Code, Problem};
use super::{Api, Shared};
use crate::times::rfc3339;

/// The longest life that may be asked of a token. No token lives longer than a day, so asking for
/// more asks for a refresh each time; more than this is a mistake.
const MIN_TTL_MAX_S: u64 = 7 * 24 * 3_600;
const MIN_TTL_DEFAULT_S: u64 = 300;

/// What is wanted of the token. Everything may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct Asked {
    /// Seconds that the token must live at least, where Linear can be asked for a new one.
    #[schema(default = 300, maximum = 604_800)]
    min_ttl_s: Option<u64>,
    /// Fingerprint of an access token that Linear answered 401 to.
    #[schema(example = "9f3a1c72d0b4c1e8")]
    rejected: Option<String>,
}

/// A token to call Linear with.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token<'a> {
    access_token: &'a str,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// RFC 3339.
    expires_at: Option<String>,
    /// Names the token without giving it away: the first 16 hex digits of its SHA-256.
    fingerprint: &'a str,
}

/// A fresh access token, refreshed where it must be: once, however many ask.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/token", operation_id = "token", security(("key" = [])),
    params(("id" = String, Path, description = "the connection's id")),
    request_body(content = Asked, description = "may be empty"),
    responses(
        (status = 200, body = Token),
        (
            status = 409, description = "`reconnect_required`, with `reason` and `reconnect_url`",
            body = Problem, content_type = "application/problem+json"
        ),
        (
            status = 503, description = "`linear_unreachable`, with `Retry-After`",
            body = Problem, content_type = "application/problem+json"
        ),
        (
            status = "default", description = "any other problem",
            body = Problem, content_type = "application/problem+json"
        ),
    )
)]
pub async fn fresh(State(api): Shared, request: Request) -> Response {
    authenticate::guard(api.clone(), request, async |call| {
        hand_out(&api, call).await
    })
    .await
}

async fn hand_out(api: &Api, mut call: Call) -> Result<Response, Problem> {
    let id = call.id().await?;
    let asked = read(&call.body)?;
    let min_ttl =
        Millis::try_from(asked.min_ttl_s.unwrap_or(MIN_TTL_DEFAULT_S)).unwrap_or(DAY) * SECOND;
    let wanted = Wanted {
        min_ttl,
        rejected: asked.rejected.as_deref().map(Rejected::Fingerprint),
    };
    let token = api
        .0
        .engine
        .fresh_token(&call.caller.organisation_id, &id, wanted)
        .await;
    let token = token.map_err(|error| Problem::of_token(error, api, &id))?;
    api.0
        .engine
        .token_read(&call.caller, &id, address_of(&call.parts));
    Ok(answer(&Token {
        access_token: token.access.expose_secret(),
        token_type: "Bearer",
        expires_at: rfc3339(token.expires_at),
        fingerprint: &token.fingerprint,
    }))
}

fn answer(token: &Token<'_>) -> Response {
    let body = serde_json::to_vec(token).unwrap_or_default();
    (
        [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        body,
    )
        .into_response()
}

fn read(body: &[u8]) -> Result<Asked, Problem> {
    let body = body.trim_ascii();
    if body.is_empty() {
        return Ok(Asked::default());
    }
    // serde reads an array as a struct too.
    let asked = if body.starts_with(b"{") {
        serde_json::from_slice::<Asked>(body).ok()
    } else {
        None
    };
    let wrong = "The body is a JSON object with min_ttl_s (a number) and rejected (text).";
    let asked = asked.ok_or_else(|| Problem::new(Code::InvalidRequest).detail(wrong))?;
    if asked
        .min_ttl_s
        .is_some_and(|seconds| seconds > MIN_TTL_MAX_S)
    {
        return Err(Problem::new(Code::InvalidRequest).detail("min_ttl_s is more than a week."));
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_may_be_left_out_and_nonsense_is_refused() {
        for empty in [
            "",
            " \n",
            "{}",
            r#"{"rejected":null,"min_ttl_s":null}"#,
            r#"{"another":1}"#,
        ] {
            let asked = read(empty.as_bytes()).unwrap();
            assert_eq!((asked.min_ttl_s, asked.rejected), (None, None), "{empty:?}");
        }
        let asked = read(br#"{"min_ttl_s":0,"rejected":"9f3a"}"#).unwrap();
        assert_eq!(
            (asked.min_ttl_s, asked.rejected.as_deref()),
            (Some(0), Some("9f3a"))
        );
        for nonsense in [
            "[]",
            "null",
            "{",
            "1",
            r#"{"min_ttl_s":"300"}"#,
            r#"{"min_ttl_s":-1}"#,
            r#"{"min_ttl_s":604801}"#,
            r#"{"rejected":1}"#,
        ] {
            assert!(read(nonsense.as_bytes()).is_err(), "{nonsense}");
        }
    }
}
