//! Webhooks, as Linear sends them.

use axum::body::Body;
use axum::http::{Method, Request};
use relink_engine::Acting;
use relink_engine::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use relink_engine::webhook::SigningKey;
use serde_json::json;

use crate::world::{Answer, Browser, Program, START, World};

pub const SECRET: &str = "lin_wh_AcmesOwnSecret0123";
pub const OTHER: &str = "lin_wh_GlobexsOwnSecret99";

pub fn sign(secret: &str, body: &[u8]) -> String {
    String::from_utf8(SigningKey::new(&secret.into()).unwrap().sign(body).to_vec()).unwrap()
}

impl World {
    pub fn app_secret(&self) -> String {
        self.linear.app().webhook_secret
    }

    pub async fn workspace_id(&self, id: &str) -> String {
        let connections = self
            .program()
            .await
            .call(Method::GET, "/api/v1/connections", "")
            .await
            .body;
        let found = connections["connections"]
            .as_array()
            .unwrap()
            .iter()
            .find(|connection| connection["id"] == id);
        found.unwrap()["workspace"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Delivers a webhook as Linear would.
    pub async fn deliver(&self, secret: &str, body: &str) -> Answer {
        self.send(signed(
            secret,
            body,
            Some("d4c1f0a2-0000-4000-8000-000000000001"),
        ))
        .await
    }

    /// Waits until it is settled when each secret of the connection retires, but for the current
    /// one: nobody waits for that.
    pub async fn until_settled(&self, id: &str) {
        let organisation = self
            .store
            .organisation_by_slug("northwind-labs")
            .await
            .unwrap()
            .unwrap();
        for _ in 0..100 {
            let secrets = self
                .engine
                .webhook_secrets(Acting::command(&organisation.id))
                .list()
                .await
                .unwrap();
            if secrets
                .iter()
                .filter(|secret| secret.connection_id == id)
                .all(|secret| secret.retires_at.is_some() || !secret.replaced)
            {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the secret before never retires");
    }

    #[track_caller]
    pub fn told(answer: &Answer) -> (u16, &str) {
        (
            answer.status,
            answer.body["code"]
                .as_str()
                .or(answer.body["status"].as_str())
                .unwrap_or(""),
        )
    }
}

pub fn signed(secret: &str, body: &str, delivery: Option<&str>) -> Request<Body> {
    let mut request = post().header("linear-signature", sign(secret, body.as_bytes()));
    if let Some(delivery) = delivery {
        request = request
            .header("linear-delivery", delivery)
            .header("linear-event", "Issue");
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

pub fn post() -> axum::http::request::Builder {
    Request::builder()
        .method(Method::POST)
        .uri("/webhooks/linear")
        .header("content-type", "application/json; charset=utf-8")
}

/// Writes a time as Linear does.
fn happened(at: Millis) -> String {
    let (day, ms) = (at.div_euclid(DAY), at.rem_euclid(DAY));
    // From the day on which all tests begin.
    let first = START.div_euclid(DAY) - 18;
    let (hours, minutes, seconds) = (ms / HOUR, ms / MINUTE % 60, ms / SECOND % 60);
    let (month, date) = if day - first < 30 {
        (11, day - first + 1)
    } else {
        (12, day - first - 29)
    };
    format!(
        "2026-{month:02}-{date:02}T{hours:02}:{minutes:02}:{seconds:02}.{:03}Z",
        ms % SECOND
    )
}

pub fn issue(workspace: &str, number: u32, at: Millis) -> String {
    json!({
        "action": "update", "type": "Issue", "organizationId": workspace, "webhookTimestamp": at,
        "webhookId": "h1",
        "createdAt": happened(at),
        "actor": { "id": "u1", "name": "Mara Lindqvist", "type": "user" },
        "data": { "id": format!("i{number}"), "identifier": format!("ENG-{number}"),
            "title": "Retry uploads \u{0}after a 429 ✓" },
    })
    .to_string()
}

/// An owner, a program, Acme connected with a secret of its own.
pub async fn acme(world: &World) -> (Browser<'_>, Program<'_>, String, String) {
    let (browser, program, id) = world.connected().await;
    let workspace = world.workspace_id(&id).await;
    add_secret(world, &id, SECRET).await;
    (browser, program, id, workspace)
}

pub async fn add_secret(world: &World, id: &str, secret: &str) {
    let organisation = world
        .store
        .organisation_by_slug("northwind-labs")
        .await
        .unwrap()
        .unwrap();
    world
        .engine
        .webhook_secrets(Acting::command(&organisation.id))
        .add(id, secret)
        .await
        .unwrap();
}
