//! A copy from before an upgrade that is put back under servers which nobody restarts.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use crate::fleet::{DAY_S, Fleet, back_up, empty_database, run};
use crate::process::client;

/// Undoes what the last upgrade brought.
const BEFORE: &str = "DELETE FROM _sqlx_migrations WHERE version >= 19; DROP TABLE voidings; \
    ALTER TABLE destinations DROP COLUMN refused_seq; ALTER TABLE connect_attempts DROP COLUMN \
    client_id; \
    ALTER TABLE destinations DROP COLUMN failing_new; \
    ALTER TABLE minted_grants DROP COLUMN lent; \
    ALTER TABLE minted_grants DROP COLUMN lent_by";
const VERSION: &str = "SELECT MAX(version) FROM _sqlx_migrations";
/// The servers look every three seconds, and twice.
const APART: Duration = Duration::from_secs(7);

fn ask(database: &str, sql: &str) -> String {
    let done = Command::new("psql")
        .args(["-Atc", sql, database])
        .output()
        .unwrap();
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// Restores what a dump holds of these kinds, and nothing else.
fn restore(database: &str, dump: &str, of: impl Fn(&str) -> bool) {
    let list = Command::new("pg_restore")
        .args(["--list", dump])
        .output()
        .unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let chosen: Vec<&str> = list
        .lines()
        .filter(|line| !line.starts_with(';') && of(line))
        .collect();
    assert!(!chosen.is_empty());
    let file = format!("{dump}.list");
    std::fs::write(&file, chosen.join("\n")).unwrap();
    run(
        "pg_restore",
        &[
            "--exit-on-error",
            "--use-list",
            &file,
            "--dbname",
            database,
            dump,
        ],
    );
}

fn stage(line: &str) -> usize {
    let stages = [
        " TABLE DATA ",
        " FK CONSTRAINT ",
        " TRIGGER ",
        " CONSTRAINT ",
        " INDEX ",
    ];
    match stages.iter().position(|kind| line.contains(kind)) {
        None => 0,
        Some(0) if line.contains(" _sqlx_migrations ") => 1,
        Some(0) => 2,
        Some(3 | 4) => 3,
        Some(2) => 4,
        Some(1) if line.contains(" connections ") => 5,
        Some(_) => 6,
    }
}

async fn read(fleet: &Fleet, server: usize, after: &str) -> (u16, Value) {
    let url = format!("{}/api/v1/deliveries?limit=500{after}", fleet.url(server));
    let reply = client()
        .get(url)
        .bearer_auth(&fleet.key)
        .send()
        .await
        .unwrap();
    (
        reply.status().as_u16(),
        reply.json().await.unwrap_or_default(),
    )
}

/// Serves some deliveries after the copy. Answers the cursor of whoever has read them.
async fn served(fleet: &Fleet, workspace: &str) -> String {
    for number in 2..5 {
        assert_eq!(
            fleet.deliver(0, workspace, &number.to_string()).await,
            Some(200)
        );
    }
    read(fleet, 0, "").await.1["next"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Servers with two deliveries.
async fn started(fleet: &mut Fleet, servers: usize) -> String {
    let workspace = fleet.connect(1, DAY_S).await.remove(0);
    fleet.start(servers).await;
    for number in 0..2 {
        assert_eq!(
            fleet.deliver(0, &workspace, &number.to_string()).await,
            Some(200)
        );
    }
    workspace
}

/// Checks that all is well soon, and without a restart.
async fn all_is_well(fleet: &Fleet, workspace: &str, end: &str, acknowledged: usize) {
    let (began, last) = (Instant::now(), fleet.servers.len() - 1);
    while fleet.deliver(last, workspace, "anew").await != Some(200) {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{}",
            fleet.said(last)
        );
        sleep(Duration::from_millis(200)).await;
    }
    for server in 0..=last {
        fleet
            .token_soon(server, workspace, serde_json::json!({ "min_ttl_s": 0 }))
            .await
            .unwrap();
        let ready = client()
            .get(format!("{}/readyz", fleet.url(server)))
            .send()
            .await
            .unwrap()
            .status();
        assert!(
            ready == 200 && began.elapsed() < Duration::from_secs(10),
            "{ready}: {}",
            fleet.said(server)
        );
        let (status, problem) = read(fleet, server, &format!("&after={end}")).await;
        assert_eq!(
            (status, problem["code"].as_str()),
            (410, Some("cursor_expired")),
            "{problem}"
        );
    }
    let (_, page) = read(fleet, 0, "").await;
    assert_eq!(
        page["deliveries"].as_array().unwrap().len(),
        2 + acknowledged + 1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_from_before_an_upgrade_written_over_the_open_file_is_brought_up_to_date() {
    let mut fleet = Fleet::on_sqlite().await;
    let workspace = started(&mut fleet, 1).await;
    let (file, aside) = (
        fleet.place.path().join("data/relink.db"),
        fleet.place.path().join("copy.db"),
    );
    back_up(&file, &aside);
    rusqlite::Connection::open(&aside)
        .unwrap()
        .execute_batch(BEFORE)
        .unwrap();
    let end = served(&fleet, &workspace).await;
    let version = |file: &Path| {
        rusqlite::Connection::open(file)
            .unwrap()
            .query_row(VERSION, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let newest = version(&file);
    assert!(version(&aside) < newest);
    back_up(&aside, &file);
    all_is_well(&fleet, &workspace, &end, 0).await;
    let began = Instant::now();
    while version(&file) != newest {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{}",
            fleet.said(0)
        );
        sleep(Duration::from_millis(200)).await;
    }
    let whole: String = rusqlite::Connection::open(&file)
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
}

/// Schema, rows, keys, triggers and references come one after the other, and the servers look in
/// between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_that_is_restored_slowly_is_touched_by_nobody_before_it_is_whole() {
    let (Some(database), Some(aside)) = (empty_database().await, empty_database().await) else {
        return;
    };
    let mut fleet = Fleet::on(Some(database.clone())).await;
    let workspace = started(&mut fleet, 2).await;
    let dump = fleet.place.path().join("dump").display().to_string();
    run("pg_dump", &["--format=custom", "--file", &dump, &database]);
    run("pg_restore", &["--dbname", &aside, &dump]);
    run("psql", &["-v", "ON_ERROR_STOP=1", "-qc", BEFORE, &aside]);
    run("pg_dump", &["--format=custom", "--file", &dump, &aside]);
    let end = served(&fleet, &workspace).await;
    let (copied, newest) = (ask(&aside, VERSION), ask(&database, VERSION));
    assert_ne!(copied, newest);
    run(
        "psql",
        &[
            "-v",
            "ON_ERROR_STOP=1",
            "-qc",
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
            &database,
        ],
    );
    let mut acknowledged = 0;
    for part in 0..=6 {
        let began = Instant::now();
        restore(&database, &dump, |line| stage(line) == part);
        while part < 6 && began.elapsed() < APART {
            acknowledged += usize::from(
                fleet
                    .deliver(
                        part % 2,
                        &workspace,
                        &format!("{part} {:?}", began.elapsed()),
                    )
                    .await
                    == Some(200),
            );
            sleep(Duration::from_millis(300)).await;
        }
        if (1..6).contains(&part) {
            assert_eq!(
                ask(&database, VERSION),
                copied,
                "part {part}: {}",
                fleet.said(0)
            );
        }
    }
    all_is_well(&fleet, &workspace, &end, acknowledged).await;
    let began = Instant::now();
    while ask(&database, VERSION) != newest {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{}",
            fleet.said(0)
        );
        sleep(Duration::from_millis(200)).await;
    }
}

/// The tables stay, emptied, and only their rows come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_put_back_alone_find_nothing_in_their_way() {
    const EMPTY: &str = "DO $$ BEGIN EXECUTE (SELECT 'TRUNCATE ' || string_agg(format('%I', \
        tablename), ', ') FROM pg_tables \
        WHERE schemaname = 'public' AND tablename <> '_sqlx_migrations'); END $$";
    let Some(database) = empty_database().await else {
        return;
    };
    let mut fleet = Fleet::on(Some(database.clone())).await;
    let workspace = started(&mut fleet, 2).await;
    let dump = fleet.place.path().join("dump").display().to_string();
    run(
        "pg_dump",
        &[
            "--format=custom",
            "--exclude-table-data=_sqlx_migrations",
            "--file",
            &dump,
            &database,
        ],
    );
    run("psql", &["-v", "ON_ERROR_STOP=1", "-qc", EMPTY, &database]);
    sleep(APART).await;
    run(
        "pg_restore",
        &[
            "--data-only",
            "--disable-triggers",
            "--exit-on-error",
            "--dbname",
            &database,
            &dump,
        ],
    );
    let began = Instant::now();
    while fleet.deliver(1, &workspace, "anew").await != Some(200) {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{}",
            fleet.said(1)
        );
        sleep(Duration::from_millis(200)).await;
    }
    let (_, page) = read(&fleet, 0, "").await;
    assert_eq!(page["deliveries"].as_array().unwrap().len(), 3);
}
