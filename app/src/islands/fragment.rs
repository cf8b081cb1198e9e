//! A link code that came behind the `#` of the address: taken into the form, erased from the address bar and from the
//! browser's history, and sent. No server ever sees a fragment, and after this nobody who looks at the screen does.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsValue;

use super::field;

#[island]
pub fn CodeFromAddress(children: Children) -> impl IntoView {
    Effect::new(|| {
        take();
        // A second link pasted into the address bar of this very page loads nothing anew.
        std::mem::forget(window_event_listener(leptos::ev::hashchange, |_| take()));
    });
    view! { <div class="contents">{children()}</div> }
}

fn take() {
    if let Some(code) = code()
        && erase().is_ok()
    {
        send(&code);
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

fn send(code: &str) -> Option<()> {
    let (field, form) = field("[name=code]")?;
    field.set_value(code);
    form.submit().ok()
}
