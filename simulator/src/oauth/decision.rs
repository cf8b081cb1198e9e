//! `POST /oauth/authorize/decision`: a person's answer on the consent page.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::authorize::Mistake;
use super::consent_page;
use super::form::Form;
use crate::Simulator;
use crate::world::World;
use crate::world::authorising::Answer;
use crate::world::grants::Pending;

/// A consent page left open longer than this no longer counts.
const PENDING_LIFE_MS: i64 = 30 * 60 * 1_000;

/// Takes what was asked from the record, never from the form; the record works once.
fn take_pending(world: &mut World, id: &str) -> Option<Pending> {
    let pending = world.pending.remove(id)?;
    (world.now() < pending.created_ms + PENDING_LIFE_MS).then_some(pending)
}

pub(crate) async fn decide(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Mistake> {
    let form = Form::read(&headers, &body).map_err(|error| Mistake(error.description))?;
    let id = form.get("request").unwrap_or_default();
    let pending = simulator.change(|world| take_pending(world, id));
    let pending =
        pending.ok_or_else(|| Mistake("This page was answered already, or is too old.".into()))?;
    match form.get("decision") {
        Some("approve") => approve(&simulator, &pending, &form),
        _ => Ok(go(simulator.look(|world| world.decline(&pending.request)))),
    }
}

fn approve(simulator: &Simulator, pending: &Pending, form: &Form) -> Result<Response, Mistake> {
    let workspace = form.get("workspace").unwrap_or_default();
    let answer =
        simulator.change(|world| world.approve(&pending.request, workspace, form.get("user")));
    match answer {
        Answer::Redirect(location) => Ok(go(location)),
        Answer::NeedsAdmin => simulator
            .look(|world| {
                Some(consent_page::needs_admin(
                    world.app(&pending.request.client_id)?,
                    world.workspace(workspace)?,
                ))
            })
            .ok_or_else(no_such_person),
        Answer::NoSuchPerson => Err(no_such_person()),
    }
}

fn no_such_person() -> Mistake {
    Mistake("This person cannot sign in to this workspace. Go back and choose again.".into())
}

fn go(location: String) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
