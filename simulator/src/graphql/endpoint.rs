//! One GraphQL request: who asks, what it costs, whether it is allowed, what it answers.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection};
use async_graphql::{ServerError, Value as Given, Variables};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::cost::{QUERY_MAX, cost};
use super::failure::{not_valid, rate_limited, too_complex, unauthenticated, validation_error};
use super::headers::with_limits;
use crate::Simulator;
use crate::faults::outcome::Outcome;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    query: String,
    #[serde(default)]
    variables: Option<Value>,
    #[serde(default)]
    operation_name: Option<String>,
}

pub(crate) async fn graphql(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let caller = simulator.look(|world| Caller::identify(world, &headers));
    let owner = caller.as_ref().map(|caller| caller.user.clone());
    let Some(caller) = caller else {
        return refuse_stranger(&simulator);
    };
    match Prepared::read(&headers, &body) {
        Ok(prepared) => run(&simulator, caller, prepared).await,
        Err(message) => {
            let standing = match simulator.note(|world| world.spend_budget(owner.as_deref(), 0)) {
                Ok(standing) | Err((standing, _)) => standing,
            };
            with_limits(
                not_valid(&[validation_error(&message)]),
                &standing,
                0,
                "unknown",
            )
        }
    }
}

fn refuse_stranger(simulator: &Simulator) -> Response {
    let (spent, status) = simulator.note(|world| {
        (
            world.spend_budget(None, 0),
            world.settings.auth_error_status,
        )
    });
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED);
    match spent {
        Ok(standing) => with_limits(unauthenticated(status), &standing, 0, "unknown"),
        Err((standing, what)) => with_limits(
            rate_limited(what, standing.requests_limit),
            &standing,
            0,
            "unknown",
        ),
    }
}

/// A request that could be read; not yet checked against the schema.
struct Prepared {
    asked: Asked,
    variables: Variables,
    cost: u64,
    /// The first root field, under which Linear names its per-endpoint limits.
    name: String,
}

impl Prepared {
    fn read(headers: &HeaderMap, body: &Bytes) -> Result<Prepared, String> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with("application/json") {
            return Err("The body must be application/json.".into());
        }
        let asked: Asked = serde_json::from_slice(body)
            .map_err(|_| "The body must be JSON with a `query` string.".to_owned())?;
        let document =
            parse_query(&asked.query).map_err(|error| format!("Syntax Error: {error}"))?;
        let variables = Variables::from_json(asked.variables.clone().unwrap_or(Value::Null));
        let operation = operation_of(&document, asked.operation_name.as_deref())?;
        let cost = cost(&document, operation, &variables);
        let name = first_field(operation);
        Ok(Prepared {
            variables,
            cost,
            name,
            asked,
        })
    }
}

fn operation_of<'query>(
    document: &'query ExecutableDocument,
    name: Option<&str>,
) -> Result<&'query OperationDefinition, String> {
    let mut operations = document.operations.iter();
    let found = match name {
        Some(wanted) => {
            operations.find(|(name, _)| name.is_some_and(|name| name.as_str() == wanted))
        }
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    found
        .map(|(_, operation)| &operation.node)
        .ok_or_else(|| "Unknown operation named in the request.".to_owned())
}

fn first_field(operation: &OperationDefinition) -> String {
    let first = operation
        .selection_set
        .node
        .items
        .first()
        .map(|item| &item.node);
    match first {
        Some(Selection::Field(field)) => field.node.name.node.to_string(),
        _ => "unknown".to_owned(),
    }
}

async fn run(simulator: &Simulator, caller: Caller, prepared: Prepared) -> Response {
    let owner = caller.user.clone();
    if prepared.cost > QUERY_MAX {
        let standing = simulator.look(|world| world.standing(Some(&owner)));
        return with_limits(
            too_complex(prepared.cost, QUERY_MAX),
            &standing,
            prepared.cost,
            &prepared.name,
        );
    }
    let standing = match simulator.note(|world| world.spend_budget(Some(&owner), prepared.cost)) {
        Ok(standing) => standing,
        Err((standing, what)) => {
            let limit = if what == "requests" {
                standing.requests_limit
            } else {
                standing.complexity_limit
            };
            return with_limits(
                rate_limited(what, limit),
                &standing,
                prepared.cost,
                &prepared.name,
            );
        }
    };
    let mut request = async_graphql::Request::new(prepared.asked.query)
        .variables(prepared.variables)
        .data(caller)
        .data(simulator.clone());
    if let Some(name) = prepared.asked.operation_name {
        request = request.operation_name(name);
    }
    let answer = simulator.schema().execute(request).await;
    let forbidden = simulator.look(|world| world.settings.forbidden_status);
    with_limits(
        answer_of(answer, forbidden),
        &standing,
        prepared.cost,
        &prepared.name,
    )
}

fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Given::String(code) => Some(code),
        _ => None,
    }
}

/// Errors without a code of ours come from the schema: the query itself was wrong.
fn answer_of(answer: async_graphql::Response, forbidden: u16) -> Response {
    if answer.errors.is_empty() {
        return Json(json!({"data": answer.data})).into_response();
    }
    if answer.errors.iter().any(|error| code_of(error).is_none()) {
        let errors: Vec<Value> = answer.errors.iter().map(not_allowed).collect();
        return not_valid(&errors);
    }
    let status = match answer.errors.first().and_then(code_of) {
        _ if answer.data != Given::Null => StatusCode::OK,
        Some("FORBIDDEN") => StatusCode::from_u16(forbidden).unwrap_or(StatusCode::FORBIDDEN),
        _ => StatusCode::BAD_REQUEST,
    };
    let outcome = match answer.errors.first().and_then(code_of) {
        Some("FORBIDDEN") => "FORBIDDEN",
        _ => "INPUT_ERROR",
    };
    Outcome(outcome).of((
        status,
        Json(json!({"errors": answer.errors, "data": answer.data})),
    ))
}

fn not_allowed(error: &ServerError) -> Value {
    let mut shape = validation_error(&error.message);
    shape["locations"] = json!(error.locations);
    shape
}
