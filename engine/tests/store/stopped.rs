//! A process that stands still in the middle of something, as after SIGSTOP or in front of a cut
//! cable: what it holds must not hold up the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use relink_engine::identity::Role;
use relink_engine::store::Store;
use sqlx::Row as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::support::{self, Server, delivery, member};

/// A cable between a process and its database. After this number of messages of the process nothing
/// gets through any more, either way.
struct Cable {
    url: String,
    left: Arc<AtomicI64>,
}

impl Cable {
    async fn new(url: &str) -> Cable {
        let server = url
            .split(['@', '/', '?'])
            .find(|part| part.contains("127.0.0.1:"))
            .unwrap()
            .to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let (left, counted) = (
            Arc::new(AtomicI64::new(i64::MAX)),
            url.replace(&server, &own),
        );
        let cable = Cable {
            url: counted,
            left: left.clone(),
        };
        tokio::spawn(async move {
            while let Ok((process, _)) = listener.accept().await {
                let (server, left) = (server.clone(), left.clone());
                tokio::spawn(async move {
                    let (up_read, down_write) = process.into_split();
                    let (down_read, up_write) =
                        TcpStream::connect(&server).await.unwrap().into_split();
                    let up = pass(up_read, up_write, left.clone(), true);
                    tokio::join!(up, pass(down_read, down_write, left, false));
                });
            }
        });
        cable
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    left: Arc<AtomicI64>,
    counts: bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let left = if counts {
            left.fetch_sub(1, Ordering::SeqCst)
        } else {
            left.load(Ordering::SeqCst) + 1
        };
        if left <= 0 {
            // It stands still: open, and silent.
            return std::future::pending().await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// A database of its own with somebody in it.
async fn served() -> Option<(Server, Store)> {
    let server = Server::new("").await?;
    let store = support::open(&server.url()).await;
    store.migrate().await.unwrap();
    member(&store, "north", "a@example.com", Role::Owner).await;
    Some((server, store))
}

/// Counts the sessions that are not ours, by what they are doing.
async fn others(server: &Server, state: &str) -> i64 {
    const SQL: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND pid <> pg_backend_pid() AND state = ";
    let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{SQL}'{state}'")));
    sql.fetch_one(&mut server.connect().await)
        .await
        .unwrap()
        .get(0)
}

/// Stands still after this many messages of the work; another process stores meanwhile. Answers how
/// many transactions are left open.
async fn stands_still<T: Send + 'static>(
    server: &Server,
    store: &Store,
    at: i64,
    work: impl Fn(Store) -> JoinHandle<T>,
) -> i64 {
    let cable = Cable::new(&server.url()).await;
    let stopped = support::open(&cable.url).await;
    // Connections and statements are ready.
    let ready = format!("ready {at} {}", store.delivery_bytes().await.unwrap());
    stopped
        .deliveries_put(&[delivery("w", ready.as_bytes(), 1)])
        .await
        .unwrap();
    cable.left.store(at, Ordering::SeqCst);
    let working = work(stopped);
    while cable.left.load(Ordering::SeqCst) >= 0 && !working.is_finished() {
        tokio::task::yield_now().await;
    }
    while others(server, "active").await > 0 {}
    let open = others(server, "idle in transaction").await;
    let new = [delivery("w", format!("another {ready}").as_bytes(), 1)];
    let put = timeout(Duration::from_secs(20), store.deliveries_put(&new)).await;
    assert!(matches!(put, Ok(Ok(_))), "after {at} messages: {put:?}");
    // A row is waited for two and a half seconds: who waited longer was turned away.
    store
        .audit_note(&support::act("org-north", "a", 1))
        .await
        .unwrap();
    working.abort();
    open
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stands_still_keeps_no_other_from_storing() {
    let Some((server, store)) = served().await else {
        return;
    };
    for at in 1..=4 {
        let put = |store: Store| {
            tokio::spawn(async move {
                let new = [delivery("w", b"stopped", 1), delivery("w", b"stopped", 2)];
                store.deliveries_put(&new).await
            })
        };
        let open = stands_still(&server, &store, at, put).await;
        assert_eq!(
            open, 0,
            "after {at} messages the row that all need is held by nobody"
        );
        stands_still(&server, &store, at, |store| {
            tokio::spawn(async move { store.deliveries_prune(0, 1).await })
        })
        .await;
        // What it left open is over before the next one: the server sees to that.
        while others(&server, "idle in transaction").await > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stands_still_keeps_no_other_from_writing_a_line_of_the_audit_trail() {
    for at in 1..=10 {
        let Some((server, store)) = served().await else {
            return;
        };
        let note = |store: Store| {
            tokio::spawn(async move { store.audit_note(&support::act("org-north", "a", 1)).await })
        };
        stands_still(&server, &store, at, note).await;
        assert_eq!(
            store.audit_verify("org-north").await.unwrap().broken_at,
            None
        );
    }
}
