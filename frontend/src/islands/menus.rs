//! Menus that close as people expect it: by Escape, and when the focus goes elsewhere.

use leptos::ev::{FocusEvent, KeyboardEvent};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, Node};

use super::{within, wrapper};

#[island]
pub fn Menus(children: Children) -> impl IntoView {
    let escape = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            close(&event, None);
        }
    };
    let leave = move |event: FocusEvent| {
        let next = event
            .related_target()
            .and_then(|next| next.dyn_into::<Node>().ok());
        // Whoever goes to another window finds the menu as it was.
        if next.is_some() || document().has_focus().unwrap_or(true) {
            close(&event, next.or_else(|| document().body().map(Node::from)));
        }
    };
    view! { <div class="contents" on:keydown=escape on:focusout=leave>{children()}</div> }
}

/// All but the one that the focus goes into. If it goes nowhere, it stays at the menu's own button.
fn close(event: &Event, next: Option<Node>) -> Option<()> {
    for menu in within(&wrapper(event)?, "details[open]") {
        if next.is_some() && menu.contains(next.as_ref()) {
            continue;
        }
        let _ = menu.remove_attribute("open");
        if next.is_none() {
            menu.query_selector("summary")
                .ok()??
                .dyn_into::<HtmlElement>()
                .ok()?
                .focus()
                .ok()?;
        }
    }
    Some(())
}
