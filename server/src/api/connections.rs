//! The connections of the key's organisation.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use relink_engine::connection::{
    Connection, FailedCall, Reason, State as ConnectionState, TokenTimes,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

use super::Shared;
use super::authenticate;
use super::problem::Problem;
use crate::times::rfc3339;

/// All connections, in the order of their workspaces' names.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionList {
    pub connections: Vec<ConnectionObject>,
}

/// A connection as programs see it. Times are RFC 3339.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub struct ConnectionObject {
    id: String,
    /// `connected`, `reconnect_required` or `disconnected`.
    state: &'static str,
    #[schema(schema_with = reason)]
    reason: Option<&'static str>,
    /// `app` or `user`: who acts in Linear.
    actor: &'static str,
    scopes: Vec<String>,
    workspace: Workspace,
    issued_at: Option<String>,
    refresh_due_at: Option<String>,
    expires_at: Option<String>,
    /// When Linear last answered a call made with this connection's token.
    last_verified_at: Option<String>,
    linear_reachable: bool,
    /// When the background tries to refresh again, after a failure that passes.
    next_attempt_at: Option<String>,
    last_error: Option<LastError>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Workspace {
    /// Linear's organization id. It alone never changes.
    id: String,
    name: String,
    url_key: String,
}

/// The last failure of the passing kind that nothing has cleared since.
#[derive(Debug, Serialize, ToSchema)]
pub struct LastError {
    code: String,
    /// HTTP status, where there was one.
    status: Option<u16>,
    at: Option<String>,
}

/// Describes the reasons by their list, so that none is missing.
fn reason() -> Object {
    let names = Reason::ALL.map(|reason| format!("`{}`", reason.name()));
    let names = names.join(", ");
    let (others, last) = names.rsplit_once(", ").unwrap_or_default();
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some(format!("{others} or {last}.")))
        .build()
}

impl From<Connection> for ConnectionObject {
    fn from(connection: Connection) -> ConnectionObject {
        let token: Option<&TokenTimes> = match &connection.state {
            ConnectionState::Connected { token } => Some(token),
            ConnectionState::ReconnectRequired { token, .. } => token.as_ref(),
            ConnectionState::Disconnected { .. } => None,
        };
        let error = connection.passing_error();
        ConnectionObject {
            state: connection.state.name(),
            reason: connection.state.reason().map(|reason| reason.name()),
            actor: connection.actor.name(),
            issued_at: token.and_then(|token| rfc3339(token.issued_at)),
            refresh_due_at: token.and_then(|token| rfc3339(token.refresh_due_at())),
            expires_at: token.and_then(|token| rfc3339(token.expires_at)),
            last_verified_at: connection.last_verified_at.and_then(rfc3339),
            linear_reachable: error.is_none(),
            next_attempt_at: connection
                .refresh_trouble
                .as_ref()
                .and_then(|trouble| rfc3339(trouble.next_attempt_at?)),
            last_error: error.map(LastError::from),
            workspace: Workspace {
                id: connection.workspace.id,
                name: connection.workspace.name,
                url_key: connection.workspace.url_key,
            },
            id: connection.id,
            scopes: connection.scopes,
        }
    }
}

impl From<&FailedCall> for LastError {
    fn from(error: &FailedCall) -> LastError {
        LastError {
            code: error.code.clone(),
            status: error.status,
            at: rfc3339(error.at),
        }
    }
}

impl ConnectionList {
    pub fn new(mut connections: Vec<Connection>) -> ConnectionList {
        connections.sort_by(|a, b| (&a.workspace.name, &a.id).cmp(&(&b.workspace.name, &b.id)));
        ConnectionList {
            connections: connections
                .into_iter()
                .map(ConnectionObject::from)
                .collect(),
        }
    }
}

/// The connections of the key's organisation with their state.
#[utoipa::path(
    get, path = "/api/v1/connections", operation_id = "connections", security(("key" = [])),
    responses(
        (status = 200, body = ConnectionList),
        (
            status = "default", description = "a problem", body = Problem,
            content_type = "application/problem+json"
        ),
    )
)]
pub async fn list(State(api): Shared, request: Request) -> Response {
    authenticate::guard(api.clone(), request, async |call| {
        let _turn = call.turn(&api).await;
        let connections = api.0.engine.connections(&*call.caller).list().await?;
        Ok(Json(ConnectionList::new(connections)).into_response())
    })
    .await
}
