//! Several servers on one database, beside a simulated Linear in this process, with connections
//! that are put straight into the database.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use relink_engine::connection::{ActAs, Viewer, Workspace};
use relink_engine::digest::fingerprint;
use relink_engine::entropy::Entropy;
use relink_engine::store::{Act, Adoption, AuditActor, DestinationRow, NewGrant, Store};
use relink_engine::vault::{KeyRing, Place as Sealed, Vault};
use relink_engine::webhook::SigningKey;
use relink_simulator::{Endpoint, Fault, Kind, MintedGrant, Options, Simulator};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::process::{Place, Running, client};

const KEYS: &str = "k1:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=";
pub const ORG: &str = "north";
/// The owner of it all.
pub const EMAIL: &str = "ada@example.com";
pub const PASSWORD: &str = "long enough password";
pub const DAY_S: i64 = 86_400;

pub struct Fleet {
    pub linear: Simulator,
    pub place: Place,
    pub key: String,
    /// The servers; those that were killed are gone.
    pub servers: Vec<Option<Running>>,
    /// The variables that each server's environment has beside the others'.
    pub own: Vec<Vec<(String, String)>>,
    database: String,
    client: reqwest::Client,
}

/// A server's answer about a token.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub body: Value,
}

impl Told {
    pub fn token(&self) -> Option<&str> {
        self.body["access_token"]
            .as_str()
            .filter(|_| self.status == 200)
    }

    pub fn fingerprint(&self) -> &str {
        self.body["fingerprint"].as_str().unwrap_or_default()
    }
}

impl Fleet {
    /// Makes a fleet on SQLite in a folder of its own; one server at a time.
    pub async fn on_sqlite() -> Fleet {
        Fleet::on(None).await
    }

    /// Makes a fleet on a PostgreSQL database of its own; any number of servers.
    pub async fn on_postgres() -> Option<Fleet> {
        Some(Fleet::on(Some(empty_database().await?)).await)
    }

    /// Makes a fleet on whatever `postgres://…` names.
    pub async fn on(postgres: Option<String>) -> Fleet {
        Fleet::at(Place::new(), postgres).await
    }

    /// Begins in a folder that is there already.
    pub async fn at(place: Place, postgres: Option<String>) -> Fleet {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let linear = Simulator::seeded(Options {
            url: url.clone(),
            ..Options::default()
        })
        .unwrap();
        let app = linear.app();
        tokio::spawn(linear.clone().serve(listener, std::future::pending()));
        let mut place = place
            .set("RELINK_KEYS", KEYS)
            .set("RELINK_LOG", "warn,relink_engine=info")
            .set("RELINK_API_REQUESTS_PER_MINUTE", "1000000000")
            .set("LINEAR_URL", &url)
            .set("LINEAR_API_URL", &url)
            .set("LINEAR_CLIENT_ID", &app.client_id)
            .set("LINEAR_CLIENT_SECRET", &app.client_secret)
            .set("LINEAR_WEBHOOK_SECRET", &app.webhook_secret);
        if let Some(url) = &postgres {
            place = place.set("DATABASE_URL", url);
        }
        let database =
            postgres.unwrap_or_else(|| place.path().join("data/relink.db").display().to_string());
        place.json(
            &[
                "user", "add", "--email", EMAIL, "--name", "Ada", "--org", ORG, "--role", "owner",
                "--json",
            ],
            PASSWORD,
        );
        let key = place.json(&["key", "new", "--org", ORG, "--name", "fleet"], "")["key"]
            .as_str()
            .unwrap()
            .to_owned();
        Fleet {
            linear,
            place,
            key,
            servers: Vec::new(),
            own: Vec::new(),
            database,
            client: client(),
        }
    }

    /// Says less, and refreshes only when asked.
    pub fn quiet(mut self) -> Fleet {
        self.place = self
            .place
            .set("RELINK_LOG", "warn")
            .set("RELINK_REFRESH_BEFORE", "0s");
        self
    }

    /// Servers up to this many.
    pub async fn start(&mut self, count: usize) {
        while self.servers.len() < count {
            self.servers.push(None);
            self.restart(self.servers.len() - 1).await;
        }
    }

    /// Kills a server without warning.
    pub fn kill(&mut self, server: usize) {
        if let Some(running) = self.servers[server].take() {
            running.signal("KILL");
        }
    }

    pub async fn restart(&mut self, server: usize) {
        if self.servers[server].is_none() {
            self.servers[server] = Some(self.serve(server, false).await);
        }
    }

    /// Starts a server that is not there, with a log that nobody reads.
    pub async fn restart_deaf(&mut self, server: usize) {
        if self.servers[server].is_none() {
            self.servers[server] = Some(self.serve(server, true).await);
        }
    }

    async fn serve(&self, server: usize, deaf: bool) -> Running {
        let own = self.own.get(server).map_or(&[][..], Vec::as_slice);
        Running::serve_as(&self.place, own, deaf).await
    }

    /// Sends a signal to a server that is there.
    pub fn signal(&self, server: usize, name: &str) {
        if let Some(running) = &self.servers[server] {
            running.signal(name);
        }
    }

    /// The address at which a server answers.
    pub fn url(&self, server: usize) -> &str {
        &self.servers[server].as_ref().expect("it is running").url
    }

    /// Everything that a server has said on stderr.
    pub fn said(&self, server: usize) -> String {
        self.servers[server].as_ref().expect("it is running").said()
    }

    pub fn id(&self, server: usize) -> u32 {
        self.servers[server].as_ref().expect("it is running").id()
    }

    /// Connections whose tokens have this many seconds left. Answers their ids.
    pub async fn connect(&self, count: usize, left_s: i64) -> Vec<String> {
        let store = self.store().await;
        let organisation = store.organisation_by_slug(ORG).await.unwrap().unwrap().id;
        let user = store.user_by_email(EMAIL).await.unwrap().unwrap().id;
        let vault = Vault::new(KeyRing::parse(KEYS).unwrap(), entropy());
        let now = now_ms();
        let mut ids = Vec::with_capacity(count);
        for _ in 0..count {
            let grant = self.linear.mint_grant("acme-robotics", "read").unwrap();
            let id = entropy().id();
            let adoption = Adoption {
                grant: seal(
                    &vault,
                    &id,
                    &organisation,
                    &grant,
                    now,
                    now + left_s * 1_000,
                ),
                workspace: Workspace {
                    id: id.clone(),
                    name: id.clone(),
                    url_key: id.clone(),
                    logo_url: None,
                },
                viewer: Viewer {
                    id: "v".to_owned(),
                    name: "Relink".to_owned(),
                },
                actor: ActAs::App,
                scopes: vec!["read".to_owned()],
                connected_by: user.clone(),
                organisation_id: organisation.clone(),
                app_id: None,
                client_id: self.linear.app().client_id,
                exclusive: false,
                minted: None,
                act: command(&organisation, "connection.connected"),
                now,
                id: id.clone(),
            };
            store.connection_adopt(&adoption).await.unwrap();
            ids.push(id);
        }
        store.close().await;
        ids
    }

    /// A destination of the organisation, straight into the database. Answers its id.
    pub async fn destination(&self, url: &str) -> String {
        let store = self.store().await;
        let organisation = store.organisation_by_slug(ORG).await.unwrap().unwrap().id;
        let vault = Vault::new(KeyRing::parse(KEYS).unwrap(), entropy());
        let id = entropy().id();
        let place = Sealed {
            table: "destinations",
            row: &id,
            column: "secret_sealed",
            organisation: &organisation,
        };
        let secret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into();
        let row = DestinationRow {
            secret_sealed: vault.seal(place, &secret),
            ..DestinationRow::new(&id, &organisation, url, now_ms())
        };
        assert!(
            store
                .destination_add(&row, 100, &command(&organisation, "destination.added"))
                .await
                .unwrap()
        );
        store.close().await;
        id
    }

    /// A way of one's own into the database.
    pub async fn store(&self) -> Store {
        let opened = if self.database.starts_with("postgres") {
            Store::open_postgres(&self.database).await
        } else {
            Store::open_sqlite(&PathBuf::from(&self.database)).await
        };
        let (store, vault) = (
            opened.unwrap(),
            Vault::new(KeyRing::parse(KEYS).unwrap(), entropy()),
        );
        relink_engine::prove_keys(&store, &vault, &entropy(), now_ms())
            .await
            .unwrap();
        store
    }

    /// Asks a server for a token; `None` when it is not there or dies meanwhile.
    pub async fn ask(&self, server: usize, connection: &str, asked: Value) -> Option<Told> {
        let url = format!(
            "{}/api/v1/connections/{connection}/token",
            self.servers[server].as_ref()?.url
        );
        ask(&self.client, &url, &self.key, asked).await
    }

    /// [`Fleet::ask`] for later, while servers come and go.
    pub fn asking(
        &self,
        server: usize,
        connection: &str,
        asked: Value,
    ) -> tokio::task::JoinHandle<Option<Told>> {
        let url = self.servers[server]
            .as_ref()
            .map(|running| format!("{}/api/v1/connections/{connection}/token", running.url));
        let (client, key) = (self.client.clone(), self.key.clone());
        tokio::spawn(async move { ask(&client, &url?, &key, asked).await })
    }

    /// A webhook of a connection's workspace, signed by the app. Answers the status, if there is an
    /// answer.
    pub async fn deliver(&self, server: usize, workspace: &str, name: &str) -> Option<u16> {
        let url = format!("{}/webhooks/linear", self.servers[server].as_ref()?.url);
        deliver(
            &self.client,
            &url,
            &self.linear.app().webhook_secret,
            &body(workspace, name),
        )
        .await
    }

    /// The token that a server has at hand.
    pub async fn token(&self, server: usize, connection: &str) -> Told {
        let told = self
            .ask(server, connection, json!({ "min_ttl_s": 0 }))
            .await
            .expect("it answers");
        assert!(told.token().is_some(), "{told:?}");
        told
    }

    /// Whether Linear accepts a token.
    pub async fn is_alive(&self, token: &str) -> bool {
        let query = json!({ "query": "{ viewer { id } }" });
        let reply = self
            .client
            .post(format!("{}/graphql", self.linear.url()))
            .bearer_auth(token)
            .json(&query)
            .send()
            .await;
        reply.is_ok_and(|reply| reply.status() == 200)
    }

    /// Asks until there is a token, for ten seconds at most, as the contract promises. Answers it
    /// and how long it took.
    pub async fn token_soon(
        &self,
        server: usize,
        connection: &str,
        asked: Value,
    ) -> Result<(String, Duration), String> {
        let began = std::time::Instant::now();
        loop {
            let told = self.ask(server, connection, asked.clone()).await;
            if let Some(token) = told.as_ref().and_then(Told::token) {
                return Ok((token.to_owned(), began.elapsed()));
            }
            if began.elapsed() > Duration::from_secs(10) {
                return Err(format!("{told:?} after {:?}", began.elapsed()));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// An issue called `name`, as Linear would tell of it.
pub fn body(workspace: &str, name: &str) -> String {
    json!({
        "action": "update", "type": "Issue", "organizationId": workspace,
        "webhookTimestamp": now_ms(), "webhookId": "h",
        "createdAt": "2026-11-19T14:02:11.000Z", "data": { "id": name },
    })
    .to_string()
}

/// Sends a signed webhook. Answers the status, if there is an answer.
pub async fn deliver(client: &reqwest::Client, url: &str, secret: &str, body: &str) -> Option<u16> {
    let key = SigningKey::new(&secret.to_owned().into()).unwrap();
    let signature = key.sign(body.as_bytes()).to_vec();
    let sent = client
        .post(url)
        .header("linear-signature", signature)
        .body(body.to_owned())
        .timeout(Duration::from_secs(20));
    Some(sent.send().await.ok()?.status().as_u16())
}

/// The next refresh goes wrong.
pub fn fault(kind: Kind, delay_ms: u64) -> Fault {
    Fault {
        endpoint: Endpoint::Token,
        kind,
        count: 1,
        delay_ms: Some(delay_ms),
        status: None,
        retry_after_s: None,
        after: 0,
        operation: None,
        grant_type: Some("refresh_token".to_owned()),
        fields: serde_json::Map::default(),
    }
}

async fn ask(client: &reqwest::Client, url: &str, key: &str, asked: Value) -> Option<Told> {
    let reply = client
        .post(url)
        .bearer_auth(key)
        .json(&asked)
        .timeout(Duration::from_secs(60))
        .send()
        .await
        .ok()?;
    let status = reply.status().as_u16();
    Some(Told {
        status,
        body: reply.json().await.ok()?,
    })
}

pub fn command(organisation: &str, act: &'static str) -> Act {
    Act {
        organisation_id: organisation.to_owned(),
        actor: AuditActor::command(),
        act,
        subject: String::new(),
        at: now_ms(),
    }
}

fn seal(
    vault: &Vault,
    id: &str,
    organisation: &str,
    grant: &MintedGrant,
    issued_at: i64,
    expires_at: i64,
) -> NewGrant {
    let place = |column| Sealed {
        table: "connections",
        row: id,
        column,
        organisation,
    };
    NewGrant {
        access_sealed: vault.seal(place("access_sealed"), &grant.access_token.clone().into()),
        refresh_sealed: Some(
            vault.seal(place("refresh_sealed"), &grant.refresh_token.clone().into()),
        ),
        fingerprint: fingerprint(&grant.access_token),
        issued_at,
        expires_at,
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's dice are not Relink's")]
pub fn entropy() -> Entropy {
    Entropy::new(|slice| getrandom::fill(slice).unwrap())
}

#[expect(clippy::disallowed_methods, reason = "a test's clock is not Relink's")]
pub fn now_ms() -> i64 {
    i64::try_from(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_millis(),
    )
    .unwrap()
}

/// A new database in the server that `RELINK_TEST_POSTGRES` names; `make test` starts one.
pub async fn empty_database() -> Option<String> {
    let server = server()?;
    let name = format!("fleet{}", entropy().id().replace('-', ""));
    execute(&server, &format!("CREATE DATABASE {name}")).await;
    let (base, _) = server.rsplit_once('/').unwrap();
    Some(format!("{base}/{name}"))
}

/// The same, owned by a role that may have this many connections.
pub async fn limited_database(connections: u32) -> Option<String> {
    let (server, name) = (server()?, format!("few{}", entropy().id().replace('-', "")));
    execute(
        &server,
        &format!("CREATE ROLE {name} LOGIN CONNECTION LIMIT {connections}"),
    )
    .await;
    execute(&server, &format!("CREATE DATABASE {name} OWNER {name}")).await;
    let (base, _) = server.rsplit_once('/').unwrap();
    let (_, address) = base.rsplit_once('@').unwrap();
    Some(format!("postgres://{name}@{address}/{name}"))
}

async fn execute(server: &str, sql: &str) {
    use sqlx::Connection as _;
    let mut connection = sqlx::PgConnection::connect(server).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told where PostgreSQL is"
)]
fn server() -> Option<String> {
    let Ok(server) = std::env::var("RELINK_TEST_POSTGRES") else {
        let skipped = std::env::var_os("RELINK_TEST_WITHOUT_POSTGRES").is_some();
        assert!(
            skipped,
            "set RELINK_TEST_POSTGRES (`make test` does), or RELINK_TEST_WITHOUT_POSTGRES=1 to do \
                without"
        );
        return None;
    };
    Some(server)
}

/// Does something to the database while servers run.
pub fn run(command: &str, args: &[&str]) {
    let done = std::process::Command::new(command)
        .args(args)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{command}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// Copies as a backup tool does: into the file that is open.
pub fn back_up(from: &std::path::Path, to: &std::path::Path) {
    let (from, mut to) = (
        rusqlite::Connection::open(from).unwrap(),
        rusqlite::Connection::open(to).unwrap(),
    );
    to.busy_timeout(Duration::from_secs(5)).unwrap();
    let backup = rusqlite::backup::Backup::new(&from, &mut to).unwrap();
    backup
        .run_to_completion(1_000_000, Duration::from_millis(5), None)
        .unwrap();
}
