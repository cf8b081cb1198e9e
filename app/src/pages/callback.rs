//! `/oauth/linear/callback`: where Linear sends the browser back to. There is nothing to see: the
//! answer is a redirect.

use leptos::prelude::*;

use super::load::instead;
use crate::api::finish_connect;

#[component]
pub fn CallbackPage() -> impl IntoView {
    let query = query_string();
    Suspend::new(async move {
        // Whatever went wrong is said on the page that the redirect leads to; what is left is a
        // store that is down.
        if let Err(failure) = finish_connect(query).await {
            return instead(&failure).await;
        }
        ().into_any()
    })
}

/// The query as it came: the router's own reading of it would hide a parameter that comes twice.
fn query_string() -> String {
    let parts = use_context::<axum::http::request::Parts>();
    parts
        .and_then(|parts| parts.uri.query().map(str::to_owned))
        .unwrap_or_default()
}
