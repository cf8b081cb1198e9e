//! The place where uploaded bytes are put, and files are fetched from.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::caller::Caller;
use crate::Simulator;

/// The header Linear hands out with an upload address, which has to be sent along.
pub const UPLOAD_HEADER: (&str, &str) = ("x-goog-content-length-range", "0,33554432");

/// Takes an upload without a token of Linear's: the address itself is the permission, once.
pub(crate) async fn put(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let value = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let (kind, extra) = (value(header::CONTENT_TYPE.as_str()), value(UPLOAD_HEADER.0));
    simulator.change(|world| match world.uploads.get_mut(&id) {
        Some(upload) if upload.content.is_some() => StatusCode::PRECONDITION_FAILED,
        Some(upload) if upload.content_type != kind || extra != UPLOAD_HEADER.1 => {
            StatusCode::FORBIDDEN
        }
        Some(upload) if upload.size != body.len() as u64 => StatusCode::BAD_REQUEST,
        Some(upload) => {
            upload.content = Some(hex::encode(&body));
            StatusCode::OK
        }
        None => StatusCode::FORBIDDEN,
    })
}

/// Files are for the workspace's own tokens, unless they were made public.
pub(crate) async fn get(
    State(simulator): State<Simulator>,
    Path((workspace, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    simulator.look(|world| {
        let Some(upload) = world
            .uploads
            .get(&id)
            .filter(|upload| upload.workspace == workspace)
        else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let caller = Caller::identify(world, &headers);
        if !upload.public && caller.is_none_or(|caller| caller.workspace != workspace) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        match upload
            .content
            .as_ref()
            .and_then(|content| hex::decode(content).ok())
        {
            Some(content) => (
                [(header::CONTENT_TYPE, upload.content_type.clone())],
                content,
            )
                .into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    })
}
