//! Stops: they end in time whatever hangs, and leave nobody who came before without an answer.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use relink_simulator::{Fault, Kind};
use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};
use tokio::time::sleep;

use crate::cable::Cable;
use crate::fleet::{DAY_S, EMAIL, Fleet, PASSWORD, body, deliver, empty_database, fault};
use crate::process::{Place, Running, client};

/// The time that supervisors wait before they kill.
const IN_TIME: Duration = Duration::from_secs(15);

/// Everything that a server may be in the middle of: a token asked for, an open page, and half a
/// request.
async fn in_the_middle(fleet: &Fleet, id: &str) -> TcpStream {
    let url = fleet.url(0).to_owned();
    let browser = client();
    let fields = [("email", EMAIL), ("password", PASSWORD)];
    assert_eq!(
        browser
            .post(format!("{url}/signin"))
            .form(&fields)
            .send()
            .await
            .unwrap()
            .status(),
        303
    );
    let stream = browser
        .get(format!("{url}/live?from=0-0"))
        .send()
        .await
        .unwrap();
    assert_eq!(stream.status(), 200);
    tokio::spawn(stream.bytes());
    let rejected = json!({ "rejected": fleet.token(0, id).await.fingerprint() });
    drop(fleet.asking(0, id, rejected));
    let mut half = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    half.write_all(b"POST /webhooks/linear HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        .unwrap();
    half
}

/// Asks the first server to stop; it must be gone in time. Answers its exit code.
async fn stopped(fleet: &mut Fleet) -> Option<i32> {
    let mut running = fleet.servers[0].take().unwrap();
    running.signal("TERM");
    let began = Instant::now();
    let code = running.exit_code().await;
    assert!(
        began.elapsed() < IN_TIME,
        "{:?}: {}",
        began.elapsed(),
        running.said()
    );
    assert!(!running.said().contains("panicked"), "{}", running.said());
    code
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_in_time_while_postgres_hangs() {
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
    let id = fleet.connect(1, DAY_S).await.remove(0);
    fleet.start(1).await;
    fleet.token(0, &id).await;
    cable.go_dead();
    let asking = fleet.asking(0, &id, json!({ "rejected": "0000000000000000" }));
    sleep(Duration::from_millis(300)).await;
    // 1 where something had to be cut off; the limits of the sessions themselves may have been
    // shorter.
    assert!(
        matches!(stopped(&mut fleet).await, Some(0 | 1)),
        "it ended by itself"
    );
    assert!(asking.await.unwrap().is_none_or(|told| told.status == 503));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_in_time_while_another_process_holds_the_lock_of_sqlite() {
    let mut fleet = Fleet::on_sqlite().await;
    let id = fleet.connect(1, DAY_S).await.remove(0);
    fleet.start(1).await;
    let rejected = json!({ "rejected": fleet.token(0, &id).await.fingerprint() });
    let file = fleet.place.path().join("data/relink.db");
    let mut other = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
        .await
        .unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let asking = fleet.asking(0, &id, rejected);
    let (url, secret) = (
        format!("{}/webhooks/linear", fleet.url(0)),
        fleet.linear.app().webhook_secret,
    );
    let sent = body(&id, "1");
    let sending = tokio::spawn(async move { deliver(&client(), &url, &secret, &sent).await });
    sleep(Duration::from_millis(300)).await;
    stopped(&mut fleet).await;
    assert!(asking.await.unwrap().is_none_or(|told| told.status != 500));
    assert_eq!(
        sending.await.unwrap(),
        Some(503),
        "nothing is acknowledged that is not stored"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_in_time_while_linear_a_destination_and_clients_hang() {
    let mut fleet = Fleet::on_sqlite().await;
    fleet.place = fleet.place.set("RELINK_ALLOW_PRIVATE_DESTINATIONS", "true");
    let id = fleet.connect(1, DAY_S).await.remove(0);
    // Takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    fleet
        .destination(&format!("http://{}/", silent.local_addr().unwrap()))
        .await;
    fleet.start(1).await;
    fleet
        .linear
        .add_fault(Fault {
            count: 100,
            ..fault(Kind::Hang, 0)
        })
        .unwrap();
    let half = in_the_middle(&fleet, &id).await;
    assert_eq!(fleet.deliver(0, &id, "1").await, Some(200));
    drop(silent.accept().map(std::mem::forget));
    // Whoever waits for the token is cut off; all of it is taken up again by whoever is next.
    assert_eq!(stopped(&mut fleet).await, Some(1));
    drop(half);
}

/// Asks again and again on a connection of its own, until nobody listens. Answers what went wrong.
fn caller(address: SocketAddr, stopping: &AtomicBool) -> (u32, Vec<String>) {
    let (mut answered, mut wrong) = (0, Vec::new());
    loop {
        let asked = match TcpStream::connect_timeout(&address, Duration::from_secs(10)) {
            Ok(mut stream) => ask(&mut stream),
            // Nobody took the connection, and the caller knows.
            Err(error)
                if error.kind() == ErrorKind::ConnectionRefused
                    && stopping.load(Ordering::SeqCst) =>
            {
                return (answered, wrong);
            }
            Err(error) => Err(error),
        };
        match asked {
            Ok(reply) if reply.starts_with("HTTP/1.1 200") && reply.ends_with("}") => answered += 1,
            Ok(reply) => wrong.push(format!("{reply:?}")),
            Err(error) => wrong.push(error.to_string()),
        }
    }
}

fn ask(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut reply = String::new();
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_let_in_before_a_stop_gets_an_answer() {
    let place = Place::new().set("RELINK_LOG", "warn");
    let mut answered = 0;
    for round in 0..12 {
        let mut running = Running::serve(&place).await;
        let address: SocketAddr = running
            .url
            .strip_prefix("http://")
            .unwrap()
            .parse()
            .unwrap();
        let stopping = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let stopping = stopping.clone();
                std::thread::spawn(move || caller(address, &stopping))
            })
            .collect();
        sleep(Duration::from_millis(100 + 7 * round)).await;
        stopping.store(true, Ordering::SeqCst);
        running.signal("TERM");
        assert_eq!(running.exit_code().await, Some(0));
        for caller in callers {
            let (count, wrong) = caller.join().unwrap();
            assert!(wrong.is_empty(), "round {round}: {wrong:?}");
            answered += count;
        }
    }
    assert!(answered > 100, "{answered}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_kept_until_the_stop_and_told_to_end_then() {
    let place = Place::new();
    let mut running = Running::serve(&place).await;
    let address = running.url.strip_prefix("http://").unwrap().to_owned();
    let (mut kept, mut fresh) = (
        TcpStream::connect(&address).unwrap(),
        TcpStream::connect(&address).unwrap(),
    );
    let ask = |stream: &mut TcpStream| {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        let mut bytes = [0; 4_096];
        let count = stream.read(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..count]).to_lowercase()
    };
    for _ in 0..2 {
        assert!(!ask(&mut kept).contains("connection: close"));
    }
    running.signal("TERM");
    // The port is closed by then, and the connection that has said nothing yet is still served.
    sleep(Duration::from_millis(800)).await;
    assert_eq!(
        TcpStream::connect(&address).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    assert_eq!(
        kept.read(&mut [0]).unwrap(),
        0,
        "nobody waits for its next request"
    );
    let last = ask(&mut fresh);
    assert!(
        last.starts_with("http/1.1 200") && last.contains("connection: close"),
        "{last}"
    );
    assert_eq!(running.exit_code().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_goes_on_arriving_is_waited_for() {
    let mut running = Running::serve(&Place::new()).await;
    let mut stream = TcpStream::connect(running.url.strip_prefix("http://").unwrap()).unwrap();
    let signature = "0".repeat(64);
    let head = format!(
        "POST /webhooks/linear HTTP/1.1\r\nHost: x\r\nLinear-Signature: \
            {signature}\r\nContent-Length: 100\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    for part in 0..10 {
        stream.write_all(b"0123456789").unwrap();
        if part == 0 {
            sleep(Duration::from_millis(100)).await;
            running.signal("TERM");
        }
        sleep(Duration::from_millis(250)).await;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(running.exit_code().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_outlives_the_stop_is_cut_off_and_the_exit_code_says_so() {
    let mut fleet = Fleet::on_sqlite().await;
    let id = fleet.connect(1, DAY_S).await.remove(0);
    fleet.start(1).await;
    let rejected = json!({ "rejected": fleet.token(0, &id).await.fingerprint() });
    // After the eight seconds that an answer has, before the eleven that a refresh has to land in.
    fleet
        .linear
        .add_fault(fault(Kind::DelayReply, 9_800))
        .unwrap();
    let asking = fleet.asking(0, &id, rejected);
    sleep(Duration::from_millis(500)).await;
    let mut running = fleet.servers[0].take().unwrap();
    running.signal("TERM");
    assert_eq!(running.exit_code().await, Some(1), "{}", running.said());
    assert!(
        running.said().contains("were cut off"),
        "{}",
        running.said()
    );
    assert!(
        asking.await.unwrap().is_none(),
        "nothing is answered while the database closes"
    );
}
