//! The destinations of deliveries: the section at the foot of `/deliveries`, and the secret of a
//! new destination, once.

use leptos::prelude::*;

use super::destination_forms::{NewDestination, SendAgain};
use crate::parts::{
    Ask, CopyFirst, Glyph, Icon, Question, counted_deliveries, said_last, why_paused,
};
use crate::view::{
    DestinationState, DestinationView, HandedOnView, NewDestinationView, PausedBecause,
};

const HERE: &str = "/deliveries#destinations";
const STANDARD: &str = "https://www.standardwebhooks.com/";

/// The top of the page: the secret that was just made, or that there is none to show any more.
#[component]
pub fn NewSecret(new_destination: NewDestinationView) -> impl IntoView {
    let done = view! { <p><a class="btn" href=HERE>"Done"</a></p> };
    match new_destination {
        NewDestinationView::Shown { name, secret } => view! {
            <section class="once" aria-labelledby="h-new-secret">
                <div>
                    <h2 id="h-new-secret">"Signing secret for " {name} ", shown once."</h2>
                    <p class="soft small">
                        "Relink seals it and never shows it again. Verify with any "
                        <a href=STANDARD rel="external noreferrer">"Standard Webhooks"</a>
                        " library."
                    </p>
                </div>
                <CopyFirst
                    id="new-secret"
                    label="Signing secret"
                    button="Copy secret"
                    value=secret
                />
                {done}
            </section>
        }
        .into_any(),
        NewDestinationView::Gone => view! {
            <div class="panel pad stack first-thing">
                <p>"This secret was shown already. If it got lost, remove the destination and add \
                    it again: that makes a new one."</p>
                {done}
            </div>
        }
        .into_any(),
    }
}

#[component]
pub fn HandedOn(handed_on: HandedOnView) -> impl IntoView {
    let HandedOnView { destinations, form } = handed_on;
    let manages = form.is_some();
    let again = (manages && !destinations.is_empty())
        .then(|| view! { <SendAgain destinations=destinations.clone() /> });
    view! {
        <section class="section" id="destinations" aria-labelledby="h-destinations">
            <header>
                <div>
                    <h2 id="h-destinations">"Handed on"</h2>
                    <p>
                        "Every accepted delivery is sent on to your destinations, signed as "
                        <a href=STANDARD rel="external noreferrer">"Standard Webhooks"</a>
                        " describes and retried for three days."
                    </p>
                </div>
            </header>
            <div class="panel">
                {list(destinations, manages)}
                {again}
                {form.map(|form| view! { <NewDestination form /> })}
            </div>
        </section>
    }
    .into_any()
}

/// The destinations on the page of a workspace, whose deliveries go there as those of every other
/// do.
#[component]
pub fn HandedOnThere(destinations: Vec<DestinationView>, manages: bool) -> impl IntoView {
    let way = if manages {
        "Add or change destinations"
    } else {
        "See destinations"
    };
    view! {
        <section class="section" aria-labelledby="h-handed">
            <header>
                <div>
                    <h2 id="h-handed">"Handed on"</h2>
                    <p>
                        "Where the deliveries of every workspace are sent on to. "
                        <a href=HERE>{way}</a>
                    </p>
                </div>
            </header>
            <div class="panel" data-part="handed">
                {list(destinations, false)}
            </div>
        </section>
    }
    .into_any()
}

fn list(destinations: Vec<DestinationView>, manages: bool) -> AnyView {
    if destinations.is_empty() {
        let none = "No destination yet: deliveries are kept here, where programs read them over \
            the API.";
        return view! { <p class="pad soft">{none}</p> }.into_any();
    }
    let rows = destinations
        .into_iter()
        .map(|destination| row(destination, manages))
        .collect_view();
    view! { <ul class="secrets dests">{rows}</ul> }.into_any()
}

fn row(destination: DestinationView, manages: bool) -> AnyView {
    let (class, icon, name) = match destination.state {
        DestinationState::Active => ("tag ok", Icon::Check, "Active"),
        DestinationState::Failing { .. } => ("tag wait", Icon::Clock, "Failing"),
        DestinationState::Paused {
            because: PausedBecause::Person,
            ..
        } => ("tag", Icon::Minus, "Paused"),
        DestinationState::Paused { .. } => ("tag wait", Icon::Warning, "Paused"),
    };
    view! {
        <li data-key=destination.id.clone()>
            <span class=class><Glyph icon /> {name}</span>
            <p>
                <code>{destination.url.clone()}</code>
                <small>
                    {gets(&destination)} ". Secret " <code>{destination.secret.clone()}</code>
                </small>
                <small>{state(&destination)} {taken(&destination)} {left(&destination)}</small>
            </p>
            {manages.then(|| buttons(&destination))}
        </li>
    }
    .into_any()
}

/// "All events, in order for each issue"
fn gets(destination: &DestinationView) -> String {
    let events = if destination.events.is_empty() {
        "All events".to_owned()
    } else {
        format!("{} events", destination.events.join(", "))
    };
    if destination.ordered {
        format!("{events}, in order for each issue")
    } else {
        events
    }
}

/// The trouble of a destination; `None` for one that works.
fn state(destination: &DestinationView) -> Option<AnyView> {
    let (lead, since, because, answer) = match destination.state.clone() {
        DestinationState::Active => return None,
        DestinationState::Failing { since, answer } => ("Failing since ", since, None, answer),
        DestinationState::Paused {
            since,
            because,
            answer,
        } => ("Paused since ", since, Some(why_paused(because)), answer),
    };
    let because = because.map(|because| format!(", because {because}"));
    Some(
        view! {
            {lead} <time datetime=since.iso>{since.text}</time> {because} {said_last(answer)} ". "
        }
        .into_any(),
    )
}

fn taken(destination: &DestinationView) -> AnyView {
    match destination.taken.clone() {
        Some(at) => view! { "Took a delivery " <time datetime=at.iso>{at.text}</time> }.into_any(),
        None => "Took no delivery yet".into_any(),
    }
}

/// ". 3 deliveries wait, 1 given up"
fn left(destination: &DestinationView) -> Option<String> {
    let waits = if destination.waiting == 1 {
        "1 delivery waits".to_owned()
    } else {
        format!("{} deliveries wait", destination.waiting)
    };
    let waiting = (destination.waiting > 0).then_some(waits);
    let given_up = (destination.given_up > 0).then(|| format!("{} given up", destination.given_up));
    let parts: Vec<String> = waiting.into_iter().chain(given_up).collect();
    (!parts.is_empty()).then(|| format!(". {}", parts.join(", ")))
}

fn buttons(destination: &DestinationView) -> AnyView {
    let paused = matches!(destination.state, DestinationState::Paused { .. });
    let (action, label) = if paused {
        ("/deliveries/destinations/resume", "Resume")
    } else {
        ("/deliveries/destinations/pause", "Pause")
    };
    let (id, name) = (destination.id.clone(), destination.name.clone());
    let asked = vec![
        ("confirm", "destination".to_owned()),
        ("destination", id.clone()),
    ];
    view! {
        <div class="do">
            <form method="post" action=action>
                <input type="hidden" name="destination" value=id />
                <button class="btn">{label} <span class="sr">" " {name.clone()}</span></button>
            </form>
            <Ask question=removal_question(destination) asked class="btn">
                "Remove"
                <span class="sr">" " {name}</span>
            </Ask>
        </div>
    }
    .into_any()
}

/// Asks before a destination is removed.
pub fn removal_question(destination: &DestinationView) -> Question {
    let waiting = destination.waiting;
    let (wait, are) = if waiting == 1 {
        ("waits", "is")
    } else {
        ("wait", "are")
    };
    let dropped = (waiting > 0).then(|| {
        format!(
            "{} that {wait} for it {are} not sent there",
            counted_deliveries(waiting)
        )
    });
    let points = dropped
        .into_iter()
        .chain(["Its signing secret is forgotten".to_owned()])
        .collect();
    Question {
        id: format!("destination-{}", destination.id),
        heading: format!("Remove {}?", destination.name),
        note: "You can add it again later; it gets a new signing secret then.".to_owned(),
        points,
        stays: Vec::new(),
        action: "/deliveries/destinations/remove",
        fields: vec![("destination", destination.id.clone())],
        page: HERE.to_owned(),
        keep: "Keep it",
        go: "Remove",
        ..Question::default()
    }
}

#[cfg(test)]
#[path = "destinations_tests.rs"]
mod tests;
