//! PostgreSQL as others run it: with defaults that are not ours, few connections, and processes
//! that stand still.

use std::time::Duration;

use relink_engine::identity::Role;
use relink_engine::store::{Store, StoreError};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::support::{self, Server, act, adoption, delivery, member};

/// A note of a session's settings, written down by the database whenever something is stored.
const SEEN: &str = "CREATE TABLE seen (setting TEXT NOT NULL);
    CREATE FUNCTION note_setting() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO seen SELECT concat_ws(' ', current_setting('transaction_isolation'),
            current_setting('synchronous_commit'), current_setting('lock_timeout'),
            current_setting('statement_timeout'),
            current_setting('idle_in_transaction_session_timeout'));
        RETURN NEW;
    END $$;
    CREATE TRIGGER note_setting BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION note_setting();
    CREATE TRIGGER note_setting BEFORE INSERT ON processes FOR EACH ROW
        EXECUTE FUNCTION note_setting();";

/// One transaction and one statement.
async fn write(store: &Store) {
    store.audit_note(&act("org-north", "a", 1)).await.unwrap();
    store.process_beat("p", 1).await.unwrap();
}

async fn seen(server: &Server) -> Vec<String> {
    let mut raw = server.connect().await;
    let rows = sqlx::query("SELECT DISTINCT setting COLLATE \"C\" FROM seen ORDER BY 1")
        .fetch_all(&mut raw)
        .await
        .unwrap();
    sqlx::raw_sql("DELETE FROM seen; DELETE FROM processes")
        .execute(&mut raw)
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn settings_are_ours(server: Server, url: String) {
    let store = support::open(&url).await;
    store.migrate().await.unwrap();
    member(&store, "north", "a@example.com", Role::Owner).await;
    store.close().await;
    sqlx::raw_sql(SEEN)
        .execute(&mut server.connect().await)
        .await
        .unwrap();
    for (committing, ours) in [
        ("off", "on"),
        ("local", "on"),
        ("on", "on"),
        ("remote_apply", "remote_apply"),
    ] {
        for setting in [
            "default_transaction_isolation = 'serializable'",
            "lock_timeout = 0",
            "statement_timeout = 0",
            "idle_in_transaction_session_timeout = 0",
            &format!("synchronous_commit = {committing}"),
        ] {
            server.set(setting).await;
        }
        // Behind a pooler, connections to the server are older than these defaults.
        server.end_sessions().await;
        let store = support::open(&url).await;
        write(&store).await;
        let settings = |statement| format!("read committed {ours} 2500ms {statement} 2s");
        assert_eq!(
            seen(&server).await,
            [settings("10s"), settings("3s")],
            "a single statement, and one of several"
        );
        write(&store.for_pages()).await;
        assert_eq!(
            seen(&server).await,
            [settings("3s"), settings("5s")],
            "pages have less time"
        );
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_as_we_need_them_whatever_the_defaults() {
    let Some(server) = Server::new("").await else {
        return;
    };
    let url = server.url();
    settings_are_ours(server, url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_behind_a_pooler_are_as_we_need_them_whatever_the_defaults() {
    let Some(server) = Server::new("").await else {
        return;
    };
    let url = server.pooled_url();
    settings_are_ours(server, url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_store_at_once_are_not_turned_away_where_the_default_is_serializable() {
    let Some(server) = Server::new("").await else {
        return;
    };
    server
        .set("default_transaction_isolation = 'serializable'")
        .await;
    let store = support::open(&server.url()).await;
    store.migrate().await.unwrap();
    let person = member(&store, "north", "a@example.com", Role::Owner).await;
    store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    let mut writers = JoinSet::new();
    for number in 0..60_u32 {
        let store = store.clone();
        writers.spawn(async move {
            let new = [delivery("w", &number.to_be_bytes(), 1)];
            let put = store
                .deliveries_put(&new)
                .await
                .map(|stored| assert_eq!(stored.fresh, [true]));
            put.and(store.audit_note(&act("org-north", "a", 1)).await)
        });
    }
    for written in writers.join_all().await {
        written.unwrap();
    }
    assert_eq!(
        store.audit_verify("org-north").await.unwrap().broken_at,
        None
    );
}

/// The database undoes what is stored this many times, with this code.
async fn undo(server: &Server, code: &str, times: i32) {
    let sql = format!(
        "CREATE SEQUENCE tries;
        CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('tries') <= {times} THEN
                RAISE EXCEPTION 'not now' USING ERRCODE = '{code}';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER undo BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION undo();
        CREATE TRIGGER undo BEFORE INSERT ON processes FOR EACH ROW EXECUTE FUNCTION undo();"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut server.connect().await)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_undid_for_others_sake_is_done_again() {
    for code in ["40001", "40P01"] {
        let Some(server) = Server::new("").await else {
            return;
        };
        for url in [server.url(), server.pooled_url()] {
            let store = support::open(&url).await;
            store.migrate().await.unwrap();
            member(&store, "north", "a@example.com", Role::Owner).await;
            let before = store.audit_head("org-north").await.unwrap().unwrap().number;
            undo(&server, code, 2).await;
            store.audit_note(&act("org-north", "a", 1)).await.unwrap();
            sqlx::raw_sql("SELECT setval('tries', 1, false)")
                .execute(&mut server.connect().await)
                .await
                .unwrap();
            store.process_beat("p", 1).await.unwrap();
            assert_eq!(
                store.audit_head("org-north").await.unwrap().unwrap().number,
                before + 1,
                "written once"
            );
            sqlx::raw_sql("DROP FUNCTION undo CASCADE; DROP SEQUENCE tries; DELETE FROM processes")
                .execute(&mut server.connect().await)
                .await
                .unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_undoes_every_time_is_an_error_in_the_end_and_any_other_error_at_once() {
    for (code, tries) in [("40001", 6), ("23514", 1)] {
        let Some(server) = Server::new("").await else {
            return;
        };
        let store = support::open(&server.url()).await;
        store.migrate().await.unwrap();
        undo(&server, code, i32::MAX).await;
        store.process_beat("p", 1).await.unwrap_err();
        let tried: i64 = sqlx::query_scalar("SELECT last_value FROM tries")
            .fetch_one(&mut server.connect().await)
            .await
            .unwrap();
        assert_eq!(tried, tries, "{code}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_utf8_is_refused_with_what_to_do() {
    let Some(server) =
        Server::new("ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'").await
    else {
        return;
    };
    let refused = Store::open_postgres(&server.url()).await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Encoding(encoding) if encoding == "SQL_ASCII"),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("ENCODING 'UTF8'"), "{refused}");
}

/// A transaction of somebody else's that holds these rows.
async fn hold(server: &Server, rows: &str) -> PgConnection {
    let mut raw = server.connect().await;
    let sql = format!("BEGIN; SELECT 1 FROM {rows} FOR UPDATE");
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut raw)
        .await
        .unwrap();
    raw
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_one_organisation_leaves_room_for_the_others() {
    let Some(server) = Server::new("").await else {
        return;
    };
    let store = Store::open_postgres_pool(&server.url(), 4).await.unwrap();
    store.audit_unlock(support::audit_key());
    store.migrate().await.unwrap();
    for slug in ["north", "south"] {
        member(&store, slug, &format!("{slug}@example.com"), Role::Owner).await;
    }
    let held = hold(&server, "audit_heads WHERE organisation_id = 'org-north'").await;
    let mut waiting = JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        waiting.spawn(async move { store.audit_note(&act("org-north", "a", 1)).await });
    }
    sleep(Duration::from_millis(300)).await;
    // Sooner than any of them gives up.
    timeout(
        Duration::from_secs(2),
        store.audit_note(&act("org-south", "a", 1)),
    )
    .await
    .unwrap()
    .unwrap();
    assert!(waiting.try_join_next().is_none(), "all of them wait");
    held.close().await.unwrap();
    for written in waiting.join_all().await {
        written.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_wait_leave_half_of_the_connections() {
    let Some(server) = Server::new("").await else {
        return;
    };
    let store = Store::open_postgres_pool(&server.url(), 4).await.unwrap();
    store.audit_unlock(support::audit_key());
    store.migrate().await.unwrap();
    let organisations = ["north", "south", "east", "west", "up", "down"];
    for slug in organisations {
        member(&store, slug, &format!("{slug}@example.com"), Role::Owner).await;
    }
    let held = hold(&server, "audit_heads").await;
    let mut waiting = JoinSet::new();
    for slug in organisations {
        let pages = store.for_pages();
        waiting.spawn(async move { pages.audit_note(&act(&format!("org-{slug}"), "a", 1)).await });
    }
    sleep(Duration::from_millis(300)).await;
    timeout(Duration::from_secs(2), store.process_beat("p", 1))
        .await
        .unwrap()
        .unwrap();
    let page = store.for_pages();
    assert!(
        timeout(Duration::from_millis(300), page.ping())
            .await
            .is_err(),
        "pages wait for each other"
    );
    timeout(Duration::from_secs(2), page.for_programs().ping())
        .await
        .unwrap()
        .unwrap();
    held.close().await.unwrap();
    for written in waiting.join_all().await {
        written.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_have_few_connections_is_served_with_those() {
    let Some(server) = Server::limited(3).await else {
        return;
    };
    let store = support::open(&server.url()).await;
    store.migrate().await.unwrap();
    member(&store, "north", "a@example.com", Role::Owner).await;
    let mut writers = JoinSet::new();
    for number in 0..40_u32 {
        let store = store.clone();
        writers.spawn(async move {
            store.process_beat(&number.to_string(), 1).await?;
            store.audit_note(&act("org-north", "a", 1)).await
        });
    }
    for written in writers.join_all().await {
        written.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_when_all_connections_are_taken_waits_for_one() {
    let Some(server) = Server::limited(2).await else {
        return;
    };
    let (one, other) = (
        PgConnection::connect(&server.url()).await.unwrap(),
        PgConnection::connect(&server.url()).await.unwrap(),
    );
    let url = server.url();
    let opening = tokio::spawn(async move { Store::open_postgres_pool(&url, 2).await });
    sleep(Duration::from_millis(600)).await;
    assert!(!opening.is_finished(), "it waits");
    one.close().await.unwrap();
    other.close().await.unwrap();
    opening.await.unwrap().unwrap().ping().await.unwrap();
}
