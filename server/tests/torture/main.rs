//! Random kills and faults against real processes, over and over: is a grant, an acknowledged
//! delivery, a message or a line of the trail ever lost?
//!
//! Prints its seed first and `lost 0 of N` for each kind last. `RELINK_TORTURE_ROUNDS` and
//! `RELINK_TORTURE_SEED` choose a longer run or the same dice again; what the operating system does
//! in between is not in the dice.

#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

#[path = "../process/cable.rs"]
mod cable;
#[path = "../../../engine/tests/faults/control.rs"]
mod control;
mod dice;
#[expect(dead_code, reason = "other suites do more with a fleet")]
#[path = "../process/fleet.rs"]
mod fleet;
mod ledger;
#[expect(dead_code, reason = "other suites do more with processes")]
#[path = "../process/process.rs"]
mod process;
mod troubles;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cable::Cable;
use control::Control;
use dice::Dice;
use fleet::{DAY_S, Fleet, fault};
use ledger::Ledger;
use relink_simulator::{Fault, Kind};
use serde_json::json;
use troubles::Strings;

/// Enough to meet every kind of trouble, few enough for every test run.
const ROUNDS: u64 = 100;
const SERVERS: usize = 3;
const CONNECTIONS: usize = 4;

/// The faults that may happen to a request at the token endpoint. One refusal is a fault too: it is
/// no verdict.
const FAULTS: [Kind; 13] = [
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
    Kind::SameRefreshToken,
    Kind::OddFields,
    Kind::InvalidGrant,
];

/// The fields that an odd answer has instead of a token.
const ODD: [(&str, &str); 4] = [
    ("access_token", ""),
    ("access_token", "two words"),
    ("refresh_token", "line\nbreak"),
    ("refresh_token", "nu\0l"),
];

fn linear_fault(dice: &Dice) -> Fault {
    let (field, value) = dice.one_of(&ODD);
    let fields = [(field.to_owned(), json!(value))].into_iter().collect();
    Fault {
        after: dice.below(2),
        fields,
        ..fault(dice.one_of(&FAULTS), dice.below(600))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the length of a run is the caller's choice"
)]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn main() -> ExitCode {
    let rounds = number("RELINK_TORTURE_ROUNDS").unwrap_or(ROUNDS);
    let seed = number("RELINK_TORTURE_SEED")
        .unwrap_or_else(|| u64::from_le_bytes(fleet::entropy().bytes::<8>()));
    println!("torture: {rounds} rounds, seed {seed}");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let lost = runtime.block_on(run(rounds, &Dice::seeded(seed)));
    println!("torture: lost {lost} of {rounds} (seed {seed})");
    if lost == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A fleet with everything that is done to it.
struct Theatre {
    fleet: Fleet,
    strings: Vec<Strings>,
    connections: Vec<String>,
    ledger: Ledger,
    rounds: u64,
}

impl Theatre {
    /// Servers on one database, each with strings of its own. `dir` is for what the strings need.
    async fn with(mut fleet: Fleet, servers: usize, dir: &Path) -> Theatre {
        let library = dir.join("fault.so");
        if !library.exists() {
            control::compile(&library);
        }
        fleet.place = fleet.place.set("RELINK_ALLOW_PRIVATE_DESTINATIONS", "true");
        let database = fleet
            .place
            .environment
            .iter()
            .find(|(name, _)| name == "DATABASE_URL")
            .map(|(_, url)| url.clone());
        let mut strings = Vec::new();
        for server in 0..servers {
            let path = dir.join(format!("control-{}-{server}", database.is_some()));
            Control::make(&path);
            let mut own = vec![
                ("LD_PRELOAD".to_owned(), library.display().to_string()),
                ("FAULT_CONTROL".to_owned(), path.display().to_string()),
            ];
            let mut cable = None;
            if let Some(url) = &database {
                let address = url.split('@').nth(1).unwrap().split('/').next().unwrap();
                let made = Cable::to(address.to_owned()).await;
                own.push((
                    "DATABASE_URL".to_owned(),
                    url.replace(address, &format!("127.0.0.1:{}", made.port)),
                ));
                cable = Some(made);
            }
            fleet.own.push(own);
            strings.push(Strings {
                control: Control::open(&path),
                cable,
            });
        }
        // As many calls as a long run makes; which limits Relink keeps to is for other tests.
        fleet
            .linear
            .merge_settings(&json!({ "requests_per_hour": 1_000_000_000 }))
            .unwrap();
        fleet.start(servers).await;
        let connections = fleet.connect(CONNECTIONS, DAY_S).await;
        let ledger = Ledger::of(&fleet).await;
        Theatre {
            fleet,
            strings,
            connections,
            ledger,
            rounds: 0,
        }
    }

    /// Runs a round: some connections are refreshed, webhooks come and people sign in, by all
    /// servers at once, while things go wrong; then every connection must have a token that Linear
    /// accepts, within ten seconds.
    async fn round(&mut self, dice: &Dice) -> Result<Duration, String> {
        self.rounds += 1;
        let fleet = &mut self.fleet;
        let mut before = Vec::new();
        for connection in &self.connections {
            let (token, _) = fleet
                .token_soon(0, connection, json!({ "min_ttl_s": 0 }))
                .await?;
            before.push(relink_engine::digest::fingerprint(&token));
        }
        // A second refusal of the same token would be a verdict, and rightly so.
        let mut refused = false;
        for fault in (0..=dice.below(3)).map(|_| linear_fault(dice)) {
            let refusal = fault.kind == Kind::InvalidGrant;
            if !(refusal && refused) {
                fleet.linear.add_fault(fault).unwrap();
            }
            refused |= refusal;
        }
        let mut asking = Vec::new();
        for (connection, fingerprint) in self.connections.iter().zip(&before) {
            for server in 0..fleet.servers.len() {
                if dice.one_in(2) {
                    asking.push(fleet.asking(
                        server,
                        connection,
                        json!({ "rejected": fingerprint }),
                    ));
                }
            }
        }
        let acts = self.ledger.begin(fleet, &self.connections);
        let mut made = Vec::new();
        for _ in 0..dice.below(3) {
            tokio::time::sleep(Duration::from_millis(dice.below(500))).await;
            made.push(troubles::make(fleet, &self.strings, dice).await);
        }
        for server in 0..fleet.servers.len() {
            fleet.restart(server).await;
        }
        fleet.linear.clear_faults();
        let began = Instant::now();
        for (connection, fingerprint) in self.connections.iter().zip(&before) {
            let server = dice.below(fleet.servers.len() as u64) as usize;
            let told = fleet
                .token_soon(server, connection, json!({ "rejected": fingerprint }))
                .await;
            let (token, _) =
                told.map_err(|told| format!("{connection} on server {server}, {made:?}: {told}"))?;
            if !fleet.is_alive(&token).await {
                return Err(format!(
                    "{connection}, {made:?}: Linear does not accept the token that was handed out"
                ));
            }
        }
        let took = began.elapsed();
        for told in asking {
            let _ = told.await;
        }
        self.ledger.end(acts).await;
        Ok(took)
    }

    async fn lost_in_the_end(&mut self) -> u64 {
        self.ledger.lost(&self.fleet).await
            + past_the_window(&mut self.fleet, &self.connections).await
    }
}

/// Every third round is on SQLite, with one process; the others on PostgreSQL, with three.
async fn run(rounds: u64, dice: &Dice) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let mut sqlite = Theatre::with(Fleet::on_sqlite().await, 1, dir.path()).await;
    let mut postgres = None;
    if let Some(fleet) = Fleet::on_postgres().await {
        postgres = Some(Theatre::with(fleet, SERVERS, dir.path()).await);
    }
    let (mut lost, mut slowest, mut told) = (0, Duration::ZERO, Instant::now());
    for number in 1..=rounds {
        let theatre = match &mut postgres {
            Some(theatre) if !number.is_multiple_of(3) => theatre,
            _ => &mut sqlite,
        };
        match theatre.round(dice).await {
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
    for theatre in [Some(&mut sqlite), postgres.as_mut()].into_iter().flatten() {
        println!(
            "torture: {} rounds on {}",
            theatre.rounds,
            if theatre.strings.len() == 1 {
                "SQLite"
            } else {
                "PostgreSQL"
            }
        );
        lost += theatre.lost_in_the_end().await;
    }
    lost
}

/// Checks that every row holds the newest refresh token once Linear replays nothing any more.
/// Answers how many do not.
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
    println!("torture: grants: lost {lost} of {}", connections.len());
    lost
}
