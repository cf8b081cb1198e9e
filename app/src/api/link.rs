//! The acts of redeeming a link code. The code is the credential; nobody needs to be signed in.

use leptos::prelude::*;
use relink_engine::FirstPasswordError;
use relink_engine::identity::Person;
use relink_engine::people::{
    CodeError, ConfirmError, Confirmed, Guesser, LinkCode, Preview, code_in_path,
};
use relink_engine::text::{email, name};
use secrecy::ExposeSecret as _;

use super::pending_code::{
    PendingCode, forget_code, keep_code, link_end, pending_code, set_end, set_end_of, set_told,
    set_tried, sign_in_first, take_told, take_tried,
};
use super::person::{open_session, person, refuse, renew_session, signed_in_form};
use super::proof_failure::{own_code, unproved};
use super::request::{address, engine, parts, see_other, too_early, typed_secret};
use super::session::{browser, session_name, stay_browser};
use super::sign_in::{complaint, kept};
use crate::view::connection_view::initials;
use crate::view::time::{self, minutes_left};
use crate::view::you_views::proof_choices;
use crate::view::{
    AskerView, Failure, FirstPassword, LinkAccount, LinkEnd, LinkProblem, LinkView, LinkedPerson,
    Notice, PreviewView,
};

/// The page. `ended`: the address bar asks how the last code ended.
pub async fn load_link(ended: bool) -> Result<LinkView, Failure> {
    let tried = take_tried().await?;
    if let Some(end) = link_end().await?.filter(|_| ended) {
        return Ok(LinkView::Ended(end));
    }
    if let Some((typed, problem)) = tried {
        return enter(typed, Some(problem)).await;
    }
    match pending_code().await? {
        Some(held) => looked_at(held).await,
        None => enter(String::new(), None).await,
    }
}

/// Looks at what a code says. Nothing is used up by it.
#[server(prefix = "", endpoint = "/link")]
pub async fn enter_code(#[server(default)] code: String) -> Result<(), Failure> {
    let here = Here::of_request().await?;
    // Some paste the whole link, or the whole message.
    let typed = LinkCode::read(&code).map_or_else(
        || kept(code.rsplit('#').next().unwrap_or_default().trim()).into(),
        |code| code.grouped(),
    );
    match engine()?
        .code_preview(typed.expose_secret(), here.guesser())
        .await
    {
        Ok(_) => keep_code(&typed).await?,
        Err(error) => set_tried(typed.expose_secret(), problem(error)?).await?,
    }
    see_other("/link");
    Ok(())
}

/// Takes a code out of the path of this page load, and leads to the page that looks at it. Answers
/// whether that is where this load goes.
pub async fn take_code_in_path() -> Result<bool, Failure> {
    let Some(rest) = code_in_path(parts()?.uri.path()) else {
        return Ok(false);
    };
    if too_early()? {
        return Ok(true);
    }
    match LinkCode::read(&rest) {
        Some(code) => keep_code(&code.grouped()).await?,
        None => set_tried("", LinkProblem::Invalid).await?,
    }
    see_other("/link");
    Ok(true)
}

/// "Yes, that's me" or "That's not me", to what the page showed.
#[server(prefix = "/link", endpoint = "confirm")]
pub async fn answer_code(
    #[server(default)] preview: String,
    #[server(default)] answer: String,
) -> Result<(), Failure> {
    let Some(held) = pending_code().await? else {
        // The same answer, sent twice.
        if link_end().await?.is_some() {
            see_other(ENDED);
            return Ok(());
        }
        set_tried("", LinkProblem::Forgotten).await?;
        see_other("/link");
        return Ok(());
    };
    // Another code was entered meanwhile: its page comes first.
    if held.preview != preview {
        see_other("/link");
        return Ok(());
    }
    match answer.as_str() {
        "yes" => confirm(held).await,
        "no" => decline(held).await,
        _ => refuse(Failure::Malformed).await,
    }
}

/// A password for the account that a code has just made.
#[server(prefix = "/link", endpoint = "password")]
pub async fn choose_password(#[server(default)] password: String) -> Result<(), Failure> {
    let person = signed_in_form().await?;
    let email = person.email.clone();
    let password = match engine()?
        .set_first_password(&person, typed_secret(password))
        .await
    {
        Ok(()) => {
            renew_session().await?;
            FirstPassword::Saved { email }
        }
        Err(FirstPasswordError::Field(error)) => FirstPassword::Refused {
            email,
            complaint: complaint(error),
        },
        // The same form, sent twice.
        Err(FirstPasswordError::HasOne) => FirstPassword::NotOffered,
        Err(FirstPasswordError::Store(error)) => return refuse(error.into()).await,
    };
    if let Some(LinkEnd::Linked {
        person,
        again,
        password: before,
    }) = link_end().await?
    {
        let password = if password == FirstPassword::NotOffered {
            before
        } else {
            password
        };
        set_end(LinkEnd::Linked {
            person,
            again,
            password,
        })
        .await?;
    }
    see_other(ENDED);
    Ok(())
}

pub(super) const ENDED: &str = "/link?ended=yes";

/// The page that a code is shown on.
pub(super) struct Here {
    address: String,
    browser: String,
}

impl Here {
    pub async fn of_request() -> Result<Here, Failure> {
        Ok(Here {
            address: address(),
            browser: session_name().await?.unwrap_or_default(),
        })
    }

    pub fn guesser(&self) -> Guesser<'_> {
        Guesser {
            address: &self.address,
            browser: &self.browser,
        }
    }
}

/// The form for a code. Those who are signed in may have Linear say who they are instead.
async fn enter(typed: String, problem: Option<LinkProblem>) -> Result<LinkView, Failure> {
    let workspaces = match person().await? {
        Some(person) => proof_choices(&engine()?, &person).await?,
        None => Vec::new(),
    };
    Ok(LinkView::Enter {
        typed,
        problem,
        workspaces,
    })
}

/// Translates what is wrong with a code; an error where nobody can tell.
fn problem(error: CodeError) -> Result<LinkProblem, Failure> {
    match error {
        CodeError::Invalid => Ok(LinkProblem::Invalid),
        CodeError::Paused { until } => Ok(LinkProblem::Paused {
            minutes: minutes_left(until - engine()?.now()),
        }),
        CodeError::Store(error) => {
            tracing::error!(%error, "the store failed");
            Ok(LinkProblem::Unavailable)
        }
    }
}

/// The code that waits, looked at once more: it may have run out meanwhile.
async fn looked_at(held: PendingCode) -> Result<LinkView, Failure> {
    let here = Here::of_request().await?;
    match engine()?
        .code_preview(held.code.expose_secret(), here.guesser())
        .await
    {
        Ok(preview) => Ok(LinkView::Preview(preview_view(preview, held).await?)),
        Err(CodeError::Store(error)) => Err(error.into()),
        Err(error) => {
            forget_code().await?;
            enter(String::new(), Some(problem(error)?)).await
        }
    }
}

async fn preview_view(preview: Preview, held: PendingCode) -> Result<PreviewView, Failure> {
    let account = match person().await? {
        Some(person) => LinkAccount::Yours {
            email: person.email,
        },
        None if preview.has_account || held.sign_in_first => LinkAccount::SignInFirst,
        None => LinkAccount::New,
    };
    let now = engine()?.now();
    Ok(PreviewView {
        initials: initials(&preview.name),
        name: name(&preview.name),
        email: email(&preview.email),
        workspace_initials: initials(&preview.workspace),
        workspace: name(&preview.workspace),
        asker: AskerView {
            name: preview.made_by.as_deref().map(name),
            organisation: name(&preview.organisation),
        },
        account,
        told: take_told().await?,
        preview: held.preview,
        runs_out: time::span(preview.expires_at - now),
    })
}

async fn confirm(held: PendingCode) -> Result<(), Failure> {
    let (engine, here, member) = (engine()?, Here::of_request().await?, person().await?);
    let Some(person) = named(&held, &here).await? else {
        return Ok(());
    };
    let end = match engine
        .code_confirm(held.code.expose_secret(), member.as_ref(), here.guesser())
        .await
    {
        Ok(confirmed) => {
            forget_code().await?;
            linked(member.is_some(), confirmed, person).await?
        }
        Err(ConfirmError::Code(error)) => return tried(&held, error).await,
        Err(ConfirmError::EmailTaken) => {
            sign_in_first().await?;
            see_other("/link");
            return Ok(());
        }
        Err(ConfirmError::Unproved) => return refused(unproved()).await,
        // Said as Linear's own word would be needed: they made the code for somebody else.
        Err(ConfirmError::OwnCode) => return refused(own_code()).await,
        Err(ConfirmError::PersonTaken { .. }) => {
            forget_code().await?;
            LinkEnd::Taken { person }
        }
        Err(ConfirmError::OtherPerson { name: other }) => LinkEnd::Other {
            person,
            account: member.map_or_else(String::new, |member| member.email),
            name: name(&other),
        },
    };
    ended(end).await
}

/// The code stays good, and the page says why it did not do.
pub(super) async fn refused(why: Notice) -> Result<(), Failure> {
    set_told(why).await?;
    see_other("/link");
    Ok(())
}

/// Signs the browser in, if nobody is.
pub(super) async fn linked(
    signed_in: bool,
    confirmed: Confirmed,
    person: LinkedPerson,
) -> Result<LinkEnd, Failure> {
    let (again, email) = (confirmed.again, confirmed.person.email.clone());
    // Made long ago for one that comes back: by now they may have a password to sign in with.
    if !confirmed.new_account {
        return Ok(LinkEnd::Linked {
            person,
            again,
            password: FirstPassword::NotOffered,
        });
    }
    if !signed_in {
        let elsewhere = LinkEnd::Linked {
            person: person.clone(),
            again,
            password: FirstPassword::SignIn,
        };
        sign_in(&confirmed.person, &elsewhere).await?;
    }
    Ok(LinkEnd::Linked {
        person,
        again,
        password: FirstPassword::Offered { email },
    })
}

/// Opens a session that knows what this browser left for Linear with, as does the one from before:
/// the answer with the new one may never arrive.
async fn sign_in(person: &Person, end: &LinkEnd) -> Result<(), Failure> {
    let (before, browser) = (session_name().await?, browser().await?);
    open_session(person).await?;
    if let Some(before) = before {
        set_end_of(before, &browser, end).await?;
    }
    stay_browser(&browser).await
}

async fn decline(held: PendingCode) -> Result<(), Failure> {
    let (engine, here, member) = (engine()?, Here::of_request().await?, person().await?);
    let Some(person) = named(&held, &here).await? else {
        return Ok(());
    };
    match engine
        .code_decline(held.code.expose_secret(), member.as_ref(), here.guesser())
        .await
    {
        Ok(_) => {
            forget_code().await?;
            ended(LinkEnd::Declined { person }).await
        }
        Err(error) => tried(&held, error).await,
    }
}

pub(super) async fn ended(end: LinkEnd) -> Result<(), Failure> {
    set_end(end).await?;
    see_other(ENDED);
    Ok(())
}

/// The code led nowhere: the form again, with the reason, and with the code only if it may be good
/// yet.
pub(super) async fn tried(held: &PendingCode, error: CodeError) -> Result<(), Failure> {
    let problem = problem(error)?;
    let typed = if problem == LinkProblem::Unavailable {
        held.code.expose_secret()
    } else {
        ""
    };
    set_tried(typed, problem).await?;
    see_other("/link");
    Ok(())
}

/// Names the person whom the code is for, for what the next page says. `None`: the code is good no
/// more, and the answer says so already.
async fn named(held: &PendingCode, here: &Here) -> Result<Option<LinkedPerson>, Failure> {
    let preview = match engine()?
        .code_preview(held.code.expose_secret(), here.guesser())
        .await
    {
        Ok(preview) => preview,
        Err(error) => return tried(held, error).await.map(|()| None),
    };
    Ok(Some(LinkedPerson {
        initials: initials(&preview.name),
        name: name(&preview.name),
        workspace_initials: initials(&preview.workspace),
        workspace: name(&preview.workspace),
        asker: AskerView {
            name: preview.made_by.as_deref().map(name),
            organisation: name(&preview.organisation),
        },
    }))
}
