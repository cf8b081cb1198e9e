//! Elements whose text browsers do not read as markup up to their own end tag: `<title>`,
//! `<textarea>`, `<style>`, `<script>`. The renderer writes such text as it is, so whoever closes
//! the element in it writes on as markup. They are made here and nowhere else, with their text
//! escaped; `raw_text_tests.rs` looks for others.

use leptos::html::{self, ElementChild, HtmlElement};
use leptos::prelude::*;
use leptos::svg;
use leptos_meta::Title;

/// The document's title.
#[component]
pub fn TabTitle(text: String) -> impl IntoView {
    view! { <Title text=escaped(&text) /> }
}

/// A title that stands in its document already. The renderer escapes the text of this one itself.
pub fn title(text: String) -> impl IntoView {
    html::title().child(text)
}

/// The tooltip of a picture. Inside of `<svg>` it is an element like any other.
pub fn picture_title(text: String) -> impl IntoView {
    svg::title().child(text)
}

/// A field of several lines that holds this text.
pub fn textarea(text: &str) -> HtmlElement<html::Textarea, (), (String,)> {
    // Browsers leave out a first line that is empty.
    let first = if text.starts_with('\n') { "\n" } else { "" };
    html::textarea().child(format!("{first}{}", escaped(text)))
}

/// Escapes a text for elements in which only a reference and the end tag are special (HTML,
/// "RCDATA").
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
#[path = "raw_text_tests.rs"]
mod tests;
