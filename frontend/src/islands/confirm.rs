//! Asks in place: the form that leads to `?confirm=…` opens the dialog beside it instead. Escape,
//! the return of the focus and the focus on the link marked `autofocus` are the browser's own.

use leptos::ev::{MouseEvent, SubmitEvent};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::{Event, HtmlDialogElement};

use super::{origin, wrapper};

#[island]
pub fn Confirm(children: Children) -> impl IntoView {
    let open = move |event: SubmitEvent| {
        if origin(&event, "dialog").is_none()
            && let Some(dialog) = dialog(&event)
            && dialog.show_modal().is_ok()
        {
            event.prevent_default();
        }
    };
    let close = move |event: MouseEvent| {
        if origin(&event, "dialog a").is_some()
            && let Some(dialog) = dialog(&event)
        {
            event.prevent_default();
            dialog.close();
        }
    };
    view! { <div class="contents" on:submit=open on:click=close>{children()}</div> }
}

fn dialog(event: &Event) -> Option<HtmlDialogElement> {
    wrapper(event)?
        .query_selector("dialog")
        .ok()??
        .dyn_into()
        .ok()
}
