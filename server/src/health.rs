//! For orchestrators: alive, and able to serve.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use relink_engine::Engine;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(3);

/// The process answers.
pub async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The database answers. Its schema is up to date: nothing listens before the migrations are done.
pub async fn ready(State(engine): State<Engine>) -> (StatusCode, Json<Value>) {
    match tokio::time::timeout(PATIENCE, engine.store().ping()).await {
        Ok(Ok(())) => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready");
            not_ready()
        }
        Err(_) => not_ready(),
    }
}

fn not_ready() -> (StatusCode, Json<Value>) {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "unavailable", "reason": "database" })))
}
