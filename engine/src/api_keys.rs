//! Keys for machines: made and revoked by owners, recognised by their hash.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::acting::handle;
use crate::bounded::Bounded;
use crate::clock::{HOUR, MINUTE, Millis};
use crate::digest::sha256_hex;
use crate::identity::{self, Person};
use crate::store::{Act, ApiKeyRow, AuditActor, StoreError};
use crate::vault::Place;
use crate::{Acting, Denied, Engine, uncancelled};

/// The beginning of every key.
const PREFIX: &str = "rlk_";
/// A key that another process revokes is honoured this much longer here; one that this process
/// revokes not at all.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// Keys remembered at a time.
const REMEMBERED_MAX: usize = 10_000;
/// "Last used" is no more exact than this.
const USED_EVERY: Millis = MINUTE;

/// The place that secrets which are shown once are sealed for: table, column and id.
const SESSIONS: &str = "sessions";
const SHOWN_ONCE: &str = "shown_once";
const LINK_CODE: &str = "link_code";

/// A new key. This is the only time that it can be read.
#[derive(Debug)]
pub struct NewApiKey {
    pub id: String,
    pub name: String,
    pub key: SecretString,
    row: ApiKeyRow,
    act: Act,
}

/// A key as its owners see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    pub last_four: String,
    pub created_at: Millis,
    pub last_used_at: Option<Millis>,
    /// Id and name of who made it; `None` when it was made by command.
    pub made_by: Option<(String, String)>,
}

/// The last use of a key, for those who decide what it can still reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    pub name: String,
    pub last_used_at: Option<Millis>,
}

/// A program that showed a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub key_id: String,
    pub organisation_id: String,
    /// "ci-runner ····8fQ2"
    pub name: String,
}

impl From<&Caller> for Acting {
    fn from(caller: &Caller) -> Acting {
        Acting::outside(
            &caller.organisation_id,
            AuditActor {
                who: format!("API key {}", caller.name),
                ..AuditActor::default()
            },
        )
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("no such key")]
    NotFound,
    #[error("a key's name is 1 to 100 printable characters")]
    Name,
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Hash = [u8; 32];

/// Keys that were recognised a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Callers {
    known: Bounded<Hash, Known, REMEMBERED_MAX>,
    /// Grows with every revocation: a key read before may be worthless by now.
    revocations: AtomicU64,
    /// The times at which the trail last took down that a key read the token of a connection.
    reads: Bounded<(String, String), Millis, REMEMBERED_MAX>,
}

#[derive(Clone, Debug)]
struct Known {
    caller: Arc<Caller>,
    at: Instant,
    used_at: Millis,
}

impl Callers {
    /// Whether the trail has to hear of it, as far as this process knows.
    fn is_first_read(&self, read: &(String, String), now: Millis) -> bool {
        let mut reads = self.reads.lock();
        if reads.peek(read).is_some_and(|at| now - at < HOUR) {
            return false;
        }
        reads.put(read.clone(), now);
        true
    }
}

handle! {
    /// Keys of an organisation, for machines.
    keys -> Keys
}

impl Keys<'_> {
    /// Makes a key. It is shown now and never again.
    pub async fn add(&self, name: &str) -> Result<NewApiKey, ApiKeyError> {
        let key = self.draft(name)?;
        self.keep(&key).await?;
        Ok(key)
    }

    /// A key that opens nothing until it is kept: whoever asked for it may have to see it first.
    pub fn draft(&self, name: &str) -> Result<NewApiKey, ApiKeyError> {
        self.acting.owns()?;
        let name = identity::display_name(name).ok_or(ApiKeyError::Name)?;
        let entropy = self.engine.entropy();
        let key = format!("{PREFIX}{}", entropy.token());
        let row = ApiKeyRow {
            id: entropy.id(),
            organisation_id: self.acting.organisation.clone(),
            name,
            key_hash: sha256_hex(key.as_bytes()),
            last_four: key[key.len() - 4..].to_owned(),
            created_at: self.engine.now(),
            last_used_at: None,
            made_by: self.acting.user_id().map(str::to_owned),
            made_by_name: None,
        };
        let act = self.act("key.made", format!("{} ····{}", row.name, row.last_four));
        Ok(NewApiKey {
            id: row.id.clone(),
            name: row.name.clone(),
            key: key.into(),
            row,
            act,
        })
    }

    /// Makes a key good.
    pub async fn keep(&self, key: &NewApiKey) -> Result<(), StoreError> {
        self.store().api_key_create(&key.row, &key.act).await
    }

    /// The keys that are not revoked, the newest first.
    pub async fn list(&self) -> Result<Vec<ApiKey>, ApiKeyError> {
        self.acting.owns()?;
        let rows = self.store().api_keys(&self.acting.organisation).await?;
        let key = |row: ApiKeyRow| ApiKey {
            id: row.id,
            name: row.name,
            last_four: row.last_four,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            made_by: row.made_by.zip(row.made_by_name),
        };
        Ok(rows.into_iter().map(key).collect())
    }

    /// Lists the last use of each key; empty for those who manage no connections.
    pub async fn uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        if self.acting.manages().is_err() {
            return Ok(Vec::new());
        }
        let rows = self.store().api_keys(&self.acting.organisation).await?;
        Ok(rows
            .into_iter()
            .map(|row| KeyUse {
                name: row.name,
                last_used_at: row.last_used_at,
            })
            .collect())
    }

    /// Makes a key worthless, at once in this process and within a second in others. Answers its
    /// name.
    pub async fn revoke(&self, id: &str) -> Result<String, ApiKeyError> {
        self.acting.owns()?;
        let keys = self.store().api_keys(&self.acting.organisation).await?;
        let key = keys
            .into_iter()
            .find(|key| key.id == id)
            .ok_or(ApiKeyError::NotFound)?;
        let act = self.act("key.revoked", format!("{} ····{}", key.name, key.last_four));
        let engine = self.engine.clone();
        // Written and forgotten, also when the browser leaves in between.
        let revoked = uncancelled(async move {
            let revoked = engine.store().api_key_revoke(&key.id, &act).await;
            engine.forget_callers();
            revoked.map(|revoked| revoked.then_some(key.name))
        });
        revoked.await?.ok_or(ApiKeyError::NotFound)
    }
}

impl Engine {
    /// Finds who shows this key; `None` for one that is unknown or revoked.
    pub async fn api_caller(&self, key: &str) -> Result<Option<Arc<Caller>>, StoreError> {
        if !key.starts_with(PREFIX) {
            return Ok(None);
        }
        let hash: Hash = Sha256::digest(key.as_bytes()).into();
        let known = self.callers().known.lock().peek(&hash).cloned();
        if let Some(known) = &known
            && known.at.elapsed() < GOOD_FOR
        {
            return Ok(Some(known.caller.clone()));
        }
        // Set apart, so that the quick way carries nothing of the long one.
        Box::pin(self.caller_looked_up(hash, known)).await
    }

    async fn caller_looked_up(
        &self,
        hash: Hash,
        known: Option<Known>,
    ) -> Result<Option<Arc<Caller>>, StoreError> {
        let (at, revocations) = (
            Instant::now(),
            self.callers().revocations.load(Ordering::SeqCst),
        );
        let Some(row) = self
            .store()
            .api_key_by_hash(&crate::digest::hex(&hash))
            .await?
        else {
            self.callers().known.lock().pop(&hash);
            return Ok(None);
        };
        let now = self.now();
        let used_at = known.map(|known| known.used_at).or(row.last_used_at);
        let is_news = used_at.is_none_or(|at| now - at >= USED_EVERY);
        if is_news {
            self.store().api_key_used(&row.id, now).await?;
        }
        let name = format!("{} ····{}", row.name, row.last_four);
        let caller = Arc::new(Caller {
            key_id: row.id,
            organisation_id: row.organisation_id,
            name,
        });
        let mut all = self.callers().known.lock();
        if self.callers().revocations.load(Ordering::SeqCst) != revocations {
            return Ok(Some(caller));
        }
        all.put(
            hash,
            Known {
                caller: caller.clone(),
                at,
                used_at: if is_news { now } else { used_at.unwrap_or(now) },
            },
        );
        Ok(Some(caller))
    }

    /// Recognises every key anew: some may be worthless now.
    pub(crate) fn forget_callers(&self) {
        let mut known = self.callers().known.lock();
        self.callers().revocations.fetch_add(1, Ordering::SeqCst);
        known.clear();
    }

    /// Writes down that a key read the token of a connection, once an hour for each pair of them.
    /// Nobody waits for that: tokens are handed out also while the trail takes nothing. The next
    /// one tries again then.
    pub fn token_read(&self, caller: &Arc<Caller>, connection: &str, address: String) {
        let read = (caller.key_id.clone(), connection.to_owned());
        if !self.callers().is_first_read(&read, self.now()) {
            return;
        }
        let (engine, caller, again) = (self.for_programs(), caller.clone(), read.clone());
        let begun = self.afterwards_if_room(async move {
            if let Err(error) = engine.note_read(&caller, &read, address).await {
                engine.callers().reads.lock().pop(&read);
                tracing::warn!(%error, "that a token was read could not be written into the audit \
                    trail");
            }
        });
        if !begun {
            self.callers().reads.lock().pop(&again);
        }
    }

    async fn note_read(
        &self,
        caller: &Caller,
        (key, connection): &(String, String),
        address: String,
    ) -> Result<(), StoreError> {
        let Some(found) = self
            .store()
            .connection(&caller.organisation_id, connection)
            .await?
        else {
            return Ok(());
        };
        let act = Acting::from(caller)
            .at(address)
            .act(self, "token.read", found.workspace.name);
        self.store()
            .token_read(key, connection, &act)
            .await
            .map(drop)
    }

    /// Seals a secret that a person is to see once, for the way through their session.
    #[must_use]
    pub fn seal_for(&self, person: &Person, secret: &SecretString) -> String {
        let place = Place {
            table: SESSIONS,
            row: &person.user_id,
            column: SHOWN_ONCE,
            organisation: &person.organisation_id,
        };
        URL_SAFE_NO_PAD.encode(self.vault().seal(place, secret))
    }

    /// Opens what [`Engine::seal_for`] made for the same person.
    #[must_use]
    pub fn open_for(&self, person: &Person, sealed: &str) -> Option<SecretString> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        self.vault()
            .open_row(
                SESSIONS,
                SHOWN_ONCE,
                &person.user_id,
                &person.organisation_id,
                &sealed,
            )
            .ok()
    }

    /// Seals a link code for the browser session of this name, on its way from one page to the
    /// next. Whoever shows one need not have an account.
    #[must_use]
    pub fn seal_for_session(&self, session: &str, code: &SecretString) -> String {
        let place = Place {
            table: SESSIONS,
            row: session,
            column: LINK_CODE,
            organisation: "",
        };
        URL_SAFE_NO_PAD.encode(self.vault().seal(place, code))
    }

    /// Opens what [`Engine::seal_for_session`] made for the same session.
    #[must_use]
    pub fn open_for_session(&self, session: &str, sealed: &str) -> Option<SecretString> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        self.vault()
            .open_row(SESSIONS, LINK_CODE, session, "", &sealed)
            .ok()
    }
}
