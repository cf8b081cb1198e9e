//! The reasons why a control call could not be done.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    #[error("there is no {0} like that")]
    Unknown(&'static str),
    #[error("{0}")]
    Invalid(String),
    #[error("{0} does not control the simulation: call it from this machine, by its own address")]
    Elsewhere(&'static str),
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match self {
            ControlError::Unknown(_) => StatusCode::NOT_FOUND,
            ControlError::Invalid(_) => StatusCode::BAD_REQUEST,
            ControlError::Elsewhere(_) => StatusCode::FORBIDDEN,
        };
        (status, Json(json!({"error": self.to_string()}))).into_response()
    }
}
