//! The forms of a connection's webhook: a new signing secret, and a delivery to be checked.

use leptos::prelude::*;

use crate::parts::{Field, Glyph, Icon, Problem, textarea};

pub const NO_SIGNING_SECRET: &str =
    "This does not look like a Linear signing secret. It starts with lin_wh_.";

#[component]
pub fn NewSecret(connection: String, refused: bool) -> impl IntoView {
    let problem = refused.then(|| Problem {
        text: NO_SIGNING_SECRET.to_owned(),
        first: true,
    });
    view! {
        <form class="pad split row" method="post" action="/integrations/webhook-secret">
            <input type="hidden" name="connection" value=connection />
            <Field
                id="secret"
                label="New signing secret"
                kind="password"
                autocomplete="off"
                placeholder="lin_wh_…"
                hint="In Linear: Settings, API, Webhooks, Signing secret. Relink seals it and \
                    never shows it again."
                problem
            />
            <button class="btn">
                <Glyph icon=Icon::Key />
                "Save secret"
            </button>
        </form>
    }
    .into_any()
}

#[component]
pub fn Check(connection: String) -> impl IntoView {
    let body = textarea("")
        .class("input")
        .id("check-body")
        .name("body")
        .rows("5")
        .required(true);
    let body = body
        .spellcheck("false")
        .attr("autocomplete", "off")
        .attr("aria-describedby", "check-body-h");
    view! {
        <details class="check split">
            <summary class="pad">
                <Glyph icon=Icon::Chevron />
                "Check a delivery"
            </summary>
            <form class="pad stack" method="post" action="/integrations/webhook-check">
                <p class="soft small">
                    "Says which secret signed it, and whether it would be accepted. Nothing is \
                        stored or accepted."
                </p>
                <input type="hidden" name="connection" value=connection />
                <div class="field">
                    <label for="check-body">"Body"</label>
                    {body}
                    <p class="hint" id="check-body-h">
                        "Exactly as it was sent, to the last byte; up to about 40 KB of JSON."
                    </p>
                </div>
                <div class="field">
                    <label for="check-signature">"Signature"</label>
                    <input
                        class="input mono"
                        id="check-signature"
                        name="signature"
                        required
                        spellcheck="false"
                        autocomplete="off"
                        aria-describedby="check-signature-h"
                    />
                    <p class="hint" id="check-signature-h">
                        "The header " <code>"Linear-Signature"</code> ": 64 hex digits."
                    </p>
                </div>
                <p><button class="btn">"Check"</button></p>
            </form>
        </details>
    }
    .into_any()
}
