//! Proving who somebody is: at Linear, by a code that is mailed, or by an owner's word.

use leptos::prelude::*;
use relink_engine::people::{
    Confirmed, EmailCodeError, Proof, ProofBeginError, ProofEnd, ProofError, Told,
};
use relink_engine::{BeginError, Callback, Voided, text};
use secrecy::ExposeSecret as _;

use super::link::{ENDED, Here, ended, linked, refused, tried};
use super::members::{name, not_done};
use super::pending_code::{forget_code, pending_code, set_tried, sign_in_first};
use super::person::{person, refuse, signed_in_form};
use super::proof_failure::{gone, no_app, not_proved, shown};
use super::request::{address, engine, see_other};
use super::session::{browser, own_browser, say};
use crate::view::connection_view::initials;
use crate::view::time::minutes_left;
use crate::view::{AskerView, Failure, LinkEnd, LinkProblem, LinkedPerson, Notice};

/// Leads out to Linear's consent page, to say who one is in the workspace of a connection. With
/// `person`, Linear's id, it has to be them.
#[server(prefix = "/oauth/linear", endpoint = "prove")]
pub async fn begin_proof(
    #[server(default)] workspace: String,
    #[server(default)] person: String,
) -> Result<(), Failure> {
    let (engine, member, browser) = (engine()?, signed_in_form().await?, browser().await?);
    let expected = Some(person.as_str()).filter(|id| !id.is_empty());
    match engine
        .proof_begin(&member, &browser, &workspace, expected)
        .await
    {
        Ok(url) => see_other(url.as_str()),
        Err(BeginError::NotConfigured) => return say("/team", no_app()).await,
        Err(error) => return refuse(error.into()).await,
    }
    Ok(())
}

/// Leads out to Linear's consent page, to say that one is the person whom the code on the page is
/// for.
#[server(prefix = "/link", endpoint = "prove")]
pub async fn begin_code_proof(#[server(default)] preview: String) -> Result<(), Failure> {
    let Some(held) = pending_code().await? else {
        set_tried("", LinkProblem::Forgotten).await?;
        see_other("/link");
        return Ok(());
    };
    // Another code was entered meanwhile: its page comes first.
    if held.preview != preview {
        see_other("/link");
        return Ok(());
    }
    let (here, member, browser) = (
        Here::of_request().await?,
        person().await?,
        own_browser().await?,
    );
    let code = held.code.expose_secret();
    match engine()?
        .proof_begin_for_code(code, member.as_ref(), &browser, here.guesser())
        .await
    {
        Ok(url) => {
            see_other(url.as_str());
            Ok(())
        }
        Err(ProofBeginError::Code(error)) => tried(&held, error).await,
        Err(ProofBeginError::Begin(BeginError::NotConfigured)) => refused(no_app()).await,
        Err(ProofBeginError::Begin(BeginError::NotFound)) => refused(gone()).await,
        Err(ProofBeginError::Begin(error)) => refuse(error.into()).await,
    }
}

/// An owner answers for a member whose e-mail nobody proved.
#[server(prefix = "/team", endpoint = "vouch")]
pub async fn vouch(#[server(default)] member: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let name = match name(&engine, &person, &member).await {
        Ok(name) => name,
        Err(failure) => return refuse(failure).await,
    };
    match engine.members(&person).vouch(&member).await {
        Ok(()) => {
            let fact = format!("You vouched for {name}.");
            let rest = "They can be given any role in this organisation now.";
            say("/team", Notice::good(fact, rest)).await
        }
        Err(error) => not_done(error).await,
    }
}

/// Sends a code to the address of whoever looks at the page.
#[server(prefix = "/team/email-code", endpoint = "send")]
pub async fn send_email_code() -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let sent = engine.email_code_send(&person).await;
    let good = Notice::good(
        format!("A code is on its way to {}.", person.email),
        "Enter it under “You in Linear”. It works for 30 minutes.",
    );
    email_code_said(sent, good).await
}

/// Takes the code that was mailed.
#[server(prefix = "/team", endpoint = "email-code")]
pub async fn enter_email_code(#[server(default)] code: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let entered = engine.email_code_enter(&person, &code).await;
    let good = Notice::good(
        format!("{} is proved.", person.email),
        "Nothing more is asked for.",
    );
    email_code_said(entered, good).await
}

async fn email_code_said(outcome: Result<(), EmailCodeError>, good: Notice) -> Result<(), Failure> {
    let notice = match outcome {
        // The same form, sent twice.
        Ok(()) | Err(EmailCodeError::Proved) => good,
        Err(EmailCodeError::Invalid) => Notice::bad(
            "This code is not valid.",
            "It was used, ran out, or has a typo. Only the newest one works.",
        ),
        Err(EmailCodeError::NotSent) => Notice::waiting(
            "The code could not be sent.",
            "The mail server did not take it. Nothing was changed. Try again later, or continue \
                with Linear.",
        ),
        Err(EmailCodeError::NotSetUp) => Notice::bad(
            "No mail server is set up.",
            "Nothing was sent. Continue with Linear, or ask an owner to vouch for you.",
        ),
        Err(EmailCodeError::Paused { until }) => {
            let minutes = minutes_left(until - engine()?.now());
            let rest = format!("Wait {minutes} minutes, then try again. Nothing was changed.");
            Notice::bad("Too many codes.", rest)
        }
        Err(EmailCodeError::Store(error)) => return refuse(error.into()).await,
    };
    say("/team#me", notice).await
}

/// Ends a proof, if that is what Linear sent the browser back from; `false` for everything else.
/// The answer is a 303.
pub async fn finished(callback: &Callback) -> Result<bool, Failure> {
    let (engine, person) = (engine()?, person().await?);
    let (browser, address) = (browser().await?, address());
    let Some(end) = engine
        .proof_finish(person.as_ref(), &browser, &address, callback)
        .await?
    else {
        return Ok(false);
    };
    let page = match end {
        ProofEnd {
            outcome: Ok(Proof::Code(confirmed)),
            repeated,
            ..
        } => {
            // Whoever has only seen the address and a cookie from before it is not let in by them.
            let shut = repeated
                && person.is_none()
                && !(confirmed.new_account
                    && engine.first_session_reopen(&confirmed.person).await?);
            if shut {
                ENDED
            } else {
                redeemed(person.is_some(), confirmed).await?
            }
        }
        ProofEnd {
            outcome:
                Ok(Proof::Member {
                    told,
                    email_proved,
                    lent,
                    ended_more,
                    ..
                }),
            ..
        } => {
            let lent = became_of(lent, ended_more);
            say("/team", proved(&shown(told), email_proved, lent)).await?;
            return Ok(true);
        }
        ProofEnd {
            of_code: true,
            outcome: Err(error),
            ..
        } => not_redeemed(error).await?,
        ProofEnd {
            of_code: false,
            outcome: Err(error),
            ..
        } => {
            say("/team", not_proved(error)).await?;
            return Ok(true);
        }
    };
    see_other(page);
    Ok(true)
}

async fn redeemed(signed_in: bool, confirmed: Confirmed) -> Result<&'static str, Failure> {
    let organisation = confirmed.person.organisation.clone();
    let person = linked_person(
        confirmed.name.clone(),
        confirmed.workspace.clone(),
        organisation,
    );
    forget_code().await?;
    let end = linked(signed_in, confirmed, person).await?;
    ended(end).await?;
    Ok(ENDED)
}

async fn not_redeemed(error: ProofError) -> Result<&'static str, Failure> {
    match error {
        ProofError::EmailTaken => sign_in_first().await?,
        ProofError::Gone => {
            tracing::warn!("a link code was gone when Linear had said who it is");
            set_tried("", LinkProblem::Invalid).await?;
        }
        ProofError::PersonTaken { told, .. } => {
            forget_code().await?;
            ended(LinkEnd::Taken {
                person: linked_person(told.name, told.workspace, String::new()),
            })
            .await?;
            return Ok(ENDED);
        }
        error => refused(not_proved(error)).await?,
    }
    Ok("/link")
}

fn linked_person(name: String, workspace: String, organisation: String) -> LinkedPerson {
    let (name, workspace) = (text::name(&name), text::name(&workspace));
    LinkedPerson {
        initials: initials(&name),
        workspace_initials: initials(&workspace),
        asker: AskerView {
            name: None,
            organisation,
        },
        name,
        workspace,
    }
}

/// Says what became of the permission to look.
fn became_of(lent: Voided, ended_more: bool) -> &'static str {
    match lent {
        _ if ended_more => {
            "The permission to look is handed back, and Linear ended a connection together with \
                it: an owner or admin has to press Reconnect. From now on such permissions are \
                kept until the connection ends."
        }
        Voided::Done => "The permission to look is handed back.",
        Voided::Kept => {
            "The permission to look is kept sealed, and handed back with the connection that may \
                hang on it."
        }
        Voided::Later | Voided::Unconfirmed => {
            "The permission to look is handed back as soon as Linear confirms it."
        }
    }
}

fn proved(told: &Told, email_proved: bool, lent: &str) -> Notice {
    let says = if email_proved {
        "Linear says so, and knows you by the e-mail that you have here."
    } else {
        "Linear says so."
    };
    Notice::good(
        format!("You are {} in {}.", told.name, told.workspace),
        format!("{says} {lent}"),
    )
}
