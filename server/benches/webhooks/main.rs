//! Webhooks of the release binary: durable ingest against a Node server that verifies and stores
//! nothing, verifying alone against the bare digest, memory over a million, and handing on. In one
//! run on one machine.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark stops where something is wrong"
)]

#[path = "../beside.rs"]
mod beside;
#[path = "../../tests/process/fleet.rs"]
#[expect(dead_code, reason = "tests do more with a fleet")]
mod fleet;
#[path = "../load.rs"]
#[expect(dead_code, reason = "pages are loaded too")]
mod load;
#[path = "../../tests/process/process.rs"]
#[expect(dead_code, reason = "tests do more with processes")]
mod process;

use std::error::Error;
use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use beside::Beside;
use fleet::{DAY_S, Fleet, ORG, command, now_ms};
use load::{load_each, resident_kib};
use relink_engine::webhook::SigningKey;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

const CONNECTIONS: usize = 16;
const SECONDS: u64 = 5;
const ROUNDS: u32 = 3;
/// Bytes of a typical body.
const BODY: usize = 1_800;
const MILLION: u64 = 1_000_000;
const HANDED_ON: u64 = 20_000;
/// The number of times that the memory is told of.
const QUARTERS: usize = 4;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    verify_alone();
    ingest().await?;
    million().await?;
    hand_on().await
}

/// Bodies that differ, each signed, as whole requests.
#[derive(Clone)]
struct Linear {
    key: SigningKey,
    workspace: String,
    next: Arc<AtomicU64>,
}

impl Linear {
    async fn of(fleet: &Fleet) -> Linear {
        let workspace = fleet.connect(1, DAY_S).await.remove(0);
        Linear {
            key: SigningKey::new(&fleet.linear.app().webhook_secret.into()).unwrap(),
            workspace,
            next: Arc::default(),
        }
    }

    fn body(&self, number: u64) -> String {
        let mut body = format!(
            r#"{{"action":"update","type":"Issue","organizationId":"{}","webhookTimestamp":{},"#,
            self.workspace,
            now_ms()
        );
        body.push_str(r#""webhookId":"h","createdAt":"2026-11-19T14:02:11.000Z","#);
        body.push_str(r#""actor":{"id":"u","name":"Mara","type":"user"},"data":{"#);
        let data = format!(r#""id":"i{number}","identifier":"ENG-{number}","description":""#);
        body.push_str(&data);
        let filling = BODY - body.len() - 3;
        body.extend(std::iter::repeat_n('x', filling));
        body.push_str("\"}}");
        body
    }

    fn fill(&self, buffer: &mut Vec<u8>) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let body = self.body(number);
        let signature = self.key.sign(body.as_bytes());
        buffer.clear();
        let head = format!(
            "POST /webhooks/linear HTTP/1.1\r\nhost: relink\r\ncontent-type: application/json; \
                charset=utf-8\r\nuser-agent: Linear-Webhook\r\n\
                linear-delivery: d4c1f0a2-0000-4000-8000-{number:012}\r\nlinear-event: \
                Issue\r\ncontent-length: {}\r\nlinear-signature: ",
            body.len()
        );
        buffer.extend_from_slice(head.as_bytes());
        buffer.extend_from_slice(&signature);
        buffer.extend_from_slice(b"\r\n\r\n");
        buffer.extend_from_slice(body.as_bytes());
    }

    async fn load(&self, addr: &str, span: Duration) -> Result<load::Outcome, Box<dyn Error>> {
        let make = || {
            let linear = self.clone();
            move |buffer: &mut Vec<u8>| linear.fill(buffer)
        };
        load_each(addr, CONNECTIONS, span, make).await
    }
}

fn verify_alone() {
    let key = SigningKey::new(&"lin_wh_0123456789abcdef".into()).unwrap();
    let body = vec![b'x'; BODY];
    let signature = key.sign(&body);
    let per_second = |work: &dyn Fn()| {
        let (began, mut times) = (Instant::now(), 0_u32);
        while began.elapsed() < Duration::from_secs(1) {
            for _ in 0..1_000 {
                work();
            }
            times += 1_000;
        }
        f64::from(times) / began.elapsed().as_secs_f64()
    };
    let verified = per_second(&|| {
        black_box(key.verifies(black_box(&body), black_box(&signature)));
    });
    let digested = per_second(&|| {
        black_box(Sha256::digest(black_box(&body)));
    });
    println!("verify, {BODY} bytes          {verified:>9.0} a second, one core");
    println!(
        "sha2 alone                   {digested:>9.0} a second, ratio {:.3}",
        verified / digested
    );
}

async fn ingest() -> Result<(), Box<dyn Error>> {
    let mut fleet = Fleet::on_sqlite().await.quiet();
    let linear = Linear::of(&fleet).await;
    fleet.start(1).await;
    let ours_at = fleet.url(0).trim_start_matches("http://").to_owned();
    let node = node(&fleet.linear.app().webhook_secret).await?;
    let (mut ours, mut theirs, mut p99, mut their_p99) = (0.0, 0.0, Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        let measured = linear.load(&ours_at, Duration::from_secs(SECONDS)).await?;
        let node = linear
            .load(&node.addr, Duration::from_secs(SECONDS))
            .await?;
        ours += measured.per_second / f64::from(ROUNDS);
        theirs += node.per_second / f64::from(ROUNDS);
        (p99, their_p99) = (p99.max(measured.p99), their_p99.max(node.p99));
    }
    println!("\ndurable ingest on SQLite     {ours:>9.0} deliveries/s, p99 {p99:?}");
    println!("Node, storing nothing        {theirs:>9.0} deliveries/s, p99 {their_p99:?}");
    println!("ratio                        {:>9.3}", ours / theirs);
    Ok(())
}

/// Shows that with retention on, memory stays where it is.
async fn million() -> Result<(), Box<dyn Error>> {
    let mut fleet = Fleet::on_sqlite().await.quiet();
    fleet.place = fleet.place.set("RELINK_KEEP_DELIVERIES_MB", "64");
    let linear = Linear::of(&fleet).await;
    fleet.start(1).await;
    let addr = fleet.url(0).trim_start_matches("http://").to_owned();
    let began = Instant::now();
    let mut marks = Vec::new();
    while linear.next.load(Ordering::Relaxed) < MILLION {
        linear.load(&addr, Duration::from_secs(SECONDS)).await?;
        marks.push((
            linear.next.load(Ordering::Relaxed),
            resident_kib(fleet.id(0))?,
        ));
    }
    let last = marks[marks.len() - 1].0;
    println!(
        "\n{last} deliveries in {:.0} s, 64 MB kept",
        began.elapsed().as_secs_f64()
    );
    for part in 1..=QUARTERS {
        let (sent, kib) = marks[(marks.len() * part / QUARTERS).saturating_sub(1)];
        println!(
            "resident after {sent:>9}     {:>9.1} MB",
            kib as f64 / 1024.0
        );
    }
    println!(
        "kept                         {:>9.1} MB",
        fleet.store().await.delivery_bytes().await? as f64 / 1024.0 / 1024.0
    );
    Ok(())
}

async fn hand_on() -> Result<(), Box<dyn Error>> {
    let mut fleet = Fleet::on_sqlite().await.quiet();
    fleet.place = fleet.place.set("RELINK_ALLOW_PRIVATE_DESTINATIONS", "true");
    let linear = Linear::of(&fleet).await;
    let (url, received) = receiver().await?;
    let destination = fleet.destination(&url).await;
    let store = fleet.store().await;
    let organisation = store
        .organisation_by_slug(ORG)
        .await?
        .ok_or("no organisation")?
        .id;
    store
        .destination_pause(
            &destination,
            "person",
            &command(&organisation, "destination.paused"),
        )
        .await?;
    fleet.start(1).await;
    let addr = fleet.url(0).trim_start_matches("http://").to_owned();
    while linear.next.load(Ordering::Relaxed) < HANDED_ON {
        linear.load(&addr, Duration::from_millis(500)).await?;
    }
    let sent = linear.next.load(Ordering::Relaxed);
    let began = Instant::now();
    store
        .destination_resume(&destination, &command(&organisation, "destination.resumed"))
        .await?;
    while received.load(Ordering::Relaxed) < sent {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if began.elapsed() > Duration::from_secs(120) {
            return Err(format!("{} of {sent} arrived", received.load(Ordering::Relaxed)).into());
        }
    }
    println!(
        "\nhanded on to one destination {:>9.0} messages/s ({sent} waiting)",
        sent as f64 / began.elapsed().as_secs_f64()
    );
    Ok(())
}

async fn receiver() -> Result<(String, Arc<AtomicU64>), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let received = Arc::new(AtomicU64::new(0));
    let count = received.clone();
    let router = Router::new().route(
        "/",
        post(async move |body: axum::body::Bytes| {
            count.fetch_add(u64::from(!body.is_empty()), Ordering::Relaxed);
        }),
    );
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((url, received))
}

/// Verifies with `@linear/sdk`, and stores nothing.
async fn node(secret: &str) -> Result<Beside, Box<dyn Error>> {
    let port = process::free_port();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../end2end/bench/webhooks.mjs");
    Beside::start(
        Command::new("node")
            .arg(script)
            .arg(port.to_string())
            .arg(secret),
        format!("127.0.0.1:{port}"),
    )
    .await
}
