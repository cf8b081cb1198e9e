//! The outcome of a request, as its handler calls it.

use axum::response::{IntoResponse, Response};

/// The name that a handler gives its own outcome, for the counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome(pub &'static str);

impl Outcome {
    pub fn of(self, response: impl IntoResponse) -> Response {
        let mut response = response.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
