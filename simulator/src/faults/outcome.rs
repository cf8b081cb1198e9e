//! What a request came to, as its handler calls it.

use axum::response::{IntoResponse, Response};

/// What a handler calls its own outcome, for the counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome(pub &'static str);

impl Outcome {
    pub fn of(self, response: impl IntoResponse) -> Response {
        let mut response = response.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
