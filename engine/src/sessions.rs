//! Sessions as the person they belong to sees them: where they are, and how they end.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::bounded::Bounded;
use crate::clock::{MINUTE, Millis, SECOND};
use crate::identity::Person;
use crate::store::{BrowserSession, StoreError, StoredSession};
use crate::{Acting, Engine, UsedFrom};

/// "Last used" is no more exact than this.
const USED_EVERY: Millis = 5 * MINUTE;
/// An answer that signs somebody in arrives, and is followed, within this long.
const ON_ITS_WAY_S: u64 = 3;
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Sessions remembered at a time.
const REMEMBERED_MAX: usize = 10_000;

/// The times at which sessions were last noted as used.
#[derive(Debug, Default)]
pub(crate) struct Used(Bounded<String, (UsedFrom, Millis), REMEMBERED_MAX>);

impl Used {
    fn forget(&self, session: &str) {
        self.0.lock().pop(session);
    }

    fn is_news(&self, session: &str, from: &UsedFrom, now: Millis) -> bool {
        let mut all = self.0.lock();
        if all
            .peek(session)
            .is_some_and(|(before, at)| before == from && now - at < USED_EVERY)
        {
            return false;
        }
        all.put(session.to_owned(), (from.clone(), now));
        true
    }
}

impl Engine {
    /// Stores a new session; `false` if its id is taken.
    pub async fn session_create(&self, session: &StoredSession) -> Result<bool, StoreError> {
        self.store().session_create(session, self.now()).await
    }

    /// Updates a session; `false` if it was ended meanwhile, and it stays ended.
    pub async fn session_save(&self, session: &StoredSession) -> Result<bool, StoreError> {
        self.store().session_save(session).await
    }

    /// A session that has not run out.
    pub async fn session(&self, id_hash: &str) -> Result<Option<StoredSession>, StoreError> {
        self.store().session(id_hash, self.now()).await
    }

    /// Ends a session, whosever it is.
    pub async fn session_delete(&self, id_hash: &str) -> Result<(), StoreError> {
        self.store().session_delete(id_hash).await
    }

    /// Ends every session of a person but the one they sit in, as a part of another act.
    pub async fn session_delete_others(
        &self,
        person: &Person,
        keep: &str,
    ) -> Result<u64, StoreError> {
        self.store()
            .session_delete_others(&person.user_id, keep)
            .await
    }

    /// Notes that a session is in use. A page is shown whether or not that can be written.
    pub async fn session_used(&self, session: &str, from: UsedFrom) {
        let now = self.now();
        if self.sessions_used().is_news(session, &from, now)
            && let Err(error) = self.store().session_used(session, &from, now).await
        {
            self.sessions_used().forget(session);
            tracing::warn!(%error, "that a session is in use was not noted");
        }
    }

    /// Ends the first session of an account that was just made, if nobody has used it: then the
    /// answer that opened it never arrived, and `true` says that it may be opened once more. A
    /// session that was used, or has ended, stays what it is: `false`.
    pub async fn first_session_reopen(&self, person: &Person) -> Result<bool, StoreError> {
        let began = Instant::now();
        loop {
            let sessions = self.sessions(person).await?;
            if sessions.is_empty() || sessions.iter().any(|session| session.browser.is_some()) {
                return Ok(false);
            }
            let youngest = sessions.iter().filter_map(|session| session.used_at).max();
            let for_s = youngest
                .and_then(|made| u64::try_from((self.now() - made) / SECOND).ok())
                .unwrap_or_default();
            if for_s >= ON_ITS_WAY_S || began.elapsed().as_secs() >= ON_ITS_WAY_S {
                return self.store().session_delete_unused(&person.user_id).await;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The person's sessions, the one that was used last first.
    pub async fn sessions(&self, person: &Person) -> Result<Vec<BrowserSession>, StoreError> {
        self.store().sessions_of(&person.user_id, self.now()).await
    }

    /// Ends one of the person's sessions. Answers where it was; `None`: they have no such session.
    pub async fn session_end(
        &self,
        person: &Person,
        session: &str,
    ) -> Result<Option<BrowserSession>, StoreError> {
        let found = self
            .sessions(person)
            .await?
            .into_iter()
            .find(|one| one.id_hash == session);
        let Some(found) = found else { return Ok(None) };
        let act = Acting::from(person).act(
            self,
            "session.ended",
            found.browser.clone().unwrap_or_default(),
        );
        Ok(self
            .store()
            .session_end(&person.user_id, session, &act)
            .await?
            .then_some(found))
    }

    /// Signs the person out of the session that they sit in.
    pub async fn sign_out(&self, person: &Person, session: &str) -> Result<(), StoreError> {
        let act = Acting::from(person).act(self, "sign-out", &person.email);
        self.store()
            .session_end(&person.user_id, session, &act)
            .await
            .map(drop)
    }

    /// Ends every session of the person but the one they sit in.
    pub async fn sign_out_elsewhere(&self, person: &Person, keep: &str) -> Result<(), StoreError> {
        let act = Acting::from(person).act(self, "sign-out.elsewhere", &person.email);
        self.store()
            .session_end_others(&person.user_id, keep, &act)
            .await
    }
}
