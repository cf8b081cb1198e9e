//! Keeps an open page up to date. The server says that something changed (server-sent events); the
//! page is fetched once more and what differs in its parts is put in place: `data-part` names them.
//! A tab that nobody looks at hears nothing. If the stream dies, the page says since when.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::html::Div;
use leptos::prelude::*;
use leptos::wasm_bindgen::closure::Closure;
use leptos::wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Document, Element, EventSource, Headers, MessageEvent, RequestInit, Response};

use super::morph::put;
use super::trusted::parse;
use super::{property, within};

/// The time without a word after which the stream is dead: the server speaks every fifteen seconds.
const SILENCE: Duration = Duration::from_secs(40);
/// The time between two fetches of the page, however much changes.
const FETCH_EVERY: Duration = Duration::from_millis(1_200);
/// Seconds over which pages spread their fetches.
const SPREAD_S: f64 = 0.4;
/// The time between two times that something is said to those who listen.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// The pause after a fetch that failed.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// The header by which an open page says which changes it has, and that nobody pressed anything.
pub const LIVE_HEADER: &str = "relink-live";

const PART: &str = "data-part";
/// The favicon shows the state too.
const ICON: &str = "link[rel=icon]";
/// Words that are said to those who listen when they change. Its value is said before them.
const SAY: &str = "data-say";
/// The mark up to which the page has everything.
const FROM: &str = "data-from";
/// The organisation that it is for.
const OF: &str = "data-of";
/// The beginning of the title of a page whose form was refused. It stays when something else on the
/// page changed.
const REFUSED: &str = "Error: ";

#[island]
pub fn Live(children: Children) -> impl IntoView {
    let wrapper = NodeRef::<Div>::new();
    Effect::new(move || {
        let Some(wrapper) = wrapper.get() else { return };
        let page = Rc::new(Page::new(wrapper.into()));
        page.clone().listen();
        let listening =
            window_event_listener_untyped("visibilitychange", move |_| page.clone().listen());
        std::mem::forget(listening);
    });
    view! { <div class="contents" node_ref=wrapper>{children()}</div> }
}

struct Page {
    wrapper: Element,
    /// The topics that the page depends on.
    topics: Vec<String>,
    /// The changes that its list was made with.
    made: RefCell<String>,
    organisation: String,
    /// The mark up to which it has heard.
    mark: RefCell<String>,
    stream: RefCell<Option<EventSource>>,
    silence: Cell<Option<TimeoutHandle>>,
    shown: Cell<Shown>,
    fetch: Cell<Turn>,
    /// The changes that those who listen know.
    known: RefCell<Vec<String>>,
    telling: Cell<Turn>,
}

/// The state of the page.
#[derive(Clone, Copy, Default, PartialEq)]
enum Shown {
    #[default]
    Current,
    /// The last fetch failed, so there may be more than the page shows.
    Behind,
    /// The page is not theirs any more, and stays only for what is typed in it.
    Over,
}

/// A turn at what is done once at a time, with a pause after it: fetching the page, saying what is
/// new.
#[derive(Clone, Copy, Default, PartialEq)]
enum Turn {
    #[default]
    Free,
    /// There was something to do, and nobody looked.
    Missed,
    Taken,
    /// There is more to do since.
    TakenAgain,
}

/// Answers whether it was free; if not, there is more to do for who has it.
fn take(turn: &Cell<Turn>) -> bool {
    let free = matches!(turn.get(), Turn::Free | Turn::Missed);
    turn.set(if free { Turn::Taken } else { Turn::TakenAgain });
    free
}

/// Answers whether there is more to do.
fn give_back(turn: &Cell<Turn>) -> bool {
    turn.replace(Turn::Free) == Turn::TakenAgain
}

impl Page {
    fn new(wrapper: Element) -> Page {
        let inside = wrapper.query_selector(&format!("[{FROM}]")).ok().flatten();
        let read = |name: &str| {
            inside
                .as_ref()
                .and_then(|inside| inside.get_attribute(name))
                .unwrap_or_default()
        };
        Page {
            topics: read("data-topics").split(' ').map(str::to_owned).collect(),
            made: RefCell::new(read(FROM)),
            organisation: read(OF),
            mark: RefCell::new(read(FROM)),
            stream: RefCell::default(),
            silence: Cell::default(),
            shown: Cell::default(),
            fetch: Cell::default(),
            known: RefCell::new(sayings()),
            telling: Cell::default(),
            wrapper,
        }
    }

    /// Opens the stream, or closes it while nobody looks and when the page is over.
    fn listen(self: Rc<Self>) {
        if let Some(stream) = self.stream.take() {
            stream.close();
        }
        if let Some(silence) = self.silence.take() {
            silence.clear();
        }
        if document().hidden() || self.shown.get() == Shown::Over {
            return;
        }
        let address = format!("/live?from={}", self.mark.borrow());
        let Ok(stream) = EventSource::new(&address) else {
            return;
        };
        let heard = |name: &str, page: &Rc<Page>, then: fn(Rc<Page>, MessageEvent)| {
            let page = page.clone();
            let hear =
                Closure::<dyn FnMut(MessageEvent)>::new(move |event| then(page.clone(), event));
            let _ = stream.add_event_listener_with_callback(name, hear.as_ref().unchecked_ref());
            hear.forget();
        };
        heard("open", &self, |page, _| page.alive());
        heard("beat", &self, |page, _| page.alive());
        heard("changed", &self, |page, event| page.changed(&event));
        heard("error", &self, |page, _| page.lost());
        *self.stream.borrow_mut() = Some(stream);
        self.clone().watch();
        if self.fetch.get() == Turn::Missed {
            self.refresh();
        }
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
        self.clone().watch();
        if self.shown.get() == Shown::Current {
            self.current();
        }
    }

    fn current(&self) {
        if self.wrapper.has_attribute("data-lost") {
            let _ = self.wrapper.remove_attribute("data-lost");
            self.say("Live updates are back");
        }
        self.show("Updated just now, times in UTC", "on");
    }

    fn lost(&self) {
        if self.wrapper.has_attribute("data-lost") {
            return;
        }
        let _ = self.wrapper.set_attribute("data-lost", "");
        let words = format!("Live updates paused since {}. ", clock());
        self.show(&words, "off");
        self.say(&words);
    }

    /// Says something to those who listen.
    fn say(&self, words: &str) {
        if let Ok(Some(status)) = self.wrapper.query_selector("[role=status]") {
            status.set_text_content(Some(words));
        }
    }

    /// Says what is new on the page, but not all the time.
    fn tell(self: Rc<Self>) {
        if !take(&self.telling) {
            return;
        }
        let now = sayings();
        let known = self.known.replace(now.clone());
        let news: Vec<String> = now
            .into_iter()
            .filter(|words| !known.contains(words))
            .collect();
        if news.is_empty() {
            self.telling.set(Turn::Free);
            return;
        }
        self.say(&news.join(". "));
        set_timeout(
            move || {
                if give_back(&self.telling) {
                    self.tell();
                }
            },
            SAY_EVERY,
        );
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
        let concerns = topics
            .split(' ')
            .any(|topic| self.topics.iter().any(|own| own == topic));
        self.clone().alive();
        if concerns {
            self.refresh();
        }
    }

    /// Fetches the page, one at a time and not too often.
    fn refresh(self: Rc<Self>) {
        if !take(&self.fetch) {
            return;
        }
        // All who look at the same organisation hear of it at once.
        let pause = Duration::from_secs_f64(SPREAD_S * js_sys::Math::random());
        set_timeout(move || self.look_again(), pause);
    }

    fn look_again(self: Rc<Self>) {
        if document().hidden() || self.shown.get() == Shown::Over {
            self.fetch.set(Turn::Missed);
            return;
        }
        spawn_local(async move {
            let made = self.made.borrow().clone();
            let fetched = fetch(&made).await;
            let (shown, pause) = match fetched {
                Ok(_) => (Shown::Current, FETCH_EVERY),
                Err(_) => (Shown::Behind, RETRY_AFTER),
            };
            self.shown.set(shown);
            match fetched {
                Ok(Fetched::Page(fresh)) if self.is_theirs(&fresh) => self.clone().put(&fresh),
                Ok(Fetched::Page(_)) => self.clone().end("You switched to another organisation. "),
                Ok(Fetched::Other(_)) if is_anything_typed() => self
                    .clone()
                    .end("You were signed out, or this page is gone. "),
                Ok(Fetched::Other(address)) => drop(window().location().set_href(&address)),
                Err(_) => self.lost(),
            }
            set_timeout(
                move || {
                    if give_back(&self.fetch) || self.shown.get() == Shown::Behind {
                        self.refresh();
                    }
                },
                pause,
            );
        });
    }

    /// Says whether it is for the organisation that this page was loaded for.
    fn is_theirs(&self, fresh: &Document) -> bool {
        first(fresh, &format!("[{OF}]"))
            .and_then(|of| of.get_attribute(OF))
            .is_none_or(|of| of == self.organisation)
    }

    fn put(self: Rc<Self>, fresh: &Document) {
        self.current();
        let page = document();
        let refused = if page.title().starts_with(REFUSED) {
            REFUSED
        } else {
            ""
        };
        page.set_title(&format!("{refused}{}", fresh.title()));
        put_icon(&page, fresh);
        for part in all(&page, &format!("[{PART}]")) {
            let name = part.get_attribute(PART).unwrap_or_default();
            let Some(new) = first(fresh, &format!("[{PART}=\"{name}\"]")) else {
                continue;
            };
            put(&part, &new);
            // From here on the rows that are shown are these.
            if name == "list"
                && let Some(made) =
                    first(fresh, &format!("[{FROM}]")).and_then(|made| made.get_attribute(FROM))
            {
                *self.made.borrow_mut() = made;
            }
        }
        self.tell();
    }

    /// The page is not kept up to date any more, but stays: what is typed in it is not thrown away.
    fn end(self: Rc<Self>, why: &str) {
        self.shown.set(Shown::Over);
        self.clone().listen();
        self.show(why, "off");
        self.say(why);
    }
}

/// "14:02", in UTC as everything on the page.
fn clock() -> String {
    js_sys::Date::new_0()
        .to_iso_string()
        .as_string()
        .and_then(|iso| iso.get(11..16).map(str::to_owned))
        .unwrap_or_default()
}

enum Fetched {
    Page(Document),
    /// Signed out, or gone: what is at this address says so. A reload would not know that somebody
    /// was signed in before, since this answer has taken the cookie away.
    Other(String),
}

/// The page as it is now.
async fn fetch(made: &str) -> Result<Fetched, JsValue> {
    let (headers, init) = (Headers::new()?, RequestInit::new());
    headers.set(LIVE_HEADER, made)?;
    headers.set("accept", "text/html")?;
    init.set_headers(&headers);
    let address = window().location().href()?;
    let response: Response = JsFuture::from(
        window().fetch_with_str_and_init(address.split('#').next().unwrap_or(&address), &init),
    )
    .await?
    .dyn_into()?;
    if response.redirected() || matches!(response.status(), 400..500) {
        return Ok(Fetched::Other(response.url()));
    }
    if !response.ok() {
        return Err(JsValue::NULL);
    }
    let html = JsFuture::from(response.text()?)
        .await?
        .as_string()
        .unwrap_or_default();
    parse(&html).map(Fetched::Page)
}

fn first(inside: &Document, selector: &str) -> Option<Element> {
    inside.query_selector(selector).ok().flatten()
}

/// Puts into the tab the icon of the worst state.
fn put_icon(page: &Document, fresh: &Document) {
    if let (Some(icon), Some(new)) = (
        first(page, ICON),
        first(fresh, ICON).and_then(|new| new.get_attribute("href")),
    ) {
        let _ = icon.set_attribute("href", &new);
    }
}

fn all(inside: &Document, selector: &str) -> Vec<Element> {
    inside
        .document_element()
        .map(|root| within(&root, selector))
        .unwrap_or_default()
}

/// Everything on the page that is said when it changes.
fn sayings() -> Vec<String> {
    all(&document(), &format!("[{SAY}]"))
        .iter()
        .map(words)
        .collect()
}

fn words(element: &Element) -> String {
    let lead = element.get_attribute(SAY).unwrap_or_default();
    let text = element.text_content().unwrap_or_default();
    format!(
        "{lead}{}",
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    )
}

fn is_anything_typed() -> bool {
    let fields = all(&document(), "input:not([type=hidden]), textarea");
    fields
        .iter()
        .any(|field| property(field, "value") != property(field, "defaultValue"))
}
