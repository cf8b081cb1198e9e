use relink_simulator::Actor;
use serde_json::json;

use crate::setup::{Answer, Linear};

async fn migrate(linear: &Linear, old: &str) -> Answer {
    let app = linear.simulator.app();
    let fields = [
        ("access_token", old),
        ("client_id", &app.client_id),
        ("client_secret", &app.client_secret),
    ];
    linear.form("/oauth/migrate_old_token", &fields).await
}

fn old_token(linear: &Linear) -> String {
    linear
        .simulator
        .mint_legacy("globex", Actor::App, "read,write")
        .expect("a token")
}

#[tokio::test]
async fn an_old_token_works_for_years_without_a_refresh_token() {
    let linear = Linear::start().await;
    let old = old_token(&linear);
    linear.simulator.advance_s(9 * 365 * 86_400);
    assert!(linear.works(&old).await);
}

#[tokio::test]
async fn an_old_token_becomes_a_pair_and_ends() {
    let linear = Linear::start().await;
    let old = old_token(&linear);
    let answer = migrate(&linear, &old).await;
    assert_eq!(answer.body["expires_in"], 86399);
    assert!(linear.works(&answer.tokens().access).await);
    assert!(!linear.works(&old).await);
    assert_eq!(migrate(&linear, &old).await.body["error"], "invalid_grant");
}

#[tokio::test]
async fn a_token_of_today_cannot_be_migrated() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    assert_eq!(migrate(&linear, &tokens.access).await.status, 400);
    assert!(linear.works(&tokens.access).await);
}

#[tokio::test]
async fn migrating_needs_the_client_secret() {
    let linear = Linear::start().await;
    let old = old_token(&linear);
    let id = linear.simulator.app().client_id;
    let answer = linear
        .form(
            "/oauth/migrate_old_token",
            &[("access_token", &old), ("client_id", &id)],
        )
        .await;
    answer.assert_oauth_error("invalid_request", "Missing parameter: `client_secret`");
}

#[tokio::test]
async fn the_endpoint_may_be_gone() {
    let linear = Linear::start().await;
    linear.set(json!({"migrate_enabled": false}));
    assert_eq!(migrate(&linear, &old_token(&linear)).await.status, 404);
}
