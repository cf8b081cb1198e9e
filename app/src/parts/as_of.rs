//! How old the page is. Nothing on it moves by itself, so it says when it was made and offers a fresh one.

use leptos::prelude::*;

use crate::view::Moment;

#[component]
pub fn AsOf(at: Moment, page: String) -> impl IntoView {
    view! {
        <p class="live">
            <span>"As of " <time datetime=at.iso>{at.text}</time> ". " <a href=page>"Refresh"</a></span>
        </p>
    }
}
