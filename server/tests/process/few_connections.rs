//! A role that may have few connections to PostgreSQL: the servers and every command find theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::fleet::{DAY_S, EMAIL, Fleet, PASSWORD, deliver, limited_database};
use crate::process::client;

/// The number of connections that the role may have.
const FEW: u32 = 5;
/// A command that finds no connection waits for a minute. A busy machine starts a process in
/// seconds.
const SECONDS: Duration = Duration::from_secs(20);

/// Work that never ends: webhooks, tokens and pages. Counts the webhooks that were taken, and those
/// that were not.
fn keep_busy(
    fleet: &Fleet,
    server: usize,
    workspace: &str,
    done: &Arc<AtomicBool>,
) -> (JoinSet<()>, Arc<[AtomicU32; 2]>) {
    let (mut busy, counts) = (
        JoinSet::new(),
        Arc::new([AtomicU32::new(0), AtomicU32::new(0)]),
    );
    for worker in 0..24 {
        let (url, secret, key) = (
            fleet.url(server).to_owned(),
            fleet.linear.app().webhook_secret,
            fleet.key.clone(),
        );
        let (workspace, done, counts) = (workspace.to_owned(), done.clone(), counts.clone());
        busy.spawn(async move {
            let client = client();
            for number in 0.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                let body =
                    crate::fleet::body(&workspace, &format!("busy-{server}-{worker}-{number}"));
                let taken = deliver(&client, &format!("{url}/webhooks/linear"), &secret, &body)
                    .await
                    == Some(200);
                counts[usize::from(!taken)].fetch_add(1, Ordering::Relaxed);
                let token = client
                    .post(format!("{url}/api/v1/connections/{workspace}/token"))
                    .bearer_auth(&key)
                    .json(&json!({}));
                let _ = token.send().await;
                if worker % 4 == 0 {
                    let fields = [("email", EMAIL), ("password", PASSWORD)];
                    let _ = client
                        .post(format!("{url}/signin"))
                        .form(&fields)
                        .send()
                        .await;
                    let _ = client.get(format!("{url}/deliveries")).send().await;
                }
            }
        });
    }
    (busy, counts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_finds_a_connection_beside_busy_servers() {
    for servers in [1, 2] {
        let Some(database) = limited_database(FEW).await else {
            return;
        };
        let mut fleet = Fleet::on(Some(database)).await;
        let workspace = fleet.connect(1, DAY_S).await.remove(0);
        fleet.start(servers).await;
        let done = Arc::new(AtomicBool::new(false));
        let busy: Vec<_> = (0..servers)
            .map(|server| keep_busy(&fleet, server, &workspace, &done))
            .collect();
        sleep(Duration::from_secs(3)).await;
        let org = ["--org", "north"];
        let connected = ["--org", "north", "--workspace", &workspace];
        for (command, rest, stdin) in [
            (&["connection", "list"][..], &org[..], ""),
            (
                &["webhook", "secret", "add"],
                &connected,
                "lin_wh_FirstSecretOfTheWorkspace",
            ),
            (&["webhook", "secret", "list"], &org, ""),
            (&["destination", "list"], &org, ""),
            (&["app", "list"], &org, ""),
            (&["workspace", "list"], &org, ""),
            (&["member", "list"], &org, ""),
            (&["key", "new", "--name", "another"], &org, ""),
            (
                &["user", "add", "--email", "ben@example.com", "--name", "Ben"],
                &org,
                PASSWORD,
            ),
            (&["audit", "verify"], &org, ""),
            (&["refresh"], &[], ""),
        ] {
            let began = Instant::now();
            let output =
                tokio::task::block_in_place(|| fleet.place.run(&[command, rest].concat(), stdin));
            assert!(
                output.status.success(),
                "{servers} servers, {command:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(
                began.elapsed() < SECONDS,
                "{servers} servers, {command:?}: {:?}",
                began.elapsed()
            );
        }
        done.store(true, Ordering::Relaxed);
        for (busy, counts) in busy {
            busy.join_all().await;
            let [taken, refused] = [0, 1].map(|which| counts[which].load(Ordering::Relaxed));
            assert!(
                taken > 100 && refused == 0,
                "{servers} servers: {taken} webhooks were taken, {refused} were not"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_makes_do_with_one_connection_and_waits_for_it() {
    use sqlx::Connection as _;
    let Some(database) = limited_database(2).await else {
        return;
    };
    let fleet = Fleet::on(Some(database.clone())).await;
    let held = sqlx::PgConnection::connect(&database).await.unwrap();
    let connect = || {
        tokio::task::block_in_place(|| {
            fleet.place.run(
                &["key", "new", "--org", "north", "--name", "one", "--json"],
                "",
            )
        })
    };
    let output = connect();
    assert!(
        output.status.success(),
        "with one: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let other = sqlx::PgConnection::connect(&database).await.unwrap();
    tokio::spawn(async move {
        sleep(Duration::from_secs(3)).await;
        drop((held, other));
    });
    let output = connect();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success()
            && said.contains("PostgreSQL has no connection left for Relink: waiting"),
        "{said}"
    );
}
