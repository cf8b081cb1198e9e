//! What can be wrong with a request for a page, as a closed set: nothing from the inside fits in.

use axum::http::StatusCode;
use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use relink_engine::store::StoreError;
use serde::{Deserialize, Serialize};
use tower_sessions::session;

use super::request::set_status;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    #[error("Sign in to see this.")]
    SignedOut,
    #[error("Your role does not allow this. Nothing was changed. Ask an owner of your organisation.")]
    Forbidden,
    #[error("There is nothing here.")]
    NotFound,
    #[error("Relink cannot reach its database right now. Nothing was changed. Try again in a minute.")]
    Unavailable,
    #[error("This page was made for another organisation of yours. Nothing was changed. Change back to it, then try again.")]
    OtherOrganisation,
    #[error("This request makes no sense to Relink. Nothing was changed.")]
    Malformed,
}

impl FromServerFnError for Failure {
    type Encoder = JsonEncoding;

    /// Before a function is called, this is of what it was sent: fields that cannot be read. On the way back it is of Relink.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Failure {
        use ServerFnErrorErr::{Args, Deserialization, MissingArg, Request};

        if matches!(error, Args(_) | Deserialization(_) | MissingArg(_) | Request(_)) {
            set_status(StatusCode::BAD_REQUEST);
        }
        Failure::Malformed
    }
}

/// People read one sentence; operators find the detail in the log.
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
