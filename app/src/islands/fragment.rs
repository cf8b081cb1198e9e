//! A link code that came behind the `#` of the address: taken into the form, erased from the address bar and from the
//! browser's history, and sent. No server ever sees a fragment, and after this nobody who looks at the screen does.

use leptos::html::Div;
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlFormElement, HtmlInputElement};

#[island]
pub fn CodeFromAddress(children: Children) -> impl IntoView {
    let wrapper = NodeRef::<Div>::new();
    Effect::new(move || {
        let Some(wrapper) = wrapper.get() else { return };
        take(&wrapper);
        // A second link pasted into the address bar of this very page loads nothing anew.
        let listening = window_event_listener(leptos::ev::hashchange, move |_| take(&wrapper));
        std::mem::forget(listening);
    });
    view! { <div class="contents" node_ref=wrapper>{children()}</div> }
}

fn take(wrapper: &Element) {
    if let Some(code) = code()
        && erase().is_ok()
    {
        send(wrapper, &code);
    }
}

/// What stands behind the `#`, unless it names a place on the page.
fn code() -> Option<String> {
    let fragment = window().location().hash().ok()?.strip_prefix('#')?.to_owned();
    (!fragment.is_empty() && document().get_element_by_id(&fragment).is_none()).then_some(fragment)
}

fn erase() -> Result<(), JsValue> {
    let path = window().location().pathname()?;
    window().history()?.replace_state_with_url(&JsValue::NULL, "", Some(&path))
}

fn send(wrapper: &Element, code: &str) -> Option<()> {
    let form: HtmlFormElement = wrapper.query_selector("form").ok()??.dyn_into().ok()?;
    let field: HtmlInputElement = form.query_selector("[name=code]").ok()??.dyn_into().ok()?;
    field.set_value(code);
    form.submit().ok()
}
