//! Text that becomes markup, for browsers with Trusted Types: the policy of our pages lets nothing
//! but this parse any, and this is used for pages of our own alone.

use leptos::prelude::window;
use leptos::wasm_bindgen::closure::Closure;
use leptos::wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, DomParser};

use super::property;

/// The name that `server/src/headers.rs` has for it.
const POLICY: &str = "relink";

thread_local! {
    static TRUST: Option<(JsValue, js_sys::Function)> = policy();
}

/// A page that was fetched from this Relink, as a document that runs nothing.
pub fn parse(page: &str) -> Result<Document, JsValue> {
    let parser: JsValue = DomParser::new()?.into();
    let parse: js_sys::Function = property(&parser, "parseFromString").dyn_into()?;
    parse
        .call2(&parser, &trusted(page)?, &"text/html".into())?
        .dyn_into()
}

/// Browsers without Trusted Types take the text itself.
fn trusted(page: &str) -> Result<JsValue, JsValue> {
    TRUST.with(|trust| match trust {
        Some((policy, create)) => create.call1(policy, &page.into()),
        None => Ok(page.into()),
    })
}

/// A page allows one of each name.
fn policy() -> Option<(JsValue, js_sys::Function)> {
    let types = property(&window(), "trustedTypes");
    let create: js_sys::Function = property(&types, "createPolicy").dyn_into().ok()?;
    let rules = js_sys::Object::new();
    let as_it_is = Closure::<dyn Fn(JsValue) -> JsValue>::new(|page| page).into_js_value();
    js_sys::Reflect::set(&rules, &"createHTML".into(), &as_it_is).ok()?;
    let policy = create.call2(&types, &POLICY.into(), &rules).ok()?;
    let create = property(&policy, "createHTML").dyn_into().ok()?;
    Some((policy, create))
}
