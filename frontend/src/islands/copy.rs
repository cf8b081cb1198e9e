//! Copies the field beside the button, or the text that the button carries, and says so for two
//! seconds.

use std::time::Duration;

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDocument, HtmlInputElement, HtmlTextAreaElement};

use super::{origin, wrapper};

const SAID_FOR: Duration = Duration::from_secs(2);

#[island]
pub fn CopyButton(children: Children) -> impl IntoView {
    let copy = move |event: MouseEvent| {
        if let (Some(button), Some(wrapper)) = (origin(&event, "button"), wrapper(&event))
            && copied(&wrapper, &button) == Some(true)
        {
            say(&wrapper, &button);
        }
    };
    view! { <div class="copy" on:click=copy>{children()}</div> }
}

fn copied(wrapper: &Element, button: &Element) -> Option<bool> {
    match button.get_attribute("data-copy") {
        Some(text) => copied_text(wrapper, &text),
        None => copied_field(wrapper),
    }
}

fn copied_field(wrapper: &Element) -> Option<bool> {
    let field: HtmlInputElement = wrapper.query_selector("input").ok()??.dyn_into().ok()?;
    field.focus().ok()?;
    field.select();
    copy_selection()
}

/// Copies by way of a field that is there for a moment: only those can be selected as they are.
fn copied_text(wrapper: &Element, text: &str) -> Option<bool> {
    let field: HtmlTextAreaElement = document()
        .create_element("textarea")
        .ok()?
        .dyn_into()
        .ok()?;
    field.set_class_name("sr");
    field.set_value(text);
    wrapper.append_child(&field).ok()?;
    field.select();
    let copied = copy_selection();
    field.remove();
    copied
}

/// The old command, because `navigator.clipboard` does not exist where Relink is served over plain
/// http.
fn copy_selection() -> Option<bool> {
    document()
        .dyn_into::<HtmlDocument>()
        .ok()?
        .exec_command("copy")
        .ok()
}

fn say(wrapper: &Element, button: &Element) {
    if let Some(button) = button.dyn_ref::<web_sys::HtmlElement>() {
        let _ = button.focus();
    }
    let (Ok(Some(label)), Ok(Some(status))) = (
        button.query_selector("[data-says]"),
        wrapper.query_selector("[role=status]"),
    ) else {
        return;
    };
    let before = label.text_content();
    let says = label.get_attribute("data-says");
    if before == says {
        return;
    }
    label.set_text_content(says.as_deref());
    status.set_text_content(says.as_deref());
    set_timeout(
        move || {
            label.set_text_content(before.as_deref());
            status.set_text_content(None);
        },
        SAID_FOR,
    );
}
