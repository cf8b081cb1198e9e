//! The check who asks, and how often.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use relink_app::api::address_of;
use relink_engine::Caller;
use relink_engine::clock::SECOND;

use super::Api;
use super::answer;
use super::limit::Standing;
use super::problem::{Code, Problem};
use crate::body::{self, Holding, Unread};
use crate::edge::has_nul;
use crate::share::Held;

/// Longer than the longest wait for Linear: two waits for a token and two calls.
const REQUEST_MAX: Duration = Duration::from_secs(75);
/// A body comes whole within this.
const BODY_PATIENCE: Duration = Duration::from_secs(20);
/// A GraphQL request may carry documents; nothing else here is longer than a line.
const BODY_MAX: usize = 1024 * 1024;
/// The greatest number of headers that are added to an answer.
const HEADERS: usize = 12;

/// A request that was let through.
pub struct Call {
    pub caller: Arc<Caller>,
    pub parts: Parts,
    pub body: Bytes,
    /// The room that the body takes.
    _holding: Holding,
}

impl Call {
    /// A turn to read a list, which may be long.
    pub async fn turn(&self, api: &Api) -> Held {
        api.0.lists.take(&self.caller.key_id).await
    }

    /// The one parameter in the path.
    pub async fn id(&mut self) -> Result<String, Problem> {
        let id = Path::from_request_parts(&mut self.parts, &()).await;
        id.map(|Path(id)| id)
            .map_err(|_| Problem::new(Code::NotFound))
    }
}

/// Does the work for a request that shows a key, within its limit and while there is room.
pub async fn guard<F>(api: Api, request: Request, work: impl FnOnce(Call) -> F) -> Response
where
    F: Future<Output = Result<Response, Problem>>,
{
    let (parts, body) = request.into_parts();
    let asked = api.0.frame.asked(&parts);
    api.0
        .frame
        .answer(
            asked,
            REQUEST_MAX,
            unavailable,
            admit(&api, parts, body, work),
        )
        .await
}

async fn admit<F>(api: &Api, parts: Parts, body: Body, work: impl FnOnce(Call) -> F) -> Response
where
    F: Future<Output = Result<Response, Problem>>,
{
    let Ok(door) = api.0.door.try_acquire() else {
        return overloaded().into_response();
    };
    let Some(key) = bearer(&parts.headers) else {
        return Problem::new(Code::Unauthorized).into_response();
    };
    let caller = match api.0.engine.api_caller(key).await {
        Ok(Some(caller)) => caller,
        Ok(None) => {
            tracing::warn!(
                address = address_of(&parts),
                "refused a key that is unknown or revoked"
            );
            return Problem::new(Code::Unauthorized)
                .detail("The key is unknown or revoked.")
                .into_response();
        }
        Err(error) => return Problem::from(error).into_response(),
    };
    let Some(_place) = api.0.places.try_take(&caller.key_id, 1) else {
        return overloaded().into_response();
    };
    drop(door);
    // PostgreSQL takes none in a text.
    if has_nul(parts.uri.path().as_bytes()) {
        return Problem::new(Code::NotFound).into_response();
    }
    if has_nul(parts.uri.query().unwrap_or_default().as_bytes()) {
        return Problem::new(Code::InvalidRequest)
            .detail("The query holds a NUL.")
            .into_response();
    }
    let standing = api.0.limits.count(&caller.key_id);
    let outcome = match standing.within {
        false => Err(too_many(standing)),
        true => {
            match body::read_within(body, BODY_MAX, &api.0.bodies, &caller.key_id, BODY_PATIENCE)
                .await
            {
                Ok((body, holding)) => {
                    let key = caller.clone();
                    let answer = work(Call {
                        caller,
                        parts,
                        body,
                        _holding: holding,
                    })
                    .await;
                    match answer {
                        Ok(answer) => answer::hold(answer, &api.0.answers, &key.key_id).await,
                        Err(problem) => Err(problem),
                    }
                }
                Err(Unread::TooLarge) => Err(Problem::new(Code::TooLarge)),
                Err(Unread::NoRoom) => Err(overloaded()),
                Err(Unread::Late) => Err(Problem::new(Code::InvalidRequest)
                    .detail("The body did not come within 20 seconds.")),
                Err(Unread::Broken) => Err(Problem::new(Code::InvalidRequest)),
            }
        }
    };
    let mut response = outcome.into_response();
    // All that are to come, at once: growing a map copies it.
    response.headers_mut().reserve(HEADERS);
    api.0.limits.tell(standing, response.headers_mut());
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn too_many(standing: Standing) -> Problem {
    let span = i64::try_from(standing.resets_in.as_millis()).unwrap_or(i64::MAX);
    Problem::new(Code::RateLimited).retry_after(span)
}

fn overloaded() -> Problem {
    Problem::new(Code::Overloaded).retry_after(SECOND)
}

fn unavailable() -> Response {
    Problem::new(Code::Unavailable)
        .retry_after(SECOND)
        .into_response()
}
