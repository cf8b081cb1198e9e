//! Several servers on one PostgreSQL.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::fleet::{DAY_S, EMAIL, Fleet, PASSWORD, deliver, empty_database};
use crate::process::{Place, Running, client};

#[tokio::test]
async fn replicas_start_at_once_on_an_empty_database_and_share_accounts_and_sessions() {
    let Some(database) = empty_database().await else {
        return;
    };
    let keys = format!("k1:{}=", "B".repeat(42) + "A");
    let place = || {
        Place::new()
            .set("DATABASE_URL", &database)
            .set("RELINK_KEYS", &keys)
    };
    let (here, there) = (place(), place());
    let (first, second) = tokio::join!(Running::serve(&here), Running::serve(&there));
    let client = client();
    let fields = [
        ("organisation", "North"),
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("password", "long enough password"),
    ];
    let reply = client
        .post(format!("{}/signup", first.url))
        .form(&fields)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.headers()["location"], "/integrations");
    // Under one address the cookie has one name. Here the second has another port, which its
    // cookie's name tells.
    let cookies = reply
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap());
    let session = cookies
        .filter(|cookie| cookie.starts_with("relink-session"))
        .find_map(|cookie| cookie.split(['=', ';']).nth(1))
        .unwrap();
    let cookie = format!(
        "relink-session-{}={session}",
        second.url.rsplit(':').next().unwrap()
    );
    let there = client
        .get(format!("{}/integrations", second.url))
        .header("cookie", cookie);
    let page = there.send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains("Ada") && page.contains("Connect your first workspace"),
        "{page}"
    );
    let reply = client
        .post(format!("{}/signup", second.url))
        .form(&fields)
        .send()
        .await
        .unwrap();
    assert_eq!(
        reply.headers()["location"],
        "/signin",
        "there is one owner, on all replicas"
    );
}

#[tokio::test]
async fn postgres_without_keys_does_not_start() {
    let output = Place::new()
        .set("DATABASE_URL", "postgres://relink@127.0.0.1:1/relink")
        .run(&["serve"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).starts_with("relink: RELINK_KEYS: "),
        "{output:?}"
    );
}

/// The number of times that a replica is stopped at some moment of its work.
const STOPS: u64 = 5;
/// The time that a held row may take. The database bounds it to three seconds; the rest is for a
/// busy machine.
const PATIENCE: Duration = Duration::from_secs(6);

/// Work that never ends, for one server: webhooks, which take numbers, and sign-ins, which take the
/// trail's last line.
fn keep_busy(fleet: &Fleet, server: usize, workspace: &str, done: &Arc<AtomicBool>) {
    let (url, secret) = (
        fleet.url(server).to_owned(),
        fleet.linear.app().webhook_secret,
    );
    for worker in 0..8 {
        let (url, secret, workspace, done) = (
            url.clone(),
            secret.clone(),
            workspace.to_owned(),
            done.clone(),
        );
        tokio::spawn(async move {
            let client = client();
            for number in 0.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                let body = crate::fleet::body(&workspace, &format!("busy-{worker}-{number}"));
                deliver(&client, &format!("{url}/webhooks/linear"), &secret, &body).await;
                if worker == 0 {
                    let _ = sign_in(&client, &url).await;
                }
            }
        });
    }
}

async fn sign_in(client: &reqwest::Client, url: &str) -> Option<u16> {
    let fields = [("email", EMAIL), ("password", PASSWORD)];
    Some(
        client
            .post(format!("{url}/signin"))
            .form(&fields)
            .send()
            .await
            .ok()?
            .status()
            .as_u16(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_stands_still_anywhere_in_its_work_holds_nobody_up() {
    let Some(mut fleet) = Fleet::on_postgres().await else {
        return;
    };
    fleet.start(3).await;
    fleet.connect(1, DAY_S).await;
    let workspace = fleet.linear.state()["workspaces"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let done = Arc::new(AtomicBool::new(false));
    keep_busy(&fleet, 0, &workspace, &done);
    for stop in 0..STOPS {
        tokio::time::sleep(Duration::from_millis(300 + 37 * stop)).await;
        fleet.signal(0, "STOP");
        let stopped = Instant::now();
        while stopped.elapsed() < Duration::from_secs(4) {
            let began = Instant::now();
            let names = ["first", "second"]
                .map(|to| format!("{stop}-{}-{to}", stopped.elapsed().as_millis()));
            let client = client();
            let (first, second, signed_in) = tokio::join!(
                fleet.deliver(1, &workspace, &names[0]),
                fleet.deliver(2, &workspace, &names[1]),
                sign_in(&client, fleet.url(1)),
            );
            assert_eq!(
                (first, second, signed_in),
                (Some(200), Some(200), Some(303)),
                "stop {stop}"
            );
            assert!(
                began.elapsed() < PATIENCE,
                "stop {stop}: {:?}",
                began.elapsed()
            );
        }
        fleet.signal(0, "CONT");
    }
    done.store(true, Ordering::Relaxed);
}
