use serde_json::json;

use crate::setup::{Answer, Linear, param};

async fn revoke(linear: &Linear, fields: &[(&str, &str)]) -> u16 {
    linear.form("/oauth/revoke", fields).await.status.as_u16()
}

#[tokio::test]
async fn a_token_is_revoked_once() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    assert_eq!(revoke(&linear, &[("token", &tokens.access)]).await, 200);
    assert!(!linear.works(&tokens.access).await);
    assert_eq!(revoke(&linear, &[("token", &tokens.access)]).await, 400);
}

#[tokio::test]
async fn an_unknown_token_is_400() {
    assert_eq!(
        revoke(&Linear::start().await, &[("token", "lin_oauth_nobody")]).await,
        400
    );
}

#[tokio::test]
async fn a_hint_may_be_right_or_wrong_but_not_invented() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let hint = ("token_type_hint", "access_token");
    assert_eq!(
        revoke(&linear, &[("token", &tokens.refresh), hint]).await,
        200
    );
    assert_eq!(
        revoke(
            &linear,
            &[("token", &tokens.access), ("token_type_hint", "cookie")]
        )
        .await,
        400
    );
}

#[tokio::test]
async fn revoking_one_token_leaves_the_other() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    revoke(&linear, &[("token", &tokens.access)]).await;
    assert_eq!(linear.refresh(&tokens.refresh).await.status, 200);
}

#[tokio::test]
async fn revoking_one_token_ends_both_if_told_so() {
    let linear = Linear::start().await;
    linear.set(json!({"revoke_ends_grant": true}));
    let tokens = linear.connect("globex").await;
    revoke(&linear, &[("token", &tokens.access)]).await;
    assert_eq!(linear.refresh(&tokens.refresh).await.status, 400);
}

#[tokio::test]
async fn revoking_both_removes_the_installation() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    revoke(&linear, &[("token", &tokens.access)]).await;
    assert!(linear.is_installed("globex"));
    revoke(&linear, &[("token", &tokens.refresh)]).await;
    assert!(!linear.is_installed("globex"));
    let location = linear
        .approve("globex", &[("prompt", "")])
        .expect("a redirect");
    assert!(param(&location, "code").is_some());
}

#[tokio::test]
async fn a_grant_ends_with_its_pair_even_if_an_older_access_token_would_live() {
    let linear = Linear::start().await;
    let first = linear.connect("globex").await;
    let second = linear.refresh(&first.refresh).await.tokens();
    revoke(&linear, &[("token", &second.access)]).await;
    revoke(&linear, &[("token", &second.refresh)]).await;
    assert!(!linear.works(&first.access).await);
}

#[tokio::test]
async fn the_older_ways_of_naming_a_token_work() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    assert_eq!(
        revoke(&linear, &[("refresh_token", &tokens.refresh)]).await,
        200
    );
    let request = linear
        .http
        .post(format!("{}/oauth/revoke", linear.base))
        .bearer_auth(&tokens.access);
    assert_eq!(request.send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn an_unknown_token_named_the_older_way_is_401() {
    let linear = Linear::start().await;
    assert_eq!(
        revoke(&linear, &[("access_token", "lin_oauth_nobody")]).await,
        401
    );
}

#[tokio::test]
async fn the_ways_of_naming_a_token_cannot_be_combined() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let both = [
        ("token", tokens.access.as_str()),
        ("refresh_token", tokens.refresh.as_str()),
    ];
    assert_eq!(revoke(&linear, &both).await, 400);
    assert!(linear.works(&tokens.access).await);
}

#[tokio::test]
async fn nothing_to_revoke_is_400_and_json_is_too() {
    let linear = Linear::start().await;
    assert_eq!(revoke(&linear, &[]).await, 400);
    let request = linear
        .http
        .post(format!("{}/oauth/revoke", linear.base))
        .json(&json!({"token": "x"}));
    assert_eq!(
        Answer::of(request.send().await.expect("an answer"))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn an_uninstall_ends_everything_in_its_workspace_only() {
    let linear = Linear::start().await;
    let (gone, kept) = (
        linear.connect("globex").await,
        linear.connect("initech").await,
    );
    assert_eq!(linear.simulator.uninstall("globex"), Ok(true));
    assert!(!linear.works(&gone.access).await);
    assert_eq!(
        linear.refresh(&gone.refresh).await.body["error"],
        "invalid_grant"
    );
    assert!(linear.works(&kept.access).await);
}

#[tokio::test]
async fn logging_out_ends_the_access_token_and_leaves_the_refresh_token() {
    let linear = Linear::start().await;
    let tokens = linear.connect("globex").await;
    let answer = linear
        .graphql(&tokens.access, "mutation { logout { success } }", json!({}))
        .await;
    assert_eq!(answer.body, json!({"data": {"logout": {"success": true}}}));
    assert!(!linear.works(&tokens.access).await);
    assert_eq!(linear.refresh(&tokens.refresh).await.status, 200);
}

#[tokio::test]
async fn revoking_one_token_ends_the_whole_installation_if_told_so() {
    let linear = Linear::start().await;
    linear.set(json!({"revoke_ends_installation": true}));
    let (first, second, elsewhere) = (
        linear.connect("globex").await,
        linear.connect("globex").await,
        linear.connect("initech").await,
    );
    assert_eq!(revoke(&linear, &[("token", &first.access)]).await, 200);
    assert!(!linear.is_installed("globex") && !linear.works(&second.access).await);
    assert_eq!(linear.refresh(&second.refresh).await.status, 400);
    assert!(
        linear.works(&elsewhere.access).await,
        "another workspace is not concerned"
    );
}

#[tokio::test]
async fn revoking_one_token_of_a_person_ends_all_that_they_gave_if_told_so() {
    let linear = Linear::start().await;
    linear.set(json!({"revoke_ends_authorisation": true}));
    let user = [("actor", "user")];
    let (first, second) = (
        linear.connect_with("globex", &user).await,
        linear.connect_with("globex", &user).await,
    );
    let app = linear.connect("globex").await;
    assert_eq!(revoke(&linear, &[("token", &first.access)]).await, 200);
    assert!(!linear.works(&second.access).await, "the same person's");
    assert!(
        linear.works(&app.access).await && linear.is_installed("globex"),
        "the application's own stays"
    );
}
