//! Who asks, how often, and what every answer carries.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use relink_engine::Caller;
use relink_engine::clock::SECOND;
use tokio::time::{Instant, timeout};

use super::Api;
use super::limit::Standing;
use super::problem::{Code, Problem};
use crate::body::{self, Unread};
use crate::headers;

/// Longer than the longest wait for Linear: two waits for a token and two calls. Also for a body that does not come.
const REQUEST_MAX: Duration = Duration::from_secs(75);
/// A GraphQL request may carry documents; nothing else here is longer than a line.
const BODY_MAX: usize = 1024 * 1024;
/// What [`guard`] adds to an answer, at most.
const HEADERS: usize = 12;

/// A request that was let through.
pub struct Call {
    pub caller: Arc<Caller>,
    pub parts: Parts,
    pub body: Bytes,
}

impl Call {
    /// The one parameter in the path.
    pub async fn id(&mut self) -> Result<String, Problem> {
        let id = Path::from_request_parts(&mut self.parts, &()).await;
        id.map(|Path(id)| id).map_err(|_| Problem::new(Code::NotFound))
    }
}

/// Does the work for a request that shows a key, within its limit and while there is room; and sees to the headers, the log
/// and panics. Called by the handlers and not a layer of the router: layers cost each request several allocations.
pub async fn guard<F>(api: Api, request: Request, work: impl FnOnce(Call) -> F) -> Response
where
    F: Future<Output = Result<Response, Problem>>,
{
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let id = headers::given_request_id(&parts.headers).unwrap_or_else(|| api.0.ids.next());
    let (method, uri) = (parts.method.clone(), parts.uri.clone());
    let outcome = timeout(REQUEST_MAX, AssertUnwindSafe(admit(&api, parts, body, work)).catch_unwind()).await;
    let mut response = match outcome {
        Ok(answered) => answered.unwrap_or_else(|panic| panicked(panic.as_ref())),
        Err(_) => Problem::new(Code::Unavailable).detail("timeout").retry_after(SECOND).into_response(),
    };
    log(&id, &method, &uri, &response, started);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", id);
    }
    headers::harden(response.headers_mut(), api.0.https);
    response
}

async fn admit<F>(api: &Api, parts: Parts, body: Body, work: impl FnOnce(Call) -> F) -> Response
where
    F: Future<Output = Result<Response, Problem>>,
{
    let Ok(_room) = api.0.room.try_acquire() else { return Problem::new(Code::Overloaded).retry_after(SECOND).into_response() };
    let Some(key) = bearer(&parts.headers) else { return Problem::new(Code::Unauthorized).into_response() };
    let caller = match api.0.engine.api_caller(key).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return Problem::new(Code::Unauthorized).detail("The key is unknown or revoked.").into_response(),
        Err(error) => return Problem::from(error).into_response(),
    };
    let standing = api.0.limits.count(&caller.key_id);
    let outcome = match standing.within {
        false => Err(too_many(standing)),
        true => match body::read(body, BODY_MAX).await {
            Ok(body) => work(Call { caller, parts, body }).await,
            Err(Unread::TooLarge) => Err(Problem::new(Code::TooLarge)),
            Err(Unread::Broken) => Err(Problem::new(Code::InvalidRequest)),
        },
    };
    let mut response = outcome.into_response();
    // All that are to come, at once: growing a map copies it.
    response.headers_mut().reserve(HEADERS);
    api.0.limits.tell(standing, response.headers_mut());
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn too_many(standing: Standing) -> Problem {
    let span = i64::try_from(standing.resets_in.as_millis()).unwrap_or(i64::MAX);
    Problem::new(Code::RateLimited).retry_after(span)
}

/// Never the query, which nothing here reads.
fn log(id: &str, method: &Method, uri: &Uri, response: &Response, started: Instant) {
    let (path, status) = (uri.path(), response.status());
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if status.is_server_error() {
        tracing::error!(id, %method, path, status = status.as_u16(), millis, "answered");
    } else if status.is_client_error() {
        tracing::info!(id, %method, path, status = status.as_u16(), millis, "answered");
    } else {
        // Tokens are asked for thousands of times a second.
        tracing::debug!(id, %method, path, status = status.as_u16(), millis, "answered");
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    let what = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(what = what.unwrap_or("unknown"), "an API request panicked");
    Problem::new(Code::Unavailable).retry_after(SECOND).into_response()
}
