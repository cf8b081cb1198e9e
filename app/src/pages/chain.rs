//! The refresh history as a picture that can be stepped through: each link leads to its line below. Percent and number
//! attributes only, so it needs neither script nor inline style.

use leptos::prelude::*;

use crate::view::{ChainKind, ChainLink, ChainView};

const CUT: &str = "M-4 12.5 4 20.5M4 12.5-4 20.5";
const DIAMOND: &str = "M0 9.5 7 16.5 0 23.5-7 16.5z";

#[component]
pub fn Chain(chain: ChainView) -> impl IntoView {
    let ChainView { links, least_width, days, axis, summary, shortened } = chain;
    let [left, middle, right] = axis;
    let tick = |at: f64| view! { <line class="axis" x1=percent(at) x2=percent(at) y1="36" y2="42" /> };
    view! {
        <figure class="chain">
            <figcaption>{summary} {shortened.then_some(" Only the newest are drawn.")}</figcaption>
            <div class="reel">
                <div>
                    <svg width=least_width height="44" role="group" aria-label="One link for each token">
                        <line class="axis" x1="0" x2="100%" y1="39" y2="39" />
                        {days.into_iter().map(tick).collect_view()}
                        {links.into_iter().map(link).collect_view()}
                    </svg>
                    <div class="days" aria-hidden="true">
                        <span>{left}</span>
                        <span>{middle}</span>
                        <span>{right}</span>
                    </div>
                </div>
            </div>
            <Legend />
        </figure>
    }
    .into_any()
}

fn link(link: ChainLink) -> AnyView {
    let title = link.title.clone();
    let shape = view! {
        <title>{title.clone()}</title>
        <rect class="hit" x=percent(link.at) y="2" width=percent(link.width) height="30" rx="6" />
        {shape(&link)}
    };
    match link.line {
        Some(line) => view! { <a href=format!("#{line}") aria-label=title>{shape}</a> }.into_any(),
        None => view! { <g>{shape}</g> }.into_any(),
    }
}

fn shape(link: &ChainLink) -> AnyView {
    if link.kind == ChainKind::Gap {
        return gap(link);
    }
    let class = if link.kind == ChainKind::Live { "link present" } else { "link" };
    let replayed = link
        .replayed
        .then(|| view! { <svg x=percent(link.at) width="1" height="1" overflow="visible"><path class="dia" d=DIAMOND /></svg> });
    view! {
        <rect class=class x=percent(link.at) y="10" width=percent(link.width + link.lap) height="13" rx="6.5" />
        {replayed}
    }
    .into_any()
}

fn gap(link: &ChainLink) -> AnyView {
    let (from, middle, until) = (link.at, link.at + link.width / 2.0, link.at + link.width);
    view! {
        <line class="gone" x1=percent(from) x2=percent(until) y1="16.5" y2="16.5" />
        <svg x=percent(middle) width="1" height="1" overflow="visible"><path class="cut" d=CUT /></svg>
    }
    .into_any()
}

#[component]
fn Legend() -> impl IntoView {
    view! {
        <ul class="legend">
            <li>
                <svg width="22" height="14" aria-hidden="true"><rect class="link" x="1" y="2" width="20" height="10" rx="5" /></svg>
                "One token"
            </li>
            <li>
                <svg width="22" height="14" aria-hidden="true"><rect class="link present" x="1" y="2" width="20" height="10" rx="5" /></svg>
                "In use now"
            </li>
            <li>
                <svg width="16" height="14" aria-hidden="true"><path class="dia" d="M8 0 15 7 8 14 1 7z" /></svg>
                "Reply lost, replayed"
            </li>
            <li>
                <svg width="14" height="14" aria-hidden="true"><path class="cut" d="M3 3l8 8M11 3l-8 8" /></svg>
                "Refused"
            </li>
        </ul>
    }
}

fn percent(value: f64) -> String {
    format!("{value:.2}%")
}
