//! The way from a request to a framed page. There is no `Resource`: outside islands nothing runs in
//! the browser, so the data would only be written into the page a second time.

use leptos::prelude::*;
use leptos::tachys::reactive_graph::OwnedView;

use super::error_page;
use crate::api::load_shell;
use crate::parts::{Content, Layout, set_form_organisation};
use crate::view::{Failure, ShellView, Simulated, Status, Theme};

/// Waits for the frame's and the page's data, and shows the page or why there is none.
pub fn loaded<T, Load, Show>(load: Load, show: Show) -> impl IntoView
where
    T: Send + 'static,
    Load: Future<Output = Result<T, Failure>> + Send + 'static,
    Show: FnOnce(T) -> Content + Send + 'static,
{
    Suspend::new(async move {
        let loaded = load.await;
        // The frame last: what the page found out on the way counts in the navigation too.
        let shell = load_shell().await;
        if let Some(person) = shell.as_ref().ok().and_then(|shell| shell.person.as_ref()) {
            set_form_organisation(&person.organisation_id);
        }
        let content = match loaded {
            Ok(view) => show(view),
            Err(failure) => error_page::failed(&failure),
        };
        framed(shell, content)
    })
}

/// The page that says why there is no other.
pub async fn instead(failure: &Failure) -> AnyView {
    framed(load_shell().await, error_page::failed(failure))
}

fn framed(shell: Result<ShellView, Failure>, content: Content) -> AnyView {
    let shell = shell.unwrap_or_else(|_| bare());
    // What the frame puts into the document's head finds its way there by context, and the page is
    // rendered after its data was awaited, on whatever thread: the view has to bring its owner
    // along.
    OwnedView::new(view! { <Layout shell content /> }).into_any()
}

/// The frame when not even that could be loaded.
fn bare() -> ShellView {
    ShellView {
        theme: use_context::<Theme>().unwrap_or_default(),
        simulated: use_context::<Simulated>().unwrap_or_default().0,
        troubles: Vec::new(),
        host: String::new(),
        person: None,
        elsewhere: Vec::new(),
        needs_you: 0,
        worst: Status::NotConnected,
    }
}
