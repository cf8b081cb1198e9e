//! The whole audit trail as JSON Lines, for those who may read it.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use relink_app::api::person_of;
use relink_engine::store::StoreError;
use relink_engine::{Audit, AuditEntry};
use serde_json::{Value, json};
use tower_sessions::Session;

use crate::state::Web;
use crate::times::rfc3339;

/// Lines read at a time.
const PAGE: i64 = 1_000;

/// A line as it is exported, by command and on the page.
#[must_use]
pub fn line(row: &AuditEntry) -> Value {
    json!({
        "number": row.number, "at": rfc3339(row.at), "who": row.who, "user_id": row.user_id,
        "act": row.act, "subject": row.subject,
        "address": row.address, "hash": row.hash,
    })
}

/// The next lines after this number, and the number to go on from; `None` at the end.
pub async fn next_lines(audit: &Audit, after: i64) -> Result<Option<(String, i64)>, StoreError> {
    let rows = audit.after(after, PAGE).await?;
    let Some(last) = rows.last().map(|row| row.number) else {
        return Ok(None);
    };
    Ok(Some((
        rows.iter().map(|row| format!("{}\n", line(row))).collect(),
        last,
    )))
}

/// `GET /settings/audit.jsonl`
pub async fn export(State(web): State<Web>, session: Session) -> Response {
    let engine = web.engine;
    let person = match person_of(&engine, &session).await {
        Ok(Some(person)) => person,
        Ok(None) => return StatusCode::UNAUTHORIZED.into_response(),
        Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    let Ok(audit) = engine.audit(&person) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    // Read as it is sent: nobody holds more than a page of it.
    let lines = stream::try_unfold((audit, 0), async |(audit, after)| {
        let next = next_lines(&audit, after).await?;
        Ok::<_, StoreError>(next.map(|(lines, last)| (Bytes::from(lines), (audit, last))))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"audit.jsonl\"",
        ),
    ];
    (headers, Body::from_stream(lines)).into_response()
}
