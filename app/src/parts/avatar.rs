//! The workspace's picture: its initials, and over them its logo where it has one.

use leptos::prelude::*;

use crate::view::WorkspaceView;

#[component]
pub fn WorkspaceAvatar(workspace: WorkspaceView) -> impl IntoView {
    // Empty alternative text: the name stands right beside it.
    let logo = workspace.logo.map(|address| {
        view! {
            <img
                src=address
                alt=""
                width="44"
                height="44"
                referrerpolicy="no-referrer"
                decoding="async"
            />
        }
    });
    view! {
        <span class="ava ws" aria-hidden="true">
            {workspace.initials}
            {logo}
        </span>
    }
}
