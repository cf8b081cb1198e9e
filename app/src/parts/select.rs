//! Lists that something is chosen from.

use leptos::prelude::*;

use crate::view::{CODE_HOURS, Choice};

/// Chooses the time that a new code can be used.
pub fn good_for(id: &'static str, chosen: &str) -> AnyView {
    let hours = CODE_HOURS.into_iter().map(|(value, label)| Choice {
        value: value.into(),
        label: label.into(),
        chosen: value == chosen,
    });
    view! {
        <div class="field brief">
            <label for=id>"Good for"</label>
            <select class="input" id=id name="valid">
                {options(hours.collect())}
            </select>
        </div>
    }
    .into_any()
}

pub fn options(choices: Vec<Choice>) -> AnyView {
    let option = |choice: Choice| {
        view! {
            <option value=choice.value selected=choice.chosen>{choice.label}</option>
        }
    };
    choices.into_iter().map(option).collect_view().into_any()
}
