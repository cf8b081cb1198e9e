//! The headers by which every response tells browsers about safety.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use relink_engine::every::Rhythm;
use tokio::time::sleep;

use crate::world::{PASSWORD, Reply, Setup, World};

#[tokio::test]
async fn every_response_is_careful() {
    let world = World::with(Setup {
        https: true,
        ..Setup::default()
    })
    .await;
    let mut browser = world.owner().await;
    for path in [
        "/integrations",
        "/settings",
        "/signin",
        "/nothing-here",
        "/healthz",
        "/readyz",
        "/favicon-ok.svg",
        "/oauth/linear/callback",
    ] {
        let reply = browser.get(path).await;
        let policy = reply.header("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"),
            "{path}: {policy}"
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("referrer-policy"), "same-origin", "{path}");
        assert!(
            reply
                .header("strict-transport-security")
                .starts_with("max-age="),
            "{path}"
        );
        assert!(!reply.header("x-request-id").is_empty(), "{path}");
    }
    for path in ["/integrations", "/settings", "/nothing-here"] {
        assert_eq!(
            browser.get(path).await.header("cache-control"),
            "no-store",
            "{path}"
        );
    }
}

/// The rules of Mozilla's HTTP Observatory (`@mdn/mdn-http-observatory`, `src/analyzer/tests`) with
/// its points: what is below the best result of a rule has a name here. A hundred without any is
/// A+.
fn faults_by_the_observatory(reply: &Reply) -> Vec<String> {
    let policy: Vec<Vec<&str>> = reply
        .header("content-security-policy")
        .split(';')
        .map(|rule| rule.split_whitespace().collect())
        .collect();
    let sources = |name: &str| {
        policy
            .iter()
            .find(|rule| rule.first() == Some(&name))
            .map(|rule| &rule[1..])
    };
    let fallback = |name: &str| {
        sources(name)
            .or_else(|| sources("default-src"))
            .unwrap_or(&["*"])
    };
    let broad = [
        "*",
        "https:",
        "http:",
        "data:",
        "'unsafe-inline'",
        "'unsafe-eval'",
    ];
    let mut faults = Vec::new();
    let mut rule = |kept: bool, name: String| {
        if !kept {
            faults.push(name);
        }
    };
    rule(
        sources("default-src") == Some(&["'none'"]),
        "default-src is not 'none'".to_owned(),
    );
    for name in ["script-src", "style-src", "object-src"] {
        rule(
            fallback(name).iter().all(|source| !broad.contains(source)),
            format!("{name} is broad"),
        );
    }
    for name in ["base-uri", "form-action", "frame-ancestors"] {
        // These three do not fall back to default-src.
        rule(
            sources(name)
                .is_some_and(|sources| sources.iter().all(|source| !broad.contains(source))),
            format!("{name} is broad"),
        );
    }
    rule(
        policy
            .iter()
            .flatten()
            .all(|source| !source.starts_with("http:")),
        "a source is not https".to_owned(),
    );
    let age = reply
        .header("strict-transport-security")
        .split(';')
        .find_map(|part| part.trim().strip_prefix("max-age="));
    rule(
        age.and_then(|age| age.parse().ok())
            .is_some_and(|age: u64| age >= 15_768_000),
        "HSTS is too short".to_owned(),
    );
    rule(
        reply.header("x-content-type-options") == "nosniff",
        "types are sniffed".to_owned(),
    );
    rule(
        ["no-referrer", "same-origin"].contains(&reply.header("referrer-policy")),
        "the referrer leaks".to_owned(),
    );
    rule(
        reply.header("cross-origin-resource-policy") == "same-origin",
        "others may embed it".to_owned(),
    );
    rule(
        reply.header("cross-origin-opener-policy") == "same-origin",
        "others may hold on to the window".to_owned(),
    );
    rule(
        reply.headers.get("access-control-allow-origin").is_none(),
        "other origins may read it".to_owned(),
    );
    for cookie in reply.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap();
        let careful = ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"]
            .iter()
            .all(|part| cookie.contains(part));
        rule(
            careful && cookie.starts_with("__Host-"),
            format!("careless cookie {cookie}"),
        );
    }
    // Nothing is loaded from elsewhere, so there is nothing to pin.
    let loaded = reply.body.split(" src=\"").skip(1).chain(
        reply
            .body
            .split("<link")
            .skip(1)
            .filter_map(|link| link.split("href=\"").nth(1)),
    );
    rule(
        loaded
            .into_iter()
            .all(|address| address.starts_with('/') && !address.starts_with("//")),
        "something comes from elsewhere".to_owned(),
    );
    faults
}

#[tokio::test]
async fn the_observatory_finds_nothing_to_take_points_for() {
    let world = World::with(Setup {
        https: true,
        ..Setup::default()
    })
    .await;
    let mut browser = world.owner().await;
    let mut replies = vec![
        (
            "signing in",
            world
                .browser()
                .sign_in("priya@northwind.dev", PASSWORD)
                .await,
        ),
        (
            "the theme",
            browser.post("/theme", &[("theme", "dark")]).await,
        ),
        (
            "a form from elsewhere",
            browser
                .send(
                    Method::POST,
                    "/signout",
                    &[],
                    &[("sec-fetch-site", "cross-site")],
                )
                .await,
        ),
    ];
    for path in [
        "/integrations",
        "/settings",
        "/team",
        "/deliveries",
        "/link",
        "/signin",
        "/nothing-here",
        "/favicon-ok.svg",
    ] {
        replies.push((path, browser.get(path).await));
    }
    assert!(
        replies
            .iter()
            .filter(|(_, reply)| reply.headers.contains_key("set-cookie"))
            .count()
            >= 2
    );
    for (what, reply) in replies {
        let faults = faults_by_the_observatory(&reply);
        // The simulated Linear of tests has no https, and consent is asked for by a form.
        let ours: Vec<_> = faults
            .into_iter()
            .filter(|fault| fault != "a source is not https")
            .collect();
        assert!(ours.is_empty(), "{what}: {ours:?}");
    }
}

/// The policy is no wider than pages need; `live.spec.ts` and others prove in Chromium that they
/// work with it.
#[tokio::test]
async fn a_page_may_load_show_send_and_parse_no_more_than_it_needs() {
    let world = World::new().await;
    let policy = world
        .owner()
        .await
        .get("/integrations")
        .await
        .header("content-security-policy")
        .to_owned();
    let rules: Vec<&str> = policy.split("; ").collect();
    for rule in [
        "default-src 'none'",
        "img-src 'self' data: https://*.linear.app",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types relink",
    ] {
        assert!(rules.contains(&rule), "{rule} is not in {policy}");
    }
    let forms = rules
        .iter()
        .find_map(|rule| rule.strip_prefix("form-action "))
        .unwrap();
    assert!(
        forms.starts_with("'self' http://127.0.0.1:") && forms.split(' ').count() == 2,
        "here and Linear: {forms}"
    );
}

#[tokio::test]
async fn only_the_picture_for_previews_is_for_other_sites() {
    let world = World::new().await;
    let mut browser = world.browser();
    assert_eq!(
        browser
            .get("/social.png")
            .await
            .header("cross-origin-resource-policy"),
        "cross-origin"
    );
    assert_eq!(
        browser
            .get("/favicon-ok.svg")
            .await
            .header("cross-origin-resource-policy"),
        "same-origin"
    );
}

#[tokio::test]
async fn scripts_run_by_a_nonce_that_is_new_each_time_and_nothing_is_inline() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let mut nonces = Vec::new();
    for path in ["/integrations", "/integrations", "/nothing-here"] {
        let reply = browser.get(path).await;
        let policy = reply.header("content-security-policy").to_owned();
        let nonce = policy
            .split("'nonce-")
            .nth(1)
            .expect("a nonce")
            .split('\'')
            .next()
            .unwrap()
            .to_owned();
        let scripts = reply.body.matches("<script").count();
        assert_eq!(
            reply.body.matches(&format!("nonce=\"{nonce}\"")).count(),
            scripts,
            "{path}"
        );
        reply.hides(" style=\"");
        reply.hides(" onclick=");
        nonces.push(nonce);
    }
    nonces.dedup();
    assert_eq!(nonces.len(), 3);
}

#[tokio::test]
async fn a_page_that_is_not_there_says_so() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let reply = browser.get("/nothing-here").await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    reply.shows("Priya Raman");
    assert_eq!(
        browser
            .get("/integrations/00000000-0000-4000-8000-000000000000")
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        browser
            .send(
                Method::POST,
                "/nothing-here",
                &[],
                &[("sec-fetch-site", "same-origin")]
            )
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn large_bodies_are_refused() {
    let world = World::new().await;
    let mut browser = world.browser();
    let huge = "x".repeat(70_000);
    let reply = browser.post("/signin", &[("email", &huge)]).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn health_answers_without_the_database_and_readiness_does_not() {
    let world = World::new().await;
    let mut browser = world.browser();
    assert_eq!(browser.get("/readyz").await.status, StatusCode::OK);
    world.store.close().await;
    assert_eq!(browser.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(
        browser.get("/readyz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let reply = browser.get("/integrations").await;
    assert!(
        reply.status.is_server_error() || reply.status == StatusCode::SEE_OTHER,
        "{}",
        reply.status
    );
}

/// A process whose refreshing is dead must not be sent people.
#[tokio::test]
async fn readiness_names_what_does_not_run_in_the_background() {
    let world = World::new().await;
    let mut browser = world.browser();
    let (engine, rhythm) = (
        world.engine.clone(),
        Rhythm::new("sweep", Duration::from_millis(5)).vital(),
    );
    tokio::spawn(async move {
        engine
            .every(rhythm, async |_| panic!("as it always does"))
            .await
    });
    let mut reply = browser.get("/readyz").await;
    for _ in 0..1_000 {
        if reply.status != StatusCode::OK {
            break;
        }
        sleep(Duration::from_millis(5)).await;
        reply = browser.get("/readyz").await;
    }
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        reply.body.contains(r#""reason":"background""#)
            && reply.body.contains("sweep has not run for"),
        "{}",
        reply.body
    );
    let metrics = world.metrics().await.text;
    assert!(
        metrics.contains("relink_loop_last_run_seconds{loop=\"sweep\"} 0")
            && !metrics.contains("panics_total{loop=\"sweep\"} 0")
    );
}

#[tokio::test]
async fn a_harmless_request_id_is_kept_and_any_other_is_replaced() {
    let world = World::new().await;
    let mut browser = world.browser();
    let kept = browser
        .send(
            Method::GET,
            "/healthz",
            &[],
            &[("x-request-id", "proxy-17")],
        )
        .await;
    assert_eq!(kept.header("x-request-id"), "proxy-17");
    let replaced = browser
        .send(Method::GET, "/healthz", &[], &[("x-request-id", "a b\tc")])
        .await;
    assert_ne!(replaced.header("x-request-id"), "a b\tc");
}

#[tokio::test]
async fn a_person_reads_a_sentence_where_no_page_could_be_made() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let refused = browser
        .send(
            Method::POST,
            "/signout",
            &[],
            &[("sec-fetch-site", "cross-site")],
        )
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    refused.shows("This form was sent from another site");
    let id = browser.connect("acme-robotics").await;
    world.store.close().await;
    let failed = browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    failed.shows("Relink cannot do this right now.");
    failed.hides("Unavailable");
}

/// Linear sends everybody back to the one name, and the cookie of another would not be there.
#[tokio::test]
async fn a_page_under_another_name_of_this_machine_leads_to_the_one_in_the_address() {
    let world = World::new().await;
    let mut browser = world.browser();
    for host in ["127.0.0.1:3000", "[::1]:3000", "relink.localhost:3000"] {
        let led = browser
            .send(Method::GET, "/signin?next=%2Fteam", &[], &[("host", host)])
            .await;
        assert_eq!(
            (led.status.as_u16(), led.header("location")),
            (307, "http://localhost:3000/signin?next=%2Fteam"),
            "{host}"
        );
    }
    for (name, value) in [("x-forwarded-for", "203.0.113.7"), ("via", "1.1 nginx")] {
        let shown = browser
            .send(
                Method::GET,
                "/signin",
                &[],
                &[("host", "127.0.0.1:3000"), (name, value)],
            )
            .await;
        assert_ne!(shown.status.as_u16(), 307, "a proxy would be led to itself");
    }
    let asked = browser
        .send(
            Method::OPTIONS,
            "/signin",
            &[],
            &[("host", "127.0.0.1:3000")],
        )
        .await;
    assert_ne!(asked.status.as_u16(), 307, "pages are shown");
    // Forwarded from another port, or by a proxy that says nothing of ports; and what is no page.
    for (host, accept) in [
        ("127.0.0.1:9999", "text/html"),
        ("127.0.0.1", "text/html"),
        ("127.0.0.1:3000", "text/css"),
    ] {
        let shown = browser
            .send(
                Method::GET,
                "/signin",
                &[],
                &[("host", host), ("accept", accept)],
            )
            .await;
        assert_ne!(shown.status.as_u16(), 307, "{host}");
    }
    let proxied = World::with(Setup {
        https: true,
        ..Setup::default()
    })
    .await;
    let shown = proxied
        .browser()
        .send(Method::GET, "/signin", &[], &[("host", "127.0.0.1:443")])
        .await;
    assert_ne!(shown.status.as_u16(), 307);
}

/// Browsers that do not say from which site a form comes, behind proxies that leave the port out.
#[tokio::test]
async fn a_form_is_ours_though_a_proxy_leaves_out_the_port() {
    let world = World::new().await;
    world.owner().await;
    let fields = [("email", "priya@northwind.dev"), ("password", PASSWORD)];
    for (host, origin, status) in [
        ("localhost", "http://localhost:3000", 303),
        ("localhost:3000", "http://localhost:3000", 303),
        ("localhost", "http://localhost", 403),
        ("localhost:3000", "https://localhost:3000", 403),
        ("localhost", "http://localhost:9999", 403),
        ("localhost:9999", "http://localhost:3000", 403),
    ] {
        let sent = world
            .browser()
            .send(
                Method::POST,
                "/signin",
                &fields,
                &[("host", host), ("origin", origin)],
            )
            .await;
        assert_eq!(sent.status.as_u16(), status, "{host} {origin}");
    }
}
