//! Out to Linear's consent page and back.

use leptos::prelude::*;

use super::Failure;

/// Connect Linear, or Reconnect where `connection` is given. Answers 303 to Linear's consent page.
#[server(prefix = "/oauth/linear", endpoint = "start")]
pub async fn begin_connect(
    #[server(default)] connection: Option<String>,
    #[server(default)] actor: Option<String>,
    #[server(default)] scopes: Vec<String>,
) -> Result<(), Failure> {
    use relink_engine::connection::Actor;
    use relink_engine::{BeginConnect, BeginError};

    use super::request::{browser, engine, see_other, set_flash};
    use crate::view::{ConnectError, Flash};

    let person = super::request::signed_in_form().await?;
    let connection = connection.filter(|id| !id.is_empty());
    let actor = actor.as_deref().map_or(Some(Actor::default()), Actor::from_name).ok_or(Failure::Malformed);
    let browser = browser().await?;
    let begun = match actor {
        Ok(actor) => {
            let begin = BeginConnect { browser: &browser, connection: connection.as_deref(), actor, scopes: &scopes };
            engine()?.connect_begin(&person, begin).await
        }
        Err(_) => Err(BeginError::Scope(relink_engine::scope::NotOffered)),
    };
    match begun {
        Ok(url) => see_other(url.as_str()),
        Err(BeginError::NotConfigured) => {
            set_flash(Flash::ConnectFailed(ConnectError::NotConfigured)).await?;
            see_other("/integrations");
        }
        Err(BeginError::Forbidden) => return super::request::refuse(Failure::Forbidden).await,
        Err(BeginError::NotFound) => return super::request::refuse(Failure::NotFound).await,
        Err(BeginError::Scope(_)) => return super::request::refuse(Failure::Malformed).await,
        Err(BeginError::Store(error)) => return super::request::refuse(error.into()).await,
    }
    Ok(())
}

/// Finishes what Linear sent the browser back with. `query` is the callback's whole query string; the answer is a 303
/// to `/integrations`, with `?error=` and the contract's code where it did not work.
#[server(prefix = "/fn", endpoint = "finish-connect")]
pub async fn finish_connect(query: String) -> Result<(), Failure> {
    use relink_engine::{Callback, FinishError};

    use super::request::{browser, engine, person, see_other, set_flash};
    use crate::view::{ConnectError, Flash};

    let callback = Callback::parse(&query);
    let finished = match person().await? {
        Some(person) => engine()?.connect_finish(&person, &browser().await?, callback).await,
        None => Err(FinishError::StateMismatch),
    };
    let error = match finished {
        Ok(connected) => {
            set_flash(flash(connected)).await?;
            see_other("/integrations");
            return Ok(());
        }
        Err(error) => error,
    };
    tracing::warn!(%error, "a connect did not finish");
    let view = connect_error(error);
    let code = view.code();
    // Nobody is signed in here: no session to keep anything in, and the page will ask to sign in first.
    if view != ConnectError::StateMismatch {
        set_flash(Flash::ConnectFailed(view)).await?;
    }
    see_other(&format!("/integrations?error={code}"));
    Ok(())
}

#[cfg(feature = "ssr")]
fn flash(connected: relink_engine::Connected) -> crate::view::Flash {
    use crate::view::Flash;

    if connected.again {
        return Flash::Reconnected { workspace: connected.workspace, viewer: connected.viewer };
    }
    Flash::Connected { connection: connected.connection, workspace: connected.workspace }
}

#[cfg(feature = "ssr")]
fn connect_error(error: relink_engine::FinishError) -> crate::view::ConnectError {
    use relink_engine::FinishError;

    use crate::view::{ConnectError, ExpectedWorkspace};

    match error {
        FinishError::AccessDenied => ConnectError::AccessDenied,
        FinishError::AuthorizationFailed => ConnectError::AuthorizationFailed,
        FinishError::StateMismatch => ConnectError::StateMismatch,
        FinishError::ExchangeFailed(_) => ConnectError::ExchangeFailed,
        FinishError::LinearUnreachable(_) => ConnectError::LinearUnreachable,
        FinishError::WrongWorkspace { connection, expected } => {
            ConnectError::WrongWorkspace { expected: Some(ExpectedWorkspace { connection, name: expected }) }
        }
        FinishError::WorkspaceAlreadyLinked { email } => ConnectError::WorkspaceAlreadyLinked { email },
        FinishError::Sealed(_) | FinishError::Store(_) => ConnectError::Internal,
    }
}
