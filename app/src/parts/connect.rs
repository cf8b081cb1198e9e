//! The forms that leave for Linear's consent screen.

use leptos::prelude::*;

use super::{Glyph, Icon, ScopePicker};
use crate::islands::Leave;
use crate::view::ScopeView;

const START: &str = "/oauth/linear/start";

fn class(primary: bool) -> &'static str {
    if primary { "btn primary" } else { "btn" }
}

/// **Connect Linear** and nothing else: the preselected scopes, acting as the app.
#[component]
pub fn ConnectButton(#[prop(default = "Connect Linear")] label: &'static str, #[prop(default = Icon::Plus)] icon: Icon) -> impl IntoView {
    view! {
        <Leave>
            <form method="post" action=START>
                <button class=class(false)>
                    <Glyph icon />
                    {label}
                </button>
            </form>
        </Leave>
    }
    .into_any()
}

/// **Connect Linear** with the choice of who acts and what it may do.
#[component]
pub fn ConnectForm(
    scopes: Vec<ScopeView>,
    primary: bool,
    form_class: &'static str,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <Leave>
            <form class=form_class method="post" action=START>
                {children.map(|children| children())}
                <button class=class(primary)>
                    <Glyph icon=Icon::Plus />
                    "Connect Linear"
                </button>
                <ScopePicker scopes />
            </form>
        </Leave>
    }
    .into_any()
}

/// **Reconnect** for one connection. Several on a page carry the same name, so the workspace is their description.
#[component]
pub fn ReconnectForm(connection: String, workspace: String, #[prop(optional)] primary: bool) -> impl IntoView {
    let description = format!("Opens Linear to approve {workspace} again");
    view! {
        <Leave>
            <form method="post" action=START>
                <input type="hidden" name="connection" value=connection />
                <button class=class(primary) title=description>
                    <Glyph icon=Icon::Turn />
                    "Reconnect"
                </button>
            </form>
        </Leave>
    }
    .into_any()
}
