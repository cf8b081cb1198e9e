//! Finding one of many connections: the search, and the pages of what it found.

use leptos::prelude::*;

use crate::view::{PagerView, SearchView};

const HERE: &str = "/integrations";

#[component]
pub fn Search(search: SearchView, all: u32) -> impl IntoView {
    let SearchView { q, found } = search;
    let narrowed = (!q.is_empty() && found > 0).then(|| {
        view! {
            <p role="status">
                {format!("{found} of {all} workspaces. ")} <a href=HERE>"Show all"</a>
            </p>
        }
    });
    view! {
        <form class="search" role="search" method="get" action=HERE>
            <input
                class="input"
                type="search"
                name="q"
                value=q
                aria-label="Find a workspace"
                placeholder="Find a workspace"
                maxlength="100"
            />
            <button class="btn">"Search"</button>
            {narrowed}
        </form>
    }
    .into_any()
}

#[component]
pub fn NothingFound(q: String) -> impl IntoView {
    view! {
        <div class="panel pad soft">
            <p role="status">
                {format!("No workspace matches “{q}”. ")} <a href=HERE>"Show all"</a>
            </p>
        </div>
    }
    .into_any()
}

#[component]
pub fn Pager(pager: PagerView) -> impl IntoView {
    let PagerView {
        first,
        last,
        of,
        previous,
        next,
    } = pager;
    view! {
        <nav class="pager" aria-label="Pages">
            <span>{format!("{first} to {last} of {of}")}</span>
            {previous.map(|address| view! {
                <a class="btn" rel="prev" href=address>"Previous"</a>
            })}
            {next.map(|address| view! { <a class="btn" rel="next" href=address>"Next"</a> })}
        </nav>
    }
    .into_any()
}
