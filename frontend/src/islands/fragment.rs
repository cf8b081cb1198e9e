//! A link code that came behind the `#` of the address: taken into the form, erased from the
//! address bar and from the browser's history, and sent. No server ever sees a fragment, and after
//! this nobody who looks at the screen does.

use leptos::html::Div;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsValue;
use web_sys::Element;

use super::field;

/// The only address that codes go to.
const ENTER: &str = "/link";

#[island]
pub fn CodeFromAddress(children: Children) -> impl IntoView {
    let wrapper = NodeRef::<Div>::new();
    Effect::new(move || {
        let Some(island) = wrapper.get().map(Element::from) else {
            return;
        };
        take(&island);
        // A second link pasted into the address bar of this very page loads nothing anew.
        let another = move |_| {
            take(&island);
        };
        std::mem::forget(window_event_listener(leptos::ev::hashchange, another));
    });
    view! { <div class="contents" node_ref=wrapper>{children()}</div> }
}

/// An island without the form that codes are entered in leaves the code for the one that has it.
fn take(island: &Element) -> Option<()> {
    let (field, form) = field(island, "[name=code]", ENTER)?;
    let code = code()?;
    erase().ok()?;
    field.set_value(&code);
    form.submit().ok()
}

/// Reads what stands behind the `#`, unless it names a place on the page.
fn code() -> Option<String> {
    let fragment = window()
        .location()
        .hash()
        .ok()?
        .strip_prefix('#')?
        .to_owned();
    (!fragment.is_empty() && document().get_element_by_id(&fragment).is_none()).then_some(fragment)
}

fn erase() -> Result<(), JsValue> {
    let path = window().location().pathname()?;
    window()
        .history()?
        .replace_state_with_url(&JsValue::NULL, "", Some(&path))
}
