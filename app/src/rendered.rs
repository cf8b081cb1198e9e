//! Renders a view for tests as the HTML that leaves the server.

use std::sync::Arc;

use hydration_context::SsrSharedContext;
use leptos::prelude::*;

/// Islands want to know that nothing around them is hydrated.
pub fn html<View: IntoView>(view: impl FnOnce() -> View) -> String {
    Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands()))).with(|| view().to_html())
}
