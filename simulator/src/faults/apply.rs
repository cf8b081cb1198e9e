//! Lets queued faults strike a request on its way in or out, and counts what became of it.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde_json::{Map, Value, json};

use super::outcome::Outcome;
use super::reply::{CutOff, with_body};
use super::{Endpoint, Fault, Kind, take};
use crate::Simulator;
use crate::graphql::failure;

/// Longest time a hanging request is held before its connection is closed.
const HANG: Duration = Duration::from_secs(120);
const HUGE: usize = 16 * 1024 * 1024;
const ANSWER_MAX: usize = 16 * 1024 * 1024;

fn body_max(endpoint: Endpoint) -> usize {
    match endpoint {
        Endpoint::Upload => 32 * 1024 * 1024,
        Endpoint::Graphql => 1024 * 1024,
        Endpoint::Authorize | Endpoint::Token | Endpoint::Revoke | Endpoint::Migrate => 64 * 1024,
    }
}

pub(crate) async fn with_faults(
    State((simulator, endpoint)): State<(Simulator, Endpoint)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, body_max(endpoint)).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let text = match endpoint {
        Endpoint::Authorize => parts.uri.query().unwrap_or_default().to_owned(),
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    };
    let fault = simulator.note(|world| {
        world.counts.add(endpoint.name(), "received");
        take(&mut world.faults, endpoint, &text)
    });
    if let Some(fault) = &fault {
        simulator.note(|world| world.counts.add(endpoint.name(), &fault.kind.name()));
        tracing::info!(endpoint = endpoint.name(), fault = ?fault.kind, "a queued fault strikes");
    }
    let request = Request::from_parts(parts, Body::from(bytes));
    let Some(fault) = fault else {
        return process(&simulator, endpoint, request, next).await;
    };
    if !fault.kind.lets_through() {
        return instead(&fault).await;
    }
    if fault.kind == Kind::Delay {
        tokio::time::sleep(delay_of(&fault)).await;
    }
    let answer = process(&simulator, endpoint, request, next).await;
    after(&fault, answer, &text).await
}

async fn process(
    simulator: &Simulator,
    endpoint: Endpoint,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let own_name = response
        .extensions()
        .get::<Outcome>()
        .map(|outcome| outcome.0.to_owned());
    let outcome = own_name.unwrap_or_else(|| response.status().as_u16().to_string());
    simulator.note(|world| world.counts.add(endpoint.name(), &outcome));
    response
}

fn delay_of(fault: &Fault) -> Duration {
    Duration::from_millis(fault.delay_ms.unwrap_or(1_000)).min(HANG)
}

async fn instead(fault: &Fault) -> Response {
    tokio::time::sleep(Duration::from_millis(fault.delay_ms.unwrap_or(0)).min(HANG)).await;
    let mut response = match fault.kind {
        Kind::Html500 => html_500(),
        Kind::InvalidClient => oauth_error("invalid_client", "Invalid client: client is invalid"),
        Kind::InvalidGrant => {
            oauth_error("invalid_grant", "Invalid grant: refresh token is invalid")
        }
        Kind::RateLimited => failure::rate_limited("requests", 5_000).into_response(),
        Kind::AuthError => failure::unauthenticated(StatusCode::UNAUTHORIZED),
        Kind::Redirect => Redirect::temporary("http://127.0.0.1:9/").into_response(),
        Kind::Hang => {
            tokio::time::sleep(HANG).await;
            CutOff { reset: false }.into_response()
        }
        Kind::ConnectionReset => CutOff { reset: true }.into_response(),
        _ => {
            let status = fault
                .status
                .and_then(|status| StatusCode::from_u16(status).ok());
            (
                status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
                "upstream trouble",
            )
                .into_response()
        }
    };
    if let Some(seconds) = fault.retry_after_s {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn html_500() -> Response {
    let page = "<!doctype html><title>500</title><h1>Internal Server Error</h1>";
    (StatusCode::INTERNAL_SERVER_ERROR, Html(page)).into_response()
}

fn oauth_error(error: &str, description: &str) -> Response {
    (
        StatusCode::BAD_REQUEST,
        Json(json!({"error": error, "error_description": description})),
    )
        .into_response()
}

async fn after(fault: &Fault, answer: Response, asked: &str) -> Response {
    match fault.kind {
        Kind::DropReply => CutOff { reset: false }.into_response(),
        Kind::DelayReply => {
            tokio::time::sleep(delay_of(fault)).await;
            answer
        }
        Kind::GarbageJson => with_body(answer, "{\"access_token\":\"lin_oau"),
        Kind::HugeBody => with_body(answer, Bytes::from(vec![b' '; HUGE])),
        Kind::NoExpiresIn => without_field(answer, "expires_in").await,
        Kind::NoRefreshToken => without_field(answer, "refresh_token").await,
        Kind::SameRefreshToken => {
            let shown = url::form_urlencoded::parse(asked.as_bytes())
                .find(|(name, _)| name == "refresh_token");
            let shown = shown.map(|(_, token)| ("refresh_token".to_owned(), json!(token)));
            with_fields(answer, &shown.into_iter().collect()).await
        }
        Kind::OddFields => with_fields(answer, &fault.fields).await,
        _ => answer,
    }
}

async fn without_field(answer: Response, field: &str) -> Response {
    edited(answer, |fields| drop(fields.remove(field))).await
}

async fn with_fields(answer: Response, odd: &Map<String, Value>) -> Response {
    edited(answer, |fields| fields.extend(odd.clone())).await
}

async fn edited(answer: Response, edit: impl FnOnce(&mut Map<String, Value>)) -> Response {
    let (parts, body) = answer.into_parts();
    let bytes = to_bytes(body, ANSWER_MAX).await.unwrap_or_default();
    let edited = serde_json::from_slice::<Value>(&bytes).map(|mut body| {
        if let Some(fields) = body.as_object_mut() {
            edit(fields);
        }
        body.to_string()
    });
    let answer = Response::from_parts(parts, Body::empty());
    match edited {
        Ok(text) => with_body(answer, text),
        Err(_) => with_body(answer, bytes),
    }
}
