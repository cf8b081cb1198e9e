use serde_json::json;

use crate::setup::{Answer, Linear, START_MS};

async fn get(linear: &Linear, path: &str) -> Answer {
    let response = linear
        .http
        .get(format!("{}{path}", linear.base))
        .send()
        .await;
    Answer::of(response.expect("an answer")).await
}

#[tokio::test]
async fn a_connection_can_be_made_through_the_control_api_alone() {
    let linear = Linear::start().await;
    let asked = json!({"authorize_url": linear.authorize_url(&[]), "workspace": "initech"});
    let location = linear.control("approve", asked).await.body["location"]
        .as_str()
        .expect("a URL")
        .to_owned();
    let code = crate::setup::param(&location, "code").expect("a code");
    assert_eq!(linear.exchange(&code).await.status, 200);
    assert!(linear.is_installed("initech"));
}

#[tokio::test]
async fn cancelling_and_needing_an_administrator_can_be_played() {
    let linear = Linear::start().await;
    let url = linear.authorize_url(&[]);
    let asked = json!({"authorize_url": url, "workspace": "initech", "decision": "cancel"});
    let location = linear.control("approve", asked).await.body["location"].clone();
    assert!(
        location
            .as_str()
            .expect("a URL")
            .contains("error=access_denied")
    );
    let asked =
        json!({"authorize_url": url, "workspace": "initech", "user": "oona@initech.example"});
    let answer = linear.control("approve", asked).await;
    assert_eq!(
        answer.body,
        json!({"location": null, "outcome": "needs_admin"})
    );
}

#[tokio::test]
async fn a_request_the_authorize_page_refuses_cannot_be_approved() {
    let linear = Linear::start().await;
    let url = linear.authorize_url(&[("scope", "offline_access")]);
    let answer = linear
        .control(
            "approve",
            json!({"authorize_url": url, "workspace": "initech"}),
        )
        .await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_workspace_added_by_a_test_can_be_connected() {
    let linear = Linear::start().await;
    let new = json!({
        "name": "Big", "url_key": "big", "teams": [{"key": "T", "name": "Team"}],
        "users": [{"name": "Root", "role": "owner"}], "projects": [{"name": "One"}],
    });
    assert_eq!(linear.control("workspaces", new.clone()).await.status, 200);
    assert_eq!(linear.control("workspaces", new).await.status, 400);
    let added = linear
        .control("users", json!({"workspace": "big", "name": "New Person"}))
        .await;
    assert!(added.body["id"].is_string());
    let tokens = linear.connect("big").await;
    let answer = linear
        .graphql(
            &tokens.access,
            "{ projects { nodes { name teams(first: 1) { nodes { name } } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        answer.body["data"]["projects"]["nodes"][0]["teams"]["nodes"][0]["name"],
        "Team"
    );
}

#[tokio::test]
async fn a_renamed_workspace_keeps_its_id_and_remembers_its_key() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    linear
        .control(
            "rename",
            json!({"workspace": "globex", "url_key": "globex-two"}),
        )
        .await;
    let query = "{ organization { urlKey previousUrlKeys } }";
    let answer = linear.graphql(&tokens.access, query, json!({})).await;
    assert_eq!(
        answer.body["data"]["organization"],
        json!({"urlKey": "globex-two", "previousUrlKeys": ["globex"]})
    );
}

#[tokio::test]
async fn the_clock_stands_still_until_it_is_moved() {
    let linear = Linear::start().await;
    let moved = linear.control("clock", json!({"advance_s": 5})).await;
    assert_eq!(
        moved.body,
        json!({"now_ms": START_MS + 5_000, "manual": true})
    );
    let reply = linear
        .http
        .get(format!("{}/graphql", linear.base))
        .send()
        .await
        .unwrap();
    assert_eq!(
        reply.headers()["date"],
        "Sat, 21 Nov 2026 10:30:05 GMT",
        "what it answers is dated by it"
    );
}

#[tokio::test]
async fn expiring_ends_access_and_leaves_refresh() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    assert_eq!(
        linear
            .control("expire", json!({"workspace": "globex"}))
            .await
            .body,
        json!({"expired": 1})
    );
    assert!(!linear.works(&tokens.access).await);
    assert_eq!(linear.refresh(&tokens.refresh).await.status, 200);
}

#[tokio::test]
async fn every_secret_handed_out_is_listed() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let minted = get(&linear, "/control/tokens").await.body.to_string();
    for secret in [
        &tokens.access,
        &tokens.refresh,
        &linear.simulator.app().client_secret,
    ] {
        assert!(minted.contains(secret.as_str()));
    }
}

#[tokio::test]
async fn counts_begin_anew_when_deleted() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    linear.refresh(&tokens.refresh).await;
    let counts = get(&linear, "/control/counts").await.body;
    assert_eq!(
        counts["endpoints"]["token"],
        json!({"received": 2, "exchanged": 1, "rotated": 1})
    );
    assert_eq!(counts["grants"][0]["counts"]["rotations"], 1);
    linear
        .http
        .delete(format!("{}/control/counts", linear.base))
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        get(&linear, "/control/counts").await.body["endpoints"],
        json!({})
    );
}

#[tokio::test]
async fn the_same_seed_gives_the_same_tokens() {
    let (one, two) = (Linear::start().await, Linear::start().await);
    for linear in [&one, &two] {
        linear.control("seed", json!({"seed": "7"})).await;
    }
    assert_eq!(one.connect("globex").await, two.connect("globex").await);
}

#[tokio::test]
async fn misspelt_switches_faults_and_fields_are_refused() {
    let linear = Linear::start().await;
    assert_eq!(
        linear
            .control("settings", json!({"acces_token_life_s": 1}))
            .await
            .status,
        400
    );
    assert_eq!(
        linear
            .control("faults", json!({"endpoint": "token", "kind": "explode"}))
            .await
            .status,
        400
    );
    assert_eq!(
        linear
            .control("expire", json!({"workspac": "globex"}))
            .await
            .status,
        400
    );
    assert_eq!(
        linear
            .control("uninstall", json!({"workspace": "nowhere"}))
            .await
            .status,
        404
    );
    assert_eq!(linear.control("explode", json!({})).await.status, 404);
}

#[tokio::test]
async fn the_page_for_people_shows_no_whole_token() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let page = get(&linear, "/")
        .await
        .body
        .as_str()
        .expect("HTML")
        .to_owned();
    assert!(page.contains("Globex") && page.contains("Uninstall"));
    assert!(page.contains(&format!("…{}", &tokens.access[tokens.access.len() - 4..])));
    for secret in [
        &tokens.access,
        &tokens.refresh,
        &linear.simulator.app().client_secret,
    ] {
        assert!(!page.contains(secret.as_str()));
    }
}

#[tokio::test]
async fn the_page_s_buttons_do_what_they_say() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let press = async |action: &str, fields: &[(&str, &str)]| {
        let sent = linear
            .http
            .post(format!("{}/do/{action}", linear.base))
            .form(fields)
            .send()
            .await;
        sent.expect("an answer").status().as_u16()
    };
    assert_eq!(press("clock", &[("hours", "24")]).await, 303);
    assert!(!linear.works(&tokens.access).await);
    assert_eq!(press("uninstall", &[("workspace", "globex")]).await, 303);
    assert!(!linear.is_installed("globex"));
    assert_eq!(
        press("workspace", &[("name", "New"), ("url_key", "new")]).await,
        303
    );
    assert_eq!(press("nothing", &[]).await, 400);
}

#[tokio::test]
async fn other_sites_and_other_host_names_control_nothing() {
    let linear = Linear::start().await;
    let own = linear.base.clone();
    let port = own.rsplit(':').next().expect("a port").to_owned();
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let mut request = if path == "/" {
            linear.http.get(&own)
        } else {
            linear.http.post(format!("{own}{path}"))
        };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer").status().as_u16()
    };
    let hosts = [
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
        format!("linear.localhost:{port}"),
    ];
    for host in hosts.iter().map(String::as_str) {
        assert_eq!(
            ask("/control/expire", &[("host", host)]).await,
            200,
            "{host}"
        );
        assert_eq!(ask("/", &[("host", host)]).await, 200, "{host}");
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "[fd00::1]",
    ] {
        for path in ["/control/expire", "/do/expire", "/"] {
            assert_eq!(ask(path, &[("host", host)]).await, 403, "{host}");
        }
    }
    for foreign in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "http://localhost:3000"),
        ("origin", "null"),
    ] {
        for path in ["/control/expire", "/control/approve", "/do/clear_faults"] {
            assert_eq!(ask(path, &[foreign]).await, 403, "{path} {foreign:?}");
        }
        assert_eq!(ask("/", &[foreign]).await, 200, "a link to the page");
    }
    assert_eq!(
        ask(
            "/control/expire",
            &[("sec-fetch-site", "same-origin"), ("origin", "null")]
        )
        .await,
        200
    );
    assert_eq!(
        ask("/control/expire", &[("origin", own.as_str())]).await,
        200
    );
    let read = linear
        .http
        .get(format!("{own}/control/tokens"))
        .header("sec-fetch-site", "cross-site");
    assert_eq!(read.send().await.expect("an answer").status(), 403);
    // What Linear itself is asked by other programs is asked by whatever name.
    let metadata = linear
        .http
        .get(format!("{own}/.well-known/oauth-authorization-server"))
        .header("host", "linear.example");
    assert_eq!(metadata.send().await.expect("an answer").status(), 200);
}
