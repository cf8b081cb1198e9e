//! The walk of a person through Linear's consent page.

use serde_json::{Value, json};

/// Presses Connect or Reconnect and approves; answers where the browser ends up.
pub async fn walk(
    client: &reqwest::Client,
    relink: &str,
    linear: &str,
    workspace: &str,
    fields: &[(&str, &str)],
) -> String {
    let start = client
        .post(format!("{relink}/oauth/linear/start"))
        .form(fields)
        .send()
        .await
        .unwrap();
    assert_eq!(start.status(), 303);
    let authorize_url = start.headers()["location"].to_str().unwrap().to_owned();
    let callback = approve(client, linear, &authorize_url, workspace).await;
    let reply = client.get(callback).send().await.unwrap();
    reply.headers()["location"].to_str().unwrap().to_owned()
}

/// Plays the person on the consent page; answers the address of the callback that Linear sends the
/// browser to.
pub async fn approve(
    client: &reqwest::Client,
    linear: &str,
    authorize_url: &str,
    workspace: &str,
) -> String {
    let asked = json!({ "authorize_url": authorize_url, "workspace": workspace });
    let reply = client
        .post(format!("{linear}/control/approve"))
        .json(&asked)
        .send()
        .await
        .unwrap();
    let decided: Value = reply.json().await.unwrap();
    decided["location"].as_str().unwrap().to_owned()
}
