//! The way from configuration to a running engine: the same for the server and every command.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;

use relink_engine::clock::Clock;
use relink_engine::entropy::Entropy;
use relink_engine::linear::Linear;
use relink_engine::mail::Mail;
use relink_engine::store::{Connections, Opener, Store, StoreError};
use relink_engine::vault::Vault;
use relink_engine::webhook::SigningKey;
use relink_engine::{CANARY_KEY, Engine, OpenError, Settings};
use secrecy::ExposeSecret as _;

use crate::config::{Config, Database};
use crate::folder::{self, UnusableFolder};
use crate::key_file::{self, KeyFileError};

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Folder(#[from] UnusableFolder),
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    #[error(
        "RELINK_KEYS: these keys do not open what is sealed in this database; use the ones it was \
            started with first"
    )]
    WrongKey,
    #[error(
        "DATABASE_URL: somebody took what proves the keys and the audit trail (canary or \
            audit_key) out of the table meta; \
            put it back from a backup of this database"
    )]
    ProofGone,
    #[error("DATABASE_URL: {0} is no file. Name one, or make room for it")]
    NoFile(String),
    #[error("DATABASE_URL: {0}")]
    Store(#[from] StoreError),
    #[error("HTTPS cannot be set up: {0}")]
    Linear(#[from] reqwest::Error),
}

/// Opens the database, brings it up to date, and proves that the keys fit.
pub async fn engine(config: &Config, clock: Clock, entropy: Entropy) -> Result<Engine, StartError> {
    open(config, clock, entropy)
        .await
        .map_err(|error| match error {
            // Of what such a folder leads to, the database tells the last thing only.
            StartError::Store(_) | StartError::Keys(KeyFileError::Io { .. }) => {
                folder::unusable(config).map_or(error, StartError::Folder)
            }
            other => other,
        })
}

/// A database as it is found.
#[derive(Debug)]
pub enum Found {
    /// There is none, or nobody has begun to use it.
    Unused,
    /// Another version of Relink made its schema.
    Version {
        there: i64,
        here: i64,
    },
    Open(Box<Engine>),
}

/// Opens the database as it is found: makes nothing, and changes no schema.
pub async fn look(config: &Config, clock: Clock, entropy: Entropy) -> Result<Found, StartError> {
    if let Some(file) = config.sqlite_file() {
        if file.parent() == Some(&*config.data_dir) && folder::is_still_to_be_made(config) {
            return Ok(Found::Unused);
        }
        if let Some(unusable) = folder::unusable(config) {
            return Err(unusable.into());
        }
        match fs::metadata(file) {
            Ok(there) if there.is_file() && there.len() > 0 => {}
            Ok(there) if there.is_file() => return Ok(Found::Unused),
            Err(_) if fs::symlink_metadata(file).is_err() => return Ok(Found::Unused),
            // A folder, a pipe, or a link that leads nowhere.
            _ => return Err(StartError::NoFile(file.display().to_string())),
        }
    }
    let store = store(config).await?;
    let here = Store::newest_version().unwrap_or_default();
    match store.present_version().await? {
        None => Ok(Found::Unused),
        Some(there) if there != here => Ok(Found::Version { there, here }),
        Some(_) if store.meta(CANARY_KEY).await?.is_none() => Ok(Found::Unused),
        Some(_) => {
            let engine = over(store, config, clock, entropy).await?;
            Ok(Found::Open(Box::new(engine)))
        }
    }
}

async fn open(config: &Config, clock: Clock, entropy: Entropy) -> Result<Engine, StartError> {
    if config.sqlite_file().is_some() {
        make_data_dir(config)?;
    }
    let store = store(config).await?;
    store.migrate().await?;
    over(store, config, clock, entropy).await
}

async fn store(config: &Config) -> Result<Store, StartError> {
    Ok(match &config.database {
        Database::Sqlite(path) => Store::open_sqlite_as(opener(config), path).await?,
        Database::Postgres(url) => {
            Store::open_postgres_with(url.expose_secret(), config.connections).await?
        }
    })
}

/// Puts the engine over a store that is up to date.
async fn over(
    store: Store,
    config: &Config,
    clock: Clock,
    entropy: Entropy,
) -> Result<Engine, StartError> {
    let ring = match &config.keys {
        Some(ring) => ring.clone(),
        None => key_file::load_or_create(
            &config.data_dir,
            store.meta(CANARY_KEY).await?.is_some(),
            &entropy,
        )?,
    };
    let vault = Vault::new(ring, entropy.clone());
    let linear = Linear::new(
        config.linear_url.clone(),
        config.linear_api_url.clone(),
        config.app.clone(),
        config.redirect_uri(),
        clock.clone(),
    )?;
    let settings = Settings {
        shared_workspaces: config.shared_workspaces,
        refresh: config.refresh,
        webhooks: config.webhooks,
        keep_disconnected: config.keep_disconnected,
        mail: config
            .mail
            .clone()
            .map(|server| Mail::new(server, config.url.clone())),
        allow_private_destinations: config.allow_private_destinations,
        webhook_key: config.webhook_secret.as_ref().and_then(SigningKey::new),
    };
    match Engine::open(store, linear, vault, clock, entropy, settings).await {
        Ok(engine) => {
            engine.follow_database_clock().await?;
            Ok(engine)
        }
        Err(OpenError::WrongKey) => Err(StartError::WrongKey),
        Err(OpenError::ProofGone) => Err(StartError::ProofGone),
        Err(OpenError::Store(error)) => Err(error.into()),
        Err(OpenError::Outgoing(error)) => Err(error.into()),
    }
}

fn opener(config: &Config) -> Opener {
    match config.connections {
        Connections::Server(_) => Opener::Server,
        Connections::Command(_) => Opener::Other,
    }
}

/// Makes the data directory, for its owner's eyes only, where there is none.
pub fn make_data_dir(config: &Config) -> Result<(), StartError> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data_dir);
    Ok(made.map_err(|error| folder::not_made(config, error))?)
}
