//! From what the engine knows of members and new codes to what a page may show.

use relink_engine::Engine;
use relink_engine::account::Person;
use relink_engine::people::{Invite, Link, TeamMember};
use secrecy::ExposeSecret as _;

use super::Failure;
use super::present::initials;
use super::qr::qr;
use super::request::{site, take_new_code};
use super::words;
use crate::parts::{first_name, possessive};
use crate::view::{LinkedView, MayView, MemberView, NewCodeView, ShownCode, WhoView};

pub fn who(name: &str, email: &str) -> WhoView {
    WhoView { initials: initials(name), name: name.to_owned(), email: email.to_owned() }
}

pub fn member_views(team: Vec<TeamMember>, looking: &Person) -> Vec<MemberView> {
    team.into_iter().map(|member| member_view(member, looking)).collect()
}

fn member_view(member: TeamMember, looking: &Person) -> MemberView {
    let you = member.user_id == looking.user_id;
    MemberView {
        who: who(&member.name, &member.email),
        id: member.user_id,
        role: member.role.name().to_owned(),
        you,
        linked: member.linked.into_iter().map(linked_view).collect(),
        may: MayView { unlink: looking.manages() || you, govern: looking.owns() },
    }
}

fn linked_view(link: Link) -> LinkedView {
    LinkedView { workspace_id: link.workspace_id, workspace: link.workspace, linear_id: link.linear_id, name: link.name, email: link.email }
}

/// The code that this person has just made. One that is used or revoked already is not shown any more.
pub async fn new_code(engine: &Engine, person: &Person, shown: Option<&str>) -> Result<Option<NewCodeView>, Failure> {
    let gone = || (shown == Some("code")).then_some(NewCodeView::Gone);
    let Some((id, code)) = take_new_code(person).await? else { return Ok(gone()) };
    let invite = engine.invites(person).await?.into_iter().find(|invite| invite.id == id);
    let shown = invite.map(|invite| shown_code(engine, person, invite, code.expose_secret().to_owned())).transpose()?;
    Ok(shown.flatten().map(|code| NewCodeView::Shown(Box::new(code))).or_else(gone))
}

/// `None` where no QR code can be drawn, which no address is too long for.
fn shown_code(engine: &Engine, person: &Person, invite: Invite, code: String) -> Result<Option<ShownCode>, Failure> {
    let page = format!("{}/link", site()?.url);
    let link = format!("{page}#{code}");
    let until = words::stamp(invite.expires_at);
    Ok(qr(&link).map(|qr| ShownCode {
        message: message(&invite.name, person, &page, &code, &until.text),
        left: format!("{} left", words::span(invite.expires_at - engine.now())),
        id: invite.id,
        name: invite.name,
        workspace: invite.workspace,
        code,
        link,
        qr,
        until,
    }))
}

fn message(name: &str, person: &Person, page: &str, code: &str, until: &str) -> String {
    let (first, organisation) = (first_name(name), possessive(&person.organisation));
    format!(
        "Hello {first},\n{} asks which person you are in Linear, so that {organisation} tools know. Open this link and say yes or \
         no:\n{page}#{code}\nIt works once, until {until}. If it does not open, go to {page} and enter {code}",
        person.name
    )
}

#[cfg(test)]
#[path = "team_views_tests.rs"]
mod tests;
