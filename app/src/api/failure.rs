//! Translates failures of the store and the session into what people read, and sets the status of
//! the answer.

use axum::http::StatusCode;
use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use relink_engine::store::StoreError;
use tower_sessions::session;

use super::request::set_status;
use crate::view::Failure;

impl FromServerFnError for Failure {
    type Encoder = JsonEncoding;

    /// Before a function is called, the error is about what it was sent: fields that cannot be
    /// read. On the way back it is Relink's.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Failure {
        use ServerFnErrorErr::{Args, Deserialization, MissingArg, Request};

        if matches!(
            error,
            Args(_) | Deserialization(_) | MissingArg(_) | Request(_)
        ) {
            set_status(StatusCode::BAD_REQUEST);
        }
        Failure::Malformed
    }
}

/// Logs the detail for operators; people read one sentence.
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        tracing::error!(%error, "the store failed");
        set_status(StatusCode::SERVICE_UNAVAILABLE);
        Failure::Unavailable
    }
}

impl From<session::Error> for Failure {
    fn from(error: session::Error) -> Failure {
        tracing::error!(%error, "the session failed");
        set_status(StatusCode::SERVICE_UNAVAILABLE);
        Failure::Unavailable
    }
}
