//! Makes what a page shows what it should show now, and touches nothing that is the same already:
//! the focus, a selection, the place scrolled to, and what somebody opened stay as they are. Things
//! are told apart by their keys, so that nothing turns into its neighbour under somebody's finger.

use leptos::prelude::{document, window};
use leptos::wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Node};

use super::{property, within};

/// Names the thing that a row or a card is about.
const KEY: &str = "data-key";

/// Puts the new content in place. If what had the focus is gone, what it was in has it.
pub fn put(part: &Element, new: &Element) {
    let focused = document()
        .active_element()
        .filter(|element| part.contains(Some(element)));
    let around: Vec<Element> =
        std::iter::successors(focused.clone(), |element| element.parent_element()).collect();
    let mut added = Vec::new();
    morph(part, new, &mut added);
    added.iter().for_each(enliven);
    let Some(focused) =
        focused.filter(|focused| document().active_element().as_ref() != Some(focused))
    else {
        return;
    };
    if focused.is_connected() {
        focus(&focused);
    } else if let Some(left) = around.iter().find(|element| {
        element.is_connected() && element.matches("article, section, main") == Ok(true)
    }) {
        let _ = left.set_attribute("tabindex", "-1");
        focus(left);
    }
}

/// Gives the focus without scrolling: it was where the reader left it. A link in a picture can have
/// the focus too, and is no HTML element.
fn focus(element: &Element) {
    let options = js_sys::Object::new();
    let _ = js_sys::Reflect::set(&options, &"preventScroll".into(), &true.into());
    if let Ok(focus) = property(element, "focus").dyn_into::<js_sys::Function>() {
        let _ = focus.call1(element, &options);
    }
}

/// Brings the islands of what was put in place to life, as those of the page were: before that it
/// is only markup.
fn enliven(added: &Element) {
    let hydrate = js_sys::Reflect::get(&window(), &"__hydrateIsland".into())
        .and_then(|hydrate| hydrate.dyn_into::<js_sys::Function>());
    let Ok(hydrate) = hydrate else { return };
    let itself = (added.local_name() == "leptos-island").then(|| added.clone());
    for island in within(added, "leptos-island").into_iter().chain(itself) {
        let name = island.get_attribute("data-component").unwrap_or_default();
        let _ = hydrate.call2(&JsValue::NULL, &island, &name.into());
    }
}

/// `added`: the elements that were not there before.
fn morph(old: &Element, new: &Element, added: &mut Vec<Element>) {
    let mut left: Vec<(String, Node)> = nodes(old).map(|node| (identity(&node), node)).collect();
    let pairs: Vec<(Option<Node>, Node)> = nodes(new)
        .map(|new| {
            let wanted = identity(&new);
            let at = left.iter().position(|(identity, _)| *identity == wanted);
            (at.map(|at| left.remove(at).1), new)
        })
        .collect();
    for (_, gone) in left {
        let _ = old.remove_child(&gone);
    }
    let mut place = old.first_child();
    for (present, new) in pairs {
        match &present {
            Some(present) => same(present, &new, added),
            None => added.extend(element(&new)),
        }
        let node = present.unwrap_or(new);
        if place.as_ref() == Some(&node) {
            place = node.next_sibling();
        } else {
            let _ = old.insert_before(&node, place.as_ref());
        }
    }
}

fn same(old: &Node, new: &Node, added: &mut Vec<Element>) {
    if old.is_equal_node(Some(new)) {
        return;
    }
    match (element(old), element(new)) {
        (Some(old), Some(new)) => {
            attributes(&old, &new);
            morph(&old, &new, added);
        }
        _ => old.set_node_value(new.node_value().as_deref()),
    }
}

/// Takes over the attributes. Those that the page's own script or somebody's hand has set stay.
fn attributes(old: &Element, new: &Element) {
    for name in names(new).filter(|name| name != "open") {
        let value = new.get_attribute(&name).unwrap_or_default();
        if old.get_attribute(&name).as_ref() != Some(&value) {
            let _ = old.set_attribute(&name, &value);
        }
    }
    for name in names(old) {
        let kept = name == "open" || name == "tabindex" || name.starts_with("data-");
        if !kept && !new.has_attribute(&name) {
            let _ = old.remove_attribute(&name);
        }
    }
}

/// Two nodes with the same one are one thing. A link is where it leads, and what can be pressed is
/// what it does.
fn identity(node: &Node) -> String {
    let Some(element) = element(node) else {
        return node.node_name();
    };
    let attribute = |name: &str| element.get_attribute(name).unwrap_or_default();
    let name = element.local_name();
    let key = match name.as_str() {
        "a" => attribute("href"),
        "button" => attribute("value") + &element.text_content().unwrap_or_default(),
        "form" => {
            let hidden = within(&element, "input[type=hidden]");
            hidden.iter().fold(attribute("action"), |key, field| {
                key + &field.get_attribute("value").unwrap_or_default()
            })
        }
        // An island is brought to life as what it is, once.
        "leptos-island" => attribute("data-component"),
        _ => attribute(KEY) + &attribute("id"),
    };
    name + " " + &key
}

fn nodes(parent: &Element) -> impl Iterator<Item = Node> + use<> {
    std::iter::successors(parent.first_child(), Node::next_sibling)
}

fn element(node: &Node) -> Option<Element> {
    node.clone().dyn_into().ok()
}

fn names(element: &Element) -> impl Iterator<Item = String> + use<> {
    element
        .get_attribute_names()
        .into_iter()
        .filter_map(|name: JsValue| name.as_string())
}
