//! Several people who are invited at once: whom the page offers, and how inviting each of them
//! went.

use std::collections::HashMap;
use std::time::Duration;

use relink_engine::clock::Millis;
use relink_engine::identity::Person;
use relink_engine::linear::LinearPerson;
use relink_engine::people::Invited;
use relink_engine::{Engine, text};
use tokio::time::Instant;

use super::invite_problem::problem;
use super::sign_in::kept;
use crate::view::invite_views::WorkspacePeople;
use crate::view::{
    Failure, INVITED_AT_ONCE, InviteDraft, InviteProblem, NotInvited, Pick, PickGroup,
};

/// The patience after which nobody else's turn comes: a request has 45 seconds, and the one whose
/// turn it is may take ten for Linear and ten for the mail server.
const PATIENCE: Duration = Duration::from_secs(20);
/// Picks of a form that was refused; the rest is left out of the session.
const KEPT_MAX: usize = 100;
const BETWEEN: char = ':';

/// Somebody who was picked. The name is the page's: whoever has left Linear meanwhile has none
/// there any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    connection: String,
    linear_id: String,
    name: String,
}

impl Picked {
    pub fn read(value: &str) -> Option<Picked> {
        let mut parts = value.splitn(3, BETWEEN);
        let (connection, linear_id, name) = (parts.next()?, parts.next()?, parts.next()?);
        let there = !connection.is_empty() && !linear_id.is_empty();
        there.then(|| Picked {
            connection: connection.to_owned(),
            linear_id: linear_id.to_owned(),
            name: text::name(name),
        })
    }

    fn value(&self) -> String {
        format!("{}{BETWEEN}{}", self.key(), self.name)
    }

    /// Names the person by ids alone.
    fn key(&self) -> String {
        format!("{}{BETWEEN}{}", self.connection, self.linear_id)
    }
}

/// Everybody who is not linked, by workspace, at most this many of them.
pub fn pickable(asked: &[WorkspacePeople], draft: &InviteDraft, most: usize) -> Vec<PickGroup> {
    let mut left = most;
    let mut groups = Vec::new();
    for asked in asked {
        let free = asked
            .people
            .iter()
            .flatten()
            .filter(|one| !asked.linked.contains(&one.id));
        let people: Vec<Pick> = free
            .take(left)
            .map(|one| pick(&asked.connection.id, one, draft))
            .collect();
        left -= people.len();
        if !people.is_empty() {
            groups.push(PickGroup {
                workspace: text::name(&asked.connection.workspace.name),
                people,
            });
        }
    }
    groups
}

fn pick(connection: &str, one: &LinearPerson, draft: &InviteDraft) -> Pick {
    let picked = Picked {
        connection: connection.to_owned(),
        linear_id: one.id.clone(),
        name: text::name(&one.name),
    };
    Pick {
        picked: draft.picked.contains(&picked.key()),
        value: picked.value(),
        name: text::name(&one.name),
        email: text::email(&one.email),
        guest: one.guest,
    }
}

/// The picks that the page shows again where nobody, or too many, were picked.
pub fn draft_of(picked: &[Picked], valid: String) -> Option<InviteDraft> {
    let problem = match picked.len() {
        0 => InviteProblem::NobodyPicked,
        1..=INVITED_AT_ONCE => return None,
        _ => InviteProblem::TooMany,
    };
    let picked = picked
        .iter()
        .take(KEPT_MAX)
        .map(|one| kept(&one.key()))
        .collect();
    Some(InviteDraft {
        picked,
        valid,
        problem: Some(problem),
        ..InviteDraft::default()
    })
}

/// Connection by connection, the names of the workspaces; `None` if one of those that were picked
/// from is not the organisation's.
pub async fn workspaces(
    engine: &Engine,
    person: &Person,
    picked: &[Picked],
) -> Result<Option<HashMap<String, String>>, Failure> {
    let connections = engine.connections(person).list().await?;
    let places: HashMap<String, String> = connections
        .into_iter()
        .map(|connection| (connection.id, text::name(&connection.workspace.name)))
        .collect();
    Ok(picked
        .iter()
        .all(|one| places.contains_key(&one.connection))
        .then_some(places))
}

/// One after the other: the codes that were made, and whom there is none for.
pub async fn invite_each(
    engine: &Engine,
    person: &Person,
    picked: Vec<Picked>,
    places: &HashMap<String, String>,
    valid: Millis,
) -> (Vec<Invited>, Vec<NotInvited>) {
    let deadline = Instant::now() + PATIENCE;
    let (mut invited, mut not_invited) = (Vec::new(), Vec::new());
    for one in picked {
        match invite(engine, person, &one, valid, deadline).await {
            Ok(code) => invited.push(code),
            Err(problem) => {
                let workspace = places.get(&one.connection).cloned().unwrap_or_default();
                not_invited.push(NotInvited {
                    name: one.name,
                    workspace,
                    problem,
                });
            }
        }
    }
    (invited, not_invited)
}

async fn invite(
    engine: &Engine,
    person: &Person,
    one: &Picked,
    valid: Millis,
    deadline: Instant,
) -> Result<Invited, InviteProblem> {
    if Instant::now() >= deadline {
        return Err(InviteProblem::Late);
    }
    engine
        .invites(person)
        .make(&one.connection, &one.linear_id, valid)
        .await
        .map_err(|error| match problem(error) {
            Ok(problem) => problem,
            // The connection was there: it was ended meanwhile.
            Err(Failure::NotFound) => InviteProblem::Reconnect,
            Err(failure) => InviteProblem::Failed(failure),
        })
}

#[cfg(test)]
#[path = "bulk_invite_tests.rs"]
mod tests;
