//! The layer around everything that is served: who asks, and places and bodies that nobody can keep
//! from the others.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::http::uri::PathAndQuery;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use relink_app::api::ClientAddress;
use relink_engine::Engine;

use crate::Web;
use crate::asker::asker;
use crate::body::{self, Sizes, Space, Unread};
use crate::password_queue::{self, PasswordQueue, Who};
use crate::proxies::TrustedProxies;
use crate::share::Room;
use crate::webhooks;

/// Pages and forms worked on at once; more wait their turn, within the time that a request has.
const AT_ONCE: usize = 512;
/// The part of these that one address may have.
const AT_ONCE_EACH: usize = 64;
/// Forms are small.
pub const FORM_MAX: usize = 64 * 1024;
/// A form comes whole within this, or it is not waited for.
const FORM_PATIENCE: Duration = Duration::from_secs(10);
/// Hardly any form has more than 4 KiB: those who fill the rest keep only large ones out.
const FORMS: Sizes = Sizes {
    beginning: 4,
    beginnings: 32 * 1024,
    rest: 32 * 1024,
    parts: 4,
};

/// The things that are known around a request. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Edge {
    pub engine: Engine,
    pub proxies: TrustedProxies,
}

/// Sees who asks, and what Linear sends to addresses where nothing takes it.
pub async fn look(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    webhooks::count_stray(&edge.engine, &request);
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let client = edge.proxies.client(peer.ip(), request.headers());
        request.extensions_mut().insert(ClientAddress(client));
    }
    next.run(request).await
}

/// Places for pages, and the queue for passwords beside them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Places {
    web: Web,
    pages: Arc<Room<IpAddr>>,
    passwords: Arc<PasswordQueue>,
}

#[must_use]
pub fn places(web: Web) -> Places {
    Places {
        web,
        pages: Arc::new(Room::new(AT_ONCE, AT_ONCE_EACH)),
        passwords: Arc::default(),
    }
}

/// Waits for a place, or for a turn among the passwords.
pub async fn in_place(State(places): State<Places>, request: Request, next: Next) -> Response {
    if password_queue::hashes(&request) {
        let Some(_turn) = places.passwords.turn(&Who::of(&places.web, &request)).await else {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        };
        return next.run(request).await;
    }
    let _place = places.pages.take(&asker(request.extensions())).await;
    next.run(request).await
}

#[must_use]
pub fn forms() -> Arc<Space<IpAddr>> {
    Arc::new(Space::new(FORMS))
}

/// Reads a form before a place is taken for it: who sends half of one holds nothing that others
/// wait for.
pub async fn whole_form(
    State(forms): State<Arc<Space<IpAddr>>>,
    request: Request,
    next: Next,
) -> Response {
    if has_nul(
        request
            .uri()
            .path_and_query()
            .map_or("", PathAndQuery::as_str)
            .as_bytes(),
    ) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let who = asker(request.extensions());
    let (parts, body) = request.into_parts();
    let (body, _held) = match body::read_within(body, FORM_MAX, &forms, &who, FORM_PATIENCE).await {
        Ok(read) => read,
        Err(Unread::TooLarge) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(Unread::Late) => return StatusCode::REQUEST_TIMEOUT.into_response(),
        Err(Unread::Broken) => return StatusCode::BAD_REQUEST.into_response(),
        Err(Unread::NoRoom) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    if has_nul(&body) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// Finds a NUL in what is written as forms and addresses are. Nobody types one, and PostgreSQL
/// takes none in a text.
pub fn has_nul(encoded: &[u8]) -> bool {
    encoded.contains(&0) || encoded.windows(3).any(|three| three == b"%00")
}
