//! Linear contradicts itself about grants that live.

use std::time::{Duration, Instant};

use relink_engine::webhook::SigningKey;
use relink_simulator::{Endpoint, Fault, Kind};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::process::client;
use crate::site::Site;
use crate::walk::walk;

/// Every request of the kind goes wrong, until the faults are cleared.
fn from_now_on(site: &Site, endpoint: Endpoint, kind: Kind) {
    let fault = json!({ "endpoint": endpoint, "kind": kind, "count": 1_000_000 });
    site.linear
        .add_fault(serde_json::from_value::<Fault>(fault).unwrap())
        .unwrap();
}

fn connections(site: &Site) -> Vec<Value> {
    let list = site
        .place
        .json(&["connection", "list", "--org", "north", "--json"], "");
    list["connections"].as_array().unwrap().clone()
}

/// An event of a workspace, as Linear would send it now. Answers what it was told.
async fn deliver(site: &Site, workspace: &str, number: i64) -> String {
    let now = site.linear.state()["now_ms"].as_i64().unwrap_or_default();
    let body = json!({ "action": "create", "type": "Issue", "organizationId": workspace,
        "webhookTimestamp": now + number })
    .to_string();
    let key = SigningKey::new(&site.linear.app().webhook_secret.into()).unwrap();
    let signature = String::from_utf8(key.sign(body.as_bytes()).to_vec()).unwrap();
    let post = client()
        .post(format!("{}/webhooks/linear", site.relink.url))
        .header("linear-signature", signature)
        .body(body);
    let answer: Value = post.send().await.unwrap().json().await.unwrap();
    answer["status"].as_str().unwrap_or_default().to_owned()
}

/// Counts the grants that are alive in Linear and belong to no connection here.
fn living_grants(site: &Site) -> usize {
    site.linear.state()["grants"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|grant| grant["ended"] == false)
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_between_the_pair_and_its_identity_gives_it_back_when_it_is_back() {
    let mut site = Site::open().await;
    from_now_on(&site, Endpoint::Graphql, Kind::Hang);
    let browser = site.browser.clone();
    let (relink, linear) = (site.relink.url.clone(), site.linear_url.clone());
    tokio::spawn(async move { walk(&browser, &relink, &linear, "acme-robotics", &[]).await });
    while site.linear.count("graphql", "received") == 0 {
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(living_grants(&site), 1);
    site.linear.clear_faults();
    site.crash().await;
    let began = Instant::now();
    while living_grants(&site) > 0 {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{}",
            site.relink.said()
        );
        sleep(Duration::from_millis(100)).await;
    }
    site.connect("acme-robotics").await;
    assert_eq!(living_grants(&site), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_that_knows_nobody_for_some_seconds_breaks_nothing_for_good_and_loses_no_webhook() {
    let site = Site::open().await;
    for workspace in ["acme-robotics", "globex"] {
        site.connect(workspace).await;
    }
    let key = site.place.json(
        &["key", "new", "--org", "north", "--name", "ci", "--json"],
        "",
    )["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let ids: Vec<String> = connections(&site)
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    let workspace = connections(&site)[0]["workspace"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let call = async |id: &str| {
        let url = format!("{}/api/v1/connections/{id}/graphql", site.relink.url);
        client()
            .post(url)
            .bearer_auth(&key)
            .json(&json!({ "query": "{ viewer { id } }" }))
            .send()
            .await
            .unwrap()
    };
    from_now_on(&site, Endpoint::Graphql, Kind::AuthError);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(2_500) {
        for id in &ids {
            let answer = call(id).await;
            assert!([409, 503].contains(&answer.status().as_u16()), "{answer:?}");
        }
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        deliver(&site, &workspace, 1).await,
        "accepted",
        "nobody said that the app was removed"
    );
    site.linear.clear_faults();
    let rotations: u64 = ["acme-robotics", "globex"]
        .iter()
        .map(|workspace| site.linear.grant_counts(workspace).rotations)
        .sum();
    assert!(rotations <= 8, "{rotations} rotations");
    let began = Instant::now();
    while connections(&site)
        .iter()
        .any(|one| one["state"] != "connected")
    {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{:?}",
            connections(&site)
        );
        sleep(Duration::from_millis(500)).await;
    }
    for id in &ids {
        assert_eq!(call(id).await.status(), 200, "it passed by itself");
    }
    assert_eq!(deliver(&site, &workspace, 2).await, "accepted");
}
