//! A list of people to pick from that gets shorter while a name is typed. Whoever is picked stays
//! in sight: nobody invites people whom they do not see.

use js_sys::JsString;
use leptos::ev::Event;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement};

use super::{origin, wrapper};

#[island]
pub fn PeopleFilter(children: Children) -> impl IntoView {
    let find = move |event: Event| {
        let search = origin(&event, "[type=search]")
            .and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
        if let (Some(search), Some(wrapper)) = (search, wrapper(&event)) {
            narrow(&wrapper, &lower(&search.value()));
        }
    };
    view! { <div class="contents" on:input=find>{children()}</div> }
}

fn narrow(wrapper: &Element, words: &str) -> Option<()> {
    let list = wrapper.query_selector("[data-list]").ok()??;
    let groups = inside(&list)
        .filter(|group| narrow_group(group, words))
        .count();
    let status = wrapper.query_selector("[data-nobody]").ok()??;
    let nobody = status.get_attribute("data-nobody").filter(|_| groups == 0);
    if status.text_content().as_deref() != Some(nobody.as_deref().unwrap_or_default()) {
        status.set_text_content(nobody.as_deref());
    }
    Some(())
}

/// Whether anybody of the group is left.
fn narrow_group(group: &Element, words: &str) -> bool {
    let people = inside(group).filter(|child| child.matches("label") == Ok(true));
    let left = people
        .filter(|person| show(person, fits(person, words) || is_picked(person)))
        .count();
    show(group, left > 0)
}

fn inside(parent: &Element) -> impl Iterator<Item = Element> {
    std::iter::successors(parent.first_element_child(), Element::next_element_sibling)
}

fn fits(person: &Element, words: &str) -> bool {
    let text = lower(&person.text_content().unwrap_or_default());
    words.split_whitespace().all(|word| text.contains(word))
}

/// Lowers by the browser, which has the tables for it: they would be a tenth of the wasm.
fn lower(text: &str) -> String {
    JsString::from(text).to_lower_case().into()
}

fn is_picked(person: &Element) -> bool {
    matches!(person.query_selector(":checked"), Ok(Some(_)))
}

/// Answers whether it is shown.
fn show(element: &Element, shown: bool) -> bool {
    let _ = if shown {
        element.remove_attribute("hidden")
    } else {
        element.set_attribute("hidden", "")
    };
    shown
}
