use relink_simulator::GrantCounts;
use serde_json::json;

use crate::setup::Linear;

const DEAD: (&str, &str) = ("invalid_grant", "Invalid grant: refresh token is invalid");

#[tokio::test]
async fn every_refresh_gives_a_new_pair() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    let second = linear.refresh(&first.refresh).await.tokens();
    assert_ne!(first.access, second.access);
    assert_ne!(first.refresh, second.refresh);
    assert!(linear.works(&second.access).await);
}

#[tokio::test]
async fn the_same_request_again_gives_the_same_pair_for_thirty_minutes() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    let second = linear.refresh(&first.refresh).await.tokens();
    linear.simulator.advance_s(30 * 60);
    assert_eq!(linear.refresh(&first.refresh).await.tokens(), second);
}

#[tokio::test]
async fn after_thirty_minutes_the_old_token_is_dead() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    linear.refresh(&first.refresh).await;
    linear.simulator.advance_s(30 * 60 + 1);
    linear
        .refresh(&first.refresh)
        .await
        .assert_oauth_error(DEAD.0, DEAD.1);
}

#[tokio::test]
async fn replaying_does_not_lengthen_the_window() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    linear.refresh(&first.refresh).await;
    linear.simulator.advance_s(20 * 60);
    assert_eq!(linear.refresh(&first.refresh).await.status, 200);
    linear.simulator.advance_s(20 * 60);
    linear
        .refresh(&first.refresh)
        .await
        .assert_oauth_error(DEAD.0, DEAD.1);
}

#[tokio::test]
async fn a_grandparent_cannot_be_replayed() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    let second = linear.refresh(&first.refresh).await.tokens();
    linear.refresh(&second.refresh).await;
    linear
        .refresh(&first.refresh)
        .await
        .assert_oauth_error(DEAD.0, DEAD.1);
}

#[tokio::test]
async fn an_unknown_refresh_token_is_an_invalid_grant() {
    Linear::start()
        .await
        .refresh("lin_refresh_nobody")
        .await
        .assert_oauth_error(DEAD.0, DEAD.1);
}

#[tokio::test]
async fn the_access_token_before_stays_valid_until_its_own_time() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    linear.refresh(&first.refresh).await;
    assert!(linear.works(&first.access).await);
    linear.simulator.advance_s(86_400);
    assert!(!linear.works(&first.access).await);
}

#[tokio::test]
async fn rotation_ends_the_access_token_before_if_told_so() {
    let linear = Linear::start().await;
    linear.set(json!({"rotation_ends_previous_access": true}));
    let first = linear.connect("globex").await;
    linear.refresh(&first.refresh).await;
    assert!(!linear.works(&first.access).await);
}

#[tokio::test]
async fn a_replay_mints_a_fresh_access_token_if_told_so() {
    let linear = Linear::start().await;
    linear.set(json!({"replay_fresh_access": true}));
    let first = linear.connect("globex").await;
    let second = linear.refresh(&first.refresh).await.tokens();
    let replayed = linear.refresh(&first.refresh).await.tokens();
    assert_eq!(replayed.refresh, second.refresh);
    assert_ne!(replayed.access, second.access);
}

#[tokio::test]
async fn a_refresh_token_dies_of_age_if_told_so() {
    let linear = Linear::start().await;
    linear.set(json!({"refresh_token_life_s": 100}));
    let first = linear.connect("globex").await;
    linear.simulator.advance_s(100);
    let answer = linear.refresh(&first.refresh).await;
    answer.assert_oauth_error("invalid_grant", "Invalid grant: refresh token has expired");
    assert!(linear.is_installed("globex"));
}

#[tokio::test]
async fn rotations_and_replays_are_counted_apart() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    linear.refresh(&first.refresh).await;
    linear.refresh(&first.refresh).await;
    let expected = GrantCounts {
        refreshes: 2,
        rotations: 1,
        replays: 1,
        refused: 0,
    };
    assert_eq!(linear.simulator.grant_counts("globex"), expected);
    assert_eq!(linear.simulator.count("token", "rotated"), 1);
    assert_eq!(linear.simulator.count("token", "replayed"), 1);
}

#[tokio::test]
async fn a_restarted_simulator_honours_its_tokens() {
    use relink_simulator::{Options, Simulator};
    let file = std::env::temp_dir().join(format!("simulated-linear-{}.json", std::process::id()));
    let options = || Options {
        state_file: Some(file.clone()),
        ..Options::default()
    };
    let linear = Linear::serve(Simulator::seeded(options()).expect("a simulator")).await;
    let tokens = linear.connect("globex").await;
    let reborn = Linear::serve(Simulator::seeded(options()).expect("a simulator")).await;
    assert!(reborn.works(&tokens.access).await);
    assert_eq!(reborn.refresh(&tokens.refresh).await.status, 200);
    std::fs::write(&file, "{").expect("a damaged file");
    let error = Simulator::seeded(options())
        .err()
        .expect("a refusal")
        .to_string();
    std::fs::remove_file(&file).expect("a file");
    assert!(error.contains("damaged"), "{error}");
}

#[tokio::test]
async fn a_chain_of_spent_tokens_is_replayed_step_by_step_if_told_so() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    let second = linear.refresh(&first.refresh).await.tokens();
    let third = linear.refresh(&second.refresh).await.tokens();
    assert_eq!(linear.refresh(&first.refresh).await.status, 400);
    linear.set(serde_json::json!({"replay_chain": true}));
    assert_eq!(
        linear.refresh(&first.refresh).await.tokens().refresh,
        second.refresh
    );
    assert_eq!(
        linear.refresh(&second.refresh).await.tokens().refresh,
        third.refresh
    );
}

#[tokio::test]
async fn an_answer_may_name_the_old_refresh_token_or_anything() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    linear.fault(serde_json::json!({"endpoint": "token", "kind": "same_refresh_token"}));
    assert_eq!(
        linear.refresh(&first.refresh).await.tokens().refresh,
        first.refresh
    );
    linear.fault(
        serde_json::json!({"endpoint": "token", "kind": "odd_fields",
        "fields": {"access_token": "", "expires_in": 0}}),
    );
    let odd = linear.refresh(&first.refresh).await;
    assert_eq!(
        (&odd.body["access_token"], &odd.body["expires_in"]),
        (&serde_json::json!(""), &serde_json::json!(0))
    );
    assert_eq!(
        (
            linear.simulator.grant_counts("globex").rotations,
            linear.simulator.grant_counts("globex").replays
        ),
        (1, 1)
    );
}
