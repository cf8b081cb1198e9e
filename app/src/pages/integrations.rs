//! `/integrations`: every connection of the organisation, the ones that need someone first.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::load::loaded;
use super::verdict::{Tally, verdict};
use crate::api::load_integrations;
use crate::parts::{AsOf, Card, ConnectForm, Content, FlashMessage, Glyph, Icon, Place, SetUpAlert};
use crate::view::{Fault, IntegrationsView};

const HERE: &str = "/integrations";

#[component]
pub fn IntegrationsPage() -> impl IntoView {
    let error = use_query_map().with_untracked(|query| query.get("error"));
    loaded(load_integrations(error), integrations)
}

/// The page, given its data.
pub fn integrations(mut view: IntegrationsView) -> Content {
    let flash = view.flash.take();
    let manages = view.manages;
    let main = view! {
        {flash.map(|flash| view! { <FlashMessage flash page=HERE.to_owned() manages /> })}
        {if view.connections.is_empty() { empty(view) } else { overview(view) }}
    };
    Content::new("Integrations, Relink", Some(Place::Integrations), main)
}

fn overview(view: IntegrationsView) -> AnyView {
    let IntegrationsView { connections, scopes, app_configured, manages, as_of, .. } = view;
    let add = (manages && app_configured).then(|| {
        view! {
            <ConnectForm scopes primary=false form_class="add">
                <div>
                    <h2>"Add another workspace"</h2>
                    <p>"Linear shows its consent screen again, so you can pick a different workspace there."</p>
                </div>
            </ConnectForm>
        }
    });
    // It stops all of them alike, so it is said once.
    let ours = connections.iter().find_map(|connection| connection.waiting.clone().filter(|waiting| waiting.fault != Fault::Linear));
    view! {
        {ours.map(|waiting| view! { <SetUpAlert fault=waiting.fault answer=waiting.answer /> })}
        <div class="head">
            <div>
                <h1>{verdict(&connections)}</h1>
                <Tally connections=connections.clone() />
            </div>
            <div class="tools">
                <AsOf at=as_of page=HERE.to_owned() />
            </div>
        </div>
        <ul class="stack" aria-label="Connections">
            {connections.into_iter().map(|connection| view! { <Card connection manages /> }).collect_view()}
        </ul>
        {add}
    }
    .into_any()
}

fn empty(view: IntegrationsView) -> AnyView {
    let ready = view.app_configured;
    let first_step = if !ready {
        view! { <a href="/settings#linear-app">"Set up the Linear app"</a> " that workspaces approve." }.into_any()
    } else if view.simulated {
        "Ready. This instance talks to the simulated Linear.".into_any()
    } else {
        "Ready.".into_any()
    };
    view! {
        <div class="head">
            <div>
                <h1>{verdict(&view.connections)}</h1>
                <p class="lede">"From then on Relink keeps the token fresh and tells you the moment it cannot."</p>
            </div>
        </div>
        <div class="panel">
            <div class="empty">
                {loose_links()}
                <h2>"No Linear workspace yet"</h2>
                <p>
                    "Linear asks you to approve Relink for one workspace, then sends you back here. It takes about 20 seconds."
                </p>
                {way_in(view)}
            </div>
            <ol class="steps">
                <li>
                    <b>{number(1, ready)} "Linear app"</b>
                    <p>{first_step}</p>
                </li>
                <li>
                    <b>{number(2, false)} "Connect a workspace"</b>
                    <p>"You pick it on Linear’s consent screen."</p>
                </li>
                <li>
                    <b>{number(3, false)} "Webhook secret"</b>
                    <p>"Paste it once, then see the first verified delivery arrive."</p>
                </li>
            </ol>
        </div>
    }
    .into_any()
}

fn way_in(view: IntegrationsView) -> AnyView {
    if !view.manages {
        view! { <p>"An admin of your organisation can connect one."</p> }.into_any()
    } else if view.app_configured {
        view! { <ConnectForm scopes=view.scopes primary=true form_class="first" /> }.into_any()
    } else {
        view! { <p><a class="btn primary" href="/settings#linear-app">"Set up the Linear app"</a></p> }.into_any()
    }
}

fn number(number: u8, done: bool) -> AnyView {
    if done {
        view! { <Glyph icon=Icon::Check class="ok" /> }.into_any()
    } else {
        view! { <span class="n" aria-hidden="true">{number}</span> }.into_any()
    }
}

/// The mark with its second link still missing.
fn loose_links() -> AnyView {
    view! {
        <svg class="mark" width="122" height="56" viewBox="0 0 122 56" aria-hidden="true">
            <path d="M63.83 39.61A14 14 0 0 0 56 14H16A14 14 0 0 0 16 42H56A14 14 0 0 0 57.95 41.86" />
            <path
                class="ghost"
                d="M64.05 14.14A14 14 0 0 1 66 14H106A14 14 0 0 1 106 42H66A14 14 0 0 1 58.17 16.39"
            />
        </svg>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
#[path = "integrations_tests.rs"]
mod tests;
