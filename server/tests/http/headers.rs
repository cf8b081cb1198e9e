//! What every response says to browsers.

use axum::http::{Method, StatusCode};

use crate::world::{Setup, World};

#[tokio::test]
async fn every_response_is_careful() {
    let world = World::with(Setup { https: true, ..Setup::default() }).await;
    let mut browser = world.owner().await;
    for path in
        ["/integrations", "/settings", "/signin", "/nothing-here", "/healthz", "/readyz", "/favicon-ok.svg", "/oauth/linear/callback"]
    {
        let reply = browser.get(path).await;
        let policy = reply.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"), "{path}: {policy}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("referrer-policy"), "same-origin", "{path}");
        assert!(reply.header("strict-transport-security").starts_with("max-age="), "{path}");
        assert!(!reply.header("x-request-id").is_empty(), "{path}");
    }
    for path in ["/integrations", "/settings", "/nothing-here"] {
        assert_eq!(browser.get(path).await.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn scripts_run_by_a_nonce_that_is_new_each_time_and_nothing_is_inline() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let mut nonces = Vec::new();
    for path in ["/integrations", "/integrations", "/nothing-here"] {
        let reply = browser.get(path).await;
        let policy = reply.header("content-security-policy").to_owned();
        let nonce = policy.split("'nonce-").nth(1).expect("a nonce").split('\'').next().unwrap().to_owned();
        let scripts = reply.body.matches("<script").count();
        assert_eq!(reply.body.matches(&format!("nonce=\"{nonce}\"")).count(), scripts, "{path}");
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
    assert_eq!(browser.get("/integrations/00000000-0000-4000-8000-000000000000").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.send(Method::POST, "/nothing-here", &[], &[("sec-fetch-site", "same-origin")]).await.status, StatusCode::NOT_FOUND);
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
    world.engine.store().close().await;
    assert_eq!(browser.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(browser.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let reply = browser.get("/integrations").await;
    assert!(reply.status.is_server_error() || reply.status == StatusCode::SEE_OTHER, "{}", reply.status);
}

#[tokio::test]
async fn a_harmless_request_id_is_kept_and_any_other_is_replaced() {
    let world = World::new().await;
    let mut browser = world.browser();
    let kept = browser.send(Method::GET, "/healthz", &[], &[("x-request-id", "proxy-17")]).await;
    assert_eq!(kept.header("x-request-id"), "proxy-17");
    let replaced = browser.send(Method::GET, "/healthz", &[], &[("x-request-id", "a b\tc")]).await;
    assert_ne!(replaced.header("x-request-id"), "a b\tc");
}

#[tokio::test]
async fn a_person_reads_a_sentence_where_no_page_could_be_made() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let refused = browser.send(Method::POST, "/signout", &[], &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    refused.shows("This form was sent from another site");
    let id = browser.connect("acme-robotics").await;
    world.engine.store().close().await;
    let failed = browser.post("/integrations/disconnect", &[("connection", &id)]).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    failed.shows("Relink cannot do this right now.");
    failed.hides("Unavailable");
}
