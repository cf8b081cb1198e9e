//! Shared by the commands: their outcome, and finding an organisation, a connection or a secret.

use std::error::Error;

use relink_engine::identity::Organisation;
use relink_engine::{Acting, Engine, connection};
use secrecy::SecretString;

use crate::private::read_secret;

pub(super) type Outcome = Result<(), Box<dyn Error>>;

/// Finds a connection by the workspace's url key or Linear's organization id.
pub(super) async fn connection(
    engine: &Engine,
    organisation: &Organisation,
    key: &str,
) -> Result<connection::Connection, Box<dyn Error>> {
    let connections = engine.connections(by_command(organisation)).list().await?;
    let found = connections
        .into_iter()
        .find(|connection| connection.workspace.id == key || connection.workspace.url_key == key);
    found.ok_or_else(|| {
        format!(
            "{} has no workspace {key:?}; `relink connection list` shows them",
            organisation.slug
        )
        .into()
    })
}

pub(super) async fn organisation(
    engine: &Engine,
    slug: &str,
) -> Result<Organisation, Box<dyn Error>> {
    let found = engine.organisation(slug).await?;
    found.ok_or_else(|| format!("there is no organisation {slug:?}").into())
}

/// Whoever may run commands, in this organisation.
pub(super) fn by_command(organisation: &Organisation) -> Acting {
    Acting::command(&organisation.id)
}

/// A secret from stdin; one newline at its end is dropped, and a mark of the encoding before it.
pub(super) fn from_stdin() -> Result<SecretString, Box<dyn Error>> {
    Ok(read_secret(std::io::stdin())?.as_str().into())
}
