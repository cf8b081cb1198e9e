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
use relink_engine::{Engine, OpenError, Settings};
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

async fn open(config: &Config, clock: Clock, entropy: Entropy) -> Result<Engine, StartError> {
    if config.sqlite_file().is_some() {
        make_data_dir(config)?;
    }
    let store = match &config.database {
        Database::Sqlite(path) => Store::open_sqlite_as(opener(config), path).await?,
        Database::Postgres(url) => {
            Store::open_postgres_with(url.expose_secret(), config.connections).await?
        }
    };
    store.migrate().await?;
    let ring = match &config.keys {
        Some(ring) => ring.clone(),
        None => key_file::load_or_create(
            &config.data_dir,
            store.meta(relink_engine::CANARY_KEY).await?.is_some(),
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
