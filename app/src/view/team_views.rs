//! The way from what the engine knows of members and new codes to what a page may show.

use relink_engine::identity::{self, Person, Standing};
use relink_engine::people::{Link, TeamMember};
use relink_engine::{ApiKey, text};

use super::connection_view::initials;
use crate::view::{DoubtView, LinkedView, MayView, MemberView, PersonLineView};

pub fn person_line(name: &str, email: &str) -> PersonLineView {
    PersonLineView {
        initials: initials(name),
        name: text::name(name),
        email: text::email(email),
    }
}

/// `keys`: those of the organisation, for who may see them.
pub fn member_views(team: Vec<TeamMember>, keys: &[ApiKey], looking: &Person) -> Vec<MemberView> {
    team.into_iter()
        .map(|member| member_view(member, keys, looking))
        .collect()
}

/// Says what is in doubt about an account whose e-mail nobody proved.
pub fn doubt(email: &str, standing: Standing) -> Option<DoubtView> {
    let vouched = match standing {
        Standing::Proved => return None,
        Standing::Vouched => true,
        Standing::Unproved => false,
    };
    Some(DoubtView {
        sentence: identity::never_proved(email),
        vouched,
    })
}

fn member_view(member: TeamMember, keys: &[ApiKey], looking: &Person) -> MemberView {
    let made = |key: &&ApiKey| {
        key.made_by
            .as_ref()
            .is_some_and(|(id, _)| *id == member.user_id)
    };
    let keys = keys
        .iter()
        .filter(made)
        .map(|key| text::name(&key.name))
        .collect();
    let you = member.user_id == looking.user_id;
    MemberView {
        who: person_line(&member.name, &member.email),
        id: member.user_id,
        role: member.role.name().to_owned(),
        you,
        doubt: doubt(&member.email, member.standing),
        keys,
        linked: member.linked.into_iter().map(linked_view).collect(),
        may: MayView {
            unlink: looking.manages() || you,
            govern: looking.owns(),
        },
    }
}

fn linked_view(link: Link) -> LinkedView {
    LinkedView {
        workspace_id: link.workspace_id,
        workspace: text::name(&link.workspace),
        linear_id: link.linear_id,
        name: text::name(&link.name),
        email: text::email(&link.email),
    }
}

#[cfg(test)]
#[path = "team_views_tests.rs"]
mod tests;
