//! The badge tells the truth.

use relink_engine::clock::{MINUTE, SECOND};
use relink_simulator::{Endpoint, Kind};
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
        world.linear.merge_settings(&json!({ "auth_error_status": status })).unwrap();
        world.kill_access_token("acme-robotics");
        let page = browser.get(&format!("/integrations/{id}")).await;
        page.shows("Connected");
        page.hides("Reconnect required");
        assert_eq!(world.linear.grant_counts("acme-robotics").rotations, 1, "under {status}");
    }
}

#[tokio::test]
async fn authentication_errors_to_the_end_of_the_chain_are_linears_trouble_and_pass() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    world.faults(Endpoint::Graphql, Kind::AuthError, 9);
    let page = browser.get(&format!("/integrations/{id}")).await;
    page.shows("Linear unreachable");
    page.shows("it does not accept the token that it has just handed out");
    page.hides("Reconnect required");
    assert_eq!(world.linear.grant_counts("acme-robotics").rotations, 4);
    world.linear.clear_faults();
    world.advance(MINUTE);
    browser.get(&format!("/integrations/{id}")).await.shows("Connected");
    assert_eq!(world.linear.grant_counts("acme-robotics").rotations, 4);
}

#[tokio::test]
async fn authentication_errors_for_an_hour_break_nothing_and_for_a_day_need_a_reconnect() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    let organisation = world.organisation().await;
    world.faults(Endpoint::Graphql, Kind::AuthError, 100_000);
    for half_hour in 0..=48 {
        world.engine.check(&organisation, &id).await.unwrap_err();
        let broken = browser.get("/integrations").await.text().contains("Reconnect required");
        assert_eq!(broken, half_hour == 48, "after {half_hour} half hours");
        world.advance(30 * MINUTE);
    }
    let page = browser.get(&format!("/integrations/{id}")).await;
    page.shows("401 AUTHENTICATION_ERROR");
    page.shows("With the token in use, and with 52 that Linear gave in its place");
}

#[tokio::test]
async fn one_connection_that_is_refused_while_others_are_accepted_is_given_up_after_half_an_hour() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let (acme, globex) = (browser.connect("acme-robotics").await, browser.connect("globex").await);
    let organisation = world.organisation().await;
    world.faults(Endpoint::Graphql, Kind::AuthError, 100_000);
    for minute in 0..=30 {
        world.engine.check(&organisation, &acme).await.unwrap_err();
        world.linear.clear_faults();
        world.engine.check(&organisation, &globex).await.unwrap();
        world.faults(Endpoint::Graphql, Kind::AuthError, 100_000);
        let connection = world.engine.store().connection(&organisation, &acme).await.unwrap().unwrap();
        assert_eq!(connection.state.name(), if minute == 30 { "reconnect_required" } else { "connected" }, "{minute}");
        world.advance(MINUTE);
    }
    let rotations = world.linear.grant_counts("acme-robotics").rotations;
    assert!((30..=36).contains(&rotations), "about one a minute: {rotations}");
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
    for kind in [Kind::Html500, Kind::DropReply, Kind::GarbageJson, Kind::ConnectionReset] {
        world.advance(MINUTE);
        world.faults(Endpoint::Graphql, kind, 1);
        let page = browser.get("/integrations").await;
        page.shows("Linear unreachable");
        page.shows("Nothing for you to do");
        page.hides("Reconnect required");
        world.advance(MINUTE);
        browser.get("/integrations").await.shows("Acme Robotics is connected");
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
    assert_eq!(browser.post("/integrations/check", &[("connection", &id)]).await.location(), path);
    assert_eq!(world.count("graphql"), before + 1);
    browser.get(&path).await.shows("Linear answered in ");
    world.fault(Endpoint::Graphql, Kind::Html500);
    browser.post("/integrations/check", &[("connection", &id)]).await;
    world.linear.uninstall("acme-robotics").unwrap();
    browser.post("/integrations/check", &[("connection", &id)]).await;
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
