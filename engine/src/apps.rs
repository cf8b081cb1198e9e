//! Linear OAuth apps of organisations, beside the operator's: for workspaces that need a private
//! app of their own.

use secrecy::{ExposeSecret as _, SecretString};

use crate::acting::handle;
use crate::clock::Millis;
use crate::identity;
use crate::linear::signature::{SigningKey, parse_secret};
use crate::linear::{OauthApp, is_client_id, is_client_secret};
use crate::store::{AppAdded, AppRemoved, AppRow, StoreError};
use crate::vault::{Place, Unreadable};
use crate::{Denied, Engine, uncancelled};

/// Apps that an organisation may have.
pub const APPS_MAX: i64 = 20;

const TABLE: &str = "apps";
const CLIENT_SECRET: &str = "client_secret_sealed";
const WEBHOOK_SECRET: &str = "webhook_secret_sealed";

/// An app as the people of its organisation see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    pub id: String,
    pub name: String,
    pub client_id: String,
    /// The app has a secret; without one it relies on PKCE alone.
    pub has_secret: bool,
    pub has_webhook_secret: bool,
    /// The webhook secret before is accepted until then.
    pub overlap_until: Option<Millis>,
    /// The webhook secret before is accepted as long as the present one has verified nothing, and
    /// for a while after that.
    pub overlap_open: bool,
    /// Name of the person, unless it came by command.
    pub added_by: Option<String>,
    pub added_at: Millis,
    /// Connections through it that have not ended.
    pub connections: u64,
}

/// An app to be added, as somebody typed it.
#[derive(Clone, Debug)]
pub struct NewApp {
    /// The name that people here gave it.
    pub name: String,
    pub client_id: String,
    pub secrets: AppSecrets,
}

/// The secrets of an app, as somebody typed them; an empty one is none.
#[derive(Clone, Debug, Default)]
pub struct AppSecrets {
    pub client_secret: SecretString,
    /// Signs what the app's own webhook delivers.
    pub webhook_secret: SecretString,
}

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("no such app")]
    NotFound,
    #[error("an app's name is 1 to 100 printable characters")]
    Name,
    #[error(
        "this cannot be a client ID of Linear: it is letters and digits, not a token or an address"
    )]
    ClientId,
    #[error("this cannot be a client secret of Linear")]
    ClientSecret,
    #[error("a webhook signing secret of Linear begins with lin_wh_")]
    WebhookSecret,
    #[error("no secret was given; nothing was changed")]
    NoSecret,
    #[error("an app with this client ID is here already")]
    Known,
    #[error("an organisation can have {APPS_MAX} apps")]
    TooMany,
    /// Connections go through it, or their tokens are not all void yet.
    #[error("workspaces are connected through it; disconnect them first")]
    InUse,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The reason why an app cannot be used to talk to Linear.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppUnavailable {
    #[error("no Linear OAuth app is configured")]
    NotConfigured,
    /// The client id of the operator's app has changed.
    #[error("the tokens were given to another Linear app than the one that is set up")]
    AnotherApp,
    #[error(transparent)]
    Sealed(#[from] Unreadable),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The secrets of an app, as far as they are given.
#[derive(Default)]
struct Sealed {
    client: Option<Vec<u8>>,
    webhook: Option<Vec<u8>>,
}

/// The secrets and the id by which an app's deliveries are recognised.
#[derive(Debug)]
pub(crate) struct AppKeys {
    pub id: String,
    pub client_id: String,
    /// Linear's id of the application, where it is known.
    pub application_id: Option<String>,
    current: Option<SigningKey>,
    /// The present secret as it is sealed, as long as it has verified nothing.
    unproven: Option<Vec<u8>>,
    /// The previous secret, which is accepted too; with the time at which that ends, once it is
    /// settled.
    before: Option<(SigningKey, Option<Millis>)>,
}

impl AppKeys {
    pub fn verifies(&self, body: &[u8], signature: &[u8], now: Millis) -> bool {
        let before = self
            .before
            .iter()
            .filter(|(_, until)| until.is_none_or(|until| until > now))
            .map(|(key, _)| key);
        self.current
            .iter()
            .chain(before)
            .any(|key| key.verifies(body, signature))
    }

    /// The present secret, sealed, if it is the first time that it verifies something.
    pub fn proves(&self, body: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
        let sealed = self.unproven.as_ref()?;
        self.current
            .as_ref()
            .filter(|key| key.verifies(body, signature))
            .map(|_| sealed.clone())
    }
}

impl From<AppRow> for App {
    fn from(row: AppRow) -> App {
        App {
            id: row.id,
            name: row.name,
            client_id: row.client_id,
            has_secret: row.client_secret_sealed.is_some(),
            has_webhook_secret: row.webhook_secret_sealed.is_some(),
            overlap_open: row.webhook_secret_before_sealed.is_some()
                && row.webhook_secret_before_until.is_none(),
            overlap_until: row
                .webhook_secret_before_sealed
                .and(row.webhook_secret_before_until),
            added_by: row.added_by,
            added_at: row.added_at,
            connections: row.connections.unsigned_abs(),
        }
    }
}

handle! {
    /// Linear apps of an organisation's own.
    apps -> Apps
}

impl Apps<'_> {
    /// All of them, the oldest first.
    pub async fn list(&self) -> Result<Vec<App>, StoreError> {
        let now = self.engine.now();
        let rows = self.store().apps(&self.acting.organisation).await?;
        let mut apps: Vec<App> = rows.into_iter().map(App::from).collect();
        for app in &mut apps {
            app.overlap_until = app.overlap_until.filter(|until| *until > now);
        }
        Ok(apps)
    }

    /// Whether anything can be connected: through the operator's app or one of the organisation's
    /// own.
    pub async fn any(&self) -> Result<bool, StoreError> {
        let own = async || self.store().apps(&self.acting.organisation).await;
        Ok(self.engine.linear().app().is_some() || !own().await?.is_empty())
    }

    /// Adds an app. Answers its id.
    pub async fn add(&self, new: NewApp) -> Result<String, AppError> {
        self.acting.owns()?;
        let name = identity::display_name(&new.name).ok_or(AppError::Name)?;
        let client_id = new.client_id.trim().to_owned();
        if !is_client_id(&client_id) {
            return Err(AppError::ClientId);
        }
        if self.engine.client_id(None) == Some(&client_id) {
            return Err(AppError::Known);
        }
        let id = self.engine.entropy().id();
        let sealed = self.seal_secrets(&id, &new.secrets)?;
        let row = AppRow {
            id: id.clone(),
            organisation_id: self.acting.organisation.clone(),
            name,
            client_id,
            client_secret_sealed: sealed.client,
            webhook_secret_sealed: sealed.webhook,
            webhook_secret_before_sealed: None,
            webhook_secret_before_until: None,
            webhook_secret_matched_at: None,
            application_id: None,
            added_by: None,
            added_at: self.engine.now(),
            connections: 0,
        };
        let act = self.act(
            "app.added",
            format!("{}, client ID {}", row.name, row.client_id),
        );
        let engine = self.engine.clone();
        match uncancelled(async move { engine.store().app_add(&row, APPS_MAX, &act).await }).await?
        {
            AppAdded::Done => Ok(id),
            AppAdded::Known => Err(AppError::Known),
            AppAdded::TooMany => Err(AppError::TooMany),
        }
    }

    /// Replaces those secrets of an app that are given. The webhook secret before stays good as
    /// long as a workspace's does. Answers the app's name.
    pub async fn set_secrets(&self, app: &str, secrets: AppSecrets) -> Result<String, AppError> {
        let row = self.owned(app).await?;
        let Sealed { client, webhook } = self.seal_secrets(app, &secrets)?;
        let changed = match (&client, &webhook) {
            (Some(_), Some(_)) => "client secret and webhook secret",
            (Some(_), None) => "client secret",
            (None, Some(_)) => "webhook secret",
            (None, None) => return Err(AppError::NoSecret),
        };
        let act = self.act("app.secrets", format!("{}: {changed}", row.name));
        let (engine, id) = (self.engine.clone(), row.id.clone());
        let set = uncancelled(async move {
            engine
                .store()
                .app_set_secrets(&id, client.as_deref(), webhook.as_deref(), &act)
                .await
        });
        if set.await? {
            Ok(row.name)
        } else {
            Err(AppError::NotFound)
        }
    }

    /// Removes an app that no workspace is connected through. Answers its name.
    pub async fn remove(&self, app: &str) -> Result<String, AppError> {
        let row = self.owned(app).await?;
        let act = self.act(
            "app.removed",
            format!("{}, client ID {}", row.name, row.client_id),
        );
        match self.store().app_remove(app, &act).await? {
            AppRemoved::Done => Ok(row.name),
            AppRemoved::NotFound => Err(AppError::NotFound),
            AppRemoved::InUse => Err(AppError::InUse),
        }
    }

    async fn owned(&self, app: &str) -> Result<AppRow, AppError> {
        self.acting.owns()?;
        self.store()
            .app(&self.acting.organisation, app)
            .await?
            .ok_or(AppError::NotFound)
    }

    fn seal_secrets(&self, app: &str, secrets: &AppSecrets) -> Result<Sealed, AppError> {
        let seal = |column, secret: &SecretString| {
            self.engine.vault().seal(
                Place {
                    table: TABLE,
                    row: app,
                    column,
                    organisation: &self.acting.organisation,
                },
                secret,
            )
        };
        let (client, webhook) = (
            secrets.client_secret.expose_secret().trim(),
            secrets.webhook_secret.expose_secret().trim(),
        );
        let client = match client {
            "" => None,
            text if is_client_secret(text) => Some(seal(CLIENT_SECRET, &text.into())),
            _ => return Err(AppError::ClientSecret),
        };
        let webhook = match webhook {
            "" => None,
            text => Some(seal(
                WEBHOOK_SECRET,
                &parse_secret(text).ok_or(AppError::WebhookSecret)?,
            )),
        };
        Ok(Sealed { client, webhook })
    }
}

impl Engine {
    /// Whether the operator's app has a webhook of its own, which delivers what happens in every
    /// workspace that it is connected to.
    #[must_use]
    pub fn app_has_webhook(&self) -> bool {
        self.linear().app().is_some() && self.app_webhook_key().is_some()
    }

    /// The app to connect through where nobody chose one: the operator's (`None`), or the
    /// organisation's first.
    pub(crate) async fn usual_app(&self, organisation: &str) -> Result<Option<String>, StoreError> {
        if self.linear().app().is_some() {
            return Ok(None);
        }
        Ok(self
            .store()
            .apps(organisation)
            .await?
            .into_iter()
            .next()
            .map(|app| app.id))
    }

    /// The app with this id, ready to talk to Linear as; without an id the operator's.
    pub(crate) async fn oauth_app(
        &self,
        organisation: &str,
        app: Option<&str>,
    ) -> Result<OauthApp, AppUnavailable> {
        let Some(id) = app else {
            return self
                .linear()
                .app()
                .cloned()
                .ok_or(AppUnavailable::NotConfigured);
        };
        let row = self
            .store()
            .app(organisation, id)
            .await?
            .ok_or(AppUnavailable::NotConfigured)?;
        let sealed = row.client_secret_sealed.as_deref();
        let client_secret = sealed
            .map(|sealed| {
                self.vault()
                    .open_row(TABLE, CLIENT_SECRET, id, organisation, sealed)
            })
            .transpose()?;
        Ok(OauthApp {
            client_id: row.client_id,
            client_secret,
        })
    }

    /// [`Engine::oauth_app`] for tokens that were given to the app with this client id, as far as
    /// that is known.
    pub(crate) async fn oauth_app_known_as(
        &self,
        organisation: &str,
        app: Option<&str>,
        client_id: Option<&str>,
    ) -> Result<OauthApp, AppUnavailable> {
        let app = self.oauth_app(organisation, app).await?;
        if client_id.is_none_or(|known| known == app.client_id) {
            Ok(app)
        } else {
            Err(AppUnavailable::AnotherApp)
        }
    }

    /// The client id of an organisation's app if there is one, and of the operator's otherwise.
    pub(crate) fn client_id<'a>(&'a self, own: Option<&'a str>) -> Option<&'a str> {
        own.or_else(|| self.linear().app().map(|app| app.client_id.as_str()))
    }

    /// Opens what the app's deliveries are recognised by. A secret that does not open is as good as
    /// none, which operators are told.
    pub(crate) fn app_keys(&self, row: &AppRow) -> AppKeys {
        let open = |sealed: &Option<Vec<u8>>| {
            let secret = self.vault().open_row(
                TABLE,
                WEBHOOK_SECRET,
                &row.id,
                &row.organisation_id,
                sealed.as_deref()?,
            );
            match secret {
                Ok(secret) => SigningKey::new(&secret),
                Err(error) => {
                    tracing::error!(%error, app = row.id, "an app's webhook secret does not open; \
                        deliveries signed with it are refused");
                    None
                }
            }
        };
        AppKeys {
            id: row.id.clone(),
            client_id: row.client_id.clone(),
            application_id: row.application_id.clone(),
            current: open(&row.webhook_secret_sealed),
            unproven: row
                .webhook_secret_sealed
                .clone()
                .filter(|_| row.webhook_secret_matched_at.is_none()),
            before: open(&row.webhook_secret_before_sealed)
                .map(|key| (key, row.webhook_secret_before_until)),
        }
    }
}
