//! A person in a row: initials, name, and the e-mail that tells them from others of that name.

use leptos::prelude::*;

use crate::view::PersonLineView;

#[component]
pub fn PersonLine(who: PersonLineView) -> impl IntoView {
    view! {
        <span class="who-cell">
            <span class="ava" aria-hidden="true">{who.initials}</span>
            <span><b>{who.name}</b> <small>{who.email}</small></span>
        </span>
    }
    .into_any()
}
