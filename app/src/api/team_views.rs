//! From what the engine knows of members and new codes to what a page may show.

use relink_engine::identity::{self, Person, Standing};
use relink_engine::people::{Handover, Invite, Link, TeamMember};
use relink_engine::{ApiKey, Engine, text};
use secrecy::ExposeSecret as _;

use super::Failure;
use super::connection_view::initials;
use super::new_codes::{NewCode, take_new_codes};
use super::qr::qr;
use super::request::site;
use super::words;
use crate::view::{BulkCodes, DoubtView, LinkedView, MayView, MemberView, NewCodeView, NotInvited, PersonLineView, ShownCode};

pub fn person_line(name: &str, email: &str) -> PersonLineView {
    PersonLineView { initials: initials(name), name: text::name(name), email: text::email(email) }
}

/// `keys`: those of the organisation, for who may see them.
pub fn member_views(team: Vec<TeamMember>, keys: &[ApiKey], looking: &Person) -> Vec<MemberView> {
    team.into_iter().map(|member| member_view(member, keys, looking)).collect()
}

/// Says what is in doubt about an account whose e-mail nobody proved.
pub fn doubt(email: &str, standing: Standing) -> Option<DoubtView> {
    let vouched = match standing {
        Standing::Proved => return None,
        Standing::Vouched => true,
        Standing::Unproved => false,
    };
    Some(DoubtView { sentence: identity::never_proved(email), vouched })
}

fn member_view(member: TeamMember, keys: &[ApiKey], looking: &Person) -> MemberView {
    let made = |key: &&ApiKey| key.made_by.as_ref().is_some_and(|(id, _)| *id == member.user_id);
    let keys = keys.iter().filter(made).map(|key| text::name(&key.name)).collect();
    let you = member.user_id == looking.user_id;
    MemberView {
        who: person_line(&member.name, &member.email),
        id: member.user_id,
        role: member.role.name().to_owned(),
        you,
        doubt: doubt(&member.email, member.standing),
        keys,
        linked: member.linked.into_iter().map(linked_view).collect(),
        may: MayView { unlink: looking.manages() || you, govern: looking.owns() },
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

/// The codes that this person has just made, and whom there is none for. One that is used or revoked already is not shown any
/// more.
pub async fn new_codes(engine: &Engine, person: &Person, shown: Option<&str>) -> Result<Option<NewCodeView>, Failure> {
    let gone = (shown == Some("code")).then_some(NewCodeView::Gone);
    let Some((made, not_invited)) = take_new_codes(person).await? else { return Ok(gone) };
    let (invites, page) = (engine.invites(person).await?, format!("{}/link", site()?.url));
    let invite = |made: &NewCode| invites.iter().find(|invite| invite.id == made.id).cloned();
    let codes = made.iter().filter_map(|made| shown_code(engine, person, &page, invite(made)?, made)).collect();
    Ok(shown_as(codes, not_invited).or(gone))
}

fn shown_as(mut codes: Vec<ShownCode>, not_invited: Vec<NotInvited>) -> Option<NewCodeView> {
    match (codes.len(), not_invited.len()) {
        (0, 0) => None,
        (1, 0) => codes.pop().map(|code| NewCodeView::Shown(Box::new(code))),
        _ => Some(NewCodeView::Several(BulkCodes { codes, not_invited })),
    }
}

/// `None` where no QR code can be drawn, which no address is too long for.
fn shown_code(engine: &Engine, person: &Person, page: &str, invite: Invite, made: &NewCode) -> Option<ShownCode> {
    let code = made.code.expose_secret().to_owned();
    let handover = Handover {
        name: &invite.name,
        asked_by: Some(&person.name),
        organisation: &person.organisation,
        page,
        code: &code,
        expires_at: invite.expires_at,
    };
    let (link, message, until) = (handover.link(), handover.text(), words::stamp(invite.expires_at));
    qr(&link).map(|qr| ShownCode {
        message,
        left: format!("{} left", words::span(invite.expires_at - engine.now())),
        id: invite.id,
        name: text::name(&invite.name),
        email: text::email(&invite.email),
        mail: made.mail,
        workspace: text::name(&invite.workspace),
        code,
        link,
        qr,
        until,
    })
}

#[cfg(test)]
#[path = "team_views_tests.rs"]
mod tests;
