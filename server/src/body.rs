//! Bodies of requests, read whole and never beyond a limit.

use axum::body::{Body, Bytes};
use http_body_util::LengthLimitError;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    TooLarge,
    /// It broke off, or its encoding is wrong.
    Broken,
}

/// All of a body of at most `max` bytes, which are counted while they come.
pub async fn read(body: Body, max: usize) -> Result<Bytes, Unread> {
    axum::body::to_bytes(body, max).await.map_err(|error| {
        let error = error.into_inner();
        if error.is::<LengthLimitError>() { Unread::TooLarge } else { Unread::Broken }
    })
}
