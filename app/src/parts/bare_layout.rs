//! The frame of pages with one question: the brand, the host, a sheet in the middle.

use leptos::prelude::*;

use super::Mark;
use crate::view::Status;

const ROPE: &str = "M-87.95 14.14A14 14 0 0 1 -86 14H-46A14 14 0 0 1 -38.17 39.61M-44.05 41.86A14 \
    14 0 0 1 -46 42H-86A14 14 0 0 1 \
    -93.83 16.39M-37.95 14.14A14 14 0 0 1 -36 14H4A14 14 0 0 1 11.83 39.61M5.95 41.86A14 14 0 0 1 \
    4 42H-36A14 14 0 0 1 -43.83 \
    16.39M12.05 14.14A14 14 0 0 1 14 14H54A14 14 0 0 1 61.83 39.61M55.95 41.86A14 14 0 0 1 54 \
    42H14A14 14 0 0 1 6.17 16.39M62.05 \
    14.14A14 14 0 0 1 64 14H104A14 14 0 0 1 111.83 39.61M105.95 41.86A14 14 0 0 1 104 42H64A14 14 \
    0 0 1 56.17 16.39";

#[component]
pub fn BareLayout(
    host: String,
    #[prop(optional_no_strip)] foot: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="solo">
            <svg class="rope" aria-hidden="true">
                <defs>
                    <pattern id="rope" width="50" height="56" patternUnits="userSpaceOnUse">
                        <path class="mark" d=ROPE />
                    </pattern>
                </defs>
                <rect width="100%" height="56" fill="url(#rope)" />
            </svg>
            <header>
                <span class="brand">
                    <Mark status=Status::Connected />
                    "Relink"
                </span>
                <span>{host}</span>
            </header>
            <main id="main" tabindex="-1">
                <div class="sheet">{children()}</div>
            </main>
            {foot.map(|foot| view! { <footer>{foot}</footer> })}
        </div>
    }
    .into_any()
}
