//! A labelled input: error first, then hint, both announced with it. The first wrong field of a
//! page takes the focus.

use leptos::prelude::*;

use super::{Glyph, Icon};

/// The complaint about a field, and whether it is the first one of the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub text: String,
    pub first: bool,
}

#[component]
pub fn Field(
    #[prop(into)] id: String,
    /// The name in the form; the same as the id unless given.
    #[prop(optional)]
    name: Option<&'static str>,
    label: &'static str,
    #[prop(default = "text")] kind: &'static str,
    /// The value that was typed before; never a password.
    #[prop(optional, into)]
    value: String,
    autocomplete: &'static str,
    #[prop(optional)] hint: Option<&'static str>,
    #[prop(optional)] placeholder: Option<&'static str>,
    #[prop(optional)] min: Option<&'static str>,
    /// The id of what the browser suggests.
    #[prop(optional)]
    list: Option<&'static str>,
    /// The field may stay empty.
    #[prop(optional)]
    optional: bool,
    /// The field takes a code: what writes in capitals by itself does, and nothing is
    /// spell-checked.
    #[prop(optional)]
    code: bool,
    #[prop(optional_no_strip)] problem: Option<Problem>,
) -> impl IntoView {
    let error_id = problem.as_ref().map(|_| format!("{id}-e"));
    let hint_id = hint.map(|_| format!("{id}-h"));
    let described: Vec<String> = error_id.iter().chain(&hint_id).cloned().collect();
    let (of, name) = (id.clone(), name.map_or_else(|| id.clone(), str::to_owned));
    view! {
        <div class="field">
            <label for=of>{label}</label>
            <input
                class=if code { "input codein" } else { "input" }
                id=id
                name=name
                type=kind
                value=value
                required=!optional
                minlength=min
                list=list
                autocapitalize=code.then_some("characters")
                spellcheck=code.then_some("false")
                placeholder=placeholder
                autocomplete=autocomplete
                aria-invalid=problem.as_ref().map(|_| "true")
                aria-describedby=(!described.is_empty()).then(|| described.join(" "))
                autofocus=problem.as_ref().is_some_and(|problem| problem.first)
            />
            {problem.map(|problem| view! {
                <p class="err" id=error_id>
                    <Glyph icon=Icon::Warning /> <span>{problem.text}</span>
                </p>
            })}
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
        </div>
    }
    .into_any()
}
