//! Servers whose log goes nowhere.

use std::fs::File;
use std::io::{Read as _, pipe};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::fleet::Fleet;
use crate::process::{BINARY, Place, Running, client, free_port};

/// A disk that is always full.
fn full_disk() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

async fn body(url: String) -> String {
    client()
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}

/// A counter or gauge of a server.
async fn metric(running: &Running, name: &str) -> u64 {
    let metrics = running.metrics().await;
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_else(|| panic!("{name} is not in {metrics}"));
    line.trim().parse().unwrap()
}

const FAILED: &str = "relink_log_lines_lost_total{cause=\"write_failed\"}";

#[tokio::test]
async fn a_server_serves_whose_log_is_on_a_full_disk_or_is_read_by_nobody() {
    let (reader, unread) = pipe().unwrap();
    drop(reader);
    for stderr in [Stdio::from(full_disk()), Stdio::from(unread)] {
        let place = Place::new();
        let mut running = Running::serve_saying_to(&place, stderr).await;
        for _ in 0..5 {
            assert_eq!(
                body(format!("{}/healthz", running.url)).await,
                r#"{"status":"ok"}"#
            );
        }
        assert!(
            metric(&running, FAILED).await >= 6,
            "each request's line, and that it is ready"
        );
        running.signal("TERM");
        assert_eq!(running.exit_code().await, Some(0));
    }
}

#[tokio::test]
async fn a_server_serves_that_was_started_without_stderr() {
    let (place, port) = (Place::new(), free_port());
    let mut server = Command::new("sh");
    server
        .args(["-c", "exec \"$0\" serve 2>&- >&-", BINARY])
        .current_dir(place.path())
        .env_clear();
    server
        .env("RELINK_ADDR", format!("127.0.0.1:{port}"))
        .stdin(Stdio::null());
    let mut child = server.spawn().unwrap();
    let mut answer = String::new();
    for _ in 0..400 {
        if let Ok(reply) = client()
            .get(format!("http://127.0.0.1:{port}/readyz"))
            .send()
            .await
        {
            answer = reply.text().await.unwrap();
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(answer.contains(r#""status":"ready""#), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_refreshed_in_the_background_with_the_log_on_a_full_disk() {
    let mut fleet = Fleet::on_sqlite().await;
    fleet.place = fleet.place.set("RELINK_LOG", "info");
    fleet.connect(3, 60).await;
    let running = Running::serve_saying_to(&fleet.place, full_disk()).await;
    let mut waited = 0;
    while fleet.linear.grant_counts("acme-robotics").rotations < 3 {
        waited += 1;
        assert!(
            waited < 600,
            "{:?}",
            fleet.linear.grant_counts("acme-robotics")
        );
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(
        metric(&running, FAILED).await > 0,
        "what was to be said of it is lost"
    );
    for name in ["sweep", "resume", "prune", "hand_on"] {
        assert_eq!(
            metric(
                &running,
                &format!("relink_loop_panics_total{{loop=\"{name}\"}}")
            )
            .await,
            0
        );
        assert!(
            metric(
                &running,
                &format!("relink_loop_last_run_seconds{{loop=\"{name}\"}}")
            )
            .await
                < 30
        );
    }
    let ready: Value =
        serde_json::from_str(&body(format!("{}/readyz", running.url)).await).unwrap();
    let checks = ready["checks"].as_array().unwrap();
    assert!(
        ready["status"] == "ready"
            && checks
                .iter()
                .any(|check| check["name"] == "background" && check["ok"] == true),
        "{ready}"
    );
}

#[tokio::test]
async fn a_server_does_not_wait_for_a_reader_of_its_log_that_stopped_reading() {
    let (mut reader, stderr) = pipe().unwrap();
    let place = Place::new();
    let mut running = Running::serve_saying_to(&place, stderr).await;
    // More than fits into a pipe.
    let (client, url) = (client(), format!("{}/healthz", running.url));
    for _ in 0..1_500 {
        assert_eq!(
            client
                .get(&url)
                .timeout(Duration::from_secs(10))
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
    }
    // Read on: nothing was lost meanwhile.
    let reading = std::thread::spawn(move || {
        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap();
        said
    });
    running.signal("TERM");
    assert_eq!(running.exit_code().await, Some(0));
    let said = reading.join().unwrap();
    assert_eq!(
        said.matches("path=\"/healthz\"").count(),
        1_500,
        "{}",
        said.len()
    );
    assert!(said.contains("stopping"), "the last words are there too");
}
