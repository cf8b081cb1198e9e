//! Signing up, in and out.

use axum::http::{Method, StatusCode};
use relink_engine::account::Role;
use relink_engine::clock::{DAY, MINUTE};

use crate::world::{PASSWORD, Setup, World};

#[tokio::test]
async fn the_first_visitor_is_led_to_sign_up_and_becomes_the_owner() {
    let world = World::new().await;
    let mut browser = world.browser();
    assert_eq!(browser.get("/").await.location(), "/integrations");
    assert_eq!(browser.get("/integrations").await.location(), "/signup");
    assert_eq!(browser.get("/signin").await.location(), "/signup");
    browser.get("/signup").await.shows("Set up Relink");
    assert_eq!(browser.sign_up("Priya@Northwind.dev").await.location(), "/integrations");
    let page = browser.get("/integrations").await;
    page.shows("Priya Raman");
    page.shows("Northwind Labs");
    page.shows("Connect your first workspace");
}

#[tokio::test]
async fn sign_up_closes_for_good() {
    let world = World::new().await;
    world.owner().await;
    let mut late = world.browser();
    assert_eq!(late.get("/signup").await.location(), "/signin");
    assert_eq!(late.sign_up("mallory@example.com").await.location(), "/signin");
    assert_eq!(late.get("/integrations").await.location().split('?').next(), Some("/signin"));
    assert_eq!(late.sign_in("mallory@example.com", PASSWORD).await.location().split('?').next(), Some("/signin"));
}

#[tokio::test]
async fn a_refused_sign_up_keeps_what_was_typed_but_no_password() {
    let world = World::new().await;
    let mut browser = world.browser();
    let fields = [("organisation", ""), ("name", "Priya Raman"), ("email", "not an address"), ("password", "tooshort")];
    assert_eq!(browser.post("/signup", &fields).await.location(), "/signup");
    let page = browser.get("/signup").await;
    page.shows("Error: ");
    assert!(page.body.contains("value=\"Priya Raman\"") && page.body.contains("value=\"not an address\""), "{}", page.body);
    page.hides("tooshort");
    assert_eq!(page.body.matches("aria-invalid=\"true\"").count(), 3);
    browser.get("/signup").await.hides("not an address");
}

#[tokio::test]
async fn an_empty_post_is_refused_like_any_other() {
    let world = World::new().await;
    let mut browser = world.browser();
    assert_eq!(browser.post("/signup", &[]).await.location(), "/signup");
    world.owner().await;
    assert_eq!(browser.post("/signin", &[]).await.location().split('?').next(), Some("/signin"));
}

#[tokio::test]
async fn signing_in_leads_to_the_page_that_was_asked_for_and_never_elsewhere() {
    let world = World::new().await;
    world.owner().await;
    let mut browser = world.browser();
    assert_eq!(browser.get("/settings").await.location(), "/signin?next=/settings");
    let fields = |next| [("email", "priya@northwind.dev"), ("password", PASSWORD), ("next", next)];
    assert_eq!(browser.post("/signin", &fields("/settings")).await.location(), "/settings");
    assert_eq!(browser.post("/signin", &fields("//evil.example")).await.location(), "/integrations");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_get_the_same_answer() {
    let world = World::new().await;
    world.owner().await;
    let mut texts = Vec::new();
    for email in ["priya@northwind.dev", "nobody@northwind.dev"] {
        let mut browser = world.browser();
        let reply = browser.sign_in(email, "wrong wrong wrong").await;
        let page = browser.get(reply.location()).await;
        page.shows("E-mail and password do not match. 4 tries left before a 15 minute pause.");
        assert!(page.body.contains(&format!("value=\"{email}\"")));
        texts.push(page.text().replace(email, ""));
    }
    assert_eq!(texts[0], texts[1]);
}

#[tokio::test]
async fn five_wrong_passwords_pause_the_account_for_a_quarter_of_an_hour() {
    let world = World::new().await;
    world.owner().await;
    let mut browser = world.browser();
    for _ in 0..5 {
        browser.sign_in("priya@northwind.dev", "wrong wrong wrong").await;
    }
    let reply = browser.sign_in("priya@northwind.dev", PASSWORD).await;
    assert!(reply.location().starts_with("/signin"), "even the right one waits");
    let page = browser.get("/signin").await;
    page.shows("15 min");
    world.advance(15 * MINUTE);
    assert_eq!(browser.sign_in("priya@northwind.dev", PASSWORD).await.location(), "/integrations");
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_paused_too() {
    let world = World::new().await;
    world.owner().await;
    let mut browser = world.browser();
    for number in 0..50 {
        browser.sign_in(&format!("guess{number}@northwind.dev"), "wrong wrong wrong").await;
    }
    assert!(browser.sign_in("priya@northwind.dev", PASSWORD).await.location().starts_with("/signin"));
}

#[tokio::test]
async fn a_session_has_a_new_id_after_signing_in_and_ends_with_signing_out() {
    let world = World::new().await;
    world.owner().await;
    let mut browser = world.browser();
    browser.sign_in("priya@northwind.dev", "wrong wrong wrong").await;
    let before = browser.cookies["relink-session"].clone();
    browser.sign_in("priya@northwind.dev", PASSWORD).await;
    let after = browser.cookies["relink-session"].clone();
    assert_ne!(before, after, "an id planted before signing in is worth nothing");
    assert_eq!(browser.post("/signout", &[]).await.location(), "/signin");
    browser.cookies.insert("relink-session".to_owned(), after);
    assert!(browser.get("/integrations").await.location().starts_with("/signin"), "the old cookie is worth nothing either");
}

#[tokio::test]
async fn a_session_runs_out_and_the_door_says_so() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    world.advance(400 * DAY);
    let door = browser.get("/integrations").await.location().to_owned();
    browser.get(&door).await.shows("You were signed out. Sign in to go on.");
}

#[tokio::test]
async fn cookies_are_for_this_site_and_no_script() {
    let world = World::new().await;
    let reply = world.browser().sign_up("priya@northwind.dev").await;
    let cookie = reply.header("set-cookie");
    assert!(cookie.starts_with("relink-session=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");

    let world = World::with(Setup { https: true, ..Setup::default() }).await;
    let mut browser = world.browser();
    for reply in [browser.sign_up("priya@northwind.dev").await, browser.post("/theme", &[("theme", "dark")]).await] {
        let cookie = reply.header("set-cookie");
        let right = cookie.starts_with("__Host-")
            && ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"].iter().all(|part| cookie.contains(part))
            && !cookie.contains("Domain");
        assert!(right, "{cookie}");
    }
}

#[tokio::test]
async fn a_form_posted_from_another_site_is_refused() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    for path in [
        "/signin",
        "/signup",
        "/signout",
        "/signout-elsewhere",
        "/password",
        "/theme",
        "/oauth/linear/start",
        "/integrations/check",
        "/integrations/refresh",
        "/integrations/disconnect",
        "/settings/keys/new",
        "/settings/keys/revoke",
        "/fn/finish-connect",
        "/fn/load-integrations",
    ] {
        for headers in [&[("sec-fetch-site", "cross-site")][..], &[("origin", "https://evil.example")], &[("origin", "null")]] {
            let reply = browser.send(Method::POST, path, &[], headers).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
        }
    }
    browser.get("/integrations").await.shows("Priya Raman");
}

#[tokio::test]
async fn a_new_password_wants_the_present_one_and_ends_other_sessions() {
    let world = World::new().await;
    let mut here = world.owner().await;
    let mut elsewhere = world.browser();
    elsewhere.sign_in("priya@northwind.dev", PASSWORD).await;
    assert_eq!(here.post("/password", &[("present", PASSWORD), ("password", "short")]).await.location(), "/settings");
    here.get("/settings").await.shows("Your password was not changed: the new one is too short.");
    here.post("/password", &[("present", "not the present one"), ("password", "a whole new sentence")]).await;
    here.get("/settings").await.shows("Your password was not changed: this one is wrong");
    elsewhere.get("/settings").await.shows("Priya Raman");
    here.post("/password", &[("present", PASSWORD), ("password", "a whole new sentence")]).await;
    here.get("/settings").await.shows("Your password is changed.");
    here.get("/settings").await.shows("Priya Raman");
    assert!(elsewhere.get("/integrations").await.location().starts_with("/signin"));
    assert!(elsewhere.sign_in("priya@northwind.dev", PASSWORD).await.location().starts_with("/signin"));
    assert_eq!(elsewhere.sign_in("priya@northwind.dev", "a whole new sentence").await.location(), "/integrations");
}

#[tokio::test]
async fn members_see_and_admins_act() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let id = owner.connect("acme-robotics").await;
    let mut member = world.member("northwind-labs", "mia@northwind.dev", Role::Member).await;
    let page = member.get("/integrations").await;
    page.shows("Acme Robotics");
    page.hides("action=\"/oauth/linear/start\"");
    for (path, fields) in [("/oauth/linear/start", &[][..]), ("/integrations/disconnect", &[("connection", id.as_str())])] {
        let json = member.send(Method::POST, path, fields, &[("sec-fetch-site", "same-origin"), ("accept", "application/json")]).await;
        assert_ne!(json.status, StatusCode::OK, "{path}");
        assert_eq!(member.post(path, fields).await.location(), "/integrations", "{path}");
        member.get("/integrations").await.shows("Your role does not allow this.");
    }
    owner.get("/integrations").await.shows("Connected");
    let mut admin = world.member("northwind-labs", "ada@northwind.dev", Role::Admin).await;
    assert!(admin.leave_for_linear(&[]).await.contains("/oauth/authorize"));
}

#[tokio::test]
async fn nobody_without_a_session_gets_anything() {
    let world = World::new().await;
    world.owner().await;
    let mut stranger = world.browser();
    for path in ["/integrations", "/integrations/some-id", "/settings"] {
        assert!(stranger.get(path).await.location().starts_with("/signin?next="), "{path}");
    }
    for path in [
        "/oauth/linear/start",
        "/integrations/check",
        "/integrations/refresh",
        "/integrations/disconnect",
        "/settings/keys/new",
        "/settings/keys/revoke",
        "/password",
        "/signout-elsewhere",
    ] {
        assert!(
            stranger.post(path, &[("connection", "x"), ("password", "long enough for all")]).await.location().starts_with("/signin"),
            "{path}"
        );
    }
    for path in ["/fn/load-integrations", "/fn/load-settings"] {
        assert_eq!(stranger.post(path, &[]).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn other_sessions_can_be_ended() {
    let world = World::new().await;
    let mut here = world.owner().await;
    let mut elsewhere = world.browser();
    elsewhere.sign_in("priya@northwind.dev", PASSWORD).await;
    here.post("/signout-elsewhere", &[]).await;
    here.get("/settings").await.shows("Signed out everywhere else.");
    assert!(elsewhere.get("/integrations").await.location().starts_with("/signin"));
}

#[tokio::test]
async fn a_paused_address_pauses_nobody_elses_account() {
    let world = World::new().await;
    world.owner().await;
    let mut attacker = world.browser();
    for number in 0..60 {
        attacker.sign_in(&format!("guess{number}@northwind.dev"), "wrong wrong wrong").await;
    }
    for _ in 0..5 {
        attacker.sign_in("priya@northwind.dev", "wrong wrong wrong").await;
    }
    world.engine.sign_in("priya@northwind.dev", PASSWORD.into(), "192.0.2.7").await.expect("from another address it works");
}

#[tokio::test]
async fn signing_up_beside_what_the_command_line_made() {
    let world = World::new().await;
    world.add("northwind-labs", "mia@northwind.dev", Role::Member).await;
    let mut browser = world.browser();
    let fields = [("organisation", "Northwind Labs"), ("name", "Mia"), ("email", "mia@northwind.dev"), ("password", PASSWORD)];
    assert_eq!(browser.post("/signup", &fields).await.location(), "/signup");
    browser.get("/signup").await.shows("Somebody has an account with this address.");
    assert_eq!(browser.sign_up("priya@northwind.dev").await.location(), "/integrations");
    browser.get("/integrations").await.shows("Priya Raman");
}

#[tokio::test]
async fn who_is_signed_in_stays_so_whatever_waits_in_the_session() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    // Each of these leaves something in the session or takes it out.
    let id = browser.connect("acme-robotics").await;
    let replies = [
        browser.post("/integrations/check", &[("connection", &id)]).await,
        browser.get(&format!("/integrations/{id}")).await,
        browser.post("/settings/keys/new", &[("name", "ci")]).await,
        browser.get("/settings?shown=key").await,
    ];
    for reply in replies {
        let cookie = reply.headers.get_all("set-cookie").iter().find_map(|line| line.to_str().unwrap().split_once("Max-Age="));
        let seconds: i64 = cookie.expect("the session was stored").1.split(';').next().unwrap().parse().unwrap();
        assert!(seconds > 29 * DAY / 1_000, "signed out after {seconds} s");
    }
    world.advance(20 * DAY);
    browser.get("/integrations").await.shows("Acme Robotics");
}
