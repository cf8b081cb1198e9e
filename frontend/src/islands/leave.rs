//! A form that leaves for Linear says so: the answer may take a second, and nothing on the page
//! would move.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::{Element, Node};

use super::wrapper;

#[island]
pub fn Leave(children: Children) -> impl IntoView {
    let leave = move |event: SubmitEvent| {
        let button = event
            .submitter()
            .and_then(|button| button.dyn_into::<Element>().ok());
        if let Some((button, island)) = button.zip(wrapper(&event))
            && island.contains(Some(&button))
        {
            say_goodbye(button);
        }
    };
    view! { <div class="contents" on:submit=leave>{children()}</div> }
}

fn say_goodbye(button: Element) {
    let before: Vec<Node> =
        std::iter::successors(button.first_child(), Node::next_sibling).collect();
    let _ = button.set_attribute("aria-busy", "true");
    button.set_text_content(Some("Going to Linear…"));
    // Coming back with the browser's Back button may show this very page again, still busy.
    let restore = window_event_listener(leptos::ev::pageshow, move |_| {
        button.set_text_content(None);
        for node in &before {
            let _ = button.append_child(node);
        }
        let _ = button.remove_attribute("aria-busy");
    });
    std::mem::forget(restore);
}
