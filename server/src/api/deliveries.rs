//! Deliveries: verified webhooks, as they came, in an order that never changes.

use axum::Json;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse as _, Response};
use relink_engine::linear::ReplyRoom as _;
use relink_engine::webhook::{After, Cursor, Delivery, delivery_name};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{self, AnswerRoom};
use super::authenticate::{self, Call};
use super::problem::{Code, Problem};
use super::{Api, Shared};
use crate::times::rfc3339;

const LIMIT_MAX: i64 = 500;
const LIMIT_DEFAULT: i64 = 50;
/// Bytes of bodies in one answer; one delivery at least.
const BYTES_MAX: i64 = 6 * 1024 * 1024;
/// The longest answer: as JSON in JSON, deliveries hardly take more than twice as many bytes.
const ANSWER_MAX: usize = 12 * 1024 * 1024;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// `next` of the answer before, as it came; from the oldest one if absent.
    after: Option<String>,
    /// 1 to 500. Fewer may come, where their bodies are large.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryList {
    deliveries: Vec<DeliveryObject>,
    /// Goes on after these; absent only when there is nothing yet.
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryObject {
    /// The same for the same signed body, for ever.
    id: String,
    workspace: WorkspaceId,
    event: String,
    action: String,
    /// `Linear-Delivery` of the first time that it came. Not signed.
    delivery_id: Option<String>,
    /// RFC 3339.
    received_at: Option<String>,
    /// Milliseconds since the Unix epoch, as signed.
    webhook_timestamp: i64,
    /// The body as received, byte for byte.
    body: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct WorkspaceId {
    /// Linear's organization id.
    id: String,
}

impl From<Delivery> for DeliveryObject {
    fn from(row: Delivery) -> DeliveryObject {
        DeliveryObject {
            id: delivery_name(&row.workspace_id, &row.digest),
            workspace: WorkspaceId {
                id: row.workspace_id,
            },
            event: row.event,
            action: row.action,
            delivery_id: row.delivery_id,
            received_at: rfc3339(row.received_at),
            webhook_timestamp: row.webhook_timestamp,
            // Only UTF-8 is ever stored.
            body: String::from_utf8_lossy(&row.body).into_owned(),
        }
    }
}

/// Accepted webhooks of the key's organisation, the oldest first. Whoever goes on from `next`
/// misses none. After a restore of an older copy of the database, a `next` that this one never gave
/// out is 410 `cursor_expired`.
#[utoipa::path(
    get, path = "/api/v1/deliveries", operation_id = "deliveries",
    security(("key" = [])), params(Page),
    responses(
        (status = 200, body = DeliveryList),
        (
            status = 410, description = "the cursor is not of this database any more",
            body = Problem, content_type = "application/problem+json"
        ),
        (
            status = "default", description = "a problem",
            body = Problem, content_type = "application/problem+json"
        ),
    )
)]
pub async fn list(State(api): Shared, request: Request) -> Response {
    authenticate::guard(api.clone(), request, async |call| page(&api, &call).await).await
}

async fn page(api: &Api, call: &Call) -> Result<Response, Problem> {
    let asked = Query::<Page>::try_from_uri(&call.parts.uri)
        .map_err(|_| wrong("limit is a number from 1 to 500."))?
        .0;
    let limit = asked.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(wrong("limit is a number from 1 to 500."));
    }
    let after = asked
        .after
        .as_deref()
        .map_or_else(|| Some(Cursor::start()), Cursor::parse);
    let after = after.ok_or_else(|| wrong("after is the next of an earlier answer."))?;
    let _turn = call.turn(api).await;
    // Given back when the answer is there, and takes what it takes.
    let room = AnswerRoom::new(&api.0.answers, &call.caller.key_id);
    if !room.fits(ANSWER_MAX) {
        return Err(answer::no_room());
    }
    let deliveries = api.0.engine.deliveries(&*call.caller);
    match deliveries.after(&after, limit, BYTES_MAX).await? {
        After::Expired(known) => Err(Problem::cursor_expired(known.as_ref())),
        After::Found(found, next) => Ok(Json(DeliveryList {
            deliveries: found.into_iter().map(DeliveryObject::from).collect(),
            next: next.map(|next| next.to_string()).or(asked.after),
        })
        .into_response()),
    }
}

fn wrong(detail: &'static str) -> Problem {
    Problem::new(Code::InvalidRequest).detail(detail)
}
