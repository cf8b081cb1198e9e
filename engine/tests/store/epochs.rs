//! Cursors after the database went back in time.

use std::path::Path;

use relink_engine::store::{Cursor, CursorCheck, Store};
use sqlx::PgConnection;

use crate::on_both;
use crate::support::{self, Fresh, ORG, Server, delivery, put};

on_both!(
    a_copy_from_before_an_upgrade_is_known_and_brought_up_to_date,
    a_copy_that_lacks_something_is_not_whole,
    who_restarts_expires_nobody,
    a_cursor_from_before_epochs_goes_on,
    numbers_that_were_left_out_are_not_counted
);

async fn store_some(store: &Store, which: &[u32]) {
    for number in which {
        put(store, &[delivery("w", &number.to_be_bytes(), 1)]).await;
    }
}

async fn numbers(store: &Store, after: i64) -> Vec<i64> {
    store
        .deliveries_after(ORG, after, 1_000, i64::MAX)
        .await
        .unwrap()
        .iter()
        .map(|row| row.number)
        .collect()
}

/// The cursor of whoever has read everything.
async fn at_the_end(store: &Store) -> Cursor {
    store
        .cursor_after(*numbers(store, 0).await.last().unwrap())
        .await
        .unwrap()
}

async fn a_copy_from_before_an_upgrade_is_known_and_brought_up_to_date(fresh: Fresh) {
    assert!(fresh.store.is_up_to_date().await.unwrap());
    let later = "DELETE FROM _sqlx_migrations WHERE version >= 17; ALTER TABLE proof_attempts DROP \
        COLUMN taken_at; \
        ALTER TABLE proof_attempts DROP COLUMN ended; DROP TABLE voidings; ALTER TABLE \
        destinations DROP COLUMN refused_seq; \
        ALTER TABLE connect_attempts DROP COLUMN client_id; ALTER TABLE destinations DROP COLUMN \
        failing_new; \
        ALTER TABLE minted_grants DROP COLUMN lent; ALTER TABLE minted_grants DROP COLUMN lent_by";
    support::sql(&fresh, later).await;
    if fresh.url.starts_with("postgres") {
        let before = "DROP TRIGGER delivery_log_elsewhere ON delivery_log; DROP FUNCTION \
            begin_epoch_elsewhere(); \
            ALTER TABLE delivery_log DROP COLUMN raised_by, DROP COLUMN place; \
            CREATE FUNCTION begin_epoch_after_failover() RETURNS trigger LANGUAGE plpgsql AS \
            'BEGIN RETURN NEW; END'; \
            CREATE TRIGGER delivery_log_failover BEFORE UPDATE OF last ON delivery_log FOR EACH \
            ROW \
            EXECUTE FUNCTION begin_epoch_after_failover()";
        support::sql(&fresh, before).await;
    }
    assert!(!fresh.store.is_up_to_date().await.unwrap());
    fresh.store.migrate().await.unwrap();
    assert!(fresh.store.is_up_to_date().await.unwrap());
    store_some(&fresh.store, &[1, 2]).await;
    support::sql(&fresh, "DELETE FROM _sqlx_migrations").await;
    assert!(
        fresh.store.is_up_to_date().await.unwrap(),
        "half of a copy is left alone"
    );
}

async fn a_copy_that_lacks_something_is_not_whole(fresh: Fresh) {
    let before = fresh.store.shape().await.unwrap();
    assert!(before.is_some() && fresh.store.shape().await.unwrap() == before);
    if fresh.url.starts_with("postgres") {
        support::sql(
            &fresh,
            "DROP TRIGGER delivery_log_elsewhere ON delivery_log",
        )
        .await;
        let without = fresh.store.shape().await.unwrap();
        assert!(
            without.is_some() && without != before,
            "something happens to it"
        );
        assert!(
            fresh
                .store
                .deliveries_put(&[delivery("w", b"1", 1)])
                .await
                .is_err(),
            "numbers could be those of another copy"
        );
        let steps = [
            (
                "messages DROP CONSTRAINT messages_pkey",
                "messages ADD PRIMARY KEY (seq, destination_id)",
            ),
            (
                "members DROP CONSTRAINT members_user_id_fkey",
                "members ADD FOREIGN KEY (user_id) REFERENCES users (id)",
            ),
        ];
        for (without, with) in steps {
            support::sql(&fresh, &format!("ALTER TABLE {without}")).await;
            assert_eq!(fresh.store.shape().await.unwrap(), None, "{without}");
            support::sql(&fresh, &format!("ALTER TABLE {with}")).await;
            assert!(fresh.store.shape().await.unwrap().is_some(), "{with}");
        }
    }
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
        assert_eq!(
            fresh.store.cursor_check(cursor).await.unwrap(),
            CursorCheck::Good,
            "{cursor}"
        );
        assert_eq!(
            numbers(&fresh.store, cursor.number).await.len(),
            2 * (2 - number),
            "and goes on from there"
        );
    }
}

async fn numbers_that_were_left_out_are_not_counted(fresh: Fresh) {
    assert_eq!(
        (
            fresh.store.deliveries_span().await.unwrap(),
            fresh.store.events_span().await.unwrap()
        ),
        (0, 0)
    );
    store_some(&fresh.store, &[1, 2]).await;
    for (start, count) in [(1, 5), (2, 8)] {
        fresh.store.epoch_begin(&format!("e{start}")).await.unwrap();
        assert_eq!(
            fresh.store.deliveries_span().await.unwrap(),
            count - 3,
            "nothing yet"
        );
        store_some(&fresh.store, &[10 * start, 10 * start + 1, 10 * start + 2]).await;
        assert_eq!(
            (
                fresh.store.deliveries_span().await.unwrap(),
                fresh.store.events_span().await.unwrap()
            ),
            (count, count)
        );
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
        assert_eq!(
            fresh.store.cursor_check(cursor).await.unwrap(),
            CursorCheck::Good
        );
        assert_eq!(numbers(&fresh.store, cursor.number).await.len(), left);
    }
    let ahead = Cursor::parse(&(plain.number + 50).to_string()).unwrap();
    assert_eq!(
        fresh.store.cursor_check(&ahead).await.unwrap(),
        CursorCheck::Expired(Some(plain))
    );
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
    assert_eq!(
        store.cursor_check(&lost).await.unwrap(),
        CursorCheck::Expired(Some(shared.clone())),
        "before anything came"
    );
    store_some(&store, &[6, 7, 8]).await;
    assert_eq!(
        store.cursor_check(&lost).await.unwrap(),
        CursorCheck::Expired(Some(shared.clone()))
    );
    assert_eq!(
        store.cursor_check(&shared).await.unwrap(),
        CursorCheck::Good
    );
    let new = numbers(&store, shared.number).await;
    assert!(
        new.len() == 3 && new[0] > lost.number,
        "{new:?} come after {lost}"
    );
    let elsewhere = Cursor::parse("third-2").unwrap();
    assert_eq!(
        store.cursor_check(&elsewhere).await.unwrap(),
        CursorCheck::Expired(None)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_sqlite_file_is_told_apart_from_the_one_it_was_copied_from() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (original, copy) = (path("relink.db"), path("copy.db"));
    let cursors = goes_back(&original, async || {
        assert!(std::fs::copy(Path::new(&original), Path::new(&copy)).unwrap() > 0)
    })
    .await;
    is_told_apart(&copy, cursors).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_postgres_database_is_told_apart_from_the_one_it_was_copied_from() {
    let Some(original) = Server::new("").await else {
        return;
    };
    let mut copied = None;
    let cursors = goes_back(&original.url(), async || {
        original.end_sessions().await;
        copied = Server::new(&format!("TEMPLATE {}", original.name())).await;
    })
    .await;
    is_told_apart(&copied.unwrap().url(), cursors).await;
}

/// Loses the primary, as happens to a database: another one goes on, on another timeline, without
/// the last commits.
async fn fail_over(raw: &mut PgConnection, lost: i64) {
    let sql = format!(
        "ALTER TABLE delivery_log DISABLE TRIGGER USER;
        DELETE FROM deliveries WHERE seq > (SELECT last - {lost} FROM delivery_log);
        DELETE FROM delivery_recipients WHERE seq > (SELECT last - {lost} FROM delivery_log);
        UPDATE delivery_log SET last = last - {lost}, timeline = '0000007F';
        ALTER TABLE delivery_log ENABLE TRIGGER USER;"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(raw)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_took_over_gives_no_number_twice() {
    for lost in [0, 2] {
        let Some(server) = Server::new("").await else {
            return;
        };
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
        let expected = if lost == 0 {
            CursorCheck::Good
        } else {
            CursorCheck::Expired(Some(shared.clone()))
        };
        assert_eq!(
            store.cursor_check(&read).await.unwrap(),
            expected,
            "{lost} lost"
        );
        let new = numbers(&store, shared.number).await;
        assert!(
            new.len() == 2 && new[0] > read.number,
            "{new:?} come after {read}"
        );
        let end = at_the_end(&store).await;
        assert_eq!(store.cursor_check(&end).await.unwrap(), CursorCheck::Good);
        assert_ne!(end.to_string().split_once('-').unwrap().0, "first");
    }
}

/// The ways of restoring the database of servers that run, each of which ends in an older copy of
/// it.
#[derive(Clone, Copy, Debug)]
enum Restore {
    /// Rows are put back, as a dump of data does it.
    Rows,
    /// Tables are made anew, as `pg_restore --clean` does it.
    Tables,
    /// A copy of its files takes its name.
    Database,
}

const TABLES: [&str; 5] = [
    "delivery_log",
    "delivery_epochs",
    "deliveries",
    "delivery_digests",
    "delivery_recipients",
];

impl Restore {
    async fn copy(self, server: &Server) {
        match self {
            Restore::Rows | Restore::Tables => {
                for table in TABLES {
                    server
                        .run(&format!(
                            "CREATE TABLE older_{table} AS SELECT * FROM {table}"
                        ))
                        .await;
                }
            }
            Restore::Database => {
                server.end_sessions().await;
                server
                    .run_beside(&format!(
                        "CREATE DATABASE {0}_older TEMPLATE {0}",
                        server.name()
                    ))
                    .await;
            }
        }
    }

    async fn put_back(self, server: &Server) {
        match self {
            Restore::Rows => {
                for table in TABLES {
                    server
                        .run(&format!(
                            "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM older_{table}"
                        ))
                        .await;
                }
            }
            Restore::Tables => {
                server
                    .run(
                        "CREATE TABLE log (LIKE delivery_log INCLUDING ALL); INSERT INTO log \
                            SELECT * FROM older_delivery_log",
                    )
                    .await;
                server
                    .run("DROP TABLE delivery_log; ALTER TABLE log RENAME TO delivery_log")
                    .await;
                server
                    .run(
                        "CREATE TRIGGER delivery_log_elsewhere BEFORE UPDATE OF last ON \
                            delivery_log FOR EACH ROW \
                            WHEN (NEW.last > OLD.last) EXECUTE FUNCTION begin_epoch_elsewhere()",
                    )
                    .await;
                for table in &TABLES[1..] {
                    server
                        .run(&format!(
                            "TRUNCATE {table}; INSERT INTO {table} SELECT * FROM older_{table}"
                        ))
                        .await;
                }
            }
            Restore::Database => {
                server.end_sessions().await;
                let name = server.name();
                server
                    .run_beside(&format!("ALTER DATABASE {name} RENAME TO {name}_lost"))
                    .await;
                server
                    .run_beside(&format!("ALTER DATABASE {name}_older RENAME TO {name}"))
                    .await;
            }
        }
    }
}

/// A connection that was ended fails once.
async fn connected_again(stores: &[&Store]) {
    for store in stores {
        while store.ping().await.is_err() {}
    }
}

/// Two replicas; the one that gave nothing out since the copy is the first to do so afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_postgres_under_replicas_that_run_gives_no_number_twice() {
    for restore in [Restore::Rows, Restore::Tables, Restore::Database] {
        let Some(server) = Server::new("").await else {
            return;
        };
        let (here, there) = (
            support::open(&server.url()).await,
            support::open(&server.url()).await,
        );
        here.migrate().await.unwrap();
        here.epoch_begin("first").await.unwrap();
        store_some(&here, &[1]).await;
        store_some(&there, &[2, 3]).await;
        let shared = at_the_end(&here).await;
        restore.copy(&server).await;
        connected_again(&[&here, &there]).await;
        store_some(&here, &[4, 5]).await;
        let lost = at_the_end(&there).await;
        restore.put_back(&server).await;
        connected_again(&[&here, &there]).await;
        assert_eq!(
            there.cursor_check(&lost).await.unwrap(),
            CursorCheck::Expired(Some(shared.clone())),
            "{restore:?}: at once"
        );
        store_some(&there, &[6, 7, 8]).await;
        store_some(&here, &[9]).await;
        for store in [&here, &there] {
            assert_eq!(
                store.cursor_check(&lost).await.unwrap(),
                CursorCheck::Expired(Some(shared.clone())),
                "{restore:?}"
            );
            assert_eq!(
                store.cursor_check(&shared).await.unwrap(),
                CursorCheck::Good,
                "{restore:?}"
            );
            let new = numbers(store, shared.number).await;
            assert!(
                new.len() == 4 && new[0] > lost.number,
                "{restore:?}: {new:?} come after {lost}"
            );
            assert_eq!(
                new[3] - new[0],
                3,
                "{restore:?}: one epoch more, and no other: {new:?}"
            );
        }
    }
}

/// Copies as a backup tool does: into the file that is open.
fn back_up(from: &str, to: &str) {
    let (from, mut to) = (
        rusqlite::Connection::open(from).unwrap(),
        rusqlite::Connection::open(to).unwrap(),
    );
    let backup = rusqlite::backup::Backup::new(&from, &mut to).unwrap();
    backup
        .run_to_completion(1_000, std::time::Duration::ZERO, None)
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_written_over_an_open_sqlite_file_gives_no_number_twice() {
    let fresh = support::sqlite().await;
    let (store, copy) = (&fresh.store, format!("{}.copy", fresh.url));
    store.epoch_begin("first").await.unwrap();
    store_some(store, &[1, 2, 3]).await;
    let shared = at_the_end(store).await;
    back_up(&fresh.url, &copy);
    store_some(store, &[4, 5]).await;
    let (mut lost, mut highest) = (vec![at_the_end(store).await], shared.number);
    // The same copy three times: what was given out after the first is lost, too.
    for round in 1..=3 {
        back_up(&copy, &fresh.url);
        store_some(store, &[10 * round, 10 * round + 1, 10 * round + 2]).await;
        for cursor in &lost {
            assert_ne!(
                store.cursor_check(cursor).await.unwrap(),
                CursorCheck::Good,
                "{cursor}"
            );
        }
        assert_eq!(
            store.cursor_check(&lost[0]).await.unwrap(),
            CursorCheck::Expired(Some(shared.clone()))
        );
        assert_eq!(
            store.cursor_check(&shared).await.unwrap(),
            CursorCheck::Good
        );
        let new = numbers(store, shared.number).await;
        assert!(
            new.len() == 3 && new[0] > highest,
            "{new:?} come after {highest}"
        );
        assert_eq!(new[2] - new[0], 2);
        (lost, highest) = ([lost, vec![at_the_end(store).await]].concat(), new[2]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_in_which_nothing_is_missing_begins_nothing() {
    let fresh = support::sqlite().await;
    fresh.store.epoch_begin("first").await.unwrap();
    store_some(&fresh.store, &[1, 2]).await;
    let read = at_the_end(&fresh.store).await;
    back_up(&fresh.url, &format!("{}.copy", fresh.url));
    back_up(&format!("{}.copy", fresh.url), &fresh.url);
    store_some(&fresh.store, &[3]).await;
    assert_eq!(numbers(&fresh.store, read.number).await, [read.number + 1]);
}
