//! A running simulator and what tests do with it, named as what people and programs do.

use std::time::Duration;

use relink_simulator::{Approve, ClockMove, DemoApp, Options, Simulator};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub const CALLBACK: &str = "http://localhost:3000/oauth/linear/callback";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Half past ten on 21 November 2026.
pub const START_MS: i64 = 1_795_257_000_000;

pub struct Linear {
    pub base: String,
    pub simulator: Simulator,
    pub http: Client,
    _stop: oneshot::Sender<()>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// Status and body of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Answer {
    pub async fn of(response: Response) -> Answer {
        let status = response.status();
        let text = response.text().await.expect("a body");
        Answer {
            status,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }

    pub fn tokens(&self) -> Tokens {
        let text = |name: &str| {
            self.body[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name} in {self:?}"))
                .to_owned()
        };
        Tokens {
            access: text("access_token"),
            refresh: text("refresh_token"),
        }
    }

    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_default()
    }

    pub fn assert_oauth_error(&self, error: &str, description: &str) {
        assert_eq!(
            self.body,
            json!({"error": error, "error_description": description})
        );
        assert_eq!(self.status, 400);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests' own client, built once for each running simulator"
)]
pub fn http_client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(Policy::none())
        .timeout(Duration::from_secs(10))
        .build()
        .expect("a client")
}

impl Linear {
    /// The demo world, its clock standing still.
    pub async fn start() -> Linear {
        let simulator = Simulator::seeded(Options::default()).expect("a simulator");
        simulator.move_clock(ClockMove {
            manual: Some(true),
            set_ms: Some(START_MS),
            ..ClockMove::default()
        });
        Linear::serve(simulator).await
    }

    pub async fn serve(simulator: Simulator) -> Linear {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(simulator.clone().serve(listener, async {
            let _ = stopped.await;
        }));
        Linear {
            base,
            simulator,
            http: http_client(),
            _stop: stop,
        }
    }

    pub fn set(&self, changes: Value) {
        self.simulator.merge_settings(&changes).expect("settings");
    }

    pub fn fault(&self, fault: Value) {
        self.simulator
            .add_fault(serde_json::from_value(fault).expect("a fault"))
            .expect("room");
    }

    /// The authorize URL an application would send people to, with some parameters changed or
    /// (empty) left out.
    pub fn authorize_url(&self, changes: &[(&str, &str)]) -> String {
        let app = self.simulator.app();
        let mut fields = vec![
            ("client_id", app.client_id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "read,write"),
            ("state", "st&te=1"),
            ("prompt", "consent"),
            ("actor", "app"),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        fields.retain(|(_, value)| !value.is_empty());
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        format!("{}/oauth/authorize?{query}", self.base)
    }

    /// Plays the person; answers where the browser goes.
    pub fn approve(&self, workspace: &str, changes: &[(&str, &str)]) -> Option<String> {
        let asked = Approve {
            authorize_url: self.authorize_url(changes),
            workspace: workspace.into(),
            ..Approve::default()
        };
        self.simulator.approve(&asked).expect("an answer")
    }

    pub fn code(&self, workspace: &str, changes: &[(&str, &str)]) -> String {
        param(
            &self.approve(workspace, changes).expect("a redirect"),
            "code",
        )
        .expect("a code")
    }

    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base)).form(fields);
        Answer::of(request.send().await.expect("an answer")).await
    }

    pub async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        self.token_as(&self.simulator.app(), fields).await
    }

    /// Asks for a token with the fields every confidential client sends.
    pub async fn token_as(&self, app: &DemoApp, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![
            ("client_id", app.client_id.as_str()),
            ("client_secret", app.client_secret.as_str()),
        ];
        all.extend_from_slice(fields);
        self.form("/oauth/token", &all).await
    }

    pub async fn exchange(&self, code: &str) -> Answer {
        self.exchange_as(&self.simulator.app(), code).await
    }

    pub async fn exchange_as(&self, app: &DemoApp, code: &str) -> Answer {
        self.token_as(
            app,
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", CALLBACK),
            ],
        )
        .await
    }

    pub async fn connect(&self, workspace: &str) -> Tokens {
        self.connect_with(workspace, &[]).await
    }

    pub async fn connect_with(&self, workspace: &str, changes: &[(&str, &str)]) -> Tokens {
        self.exchange(&self.code(workspace, changes)).await.tokens()
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.refresh_as(&self.simulator.app(), token).await
    }

    pub async fn refresh_as(&self, app: &DemoApp, token: &str) -> Answer {
        self.token_as(
            app,
            &[("grant_type", "refresh_token"), ("refresh_token", token)],
        )
        .await
    }

    pub fn ask(&self, token: &str, query: &str, variables: Value) -> RequestBuilder {
        let body = json!({"query": query, "variables": variables});
        self.http
            .post(format!("{}/graphql", self.base))
            .bearer_auth(token)
            .json(&body)
    }

    pub async fn graphql(&self, token: &str, query: &str, variables: Value) -> Answer {
        Answer::of(
            self.ask(token, query, variables)
                .send()
                .await
                .expect("an answer"),
        )
        .await
    }

    pub async fn works(&self, access: &str) -> bool {
        self.graphql(access, "{ viewer { id } }", json!({}))
            .await
            .status
            == 200
    }

    pub async fn control(&self, path: &str, body: Value) -> Answer {
        let request = self
            .http
            .post(format!("{}/control/{path}", self.base))
            .json(&body);
        Answer::of(request.send().await.expect("an answer")).await
    }

    pub fn is_installed(&self, workspace: &str) -> bool {
        let state = self.simulator.state();
        let all = state["workspaces"].as_array().expect("workspaces");
        all.iter()
            .any(|home| home["url_key"] == workspace && home["installed"] == true)
    }
}

/// A query parameter of a URL.
pub fn param(location: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(location).expect("a URL");
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
