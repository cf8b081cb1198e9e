//! The mark is the status: two links whose shape says it before their colour does.

use leptos::prelude::*;

use crate::view::Status;

const FIRST_LINK: &str = "M13.45 9.28A5 5 0 0 0 9 2H6A5 5 0 0 0 6 12H9A5 5 0 0 0 9.94 11.91";
const SECOND_LINK: &str = "M14.06 2.09A5 5 0 0 1 15 2H18A5 5 0 0 1 18 12H15A5 5 0 0 1 10.55 4.72";

impl Status {
    /// The exact text of the badge.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Status::ReconnectRequired => "Reconnect required",
            Status::LinearUnreachable => "Linear unreachable",
            Status::Connected => "Connected",
            Status::NotConnected => "Not connected",
        }
    }

    /// The tone: a class of the stylesheet and the ending of the favicon's name.
    #[must_use]
    pub fn tone(self) -> &'static str {
        match self {
            Status::ReconnectRequired => "bad",
            Status::LinearUnreachable => "wait",
            Status::Connected => "ok",
            Status::NotConnected => "off",
        }
    }
}

fn shape(status: Status) -> AnyView {
    match status {
        Status::Connected => view! { <path d=FIRST_LINK /><path d=SECOND_LINK /> }.into_any(),
        Status::LinearUnreachable => {
            view! { <path d=FIRST_LINK /><path stroke-dasharray="2.6 2.3" d=SECOND_LINK /> }
                .into_any()
        }
        Status::ReconnectRequired => view! {
            <path d="M7.5 2H6A5 5 0 0 0 6 12H7.5M16.5 2h1.5a5 5 0 0 1 0 10h-1.5" />
            <path d="M9.6 4.6l4.8 4.8M14.4 4.6l-4.8 4.8" />
        }
        .into_any(),
        Status::NotConnected => view! {
            <path d="M9 2H6A5 5 0 0 0 6 12H9A5 5 0 0 0 9 2z" />
            <path stroke-linecap="round" stroke-width="2.4" d="M17.5 7h.01M22 7h.01" />
        }
        .into_any(),
    }
}

/// The drawing alone; something beside it must say the same in words.
#[component]
pub fn Mark(
    status: Status,
    /// A square box instead of the mark's own 24 to 14, to line up with icons.
    #[prop(optional)]
    square: bool,
) -> impl IntoView {
    let (width, height, view_box) = if square {
        ("16", "16", "0 -5 24 24")
    } else {
        ("24", "14", "0 0 24 14")
    };
    view! {
        <svg class="mark" width=width height=height viewBox=view_box aria-hidden="true">
            {shape(status)}
        </svg>
    }
}

#[component]
pub fn Badge(status: Status) -> impl IntoView {
    view! {
        <span class=format!("badge {}", status.tone())>
            <Mark status />
            {status.text()}
        </span>
    }
}

/// The mark with its second link still missing.
#[component]
pub fn LooseLinks() -> impl IntoView {
    view! {
        <svg class="mark" width="122" height="56" viewBox="0 0 122 56" aria-hidden="true">
            <path d="M63.83 39.61A14 14 0 0 0 56 14H16A14 14 0 0 0 16 42H56A14 14 0 0 0 57.95 \
                41.86" />
            <path
                class="ghost"
                d="M64.05 14.14A14 14 0 0 1 66 14H106A14 14 0 0 1 106 42H66A14 14 0 0 1 58.17 \
                    16.39"
            />
        </svg>
    }
    .into_any()
}
