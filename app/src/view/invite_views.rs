//! The way from link codes and Linear's people to what those who manage see of them.

use relink_engine::clock::Millis;
use relink_engine::connection::Connection;
use relink_engine::identity::Person;
use relink_engine::linear::LinearPerson;
use relink_engine::people::{Invite, Outcome, TeamMember};
use relink_engine::text;

use super::team_views::person_line;
use super::{AnsweredCodeView, Choice, CodeAnswer, InviteDraft, Moment, WaitingCodeView, time};

/// People whom the form suggests. The page has to load on a phone.
pub const SUGGESTED_MAX: usize = 2_000;

/// A workspace that works, and its people; `None` where Linear did not name them.
pub struct WorkspacePeople {
    pub connection: Connection,
    pub people: Option<Vec<LinearPerson>>,
    /// Linear ids of people who are members.
    pub linked: Vec<String>,
}

pub fn workspace(connection: &Connection, draft: &InviteDraft) -> Choice {
    Choice {
        value: connection.id.clone(),
        label: text::name(&connection.workspace.name),
        chosen: connection.id == draft.workspace,
    }
}

/// "Elif Demir, elif@acme.example (guest, linked)", with the workspace where there are several.
pub fn suggested(asked: &[WorkspacePeople]) -> Vec<String> {
    let several = asked.len() > 1;
    let suggestion = |asked: &WorkspacePeople, person: &LinearPerson| {
        let guest = person.guest.then_some("guest");
        let linked = asked.linked.contains(&person.id).then_some("linked");
        let place = several.then_some(asked.connection.workspace.name.as_str());
        let marks: Vec<&str> = guest.into_iter().chain(linked).chain(place).collect();
        let marks = if marks.is_empty() {
            String::new()
        } else {
            format!(" ({})", marks.join(", "))
        };
        format!(
            "{}, {}{marks}",
            text::name(&person.name),
            text::email(&person.email)
        )
    };
    asked
        .iter()
        .flat_map(|asked| {
            asked
                .people
                .iter()
                .flatten()
                .map(move |person| suggestion(asked, person))
        })
        .collect()
}

pub fn waiting_code(invite: Invite, now: Millis) -> WaitingCodeView {
    WaitingCodeView {
        who: person_line(&invite.name, &invite.email),
        id: invite.id,
        workspace: text::name(&invite.workspace),
        made_by: invite.made_by.as_deref().map(text::name),
        opened: invite.opened_at.map(|at| time::moment(at, now)),
        runs_out: Moment::new(
            time::iso(invite.expires_at),
            format!("in {}", time::span(invite.expires_at - now)),
        ),
    }
}

pub fn answered_code(invite: Invite, team: &[TeamMember], now: Millis) -> AnsweredCodeView {
    let is_them = |member: &&TeamMember| {
        member.linked.iter().any(|link| {
            link.workspace == invite.workspace && link.email.eq_ignore_ascii_case(&invite.email)
        })
    };
    let answer = match invite.outcome {
        Outcome::Refused => CodeAnswer::Taken {
            email: team.iter().find(is_them).map(|member| member.email.clone()),
        },
        Outcome::Open | Outcome::Declined => CodeAnswer::NotMe,
    };
    let at = time::at_clock(invite.ended_at.unwrap_or(now), now);
    AnsweredCodeView {
        id: invite.id,
        name: text::name(&invite.name),
        workspace: text::name(&invite.workspace),
        at,
        answer,
    }
}

/// Offers people to say who one is. `None` for who is somebody already, or has nobody to pick: only
/// an owner's word does for anybody.
pub fn pick_yourself(
    asked: WorkspacePeople,
    person: &Person,
    team: &[TeamMember],
) -> Option<(String, Vec<Choice>)> {
    let me = team
        .iter()
        .find(|member| member.user_id == person.user_id)?;
    if me
        .linked
        .iter()
        .any(|link| link.workspace_id == asked.connection.workspace.id)
    {
        return None;
    }
    let free = asked
        .people?
        .into_iter()
        .filter(|one| !asked.linked.contains(&one.id));
    let free = free.filter(|one| person.may_say_alone_who_they_are(&one.email));
    let choice = |one: LinearPerson| Choice {
        chosen: one.email.eq_ignore_ascii_case(&person.email),
        label: format!("{}, {}", text::name(&one.name), text::email(&one.email)),
        value: one.id,
    };
    let people: Vec<Choice> = free.take(SUGGESTED_MAX).map(choice).collect();
    (!people.is_empty()).then_some((asked.connection.id, people))
}

#[cfg(test)]
#[path = "invite_views_tests.rs"]
mod tests;
