//! Destinations, as owners and admins manage them.

use secrecy::SecretString;
use url::Url;

use super::client::may_be_public;
use super::standard_webhooks;
use crate::acting::handle;
use crate::clock::Millis;
use crate::store::{Act, DestinationRow, Message, StoreError};
use crate::vault::Place;
use crate::{Denied, uncancelled};

/// The number of destinations that one organisation may have.
const DESTINATIONS_MAX: i64 = 20;
const URL_MAX: usize = 2_000;
/// Deliveries sent again at a time.
const RESEND_MAX: i64 = 1_000;

pub(super) const TABLE: &str = "destinations";
pub(super) const SEALED: &str = "secret_sealed";

/// The types of events that Linear sends (`WebhookResourceType`, and those of apps).
pub const EVENTS: [&str; 24] = [
    "AgentSessionEvent",
    "AppUserNotification",
    "Attachment",
    "AuditEntry",
    "Comment",
    "Customer",
    "CustomerNeed",
    "Cycle",
    "Document",
    "Initiative",
    "InitiativeUpdate",
    "Issue",
    "IssueLabel",
    "IssueSLA",
    "OAuthApp",
    "OAuthAuthorization",
    "PermissionChange",
    "Project",
    "ProjectLabel",
    "ProjectUpdate",
    "Reaction",
    "Release",
    "ReleaseNote",
    "User",
];

/// The destination that a person asks for.
#[derive(Clone, Debug, Default)]
pub struct NewDestination<'a> {
    pub url: &'a str,
    /// Types of events; none for all.
    pub events: Vec<String>,
    /// Events about the same issue go one after the other.
    pub ordered: bool,
}

/// The secret that a destination verifies with. This is the only time that it can be read.
#[derive(Debug)]
pub struct NewDestinationSecret {
    pub id: String,
    pub url: String,
    pub secret: SecretString,
    row: DestinationRow,
    act: Act,
}

/// A destination as the people of its organisation see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub id: String,
    pub url: String,
    /// Empty for all.
    pub events: Vec<String>,
    pub ordered: bool,
    pub last_four: String,
    pub paused_at: Option<Millis>,
    /// "failures", "gone" or "person".
    pub paused_because: Option<String>,
    pub failing_since: Option<Millis>,
    /// The time until which it is left alone.
    pub next_at: Millis,
    pub last_status: Option<u16>,
    /// The beginning of its last answer, or why there was none.
    pub last_answer: Option<String>,
    pub last_at: Option<Millis>,
    pub last_ok_at: Option<Millis>,
    /// Messages that wait, and that were given up.
    pub waiting: u64,
    pub parked: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("no such destination")]
    NotFound,
    /// The address is no https address, or too long.
    #[error("a destination is an https address")]
    Url,
    #[error("a destination must be on the public internet")]
    Private,
    #[error("there is no such type of event")]
    Event,
    #[error("an organisation has {DESTINATIONS_MAX} destinations at most")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

handle! {
    /// The destinations of an organisation.
    destinations -> Destinations
}

impl Destinations<'_> {
    /// All of them, the oldest first.
    pub async fn list(&self) -> Result<Vec<Destination>, StoreError> {
        let organisation = &self.acting.organisation;
        let rows = self.store().destinations(organisation).await?;
        let counts = if rows.is_empty() {
            Vec::new()
        } else {
            self.store().messages_count(organisation).await?
        };
        let count = |id: &str, state: &str| {
            counts
                .iter()
                .find(|(destination, of, _)| destination == id && of == state)
                .map_or(0, |(_, _, count)| count.unsigned_abs())
        };
        Ok(rows
            .into_iter()
            .map(|row| {
                destination(
                    count(&row.id, "waiting"),
                    count(&row.id, "parked") + row.given_up.unsigned_abs(),
                    row,
                )
            })
            .collect())
    }

    /// Adds a destination and makes its secret.
    pub async fn add(
        &self,
        new: NewDestination<'_>,
    ) -> Result<NewDestinationSecret, DestinationError> {
        let new = self.draft(new)?;
        self.keep(&new).await?;
        Ok(new)
    }

    /// A destination that nothing is sent to until it is kept: whoever asked for it may have to see
    /// its secret first.
    pub fn draft(&self, new: NewDestination<'_>) -> Result<NewDestinationSecret, DestinationError> {
        self.acting.manages()?;
        let (engine, organisation) = (self.engine, self.acting.organisation.as_str());
        let url = self.url(new.url)?;
        if !new
            .events
            .iter()
            .all(|event| EVENTS.contains(&event.as_str()))
        {
            return Err(DestinationError::Event);
        }
        let (id, secret) = (
            engine.entropy().id(),
            standard_webhooks::new_secret(engine.entropy()),
        );
        let place = Place {
            table: TABLE,
            row: &id,
            column: SEALED,
            organisation,
        };
        let text = secrecy::ExposeSecret::expose_secret(&secret);
        let row = DestinationRow {
            secret_sealed: engine.vault().seal(place, &secret),
            last_four: text[text.len() - 4..].to_owned(),
            events: new.events.join(" "),
            ordered: new.ordered,
            ..DestinationRow::new(&id, organisation, url.as_str(), engine.now())
        };
        let act = self.act("destination.added", row.place());
        Ok(NewDestinationSecret {
            id,
            url: row.url.clone(),
            secret,
            row,
            act,
        })
    }

    /// Adds a destination.
    pub async fn keep(&self, new: &NewDestinationSecret) -> Result<(), DestinationError> {
        let added = self
            .store()
            .destination_add(&new.row, DESTINATIONS_MAX, &new.act)
            .await?;
        if added {
            Ok(())
        } else {
            Err(DestinationError::TooMany)
        }
    }

    /// Reads an address: https alone, unless private destinations are allowed. A name is looked up
    /// only when something is sent.
    fn url(&self, text: &str) -> Result<Url, DestinationError> {
        let allow_private = self.engine.outgoing().allow_private;
        let url = Url::parse(text.trim()).map_err(|_| DestinationError::Url)?;
        let scheme = url.scheme() == "https" || (allow_private && url.scheme() == "http");
        let bare = url.username().is_empty() && url.password().is_none();
        if !scheme || !bare || url.host().is_none() || url.as_str().len() > URL_MAX {
            return Err(DestinationError::Url);
        }
        if allow_private || may_be_public(&url) {
            Ok(url)
        } else {
            Err(DestinationError::Private)
        }
    }

    /// Removes a destination, and what was on its way to it.
    pub async fn remove(&self, id: &str) -> Result<(), DestinationError> {
        let act = self.act_on(id, "destination.removed").await?;
        let (engine, id) = (self.engine.clone(), id.to_owned());
        found(uncancelled(async move { engine.store().destination_remove(&id, &act).await }).await?)
    }

    /// Stops sending to a destination until somebody resumes it. What comes meanwhile waits.
    pub async fn pause(&self, id: &str) -> Result<(), DestinationError> {
        let act = self.act_on(id, "destination.paused").await?;
        found(self.store().destination_pause(id, "person", &act).await?)
    }

    /// Sends to a destination again, what waits first.
    pub async fn resume(&self, id: &str) -> Result<(), DestinationError> {
        let act = self.act_on(id, "destination.resumed").await?;
        let resumed = self.store().destination_resume(id, &act).await?;
        self.engine.outgoing().wake.notify_one();
        found(resumed)
    }

    async fn act_on(&self, id: &str, act: &'static str) -> Result<Act, DestinationError> {
        self.acting.manages()?;
        let rows = self.store().destinations(&self.acting.organisation).await?;
        let row = rows
            .into_iter()
            .find(|row| row.id == id)
            .ok_or(DestinationError::NotFound)?;
        Ok(self.act(act, row.place()))
    }

    /// Lists what became of these deliveries.
    pub async fn messages(&self, seqs: &[i64]) -> Result<Vec<Message>, StoreError> {
        self.store()
            .messages_of(&self.acting.organisation, seqs)
            .await
    }

    /// Sends one delivery once more, by the number that the organisation knows it by.
    pub async fn resend_one(
        &self,
        destination: &str,
        number: i64,
    ) -> Result<u64, DestinationError> {
        let organisation = &self.acting.organisation;
        let kept = self.store().delivery_kept(organisation, number).await?;
        let seq = kept.ok_or(DestinationError::NotFound)?;
        self.resend(destination, seq, seq).await
    }

    /// Sends the newest deliveries once more, this many of them at most.
    pub async fn resend_newest(
        &self,
        destination: &str,
        most: i64,
    ) -> Result<u64, DestinationError> {
        let organisation = &self.acting.organisation;
        match self.store().deliveries_newest(organisation, most).await? {
            Some((from, to)) => self.resend(destination, from, to).await,
            None => Ok(0),
        }
    }

    /// Sends deliveries once more to a destination: from one number to another, a thousand at most.
    /// Answers how many.
    pub async fn resend(
        &self,
        destination: &str,
        from: i64,
        to: i64,
    ) -> Result<u64, DestinationError> {
        let act = self.act_on(destination, "deliveries.resent").await?;
        let resent = self
            .store()
            .messages_resend(destination, from, to, RESEND_MAX, &act)
            .await?;
        self.engine.outgoing().wake.notify_one();
        Ok(resent)
    }
}

fn found(done: bool) -> Result<(), DestinationError> {
    if done {
        Ok(())
    } else {
        Err(DestinationError::NotFound)
    }
}

fn destination(waiting: u64, parked: u64, row: DestinationRow) -> Destination {
    Destination {
        id: row.id,
        url: row.url,
        events: row.events.split_whitespace().map(str::to_owned).collect(),
        ordered: row.ordered,
        last_four: row.last_four,
        paused_at: row.paused_at,
        paused_because: row.paused_because,
        failing_since: row.failing_since,
        next_at: row.next_at,
        last_status: row
            .last_status
            .and_then(|status| u16::try_from(status).ok()),
        last_answer: row.last_answer,
        last_at: row.last_at,
        last_ok_at: row.last_ok_at,
        waiting,
        parked,
    }
}
