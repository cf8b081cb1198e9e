//! `/deliveries`: verified webhooks as they came, the newest first.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::delivery::Row;
use super::load::loaded;
use crate::api::{DeliveriesQuery, load_deliveries};
use crate::parts::{AsOf, Content, CopyField, Glyph, Icon, Place, RefusalNotices};
use crate::view::{Choice, DeliveriesView, DeliveryView, FilterView};

const HERE: &str = "/deliveries";

#[component]
pub fn DeliveriesPage() -> impl IntoView {
    let query = use_query_map().with_untracked(|query| {
        let part = |name: &str| query.get(name).filter(|value| !value.is_empty());
        DeliveriesQuery { workspace: part("workspace"), event: part("event"), outcome: part("outcome"), before: part("before") }
    });
    loaded(load_deliveries(query), deliveries)
}

/// The page, given its data.
pub fn deliveries(view: DeliveriesView) -> Content {
    let DeliveriesView { deliveries, filter, paged, newer, older, here, refused, url, as_of } = view;
    let untouched = !paged && !filter.narrows();
    let nothing_ever = deliveries.is_empty() && untouched;
    let list = match (deliveries.is_empty(), untouched) {
        (true, true) => empty(url),
        (true, false) => nothing_here(paged),
        (false, _) => {
            let pager = pager(deliveries.len(), newer, older);
            view! { {list(deliveries)} {pager} }.into_any()
        }
    };
    let main = view! {
        <div class="head">
            <div>
                <h1>"Deliveries"</h1>
                <p class="lede">"Every webhook whose signature was right, in the order it came, body untouched."</p>
            </div>
            <div class="tools">
                <AsOf at=as_of page=here />
            </div>
        </div>
        <RefusalNotices refused />
        {(!nothing_ever).then(|| filters(filter))}
        {list}
    };
    Content::new("Deliveries, Relink", Some(Place::Deliveries), main)
}

fn filters(filter: FilterView) -> AnyView {
    view! {
        <form class="filters" method="get" action=HERE>
            {select("workspace", "Workspace", "All workspaces", filter.workspaces)}
            {select("event", "Event type", "All events", filter.events)}
            {select("outcome", "Outcome", "All outcomes", filter.outcomes)}
            <button class="btn">"Filter"</button>
        </form>
    }
    .into_any()
}

fn select(name: &'static str, label: &'static str, all: &'static str, choices: Vec<Choice>) -> AnyView {
    let option = |choice: Choice| view! { <option value=choice.value selected=choice.chosen>{choice.label}</option> };
    view! {
        <select class="input" name=name aria-label=label>
            <option value="">{all}</option>
            {choices.into_iter().map(option).collect_view()}
        </select>
    }
    .into_any()
}

fn list(deliveries: Vec<DeliveryView>) -> AnyView {
    view! {
        <div class="panel">
            <div class="dl-head" aria-hidden="true">
                <span></span>
                <span>"Time, UTC"</span>
                <span>"Event"</span>
                <span>"Workspace"</span>
                <span>"Outcome"</span>
                <span>"Signed with"</span>
                <span>"Took"</span>
            </div>
            <ol class="dl">{deliveries.into_iter().map(|delivery| view! { <Row delivery /> }).collect_view()}</ol>
        </div>
    }
    .into_any()
}

fn pager(shown: usize, newer: Option<String>, older: Option<String>) -> AnyView {
    let words = match (&newer, &older) {
        (None, None) => counted_deliveries(shown),
        (None, Some(_)) => format!("Newest {shown}"),
        (Some(_), _) => format!("{shown} older ones"),
    };
    let link = |address: String, label: &'static str| view! { <a class="btn" href=address>{label}</a> };
    view! {
        <nav class="pager" aria-label="Pages">
            <span>{words}</span>
            {newer.map(|newer| link(newer, "Newer"))}
            {older.map(|older| link(older, "Older"))}
        </nav>
    }
    .into_any()
}

fn counted_deliveries(count: usize) -> String {
    if count == 1 { "1 delivery".to_owned() } else { format!("{count} deliveries") }
}

fn nothing_here(paged: bool) -> AnyView {
    let (heading, sentence) = if paged {
        ("Nothing older", "Older deliveries that fit are not kept any more, or never came.")
    } else {
        ("No delivery fits", "Deliveries came, but none that fits what you chose.")
    };
    view! {
        <div class="panel">
            <div class="empty">
                <Glyph icon=Icon::Inbox />
                <h2>{heading}</h2>
                <p>{sentence}</p>
                <a class="btn" href=HERE>"Show all deliveries"</a>
            </div>
        </div>
    }
    .into_any()
}

fn empty(url: String) -> AnyView {
    view! {
        <div class="panel">
            <div class="empty">
                <Glyph icon=Icon::Inbox />
                <h2>"Nothing has arrived yet"</h2>
                <p>
                    "Paste this URL into Linear under Settings, API, Webhooks. Then add its signing secret to the "
                    <a href="/integrations">"workspace here"</a> "."
                </p>
                <CopyField id="webhook-url" label="Webhook URL" value=url />
            </div>
        </div>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
#[path = "deliveries_tests.rs"]
mod tests;
