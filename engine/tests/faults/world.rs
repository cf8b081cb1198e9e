//! An engine on an SQLite file, a Linear beside it, and what must be true whatever the disk does.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use relink_engine::clock::{Clock, Hand, MINUTE, Millis, SECOND};
use relink_engine::connection::ActAs;
use relink_engine::entropy::Entropy;
use relink_engine::identity::Person;
use relink_engine::linear::{Linear, OauthApp};
use relink_engine::store::Store;
use relink_engine::vault::{KeyRing, Vault};
use relink_engine::webhook::{Incoming, Receipt, SigningKey};
use relink_engine::{
    BeginConnect, Callback, Engine, RefreshSettings, Rejected, Settings, SignUp, Visitor, Wanted,
};
use relink_simulator::{Approve, ClockMove, Options, Simulator};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

const START: Millis = 1_795_096_931_000;
const KEYS: &str = "k:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const PASSWORD: &str = "correct horse battery";
const EMAIL: &str = "priya@northwind.dev";
const WORKSPACE: &str = "acme-robotics";
/// The process is killed this long after it began, if it has not ended by itself.
const CRASH_AFTER: Duration = Duration::from_millis(700);
/// All is well this long after the disk is.
const WELL_WITHIN: Duration = Duration::from_secs(10);

/// The act of which nothing must be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Refresh,
    Connect,
    Webhooks,
    SignIn,
}

impl Act {
    pub const ALL: [Act; 4] = [Act::Refresh, Act::Connect, Act::Webhooks, Act::SignIn];
}

/// The result that was acknowledged.
pub type Outcome = Result<Done, String>;

#[derive(Debug)]
pub enum Done {
    Token(String),
    Connected,
    Delivered(Vec<String>),
    SignedIn,
}

/// The state before.
pub struct Before {
    rotations: u64,
    generation: i64,
    audited: i64,
}

/// The remains of a crash.
pub struct Crashed {
    /// The rotations that Linear had counted by then.
    rotations: u64,
    copy: TempDir,
}

pub struct World {
    pub store: Store,
    engine: Engine,
    linear: Simulator,
    hand: Hand,
    person: Person,
    connection: String,
    workspace: String,
    app_secret: String,
    dir: TempDir,
    bodies: AtomicU32,
}

impl World {
    pub async fn new() -> World {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let redirect = Url::parse("http://localhost:3000/oauth/linear/callback").unwrap();
        let options = Options {
            url: url.to_string(),
            state_file: None,
            redirect_uris: vec![redirect.to_string()],
        };
        let linear = Simulator::seeded(options).unwrap();
        linear.move_clock(ClockMove {
            manual: Some(true),
            set_ms: Some(START),
            ..ClockMove::default()
        });
        tokio::spawn(linear.clone().serve(listener, std::future::pending()));
        let made = linear.app();
        let app = OauthApp {
            client_id: made.client_id,
            client_secret: Some(made.client_secret.into()),
        };
        let (clock, hand) = Clock::manual(START);
        let dir = tempfile::tempdir().unwrap();
        let client = Linear::new(url.clone(), url, Some(app), redirect, clock.clone()).unwrap();
        let settings = Settings {
            webhook_key: SigningKey::new(&made.webhook_secret.clone().into()),
            // One refresh after the other, for hundreds of calls that fail.
            refresh: RefreshSettings {
                ask_every: Duration::ZERO,
                ..RefreshSettings::default()
            },
            ..Settings::default()
        };
        let entropy = Entropy::seeded(1);
        let store = Store::open_sqlite(&dir.path().join("relink.db"))
            .await
            .unwrap();
        store.migrate().await.unwrap();
        let vault = Vault::new(KeyRing::parse(KEYS).unwrap(), entropy.clone());
        let engine = Engine::open(store.clone(), client, vault, clock, entropy, settings)
            .await
            .unwrap();
        let form = SignUp {
            organisation: "Northwind Labs".to_owned(),
            name: "Priya Raman".to_owned(),
            email: EMAIL.to_owned(),
            password: PASSWORD.into(),
        };
        let person = engine.sign_up(form).await.unwrap();
        let connection = connect(&engine, &linear, &person).await.unwrap();
        let connections = store.connections(&person.organisation_id).await.unwrap();
        let workspace = connections[0].workspace.id.clone();
        let app_secret = made.webhook_secret;
        let bodies = AtomicU32::new(0);
        World {
            store,
            engine,
            linear,
            hand,
            person,
            connection,
            workspace,
            app_secret,
            dir,
            bodies,
        }
    }

    pub fn before(&self) -> Before {
        let file = read(&self.file());
        Before {
            rotations: self.rotations(),
            generation: generation(&file),
            audited: audited(&file),
        }
    }

    pub fn begin(&self, act: Act) -> JoinHandle<Outcome> {
        let (engine, person, connection) = (
            self.engine.clone(),
            self.person.clone(),
            self.connection.clone(),
        );
        let linear = self.linear.clone();
        match act {
            Act::Refresh => {
                tokio::spawn(async move { refresh(&engine, &person, &connection).await })
            }
            Act::Connect => tokio::spawn(async move {
                connect(&engine, &linear, &person)
                    .await
                    .map(|_| Done::Connected)
            }),
            Act::Webhooks => {
                let bodies = (0..3).map(|_| self.body()).collect();
                let key = SigningKey::new(&self.app_secret.clone().into()).unwrap();
                tokio::spawn(async move { deliver(&engine, &key, bodies).await })
            }
            Act::SignIn => tokio::spawn(async move {
                let signed_in = engine
                    .sign_in(
                        EMAIL,
                        PASSWORD.into(),
                        Visitor {
                            address: "192.0.2.1",
                            device: None,
                        },
                    )
                    .await;
                signed_in
                    .map(|_| Done::SignedIn)
                    .map_err(|error| error.to_string())
            }),
        }
    }

    /// Waits until it has ended, or the time comes at which the process is killed.
    pub async fn wait_a_moment(&self, mut doing: JoinHandle<Outcome>) -> JoinHandle<Outcome> {
        match tokio::time::timeout(CRASH_AFTER, &mut doing).await {
            Ok(outcome) => {
                let outcome = outcome.unwrap();
                tokio::spawn(async move { outcome })
            }
            Err(_) => doing,
        }
    }

    /// Waits for what went on until the disk was well again; it ends by itself.
    pub async fn wait(&self, doing: JoinHandle<Outcome>, what: &str) -> Outcome {
        tokio::time::timeout(WELL_WITHIN, doing)
            .await
            .unwrap_or_else(|_| panic!("{what}: hangs"))
            .unwrap()
    }

    /// The files as a process that is killed now leaves them: what it wrote is in the kernel's
    /// hands. Copied at one moment: again, if the log grew meanwhile or was folded into the file.
    pub fn as_after_a_crash(&self) -> Crashed {
        // First: what Linear does after it is not for these files to know.
        let rotations = self.rotations();
        let copy = tempfile::tempdir().unwrap();
        // Under another name the faults leave them alone.
        let crashed = copy.path().join("crashed.db");
        loop {
            let log = fs::read(self.dir.path().join("relink.db-wal")).unwrap_or_default();
            let file = fs::read(self.file()).unwrap();
            let same = fs::read(self.dir.path().join("relink.db-wal")).unwrap_or_default() == log
                && fs::read(self.file()).unwrap() == file;
            if same {
                fs::write(&crashed, file).unwrap();
                fs::write(copy.path().join("crashed.db-wal"), log).unwrap();
                return Crashed { rotations, copy };
            }
        }
    }

    pub fn nothing_is_lost(
        &self,
        before: &Before,
        outcome: Outcome,
        crashed: &Crashed,
        what: &str,
    ) {
        let now = read(&self.file());
        let after = read(&crashed.copy.path().join("crashed.db"));
        for (rotations, file, when) in [
            (crashed.rotations, &after, "after a crash"),
            (self.rotations(), &now, "now"),
        ] {
            if rotations > before.rotations {
                let (generation, intent): (i64, Option<i64>) = file
                    .query_row(
                        "SELECT generation, attempt_began_at FROM connections",
                        [],
                        |row| Ok((row.get(0)?, row.get(1)?)),
                    )
                    .unwrap();
                let known = generation > before.generation || intent.is_some();
                assert!(
                    known,
                    "{what}: {when}, Linear has rotated and nobody knows ({outcome:?})"
                );
            }
        }
        match outcome {
            Ok(Done::Token(fingerprint)) => assert_eq!(
                fingerprint_in(&now),
                fingerprint,
                "{what}: handed out, not kept"
            ),
            Ok(Done::Connected | Done::SignedIn) => {
                assert!(
                    audited(&now) > before.audited,
                    "{what}: done, and not in the trail"
                );
            }
            Ok(Done::Delivered(bodies)) => {
                for body in bodies {
                    let count = "SELECT COUNT(*) FROM deliveries WHERE body = CAST(?1 AS BLOB)";
                    let stored: i64 = now.query_row(count, [&body], |row| row.get(0)).unwrap();
                    assert_eq!(stored, 1, "{what}: acknowledged, and not there");
                }
            }
            Err(_) => {}
        }
    }

    /// The disk is well again: nobody holds a lock, everything works, and what the row holds is
    /// Linear's newest.
    pub async fn all_is_well(&mut self, what: &str) {
        let other =
            Connection::open_with_flags(self.file(), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        other.busy_timeout(Duration::from_secs(2)).unwrap();
        other
            .execute_batch("BEGIN IMMEDIATE; COMMIT")
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        drop(other);
        let since = Instant::now();
        while self
            .engine
            .connections(&self.person)
            .check(&self.connection)
            .await
            .is_err()
        {
            assert!(
                since.elapsed() < WELL_WITHIN,
                "{what}: no call to Linear works any more"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // Nobody is helped by Linear's replay any more.
        self.hand.advance(31 * MINUTE);
        self.linear.advance_s(31 * MINUTE / SECOND);
        while let Err(error) = refresh(&self.engine, &self.person, &self.connection).await {
            assert!(
                since.elapsed() < WELL_WITHIN,
                "{what}: the grant is lost: {error}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let body = self.body();
        let key = SigningKey::new(&self.app_secret.clone().into()).unwrap();
        let delivered = deliver(&self.engine, &key, vec![body]).await;
        assert!(
            delivered.is_ok(),
            "{what}: webhooks are refused: {delivered:?}"
        );
        let organisation = &self.person.organisation_id;
        let check = self.store.audit_verify(organisation).await.unwrap();
        assert_eq!(check.broken_at, None, "{what}: the trail is broken");
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("relink.db")
    }

    fn rotations(&self) -> u64 {
        self.linear.grant_counts(WORKSPACE).rotations
    }

    fn body(&self) -> String {
        let number = self.bodies.fetch_add(1, Ordering::Relaxed);
        format!(
            r#"{{"action":"update","type":"Issue","organizationId":"{}","webhookTimestamp":{},
                "webhookId":"h","data":{{"id":"i{number}"}}}}"#,
            self.workspace,
            self.engine.now()
        )
    }
}

async fn connect(engine: &Engine, linear: &Simulator, person: &Person) -> Result<String, String> {
    let scopes = ["read".to_owned(), "write".to_owned()];
    let known = engine
        .connections(person)
        .list()
        .await
        .map_err(|error| error.to_string())?;
    let connection = known.first().map(|connection| connection.id.as_str());
    let begin = BeginConnect {
        browser: "b",
        connection,
        app: None,
        actor: ActAs::User,
        scopes: &scopes,
    };
    let authorize = engine
        .connect_begin(person, begin)
        .await
        .map_err(|error| error.to_string())?;
    let asked = Approve {
        authorize_url: authorize.to_string(),
        workspace: WORKSPACE.to_owned(),
        decision: Some("approve".to_owned()),
        ..Approve::default()
    };
    let back = Url::parse(&linear.approve(&asked).unwrap().unwrap()).unwrap();
    let callback = Callback::parse(back.query().unwrap());
    let connected = engine
        .connect_finish(person, "b", callback)
        .await
        .map_err(|error| error.to_string())?;
    Ok(connected.connection)
}

/// Rotates the token that is there, whatever it is.
async fn refresh(engine: &Engine, person: &Person, connection: &str) -> Outcome {
    let organisation = &person.organisation_id;
    let before = engine
        .connections(person)
        .get(connection)
        .await
        .map_err(|error| error.to_string())?;
    let rejected = Some(Rejected::Generation(before.unwrap().generation));
    let wanted = Wanted {
        rejected,
        ..Wanted::default()
    };
    let token = engine
        .fresh_token(organisation, connection, wanted)
        .await
        .map_err(|error| error.to_string())?;
    Ok(Done::Token(token.fingerprint))
}

async fn deliver(engine: &Engine, key: &SigningKey, bodies: Vec<String>) -> Outcome {
    let sent = bodies.iter().map(|body| {
        let signature = Some(key.sign(body.as_bytes()).to_vec().into());
        engine.webhook_receive(Incoming {
            body: body.clone().into(),
            signature,
            ..Incoming::default()
        })
    });
    let receipts = futures_util::future::join_all(sent).await;
    let mut taken = Vec::new();
    for (receipt, body) in receipts.into_iter().zip(bodies) {
        match receipt.map(|received| received.receipt) {
            Ok(Receipt::Accepted) => taken.push(body),
            Ok(other) => return Err(format!("{other:?}")),
            Err(_) => {}
        }
    }
    if taken.is_empty() {
        Err("none taken".to_owned())
    } else {
        Ok(Done::Delivered(taken))
    }
}

fn read(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

fn generation(file: &Connection) -> i64 {
    file.query_row("SELECT generation FROM connections", [], |row| row.get(0))
        .unwrap()
}

fn fingerprint_in(file: &Connection) -> String {
    file.query_row("SELECT fingerprint FROM connections", [], |row| row.get(0))
        .unwrap()
}

fn audited(file: &Connection) -> i64 {
    file.query_row("SELECT COUNT(*) FROM audit", [], |row| row.get(0))
        .unwrap()
}
