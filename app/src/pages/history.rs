//! What became of every refresh, in words, the newest first.

use leptos::prelude::*;

use crate::parts::{Glyph, Icon, said, when};
use crate::view::{HistoryTone, HistoryView, Status, TokenLife};

#[component]
pub fn RefreshHistory(status: Status, #[prop(optional_no_strip)] life: Option<TokenLife>, history: Vec<HistoryView>) -> impl IntoView {
    let body = if history.is_empty() {
        view! { <p class="pad soft">{none_yet(status, life)}</p> }.into_any()
    } else {
        view! { <ol class="log">{history.into_iter().map(line).collect_view()}</ol> }.into_any()
    };
    view! {
        <section class="section" aria-labelledby="h-history">
            <header>
                <div>
                    <h2 id="h-history">"Refresh history"</h2>
                    <p>"Newest first, times in UTC. Kept for 30 days."</p>
                </div>
            </header>
            <div class="panel" data-part="history">{body}</div>
        </section>
    }
    .into_any()
}

fn none_yet(status: Status, life: Option<TokenLife>) -> AnyView {
    let due = life.filter(|_| status == Status::Connected).map(|life| {
        let (lead, text) = when(&life.refresh_due);
        view! { " The first one is due " {lead} <time datetime=life.refresh_due.iso>{text}</time> "." }
    });
    view! { "No refresh yet." {due} }.into_any()
}

fn line(line: HistoryView) -> AnyView {
    let (class, icon) = match line.tone {
        HistoryTone::Good => (Some("ok"), Icon::Check),
        HistoryTone::Waiting => (Some("wait"), Icon::Clock),
        HistoryTone::Bad => (Some("bad"), Icon::Cross),
        HistoryTone::Plain => (None, Icon::Turn),
    };
    view! {
        <li class=class>
            <Glyph icon />
            <time datetime=line.at.iso>{line.at.text}</time>
            <p><b>{line.fact}</b> {line.answer.map(|answer| view! { " " {said(answer)} })} {line.rest}</p>
        </li>
    }
    .into_any()
}
