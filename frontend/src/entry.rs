//! The entry of the browser's half.

use leptos::wasm_bindgen;

#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
    // Buttons that are nothing without their island are not shown before this.
    if let Some(page) = leptos::prelude::document().document_element() {
        let _ = page.set_attribute("data-awake", "");
    }
}
