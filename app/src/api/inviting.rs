//! Link codes for those who manage them: the list, and the people whom they name for a new one.

use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use relink_engine::clock::{HOUR, Millis};
use relink_engine::connection::{Connection, State};
use relink_engine::identity::Person;
use relink_engine::people::{Invite, Outcome, TeamMember};
use relink_engine::{Engine, text};
use tokio::time::{Instant, timeout_at};

use super::bulk_invite::pickable;
use super::invite_problem::problem;
use super::request::live_from;
use super::session::take_refused;
use crate::view::invite_views::{
    SUGGESTED_MAX, WorkspacePeople, answered_code, pick_yourself, suggested, waiting_code,
    workspace,
};
use crate::view::{
    CODE_HOURS, Failure, GuessesView, InviteDraft, InviteProblem, InvitingView, Refused, time,
};

/// Workspaces whose people are asked for at a time, and how long the page waits for all of them.
const ASKED_AT_ONCE: usize = 8;
const PATIENCE: Duration = Duration::from_secs(5);
const HOURS_DEFAULT: &str = "24";

pub async fn inviting(
    engine: &Engine,
    person: &Person,
    team: &[TeamMember],
) -> Result<InvitingView, Failure> {
    let mut connections = engine.connections(person).list().await?;
    connections.sort_by_cached_key(|connection| connection.workspace.name.to_lowercase());
    let broken = connections
        .iter()
        .filter(|connection| matches!(connection.state, State::ReconnectRequired { .. }));
    let broken: Vec<String> = broken
        .map(|connection| text::name(&connection.workspace.name))
        .collect();
    // A page that only looks again asks nothing of Linear: what it invites with is not what changes
    // by itself.
    let asks = live_from()?.is_none();
    let connected = connections
        .into_iter()
        .filter(|connection| asks && matches!(connection.state, State::Connected { .. }));
    // Those that do not answer by then are told of; their people can be named by e-mail.
    let deadline = Instant::now() + PATIENCE;
    let asking =
        stream::iter(connected).map(|connection| ask(engine, person, team, connection, deadline));
    let asked: Vec<WorkspacePeople> = asking.buffered(ASKED_AT_ONCE).collect().await;
    let draft = match take_refused().await? {
        Some(Refused::Invite(draft)) => draft,
        _ => InviteDraft::default(),
    };
    let now = engine.now();
    let (waiting, answered): (Vec<Invite>, Vec<Invite>) = engine
        .invites(person)
        .list()
        .await?
        .into_iter()
        .partition(|invite| invite.outcome == Outcome::Open);
    let mut people = suggested(&asked);
    let more_people = people.len() > SUGGESTED_MAX;
    people.truncate(SUGGESTED_MAX);
    let guesses = engine.code_guesses().await?;
    Ok(InvitingView {
        workspaces: asked
            .iter()
            .map(|asked| workspace(&asked.connection, &draft))
            .collect(),
        people,
        pickable: pickable(&asked, &draft, SUGGESTED_MAX),
        more_people,
        silent: asked
            .iter()
            .filter(|asked| asked.people.is_none())
            .map(|asked| text::name(&asked.connection.workspace.name))
            .collect(),
        broken,
        draft: InviteDraft {
            valid: if draft.valid.is_empty() {
                HOURS_DEFAULT.to_owned()
            } else {
                draft.valid
            },
            ..draft
        },
        waiting: waiting
            .into_iter()
            .map(|invite| waiting_code(invite, now))
            .collect(),
        answered: answered
            .into_iter()
            .map(|invite| answered_code(invite, team, now))
            .collect(),
        selves: asked
            .into_iter()
            .filter_map(|asked| pick_yourself(asked, person, team))
            .collect(),
        guesses: guesses.map(|guesses| GuessesView {
            tries: guesses.tries,
            until: time::at_clock(guesses.until, now),
        }),
    })
}

async fn ask(
    engine: &Engine,
    person: &Person,
    team: &[TeamMember],
    connection: Connection,
    deadline: Instant,
) -> WorkspacePeople {
    let invites = engine.invites(person);
    let people = timeout_at(deadline, invites.linear_people(&connection.id)).await;
    if let Ok(Err(error)) = &people {
        tracing::warn!(%error, connection = connection.id, "the people of a workspace could not be \
            listed");
    }
    let links = team
        .iter()
        .flat_map(|member| &member.linked)
        .filter(|link| link.workspace_id == connection.workspace.id);
    WorkspacePeople {
        linked: links.map(|link| link.linear_id.clone()).collect(),
        connection,
        people: people.ok().and_then(Result::ok),
    }
}

/// The time that a code is to be good; `None` for what the form does not offer.
pub fn hours(valid: &str) -> Option<Millis> {
    let valid = if valid.is_empty() {
        HOURS_DEFAULT
    } else {
        valid
    };
    CODE_HOURS
        .iter()
        .any(|(hours, _)| *hours == valid)
        .then(|| valid.parse::<Millis>().ok())
        .flatten()
        .map(|hours| hours * HOUR)
}

/// Linear id or e-mail of whom somebody typed or picked: a suggestion, an e-mail, or a name that
/// only one person has.
pub async fn person_key(
    engine: &Engine,
    person: &Person,
    connection: &str,
    typed: &str,
) -> Result<String, Result<InviteProblem, Failure>> {
    if let Some(email) = email_in(typed) {
        return Ok(email.to_owned());
    }
    let typed = typed.trim();
    let people = engine
        .invites(person)
        .linear_people(connection)
        .await
        .map_err(problem)?;
    let mut found = people
        .into_iter()
        .filter(|one| one.name.to_lowercase() == typed.to_lowercase() || one.id == typed);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.id),
        (None, _) => Err(Ok(InviteProblem::Nobody)),
        (Some(_), Some(_)) => Err(Ok(InviteProblem::Several)),
    }
}

fn email_in(typed: &str) -> Option<&str> {
    typed
        .split([' ', ',', '(', ')', '<', '>', '\t'])
        .find(|word| word.contains('@') && !word.starts_with('@') && !word.ends_with('@'))
}

#[cfg(test)]
#[path = "inviting_tests.rs"]
mod tests;
