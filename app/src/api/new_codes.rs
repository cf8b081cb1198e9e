//! Codes that were just made, on their way to the page that shows them once: sealed in the session
//! of who made them.

use relink_engine::identity::Person;
use relink_engine::people::{Handover, Invite, Invited, Mailed};
use relink_engine::{Engine, text};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::request::{engine, site};
use super::session::{put, take};
use crate::view::qr::qr;
use crate::view::{BulkCodes, Failure, MailView, NewCodeView, NotInvited, ShownCode, time};

const MADE: &str = "new_codes";

#[derive(Serialize, Deserialize)]
struct Made {
    codes: Vec<SealedCode>,
    not_invited: Vec<NotInvited>,
}

#[derive(Serialize, Deserialize)]
struct SealedCode {
    id: String,
    sealed: String,
    mail: MailView,
}

/// A code that was just made, opened.
pub struct NewCode {
    pub id: String,
    pub code: SecretString,
    pub mail: MailView,
}

pub async fn set_new_codes(
    person: &Person,
    invited: &[Invited],
    not_invited: Vec<NotInvited>,
) -> Result<(), Failure> {
    let engine = engine()?;
    let sealed = |one: &Invited| SealedCode {
        id: one.id.clone(),
        sealed: engine.seal_for(person, &one.code),
        mail: mail_view(one.mailed),
    };
    put(
        MADE,
        Made {
            codes: invited.iter().map(sealed).collect(),
            not_invited,
        },
    )
    .await
}

/// The codes that this person has just made, and whom there is none for; only the first call after
/// that gets them.
pub async fn take_new_codes(
    person: &Person,
) -> Result<Option<(Vec<NewCode>, Vec<NotInvited>)>, Failure> {
    let Some(Made { codes, not_invited }) = take(MADE).await? else {
        return Ok(None);
    };
    let engine = engine()?;
    let opened = |SealedCode { id, sealed, mail }| {
        Some(NewCode {
            id,
            code: engine.open_for(person, &sealed)?,
            mail,
        })
    };
    Ok(Some((
        codes.into_iter().filter_map(opened).collect(),
        not_invited,
    )))
}

fn mail_view(mailed: Mailed) -> MailView {
    match mailed {
        Mailed::NotSetUp => MailView::NotSetUp,
        Mailed::Sent => MailView::Sent,
        Mailed::Failed => MailView::Failed,
    }
}

/// The codes that this person has just made, and whom there is none for. One that is used or
/// revoked already is not shown any more.
pub async fn new_codes(
    engine: &Engine,
    person: &Person,
    shown: Option<&str>,
) -> Result<Option<NewCodeView>, Failure> {
    let gone = (shown == Some("code")).then_some(NewCodeView::Gone);
    let Some((made, not_invited)) = take_new_codes(person).await? else {
        return Ok(gone);
    };
    let (invites, page) = (
        engine.invites(person).list().await?,
        format!("{}/link", site()?.url),
    );
    let invite = |made: &NewCode| invites.iter().find(|invite| invite.id == made.id).cloned();
    let codes = made
        .iter()
        .filter_map(|made| shown_code(engine, person, &page, invite(made)?, made))
        .collect();
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
fn shown_code(
    engine: &Engine,
    person: &Person,
    page: &str,
    invite: Invite,
    made: &NewCode,
) -> Option<ShownCode> {
    let code = made.code.expose_secret().to_owned();
    let handover = Handover {
        name: &invite.name,
        asked_by: Some(&person.name),
        organisation: &person.organisation,
        page,
        code: &code,
        expires_at: invite.expires_at,
    };
    let (link, message, until) = (
        handover.link(),
        handover.text(),
        time::stamp(invite.expires_at),
    );
    qr(&link).map(|qr| ShownCode {
        message,
        left: format!("{} left", time::span(invite.expires_at - engine.now())),
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
