//! Linear does not answer, or does not accept this Relink: what was tried, when it is tried again, and what it means.

use leptos::prelude::*;

use super::{Glyph, Icon, said, when};
use crate::view::{Answer, Waiting};

const NOT_ACCEPTED: &str = "Linear does not accept this Relink as a client";

/// On the connection's own page.
#[component]
pub fn WaitingCallout(waiting: Waiting) -> impl IntoView {
    let (lead, text) = when(&waiting.at);
    let (class, icon, heading) = if waiting.ours {
        ("callout bad", Icon::Warning, NOT_ACCEPTED)
    } else {
        ("callout wait", Icon::Clock, "Linear does not answer right now")
    };
    let tried = match waiting.failures {
        0 => None,
        1 => Some("once".to_owned()),
        failures => Some(format!("{failures} times in a row")),
    };
    view! {
        <div class=class>
            <h2>
                <Glyph icon />
                <span>{heading}</span>
            </h2>
            <dl class="ev">
                <dt>"Answer"</dt>
                <dd>{said(waiting.answer)} " " {lead} <time datetime=waiting.at.iso>{text}</time></dd>
                {tried.map(|tried| view! { <dt>"Tried"</dt> <dd>{tried}</dd> })}
                {waiting.next_try.map(|next| view! { <dt>"Next try"</dt> <dd>{next}</dd> })}
                <dt>"Meaning"</dt>
                <dd>{waiting.meaning}</dd>
            </dl>
            {waiting.ours.then(|| view! { <p>{remedy()}</p> })}
        </div>
    }
    .into_any()
}

/// Above all connections, because it concerns every one of them.
#[component]
pub fn NotAccepted(answer: Answer) -> impl IntoView {
    view! {
        <div class="flash bad" role="alert">
            <Glyph icon=Icon::Warning />
            <div>
                <p><b>{NOT_ACCEPTED} "."</b> " Answer: " {said(answer)} ". " {remedy()}</p>
            </div>
        </div>
    }
    .into_any()
}

fn remedy() -> AnyView {
    view! {
        "Whoever runs this Relink: compare "
        <code>"LINEAR_CLIENT_ID"</code>
        " and "
        <code>"LINEAR_CLIENT_SECRET"</code>
        " with the app in Linear ("
        <a href="/settings#linear-app">"Settings shows what is set"</a>
        "), then start Relink again. No connection was given up."
    }
    .into_any()
}
