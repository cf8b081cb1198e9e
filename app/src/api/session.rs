//! A browser's session: its name in the database, and the values that wait in it for the next page.

use relink_engine::NewApiKey;
use relink_engine::clock::{MINUTE, Millis};
use relink_engine::digest;
use relink_engine::identity::Person;
use relink_engine::store::{SESSION_LIFE, StoredSession};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::Duration;
use tower_sessions::{Expiry, Session};

use super::request::{engine, live_from, looks_ahead, parts, see_other, session};
use crate::view::{Failure, NewDestinationView, NewKeyView, Notice, Refused};

/// Bounds the time between two presses of a button, or two returns from Linear.
const LATE: Millis = 10 * MINUTE;
/// The time that a browser keeps the cookie; the store ends the session earlier where it is not
/// used.
pub(super) const SIGNED_IN_LIFE: Duration = Duration::milliseconds(SESSION_LIFE);
pub(super) const USER: &str = "user";
/// The key under which a session keeps when its person signed in. The store reads it too.
pub(super) const SINCE: &str = "since";
pub(super) const ORGANISATION: &str = "organisation";
pub const BROWSER: &str = "browser";
const NOTICE: &str = "flash";
const REFUSED: &str = "refused";
const NEW_KEY: &str = "new_key";
const NEW_DESTINATION: &str = "new_destination";

/// A key or the secret of a destination, on its way to the page that shows it once.
#[derive(Serialize, Deserialize)]
struct SealedKey {
    name: String,
    sealed: String,
}

/// Leaves values for a form that is sent twice: the second one comes with the session that the
/// first one has ended.
pub async fn leave_behind(session: String, data: &Value) -> Result<(), Failure> {
    let engine = engine()?;
    let stored = StoredSession {
        id_hash: session,
        user_id: None,
        data: data.to_string().into_bytes(),
        expires_at: engine.now() + LATE,
    };
    engine.session_create(&stored).await?;
    Ok(())
}

/// Ends every session of the person but this one, as a part of changing their password.
pub async fn end_other_sessions(person: &Person) -> Result<(), Failure> {
    let session = session_name().await?.ok_or(Failure::SignedOut)?;
    engine()?.session_delete_others(person, &session).await?;
    Ok(())
}

/// The name of the browser's session in the database; `None` where there is none.
pub async fn session_name() -> Result<Option<String>, Failure> {
    let session = session()?;
    // A cookie may name one that ran out: it is known as soon as anything is looked up.
    session.get_value(USER).await?;
    Ok(session.id().map(|id| digest::session_name(id.0)))
}

/// [`session_name`], of a session that is made if there is none.
pub async fn own_session_name() -> Result<String, Failure> {
    if let Some(name) = session_name().await? {
        return Ok(name);
    }
    session()?.save().await?;
    session_name().await?.ok_or(Failure::Unavailable)
}

/// The secret that binds a connect attempt to this browser session; empty when nobody is signed in.
pub async fn browser() -> Result<String, Failure> {
    Ok(session()?.get::<String>(BROWSER).await?.unwrap_or_default())
}

/// [`browser`], made for this session where nobody is signed in.
pub async fn own_browser() -> Result<String, Failure> {
    let known = browser().await?;
    if !known.is_empty() {
        return Ok(known);
    }
    let new = engine()?.entropy().token();
    put(BROWSER, &new).await?;
    Ok(new)
}

/// Keeps what binds attempts to this browser over signing in.
pub async fn stay_browser(known: &str) -> Result<(), Failure> {
    if known.is_empty() {
        Ok(())
    } else {
        put(BROWSER, known).await
    }
}

/// Goes on with a page that says, once, what an act led to.
pub async fn say(page: &str, notice: Notice) -> Result<(), Failure> {
    put(NOTICE, notice).await?;
    see_other(page);
    Ok(())
}

pub async fn take_notice() -> Result<Option<Notice>, Failure> {
    take(NOTICE).await
}

/// Goes on with the page of a form that was refused. A fragment would keep the browser from
/// focusing the field.
pub async fn ask_again(page: &str, refused: Refused) -> Result<(), Failure> {
    put(REFUSED, refused).await?;
    see_other(page);
    Ok(())
}

pub async fn take_refused() -> Result<Option<Refused>, Failure> {
    take(REFUSED).await
}

/// Seals a new key into the session: whoever reads it in the database must not read the key.
pub async fn set_new_key(person: &Person, key: &NewApiKey) -> Result<(), Failure> {
    put(
        NEW_KEY,
        SealedKey {
            name: key.name.clone(),
            sealed: engine()?.seal_for(person, &key.key),
        },
    )
    .await
}

/// The key that this person has just made; only the first call after that gets it.
pub async fn take_new_key(person: &Person) -> Result<Option<NewKeyView>, Failure> {
    let key = take_sealed(NEW_KEY, person).await?;
    Ok(key.map(|(name, key)| NewKeyView::Shown {
        name,
        key: key.expose_secret().to_owned(),
    }))
}

/// Seals a new destination's secret as a key is. `name` is what the page calls the destination.
pub async fn set_new_destination(
    person: &Person,
    name: String,
    secret: &SecretString,
) -> Result<(), Failure> {
    put(
        NEW_DESTINATION,
        SealedKey {
            name,
            sealed: engine()?.seal_for(person, secret),
        },
    )
    .await
}

/// The secret of the destination that this person has just added; only the first call after that
/// gets it.
pub async fn take_new_destination(person: &Person) -> Result<Option<NewDestinationView>, Failure> {
    let secret = take_sealed(NEW_DESTINATION, person).await?;
    Ok(secret.map(|(name, secret)| NewDestinationView::Shown {
        name,
        secret: secret.expose_secret().to_owned(),
    }))
}

async fn take_sealed(
    key: &str,
    person: &Person,
) -> Result<Option<(String, SecretString)>, Failure> {
    let Some(SealedKey { name, sealed }) = take(key).await? else {
        return Ok(None);
    };
    Ok(engine()?
        .open_for(person, &sealed)
        .map(|secret| (name, secret)))
}

pub async fn put(key: &str, value: impl Serialize) -> Result<(), Failure> {
    let session = session()?;
    session.insert(key, value).await?;
    live_on(&session).await
}

/// Whatever is stored with it, the cookie lives as long as one that somebody is signed in with, if
/// somebody is: the library remembers no session's own life, and would send it with that of an
/// anonymous one.
pub(super) async fn live_on(session: &Session) -> Result<(), Failure> {
    if session.get_value(USER).await?.is_some() {
        if session.get_value(SINCE).await?.is_none() {
            session.insert(SINCE, engine()?.now()).await?;
        }
        session.set_expiry(Some(Expiry::OnInactivity(SIGNED_IN_LIFE)));
    }
    Ok(())
}

/// Reads a value and leaves it there. One that an older version left and this one cannot read is as
/// good as none.
pub async fn peek<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Failure> {
    Ok(session()?
        .get_value(key)
        .await?
        .and_then(|value| serde_json::from_value(value).ok()))
}

/// Reads first: taking from an empty session would store the session.
pub async fn take<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Failure> {
    let session = session()?;
    // A page that only looks again, or ahead, must not take what waits for the next one.
    if live_from()?.is_some() || looks_ahead(&parts()?) || session.get_value(key).await?.is_none() {
        return Ok(None);
    }
    // What an older version left there and this one cannot read is dropped.
    let value = session.remove_value(key).await?;
    live_on(&session).await?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}
