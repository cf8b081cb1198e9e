//! The control API's paths. Each handler reads JSON, calls the method of the same name, answers
//! JSON.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::ControlError;
use super::{forms, page};
use crate::world::grants::Actor;
use crate::{Fault, Simulator};

type Answer = Result<Json<Value>, ControlError>;

const BODY_MAX: usize = 8 * 1024 * 1024;

pub(crate) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/", get(page::show))
        .route("/do/{action}", post(forms::act))
        .route(
            "/control/state",
            get(|State(sim): State<Simulator>| async move { Json(sim.state()) }),
        )
        .route(
            "/control/counts",
            get(|State(sim): State<Simulator>| async move { Json(sim.counts()) })
                .delete(clear_counts),
        )
        .route(
            "/control/deliveries",
            get(|State(sim): State<Simulator>| async move { Json(sim.deliveries()) }),
        )
        .route(
            "/control/tokens",
            get(
                |State(sim): State<Simulator>| async move { Json(json!({"minted": sim.minted()})) },
            ),
        )
        .route("/control/faults", post(add_faults).delete(clear_faults))
        .route("/control/{action}", post(act))
        .route("/control/{action}/{detail}", post(act_on))
        .layer(DefaultBodyLimit::max(BODY_MAX))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| ControlError::Invalid(error.to_string()))
}

async fn clear_counts(State(simulator): State<Simulator>) -> StatusCode {
    simulator.clear_counts();
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(simulator): State<Simulator>) -> StatusCode {
    simulator.clear_faults();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Fault>),
    One(Fault),
}

async fn add_faults(State(simulator): State<Simulator>, body: Bytes) -> Answer {
    // Read twice on a mistake: "matches no variant" would not tell a test what is wrong.
    let faults = match read::<OneOrMany>(&body) {
        Ok(OneOrMany::Many(faults)) => faults,
        Ok(OneOrMany::One(fault)) => vec![fault],
        Err(_) => vec![read::<Fault>(&body)?],
    };
    let count = faults.len();
    faults
        .into_iter()
        .try_for_each(|fault| simulator.add_fault(fault))?;
    Ok(Json(json!({"added": count})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    #[serde(default)]
    workspace: Option<String>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    actor: Option<Actor>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    team: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    secret: Option<String>,
    #[serde(default)]
    resource_types: Option<Vec<String>>,
    #[serde(default)]
    seed: Option<String>,
    #[serde(default)]
    redirect_uris: Option<Vec<String>>,
}

fn need<'a>(value: &'a Option<String>, name: &str) -> Result<&'a str, ControlError> {
    value
        .as_deref()
        .ok_or_else(|| ControlError::Invalid(format!("{name} is needed")))
}

async fn act(
    State(simulator): State<Simulator>,
    axum::extract::Path(action): axum::extract::Path<String>,
    body: Bytes,
) -> Answer {
    let answer = match action.as_str() {
        "apps" => json!(simulator.add_app(read(&body)?)?),
        "workspaces" => json!({"id": simulator.add_workspace(read(&body)?)?}),
        "users" => put_user(&simulator, &body)?,
        "rename" => done(simulator.rename_workspace(read(&body)?)?),
        "clock" => {
            let now_ms = simulator.move_clock(read(&body)?);
            json!({"now_ms": now_ms, "manual": simulator.clock_is_manual()})
        }
        "settings" => json!(simulator.merge_settings(&read(&body)?)?),
        "approve" => match simulator.approve(&read(&body)?)? {
            Some(location) => json!({"location": location}),
            None => json!({"location": null, "outcome": "needs_admin"}),
        },
        "revoke_token" => json!({"revoked": simulator.revoke_token(&read(&body)?)?}),
        "uninstall" => json!({"uninstalled": simulator.uninstall_app(&read(&body)?)?}),
        "permissions" => done(simulator.change_permissions(read(&body)?)?),
        "events" => json!({"deliveries": simulator.send_event(&read(&body)?)?}),
        other => place(&simulator, other, &read(&body)?)?,
    };
    Ok(Json(answer))
}

fn done((): ()) -> Value {
    json!({"done": true})
}

fn put_user(simulator: &Simulator, body: &[u8]) -> Result<Value, ControlError> {
    let person: super::asked::NewPerson = read(body)?;
    let workspace = need(&person.workspace, "workspace")?.to_owned();
    Ok(json!({"id": simulator.put_user(&workspace, person)?}))
}

/// The calls whose bodies are a few plain words.
fn place(simulator: &Simulator, action: &str, asked: &Place) -> Result<Value, ControlError> {
    let user = asked.user.as_deref();
    Ok(match action {
        "expire" => json!({"expired": simulator.expire(asked.workspace.as_deref())?}),
        "seed" => {
            simulator.set_seed(need(&asked.seed, "seed")?);
            done(())
        }
        "redirect_uris" => {
            simulator.set_redirect_uris(asked.redirect_uris.clone().unwrap_or_default());
            done(())
        }
        "revoke_grant" => {
            json!({"ended": simulator.revoke_grant(need(&asked.workspace, "workspace")?, user)?})
        }
        "legacy_token" => {
            let scope = asked.scope.as_deref().unwrap_or("read,write");
            let workspace = need(&asked.workspace, "workspace")?;
            let token =
                simulator.mint_legacy(workspace, asked.actor.unwrap_or(Actor::App), scope)?;
            json!({"access_token": token})
        }
        "grants" => json!(simulator.mint_grant(
            need(&asked.workspace, "workspace")?,
            asked.scope.as_deref().unwrap_or("read")
        )?),
        "api_key" => {
            json!({"api_key": simulator.mint_api_key(need(&asked.workspace, "workspace")?, user)?})
        }
        "webhooks" => {
            let (workspace, url) = (
                need(&asked.workspace, "workspace")?,
                need(&asked.url, "url")?,
            );
            let types = asked.resource_types.clone();
            let (id, secret) =
                simulator.add_webhook(workspace, url, asked.secret.clone(), types)?;
            json!({"id": id, "secret": secret})
        }
        "issues" => {
            let title = asked.title.as_deref().unwrap_or("A test issue");
            let workspace = need(&asked.workspace, "workspace")?;
            let (id, identifier) =
                simulator.create_issue(workspace, title, asked.team.as_deref(), user)?;
            json!({"id": id, "identifier": identifier})
        }
        _ => return Err(ControlError::Unknown("control call")),
    })
}

async fn act_on(
    State(simulator): State<Simulator>,
    axum::extract::Path((action, detail)): axum::extract::Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let asked: Place = read(&body)?;
    let id = need(&asked.id, "id")?;
    match (action.as_str(), detail.as_str()) {
        ("webhooks", "enable") => simulator.enable_webhook(id)?,
        ("deliveries", "redeliver") => simulator.redeliver(id)?,
        ("issues", "update") => {
            simulator.update_issue(
                need(&asked.workspace, "workspace")?,
                id,
                need(&asked.title, "title")?,
            )?;
        }
        ("issues", "remove") => simulator.remove_issue(need(&asked.workspace, "workspace")?, id)?,
        _ => return Err(ControlError::Unknown("control call")),
    }
    Ok(Json(json!({"done": true})))
}
