//! The scopes that Linear granted for a workspace.

use leptos::prelude::*;

use crate::parts::{Glyph, Icon};
use crate::view::GrantedScope;

#[component]
pub fn GrantedScopes(
    scopes: Vec<GrantedScope>,
    /// The connection works, so that what was granted may be used now.
    works: bool,
) -> impl IntoView {
    let heading = if works {
        "What Relink may do in this workspace"
    } else {
        "What was granted in this workspace"
    };
    let class = if works { "scopes" } else { "scopes idle" };
    view! {
        <section class="section" aria-labelledby="h-scopes">
            <header>
                <div>
                    <h2 id="h-scopes">{heading}</h2>
                </div>
            </header>
            <div class="panel">
                <ul class=class>{scopes.into_iter().map(scope).collect_view()}</ul>
            </div>
        </section>
    }
    .into_any()
}

fn scope(scope: GrantedScope) -> AnyView {
    let (class, icon) = if scope.granted {
        (None, Icon::Check)
    } else {
        (Some("no"), Icon::Minus)
    };
    view! {
        <li class=class>
            <Glyph icon />
            <code>{scope.name}</code>
            <p>{(!scope.granted).then_some("Not granted. ")} {scope.explained}</p>
        </li>
    }
    .into_any()
}
