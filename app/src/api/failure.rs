//! What can be wrong with a request for a page, as a closed set: nothing from the inside fits in.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

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

    fn from_server_fn_error(_: ServerFnErrorErr) -> Failure {
        Failure::Malformed
    }
}

mod from_engine {
    use relink_engine::store::StoreError;

    use super::Failure;

    /// People read one sentence; operators find the detail in the log.
    impl From<StoreError> for Failure {
        fn from(error: StoreError) -> Failure {
            tracing::error!(%error, "the store failed");
            crate::api::request::set_status(axum::http::StatusCode::SERVICE_UNAVAILABLE);
            Failure::Unavailable
        }
    }

    impl From<tower_sessions::session::Error> for Failure {
        fn from(error: tower_sessions::session::Error) -> Failure {
            tracing::error!(%error, "the session failed");
            crate::api::request::set_status(axum::http::StatusCode::SERVICE_UNAVAILABLE);
            Failure::Unavailable
        }
    }
}
