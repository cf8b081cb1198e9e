//! Clocks that jump, on this machine and on another replica's.

use axum::body::Body;
use axum::http::Request;
use relink_engine::clock::{DAY, HOUR, MINUTE, SECOND};
use relink_engine::refresh::RefreshSettings;
use relink_engine::{Rejected, Wanted};
use relink_simulator::{Endpoint, Fault, Kind};
use serde_json::json;

use crate::support::webhooks::issue;
use crate::world::{START, World, fault};

fn lost_reply() -> Fault {
    Fault {
        count: 100,
        grant_type: Some("refresh_token".to_owned()),
        ..fault(Endpoint::Token, Kind::DropReply)
    }
}

#[tokio::test]
async fn a_clock_that_jumps_after_a_lost_reply_keeps_nobody_from_the_replay() {
    for jump in [-HOUR, HOUR, -2 * DAY, 2 * DAY] {
        let world = World::new().await;
        let (_browser, program, id) = world.connected().await;
        let first = program.token(&id).await;
        world.linear.add_fault(lost_reply()).unwrap();
        let answer = program
            .token_with(&id, json!({ "rejected": first.fingerprint() }))
            .await;
        assert_eq!(answer.code(), "linear_unreachable");
        world.jump(jump);
        world.linear.clear_faults();
        world.linear.advance_s(5 * MINUTE / SECOND);
        world.let_pass(5 * MINUTE);
        world.engine.resume_intents().await.unwrap();
        let counts = world.refreshes();
        assert!(
            counts.rotations == 1 && counts.refused == 0,
            "{jump}: {counts:?}"
        );
        assert_ne!(program.token(&id).await.token(), first.token());
    }
}

#[tokio::test]
async fn a_replica_an_hour_ahead_that_dies_puts_nothing_off_for_the_others() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let first = program.token(&id).await;
    let organisation = world.organisation().await;
    let ahead = world.another(HOUR).await;
    world.linear.add_fault(lost_reply()).unwrap();
    let rejected = Some(Rejected::Generation(1));
    assert!(
        ahead
            .fresh_token(
                &organisation,
                &id,
                Wanted {
                    rejected,
                    ..Wanted::default()
                }
            )
            .await
            .is_err()
    );
    drop(ahead);
    world.linear.clear_faults();
    world.advance(MINUTE);
    let dead_after = RefreshSettings::default().lease_dead_after;
    for _ in 0..2 {
        // Whoever died is known by a beat that stands still.
        world.engine.resume_intents().await.unwrap();
        tokio::time::sleep(dead_after).await;
    }
    world.engine.resume_intents().await.unwrap();
    assert_eq!(
        (world.refreshes().rotations, world.refreshes().refused),
        (1, 0)
    );
    assert_ne!(program.token(&id).await.token(), first.token());
}

#[tokio::test]
async fn a_token_that_a_clock_two_days_ahead_noted_is_not_handed_out_dead() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let organisation = world.organisation().await;
    let ahead = world.another(2 * DAY).await;
    let rejected = Some(Rejected::Generation(1));
    ahead
        .fresh_token(
            &organisation,
            &id,
            Wanted {
                rejected,
                ..Wanted::default()
            },
        )
        .await
        .unwrap();
    drop(ahead);
    world.advance(DAY + HOUR);
    program.token(&id).await.token();
    assert_eq!(
        world.refreshes().rotations,
        2,
        "the one at hand is dead, whatever its row says"
    );
}

#[tokio::test]
async fn a_month_ahead_for_a_moment_deletes_nothing_and_refuses_nothing() {
    let world = World::new().await;
    let (mut browser, _, id) = world.connected().await;
    let workspace = world.workspace_id(&id).await;
    let secret = world.app_secret();
    for number in 0..5 {
        assert_eq!(
            World::told(
                &world
                    .deliver(&secret, &issue(&workspace, number, START))
                    .await
            ),
            (200, "accepted")
        );
    }
    world.jump(31 * DAY);
    assert_eq!(world.engine.forget_deliveries().await.unwrap(), 0);
    assert_eq!(
        World::told(&world.deliver(&secret, &issue(&workspace, 9, START)).await),
        (200, "accepted")
    );
    let page = browser.get("/integrations").await;
    page.shows("The clock of Relink’s machine is 31 days ahead.");
    page.shows("deletes nothing while that is in question");
    let ready = world
        .send(Request::get("/readyz").body(Body::empty()).unwrap())
        .await;
    assert_eq!(ready.status, 200, "a warning: {}", ready.text);
    assert!(
        ready
            .text
            .contains("this machine's clock is 2678400 s ahead"),
        "{}",
        ready.text
    );
    world.jump(-31 * DAY);
    browser
        .get("/integrations")
        .await
        .hides("The clock of Relink");
}

#[tokio::test]
async fn a_signed_timestamp_is_not_refused_before_linear_was_asked_for_the_time() {
    let world = World::new().await;
    let (_browser, _, id) = world.connected().await;
    let workspace = world.workspace_id(&id).await;
    // This machine is two minutes behind from now on, as far as Linear can tell.
    world.linear.advance_s(2 * MINUTE / SECOND);
    let ahead = issue(&workspace, 1, START + 2 * MINUTE);
    assert_eq!(
        World::told(&world.deliver(&world.app_secret(), &ahead).await),
        (200, "accepted"),
        "Linear was asked"
    );
    let here = issue(&workspace, 2, START);
    assert_eq!(
        World::told(&world.deliver(&world.app_secret(), &here).await),
        (200, "accepted"),
        "either time will do"
    );
    let further = issue(&workspace, 3, START + 4 * MINUTE);
    assert_eq!(
        World::told(&world.deliver(&world.app_secret(), &further).await),
        (400, "future")
    );
}
