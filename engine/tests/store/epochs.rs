//! Cursors after the database went back in time.

use std::path::Path;

use relink_engine::store::{Cursor, CursorCheck, Store};
use sqlx::PgConnection;

use crate::deliveries::{ORG, delivery, put};
use crate::on_both;
use crate::support::{self, Fresh, Server};

on_both!(who_restarts_expires_nobody, a_cursor_from_before_epochs_goes_on, numbers_that_were_left_out_are_not_counted);

async fn store_some(store: &Store, which: &[u32]) {
    for number in which {
        put(store, &[delivery("w", &number.to_be_bytes(), 1)]).await;
    }
}

async fn numbers(store: &Store, after: i64) -> Vec<i64> {
    store.deliveries_after(ORG, after, 1_000, i64::MAX).await.unwrap().iter().map(|row| row.number).collect()
}

/// The cursor of whoever has read everything.
async fn at_the_end(store: &Store) -> Cursor {
    store.cursor_after(*numbers(store, 0).await.last().unwrap()).await.unwrap()
}

async fn who_restarts_expires_nobody(fresh: Fresh) {
    let mut cursors = Vec::new();
    for start in 0..4 {
        fresh.store.epoch_begin(&format!("e{start}")).await.unwrap();
        // One of them stores nothing.
        if start != 2 {
            store_some(&fresh.store, &[10 * start, 10 * start + 1]).await;
            cursors.push(at_the_end(&fresh.store).await);
        }
    }
    for (number, cursor) in cursors.iter().enumerate() {
        assert_eq!(fresh.store.cursor_check(cursor).await.unwrap(), CursorCheck::Good, "{cursor}");
        assert_eq!(numbers(&fresh.store, cursor.number).await.len(), 2 * (2 - number), "and goes on from there");
    }
}

async fn numbers_that_were_left_out_are_not_counted(fresh: Fresh) {
    assert_eq!((fresh.store.deliveries_span().await.unwrap(), fresh.store.events_span().await.unwrap()), (0, 0));
    store_some(&fresh.store, &[1, 2]).await;
    for (start, count) in [(1, 5), (2, 8)] {
        fresh.store.epoch_begin(&format!("e{start}")).await.unwrap();
        assert_eq!(fresh.store.deliveries_span().await.unwrap(), count - 3, "nothing yet");
        store_some(&fresh.store, &[10 * start, 10 * start + 1, 10 * start + 2]).await;
        assert_eq!((fresh.store.deliveries_span().await.unwrap(), fresh.store.events_span().await.unwrap()), (count, count));
    }
    fresh.store.deliveries_forget(2, 3).await.unwrap();
    assert_eq!(fresh.store.deliveries_span().await.unwrap(), 5);
}

async fn a_cursor_from_before_epochs_goes_on(fresh: Fresh) {
    store_some(&fresh.store, &[1, 2, 3]).await;
    let plain = at_the_end(&fresh.store).await;
    assert_eq!(plain.to_string(), plain.number.to_string());
    fresh.store.epoch_begin("e1").await.unwrap();
    store_some(&fresh.store, &[4]).await;
    // Until the last server was brought up to date, its cursors named none.
    let newest = Cursor::parse(&at_the_end(&fresh.store).await.number.to_string()).unwrap();
    for (cursor, left) in [(&plain, 1), (&newest, 0), (&Cursor::start(), 4)] {
        assert_eq!(fresh.store.cursor_check(cursor).await.unwrap(), CursorCheck::Good);
        assert_eq!(numbers(&fresh.store, cursor.number).await.len(), left);
    }
    let ahead = Cursor::parse(&(plain.number + 50).to_string()).unwrap();
    assert_eq!(fresh.store.cursor_check(&ahead).await.unwrap(), CursorCheck::Expired(Some(plain)));
}

/// A database, and a copy that was made while its server ran, which then went on.
async fn goes_back(original: &str, copy: impl AsyncFnOnce()) -> (Cursor, Cursor) {
    let store = support::open(original).await;
    store.migrate().await.unwrap();
    store.epoch_begin("first").await.unwrap();
    store_some(&store, &[1, 2, 3]).await;
    let shared = at_the_end(&store).await;
    store.close().await;
    copy().await;
    let store = support::open(original).await;
    store_some(&store, &[4, 5]).await;
    let lost = at_the_end(&store).await;
    store.close().await;
    (shared, lost)
}

async fn is_told_apart(copy: &str, (shared, lost): (Cursor, Cursor)) {
    let store = support::open(copy).await;
    store.epoch_begin("second").await.unwrap();
    assert_eq!(store.cursor_check(&lost).await.unwrap(), CursorCheck::Expired(Some(shared.clone())), "before anything came");
    store_some(&store, &[6, 7, 8]).await;
    assert_eq!(store.cursor_check(&lost).await.unwrap(), CursorCheck::Expired(Some(shared.clone())));
    assert_eq!(store.cursor_check(&shared).await.unwrap(), CursorCheck::Good);
    let new = numbers(&store, shared.number).await;
    assert!(new.len() == 3 && new[0] > lost.number, "{new:?} come after {lost}");
    let elsewhere = Cursor::parse("third-2").unwrap();
    assert_eq!(store.cursor_check(&elsewhere).await.unwrap(), CursorCheck::Expired(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_sqlite_file_is_told_apart_from_the_one_it_was_copied_from() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (original, copy) = (path("relink.db"), path("copy.db"));
    let cursors = goes_back(&original, async || assert!(std::fs::copy(Path::new(&original), Path::new(&copy)).unwrap() > 0)).await;
    is_told_apart(&copy, cursors).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_postgres_database_is_told_apart_from_the_one_it_was_copied_from() {
    let Some(original) = Server::new("").await else { return };
    let mut copied = None;
    let cursors = goes_back(&original.url(), async || {
        original.end_sessions().await;
        copied = Server::new(&format!("TEMPLATE {}", original.name())).await;
    })
    .await;
    is_told_apart(&copied.unwrap().url(), cursors).await;
}

/// What happens to a database whose primary is lost: another one goes on, on another timeline, without the last commits.
async fn fail_over(raw: &mut PgConnection, lost: i64) {
    let sql = format!(
        "ALTER TABLE delivery_log DISABLE TRIGGER USER;
        DELETE FROM deliveries WHERE seq > (SELECT last - {lost} FROM delivery_log);
        DELETE FROM delivery_recipients WHERE seq > (SELECT last - {lost} FROM delivery_log);
        UPDATE delivery_log SET last = last - {lost}, timeline = '0000007F';
        ALTER TABLE delivery_log ENABLE TRIGGER USER;"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(raw).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_took_over_gives_no_number_twice() {
    for lost in [0, 2] {
        let Some(server) = Server::new("").await else { return };
        let store = support::open(&server.url()).await;
        store.migrate().await.unwrap();
        store.epoch_begin("first").await.unwrap();
        store_some(&store, &[1, 2, 3]).await;
        let shared = at_the_end(&store).await;
        if lost > 0 {
            store_some(&store, &[4, 5]).await;
        }
        let read = at_the_end(&store).await;
        fail_over(&mut server.connect().await, lost).await;
        // Nothing restarts: the same process goes on.
        store_some(&store, &[6, 7]).await;
        let expected = if lost == 0 { CursorCheck::Good } else { CursorCheck::Expired(Some(shared.clone())) };
        assert_eq!(store.cursor_check(&read).await.unwrap(), expected, "{lost} lost");
        let new = numbers(&store, shared.number).await;
        assert!(new.len() == 2 && new[0] > read.number, "{new:?} come after {read}");
        let end = at_the_end(&store).await;
        assert_eq!(store.cursor_check(&end).await.unwrap(), CursorCheck::Good);
        assert_ne!(end.to_string().split_once('-').unwrap().0, "first");
    }
}
