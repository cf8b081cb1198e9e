//! The badge tells the truth.

use relink_engine::Acting;
use relink_engine::clock::{HOUR, MINUTE, SECOND};
use relink_simulator::{Endpoint, Kind, NewWorkspace};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn an_uninstalled_app_shows_on_the_next_look() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser.connect("acme-robotics").await;
    browser.connect("globex").await;
    world.linear.uninstall("globex").unwrap();
    world.advance(3 * SECOND);
    let page = browser.get("/integrations").await;
    page.shows("Globex needs you");
    page.shows("(1) Integrations, Relink");
    page.shows("400 invalid_grant");
    page.shows("The app was removed in Linear, or an admin revoked it");
}

#[tokio::test]
async fn an_authentication_error_under_any_status_rotates_once_and_nobody_notices() {
    for status in [200, 400, 401, 403, 429, 500] {
        let world = World::new().await;
        let mut browser = world.owner().await;
        let id = browser.connect("acme-robotics").await;
        world
            .linear
            .merge_settings(&json!({ "auth_error_status": status }))
            .unwrap();
        world.kill_access_token("acme-robotics");
        let page = browser.get(&format!("/integrations/{id}")).await;
        page.shows("Connected");
        page.hides("Reconnect required");
        assert_eq!(
            world.linear.grant_counts("acme-robotics").rotations,
            1,
            "under {status}"
        );
    }
}

#[tokio::test]
async fn authentication_errors_to_the_end_of_the_chain_need_a_reconnect() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    world.faults(Endpoint::Graphql, Kind::AuthError, 9);
    let page = browser.get(&format!("/integrations/{id}")).await;
    page.shows("Reconnect required");
    page.shows("401 AUTHENTICATION_ERROR");
    page.shows("With the token in use, and with 4 that Linear gave in its place");
    assert_eq!(world.linear.grant_counts("acme-robotics").rotations, 4);
}

#[tokio::test]
async fn who_was_given_up_is_connected_again_once_linear_accepts_the_token() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    world.faults(Endpoint::Graphql, Kind::AuthError, 100_000);
    world.advance(MINUTE);
    browser
        .get("/integrations")
        .await
        .shows("Reconnect required");
    for _ in 0..100 {
        world.advance(15 * SECOND);
        assert_eq!(world.engine.look_at_given_up().await.unwrap(), 0);
    }
    let asked = world.count("graphql");
    world.linear.clear_faults();
    assert_eq!(
        (
            world.engine.look_at_given_up().await.unwrap(),
            world.count("graphql")
        ),
        (0, asked),
        "it waits for its turn"
    );
    world.advance(10 * MINUTE);
    assert_eq!(world.engine.look_at_given_up().await.unwrap(), 1);
    browser
        .get(&format!("/integrations/{id}"))
        .await
        .shows("Connected");
    assert_eq!(
        world.linear.grant_counts("acme-robotics").rotations,
        4,
        "looking renews nothing"
    );
    assert!(asked < 60, "ever more rarely: {asked}");
}

#[tokio::test]
async fn an_api_that_refuses_everybody_breaks_two_connections_at_most_and_they_come_back() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let mut ids = Vec::new();
    for number in 0..8 {
        let name = format!("w{number}");
        world
            .linear
            .add_workspace(NewWorkspace {
                name: name.clone(),
                url_key: name.clone(),
                ..NewWorkspace::default()
            })
            .unwrap();
        ids.push(browser.connect(&name).await);
    }
    let organisation = world.organisation().await;
    world.faults(Endpoint::Graphql, Kind::AuthError, 100_000);
    world.advance(HOUR);
    for _ in 0..20 {
        for id in &ids {
            world
                .engine
                .connections(Acting::command(&organisation))
                .check(id)
                .await
                .unwrap_err();
            world
                .engine
                .connections(Acting::command(&organisation))
                .check(id)
                .await
                .unwrap_err();
        }
        world.advance(MINUTE);
    }
    let states = async || {
        let all = world.store.connections(&organisation).await.unwrap();
        all.iter()
            .filter(|one| one.state.name() == "connected")
            .count()
    };
    assert_eq!(states().await, 6);
    let rotations = (0..8)
        .map(|number| world.linear.grant_counts(&format!("w{number}")).rotations)
        .max()
        .unwrap();
    assert!(
        (20..=26).contains(&rotations),
        "about one a minute: {rotations}"
    );
    let page = browser.get(&format!("/integrations/{}", ids[7])).await;
    page.shows("Linear unreachable");
    page.shows("it does not accept the token that it has just handed out");
    world.linear.clear_faults();
    world.advance(10 * MINUTE);
    assert_eq!(world.engine.look_at_given_up().await.unwrap(), 2);
    for id in &ids {
        world
            .engine
            .connections(Acting::command(&organisation))
            .check(id)
            .await
            .unwrap();
    }
    assert_eq!(states().await, 8);
}

#[tokio::test]
async fn a_refused_question_says_nothing_against_the_connection() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    world.advance(MINUTE);
    world.faults(Endpoint::Graphql, Kind::RateLimited, 9);
    let page = browser.get(&format!("/integrations/{id}")).await;
    page.hides("Reconnect required");
    page.hides("Linear unreachable");
    page.shows("Connected");
}

#[tokio::test]
async fn a_silent_linear_is_unreachable_and_recovers_by_itself() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    for kind in [
        Kind::Html500,
        Kind::DropReply,
        Kind::GarbageJson,
        Kind::ConnectionReset,
    ] {
        world.advance(MINUTE);
        world.faults(Endpoint::Graphql, kind, 1);
        let page = browser.get("/integrations").await;
        page.shows("Linear unreachable");
        page.shows("Nothing for you to do");
        page.hides("Reconnect required");
        world.advance(MINUTE);
        browser
            .get("/integrations")
            .await
            .shows("Acme Robotics is connected");
    }
    let page = browser.get(&format!("/integrations/{id}")).await;
    page.shows("Connected");
}

#[tokio::test]
async fn a_check_is_one_real_call() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    let before = world.count("graphql");
    let path = format!("/integrations/{id}");
    assert_eq!(
        browser
            .post("/integrations/check", &[("connection", &id)])
            .await
            .location(),
        path
    );
    assert_eq!(world.count("graphql"), before + 1);
    browser.get(&path).await.shows("Linear answered in ");
    world.fault(Endpoint::Graphql, Kind::Html500);
    browser
        .post("/integrations/check", &[("connection", &id)])
        .await;
    world.linear.uninstall("acme-robotics").unwrap();
    browser
        .post("/integrations/check", &[("connection", &id)])
        .await;
    browser.get(&path).await.shows("Reconnect required");
}

#[tokio::test]
async fn looking_often_does_not_ask_linear_often() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser.connect("acme-robotics").await;
    let before = world.count("graphql");
    for _ in 0..20 {
        browser.get("/integrations").await;
    }
    assert_eq!(world.count("graphql"), before);
    world.advance(MINUTE);
    browser.get("/integrations").await;
    assert_eq!(world.count("graphql"), before + 1);
}
