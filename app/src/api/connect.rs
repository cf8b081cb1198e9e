//! Out to Linear's consent page and back.

use leptos::prelude::*;
use relink_engine::connection::ActAs;
use relink_engine::identity::Person;
use relink_engine::scope::NotOffered;
use relink_engine::text::name;
use relink_engine::{BeginError, Callback, Connected, Engine, FinishError};

use super::person::{person, refuse, signed_in_form};
use super::proofs::finished;
use super::request::{engine, see_other, too_early};
use super::session::{browser, set_flash};
use crate::view::people_views::People;
use crate::view::webhook_facts::Webhooks;
use crate::view::{ConnectError, ExpectedWorkspace, Failure, Flash};

/// Connect Linear, or Reconnect where `connection` is given. Answers 303 to Linear's consent page.
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
        Err(BeginError::NotConfigured) => {
            set_flash(Flash::ConnectFailed(ConnectError::NotConfigured)).await?;
            see_other("/integrations");
        }
        Err(BeginError::Forbidden) => return refuse(Failure::Forbidden).await,
        Err(BeginError::NotFound) => return refuse(Failure::NotFound).await,
        Err(BeginError::Sealed(_)) => return refuse(Failure::Unavailable).await,
        Err(BeginError::Scope(_)) => return refuse(Failure::Malformed).await,
        Err(BeginError::Store(error)) => return refuse(error.into()).await,
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
        return failed(FinishError::StateMismatch).await;
    };
    let engine = engine()?;
    match engine
        .connect_finish(&person, &browser().await?, callback)
        .await
    {
        Ok(connected) => {
            set_flash(flash(&engine, &person, connected).await?).await?;
            see_other("/integrations");
            Ok(())
        }
        Err(error) => failed(error).await,
    }
}

async fn failed(error: FinishError) -> Result<(), Failure> {
    tracing::warn!(%error, "a connect did not finish");
    let view = connect_error(error);
    let code = view.code();
    // Nobody is signed in here: no session to keep anything in, and the page will ask to sign in
    // first.
    if view != ConnectError::StateMismatch {
        set_flash(Flash::ConnectFailed(view)).await?;
    }
    see_other(&format!("/integrations?error={code}"));
    Ok(())
}

async fn flash(engine: &Engine, person: &Person, connected: Connected) -> Result<Flash, Failure> {
    if connected.again {
        return Ok(Flash::Reconnected {
            workspace: name(&connected.workspace),
            viewer: name(&connected.viewer),
        });
    }
    let connections = engine.store().connections(&person.organisation_id).await?;
    let connection = connections
        .iter()
        .find(|connection| connection.id == connected.connection);
    let people = People::load(engine, person).await?;
    let you = connection.and_then(|connection| people.who_are_you(connection));
    let webhooks = Webhooks::load(engine, person).await?;
    let delivers =
        connection.is_some_and(|connection| webhooks.app_delivers(connection, &connections));
    Ok(Flash::Connected {
        connection: connected.connection,
        workspace: name(&connected.workspace),
        delivers,
        you,
    })
}

fn connect_error(error: FinishError) -> ConnectError {
    match error {
        FinishError::AccessDenied => ConnectError::AccessDenied,
        FinishError::AuthorizationFailed => ConnectError::AuthorizationFailed,
        FinishError::StateMismatch => ConnectError::StateMismatch,
        FinishError::ExchangeFailed(_) => ConnectError::ExchangeFailed,
        FinishError::LinearUnreachable(_) => ConnectError::LinearUnreachable,
        FinishError::WrongWorkspace {
            connection,
            expected,
        } => ConnectError::WrongWorkspace {
            expected: Some(ExpectedWorkspace {
                connection,
                name: name(&expected),
            }),
        },
        FinishError::AlreadyConnected {
            connection,
            workspace,
        } => ConnectError::AlreadyConnected(ExpectedWorkspace {
            connection,
            name: name(&workspace),
        }),
        FinishError::WorkspaceAlreadyLinked { email } => {
            ConnectError::WorkspaceAlreadyLinked { email }
        }
        FinishError::Stopped => ConnectError::Interrupted,
        FinishError::Failed | FinishError::Sealed(_) | FinishError::Store(_) => {
            ConnectError::Internal
        }
    }
}
