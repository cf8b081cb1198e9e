//! A value to take elsewhere: a read-only field, and a button where scripts run.

use leptos::prelude::*;

use super::{Glyph, Icon, textarea};
use relink_frontend::CopyButton;

#[component]
pub fn CopyField(
    #[prop(into)] id: String,
    label: &'static str,
    value: String,
    /// The name of the thing, for those who do not see where it stands.
    #[prop(optional)]
    whose: String,
    #[prop(optional)] hint: Option<&'static str>,
) -> impl IntoView {
    let hint_id = hint.map(|_| format!("{id}-h"));
    let (of, described_by) = (id.clone(), hint_id.clone());
    let [in_label, in_button] = [whose.clone(), whose]
        .map(|whose| (!whose.is_empty()).then(|| view! { <span class="sr">{whose}</span> }));
    view! {
        <div class="field">
            <label for=of>{label} {in_label}</label>
            <CopyButton>
                <input class="input" id=id readonly value=value aria-describedby=described_by />
                <button class="btn js-only" type="button">
                    <Glyph icon=Icon::Copy />
                    <span data-says="Copied">"Copy"</span>
                    <span class="sr">" " {label}</span>
                    {in_button}
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
pub fn CopyFirst(
    id: &'static str,
    label: &'static str,
    button: &'static str,
    value: String,
) -> impl IntoView {
    said_by_button(
        id.to_owned(),
        label.to_owned(),
        "btn primary js-only",
        view! { <span data-says="Copied">{button}</span> }.into_any(),
        value,
    )
}

/// One of several such fields. `whose` is for those who do not see where it stands.
#[component]
pub fn CopyListed(
    id: String,
    label: &'static str,
    button: &'static str,
    whose: String,
    value: String,
) -> impl IntoView {
    let label = format!("{label}{whose}");
    let words = view! { <span data-says="Copied">{button}</span> <span class="sr">{whose}</span> };
    said_by_button(id, label, "btn js-only", words.into_any(), value)
}

fn said_by_button(
    id: String,
    label: String,
    class: &'static str,
    words: AnyView,
    value: String,
) -> AnyView {
    let of = id.clone();
    view! {
        <div class="field">
            <label class="sr" for=of>{label}</label>
            <CopyButton>
                <input class="input" id=id readonly value=value />
                <button class=class type="button">
                    <Glyph icon=Icon::Copy />
                    {words}
                </button>
                <span class="sr" role="status"></span>
            </CopyButton>
        </div>
    }
    .into_any()
}

/// A text of several lines to take elsewhere.
#[component]
pub fn CopyText(
    #[prop(into)] id: String,
    label: &'static str,
    text: String,
    rows: u32,
) -> impl IntoView {
    let of = id.clone();
    view! {
        <div class="field">
            <label for=of>{label}</label>
            <CopyButton>
                {textarea(&text).class("input").id(id).rows(rows).readonly(true)}
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
