//! One connection: its page, the check, and its end.

use axum::http::StatusCode;
use leptos::prelude::*;
use relink_engine::clock::Millis;
use relink_engine::connection::Connection;
use relink_engine::identity::Person;
use relink_engine::linear::{Content, Project};
use relink_engine::{
    CallFailed, Checked, DisconnectError, Engine, RefreshNowError, TokenError, Voided, text,
};

use super::freshness::freshness;
use super::invite_problem::{CallProblem, call_problem};
use super::person::{refuse, signed_in, signed_in_form};
use super::request::{connection_path, engine, live_from, see_other, set_status, webhook_url};
use super::session::{say, take_notice, take_refused};
use crate::view::app_views::through;
use crate::view::connection_view::{connection_view, fault, good_until, granted_scopes, status};
use crate::view::destination_views::Destinations;
use crate::view::evidence::{ending_view, evidence_view};
use crate::view::history::{events, history_views};
use crate::view::people_views::People;
use crate::view::phrases::KEPT_SEALED;
use crate::view::token_timeline_view::token_timeline_view;
use crate::view::webhook_facts::Webhooks;
use crate::view::webhook_views::secret_views;
use crate::view::{
    ConnectionPageView, ConnectionView, Failure, Fault, Notice, ProjectView, Refused, Status,
    TeamView, WebhookView, WorkspaceContent,
};

/// One connection with its teams and projects, read from Linear on the way.
pub async fn load_connection(id: String) -> Result<ConnectionPageView, Failure> {
    let (engine, person) = (engine()?, signed_in().await?);
    // Linear first: what it answers may change what the badge has to say, and the page need not
    // hear of its own question. A page that only looks again asks nothing of it.
    let content = match live_from()? {
        None => content(engine.connections(&person).content(&id).await)?,
        Some(_) => WorkspaceContent::NotAsked,
    };
    let as_of = freshness(&engine, &person).await?;
    let Some(connection) = engine.connections(&person).get(&id).await? else {
        set_status(StatusCode::NOT_FOUND);
        return Err(Failure::NotFound);
    };
    let connections = engine.connections(&person).list().await?;
    let (webhooks, people) = (
        Webhooks::load(&engine, &person).await?,
        People::load(&engine, &person).await?,
    );
    let (lines, keys) = (
        engine.connections(&person).refresh_history(&id).await?,
        engine.keys(&person).uses().await?,
    );
    let now = engine.now();
    let events = events(&connection, &lines, now);
    let webhook = webhook(&webhooks, &connection, &connections, now).await?;
    let destinations = match webhook {
        Some(_) => Some(
            Destinations::load(&engine, &person, &[])
                .await?
                .view(None)
                .destinations,
        ),
        None => None,
    };
    Ok(ConnectionPageView {
        evidence: evidence_view(&connection, &connections, &keys, now),
        chain: token_timeline_view(&connection, &events, now),
        history: history_views(&events),
        ending: person
            .manages()
            .then(|| ending_view(&connection, &keys, engine.keep_disconnected(), now)),
        webhook,
        destinations,
        connection: ConnectionView {
            webhook: webhooks.facts(&connection, &connections),
            people: people.facts(&connection),
            ..connection_view(&connection, now)
        },
        people: people.view(&connection),
        content,
        through: through(&engine, &person, &connection).await?,
        scopes: granted_scopes(&connection),
        notice: take_notice().await?,
        manages: person.manages(),
        as_of,
    })
}

/// The webhook's section; none of a connection that takes no deliveries any more because a person
/// ended it.
async fn webhook(
    webhooks: &Webhooks,
    connection: &Connection,
    connections: &[Connection],
    now: Millis,
) -> Result<Option<WebhookView>, Failure> {
    if status(connection) == Status::NotConnected {
        return Ok(None);
    }
    let refused = take_refused().await?;
    Ok(Some(WebhookView {
        url: webhook_url()?,
        secrets: secret_views(&webhooks.secrets, &connection.id, now),
        refused: webhooks.refused(connection, connections),
        strays: webhooks.strays(),
        by_app: webhooks.app_delivers(connection, connections),
        twice: webhooks.comes_twice(connection),
        shape_refused: refused == Some(Refused::SigningSecret),
    }))
}

/// One real call, to see whether the connection works.
#[server(prefix = "/integrations", endpoint = "check")]
pub async fn check_connection(#[server(default)] connection: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let notice = match engine.connections(&person).check(&connection).await {
        Ok(checked) => Some(works(checked)),
        Err(error) => match call_problem(error) {
            Ok(problem) => not_checked(problem),
            Err(failure) => return refuse(failure).await,
        },
    };
    said_of(&connection, notice).await
}

fn works(checked: Checked) -> Notice {
    let fact = format!("Linear answered in {} ms.", checked.took.as_millis());
    Notice::good(fact, "The connection works.")
}

fn not_checked(problem: CallProblem) -> Option<Notice> {
    match problem {
        CallProblem::Unreachable => Some(Notice::waiting(
            "Linear does not answer right now.",
            "Relink keeps trying; nothing for you to do.",
        )),
        CallProblem::Refused => Some(Notice::bad(
            "Linear refused the check.",
            "What that means for the connection is shown below.",
        )),
        // The page itself says what is wrong with the connection.
        CallProblem::Reconnect => None,
    }
}

/// Goes on with the page of the connection, which may say enough by itself.
async fn said_of(connection: &str, notice: Option<Notice>) -> Result<(), Failure> {
    let page = connection_path(connection);
    match notice {
        Some(notice) => say(&page, notice).await,
        None => {
            see_other(&page);
            Ok(())
        }
    }
}

/// A new token now, whether or not the present one is old.
#[server(prefix = "/integrations", endpoint = "refresh")]
pub async fn refresh_connection(#[server(default)] connection: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let notice = match refreshed(&engine, &person, &connection).await {
        Ok(notice) => notice,
        Err(RefreshNowError::Token(error)) => match call_problem(error.into()) {
            Ok(CallProblem::Unreachable) => put_off(&engine, &person, &connection).await?,
            // The page itself says what is wrong with the connection.
            Ok(CallProblem::Reconnect | CallProblem::Refused) => None,
            Err(failure) => return refuse(failure).await,
        },
        Err(RefreshNowError::Denied(_)) => return refuse(Failure::Forbidden).await,
    };
    said_of(&connection, notice).await
}

/// Refreshes, and says so only if there is another token now: a connection from before refresh
/// tokens keeps its own.
async fn refreshed(
    engine: &Engine,
    person: &Person,
    id: &str,
) -> Result<Option<Notice>, RefreshNowError> {
    let before = engine
        .connections(person)
        .get(id)
        .await?
        .ok_or(TokenError::NotFound)?;
    engine.connections(person).refresh_now(id).await?;
    let after = engine
        .connections(person)
        .get(id)
        .await?
        .ok_or(TokenError::NotFound)?;
    let until = good_until(&after, engine.now());
    let moved = after.generation != before.generation;
    Ok(until.map(|until| refreshed_words(moved, &until)))
}

fn refreshed_words(moved: bool, until: &str) -> Notice {
    if moved {
        let rest = format!("It is good until {until}.");
        return Notice::good("The token was refreshed.", rest);
    }
    let rest = format!(
        "Linear gave no refresh token with it. It is good until {until}; reconnect before then."
    );
    Notice::waiting("This token cannot be refreshed.", rest)
}

/// Makes the message for a refresh that was put off. `None` where the page itself names the cause.
async fn put_off(engine: &Engine, person: &Person, id: &str) -> Result<Option<Notice>, Failure> {
    let connection = engine.connections(person).get(id).await?;
    let passing = connection
        .as_ref()
        .is_none_or(|connection| fault(connection) == Fault::Linear);
    Ok(passing.then(put_off_words))
}

fn put_off_words() -> Notice {
    Notice::waiting(
        "The token was not refreshed.",
        "Linear cannot do it right now. The present token stays in use while it is good; Relink \
            tries again by itself.",
    )
}

/// Ends a connection; both tokens are revoked at Linear.
#[server(prefix = "/integrations", endpoint = "disconnect")]
pub async fn disconnect(#[server(default)] connection: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    match engine.connections(&person).disconnect(&connection).await {
        Ok(ended) => {
            let notice = disconnected(&text::name(&ended.workspace), ended.tokens);
            say("/integrations", notice).await
        }
        Err(DisconnectError::Denied(_)) => refuse(Failure::Forbidden).await,
        Err(DisconnectError::NotFound) => refuse(Failure::NotFound).await,
        Err(DisconnectError::Store(error)) => refuse(error.into()).await,
    }
}

fn disconnected(workspace: &str, tokens: Voided) -> Notice {
    let rest = match tokens {
        Voided::Done => "Both tokens were revoked at Linear.",
        Voided::Kept => KEPT_SEALED,
        Voided::Later => {
            "Somebody is just connecting through the same Linear app: the tokens are revoked at \
                Linear within a few minutes."
        }
        Voided::Unconfirmed => {
            let rest = "Linear did not confirm the revocation; remove the app in Linear's \
                settings to be sure.";
            return Notice::waiting("Disconnected here.", rest);
        }
    };
    Notice::good(format!("{workspace} is disconnected."), rest)
}

fn project_view(project: Project) -> ProjectView {
    ProjectView {
        name: text::name(&project.name),
        url: Some(project.url).filter(|url| text::leads_to_the_web(url)),
        team: project.team.as_deref().map(text::name),
    }
}

fn content(asked: Result<Content, CallFailed>) -> Result<WorkspaceContent, Failure> {
    Ok(match asked.map_err(call_problem) {
        Ok(content) => WorkspaceContent::Loaded {
            teams: content
                .teams
                .into_iter()
                .map(|team| TeamView {
                    key: text::name(&team.key),
                    name: text::name(&team.name),
                })
                .collect(),
            projects: content.projects.into_iter().map(project_view).collect(),
            truncated: content.truncated,
        },
        Err(Ok(CallProblem::Unreachable)) => WorkspaceContent::Unreachable,
        Err(Ok(CallProblem::Refused)) => WorkspaceContent::Refused,
        Err(Ok(CallProblem::Reconnect) | Err(Failure::NotFound)) => WorkspaceContent::NotAsked,
        Err(Err(failure)) => return Err(failure),
    })
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
