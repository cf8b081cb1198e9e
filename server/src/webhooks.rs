//! `POST /webhooks/linear`: where Linear delivers. Answered 200 only for what is committed. What is sent elsewhere by mistake is
//! counted.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use relink_engine::Engine;
use relink_engine::webhook::{BODY_MAX, Incoming, WebhookError};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::body::{self, Unread};
use crate::endpoint::Frame;

/// Whatever happens, an answer comes by then.
const REQUEST_MAX: Duration = Duration::from_secs(20);
/// Linear waits five seconds, and sends a piece of a body well before that.
const RECEIVE_MAX: Duration = Duration::from_millis(4_700);
const PIECE_MAX: Duration = Duration::from_secs(3);
/// KiB of bodies being read or waiting to be stored.
const ROOM_KIB: usize = 64 * 1024;
/// More of Linear's own headers are not kept.
const HEADERS_MAX: usize = 16;

/// What the endpoint is made of. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Webhooks {
    pub engine: Engine,
    pub frame: Frame,
    room: Arc<Semaphore>,
}

impl Webhooks {
    #[must_use]
    pub fn new(engine: Engine, frame: Frame) -> Webhooks {
        Webhooks { engine, frame, room: Arc::new(Semaphore::new(ROOM_KIB)) }
    }
}

const PATH: &str = "/webhooks/linear";
/// As people type it too.
const SLASHED: &str = "/webhooks/linear/";
const SIGNATURE: &str = "linear-signature";

pub fn router(webhooks: Webhooks) -> Router {
    Router::new().route(PATH, any(take)).route(SLASHED, any(take)).with_state(webhooks)
}

/// Around everything that is served: sees what Linear sends to addresses where nothing takes it.
pub async fn count_strays(State(engine): State<Engine>, request: Request, next: Next) -> Response {
    if request.headers().contains_key(SIGNATURE) && ![PATH, SLASHED].contains(&request.uri().path()) {
        engine.webhook_strayed(request.uri().path());
    }
    next.run(request).await
}

async fn take(State(webhooks): State<Webhooks>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let asked = webhooks.frame.asked(&parts);
    webhooks.frame.answer(asked, REQUEST_MAX, unavailable, receive(&webhooks, parts, body)).await
}

async fn receive(webhooks: &Webhooks, parts: Parts, body: Body) -> Response {
    if parts.method != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")], Json(json!({ "status": "rejected", "code": "method" })))
            .into_response();
    }
    if body.size_hint().lower() > BODY_MAX as u64 {
        return rejected(StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    }
    let (body, _room) = match body::read_within(body, BODY_MAX, &webhooks.room, PIECE_MAX).await {
        Ok(read) => read,
        Err(Unread::TooLarge) => return rejected(StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        Err(Unread::Broken) => return rejected(StatusCode::BAD_REQUEST, "malformed"),
        Err(Unread::NoRoom) => return unavailable(),
    };
    match timeout(RECEIVE_MAX, webhooks.engine.webhook_receive(incoming(&parts.headers, body))).await {
        Ok(Ok(receipt)) => Json(json!({ "status": receipt.name() })).into_response(),
        Ok(Err(error)) => refused(&error),
        Err(_) => unavailable(),
    }
}

fn incoming(headers: &HeaderMap, body: Bytes) -> Incoming {
    // Two signatures are none: which of them would count?
    let mut signatures = headers.get_all(SIGNATURE).iter();
    let signature = signatures.next().filter(|_| signatures.next().is_none());
    let own = headers.iter().filter(|(name, _)| name.as_str().starts_with("linear-"));
    let texts = own.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    Incoming {
        signature: signature.map(|value| Bytes::copy_from_slice(value.as_bytes())),
        delivery_id: headers.get("linear-delivery").and_then(|value| value.to_str().ok()).map(str::to_owned),
        headers: texts.take(HEADERS_MAX).collect(),
        body,
    }
}

fn refused(error: &WebhookError) -> Response {
    match error {
        WebhookError::Unsigned => rejected(StatusCode::UNAUTHORIZED, "signature"),
        WebhookError::Malformed => rejected(StatusCode::BAD_REQUEST, "malformed"),
        WebhookError::MissingTimestamp => rejected(StatusCode::BAD_REQUEST, "missing_timestamp"),
        WebhookError::Stale => rejected(StatusCode::BAD_REQUEST, "stale"),
        WebhookError::Future => rejected(StatusCode::BAD_REQUEST, "future"),
        WebhookError::Busy | WebhookError::Store(_) => unavailable(),
    }
}

fn rejected(status: StatusCode, code: &'static str) -> Response {
    (status, Json(json!({ "status": "rejected", "code": code }))).into_response()
}

/// Linear sends it again.
fn unavailable() -> Response {
    let again = [(header::RETRY_AFTER, HeaderValue::from_static("60"))];
    (StatusCode::SERVICE_UNAVAILABLE, again, Json(json!({ "status": "rejected", "code": "unavailable" }))).into_response()
}
