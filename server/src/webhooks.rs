//! `POST /webhooks/linear`: where Linear delivers. Answered 200 only for what is committed. What is
//! sent elsewhere by mistake is counted.

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use relink_engine::Engine;
use relink_engine::webhook::{BODY_MAX, Incoming, Received, WebhookError};
use serde_json::json;
use tokio::time::timeout;

use crate::asker::asker;
use crate::body::{self, Holding, Sizes, Space, Unread};
use crate::config::WEBHOOKS;
use crate::endpoint::Frame;
use crate::proven::{Proven, Vouched};
use crate::share::{Held, Room};

/// Whatever happens, an answer comes by then.
const REQUEST_MAX: Duration = Duration::from_secs(20);
/// Linear waits five seconds, and sends its body well before that.
const RECEIVE_MAX: Duration = Duration::from_millis(4_700);
const BODY_PATIENCE: Duration = Duration::from_secs(5);
/// Bodies from where the operator's app signed rightly of late, being read or waiting to be stored;
/// most have less than 16 KiB. One address has a half, since all that Linear sends may come through
/// one proxy.
const BODIES: Sizes = Sizes {
    beginning: 16,
    beginnings: 64 * 1024,
    rest: 64 * 1024,
    parts: 2,
};
/// Bodies from where only organisations' own secrets signed rightly. Each organisation has an
/// eighth, however many addresses its admins name.
const OWN: Sizes = Sizes { parts: 8, ..BODIES };
/// Bodies from anywhere else, whose signature may be anything: in a room of their own, however many
/// addresses fill it. One address has an eighth, which is the largest body.
const STRANGE: Sizes = Sizes {
    beginning: 16,
    beginnings: 16 * 1024,
    rest: 40 * 1024,
    parts: 8,
};
/// Small ones among these, by what they announce: after a start every address is strange, and
/// whatever a dozen of them fill, the first body of another one has room here. One address has a
/// sixty-fourth.
const FIRST_KIB: usize = 8 * 1024;
const FIRST_PARTS: usize = 64;
const SMALL_MAX: usize = 16 * 1024;
/// Bodies that were refused before they were read, and are only looked into to say whom they name.
const UNSIGNED: Sizes = Sizes {
    beginning: 64,
    beginnings: 1_024,
    rest: 0,
    parts: 2,
};
const UNSIGNED_MAX: usize = 64 * 1024;
/// The number of Linear's own headers that are kept.
const HEADERS_MAX: usize = 16;

/// The things that the endpoint is made of. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Webhooks {
    pub engine: Engine,
    pub frame: Frame,
    space: Arc<Space<IpAddr>>,
    /// The room by the ids of organisations.
    own: Arc<Space<String>>,
    strange: Arc<Space<IpAddr>>,
    first: Arc<Room<IpAddr>>,
    proven: Arc<Proven>,
    unsigned: Arc<Space<IpAddr>>,
}

impl Webhooks {
    #[must_use]
    pub fn new(engine: Engine, frame: Frame) -> Webhooks {
        let room = |sizes| Arc::new(Space::new(sizes));
        let own = Arc::new(Space::new(OWN));
        let first = Arc::new(Room::new(FIRST_KIB, FIRST_KIB / FIRST_PARTS));
        let proven = Arc::default();
        Webhooks {
            engine,
            frame,
            space: room(BODIES),
            own,
            strange: room(STRANGE),
            first,
            proven,
            unsigned: room(UNSIGNED),
        }
    }

    /// The body, and the room that it holds.
    async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        who: &IpAddr,
    ) -> Result<(Bytes, (Holding, Option<Held>)), Unread> {
        let vouched = self.proven.of(who, self.engine.now());
        let first = announced_kib(headers)
            .filter(|_| vouched == Vouched::Nobody)
            .and_then(|kib| self.first.try_take(who, kib));
        if first.is_some() {
            let body = body::read_announced(body, SMALL_MAX, BODY_PATIENCE).await?;
            return Ok((body, (Holding::default(), first)));
        }
        let (body, holding) = match vouched {
            Vouched::Nobody => read(body, &self.strange, who).await?,
            Vouched::ByOperator => read(body, &self.space, who).await?,
            Vouched::ByOrganisations(names) => {
                // From an address of Linear's it may be anyone's: what one of them fills is not
                // what keeps another's out.
                let name = names.iter().max_by_key(|name| self.own.left(name));
                read(body, &self.own, name.ok_or(Unread::NoRoom)?).await?
            }
        };
        Ok((body, (holding, None)))
    }
}

async fn read<Name: Hash + Eq + Clone>(
    body: Body,
    space: &Space<Name>,
    who: &Name,
) -> Result<(Bytes, Holding), Unread> {
    body::read_within(body, BODY_MAX, space, who, BODY_PATIENCE).await
}

/// The address as people type it too.
const SLASHED: &str = "/webhooks/linear/";
const SIGNATURE: &str = "linear-signature";

pub fn router(webhooks: Webhooks) -> Router {
    Router::new()
        .route(WEBHOOKS, any(take))
        .route(SLASHED, any(take))
        .with_state(webhooks)
}

/// Counts what Linear sends to addresses where nothing takes it.
pub fn count_stray(engine: &Engine, request: &Request) {
    if request.headers().contains_key(SIGNATURE)
        && ![WEBHOOKS, SLASHED].contains(&request.uri().path())
    {
        engine.webhook_strayed(request.uri().path());
    }
}

async fn take(State(webhooks): State<Webhooks>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let asked = webhooks.frame.asked(&parts);
    webhooks
        .frame
        .answer(
            asked,
            REQUEST_MAX,
            unavailable,
            receive(&webhooks, parts, body),
        )
        .await
}

async fn receive(webhooks: &Webhooks, parts: Parts, body: Body) -> Response {
    if parts.method != Method::POST {
        return (
            StatusCode::METHOD_NOT_ALLOWED,
            [(header::ALLOW, "POST")],
            Json(json!({ "status": "rejected", "code": "method" })),
        )
            .into_response();
    }
    if signature(&parts.headers).is_none() {
        tokio::spawn(look_into(webhooks.clone(), parts, body));
        return refused(&WebhookError::Unsigned);
    }
    let who = asker(&parts.extensions);
    let (body, _held) = match webhooks.read(&parts.headers, body, &who).await {
        Ok(read) => read,
        Err(Unread::TooLarge) => return rejected(StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        Err(Unread::Broken | Unread::Late) => {
            return rejected(StatusCode::BAD_REQUEST, "malformed");
        }
        Err(Unread::NoRoom) => return unavailable(),
    };
    match timeout(
        RECEIVE_MAX,
        webhooks
            .engine
            .webhook_receive(incoming(&parts.headers, body)),
    )
    .await
    {
        Ok(Ok(Received { receipt, signer })) => {
            if let Some(signer) = signer {
                webhooks.proven.note(who, signer, webhooks.engine.now());
            }
            Json(json!({ "status": receipt.name() })).into_response()
        }
        Ok(Err(error)) => refused(&error),
        Err(_) => unavailable(),
    }
}

/// Looks into a request without a signature, which is refused already: which workspace it names
/// helps who set up the sender.
async fn look_into(webhooks: Webhooks, parts: Parts, body: Body) {
    let who = asker(&parts.extensions);
    let read = body::read_within(body, UNSIGNED_MAX, &webhooks.unsigned, &who, BODY_PATIENCE).await;
    let (body, _held) = read.unwrap_or_default();
    let _ = webhooks
        .engine
        .webhook_receive(incoming(&parts.headers, body))
        .await;
}

/// The size that a small body announces, in KiB, rounded up; `None` for others.
fn announced_kib(headers: &HeaderMap) -> Option<u32> {
    let length: usize = headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    (1..=SMALL_MAX)
        .contains(&length)
        .then(|| u32::try_from(length.div_ceil(1_024)).ok())?
}

/// Two signatures are none: which of them would count?
fn signature(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut signatures = headers.get_all(SIGNATURE).iter();
    signatures.next().filter(|_| signatures.next().is_none())
}

fn incoming(headers: &HeaderMap, body: Bytes) -> Incoming {
    let own = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("linear-"));
    let texts = own.filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    Incoming {
        signature: signature(headers).map(|value| Bytes::copy_from_slice(value.as_bytes())),
        delivery_id: headers
            .get("linear-delivery")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
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
    (
        StatusCode::SERVICE_UNAVAILABLE,
        again,
        Json(json!({ "status": "rejected", "code": "unavailable" })),
    )
        .into_response()
}
