//! `/integrations`: every connection of the organisation, the ones that need someone first.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::headline::{Tally, headline};
use super::load::loaded;
use super::search::{NothingFound, Pager, Search};
use crate::api::load_integrations;
use crate::parts::{
    AsOf, Card, ConnectForm, Content, Glyph, Icon, LooseLinks, NoticeBox, Place, SetUpAlert,
};
use crate::view::IntegrationsView;

#[component]
pub fn IntegrationsPage() -> impl IntoView {
    let [error, q, page] =
        use_query_map().with_untracked(|query| ["error", "q", "page"].map(|name| query.get(name)));
    loaded(load_integrations(error, q, page), integrations)
}

/// The page, given its data.
pub fn integrations(mut view: IntegrationsView) -> Content {
    let (notice, here, manages) = (view.notice.take(), view.here.clone(), view.manages);
    let main = view! {
        {notice.map(|notice| view! {
            <NoticeBox notice page=here manages owns=view.owns several_apps=!view.apps.is_empty() />
        })}
        {if view.tally.all() == 0 { empty(view) } else { overview(view) }}
    };
    Content::new("Integrations, Relink", Some(Place::Integrations), main)
}

fn overview(view: IntegrationsView) -> AnyView {
    let IntegrationsView {
        connections,
        tally,
        wrong_set_up,
        search,
        pager,
        here,
        scopes,
        app_configured,
        apps,
        manages,
        as_of,
        ..
    } = view;
    let add = (manages && app_configured).then(|| {
        view! {
            <ConnectForm scopes apps primary=false form_class="add">
                <div>
                    <h2>"Add another workspace"</h2>
                    <p>"Linear shows its consent screen again, so you can pick a different \
                        workspace there."</p>
                </div>
            </ConnectForm>
        }
    });
    let all = tally.all();
    let headline = headline(
        &tally,
        wrong_set_up.first().map(|waiting| waiting.fault),
        manages,
    );
    let nothing = search
        .as_ref()
        .filter(|search| search.found == 0)
        .map(|search| search.q.clone());
    let list = match nothing {
        Some(q) => view! { <NothingFound q /> }.into_any(),
        None => view! {
            <ul class="stack" aria-label="Connections">
                {connections.into_iter().map(|connection| view! {
                    <Card connection manages />
                }).collect_view()}
            </ul>
        }
        .into_any(),
    };
    view! {
        <div class="contents" data-part="set-up">
            {wrong_set_up.into_iter().map(|waiting| view! {
                <SetUpAlert fault=waiting.fault answer=waiting.answer />
            }).collect_view()}
        </div>
        <div class="head">
            <div data-part="verdict">
                <h1 data-say="">{headline}</h1>
                <Tally tally />
            </div>
            <div class="tools">
                <AsOf at=as_of page=here topics="connections deliveries people" />
            </div>
        </div>
        {search.map(|search| view! { <Search search all /> })}
        <div data-part="connections">{list}</div>
        {pager.map(|pager| view! { <Pager pager /> })}
        {add}
    }
    .into_any()
}

fn empty(view: IntegrationsView) -> AnyView {
    let ready = view.app_configured;
    let first_step = if !ready {
        view! { <a href="/settings#linear-app">"Set up the Linear app"</a> " that workspaces \
        approve." }
        .into_any()
    } else if view.simulated {
        "Ready. This instance talks to the simulated Linear.".into_any()
    } else {
        "Ready.".into_any()
    };
    // Where the app's own webhook delivers, a second one would only bring every event twice.
    let by_app = view.app_has_webhook;
    let last_step = if by_app {
        "Switched on in the Linear app, it delivers for every workspace. Nothing to paste."
    } else {
        "Paste it once, then see the first verified delivery arrive."
    };
    view! {
        <div class="head">
            <div data-part="verdict">
                <h1 data-say="">{headline(&view.tally, None, view.manages)}</h1>
                <p class="lede">"From then on Relink keeps the token fresh and tells you the \
                    moment it cannot."</p>
            </div>
            <div class="tools">
                <AsOf at=view.as_of.clone() page="/integrations".to_owned() topics="connections \
                    deliveries people" />
            </div>
        </div>
        <div data-part="connections">
        <div class="panel">
            <div class="empty">
                <LooseLinks />
                <h2>"No Linear workspace yet"</h2>
                <p>
                    "Linear asks you to approve Relink for one workspace, then sends you back \
                        here. It takes about 20 seconds."
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
                    <b>{number(3, false)} {if by_app { "Webhook" } else { "Webhook secret" }}</b>
                    <p>{last_step}</p>
                </li>
            </ol>
        </div>
        </div>
    }
    .into_any()
}

fn way_in(view: IntegrationsView) -> AnyView {
    if !view.manages {
        view! { <p>"An admin of your organisation can connect one."</p> }.into_any()
    } else if view.app_configured {
        view! { <ConnectForm scopes=view.scopes apps=view.apps primary=true form_class="first" /> }
            .into_any()
    } else {
        view! {
            <p><a class="btn primary" href="/settings#linear-app">"Set up the Linear app"</a></p>
        }
        .into_any()
    }
}

fn number(number: u8, done: bool) -> AnyView {
    if done {
        view! { <Glyph icon=Icon::Check class="ok" /> }.into_any()
    } else {
        view! { <span class="n" aria-hidden="true">{number}</span> }.into_any()
    }
}

#[cfg(test)]
#[path = "integrations_tests.rs"]
mod tests;
