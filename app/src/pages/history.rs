//! The history of every token: as a chain, and in words, the newest first.

use leptos::prelude::*;

use super::token_timeline::TokenTimeline;
use crate::parts::{Glyph, Icon, said};
use crate::view::{HistoryTone, HistoryView, Status, TokenLife, TokenTimelineView};

/// Lines that are seen at once; the chain opens the others.
const SEEN: usize = 10;

#[component]
pub fn RefreshHistory(
    status: Status,
    #[prop(optional_no_strip)] life: Option<TokenLife>,
    #[prop(optional_no_strip)] chain: Option<TokenTimelineView>,
    history: Vec<HistoryView>,
) -> impl IntoView {
    let refreshed = history.iter().any(|line| line.refresh);
    let none = (!refreshed).then(|| view! { <p class="pad soft">{none_yet(status, life)}</p> });
    view! {
        <section class="section" aria-labelledby="h-history">
            <header>
                <div>
                    <h2 id="h-history">"Refresh history"</h2>
                    <p>"Each link is one token. An unbroken chain means nobody waited. Times in \
                        UTC, kept for 30 days."</p>
                </div>
            </header>
            <div class="panel">
                <div data-part="chain">
                    {chain.map(|chain| view! { <div class="pad"><TokenTimeline chain /></div> })}
                </div>
                <div class="story" data-part="history">{none} {lines(history)}</div>
            </div>
        </section>
    }
    .into_any()
}

fn lines(mut history: Vec<HistoryView>) -> Option<AnyView> {
    let older = history.split_off(SEEN.min(history.len()));
    let older = (!older.is_empty()).then(|| {
        let heading = format!("{} older", older.len());
        view! {
            <details class="check split">
                <summary class="pad">
                    <Glyph icon=Icon::Chevron />
                    {heading}
                </summary>
                <ol class="log">{older.into_iter().map(line).collect_view()}</ol>
            </details>
        }
    });
    let seen = (!history.is_empty())
        .then(|| view! { <ol class="log">{history.into_iter().map(line).collect_view()}</ol> })?;
    Some(view! { {seen} {older} }.into_any())
}

fn none_yet(status: Status, life: Option<TokenLife>) -> AnyView {
    let due = life.filter(|_| status == Status::Connected).map(|life| {
        let (lead, text) = life.refresh_due.in_sentence();
        view! {
            " The first one is due " {lead} <time datetime=life.refresh_due.iso>{text}</time> "."
        }
    });
    let none = if status == Status::NotConnected {
        "No refresh happened."
    } else {
        "No refresh yet."
    };
    view! { {none} {due} }.into_any()
}

fn line(line: HistoryView) -> AnyView {
    let (class, icon) = match line.tone {
        HistoryTone::Good => (Some("ok"), Icon::Check),
        HistoryTone::Replayed => (Some("wait"), Icon::Diamond),
        HistoryTone::Waiting => (Some("wait"), Icon::Clock),
        HistoryTone::Bad => (Some("bad"), Icon::Cross),
        HistoryTone::Ended => (None, Icon::Minus),
        HistoryTone::Plain => (None, Icon::Turn),
    };
    view! {
        <li class=class id=line.line>
            <Glyph icon />
            <time datetime=line.at.iso>{line.at.text}</time>
            <p>
                <b>{line.fact}</b> {line.answer.map(|answer| view! { " " {said(answer)} })}
                {line.rest}
            </p>
        </li>
    }
    .into_any()
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
