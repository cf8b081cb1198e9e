//! For tests: a view as the HTML that leaves the server.

use std::sync::Arc;

use hydration_context::SsrSharedContext;
use leptos::prelude::*;

use crate::view::{Freshness, Moment};

/// Islands want to know that nothing around them is hydrated.
pub fn html<View: IntoView>(view: impl FnOnce() -> View) -> String {
    Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands()))).with(|| view().to_html())
}

/// Of a page that was made this second.
pub fn as_of() -> Freshness {
    Freshness { at: Moment { iso: "2026-11-19T14:02:11Z".to_owned(), text: "14:02:11 UTC".to_owned() }, mark: "7-3".to_owned() }
}
