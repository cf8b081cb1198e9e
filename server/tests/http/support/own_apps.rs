//! An organisation's own app, added as an owner does.

use relink_simulator::{DemoApp, NewApp};

use crate::world::{Browser, Reply};

/// Fills in the form for a new app.
pub async fn add(
    browser: &mut Browser<'_>,
    name: &str,
    client_id: &str,
    client_secret: &str,
    webhook_secret: &str,
) -> Reply {
    let fields = [
        ("name", name),
        ("client_id", client_id),
        ("client_secret", client_secret),
        ("webhook_secret", webhook_secret),
    ];
    assert_eq!(
        browser.post("/settings/apps", &fields).await.location(),
        "/settings"
    );
    browser.get("/settings").await
}

/// The id of the only app, as the form for its secrets sends it.
pub async fn id(browser: &mut Browser<'_>) -> String {
    let page = browser.get("/settings").await;
    let form = page
        .body
        .split("action=\"/settings/apps/secrets\"")
        .nth(1)
        .expect("an app");
    form.split("name=\"app\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

/// An app at Linear, and here.
pub async fn own_app(browser: &mut Browser<'_>, new: NewApp) -> (DemoApp, String) {
    let app = browser.world.linear.add_app(new).unwrap();
    add(
        browser,
        "Acme internal",
        &app.client_id,
        &app.client_secret,
        &app.webhook_secret,
    )
    .await
    .shows("Acme internal is added.");
    let id = id(browser).await;
    (app, id)
}

pub fn private(workspace: &str) -> NewApp {
    NewApp {
        name: "Acme internal".to_owned(),
        private_to_workspace: Some(workspace.to_owned()),
        ..NewApp::default()
    }
}
