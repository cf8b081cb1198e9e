//! A whole story against real processes, after which no secret is anywhere it does not belong.

use relink_engine::webhook::SigningKey;
use serde_json::{Value, json};

use crate::fleet::now_ms;
use crate::process::{Place, Running, all_bytes, client, free_port};
use crate::walk::walk;

const PASSWORD: &str = "correct horse battery";

async fn page(client: &reqwest::Client, relink: &Running, path: &str) -> String {
    client
        .get(format!("{}{path}", relink.url))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}

#[tokio::test]
async fn no_secret_is_in_any_log_line_page_or_file() {
    let port = free_port();
    let redirect_uri = format!("http://127.0.0.1:{port}/oauth/linear/callback");
    let linear_place = Place::new();
    let linear = Running::simulate(&linear_place, &redirect_uri).await;
    let client = client();
    let app: Value = client
        .get(format!("{}/control/state", linear.url))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let app = &app["app"];
    let place = Place::new()
        .set("RELINK_URL", &format!("http://127.0.0.1:{port}"))
        .set("LINEAR_URL", &linear.url)
        .set("LINEAR_API_URL", &linear.url)
        .set("LINEAR_CLIENT_ID", app["client_id"].as_str().unwrap())
        .set(
            "LINEAR_CLIENT_SECRET",
            app["client_secret"].as_str().unwrap(),
        )
        .set(
            "LINEAR_WEBHOOK_SECRET",
            app["webhook_secret"].as_str().unwrap(),
        )
        .set("RELINK_LOG", "trace,hyper=info,sqlx=trace");
    let relink = Running::serve_on(&place, port).await;

    let fields = [
        ("organisation", "North"),
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("password", PASSWORD),
    ];
    let signed_up = client
        .post(format!("{}/signup", relink.url))
        .form(&fields)
        .send()
        .await
        .unwrap();
    let cookie = signed_up.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .split(['=', ';'])
        .nth(1)
        .unwrap()
        .to_owned();
    let mut pages = String::new();
    // An app of one's own, and one that is refused.
    let (app_secret, app_webhook_secret) = (
        "ClientSecretOfAnOwnApp42",
        "lin_wh_WebhookSecretOfAnOwnApp42",
    );
    for name in ["Acme internal", ""] {
        let secrets = [
            ("client_secret", app_secret),
            ("webhook_secret", app_webhook_secret),
        ];
        let fields = [[("name", name), ("client_id", "0123456789abcdef")], secrets].concat();
        client
            .post(format!("{}/settings/apps", relink.url))
            .form(&fields)
            .send()
            .await
            .unwrap();
        pages += &page(&client, &relink, "/settings").await;
    }
    assert!(
        pages.contains("Acme internal is added.")
            && pages.contains("Enter a name of 1 to 100 characters.")
    );
    for workspace in ["acme-robotics", "globex"] {
        assert_eq!(
            walk(&client, &relink.url, &linear.url, workspace, &[]).await,
            "/integrations"
        );
    }
    pages += &page(&client, &relink, "/integrations").await;
    let id = pages
        .split("/integrations/")
        .nth(1)
        .unwrap()
        .split(['"', '#'])
        .next()
        .unwrap()
        .to_owned();
    // A program takes tokens, one of them by force, one through a lost answer, and calls Linear
    // with them.
    let key = place.json(&["key", "new", "--org", "north", "--name", "ci"], "")["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let api = format!("{}/api/v1/connections/{id}", relink.url);
    let ask = async |asked: Value| {
        let reply = client
            .post(format!("{api}/token"))
            .bearer_auth(&key)
            .json(&asked)
            .send()
            .await
            .unwrap();
        reply.json::<Value>().await.unwrap()
    };
    let first = ask(json!({})).await;
    let lost = json!({ "endpoint": "token", "kind": "drop_reply" });
    client
        .post(format!("{}/control/faults", linear.url))
        .json(&lost)
        .send()
        .await
        .unwrap();
    let second = ask(json!({ "rejected": first["fingerprint"] })).await;
    assert!(
        second["access_token"] != first["access_token"] && second["access_token"].is_string(),
        "{second}"
    );
    let query = json!({ "query": "{ viewer { id } }" });
    let answer = client
        .post(format!("{api}/graphql"))
        .bearer_auth(&key)
        .json(&query)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    // A webhook comes, signed with the workspace's own secret, and one that is signed with no
    // secret known here.
    let signing = "lin_wh_TheWorkspacesOwnSecret42";
    place.json(
        &[
            "webhook",
            "secret",
            "add",
            "--org",
            "north",
            "--workspace",
            "acme-robotics",
            "--json",
        ],
        signing,
    );
    let listed = place.json(&["connection", "list", "--org", "north", "--json"], "");
    let acme = listed["connections"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["workspace"]["url_key"] == "acme-robotics")
        .unwrap();
    let body = json!({ "type": "Issue", "action": "create",
        "organizationId": acme["workspace"]["id"], "webhookTimestamp": now_ms() });
    for (secret, status) in [(signing, 200), ("lin_wh_SomebodyElsesSecret99", 401)] {
        let signature = String::from_utf8(
            SigningKey::new(&secret.into())
                .unwrap()
                .sign(body.to_string().as_bytes())
                .to_vec(),
        )
        .unwrap();
        let sent = client
            .post(format!("{}/webhooks/linear", relink.url))
            .header("linear-signature", signature)
            .body(body.to_string());
        assert_eq!(sent.send().await.unwrap().status(), status);
    }
    pages += &page(&client, &relink, "/deliveries").await;
    pages += &relink.metrics().await;
    pages += &page(&client, &relink, &format!("/integrations/{id}")).await;
    client
        .post(format!("{}/control/uninstall", linear.url))
        .json(&json!({ "workspace": "acme-robotics" }))
        .send()
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    let broken = page(&client, &relink, "/integrations").await;
    assert!(broken.contains("Reconnect required"));
    pages += &broken;
    pages += &page(&client, &relink, &format!("/integrations/{id}")).await;
    pages += &page(&client, &relink, "/settings").await;
    client
        .post(format!("{}/integrations/disconnect", relink.url))
        .form(&[("connection", &id)])
        .send()
        .await
        .unwrap();
    pages += &page(&client, &relink, "/integrations").await;

    let minted: Value = client
        .get(format!("{}/control/tokens", linear.url))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let mut secrets: Vec<String> = minted["minted"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["value"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        secrets
            .iter()
            .filter(|secret| secret.starts_with("lin_oauth_"))
            .count()
            >= 2
            && secrets.len() >= 8,
        "{minted}"
    );
    secrets.extend([
        PASSWORD.to_owned(),
        cookie,
        key,
        app["client_secret"].as_str().unwrap().to_owned(),
        app["webhook_secret"].as_str().unwrap().to_owned(),
        signing.to_owned(),
        app_secret.to_owned(),
        app_webhook_secret.to_owned(),
    ]);
    let log = relink.said();
    assert!(log.lines().count() > 20, "the log is there to be searched");
    let files = all_bytes(place.path());
    for secret in &secrets {
        assert!(
            !log.contains(secret),
            "a log line holds {secret}: {}",
            log.lines().find(|line| line.contains(secret)).unwrap()
        );
        assert!(!pages.contains(secret), "a page holds {secret}");
        assert!(
            !files
                .windows(secret.len())
                .any(|window| window == secret.as_bytes()),
            "a file holds {secret}"
        );
    }
}
