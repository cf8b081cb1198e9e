//! The way out to Linear's consent page and back.

use leptos::prelude::*;
use relink_engine::connection::ActAs;
use relink_engine::identity::Person;
use relink_engine::scope::NotOffered;
use relink_engine::text::name;
use relink_engine::{BeginError, Callback, Connected, Engine, FinishError};

use super::connect_failure::{failed, not_configured};
use super::person::{person, refuse, signed_in_form};
use super::proofs::finished;
use super::request::{engine, see_other, too_early};
use super::session::{browser, say};
use crate::view::people_views::People;
use crate::view::webhook_facts::Webhooks;
use crate::view::{Failure, Next, Notice};

/// Begins to connect Linear, or to reconnect where `connection` is given. Answers 303 to Linear's
/// consent page.
#[server(prefix = "/oauth/linear", endpoint = "start")]
pub async fn begin_connect(
    #[server(default)] connection: Option<String>,
    #[server(default)] app: Option<String>,
    #[server(default)] actor: Option<String>,
    #[server(default)] scopes: Vec<String>,
) -> Result<(), Failure> {
    let person = signed_in_form().await?;
    let (connection, app) = (
        connection.filter(|id| !id.is_empty()),
        app.filter(|id| !id.is_empty()),
    );
    let actor = actor
        .as_deref()
        .map_or(Some(ActAs::default()), ActAs::from_name)
        .ok_or(Failure::Malformed);
    let browser = browser().await?;
    let begun = match actor {
        Ok(actor) => {
            let begin = relink_engine::BeginConnect {
                browser: &browser,
                connection: connection.as_deref(),
                app: app.as_deref(),
                actor,
                scopes: &scopes,
            };
            engine()?.connect_begin(&person, begin).await
        }
        Err(_) => Err(BeginError::Scope(NotOffered)),
    };
    match begun {
        Ok(url) => see_other(url.as_str()),
        Err(BeginError::NotConfigured) => return say("/integrations", not_configured()).await,
        Err(error) => return refuse(error.into()).await,
    }
    Ok(())
}

/// Finishes what Linear sent the browser back with. `query` is the callback's whole query string;
/// the answer is a 303, for a connect to `/integrations`, with `?error=` and the contract's code
/// where it did not work.
pub async fn finish_connect(query: String) -> Result<(), Failure> {
    if too_early()? {
        return Ok(());
    }
    let callback = Callback::parse(&query);
    // One address is registered at Linear for everybody who comes back: their state tells what they
    // left for.
    if finished(&callback).await? {
        return Ok(());
    }
    let Some(person) = person().await? else {
        return came_to_nothing(FinishError::StateMismatch).await;
    };
    let engine = engine()?;
    match engine
        .connect_finish(&person, &browser().await?, callback)
        .await
    {
        Ok(connected) if connected.again => say("/integrations", connected_again(&connected)).await,
        Ok(connected) => {
            let notice = connected_first(&engine, &person, connected).await?;
            say("/integrations", notice).await
        }
        Err(error) => came_to_nothing(error).await,
    }
}

impl From<BeginError> for Failure {
    fn from(error: BeginError) -> Failure {
        match error {
            BeginError::Denied(_) => Failure::Forbidden,
            BeginError::NotFound => Failure::NotFound,
            BeginError::Scope(_) => Failure::Malformed,
            BeginError::NotConfigured | BeginError::Sealed(_) => Failure::Unavailable,
            BeginError::Store(error) => error.into(),
        }
    }
}

async fn came_to_nothing(error: FinishError) -> Result<(), Failure> {
    tracing::warn!(%error, "a connect did not finish");
    // Nobody is signed in here: no session to keep anything in, and the page will ask to sign in
    // first.
    let stranger = matches!(error, FinishError::StateMismatch);
    let notice = failed(error);
    let page = format!(
        "/integrations?error={}",
        notice.error.as_deref().unwrap_or_default()
    );
    if stranger {
        see_other(&page);
        return Ok(());
    }
    say(&page, notice).await
}

fn connected_again(connected: &Connected) -> Notice {
    Notice::good(
        format!("{} is connected again.", name(&connected.workspace)),
        format!("Linear answered as “{}”.", name(&connected.viewer)),
    )
}

async fn connected_first(
    engine: &Engine,
    person: &Person,
    connected: Connected,
) -> Result<Notice, Failure> {
    let connections = engine.connections(person).list().await?;
    let connection = connections
        .iter()
        .find(|connection| connection.id == connected.connection);
    let people = People::load(engine, person).await?;
    let who_are_you = connection.and_then(|connection| people.who_are_you(connection));
    let webhooks = Webhooks::load(engine, person).await?;
    let delivers =
        connection.is_some_and(|connection| webhooks.app_delivers(connection, &connections));
    Ok(connected_words(&connected, delivers, who_are_you))
}

/// `delivers`: the app's own webhook does, so no other one is needed.
fn connected_words(connected: &Connected, delivers: bool, who_are_you: Option<Next>) -> Notice {
    let fact = format!("{} is connected.", name(&connected.workspace));
    let mut notice = if delivers {
        Notice::good(
            fact,
            "Its deliveries arrive through the Linear app’s own webhook.",
        )
    } else {
        let rest = "Next: paste its webhook secret, so deliveries can be verified.";
        let webhook = format!("/integrations/{}#webhooks", connected.connection);
        Notice::good(fact, rest).then(Next::link("Paste the webhook secret", webhook))
    };
    notice.next.extend(who_are_you);
    notice
}

#[cfg(test)]
#[path = "connect_tests.rs"]
mod tests;
