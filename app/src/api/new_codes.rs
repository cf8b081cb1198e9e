//! Codes that were just made, on their way to the page that shows them once: sealed in the session of who made them.

use relink_engine::identity::Person;
use relink_engine::people::{Invited, Mailed};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::Failure;
use super::request::{engine, put, take};
use crate::view::{MailView, NotInvited};

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

pub async fn set_new_codes(person: &Person, invited: &[Invited], not_invited: Vec<NotInvited>) -> Result<(), Failure> {
    let engine = engine()?;
    let sealed = |one: &Invited| SealedCode { id: one.id.clone(), sealed: engine.seal_for(person, &one.code), mail: mail_view(one.mailed) };
    put(MADE, Made { codes: invited.iter().map(sealed).collect(), not_invited }).await
}

/// The codes that this person has just made, and whom there is none for; only the first call after that gets them.
pub async fn take_new_codes(person: &Person) -> Result<Option<(Vec<NewCode>, Vec<NotInvited>)>, Failure> {
    let Some(Made { codes, not_invited }) = take(MADE).await? else { return Ok(None) };
    let engine = engine()?;
    let opened = |SealedCode { id, sealed, mail }| Some(NewCode { id, code: engine.open_for(person, &sealed)?, mail });
    Ok(Some((codes.into_iter().filter_map(opened).collect(), not_invited)))
}

fn mail_view(mailed: Mailed) -> MailView {
    match mailed {
        Mailed::NotSetUp => MailView::NotSetUp,
        Mailed::Sent => MailView::Sent,
        Mailed::Failed => MailView::Failed,
    }
}
