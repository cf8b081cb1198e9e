//! The part of an opened delivery that tells what became of it at each destination.

use leptos::prelude::*;

use crate::parts::{Glyph, Icon, said};
use crate::view::{Answer, DeliveryAttemptView, Fate, Moment, NextTry};

/// Lists them; empty where the delivery is handed on to nobody. `back` is the page that this is on.
#[component]
pub fn DeliveryAttempts(
    number: i64,
    handed: Vec<DeliveryAttemptView>,
    back: String,
    manages: bool,
) -> impl IntoView {
    if handed.is_empty() {
        return ().into_any();
    }
    let rows = view! {
        <p class="muted">"Handed on"</p>
        <ul>{handed.into_iter().map(|one| row(one, manages)).collect_view()}</ul>
    };
    if !manages {
        return view! { <div class="handed">{rows}</div> }.into_any();
    }
    view! {
        <form class="handed" method="post" action="/deliveries/resend">
            <input type="hidden" name="delivery" value=number />
            <input type="hidden" name="back" value=back />
            {rows}
        </form>
    }
    .into_any()
}

fn row(handed: DeliveryAttemptView, manages: bool) -> AnyView {
    let (class, icon) = match handed.fate {
        Fate::Sent { .. } => ("ok", Icon::Check),
        Fate::Waiting { .. } => ("wait", Icon::Clock),
        Fate::GivenUp { .. } => ("bad", Icon::Cross),
        Fate::Unwanted | Fate::NotSent => ("", Icon::Minus),
    };
    let new = matches!(handed.fate, Fate::Unwanted | Fate::NotSent);
    let (id, name) = (handed.destination, handed.name.clone());
    let button = manages.then(|| {
        view! {
            <button class="btn quiet" name="destination" value=id>
                {if new { "Send" } else { "Send again" }}
                <span class="sr">" to " {name}</span>
            </button>
        }
    });
    view! {
        <li class=class>
            <Glyph icon />
            <p>{words(handed.name, handed.fate)}</p>
            {button}
        </li>
    }
    .into_any()
}

fn words(name: String, fate: Fate) -> AnyView {
    match fate {
        Fate::Sent { answer, at } => view! {
            "Sent to " <b>{name}</b> {then(", ", answer)} {ago(", ", at)}
        }
        .into_any(),
        Fate::Waiting {
            answer,
            tries,
            next,
        } => view! {
            "Waiting for " <b>{name}</b> {then(": ", answer)} {tried(tries)} {again(next)}
        }
        .into_any(),
        Fate::GivenUp { answer, tries, at } => view! {
            "Gave up on " <b>{name}</b> {then(": ", answer)} {tried(tries)} {ago(", last ", at)}
        }
        .into_any(),
        Fate::Unwanted => view! { "Not sent to " <b>{name}</b> ", which takes events of other \
        types" }
        .into_any(),
        Fate::NotSent => view! { "Not sent to " <b>{name}</b> }.into_any(),
    }
}

fn then(lead: &'static str, answer: Option<Answer>) -> Option<AnyView> {
    answer.map(|answer| view! { {lead} {said(answer)} }.into_any())
}

fn ago(lead: &'static str, at: Option<Moment>) -> Option<AnyView> {
    at.map(|at| view! { {lead} <time datetime=at.iso>{at.text}</time> }.into_any())
}

/// An empty text would leave a space.
fn tried(tries: u32) -> Option<String> {
    match tries {
        0 => None,
        1 => Some(", tried once".to_owned()),
        _ => Some(format!(", tried {tries} times")),
    }
}

fn again(next: NextTry) -> String {
    match next {
        NextTry::At(within) => format!(", again {within}"),
        NextTry::First => ", not tried yet".to_owned(),
        NextTry::Soon => ", to be sent again".to_owned(),
        NextTry::Paused => ", until it is resumed".to_owned(),
    }
}

#[cfg(test)]
#[path = "delivery_attempts_tests.rs"]
mod tests;
