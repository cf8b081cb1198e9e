//! The pages that people see, the small parts they are made of, islands, view types and every
//! server function.

pub mod api;
pub mod pages;
pub mod parts;
pub mod view;

#[cfg(test)]
mod rendered;
#[cfg(test)]
mod sample_views;
#[cfg(test)]
mod stylesheet_tests;

use leptos::html;
use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::SsrMode;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;

use crate::pages::{
    CallbackPage, ConnectionPage, DeliveriesPage, IntegrationsPage, LinkPage, NotFoundPage,
    SettingsPage, SignInPage, SignUpPage, TeamPage,
};
use crate::view::{Referrer, Theme};

/// The HTML document around every page. The server provides [`Theme`] as context, because the
/// document's first tag is written before any page has loaded its data.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let theme = use_context::<Theme>().unwrap_or_default();
    let referrer = use_context::<Referrer>().unwrap_or_default();
    let css = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.attribute()>
            <head>
                <Start theme css />
                <meta name="referrer" content=referrer.policy() />
                <AutoReload options=options.clone() />
                <HydrationScripts options=options islands=true />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The beginning of the head of every document.
#[component]
fn Start(
    theme: Theme,
    /// The address of the stylesheet.
    css: String,
) -> impl IntoView {
    // The macro knows no `media` of this element.
    let canvas = |(colour, media): &(&'static str, Option<&'static str>)| {
        html::meta()
            .name("theme-color")
            .content(*colour)
            .attr("media", *media)
    };
    view! {
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="color-scheme" content=theme.schemes() />
        {theme.canvases().iter().map(canvas).collect_view()}
        <link rel="stylesheet" href=css />
        <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
    }
}

/// The routes. All are rendered as a whole before the first byte leaves, so that they work without
/// JavaScript and can still choose their status.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <FlatRoutes fallback=|| view! { <NotFoundPage /> }>
                <Route path=path!("/signin") view=SignInPage ssr=SsrMode::Async />
                <Route path=path!("/signup") view=SignUpPage ssr=SsrMode::Async />
                <Route path=path!("/integrations") view=IntegrationsPage ssr=SsrMode::Async />
                <Route path=path!("/integrations/:id") view=ConnectionPage ssr=SsrMode::Async />
                <Route path=path!("/deliveries") view=DeliveriesPage ssr=SsrMode::Async />
                <Route path=path!("/team") view=TeamPage ssr=SsrMode::Async />
                <Route path=path!("/link") view=LinkPage ssr=SsrMode::Async />
                <Route path=path!("/oauth/linear/callback") view=CallbackPage ssr=SsrMode::Async />
                <Route path=path!("/settings") view=SettingsPage ssr=SsrMode::Async />
            </FlatRoutes>
        </Router>
    }
}
