//! The preview that a chat shows beneath a link to the page.

use leptos::prelude::*;
use leptos_meta::Meta;

use crate::view::Address;

#[component]
pub fn Preview(title: String, about: &'static str) -> impl IntoView {
    let Address { origin, path } = use_context().unwrap_or_default();
    view! {
        <Meta property="og:type" content="website" />
        <Meta property="og:site_name" content="Relink" />
        <Meta property="og:title" content=title />
        <Meta property="og:description" content=about />
        // Never the query, where a page after a sign-in is named.
        <Meta property="og:url" content=format!("{origin}{path}") />
        <Meta property="og:image" content=format!("{origin}/social.png") />
        <Meta property="og:image:width" content="1200" />
        <Meta property="og:image:height" content="630" />
        <Meta property="og:image:alt" content="Two joined links, and the name Relink" />
        <Meta name="twitter:card" content="summary_large_image" />
    }
}
