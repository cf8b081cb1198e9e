//! The way from text to values.

use std::path::PathBuf;

use relink_engine::linear::{OauthApp, is_client_id, is_client_secret};
use relink_engine::mail::{MailError, MailServer};
use relink_engine::store::{Connections, POOL_SIZE};
use relink_engine::vault::KeyRing;
use relink_engine::webhook::{WebhookSettings, parse_secret};
use relink_engine::{KEEP_DISCONNECTED, RefreshSettings};
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use url::Url;

use super::settings::{self, ALL, Setting};
use super::sources::Sources;
use super::values::{ConfigError, Values, origin_url, socket_addr};
use super::{Config, Database, LINEAR_API_URL, LINEAR_URL};
use crate::proxies::{ProxiesError, TrustedProxies};

/// Reads the environment and, for what it does not set, `.env` in the working directory.
///
/// # Errors
/// The first value that cannot work.
pub fn from_environment() -> Result<Config, ConfigError> {
    let (values, warnings) = Sources::of_process()?.values()?;
    Ok(Config {
        warnings,
        ..from_values(&values)?
    })
}

/// Reads from anything that knows names and values. An empty value counts as not set.
///
/// # Errors
/// The first value that cannot work.
pub fn from_lookup(lookup: impl Fn(&'static str) -> Option<String>) -> Result<Config, ConfigError> {
    let set = ALL
        .iter()
        .filter_map(|setting| Some((setting.name, lookup(setting.name)?.into())));
    from_values(&Values(
        set.filter(|(_, text): &(_, zeroize::Zeroizing<String>)| !text.is_empty())
            .collect(),
    ))
}

fn from_values(values: &Values) -> Result<Config, ConfigError> {
    let data_dir = PathBuf::from(values.text(&settings::DATA_DIR).unwrap_or("./data"));
    let config = Config {
        addr: values
            .parse(&settings::ADDR, socket_addr)?
            .unwrap_or_else(|| ([127, 0, 0, 1], 3000).into()),
        url: public_url(values)?,
        trusted_proxies: values
            .parse(&settings::TRUSTED_PROXIES, trusted_proxies)?
            .unwrap_or_default(),
        database: values
            .parse(&settings::DATABASE, database)?
            .unwrap_or_else(|| Database::Sqlite(data_dir.join("relink.db"))),
        connections: Connections::Server(values.number(
            &settings::DATABASE_POOL,
            POOL_SIZE,
            1_000,
        )?),
        keys: values.parse(&settings::KEYS, |text| {
            KeyRing::parse(text).map_err(|error| error.to_string())
        })?,
        app: app(values)?,
        webhook_secret: values.parse(&settings::WEBHOOK_SECRET, webhook_secret)?,
        linear_url: linear_url(values, &settings::LINEAR, LINEAR_URL)?,
        linear_api_url: linear_url(values, &settings::LINEAR_API, LINEAR_API_URL)?,
        shared_workspaces: values.flag(&settings::SHARED_WORKSPACES)?,
        allow_private_destinations: values.flag(&settings::ALLOW_PRIVATE_DESTINATIONS)?,
        refresh: refresh(values)?,
        webhooks: webhooks(values)?,
        api_requests_per_minute: values.number(
            &settings::API_REQUESTS_PER_MINUTE,
            60_000,
            1_000_000_000,
        )?,
        keep_disconnected: values.span(&settings::KEEP_DISCONNECTED, KEEP_DISCONNECTED)?,
        mail: mail(values)?,
        jobs_secret: values.generated(&settings::JOBS_SECRET)?,
        metrics_token: values.generated(&settings::METRICS_TOKEN)?,
        metrics_addr: values.parse(&settings::METRICS_ADDR, socket_addr)?,
        log: values
            .parse(&settings::LOG, log_filter)?
            .unwrap_or_else(|| "info".to_owned()),
        log_json: values
            .parse(&settings::LOG_FORMAT, log_json)?
            .unwrap_or_default(),
        site_root: values.text(&settings::SITE_ROOT).map(PathBuf::from),
        warnings: Vec::new(),
        data_dir,
    };
    check_together(&config)?;
    Ok(config)
}

fn public_url(values: &Values) -> Result<Url, ConfigError> {
    let text = values
        .text(&settings::URL)
        .unwrap_or("http://localhost:3000");
    let http_is_for = "http is for localhost only: cookies and tokens would travel in the clear";
    origin_url(text, http_is_for).map_err(|problem| settings::URL.wrong(problem))
}

fn trusted_proxies(text: &str) -> Result<TrustedProxies, String> {
    text.parse()
        .map_err(|error: ProxiesError| error.to_string())
}

fn linear_url(values: &Values, setting: &Setting, default: &str) -> Result<Url, ConfigError> {
    let http_is_for = "http is for this machine only: tokens would travel in the clear";
    origin_url(values.text(setting).unwrap_or(default), http_is_for)
        .map_err(|problem| setting.wrong(problem))
}

fn database(text: &str) -> Result<Database, &'static str> {
    if let Some(path) = text.strip_prefix("sqlite://") {
        if path.is_empty() || path.contains(['?', '\0']) || path.starts_with(":memory:") {
            return Err("it names no file");
        }
        return Ok(Database::Sqlite(PathBuf::from(path)));
    }
    let postgres = text.starts_with("postgres://") || text.starts_with("postgresql://");
    if !postgres || Url::parse(text).is_err() {
        return Err("it is neither sqlite://PATH nor a postgres:// address");
    }
    Ok(Database::Postgres(text.into()))
}

fn app(values: &Values) -> Result<Option<OauthApp>, ConfigError> {
    let client_id = values.parse(&settings::CLIENT_ID, |text| match is_client_id(text) {
        true => Ok(text.to_owned()),
        false => Err("this cannot be a client ID"),
    })?;
    let client_secret = values.parse(&settings::CLIENT_SECRET, |text| {
        match is_client_secret(text) {
            true => Ok(SecretString::from(text)),
            false => Err("this cannot be a client secret"),
        }
    })?;
    match (client_id, client_secret) {
        (Some(client_id), client_secret) => Ok(Some(OauthApp {
            client_id,
            client_secret,
        })),
        (None, None) => Ok(None),
        (None, Some(_)) => {
            Err(settings::CLIENT_ID.wrong("LINEAR_CLIENT_SECRET is set and this is not"))
        }
    }
}

fn webhook_secret(text: &str) -> Result<SecretString, &'static str> {
    parse_secret(text).ok_or("this is not a Linear signing secret")
}

fn log_filter(text: &str) -> Result<String, &'static str> {
    // The library takes any single word for the name of a target, and then nothing is logged.
    let is_level = |word: &str| word.trim().parse::<LevelFilter>().is_ok();
    let words = text
        .split(',')
        .all(|part| part.contains(['=', '[']) || is_level(part));
    match EnvFilter::try_new(text) {
        Ok(_) if words => Ok(text.to_owned()),
        _ => Err("it is not a log filter"),
    }
}

fn log_json(text: &str) -> Result<bool, &'static str> {
    match text {
        "text" => Ok(false),
        "json" => Ok(true),
        _ => Err("there is no such format"),
    }
}

fn refresh(values: &Values) -> Result<RefreshSettings, ConfigError> {
    let default = RefreshSettings::default();
    Ok(RefreshSettings {
        background_before: values.span(&settings::REFRESH_BEFORE, default.background_before)?,
        replay_window: values.span(&settings::REPLAY_WINDOW, default.replay_window)?,
        at_once: values.number(&settings::REFRESH_AT_ONCE, 16, 256)? as usize,
        ..default
    })
}

fn webhooks(values: &Values) -> Result<WebhookSettings, ConfigError> {
    let default = WebhookSettings::default();
    let keep_mb = values.number(&settings::KEEP_DELIVERIES_MB, 1_024, 1_000_000)?;
    let settings = WebhookSettings {
        age_max: values.span(&settings::WEBHOOK_AGE_MAX, default.age_max)?,
        ahead_max: values.span(&settings::WEBHOOK_AHEAD_MAX, default.ahead_max)?,
        overlap: values.span(&settings::SECRET_OVERLAP, default.overlap)?,
        keep_for: values.span(&settings::KEEP_DELIVERIES, default.keep_for)?,
        keep_bytes: i64::from(keep_mb) * 1024 * 1024,
    };
    if settings.keep_for < settings.age_max {
        return Err(settings::KEEP_DELIVERIES
            .wrong("a delivery would be forgotten while Linear may still send it again"));
    }
    Ok(settings)
}

fn mail(values: &Values) -> Result<Option<MailServer>, ConfigError> {
    let from = values.parse(&settings::MAIL_FROM, |text| {
        match MailServer::is_sender(text) {
            true => Ok(text.to_owned()),
            false => Err("it is not an e-mail address"),
        }
    })?;
    let Some(server) = values.text(&settings::SMTP) else {
        return Ok(None);
    };
    match MailServer::new(server, from.as_deref().unwrap_or_default()) {
        Ok(server) => Ok(Some(server)),
        Err(MailError::From) => {
            Err(settings::MAIL_FROM.wrong("RELINK_SMTP_URL is set and this is not"))
        }
        Err(error) => Err(settings::SMTP.wrong(error.to_string())),
    }
}

/// Refuses settings that are fine alone and wrong together.
fn check_together(config: &Config) -> Result<(), ConfigError> {
    if config.sqlite_file().is_none() && config.keys.is_none() {
        return Err(settings::KEYS
            .wrong("it is required on PostgreSQL: every replica must seal with the same keys"));
    }
    if config.metrics_addr == Some(config.addr) {
        return Err(settings::METRICS_ADDR.wrong(
            "it is the address of everything else; RELINK_METRICS_TOKEN guards metrics there",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Result<Config, ConfigError> {
        from_lookup(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_set_means_sqlite_on_localhost_with_the_real_linear_and_no_app() {
        let config = read(&[]).expect("the defaults work");
        assert_eq!(config.addr.to_string(), "127.0.0.1:3000");
        assert_eq!(
            config.redirect_uri().as_str(),
            "http://localhost:3000/oauth/linear/callback"
        );
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
            ("RELINK_URL", "https://relink.example.com."),
            ("RELINK_URL", "http://localhost.:3000"),
            ("RELINK_TRUSTED_PROXIES", "nginx"),
            ("RELINK_TRUSTED_PROXIES", "0.0.0.0/0"),
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
            ("RELINK_METRICS_TOKEN", "hunter2"),
            ("RELINK_METRICS_ADDR", "9464"),
            ("RELINK_METRICS_ADDR", "127.0.0.1:3000"),
            ("RELINK_KEEP_DISCONNECTED", "a month"),
            ("RELINK_SMTP_URL", "mail.example.com"),
            (
                "RELINK_SMTP_URL",
                "smtp://user:hunter2@mail.example.com?tls=opportunistic",
            ),
            ("RELINK_MAIL_FROM", "nobody"),
            ("RELINK_LOG", "relink=loud=very"),
            ("RELINK_LOG", "verbose"),
            ("RELINK_LOG_FORMAT", "xml"),
        ] {
            let error = read(&[(name, value)]).expect_err(value);
            assert_eq!(error.name, name, "{value}");
            let line = error.to_string();
            // An example may look like what was given.
            assert!(
                !line.replace(error.hint, "").contains(value)
                    && !line.contains('\n')
                    && !line.contains("hunter2"),
                "{line}"
            );
        }
    }

    #[test]
    fn values_that_need_another_one_say_so() {
        assert_eq!(
            read(&[("LINEAR_CLIENT_SECRET", "0123456789abcdef")])
                .expect_err("no id")
                .name,
            "LINEAR_CLIENT_ID"
        );
        assert_eq!(
            read(&[("RELINK_SMTP_URL", "smtp://mail.example.com")])
                .expect_err("no sender")
                .name,
            "RELINK_MAIL_FROM"
        );
        assert_eq!(
            read(&[("DATABASE_URL", "postgres://u:p@db/relink")])
                .expect_err("no keys")
                .name,
            "RELINK_KEYS"
        );
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
        assert!(
            !text.contains("hunter2") && !text.contains("hhhh"),
            "{text}"
        );
    }
}
