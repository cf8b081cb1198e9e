//! The refresh manager's rules, each on the day that it is for.

use std::time::Duration;

use futures_util::future::join_all;
use relink_engine::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use relink_engine::connection::{CLIENT_ID_CHANGED, Fault as Whose};
use relink_engine::refresh::Outcome;
use relink_engine::{Acting, RefreshSettings, Settings, TokenError, Wanted};
use relink_simulator::{Endpoint, Fault, Kind};
use serde_json::{Value, json};

use crate::world::{KEYS, NEWER_KEYS, World, both, fault};

/// A time in the day of a token at which less than five minutes of its life are left.
const NEARLY_OVER: Millis = DAY - 4 * MINUTE;

fn refused_refresh(kind: Kind) -> Fault {
    Fault {
        grant_type: Some("refresh_token".to_owned()),
        ..fault(Endpoint::Token, kind)
    }
}

fn outcome(world: &World, wanted: Outcome) -> u64 {
    world
        .engine
        .refreshes()
        .all()
        .find(|(outcome, _)| *outcome == wanted)
        .unwrap()
        .1
}

#[tokio::test]
async fn a_token_with_five_minutes_left_is_handed_out_and_one_with_less_is_refreshed() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let first = program.token(&id).await.token();
    world.advance(DAY - 6 * MINUTE);
    assert_eq!(program.token(&id).await.token(), first);
    assert_eq!(world.refreshes().refreshes, 0);
    world.advance(2 * MINUTE);
    let second = program.token(&id).await;
    assert_ne!(second.token(), first);
    assert_eq!(program.token(&id).await.fingerprint(), second.fingerprint());
    assert_eq!(
        (world.refreshes().rotations, world.refreshes().refreshes),
        (1, 1)
    );
    assert_eq!(outcome(&world, Outcome::Refreshed), 1);
}

#[tokio::test]
async fn a_thousand_callers_at_expiry_are_one_question() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    world.advance(DAY);
    let answers = join_all((0..1_000).map(|_| program.token(&id))).await;
    let first = answers[0].token();
    assert!(answers.iter().all(|answer| answer.token() == first));
    assert_eq!(world.refreshes().refreshes, 1);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_at_once() {
    for kind in [Kind::DropReply, Kind::GarbageJson, Kind::HugeBody] {
        let world = World::new().await;
        let (mut browser, program, id) = world.connected().await;
        world.advance(DAY);
        world.linear.add_fault(refused_refresh(kind)).unwrap();
        program.token(&id).await.token();
        let counts = world.refreshes();
        assert_eq!((counts.rotations, counts.replays), (1, 1), "{kind:?}");
        assert_eq!(outcome(&world, Outcome::Replayed), 1);
        browser
            .get(&format!("/integrations/{id}"))
            .await
            .shows("Connected");
    }
}

#[tokio::test]
async fn when_answers_stay_away_the_valid_token_is_handed_out_and_the_grant_survives() {
    for kind in [
        Kind::Html500,
        Kind::ConnectionReset,
        Kind::DropReply,
        Kind::RateLimited,
        Kind::Redirect,
        Kind::GarbageJson,
    ] {
        let world = World::new().await;
        let (_browser, program, id) = world.connected().await;
        let first = program.token(&id).await.token();
        world.advance(NEARLY_OVER);
        world
            .linear
            .add_fault(Fault {
                count: 100,
                ..refused_refresh(kind)
            })
            .unwrap();
        assert_eq!(
            program.token(&id).await.token(),
            first,
            "{kind:?}: a valid token is better than none"
        );
        world.advance(5 * MINUTE);
        let answer = program.token(&id).await;
        assert_eq!(
            (answer.status, answer.code()),
            (503, "linear_unreachable"),
            "{kind:?}"
        );
        assert!(
            answer.headers["retry-after"]
                .to_str()
                .unwrap()
                .parse::<u64>()
                .unwrap()
                >= 1
        );
        world.linear.clear_faults();
        world.advance(3 * MINUTE);
        assert_eq!(
            world.engine.sweep_due().await.unwrap().refreshed,
            1,
            "{kind:?}"
        );
        assert_ne!(program.token(&id).await.token(), first);
        assert_eq!(world.refreshes().rotations, 1);
    }
}

/// It is unknown what a broken server did, so it is left alone as long as it wishes and the replay
/// window allows.
#[tokio::test]
async fn a_broken_server_that_says_when_it_is_back_is_left_alone_until_then() {
    for (said, heard) in [(90, 90), (3_600, 120)] {
        let world = World::new().await;
        let (_browser, program, id) = world.connected().await;
        world.advance(DAY);
        let broken = Fault {
            count: 100,
            retry_after_s: Some(said),
            ..refused_refresh(Kind::Html500)
        };
        world.linear.add_fault(broken).unwrap();
        let answer = program.token(&id).await;
        assert_eq!(answer.code(), "linear_unreachable");
        assert_eq!(answer.headers["retry-after"], heard.to_string().as_str());
        let asked = world.refreshes().refreshes;
        world.advance((heard - 1) * SECOND);
        assert_eq!(program.token(&id).await.code(), "linear_unreachable");
        world.engine.resume_intents().await.unwrap();
        world.engine.sweep_due().await.unwrap();
        assert_eq!(world.refreshes().refreshes, asked, "nobody asks in between");
        world.linear.clear_faults();
        world.advance(2 * SECOND);
        world.engine.resume_intents().await.unwrap();
        program.token(&id).await.token();
    }
}

/// The wishes of several answers in a row would add up to more than the half hour in which Linear
/// repeats the lost one.
#[tokio::test]
async fn however_long_linear_wishes_to_be_left_alone_a_lost_reply_is_fetched_in_time() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    world.advance(DAY);
    world
        .linear
        .add_fault(refused_refresh(Kind::DropReply))
        .unwrap();
    let busy = Fault {
        count: 1_000,
        retry_after_s: Some(3_600),
        ..refused_refresh(Kind::RateLimited)
    };
    world.linear.add_fault(busy).unwrap();
    assert_eq!(program.token(&id).await.code(), "linear_unreachable");
    assert_eq!(
        world.linear.count("token", "rate_limited"),
        1,
        "who wishes to be left alone is not asked again at once"
    );
    let minutes = async |count: u32| {
        for _ in 0..count {
            world.advance(MINUTE);
            world.engine.resume_intents().await.unwrap();
        }
    };
    minutes(21).await;
    world.linear.clear_faults();
    minutes(8).await;
    world.advance(30 * MINUTE);
    program.token(&id).await.token();
    assert_eq!(
        (world.refreshes().rotations, world.refreshes().replays),
        (1, 1)
    );
}

#[tokio::test]
async fn a_rejected_token_is_not_handed_out_again_however_unreachable_linear_is() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let first = program.token(&id).await;
    world
        .linear
        .add_fault(Fault {
            count: 100,
            ..refused_refresh(Kind::Html500)
        })
        .unwrap();
    let answer = program
        .token_with(&id, json!({ "rejected": first.fingerprint() }))
        .await;
    assert_eq!(answer.code(), "linear_unreachable");
    assert_eq!(
        program.token(&id).await.token(),
        first.token(),
        "others may still have it"
    );
}

#[tokio::test]
async fn a_rejected_token_is_rotated_once_for_everybody() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let first = program.token(&id).await;
    let rejected = json!({ "rejected": first.fingerprint() });
    let answers = join_all((0..50).map(|_| program.token_with(&id, rejected.clone()))).await;
    let second = answers[0].token();
    assert!(second != first.token() && answers.iter().all(|answer| answer.token() == second));
    world.advance(HOUR);
    assert_eq!(
        program.token_with(&id, rejected).await.token(),
        second,
        "whoever is late gets the newer one at once"
    );
    assert_eq!(world.refreshes().rotations, 1);
    program
        .token_with(&id, json!({ "rejected": "0000000000000000" }))
        .await
        .token();
    assert_eq!(
        world.refreshes().refreshes,
        1,
        "an unknown fingerprint rotates nothing"
    );
}

#[tokio::test]
async fn one_refusal_is_no_verdict_and_two_are() {
    let world = World::new().await;
    let (mut browser, program, id) = world.connected().await;
    world.advance(DAY);
    world
        .linear
        .add_fault(refused_refresh(Kind::InvalidGrant))
        .unwrap();
    program.token(&id).await.token();
    world.advance(DAY);
    world
        .linear
        .add_fault(Fault {
            count: 2,
            ..refused_refresh(Kind::InvalidGrant)
        })
        .unwrap();
    let answer = program.token(&id).await;
    assert_eq!((answer.status, answer.code()), (409, "reconnect_required"));
    assert_eq!(answer.body["reason"], "invalid_grant");
    assert_eq!(
        answer.body["reconnect_url"],
        format!("http://localhost:3000/integrations/{id}")
    );
    assert_eq!(outcome(&world, Outcome::Broken), 1);
    browser
        .get("/integrations")
        .await
        .shows("400 invalid_grant");
    let page = browser.get(&format!("/integrations/{id}")).await;
    page.shows(
        "Asked The last time at 14:02:11 UTC, with the token re-read from the database in between",
    );
    page.shows("Ruled out A lost reply: the token had not been shown to Linear before");
    page.shows("2 tokens since 19 Nov 14:02 UTC, with 1 gap.");
    world.advance(HOUR);
    browser.reconnect(&id, "acme-robotics").await;
    program.token(&id).await.token();
    let page = browser.get(&format!("/integrations/{id}")).await;
    page.shows("Refused, 21 Nov 14:02 UTC. Connected again after 1 h 0 min");
    page.shows("21 Nov 15:02 UTC Connected by Priya Raman");
    page.hides("Ruled out");
}

#[tokio::test]
async fn a_wrong_client_secret_flips_no_connection() {
    let world = World::new().await;
    let (mut browser, program, id) = world.connected().await;
    let first = program.token(&id).await.token();
    world.advance(NEARLY_OVER);
    world
        .linear
        .add_fault(Fault {
            count: 2,
            ..refused_refresh(Kind::InvalidClient)
        })
        .unwrap();
    assert_eq!(program.token(&id).await.token(), first);
    world.advance(DAY);
    assert_eq!(outcome(&world, Outcome::Misconfigured), 1);
    assert_eq!(world.engine.sweep_now(HOUR).await.unwrap().failed, 1);
    browser
        .get("/integrations")
        .await
        .hides("Reconnect required");
    world.advance(2 * MINUTE);
    assert_eq!(
        world.engine.sweep_due().await.unwrap().refreshed,
        1,
        "mended, it goes on by itself"
    );
    assert_ne!(program.token(&id).await.token(), first);
}

#[tokio::test]
async fn a_missing_lifetime_is_taken_for_a_short_one_and_the_new_refresh_token_is_kept() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    world.advance(DAY);
    world
        .linear
        .add_fault(refused_refresh(Kind::NoExpiresIn))
        .unwrap();
    program.token(&id).await.token();
    world.advance(2 * HOUR);
    assert_eq!(world.engine.sweep_due().await.unwrap().refreshed, 1);
    assert_eq!(
        (world.refreshes().rotations, world.refreshes().replays),
        (2, 0)
    );
}

#[tokio::test]
async fn a_reply_without_a_refresh_token_keeps_the_old_one_and_the_new_one_is_asked_for() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    world.advance(DAY);
    world
        .linear
        .add_fault(refused_refresh(Kind::NoRefreshToken))
        .unwrap();
    program.token(&id).await.token();
    world.advance(MINUTE);
    assert_eq!(
        world.engine.sweep_due().await.unwrap().refreshed,
        1,
        "within the window Linear tells it again"
    );
    world.advance(DAY);
    program.token(&id).await.token();
    assert_eq!(
        (world.refreshes().rotations, world.refreshes().replays),
        (2, 1)
    );
    world.advance(MINUTE);
    assert_eq!(
        world.engine.sweep_due().await.unwrap().due,
        0,
        "and nothing is asked for ever"
    );
}

#[tokio::test]
async fn the_old_refresh_token_again_is_kept_and_asked_about_before_the_window_ends() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    world.advance(DAY);
    world
        .linear
        .add_fault(Fault {
            count: 4,
            ..refused_refresh(Kind::SameRefreshToken)
        })
        .unwrap();
    program.token(&id).await.token();
    for span in [16 * SECOND, 4 * MINUTE, 10 * MINUTE, 10 * MINUTE] {
        world.advance(span);
        world.engine.resume_intents().await.unwrap();
    }
    assert_eq!(
        (world.refreshes().rotations, world.refreshes().replays),
        (1, 4)
    );
    world.advance(DAY);
    assert_eq!(world.engine.sweep_due().await.unwrap().refreshed, 1);
    assert_eq!(
        (world.refreshes().rotations, world.refreshes().refused),
        (2, 0),
        "it had learnt the new one"
    );
}

fn odd_reply(field: &str, value: &str) -> Fault {
    let fields = [(field.to_owned(), Value::from(value))]
        .into_iter()
        .collect();
    Fault {
        fields,
        ..refused_refresh(Kind::OddFields)
    }
}

#[tokio::test]
async fn what_cannot_be_a_token_is_no_answer_and_is_asked_for_again() {
    let long = "x".repeat(1_000_000);
    for field in ["access_token", "refresh_token"] {
        for odd in ["", "two words", "line\nbreak", "nu\0l", "<html>", &long] {
            if (field, odd) == ("refresh_token", "") {
                continue;
            }
            let world = World::new().await;
            let (_browser, program, id) = world.connected().await;
            world.advance(DAY);
            world.linear.add_fault(odd_reply(field, odd)).unwrap();
            assert!(program.token(&id).await.token().starts_with("lin_oauth_"));
            assert_eq!(
                (world.refreshes().rotations, world.refreshes().replays),
                (1, 1),
                "{field}"
            );
            world.advance(DAY);
            program.token(&id).await.token();
            assert_eq!(
                (world.refreshes().rotations, world.refreshes().refused),
                (2, 0),
                "{field}"
            );
        }
    }
}

#[tokio::test]
async fn tokens_that_live_for_no_time_are_not_asked_for_again_and_again() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    world
        .linear
        .merge_settings(&json!({ "access_token_life_s": 1 }))
        .unwrap();
    world.advance(DAY);
    let began = std::time::Instant::now();
    for _ in 0..20 {
        let answers = join_all((0..5).map(|_| program.token(&id))).await;
        for answer in answers {
            assert_eq!((answer.status, answer.code()), (503, "linear_unreachable"));
            assert_eq!(
                (&answer.headers["retry-after"], &answer.body["detail"]),
                (&"1".parse().unwrap(), &json!("asked_too_often"))
            );
        }
    }
    world.engine.refreshes_landed(Duration::from_secs(5)).await;
    let (asked, seconds) = (world.refreshes().refreshes, began.elapsed().as_secs());
    assert!(
        (3..=4 + seconds).contains(&asked),
        "{asked} questions in {seconds} s"
    );
}

#[tokio::test]
async fn a_row_that_is_two_rotations_behind_is_led_to_the_end_of_the_chain() {
    let world = World::new().await;
    let (mut browser, program, id) = world.connected().await;
    let organisation = world
        .store
        .organisation_by_slug("northwind-labs")
        .await
        .unwrap()
        .unwrap()
        .id;
    world
        .linear
        .merge_settings(&json!({ "replay_chain": true, "rotation_ends_previous_access": true }))
        .unwrap();
    world
        .sql("CREATE TABLE copy AS SELECT * FROM connections")
        .await;
    for _ in 0..2 {
        let rejected = program.token(&id).await.fingerprint();
        program
            .token_with(&id, json!({ "rejected": rejected }))
            .await
            .token();
    }
    world
        .sql(
            "UPDATE connections SET (generation, access_sealed, refresh_sealed, fingerprint, \
                issued_at, expires_at) = \
                (SELECT generation, access_sealed, refresh_sealed, fingerprint, issued_at, \
                expires_at FROM copy)",
        )
        .await;
    let restarted = world.another(0).await;
    let acting = Acting::command(&organisation);
    restarted.connections(acting).check(&id).await.unwrap();
    assert_eq!(
        (world.refreshes().rotations, world.refreshes().replays),
        (2, 2),
        "it went where the others had gone"
    );
    browser
        .get(&format!("/integrations/{id}"))
        .await
        .hides("Reconnect required");
}

#[tokio::test]
async fn a_row_that_moved_after_it_was_read_is_not_shown_to_linear() {
    let world = World::new().await;
    let (_browser, _program, id) = world.connected().await;
    let organisation = world
        .store
        .organisation_by_slug("northwind-labs")
        .await
        .unwrap()
        .unwrap()
        .id;
    let refresh = RefreshSettings {
        reading_lasts: Duration::ZERO,
        ..RefreshSettings::default()
    };
    let slow = world
        .another_set(
            0,
            KEYS,
            Settings {
                refresh,
                ..Settings::default()
            },
        )
        .await;
    // Another process does it, as soon as this one has the lease.
    world
        .sql(
            "CREATE TRIGGER meanwhile AFTER UPDATE OF lease_owner ON connections WHEN \
                OLD.lease_owner IS NULL AND NEW.lease_owner IS NOT NULL \
                BEGIN UPDATE connections SET generation = generation + 1 WHERE id = NEW.id; END",
        )
        .await;
    world.advance(DAY);
    let token = slow
        .fresh_token(&organisation, &id, Wanted::default())
        .await
        .unwrap();
    assert_eq!(
        (token.generation, world.refreshes().refreshes),
        (3, 1),
        "what was read first was not shown"
    );
}

#[tokio::test]
async fn another_client_id_refreshes_nothing_breaks_nothing_and_asks_nothing() {
    let world = World::new().await;
    let (mut browser, program, id) = world.connected().await;
    let organisation = world
        .store
        .organisation_by_slug("northwind-labs")
        .await
        .unwrap()
        .unwrap()
        .id;
    let other = world.another_app("another-client-id").await;
    world.advance(DAY);
    let asked = world.count("token");
    for _ in 0..3 {
        assert_eq!(other.sweep_now(HOUR).await.unwrap().failed, 1);
    }
    let refused = other
        .fresh_token(&organisation, &id, Wanted::default())
        .await
        .unwrap_err();
    assert!(
        matches!(refused, TokenError::Unreachable { error, .. } if error.code == CLIENT_ID_CHANGED)
    );
    assert_eq!(world.count("token"), asked);
    let connection = world
        .store
        .connection(&organisation, &id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            connection.state.name(),
            connection.refresh_trouble.unwrap().fault()
        ),
        ("connected", Whose::OtherApp)
    );
    program.token(&id).await.token();
    browser
        .get("/integrations")
        .await
        .shows("Acme Robotics is connected");
}

#[tokio::test]
async fn scopes_may_come_as_an_array() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    world
        .linear
        .merge_settings(&json!({ "scope_as_array": true }))
        .unwrap();
    world.advance(DAY);
    program.token(&id).await.token();
    let list = program
        .call(axum::http::Method::GET, "/api/v1/connections", "")
        .await;
    assert_eq!(list.body["connections"][0]["scopes"], json!(["read"]));
}

#[tokio::test]
async fn a_grant_from_before_refresh_tokens_ends_with_its_token() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    world.fault(Endpoint::Token, Kind::NoRefreshToken);
    let id = browser.connect("acme-robotics").await;
    let program = world.program().await;
    program.token(&id).await.token();
    world.advance(NEARLY_OVER);
    program.token(&id).await.token();
    assert_eq!(
        world.engine.sweep_due().await.unwrap().due,
        0,
        "there is nothing to refresh it with"
    );
    world.advance(5 * MINUTE);
    let answer = program.token(&id).await;
    assert_eq!(
        (answer.code(), answer.body["reason"].as_str()),
        ("reconnect_required", Some("no_refresh_token"))
    );
    browser
        .get("/integrations")
        .await
        .shows("This connection is from before refresh tokens");
}

#[tokio::test]
async fn a_caller_who_goes_away_cancels_nothing() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    world.advance(DAY);
    world
        .linear
        .add_fault(Fault {
            delay_ms: Some(400),
            ..refused_refresh(Kind::DelayReply)
        })
        .unwrap();
    let gone = tokio::time::timeout(Duration::from_millis(100), program.token(&id)).await;
    assert!(gone.is_err());
    world.engine.refreshes_landed(Duration::from_secs(5)).await;
    program.token(&id).await.token();
    assert_eq!(
        (world.refreshes().rotations, world.refreshes().refreshes),
        (1, 1)
    );
}

#[tokio::test]
async fn a_forced_refresh_is_not_satisfied_by_finding_the_token_fresh() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let first = program.token(&id).await;
    let (checked, forced) = tokio::join!(
        program.token(&id),
        program.token_with(&id, json!({ "rejected": first.fingerprint() }))
    );
    assert_eq!(checked.token(), first.token());
    assert_ne!(forced.token(), first.token());
}

#[tokio::test]
async fn a_reconnect_during_a_refresh_wins_and_the_pair_that_lost_ends_with_the_connection() {
    for world in both().await {
        reconnect_during_a_refresh(&world).await;
    }
}

async fn reconnect_during_a_refresh(world: &World) {
    let (mut browser, program, id) = world.connected().await;
    world.advance(DAY);
    world
        .linear
        .add_fault(Fault {
            delay_ms: Some(700),
            ..refused_refresh(Kind::DelayReply)
        })
        .unwrap();
    let late = async { program.token(&id).await };
    let reconnect = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        browser.reconnect(&id, "acme-robotics").await
    };
    let (answer, _) = tokio::join!(late, reconnect);
    let token = answer.token();
    assert_eq!(
        program.token(&id).await.token(),
        token,
        "the caller got the consent's token"
    );
    let grants = |ended: bool| {
        let state = world.linear.state();
        state["grants"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|grant| grant["ended"] == ended)
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        grants(true),
        Vec::<Value>::new(),
        "revoking one might end the other"
    );
    assert!(world.lives("northwind-labs", &id).await);
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    assert_eq!(
        (grants(true).len(), world.living_tokens()),
        (2, 0),
        "of both consents nothing is alive"
    );
}

#[tokio::test]
async fn a_disconnect_during_a_refresh_leaves_nothing_alive() {
    for world in both().await {
        let (mut browser, program, id) = world.connected().await;
        world.advance(DAY);
        world
            .linear
            .add_fault(Fault {
                delay_ms: Some(700),
                ..refused_refresh(Kind::DelayReply)
            })
            .unwrap();
        let disconnect = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            browser
                .post("/integrations/disconnect", &[("connection", &id)])
                .await
        };
        let (answer, _) = tokio::join!(program.token(&id), disconnect);
        assert_eq!(
            (answer.code(), answer.body["reason"].as_str()),
            ("reconnect_required", Some("by_person"))
        );
        assert_eq!(world.living_tokens(), 0);
    }
}

#[tokio::test]
async fn a_disconnect_after_a_lost_answer_revokes_the_pair_that_nobody_saw() {
    for world in both().await {
        let (mut browser, program, id) = world.connected().await;
        world.advance(DAY);
        world
            .linear
            .add_fault(Fault {
                count: 3,
                ..refused_refresh(Kind::DropReply)
            })
            .unwrap();
        assert_eq!(program.token(&id).await.code(), "linear_unreachable");
        browser
            .post("/integrations/disconnect", &[("connection", &id)])
            .await;
        browser
            .get("/integrations")
            .await
            .shows("Both tokens were revoked at Linear");
        assert_eq!(world.living_tokens(), 0);
    }
}

#[tokio::test]
async fn a_sealed_token_that_does_not_open_marks_its_connection_and_no_other() {
    let world = World::new().await;
    let (mut browser, program, broken) = world.connected().await;
    let good = browser.connect("globex").await;
    world
        .sql(
            "UPDATE connections SET refresh_sealed = x'010203' WHERE workspace_url_key = \
                'acme-robotics'",
        )
        .await;
    world.advance(DAY);
    let swept = world.engine.sweep_due().await.unwrap();
    assert_eq!((swept.due, swept.refreshed, swept.broken), (2, 1, 1));
    assert_eq!(program.token(&broken).await.body["reason"], "unreadable");
    program.token(&good).await.token();
}

#[tokio::test]
async fn linear_hanging_for_some_is_not_noticed_by_others() {
    let world = World::new().await;
    let (mut browser, program, stuck) = world.connected().await;
    world.advance(DAY - 2 * MINUTE);
    let good = browser.connect("globex").await;
    program.token(&good).await.token();
    world
        .linear
        .add_fault(Fault {
            count: 20,
            ..refused_refresh(Kind::Hang)
        })
        .unwrap();
    let waiting = join_all((0..200).map(|_| program.token(&stuck)));
    let others = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let began = std::time::Instant::now();
        for answer in join_all((0..200).map(|_| program.token(&good))).await {
            answer.token();
        }
        began.elapsed()
    };
    let (waited, others) = tokio::join!(waiting, others);
    assert!(others < Duration::from_secs(2), "{others:?}");
    assert!(
        waited.iter().all(|answer| answer.status == 200),
        "two minutes are left: the present token will do"
    );
}

#[tokio::test]
async fn short_lived_tokens_are_not_refreshed_again_and_again() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    world
        .linear
        .merge_settings(&json!({ "access_token_life_s": 60 }))
        .unwrap();
    world.advance(DAY);
    for _ in 0..20 {
        program.token(&id).await.token();
        world.engine.sweep_due().await.unwrap();
        world.advance(SECOND);
    }
    assert_eq!(
        world.refreshes().rotations,
        1,
        "a new one would live no longer"
    );
    world.advance(15 * SECOND);
    program.token(&id).await.token();
    assert_eq!(world.refreshes().rotations, 2);
}

#[tokio::test]
async fn each_attempt_leaves_a_line_and_tries_that_ended_alike_share_one() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let person = world.store.member_first_organisation("").await.unwrap();
    assert!(person.is_none());
    world.advance(DAY);
    world
        .linear
        .add_fault(Fault {
            count: 9,
            ..refused_refresh(Kind::Html500)
        })
        .unwrap();
    for _ in 0..3 {
        assert_eq!(world.engine.sweep_now(HOUR).await.unwrap().failed, 1);
    }
    program.token(&id).await;
    world.advance(5 * MINUTE);
    world.engine.sweep_due().await.unwrap();
    let lines = world.store.attempts(&id, 10).await.unwrap();
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line.outcome.as_str(),
                line.code.as_str(),
                line.status,
                line.tries,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("replayed", "", None, 1),
            ("backed_off", "server_error", Some(500), 3)
        ]
    );
}

#[tokio::test]
async fn clocks_two_minutes_apart_refresh_once_and_keep_nobody_waiting() {
    for ahead in [2 * MINUTE, -2 * MINUTE] {
        let world = World::new().await;
        let (_browser, program, id) = world.connected().await;
        let organisation = world
            .store
            .organisation_by_slug("northwind-labs")
            .await
            .unwrap()
            .unwrap()
            .id;
        let other = world.another(ahead).await;
        world.advance(DAY);
        world
            .linear
            .add_fault(Fault {
                delay_ms: Some(500),
                ..refused_refresh(Kind::DelayReply)
            })
            .unwrap();
        let (here, there) = tokio::join!(
            program.token(&id),
            other.fresh_token(&organisation, &id, Wanted::default())
        );
        assert_eq!(here.fingerprint(), there.unwrap().fingerprint);
        assert_eq!(
            (world.refreshes().rotations, world.refreshes().refreshes),
            (1, 1),
            "{ahead}"
        );

        // One that died with the lease, and one that put it off: neither clock keeps the other
        // process waiting.
        world
            .sql(
                "UPDATE connections SET lease_owner = 'dead', attempt_began_at = 1, \
                    next_attempt_at = next_attempt_at",
            )
            .await;
        world.advance(DAY);
        let began = std::time::Instant::now();
        other
            .fresh_token(&organisation, &id, Wanted::default())
            .await
            .unwrap();
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}",
            began.elapsed()
        );
        assert_eq!(world.refreshes().rotations, 2);
    }
}

#[tokio::test]
async fn an_open_intent_is_replayed_within_seconds_however_long_the_token_lives() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let first = program.token(&id).await;
    world
        .linear
        .add_fault(Fault {
            count: 3,
            ..refused_refresh(Kind::DropReply)
        })
        .unwrap();
    assert_eq!(
        program
            .token_with(&id, json!({ "rejected": first.fingerprint() }))
            .await
            .code(),
        "linear_unreachable"
    );
    world.engine.resume_intents().await.unwrap();
    assert_eq!(world.refreshes().refreshes, 3, "it is put off for a moment");
    world.advance(5 * SECOND);
    world.engine.resume_intents().await.unwrap();
    assert_eq!(
        (world.refreshes().rotations, world.refreshes().replays),
        (1, 3)
    );
    assert_ne!(program.token(&id).await.token(), first.token());
    world.advance(HOUR);
    world.engine.resume_intents().await.unwrap();
    assert_eq!(world.refreshes().refreshes, 4, "and then it is done");
}

#[tokio::test]
async fn a_refresh_that_failed_early_is_made_up_for_and_the_badge_recovers() {
    let world = World::new().await;
    let (mut browser, program, id) = world.connected().await;
    world
        .linear
        .add_fault(refused_refresh(Kind::RateLimited))
        .unwrap();
    browser
        .post("/integrations/refresh", &[("connection", &id)])
        .await;
    browser
        .get("/integrations")
        .await
        .shows("Linear unreachable");
    world.advance(MINUTE);
    assert_eq!(world.engine.sweep_due().await.unwrap().refreshed, 1);
    browser
        .get("/integrations")
        .await
        .hides("Linear unreachable");
    program.token(&id).await.token();
}

#[tokio::test]
async fn a_key_that_only_other_replicas_hold_is_no_verdict() {
    let world = World::new().await;
    let (mut browser, program, id) = world.connected().await;
    let organisation = world
        .store
        .organisation_by_slug("northwind-labs")
        .await
        .unwrap()
        .unwrap()
        .id;
    let newer = world.another_with(0, NEWER_KEYS).await;
    world.advance(DAY);
    newer
        .fresh_token(&organisation, &id, Wanted::default())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(program.token(&id).await.code(), "linear_unreachable");
    world.advance(DAY);
    assert_eq!(world.engine.sweep_now(HOUR).await.unwrap().failed, 1);
    browser
        .get("/integrations")
        .await
        .hides("Reconnect required");
    world.advance(MINUTE);
    newer
        .fresh_token(&organisation, &id, Wanted::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn after_a_reconnect_the_pair_that_nobody_saw_is_fetched_and_ends_with_the_connection() {
    for world in both().await {
        let (mut browser, program, id) = world.connected().await;
        world.advance(DAY);
        world
            .linear
            .add_fault(Fault {
                count: 3,
                ..refused_refresh(Kind::DropReply)
            })
            .unwrap();
        assert_eq!(program.token(&id).await.code(), "linear_unreachable");
        let replays = world.refreshes().replays;
        browser.reconnect(&id, "acme-robotics").await;
        let fetched = || world.refreshes().replays > replays;
        for _ in 0..100 {
            if fetched() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(fetched() && world.lives("northwind-labs", &id).await);
        while world.store.superseded_grants(&id).await.unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        browser
            .post("/integrations/disconnect", &[("connection", &id)])
            .await;
        assert_eq!(world.living_tokens(), 0);
    }
}

#[tokio::test]
async fn an_answer_of_linear_is_worth_more_than_a_note_of_it() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    world.advance(MINUTE);
    world
        .sql(
            "CREATE TRIGGER no_notes BEFORE UPDATE OF last_verified_at ON connections BEGIN SELECT \
                RAISE(FAIL, 'no'); END",
        )
        .await;
    let before = world.count("graphql");
    assert_eq!(
        program
            .graphql(&id, "mutation { logout { success } }")
            .await
            .status,
        200
    );
    assert_eq!(world.count("graphql"), before + 1);
}

/// Such as an older copy of the database has it, which took the database's place under a server
/// that runs.
#[tokio::test]
async fn an_open_intent_under_a_lease_that_this_process_let_go_of_is_taken_up() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    world
        .sql("CREATE TABLE owners AS SELECT lease_owner AS owner FROM connections")
        .await;
    let note = "CREATE TRIGGER note_owner AFTER UPDATE ON connections WHEN NEW.lease_owner IS NOT \
        NULL \
        BEGIN UPDATE owners SET owner = NEW.lease_owner; END";
    world.sql(note).await;
    let first = program.token(&id).await;
    world
        .linear
        .add_fault(Fault {
            count: 100,
            ..refused_refresh(Kind::DropReply)
        })
        .unwrap();
    assert_eq!(
        program
            .token_with(&id, json!({ "rejected": first.fingerprint() }))
            .await
            .code(),
        "linear_unreachable"
    );
    world
        .sql(
            "UPDATE connections SET lease_owner = (SELECT owner FROM owners), next_attempt_at = \
                NULL",
        )
        .await;
    world.linear.clear_faults();
    world.advance(MINUTE);
    world.engine.resume_intents().await.unwrap();
    assert_eq!(
        (world.refreshes().rotations, world.refreshes().refused),
        (1, 0)
    );
    assert_ne!(program.token(&id).await.token(), first.token());
}
