//! A value to take elsewhere: a read-only field, and a button where scripts run.

use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::islands::CopyButton;

#[component]
pub fn CopyField(id: &'static str, label: &'static str, value: String, #[prop(optional)] hint: Option<&'static str>) -> impl IntoView {
    let hint_id = hint.map(|_| format!("{id}-h"));
    let described_by = hint_id.clone();
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <CopyButton>
                <input class="input" id=id readonly value=value aria-describedby=described_by />
                <button class="btn js-only" type="button">
                    <Glyph icon=Icon::Copy />
                    <span data-says="Copied">"Copy"</span>
                    <span class="sr">" " {label}</span>
                </button>
                <span class="sr" role="status"></span>
            </CopyButton>
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
        </div>
    }
    .into_any()
}

/// The one thing to do on its page: a field whose label the button says too.
#[component]
pub fn CopyFirst(id: &'static str, label: &'static str, button: &'static str, value: String) -> impl IntoView {
    view! {
        <div class="field">
            <label class="sr" for=id>{label}</label>
            <CopyButton>
                <input class="input" id=id readonly value=value />
                <button class="btn primary js-only" type="button">
                    <Glyph icon=Icon::Copy />
                    <span data-says="Copied">{button}</span>
                </button>
                <span class="sr" role="status"></span>
            </CopyButton>
        </div>
    }
    .into_any()
}

/// A text of several lines to take elsewhere.
#[component]
pub fn CopyText(id: &'static str, label: &'static str, text: String, rows: u32) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <CopyButton>
                <textarea class="input" id=id rows=rows readonly>{text.clone()}</textarea>
                <button class="btn js-only" type="button" data-copy=text>
                    <Glyph icon=Icon::Copy />
                    <span data-says="Copied">"Copy"</span>
                    <span class="sr">" " {label}</span>
                </button>
                <span class="sr" role="status"></span>
            </CopyButton>
        </div>
    }
    .into_any()
}
