//! The recipients of a workspace's webhooks, and the secrets that may sign for it.
//!
//! Read from the database a second ago at most; what this process changes is forgotten at once.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::incoming::Signer;
use crate::Engine;
use crate::apps::AppKeys;
use crate::bounded::Bounded;
use crate::clock::{MINUTE, Millis};
use crate::connection::state::wants_webhooks;
use crate::linear::signature::SigningKey;
use crate::store::{AppRow, DestinationRow, RecipientRow, StoreError, Tenant, WebhookSecretRow};

/// The age at which a reading is good enough to accept what verifies.
pub(super) const GOOD_FOR: Duration = Duration::from_secs(1);
/// The age at which it is good enough to refuse what does not: a secret may have been added
/// elsewhere a moment ago, but guessing must stay cheap.
pub(super) const REFUSE_AFTER: Duration = Duration::from_millis(100);
/// Workspaces remembered at a time.
const KEPT_MAX: usize = 10_000;
/// "Last matched" is no more exact than this.
const NOTE_EVERY: Millis = MINUTE;
/// The table that secrets are sealed for.
pub(super) const TABLE: &str = "webhook_secrets";
pub(super) const SEALED: &str = "secret_sealed";

#[derive(Debug, Default)]
pub(crate) struct Listeners {
    known: Bounded<String, Known, KEPT_MAX>,
}

/// The recipients of a workspace as they were read: when, and after how many changes of this
/// process.
#[derive(Debug)]
struct Known {
    at: Instant,
    changes: u64,
    listening: Listening,
}

/// All who may hear of a workspace's deliveries.
#[derive(Clone, Debug, Default)]
pub(super) struct Listening {
    listeners: Arc<Vec<Listener>>,
    /// Apps of those who listen no more: what such an app signs is nobody's guess.
    former: Arc<Vec<AppKeys>>,
    /// Somebody connected it at some time.
    pub known: bool,
}

/// An organisation whose connection to the workspace wants webhooks.
#[derive(Debug)]
struct Listener {
    organisation: String,
    connection: String,
    /// The organisation's own app that it is connected through; the operator's if absent.
    app: Option<AppKeys>,
    secrets: Vec<Secret>,
    destinations: Vec<DestinationRow>,
}

#[derive(Debug)]
struct Secret {
    id: String,
    key: SigningKey,
    retires_at: Option<Millis>,
    noted_at: AtomicI64,
}

/// The secret that signed a delivery.
#[derive(Clone, Debug)]
pub(super) struct Match {
    pub by_app: bool,
    /// The operator's app signed it.
    by_operator: bool,
    /// Empty for the app's own.
    pub secret_id: String,
    pub note_match: bool,
    /// Apps whose present secret verified something for the first time, each with that secret,
    /// sealed.
    pub first_of: Vec<(String, Vec<u8>)>,
    /// Organisations. Under a secret of its own an organisation hears only what it could have
    /// signed itself.
    pub recipients: Vec<Recipient>,
}

/// An organisation that hears of a delivery, and where it has its deliveries handed on to.
#[derive(Clone, Debug)]
pub(super) struct Recipient {
    listeners: Arc<Vec<Listener>>,
    index: usize,
}

impl Recipient {
    /// The organisation's own app, if the workspace is connected through one.
    pub fn app(&self) -> Option<&AppKeys> {
        self.listeners[self.index].app.as_ref()
    }

    pub fn organisation(&self) -> &str {
        &self.listeners[self.index].organisation
    }

    pub fn connection(&self) -> &str {
        &self.listeners[self.index].connection
    }

    /// Makes a row that is kept for the page, and handed on to nobody.
    pub fn without_messages(&self) -> RecipientRow {
        RecipientRow {
            organisation_id: self.listeners[self.index].organisation.clone(),
            messages: Vec::new(),
        }
    }

    /// Makes a recipient, with a message for each destination that wants this type of event.
    pub fn recipient(&self, event: &str, entity: &str) -> RecipientRow {
        let listener = &self.listeners[self.index];
        let wanting = listener.destinations.iter().filter(|destination| {
            destination.events.is_empty()
                || destination.events.split(' ').any(|wanted| wanted == event)
        });
        let message = |destination: &DestinationRow| {
            (
                destination.id.clone(),
                if destination.ordered {
                    entity.to_owned()
                } else {
                    String::new()
                },
            )
        };
        RecipientRow {
            organisation_id: listener.organisation.clone(),
            messages: wanting.map(message).collect(),
        }
    }
}

impl Match {
    /// Names whose secret it is. Where several organisations have the same one, they count as one.
    pub fn signer(&self) -> Signer {
        match self.recipients.first() {
            Some(first) if !self.by_operator => {
                Signer::Organisation(first.organisation().to_owned())
            }
            _ => Signer::Operator,
        }
    }
}

impl Listening {
    /// Tries the secrets that may sign for the workspace, and no others.
    pub fn find(
        &self,
        app: Option<&SigningKey>,
        body: &[u8],
        signature: &[u8],
        now: Millis,
    ) -> Option<Match> {
        // Where several organisations listen, what the app signed is for all of them, whoever
        // pasted its secret too.
        if self.listeners.len() > 1
            && let Some(signed) = self.find_app(app, body, signature, now)
        {
            return Some(signed);
        }
        let mut own = Match {
            by_app: false,
            by_operator: false,
            secret_id: String::new(),
            note_match: false,
            first_of: Vec::new(),
            recipients: Vec::new(),
        };
        let hears = |index: usize| Recipient {
            listeners: self.listeners.clone(),
            index,
        };
        for (index, listener) in self.listeners.iter().enumerate() {
            let accepted = listener
                .secrets
                .iter()
                .filter(|secret| secret.retires_at.is_none_or(|at| at > now));
            if let Some(secret) = accepted
                .into_iter()
                .find(|secret| secret.key.verifies(body, signature))
            {
                own.secret_id.clone_from(&secret.id);
                own.note_match = secret.is_news(now);
                own.recipients.push(hears(index));
            }
        }
        if !own.recipients.is_empty() {
            return Some(own);
        }
        self.find_app(app, body, signature, now)
    }

    /// Each listens to what the app signs that it is connected through. `operators`: the key of the
    /// operator's.
    fn find_app(
        &self,
        operators: Option<&SigningKey>,
        body: &[u8],
        signature: &[u8],
        now: Millis,
    ) -> Option<Match> {
        let by_operators = OnceCell::new();
        let signs = |app: Option<&AppKeys>| match app {
            Some(app) => app.verifies(body, signature, now),
            None => *by_operators
                .get_or_init(|| operators.is_some_and(|key| key.verifies(body, signature))),
        };
        let hearing = self
            .listeners
            .iter()
            .enumerate()
            .filter(|(_, listener)| signs(listener.app.as_ref()));
        let recipients: Vec<Recipient> = hearing
            .map(|(index, _)| Recipient {
                listeners: self.listeners.clone(),
                index,
            })
            .collect();
        let by_app = !recipients.is_empty()
            || (self.listeners.is_empty()
                && (signs(None) || self.former.iter().any(|app| signs(Some(app)))));
        let proven = recipients
            .iter()
            .filter_map(Recipient::app)
            .filter_map(|app| Some((app.id.clone(), app.proves(body, signature)?)));
        let mut first_of: Vec<(String, Vec<u8>)> = proven.collect();
        first_of.dedup();
        by_app.then(|| Match {
            by_app,
            by_operator: by_operators.get() == Some(&true),
            secret_id: String::new(),
            note_match: false,
            first_of,
            recipients,
        })
    }

    /// The same, as far as anybody could tell.
    pub fn is_same(&self, other: &Listening) -> bool {
        Arc::ptr_eq(&self.listeners, &other.listeners)
    }
}

impl Secret {
    /// True about once a minute: then the match is written down.
    fn is_news(&self, now: Millis) -> bool {
        let noted = self.noted_at.load(Ordering::Relaxed);
        (now - noted).abs() >= NOTE_EVERY
            && self
                .noted_at
                .compare_exchange(noted, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

impl Engine {
    /// Finds who listens to a workspace; the answer may be of that age.
    pub(super) async fn listening(
        &self,
        workspace: &str,
        age_max: Duration,
    ) -> Result<Listening, StoreError> {
        let (at, changes) = (Instant::now(), self.store().changes());
        if let Some(known) = self.listeners().known.lock().peek(workspace)
            && known.at.elapsed() < age_max
            && known.changes == changes
        {
            return Ok(known.listening.clone());
        }
        let tenants = self.store().webhook_tenants(workspace).await?;
        let secrets = if tenants.is_empty() {
            Vec::new()
        } else {
            self.store().webhook_secrets_by_workspace(workspace).await?
        };
        let destinations = if tenants.is_empty() {
            Vec::new()
        } else {
            self.store().destinations_by_workspace(workspace).await?
        };
        let own_apps = tenants.iter().any(|tenant| tenant.app_id.is_some());
        let apps = if own_apps {
            self.store().apps_by_workspace(workspace).await?
        } else {
            Vec::new()
        };
        let known = !tenants.is_empty();
        let (active, former): (Vec<Tenant>, Vec<Tenant>) = tenants
            .into_iter()
            .partition(|tenant| wants_webhooks(tenant.phase, tenant.reason, tenant.has_evidence));
        let listening = Listening {
            listeners: Arc::new(
                active
                    .into_iter()
                    .map(|tenant| self.listener(tenant, &secrets, &destinations, &apps))
                    .collect(),
            ),
            former: Arc::new(
                former
                    .iter()
                    .filter_map(|tenant| self.keys_of(tenant, &apps))
                    .collect(),
            ),
            known,
        };
        self.listeners().known.lock().put(
            workspace.to_owned(),
            Known {
                at,
                changes,
                listening: listening.clone(),
            },
        );
        Ok(listening)
    }

    /// Opens the keys of the organisation's own app that a connection goes through.
    fn keys_of(&self, tenant: &Tenant, apps: &[AppRow]) -> Option<AppKeys> {
        let id = tenant.app_id.as_ref()?;
        apps.iter()
            .find(|app| app.id == *id)
            .map(|app| self.app_keys(app))
    }

    fn listener(
        &self,
        tenant: Tenant,
        secrets: &[WebhookSecretRow],
        destinations: &[DestinationRow],
        apps: &[AppRow],
    ) -> Listener {
        let own = secrets
            .iter()
            .filter(|secret| secret.connection_id == tenant.connection_id);
        let opened = own.filter_map(|row| {
            let key = self.signing_key(row)?;
            Some(Secret {
                id: row.id.clone(),
                key,
                retires_at: row.retires_at,
                noted_at: AtomicI64::new(row.matched_at.unwrap_or(0)),
            })
        });
        let theirs = destinations
            .iter()
            .filter(|destination| destination.organisation_id == tenant.organisation_id);
        Listener {
            app: self.keys_of(&tenant, apps),
            secrets: opened.collect(),
            destinations: theirs.cloned().collect(),
            organisation: tenant.organisation_id,
            connection: tenant.connection_id,
        }
    }

    /// A stored secret, ready for use; nothing if it does not open, which operators are told.
    pub(super) fn signing_key(&self, row: &WebhookSecretRow) -> Option<SigningKey> {
        match self.vault().open_row(
            TABLE,
            SEALED,
            &row.id,
            &row.organisation_id,
            &row.secret_sealed,
        ) {
            Ok(secret) => SigningKey::new(&secret),
            Err(error) => {
                tracing::error!(%error, secret = row.id, "a webhook secret does not open; \
                    deliveries signed with it are refused");
                None
            }
        }
    }
}
