//! `/deliveries`: verified webhooks as they came, the newest first.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::delivery::Row;
use super::destinations::{HandedOn, NewSecret, removal_question};
use super::load::loaded;
use crate::api::{DeliveriesQuery, load_deliveries};
use crate::parts::{
    AsOf, Content, CopyField, Dialog, Glyph, Icon, NoticeBox, PausedNotices, Place, Question,
    RefusalNotices, StrayNotices, counted_deliveries,
};
use crate::view::{Choice, DeliveriesView, DeliveryView, FilterView};

const HERE: &str = "/deliveries";

#[component]
pub fn DeliveriesPage() -> impl IntoView {
    let (query, asked) = use_query_map().with_untracked(|query| {
        let part = |name: &str| query.get(name).filter(|value| !value.is_empty());
        let [workspace, event, outcome, before, shown] =
            ["workspace", "event", "outcome", "before", "shown"].map(part);
        let asked =
            part("destination").filter(|_| query.get("confirm").as_deref() == Some("destination"));
        (
            DeliveriesQuery {
                workspace,
                event,
                outcome,
                before,
                shown,
            },
            asked,
        )
    });
    loaded(load_deliveries(query), move |view| deliveries(view, asked))
}

/// The page, given its data; over it the question whether to remove the destination `asked` names.
pub fn deliveries(view: DeliveriesView, asked: Option<String>) -> Content {
    let question = asked.and_then(|id| question(&view, &id));
    let DeliveriesView {
        deliveries,
        filter,
        paged,
        newer,
        older,
        here,
        refused,
        strays,
        url,
        by_app,
        ..
    } = view;
    let DeliveriesView {
        handed_on,
        new_destination,
        notice,
        manages,
        as_of,
        growing,
        news,
        ..
    } = view;
    let was_refused = handed_on
        .form
        .as_ref()
        .is_some_and(|form| form.complaint.is_some());
    let untouched = !paged && !filter.narrows();
    let nothing_ever = deliveries.is_empty() && untouched;
    // Only those of one page are counted.
    let more = news == deliveries.len() && older.is_some();
    let list = match (deliveries.is_empty(), untouched) {
        (true, true) => empty(url.clone(), by_app),
        (true, false) => nothing_here(paged),
        (false, _) => {
            let pager = pager(deliveries.len(), newer, older);
            view! { {list(deliveries, &here, manages)} {pager} }.into_any()
        }
    };
    let main = view! {
        {notice.map(|notice| view! { <NoticeBox notice page=here.clone() manages /> })}
        <div class="head">
            <div>
                <h1>"Deliveries"</h1>
                <p class="lede">"Every webhook whose signature was right, in the order it came, \
                    body untouched."</p>
            </div>
            <div class="tools">
                <AsOf at=as_of page=here.clone() topics="deliveries connections" />
            </div>
        </div>
        {new_destination.map(|new_destination| view! { <NewSecret new_destination /> })}
        <PausedNotices handed_on=handed_on.clone() />
        <RefusalNotices refused />
        <StrayNotices strays url=url.clone() />
        {(!nothing_ever).then(|| filters(filter))}
        <div data-part="new">{arrived(news, more, paged, here)}</div>
        <div data-part=(nothing_ever || growing).then_some("list")>{list}</div>
        <HandedOn handed_on />
    };
    let title = question.as_ref().map_or_else(
        || "Deliveries, Relink".to_owned(),
        |question| format!("{} Relink", question.heading),
    );
    let dialog = question.map(|question| view! { <Dialog question open=true /> }.into_any());
    Content {
        refused: was_refused,
        dialog,
        ..Content::new(title, Some(Place::Deliveries), main)
    }
}

/// Links to new rows: they never push the one that is being read.
fn arrived(news: usize, more: bool, paged: bool, here: String) -> Option<AnyView> {
    let shown = news > 0 && !paged;
    let count = match (news, more) {
        (1, false) => "1 new delivery".to_owned(),
        (_, false) => format!("{news} new deliveries"),
        (_, true) => format!("{news} new deliveries or more"),
    };
    shown.then(|| {
        view! {
            <p class="arrived">
                <span data-say="">{count}</span>
                ". "
                <a href=here>"Show"</a>
            </p>
        }
        .into_any()
    })
}

/// The question that a dialog asks, for those who may answer yes.
fn question(view: &DeliveriesView, id: &str) -> Option<Question> {
    let destination = view
        .handed_on
        .destinations
        .iter()
        .find(|destination| destination.id == id);
    destination.filter(|_| view.manages).map(removal_question)
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

fn select(
    name: &'static str,
    label: &'static str,
    all: &'static str,
    choices: Vec<Choice>,
) -> AnyView {
    let option = |choice: Choice| {
        view! {
            <option value=choice.value selected=choice.chosen>{choice.label}</option>
        }
    };
    view! {
        <select class="input" name=name aria-label=label>
            <option value="">{all}</option>
            {choices.into_iter().map(option).collect_view()}
        </select>
    }
    .into_any()
}

fn list(deliveries: Vec<DeliveryView>, here: &str, manages: bool) -> AnyView {
    let row = |delivery| view! { <Row delivery here=here.to_owned() manages /> };
    view! {
        <div class="panel">
            <div class="dl-head" aria-hidden="true">
                <span></span>
                <span>"Time, UTC"</span>
                <span>"Event"</span>
                <span>"Workspace"</span>
                <span>"Outcome"</span>
                <span class="sg">"Signed with"</span>
                <span>"Took"</span>
            </div>
            <ol class="dl">{deliveries.into_iter().map(row).collect_view()}</ol>
        </div>
    }
    .into_any()
}

fn pager(shown: usize, newer: Option<String>, older: Option<String>) -> AnyView {
    let words = match (&newer, &older) {
        (None, None) => counted_deliveries(shown as u64),
        (None, Some(_)) => format!("Newest {shown}"),
        (Some(_), _) => format!("{shown} older ones"),
    };
    let link =
        |address: String, label: &'static str| view! { <a class="btn" href=address>{label}</a> };
    view! {
        <nav class="pager" aria-label="Pages">
            <span>{words}</span>
            {newer.map(|newer| link(newer, "Newer"))}
            {older.map(|older| link(older, "Older"))}
        </nav>
    }
    .into_any()
}

fn nothing_here(paged: bool) -> AnyView {
    let (heading, sentence) = if paged {
        (
            "Nothing older",
            "Older deliveries that fit are not kept any more, or never came.",
        )
    } else {
        (
            "No delivery fits",
            "Deliveries came, but none that fits what you chose.",
        )
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

/// The text where there are no deliveries yet. Where the app's own webhook delivers, a second one
/// would only bring every event twice.
fn empty(url: String, by_app: bool) -> AnyView {
    let advice = if by_app {
        view! {
            "Switch webhooks on in the Linear app with this URL: it delivers for every connected \
                workspace, and nothing has to \
                be set up there. The first delivery shows up by itself."
        }
        .into_any()
    } else {
        view! {
            "Paste this URL into Linear under Settings, API, Webhooks. Then add its signing secret \
                to "
            <a href="/integrations">"the workspace here"</a> ". The first delivery shows up by \
                itself."
        }
        .into_any()
    };
    view! {
        <div class="panel">
            <div class="empty">
                <Glyph icon=Icon::Inbox />
                <h2>"Nothing has arrived yet"</h2>
                <p>{advice}</p>
                <CopyField id="webhook-url" label="Webhook URL" value=url />
            </div>
        </div>
    }
    .into_any()
}

#[cfg(test)]
#[path = "deliveries_tests.rs"]
mod tests;
