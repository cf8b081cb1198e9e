//! Link codes that were just made: shown once, with every way to hand them over.

use leptos::prelude::*;

use crate::parts::{CopyFirst, CopyListed, CopyText, Glyph, Icon, counted, first_name};
use crate::view::{BulkCodes, InviteProblem, MailView, NewCodeView, NotInvited, QrView, ShownCode};

/// The light units around a QR code, which readers need.
const MARGIN: usize = 4;

/// The top of the page: the codes, or that there is none to show any more.
#[component]
pub fn NewCode(new_code: NewCodeView) -> impl IntoView {
    match new_code {
        NewCodeView::Shown(code) => shown(*code),
        NewCodeView::Several(several) => listed(several),
        NewCodeView::Gone => view! {
            <div class="panel pad stack first-thing">
                <p>"Link codes are shown once. Make a new one if one got lost."</p>
                <p>
                    <a class="btn" href="/team">"Done"</a>
                </p>
            </div>
        }
        .into_any(),
    }
}

fn shown(code: ShownCode) -> AnyView {
    let first = first_name(&code.name).to_owned();
    let mailed = mailed(&code);
    view! {
        <section class="once" aria-labelledby="once-h">
            <div class="top">
                <div>
                    <h2 id="once-h">"Link code for " {code.name.clone()} ", shown once."</h2>
                    <p class="soft small">
                        "Send it to " {first.clone()} " only. It works once, until "
                        <time datetime=code.until.iso>{code.until.text}</time>
                        ". Relink keeps a hash, not the code."
                    </p>
                </div>
                <span class="tag wait"><Glyph icon=Icon::Clock /> {code.left}</span>
            </div>
            <div class="hand">
                <div class="stack">
                    <p class="code-big" id="code">{code.code}</p>
                    <CopyFirst id="link" label="Link" button="Copy link" value=code.link />
                    <p class="soft small">
                        {first} " opens it, sees " {code.name.clone()} " in " {code.workspace}
                        ", and says yes or no. You see the answer here."
                    </p>
                    {mailed}
                </div>
                {drawn(&code.qr)}
            </div>
            <details class="grant">
                <summary>"A message to paste"</summary>
                <CopyText id="message" label="Message" text=code.message rows=7 />
            </details>
            <div class="do">
                <a class="btn" href="/team">"Done"</a>
                <form method="post" action="/team/invites/revoke">
                    <input type="hidden" name="invite" value=code.id />
                    <button class="btn quiet">
                        <Glyph icon=Icon::Trash />
                        "Revoke code"
                        <span class="sr">" for " {code.name}</span>
                    </button>
                </form>
            </div>
        </section>
    }
    .into_any()
}

/// Says whether the code was mailed. Empty where no mail server is set up: nobody expects an e-mail
/// then.
fn mailed(code: &ShownCode) -> Option<AnyView> {
    let email = code.email.clone();
    match code.mail {
        MailView::NotSetUp => None,
        MailView::Sent => {
            Some(view! { <p class="soft small">"Sent to " {email} " too."</p> }.into_any())
        }
        MailView::Failed => Some(
            view! {
                <p class="unsent small">
                    <Glyph icon=Icon::Warning />
                    <span>"The e-mail to " {email} " could not be sent. Hand the link over \
                        yourself."</span>
                </p>
            }
            .into_any(),
        ),
    }
}

fn listed(several: BulkCodes) -> AnyView {
    let BulkCodes { codes, not_invited } = several;
    let head = codes
        .first()
        .map_or_else(nobody, |first| head(codes.len(), first));
    let codes = codes
        .into_iter()
        .enumerate()
        .map(one_of_several)
        .collect_view();
    view! {
        <section class="once" aria-labelledby="once-h">
            {head}
            <ul class="codes">{codes}</ul>
            {(!not_invited.is_empty()).then(|| without(not_invited))}
            <div class="do">
                <a class="btn" href="/team">"Done"</a>
            </div>
        </section>
    }
    .into_any()
}

fn nobody() -> AnyView {
    view! { <h2 id="once-h">"Nobody was invited."</h2> }.into_any()
}

/// The first code is the first to run out.
fn head(count: usize, first: &ShownCode) -> AnyView {
    let until = first.until.clone();
    view! {
        <div class="top">
            <div>
                <h2 id="once-h">{counted(count, "link code")} ", shown once."</h2>
                <p class="soft small">
                    "Send each to its person only. Each works once, until "
                    <time datetime=until.iso>{until.text}</time>
                    ". Relink keeps hashes, not the codes."
                </p>
            </div>
            <span class="tag wait"><Glyph icon=Icon::Clock /> {first.left.clone()}</span>
        </div>
    }
    .into_any()
}

fn one_of_several((number, code): (usize, ShownCode)) -> AnyView {
    let (whose, mailed) = (format!(" for {}", code.name), mailed(&code));
    view! {
        <li class="stack">
            <p>
                <span><b>{code.name}</b> " in " {code.workspace}</span>
                " "
                <code>{code.code}</code>
            </p>
            <CopyListed
                id=format!("link-{number}")
                label="Link"
                button="Copy link"
                whose=whose.clone()
                value=code.link
            />
            {mailed}
            <details class="grant">
                <summary>"QR code and message" <span class="sr">{whose}</span></summary>
                <div class="hand">
                    <CopyText
                        id=format!("message-{number}")
                        label="Message"
                        text=code.message
                        rows=7
                    />
                    {drawn(&code.qr)}
                </div>
            </details>
        </li>
    }
    .into_any()
}

fn without(not_invited: Vec<NotInvited>) -> AnyView {
    let why = |one: NotInvited| {
        let (lead, rest) = why_not(&one.problem);
        view! {
            <li>
                <Glyph icon=Icon::Warning />
                <span><b>{one.name} " in " {one.workspace} {lead}</b> {rest}</span>
            </li>
        }
    };
    view! {
        <div>
            <h3>"Not invited"</h3>
            <ul class="unsent small">{not_invited.into_iter().map(why).collect_view()}</ul>
        </div>
    }
    .into_any()
}

/// The end of the sentence about somebody who was picked, and what comes after it.
fn why_not(problem: &InviteProblem) -> (String, String) {
    match problem {
        InviteProblem::Linked { email } => (
            format!(" is linked to {email} already."),
            " Unlink that first if it is wrong.".to_owned(),
        ),
        InviteProblem::Nobody => (" is not active there any more.".to_owned(), String::new()),
        other => (".".to_owned(), format!(" {other}")),
    }
}

/// Draws the code dark on light in every theme: many readers take nothing else.
fn drawn(qr: &QrView) -> AnyView {
    let side = qr.size + 2 * MARGIN;
    let window = format!("-{MARGIN} -{MARGIN} {side} {side}");
    view! {
        <svg
            class="qr"
            viewBox=window
            role="img"
            aria-label="The link as a QR code"
            shape-rendering="crispEdges"
        >
            <rect
                x=format!("-{MARGIN}")
                y=format!("-{MARGIN}")
                width=side
                height=side
                fill="#fff"
            />
            <path d=qr.path.clone() fill="#000" />
        </svg>
    }
    .into_any()
}
