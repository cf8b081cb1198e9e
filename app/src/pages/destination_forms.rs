//! The forms of destinations: a new one, and deliveries to be sent again.

use leptos::prelude::*;

use super::sign_in::words;
use crate::parts::{Field, Glyph, Icon, Problem, for_organisation};
use crate::view::{Choice, DestinationForm, DestinationView, RESENT_AT_ONCE};

#[component]
pub fn NewDestination(form: DestinationForm) -> impl IntoView {
    let DestinationForm {
        url,
        events,
        ordered,
        complaint,
    } = form;
    let problem = complaint.map(|complaint| Problem {
        text: words(complaint),
        first: true,
    });
    view! {
        <form
            class="pad split stack"
            method="post"
            action=for_organisation("/deliveries/destinations")
        >
            <h3>"Add a destination"</h3>
            <Field
                id="url"
                label="URL"
                kind="url"
                value=url
                autocomplete="off"
                placeholder="https://hooks.example.com/linear"
                hint="It gets a signing secret of its own, shown once after adding."
                problem
            />
            {event_types(events)}
            <label class="tick">
                <input type="checkbox" name="ordered" value="yes" checked=ordered />
                <span>"Keep events about the same issue in order. One that fails holds up those \
                    after it."</span>
            </label>
            <p>
                <button class="btn">
                    <Glyph icon=Icon::Plus />
                    "Add destination"
                </button>
            </p>
        </form>
    }
    .into_any()
}

/// Lists the types of events, folded away until some are picked.
fn event_types(events: Vec<Choice>) -> AnyView {
    let picked = events.iter().any(|event| event.chosen);
    let tick = |event: Choice| {
        view! {
            <label>
                <input type="checkbox" name="events[]" value=event.value checked=event.chosen />
                <span>{event.label}</span>
            </label>
        }
    };
    view! {
        <details class="grant" open=picked>
            <summary>"All events unless you pick some"</summary>
            <fieldset class="picks">
                <legend class="sr">"Types of events"</legend>
                {events.into_iter().map(tick).collect_view()}
            </fieldset>
        </details>
    }
    .into_any()
}

#[component]
pub fn SendAgain(destinations: Vec<DestinationView>) -> impl IntoView {
    let to = destinations
        .into_iter()
        .map(|destination| view! { <option value=destination.id>{destination.name}</option> })
        .collect_view();
    let newest = RESENT_AT_ONCE
        .into_iter()
        .map(|most| view! { <option value=most>{format!("The newest {}", grouped(most))}</option> })
        .collect_view();
    view! {
        <details class="check split">
            <summary class="pad">
                <Glyph icon=Icon::Chevron />
                "Send deliveries again"
            </summary>
            <form class="pad stack" method="post" action="/deliveries/resend-newest">
                <p class="soft small">
                    "The destination gets again what it took before, under the same "
                    <code>"webhook-id"</code>
                    ", and events of every type, even if it takes only some. A single delivery is \
                        sent again from its row above."
                </p>
                <div class="row">
                    <div class="field">
                        <label for="resend-to">"Destination"</label>
                        <select class="input" id="resend-to" name="destination">
                            {to}
                        </select>
                    </div>
                    <div class="field">
                        <label for="resend-newest">"Deliveries"</label>
                        <select class="input" id="resend-newest" name="newest">
                            {newest}
                        </select>
                    </div>
                    <button class="btn">"Send again"</button>
                </div>
            </form>
        </details>
    }
    .into_any()
}

/// "1,000"
fn grouped(number: u32) -> String {
    if number < 1_000 {
        number.to_string()
    } else {
        format!("{},{:03}", number / 1_000, number % 1_000)
    }
}
