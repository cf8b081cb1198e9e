//! The names that Linear, people and forms give to things, over every page: text and no markup, and
//! no longer than pages are made for.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use relink_simulator::{NewPerson, NewProject, NewTeam, NewWorkspace, Role};
use serde_json::json;

use crate::support::team::{INVITE, SHOWN, manage};
use crate::support::webhooks::SECRET;
use crate::world::{Browser, PASSWORD, Reply, Setup, World};

/// Closes whatever may be open and begins something. Short enough not to be cut.
const MARKUP: &str = "</title></textarea></script>'\"><b data-hostile=\"1\"><leptos-island \
    data-component=\"x\">";
/// A right-to-left override, an escape sequence, both kinds of line end, and others that act.
const ACTING: &str = "Ac\u{202e}me\u{2069}\u{1b}[2K\u{9b}1A\r\nForged: line\u{200f}\u{2028}\u{7}";
const LETTERS: usize = 10_000;
/// Longer runs of one letter are not a name that was cut; an e-mail address may be this long.
const RUN_MAX: usize = 255;

/// Every name that Linear gives is this one.
struct Named {
    name: String,
    key: String,
}

impl Named {
    fn all() -> [Named; 3] {
        let named = |name: &str, key: &str| Named {
            name: name.to_owned(),
            key: key.to_owned(),
        };
        [
            named(MARKUP, "m"),
            named(ACTING, "a"),
            named(&"w".repeat(LETTERS), &"k".repeat(LETTERS)),
        ]
    }

    fn email(&self) -> String {
        format!("{}@{}.example", self.name, self.key)
    }

    fn workspace(&self) -> NewWorkspace {
        let person = |name: String, email: String| NewPerson {
            name,
            email: Some(email),
            ..NewPerson::default()
        };
        let admin = NewPerson {
            role: Some(Role::Admin),
            ..person(self.name.clone(), self.email())
        };
        NewWorkspace {
            name: self.name.clone(),
            url_key: self.key.clone(),
            users: vec![
                admin,
                person(
                    format!("Guest {}", self.name),
                    "guest@hostile.example".to_owned(),
                ),
            ],
            teams: vec![NewTeam {
                key: self.name.clone(),
                name: self.name.clone(),
                private: false,
            }],
            projects: vec![NewProject {
                name: self.name.clone(),
                team: None,
            }],
            ..NewWorkspace::default()
        }
    }

    /// Cuts it to what people can type; what does not fit is refused where it is typed.
    fn typed(&self) -> String {
        self.name.chars().take(100).collect()
    }
}

/// Tags of a page, each with its attributes but without their quoted values, and what stands
/// between.
fn parts(page: &str) -> (Vec<String>, Vec<&str>) {
    let (mut tags, mut texts) = (Vec::new(), Vec::new());
    let mut rest = page;
    while let Some((text, from_tag)) = rest.split_once('<') {
        texts.push(text);
        let (mut tag, mut quoted, mut end) = (String::new(), false, from_tag.len());
        for (at, c) in from_tag.char_indices() {
            match c {
                '>' if !quoted => {
                    end = at + 1;
                    break;
                }
                '"' => quoted = !quoted,
                c if !quoted => tag.push(c),
                _ => {}
            }
        }
        // Scripts are ours, and written without data.
        let script = tag
            .starts_with("script")
            .then(|| from_tag.find("</script>"))
            .flatten();
        rest = &from_tag[script.unwrap_or(end)..];
        tags.push(tag);
    }
    texts.push(rest);
    (tags, texts)
}

/// The text of each of these elements, in which browsers see no markup but its end.
fn inside<'a>(page: &'a str, element: &str) -> Vec<&'a str> {
    let (start, end) = (format!("<{element}"), format!("</{element}>"));
    let rests = page
        .split(&start)
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('>')?.1));
    rests
        .map(|rest| rest.split(&end).next().unwrap_or_default())
        .collect()
}

#[track_caller]
fn is_only_text(what: &str, page: &Reply) {
    let (tags, texts) = parts(&page.body);
    for tag in &tags {
        assert!(!tag.contains("data-hostile"), "{what}: {tag}");
    }
    let acts = |c: char| relink_engine::text::acts(c) && !matches!(c, '\n' | '\t');
    for text in texts {
        assert!(!text.contains(acts), "{what}: {text:?}");
    }
    for element in ["title", "textarea"] {
        for text in inside(&page.body, element) {
            assert!(!text.contains('<'), "{what}: {text}");
        }
    }
    // Who opens a delivery gets its body as it was sent.
    if !what.starts_with("/deliveries") {
        assert!(
            !page.body.contains(acts),
            "{what}: {:?}",
            around(&page.body, acts)
        );
        let run = page
            .body
            .as_bytes()
            .chunk_by(|a, b| a == b)
            .find(|run| run.len() > RUN_MAX);
        let from = run
            .map(|run| run.as_ptr() as usize - page.body.as_ptr() as usize)
            .unwrap_or_default();
        let before = String::from_utf8_lossy(&page.body.as_bytes()[from.saturating_sub(200)..from]);
        assert!(
            run.is_none(),
            "{what}: a long row of letters after {before:?}"
        );
    }
}

fn around(page: &str, acts: impl Fn(char) -> bool) -> &str {
    let at = page.find(acts).unwrap_or_default();
    let from = page[..at]
        .char_indices()
        .rev()
        .nth(200)
        .map_or(0, |(at, _)| at);
    &page[from..at]
}

/// Everything that a signed-in owner comes upon.
async fn every_page(browser: &mut Browser<'_>, connection: &str, seen: &mut BTreeSet<String>) {
    let of_connection = format!("/integrations/{connection}");
    let paths = [
        "/integrations".to_owned(),
        "/integrations?q=%3C/title%3E%3Cb%20data-hostile=%221%22%3E".to_owned(),
        format!("{of_connection}?confirm=disconnect"),
        of_connection,
        "/deliveries".to_owned(),
        "/deliveries?event=%3Cb%20data-hostile%3E&q=%22%3E%3Cb%20data-hostile=%221%22%3E"
            .to_owned(),
        "/team".to_owned(),
        format!("/team?workspace={connection}"),
        "/settings".to_owned(),
        "/nothing-here/%3Cb%20data-hostile%3E".to_owned(),
        "/integrations?error=%3Cb%20data-hostile%3E".to_owned(),
    ];
    for path in paths {
        let page = browser.get(&path).await;
        assert!(
            [StatusCode::OK, StatusCode::NOT_FOUND].contains(&page.status),
            "{path}: {}",
            page.status
        );
        is_only_text(&path, &page);
        // Of one delivery, member or app, as the page links to it.
        let links = page
            .body
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        for link in links.filter(|link| {
            ["/deliveries?", "/team?", "/settings?"]
                .iter()
                .any(|page| link.starts_with(page))
        }) {
            let link = link.replace("&amp;", "&");
            let link = link.split('#').next().unwrap_or_default().to_owned();
            if seen.len() < 60 && seen.insert(link.clone()) {
                is_only_text(&link, &browser.get(&link).await);
            }
        }
    }
}

#[tokio::test]
async fn no_name_is_markup_or_acts_or_is_longer_than_pages_are_made_for() {
    for named in Named::all() {
        let world = World::with(Setup {
            allow_private_destinations: true,
            ..Setup::default()
        })
        .await;
        world.linear.add_workspace(named.workspace()).unwrap();
        let mut browser = world.browser();
        let typed = named.typed();
        let fields = [
            ("organisation", typed.as_str()),
            ("name", &typed),
            ("email", "priya@northwind.dev"),
            ("password", PASSWORD),
        ];
        let refused = browser.post("/signup", &fields).await;
        if refused.location() != "/integrations" {
            is_only_text("a refused sign-up", &browser.get("/signup").await);
            browser.sign_up("priya@northwind.dev").await;
        }
        let organisation = world.store.organisation_only().await.unwrap().unwrap();

        let back = browser.walk(&named.key, &[("actor", "user")]).await;
        assert_eq!(back.location(), "/integrations");
        is_only_text("just connected", &browser.get("/integrations").await);
        let connection = world
            .store
            .connections(&organisation.id)
            .await
            .unwrap()
            .remove(0);
        assert_eq!(
            connection.workspace.name, named.name,
            "stored as it is, for programs"
        );
        let id = &*connection.id;

        browser
            .post(
                "/integrations/webhook-secret",
                &[("connection", id), ("secret", SECRET)],
            )
            .await;
        let body = json!({
            "action": named.name, "type": named.name, "organizationId": connection.workspace.id,
            "webhookTimestamp": world.engine.now(),
            "webhookId": "h1", "actor": { "id": "u1", "name": named.name, "type": "user" },
            "data": { "id": "i1", "identifier": named.name, "title": named.name },
        });
        assert_eq!(world.deliver(SECRET, &body.to_string()).await.status, 200);
        for (path, fields) in [
            ("/settings/keys/new", vec![("name", typed.as_str())]),
            (
                "/settings/apps",
                vec![("name", &typed), ("client_id", "0123456789abcdef")],
            ),
            (
                "/deliveries/destinations",
                vec![
                    (
                        "url",
                        "https://hooks.example.com/?\"><b data-hostile=\"1\">",
                    ),
                    ("events[]", "Issue"),
                ],
            ),
            ("/deliveries/destinations", vec![("url", &typed)]),
            (
                INVITE,
                vec![("workspace", id), ("person", "guest@hostile.example")],
            ),
        ] {
            let reply = browser.post(path, &fields).await;
            is_only_text(path, &browser.get(reply.location()).await);
        }
        let made = world.store.connections(&organisation.id).await.unwrap();
        assert_eq!(made.len(), 1);

        browser
            .post(
                INVITE,
                &[("workspace", id), ("person", "guest@hostile.example")],
            )
            .await;
        let page = browser.get(SHOWN).await;
        is_only_text("a new code", &page);
        let code = page.body.split("/link#").nth(1).expect("a code")[..19].to_owned();
        let mut guest = world.browser();
        guest.post("/link", &[("code", &typed)]).await;
        is_only_text("a wrong code", &guest.get("/link").await);
        guest.post("/link", &[("code", &code)]).await;
        let preview = guest.get("/link").await;
        is_only_text("what a code says", &preview);
        let field = preview
            .body
            .split("name=\"preview\" value=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        let end = guest
            .post("/link/confirm", &[("preview", &field), ("answer", "yes")])
            .await;
        is_only_text("a yes", &guest.get(end.location()).await);

        let mut seen = BTreeSet::new();
        every_page(&mut browser, id, &mut seen).await;
        assert!(!seen.is_empty(), "further pages were found");
        is_only_text(
            "a member",
            &manage(&mut browser, "guest@hostile.example").await,
        );
        guest
            .post("/signin", &[("email", &typed), ("password", "x")])
            .await;
        is_only_text("a refused sign-in", &world.browser().get("/signin").await);
        browser
            .post("/integrations/disconnect", &[("connection", id)])
            .await;
        every_page(&mut browser, id, &mut BTreeSet::new()).await;
    }
}

#[test]
fn hostile_text_would_be_found() {
    let reply = |body: String| Reply {
        status: StatusCode::OK,
        headers: axum::http::HeaderMap::new(),
        body,
    };
    let bad = [
        "<p><b data-hostile=\"1\"></p>".to_owned(),
        "<p title=\"x\" data-hostile=\"1\">".to_owned(),
        "<p>a\u{202e}b</p>".to_owned(),
        format!("<p>{}</p>", "w".repeat(300)),
        "<title>a<b></title>".to_owned(),
        "<p title=\"a\u{1b}b\"></p>".to_owned(),
    ];
    for page in bad {
        let found =
            std::panic::catch_unwind(|| is_only_text("a page", &reply(page.clone()))).is_err();
        assert!(found, "{page}");
    }
    is_only_text(
        "a page",
        &reply("<p title=\"&quot; data-hostile\">&lt;b data-hostile=\"1\"></p>".to_owned()),
    );
}
