//! Servers that are killed while Linear delivers: what was acknowledged is there, exactly once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use relink_engine::webhook::SigningKey;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::fleet::{DAY_S, Fleet, back_up, empty_database, now_ms, run};
use crate::process::client;

const SENDERS: u32 = 16;
const KILLS: usize = 4;

/// The addresses at which senders find the servers, some of which are gone.
type Doors = Arc<std::sync::RwLock<Vec<Option<String>>>>;

fn body(workspace: &str, number: u32) -> String {
    json!({
        "action": "create", "type": "Issue", "organizationId": workspace,
        "webhookTimestamp": now_ms(), "createdAt": "2026-11-19T14:02:11.000Z",
        "data": { "id": format!("i{number}"), "identifier": format!("ENG-{number}"),
            "description": "x".repeat(1_500) },
    })
    .to_string()
}

/// Sends as Linear does, and again what was not acknowledged, until it is told to stop. Answers
/// what was acknowledged.
async fn sender(
    doors: Doors,
    workspace: String,
    key: SigningKey,
    next: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
) -> Vec<String> {
    let client = client();
    let mut acknowledged = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let body = body(&workspace, next.fetch_add(1, Ordering::Relaxed));
        let signature = String::from_utf8(key.sign(body.as_bytes()).to_vec()).unwrap();
        for tries in 0.. {
            let open: Vec<String> = doors.read().unwrap().iter().flatten().cloned().collect();
            let Some(door) = open.get(tries % open.len().max(1)) else {
                sleep(Duration::from_millis(20)).await;
                continue;
            };
            let request = client
                .post(format!("{door}/webhooks/linear"))
                .header("linear-signature", &signature)
                .body(body.clone());
            match request.send().await {
                Ok(reply) if reply.status() == 200 => {
                    let told: Value = reply.json().await.unwrap_or_default();
                    assert!(
                        told["status"] == "accepted"
                            || told["status"] == "duplicate"
                            || told.is_null(),
                        "{told}"
                    );
                    acknowledged.push(body);
                    break;
                }
                Ok(reply) => assert_eq!(reply.status(), 503),
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    }
    acknowledged
}

async fn stored(fleet: &Fleet) -> Vec<String> {
    let (mut bodies, mut after) = (Vec::new(), String::new());
    loop {
        let url = format!("{}/api/v1/deliveries?limit=500{after}", fleet.url(0));
        let page: Value = client()
            .get(url)
            .bearer_auth(&fleet.key)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let part = page["deliveries"].as_array().unwrap();
        if part.is_empty() {
            return bodies;
        }
        bodies.extend(
            part.iter()
                .map(|one| one["body"].as_str().unwrap().to_owned()),
        );
        after = format!("&after={}", page["next"].as_str().unwrap());
    }
}

async fn killed_under_load(mut fleet: Fleet, servers: usize) {
    let workspace = fleet.connect(1, DAY_S).await.remove(0);
    let key = SigningKey::new(&fleet.linear.app().webhook_secret.into()).unwrap();
    fleet.start(servers).await;
    let doors: Doors = Arc::new(std::sync::RwLock::new(
        (0..servers)
            .map(|server| Some(fleet.url(server).to_owned()))
            .collect(),
    ));
    let (next, stop) = (
        Arc::new(AtomicU32::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        senders.spawn(sender(
            doors.clone(),
            workspace.clone(),
            key.clone(),
            next.clone(),
            stop.clone(),
        ));
    }
    for kill in 0..KILLS {
        sleep(Duration::from_millis(500)).await;
        let server = kill % servers;
        fleet.kill(server);
        doors.write().unwrap()[server] = None;
        fleet.restart(server).await;
        doors.write().unwrap()[server] = Some(fleet.url(server).to_owned());
    }
    sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    let acknowledged: Vec<String> = senders.join_all().await.concat();
    let stored = stored(&fleet).await;
    let different: BTreeSet<&String> = stored.iter().collect();
    assert_eq!(different.len(), stored.len(), "none is there twice");
    let lost = acknowledged
        .iter()
        .filter(|body| !different.contains(body))
        .count();
    assert!(
        lost == 0 && acknowledged.len() > 200,
        "lost {lost} of {}",
        acknowledged.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_sqlite_killed_under_load_has_what_it_acknowledged_once() {
    killed_under_load(Fleet::on_sqlite().await, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_on_postgres_killed_under_load_have_what_they_acknowledged_once() {
    if let Some(fleet) = Fleet::on_postgres().await {
        killed_under_load(fleet, 3).await;
    }
}

/// Has Linear deliver this many, all of which are acknowledged.
async fn deliver(fleet: &Fleet, workspace: &str, numbers: std::ops::Range<u32>) {
    let key = SigningKey::new(&fleet.linear.app().webhook_secret.into()).unwrap();
    for number in numbers {
        let body = body(workspace, number);
        let signature = String::from_utf8(key.sign(body.as_bytes()).to_vec()).unwrap();
        let request = client()
            .post(format!("{}/webhooks/linear", fleet.url(0)))
            .header("linear-signature", signature)
            .body(body);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}

async fn read(fleet: &Fleet, query: &str) -> (u16, Value) {
    let url = format!("{}/api/v1/deliveries?limit=500{query}", fleet.url(0));
    let reply = client()
        .get(url)
        .bearer_auth(&fleet.key)
        .send()
        .await
        .unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_on_after_an_older_copy_came_back_misses_nothing_in_silence() {
    let mut fleet = Fleet::on_sqlite().await;
    let workspace = fleet.connect(1, DAY_S).await.remove(0);
    fleet.start(1).await;
    deliver(&fleet, &workspace, 0..5).await;
    let copied = read(&fleet, "").await.1["next"]
        .as_str()
        .unwrap()
        .to_owned();
    let (data, copy) = (
        fleet.place.path().join("data"),
        fleet.place.path().join("copy"),
    );
    fleet.kill(0);
    let copy_dir = |from: &std::path::Path, to: &std::path::Path| {
        let _ = std::fs::remove_dir_all(to);
        assert!(
            std::process::Command::new("cp")
                .arg("-a")
                .args([from, to])
                .status()
                .unwrap()
                .success()
        );
    };
    copy_dir(&data, &copy);
    fleet.restart(0).await;
    deliver(&fleet, &workspace, 5..95).await;
    let end = read(&fleet, "").await.1["next"]
        .as_str()
        .unwrap()
        .to_owned();
    fleet.kill(0);
    copy_dir(&copy, &data);
    fleet.restart(0).await;
    deliver(&fleet, &workspace, 100..190).await;
    let (status, problem) = read(&fleet, &format!("&after={end}")).await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (410, Some("cursor_expired")),
        "{problem}"
    );
    let (status, page) = read(&fleet, &format!("&after={copied}")).await;
    assert_eq!(
        (status, page["deliveries"].as_array().unwrap().len()),
        (200, 90),
        "who had not read on goes on"
    );
}

/// A copy is made and put back while the servers run and are never restarted.
async fn put_back_under_servers(fleet: Fleet, copy: impl FnOnce(), put_back: impl FnOnce()) {
    let workspace = fleet.connect(1, DAY_S).await.remove(0);
    deliver(&fleet, &workspace, 0..5).await;
    copy();
    let copied = read(&fleet, "").await.1["next"]
        .as_str()
        .unwrap()
        .to_owned();
    deliver(&fleet, &workspace, 5..95).await;
    let end = read(&fleet, "").await.1["next"]
        .as_str()
        .unwrap()
        .to_owned();
    put_back();
    let (status, problem) = read(&fleet, &format!("&after={end}")).await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (410, Some("cursor_expired")),
        "at once"
    );
    // The last server gave nothing out since the copy was made.
    let last = fleet.servers.len() - 1;
    for number in 100..290 {
        let server = if number < 195 { last } else { 0 };
        assert_eq!(
            fleet.deliver(server, &workspace, &number.to_string()).await,
            Some(200)
        );
    }
    let (status, problem) = read(&fleet, &format!("&after={end}")).await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (410, Some("cursor_expired"))
    );
    let (status, page) = read(&fleet, &format!("&after={copied}")).await;
    assert_eq!(
        (status, page["deliveries"].as_array().unwrap().len()),
        (200, 190),
        "who had not read on goes on"
    );
    assert!(
        fleet.token(last, &workspace).await.token().is_some(),
        "and all else goes on, too"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_written_over_the_open_file_is_missed_in_silence_by_nobody() {
    let mut fleet = Fleet::on_sqlite().await;
    fleet.start(1).await;
    let file = fleet.place.path().join("data/relink.db");
    let aside = fleet.place.path().join("copy.db");
    put_back_under_servers(fleet, || back_up(&file, &aside), || back_up(&aside, &file)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_dump_restored_under_replicas_is_missed_in_silence_by_nobody() {
    let Some(database) = empty_database().await else {
        return;
    };
    let mut fleet = Fleet::on(Some(database.clone())).await;
    fleet.start(2).await;
    let dump = fleet.place.path().join("dump").display().to_string();
    let (copy, put_back) = (
        || run("pg_dump", &["--format=custom", "--file", &dump, &database]),
        || {
            run(
                "pg_restore",
                &[
                    "--clean",
                    "--if-exists",
                    "--single-transaction",
                    "--dbname",
                    &database,
                    &dump,
                ],
            )
        },
    );
    put_back_under_servers(fleet, copy, put_back).await;
}
