//! Tokens of the release binary: reading fresh ones against a bare handler, and refreshing ten
//! thousand against the ideal, in one run on one machine.

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
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header;
use axum::routing::post;
use axum::serve::ListenerExt as _;
use beside::Beside;
use fleet::{DAY_S, Fleet, fault};
use futures_util::future::join_all;
use load::{Target, load, resident_kib};
use relink_simulator::{Fault, Kind};
use serde_json::json;
use tokio::net::TcpListener;

const CONNECTIONS: usize = 16;
const SECONDS: u64 = 5;
const ROUNDS: usize = 2;
const HANGING: usize = 1_000;
const READERS: usize = 1_000;
const DUE: usize = 10_000;
const LATENCY: Duration = Duration::from_millis(50);
/// Background refreshes at a time in one process, by default.
const AT_ONCE: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new()?;
    if let [_, mode, addr, body] = args.as_slice()
        && mode == "bare"
    {
        return runtime.block_on(bare_server(addr, body.clone()));
    }
    runtime.block_on(async {
        reads().await?;
        sweep(Fleet::on_sqlite().await.quiet(), 1, "SQLite").await?;
        match Fleet::on_postgres().await {
            Some(fleet) => sweep(fleet.quiet(), 3, "PostgreSQL").await,
            None => Ok(()),
        }
    })
}

async fn reads() -> Result<(), Box<dyn Error>> {
    let mut fleet = Fleet::on_sqlite().await.quiet();
    let fresh = fleet.connect(1, DAY_S).await.remove(0);
    fleet.start(1).await;
    let told = fleet.token(0, &fresh).await;
    let addr = fleet.url(0).trim_start_matches("http://").to_owned();
    let token = Target::call(
        &addr,
        &format!("/api/v1/connections/{fresh}/token"),
        &fleet.key,
        "{}",
    );
    let bare = bare(&told.body.to_string()).await?;
    let plain = Target::call(&bare.addr, "/", &fleet.key, "{}");

    let (mut ours, mut theirs, mut p99) = (0.0, 0.0, Duration::ZERO);
    for _ in 0..ROUNDS {
        let measured = load(&token, CONNECTIONS, Duration::from_secs(SECONDS)).await?;
        ours += measured.per_second / ROUNDS as f64;
        p99 = p99.max(measured.p99);
        theirs += load(&plain, CONNECTIONS, Duration::from_secs(SECONDS))
            .await?
            .per_second
            / ROUNDS as f64;
    }
    println!("fresh token, {CONNECTIONS} connections  {ours:>9.0} reads/s, p99 {p99:?}");
    println!("the same JSON, bare axum     {theirs:>9.0} reads/s");
    println!("ratio                        {:>9.3}", ours / theirs);

    let soon = fleet.connect(1, -1).await.remove(0);
    let before = fleet.linear.grant_counts("acme-robotics").refreshes;
    let readers = (0..READERS).map(|_| fleet.ask(0, &soon, json!({})));
    let good = join_all(readers)
        .await
        .into_iter()
        .flatten()
        .filter(|told| told.token().is_some())
        .count();
    let asked = fleet.linear.grant_counts("acme-robotics").refreshes - before;
    println!("{READERS} parallel reads at expiry: {good} tokens, {asked} question to Linear");

    let stuck = fleet.connect(HANGING, -1).await;
    fleet
        .linear
        .add_fault(Fault {
            count: 1_000_000,
            ..fault(Kind::Hang, 0)
        })
        .map_err(|error| format!("{error:?}"))?;
    let hanging: Vec<_> = stuck
        .iter()
        .map(|id| fleet.asking(0, id, json!({})))
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let meanwhile = load(&token, CONNECTIONS, Duration::from_secs(SECONDS)).await?;
    println!(
        "while {HANGING} refreshes hang     {:>9.0} reads/s, p99 {:?}",
        meanwhile.per_second, meanwhile.p99
    );
    println!(
        "resident memory meanwhile    {:>9.1} MB",
        resident_kib(fleet.id(0))? as f64 / 1024.0
    );
    hanging.into_iter().for_each(|asking| asking.abort());
    Ok(())
}

/// Everything is due at once, and Linear takes its time.
async fn sweep(fleet: Fleet, processes: usize, database: &str) -> Result<(), Box<dyn Error>> {
    fleet.connect(DUE, DAY_S / 24).await;
    let delay = u64::try_from(LATENCY.as_millis())?;
    fleet
        .linear
        .add_fault(Fault {
            count: 1_000_000,
            ..fault(Kind::Delay, delay)
        })
        .map_err(|error| format!("{error:?}"))?;
    let began = Instant::now();
    let mut running: Vec<Child> = Vec::new();
    for _ in 0..processes {
        running.push(
            fleet
                .place
                .command(&["refresh"])
                .stdout(Stdio::null())
                .spawn()?,
        );
    }
    let mut peak = 0;
    while running
        .iter_mut()
        .any(|child| matches!(child.try_wait(), Ok(None)))
    {
        peak = running
            .iter()
            .map(|child| resident_kib(child.id()).unwrap_or(0))
            .max()
            .unwrap_or(0)
            .max(peak);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = began.elapsed();
    let counts = fleet.linear.grant_counts("acme-robotics");
    let ideal = LATENCY * u32::try_from(DUE / (AT_ONCE * processes))?;
    println!("\nsweep of {DUE} due, {LATENCY:?} latency, {database}, {processes} process(es)");
    println!("took                         {:>9.1} s", took.as_secs_f64());
    println!(
        "of the ideal                 {:>9.2}",
        took.as_secs_f64() / ideal.as_secs_f64()
    );
    println!(
        "rotated, asked in vain       {:>9} {}",
        counts.rotations,
        counts.refreshes - counts.rotations
    );
    println!(
        "resident memory, at most     {:>9.1} MB",
        peak as f64 / 1024.0
    );
    Ok(())
}

/// This very program, answering the same JSON from one axum handler.
async fn bare(body: &str) -> Result<Beside, Box<dyn Error>> {
    let addr = format!("127.0.0.1:{}", process::free_port());
    Beside::start(
        Command::new(std::env::current_exe()?)
            .arg("bare")
            .arg(&addr)
            .arg(body),
        addr,
    )
    .await
}

async fn bare_server(addr: &str, body: String) -> Result<(), Box<dyn Error>> {
    let body: &'static str = body.leak();
    let listener = TcpListener::bind(addr).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let answer = async move || ([(header::CONTENT_TYPE, "application/json")], body);
    axum::serve(listener, Router::new().route("/", post(answer))).await?;
    Ok(())
}
