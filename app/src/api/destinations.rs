//! Destinations: added, paused, resumed and removed at the foot of `/deliveries`, by owners and
//! admins.

use leptos::prelude::*;
use relink_engine::Engine;
use relink_engine::dispatch::{DestinationError, EVENTS, NewDestination};
use relink_engine::identity::Person;

use super::person::{refuse, signed_in_form};
use super::request::{engine, see_other};
use super::session::{ask_again, say, set_new_destination, take_new_destination, take_refused};
use crate::view::destination_views::name;
use crate::view::{Complaint, Draft, Failure, NewDestinationView, Notice, Refused};

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
    let error = match engine.destinations(&person).add(new).await {
        Ok(added) => {
            set_new_destination(&person, name(&added.url, &[]), &added.secret).await?;
            see_other("/deliveries?shown=secret");
            return Ok(());
        }
        Err(error) => error,
    };
    let complaint = match complaint(error) {
        Ok(complaint) => complaint,
        Err(failure) => return refuse(failure).await,
    };
    let draft = Draft {
        url: kept(&url),
        events: known(events),
        ordered,
    };
    ask_again("/deliveries", Refused::Destination { draft, complaint }).await
}

/// Sends nothing more to a destination until it is resumed.
#[server(prefix = "/deliveries/destinations", endpoint = "pause")]
pub async fn pause_destination(#[server(default)] destination: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let name = match named(&engine, &person, &destination).await {
        Ok((name, _)) => name,
        Err(failure) => return refuse(failure).await,
    };
    match engine.destinations(&person).pause(&destination).await {
        // It is there, so it was paused already.
        Ok(()) | Err(DestinationError::NotFound) => say("/deliveries", paused(&name)).await,
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
    match engine.destinations(&person).resume(&destination).await {
        Ok(()) => say("/deliveries", resumed(&name)).await,
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
    match engine.destinations(&person).remove(&destination).await {
        Ok(()) => say("/deliveries", removed(&name)).await,
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
    let rows = engine.destinations(person).list().await?;
    let urls: Vec<&str> = rows.iter().map(|row| row.url.as_str()).collect();
    let row = rows
        .iter()
        .find(|row| row.id == id)
        .ok_or(Failure::NotFound)?;
    Ok((name(&row.url, &urls), row.paused_at.is_some()))
}

fn paused(name: &str) -> Notice {
    Notice::good(
        format!("{name} is paused."),
        "What comes meanwhile waits for it.",
    )
}

fn resumed(name: &str) -> Notice {
    Notice::good(format!("{name} is resumed."), "What waits is sent first.")
}

fn removed(name: &str) -> Notice {
    Notice::good(format!("{name} is removed."), "Nothing more is sent there.")
}

/// Names the field that is wrong.
fn complaint(error: DestinationError) -> Result<Complaint, Failure> {
    match error {
        DestinationError::Url => Ok(Complaint::DestinationUrl),
        DestinationError::Private => Ok(Complaint::DestinationPrivate),
        DestinationError::Event => Ok(Complaint::DestinationEvent),
        DestinationError::TooMany => Ok(Complaint::DestinationsTooMany),
        DestinationError::Denied(_) => Err(Failure::Forbidden),
        DestinationError::NotFound => Err(Failure::NotFound),
        DestinationError::Store(error) => Err(error.into()),
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
    Ok(match take_refused().await? {
        Some(Refused::Destination { draft, complaint }) => (draft, Some(complaint)),
        _ => (Draft::default(), None),
    })
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
        complaint(error).err().unwrap_or(Failure::Malformed)
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
    fn what_was_done_is_said_with_what_follows() {
        let said = |notice: Notice| format!("{} {}", notice.fact, notice.rest);
        assert_eq!(
            said(paused("hooks.example.com")),
            "hooks.example.com is paused. What comes meanwhile waits for it."
        );
        assert_eq!(
            said(resumed("hooks.example.com")),
            "hooks.example.com is resumed. What waits is sent first."
        );
        assert_eq!(
            said(removed("hooks.example.com")),
            "hooks.example.com is removed. Nothing more is sent there."
        );
    }

    #[test]
    fn only_types_of_events_that_exist_are_kept() {
        let picked = ["Issue", "<b>evil", "Comment"].map(str::to_owned).to_vec();
        assert_eq!(known(picked), ["Issue", "Comment"]);
    }
}
