//! A form that is sent once: on a phone a button is easily pressed twice, and the second answer
//! finds the code used up.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use web_sys::Element;

use super::origin;

const SENT: &str = "data-sent";

#[island]
pub fn Once(children: Children) -> impl IntoView {
    let send = move |event: SubmitEvent| {
        let Some(form) = origin(&event, "form") else {
            return;
        };
        if form.has_attribute(SENT) {
            event.prevent_default();
        } else {
            note(form);
        }
    };
    view! { <div class="contents" on:submit=send>{children()}</div> }
}

fn note(form: Element) {
    let _ = form.set_attribute(SENT, "");
    // Coming back with the browser's Back button may show this very page again.
    let restore = window_event_listener(leptos::ev::pageshow, move |_| {
        let _ = form.remove_attribute(SENT);
    });
    std::mem::forget(restore);
}
