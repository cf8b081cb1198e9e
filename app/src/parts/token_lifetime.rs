//! Token life as a bar: grey is used, the ring is now, solid is left until the refresh is due, pale
//! is the margin up to the expiry. Percent attributes only, so it needs neither script nor inline
//! style.

use leptos::prelude::*;

use crate::view::{Moment, Status, TokenLife};

/// The width by which the pale margin reaches under the solid part, so that the rounded ends leave
/// no gap.
const UNDERLAP_PERCENT: f64 = 2.0;
/// The radius with its stroke, in pixels.
const RING_RADIUS: f64 = 7.0;

#[component]
pub fn TokenLifetime(status: Status, life: TokenLife) -> impl IntoView {
    let sentence = format!(
        "{}. Issued {}, refresh due {}, expires {}.",
        life.left, life.issued.text, life.refresh_due.text, life.expires.text
    );
    view! {
        <figure class=format!("life {}", status.tone())>
            <figcaption>
                <b>{life.left.clone()}</b>
                <span>{life.note.clone()}</span>
            </figcaption>
            <svg height="18" role="img" aria-label=sentence>
                {bar(status, life.now_percent, life.due_percent)}
            </svg>
            <dl>
                <Date name="Issued" at=life.issued />
                <Date name="Refresh due" at=life.refresh_due />
                <Date name="Expires" at=life.expires />
            </dl>
        </figure>
    }
    .into_any()
}

#[component]
fn Date(name: &'static str, at: Moment) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>
                <time datetime=at.iso>{at.text}</time>
            </dd>
        </div>
    }
}

fn bar(status: Status, now: f64, due: f64) -> AnyView {
    let now = now.clamp(0.0, 100.0);
    let due = due.clamp(0.0, 100.0);
    let rest = match status {
        Status::ReconnectRequired | Status::NotConnected => stopped(now),
        Status::LinearUnreachable if now > due => overdue(now, due),
        Status::LinearUnreachable | Status::Connected => running(now, due),
    };
    view! {
        <rect class="track" x="0" y="7.5" width=percent(now) height="3" rx="1.5" />
        {rest}
    }
    .into_any()
}

fn running(now: f64, due: f64) -> AnyView {
    let margin = (due - UNDERLAP_PERCENT).max(now);
    view! {
        <rect
            class="margin"
            x=percent(margin)
            y="5"
            width=percent(100.0 - margin)
            height="8"
            rx="4"
        />
        <rect
            class="left"
            x=percent(now)
            y="5"
            width=percent((due - now).max(0.0))
            height="8"
            rx="4"
        />
        <line class="tick" x1=percent(due) x2=percent(due) y1="1" y2="17" />
        {ring(now)}
    }
    .into_any()
}

/// The ring that marks now. It stays within the bar, however short that is: near an end it is moved
/// in by as much of its own radius.
fn ring(now: f64) -> AnyView {
    let inwards = RING_RADIUS * (1.0 - now / 50.0);
    view! {
        <circle
            class="now"
            cx=percent(now)
            cy="9"
            r="5.5"
            transform=format!("translate({inwards:.2} 0)")
        />
    }
    .into_any()
}

fn overdue(now: f64, due: f64) -> AnyView {
    view! {
        <rect class="left" x=percent(now) y="5" width=percent(100.0 - now) height="8" rx="4" />
        <line class="tick" x1=percent(due) x2=percent(due) y1="1" y2="17" />
        {ring(now)}
    }
    .into_any()
}

fn stopped(now: f64) -> AnyView {
    view! {
        <line class="gone" x1=percent(now) x2="100%" y1="9" y2="9" />
        <svg x=percent(now) y="2" width="14" height="14" overflow="visible">
            <circle class="hole" cy="7" r="9" />
            <path class="cut" d="M-5 2 5 12M5 2-5 12" />
        </svg>
    }
    .into_any()
}

fn percent(value: f64) -> String {
    format!("{value:.2}%")
}
