//! Random kills and faults against real processes, over and over: does a grant ever get lost?
//!
//! Prints its seed first and `lost 0 of N` last. `RELINK_TORTURE_ROUNDS` and `RELINK_TORTURE_SEED` choose a longer run or
//! the same dice again; what the operating system does in between is not in the dice.

#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

#[expect(dead_code, reason = "other suites do more with a fleet")]
#[path = "../process/fleet.rs"]
mod fleet;
#[expect(dead_code, reason = "other suites do more with processes")]
#[path = "../process/process.rs"]
mod process;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use fleet::{DAY_S, Fleet, fault};
use relink_engine::entropy::Entropy;
use relink_simulator::{Fault, Kind};
use serde_json::json;

/// Enough to meet every fault, few enough for every test run.
const ROUNDS: u64 = 24;
const SERVERS: usize = 3;
const CONNECTIONS: usize = 4;

/// What may happen to a request at the token endpoint. One refusal is a fault too: it is no verdict.
const FAULTS: [Kind; 11] = [
    Kind::Delay,
    Kind::DelayReply,
    Kind::DropReply,
    Kind::GarbageJson,
    Kind::HugeBody,
    Kind::Html500,
    Kind::ConnectionReset,
    Kind::RateLimited,
    Kind::NoExpiresIn,
    Kind::NoRefreshToken,
    Kind::InvalidGrant,
];

struct Dice(Entropy);

impl Dice {
    fn below(&self, limit: u64) -> u64 {
        u64::from_le_bytes(self.0.bytes::<8>()) % limit
    }

    fn one_in(&self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn fault(&self) -> Fault {
        let kind = FAULTS[self.below(FAULTS.len() as u64) as usize];
        Fault { after: self.below(2), ..fault(kind, self.below(600)) }
    }
}

#[expect(clippy::disallowed_methods, reason = "the length of a run is the caller's choice")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn main() -> ExitCode {
    let rounds = number("RELINK_TORTURE_ROUNDS").unwrap_or(ROUNDS);
    let seed = number("RELINK_TORTURE_SEED").unwrap_or_else(|| u64::from_le_bytes(fleet::entropy().bytes::<8>()));
    println!("torture: {rounds} rounds, seed {seed}");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let lost = runtime.block_on(run(rounds, &Dice(Entropy::seeded(seed))));
    println!("torture: lost {lost} of {rounds} (seed {seed})");
    if lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every sixth round is on SQLite, with one process; the others on PostgreSQL, with three.
async fn run(rounds: u64, dice: &Dice) -> u64 {
    let mut sqlite = Fleet::on_sqlite().await;
    sqlite.start(1).await;
    let on_sqlite = sqlite.connect(CONNECTIONS, DAY_S).await;
    let mut postgres = Fleet::on_postgres().await;
    let mut on_postgres = Vec::new();
    if let Some(fleet) = &mut postgres {
        fleet.start(SERVERS).await;
        on_postgres = fleet.connect(CONNECTIONS, DAY_S).await;
    }
    let (mut lost, mut slowest, mut told) = (0, Duration::ZERO, Instant::now());
    for number in 1..=rounds {
        let outcome = match &mut postgres {
            Some(fleet) if !number.is_multiple_of(6) => round(fleet, &on_postgres, dice).await,
            _ => round(&mut sqlite, &on_sqlite, dice).await,
        };
        match outcome {
            Ok(took) => slowest = slowest.max(took),
            Err(problem) => {
                lost += 1;
                println!("torture: round {number}: {problem}");
            }
        }
        if told.elapsed() > Duration::from_secs(60) {
            told = Instant::now();
            println!("torture: {number} rounds, lost {lost}, slowest recovery {slowest:?}");
        }
    }
    println!("torture: slowest recovery {slowest:?}");
    for (fleet, connections) in [(Some(&mut sqlite), &on_sqlite), (postgres.as_mut(), &on_postgres)] {
        if let Some(fleet) = fleet {
            lost += past_the_window(fleet, connections).await;
        }
    }
    lost
}

/// Once Linear replays nothing any more, every row must hold the newest refresh token. Answers how many do not.
async fn past_the_window(fleet: &mut Fleet, connections: &[String]) -> u64 {
    // A reply that lacked a refresh token is asked about again after a quarter of a minute.
    tokio::time::sleep(Duration::from_secs(25)).await;
    fleet.linear.advance_s(31 * 60);
    let mut lost = 0;
    for connection in connections {
        let rejected = json!({ "rejected": fleet.token(0, connection).await.fingerprint() });
        match fleet.token_soon(0, connection, rejected).await {
            Ok((token, _)) if fleet.is_alive(&token).await => {}
            outcome => {
                lost += 1;
                println!("torture: {connection} is lost past the window: {outcome:?}");
            }
        }
    }
    lost
}

/// Some connections are refreshed by some servers at once while things go wrong; then every connection must have a token
/// that Linear accepts, within ten seconds.
async fn round(fleet: &mut Fleet, connections: &[String], dice: &Dice) -> Result<Duration, String> {
    let servers = fleet.servers.len();
    let mut before = Vec::new();
    for connection in connections {
        before.push(fleet.token(0, connection).await.fingerprint().to_owned());
    }
    for _ in 0..=dice.below(3) {
        fleet.linear.add_fault(dice.fault()).unwrap();
    }
    let mut asking = Vec::new();
    for (connection, fingerprint) in connections.iter().zip(&before) {
        for server in 0..servers {
            if dice.one_in(2) {
                asking.push(fleet.asking(server, connection, json!({ "rejected": fingerprint })));
            }
        }
    }
    for _ in 0..dice.below(3) {
        tokio::time::sleep(Duration::from_millis(dice.below(500))).await;
        let victim = dice.below(servers as u64) as usize;
        fleet.kill(victim);
        if dice.one_in(2) {
            fleet.restart(victim).await;
        }
    }
    for server in 0..servers {
        fleet.restart(server).await;
    }
    fleet.linear.clear_faults();
    let began = Instant::now();
    for (connection, fingerprint) in connections.iter().zip(&before) {
        let server = dice.below(servers as u64) as usize;
        let (token, _) = fleet.token_soon(server, connection, json!({ "rejected": fingerprint })).await?;
        if !fleet.is_alive(&token).await {
            return Err(format!("{connection}: Linear does not accept the token that was handed out"));
        }
    }
    let took = began.elapsed();
    for told in asking {
        let _ = told.await;
    }
    Ok(took)
}
