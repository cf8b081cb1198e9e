//! From text to values. A value that cannot work is named, with what is wrong and what a right one looks like; it is
//! never repeated, since it may be a secret.

use std::env::VarError;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use relink_engine::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use relink_engine::linear::{OauthApp, is_client_id, is_client_secret};
use relink_engine::mail::{MailError, MailServer};
use relink_engine::store::POOL_SIZE;
use relink_engine::vault::KeyRing;
use relink_engine::webhook::WebhookSettings;
use relink_engine::{KEEP_DISCONNECTED, RefreshSettings};
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use url::{Host, Url};

use super::{Config, Database, LINEAR_API_URL, LINEAR_URL};

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}; {hint}")]
pub struct ConfigError {
    pub name: &'static str,
    pub problem: String,
    /// What a right one looks like.
    pub hint: &'static str,
}

/// Reads the environment and, for what it does not set, `.env` in the working directory.
///
/// # Errors
/// The first value that cannot work.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn from_environment() -> Result<Config, ConfigError> {
    match dotenvy::from_path(".env") {
        Ok(_) => {}
        Err(error) if error.not_found() => {}
        Err(_) => return Err(wrong(".env", "it cannot be read", "each line is NAME=value or # a comment")),
    }
    for name in NAMES {
        if let Err(VarError::NotUnicode(_)) = std::env::var(name) {
            return Err(wrong(name, "it is not text", "write it in UTF-8"));
        }
    }
    from_lookup(|name| std::env::var(name).ok())
}

/// Everything that is read.
const NAMES: [&str; 29] = [
    "RELINK_ADDR",
    "RELINK_URL",
    "RELINK_DATA_DIR",
    "DATABASE_URL",
    "RELINK_DATABASE_POOL",
    "RELINK_KEYS",
    "LINEAR_CLIENT_ID",
    "LINEAR_CLIENT_SECRET",
    "LINEAR_WEBHOOK_SECRET",
    "LINEAR_URL",
    "LINEAR_API_URL",
    "RELINK_REFRESH_BEFORE",
    "RELINK_REFRESH_AT_ONCE",
    "RELINK_REPLAY_WINDOW",
    "RELINK_API_REQUESTS_PER_MINUTE",
    "RELINK_JOBS_SECRET",
    "RELINK_WEBHOOK_AGE_MAX",
    "RELINK_WEBHOOK_AHEAD_MAX",
    "RELINK_SECRET_OVERLAP",
    "RELINK_KEEP_DELIVERIES",
    "RELINK_KEEP_DELIVERIES_MB",
    "RELINK_KEEP_DISCONNECTED",
    "RELINK_SMTP_URL",
    "RELINK_MAIL_FROM",
    "RELINK_SHARED_WORKSPACES",
    "RELINK_ALLOW_PRIVATE_DESTINATIONS",
    "RELINK_LOG",
    "RELINK_LOG_FORMAT",
    "LEPTOS_SITE_ROOT",
];

/// Reads from anything that knows names and values. An empty value counts as not set.
///
/// # Errors
/// The first value that cannot work.
pub fn from_lookup(lookup: impl Fn(&'static str) -> Option<String>) -> Result<Config, ConfigError> {
    let get = |name: &'static str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let data_dir = PathBuf::from(get("RELINK_DATA_DIR").unwrap_or_else(|| "./data".to_owned()));
    let config = Config {
        addr: addr(get("RELINK_ADDR"))?,
        url: public_url(get("RELINK_URL"))?,
        database: database(get("DATABASE_URL"), &data_dir)?,
        database_pool: number("RELINK_DATABASE_POOL", get("RELINK_DATABASE_POOL"), POOL_SIZE, 1_000)?,
        keys: keys(get("RELINK_KEYS"))?,
        app: app(get("LINEAR_CLIENT_ID"), get("LINEAR_CLIENT_SECRET"))?,
        webhook_secret: webhook_secret(get("LINEAR_WEBHOOK_SECRET"))?,
        linear_url: linear_url("LINEAR_URL", get("LINEAR_URL"), LINEAR_URL)?,
        linear_api_url: linear_url("LINEAR_API_URL", get("LINEAR_API_URL"), LINEAR_API_URL)?,
        shared_workspaces: flag("RELINK_SHARED_WORKSPACES", get("RELINK_SHARED_WORKSPACES"))?,
        allow_private_destinations: flag("RELINK_ALLOW_PRIVATE_DESTINATIONS", get("RELINK_ALLOW_PRIVATE_DESTINATIONS"))?,
        refresh: refresh(get)?,
        webhooks: webhooks(get)?,
        api_requests_per_minute: number("RELINK_API_REQUESTS_PER_MINUTE", get("RELINK_API_REQUESTS_PER_MINUTE"), 60_000, 1_000_000_000)?,
        keep_disconnected: span("RELINK_KEEP_DISCONNECTED", get("RELINK_KEEP_DISCONNECTED"), KEEP_DISCONNECTED)?,
        mail: mail(get("RELINK_SMTP_URL"), get("RELINK_MAIL_FROM"))?,
        jobs_secret: jobs_secret(get("RELINK_JOBS_SECRET"))?,
        log: log_filter(get("RELINK_LOG"))?,
        log_json: log_json(get("RELINK_LOG_FORMAT"))?,
        site_root: get("LEPTOS_SITE_ROOT").map(PathBuf::from),
        data_dir,
    };
    check_together(&config)?;
    Ok(config)
}

fn wrong(name: &'static str, problem: impl Into<String>, hint: &'static str) -> ConfigError {
    ConfigError { name, problem: problem.into(), hint }
}

fn addr(value: Option<String>) -> Result<std::net::SocketAddr, ConfigError> {
    let text = value.unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    text.parse().map_err(|_| wrong("RELINK_ADDR", "it is not an IP address with a port", "for example 127.0.0.1:3000 or [::]:8080"))
}

fn public_url(value: Option<String>) -> Result<Url, ConfigError> {
    const HINT: &str = "for example https://relink.example.com, or http://localhost:3000";
    let text = value.unwrap_or_else(|| "http://localhost:3000".to_owned());
    let url = origin_url("RELINK_URL", &text, HINT)?;
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(wrong("RELINK_URL", "http is for localhost only: cookies and tokens would travel in the clear", HINT));
    }
    Ok(url)
}

fn linear_url(name: &'static str, value: Option<String>, default: &'static str) -> Result<Url, ConfigError> {
    const HINT: &str = "leave it out for the real Linear; only tests and the simulated Linear change it, for example http://127.0.0.1:4010";
    let url = origin_url(name, value.as_deref().unwrap_or(default), HINT)?;
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(wrong(name, "http is for this machine only: tokens would travel in the clear", HINT));
    }
    Ok(url)
}

/// An http or https address with nothing after the port.
fn origin_url(name: &'static str, text: &str, hint: &'static str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).map_err(|_| wrong(name, "it is not an address", hint))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong(name, "it does not start with http:// or https://", hint));
    }
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !bare || !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(name, "it has more than scheme, host and port", hint));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

fn database(value: Option<String>, data_dir: &Path) -> Result<Database, ConfigError> {
    const HINT: &str = "for example sqlite://./data/relink.db or postgres://user:password@host/relink";
    let Some(text) = value else { return Ok(Database::Sqlite(data_dir.join("relink.db"))) };
    if let Some(path) = text.strip_prefix("sqlite://") {
        if path.is_empty() || path.contains(['?', '\0']) || path.starts_with(":memory:") {
            return Err(wrong("DATABASE_URL", "it names no file", HINT));
        }
        return Ok(Database::Sqlite(PathBuf::from(path)));
    }
    let postgres = text.starts_with("postgres://") || text.starts_with("postgresql://");
    if !postgres || Url::parse(&text).is_err() {
        return Err(wrong("DATABASE_URL", "it is neither sqlite://PATH nor a postgres:// address", HINT));
    }
    Ok(Database::Postgres(text.into()))
}

fn keys(value: Option<String>) -> Result<Option<KeyRing>, ConfigError> {
    let hint = "for example k1:BASE64, where BASE64 is the output of `openssl rand -base64 32`";
    value.map(|text| KeyRing::parse(&text).map_err(|error| wrong("RELINK_KEYS", error.to_string(), hint))).transpose()
}

fn app(id: Option<String>, secret: Option<String>) -> Result<Option<OauthApp>, ConfigError> {
    let Some(client_id) = id else {
        return match secret {
            None => Ok(None),
            Some(_) => Err(wrong(
                "LINEAR_CLIENT_ID",
                "LINEAR_CLIENT_SECRET is set and this is not",
                "copy the client ID from the app's page in Linear",
            )),
        };
    };
    if !is_client_id(&client_id) {
        return Err(wrong(
            "LINEAR_CLIENT_ID",
            "this cannot be a client ID",
            "copy it from the app's page in Linear: letters and digits, not a token or an address",
        ));
    }
    let hint = "copy the client secret from the app's page in Linear, or leave it out to rely on PKCE alone";
    if secret.as_deref().is_some_and(|secret| !is_client_secret(secret)) {
        return Err(wrong("LINEAR_CLIENT_SECRET", "this cannot be a client secret", hint));
    }
    Ok(Some(OauthApp { client_id, client_secret: secret.map(SecretString::from) }))
}

fn webhook_secret(value: Option<String>) -> Result<Option<SecretString>, ConfigError> {
    let fits =
        |secret: &str| secret.strip_prefix("lin_wh_").is_some_and(|rest| rest.len() >= 8 && rest.bytes().all(|b| b.is_ascii_graphic()));
    match value {
        Some(secret) if !fits(&secret) => Err(wrong(
            "LINEAR_WEBHOOK_SECRET",
            "this is not a Linear signing secret",
            "it starts with lin_wh_ and stands under Webhooks on the app's page in Linear",
        )),
        value => Ok(value.map(SecretString::from)),
    }
}

fn flag(name: &'static str, value: Option<String>) -> Result<bool, ConfigError> {
    match value.as_deref() {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(_) => Err(wrong(name, "it is neither true nor false", "write true or false")),
    }
}

fn log_filter(value: Option<String>) -> Result<String, ConfigError> {
    let text = value.unwrap_or_else(|| "info".to_owned());
    // The library takes any single word for the name of a target, and then nothing is logged.
    let is_level = |word: &str| word.trim().parse::<LevelFilter>().is_ok();
    let words = text.split(',').all(|part| part.contains(['=', '[']) || is_level(part));
    match EnvFilter::try_new(&text) {
        Ok(_) if words => Ok(text),
        _ => Err(wrong("RELINK_LOG", "it is not a log filter", "for example info, or info,relink_engine=debug")),
    }
}

fn log_json(value: Option<String>) -> Result<bool, ConfigError> {
    match value.as_deref() {
        None | Some("text") => Ok(false),
        Some("json") => Ok(true),
        Some(_) => Err(wrong("RELINK_LOG_FORMAT", "there is no such format", "write text or json")),
    }
}

fn refresh(get: impl Fn(&'static str) -> Option<String>) -> Result<RefreshSettings, ConfigError> {
    let default = RefreshSettings::default();
    let at_once = number("RELINK_REFRESH_AT_ONCE", get("RELINK_REFRESH_AT_ONCE"), 16, 256)?;
    Ok(RefreshSettings {
        background_before: span("RELINK_REFRESH_BEFORE", get("RELINK_REFRESH_BEFORE"), default.background_before)?,
        replay_window: span("RELINK_REPLAY_WINDOW", get("RELINK_REPLAY_WINDOW"), default.replay_window)?,
        at_once: at_once as usize,
        ..default
    })
}

fn webhooks(get: impl Fn(&'static str) -> Option<String>) -> Result<WebhookSettings, ConfigError> {
    let default = WebhookSettings::default();
    let set = |name, default| span(name, get(name), default);
    let settings = WebhookSettings {
        age_max: set("RELINK_WEBHOOK_AGE_MAX", default.age_max)?,
        ahead_max: set("RELINK_WEBHOOK_AHEAD_MAX", default.ahead_max)?,
        overlap: set("RELINK_SECRET_OVERLAP", default.overlap)?,
        keep_for: set("RELINK_KEEP_DELIVERIES", default.keep_for)?,
        keep_bytes: i64::from(number("RELINK_KEEP_DELIVERIES_MB", get("RELINK_KEEP_DELIVERIES_MB"), 1_024, 1_000_000)?) * 1024 * 1024,
    };
    if settings.keep_for < settings.age_max {
        let hint = "keep deliveries for longer than RELINK_WEBHOOK_AGE_MAX, for example 30d";
        return Err(wrong("RELINK_KEEP_DELIVERIES", "a delivery would be forgotten while Linear may still send it again", hint));
    }
    Ok(settings)
}

fn span(name: &'static str, value: Option<String>, default: Millis) -> Result<Millis, ConfigError> {
    let Some(text) = value else { return Ok(default) };
    parse_span(&text).ok_or_else(|| wrong(name, "it is not a span of time", "a number with s, m, h or d, for example 90m"))
}

/// "90s", "90m", "24h", "7d", as milliseconds; no more than a year.
pub fn parse_span(text: &str) -> Option<Millis> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return None,
    };
    let number = number.bytes().all(|digit| digit.is_ascii_digit()).then(|| number.parse::<Millis>().ok())??;
    number.checked_mul(unit).filter(|span| *span <= 365 * DAY)
}

fn number(name: &'static str, value: Option<String>, default: u32, max: u32) -> Result<u32, ConfigError> {
    let Some(text) = value else { return Ok(default) };
    let number = text.parse().ok().filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| wrong(name, format!("it is not a whole number from 1 to {max}"), "leave it out for the default"))
}

fn jobs_secret(value: Option<String>) -> Result<Option<SecretString>, ConfigError> {
    match value {
        Some(secret) if secret.len() < 16 => Err(wrong(
            "RELINK_JOBS_SECRET",
            "it is shorter than 16 characters, which can be guessed",
            "for example the output of `openssl rand -hex 32`",
        )),
        value => Ok(value.map(SecretString::from)),
    }
}

fn mail(smtp: Option<String>, from: Option<String>) -> Result<Option<MailServer>, ConfigError> {
    const FROM: &str = "for example Relink <relink@example.com>";
    let from_wrong = || wrong("RELINK_MAIL_FROM", "it is not an e-mail address", FROM);
    let Some(smtp) = smtp else {
        return if from.is_none_or(|from| MailServer::is_sender(&from)) { Ok(None) } else { Err(from_wrong()) };
    };
    match MailServer::new(&smtp, from.as_deref().unwrap_or_default()) {
        Ok(server) => Ok(Some(server)),
        Err(MailError::From) if from.is_none() => Err(wrong("RELINK_MAIL_FROM", "RELINK_SMTP_URL is set and this is not", FROM)),
        Err(MailError::From) => Err(from_wrong()),
        Err(MailError::Server) => {
            Err(wrong("RELINK_SMTP_URL", "it is not an address of a mail server", "for example smtps://user:password@mail.example.com"))
        }
    }
}

/// What is fine alone and wrong together.
fn check_together(config: &Config) -> Result<(), ConfigError> {
    if config.sqlite_file().is_none() && config.keys.is_none() {
        return Err(wrong(
            "RELINK_KEYS",
            "it is required on PostgreSQL: every replica must seal with the same keys",
            "for example k1:BASE64, where BASE64 is the output of `openssl rand -base64 32`",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Result<Config, ConfigError> {
        from_lookup(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn nothing_set_means_sqlite_on_localhost_with_the_real_linear_and_no_app() {
        let config = read(&[]).expect("the defaults work");
        assert_eq!(config.addr.to_string(), "127.0.0.1:3000");
        assert_eq!(config.redirect_uri().as_str(), "http://localhost:3000/oauth/linear/callback");
        assert_eq!(config.sqlite_file(), Some(Path::new("./data/relink.db")));
        assert!(config.app.is_none() && !config.simulated() && !config.https());
    }

    #[test]
    fn each_value_that_cannot_work_is_named_and_never_repeated() {
        let key = "k:AAAA";
        for (name, value) in [
            ("RELINK_ADDR", "localhost:3000"),
            ("RELINK_ADDR", "nowhere"),
            ("RELINK_URL", "relink.example.com"),
            ("RELINK_URL", "http://relink.example.com"),
            ("RELINK_URL", "https://relink.example.com/relink"),
            ("RELINK_URL", "https://u:hunter2hunter2@relink.example.com"),
            ("RELINK_URL", "ftp://relink.example.com"),
            ("DATABASE_URL", "mysql://hunter2hunter2@x/y"),
            ("DATABASE_URL", "sqlite://"),
            ("DATABASE_URL", "sqlite://:memory:"),
            ("RELINK_DATABASE_POOL", "4096"),
            ("RELINK_DATABASE_POOL", "all"),
            ("RELINK_KEYS", key),
            ("LINEAR_CLIENT_ID", "two words"),
            ("LINEAR_CLIENT_ID", "lin_oauth_0123456789"),
            ("LINEAR_CLIENT_ID", "https://linear.app"),
            ("LINEAR_WEBHOOK_SECRET", "whsec_0123456789"),
            ("LINEAR_WEBHOOK_SECRET", "lin_wh_"),
            ("LINEAR_URL", "http://linear.example"),
            ("LINEAR_API_URL", "api.linear.app"),
            ("RELINK_SHARED_WORKSPACES", "perhaps"),
            ("RELINK_ALLOW_PRIVATE_DESTINATIONS", "perhaps"),
            ("RELINK_REFRESH_BEFORE", "ninety minutes"),
            ("RELINK_REFRESH_BEFORE", "9000d"),
            ("RELINK_REPLAY_WINDOW", "-30m"),
            ("RELINK_REFRESH_AT_ONCE", "0"),
            ("RELINK_API_REQUESTS_PER_MINUTE", "many"),
            ("RELINK_WEBHOOK_AGE_MAX", "eight hours"),
            ("RELINK_WEBHOOK_AHEAD_MAX", "-1s"),
            ("RELINK_SECRET_OVERLAP", "a day"),
            ("RELINK_KEEP_DELIVERIES", "7h"),
            ("RELINK_KEEP_DELIVERIES_MB", "plenty"),
            ("RELINK_JOBS_SECRET", "hunter2hunter2"),
            ("RELINK_KEEP_DISCONNECTED", "a month"),
            ("RELINK_SMTP_URL", "mail.example.com"),
            ("RELINK_MAIL_FROM", "nobody"),
            ("RELINK_LOG", "relink=loud=very"),
            ("RELINK_LOG", "verbose"),
            ("RELINK_LOG_FORMAT", "xml"),
        ] {
            let error = read(&[(name, value)]).expect_err(value);
            assert_eq!(error.name, name, "{value}");
            let line = error.to_string();
            // An example may look like what was given.
            assert!(!line.replace(error.hint, "").contains(value) && !line.contains('\n') && !line.contains("hunter2"), "{line}");
        }
    }

    #[test]
    fn spans_are_a_number_and_a_unit() {
        for (text, span) in [("0s", 0), ("90m", 90 * MINUTE), ("24h", DAY), ("7d", 7 * DAY)] {
            assert_eq!(parse_span(text), Some(span), "{text}");
        }
        for text in ["", "m", "90", "1.5h", "+1h", "1 h", "90µ", "99999999999999999999s", "366d"] {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }

    #[test]
    fn values_that_need_another_one_say_so() {
        assert_eq!(read(&[("LINEAR_CLIENT_SECRET", "0123456789abcdef")]).expect_err("no id").name, "LINEAR_CLIENT_ID");
        assert_eq!(read(&[("RELINK_SMTP_URL", "smtp://mail.example.com")]).expect_err("no sender").name, "RELINK_MAIL_FROM");
        assert_eq!(read(&[("DATABASE_URL", "postgres://u:p@db/relink")]).expect_err("no keys").name, "RELINK_KEYS");
    }

    #[test]
    fn secrets_show_in_no_debug_output() {
        let config = read(&[
            ("DATABASE_URL", "postgres://u:hunter2@db/relink"),
            ("RELINK_KEYS", &format!("k:{}A=", "h".repeat(42))),
            ("LINEAR_CLIENT_ID", "0123456789abcdef"),
            ("LINEAR_CLIENT_SECRET", "hunter2hunter2"),
            ("LINEAR_WEBHOOK_SECRET", "lin_wh_hunter2hunter2"),
        ]);
        let text = format!("{:?}", config.expect("all of it works"));
        assert!(!text.contains("hunter2") && !text.contains("hhhh"), "{text}");
    }
}
