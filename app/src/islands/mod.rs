//! What only a browser can do. Each island is a wrapper that listens to what bubbles up from markup the server
//! rendered: no props, no state, no data, so that nothing but a few handlers goes into the wasm.

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

pub use confirm::Confirm;
pub use copy::CopyButton;
pub use fragment::CodeFromAddress;
pub use leave::Leave;
pub use live::Live;
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

/// The element that the event came from, or the nearest one around it that fits.
fn origin(event: &Event, selector: &str) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest(selector).ok()?
}

/// The field of the page that fits, and its form.
fn field(selector: &str) -> Option<(HtmlInputElement, HtmlFormElement)> {
    let field: HtmlInputElement = leptos::prelude::document().query_selector(selector).ok()??.dyn_into().ok()?;
    let form = field.form()?;
    Some((field, form))
}

fn within(part: &Element, selector: &str) -> Vec<Element> {
    let Ok(found) = part.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok()).collect()
}

fn property(element: &Element, name: &str) -> JsValue {
    js_sys::Reflect::get(element, &name.into()).unwrap_or_default()
}
