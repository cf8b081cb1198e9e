//! Replies that are no replies: the connection is cut instead.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use socket2::SockRef;

/// Marks a response that must never be sent. The server closes the connection when it sees one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CutOff {
    /// The connection ends with a reset instead of orderly.
    pub reset: bool,
}

impl IntoResponse for CutOff {
    fn into_response(self) -> Response {
        let mut response = StatusCode::BAD_GATEWAY.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The connection a request came in on, for faults that work on the socket itself.
#[derive(Clone)]
pub(crate) struct Peer(pub Arc<TcpStream>);

impl Peer {
    /// Lets whoever closes this connection next send a reset.
    pub fn reset_on_close(&self) {
        if let Err(error) = SockRef::from(&*self.0).set_linger(Some(Duration::ZERO)) {
            tracing::debug!(%error, "the connection will close in order instead of being reset");
        }
    }
}

/// Takes the place of the response's body; its length is told anew.
pub(crate) fn with_body(response: Response, body: impl Into<Body>) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    Response::from_parts(parts, body.into())
}
