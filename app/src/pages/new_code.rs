//! A link code that was just made: shown once, with every way to hand it over.

use leptos::prelude::*;

use crate::parts::{CopyFirst, CopyText, Glyph, Icon, first_name};
use crate::view::{NewCodeView, QrView, ShownCode};

/// Light units around a QR code; readers need them.
const MARGIN: usize = 4;

/// At the top of the page: the code, or that there is none to show any more.
#[component]
pub fn NewCode(new_code: NewCodeView) -> impl IntoView {
    match new_code {
        NewCodeView::Shown(code) => shown(*code),
        NewCodeView::Gone => view! {
            <div class="panel pad stack first-thing">
                <p>"This code was shown already. Make a new one if it got lost."</p>
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
    view! {
        <section class="once" aria-labelledby="once-h">
            <div class="top">
                <div>
                    <h2 id="once-h">"Link code for " {code.name.clone()} ", shown once."</h2>
                    <p class="soft small">
                        "Send it to " {first.clone()} " only. It works once, until " <time datetime=code.until.iso>{code.until.text}</time>
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

/// Dark on light in every theme: many readers take nothing else.
fn drawn(qr: &QrView) -> AnyView {
    let side = qr.size + 2 * MARGIN;
    let window = format!("-{MARGIN} -{MARGIN} {side} {side}");
    view! {
        <svg class="qr" viewBox=window role="img" aria-label="The link as a QR code" shape-rendering="crispEdges">
            <rect x=format!("-{MARGIN}") y=format!("-{MARGIN}") width=side height=side fill="#fff" />
            <path d=qr.path.clone() fill="#000" />
        </svg>
    }
    .into_any()
}
