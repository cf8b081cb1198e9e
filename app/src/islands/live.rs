//! Keeps an open page up to date. The server says that something changed (server-sent events); the page is fetched once more and
//! those of its parts that differ are put in place: `data-part` names them. What is being typed into stays. A tab that nobody
//! looks at hears nothing. If the stream dies, the page says since when.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::html::Div;
use leptos::prelude::*;
use leptos::wasm_bindgen::closure::Closure;
use leptos::wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Document, DomParser, Element, EventSource, Headers, MessageEvent, RequestInit, Response, SupportedType};

/// Nothing heard for so long, and the stream is dead: the server speaks every fifteen seconds.
const SILENCE: Duration = Duration::from_secs(40);
/// Between two fetches of the page, however much changes.
const FETCH_EVERY: Duration = Duration::from_millis(1_200);
/// Seconds over which pages spread their fetches.
const SPREAD_S: f64 = 0.4;
/// Tells the server that nobody pressed anything, and what the page has.
const HEADER: &str = "relink-live";

const PART: &str = "data-part";
/// The favicon shows the state too.
const ICON: &str = "link[rel=icon]";
/// A part whose words are said to those who listen, when they change.
const SAY: &str = "data-say";

#[island]
pub fn Live(children: Children) -> impl IntoView {
    let wrapper = NodeRef::<Div>::new();
    Effect::new(move || {
        let Some(wrapper) = wrapper.get() else { return };
        let page = Rc::new(Page::new(wrapper.into()));
        page.clone().listen();
        let listening = window_event_listener_untyped("visibilitychange", move |_| page.clone().listen());
        std::mem::forget(listening);
    });
    view! { <div class="contents" node_ref=wrapper>{children()}</div> }
}

struct Page {
    wrapper: Element,
    /// What the page shows depends on these topics.
    topics: Vec<String>,
    /// The changes that it was made with.
    made: String,
    /// Up to where it has heard.
    mark: RefCell<String>,
    stream: RefCell<Option<EventSource>>,
    silence: Cell<Option<TimeoutHandle>>,
    /// A fetch is under way or waits for its turn.
    fetching: Cell<bool>,
    /// Something changed since it began.
    stale: Cell<bool>,
}

impl Page {
    fn new(wrapper: Element) -> Page {
        let inside = wrapper.query_selector("[data-from]").ok().flatten();
        let read = |name: &str| inside.as_ref().and_then(|inside| inside.get_attribute(name)).unwrap_or_default();
        Page {
            topics: read("data-topics").split(' ').map(str::to_owned).collect(),
            made: read("data-from"),
            mark: RefCell::new(read("data-from")),
            stream: RefCell::default(),
            silence: Cell::default(),
            fetching: Cell::default(),
            stale: Cell::default(),
            wrapper,
        }
    }

    /// Opens the stream, or closes it while nobody looks.
    fn listen(self: Rc<Self>) {
        if let Some(stream) = self.stream.take() {
            stream.close();
        }
        if let Some(silence) = self.silence.take() {
            silence.clear();
        }
        if document().hidden() {
            return;
        }
        let address = format!("/live?from={}", self.mark.borrow());
        let Ok(stream) = EventSource::new(&address) else { return };
        let heard = |name: &str, page: &Rc<Page>, then: fn(Rc<Page>, MessageEvent)| {
            let page = page.clone();
            let hear = Closure::<dyn FnMut(MessageEvent)>::new(move |event| then(page.clone(), event));
            let _ = stream.add_event_listener_with_callback(name, hear.as_ref().unchecked_ref());
            hear.forget();
        };
        heard("open", &self, |page, _| page.alive());
        heard("beat", &self, |page, _| page.alive());
        heard("changed", &self, |page, event| page.changed(&event));
        heard("error", &self, |page, _| page.lost());
        *self.stream.borrow_mut() = Some(stream);
        self.watch();
    }

    /// Silence means that the stream is dead, whatever the browser thinks.
    fn watch(self: Rc<Self>) {
        let page = self.clone();
        let later = set_timeout_with_handle(
            move || {
                page.lost();
                page.clone().listen();
            },
            SILENCE,
        );
        if let Some(before) = self.silence.replace(later.ok()) {
            before.clear();
        }
    }

    fn alive(self: Rc<Self>) {
        let _ = self.wrapper.remove_attribute("data-lost");
        self.show("Updated just now, times in UTC", "on");
        self.watch();
    }

    fn lost(&self) {
        if self.wrapper.has_attribute("data-lost") {
            return;
        }
        let _ = self.wrapper.set_attribute("data-lost", "");
        self.show(&format!("Live updates paused since {}. ", clock()), "off");
    }

    /// The words beside the dot. Beside lost ones the link to a fresh page stays.
    fn show(&self, words: &str, state: &str) {
        if let Ok(Some(indicator)) = self.wrapper.query_selector(".live") {
            let _ = indicator.set_attribute("data-state", state);
        }
        if let Ok(Some(text)) = self.wrapper.query_selector("[data-words]")
            && text.text_content().as_deref() != Some(words)
        {
            text.set_text_content(Some(words));
        }
    }

    fn changed(self: Rc<Self>, event: &MessageEvent) {
        *self.mark.borrow_mut() = event.last_event_id();
        let topics = event.data().as_string().unwrap_or_default();
        let concerns = topics.split(' ').any(|topic| self.topics.iter().any(|own| own == topic));
        self.clone().alive();
        if concerns {
            self.refresh();
        }
    }

    /// Fetches the page, one at a time and not too often.
    fn refresh(self: Rc<Self>) {
        if self.fetching.replace(true) {
            self.stale.set(true);
            return;
        }
        // All who look at the same organisation hear of it at once.
        let pause = Duration::from_secs_f64(SPREAD_S * js_sys::Math::random());
        set_timeout(move || self.look_again(), pause);
    }

    fn look_again(self: Rc<Self>) {
        spawn_local(async move {
            match fetch(&self.made).await {
                Ok(Fetched::Page(fresh)) => replace(&fresh, &self.wrapper),
                Ok(Fetched::Other(address)) => drop(window().location().set_href(&address)),
                Err(_) => self.lost(),
            }
            set_timeout(
                move || {
                    self.fetching.set(false);
                    if self.stale.replace(false) {
                        self.refresh();
                    }
                },
                FETCH_EVERY,
            );
        });
    }
}

/// "14:02", in UTC as everything on the page.
fn clock() -> String {
    js_sys::Date::new_0().to_iso_string().as_string().and_then(|iso| iso.get(11..16).map(str::to_owned)).unwrap_or_default()
}

enum Fetched {
    Page(Document),
    /// Signed out, or gone: what is at this address says so. A reload would not know that somebody was signed in before,
    /// since this answer has taken the cookie away.
    Other(String),
}

/// The page as it is now.
async fn fetch(made: &str) -> Result<Fetched, JsValue> {
    let (headers, init) = (Headers::new()?, RequestInit::new());
    headers.set(HEADER, made)?;
    headers.set("accept", "text/html")?;
    init.set_headers(&headers);
    let address = window().location().href()?;
    let response: Response =
        JsFuture::from(window().fetch_with_str_and_init(address.split('#').next().unwrap_or(&address), &init)).await?.dyn_into()?;
    if response.redirected() || matches!(response.status(), 400..500) {
        return Ok(Fetched::Other(response.url()));
    }
    if !response.ok() {
        return Err(JsValue::NULL);
    }
    let html = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    DomParser::new()?.parse_from_string(&html, SupportedType::TextHtml).map(Fetched::Page)
}

fn replace(fresh: &Document, wrapper: &Element) {
    let page = document();
    page.set_title(&fresh.title());
    put_icon(&page, fresh);
    let mut said = Vec::new();
    for part in all(&page, &format!("[{PART}]")) {
        let name = part.get_attribute(PART).unwrap_or_default();
        let new = first(fresh, &format!("[{PART}=\"{name}\"]"));
        match new {
            Some(new) if new.inner_html() != part.inner_html() && !is_typed_into(&part) => {
                said.extend(news(&part, &new));
                put(&part, &new);
            }
            _ => {}
        }
    }
    if let (false, Ok(Some(status))) = (said.is_empty(), wrapper.query_selector("[role=status]")) {
        status.set_text_content(Some(&said.join(". ")));
    }
}

fn first(inside: &Document, selector: &str) -> Option<Element> {
    inside.query_selector(selector).ok().flatten()
}

/// In the tab, of the worst state.
fn put_icon(page: &Document, fresh: &Document) {
    if let (Some(icon), Some(new)) = (first(page, ICON), first(fresh, ICON).and_then(|new| new.get_attribute("href"))) {
        let _ = icon.set_attribute("href", &new);
    }
}

fn all(inside: &Document, selector: &str) -> Vec<Element> {
    let Ok(found) = inside.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok()).collect()
}

fn within(part: &Element, selector: &str) -> Vec<Element> {
    let Ok(found) = part.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok()).collect()
}

/// What a listener is told: words marked so that are other words now.
fn news(part: &Element, new: &Element) -> Vec<String> {
    let before: Vec<String> = within(part, &format!("[{SAY}]")).iter().map(words).collect();
    within(new, &format!("[{SAY}]")).iter().map(words).filter(|now| !before.contains(now)).collect()
}

fn words(element: &Element) -> String {
    let lead = element.get_attribute(SAY).unwrap_or_default();
    let text = element.text_content().unwrap_or_default();
    format!("{lead}{}", text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Somebody is filling something in there: it waits for the next change.
fn is_typed_into(part: &Element) -> bool {
    let focused = document().active_element().filter(|element| part.contains(Some(element)));
    focused.is_some_and(|element| element.matches("input, select, textarea") == Ok(true))
        || matches!(part.query_selector("dialog[open]"), Ok(Some(_)))
}

/// Puts the new content in place; what was open stays open, and what had the focus has it again.
fn put(part: &Element, new: &Element) {
    const FOCUSABLE: &str = "a, button, summary";
    let focused = document().active_element();
    let place = within(part, FOCUSABLE).iter().position(|element| Some(element) == focused.as_ref());
    let open: Vec<String> = within(part, "details[open] > summary").iter().map(words).collect();
    part.set_inner_html(&new.inner_html());
    enliven(part);
    for summary in within(part, "details > summary") {
        if open.contains(&words(&summary))
            && let Some(details) = summary.parent_element()
        {
            let _ = details.set_attribute("open", "");
        }
    }
    if let Some(element) = place.and_then(|place| within(part, FOCUSABLE).into_iter().nth(place)) {
        focus(&element);
    }
}

/// A link in a picture can have the focus too, and is no HTML element.
fn focus(element: &Element) {
    let focus = js_sys::Reflect::get(element, &"focus".into()).and_then(|focus| focus.dyn_into::<js_sys::Function>());
    if let Ok(focus) = focus {
        let _ = focus.call0(element);
    }
}

/// What was put in place is only markup: its islands have to be brought to life as those of the page were.
fn enliven(part: &Element) {
    let hydrate = js_sys::Reflect::get(&window(), &"__hydrateIsland".into()).and_then(|hydrate| hydrate.dyn_into::<js_sys::Function>());
    let Ok(hydrate) = hydrate else { return };
    for island in within(part, "leptos-island") {
        let name = island.get_attribute("data-component").unwrap_or_default();
        let _ = hydrate.call2(&JsValue::NULL, &island, &name.into());
    }
}
