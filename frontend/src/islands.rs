//! The part of the interface that only a browser can do. Each island is a wrapper that listens to
//! what bubbles up from markup the server rendered: no props, no state, no data, so that nothing
//! but a few handlers goes into the wasm. It looks at nothing outside of itself, and sends no form
//! but the one that it was made for: whatever else is on a page, no island can be led to act on it.

mod confirm;
mod copy;
mod fragment;
mod leave;
mod live;
mod menus;
mod morph;
mod once;
mod people;
mod theme;
mod trusted;

pub use confirm::Confirm;
pub use copy::CopyButton;
pub use fragment::CodeFromAddress;
pub use leave::Leave;
pub use live::{LIVE_HEADER, Live};
pub use menus::Menus;
pub use once::Once;
pub use people::PeopleFilter;
pub use theme::SaveOnChange;

use leptos::wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlFormElement, HtmlInputElement};

/// The wrapper itself.
fn wrapper(event: &Event) -> Option<Element> {
    event.current_target()?.dyn_into().ok()
}

/// The element that the event came from, or the nearest one around it that fits, within the
/// wrapper.
fn origin(event: &Event, selector: &str) -> Option<Element> {
    let found = event
        .target()?
        .dyn_into::<Element>()
        .ok()?
        .closest(selector)
        .ok()??;
    wrapper(event)?.contains(Some(&found)).then_some(found)
}

/// The island's field that fits, and its form if that is the one that is posted to this address.
/// What a form says of itself is read from its attributes: a field called `action` would answer in
/// the place of the property.
fn field(
    island: &Element,
    selector: &str,
    action: &str,
) -> Option<(HtmlInputElement, HtmlFormElement)> {
    let field: HtmlInputElement = island.query_selector(selector).ok()??.dyn_into().ok()?;
    let form = field.form().filter(|form| island.contains(Some(form)))?;
    let says = |name: &str, value: &str| form.get_attribute(name).as_deref() == Some(value);
    (says("action", action) && says("method", "post")).then_some((field, form))
}

fn within(part: &Element, selector: &str) -> Vec<Element> {
    let Ok(found) = part.query_selector_all(selector) else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|index| found.item(index)?.dyn_into().ok())
        .collect()
}

/// Undefined of what has none.
fn property(of: &JsValue, name: &str) -> JsValue {
    js_sys::Reflect::get(of, &name.into()).unwrap_or_default()
}
