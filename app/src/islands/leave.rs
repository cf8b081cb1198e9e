//! A form that leaves for Linear says so: the answer may take a second, and nothing on the page would move.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::Element;

#[island]
pub fn Leave(children: Children) -> impl IntoView {
    let leave = move |event: SubmitEvent| {
        let button = event.submitter().and_then(|button| button.dyn_into::<Element>().ok());
        if let Some(button) = button {
            say_goodbye(button);
        }
    };
    view! { <div class="contents" on:submit=leave>{children()}</div> }
}

fn say_goodbye(button: Element) {
    let before = button.inner_html();
    let _ = button.set_attribute("aria-busy", "true");
    button.set_text_content(Some("Going to Linear…"));
    // Coming back with the browser's Back button may show this very page again, still busy.
    let restore = window_event_listener(leptos::ev::pageshow, move |_| {
        button.set_inner_html(&before);
        let _ = button.remove_attribute("aria-busy");
    });
    std::mem::forget(restore);
}
