//! The engine: everything that Relink knows. No HTTP server, no pages and no environment in here:
//! time, chance, the store, the keys and the way to Linear are handed in.

mod acting;
mod afterwards;
mod alarm;
mod api_keys;
mod apps;
mod audit;
mod auth;
mod bounded;
pub mod change_feed;
pub mod clock;
pub mod connection;
mod counters;
mod device;
pub mod digest;
pub mod dispatch;
pub mod entropy;
pub mod every;
mod field;
pub mod identity;
pub mod linear;
pub mod mail;
mod names;
pub mod network;
mod organisations;
mod password;
pub mod people;
mod retry_after;
mod sessions;
mod storage;
pub mod store;
pub mod text;
pub mod vault;
pub mod webhook;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

pub use acting::{Acting, Denied};
pub use api_keys::{ApiKey, ApiKeyError, Caller, KeyUse, Keys, NewApiKey};
pub use apps::{APPS_MAX, App, AppError, AppSecrets, Apps, NewApp};
pub use audit::{Audit, prove_keys};
pub use auth::{
    ChangePasswordError, FieldError, FirstPasswordError, MemberAddError, SignInError, SignUp,
    SignUpError,
};
pub use connection::callback::Callback;
pub use connection::claims::SharedWorkspace;
pub use connection::connections::RefreshNowError;
pub use connection::consent::{BeginConnect, BeginError, Connected, FinishError};
pub use connection::disconnect::{ASKED_FOR, DisconnectError, Disconnected};
pub use connection::refresh::RefreshSettings;
pub use connection::token::{CallFailed, Checked, FreshToken, Rejected, TokenError, Wanted};
pub use connection::voiding::Voided;
pub use connection::{refresh, scope};
pub use counters::Tally;
pub use device::{Device, UsedFrom, Visitor};
pub use store::{AuditCheck, AuditEntry, BrowserSession, StoredSession};

use clock::{Clock, DAY, Millis, Trust};
use connection::{doubts, probe, rate_budget};
use entropy::Entropy;
use linear::Linear;
use linear::signature::SigningKey;
use mail::Mail;
use store::{Store, StoreError};
use vault::{Place, Vault};
use webhook::WebhookSettings;

/// Linear is asked for the time no more often than this, and no answer is waited for longer than
/// that.
const TIME_ASKED_EVERY: Duration = Duration::from_secs(5);
const TIME_PATIENCE: Duration = Duration::from_secs(3);
/// Milliseconds for which what belongs to a disconnected workspace is kept.
pub const KEEP_DISCONNECTED: Millis = 30 * DAY;

/// Switches that the operator sets.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Several organisations may connect the same Linear workspace.
    pub shared_workspaces: bool,
    pub refresh: RefreshSettings,
    pub webhooks: WebhookSettings,
    /// The signing secret of the OAuth app's own webhook.
    pub webhook_key: Option<SigningKey>,
    /// Destinations may be inside the network that Relink runs in.
    pub allow_private_destinations: bool,
    /// Milliseconds after which a disconnected workspace is forgotten: its people, secrets and
    /// history.
    pub keep_disconnected: Millis,
    /// Sends e-mail, if a mail server is set up.
    pub mail: Option<Mail>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            shared_workspaces: false,
            refresh: RefreshSettings::default(),
            webhooks: WebhookSettings::default(),
            webhook_key: None,
            allow_private_destinations: false,
            keep_disconnected: KEEP_DISCONNECTED,
            mail: None,
        }
    }
}

/// Everything Relink can do. Cheap to clone; the only thing that pages and endpoints need.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Parts>, Store);

#[derive(Debug)]
struct Parts {
    linear: Linear,
    vault: Vault,
    clock: Clock,
    entropy: Entropy,
    settings: Settings,
    proofs: probe::Proofs,
    flights: refresh::Flights,
    leases: refresh::Leases,
    refreshes: refresh::Counts,
    callers: api_keys::Callers,
    sessions_used: sessions::Used,
    budgets: rate_budget::Budgets,
    doubts: doubts::Doubts,
    unwritten: AtomicUsize,
    listeners: webhook::Listeners,
    ingest: webhook::Ingest,
    refusals: webhook::Refusals,
    strays: webhook::Strays,
    applications_asked: webhook::Asked,
    webhooks: Tally,
    outgoing: dispatch::Outgoing,
    live: change_feed::Live,
    handed_on: Tally,
    connection_events: Mutex<()>,
    storage: storage::Storage,
    afterwards: afterwards::Afterwards,
    time_asked: Mutex<Option<Instant>>,
    clock_alarmed: AtomicBool,
    loops: every::Loops,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the keys do not open what is sealed in this database")]
    WrongKey,
    #[error("what proves the keys and the audit trail was taken out of this database")]
    ProofGone,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("HTTPS to destinations cannot be set up: {0}")]
    Outgoing(#[from] reqwest::Error),
}

/// Goes on when the caller goes away: a browser that leaves must not cut a walk between two steps.
async fn uncancelled<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(tracing::Instrument::in_current_span(work)).await {
        Ok(outcome) => outcome,
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
}

/// Proves at every start that the key ring belongs to the database.
const CANARY: Place<'static> = Place {
    table: "meta",
    row: CANARY_KEY,
    column: "value",
    organisation: "",
};
/// The key under which the proof is kept that something was sealed in this database.
pub const CANARY_KEY: &str = "canary";

impl Engine {
    /// Puts the parts together over a store that is up to date.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] when the ring does not hold the key that this database was sealed
    /// with.
    pub async fn open(
        store: Store,
        linear: Linear,
        vault: Vault,
        clock: Clock,
        entropy: Entropy,
        settings: Settings,
    ) -> Result<Engine, OpenError> {
        audit::prove_keys(&store, &vault, &entropy, clock.now()).await?;
        let flights = refresh::Flights::new(&settings.refresh);
        if let Some(noted) = store.heartbeat().await? {
            clock.went_on_from(noted);
        }
        let leases = refresh::Leases::new(entropy.id());
        let outgoing = dispatch::Outgoing::new(
            entropy.id(),
            settings.allow_private_destinations,
            clock.clone(),
        )?;
        let parts = Parts {
            linear,
            vault,
            clock,
            entropy,
            settings,
            leases,
            proofs: probe::Proofs::default(),
            flights,
            refreshes: refresh::Counts::default(),
            callers: api_keys::Callers::default(),
            sessions_used: sessions::Used::default(),
            budgets: rate_budget::Budgets::default(),
            doubts: doubts::Doubts::default(),
            unwritten: AtomicUsize::default(),
            listeners: webhook::Listeners::default(),
            ingest: webhook::Ingest::default(),
            refusals: webhook::Refusals::default(),
            strays: webhook::Strays::default(),
            applications_asked: webhook::Asked::default(),
            webhooks: Tally::default(),
            outgoing,
            live: change_feed::Live::default(),
            handed_on: Tally::default(),
            connection_events: Mutex::default(),
            storage: storage::Storage::default(),
            afterwards: afterwards::Afterwards::default(),
            time_asked: Mutex::default(),
            clock_alarmed: AtomicBool::default(),
            loops: every::Loops::default(),
        };
        let engine = Engine(Arc::new(parts), store);
        engine.spell_emails_anew().await?;
        Ok(engine)
    }

    /// The same engine for what people wait for on pages: its way to the database leaves room for
    /// everything else.
    #[must_use]
    pub fn for_pages(&self) -> Engine {
        Engine(self.0.clone(), self.1.for_pages())
    }

    /// The same engine for everything else: for what goes on for others than the page that began
    /// it.
    fn for_programs(&self) -> Engine {
        Engine(self.0.clone(), self.1.for_programs())
    }

    pub(crate) fn store(&self) -> &Store {
        &self.1
    }

    #[must_use]
    pub fn linear(&self) -> &Linear {
        &self.0.linear
    }

    #[must_use]
    pub fn entropy(&self) -> &Entropy {
        &self.0.entropy
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn sealing_key(&self) -> &str {
        self.0.vault.sealing_key()
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.0.clock.now()
    }

    /// Says whether this machine's clock can be believed.
    #[must_use]
    pub fn clock_trust(&self) -> Trust {
        self.0.clock.trust()
    }

    /// The time as Linear's last answer told it, where that is another.
    fn linears_now(&self) -> Option<Millis> {
        self.0.clock.linears_now()
    }

    /// Asks Linear what time it is, once in a few seconds however often this is called.
    pub(crate) async fn ask_linears_time(&self) {
        let mut asked = self.0.time_asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < TIME_ASKED_EVERY) {
            return;
        }
        *asked = Some(Instant::now());
        // Its headers say it, whatever else is in the answer.
        let _ = timeout(TIME_PATIENCE, self.linear().reach()).await;
    }

    /// Goes by the database's clock, where replicas share one, and asks Linear for the time while
    /// it is in question.
    pub async fn watch_clock(&self) -> Result<(), StoreError> {
        if self.clock_trust().doubtful {
            self.ask_linears_time().await;
        }
        let ahead_s = self.clock_trust().ahead / clock::SECOND;
        let before = self.0.clock_alarmed.swap(ahead_s != 0, Ordering::Relaxed);
        match (before, ahead_s) {
            (false, 1.. | ..=-1) => tracing::error!(
                ahead_s,
                "ALARM: this machine's clock is not Linear's. Relink deletes nothing for its age \
                    while that is so; set the clock"
            ),
            (true, 0) => tracing::warn!("ALARM OVER: this machine's clock is right"),
            _ => {}
        }
        self.follow_database_clock().await
    }

    /// Sets the time by the clock of the database that replicas share; with SQLite there is none
    /// beside this machine's.
    pub async fn follow_database_clock(&self) -> Result<(), StoreError> {
        let asked = self.now();
        if let Some(there) = self.store().database_now().await? {
            // It was read at some time between the question and the answer.
            self.0
                .clock
                .follow_database(there + (self.now() - asked) / 2);
        }
        Ok(())
    }

    /// Milliseconds since the epoch by which things are forgotten; `None` while nobody knows what
    /// time it is.
    fn now_to_forget(&self) -> Option<Millis> {
        (!self.clock_trust().doubtful).then(|| self.now())
    }

    /// Every connection of this instance that has not ended, for whoever runs it.
    pub async fn checkup(&self) -> Result<Vec<store::Checkup>, StoreError> {
        self.store().checkup().await
    }

    /// Counts of each outcome of a refresh in this process.
    #[must_use]
    pub fn refreshes(&self) -> &refresh::Counts {
        &self.0.refreshes
    }

    /// Counts of what became of the webhooks that came to this process.
    #[must_use]
    pub fn webhook_counts(&self) -> &Tally {
        &self.0.webhooks
    }

    /// Counts of what became of the messages that this process sent to destinations.
    #[must_use]
    pub fn handed_on(&self) -> &Tally {
        &self.0.handed_on
    }

    /// The sender of mails; `None` without a mail server.
    #[must_use]
    pub fn mail_sender(&self) -> Option<String> {
        self.settings().mail.as_ref().map(Mail::sender)
    }

    fn outgoing(&self) -> &dispatch::Outgoing {
        &self.0.outgoing
    }

    fn live(&self) -> &change_feed::Live {
        &self.0.live
    }

    /// A turn to act on events about connections: one at a time in this process.
    fn connection_events(&self) -> &Mutex<()> {
        &self.0.connection_events
    }

    fn in_hand(&self) -> &afterwards::Afterwards {
        &self.0.afterwards
    }

    fn loops(&self) -> &every::Loops {
        &self.0.loops
    }

    fn storage(&self) -> &storage::Storage {
        &self.0.storage
    }

    fn listeners(&self) -> &webhook::Listeners {
        &self.0.listeners
    }

    fn deliveries_waiting(&self) -> &webhook::Ingest {
        &self.0.ingest
    }

    fn refusals(&self) -> &webhook::Refusals {
        &self.0.refusals
    }

    fn applications_asked(&self) -> &webhook::Asked {
        &self.0.applications_asked
    }

    fn strays(&self) -> &webhook::Strays {
        &self.0.strays
    }

    fn app_webhook_key(&self) -> Option<&SigningKey> {
        self.0.settings.webhook_key.as_ref()
    }

    fn callers(&self) -> &api_keys::Callers {
        &self.0.callers
    }

    fn sessions_used(&self) -> &sessions::Used {
        &self.0.sessions_used
    }

    fn budgets(&self) -> &rate_budget::Budgets {
        &self.0.budgets
    }

    fn doubts(&self) -> &doubts::Doubts {
        &self.0.doubts
    }

    /// Pairs that wait for the database.
    fn unwritten(&self) -> &AtomicUsize {
        &self.0.unwritten
    }

    fn flights(&self) -> &refresh::Flights {
        &self.0.flights
    }

    fn leases(&self) -> &refresh::Leases {
        &self.0.leases
    }

    fn vault(&self) -> &Vault {
        &self.0.vault
    }

    fn proofs(&self) -> &probe::Proofs {
        &self.0.proofs
    }

    /// Milliseconds for which what belongs to a disconnected workspace is kept.
    #[must_use]
    pub fn keep_disconnected(&self) -> Millis {
        self.settings().keep_disconnected
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }
}
