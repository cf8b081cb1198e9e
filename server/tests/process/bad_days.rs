//! Days that kill grants elsewhere: real processes, killed without warning, on real databases.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use relink_simulator::{Fault, Kind};
use serde_json::json;
use sqlx::Connection as _;

use crate::cable::Cable;
use crate::fleet::{DAY_S, Fleet, empty_database, fault};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_three_or_fifty_processes_one_refreshes() {
    let Some(mut fleet) = Fleet::on_postgres().await else {
        return;
    };
    let id = fleet.connect(1, DAY_S).await.remove(0);
    for (round, count) in [2, 3, 50].into_iter().enumerate() {
        fleet.start(count).await;
        let rejected = json!({ "rejected": fleet.token(0, &id).await.fingerprint() });
        let told =
            join_all((0..count).map(|server| fleet.ask(server, &id, rejected.clone()))).await;
        let first = told[0].as_ref().unwrap().token().unwrap().to_owned();
        assert!(
            told.iter()
                .all(|told| told.as_ref().unwrap().token() == Some(&first)),
            "{count}: {told:?}"
        );
        let counts = fleet.linear.grant_counts("acme-robotics");
        assert_eq!(
            (counts.rotations, counts.refreshes),
            (round as u64 + 1, round as u64 + 1),
            "{count} processes"
        );
    }
}

/// Kills one server while it refreshes, after this many milliseconds; another one must have a token
/// within ten seconds.
async fn killed_during(fault: Fault, after_ms: u64) -> (u64, u64, Duration) {
    let Some(mut fleet) = Fleet::on_postgres().await else {
        return (1, 0, Duration::ZERO);
    };
    fleet.start(2).await;
    let id = fleet.connect(1, DAY_S).await.remove(0);
    let rejected = json!({ "rejected": fleet.token(0, &id).await.fingerprint() });
    fleet.linear.add_fault(fault).unwrap();
    let asking = fleet.asking(0, &id, rejected.clone());
    tokio::time::sleep(Duration::from_millis(after_ms)).await;
    fleet.kill(0);
    assert!(
        asking.await.unwrap().is_none(),
        "it died before it could answer"
    );
    let (token, took) = fleet.token_soon(1, &id, rejected).await.unwrap();
    assert!(fleet.is_alive(&token).await);
    let counts = fleet.linear.grant_counts("acme-robotics");
    (counts.rotations, counts.replays, took)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_linear_worked_on_it() {
    let (rotations, _, took) = killed_during(fault(Kind::Delay, 3_000), 400).await;
    assert!(
        rotations == 1 && took < Duration::from_secs(10),
        "{rotations} {took:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_after_linear_rotated_and_before_the_reply() {
    let (rotations, replays, took) = killed_during(fault(Kind::DelayReply, 3_000), 400).await;
    assert!(
        (rotations, replays) == (1, 1) || took.is_zero(),
        "{rotations} {replays}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_after_the_reply_and_before_the_write() {
    let Some(url) = empty_database().await else {
        return;
    };
    let mut fleet = Fleet::on(Some(url.clone())).await;
    fleet.start(2).await;
    let id = fleet.connect(1, DAY_S).await.remove(0);
    let rejected = json!({ "rejected": fleet.token(0, &id).await.fingerprint() });
    fleet
        .linear
        .add_fault(fault(Kind::DelayReply, 500))
        .unwrap();
    let asking = fleet.asking(0, &id, rejected.clone());
    tokio::time::sleep(Duration::from_millis(250)).await;
    // Between the intent and the reply: the row is locked, so that the write has to wait.
    let mut lock = sqlx::PgConnection::connect(&url).await.unwrap();
    let mut tx = lock.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM connections FOR UPDATE")
        .execute(&mut *tx)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    fleet.kill(0);
    assert!(asking.await.unwrap().is_none());
    // PostgreSQL would go on with what a dead client sent; here the write is to be lost.
    let mut other = sqlx::PgConnection::connect(&url).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \
        current_database() AND wait_event_type = 'Lock'";
    assert!(
        sqlx::query(cut)
            .execute(&mut other)
            .await
            .unwrap()
            .rows_affected()
            > 0,
        "the write was waiting"
    );
    tx.rollback().await.unwrap();
    let (token, _) = fleet.token_soon(1, &id, rejected).await.unwrap();
    assert!(fleet.is_alive(&token).await);
    let counts = fleet.linear.grant_counts("acme-robotics");
    assert_eq!((counts.rotations, counts.replays), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_after_the_write() {
    let Some(mut fleet) = Fleet::on_postgres().await else {
        return;
    };
    fleet.start(2).await;
    let id = fleet.connect(1, DAY_S).await.remove(0);
    let rejected = json!({ "rejected": fleet.token(0, &id).await.fingerprint() });
    let told = fleet.ask(0, &id, rejected.clone()).await.unwrap();
    fleet.kill(0);
    let (token, _) = fleet.token_soon(1, &id, rejected).await.unwrap();
    assert_eq!(Some(token.as_str()), told.token());
    assert_eq!(fleet.linear.grant_counts("acme-robotics").refreshes, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_sqlite_and_started_again() {
    let mut fleet = Fleet::on_sqlite().await;
    fleet.start(1).await;
    let id = fleet.connect(1, DAY_S).await.remove(0);
    let rejected = json!({ "rejected": fleet.token(0, &id).await.fingerprint() });
    fleet
        .linear
        .add_fault(fault(Kind::DelayReply, 3_000))
        .unwrap();
    let asking = fleet.asking(0, &id, rejected.clone());
    tokio::time::sleep(Duration::from_millis(400)).await;
    fleet.kill(0);
    assert!(asking.await.unwrap().is_none());
    fleet.restart(0).await;
    let (token, _) = fleet.token_soon(0, &id, rejected).await.unwrap();
    assert!(fleet.is_alive(&token).await);
    let counts = fleet.linear.grant_counts("acme-robotics");
    assert_eq!((counts.rotations, counts.replays), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn linear_hangs_for_some_while_two_hundred_others_are_used() {
    let mut fleet = Fleet::on_sqlite().await;
    let (stuck, used) = (fleet.connect(50, -1).await, fleet.connect(200, DAY_S).await);
    fleet
        .linear
        .add_fault(Fault {
            count: 100_000,
            ..fault(Kind::Hang, 0)
        })
        .unwrap();
    fleet.start(1).await;
    let hanging: Vec<_> = stuck
        .iter()
        .map(|id| fleet.asking(0, id, json!({})))
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..5 {
        let began = Instant::now();
        for told in join_all(used.iter().map(|id| fleet.ask(0, id, json!({})))).await {
            assert!(told.unwrap().token().is_some());
        }
        slowest = slowest.max(began.elapsed());
    }
    assert!(
        slowest < Duration::from_secs(2),
        "two hundred at once took {slowest:?}"
    );
    assert!(
        hanging.iter().all(|asking| !asking.is_finished()),
        "Linear still hangs for the others"
    );
    assert_eq!(fleet.linear.grant_counts("acme-robotics").rotations, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_is_gone_for_twenty_seconds_in_the_middle() {
    let Some(url) = empty_database().await else {
        return;
    };
    let address = url
        .split('@')
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    let cable = Cable::to(address.clone()).await;
    let mut fleet = Fleet::on(Some(
        url.replace(&address, &format!("127.0.0.1:{}", cable.port)),
    ))
    .await;
    fleet.start(1).await;
    let id = fleet.connect(1, DAY_S).await.remove(0);
    let rejected = json!({ "rejected": fleet.token(0, &id).await.fingerprint() });
    fleet
        .linear
        .add_fault(fault(Kind::DelayReply, 1_000))
        .unwrap();
    let asking = fleet.asking(0, &id, rejected.clone());
    tokio::time::sleep(Duration::from_millis(400)).await;
    cable.cut();
    tokio::time::sleep(Duration::from_secs(20)).await;
    cable.plug_in();
    let began = Instant::now();
    let (token, _) = fleet.token_soon(0, &id, rejected).await.unwrap();
    assert!(
        fleet.is_alive(&token).await,
        "{:?} after the database was back",
        began.elapsed()
    );
    assert_eq!(fleet.linear.grant_counts("acme-robotics").rotations, 1);
    asking.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_in_transaction_mode_processes_refresh_once() {
    let Some(database) = empty_database().await else {
        return;
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told where the pooler is"
    )]
    let pooler = std::env::var("RELINK_TEST_PGBOUNCER")
        .expect("RELINK_TEST_PGBOUNCER is set where RELINK_TEST_POSTGRES is");
    let name = database.rsplit('/').next().unwrap();
    let mut fleet = Fleet::on(Some(format!("{pooler}/{name}"))).await;
    fleet.start(3).await;
    let ids = fleet.connect(5, DAY_S).await;
    for id in &ids {
        let rejected = json!({ "rejected": fleet.token(0, id).await.fingerprint() });
        let told = join_all((0..30).map(|call| fleet.ask(call % 3, id, rejected.clone()))).await;
        let first = told[0].as_ref().unwrap().token().unwrap().to_owned();
        assert!(
            told.iter()
                .all(|told| told.as_ref().unwrap().token() == Some(&first)),
            "{told:?}"
        );
    }
    let counts = fleet.linear.grant_counts("acme-robotics");
    assert_eq!((counts.rotations, counts.refreshes), (5, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_due_at_once_are_refreshed_once_each() {
    let Some(mut fleet) = Fleet::on_postgres().await else {
        return;
    };
    fleet.connect(10_000, DAY_S / 24).await;
    let sweep = |fleet: &Fleet| fleet.place.json(&["refresh", "--due-within", "90m"], "");
    fleet.start(1).await;
    let swept = sweep(&fleet);
    assert!(swept["failed"] == 0 && swept["broken"] == 0, "{swept}");
    let again = loop {
        let again = sweep(&fleet);
        if again["due"] == 0 {
            break again;
        }
    };
    assert_eq!(
        again,
        json!({ "due": 0, "refreshed": 0, "failed": 0, "broken": 0 })
    );
    let counts = fleet.linear.grant_counts("acme-robotics");
    assert_eq!(
        (counts.rotations, counts.replays, counts.refused),
        (10_000, 0, 0)
    );
}
