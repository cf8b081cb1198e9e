//! Who asks, how often, and what every answer carries.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use relink_engine::clock::SECOND;
use tokio::time::{Instant, timeout};

use super::Api;
use super::limit::Standing;
use super::problem::{Code, Problem};
use crate::headers;

/// Longer than the longest wait for Linear: two waits for a token and two calls. Also for a body that does not come.
const REQUEST_MAX: Duration = Duration::from_secs(75);

/// Lets a request through that shows a key, within its limit and while there is room; and sees to the headers, the log and
/// panics.
pub async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = headers::given_request_id(request.headers()).unwrap_or_else(|| api.0.ids.next());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let outcome = timeout(REQUEST_MAX, AssertUnwindSafe(admit(&api, request, next)).catch_unwind()).await;
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

async fn admit(api: &Api, mut request: Request, next: Next) -> Response {
    let Ok(_room) = api.0.room.try_acquire() else { return Problem::new(Code::Overloaded).retry_after(SECOND).into_response() };
    let Some(key) = bearer(request.headers()) else { return Problem::new(Code::Unauthorized).into_response() };
    let caller = match api.0.engine.api_caller(key).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return Problem::new(Code::Unauthorized).detail("The key is unknown or revoked.").into_response(),
        Err(error) => return Problem::from(error).into_response(),
    };
    let standing = api.0.limits.count(&caller.key_id);
    request.extensions_mut().insert(caller);
    let mut response = if standing.within { next.run(request).await } else { too_many(standing) };
    api.0.limits.tell(standing, response.headers_mut());
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn too_many(standing: Standing) -> Response {
    let span = i64::try_from(standing.resets_in.as_millis()).unwrap_or(i64::MAX);
    Problem::new(Code::RateLimited).retry_after(span).into_response()
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
