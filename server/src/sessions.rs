//! tower-sessions over our own store: ids are hashed at rest, so that reading the database signs
//! nobody in.

use relink_app::api::Site;
use relink_engine::Engine;
use relink_engine::clock::{MINUTE, Millis};
use relink_engine::digest::session_name;
use relink_engine::store::{SESSION_LIFE, SESSION_UNUSED_MAX, StoreError, StoredSession};
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::{Expiry, SessionManagerLayer, SessionStore, session_store};

/// The life of a session that nobody is signed in with: it only carries a message to the next page.
/// Signing in prolongs it.
const LIFE_MS: Millis = 10 * MINUTE;
const LIFE: Duration = Duration::milliseconds(LIFE_MS);
/// The keys of session data are fixed by the pages; this one says whose session it is,
const USER: &str = "user";
/// and this one since when they are signed in.
const SINCE: &str = "since";

#[derive(Clone, Debug)]
pub struct Sessions(Engine);

/// The layer that reads and writes the session cookie.
pub fn layer(engine: Engine, site: &Site) -> SessionManagerLayer<Sessions> {
    SessionManagerLayer::new(Sessions(engine))
        .with_name(site.session_cookie())
        .with_http_only(true)
        .with_secure(site.https)
        // Strict would lose the cookie on the way back from Linear.
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(LIFE))
}

#[async_trait::async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let now = self.0.now();
        while !self
            .0
            .session_create(&row(record, now)?)
            .await
            .map_err(backend)?
        {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        // A session that was ended meanwhile stays ended.
        self.0
            .session_save(&row(record, self.0.now())?)
            .await
            .map_err(backend)?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let Some(stored) = self.0.session(&session_name(id.0)).await.map_err(backend)? else {
            return Ok(None);
        };
        let data = serde_json::from_slice(&stored.data)
            .map_err(|error| session_store::Error::Decode(error.to_string()))?;
        let expiry_date = OffsetDateTime::from_unix_timestamp(stored.expires_at / 1_000)
            .map_err(|error| session_store::Error::Decode(error.to_string()))?;
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date,
        }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.0
            .session_delete(&session_name(id.0))
            .await
            .map_err(backend)
    }
}

/// Makes the row of a session. Its end is ours to say: the library would go by the machine's clock,
/// and prolong it with whatever is stored.
fn row(record: &Record, now: Millis) -> session_store::Result<StoredSession> {
    let user = record.data.get(USER).and_then(Value::as_str);
    let expires_at = match (record.data.get(SINCE).and_then(Value::as_i64), user) {
        (Some(since), _) => since + SESSION_LIFE,
        // Signed in before it was noted when.
        (None, Some(_)) => now + SESSION_UNUSED_MAX,
        (None, None) => now + LIFE_MS,
    };
    Ok(StoredSession {
        id_hash: session_name(record.id.0),
        user_id: user.map(str::to_owned),
        data: serde_json::to_vec(&record.data)
            .map_err(|error| session_store::Error::Encode(error.to_string()))?,
        expires_at,
    })
}

fn backend(error: StoreError) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}
