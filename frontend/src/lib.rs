//! The wasm entry point: finds the islands in the page and brings them to life.

// Without this use the linker drops the islands' exports and nothing hydrates.
#[expect(unused_imports, reason = "the islands are exported by being linked in")]
use relink_app::*;

#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
    // Buttons that are nothing without their island are not shown before this.
    if let Some(page) = leptos::prelude::document().document_element() {
        let _ = page.set_attribute("data-awake", "");
    }
}
