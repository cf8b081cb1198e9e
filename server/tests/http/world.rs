//! A world to test in: Relink, a Linear beside it, people with browsers, and time.

use std::collections::HashMap;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use relink_engine::clock::{Clock, DAY, HOUR, Hand, Millis, SECOND};
use relink_engine::entropy::Entropy;
use relink_engine::identity::{Person, Role};
use relink_engine::linear::{Linear, OauthApp};
use relink_engine::mail::Mail;
use relink_engine::store::Store;
use relink_engine::vault::{KeyRing, Vault};
use relink_engine::webhook::SigningKey;
use relink_engine::{Acting, Engine, MemberAddError, RefreshSettings, Settings};
use relink_server::{Web, config, router};
use relink_simulator::{
    Approve, ClockMove, DemoApp, Endpoint, Fault, GrantCounts, Kind, Options, RevokeToken,
    Simulator,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// 2026-11-19 14:02:11 UTC, where both clocks start.
pub const START: Millis = 1_795_096_931_000;
pub const KEYS: &str = "k:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// A newer key, and that one.
pub const NEWER_KEYS: &str =
    "n:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,k:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
pub const METRICS_TOKEN: &str = "the token of whoever counts";
pub const PASSWORD: &str = "correct horse battery";

pub struct World {
    pub store: Store,
    pub engine: Engine,
    pub linear: Simulator,
    pub router: Router,
    hand: Hand,
    pub dir: TempDir,
    linear_url: url::Url,
}

/// The differences from the usual world.
#[derive(Default)]
pub struct Setup {
    pub https: bool,
    pub no_app: bool,
    pub no_secret: bool,
    /// The operator's app has no webhook of its own.
    pub no_app_webhook: bool,
    pub shared_workspaces: bool,
    /// A trait of Linear's: nobody knows whether it is so, and it must cost nothing either way.
    pub revoke_ends_installation: bool,
    /// Another trait that is as little known.
    pub revoke_ends_authorisation: bool,
    pub api_requests_per_minute: Option<u32>,
    pub jobs_secret: Option<&'static str>,
    pub allow_private_destinations: bool,
    pub mail: Option<Mail>,
    /// `postgres://…`; an SQLite file if absent.
    pub postgres: Option<String>,
    /// The number of times that Linear may be asked at once.
    pub ask_burst: Option<u32>,
}

/// Worlds with either answer to what revoking one token ends.
pub async fn both() -> [World; 2] {
    let setup = |revoke_ends_installation| Setup {
        revoke_ends_installation,
        ..Setup::default()
    };
    [
        World::with(setup(false)).await,
        World::with(setup(true)).await,
    ]
}

impl World {
    pub async fn new() -> World {
        World::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> World {
        let url = if setup.https {
            "https://relink.example.com"
        } else {
            "http://localhost:3000"
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let linear_url = format!("http://{}", listener.local_addr().unwrap());
        let linear = simulated_linear(&linear_url, &format!("{url}/oauth/linear/callback"));
        let revoking = json!({
            "revoke_ends_installation": setup.revoke_ends_installation,
            "revoke_ends_authorisation": setup.revoke_ends_authorisation,
        });
        linear.merge_settings(&revoking).unwrap();
        let DemoApp {
            client_id,
            client_secret,
            webhook_secret,
            ..
        } = linear.app();
        tokio::spawn(linear.clone().serve(listener, std::future::pending()));

        let dir = tempfile::tempdir().unwrap();
        let config = config::from_lookup(|name| match name {
            "RELINK_URL" => Some(url.to_owned()),
            "RELINK_DATA_DIR" => Some(dir.path().display().to_string()),
            "LINEAR_URL" | "LINEAR_API_URL" => Some(linear_url.clone()),
            "RELINK_API_REQUESTS_PER_MINUTE" => {
                setup.api_requests_per_minute.map(|limit| limit.to_string())
            }
            "RELINK_JOBS_SECRET" => setup.jobs_secret.map(str::to_owned),
            "RELINK_METRICS_TOKEN" => Some(METRICS_TOKEN.to_owned()),
            _ => None,
        })
        .unwrap();
        let app = OauthApp {
            client_id,
            client_secret: (!setup.no_secret).then(|| client_secret.into()),
        };
        let (clock, hand) = Clock::manual(START);
        let entropy = Entropy::seeded(1);
        let opened = match &setup.postgres {
            Some(url) => Store::open_postgres(url).await,
            None => Store::open_sqlite(&dir.path().join("relink.db")).await,
        };
        let store = opened.unwrap();
        store.migrate().await.unwrap();
        let linear_client = Linear::new(
            config.linear_url.clone(),
            config.linear_api_url.clone(),
            (!setup.no_app).then_some(app),
            config.redirect_uri(),
            clock.clone(),
        )
        .unwrap();
        let vault = Vault::new(KeyRing::parse(KEYS).unwrap(), entropy.clone());
        let webhook_key = if setup.no_app || setup.no_app_webhook {
            None
        } else {
            SigningKey::new(&webhook_secret.into())
        };
        let usual = RefreshSettings::default();
        let settings = Settings {
            shared_workspaces: setup.shared_workspaces,
            allow_private_destinations: setup.allow_private_destinations,
            webhook_key,
            mail: setup.mail,
            refresh: RefreshSettings {
                ask_burst: setup.ask_burst.unwrap_or(usual.ask_burst),
                ..usual
            },
            ..Settings::default()
        };
        let engine = Engine::open(
            store.clone(),
            linear_client,
            vault,
            clock,
            entropy,
            settings,
        )
        .await
        .unwrap();
        let router = router(Web::new(engine.clone(), &config));
        World {
            store,
            engine,
            linear,
            router,
            hand,
            dir,
            linear_url: config.linear_url,
        }
    }

    /// Both clocks.
    pub fn advance(&self, span: Millis) {
        self.jump_on_the_way(span);
        self.linear.advance_s(span / SECOND);
    }

    /// Time passes, and the machine's clock shows another in the middle of it: whatever expires
    /// must not care.
    fn jump_on_the_way(&self, span: Millis) {
        const JUMPS: [Millis; 6] = [HOUR, -HOUR, 2 * DAY, -2 * DAY, 31 * DAY, -31 * DAY];
        let jump = JUMPS[usize::try_from(span / SECOND % 6).unwrap_or(0)];
        let before = self.engine.now();
        self.hand.advance(span / 2);
        self.hand.jump(jump);
        assert_eq!(self.engine.now(), before + span / 2);
        self.hand.jump(-jump);
        self.hand.advance(span - span / 2);
        assert_eq!(self.engine.now(), before + span);
    }

    /// Lets time pass on Relink's side alone.
    pub fn let_pass(&self, span: Millis) {
        self.hand.advance(span);
    }

    /// The address of Linear.
    pub fn linear_url(&self) -> String {
        self.linear_url.to_string()
    }

    /// The id of Northwind Labs.
    pub async fn organisation(&self) -> String {
        self.store
            .organisation_by_slug("northwind-labs")
            .await
            .unwrap()
            .unwrap()
            .id
    }

    /// The machine's clock shows another time than it is.
    pub fn jump(&self, span: Millis) {
        self.hand.jump(span);
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser {
            world: self,
            cookies: HashMap::new(),
        }
    }

    /// The first owner, Priya of Northwind Labs, in her browser.
    pub async fn owner(&self) -> Browser<'_> {
        let mut browser = self.browser();
        let reply = browser.sign_up("priya@northwind.dev").await;
        assert_eq!(reply.location(), "/integrations");
        browser
    }

    /// A member of an organisation in a browser of their own.
    pub async fn member(&self, org: &str, email: &str, role: Role) -> Browser<'_> {
        self.add(org, email, role).await;
        let mut browser = self.browser();
        let reply = browser.sign_in(email, PASSWORD).await;
        assert_eq!(reply.location(), "/integrations");
        browser
    }

    pub async fn add(&self, org: &str, email: &str, role: Role) -> Person {
        match self
            .engine
            .member_add(org, "Some Body", email, PASSWORD.into(), role)
            .await
        {
            Err(MemberAddError::AccountExists(_)) => self
                .engine
                .member_add_existing(org, email, role)
                .await
                .unwrap(),
            added => added.unwrap(),
        }
    }

    /// The next request of this kind goes wrong.
    pub fn fault(&self, endpoint: Endpoint, kind: Kind) {
        self.faults(endpoint, kind, 1);
    }

    /// Makes this number of requests of this kind go wrong.
    pub fn faults(&self, endpoint: Endpoint, kind: Kind, count: u64) {
        self.linear
            .add_fault(Fault {
                count,
                ..fault(endpoint, kind)
            })
            .unwrap();
    }

    /// Another process on the same database, whose clock is ahead by this much (or behind).
    pub async fn another(&self, ahead: Millis) -> Engine {
        self.another_with(ahead, KEYS).await
    }

    /// [`World::another`] with keys of its own.
    pub async fn another_with(&self, ahead: Millis, keys: &str) -> Engine {
        self.another_set(ahead, keys, Settings::default()).await
    }

    /// [`World::another`] that is set up as another Linear app.
    pub async fn another_app(&self, client_id: &str) -> Engine {
        let app = OauthApp {
            client_id: client_id.to_owned(),
            client_secret: Some("another secret of an app".into()),
        };
        let (url, redirect_uri) = (
            &self.linear_url,
            self.engine.linear().redirect_uri().clone(),
        );
        let here = self.engine.clone();
        let stopwatch = here.clone();
        let clock = Clock::new(move || here.now(), move || stopwatch.now());
        let linear = Linear::new(url.clone(), url.clone(), Some(app), redirect_uri, clock).unwrap();
        self.another_engine(0, KEYS, Settings::default(), linear)
            .await
    }

    /// [`World::another`] whose destinations may be private.
    pub async fn another_private(&self) -> Engine {
        self.another_set(
            0,
            KEYS,
            Settings {
                allow_private_destinations: true,
                ..Settings::default()
            },
        )
        .await
    }

    pub async fn another_set(&self, ahead: Millis, keys: &str, settings: Settings) -> Engine {
        self.another_engine(ahead, keys, settings, self.engine.linear().clone())
            .await
    }

    async fn another_engine(
        &self,
        ahead: Millis,
        keys: &str,
        settings: Settings,
        linear: Linear,
    ) -> Engine {
        let here = self.engine.clone();
        let there = here.clone();
        let clock = Clock::new(move || here.now() + ahead, move || there.now());
        let store = Store::open_sqlite(&self.dir.path().join("relink.db"))
            .await
            .unwrap();
        let entropy = Entropy::seeded(2);
        let vault = Vault::new(KeyRing::parse(keys).unwrap(), entropy.clone());
        Engine::open(store, linear, vault, clock, entropy, settings)
            .await
            .unwrap()
    }

    /// A program of Northwind Labs with a key of its own.
    pub async fn program(&self) -> Program<'_> {
        self.program_of("northwind-labs").await
    }

    pub async fn program_of(&self, org: &str) -> Program<'_> {
        let organisation = self.store.organisation_by_slug(org).await.unwrap().unwrap();
        let key = self
            .engine
            .keys(Acting::command(&organisation.id))
            .add("ci")
            .await
            .unwrap();
        Program {
            world: self,
            key: key.key.expose_secret().to_owned(),
        }
    }

    /// Writes straight into the database, to make what Relink never would.
    pub async fn sql(&self, sql: &'static str) {
        let url = format!("sqlite://{}", self.dir.path().join("relink.db").display());
        let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
        sqlx::query(sql).execute(&pool).await.unwrap();
        pool.close().await;
    }

    /// The access token of a workspace's connection stops working, and nobody is told.
    pub fn kill_access_token(&self, workspace: &str) {
        let asked = RevokeToken {
            workspace: Some(workspace.to_owned()),
            which: Some("access".to_owned()),
            ..RevokeToken::default()
        };
        assert!(self.linear.revoke_token(&asked).unwrap());
    }

    /// Access and refresh tokens that Linear would still accept.
    pub fn living_tokens(&self) -> u64 {
        let state = self.linear.state();
        // Linear ends a grant when both of its tokens are revoked.
        let living = state["grants"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|grant| grant["ended"] == false);
        living
            .map(|grant| grant["live_access_tokens"].as_u64().unwrap() + 1)
            .sum()
    }

    /// Whether Linear takes the token for the workspace's connection.
    pub async fn lives(&self, organisation: &str, connection: &str) -> bool {
        let organisation = self
            .store
            .organisation_by_slug(organisation)
            .await
            .unwrap()
            .unwrap()
            .id;
        let identified = async |linear: &Linear, token: &_| linear.identity(token).await;
        self.engine
            .with_token(&organisation, connection, identified)
            .await
            .is_ok()
    }

    /// Permissions that people gave and that nobody took back.
    pub fn living_permissions(&self) -> usize {
        let state = self.linear.state();
        let grants = state["grants"].as_array().unwrap();
        grants
            .iter()
            .filter(|grant| grant["actor"] == "user" && grant["ended"] == false)
            .count()
    }

    /// Requests that an endpoint of Linear answered, by any outcome.
    pub fn count(&self, endpoint: &str) -> u64 {
        self.linear.count(endpoint, "received")
    }

    /// Every secret that Linear ever handed out.
    pub fn minted(&self) -> Vec<String> {
        self.linear
            .minted()
            .into_iter()
            .map(|minted| minted.value)
            .collect()
    }
}

/// One request of this kind goes wrong.
pub fn fault(endpoint: Endpoint, kind: Kind) -> Fault {
    Fault {
        endpoint,
        kind,
        count: 1,
        delay_ms: None,
        status: None,
        retry_after_s: None,
        after: 0,
        operation: None,
        grant_type: None,
        fields: serde_json::Map::default(),
    }
}

fn simulated_linear(url: &str, redirect_uri: &str) -> Simulator {
    let options = Options {
        url: url.to_owned(),
        state_file: None,
        redirect_uris: vec![redirect_uri.to_owned()],
    };
    let linear = Simulator::seeded(options).unwrap();
    linear.set_seed("1");
    linear.move_clock(ClockMove {
        manual: Some(true),
        set_ms: Some(START),
        ..ClockMove::default()
    });
    linear
}

/// One person's browser: keeps cookies, follows nothing by itself.
pub struct Browser<'a> {
    pub world: &'a World,
    pub cookies: HashMap<String, String>,
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    pub fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.headers[header::LOCATION].to_str().unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name} header"))
            .to_str()
            .unwrap()
    }

    /// The page's text without its tags, white space folded.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut in_tag = false;
        let visible = self.body.split("<script").map(|part| {
            part.split_once("</script>")
                .map_or(part, |(_, after)| after)
        });
        // Empty comments are where the renderer joined two pieces of text.
        for c in visible
            .collect::<Vec<_>>()
            .join(" ")
            .replace("<!---->", "")
            .chars()
        {
            match c {
                '<' => in_tag = true,
                '>' => {
                    in_tag = false;
                    text.push(' ');
                }
                c if !in_tag => text.push(c),
                _ => {}
            }
        }
        let text = text
            .replace("&amp;", "&")
            .replace("&#x27;", "'")
            .replace("&quot;", "\"");
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace(" .", ".")
            .replace(" ,", ",")
    }

    #[track_caller]
    pub fn shows(&self, words: &str) {
        let text = self.text();
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }

    #[track_caller]
    pub fn hides(&self, words: &str) {
        assert!(!self.body.contains(words), "{words:?} is in: {}", self.body);
    }
}

impl Browser<'_> {
    pub async fn get(&mut self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], &[]).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(
            Method::POST,
            path,
            fields,
            &[("sec-fetch-site", "same-origin")],
        )
        .await
    }

    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let form = (method == Method::POST).then(|| form.finish().into_bytes());
        self.send_body(method, path, form, headers).await
    }

    /// [`Browser::send`] of a form as it is written.
    pub async fn send_body(
        &mut self,
        method: Method,
        path: &str,
        form: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut request = Request::builder().method(&method).uri(path);
        if headers.iter().all(|(name, _)| *name != "host") {
            request = request.header("host", "localhost:3000");
        }
        if headers.iter().all(|(name, _)| *name != "accept") {
            request = request.header("accept", "text/html");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let body = if let Some(form) = form {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            request = request.header(header::CONTENT_LENGTH, form.len());
            Body::from(form)
        } else {
            Body::empty()
        };
        let response = self
            .world
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        self.keep_cookies(&response);
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 10_000_000).await.unwrap();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    fn keep_cookies(&mut self, response: &Response<Body>) {
        for line in response.headers().get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() || line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub async fn sign_up(&mut self, email: &str) -> Reply {
        let fields = [
            ("organisation", "Northwind Labs"),
            ("name", "Priya Raman"),
            ("email", email),
            ("password", PASSWORD),
        ];
        self.post("/signup", &fields).await
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) -> Reply {
        self.post("/signin", &[("email", email), ("password", password)])
            .await
    }

    /// Presses Connect Linear: where the browser is sent.
    pub async fn leave_for_linear(&mut self, fields: &[(&str, &str)]) -> String {
        self.post("/oauth/linear/start", fields)
            .await
            .location()
            .to_owned()
    }

    /// Decides as the workspace's admin, and gives the address that Linear sends the browser back
    /// to.
    pub fn decide(&self, authorize_url: &str, workspace: &str, decision: &str) -> String {
        let asked = Approve {
            authorize_url: authorize_url.to_owned(),
            workspace: workspace.to_owned(),
            decision: Some(decision.to_owned()),
            ..Approve::default()
        };
        let location = self
            .world
            .linear
            .approve(&asked)
            .unwrap()
            .expect("a way back");
        let back = url::Url::parse(&location).unwrap();
        format!("{}?{}", back.path(), back.query().unwrap_or_default())
    }

    /// [`Browser::decide`] by somebody in particular, who approves.
    pub fn approve_as(&self, authorize_url: &str, workspace: &str, user: &str) -> String {
        let asked = Approve {
            authorize_url: authorize_url.to_owned(),
            workspace: workspace.to_owned(),
            user: Some(user.to_owned()),
            ..Approve::default()
        };
        let location = self
            .world
            .linear
            .approve(&asked)
            .unwrap()
            .expect("a way back");
        let back = url::Url::parse(&location).unwrap();
        format!("{}?{}", back.path(), back.query().unwrap_or_default())
    }

    /// The whole walk: press, approve, come back.
    pub async fn walk(&mut self, workspace: &str, fields: &[(&str, &str)]) -> Reply {
        let leave = self.leave_for_linear(fields).await;
        let back = self.decide(&leave, workspace, "approve");
        self.get(&back).await
    }

    /// Connects a workspace and answers the connection's id.
    pub async fn connect(&mut self, workspace: &str) -> String {
        let reply = self.walk(workspace, &[]).await;
        assert_eq!(reply.location(), "/integrations");
        self.connection_id(workspace).await
    }

    pub async fn reconnect(&mut self, id: &str, workspace: &str) -> Reply {
        self.walk(workspace, &[("connection", id)]).await
    }

    /// Reads the id from the link on the card, as a person would.
    pub async fn connection_id(&mut self, workspace: &str) -> String {
        let page = self.get("/integrations").await.body.replace("<!---->", "");
        let card = page
            .split("<article")
            .find(|card| card.contains(&format!("linear.app/{workspace}")))
            .expect("a card");
        card.split("/integrations/")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    }
}

/// A program with a key.
#[derive(Clone)]
pub struct Program<'a> {
    pub world: &'a World,
    pub key: String,
}

/// An answer to a program.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    /// The problem's code.
    #[track_caller]
    pub fn code(&self) -> &str {
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/problem+json",
            "{self:?}"
        );
        assert_eq!(self.body["status"], self.status);
        self.body["code"].as_str().unwrap()
    }

    #[track_caller]
    pub fn token(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.body["access_token"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub fn fingerprint(&self) -> String {
        self.body["fingerprint"].as_str().unwrap().to_owned()
    }
}

impl Program<'_> {
    pub async fn call(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.key));
        self.world.send(request.body(body.into()).unwrap()).await
    }

    pub async fn token(&self, connection: &str) -> Answer {
        self.token_with(connection, json!({})).await
    }

    pub async fn token_with(&self, connection: &str, asked: Value) -> Answer {
        self.call(
            Method::POST,
            &format!("/api/v1/connections/{connection}/token"),
            asked.to_string(),
        )
        .await
    }

    pub async fn graphql(&self, connection: &str, query: &str) -> Answer {
        let body = json!({ "query": query }).to_string();
        self.call(
            Method::POST,
            &format!("/api/v1/connections/{connection}/graphql"),
            body,
        )
        .await
    }
}

impl World {
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 20_000_000).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            text,
        }
    }

    /// Reads what is counted, as those do who show the token.
    pub async fn metrics(&self) -> Answer {
        self.metrics_with(Some(&format!("Bearer {METRICS_TOKEN}")))
            .await
    }

    pub async fn metrics_with(&self, authorization: Option<&str>) -> Answer {
        let mut request = Request::get("/metrics");
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// An owner with one connected workspace, and a program.
    pub async fn connected(&self) -> (Browser<'_>, Program<'_>, String) {
        let mut browser = self.owner().await;
        let id = browser.connect("acme-robotics").await;
        let program = self.program().await;
        (browser, program, id)
    }

    /// Requests to the token endpoint that asked for a refresh of the workspace's grants, by
    /// outcome.
    pub fn refreshes(&self) -> GrantCounts {
        self.linear.grant_counts("acme-robotics")
    }
}
