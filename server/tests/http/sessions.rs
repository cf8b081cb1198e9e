//! The sessions of people, their cookies, passwords and addresses.

use axum::http::Method;
use relink_engine::clock::DAY;
use relink_engine::identity::Role;

use crate::world::{Browser, PASSWORD, Reply, START, World};

const COOKIE: &str = "relink-session-3000";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const EMAIL: &str = "priya@northwind.dev";

/// Looks at a page with this browser.
async fn look(browser: &mut Browser<'_>, agent: &str, path: &str) -> Reply {
    browser
        .send(Method::GET, path, &[], &[("user-agent", agent)])
        .await
}

async fn is_in(browser: &mut Browser<'_>) -> bool {
    browser.get("/settings").await.status == 200
}

/// Reads what the sign-out button beside another session sends.
fn other_session(page: &Reply) -> String {
    let field = page
        .body
        .split("name=\"session\" value=\"")
        .nth(1)
        .expect("another session");
    field.split('"').next().unwrap().to_owned()
}

/// The acts in the trail, the oldest first.
async fn acts(world: &World) -> Vec<String> {
    let lines = world
        .store
        .audit_after(&world.organisation().await, 0, 100)
        .await
        .unwrap();
    lines.into_iter().map(|line| line.act).collect()
}

#[tokio::test]
async fn a_session_ends_a_month_after_it_was_used_last() {
    let world = World::new().await;
    let (mut used, mut left) = (world.owner().await, world.browser());
    left.sign_in(EMAIL, PASSWORD).await;
    assert!(is_in(&mut left).await);
    for _ in 0..2 {
        world.let_pass(20 * DAY);
        assert!(is_in(&mut used).await);
    }
    assert!(!is_in(&mut left).await, "it was not used for forty days");
}

#[tokio::test]
async fn a_session_ends_after_ninety_days_however_much_it_is_used() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    for _ in 0..4 {
        world.let_pass(20 * DAY);
        browser.post("/theme", &[("theme", "dark")]).await;
        browser.post("/signout-elsewhere", &[]).await;
        assert!(
            is_in(&mut browser).await,
            "stored anew, with something to say"
        );
    }
    world.let_pass(10 * DAY);
    assert!(!is_in(&mut browser).await);
    assert_eq!(world.engine.now(), START + 90 * DAY);
}

#[tokio::test]
async fn settings_list_one_s_sessions_and_end_any_of_them() {
    let world = World::new().await;
    let (mut here, mut there) = (world.owner().await, world.browser());
    there.sign_in(EMAIL, PASSWORD).await;
    look(&mut there, FIREFOX, "/settings").await;
    world.let_pass(2 * DAY);
    let page = look(&mut here, "curl/8.5.0", "/settings").await;
    page.shows(
        "curl unknown Just now This browser Firefox on Linux unknown 2 days ago Sign out Firefox \
            on Linux",
    );
    let other = other_session(&page);
    let mut stranger = world
        .member("northwind-labs", "mia@northwind.dev", Role::Admin)
        .await;
    stranger
        .post("/settings/sessions/end", &[("session", &other)])
        .await;
    assert_eq!(
        look(&mut there, FIREFOX, "/settings").await.status,
        200,
        "nobody else ends it"
    );
    assert_eq!(
        here.post("/settings/sessions/end", &[("session", &other)])
            .await
            .location(),
        "/settings"
    );
    here.get("/settings")
        .await
        .shows("Firefox on Linux is signed out.");
    assert!(!is_in(&mut there).await && is_in(&mut here).await);
    assert_eq!(acts(&world).await.last().unwrap(), "session.ended");
}

#[tokio::test]
async fn a_new_password_gives_the_session_a_new_id() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let before = browser.cookies[COOKIE].clone();
    browser
        .post(
            "/password",
            &[("present", PASSWORD), ("password", "a whole new sentence")],
        )
        .await;
    assert_ne!(browser.cookies[COOKIE], before);
    browser
        .get("/settings")
        .await
        .shows("Your password is changed.");
    let mut thief = world.browser();
    thief.cookies.insert(COOKIE.to_owned(), before);
    assert!(
        !is_in(&mut thief).await,
        "whoever has the old id has nothing"
    );
}

#[tokio::test]
async fn signing_in_leaves_a_line() {
    let world = World::new().await;
    world.owner().await;
    world.browser().sign_in(EMAIL, PASSWORD).await;
    assert_eq!(acts(&world).await, ["member.added", "sign-in"]);
}

#[tokio::test]
async fn signing_out_leaves_a_line_here_and_everywhere_else() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser.post("/signout-elsewhere", &[]).await;
    browser.post("/signout", &[]).await;
    browser.post("/signout", &[]).await;
    assert_eq!(
        acts(&world).await,
        ["member.added", "sign-out.elsewhere", "sign-out"],
        "nobody signs out twice"
    );
}

#[tokio::test]
async fn what_is_guessed_first_is_no_password() {
    let world = World::new().await;
    let mut browser = world.browser();
    let mut sign_up = async |password: &str| {
        let fields = [
            ("organisation", "Northwind Labs"),
            ("name", "Priya"),
            ("email", EMAIL),
            ("password", password),
        ];
        browser.post("/signup", &fields).await;
        browser.get("/signup").await.text()
    };
    for (password, complaint) in [
        (
            "password2024",
            "This password is among the first that are guessed.",
        ),
        (
            "northwindlabs",
            "This password is little more than your address or organisation.",
        ),
        (
            "priya@northwind.dev",
            "This password is little more than your address or organisation.",
        ),
        ("elevenchars", "This password is too short."),
    ] {
        let page = sign_up(password).await;
        assert!(page.contains(complaint), "{password}: {page}");
    }
    let mut owner = world.owner().await;
    owner
        .post(
            "/password",
            &[("present", PASSWORD), ("password", "qwertyuiop123")],
        )
        .await;
    owner
        .get("/settings")
        .await
        .shows("Your password was not changed. This password is among the first");
}

#[tokio::test]
async fn however_an_address_and_a_password_are_typed_they_are_one() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    world
        .add(
            "northwind-labs",
            "a\u{301}sa@ex\u{e4}mple.example",
            Role::Member,
        )
        .await;
    let (composed, taken_apart) = ("caf\u{e9} am Morgen", "cafe\u{301} am Morgen");
    for (email, present, new) in [
        ("\u{e1}sa@xn--exmple-cua.example", PASSWORD, composed),
        ("\u{c1}sa@EXA\u{308}MPLE.example", taken_apart, taken_apart),
        ("\u{e1}sa@ex\u{e4}mple.example", composed, PASSWORD),
    ] {
        assert_eq!(
            browser.sign_in(email, present).await.location(),
            "/integrations",
            "{email}"
        );
        browser
            .post("/password", &[("present", present), ("password", new)])
            .await;
        browser
            .get("/settings")
            .await
            .shows("Your password is changed.");
    }
}

#[tokio::test]
async fn an_older_spelling_of_an_address_is_given_up_and_kept_where_it_would_meet_another_account()
{
    let world = World::new().await;
    let mut browser = world.owner().await;
    for email in [
        "asa@example.com",
        "bo@xn--exmple-cua.example",
        "another@example.com",
    ] {
        world.add("northwind-labs", email, Role::Member).await;
    }
    world
        .sql("UPDATE users SET email = 'asa@ex\u{e4}mple.example' WHERE email = 'asa@example.com'")
        .await;
    world
        .sql(
            "UPDATE users SET email = 'bo@ex\u{e4}mple.example' WHERE email = \
                'another@example.com'",
        )
        .await;
    // As a newer version does at its start.
    world.another(0).await;
    for (typed, account) in [
        ("asa@ex\u{e4}mple.example", "asa@xn--exmple-cua.example"),
        ("asa@xn--exmple-cua.example", "asa@xn--exmple-cua.example"),
        ("bo@ex\u{e4}mple.example", "bo@ex\u{e4}mple.example"),
        ("bo@xn--exmple-cua.example", "bo@xn--exmple-cua.example"),
    ] {
        assert_eq!(
            browser.sign_in(typed, PASSWORD).await.location(),
            "/integrations",
            "{typed}"
        );
        browser
            .get("/settings")
            .await
            .shows(&format!("member {account}"));
    }
}

#[tokio::test]
async fn what_an_older_version_left_for_the_next_page_is_dropped_in_silence() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    world
        .sql(
            r#"UPDATE sessions SET data = CAST(json_patch(CAST(data AS TEXT), '{
                "flash": {"KeyRevoked": {"name": "ci-runner"}},
                "refused": {
                    "organisation": "", "name": "ci-runner", "email": "",
                    "destination": {"url": "", "events": [], "ordered": false},
                    "invite": {"workspace": "", "person": "", "picked": [], "valid": ""},
                    "app": {"app": "", "name": "", "client_id": ""},
                    "complaints": ["KeyName"]
                }}') AS BLOB)"#,
        )
        .await;
    let page = browser.get("/settings").await;
    assert_eq!(page.status, 200);
    page.hides("ci-runner");
    page.hides(r#"class="flash"#);
    browser.post("/signout-elsewhere", &[]).await;
    browser
        .get("/settings")
        .await
        .shows("Signed out everywhere else.");
}
