//! The environment, read once and checked whole before anything starts.

mod env_file;
mod read;
mod settings;
mod sources;
mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use relink_engine::RefreshSettings;
use relink_engine::clock::Millis;
use relink_engine::linear::OauthApp;
use relink_engine::mail::MailServer;
use relink_engine::store::Connections;
use relink_engine::vault::KeyRing;
use relink_engine::webhook::WebhookSettings;
use secrecy::SecretString;
use url::Url;

use crate::proxies::TrustedProxies;

pub use self::read::{from_environment, from_lookup};
pub use self::values::{ConfigError, is_loopback, parse_span};

/// Everything that the environment decides.
#[derive(Clone, Debug)]
pub struct Config {
    pub addr: SocketAddr,
    /// The origin at which the world reaches this instance.
    pub url: Url,
    /// The proxies whose word about addresses counts.
    pub trusted_proxies: TrustedProxies,
    pub data_dir: PathBuf,
    pub database: Database,
    pub connections: Connections,
    /// The keys from the environment; otherwise the data directory holds them.
    pub keys: Option<KeyRing>,
    pub app: Option<OauthApp>,
    pub webhook_secret: Option<SecretString>,
    pub linear_url: Url,
    pub linear_api_url: Url,
    pub shared_workspaces: bool,
    /// Webhook destinations may be private addresses.
    pub allow_private_destinations: bool,
    pub refresh: RefreshSettings,
    pub webhooks: WebhookSettings,
    /// Milliseconds for which what belongs to a disconnected workspace is kept.
    pub keep_disconnected: Millis,
    pub mail: Option<MailServer>,
    /// Requests that one API key may make in a minute.
    pub api_requests_per_minute: u32,
    /// Signs `POST /jobs/refresh`; without it there is no such thing.
    pub jobs_secret: Option<SecretString>,
    /// The token that whoever asks for `/metrics` shows.
    pub metrics_token: Option<SecretString>,
    /// `/metrics` is here and nowhere else.
    pub metrics_addr: Option<SocketAddr>,
    pub log: String,
    pub log_json: bool,
    /// The folder of the browser's files, when they are not the ones inside the binary: set by
    /// `cargo leptos watch`.
    pub site_root: Option<PathBuf>,
    /// Settings that work and should be otherwise, for the log.
    pub warnings: Vec<String>,
}

/// The database that remembers everything.
#[derive(Clone, Debug)]
pub enum Database {
    Sqlite(PathBuf),
    /// An address that may hold a password.
    Postgres(SecretString),
}

pub const LINEAR_URL: &str = "https://linear.app";
pub const LINEAR_API_URL: &str = "https://api.linear.app";

/// The path at which Linear delivers.
pub const WEBHOOKS: &str = "/webhooks/linear";

impl Config {
    #[must_use]
    pub fn https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Linear is not the real one.
    #[must_use]
    pub fn simulated(&self) -> bool {
        origin(&self.linear_url) != LINEAR_URL || origin(&self.linear_api_url) != LINEAR_API_URL
    }

    /// The SQLite file, unless the database is PostgreSQL.
    #[must_use]
    pub fn sqlite_file(&self) -> Option<&Path> {
        match &self.database {
            Database::Sqlite(path) => Some(path),
            Database::Postgres(_) => None,
        }
    }

    /// The redirect URI, which is registered with the app in Linear, letter for letter.
    #[must_use]
    pub fn redirect_uri(&self) -> Url {
        self.at("/oauth/linear/callback")
    }

    /// The address at which Linear delivers webhooks.
    #[must_use]
    pub fn webhook_url(&self) -> Url {
        self.at(WEBHOOKS)
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }
}

/// Scheme, host and port, without a slash at the end.
#[must_use]
pub fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
