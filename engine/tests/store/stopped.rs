//! A process that stands still in the middle of something, as after SIGSTOP or in front of a cut cable: what it holds must not
//! hold up the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use relink_engine::account::Role;
use relink_engine::store::Store;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::deliveries::delivery;
use crate::support::{self, Fresh, member};

/// Between a process and its database. After so many messages of the process nothing gets through any more, either way.
struct Cable {
    url: String,
    left: Arc<AtomicI64>,
}

impl Cable {
    async fn new(url: &str) -> Cable {
        let server = url.split(['@', '/', '?']).find(|part| part.contains("127.0.0.1:")).unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let (left, counted) = (Arc::new(AtomicI64::new(i64::MAX)), url.replace(&server, &own));
        let cable = Cable { url: counted, left: left.clone() };
        tokio::spawn(async move {
            while let Ok((process, _)) = listener.accept().await {
                let (server, left) = (server.clone(), left.clone());
                tokio::spawn(async move {
                    let (up_read, down_write) = process.into_split();
                    let (down_read, up_write) = TcpStream::connect(&server).await.unwrap().into_split();
                    let up = pass(up_read, up_write, left.clone(), true);
                    tokio::join!(up, pass(down_read, down_write, left, false));
                });
            }
        });
        cable
    }
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, left: Arc<AtomicI64>, counts: bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let left = if counts { left.fetch_sub(1, Ordering::SeqCst) } else { left.load(Ordering::SeqCst) + 1 };
        if left <= 0 {
            // It stands still: open, and silent.
            return std::future::pending().await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Stands still after so many messages of the work; another process stores meanwhile.
async fn stands_still<T: Send + 'static>(fresh: &Fresh, at: i64, work: impl Fn(Store) -> JoinHandle<T>) {
    let cable = Cable::new(&fresh.url).await;
    let stopped = support::open(&cable.url).await;
    // Connections and statements are ready.
    stopped
        .deliveries_put(&[delivery("w", format!("ready {at} {}", fresh.store.delivery_bytes().await.unwrap()).as_bytes(), 1)])
        .await
        .unwrap();
    cable.left.store(at, Ordering::SeqCst);
    let working = work(stopped);
    while cable.left.load(Ordering::SeqCst) > 0 && !working.is_finished() {
        tokio::task::yield_now().await;
    }
    let new = [delivery("w", format!("another {at}").as_bytes(), 1)];
    let put = timeout(Duration::from_secs(20), fresh.store.deliveries_put(&new)).await;
    assert!(matches!(put, Ok(Ok(_))), "after {at} messages: {put:?}");
    // A row is waited for two and a half seconds: who waited longer was turned away.
    fresh.store.audit_note(&support::act("org-north", "a", 1)).await.unwrap();
    working.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stands_still_keeps_no_other_from_storing() {
    let Some(fresh) = support::postgres().await else { return };
    member(&fresh.store, "north", "a@example.com", Role::Owner).await;
    for at in 1..=8 {
        stands_still(&fresh, at, |store| {
            tokio::spawn(async move {
                let new = [delivery("w", b"stopped", 1), delivery("w", b"stopped", 2)];
                store.deliveries_put(&new).await
            })
        })
        .await;
        stands_still(&fresh, at, |store| tokio::spawn(async move { store.deliveries_prune(0, 1).await })).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stands_still_keeps_no_other_from_writing_a_line_of_the_audit_trail() {
    for at in 1..=10 {
        let Some(fresh) = support::postgres().await else { return };
        member(&fresh.store, "north", "a@example.com", Role::Owner).await;
        stands_still(&fresh, at, |store| tokio::spawn(async move { store.audit_note(&support::act("org-north", "a", 1)).await })).await;
        assert_eq!(fresh.store.audit_verify("org-north").await.unwrap().broken_at, None);
    }
}
