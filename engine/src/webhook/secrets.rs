//! Signing secrets of workspaces: added, replaced with overlap, and taken back. Shown again never.
//!
//! One rule for all of them, those of apps included: a new secret is accepted beside the one
//! before, and the one before retires only when the new one has verified a delivery, so much later
//! as Linear's retries may take. What was mistyped takes nothing away.

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use super::recipients::{Match, SEALED, TABLE};
use crate::acting::handle;
use crate::clock::Millis;
use crate::connection::state::Connection;
use crate::linear::signature::parse_secret;
use crate::store::{StoreError, WebhookSecretRow};
use crate::vault::Place;
use crate::{Denied, Engine, uncancelled};

/// Secrets kept for each connection, so that an old one is still told from an unknown one.
pub const SECRETS_MAX: i64 = 6;

/// A secret as the people of its organisation see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningSecret {
    pub id: String,
    pub connection_id: String,
    pub last_four: String,
    /// Name of the person, unless it came by command.
    pub added_by: Option<String>,
    pub added_at: Millis,
    /// The time from which it is accepted no more.
    pub retires_at: Option<Millis>,
    /// Another took its place: it retires some time after that one has verified a delivery.
    pub replaced: bool,
    /// The last time that a delivery was signed with it, within a minute.
    pub matched_at: Option<Millis>,
}

/// The fate of a secret that somebody pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretAdded {
    /// The first one.
    First,
    /// The one before is accepted until this one has verified something, and for a while after
    /// that.
    Replaced,
    /// It was the current one already.
    Unchanged,
}

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("no such connection or secret")]
    NotFound,
    /// The value has not the shape of Linear's signing secrets.
    #[error("a signing secret of Linear begins with lin_wh_")]
    Shape,
    /// The limit is reached: one must be stopped first.
    #[error("{SECRETS_MAX} signing secrets are accepted already")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<WebhookSecretRow> for SigningSecret {
    fn from(row: WebhookSecretRow) -> SigningSecret {
        SigningSecret {
            id: row.id,
            connection_id: row.connection_id,
            last_four: row.last_four,
            added_by: row.added_by,
            added_at: row.added_at,
            retires_at: row.retires_at,
            replaced: row.replaced,
            matched_at: row.matched_at,
        }
    }
}

handle! {
    /// Signing secrets of an organisation's workspaces.
    webhook_secrets -> WebhookSecrets
}

impl WebhookSecrets<'_> {
    /// The secrets of all connections, the newest first.
    pub async fn list(&self) -> Result<Vec<SigningSecret>, StoreError> {
        let all = self
            .store()
            .webhook_secrets(&self.acting.organisation)
            .await?;
        Ok(all.into_iter().map(SigningSecret::from).collect())
    }

    /// Adds a secret, which becomes the current one. The one before stays good for a while.
    pub async fn add(&self, connection: &str, text: &str) -> Result<SecretAdded, SecretError> {
        let connection = self.connection(connection).await?;
        let secret = parse_secret(text).ok_or(SecretError::Shape)?;
        let (engine, acting) = (self.engine.clone(), self.acting.clone());
        // Also when the browser leaves in between.
        uncancelled(async move {
            let secrets = engine.webhook_secrets(acting);
            secrets.put(&connection, &secret).await
        })
        .await
    }

    async fn connection(&self, id: &str) -> Result<Connection, SecretError> {
        self.acting.manages()?;
        self.store()
            .connection(&self.acting.organisation, id)
            .await?
            .ok_or(SecretError::NotFound)
    }

    async fn put(
        &self,
        connection: &Connection,
        secret: &SecretString,
    ) -> Result<SecretAdded, SecretError> {
        let rows = self
            .store()
            .webhook_secrets(&connection.organisation_id)
            .await?;
        let own: Vec<&WebhookSecretRow> = rows
            .iter()
            .filter(|row| row.connection_id == connection.id)
            .collect();
        if let Some(known) = own.iter().find(|row| self.is_same(row, secret)) {
            if known.retires_at.is_none() && !known.replaced {
                return Ok(SecretAdded::Unchanged);
            }
            let act = self.act("secret.added", subject(connection, &known.last_four));
            self.store()
                .webhook_secret_restore(&connection.id, &known.id, &act)
                .await?;
            return Ok(SecretAdded::Replaced);
        }
        let id = self.engine.entropy().id();
        let place = Place {
            table: TABLE,
            row: &id,
            column: SEALED,
            organisation: &connection.organisation_id,
        };
        let text = secret.expose_secret();
        let row = WebhookSecretRow {
            secret_sealed: self.engine.vault().seal(place, secret),
            last_four: text[text.len() - 4..].to_owned(),
            organisation_id: connection.organisation_id.clone(),
            connection_id: connection.id.clone(),
            added_by: None,
            added_at: self.engine.now(),
            retires_at: None,
            replaced: false,
            matched_at: None,
            id,
        };
        let act = self.act("secret.added", subject(connection, &row.last_four));
        if !self
            .store()
            .webhook_secret_add(&row, SECRETS_MAX, &act)
            .await?
        {
            return Err(SecretError::TooMany);
        }
        let replaced = own.iter().any(|row| row.retires_at.is_none());
        Ok(if replaced {
            SecretAdded::Replaced
        } else {
            SecretAdded::First
        })
    }

    fn is_same(&self, row: &WebhookSecretRow, secret: &SecretString) -> bool {
        let opened = self.engine.vault().open_row(
            TABLE,
            SEALED,
            &row.id,
            &row.organisation_id,
            &row.secret_sealed,
        );
        opened.is_ok_and(|opened| {
            opened
                .expose_secret()
                .as_bytes()
                .ct_eq(secret.expose_secret().as_bytes())
                .into()
        })
    }

    /// Accepts a secret no more, at once in this process and within a second in others.
    pub async fn retire(&self, connection: &str, secret: &str) -> Result<(), SecretError> {
        let connection = self.connection(connection).await?;
        let rows = self
            .store()
            .webhook_secrets(&self.acting.organisation)
            .await?;
        let row = rows
            .into_iter()
            .find(|row| row.id == secret && row.connection_id == connection.id)
            .ok_or(SecretError::NotFound)?;
        let act = self.act("secret.retired", subject(&connection, &row.last_four));
        let engine = self.engine.clone();
        let retired = uncancelled(async move {
            engine
                .store()
                .webhook_secret_retire(&connection.id, &row.id, &act)
                .await
        });
        if retired.await? {
            Ok(())
        } else {
            Err(SecretError::NotFound)
        }
    }
}

impl Engine {
    /// Notes which secrets verified something, beside everything else: nobody waits for it.
    pub(super) fn note_verified(&self, signed: &Match) {
        let (secret, apps) = (
            signed.note_match.then(|| signed.secret_id.clone()),
            signed.first_of.clone(),
        );
        if secret.is_none() && apps.is_empty() {
            return;
        }
        let (engine, now) = (self.clone(), self.now());
        let retire_at = now + self.settings().webhooks.overlap;
        tokio::spawn(async move {
            if let Some(secret) = secret
                && let Err(error) = engine
                    .store()
                    .webhook_secret_matched(&secret, now, retire_at)
                    .await
            {
                tracing::warn!(%error, secret, "when a secret last matched could not be written \
                    down");
            }
            for (app, sealed) in apps {
                if let Err(error) = engine
                    .store()
                    .app_secret_matched(&app, &sealed, now, retire_at)
                    .await
                {
                    tracing::warn!(%error, app, "that an app's webhook secret matched could not be \
                        written down");
                }
            }
        });
    }
}

/// "Acme Robotics ····a1b2"
fn subject(connection: &Connection, last_four: &str) -> String {
    format!("{} ····{last_four}", connection.workspace.name)
}
