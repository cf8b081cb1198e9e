//! Pages as such.

use relink_engine::clock::{DAY, HOUR};
use relink_engine::identity::Role;
use relink_simulator::{Endpoint, Fault, Kind};

use crate::world::{World, fault};

#[tokio::test]
async fn the_simulated_linear_is_announced_on_every_page() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.get("/signup").await.shows("Simulated Linear.");
    let mut browser = world.owner().await;
    for path in ["/integrations", "/settings", "/nothing-here"] {
        browser.get(path).await.shows("Simulated Linear.");
    }
}

#[tokio::test]
async fn the_theme_is_kept_in_the_browser_and_rendered_by_the_server() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    assert!(!browser.get("/settings").await.body.contains("data-theme"));
    assert_eq!(
        browser
            .post("/theme", &[("theme", "dark")])
            .await
            .location(),
        "/settings"
    );
    assert!(
        browser
            .get("/integrations")
            .await
            .body
            .contains("data-theme=\"dark\"")
    );
    browser.post("/theme", &[("theme", "\"><script>")]).await;
    assert!(
        !browser
            .get("/integrations")
            .await
            .body
            .contains("data-theme")
    );
}

#[tokio::test]
async fn settings_tell_what_to_register_in_linear() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let page = browser.get("/settings").await;
    assert!(
        page.body
            .contains("http://localhost:3000/oauth/linear/callback")
    );
    assert!(page.body.contains(&world.linear.app().client_id));
    page.hides(&world.linear.app().client_secret);
    page.shows("SQLite");
}

#[tokio::test]
async fn settings_tell_when_this_machines_clock_is_not_linears() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser.get("/settings").await.shows("Not compared yet.");
    let id = browser.connect("acme-robotics").await;
    browser.get("/settings").await.shows("Agrees with Linear’s");
    for (off, said) in [
        (90, "89 s ahead of Linear’s."),
        (-130, "40 s behind Linear’s."),
    ] {
        world.linear.advance_s(-off);
        browser
            .post("/integrations/check", &[("connection", &id)])
            .await;
        browser.get("/settings").await.shows(said);
    }
}

#[tokio::test]
async fn an_unknown_error_in_the_address_bar_is_never_echoed() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let page = browser.get("/integrations?error=%3Cb%3Eevil").await;
    page.shows("Connecting did not work.");
    page.hides("evil");
    let page = browser.get("/integrations?__path=/signin&__err=evil").await;
    page.hides("evil");
}

#[tokio::test]
async fn a_refresh_by_hand_is_said_and_kept_in_the_history() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    let path = format!("/integrations/{id}");
    browser
        .get(&path)
        .await
        .shows("No refresh yet. The first one is due tomorrow 12:32.");
    assert_eq!(
        browser
            .post("/integrations/refresh", &[("connection", &id)])
            .await
            .location(),
        path
    );
    let page = browser.get(&path).await;
    page.shows("The token was refreshed. It is good until 14:02 UTC tomorrow.");
    page.shows("19 Nov 14:02 UTC Refreshed by hand, ");
    page.hides("No refresh yet");
    assert_eq!(world.linear.grant_counts("acme-robotics").rotations, 1);
}

#[tokio::test]
async fn a_refresh_that_linear_does_not_answer_is_put_off_and_explained() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    let path = format!("/integrations/{id}");
    world
        .linear
        .add_fault(Fault {
            count: 100,
            status: Some(503),
            ..fault(Endpoint::Token, Kind::Status)
        })
        .unwrap();
    for _ in 0..2 {
        browser
            .post("/integrations/refresh", &[("connection", &id)])
            .await;
    }
    let page = browser.get(&path).await;
    page.shows("The present token stays in use while it is good; Relink tries again by itself.");
    for part in [
        "Linear unreachable",
        "503 at 14:02 UTC today",
        "2 times in a row",
        "Next try in ",
        "Nothing for you to do. Next try in ",
    ] {
        page.shows(part);
    }
    page.shows(
        "The token is good until 14:02 UTC tomorrow, so calls work whenever Linear answers. Relink \
            keeps trying.",
    );
    page.shows("Put off: 503, 2 tries since 14:02 UTC");
    browser
        .get("/integrations")
        .await
        .shows("2 tries failed, last 503 at 14:02 UTC");
    world.advance(DAY + HOUR);
    browser
        .get(&path)
        .await
        .shows("The token ran out at 14:02 UTC today. Relink keeps trying.");
}

#[tokio::test]
async fn a_set_up_that_linear_does_not_accept_is_for_the_operator() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    world
        .linear
        .add_fault(Fault {
            count: 100,
            ..fault(Endpoint::Token, Kind::InvalidClient)
        })
        .unwrap();
    browser
        .post("/integrations/refresh", &[("connection", &id)])
        .await;
    for path in [format!("/integrations/{id}"), "/integrations".to_owned()] {
        let page = browser.get(&path).await;
        page.shows("Linear does not accept this Relink as a client");
        page.shows(
            "compare what Settings shows with the app in Linear, set LINEAR_CLIENT_ID and \
                LINEAR_CLIENT_SECRET",
        );
        page.shows("invalid_client");
        page.shows("Linear unreachable");
        page.hides("Linear does not answer right now");
        page.hides("othing for you to do");
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_refreshed_is_not_said_to_be() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    world.fault(Endpoint::Token, Kind::NoRefreshToken);
    let id = browser.connect("acme-robotics").await;
    browser
        .post("/integrations/refresh", &[("connection", &id)])
        .await;
    let page = browser.get(&format!("/integrations/{id}")).await;
    page.shows(
        "This token cannot be refreshed. Linear gave no refresh token with it. It is good until \
            14:02 UTC tomorrow",
    );
}

#[tokio::test]
async fn a_broken_connection_says_how_often_linear_was_asked() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    let path = format!("/integrations/{id}");
    world.linear.uninstall("acme-robotics").unwrap();
    assert_eq!(
        browser
            .post("/integrations/refresh", &[("connection", &id)])
            .await
            .location(),
        path
    );
    let page = browser.get(&path).await;
    page.shows("400 invalid_grant to the newest refresh token, asked twice");
    page.shows("Refused: 400 invalid_grant, asked again, token re-read in between");
    page.hides("action=\"/integrations/refresh\"");
}

#[tokio::test]
async fn only_those_who_manage_refresh_by_hand() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let id = owner.connect("acme-robotics").await;
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    member
        .get(&format!("/integrations/{id}"))
        .await
        .hides("Refresh now");
    member
        .post("/integrations/refresh", &[("connection", &id)])
        .await;
    member
        .get("/integrations")
        .await
        .shows("Your role does not allow this.");
    let mut other = world
        .member("southwind", "sam@southwind.dev", Role::Owner)
        .await;
    other
        .post("/integrations/refresh", &[("connection", &id)])
        .await;
    other
        .get("/integrations")
        .await
        .shows("There is nothing here.");
    assert_eq!(world.linear.grant_counts("acme-robotics").rotations, 0);
}
