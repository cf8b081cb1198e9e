//! The document around every page, and what it weighs.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use tower::ServiceExt as _;

use crate::world::{Browser, Reply, World};

/// All that a first visit to `/integrations` transfers, and the most of it that may be WebAssembly.
const PAGE_MAX: usize = 100_000;
const WASM_MAX: usize = 70_000;

/// Every page of an owner with a connection.
async fn pages(browser: &mut Browser<'_>) -> Vec<(String, Reply)> {
    let id = browser.connect("acme-robotics").await;
    let mut paths: Vec<String> = [
        "/integrations",
        "/deliveries",
        "/team",
        "/settings",
        "/link",
        "/nothing-here",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.extend([
        format!("/integrations/{id}"),
        format!("/integrations/{id}?confirm=disconnect"),
    ]);
    let mut replies = Vec::new();
    for path in paths {
        let reply = browser.get(&path).await;
        replies.push((path, reply));
    }
    replies
}

#[tokio::test]
async fn every_document_is_complete() {
    let world = World::new().await;
    let mut stranger = world.browser();
    let mut replies = vec![("/signup".to_owned(), stranger.get("/signup").await)];
    let mut owner = world.owner().await;
    replies.extend(pages(&mut owner).await);
    for path in ["/signin", "/link"] {
        replies.push((path.to_owned(), stranger.get(path).await));
    }
    for (path, reply) in replies {
        let head = reply.body.split("</head>").next().unwrap();
        for (part, count) in [
            ("<html lang=\"en\"", 1),
            ("<title>", 1),
            ("<meta name=\"description\" content=\"", 1),
            ("<meta name=\"viewport\"", 1),
            (" rel=\"icon\"", 1),
            (" rel=\"apple-touch-icon\"", 1),
            (" rel=\"stylesheet\"", 1),
            ("<meta name=\"theme-color\"", 2),
        ] {
            assert_eq!(
                head.matches(part).count(),
                count,
                "{path}: {part} in {head}"
            );
        }
        assert!(!head.contains("<title></title>"), "{path}");
        for part in ["<h1", "<main", "class=\"skip\""] {
            assert_eq!(reply.body.matches(part).count(), 1, "{path}: {part}");
        }
        assert_eq!(reply.header("x-robots-tag"), "noindex", "{path}");
    }
}

#[tokio::test]
async fn pages_that_people_share_have_a_preview_and_private_ones_have_none() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let mut stranger = world.browser();
    for path in ["/signin", "/link"] {
        let reply = stranger.get(&format!("{path}?next=/team")).await;
        for part in [
            format!("<meta property=\"og:url\" content=\"http://localhost:3000{path}\""),
            "<meta property=\"og:image\" content=\"http://localhost:3000/social.png\"".to_owned(),
            "<meta property=\"og:title\" content=\"".to_owned(),
            "<meta property=\"og:description\" content=\"".to_owned(),
        ] {
            assert!(
                reply.body.contains(&part),
                "{path}: {part} is not in {}",
                reply.body
            );
        }
    }
    owner.get("/integrations").await.hides("og:");
}

#[tokio::test]
async fn a_chosen_theme_is_in_the_first_bytes() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let system = browser.get("/integrations").await;
    assert!(
        system
            .body
            .contains("<meta name=\"color-scheme\" content=\"light dark\""),
        "{}",
        system.body
    );
    browser.post("/theme", &[("theme", "dark")]).await;
    let dark = browser.get("/integrations").await;
    for part in [
        "data-theme=\"dark\"",
        "<meta name=\"color-scheme\" content=\"dark\"",
        "<meta name=\"theme-color\" content=\"#0F1210\"",
    ] {
        assert_eq!(
            dark.body.matches(part).count(),
            1,
            "{part} in {}",
            dark.body
        );
    }
    dark.hides("prefers-color-scheme");
}

#[tokio::test]
async fn an_error_of_ours_names_the_request_in_a_page_of_its_own() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser.post("/theme", &[("theme", "dark")]).await;
    let refused = browser
        .send(
            Method::POST,
            "/signout",
            &[],
            &[
                ("sec-fetch-site", "cross-site"),
                ("x-request-id", "proxy-17"),
            ],
        )
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    refused.hides("proxy-17");
    world.store.close().await;
    let page = browser
        .send(
            Method::GET,
            "/integrations",
            &[],
            &[("x-request-id", "proxy-18")],
        )
        .await;
    let form = browser
        .send(
            Method::POST,
            "/signout",
            &[],
            &[
                ("sec-fetch-site", "same-origin"),
                ("x-request-id", "proxy-18"),
            ],
        )
        .await;
    for reply in [&page, &form] {
        assert!(reply.status.is_server_error(), "{}", reply.status);
        reply.shows("The server’s log says why, under request proxy-18");
    }
    for reply in [refused, page, form] {
        for part in [
            "<h1",
            "<title>",
            "<main",
            "<link rel=\"stylesheet\"",
            "data-theme=\"dark\"",
        ] {
            assert_eq!(
                reply.body.matches(part).count(),
                1,
                "{part} in {}",
                reply.body
            );
        }
        let css = reply
            .body
            .split("rel=\"stylesheet\" href=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        assert_eq!(browser.get(&css).await.status, StatusCode::OK, "{css}");
    }
}

#[tokio::test]
async fn robots_may_read_what_they_are_told_not_to_list() {
    let world = World::new().await;
    let robots = world.browser().get("/robots.txt").await;
    assert_eq!(robots.status, StatusCode::OK);
    robots.hides("Disallow: /");
}

#[tokio::test]
async fn a_first_visit_is_light() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    for workspace in ["acme-robotics", "globex", "initech"] {
        browser.connect(workspace).await;
    }
    let page = browser.get("/integrations").await.body;
    let cookies: Vec<_> = browser
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut weights = vec![(
        "html".to_owned(),
        transferred(&world, "/integrations", &cookies.join("; ")).await,
    )];
    assert!(
        weights[0].1 < page.len() / 2,
        "{weights:?}: the page is compressed"
    );
    for file in files(&page) {
        weights.push((file.clone(), transferred(&world, &file, "").await));
    }
    let wasm: usize = weights
        .iter()
        .filter(|(file, _)| file.ends_with(".wasm"))
        .map(|(_, weight)| weight)
        .sum();
    let all: usize = weights.iter().map(|(_, weight)| weight).sum();
    assert!(
        wasm > 0 && wasm <= WASM_MAX && all <= PAGE_MAX,
        "{all} bytes: {weights:?}"
    );
    assert_eq!(page.matches("rel=\"stylesheet\"").count(), 1);
    let head = page.split("</head>").next().unwrap();
    assert!(
        head.split("<script")
            .skip(1)
            .all(|script| script.starts_with(" type=\"module\"")),
        "a script holds the first paint up: {head}"
    );
}

/// Lists what the page names below its folder of files.
fn files(page: &str) -> Vec<String> {
    let names = page
        .split(['"', '\'', '`'])
        .filter(|text| text.starts_with("/pkg/") && text.contains('.'));
    let mut files: Vec<String> = names.map(str::to_owned).collect();
    files.sort();
    files.dedup();
    files
}

/// Asks for it as browsers do.
async fn transferred(world: &World, file: &str, cookies: &str) -> usize {
    let request = Request::builder()
        .uri(file)
        .header(header::ACCEPT_ENCODING, "gzip, deflate, br")
        .header(header::COOKIE, cookies);
    let request = request.body(Body::empty()).unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    assert_eq!(
        response.status(),
        StatusCode::OK,
        "`make site` builds {file}"
    );
    axum::body::to_bytes(response.into_body(), 10_000_000)
        .await
        .unwrap()
        .len()
}
