//! Helpers that several attacks share.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use crate::process::client;
use crate::site::Site;

/// Long for an answer, and short for anything that waits for attackers.
pub const SOON: Duration = Duration::from_secs(8);

pub fn resident_mb(site: &Site) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", site.relink.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1_024
}

pub fn key(site: &Site, name: &str) -> String {
    site.place.json(
        &["key", "new", "--org", "north", "--name", name, "--json"],
        "",
    )["key"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// A signed event of the workspace.
#[expect(
    clippy::disallowed_methods,
    reason = "as Linear would sign it now, for a process that knows no other time"
)]
pub fn genuine(secret: &str, workspace: &str, number: u32, title: &str) -> (String, String) {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let body = serde_json::json!({
        "action": "update", "type": "Issue", "organizationId": workspace, "webhookId": "w",
        "webhookTimestamp": now,
        "createdAt": format!("2026-11-28T10:00:00.{number:03}Z"),
        "data": { "id": format!("issue-{number}"), "title": title },
    })
    .to_string();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    (body, signature)
}

pub async fn deliver_from(
    address: &str,
    site: &Site,
    workspace: &str,
    number: u32,
    title: &str,
) -> u16 {
    let signed = genuine(&site.linear.app().webhook_secret, workspace, number, title);
    send_from(address, site, signed).await
}

pub async fn send_from(address: &str, site: &Site, (body, signature): (String, String)) -> u16 {
    let sent = client()
        .post(format!("{}/webhooks/linear", site.relink.url))
        .header("linear-signature", signature);
    timeout(
        SOON,
        sent.header("x-forwarded-for", address).body(body).send(),
    )
    .await
    .expect("an answer")
    .unwrap()
    .status()
    .as_u16()
}

pub async fn workspace(site: &Site) -> String {
    site.connect("acme-robotics").await;
    connection(site)["workspace"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The first connection of `north`.
pub fn connection(site: &Site) -> Value {
    site.place
        .json(&["connection", "list", "--org", "north", "--json"], "")["connections"][0]
        .clone()
}
