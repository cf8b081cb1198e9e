//! "How Relink acts and what it may do": the part of the connect form that most people leave
//! folded.

use leptos::prelude::*;

use crate::view::ScopeView;

#[component]
pub fn ScopePicker(scopes: Vec<ScopeView>) -> impl IntoView {
    view! {
        <details class="grant">
            <summary>"How Relink acts and what it may do"</summary>
            <fieldset>
                <legend>"Who acts in Linear"</legend>
                <label>
                    <input type="radio" name="actor" value="app" checked />
                    <span><b>"The app:"</b> " issues and comments come from the app"</span>
                </label>
                <label>
                    <input type="radio" name="actor" value="user" />
                    <span>
                        <b>"You:"</b> " issues and comments come from your own Linear account"
                    </span>
                </label>
            </fieldset>
            <fieldset>
                <legend>"What it may do"</legend>
                {scopes.into_iter().map(choice).collect_view()}
            </fieldset>
        </details>
    }
    .into_any()
}

fn choice(scope: ScopeView) -> AnyView {
    let ScopeView {
        name,
        explained,
        preselected,
        always,
        user_only,
        app_only,
    } = scope;
    // A disabled box is not sent. The hidden field tells "nothing but this" from a form without any
    // choice.
    let sent = always.then(|| view! { <input type="hidden" name="scopes[]" value=name.clone() /> });
    let class = match (user_only, app_only) {
        (true, _) => Some("only-user"),
        (_, true) => Some("only-app"),
        _ => None,
    };
    view! {
        {sent}
        <label class=class>
            <input
                type="checkbox"
                name="scopes[]"
                value=name.clone()
                checked=preselected || always
                disabled=always
            />
            <span>
                <code>{name}</code>
                ": "
                {explained}
                {always.then_some(". Always included")}
                {user_only.then_some(". Only when you act")}
                {app_only.then_some(". Only when the app acts")}
            </span>
        </label>
    }
    .into_any()
}
