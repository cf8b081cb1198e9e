//! The reasons why connecting a workspace did not work, in words, with the contract's code in
//! `?error=`.

use relink_engine::FinishError;
use relink_engine::text::name;

use crate::view::{Next, Notice, Tone};

/// The code of the contract that says: try again in a minute.
const IN_A_MINUTE: &str = "linear_unreachable";

/// Tells whoever came back from Linear in vain why, and what to do.
pub fn failed(error: FinishError) -> Notice {
    match error {
        FinishError::AccessDenied => access_denied(),
        FinishError::AuthorizationFailed => authorization_failed(),
        FinishError::StateMismatch => state_mismatch(),
        FinishError::ExchangeFailed(_) => exchange_failed(),
        FinishError::LinearUnreachable(_) => linear_unreachable(),
        FinishError::WrongWorkspace {
            connection,
            expected,
        } => wrong_workspace(connection, name(&expected)),
        FinishError::AlreadyConnected {
            connection,
            workspace,
        } => already_connected(connection, name(&workspace)),
        FinishError::WorkspaceAlreadyLinked { email } => linked_elsewhere(email),
        FinishError::Stopped => interrupted(),
        FinishError::Failed | FinishError::Sealed(_) | FinishError::Store(_) => internal(),
    }
}

/// Explains a code from the address bar, which anybody can write: what is not one of ours is never
/// echoed.
pub fn failed_by_code(code: &str) -> Notice {
    match code {
        "access_denied" => access_denied(),
        "authorization_failed" => authorization_failed(),
        "state_mismatch" => state_mismatch(),
        "exchange_failed" => exchange_failed(),
        IN_A_MINUTE => linear_unreachable(),
        "wrong_workspace" => some_other_workspace(),
        "workspace_already_linked" => linked_elsewhere(None),
        "not_configured" => not_configured(),
        _ => bad(
            "unknown",
            "Connecting did not work.",
            "Nothing was changed.",
        )
        .then(Next::ConnectAgain),
    }
}

fn bad(code: &str, fact: impl Into<String>, rest: impl Into<String>) -> Notice {
    Notice {
        error: Some(code.to_owned()),
        ..Notice::bad(fact, rest)
    }
}

fn check() -> Next {
    Next::settings("Check the app in Linear")
}

fn connect() -> Next {
    Next::Connect("Connect Linear".to_owned())
}

fn another() -> Next {
    Next::Connect("Pick another workspace".to_owned())
}

fn access_denied() -> Notice {
    let rest = "Someone pressed Cancel, the person is no admin there, or the Linear app is \
        private to another workspace. Nothing was changed.";
    bad("access_denied", "Linear did not give access.", rest)
        .then(Next::ConnectAgain)
        .then(check())
        .then(Next::OwnApp)
}

fn authorization_failed() -> Notice {
    let rest = "Check the app's settings in Linear, then try again. Nothing was changed.";
    bad("authorization_failed", "Linear stopped the approval.", rest)
        .then(check())
        .then(Next::ConnectAgain)
}

fn state_mismatch() -> Notice {
    let fact = "This attempt did not start in this browser,";
    let rest = "or it is older than 10 minutes. Nothing was changed. Press Connect Linear to start \
        again; if Linear asked an admin to approve the app first, wait until they have.";
    bad("state_mismatch", fact, rest).then(connect())
}

fn exchange_failed() -> Notice {
    let fact = "Linear would not hand over a token.";
    let rest = "Most often the client ID, client secret or redirect URI here differs from the app \
        in Linear. Nothing was changed.";
    bad("exchange_failed", fact, rest)
        .then(Next::settings("Compare in Settings"))
        .then(Next::ConnectAgain)
}

fn linear_unreachable() -> Notice {
    let fact = "Linear does not answer right now.";
    let rest = "Nothing was changed and your approval was not used up. Try again in a minute.";
    Notice {
        tone: Tone::Waiting,
        ..bad(IN_A_MINUTE, fact, rest).then(Next::ConnectAgain)
    }
}

const OTHER_WORKSPACE: &str = "You approved another workspace.";

fn some_other_workspace() -> Notice {
    let rest = "This Reconnect is for a different one. Nothing was changed. Choose it on Linear's \
        page, or connect the other one as a new workspace.";
    bad("wrong_workspace", OTHER_WORKSPACE, rest).then(connect())
}

fn wrong_workspace(connection: String, workspace: String) -> Notice {
    let rest = format!(
        "This Reconnect is for {workspace}. Nothing was changed. Choose {workspace} on Linear's \
            page, or connect the other one as a new workspace."
    );
    bad("wrong_workspace", OTHER_WORKSPACE, rest)
        .then(Next::Reconnect {
            connection,
            workspace,
        })
        .then(connect())
}

/// The workspace is connected in this very organisation.
fn already_connected(connection: String, workspace: String) -> Notice {
    let fact = format!("{workspace} is connected here already.");
    let rest = "Nothing was changed. Linear’s page lists all your workspaces: pick a different one \
        there. If this one makes trouble, reconnect it; to change what it may do, disconnect it \
        first.";
    bad("workspace_already_linked", fact, rest)
        .then(another())
        .then(Next::Reconnect {
            connection,
            workspace,
        })
}

/// `email` is of whoever connected it.
fn linked_elsewhere(email: Option<String>) -> Notice {
    let whom = if email.is_some() {
        "them"
    } else {
        "whoever connected it"
    };
    let by = email.map_or_else(String::new, |email| format!("by {email}, "));
    let rest = format!(
        "{by}in another organisation on this Relink. Nothing was changed. Ask {whom} to \
            disconnect it, or pick a different workspace."
    );
    let fact = "That workspace is already connected";
    bad("workspace_already_linked", fact, rest).then(another())
}

pub fn not_configured() -> Notice {
    let rest = "Without one Linear cannot ask anybody for approval. Nothing was changed.";
    bad("not_configured", "No Linear app is set up here yet.", rest)
        .then(Next::settings("Set up the Linear app"))
}

fn interrupted() -> Notice {
    let fact = "Relink was stopped while it asked Linear.";
    let rest = "Nothing was changed, unless the workspace is listed as connected. If it is not, \
        begin again.";
    bad(IN_A_MINUTE, fact, rest).then(Next::ConnectAgain)
}

fn internal() -> Notice {
    let rest =
        "Relink could not finish it on its side. Nothing was changed. Try again in a minute.";
    bad(IN_A_MINUTE, "Connecting did not work.", rest).then(Next::ConnectAgain)
}

#[cfg(test)]
#[path = "connect_failure_tests.rs"]
mod tests;
