//! Proving who somebody is: at Linear, by a code that is mailed, or by an owner's word.

use leptos::prelude::*;
use relink_engine::people::{
    Confirmed, EmailCodeError, MemberError, Proof, ProofBeginError, ProofEnd, ProofError, Told,
};
use relink_engine::{BeginError, Callback, Voided, text};
use secrecy::ExposeSecret as _;

use super::link::{ENDED, Here, ended, linked, refused, tried};
use super::members::{name, said};
use super::pending_code::{forget_code, pending_code, set_tried, sign_in_first};
use super::person::{person, refuse, signed_in_form};
use super::request::{address, engine, see_other};
use super::session::{browser, own_browser, set_flash};
use crate::view::connection_view::initials;
use crate::view::time::minutes_left;
use crate::view::{
    AskerView, EmailCodeView, Failure, Flash, LentView, LinkEnd, LinkProblem, LinkedPerson,
    ProofProblem,
};

/// Continue with Linear: out to the consent page, to say who one is in the workspace of a
/// connection. With `person`, Linear's id, it has to be them.
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
        Err(BeginError::NotConfigured) => {
            set_flash(Flash::NotProved(ProofProblem::NotConfigured)).await?;
            see_other("/team");
        }
        Err(error) => return refuse(begin_failure(error)).await,
    }
    Ok(())
}

/// Continue with Linear, to say that one is the person whom the code on the page is for.
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
        Err(ProofBeginError::Begin(BeginError::NotConfigured)) => {
            refused(ProofProblem::NotConfigured).await
        }
        Err(ProofBeginError::Begin(BeginError::NotFound)) => refused(ProofProblem::Gone).await,
        Err(ProofBeginError::Begin(error)) => refuse(begin_failure(error)).await,
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
    match engine.member_vouch(&person, &member).await {
        Ok(()) => said(Flash::Vouched { name }).await,
        Err(MemberError::NothingToVouch) => said(Flash::NotVouched).await,
        Err(error) => refuse(error.into()).await,
    }
}

/// Sends a code to the address of whoever looks at the page.
#[server(prefix = "/team/email-code", endpoint = "send")]
pub async fn send_email_code() -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let sent = engine.email_code_send(&person).await;
    email_code_said(
        sent,
        EmailCodeView::Sent {
            email: person.email,
        },
    )
    .await
}

/// Takes the code that was mailed.
#[server(prefix = "/team", endpoint = "email-code")]
pub async fn enter_email_code(#[server(default)] code: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let entered = engine.email_code_enter(&person, &code).await;
    email_code_said(
        entered,
        EmailCodeView::Proved {
            email: person.email,
        },
    )
    .await
}

fn begin_failure(error: BeginError) -> Failure {
    match error {
        BeginError::Forbidden => Failure::Forbidden,
        BeginError::NotFound => Failure::NotFound,
        BeginError::Scope(_) => Failure::Malformed,
        BeginError::NotConfigured | BeginError::Sealed(_) => Failure::Unavailable,
        BeginError::Store(error) => error.into(),
    }
}

async fn email_code_said(
    outcome: Result<(), EmailCodeError>,
    good: EmailCodeView,
) -> Result<(), Failure> {
    let view = match outcome {
        // The same form, sent twice.
        Ok(()) | Err(EmailCodeError::Proved) => good,
        Err(EmailCodeError::Invalid) => EmailCodeView::Invalid,
        Err(EmailCodeError::NotSent) => EmailCodeView::NotSent,
        Err(EmailCodeError::NotSetUp) => EmailCodeView::NotSetUp,
        Err(EmailCodeError::Paused { until }) => EmailCodeView::Paused {
            minutes: minutes_left(until - engine()?.now()),
        },
        Err(EmailCodeError::Store(error)) => return refuse(error.into()).await,
    };
    set_flash(Flash::EmailCode(view)).await?;
    see_other("/team#me");
    Ok(())
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
                    ..
                }),
            ..
        } => {
            let told = shown(told);
            let lent = became_of(lent);
            set_flash(Flash::ProvedAtLinear {
                name: told.name,
                workspace: told.workspace,
                email_proved,
                lent,
            })
            .await?;
            "/team"
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
            set_flash(Flash::NotProved(problem(error))).await?;
            "/team"
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
        error => refused(problem(error)).await?,
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

fn became_of(lent: Voided) -> LentView {
    match lent {
        Voided::Done => LentView::HandedBack,
        Voided::Kept => LentView::Kept,
        Voided::Later | Voided::Unconfirmed => LentView::Asked,
    }
}

/// As pages show what Linear calls people and places.
fn shown(told: Told) -> Told {
    Told {
        name: text::name(&told.name),
        email: text::email(&told.email),
        workspace: text::name(&told.workspace),
    }
}

fn problem(error: ProofError) -> ProofProblem {
    tracing::warn!(%error, "a proof at Linear linked nobody");
    match error {
        ProofError::AccessDenied => ProofProblem::Denied,
        ProofError::AuthorizationFailed => ProofProblem::Stopped,
        ProofError::StateMismatch => ProofProblem::Mismatch,
        ProofError::ExchangeFailed(_) => ProofProblem::Refused,
        ProofError::LinearUnreachable(_) => ProofProblem::Unreachable,
        ProofError::Gone | ProofError::EmailTaken => ProofProblem::Gone,
        ProofError::OtherWorkspace { told, expected } => {
            let Told {
                name,
                email,
                workspace,
            } = shown(told);
            ProofProblem::OtherWorkspace {
                name,
                email,
                workspace,
                expected: text::name(&expected),
            }
        }
        ProofError::SomebodyElse { told } => {
            let Told {
                name,
                email,
                workspace,
            } = shown(told);
            ProofProblem::SomebodyElse {
                name,
                email,
                workspace,
            }
        }
        ProofError::NotLinkable { told } => {
            let Told {
                name, workspace, ..
            } = shown(told);
            ProofProblem::NotLinkable { name, workspace }
        }
        ProofError::PersonTaken { told, email } => ProofProblem::Taken {
            name: shown(told).name,
            email: text::email(&email),
        },
        ProofError::OtherPerson { told, name } => ProofProblem::Other {
            name: shown(told).name,
            already: text::name(&name),
        },
        ProofError::Unproved => ProofProblem::Unproved,
        ProofError::Stopped => ProofProblem::Interrupted,
        ProofError::Failed | ProofError::Sealed(_) | ProofError::Store(_) => ProofProblem::Internal,
    }
}
