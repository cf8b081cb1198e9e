//! What those who manage see of link codes, and how they name the people whom codes are for.

use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use relink_engine::clock::{HOUR, Millis};
use relink_engine::connection::{Connection, State};
use relink_engine::identity::Person;
use relink_engine::linear::{CallError, LinearPerson};
use relink_engine::people::{Invite, InviteError, Outcome, TeamMember};
use relink_engine::{CallFailed, Engine, TokenError, text};
use tokio::time::{Instant, timeout_at};

use super::bulk_invite::pickable;
use super::freshness::live_from;
use super::request::take_refused;
use crate::view::team_views::person_line;
use crate::view::{
    AnsweredCodeView, Choice, CodeAnswer, Failure, GuessesView, InviteDraft, InviteProblem, InvitingView, Moment, WaitingCodeView, time,
};

/// People whom the form suggests. The page has to load on a phone.
const SUGGESTED_MAX: usize = 2_000;
/// Workspaces whose people are asked for at a time, and how long the page waits for all of them.
const ASKED_AT_ONCE: usize = 8;
const PATIENCE: Duration = Duration::from_secs(5);
/// The hours that the form offers.
const HOURS: [&str; 3] = ["1", "24", "168"];
const HOURS_DEFAULT: &str = "24";

/// A workspace that works, and its people; `None` where Linear did not name them.
pub struct Asked {
    pub connection: Connection,
    pub people: Option<Vec<LinearPerson>>,
    /// Linear ids of people who are members.
    pub linked: Vec<String>,
}

pub async fn inviting(engine: &Engine, person: &Person, team: &[TeamMember]) -> Result<InvitingView, Failure> {
    let mut connections = engine.store().connections(&person.organisation_id).await?;
    connections.sort_by_cached_key(|connection| connection.workspace.name.to_lowercase());
    let broken = connections.iter().filter(|connection| matches!(connection.state, State::ReconnectRequired { .. }));
    let broken: Vec<String> = broken.map(|connection| text::name(&connection.workspace.name)).collect();
    // A page that only looks again asks nothing of Linear: what it invites with is not what changes by itself.
    let asks = live_from()?.is_none();
    let connected = connections.into_iter().filter(|connection| asks && matches!(connection.state, State::Connected { .. }));
    // Those that do not answer by then are told of; their people can be named by e-mail.
    let deadline = Instant::now() + PATIENCE;
    let asking = stream::iter(connected).map(|connection| ask(engine, person, team, connection, deadline));
    let asked: Vec<Asked> = asking.buffered(ASKED_AT_ONCE).collect().await;
    let draft = take_refused().await?.map_or_else(InviteDraft::default, |refused| refused.invite);
    let now = engine.now();
    let (waiting, answered): (Vec<Invite>, Vec<Invite>) =
        engine.invites(person).await?.into_iter().partition(|invite| invite.outcome == Outcome::Open);
    let mut people = suggested(&asked);
    let more_people = people.len() > SUGGESTED_MAX;
    people.truncate(SUGGESTED_MAX);
    let guesses = engine.code_guesses().await?;
    Ok(InvitingView {
        workspaces: asked.iter().map(|asked| workspace(&asked.connection, &draft)).collect(),
        people,
        pickable: pickable(&asked, &draft, SUGGESTED_MAX),
        more_people,
        silent: asked.iter().filter(|asked| asked.people.is_none()).map(|asked| text::name(&asked.connection.workspace.name)).collect(),
        broken,
        draft: InviteDraft { valid: if draft.valid.is_empty() { HOURS_DEFAULT.to_owned() } else { draft.valid }, ..draft },
        waiting: waiting.into_iter().map(|invite| waiting_code(invite, now)).collect(),
        answered: answered.into_iter().map(|invite| answered_code(invite, team, now)).collect(),
        selves: asked.into_iter().filter_map(|asked| pick_yourself(asked, person, team)).collect(),
        guesses: guesses.map(|guesses| GuessesView { tries: guesses.tries, until: time::at_clock(guesses.until, now) }),
    })
}

async fn ask(engine: &Engine, person: &Person, team: &[TeamMember], connection: Connection, deadline: Instant) -> Asked {
    let people = timeout_at(deadline, engine.linear_people(person, &connection.id)).await;
    if let Ok(Err(error)) = &people {
        tracing::warn!(%error, connection = connection.id, "the people of a workspace could not be listed");
    }
    let links = team.iter().flat_map(|member| &member.linked).filter(|link| link.workspace_id == connection.workspace.id);
    Asked { linked: links.map(|link| link.linear_id.clone()).collect(), connection, people: people.ok().and_then(Result::ok) }
}

fn workspace(connection: &Connection, draft: &InviteDraft) -> Choice {
    Choice { value: connection.id.clone(), label: text::name(&connection.workspace.name), chosen: connection.id == draft.workspace }
}

/// "Elif Demir, elif@acme.example (guest, linked)", with the workspace where there are several.
fn suggested(asked: &[Asked]) -> Vec<String> {
    let several = asked.len() > 1;
    let suggestion = |asked: &Asked, person: &LinearPerson| {
        let guest = person.guest.then_some("guest");
        let linked = asked.linked.contains(&person.id).then_some("linked");
        let place = several.then_some(asked.connection.workspace.name.as_str());
        let marks: Vec<&str> = guest.into_iter().chain(linked).chain(place).collect();
        let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
        format!("{}, {}{marks}", text::name(&person.name), text::email(&person.email))
    };
    asked.iter().flat_map(|asked| asked.people.iter().flatten().map(move |person| suggestion(asked, person))).collect()
}

fn waiting_code(invite: Invite, now: Millis) -> WaitingCodeView {
    WaitingCodeView {
        who: person_line(&invite.name, &invite.email),
        id: invite.id,
        workspace: text::name(&invite.workspace),
        made_by: invite.made_by.as_deref().map(text::name),
        opened: invite.opened_at.map(|at| time::moment(at, now)),
        runs_out: Moment::new(time::iso(invite.expires_at), format!("in {}", time::span(invite.expires_at - now))),
    }
}

fn answered_code(invite: Invite, team: &[TeamMember], now: Millis) -> AnsweredCodeView {
    let is_them = |member: &&TeamMember| {
        member.linked.iter().any(|link| link.workspace == invite.workspace && link.email.eq_ignore_ascii_case(&invite.email))
    };
    let answer = match invite.outcome {
        Outcome::Refused => CodeAnswer::Taken { email: team.iter().find(is_them).map(|member| member.email.clone()) },
        Outcome::Open | Outcome::Declined => CodeAnswer::NotMe,
    };
    let at = time::at_clock(invite.ended_at.unwrap_or(now), now);
    AnsweredCodeView { id: invite.id, name: text::name(&invite.name), workspace: text::name(&invite.workspace), at, answer }
}

/// Offers people to say who one is. `None` for who is somebody already, or has nobody to pick: only an owner's word does for anybody.
fn pick_yourself(asked: Asked, person: &Person, team: &[TeamMember]) -> Option<(String, Vec<Choice>)> {
    let me = team.iter().find(|member| member.user_id == person.user_id)?;
    if me.linked.iter().any(|link| link.workspace_id == asked.connection.workspace.id) {
        return None;
    }
    let free = asked.people?.into_iter().filter(|one| !asked.linked.contains(&one.id));
    let free = free.filter(|one| person.may_say_alone_who_they_are(&one.email));
    let choice = |one: LinearPerson| Choice {
        chosen: one.email.eq_ignore_ascii_case(&person.email),
        label: format!("{}, {}", text::name(&one.name), text::email(&one.email)),
        value: one.id,
    };
    let people: Vec<Choice> = free.take(SUGGESTED_MAX).map(choice).collect();
    (!people.is_empty()).then_some((asked.connection.id, people))
}

/// For how long a code is to be good; `None` for what the form does not offer.
pub fn hours(valid: &str) -> Option<Millis> {
    let valid = if valid.is_empty() { HOURS_DEFAULT } else { valid };
    HOURS.contains(&valid).then(|| valid.parse::<Millis>().ok()).flatten().map(|hours| hours * HOUR)
}

/// Linear id or e-mail of whom somebody typed or picked: a suggestion, an e-mail, or a name that only one person has.
pub async fn person_key(engine: &Engine, person: &Person, connection: &str, typed: &str) -> Result<String, Result<InviteProblem, Failure>> {
    if let Some(email) = email_in(typed) {
        return Ok(email.to_owned());
    }
    let typed = typed.trim();
    let people = engine.linear_people(person, connection).await.map_err(problem)?;
    let mut found = people.into_iter().filter(|one| one.name.to_lowercase() == typed.to_lowercase() || one.id == typed);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.id),
        (None, _) => Err(Ok(InviteProblem::Nobody)),
        (Some(_), Some(_)) => Err(Ok(InviteProblem::Several)),
    }
}

fn email_in(typed: &str) -> Option<&str> {
    typed.split([' ', ',', '(', ')', '<', '>', '\t']).find(|word| word.contains('@') && !word.starts_with('@') && !word.ends_with('@'))
}

/// Why no code was made, as far as whoever asked for it can do something about it.
pub fn problem(error: InviteError) -> Result<InviteProblem, Failure> {
    match error {
        InviteError::NoSuchPerson => Ok(InviteProblem::Nobody),
        InviteError::Linked { email } => Ok(InviteProblem::Linked { email }),
        InviteError::Linear(error) => call_problem(error),
        error => Err(error.into()),
    }
}

pub fn call_problem(error: CallFailed) -> Result<InviteProblem, Failure> {
    match error {
        CallFailed::Linear(CallError::Passing(_)) | CallFailed::Token(TokenError::Unreachable { .. }) => Ok(InviteProblem::Unreachable),
        CallFailed::Linear(_) => Ok(InviteProblem::Refused),
        CallFailed::Token(TokenError::ReconnectRequired { .. }) => Ok(InviteProblem::Reconnect),
        CallFailed::Token(TokenError::NotFound) => Err(Failure::NotFound),
        CallFailed::Token(TokenError::Store(error)) => Err(error.into()),
    }
}

impl From<InviteError> for Failure {
    fn from(error: InviteError) -> Failure {
        match error {
            InviteError::Forbidden => Failure::Forbidden,
            InviteError::NotFound => Failure::NotFound,
            InviteError::NoSuchPerson | InviteError::Linked { .. } | InviteError::Valid | InviteError::Linear(_) => Failure::Malformed,
            InviteError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
#[path = "invite_views_tests.rs"]
mod tests;
