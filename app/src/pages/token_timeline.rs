//! The refresh history as a picture that can be stepped through: each link leads to its line below.
//! Percent and number attributes only, so it needs neither script nor inline style.

use leptos::prelude::*;

use crate::parts::picture_title;
use crate::view::{SegmentKind, TimelineSegment, TokenTimelineView};

const CUT: &str = "M-4 12.5 4 20.5M4 12.5-4 20.5";
const DIAMOND: &str = "M0 9.5 7 16.5 0 23.5-7 16.5z";
/// Percent of the picture: near the refusal, and clear of the link before it.
const GROWS_FROM: f64 = 2.0;

#[component]
pub fn TokenTimeline(chain: TokenTimelineView) -> impl IntoView {
    let TokenTimelineView {
        links,
        least_width,
        days,
        axis,
        summary,
        shortened,
    } = chain;
    let [left, middle, right] = axis;
    let legend = legend(&links);
    let tick =
        |at: f64| view! { <line class="axis" x1=percent(at) x2=percent(at) y1="36" y2="42" /> };
    view! {
        <figure class="chain">
            <figcaption>{summary} {shortened.then_some(" Only the newest are drawn.")}</figcaption>
            <div class="reel">
                <div>
                    <svg width=least_width height="44" role="group" aria-label="One link for each \
                        token">
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
            {legend}
        </figure>
    }
    .into_any()
}

fn link(link: TimelineSegment) -> AnyView {
    let title = link.title.clone();
    let shape = view! {
        {picture_title(title.clone())}
        <rect class="hit" x=percent(link.at) y="2" width=percent(link.width) height="30" rx="6" />
        {shape(&link)}
    };
    match link.line {
        Some(line) => view! { <a href=format!("#{line}") aria-label=title>{shape}</a> }.into_any(),
        None => view! { <g>{shape}</g> }.into_any(),
    }
}

fn shape(link: &TimelineSegment) -> AnyView {
    if link.kind == SegmentKind::Gap {
        return gap(link);
    }
    let class = if link.kind == SegmentKind::Live {
        "link present"
    } else {
        "link"
    };
    let replayed = link.replayed.then(|| {
        view! {
            <svg x=percent(link.at + link.lap / 2.0) width="1" height="1" overflow="visible">
                <path class="dia" d=DIAMOND />
            </svg>
        }
    });
    view! {
        <rect
            class=class
            x=percent(link.at)
            y="10"
            width=percent(link.width + link.lap)
            height="13"
            rx="6.5"
        />
        {replayed}
    }
    .into_any()
}

fn gap(link: &TimelineSegment) -> AnyView {
    let (from, until) = (link.at, link.at + link.width);
    // In the middle of a gap that ended; where it began as long as it grows.
    let cross = from
        + if until > 99.9 {
            (link.width / 2.0).min(GROWS_FROM)
        } else {
            link.width / 2.0
        };
    view! {
        <line class="gone" x1=percent(from) x2=percent(until) y1="16.5" y2="16.5" />
        <svg x=percent(cross) width="1" height="1" overflow="visible">
            <path class="cut" d=CUT />
        </svg>
    }
    .into_any()
}

/// Explains the shapes that are drawn, and no others.
fn legend(links: &[TimelineSegment]) -> AnyView {
    let has = |kind| links.iter().any(|link| link.kind == kind);
    let entries = [
        has(SegmentKind::Token).then(|| {
            let shape = view! { <rect class="link" x="1" y="2" width="20" height="10" rx="5" /> };
            entry("22", shape.into_any(), "One token")
        }),
        has(SegmentKind::Live).then(|| {
            let shape =
                view! { <rect class="link present" x="1" y="2" width="20" height="10" rx="5" /> };
            entry("22", shape.into_any(), "In use now")
        }),
        links.iter().any(|link| link.replayed).then(|| {
            let shape = view! { <path class="dia" d="M8 0 15 7 8 14 1 7z" /> };
            entry("16", shape.into_any(), "Reply lost, replayed")
        }),
        has(SegmentKind::Gap).then(|| {
            let shape = view! { <path class="cut" d="M3 3l8 8M11 3l-8 8" /> };
            entry("14", shape.into_any(), "Refused")
        }),
    ];
    view! { <ul class="legend">{entries.into_iter().flatten().collect_view()}</ul> }.into_any()
}

fn entry(width: &'static str, shape: AnyView, words: &'static str) -> AnyView {
    view! {
        <li>
            <svg width=width height="14" aria-hidden="true">
                {shape}
            </svg>
            {words}
        </li>
    }
    .into_any()
}

fn percent(value: f64) -> String {
    format!("{value:.2}%")
}
