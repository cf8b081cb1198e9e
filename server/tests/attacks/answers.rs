//! The attacks by somebody who asks for much and does not read it: that costs the key that asked.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use crate::process::client;
use crate::site::Site;
use crate::support::{SOON, connection, deliver_from, key, resident_mb, workspace};

/// A program that asks and takes as little of the answer as can be.
async fn ask(site: &Site, key: &str, head: &str, body: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let addr = site.relink.url.strip_prefix("http://").unwrap();
    let mut stream = socket.connect(addr.parse().unwrap()).await.unwrap();
    let asked = format!(
        "{head} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Length: \
            {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(asked.as_bytes()).await.unwrap();
    stream
}

/// The head of an answer, in small letters.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = vec![0; 1_024];
    let read = timeout(Duration::from_secs(60), stream.read(&mut head))
        .await
        .expect("an answer")
        .unwrap();
    String::from_utf8_lossy(&head[..read]).to_lowercase()
}

async fn status(site: &Site, key: &str, path: &str, body: Option<&str>) -> u16 {
    let url = format!("{}/api/v1{path}", site.relink.url);
    let asked = match body {
        Some(body) => client().post(url).body(body.to_owned()),
        None => client().get(url),
    };
    timeout(SOON, asked.bearer_auth(key).send())
        .await
        .expect("an answer")
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_that_takes_none_of_200_large_answers_of_linear_has_its_share_and_no_more() {
    let site = Site::open().await;
    site.connect("acme-robotics").await;
    let (greedy, other) = (key(&site, "greedy"), key(&site, "other"));
    let path = format!(
        "/connections/{}/graphql",
        connection(&site)["id"].as_str().unwrap()
    );
    let large = json!({ "endpoint": "graphql", "operation": "LARGE", "kind": "odd_fields",
        "fields": { "pad": "a".repeat(7_900_000) }, "count": 1_000 });
    let large = serde_json::from_value(large).unwrap();
    site.linear.add_fault(large).unwrap();
    let question = r#"{"query":"query LARGE { viewer { id } }"}"#;
    let before = resident_mb(&site);
    let mut unread = Vec::new();
    for _ in 0..200 {
        unread.push(ask(&site, &greedy, &format!("POST /api/v1{path}"), question).await);
    }
    let mut told = Vec::new();
    for stream in &mut unread {
        told.push(head(stream).await);
    }
    let grown = resident_mb(&site).saturating_sub(before);
    let full = |head: &&String| head.starts_with("http/1.1 503") && head.contains("retry-after: ");
    let refused = told.iter().filter(full).count();
    let taken = told
        .iter()
        .filter(|head| head.starts_with("http/1.1 200"))
        .count();
    assert!(grown < 400, "{grown} MB, {taken} answers");
    assert!(
        (2..=5).contains(&taken) && taken + refused == 200,
        "{taken} and {refused}: {:?}",
        told.iter()
            .find(|head| !full(head) && !head.starts_with("http/1.1 200"))
    );
    assert_eq!(status(&site, &other, &path, Some(question)).await, 200);
    let short = r#"{"query":"{ viewer { id } }"}"#;
    assert_eq!(
        status(&site, &greedy, &path, Some(short)).await,
        200,
        "a short answer"
    );
    drop(unread);
    for _ in 0..100 {
        if status(&site, &greedy, &path, Some(question)).await == 200 {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("what nobody waits for any more still takes its room");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_that_takes_none_of_150_pages_of_deliveries_holds_up_no_other_key() {
    let site = Site::open().await;
    let workspace = workspace(&site).await;
    // Each letter takes two, as JSON in JSON.
    let large = "\"".repeat(1_040_000);
    for number in 0..3 {
        assert_eq!(
            deliver_from("127.0.0.1", &site, &workspace, number, &large).await,
            200
        );
    }
    let (greedy, other) = (key(&site, "greedy"), key(&site, "other"));
    let token = format!(
        "/connections/{}/token",
        connection(&site)["id"].as_str().unwrap()
    );
    let before = resident_mb(&site);
    let mut unread = Vec::new();
    for _ in 0..150 {
        unread.push(ask(&site, &greedy, "GET /api/v1/deliveries?limit=500", "").await);
    }
    for path in [token.as_str(), "/connections", "/people", token.as_str()] {
        let body = path.ends_with("token").then_some("{}");
        assert_eq!(status(&site, &other, path, body).await, 200, "{path}");
    }
    let mut told = Vec::new();
    for stream in &mut unread {
        told.push(head(stream).await);
    }
    let grown = resident_mb(&site).saturating_sub(before);
    let taken = told
        .iter()
        .filter(|head| head.starts_with("http/1.1 200"))
        .count();
    assert!(grown < 400, "{grown} MB, {taken} answers");
    assert!(taken > 0 && taken < 5, "{taken}");
}
