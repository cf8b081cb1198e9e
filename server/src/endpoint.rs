//! The frame of every endpoint for programs: a patience, panics, the log, and the headers of its
//! answer.
//!
//! A function that handlers call and not a layer of the router: layers cost each request several
//! allocations.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Uri};
use axum::response::Response;
use futures_util::FutureExt as _;
use tokio::time::{Instant, timeout};

use crate::headers::{self, RequestIds};

/// The things that endpoints have in common.
#[derive(Clone, Debug)]
pub struct Frame {
    pub ids: RequestIds,
    pub https: bool,
}

/// The facts of a request that are remembered while its work goes on.
pub struct Asked {
    id: String,
    method: Method,
    uri: Uri,
    started: Instant,
}

impl Frame {
    pub fn asked(&self, parts: &Parts) -> Asked {
        Asked {
            id: headers::given_request_id(&parts.headers).unwrap_or_else(|| self.ids.next()),
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            started: Instant::now(),
        }
    }

    /// Does the work. `unavailable` is the answer when it panics or takes too long.
    pub async fn answer(
        &self,
        asked: Asked,
        patience: Duration,
        unavailable: fn() -> Response,
        work: impl Future<Output = Response>,
    ) -> Response {
        let mut response = match timeout(patience, AssertUnwindSafe(work).catch_unwind()).await {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => {
                tracing::error!(what = words(panic.as_ref()), "a request panicked");
                unavailable()
            }
            Err(_) => unavailable(),
        };
        asked.log(&response);
        if let Ok(id) = HeaderValue::from_str(&asked.id) {
            response.headers_mut().insert("x-request-id", id);
        }
        headers::harden(response.headers_mut(), self.https);
        response
    }
}

impl Asked {
    /// Never the query, which may hold what is nobody's business.
    fn log(&self, response: &Response) {
        let Asked { id, method, .. } = self;
        let status = response.status();
        // Looked at more closely only where few come this way.
        let path = if status.is_success() {
            self.uri.path()
        } else {
            headers::told_path(self.uri.path())
        };
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if status.is_server_error() {
            tracing::error!(id, %method, path, status = status.as_u16(), millis, "answered");
        } else if status.is_client_error() {
            tracing::info!(id, %method, path, status = status.as_u16(), millis, "answered");
        } else {
            // There may be thousands of these a second.
            tracing::debug!(id, %method, path, status = status.as_u16(), millis, "answered");
        }
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}
