use std::time::{Duration, Instant};

use serde_json::json;

use crate::setup::{Answer, Linear};

async fn try_refresh(linear: &Linear, token: &str) -> Result<Answer, reqwest::Error> {
    let app = linear.simulator.app();
    let fields = [
        ("client_id", app.client_id.as_str()),
        ("client_secret", &app.client_secret),
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
    ];
    let response = linear
        .http
        .post(format!("{}/oauth/token", linear.base))
        .form(&fields)
        .send()
        .await?;
    Ok(Answer::of(response).await)
}

#[tokio::test]
async fn a_dropped_reply_was_processed_and_can_be_replayed() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    linear.fault(json!({"endpoint": "token", "kind": "drop_reply", "grant_type": "refresh_token"}));
    assert!(try_refresh(&linear, &first.refresh).await.is_err());
    assert_eq!(linear.simulator.grant_counts("globex").rotations, 1);
    let answer = try_refresh(&linear, &first.refresh)
        .await
        .expect("an answer");
    assert!(linear.works(&answer.tokens().access).await);
    assert_eq!(linear.simulator.grant_counts("globex").replays, 1);
}

#[tokio::test]
async fn a_reset_connection_was_not_processed() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    linear.fault(json!({"endpoint": "token", "kind": "connection_reset"}));
    assert!(try_refresh(&linear, &first.refresh).await.is_err());
    assert_eq!(linear.simulator.grant_counts("globex").rotations, 0);
}

#[tokio::test]
async fn a_500_is_html_and_was_not_processed() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    linear.fault(json!({"endpoint": "token", "kind": "html_500"}));
    let answer = linear.refresh(&first.refresh).await;
    assert_eq!(answer.status, 500);
    assert!(
        answer
            .body
            .as_str()
            .expect("text")
            .starts_with("<!doctype html>")
    );
    assert_eq!(linear.simulator.grant_counts("globex").rotations, 0);
}

#[tokio::test]
async fn garbage_was_processed_and_holds_no_token() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    linear.fault(json!({"endpoint": "token", "kind": "garbage_json"}));
    let answer = linear.refresh(&first.refresh).await;
    assert!(answer.status == 200 && answer.body.is_string());
    assert_eq!(linear.simulator.grant_counts("globex").rotations, 1);
}

#[tokio::test]
async fn single_fields_can_be_missing() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    linear.fault(json!({"endpoint": "token", "kind": "no_expires_in"}));
    let answer = linear.refresh(&first.refresh).await;
    assert!(answer.body.get("expires_in").is_none());
    linear.fault(json!({"endpoint": "token", "kind": "no_refresh_token"}));
    let answer = linear.refresh(&answer.tokens().refresh).await;
    assert!(
        answer.body.get("refresh_token").is_none() && answer.body.get("access_token").is_some()
    );
}

#[tokio::test]
async fn a_status_comes_with_its_retry_after() {
    let linear = Linear::start().await;
    linear
        .fault(json!({"endpoint": "graphql", "kind": "status", "status": 503, "retry_after_s": 7}));
    let response = linear
        .ask("x", "{ viewer { id } }", json!({}))
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()["retry-after"]
        ),
        (503, &"7".parse().expect("7"))
    );
}

#[tokio::test]
async fn a_fault_can_single_out_an_operation() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    linear.fault(json!({"endpoint": "graphql", "kind": "rate_limited", "operation": "teams"}));
    assert!(linear.works(&tokens.access).await);
    let answer = linear
        .graphql(&tokens.access, "{ teams { nodes { id } } }", json!({}))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (400, "RATELIMITED")
    );
}

#[tokio::test]
async fn a_delay_delays_and_then_answers() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    linear.fault(json!({"endpoint": "graphql", "kind": "delay", "delay_ms": 300}));
    let started = Instant::now();
    assert!(linear.works(&tokens.access).await);
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn an_invalid_client_can_be_feigned_without_harm_to_the_grant() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    linear.fault(json!({"endpoint": "token", "kind": "invalid_client", "count": 2}));
    for _ in 0..2 {
        assert_eq!(
            linear.refresh(&first.refresh).await.body["error"],
            "invalid_client"
        );
    }
    assert_eq!(linear.refresh(&first.refresh).await.status, 200);
}

#[tokio::test]
async fn a_hanging_request_outlasts_the_client() {
    let linear = Linear::start().await;
    linear.fault(json!({"endpoint": "revoke", "kind": "hang"}));
    let request = linear
        .http
        .post(format!("{}/oauth/revoke", linear.base))
        .form(&[("token", "x")]);
    assert!(
        request
            .timeout(Duration::from_millis(300))
            .send()
            .await
            .expect_err("a time-out")
            .is_timeout()
    );
}
