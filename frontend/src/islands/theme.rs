//! Radios that save as soon as one is chosen. The theme changes in place; only if the server cannot
//! be told, the form is posted, so that the person sees what is wrong.

use leptos::html::Div;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Element, Event, HtmlInputElement, RequestInit, RequestRedirect, Response, UrlSearchParams,
};

use super::{field, within, wrapper};

const SAVE: &str = "/theme";

#[island]
pub fn SaveOnChange(children: Children) -> impl IntoView {
    let island = NodeRef::<Div>::new();
    // Before this was awake, somebody may have chosen what the page did not come with.
    Effect::new(move || {
        if let Some(island) = island.get() {
            save(&island, "[name=theme]:checked:not([checked])");
        }
    });
    let change = move |event: Event| {
        let _ = wrapper(&event).and_then(|island| save(&island, "[name=theme]:checked"));
    };
    view! { <div class="contents" node_ref=island on:change=change>{children()}</div> }
}

fn save(island: &Element, chosen: &str) -> Option<()> {
    let (radio, form) = field(island, chosen, SAVE)?;
    show(&radio.value());
    spawn_local(async move {
        if post(&radio).await.is_err() {
            let _ = form.submit();
        }
    });
    Some(())
}

fn show(theme: &str) {
    if let Some(root) = document().document_element() {
        let _ = if theme == "system" {
            root.remove_attribute("data-theme")
        } else {
            root.set_attribute("data-theme", theme)
        };
        let _ = paint(&root);
    }
}

/// Sets what a phone paints around the page to the canvas, whatever the head of the document said.
fn paint(root: &Element) -> Result<(), JsValue> {
    let Some(style) = window().get_computed_style(root)? else {
        return Ok(());
    };
    let canvas = style.get_property_value("background-color")?;
    for meta in within(root, "meta[name=theme-color]") {
        meta.set_attribute("content", &canvas)?;
    }
    Ok(())
}

/// A reload on every arrow key would take the focus out of the radios, so this one post stays on
/// the page.
async fn post(radio: &HtmlInputElement) -> Result<(), JsValue> {
    let fields = UrlSearchParams::new()?;
    fields.append(&radio.name(), &radio.value());
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_body(&fields);
    request.set_redirect(RequestRedirect::Manual);
    let reply: Response = JsFuture::from(window().fetch_with_str_and_init(SAVE, &request))
        .await?
        .dyn_into()?;
    if reply.status() < 400 {
        Ok(())
    } else {
        Err(JsValue::NULL)
    }
}
