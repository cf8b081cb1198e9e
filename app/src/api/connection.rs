//! One connection: its page, the check, and its end.

use axum::http::StatusCode;
use leptos::prelude::*;
use relink_engine::clock::Millis;
use relink_engine::connection::Connection;
use relink_engine::identity::Person;
use relink_engine::linear::{CallError, Content, Project};
use relink_engine::{
    CallFailed, DisconnectError, Engine, RefreshNowError, TokenError, Voided, text,
};

use super::freshness::freshness;
use super::person::{refuse, signed_in, signed_in_form};
use super::request::{connection_path, engine, live_from, see_other, set_status, webhook_url};
use super::session::{set_flash, take_flash, take_refused};
use crate::view::app_views::through;
use crate::view::connection_view::{connection_view, fault, good_until, granted_scopes, status};
use crate::view::destination_views::Destinations;
use crate::view::evidence::{ending_view, evidence_view};
use crate::view::history::{events, history_views};
use crate::view::people_views::People;
use crate::view::token_timeline_view::token_timeline_view;
use crate::view::webhook_facts::Webhooks;
use crate::view::webhook_views::secret_views;
use crate::view::{
    Complaint, ConnectionPageView, ConnectionView, Failure, Fault, Flash, ProjectView, Status,
    TeamView, WebhookView, WorkspaceContent,
};

/// One connection with its teams and projects, read from Linear on the way.
pub async fn load_connection(id: String) -> Result<ConnectionPageView, Failure> {
    let (engine, person) = (engine()?, signed_in().await?);
    // Linear first: what it answers may change what the badge has to say, and the page need not
    // hear of its own question. A page that only looks again asks nothing of it.
    let content = match live_from()? {
        None => content(engine.content(&person, &id).await)?,
        Some(_) => WorkspaceContent::NotAsked,
    };
    let as_of = freshness(&engine, &person).await?;
    let Some(connection) = engine
        .store()
        .connection(&person.organisation_id, &id)
        .await?
    else {
        set_status(StatusCode::NOT_FOUND);
        return Err(Failure::NotFound);
    };
    let connections = engine.store().connections(&person.organisation_id).await?;
    let (webhooks, people) = (
        Webhooks::load(&engine, &person).await?,
        People::load(&engine, &person).await?,
    );
    let (lines, keys) = (
        engine.refresh_history(&person, &id).await?,
        engine.api_key_uses(&person).await?,
    );
    let now = engine.now();
    let events = events(&connection, &lines, now);
    let webhook = webhook(&webhooks, &connection, &connections, now).await?;
    let destinations = match webhook {
        Some(_) => Some(
            Destinations::load(&engine, &person.organisation_id, &[])
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
        flash: take_flash().await?,
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
        shape_refused: refused
            .is_some_and(|refused| refused.complaints.contains(&Complaint::SigningSecret)),
    }))
}

/// One real call, to see whether the connection works.
#[server(prefix = "/integrations", endpoint = "check")]
pub async fn check_connection(#[server(default)] connection: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let flash = match engine.check(&person.organisation_id, &connection).await {
        Ok(checked) => Some(Flash::Checked {
            millis: u64::try_from(checked.took.as_millis()).unwrap_or(u64::MAX),
        }),
        Err(
            CallFailed::Linear(CallError::Transient(_))
            | CallFailed::Token(TokenError::Unreachable { .. }),
        ) => Some(Flash::CheckUnreachable),
        Err(CallFailed::Linear(_)) => Some(Flash::CheckRefused),
        // The page itself says what is wrong with the connection.
        Err(CallFailed::Token(TokenError::ReconnectRequired { .. })) => None,
        Err(CallFailed::Token(TokenError::NotFound)) => return refuse(Failure::NotFound).await,
        Err(CallFailed::Token(TokenError::Store(error))) => return refuse(error.into()).await,
    };
    if let Some(flash) = flash {
        set_flash(flash).await?;
    }
    see_other(&connection_path(&connection));
    Ok(())
}

/// A new token now, whether or not the present one is old.
#[server(prefix = "/integrations", endpoint = "refresh")]
pub async fn refresh_connection(#[server(default)] connection: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let flash = match refreshed(&engine, &person, &connection).await {
        Ok(flash) => flash,
        Err(RefreshNowError::Token(TokenError::Unreachable { .. })) => {
            put_off(&engine, &person, &connection).await?
        }
        // The page itself says what is wrong with the connection.
        Err(RefreshNowError::Token(TokenError::ReconnectRequired { .. })) => None,
        Err(RefreshNowError::Forbidden) => return refuse(Failure::Forbidden).await,
        Err(RefreshNowError::Token(TokenError::NotFound)) => {
            return refuse(Failure::NotFound).await;
        }
        Err(RefreshNowError::Token(TokenError::Store(error))) => return refuse(error.into()).await,
    };
    if let Some(flash) = flash {
        set_flash(flash).await?;
    }
    see_other(&connection_path(&connection));
    Ok(())
}

/// Refreshes, and says so only if there is another token now: a connection from before refresh
/// tokens keeps its own.
async fn refreshed(
    engine: &Engine,
    person: &Person,
    id: &str,
) -> Result<Option<Flash>, RefreshNowError> {
    let before = engine
        .store()
        .connection(&person.organisation_id, id)
        .await?
        .ok_or(TokenError::NotFound)?;
    engine.refresh_now(person, id).await?;
    let after = engine
        .store()
        .connection(&person.organisation_id, id)
        .await?
        .ok_or(TokenError::NotFound)?;
    let until = good_until(&after, engine.now());
    let moved = after.generation != before.generation;
    Ok(until.map(|until| {
        if moved {
            Flash::Refreshed { until }
        } else {
            Flash::NotRefreshable { until }
        }
    }))
}

/// Makes the message for a refresh that was put off. `None` where the page itself names the cause.
async fn put_off(engine: &Engine, person: &Person, id: &str) -> Result<Option<Flash>, Failure> {
    let connection = engine
        .store()
        .connection(&person.organisation_id, id)
        .await?;
    let passing = connection
        .as_ref()
        .is_none_or(|connection| fault(connection) == Fault::Linear);
    Ok(passing.then_some(Flash::RefreshPutOff))
}

/// Ends a connection; both tokens are revoked at Linear.
#[server(prefix = "/integrations", endpoint = "disconnect")]
pub async fn disconnect(#[server(default)] connection: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    match engine.disconnect(&person, &connection).await {
        Ok(ended) => {
            set_flash(match ended.tokens {
                Voided::Kept => Flash::DisconnectedKept {
                    workspace: text::name(&ended.workspace),
                },
                Voided::Later => Flash::DisconnectedLater {
                    workspace: text::name(&ended.workspace),
                },
                tokens => Flash::Disconnected {
                    workspace: text::name(&ended.workspace),
                    revoked: tokens == Voided::Done,
                },
            })
            .await?;
            see_other("/integrations");
            Ok(())
        }
        Err(DisconnectError::Forbidden) => refuse(Failure::Forbidden).await,
        Err(DisconnectError::NotFound) => refuse(Failure::NotFound).await,
        Err(DisconnectError::Store(error)) => refuse(error.into()).await,
    }
}

fn project_view(project: Project) -> ProjectView {
    ProjectView {
        name: text::name(&project.name),
        url: Some(project.url).filter(|url| text::leads_to_the_web(url)),
        team: project.team.as_deref().map(text::name),
    }
}

fn content(asked: Result<Content, CallFailed>) -> Result<WorkspaceContent, Failure> {
    Ok(match asked {
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
        Err(
            CallFailed::Linear(CallError::Transient(_))
            | CallFailed::Token(TokenError::Unreachable { .. }),
        ) => WorkspaceContent::Unreachable,
        Err(CallFailed::Linear(_)) => WorkspaceContent::Refused,
        Err(CallFailed::Token(TokenError::NotFound | TokenError::ReconnectRequired { .. })) => {
            WorkspaceContent::NotAsked
        }
        Err(CallFailed::Token(TokenError::Store(error))) => return Err(error.into()),
    })
}
