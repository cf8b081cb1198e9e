//! Signing up, in and out.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use relink_engine::clock::{DAY, MINUTE};
use relink_engine::identity::Role;
use relink_engine::{SignInError, Visitor};
use tokio::time::timeout;

use crate::world::{PASSWORD, Reply, Setup, World};

#[tokio::test]
async fn the_first_visitor_is_led_to_sign_up_and_becomes_the_owner() {
    let world = World::new().await;
    let mut browser = world.browser();
    assert_eq!(browser.get("/").await.location(), "/integrations");
    assert_eq!(browser.get("/integrations").await.location(), "/signup");
    assert_eq!(browser.get("/signin").await.location(), "/signup");
    browser.get("/signup").await.shows("Set up Relink");
    assert_eq!(
        browser.sign_up("Priya@Northwind.dev").await.location(),
        "/integrations"
    );
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
    assert_eq!(
        late.sign_up("mallory@example.com").await.location(),
        "/signin"
    );
    assert_eq!(
        late.get("/integrations").await.location().split('?').next(),
        Some("/signin")
    );
    assert_eq!(
        late.sign_in("mallory@example.com", PASSWORD)
            .await
            .location()
            .split('?')
            .next(),
        Some("/signin")
    );
}

#[tokio::test]
async fn a_refused_sign_up_keeps_what_was_typed_but_no_password() {
    let world = World::new().await;
    let mut browser = world.browser();
    let fields = [
        ("organisation", ""),
        ("name", "Priya Raman"),
        ("email", "not an address"),
        ("password", "tooshort"),
    ];
    assert_eq!(browser.post("/signup", &fields).await.location(), "/signup");
    let page = browser.get("/signup").await;
    page.shows("Error: ");
    assert!(
        page.body.contains("value=\"Priya Raman\"")
            && page.body.contains("value=\"not an address\""),
        "{}",
        page.body
    );
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
    assert_eq!(
        browser
            .post("/signin", &[])
            .await
            .location()
            .split('?')
            .next(),
        Some("/signin")
    );
}

#[tokio::test]
async fn signing_in_leads_to_the_page_that_was_asked_for_and_never_elsewhere() {
    let world = World::new().await;
    world.owner().await;
    let mut browser = world.browser();
    assert_eq!(
        browser.get("/settings").await.location(),
        "/signin?next=/settings"
    );
    let fields = |next| {
        [
            ("email", "priya@northwind.dev"),
            ("password", PASSWORD),
            ("next", next),
        ]
    };
    assert_eq!(
        browser
            .post("/signin", &fields("/settings"))
            .await
            .location(),
        "/settings"
    );
    assert_eq!(
        browser
            .post("/signin", &fields("//evil.example"))
            .await
            .location(),
        "/integrations"
    );
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
        browser
            .sign_in("priya@northwind.dev", "wrong wrong wrong")
            .await;
    }
    let reply = browser.sign_in("priya@northwind.dev", PASSWORD).await;
    assert!(
        reply.location().starts_with("/signin"),
        "even the right one waits"
    );
    let page = browser.get("/signin").await;
    page.shows("15 min");
    world.advance(15 * MINUTE);
    assert_eq!(
        browser
            .sign_in("priya@northwind.dev", PASSWORD)
            .await
            .location(),
        "/integrations"
    );
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_paused_too() {
    let world = World::new().await;
    world.owner().await;
    let mut browser = world.browser();
    for number in 0..50 {
        browser
            .sign_in(&format!("guess{number}@northwind.dev"), "wrong wrong wrong")
            .await;
    }
    assert!(
        browser
            .sign_in("priya@northwind.dev", PASSWORD)
            .await
            .location()
            .starts_with("/signin")
    );
}

#[tokio::test]
async fn a_session_has_a_new_id_after_signing_in_and_ends_with_signing_out() {
    let world = World::new().await;
    world.owner().await;
    let mut browser = world.browser();
    browser
        .sign_in("priya@northwind.dev", "wrong wrong wrong")
        .await;
    let before = browser.cookies["relink-session-3000"].clone();
    browser.sign_in("priya@northwind.dev", PASSWORD).await;
    let after = browser.cookies["relink-session-3000"].clone();
    assert_ne!(
        before, after,
        "an id planted before signing in is worth nothing"
    );
    assert_eq!(browser.post("/signout", &[]).await.location(), "/signin");
    browser
        .cookies
        .insert("relink-session-3000".to_owned(), after);
    assert!(
        browser
            .get("/integrations")
            .await
            .location()
            .starts_with("/signin"),
        "the old cookie is worth nothing either"
    );
}

#[tokio::test]
async fn a_session_runs_out_and_the_door_says_so() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    world.advance(400 * DAY);
    let door = browser.get("/integrations").await.location().to_owned();
    browser
        .get(&door)
        .await
        .shows("You were signed out. Sign in to go on.");
}

#[tokio::test]
async fn cookies_are_for_this_site_and_no_script() {
    let world = World::new().await;
    let reply = world.browser().sign_up("priya@northwind.dev").await;
    let cookies = |reply: &Reply| -> Vec<String> {
        reply
            .headers
            .get_all("set-cookie")
            .iter()
            .map(|line| line.to_str().unwrap().to_owned())
            .collect()
    };
    let named = |cookie: &str| {
        ["relink-session-3000=", "relink-device-3000="]
            .iter()
            .any(|name| cookie.starts_with(name))
    };
    let set = cookies(&reply);
    assert_eq!(set.len(), 2, "{set:?}");
    for cookie in set {
        assert!(
            named(&cookie) && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
    }

    let world = World::with(Setup {
        https: true,
        ..Setup::default()
    })
    .await;
    let mut browser = world.browser();
    for reply in [
        browser.sign_up("priya@northwind.dev").await,
        browser.post("/theme", &[("theme", "dark")]).await,
    ] {
        for cookie in cookies(&reply) {
            let right = cookie.starts_with("__Host-")
                && ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"]
                    .iter()
                    .all(|part| cookie.contains(part))
                && !cookie.contains("Domain");
            assert!(right, "{cookie}");
        }
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
    ] {
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
        ] {
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
    assert_eq!(
        here.post("/password", &[("present", PASSWORD), ("password", "short")])
            .await
            .location(),
        "/settings"
    );
    here.get("/settings")
        .await
        .shows("Your password was not changed. This password is too short.");
    here.post(
        "/password",
        &[
            ("present", "not the present one"),
            ("password", "a whole new sentence"),
        ],
    )
    .await;
    here.get("/settings")
        .await
        .shows("Your password was not changed. This one is wrong");
    elsewhere.get("/settings").await.shows("Priya Raman");
    here.post(
        "/password",
        &[("present", PASSWORD), ("password", "a whole new sentence")],
    )
    .await;
    here.get("/settings")
        .await
        .shows("Your password is changed.");
    here.get("/settings").await.shows("Priya Raman");
    assert!(
        elsewhere
            .get("/integrations")
            .await
            .location()
            .starts_with("/signin")
    );
    assert!(
        elsewhere
            .sign_in("priya@northwind.dev", PASSWORD)
            .await
            .location()
            .starts_with("/signin")
    );
    assert_eq!(
        elsewhere
            .sign_in("priya@northwind.dev", "a whole new sentence")
            .await
            .location(),
        "/integrations"
    );
}

#[tokio::test]
async fn members_see_and_admins_act() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let id = owner.connect("acme-robotics").await;
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let page = member.get("/integrations").await;
    page.shows("Acme Robotics");
    page.hides("action=\"/oauth/linear/start\"");
    for (path, fields) in [
        ("/oauth/linear/start", &[][..]),
        ("/integrations/disconnect", &[("connection", id.as_str())]),
    ] {
        let json = member
            .send(
                Method::POST,
                path,
                fields,
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("accept", "application/json"),
                ],
            )
            .await;
        assert_ne!(json.status, StatusCode::OK, "{path}");
        assert_eq!(
            member.post(path, fields).await.location(),
            "/integrations",
            "{path}"
        );
        member
            .get("/integrations")
            .await
            .shows("Your role does not allow this.");
    }
    owner.get("/integrations").await.shows("Connected");
    let mut admin = world
        .member("northwind-labs", "ada@northwind.dev", Role::Admin)
        .await;
    assert!(
        admin
            .leave_for_linear(&[])
            .await
            .contains("/oauth/authorize")
    );
}

#[tokio::test]
async fn nobody_without_a_session_gets_anything() {
    let world = World::new().await;
    world.owner().await;
    let mut stranger = world.browser();
    for path in ["/integrations", "/integrations/some-id", "/settings"] {
        assert!(
            stranger
                .get(path)
                .await
                .location()
                .starts_with("/signin?next="),
            "{path}"
        );
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
            stranger
                .post(
                    path,
                    &[("connection", "x"), ("password", "long enough for all")]
                )
                .await
                .location()
                .starts_with("/signin"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn other_sessions_can_be_ended() {
    let world = World::new().await;
    let mut here = world.owner().await;
    let mut elsewhere = world.browser();
    elsewhere.sign_in("priya@northwind.dev", PASSWORD).await;
    here.post("/signout-elsewhere", &[]).await;
    here.get("/settings")
        .await
        .shows("Signed out everywhere else.");
    assert!(
        elsewhere
            .get("/integrations")
            .await
            .location()
            .starts_with("/signin")
    );
}

/// Makes a visitor from an address, in no browser that is known.
fn at(address: &str) -> Visitor<'_> {
    Visitor {
        address,
        device: None,
    }
}

/// Wrong passwords for Priya's account from here.
async fn guess(world: &World, from: &str, times: u32) {
    for _ in 0..times {
        world
            .engine
            .sign_in("priya@northwind.dev", "wrong wrong wrong".into(), at(from))
            .await
            .unwrap_err();
    }
}

async fn waits(world: &World, from: &str) -> bool {
    let tried = world
        .engine
        .sign_in("priya@northwind.dev", PASSWORD.into(), at(from))
        .await;
    matches!(tried, Err(SignInError::Paused { .. }))
}

#[tokio::test]
async fn whoever_guesses_waits_and_nobody_else_does() {
    let world = World::new().await;
    world.owner().await;
    for number in 0..12 {
        guess(&world, &format!("192.0.2.{number}"), 5).await;
    }
    assert!(waits(&world, "192.0.2.1").await);
    assert!(
        !waits(&world, "198.51.100.7").await,
        "from another address it works"
    );
    guess(&world, "2001:db8::1", 5).await;
    assert!(
        waits(&world, "2001:db8::2").await,
        "a subscriber of IPv6 has as many addresses as they like"
    );
    assert!(!waits(&world, "2001:db8:0:1::1").await);
    for number in 0..60 {
        let _ = world
            .engine
            .sign_in(
                &format!("guess{number}@northwind.dev"),
                "wrong wrong wrong".into(),
                at("203.0.113.9"),
            )
            .await;
    }
    assert!(waits(&world, "203.0.113.9").await && !waits(&world, "203.0.113.8").await);
}

#[tokio::test]
async fn a_browser_that_was_signed_in_before_gets_in_during_an_attack_from_its_own_address() {
    let world = World::new().await;
    let mut known = world.owner().await;
    known.post("/signout", &[]).await;
    world
        .add("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    // All of them come from one address, as behind a proxy that is not trusted.
    let mut attacker = world
        .member("northwind-labs", "eve@northwind.dev", Role::Member)
        .await;
    for number in 0..60 {
        let email = if number < 6 {
            "priya@northwind.dev".to_owned()
        } else {
            format!("guess{number}@northwind.dev")
        };
        attacker.sign_in(&email, "wrong wrong wrong").await;
    }
    let refused = |reply: Reply| reply.location().starts_with("/signin");
    assert!(
        refused(
            world
                .browser()
                .sign_in("priya@northwind.dev", PASSWORD)
                .await
        ),
        "from there a new browser waits"
    );
    assert!(
        refused(attacker.sign_in("priya@northwind.dev", PASSWORD).await),
        "one that knows somebody else too"
    );
    let mut forger = world.browser();
    let mut made_up = known.cookies["relink-device-3000"].clone();
    made_up.replace_range(80..84, "AAAA");
    forger
        .cookies
        .insert("relink-device-3000".to_owned(), made_up);
    assert!(
        refused(forger.sign_in("priya@northwind.dev", PASSWORD).await),
        "and one that makes up its cookie"
    );
    assert_eq!(
        known
            .sign_in("priya@northwind.dev", PASSWORD)
            .await
            .location(),
        "/integrations"
    );
    assert!(
        refused(known.sign_in("mia@northwind.dev", PASSWORD).await),
        "it knows Priya"
    );
}

#[tokio::test]
async fn whoever_guesses_in_a_known_browser_waits_there_alone() {
    let world = World::new().await;
    let mut known = world.owner().await;
    let mut other = world.browser();
    other.sign_in("priya@northwind.dev", PASSWORD).await;
    for _ in 0..5 {
        known
            .sign_in("priya@northwind.dev", "wrong wrong wrong")
            .await;
    }
    assert!(
        known
            .sign_in("priya@northwind.dev", PASSWORD)
            .await
            .location()
            .starts_with("/signin")
    );
    assert_eq!(
        other
            .sign_in("priya@northwind.dev", PASSWORD)
            .await
            .location(),
        "/integrations"
    );
    world.advance(15 * MINUTE);
    assert_eq!(
        known
            .sign_in("priya@northwind.dev", PASSWORD)
            .await
            .location(),
        "/integrations"
    );
}

#[tokio::test]
async fn every_wrong_password_leaves_its_line_until_there_are_so_many_that_they_are_counted() {
    let world = World::new().await;
    world.owner().await;
    let failed = async || {
        assert_eq!(
            world.engine.afterwards_done(Duration::from_secs(60)).await,
            0
        );
        let rows = world
            .store
            .audit_after(&world.organisation().await, 0, 1_000)
            .await
            .unwrap();
        rows.into_iter()
            .filter(|row| row.act == "sign-in.failed")
            .map(|row| row.subject)
            .collect::<Vec<_>>()
    };
    guess(&world, "192.0.2.1", 5).await;
    assert_eq!(
        failed().await,
        ["priya@northwind.dev"; 5],
        "the one that ends in a pause too"
    );
    for number in 2..=20 {
        guess(&world, &format!("192.0.2.{number}"), 5).await;
    }
    let lines = failed().await;
    assert_eq!(lines.len(), 22);
    assert_eq!(
        lines[20..],
        [32, 64].map(|tries| format!("priya@northwind.dev, {tries} times in a quarter of an hour"))
    );
}

#[tokio::test]
async fn a_wrong_password_is_answered_before_its_line_is_written_and_the_line_comes() {
    let world = World::new().await;
    world.owner().await;
    world
        .sql(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); \
            END",
        )
        .await;
    let tried = world.engine.sign_in(
        "priya@northwind.dev",
        "wrong wrong wrong".into(),
        at("192.0.2.1"),
    );
    let tried = timeout(Duration::from_secs(20), tried)
        .await
        .expect("nobody waits for the line");
    assert!(
        matches!(tried, Err(SignInError::NoMatch { tries_left: 4, .. })),
        "as for an account that is not there: {tried:?}"
    );
    assert_eq!(
        world
            .engine
            .afterwards_done(Duration::from_millis(50))
            .await,
        1,
        "it waits"
    );
    world.sql("DROP TRIGGER full").await;
    assert_eq!(
        world.engine.afterwards_done(Duration::from_secs(60)).await,
        0
    );
    let rows = world
        .store
        .audit_after(&world.organisation().await, 0, 10)
        .await
        .unwrap();
    assert_eq!(
        rows.iter()
            .filter(|row| row.act == "sign-in.failed")
            .count(),
        1
    );
}

#[tokio::test]
async fn signing_up_beside_what_the_command_line_made() {
    let world = World::new().await;
    world
        .add("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let mut browser = world.browser();
    let fields = [
        ("organisation", "Northwind Labs"),
        ("name", "Mia"),
        ("email", "mia@northwind.dev"),
        ("password", PASSWORD),
    ];
    assert_eq!(browser.post("/signup", &fields).await.location(), "/signup");
    browser
        .get("/signup")
        .await
        .shows("Somebody has an account with this address.");
    assert_eq!(
        browser.sign_up("priya@northwind.dev").await.location(),
        "/integrations"
    );
    browser.get("/integrations").await.shows("Priya Raman");
}

#[tokio::test]
async fn who_is_signed_in_stays_so_whatever_waits_in_the_session() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    // Each of these leaves something in the session or takes it out.
    let id = browser.connect("acme-robotics").await;
    let replies = [
        browser
            .post("/integrations/check", &[("connection", &id)])
            .await,
        browser.get(&format!("/integrations/{id}")).await,
        browser.post("/settings/keys/new", &[("name", "ci")]).await,
        browser.get("/settings?shown=key").await,
    ];
    for reply in replies {
        let cookie = reply
            .headers
            .get_all("set-cookie")
            .iter()
            .find_map(|line| line.to_str().unwrap().split_once("Max-Age="));
        let seconds: i64 = cookie
            .expect("the session was stored")
            .1
            .split(';')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        assert!(seconds > 29 * DAY / 1_000, "signed out after {seconds} s");
    }
    world.advance(20 * DAY);
    browser.get("/integrations").await.shows("Acme Robotics");
}
