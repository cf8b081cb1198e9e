//! The line icons: one path each, drawn in the colour of the text beside them.

use leptos::prelude::*;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Bolt,
    Check,
    Chevron,
    Clock,
    Copy,
    Cross,
    Diamond,
    Duplicate,
    Flask,
    Inbox,
    Key,
    Minus,
    Out,
    People,
    Person,
    Plus,
    Shield,
    Sliders,
    Trash,
    Turn,
    Warning,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Icon::Bolt => "M9 1.8 3.5 9H8l-1 5.2L12.5 7H8z",
            Icon::Check => "m3.5 8.5 3 3 6-7",
            Icon::Chevron => "m6 3.5 4.5 4.5L6 12.5",
            Icon::Clock => "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0M8 4.8V8l2.2 1.6",
            Icon::Copy => {
                "M7.3 5.5h4.4a1.8 1.8 0 0 1 1.8 1.8v4.4a1.8 1.8 0 0 1-1.8 1.8H7.3a1.8 1.8 0 0 \
                    1-1.8-1.8V7.3a1.8 1.8 0 0 1 \
                    1.8-1.8zM10.5 3.6a1.6 1.6 0 0 0-1.5-1.1H4A1.5 1.5 0 0 0 2.5 4v5c0 .7.4 1.3 1.1 \
                    1.5"
            }
            Icon::Cross => "m4 4 8 8M12 4l-8 8",
            Icon::Diamond => "M8 3 12.5 8 8 13 3.5 8z",
            Icon::Duplicate => {
                "M4 2.5h4.5A1.5 1.5 0 0 1 10 4v4.5A1.5 1.5 0 0 1 8.5 10H4a1.5 1.5 0 0 \
                    1-1.5-1.5V4A1.5 1.5 0 0 1 4 2.5zM12.5 6v5a1.5 \
                    1.5 0 0 1-1.5 1.5H6"
            }
            Icon::Flask => {
                "M6 2h4M6.7 2v4L3 12.3A1.2 1.2 0 0 0 4 14h8a1.2 1.2 0 0 0 1-1.7L9.3 6V2M4.9 \
                    9.5h6.2"
            }
            Icon::Inbox => "M2 9.5h3.4l1 1.8h3.2l1-1.8H14M2 9.5 3.8 3h8.4L14 9.5V13H2z",
            Icon::Key => {
                "M7.9 10.8a2.7 2.7 0 1 1-5.4 0 2.7 2.7 0 0 1 5.4 0M7.2 8.8 13 3M10.6 5.4l2 2"
            }
            Icon::Minus => "M4 8h8",
            Icon::Out => "M6.5 3H3v10h3.5M6.5 8h7M11 5.5 13.5 8 11 10.5",
            Icon::People => {
                "M8.4 5.4a2.4 2.4 0 1 1-4.8 0 2.4 2.4 0 0 1 4.8 0M1.6 13c.3-2.4 2-3.9 4.4-3.9s4.1 \
                    1.5 4.4 3.9M10.6 3.2a2.4 2.4 0 0 1 0 \
                    4.4M11.8 9.4c1.5.5 2.4 1.8 2.6 3.6"
            }
            Icon::Person => {
                "M10.7 5.5a2.7 2.7 0 1 1-5.4 0 2.7 2.7 0 0 1 5.4 0M2.8 13.5c.5-2.6 2.5-4 5.2-4s4.7 \
                    1.4 5.2 4"
            }
            Icon::Plus => "M8 3v10M3 8h10",
            Icon::Shield => {
                "M8 2 13 3.8v3.9c0 3-2 5.2-5 6.3-3-1.1-5-3.3-5-6.3V3.8zM5.8 8l1.6 1.6 2.9-3.2"
            }
            Icon::Sliders => {
                "M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6M11.9 4.5a1.9 1.9 0 1 1-3.8 0 1.9 1.9 0 0 1 \
                    3.8 0M7.9 11.5a1.9 1.9 0 1 \
                    1-3.8 0 1.9 1.9 0 0 1 3.8 0"
            }
            Icon::Trash => "M3 4.5h10M6.3 4.5V3h3.4v1.5M4.3 4.5l.5 8.5h6.4l.5-8.5",
            Icon::Turn => "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v2.6h-2.6",
            Icon::Warning => "M8 2.2 14.3 13H1.7zM8 6.4v3.1M8 11.6v.01",
        }
    }
}

/// Hidden from screen readers: the text beside it says the same.
#[component]
pub fn Glyph(icon: Icon, #[prop(optional)] class: Option<&'static str>) -> impl IntoView {
    view! {
        <svg
            class=class
            width="16"
            height="16"
            viewBox="0 0 16 16"
            fill="none"
            stroke="currentColor"
            stroke-width="1.5"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
        >
            <path d=icon.path() />
        </svg>
    }
}
