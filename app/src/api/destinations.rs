//! Destinations: added, paused, resumed and removed at the foot of `/deliveries`, by owners and
//! admins.

use leptos::prelude::*;
use relink_engine::Engine;
use relink_engine::dispatch::{DestinationError, EVENTS, NewDestination};
use relink_engine::identity::Person;

use super::person::{refuse, signed_in_form};
use super::request::{engine, see_other};
use super::session::{
    set_flash, set_new_destination, set_refused, take_new_destination, take_refused,
};
use crate::view::destination_views::name;
use crate::view::{Complaint, Draft, Failure, Flash, NewDestinationView, Refused};

/// Adds a destination. Its secret waits, sealed, in the session for the one page that shows it.
#[server(prefix = "/deliveries", endpoint = "destinations")]
pub async fn add_destination(
    #[server(default)] url: String,
    #[server(default)] events: Vec<String>,
    #[server(default)] ordered: String,
) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let ordered = !ordered.is_empty();
    let new = NewDestination {
        url: &url,
        events: events.clone(),
        ordered,
    };
    let error = match engine.destination_add(&person, new).await {
        Ok(added) => {
            set_new_destination(&person, name(&added.url, &[]), &added.secret).await?;
            see_other("/deliveries?shown=secret");
            return Ok(());
        }
        Err(error) => error,
    };
    let Some(complaint) = complaint(&error) else {
        return refuse(error.into()).await;
    };
    let destination = Draft {
        url: kept(&url),
        events: known(events),
        ordered,
    };
    set_refused(Refused {
        destination,
        complaints: vec![complaint],
        ..Refused::default()
    })
    .await?;
    // A fragment would keep the browser from focusing the field.
    see_other("/deliveries");
    Ok(())
}

/// Sends nothing more to a destination until it is resumed.
#[server(prefix = "/deliveries/destinations", endpoint = "pause")]
pub async fn pause_destination(#[server(default)] destination: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let name = match named(&engine, &person, &destination).await {
        Ok((name, _)) => name,
        Err(failure) => return refuse(failure).await,
    };
    match engine.destination_pause(&person, &destination).await {
        // It is there, so it was paused already.
        Ok(()) | Err(DestinationError::NotFound) => done(Flash::DestinationPaused { name }).await,
        Err(error) => refuse(error.into()).await,
    }
}

/// Sends to a destination again.
#[server(prefix = "/deliveries/destinations", endpoint = "resume")]
pub async fn resume_destination(#[server(default)] destination: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let name = match named(&engine, &person, &destination).await {
        Ok((name, _)) => name,
        Err(failure) => return refuse(failure).await,
    };
    match engine.destination_resume(&person, &destination).await {
        Ok(()) => done(Flash::DestinationResumed { name }).await,
        Err(error) => refuse(error.into()).await,
    }
}

/// Removes a destination, and what waits for it.
#[server(prefix = "/deliveries/destinations", endpoint = "remove")]
pub async fn remove_destination(#[server(default)] destination: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let name = match named(&engine, &person, &destination).await {
        Ok((name, _)) => name,
        Err(failure) => return refuse(failure).await,
    };
    match engine.destination_remove(&person, &destination).await {
        Ok(()) => done(Flash::DestinationRemoved { name }).await,
        Err(error) => refuse(error.into()).await,
    }
}

/// Characters of an address that was refused; more than one that is accepted can have.
const URL_KEPT: usize = 2_100;

/// Names a destination as its page does, and tells whether it is paused.
pub(super) async fn named(
    engine: &Engine,
    person: &Person,
    id: &str,
) -> Result<(String, bool), Failure> {
    if !person.manages() {
        return Err(Failure::Forbidden);
    }
    let rows = engine.store().destinations(&person.organisation_id).await?;
    let urls: Vec<&str> = rows.iter().map(|row| row.url.as_str()).collect();
    let row = rows
        .iter()
        .find(|row| row.id == id)
        .ok_or(Failure::NotFound)?;
    Ok((name(&row.url, &urls), row.paused_at.is_some()))
}

async fn done(flash: Flash) -> Result<(), Failure> {
    set_flash(flash).await?;
    see_other("/deliveries");
    Ok(())
}

/// Names the field that is wrong; `None` where the trouble is another one.
fn complaint(error: &DestinationError) -> Option<Complaint> {
    match error {
        DestinationError::Url => Some(Complaint::DestinationUrl),
        DestinationError::Private => Some(Complaint::DestinationPrivate),
        DestinationError::Event => Some(Complaint::DestinationEvent),
        DestinationError::TooMany => Some(Complaint::DestinationsTooMany),
        DestinationError::Forbidden | DestinationError::NotFound | DestinationError::Store(_) => {
            None
        }
    }
}

/// The address as it was typed, unless a password may be in it: it waits in the session until the
/// next page.
fn kept(url: &str) -> String {
    if url.contains('@') {
        String::new()
    } else {
        url.chars().take(URL_KEPT).collect()
    }
}

fn known(mut events: Vec<String>) -> Vec<String> {
    events.retain(|event| EVENTS.contains(&event.as_str()));
    events.truncate(EVENTS.len());
    events
}

/// Takes what was typed for a new destination and what was wrong with it, if the last post was
/// refused.
pub(super) async fn refused_draft() -> Result<(Draft, Option<Complaint>), Failure> {
    let Some(refused) = take_refused().await? else {
        return Ok((Draft::default(), None));
    };
    let ours = |complaint: &Complaint| {
        use Complaint::{
            DestinationEvent, DestinationPrivate, DestinationUrl, DestinationsTooMany,
        };
        matches!(
            complaint,
            DestinationUrl | DestinationPrivate | DestinationEvent | DestinationsTooMany
        )
    };
    Ok((
        refused.destination,
        refused.complaints.into_iter().find(ours),
    ))
}

/// `shown` is the address bar's.
pub(super) async fn new_destination(
    person: &Person,
    shown: Option<&str>,
) -> Result<Option<NewDestinationView>, Failure> {
    let gone = || (shown == Some("secret")).then_some(NewDestinationView::Gone);
    Ok(take_new_destination(person).await?.or_else(gone))
}

impl From<DestinationError> for Failure {
    fn from(error: DestinationError) -> Failure {
        match error {
            DestinationError::Forbidden => Failure::Forbidden,
            DestinationError::NotFound => Failure::NotFound,
            DestinationError::Url
            | DestinationError::Private
            | DestinationError::Event
            | DestinationError::TooMany => Failure::Malformed,
            DestinationError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_kept() {
        assert_eq!(kept("https://a:b@example.com/"), "");
        assert_eq!(kept("http://example.com/?a=1"), "http://example.com/?a=1");
        assert_eq!(kept(&"x".repeat(9_000)).len(), URL_KEPT);
    }

    #[test]
    fn only_types_of_events_that_exist_are_kept() {
        let picked = ["Issue", "<b>evil", "Comment"].map(str::to_owned).to_vec();
        assert_eq!(known(picked), ["Issue", "Comment"]);
    }
}
