//! The frame around every page.

use relink_engine::identity::Person;
use relink_engine::text;

use super::cookies::theme_of;
use super::instance::troubles;
use super::person::person;
use super::request::{engine, parts, site};
use crate::view::connection_view::{person_view, status};
use crate::view::{Failure, OrganisationView, ShellView, Status};

/// Loads who is here, and what needs them.
pub async fn load_shell() -> Result<ShellView, Failure> {
    let (site, person) = (site()?, person().await?);
    let statuses: Vec<Status> = match &person {
        Some(person) => engine()?
            .connections(person)
            .list()
            .await?
            .iter()
            .map(status)
            .collect(),
        None => Vec::new(),
    };
    let needs_you = statuses
        .iter()
        .filter(|status| **status == Status::ReconnectRequired)
        .count();
    Ok(ShellView {
        theme: theme_of(&parts()?, &site),
        simulated: site.simulated,
        troubles: troubles(&engine()?),
        host: site.host,
        elsewhere: match &person {
            Some(person) => elsewhere(person).await?,
            None => Vec::new(),
        },
        person: person.as_ref().map(person_view),
        needs_you: u32::try_from(needs_you).unwrap_or(u32::MAX),
        worst: statuses.into_iter().min().unwrap_or(Status::NotConnected),
    })
}

/// The person's other organisations.
async fn elsewhere(person: &Person) -> Result<Vec<OrganisationView>, Failure> {
    let organisations = engine()?.organisations_of(person).await?;
    let others = organisations
        .into_iter()
        .filter(|organisation| organisation.id != person.organisation_id);
    Ok(others
        .map(|organisation| OrganisationView {
            id: organisation.id,
            name: text::name(&organisation.name),
        })
        .collect())
}
