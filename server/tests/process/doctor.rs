//! The findings of `relink doctor`, and what it leaves alone.

use serde_json::Value;
use sqlx::Connection as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::fleet::{Fleet, empty_database};
use crate::process::Place;

/// Runs the command, and gives its exit code and what it says about each thing.
fn examined(place: &Place) -> (Option<i32>, Vec<Value>) {
    let output = place.run(&["doctor", "--json"], "");
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (
        output.status.code(),
        said["checks"].as_array().unwrap().clone(),
    )
}

fn check<'a>(checks: &'a [Value], name: &str) -> &'a Value {
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {checks:?}"))
}

#[test]
fn a_doctor_in_an_empty_folder_says_what_is_missing_and_makes_nothing() {
    let place = Place::new()
        .set("LINEAR_URL", "http://127.0.0.1:1")
        .set("LINEAR_API_URL", "http://127.0.0.1:1");
    let (code, checks) = examined(&place);
    assert_eq!(code, Some(1));
    let names: Vec<_> = checks.iter().map(|check| &check["name"]).collect();
    assert_eq!(
        names,
        [
            "redirect_uri",
            "reachability",
            "clock",
            "secrets",
            "app",
            "connections",
            "scopes",
            "webhooks",
            "database",
            "disk",
            "mail",
            "alarms"
        ]
    );
    for name in ["reachability", "app"] {
        let check = check(&checks, name);
        assert_eq!(check["ok"], false, "{check}");
        assert!(!check["help"].as_str().unwrap().is_empty(), "{check}");
    }
    let reachability = check(&checks, "reachability")["detail"].as_str().unwrap();
    assert!(reachability.contains("refused"), "{reachability}");
    let database = check(&checks, "database");
    assert_eq!(database["ok"], true);
    assert!(database["detail"].as_str().unwrap().contains("not there"));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_names_the_connections_that_another_client_id_made() {
    let mut fleet = Fleet::on_sqlite().await;
    fleet.connect(2, crate::fleet::DAY_S).await;
    let (code, checks) = examined(&fleet.place);
    assert_eq!(code, Some(0), "{checks:?}");

    let place = std::mem::replace(&mut fleet.place, Place::new());
    let mut place = place.set("LINEAR_CLIENT_ID", "anotherclientid42");
    let (code, checks) = examined(&place);
    assert_eq!(code, Some(1));
    let app = check(&checks, "app");
    assert_eq!(app["ok"], false);
    let detail = app["detail"].as_str().unwrap();
    assert!(detail.contains(&fleet.linear.app().client_id), "{detail}");
    let output = place.run(&["doctor"], "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("BAD  app: made with another client ID"),
        "{said}"
    );

    place.environment.pop();
    assert_eq!(examined(&place).0, Some(0));
    fleet.place = place;
}

#[test]
fn a_doctor_changes_nothing_of_what_it_finds() {
    let place = Place::new()
        .set("LINEAR_URL", "http://127.0.0.1:1")
        .set("LINEAR_API_URL", "http://127.0.0.1:1");
    let data = place.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("relink.db"), b"").unwrap();
    let (_, checks) = examined(&place);
    assert_eq!(check(&checks, "database")["ok"], true);
    let there = std::fs::read_dir(&data).unwrap().count();
    let bytes = std::fs::metadata(data.join("relink.db")).unwrap().len();
    assert_eq!((there, bytes), (1, 0), "no key, no table");

    // What no server could start on is not well.
    std::fs::remove_file(data.join("relink.db")).unwrap();
    std::os::unix::fs::symlink("nowhere", data.join("relink.db")).unwrap();
    let (code, checks) = examined(&place);
    assert_eq!(code, Some(1));
    assert_eq!(check(&checks, "database")["ok"], false);
    let connections = check(&checks, "connections");
    assert_eq!(
        connections["ok"], false,
        "{connections}: unknown is not well"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_leaves_an_older_database_to_its_own_version() {
    let Some(url) = empty_database().await else {
        return;
    };
    let fleet = Fleet::on(Some(url.clone())).await;
    let store = fleet.store().await;
    let here = store.present_version().await.unwrap().unwrap();
    let mut database = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::query("UPDATE _sqlx_migrations SET version = -version WHERE version = $1")
        .bind(here)
        .execute(&mut database)
        .await
        .unwrap();
    let (_, checks) = examined(&fleet.place);
    let said = check(&checks, "database")["detail"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(said.contains("an older version"), "{said}");
    assert_eq!(store.present_version().await.unwrap(), Some(here - 1));
}

#[tokio::test]
async fn a_doctor_repeats_no_password_that_a_mail_server_says_again() {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let place = Place::new()
        .set("LINEAR_URL", "http://127.0.0.1:1")
        .set("LINEAR_API_URL", "http://127.0.0.1:1")
        .set(
            "RELINK_SMTP_URL",
            &format!("smtp://u:hunter2hunter2@127.0.0.1:{port}"),
        )
        .set("RELINK_MAIL_FROM", "Relink <relink@example.com>");
    let examined = tokio::task::spawn_blocking(move || place.run(&["doctor"], ""));
    let (stream, _) = server.accept().await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 here\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = if line.starts_with("EHLO") {
            "250-here\r\n250 AUTH PLAIN LOGIN\r\n".to_owned()
        } else {
            format!("535 you said {line}\r\n")
        };
        if write.write_all(answer.as_bytes()).await.is_err() {
            break;
        }
    }
    let output = examined.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("does not let Relink sign in (535)"), "{said}");
    assert!(
        !said.contains("PLAIN") && !said.contains("hunter2"),
        "{said}"
    );
}
