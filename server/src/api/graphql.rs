//! Linear's GraphQL API through a connection.

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use relink_engine::clock::SECOND;
use relink_engine::linear::{CallError, GraphqlRequest};
use relink_engine::{CallFailed, TokenError};

use super::answer::{self, AnswerRoom};
use super::authenticate::{self, Call};
use super::problem::{Code, Problem};
use super::{Api, Shared};

/// Passes a GraphQL request on to Linear, and Linear's status, body and rate-limit headers back.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/graphql", operation_id = "graphql",
    security(("key" = [])),
    params(("id" = String, Path, description = "the connection's id")),
    request_body(content = Object, description = "as Linear takes it: `query`, `variables`, \
        `operationName`"),
    responses(
        (status = 200, description = "Linear's answer, whatever its status", body = Object),
        (
            status = 409, description = "`reconnect_required`",
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
pub async fn pass_on(State(api): Shared, request: Request) -> Response {
    authenticate::guard(api.clone(), request, async |call| forward(&api, call).await).await
}

async fn forward(api: &Api, mut call: Call) -> Result<Response, Problem> {
    let id = call.id().await?;
    if !call.body.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::new(Code::InvalidRequest)
            .detail("The body is a JSON object with a GraphQL query."));
    }
    let file_urls = call
        .parts
        .headers
        .get("public-file-urls-expire-in")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let room = AnswerRoom::new(&api.0.answers, &call.caller.key_id);
    let answer = api
        .0
        .engine
        .graphql(
            &call.caller.organisation_id,
            &id,
            GraphqlRequest {
                body: call.body,
                file_urls,
                room: Some(room.clone()),
            },
        )
        .await;
    let answer = answer.map_err(|failed| problem(failed, api, &id))?;
    if !answer.whole {
        return Err(answer::no_room().detail(
            "Linear answered, so what was asked may be done. Answers to this key that nobody has \
                read yet take all of its room.",
        ));
    }
    Ok((answer.status, answer.headers, Extension(room), answer.body).into_response())
}

fn problem(failed: CallFailed, api: &Api, connection: &str) -> Problem {
    match failed {
        CallFailed::Token(error) => Problem::of_token(error, api, connection),
        CallFailed::Linear(CallError::Transient(passing)) => {
            let wait = passing
                .retry_after_s()
                .map_or(SECOND, |seconds| i64::from(seconds) * SECOND);
            Problem::new(Code::LinearUnreachable)
                .detail(passing.code())
                .retry_after(wait)
        }
        CallFailed::Linear(CallError::Authentication { .. } | CallError::Refused { .. }) => {
            Problem::of_token(
                TokenError::ReconnectRequired {
                    reason: relink_engine::connection::Reason::Revoked,
                },
                api,
                connection,
            )
        }
    }
}
