//! A connection as programs see it.

use relink_engine::clock::Millis;
use relink_engine::connection::{Connection, State, TokenTimes};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The contract's connection object.
pub fn connection_json(connection: &Connection) -> Value {
    let token: Option<&TokenTimes> = match &connection.state {
        State::Connected { token } => Some(token),
        State::ReconnectRequired { token, .. } => token.as_ref(),
        State::Disconnected { .. } => None,
    };
    json!({
        "id": connection.id,
        "state": connection.state.name(),
        "reason": connection.state.reason().map(|reason| reason.name()),
        "actor": connection.actor.name(),
        "scopes": connection.scopes,
        "workspace": {
            "id": connection.workspace.id,
            "name": connection.workspace.name,
            "url_key": connection.workspace.url_key,
        },
        "issued_at": token.map(|token| rfc3339(token.issued_at)),
        "refresh_due_at": token.map(|token| rfc3339(token.refresh_due_at())),
        "expires_at": token.map(|token| rfc3339(token.expires_at)),
        "last_verified_at": connection.last_verified_at.map(rfc3339),
        "linear_reachable": connection.last_error.is_none(),
        "next_attempt_at": null,
        "last_error": connection.last_error.as_ref().map(|error| json!({
            "code": error.code, "status": error.status, "at": rfc3339(error.at),
        })),
    })
}

fn rfc3339(at: Millis) -> Option<String> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000).ok()?.format(&Rfc3339).ok()
}
