//! Destinations that take nothing any more: only a person can change that, so it is said first.

use leptos::prelude::*;

use super::{Glyph, Icon, counted_deliveries, said_last};
use crate::view::{Answer, DestinationState, DestinationView, HandedOnView, Moment, PausedBecause};

/// The number of warnings beyond which more help nobody; the list at the foot of the page has them
/// all.
const SHOWN_MAX: usize = 3;

#[component]
pub fn PausedNotices(handed_on: HandedOnView) -> impl IntoView {
    let manages = handed_on.form.is_some();
    let shown = |destination: DestinationView| match destination.state.clone() {
        // Whoever paused it knows.
        DestinationState::Paused {
            because: PausedBecause::Person,
            ..
        } => None,
        DestinationState::Paused {
            since,
            because,
            answer,
        } => {
            let rest = view! {
                {reason(since, because, answer)} ". " {waiting(destination.waiting)} " "
                {way_on(manages)}
            };
            Some(notice(&destination, rest.into_any(), manages))
        }
        DestinationState::Active | DestinationState::Failing { .. } => None,
    };
    handed_on
        .destinations
        .into_iter()
        .filter_map(shown)
        .take(SHOWN_MAX)
        .collect_view()
        .into_any()
}

fn notice(destination: &DestinationView, rest: AnyView, manages: bool) -> AnyView {
    let name = destination.name.clone();
    view! {
        <div class="flash wait">
            <Glyph icon=Icon::Warning />
            <div>
                <p><b>"Nothing is sent to " {name} " any more."</b> " " {rest}</p>
                {manages.then(|| resume(destination))}
            </div>
        </div>
    }
    .into_any()
}

fn resume(destination: &DestinationView) -> AnyView {
    view! {
        <form class="do" method="post" action="/deliveries/destinations/resume">
            <input type="hidden" name="destination" value=destination.id.clone() />
            <button class="btn">
                <Glyph icon=Icon::Turn />
                "Resume"
                <span class="sr">" " {destination.name.clone()}</span>
            </button>
        </form>
    }
    .into_any()
}

fn reason(since: Moment, because: PausedBecause, answer: Option<Answer>) -> AnyView {
    let (lead, text) = since.in_sentence();
    view! {
        "It was paused " {lead} <time datetime=since.iso>{text}</time> " because "
        {why_paused(because)} {said_last(answer)}
    }
    .into_any()
}

fn waiting(count: u64) -> String {
    match count {
        0 => "Nothing waits for it yet.".to_owned(),
        1 => "1 delivery waits for it.".to_owned(),
        _ => format!("{} wait for it.", counted_deliveries(count)),
    }
}

fn way_on(manages: bool) -> &'static str {
    if manages {
        "Resume it when it works again; what waits goes first."
    } else {
        "An admin of your organisation can resume it."
    }
}

/// Names the reason as the end of a sentence.
#[must_use]
pub fn why_paused(because: PausedBecause) -> &'static str {
    match because {
        PausedBecause::Failures => "it failed for a day",
        PausedBecause::Gone => "it said that it is gone",
        PausedBecause::Person => "somebody paused it",
    }
}
