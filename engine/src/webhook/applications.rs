//! The application of Linear's that is ours. Some events name it by its client id, others by a UUID
//! of its own, which is learnt from the first delivery that the app's own secret signs, or asked
//! for when an event names one that nobody knows yet, or another than the one that was learnt. What
//! Linear answers takes the place of what was learnt.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::timeout;

use super::envelope::Envelope;
use super::recipients::{Match, Recipient};
use crate::clock::{HOUR, Millis};
use crate::linear::Linear;
use crate::store::StoreError;
use crate::{CallFailed, Engine};

/// The time after which Linear is asked again about what is known, however many other applications
/// events name.
const ASK_AGAIN_AFTER: Millis = HOUR;
/// Linear waits for five seconds; what is learnt later counts for the next event.
const PATIENCE: Duration = Duration::from_secs(2);

/// The times at which Linear was asked which application one of our client ids is.
#[derive(Debug, Default)]
pub(crate) struct Asked(Mutex<HashMap<String, Millis>>);

impl Asked {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Millis>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, client: &str, now: Millis) -> bool {
        self.known()
            .get(client)
            .is_some_and(|at| now - at < ASK_AGAIN_AFTER)
    }

    fn note(&self, client: &str, now: Millis) {
        let mut known = self.known();
        known.retain(|_, at| now - *at < ASK_AGAIN_AFTER);
        known.insert(client.to_owned(), now);
    }
}

/// The answer to whether an event about an app is about ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concern {
    Ours,
    Others,
    /// It names an application by a UUID, and nobody knows which one ours has.
    Unknown,
}

/// A connection, and the app by which it goes.
#[derive(Clone, Debug)]
pub(super) struct Through {
    pub organisation: String,
    pub connection: String,
    /// Id and client id of the organisation's own app; the operator's if absent.
    pub own: Option<(String, String)>,
}

impl Through {
    fn of(hears: &Recipient) -> Through {
        let own = hears
            .app()
            .map(|app| (app.id.clone(), app.client_id.clone()));
        Through {
            organisation: hears.organisation().to_owned(),
            connection: hears.connection().to_owned(),
            own,
        }
    }
}

impl Engine {
    /// Keeps those whom an event about an app concerns. What an app's own secret signed is about
    /// that app. Under a workspace's secret events about any app may come, and they concern those
    /// who are connected through it. `false`: nobody is, and all keep it without acting on it.
    pub(super) async fn keep_concerned(
        &self,
        envelope: &Envelope,
        signed: &mut Match,
    ) -> Result<bool, StoreError> {
        let Some(named) = envelope.oauth_client.as_deref() else {
            return Ok(true);
        };
        if signed.by_app {
            self.note_application(named, &signed.recipients).await;
            return Ok(true);
        }
        let mut concerned = Vec::new();
        for hears in &signed.recipients {
            let through = Through::of(hears);
            let mut concern = self.concern(named, &through).await?;
            if self.is_in_question(concern, named, &through) {
                // It goes on when time is up: an event that cannot be told is kept, and acted on
                // when it can.
                let (engine, asked) = (self.clone(), through.clone());
                let _ = timeout(
                    PATIENCE,
                    tokio::spawn(async move { engine.learn_application(&asked).await }),
                )
                .await;
                concern = self.concern(named, &through).await?;
                if self.is_in_question(concern, named, &through) {
                    concern = Concern::Unknown;
                }
            }
            if concern != Concern::Others {
                concerned.push(hears.clone());
            }
        }
        let any = !concerned.is_empty();
        if any {
            signed.recipients = concerned;
        }
        Ok(any)
    }

    pub(super) async fn concern(
        &self,
        named: &str,
        through: &Through,
    ) -> Result<Concern, StoreError> {
        if self.client_of(through) == Some(named) {
            return Ok(Concern::Ours);
        }
        if !is_uuid(named) {
            return Ok(Concern::Others);
        }
        Ok(match self.application(through).await? {
            Some(known) if known == named => Concern::Ours,
            Some(_) => Concern::Others,
            None => Concern::Unknown,
        })
    }

    /// Whether Linear is to be asked: nobody knows it, or what is known may have been learnt from a
    /// wrong event.
    pub(super) fn is_in_question(&self, concern: Concern, named: &str, through: &Through) -> bool {
        let differs = concern == Concern::Others && is_uuid(named);
        concern == Concern::Unknown
            || (differs
                && self
                    .client_of(through)
                    .is_some_and(|client| !self.applications_asked().has(client, self.now())))
    }

    fn client_of<'a>(&'a self, through: &'a Through) -> Option<&'a str> {
        self.client_id(through.own.as_ref().map(|(_, client)| client.as_str()))
    }

    async fn application(&self, through: &Through) -> Result<Option<String>, StoreError> {
        match &through.own {
            Some((id, _)) => Ok(self
                .store()
                .app(&through.organisation, id)
                .await?
                .and_then(|app| app.application_id)),
            None => {
                let Some(key) = self.operators_key() else {
                    return Ok(None);
                };
                Ok(self
                    .store()
                    .meta(&key)
                    .await?
                    .and_then(|value| String::from_utf8(value).ok()))
            }
        }
    }

    /// Asks Linear, with the connection's own token.
    pub(super) async fn learn_application(&self, through: &Through) -> Result<(), CallFailed> {
        let Some(client) = self.client_of(through).map(str::to_owned) else {
            return Ok(());
        };
        // Owned by the closure: with a borrowed one the compiler cannot tell that the future may go
        // to another thread.
        let asked = client.clone();
        let ask = move |linear: &Linear, token: &SecretString| {
            let (linear, token, client) = (linear.clone(), token.clone(), client.clone());
            async move { linear.application(&token, &client).await }
        };
        let application = self
            .with_token(&through.organisation, &through.connection, ask)
            .await?;
        let own = through.own.as_ref().map(|(id, _)| id.as_str());
        self.keep_application(own, &application, true)
            .await
            .map_err(|error| CallFailed::Token(error.into()))?;
        self.applications_asked().note(&asked, self.now());
        Ok(())
    }

    async fn note_application(&self, named: &str, recipients: &[Recipient]) {
        for hears in recipients {
            let own = hears.app();
            let known = own.is_some_and(|app| app.application_id.is_some());
            if known
                || !is_uuid(named)
                || self.client_id(own.map(|app| app.client_id.as_str())) == Some(named)
            {
                continue;
            }
            if let Err(error) = self
                .keep_application(own.map(|app| app.id.as_str()), named, false)
                .await
            {
                tracing::warn!(%error, "which application of Linear is ours could not be written \
                    down; the next delivery tells it too");
            }
        }
    }

    /// `over`: whatever was known before.
    async fn keep_application(
        &self,
        own: Option<&str>,
        application: &str,
        over: bool,
    ) -> Result<(), StoreError> {
        match (own, self.operators_key()) {
            (Some(app), _) => {
                self.store()
                    .app_set_application(app, application, over)
                    .await
            }
            (None, Some(key)) if over => self.store().meta_put(&key, application.as_bytes()).await,
            (None, Some(key)) => self
                .store()
                .meta_claim(&key, application.as_bytes())
                .await
                .map(drop),
            (None, None) => Ok(()),
        }
    }

    /// The key under which the id of the operator's application is kept; another client id is
    /// another application.
    fn operators_key(&self) -> Option<String> {
        self.client_id(None)
            .map(|client| format!("application {client}"))
    }
}

fn is_uuid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| {
            if dashes.contains(&at) {
                byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
}
