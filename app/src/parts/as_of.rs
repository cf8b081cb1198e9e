//! The age of the page. It is kept up to date where the browser can; otherwise the page says when
//! it was made and offers a fresh one.

use leptos::prelude::*;

use crate::view::Freshness;
use relink_frontend::Live;

#[component]
pub fn AsOf(
    at: Freshness,
    page: String,
    /// The topics that the page depends on, as the server names them: "connections people".
    topics: &'static str,
) -> impl IntoView {
    view! {
        <Live>
            <p class="live" data-from=at.mark data-of=at.organisation data-topics=topics>
                <i aria-hidden="true"></i>
                <span>
                    <span data-words="">
                        "As of " <time datetime=at.at.iso>{at.at.text}</time> ". "
                    </span>
                    <a href=page>"Refresh"</a>
                </span>
            </p>
            <p class="sr" role="status"></p>
        </Live>
    }
}
